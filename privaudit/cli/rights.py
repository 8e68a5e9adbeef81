"""``privaudit rights``: what a borrower can do in a country, with the source of every line."""

from __future__ import annotations

from typing import Annotated

import typer

from privaudit.cli.console import CliConsole
from privaudit.cli.letter import DocumentOutputOption, validate_document_outputs, write_document
from privaudit.cli.options import LanguageOption, PlainOption, help_text


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("rights", help=help_text("cli.rights"))(show_rights)


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
