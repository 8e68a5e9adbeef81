"""``privaudit rights``: what a borrower can do in a country, with the source of every line."""

from __future__ import annotations

from typing import Annotated

import typer

from privaudit.cli.console import Talk
from privaudit.cli.letter import Files, check, deliver
from privaudit.cli.options import Lang, Plain, help_text


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("rights", help=help_text("cli.rights"))(show)


def show(
    country: Annotated[str | None, typer.Argument(metavar="[CC]", help=help_text("cli.rights_of"))] = None,
    *,
    friends: Annotated[bool, typer.Option("--friends", help=help_text("cli.friends"))] = False,
    output: Files = None,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Show a rights page."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        from privaudit.documents import rights_page
        from privaudit.knowledge import rights

        check(output or [])
        known = rights.load(country.upper() if country else None)
        if country is None:
            talk.say("cli.rights_choose", known=", ".join(rights.countries()))
        paper = (rights_page.friends if friends else rights_page.whole)(known, talk.language)
        deliver(talk, paper, output or [])
