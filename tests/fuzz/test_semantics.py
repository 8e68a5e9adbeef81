"""No damaged text clears an app in a report that calls itself whole; ``make fuzz`` tries a thousand times more."""

from __future__ import annotations

import pytest

from tests.fuzz.semantics import DAMAGES, SDKS, endless_answers, find_faults, phone_texts, read_states

ROUNDS = 4


@pytest.mark.parametrize("sdk", SDKS)
def test_no_damage_clears_an_app(sdk):
    texts = phone_texts(sdk)
    for damage in DAMAGES:
        assert list(find_faults(texts, damage, ROUNDS, sdk)) == []


@pytest.mark.parametrize("sdk", SDKS)
def test_the_undamaged_texts_are_whole(sdk):
    """Else the damaged ones would prove nothing."""
    texts = phone_texts(sdk)
    states, complete = read_states(texts, endless_answers(texts))
    assert complete
    assert sum(state.allows_reading for state in states.values()) > 2


def test_a_fault_would_be_found(monkeypatch):
    monkeypatch.setitem(DAMAGES, "a lie", lambda text, _rng: text.replace("granted=true", "granted=false"))
    assert list(find_faults(phone_texts(34), "a lie", 20, 1))
