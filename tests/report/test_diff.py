"""Comparing two reports, and what must not count as a change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from privaudit.errors import UsageError
from privaudit.i18n import Translator
from privaudit.model import AnswerState, Coverage, Lending, LendingVerdict
from privaudit.report.diff import ChangeDirection, compare_reports, diff_to_text

LENDS = Lending(verdict=LendingVerdict.YES)


@pytest.fixture
def pair(made):
    """Two reports, an hour apart, on one app before and after."""

    def pair(before, after, **changed):
        first = made.report(*([before] if before else []))
        later = {"taken_at": made.now + timedelta(hours=1), **changed}
        return first, made.report(*([after] if after else []), **later)

    return pair


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ("can_read", "not_allowed", ChangeDirection.CLOSED),
        ("can_read", "blocked", ChangeDirection.CLOSED),
        ("not_allowed", "can_read", ChangeDirection.OPENED),
        ("blocked", "asks_each_time", ChangeDirection.OPENED),
        ("can_read", "only_while_open", ChangeDirection.CHANGED),
        ("blocked", "not_allowed", ChangeDirection.CHANGED),
        ("can_read", "unknown", ChangeDirection.UNKNOWN),
        ("unknown", "not_allowed", ChangeDirection.UNKNOWN),
    ],
)
@pytest.mark.parametrize("code", ["en", "zh"])
def test_access_change_direction(made, pair, before, after, direction, code):
    apps = (made.app(label="速贷宝", lending=LENDS, contacts=made.access(state)) for state in (before, after))
    diff = compare_reports(*pair(*apps))
    (change,) = diff.changes
    assert (change.what, change.direction) == ("contacts", direction)
    text = diff_to_text(diff, Translator(code))
    assert Translator(code).t(f"diff.{direction}") in text
    assert "[" not in text
    assert Translator(code).t("steps.no_recall")[:10] in text


def test_special_access_is_closed_only_if_both_reports_are_complete(made, pair):
    apps = made.app(holds=["accessibility"]), made.app()
    assert compare_reports(*pair(*apps)).changes[0].direction is ChangeDirection.CLOSED
    gap = Coverage(question="settings", user=0, state=AnswerState.REFUSED, could_hide=True)
    diff = compare_reports(*pair(*apps, coverage=(gap,), complete=False))
    assert diff.changes[0].direction is ChangeDirection.UNKNOWN
    assert "does not mean it was revoked" in " ".join(diff_to_text(diff, Translator("en")).split())


def test_app_installed_or_removed(made, pair):
    app = made.app()
    assert compare_reports(*pair(app, None)).changes[0].direction is ChangeDirection.GONE
    assert compare_reports(*pair(None, app)).changes[0].direction is ChangeDirection.APPEARED
    clone = made.app(user=999)
    assert (
        compare_reports(*pair(clone, None)).changes[0].direction is ChangeDirection.UNKNOWN
    )  # that user was not checked


def test_no_changes(made, pair):
    app = made.app(contacts=made.access("can_read"))
    assert "Nothing changed" in diff_to_text(compare_reports(*pair(app, app)), Translator("en"))


@pytest.mark.parametrize(
    ("state", "direction"),
    [
        ("can_read", ChangeDirection.STILL_OPEN),
        ("only_while_open", ChangeDirection.STILL_OPEN),
        ("not_allowed", ChangeDirection.UNCHANGED),
        ("blocked", ChangeDirection.UNCHANGED),
        ("unknown", ChangeDirection.UNKNOWN),
    ],
)
@pytest.mark.parametrize("code", ["en", "zh"])
def test_every_app_stands_in_the_comparison(made, pair, state, direction, code):
    app = made.app(label="速贷宝", contacts=made.access(state))
    diff = compare_reports(*pair(app, app))
    assert diff.changes == ()
    assert [(row.what, row.direction) for row in diff.unchanged] == [("contacts", direction)]
    text = diff_to_text(diff, Translator(code))
    assert "速贷宝" in text
    assert "".join(Translator(code).t(f"diff.{direction}").split()) in "".join(text.split())


def test_an_app_without_access_and_one_in_neither_report_are_named(made, pair):
    text = diff_to_text(compare_reports(*pair(made.app(), made.app()), ["com.gone"]), Translator("en"))
    assert "no access seen, before or after" in text
    assert "com.gone" in text.partition("Not known")[2]


def test_special_access_that_stays_is_told(made, pair):
    app = made.app(holds=["accessibility"])
    assert [row.direction for row in compare_reports(*pair(app, app)).unchanged] == [ChangeDirection.STILL_OPEN]


def test_different_phones_or_wrong_order_are_refused(made, pair):
    app = made.app(first_installed=made.now)
    first, second = pair(app, replace(app, first_installed=made.now + timedelta(days=1)))
    with pytest.raises(UsageError, match="diff_phones"):
        compare_reports(first, second)
    with pytest.raises(UsageError, match="diff_phones"):
        compare_reports(first, replace(second, apps=(app,), phone=made.phone(model="Other")))
    with pytest.raises(UsageError, match="diff_order"):
        compare_reports(second, first)
