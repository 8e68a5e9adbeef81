"""``privaudit letter``: a draft filled from a report. What happens if they notice is asked before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privaudit.cli.console import CliConsole, is_yes
from privaudit.cli.options import LanguageOption, PlainOption, help_text
from privaudit.errors import SourceError, UsageError

if TYPE_CHECKING:
    from privaudit.documents import Document


DocumentOutputOption = Annotated[
    list[Path] | None, typer.Option("--output", "-o", metavar="FILE", help=help_text("cli.paper_to"))
]
"""Where a paper goes; none: standard output."""


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(help=help_text("cli.letter"))(letter)
    app.command("rights", help=help_text("cli.rights"))(show_rights)


def letter(
    report: Annotated[Path, typer.Argument(metavar="REPORT.json", help=help_text("cli.letter_from"))],
    *,
    app: Annotated[str, typer.Option("--app", metavar="PKG", help=help_text("cli.one_app"))],
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help=help_text("cli.kind"))],
    country: Annotated[
        str | None, typer.Option("--country", metavar="CC", help=help_text("cli.letter_country"))
    ] = None,
    output: DocumentOutputOption = None,
    yes: Annotated[bool, typer.Option("--yes", help=help_text("cli.yes_letter"))] = False,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Write a letter."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        from privaudit.documents import letters
        from privaudit.knowledge import rights
        from privaudit.report import json

        kinds = tuple(one.value for one in letters.LetterKind)
        if kind not in kinds:
            raise UsageError("errors.kind_unknown", given=kind, known=kinds)
        validate_document_outputs(output or [])
        if not json.is_report_file(report):
            raise SourceError(
                "errors.source_missing" if not report.exists() else "errors.report_wanted", path=str(report)
            )
        document = json.read_report(report)
        chosen = country or document.knowledge.rules.country
        if chosen is None:
            raise UsageError("errors.country_needed", known=rights.countries_with_rights())
        paper = letters.draft_letter(document, app, letters.LetterKind(kind), rights.load_rights(chosen.upper()))
        if letters.LetterKind(kind).is_sent and not yes:
            talk.print_message("papers.notice")
            if not is_yes(talk.prompt("cli.ask_letter"), talk.language):
                talk.print_message("cli.nothing_written")
                return
        write_document(talk, paper, output or [])


def validate_document_outputs(output: list[Path]) -> None:
    """Refuse, before anything is asked, a file that could not be written."""
    from privaudit.documents import render

    for path in output:
        render.output_format(path)


def write_document(console: CliConsole, document: Document, output: list[Path]) -> None:
    """Write `document` to each file, or print it."""
    from privaudit import report
    from privaudit.documents import render

    for path in output:
        report.save_text(render.render_document(document, render.output_format(path)), path)
        console.print_message("cli.saved", path=str(path))
    if not output:
        console.write_stdout(render.render_document(document, "txt"))


def show_rights(
    country: Annotated[str | None, typer.Argument(metavar="[CC]", help=help_text("cli.rights_of"))] = None,
    *,
    friends: Annotated[bool, typer.Option("--friends", help=help_text("cli.friends"))] = False,
    output: DocumentOutputOption = None,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Show a rights page."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        from privaudit.documents import rights_page
        from privaudit.knowledge import rights

        validate_document_outputs(output or [])
        known = rights.load_rights(country.upper() if country else None)
        if country is None:
            talk.print_message("cli.rights_choose", known=", ".join(rights.countries_with_rights()))
        paper = (rights_page.page_for_contacts if friends else rights_page.full_rights_page)(known, talk.language)
        write_document(talk, paper, output or [])
