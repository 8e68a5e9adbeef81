"""``privaudit evidence``: keeps what was found in a folder of two parts, and checks such a folder again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privaudit.cli.console import Talk
from privaudit.cli.options import Country, Lang, Lists, Plain, help_text
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from privaudit.capture import Capture
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
    country: Country = None,
    signatures: Lists = None,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Keep what was found, or check what was kept."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        if check is not None:
            if source is not None or output is not None:
                raise UsageError("errors.evidence_either")
            raise typer.Exit(_check(talk, check))
        if source is None or output is None:
            raise UsageError("errors.evidence_nothing")
        if output.exists() or output.is_symlink():
            raise UsageError("errors.exists", path=str(output))
        if not output.absolute().parent.is_dir():
            raise UsageError("errors.no_folder", path=str(output.absolute().parent))
        _keep(talk, source, output, tuple(apps or ()), country.upper() if country else None, signatures or [])


def _keep(
    talk: Talk, source: Path, output: Path, only: tuple[str, ...], country: str | None, signatures: list[Path]
) -> None:
    from privaudit.documents import evidence_folder

    document, capture, seal = _read(source, country, signatures)
    shown = evidence_folder.disclosable(document, only)
    digest = evidence_folder.keep(
        output,
        shown,
        capture=capture,
        seal=seal,
        language=talk.language,
        kept_at=datetime.now(UTC).astimezone(),
    )
    talk.say("cli.evidence_kept", path=str(output), sheet=str(output / evidence_folder.SHEET))
    talk.say("cli.evidence_apps", n=len({app.package for app in shown.apps}))
    talk.say(
        "cli.evidence_sealed" if capture else "cli.evidence_sealed_report", path=str(output / evidence_folder.SEALED)
    )
    talk.out(f"{digest}\n")


def _read(
    source: Path, country: str | None, signatures: list[Path]
) -> tuple[Report, Capture | None, Callable[[Path], None]]:
    """The report on `source`, the capture where it is one, and what seals the whole."""
    from privaudit.documents import evidence_folder
    from privaudit.report import json

    if json.recognises(source):
        return _of_country(json.read(source), country), None, evidence_folder.copied(source, "report.json")
    from privaudit import audit, capture, knowledge
    from privaudit.capture import archive

    taken = capture.read(source)
    lists = knowledge.load(extra=signatures, demo=taken.demo, country=country)
    document = audit.judged(taken, lists, audit.Wishes(country=country))
    if archive.recognises(source):
        return document, taken, evidence_folder.copied(source, "capture.zip")
    # Others keep more than we do: a bug report goes into the folder as far as it was read, and without persons.
    return document, taken, lambda sealed: archive.write(taken, sealed / "capture.zip")


def _of_country(document: Report, country: str | None) -> Report:
    """A saved report; where a country is chosen now, with its rules."""
    if country is None:
        return document
    from privaudit import knowledge
    from privaudit.findings import legal_rules

    return legal_rules.chosen(document, knowledge.load(demo=document.demo, country=country), country)


def _check(talk: Talk, path: Path) -> int:
    from privaudit.documents import evidence_pages, recheck

    checked = recheck.check(path)
    talk.say("cli.evidence_same", n=checked.same)
    for how, name in checked.changes:
        talk.say(f"cli.evidence_{how}", path=name)
    talk.say("cli.evidence_compare")
    talk.out(evidence_pages.in_groups(checked.digest) + "\n")
    talk.say("cli.evidence_differs" if checked.changes else "cli.evidence_unchanged")
    return EXIT_UNREADABLE if checked.changes else EXIT_OK
