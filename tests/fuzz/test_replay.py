"""Everything that fuzzing found or kept is read again, and hypothesis goes a little further; ``make fuzz`` goes far."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import EXPECTED, SEEDS, TARGETS

HERE = Path(__file__).parent
KEPT = sorted(file for folder in ("corpus", "found") for file in (HERE / folder).glob("*/*") if file.suffix != ".txt")
SLOW = {"phone_answers": 8, "report_document": 8, "saved_zip": 10, "bugreport": 10, "collected": 15}
"""How many inputs of hypothesis each of these gets; the others get 40."""


def replay(target, data):
    with contextlib.suppress(*EXPECTED):
        TARGETS[target](data)


def test_every_target_is_known():
    assert {file.parent.name for file in KEPT} <= TARGETS.keys()
    assert SLOW.keys() <= TARGETS.keys()


def test_what_is_kept_is_small():
    assert sum(file.stat().st_size for file in KEPT) < 1 << 20


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_kept_and_found(target):
    for file in KEPT:
        if file.parent.name == target:
            replay(target, file.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_sound_inputs_are_read_and_damaged_ones_raise_nothing_else(target):
    seeds = [*SEEDS[target]()]
    assert seeds
    for seed in seeds:
        replay(target, seed)

    @settings(max_examples=SLOW.get(target, 40), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def damaged(data):
        seed = bytearray(data.draw(st.sampled_from(seeds)))
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(seed)))
            end = at + data.draw(st.sampled_from([0, 0, 1, 4, 60, 5000]))
            seed[at:end] = data.draw(st.binary(max_size=9))
        replay(target, bytes(seed))

    damaged()
