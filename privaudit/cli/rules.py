"""``privaudit rules``: the commands about rules. Nothing heavier than typer is imported before one needs it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from privaudit.cli.console import CliConsole
from privaudit.cli.options import HELP_TRANSLATOR, LanguageOption, PlainOption, create_command_group, parse_country
from privaudit.errors import KnowledgeError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.knowledge.schema import UNDATED, Rule, RuleClause
from privaudit.model import Message

if TYPE_CHECKING:
    from privaudit.knowledge.rules import RuleSet


_MAX_TEXT_CHARS: Final = 400
"""Characters of a citation or a note in one line."""


def format_rule_line(language: Translator, rule: Rule, today: str) -> str:
    """A rule on one line: its id, whose it is, of when, and what it is called."""
    date = language.t("rulebook.undated") if rule.date == UNDATED else rule.date
    name = f"{_rule_text(language, rule, 'authority')}: {_rule_text(language, rule, 'title')}"
    return "  ".join((rule.id, rule.country or "--", date, name, *_status_marks(language, rule, today)))


def format_rule(language: Translator, rule: Rule, today: str) -> Iterator[str]:
    """A rule with all that is known of it."""
    dated = Message(key="rulebook.undated") if rule.date == UNDATED else rule.date
    authority = Message(key=f"rule.{rule.id}.authority")
    yield "  ".join((rule.id, *_status_marks(language, rule, today)))
    yield "  " + _rule_text(language, rule, "title")
    yield "  " + language.t("rulebook.by", authority=authority, dated_on=dated)
    yield "  " + _rule_text(language, rule, "says")
    yield ""
    for part in (_format_scope(language, rule), _format_clauses(language, rule), _format_sources(language, rule)):
        yield from (f"  {one}" for one in part)


def _format_scope(language: Translator, rule: Rule) -> Iterator[str]:
    """What kind of rule it is, to what it applies, and since when."""
    yield language.t("rulebook.basis", basis=Message(key=f"rulebook.basis_{rule.basis}"))
    yield language.t("rulebook.citation", citation="") + sanitize_text(rule.citation, _MAX_TEXT_CHARS)
    yield language.t(f"rulebook.applies_{rule.kind}", stores=rule.stores, country=rule.country)
    begin, end = rule.in_force_from, rule.in_force_until
    if rule.kind != "observation":
        name = "from_unknown" if begin is None else "from_until" if end is not None else "from"
        yield language.t(f"rulebook.{name}", begin_on=begin, end_on=end)
    if rule.replaced_by:
        yield language.t("rulebook.replaced", id=rule.replaced_by)


def _format_clauses(language: Translator, rule: Rule) -> Iterator[str]:
    for concern in rule.concern:
        yield from _format_clause(language, rule, concern)
    if not rule.concern:
        yield language.t("rulebook.no_concern")


def _format_sources(language: Translator, rule: Rule) -> Iterator[str]:
    """Where it was read, how well it is known, and who has checked it."""
    if rule.has_unverified_parts:
        yield language.t("rulebook.verify", what=Message(key=f"rule.{rule.id}.verify"))
    if not rule.text_read and rule.kind != "observation":
        yield language.t("rulebook.text_unread")
    for source in rule.source:
        name = "read" if source.read else "cited"
        yield language.t(f"rulebook.{name}", what=source.what, where=source.where)
    for name, value in (("url", rule.url), ("note", rule.note)):
        if value:
            yield language.t(f"rulebook.{name}", **{name: ""}) + sanitize_text(value, _MAX_TEXT_CHARS)
    if rule.checked_by and rule.checked_on:
        yield language.t("rulebook.checked_by", name=rule.checked_by, checked_on=rule.checked_on)
    else:
        yield language.t("rulebook.never_checked")


def _format_clause(language: Translator, rule: Rule, clause: RuleClause) -> Iterator[str]:
    condition = Message(key=f"rule.{rule.id}.{clause.condition}")
    names = (*clause.permissions, *clause.special)
    yield language.t(f"rulebook.says_{clause.says}", permissions=names, condition=condition)
    if clause.mapping == "inferred":
        yield language.t("rulebook.likely")
    if clause.unread:
        yield language.t("rulebook.unread", permissions=clause.unread)


def _rule_text(language: Translator, rule: Rule, field: str) -> str:
    return language.t(f"rule.{rule.id}.{field}")


def _status_marks(language: Translator, rule: Rule, today: str) -> Iterator[str]:
    if rule.has_unverified_parts:
        yield language.t("rulebook.mark_verify")
    if not rule.is_in_force(today):
        over = rule.in_force_until is not None and today > rule.in_force_until
        yield language.t(f"rulebook.mark_{'over' if over else 'ahead'}")


_MAX_SHOWN_RULES: Final = 20
"""Rules that `show` prints in full."""


def rules_help_text(key: str) -> str:
    """What the help says of these commands and their options."""
    return HELP_TRANSLATOR.t(key)


rules_app = create_command_group("rules", rules_help_text("rulebook.app"))


def register(root_app: typer.Typer) -> None:
    """Add these commands to the command line."""
    root_app.add_typer(rules_app)


RuleCountryOption = Annotated[
    str | None, typer.Option("--country", metavar="CC", help=rules_help_text("rulebook.in_country"))
]
RulesJsonOption = Annotated[bool, typer.Option("--json", help=rules_help_text("rulebook.json"))]


@rules_app.command("list", help=rules_help_text("rulebook.list"))
def list_rules(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]...", help=rules_help_text("rulebook.words"))
    ] = None,
    *,
    country: RuleCountryOption = None,
    as_json: RulesJsonOption = False,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """List the rules."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        book = _load_rules()
        found = _find_rules(book, words or (), parse_country(country))
        if as_json:
            talk.write_stdout(_rules_to_json(book, found))
            return
        lines = [format_rule_line(talk.language, rule, _today()) for rule in found]
        lines += ["", talk.language.t("rulebook.counted", n=len(found))] if found else [_no_match_message(talk)]
        talk.write_stdout("".join(f"{line}\n" for line in [*lines, *_validity_notes(talk, book)]))


@rules_app.command(help=rules_help_text("rulebook.show"))
def show(
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help=rules_help_text("rulebook.words"))],
    *,
    country: RuleCountryOption = None,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Show rules with all that is known of them."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        book = _load_rules()
        found = _find_rules(book, words, parse_country(country))
        exact = [rule for rule in found if len(words) == 1 and rule.id.casefold() == words[0].casefold()]
        lines: list[str] = []
        for rule in (exact or found)[:_MAX_SHOWN_RULES]:
            lines += [*format_rule(talk.language, rule, _today()), ""]
        if not exact and len(found) > _MAX_SHOWN_RULES:
            lines.append(talk.language.t("rulebook.shown_some", shown=_MAX_SHOWN_RULES, n=len(found)))
        if not found:
            lines = [_no_match_message(talk), ""]
        talk.write_stdout("".join(f"{line}\n" for line in [*lines, *_validity_notes(talk, book)]))


@rules_app.command(help=rules_help_text("rulebook.check"))
def check(
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help=rules_help_text("rulebook.path"))] = None,
    *,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Look for mistakes."""
    from privaudit.facts.access import OTHER_ROUTES
    from privaudit.facts.permission_table import PERMISSION_INFO
    from privaudit.knowledge import lint

    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        known = lint.CheckablePermissions(
            permissions=frozenset(PERMISSION_INFO), special_access=frozenset(OTHER_ROUTES)
        )
        checked = lint.lint_rules(path, known)
        talk.exit_on_problems(checked.problems)
        talk.write_stdout(talk.language.t("rulebook.checked", n=len(checked.rules)) + "\n")


def _load_rules() -> RuleSet:
    from privaudit.knowledge import rules
    from privaudit.knowledge.loader import Problems

    mistakes = Problems()
    book = rules.read_rules(mistakes)
    if mistakes:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(mistakes))
    return book


def _find_rules(rule_set: RuleSet, words: Iterable[str], country: str | None) -> list[Rule]:
    """Rules that have all `words` in an id, a title or an authority."""
    wanted = [word.casefold() for word in words]
    return [
        rule
        for rule in rule_set.rules
        if (country is None or rule.country == country) and all(word in _searchable_text(rule) for word in wanted)
    ]


def _searchable_text(rule: Rule) -> str:
    named = (one[key] for one in rule.words.values() for key in ("title", "authority"))
    return "\n".join((rule.id, rule.citation, *named)).casefold()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _no_match_message(console: CliConsole) -> str:
    return console.language.t("rulebook.nothing")


def _validity_notes(console: CliConsole, rule_set: RuleSet) -> list[str]:
    """How far the rules are known, and who has checked them: stands wherever they are printed."""
    stamp = rule_set.describe_rules(None, datetime.now(UTC).date())
    lines = [console.language.t("rulebook.known_until", until_on=stamp.known_until)]
    return lines if stamp.checked else [*lines, console.language.t("rules.unchecked")]


def _rules_to_json(rule_set: RuleSet, rules: Iterable[Rule]) -> str:
    stamp = rule_set.describe_rules(None, datetime.now(UTC).date())
    wanted = {rule.id for rule in rules}
    rows: list[dict[str, Any]] = [one for one in rule_set.toml_data if one["id"] in wanted]
    document = {"sha256": stamp.sha256, "known_until": stamp.known_until, "rules": rows}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
