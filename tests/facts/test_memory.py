"""Facts of a capture that grows: gathered with a memory they are those gathered afresh, and little is built twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from privaudit import audit, facts, knowledge
from privaudit.demo import connected, open_story, stories
from privaudit.facts import apps
from privaudit.facts.memory import Memory
from privaudit.model import AnswerState


@pytest.fixture(scope="module", params=stories())
def taken(request):
    """A whole capture of a demo phone."""
    with connected(open_story(request.param)) as connection:
        return audit.live(connection, knowledge.load(demo=True), demo=True)


def without_details(capture):
    """As after the first round of questions."""
    whole = {key: one for key, one in capture.answers.items() if not key.startswith("package.")}
    return replace(capture, answers=MappingProxyType(whole), apks=MappingProxyType({}))


def changed(capture, key, **values):
    """`capture` with another answer to one question."""
    answers = {**capture.answers, key: replace(capture.answer(key), **values)}
    return replace(capture, answers=MappingProxyType(answers))


def test_what_is_remembered_is_what_is_read_afresh(taken):
    first = without_details(taken)
    asked = replace(taken, apks=MappingProxyType({}))
    refused = changed(taken, "appops", state=AnswerState.REFUSED, text="")
    detail = next((key for key in taken.answers if key.startswith("package.")), None)
    rounds = [first, asked, taken, refused, taken, first, replace(taken, taken_at=taken.taken_at + timedelta(hours=5))]
    if detail is not None:
        rounds += [changed(taken, detail, state=AnswerState.TIMED_OUT, text=taken.answer(detail).text[:400]), taken]
    memory = Memory()
    for capture in rounds:
        assert facts.gather(capture, memory) == facts.gather(capture)


def test_only_apps_of_which_more_is_known_are_built_anew(taken, monkeypatch):
    built = []
    real = apps.build
    monkeypatch.setattr(apps, "build", lambda sources, name, *rest: built.append(name) or real(sources, name, *rest))
    memory = Memory()
    facts.gather(without_details(taken), memory)
    every = set(built)
    built.clear()
    facts.gather(taken, memory)
    told = {key.removeprefix("package.") for key in taken.answers if key.startswith("package.")}
    assert set(built) == every & (told | set(taken.apks))
    built.clear()
    facts.gather(replace(taken, log=()), memory)
    assert built == []
