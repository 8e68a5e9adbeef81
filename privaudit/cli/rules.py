"""``privaudit rules``: the commands about rules. Nothing heavier than typer is imported before one needs it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from privaudit.cli.console import Talk
from privaudit.cli.options import HELP, Lang, Plain, group
from privaudit.cli.signatures import country_code
from privaudit.errors import KnowledgeError

if TYPE_CHECKING:
    from privaudit.knowledge.rule_file import Rule
    from privaudit.knowledge.rules import RuleBook

_MOST_SHOWN: Final = 20
"""Rules that `show` prints in full."""


def told(key: str) -> str:
    """What the help says of these commands and their options."""
    return HELP.text(key)


app = group("rules", told("rulebook.app"))


def register(top: typer.Typer) -> None:
    """Add these commands to the command line."""
    top.add_typer(app)


InCountry = Annotated[str | None, typer.Option("--country", metavar="CC", help=told("rulebook.in_country"))]
AsJson = Annotated[bool, typer.Option("--json", help=told("rulebook.json"))]


@app.command("list", help=told("rulebook.list"))
def list_(
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help=told("rulebook.words"))] = None,
    *,
    country: InCountry = None,
    as_json: AsJson = False,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """List the rules."""
    from privaudit.cli import statute

    talk = Talk(lang, plain=plain)
    with talk.errors():
        book = _book()
        found = _found(book, words or (), country_code(country))
        if as_json:
            talk.out(_as_json(book, found))
            return
        lines = [statute.line(talk.language, rule, _today()) for rule in found]
        lines += ["", talk.language.text("rulebook.counted", n=len(found))] if found else [_nothing(talk)]
        talk.out("".join(f"{line}\n" for line in [*lines, *_worth(talk, book)]))


@app.command(help=told("rulebook.show"))
def show(
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help=told("rulebook.words"))],
    *,
    country: InCountry = None,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Show rules with all that is known of them."""
    from privaudit.cli import statute

    talk = Talk(lang, plain=plain)
    with talk.errors():
        book = _book()
        found = _found(book, words, country_code(country))
        exact = [rule for rule in found if len(words) == 1 and rule.id.casefold() == words[0].casefold()]
        lines: list[str] = []
        for rule in (exact or found)[:_MOST_SHOWN]:
            lines += [*statute.full(talk.language, rule, _today()), ""]
        if not exact and len(found) > _MOST_SHOWN:
            lines.append(talk.language.text("rulebook.shown_some", shown=_MOST_SHOWN, n=len(found)))
        if not found:
            lines = [_nothing(talk), ""]
        talk.out("".join(f"{line}\n" for line in [*lines, *_worth(talk, book)]))


@app.command(help=told("rulebook.check"))
def check(
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help=told("rulebook.path"))] = None,
    *,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Look for mistakes."""
    from privaudit.facts.access import SIDE_DOORS
    from privaudit.facts.permission_table import TRAITS
    from privaudit.knowledge import rule_linter

    talk = Talk(lang, plain=plain)
    with talk.errors():
        known = rule_linter.Known(permissions=frozenset(TRAITS), special=frozenset(SIDE_DOORS))
        checked = rule_linter.check(path, known)
        talk.refuse(checked.mistakes)
        talk.out(talk.language.text("rulebook.checked", n=len(checked.rules)) + "\n")


def _book() -> RuleBook:
    from privaudit.knowledge import rules
    from privaudit.knowledge.loader import Mistakes

    mistakes = Mistakes()
    book = rules.read(mistakes)
    if mistakes:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(mistakes))
    return book


def _found(book: RuleBook, words: Iterable[str], country: str | None) -> list[Rule]:
    """Rules that have all `words` in an id, a title or an authority."""
    wanted = [word.casefold() for word in words]
    return [
        rule
        for rule in book.rules
        if (country is None or rule.country == country) and all(word in _names(rule) for word in wanted)
    ]


def _names(rule: Rule) -> str:
    named = (one[key] for one in rule.words.values() for key in ("title", "authority"))
    return "\n".join((rule.id, rule.citation, *named)).casefold()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _nothing(talk: Talk) -> str:
    return talk.language.text("rulebook.nothing")


def _worth(talk: Talk, book: RuleBook) -> list[str]:
    """How far the rules are known, and who has checked them: stands wherever they are printed."""
    stamp = book.stamp(None, datetime.now(UTC).date())
    lines = [talk.language.text("rulebook.known_until", until_on=stamp.known_until)]
    return lines if stamp.checked else [*lines, talk.language.text("rules.unchecked")]


def _as_json(book: RuleBook, found: Iterable[Rule]) -> str:
    stamp = book.stamp(None, datetime.now(UTC).date())
    wanted = {rule.id for rule in found}
    rows: list[dict[str, Any]] = [one for one in book.data if one["id"] in wanted]
    document = {"sha256": stamp.sha256, "known_until": stamp.known_until, "rules": rows}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
