"""``privaudit rules``: list, show and check the rules of countries and app stores."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from privaudit.cli import options
from privaudit.cli.console import open_console
from privaudit.cli.options import argument, help_text, option
from privaudit.errors import KnowledgeError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Message

if TYPE_CHECKING:
    from privaudit.knowledge.rules import RuleSet
    from privaudit.knowledge.schema import Rule

_MAX_TEXT_CHARS: Final = 400
"""Characters of a citation or a note on one line."""
_MAX_SHOWN_RULES: Final = 20

_BASIS_KEYS: Final[Mapping[str, str]] = {
    "statute": "rulebook.basis_statute",
    "regulation": "rulebook.basis_regulation",
    "circular": "rulebook.basis_circular",
    "guidance": "rulebook.basis_guidance",
    "standard": "rulebook.basis_standard",
    "self_regulation": "rulebook.basis_self_regulation",
    "alert": "rulebook.basis_alert",
    "store_policy": "rulebook.basis_store_policy",
    "none": "rulebook.basis_none",
}
_APPLIES_KEYS: Final[Mapping[str, str]] = {
    "store": "rulebook.applies_store",
    "country": "rulebook.applies_country",
    "observation": "rulebook.applies_observation",
}
"""By the kind of a rule."""
_SAYS_KEYS: Final[Mapping[str, str]] = {
    "forbids": "rulebook.says_forbids",
    "not_necessary": "rulebook.says_not_necessary",
    "conditional": "rulebook.says_conditional",
    "advises": "rulebook.says_advises",
    "conduct": "rulebook.says_conduct",
}

rules_app = options.create_command_group("rules", help_text("rulebook.app"))

RuleCountryOption = Annotated[str | None, option("rulebook.in_country", "--country", metavar="CC")]


@rules_app.command("list", help=help_text("rulebook.list"))
def list_rules(
    words: Annotated[list[str] | None, argument("rulebook.words", "[WORD]...")] = None,
    *,
    country: RuleCountryOption = None,
    as_json: Annotated[bool, option("rulebook.json", "--json")] = False,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """List the rules."""
    with open_console(lang, plain=plain) as console:
        language = console.language
        rule_set = _load_rules()
        matches = _search_rules(rule_set, words or (), options.parse_country(country))
        if as_json:
            console.write_json(_rules_to_json(rule_set, matches))
            return
        lines = [format_rule_line(language, rule, _today()) for rule in matches]
        lines += ["", language.t("rulebook.counted", n=len(matches))] if matches else [language.t("rulebook.nothing")]
        console.write_lines([*lines, *_validity_notes(language, rule_set)])


@rules_app.command(help=help_text("rulebook.show"))
def show(
    words: Annotated[list[str], argument("rulebook.words", "WORD...")],
    *,
    country: RuleCountryOption = None,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Show rules in full."""
    with open_console(lang, plain=plain) as console:
        language = console.language
        rule_set = _load_rules()
        matches = _search_rules(rule_set, words, options.parse_country(country))
        exact = [rule for rule in matches if len(words) == 1 and rule.id.casefold() == words[0].casefold()]
        lines: list[str] = []
        for rule in (exact or matches)[:_MAX_SHOWN_RULES]:
            lines += [*format_rule(language, rule, _today()), ""]
        if not exact and len(matches) > _MAX_SHOWN_RULES:
            lines.append(language.t("rulebook.shown_some", shown=_MAX_SHOWN_RULES, n=len(matches)))
        if not matches:
            lines = [language.t("rulebook.nothing"), ""]
        console.write_lines([*lines, *_validity_notes(language, rule_set)])


@rules_app.command(help=help_text("rulebook.check"))
def check(
    path: Annotated[Path | None, argument("rulebook.path", "[PATH]")] = None,
    *,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Check rules for errors."""
    from privaudit.facts.access import OTHER_ROUTES
    from privaudit.facts.permissions import PERMISSION_INFO
    from privaudit.knowledge import lint

    with open_console(lang, plain=plain) as console:
        checkable = lint.CheckablePermissions(
            permissions=frozenset(PERMISSION_INFO), special_access=frozenset(OTHER_ROUTES)
        )
        result = lint.lint_rules(path, checkable)
        console.exit_on_problems(result.problems)
        console.write_lines([console.language.t("rulebook.checked", n=len(result.rules))])


def _load_rules() -> RuleSet:
    from privaudit.knowledge import rules
    from privaudit.knowledge.loader import Problems

    problems = Problems()
    rule_set = rules.read_rules(problems)
    if problems:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(problems))
    return rule_set


def _search_rules(rule_set: RuleSet, words: Iterable[str], country: str | None) -> list[Rule]:
    """Return the rules that have every word in their id, citation, title or authority, in any language."""
    terms = [word.casefold() for word in words]

    def matches(rule: Rule) -> bool:
        names = (texts[key] for texts in rule.words.values() for key in ("title", "authority"))
        text = "\n".join((rule.id, rule.citation, *names)).casefold()
        return (country is None or rule.country == country) and all(term in text for term in terms)

    return list(filter(matches, rule_set.rules))


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _validity_notes(language: Translator, rule_set: RuleSet) -> list[str]:
    """Return the date of the rules, and whether a lawyer has checked them. Every output about rules ends with it."""
    info = rule_set.describe_rules(None, datetime.now(UTC).date())
    lines = [language.t("rulebook.known_until", until_on=info.known_until)]
    return lines if info.checked else [*lines, language.t("rules.unchecked")]


def _rules_to_json(rule_set: RuleSet, rules: Iterable[Rule]) -> str:
    """Return rules as they stand in their files."""
    info = rule_set.describe_rules(None, datetime.now(UTC).date())
    ids = {rule.id for rule in rules}
    rows: list[dict[str, Any]] = [row for row in rule_set.toml_data if row["id"] in ids]
    document = {"sha256": info.sha256, "known_until": info.known_until, "rules": rows}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def format_rule_line(language: Translator, rule: Rule, today: str) -> str:
    """Return a rule on one line: its id, country, date, authority, title, and status."""
    name = f"{_rule_text(language, rule, 'authority')}: {_rule_text(language, rule, 'title')}"
    return "  ".join(
        (rule.id, rule.country or "--", _rule_date(language, rule), name, *_status_marks(language, rule, today))
    )


def format_rule(language: Translator, rule: Rule, today: str) -> Iterator[str]:
    """Return a rule in full."""
    authority = Message(key=f"rule.{rule.id}.authority")
    yield "  ".join((rule.id, *_status_marks(language, rule, today)))
    yield "  " + _rule_text(language, rule, "title")
    yield "  " + language.t("rulebook.by", authority=authority, dated_on=_rule_date(language, rule))
    yield "  " + _rule_text(language, rule, "says")
    yield ""
    for section in (_format_scope(language, rule), _format_clauses(language, rule), _format_sources(language, rule)):
        yield from (f"  {line}" for line in section)


def _rule_date(language: Translator, rule: Rule) -> str:
    from privaudit.knowledge.schema import UNDATED

    return language.t("rulebook.undated") if rule.date == UNDATED else rule.date


def _rule_text(language: Translator, rule: Rule, field: str) -> str:
    return language.t(f"rule.{rule.id}.{field}")


def _status_marks(language: Translator, rule: Rule, today: str) -> Iterator[str]:
    if rule.has_unverified_parts:
        yield language.t("rulebook.mark_verify")
    if not rule.is_in_force(today):
        has_ended = rule.in_force_until is not None and today > rule.in_force_until
        yield language.t("rulebook.mark_over" if has_ended else "rulebook.mark_ahead")


def _format_scope(language: Translator, rule: Rule) -> Iterator[str]:
    yield language.t("rulebook.basis", basis=Message(key=_BASIS_KEYS[rule.basis]))
    yield language.t("rulebook.citation", citation="") + sanitize_text(rule.citation, _MAX_TEXT_CHARS)
    yield language.t(_APPLIES_KEYS[rule.kind], stores=rule.stores, country=rule.country)
    begin, end = rule.in_force_from, rule.in_force_until
    if rule.kind != "observation":
        if begin is None:
            yield language.t("rulebook.from_unknown")
        elif end is None:
            yield language.t("rulebook.from", begin_on=begin)
        else:
            yield language.t("rulebook.from_until", begin_on=begin, end_on=end)
    if rule.replaced_by:
        yield language.t("rulebook.replaced", id=rule.replaced_by)


def _format_clauses(language: Translator, rule: Rule) -> Iterator[str]:
    for clause in rule.concern:
        condition = Message(key=f"rule.{rule.id}.{clause.condition}")
        names = (*clause.permissions, *clause.special)
        yield language.t(_SAYS_KEYS[clause.says], permissions=names, condition=condition)
        if clause.mapping == "inferred":
            yield language.t("rulebook.likely")
        if clause.unread:
            yield language.t("rulebook.unread", permissions=clause.unread)
    if not rule.concern:
        yield language.t("rulebook.no_concern")


def _format_sources(language: Translator, rule: Rule) -> Iterator[str]:
    """Return the sources of a rule, what of it is not verified, and who has checked it."""
    if rule.has_unverified_parts:
        yield language.t("rulebook.verify", what=Message(key=f"rule.{rule.id}.verify"))
    if not rule.text_read and rule.kind != "observation":
        yield language.t("rulebook.text_unread")
    for source in rule.source:
        key = "rulebook.read" if source.read else "rulebook.cited"
        yield language.t(key, what=source.what, where=source.where)
    if rule.url:
        yield language.t("rulebook.url", url="") + sanitize_text(rule.url, _MAX_TEXT_CHARS)
    if rule.note:
        yield language.t("rulebook.note", note="") + sanitize_text(rule.note, _MAX_TEXT_CHARS)
    if rule.checked_by and rule.checked_on:
        yield language.t("rulebook.checked_by", name=rule.checked_by, checked_on=rule.checked_on)
    else:
        yield language.t("rulebook.never_checked")
