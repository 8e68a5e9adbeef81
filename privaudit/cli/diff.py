"""``privaudit diff``: what changed between two reports or saved captures of one phone."""

from pathlib import Path
from typing import Annotated

from privaudit import __version__
from privaudit.cli import options
from privaudit.cli.audit import report_on_source
from privaudit.cli.console import open_console
from privaudit.cli.options import argument, option


def diff(
    before: Annotated[Path, argument("cli.diff_before", "BEFORE")],
    after: Annotated[Path, argument("cli.diff_after", "AFTER")],
    *,
    output: Annotated[list[Path] | None, option("cli.diff_output", "--output", "-o", metavar="FILE")] = None,
    as_json: options.JsonOption = False,
    lang: options.LanguageOption = None,
    signatures: options.SignaturesOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Show what changed between two reports or saved captures of one phone."""
    with open_console(lang, plain=plain) as console:
        console.print_message("cli.starting_saved", version=__version__)
        from privaudit.audit import ReportOptions
        from privaudit.report import diff_text, save_text, validate_output
        from privaudit.report.diff import compare_reports

        files = output or []
        for path in files:
            validate_output(path, diff_text.DIFF_SUFFIXES)
        reports = [report_on_source(path, ReportOptions(), signatures or ())[0] for path in (before, after)]
        differences = compare_reports(*reports)
        for path in files:
            save_text(diff_text.render_diff(differences, path.suffix, console.language), path)
        if as_json:
            console.write_stdout(diff_text.diff_to_json(differences))
        else:
            console.write_stdout(diff_text.diff_to_text(differences, console.language))
        for path in files:
            console.print_message("cli.saved", path=str(path))
