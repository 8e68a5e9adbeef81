"""``privaudit evidence``: keeps what was found in a folder of two parts, and checks such a folder again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privaudit.cli.console import CliConsole
from privaudit.cli.options import CountryOption, LanguageOption, PlainOption, SignaturesOption, help_text
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from privaudit.capture.model import Capture
    from privaudit.model import Report


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(help=help_text("cli.evidence"))(evidence)


def evidence(
    source: Annotated[
        Path | None, typer.Argument(metavar="[CAPTURE|REPORT]", help=help_text("cli.evidence_from"))
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help=help_text("cli.evidence_to"))
    ] = None,
    apps: Annotated[list[str] | None, typer.Option("--app", metavar="PKG", help=help_text("cli.evidence_app"))] = None,
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FOLDER", help=help_text("cli.evidence_check"))
    ] = None,
    country: CountryOption = None,
    signatures: SignaturesOption = None,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Keep what was found, or check what was kept."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        if check is not None:
            if source is not None or output is not None:
                raise UsageError("errors.evidence_either")
            raise typer.Exit(_verify_evidence_folder(talk, check))
        if source is None or output is None:
            raise UsageError("errors.evidence_nothing")
        if output.exists() or output.is_symlink():
            raise UsageError("errors.exists", path=str(output))
        if not output.absolute().parent.is_dir():
            raise UsageError("errors.no_folder", path=str(output.absolute().parent))
        _create_evidence_folder(
            talk, source, output, tuple(apps or ()), country.upper() if country else None, signatures or []
        )


def _create_evidence_folder(
    console: CliConsole,
    source: Path,
    output: Path,
    packages: tuple[str, ...],
    country: str | None,
    signatures: list[Path],
) -> None:
    from privaudit.documents import evidence_folder

    document, capture, seal = _load_source(source, country, signatures)
    shown = evidence_folder.disclosable_report(document, packages)
    digest = evidence_folder.create_evidence_folder(
        output,
        shown,
        capture=capture,
        write_sealed=seal,
        language=console.language,
        created_at=datetime.now(UTC).astimezone(),
    )
    console.print_message("cli.evidence_kept", path=str(output), sheet=str(output / evidence_folder.HASH_PAGE_FILE))
    console.print_message("cli.evidence_apps", n=len({app.package for app in shown.apps}))
    console.print_message(
        "cli.evidence_sealed" if capture else "cli.evidence_sealed_report", path=str(output / evidence_folder.SEALED)
    )
    console.write_stdout(f"{digest}\n")


def _load_source(
    source: Path, country: str | None, signatures: list[Path]
) -> tuple[Report, Capture | None, Callable[[Path], None]]:
    """The report on `source`, the capture where it is one, and what seals the whole."""
    from privaudit.documents import evidence_folder
    from privaudit.report import json

    if json.is_report_file(source):
        return (
            _with_country_rules(json.read_report(source), country),
            None,
            evidence_folder.copy_into(source, "report.json"),
        )
    from privaudit import audit, knowledge
    from privaudit.capture import archive
    from privaudit.capture.sources import read_source

    taken = read_source(source)
    lists = knowledge.load_knowledge(extra_lists=signatures, demo=taken.demo, country=country)
    document = audit.build_report(taken, lists, audit.ReportOptions(country=country))
    if archive.recognises(source):
        return document, taken, evidence_folder.copy_into(source, "capture.zip")
    # Others keep more than we do: a bug report goes into the folder as far as it was read, and without persons.
    return document, taken, lambda sealed: archive.write_archive(taken, sealed / "capture.zip")


def _with_country_rules(document: Report, country: str | None) -> Report:
    """A saved report; where a country is chosen now, with its rules."""
    if country is None:
        return document
    from privaudit import knowledge
    from privaudit.findings import legal_rules

    return legal_rules.apply_country(document, knowledge.load_knowledge(demo=document.demo, country=country), country)


def _verify_evidence_folder(console: CliConsole, folder: Path) -> int:
    from privaudit.documents import evidence_folder, evidence_pages

    checked = evidence_folder.verify_evidence_folder(folder)
    console.print_message("cli.evidence_same", n=checked.unchanged)
    for how, name in checked.changes:
        console.print_message(f"cli.evidence_{how}", path=name)
    console.print_message("cli.evidence_compare")
    console.write_stdout(evidence_pages.grouped_hash(checked.digest) + "\n")
    console.print_message("cli.evidence_differs" if checked.changes else "cli.evidence_unchanged")
    return EXIT_UNREADABLE if checked.changes else EXIT_OK
