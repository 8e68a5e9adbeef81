"""An anonymized report has no days, no labels, and still the same findings."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from privaudit.i18n import Translator
from privaudit.model import Lending, LendingVerdict, PhoneClock
from privaudit.report import csv, html, share, summary, txt
from privaudit.report import json as document
from privaudit.report.diff import compare_reports, diff_to_text
from privaudit.virtual_phone import scenario_names

LENDS = Lending(verdict=LendingVerdict.YES)


@pytest.mark.parametrize("story", scenario_names())
def test_labels_days_and_patch_level_are_removed(report_of, story):
    report = report_of(story)
    shared = share.anonymize_report(report)
    names = {name for app in report.apps for name in (app.label, *app.labels.values()) if name}
    assert names
    for code in ("en", "zh"):
        language = Translator(code)
        for text in (html.render(shared, language), txt.render(shared, language), csv.render(shared, language)):
            assert not [name for name in names if name in text]
            body = re.sub(r"<style>.*</style>", "", text, flags=re.DOTALL)
            assert not re.search(r"\b\d{1,2} (?:January|November|December)|\d+月\d+日|\d{4}-\d\d-\d\d|\d\d:\d\d", body)
            assert language.t("report.page_shared") in text or text.startswith("\ufeff")
    text = document.render(shared)
    assert not [name for name in names if name in text]
    times = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]*)"', text)
    assert all(re.match(r"\d{4}-\d\d-01T00:00:00", time) for time in times)
    assert shared.phone.security_patch is None
    assert {app.first_installed for app in shared.apps} == {None}
    assert share.anonymize_report(shared) is shared


def test_findings_are_kept(demo_report):
    shared = share.anonymize_report(demo_report)
    for before, after in zip(demo_report.findings, shared.findings, strict=True):
        assert (before.rule, before.severity, before.package) == (after.rule, after.severity, after.package)
        assert [one.line for one in before.evidence] == [one.line for one in after.evidence]
        assert {one.text for one in after.evidence} == {share.REMOVED_TEXT}
        assert len(before.steps) == len(after.steps)
    assert (shared.counts, shared.complete) == (demo_report.counts, demo_report.complete)


def test_anonymized_report_is_read_back(demo_report, tmp_path):
    file = tmp_path / "shared.json"
    file.write_text(document.render(share.anonymize_report(demo_report)), encoding="utf-8")
    read_back = document.read_report(file)
    assert read_back.shared
    assert "13:41" not in txt.render(read_back, Translator("en"))
    assert json.loads(file.read_text("utf-8"))["shared"] is True


def test_share_option(run, demo_report, tmp_path):
    file = tmp_path / "report.json"
    file.write_text(document.render(demo_report), encoding="utf-8")
    done = run("audit", file, "--share", "-o", tmp_path / "shared.html", "-o", tmp_path / "shared.json")
    assert done.code == 3
    assert "速贷宝" not in done.out + (tmp_path / "shared.html").read_text(encoding="utf-8")
    assert document.read_report(tmp_path / "shared.json") == share.anonymize_report(document.read_report(file))


def test_month_is_by_the_phone_clock(made):
    clock = PhoneClock(zone="America/Mexico_City", offset_s=-3)
    report = made.report(taken_at=datetime(2026, 3, 1, 2, 0, tzinfo=UTC), phone_clock=clock)
    assert f"{summary.audit_time(share.anonymize_report(report)):%Y-%m}" == "2026-02"  # there it was still February


def test_anonymized_reports_of_one_month_are_comparable(made):
    app = made.app(lending=LENDS, contacts=made.access("can_read"))
    before, after = made.report(app), share.anonymize_report(made.report(replace(app, access=made.app().access)))
    changed = compare_reports(before, after)
    assert [one.direction for one in changed.changes] == ["closed"]
    assert "between January 2026 and January 2026" in diff_to_text(changed, Translator("en"))


def test_age_becomes_a_month(made):
    access = replace(made.access("can_read", read=made.now), last_read=None, last_read_age_s=86400 * 20)
    shared = share.anonymize_report(made.report(made.app(lending=LENDS, contacts=access)))
    (access_shared,) = [access for access in shared.apps[0].access.values() if access.last_read]
    assert access_shared.last_read == (made.now - timedelta(days=20)).replace(day=1, hour=0, minute=0, second=0)
    assert access_shared.last_read_age_s is None
