"""Which rules an app's permissions touch. An annotation: no finding rests on it, and no grade moves by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final

from privaudit.android import PERMISSION_PREFIX
from privaudit.facts.access import OTHER_ROUTES
from privaudit.facts.permission_table import GRANTED_STATES, SPECIAL_PERMISSIONS, group_of_permission
from privaudit.knowledge import Knowledge
from privaudit.knowledge.rules import RuleSet
from privaudit.knowledge.schema import UNDATED, Rule, RuleClause
from privaudit.model import App, DataClass, KnowledgeInfo, OtherDataClass, Report, RequestedState, RuleMatch

_DATA_ORDER: Final = (*(one.value for one in DataClass), *(one.value for one in OtherDataClass))
_DATA_BY_PERMISSION: Final = {"QUERY_ALL_PACKAGES": OtherDataClass.APP_LIST.value}


def annotate_app(app: App, rule_set: RuleSet, country: str | None, on_date: date) -> App:
    """`app` with the rules that speak of what it holds or asks for; only lending and listed apps get any.

    Args:
        app: judged already.
        rule_set: every rule.
        country: the one that the user chose; never guessed.
        on_date: on which a rule must be in force.
    """
    if not app.is_recognised:
        return app
    installer = app.installer if app.installer_known else None
    applying = rule_set.applicable(installer, country, on_date)
    return replace(app, rules=tuple(match for rule in applying for match in match_rule(app, rule)))


def apply_country(report: Report, knowledge: Knowledge, country: str) -> Report:
    """A saved report with the rules of a country that is chosen only now. Nothing is judged anew.

    What the lists hold for the country is told where they are still the ones that the report was made with.
    """
    day, before = report.taken_at.date(), report.knowledge.signatures
    lists = knowledge.describe_lists(country)
    return replace(
        report,
        apps=tuple(annotate_app(app, knowledge.rules, country, day) for app in report.apps),
        knowledge=KnowledgeInfo(
            signatures=lists if lists.sha256 == before.sha256 else before,
            rules=knowledge.rules.describe_rules(country, day),
        ),
    )


def match_rule(app: App, rule: Rule) -> Iterator[RuleMatch]:
    """What `rule` says of what `app` holds, and of what it only asks for."""
    for concern in rule.concern:
        held, asked = _held_and_requested(app, concern)
        if held:
            yield _build_match(rule, concern, "granted", held)
        if asked and rule.match == "requested":
            yield _build_match(rule, concern, "requested", asked)


def _held_and_requested(app: App, clause: RuleClause) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What `app` holds of it, and what it asks for without holding it.

    Whole dumps do not say what is asked for: what is not known is not said.
    """
    wanted = {f"{PERMISSION_PREFIX}{name}" for name in clause.permissions}
    mine = [one for one in app.permissions if one.name in wanted]
    held = tuple(one.name for one in mine if one.effective in GRANTED_STATES)
    asked = tuple(one.name for one in mine if one.name not in held and one.requested is RequestedState.YES)
    special = {one.kind for one in app.special_access}
    return (*held, *(kind for kind in clause.special if kind in special)), asked


def _build_match(rule: Rule, clause: RuleClause, match: str, permissions: tuple[str, ...]) -> RuleMatch:
    data = {kind for name in permissions for kind in data_classes_of(name)}
    return RuleMatch(
        id=rule.id,
        match="granted" if match == "granted" else "requested",
        verify=rule.has_unverified_parts,
        says=clause.says,
        condition=clause.condition,
        likely=clause.mapping == "inferred",
        data=tuple(kind for kind in _DATA_ORDER if kind in data),
        permissions=permissions,
        date=None if rule.date == UNDATED else rule.date,
    )


def data_classes_of(name: str) -> tuple[str, ...]:
    """The kinds of data behind a permission (its whole name) or a kind of special access; none: nobody told us."""
    kind = SPECIAL_PERMISSIONS.get(name, name)
    if kind in OTHER_ROUTES:
        return tuple(sorted(OTHER_ROUTES[kind]))
    group = group_of_permission(name, None)
    if group is not None:
        return (group.value,)
    short = name.removeprefix(PERMISSION_PREFIX)
    return (_DATA_BY_PERMISSION[short],) if short in _DATA_BY_PERMISSION else ()
