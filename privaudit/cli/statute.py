"""A rule in lines: one line a rule, or one rule with everything that is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.i18n import Translator, sanitize_text
from privaudit.knowledge.rule_file import UNDATED, Rule, RuleClause
from privaudit.model import Message

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
