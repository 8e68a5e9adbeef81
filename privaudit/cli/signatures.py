"""``privaudit signatures``: the commands about lists. Nothing heavier than typer is imported before one needs it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit.cli.console import Talk
from privaudit.cli.options import HELP, Country, Lang, Lists, Plain, group
from privaudit.errors import UsageError

if TYPE_CHECKING:
    from privaudit.knowledge import Knowledge
    from privaudit.knowledge.entries import Entry

_MOST_SHOWN: Final = 20
"""Apps that `show` prints in full."""


def told(key: str) -> str:
    """What the help says of these commands and their options."""
    return HELP.text(key)


app = group("signatures", told("signatures.app"))

Words = Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help=told("signatures.words"))]
InCountry = Annotated[str | None, typer.Option("--country", metavar="CC", help=told("signatures.in_country"))]
Publisher = Annotated[str | None, typer.Option("--publisher", metavar="WORD", help=told("signatures.publisher"))]
Lenders = Annotated[bool, typer.Option("--lenders", help=told("signatures.kinds"))]
AsJson = Annotated[bool, typer.Option("--json", help=told("signatures.json"))]


@app.command("list", help=told("signatures.list"))
def list_(
    words: Words = None,
    *,
    country: InCountry = None,
    publisher: Publisher = None,
    lenders: Lenders = False,
    signatures: Lists = None,
    as_json: AsJson = False,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """List what the lists hold."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        known, apps = found(words, country, publisher, signatures, lenders=lenders)
        if as_json:
            from privaudit.knowledge import records

            talk.out(records.render(apps, known.stamp()))
            return
        from privaudit.cli import shelf

        lines = [shelf.line(entry) for entry in apps] or [talk.language.text("signatures.nothing")]
        if apps:
            lines += ["", talk.language.text("signatures.counted", n=len(apps))]
        talk.out("".join(f"{line}\n" for line in [*lines, *worth(talk, known)]))


@app.command(help=told("signatures.show"))
def show(
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help=told("signatures.words"))],
    *,
    country: InCountry = None,
    publisher: Publisher = None,
    signatures: Lists = None,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Show apps with all their sources."""
    from privaudit.cli import shelf
    from privaudit.knowledge import loader, releases, sdks

    talk = Talk(lang, plain=plain)
    with talk.errors():
        known, apps = found(words, country, publisher, signatures, lenders=True)
        exact = tuple(entry for entry in apps if len(words) == 1 and words[0] in {entry.package, *entry.digests})
        apps = exact or apps
        code = () if exact else shelf.sdks_like(sdks.read(releases.in_force(), loader.Mistakes()), words)
        lines: list[str] = []
        for entry in apps[:_MOST_SHOWN]:
            lines += [*shelf.full(talk.language, known, entry), ""]
        for one in code:
            lines += [*shelf.sdk(talk.language, one), ""]
        if len(apps) > _MOST_SHOWN:
            lines.append(talk.language.text("signatures.shown_some", shown=_MOST_SHOWN, n=len(apps)))
        if not lines:
            lines = [talk.language.text("signatures.nothing"), ""]
        talk.out("".join(f"{line}\n" for line in [*lines, *worth(talk, known)]))


@app.command(help=told("signatures.check"))
def check(
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help=told("signatures.path"))] = None,
    *,
    country: Country = None,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Look for mistakes."""
    from privaudit import knowledge
    from privaudit.knowledge import lint

    talk = Talk(lang, plain=plain)
    with talk.errors():
        chosen = country_code(country)
        checked = lint.check(path)
        talk.refuse(checked.mistakes)
        files, rows = len(checked.lists), sum(len(part.rows) for part in checked.lists)
        lines = [talk.language.text("signatures.checked", files=files, rows=rows)]
        talk.out("".join(f"{line}\n" for line in [*lines, *worth(talk, knowledge.load(country=chosen))]))


def country_code(given: str | None) -> str | None:
    """A country's two letters in capitals.

    Raises:
        UsageError: these are none.
    """
    code = given.upper() if given else None
    if code is not None and not (len(code) == 2 and code.isascii() and code.isalpha()):  # noqa: PLR2004 - ISO 3166
        raise UsageError("errors.country_unknown", given=code)
    return code


def found(
    words: list[str] | None,
    country: str | None,
    publisher: str | None,
    signatures: list[Path] | None,
    *,
    lenders: bool,
) -> tuple[Knowledge, tuple[Entry, ...]]:
    """What is known, and the apps in it that were asked for."""
    from privaudit import knowledge
    from privaudit.knowledge.entries import entries, find

    chosen = country_code(country)
    known = knowledge.load(extra=signatures or (), country=chosen)
    kept = (part for part in known.lists if lenders or part.kind == "risky")
    return known, find(entries(kept), words or (), country=chosen, publisher=publisher)


def worth(talk: Talk, known: Knowledge) -> list[str]:
    """How much the lists hold and how old they are: stands wherever they are mentioned."""
    from privaudit.report import lists

    return [*lists.sentences(talk.language, known.stamp(), known.country, datetime.now(UTC).date())]
