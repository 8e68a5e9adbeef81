"""A rule in lines: one line a rule, or one rule with everything that is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.i18n import Language, tame
from privaudit.knowledge.rule_file import UNDATED, Concern, Rule
from privaudit.model import Message

_LONGEST: Final = 400
"""Characters of a citation or a note in one line."""


def line(language: Language, rule: Rule, today: str) -> str:
    """A rule on one line: its id, whose it is, of when, and what it is called."""
    date = language.text("rulebook.undated") if rule.date == UNDATED else rule.date
    name = f"{_word(language, rule, 'authority')}: {_word(language, rule, 'title')}"
    return "  ".join((rule.id, rule.country or "--", date, name, *_marks(language, rule, today)))


def full(language: Language, rule: Rule, today: str) -> Iterator[str]:
    """A rule with all that is known of it."""
    dated = Message(key="rulebook.undated") if rule.date == UNDATED else rule.date
    authority = Message(key=f"rule.{rule.id}.authority")
    yield "  ".join((rule.id, *_marks(language, rule, today)))
    yield "  " + _word(language, rule, "title")
    yield "  " + language.text("rulebook.by", authority=authority, dated_on=dated)
    yield "  " + _word(language, rule, "says")
    yield ""
    for part in (_standing(language, rule), _concerns(language, rule), _ground(language, rule)):
        yield from (f"  {one}" for one in part)


def _standing(language: Language, rule: Rule) -> Iterator[str]:
    """What kind of rule it is, to what it applies, and since when."""
    yield language.text("rulebook.basis", basis=Message(key=f"rulebook.basis_{rule.basis}"))
    yield language.text("rulebook.citation", citation="") + tame(rule.citation, _LONGEST)
    yield language.text(f"rulebook.applies_{rule.kind}", stores=rule.stores, country=rule.country)
    begin, end = rule.in_force_from, rule.in_force_until
    if rule.kind != "observation":
        name = "from_unknown" if begin is None else "from_until" if end is not None else "from"
        yield language.text(f"rulebook.{name}", begin_on=begin, end_on=end)
    if rule.replaced_by:
        yield language.text("rulebook.replaced", id=rule.replaced_by)


def _concerns(language: Language, rule: Rule) -> Iterator[str]:
    for concern in rule.concern:
        yield from _concern(language, rule, concern)
    if not rule.concern:
        yield language.text("rulebook.no_concern")


def _ground(language: Language, rule: Rule) -> Iterator[str]:
    """Where it was read, how well it is known, and who has checked it."""
    if rule.verify:
        yield language.text("rulebook.verify", what=Message(key=f"rule.{rule.id}.verify"))
    if not rule.text_read and rule.kind != "observation":
        yield language.text("rulebook.text_unread")
    for source in rule.source:
        name = "read" if source.read else "cited"
        yield language.text(f"rulebook.{name}", what=source.what, where=source.where)
    for name, value in (("url", rule.url), ("note", rule.note)):
        if value:
            yield language.text(f"rulebook.{name}", **{name: ""}) + tame(value, _LONGEST)
    if rule.checked_by and rule.checked_on:
        yield language.text("rulebook.checked_by", name=rule.checked_by, checked_on=rule.checked_on)
    else:
        yield language.text("rulebook.never_checked")


def _concern(language: Language, rule: Rule, concern: Concern) -> Iterator[str]:
    condition = Message(key=f"rule.{rule.id}.{concern.condition}")
    names = (*concern.permissions, *concern.special)
    yield language.text(f"rulebook.says_{concern.says}", permissions=names, condition=condition)
    if concern.mapping == "inferred":
        yield language.text("rulebook.likely")
    if concern.unread:
        yield language.text("rulebook.unread", permissions=concern.unread)


def _word(language: Language, rule: Rule, name: str) -> str:
    return language.text(f"rule.{rule.id}.{name}")


def _marks(language: Language, rule: Rule, today: str) -> Iterator[str]:
    if rule.verify:
        yield language.text("rulebook.mark_verify")
    if not rule.in_force(today):
        over = rule.in_force_until is not None and today > rule.in_force_until
        yield language.text(f"rulebook.mark_{'over' if over else 'ahead'}")
