"""Summaries of apps: they agree with the apps read in full, and a capture that grows is not summarised twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from privaudit import audit, facts, findings, knowledge
from privaudit.facts import apps
from privaudit.model import AccessState, AnswerState, AppSummary
from privaudit.virtual_phone import connect_phone, load_scenario, scenario_names


@pytest.fixture(scope="module", params=scenario_names())
def capture(request):
    """A whole capture of a virtual phone."""
    with connect_phone(load_scenario(request.param)) as connection:
        return audit.collect(connection, knowledge.load_knowledge(demo=True), demo=True)[0]


def after_first_round(capture):
    """`capture` as it was after the first round of questions."""
    answers = {key: answer for key, answer in capture.answers.items() if not key.startswith("package.")}
    return replace(capture, answers=MappingProxyType(answers), apks=MappingProxyType({}))


def with_answer(capture, key, **values):
    """`capture` with another answer to one question."""
    answers = {**capture.answers, key: replace(capture.answer(key), **values)}
    return replace(capture, answers=MappingProxyType(answers))


def test_a_summary_agrees_with_the_app_in_full(capture):
    phone_facts = facts.summarise_phone(capture)
    full = phone_facts.build_apps().apps
    assert [(app.package, app.user) for app in full] == [(app.package, app.user) for app in phone_facts.summaries]
    lists = knowledge.load_knowledge(demo=True)
    pairs = zip(
        findings.recognise_apps(phone_facts.summaries, lists), findings.recognise_apps(full, lists), strict=True
    )
    for summary, app in pairs:
        assert isinstance(summary, AppSummary)
        states = {
            data: AccessState.NOT_ALLOWED if state is AccessState.NOT_REQUESTED else state
            for data, state in app.access_states.items()
        }
        assert dict(summary.access_states) == states, app.package
        for name in ("system", "installer", "label", "label_state", "labels", "launcher_labels", "certificates_sha256"):
            assert getattr(summary, name) == getattr(app, name), (app.package, name)
        assert summary.special_access_kinds <= app.special_access_kinds
        assert summary.requests == app.requests & apps.DATA_CLASS_PERMISSIONS.keys(), app.package
        assert (summary.apk_sha256, summary.listed, summary.lending) == (app.apk_sha256, app.listed, app.lending)


def test_earlier_facts_change_nothing(capture):
    first, without_apks = after_first_round(capture), replace(capture, apks=MappingProxyType({}))
    refused = with_answer(capture, "appops", state=AnswerState.REFUSED, text="")
    later = replace(capture, taken_at=capture.taken_at + timedelta(hours=5))
    rounds = [first, without_apks, capture, refused, capture, first, later]
    own_dump = next((key for key in capture.answers if key.startswith("package.")), None)
    if own_dump is not None:
        cut = capture.answer(own_dump).text[:400]
        rounds += [with_answer(capture, own_dump, state=AnswerState.TIMED_OUT, text=cut), capture]
    previous = None
    for grown in rounds:
        previous, afresh = facts.summarise_phone(grown, previous), facts.summarise_phone(grown)
        assert previous.summaries == afresh.summaries
        assert previous.coverage == afresh.coverage
        assert previous.build_apps() == afresh.build_apps()


def test_only_apps_with_new_answers_are_summarised_again(capture, monkeypatch):
    summarised = []
    real = apps.summarise_app
    monkeypatch.setattr(
        apps, "summarise_app", lambda inputs, package, *rest: summarised.append(package) or real(inputs, package, *rest)
    )
    first = after_first_round(capture)
    previous = facts.summarise_phone(first)
    installed = set(summarised)
    summarised.clear()
    previous = facts.summarise_phone(replace(first, apks=capture.apks), previous)
    assert set(summarised) == installed & set(capture.apks)
    summarised.clear()
    previous = facts.summarise_phone(capture, previous)
    own_dumps = {key.removeprefix("package.") for key in capture.answers if key.startswith("package.")}
    assert set(summarised) == installed & own_dumps
    summarised.clear()
    facts.summarise_phone(replace(capture, log=()), previous)
    assert summarised == []


def test_a_report_reads_only_the_apps_that_it_names_in_full(capture, monkeypatch):
    built = []
    real = apps.build_app
    monkeypatch.setattr(
        apps, "build_app", lambda inputs, package, *rest: built.append(package) or real(inputs, package, *rest)
    )
    report = audit.build_report(capture, knowledge.load_knowledge(demo=True), audit.ReportOptions())
    assert sorted(built) == sorted(app.package for app in report.apps)
    assert len(built) < report.counts.apps_seen
