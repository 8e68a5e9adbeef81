"""Which rules an app's permissions touch. An annotation: no finding rests on it, and no grade moves by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final

from privaudit.facts.access import SIDE_DOORS
from privaudit.facts.groups import GRANTED
from privaudit.facts.permission_table import SPECIAL, group_of
from privaudit.knowledge import Knowledge
from privaudit.knowledge.rule_file import UNDATED, Concern, Rule
from privaudit.knowledge.rules import RuleBook
from privaudit.model import App, DataClass, KnowledgeStamp, OtherData, Report, Requested, RuleMatch

_PREFIX: Final = "android.permission."
_ORDER: Final = (*(one.value for one in DataClass), *(one.value for one in OtherData))
_WITHOUT_GROUP: Final = {"QUERY_ALL_PACKAGES": OtherData.APP_LIST.value}


def annotated(app: App, book: RuleBook, country: str | None, day: date) -> App:
    """`app` with the rules that speak of what it holds or asks for; only lending and listed apps get any.

    Args:
        app: judged already.
        book: every rule.
        country: the one that the user chose; never guessed.
        day: on which a rule must be in force.
    """
    if not app.recognised:
        return app
    installer = app.installer if app.installer_known else None
    applying = book.applying(installer, country, day)
    return replace(app, rules=tuple(match for rule in applying for match in matches(app, rule)))


def chosen(report: Report, knowledge: Knowledge, country: str) -> Report:
    """A saved report with the rules of a country that is chosen only now. Nothing is judged anew.

    What the lists hold for the country is told where they are still the ones that the report was made with.
    """
    day, before = report.taken_at.date(), report.knowledge.signatures
    lists = knowledge.stamp(country)
    return replace(
        report,
        apps=tuple(annotated(app, knowledge.rules, country, day) for app in report.apps),
        knowledge=KnowledgeStamp(
            signatures=lists if lists.sha256 == before.sha256 else before, rules=knowledge.rules.stamp(country, day)
        ),
    )


def matches(app: App, rule: Rule) -> Iterator[RuleMatch]:
    """What `rule` says of what `app` holds, and of what it only asks for."""
    for concern in rule.concern:
        held, asked = _touched(app, concern)
        if held:
            yield _match(rule, concern, "granted", held)
        if asked and rule.match == "requested":
            yield _match(rule, concern, "requested", asked)


def _touched(app: App, concern: Concern) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What `app` holds of it, and what it asks for without holding it.

    Whole dumps do not say what is asked for: what is not known is not said.
    """
    wanted = {f"{_PREFIX}{name}" for name in concern.permissions}
    mine = [one for one in app.permissions if one.name in wanted]
    held = tuple(one.name for one in mine if one.effective in GRANTED)
    asked = tuple(one.name for one in mine if one.name not in held and one.requested is Requested.YES)
    special = {one.kind for one in app.special_access}
    return (*held, *(kind for kind in concern.special if kind in special)), asked


def _match(rule: Rule, concern: Concern, match: str, names: tuple[str, ...]) -> RuleMatch:
    data = {kind for name in names for kind in data_of(name)}
    return RuleMatch(
        id=rule.id,
        match="granted" if match == "granted" else "requested",
        verify=rule.verify,
        says=concern.says,
        condition=concern.condition,
        likely=concern.mapping == "inferred",
        data=tuple(kind for kind in _ORDER if kind in data),
        permissions=names,
        date=None if rule.date == UNDATED else rule.date,
    )


def data_of(name: str) -> tuple[str, ...]:
    """The kinds of data behind a permission (its whole name) or a kind of special access; none: nobody told us."""
    kind = SPECIAL.get(name, name)
    if kind in SIDE_DOORS:
        return tuple(sorted(SIDE_DOORS[kind]))
    group = group_of(name, None)
    if group is not None:
        return (group.value,)
    short = name.removeprefix(_PREFIX)
    return (_WITHOUT_GROUP[short],) if short in _WITHOUT_GROUP else ()
