"""Annotate apps with the legal rules about their permissions. No finding and no severity depends on it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final

from privaudit.android import PERMISSION_PREFIX
from privaudit.facts.access import OTHER_ROUTES
from privaudit.facts.permissions import GRANTED_STATES, SPECIAL_PERMISSIONS, group_of_permission
from privaudit.findings.named import annotate_named
from privaudit.knowledge import Knowledge
from privaudit.knowledge.rules import RuleSet
from privaudit.knowledge.schema import UNDATED, Rule, RuleClause
from privaudit.model import App, DataClass, KnowledgeInfo, OtherDataClass, Report, RequestedState, RuleMatch

_DATA_ORDER: Final = (*(data.value for data in DataClass), *(data.value for data in OtherDataClass))
_DATA_BY_PERMISSION: Final = {f"{PERMISSION_PREFIX}QUERY_ALL_PACKAGES": OtherDataClass.APP_LIST.value}
"""Permissions without a group → data that they open."""


def annotate_app(app: App, rule_set: RuleSet, country: str | None, on_date: date) -> App:
    """Return `app` with the rules, in force on a date, about what it holds or requests; only recognised apps get any.

    The country is chosen by the user, never guessed.
    """
    if not app.is_recognised:
        return app
    installer = app.installer if app.installer_known else None
    rules = rule_set.applicable(installer, country, on_date)
    return replace(app, rules=tuple(match for rule in rules for match in match_rule(app, rule)))


def apply_country(report: Report, knowledge: Knowledge, country: str) -> Report:
    """Return a saved report with the rules of `country`, without running any check again.

    The report describes the current lists for the country, and looks names up in them, only if they are those that it
    was made with.
    """
    on_date, saved_lists = report.taken_at.date(), report.knowledge.signatures
    lists = knowledge.describe_lists(country)
    apps = tuple(annotate_app(app, knowledge.rules, country, on_date) for app in report.apps)
    is_same_edition = lists.sha256 == saved_lists.sha256
    return replace(
        report,
        apps=tuple(annotate_named(app, knowledge, (country,)) for app in apps) if is_same_edition else apps,
        knowledge=KnowledgeInfo(
            signatures=lists if is_same_edition else saved_lists, rules=knowledge.rules.describe_rules(country, on_date)
        ),
    )


def match_rule(app: App, rule: Rule) -> Iterator[RuleMatch]:
    """Yield the clauses of `rule` about what `app` holds, and about what it only requests."""
    for clause in rule.concern:
        held, requested = _held_and_requested(app, clause)
        if held:
            yield _build_match(rule, clause, "granted", held)
        if requested and rule.match == "requested":
            yield _build_match(rule, clause, "requested", requested)


def _held_and_requested(app: App, clause: RuleClause) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the permissions and special access of `clause` that `app` holds, and those that it only requests.

    Requests that the source does not list, as in most dumps of all packages, are left out.
    """
    names = {f"{PERMISSION_PREFIX}{name}" for name in clause.permissions}
    permissions = [permission for permission in app.permissions if permission.name in names]
    held = tuple(permission.name for permission in permissions if permission.effective in GRANTED_STATES)
    requested = tuple(
        permission.name
        for permission in permissions
        if permission.name not in held and permission.requested is RequestedState.YES
    )
    special_kinds = {access.kind for access in app.special_access}
    return (*held, *(kind for kind in clause.special if kind in special_kinds)), requested


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
    """Return the data that a permission (by its full name) or a kind of special access opens; empty if unknown."""
    kind = SPECIAL_PERMISSIONS.get(name, name)
    if kind in OTHER_ROUTES:
        return tuple(sorted(OTHER_ROUTES[kind]))
    group = group_of_permission(name, None)
    if group is not None:
        return (group.value,)
    return (_DATA_BY_PERMISSION[name],) if name in _DATA_BY_PERMISSION else ()
