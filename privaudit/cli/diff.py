"""``privaudit diff``: what changed between two reports or saved captures of one phone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from privaudit import __version__
from privaudit.cli import options
from privaudit.cli.audit import report_on_source
from privaudit.cli.console import CliConsole, open_console
from privaudit.cli.options import argument, option

if TYPE_CHECKING:
    from privaudit.model import App, AppSummary
    from privaudit.report.diff import Diff


def diff(  # noqa: PLR0913 - one parameter per option
    before: Annotated[Path, argument("cli.diff_before", "BEFORE")],
    after: Annotated[Path, argument("cli.diff_after", "AFTER")],
    *,
    ledger: Annotated[Path | None, option("cli.diff_ledger", "--ledger", metavar="FILE")] = None,
    app: options.AppNamesOption = None,
    output: Annotated[list[Path] | None, option("cli.diff_output", "--output", "-o", metavar="FILE")] = None,
    as_json: options.JsonOption = False,
    lang: options.LanguageOption = None,
    signatures: options.SignaturesOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Show what changed between two reports or saved captures of one phone."""
    with open_console(lang, plain=plain) as console:
        options.validate_app_names(app or [])
        console.print_message("cli.starting_saved", version=__version__)
        from privaudit.report import diff as report_diff
        from privaudit.report import save_text, validate_output

        files = output or []
        for path in files:
            validate_output(path, report_diff.DIFF_SUFFIXES)
        differences = _compare(console, (before, after), ledger, app or [], signatures or [])
        for path in files:
            save_text(report_diff.render_diff(differences, path.suffix, console.language), path)
        if as_json:
            console.write_json(report_diff.diff_to_json(differences))
        else:
            console.write_stdout(report_diff.diff_to_text(differences, console.language))
        for path in files:
            console.print_message("cli.saved", path=str(path))


def _compare(
    console: CliConsole, sources: tuple[Path, Path], ledger: Path | None, names: list[str], signatures: list[Path]
) -> Diff:
    """Compare two sources. Each app of either report, of the ledger and of the user stands in the comparison.

    An app that was recognised by what it can read is not recognised any more once that is closed: so each capture is
    reported on again with the apps of both.
    """
    from privaudit.audit import ReportOptions
    from privaudit.report.diff import compare_reports

    packages = set(options.resolve_packages(console, names, _all_apps(sources)) if names else ())
    if ledger is not None:
        from privaudit.revocation.ledger import read_ledger

        packages |= {entry.change.package for entry in read_ledger(ledger).entries}
    asked = frozenset(packages)
    for _ in range(2):
        report_options = ReportOptions(include_packages=frozenset(packages))
        before, after = (report_on_source(source, report_options, signatures)[0] for source in sources)
        reported = [{app.package for app in report.apps} for report in (before, after)]
        packages |= reported[0] | reported[1]
        if reported[0] == reported[1]:
            break
    return compare_reports(before, after, asked)


def _all_apps(sources: Iterable[Path]) -> Iterator[App | AppSummary]:
    """Yield every app that the sources know: those of a report, or all of a capture."""
    from privaudit import facts
    from privaudit.capture import read_source
    from privaudit.report import json

    for source in sources:
        if json.is_report_file(source):
            yield from json.read_report(source).apps
        else:
            yield from facts.summarise_phone(read_source(source)).summaries
