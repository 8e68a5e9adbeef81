"""``privaudit evidence``: save a report as an evidence folder of two parts, or verify such a folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit.cli import options
from privaudit.cli.audit import report_on_source
from privaudit.cli.console import CliConsole, open_console
from privaudit.cli.options import argument, option
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from privaudit.capture.model import Capture

_CHANGE_KEYS: Final[Mapping[str, str]] = {
    "changed": "cli.evidence_changed",
    "missing": "cli.evidence_missing",
    "added": "cli.evidence_added",
    "sheet_differs": "cli.evidence_sheet_differs",
}
"""By `FileChangeKind`."""


def evidence(
    source: Annotated[Path | None, argument("cli.evidence_from", "[CAPTURE|REPORT]")] = None,
    *,
    output: Annotated[Path | None, option("cli.evidence_to", "--output", "-o", metavar="FOLDER")] = None,
    apps: Annotated[list[str] | None, option("cli.evidence_app", "--app", metavar="NAME")] = None,
    check: Annotated[Path | None, option("cli.evidence_check", "--check", metavar="FOLDER")] = None,
    country: options.CountryOption = None,
    signatures: options.SignaturesOption = None,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Create an evidence folder, or verify one."""
    with open_console(lang, plain=plain) as console:
        if check is not None:
            if source is not None or output is not None:
                raise UsageError("errors.evidence_either")
            raise typer.Exit(_verify_folder(console, check))
        if source is None or output is None:
            raise UsageError("errors.evidence_nothing")
        if output.exists() or output.is_symlink():
            raise UsageError("errors.exists", path=str(output))
        if not output.absolute().parent.is_dir():
            raise UsageError("errors.no_folder", path=str(output.absolute().parent))
        from privaudit import audit
        from privaudit.documents import evidence_folder

        report_options = audit.ReportOptions(country=options.parse_country(country))
        report, capture = report_on_source(source, report_options, signatures or [])
        packages = options.resolve_packages(console, apps or [], report.apps, keep_unknown=True)
        shown = evidence_folder.disclosable_report(report, tuple(packages))
        digest = evidence_folder.create_evidence_folder(
            output,
            shown,
            capture=capture,
            write_sealed=_sealed_writer(source, capture),
            language=console.language,
            created_at=datetime.now(UTC).astimezone(),
        )
        console.print_message("cli.evidence_kept", path=str(output), sheet=str(output / evidence_folder.HASH_PAGE_FILE))
        console.print_message("cli.evidence_apps", n=len({app.package for app in shown.apps}))
        sealed_key = "cli.evidence_sealed" if capture else "cli.evidence_sealed_report"
        console.print_message(sealed_key, path=str(output / evidence_folder.SEALED))
        console.write_lines([digest])


def _sealed_writer(source: Path, capture: Capture | None) -> Callable[[Path], None]:
    """Return what writes the sealed part: a copy of `source`, unless that holds more than was read."""
    from privaudit.capture import archive
    from privaudit.documents import evidence_folder

    if capture is None:
        return evidence_folder.copy_into(source, "report.json")
    if archive.recognises(source):
        return evidence_folder.copy_into(source, "capture.zip")
    # A bug report holds more than we read, and names persons: only what was read goes into the folder.
    return lambda sealed: archive.write_archive(capture, sealed / "capture.zip")


def _verify_folder(console: CliConsole, folder: Path) -> int:
    from privaudit.documents import evidence_folder

    check = evidence_folder.verify_evidence_folder(folder)
    console.print_message("cli.evidence_same", n=check.unchanged)
    for kind, name in check.changes:
        console.print_message(_CHANGE_KEYS[kind], path=name)
    console.print_message("cli.evidence_compare")
    console.write_lines([evidence_folder.grouped_hash(check.digest)])
    console.print_message("cli.evidence_differs" if check.changes else "cli.evidence_unchanged")
    return EXIT_UNREADABLE if check.changes else EXIT_OK
