"""``privaudit letter``: a draft filled from a report. What happens if they notice is asked before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privaudit.cli.console import Talk
from privaudit.cli.options import Lang, Plain, help_text
from privaudit.errors import SourceError, UsageError

if TYPE_CHECKING:
    from privaudit.documents import Paper

Files = Annotated[list[Path] | None, typer.Option("--output", "-o", metavar="FILE", help=help_text("cli.paper_to"))]
"""Where a paper goes; none: standard output."""


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(help=help_text("cli.letter"))(letter)


def letter(
    report: Annotated[Path, typer.Argument(metavar="REPORT.json", help=help_text("cli.letter_from"))],
    *,
    app: Annotated[str, typer.Option("--app", metavar="PKG", help=help_text("cli.one_app"))],
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help=help_text("cli.kind"))],
    country: Annotated[
        str | None, typer.Option("--country", metavar="CC", help=help_text("cli.letter_country"))
    ] = None,
    output: Files = None,
    yes: Annotated[bool, typer.Option("--yes", help=help_text("cli.yes_letter"))] = False,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Write a letter."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        from privaudit.documents import letters
        from privaudit.knowledge import rights
        from privaudit.report import json

        kinds = tuple(one.value for one in letters.Kind)
        if kind not in kinds:
            raise UsageError("errors.kind_unknown", given=kind, known=kinds)
        check(output or [])
        if not json.recognises(report):
            raise SourceError(
                "errors.source_missing" if not report.exists() else "errors.report_wanted", path=str(report)
            )
        document = json.read(report)
        chosen = country or document.knowledge.rules.country
        if chosen is None:
            raise UsageError("errors.country_needed", known=rights.countries())
        paper = letters.draft(document, app, letters.Kind(kind), rights.load(chosen.upper()))
        if letters.Kind(kind).is_sent and not yes:
            talk.say("papers.notice")
            if talk.ask("cli.ask_letter") not in {"y", "yes", "是"}:
                talk.say("cli.nothing_written")
                return
        deliver(talk, paper, output or [])


def check(output: list[Path]) -> None:
    """Refuse, before anything is asked, a file that could not be written."""
    from privaudit import documents

    for path in output:
        documents.form(path)


def deliver(talk: Talk, paper: Paper, output: list[Path]) -> None:
    """Write `paper` to each file, or print it."""
    from privaudit import documents, report

    for path in output:
        report.save(documents.render(paper, documents.form(path)), path)
        talk.say("cli.saved", path=str(path))
    if not output:
        talk.out(documents.render(paper, "txt"))
