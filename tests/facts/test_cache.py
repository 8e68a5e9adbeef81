"""Facts of a growing capture: with a cache they equal those gathered without one, and few apps are built twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from privaudit import audit, facts, findings, knowledge
from privaudit.facts import apps
from privaudit.facts.cache import AppCache
from privaudit.findings import lending
from privaudit.model import AnswerState, RequestedState
from privaudit.virtual_phone import connect_phone, load_scenario, scenario_names


@pytest.fixture(scope="module", params=scenario_names())
def taken(request):
    """A complete capture of a virtual phone."""
    with connect_phone(load_scenario(request.param)) as connection:
        return audit.collect(connection, knowledge.load_knowledge(demo=True), demo=True)


def without_details(capture):
    """Return `capture` as it was after the first round of questions."""
    whole = {key: one for key, one in capture.answers.items() if not key.startswith("package.")}
    return replace(capture, answers=MappingProxyType(whole), apks=MappingProxyType({}))


def asks_unsaid(app):
    """Return whether the phone did not say what the app requests."""
    return any(one.requested is RequestedState.UNKNOWN for one in app.permissions)


def changed(capture, key, **values):
    """Return `capture` with a changed answer."""
    answers = {**capture.answers, key: replace(capture.answer(key), **values)}
    return replace(capture, answers=MappingProxyType(answers))


def test_cached_facts_equal_fresh_facts(taken):
    first = without_details(taken)
    asked = replace(taken, apks=MappingProxyType({}))
    refused = changed(taken, "appops", state=AnswerState.REFUSED, text="")
    detail = next((key for key in taken.answers if key.startswith("package.")), None)
    rounds = [first, asked, taken, refused, taken, first, replace(taken, taken_at=taken.taken_at + timedelta(hours=5))]
    if detail is not None:
        rounds += [changed(taken, detail, state=AnswerState.TIMED_OUT, text=taken.answer(detail).text[:400]), taken]
    memory = AppCache()
    for capture in rounds:
        assert facts.gather_facts(capture, memory) == facts.gather_facts(capture)


def test_only_apps_with_new_answers_are_rebuilt(taken, monkeypatch):
    built = []
    real = apps.build_app
    monkeypatch.setattr(
        apps, "build_app", lambda sources, name, *rest: built.append(name) or real(sources, name, *rest)
    )
    memory = AppCache()
    first = without_details(taken)
    facts.gather_facts(first, memory)
    every = set(built)
    built.clear()
    facts.gather_facts(replace(first, apks=taken.apks), memory)
    # What an app asks for stands in its file too: of whom the phone did not say it, all rests on both.
    by_file = set(built)
    silent = {app.package for app in facts.gather_facts(first).apps if asks_unsaid(app)}
    assert silent & set(taken.apks) <= by_file <= set(taken.apks)
    built.clear()
    facts.gather_facts(taken, memory)
    told = {key.removeprefix("package.") for key in taken.answers if key.startswith("package.")}
    assert set(built) == every & told
    built.clear()
    facts.gather_facts(replace(taken, log=()), memory)
    assert built == []


def test_an_app_is_recognised_once(taken, monkeypatch):
    judged = []
    real = lending.recognise_lending
    monkeypatch.setattr(findings, "recognise_lending", lambda app, lists: judged.append(app) or real(app, lists))
    lists, memory = knowledge.load_knowledge(demo=True), AppCache()
    gathered = facts.gather_facts(taken, memory)
    first = findings.recognise_apps(gathered, lists, memory.recognition_cache)
    assert len(judged) == len(gathered.apps)
    assert findings.recognise_apps(facts.gather_facts(taken, memory), lists, memory.recognition_cache) == first
    assert len(judged) == len(gathered.apps)
    assert first == findings.recognise_apps(gathered, lists)
