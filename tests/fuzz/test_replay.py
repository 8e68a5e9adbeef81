"""Replay every input that fuzzing kept or found, and damage valid ones a little; ``make fuzz`` goes further."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import inputs
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import EXPECTED_ERRORS, TARGETS

MAX_REPOSITORY_BYTES = 1 << 20
SLOW_TARGETS = {"phone_answers": 8, "report_document": 8, "saved_zip": 10, "bugreport": 10, "saved_folder": 15}
"""Target → number of examples that Hypothesis tries; 40 for all others."""


def replay(target, data):
    with contextlib.suppress(*EXPECTED_ERRORS):
        TARGETS[target](data)


def test_targets_seeds_and_kept_inputs_belong_together():
    assert SEEDS.keys() == TARGETS.keys()
    assert SLOW_TARGETS.keys() <= TARGETS.keys()
    assert {path.name for path in inputs.CORPUS_FOLDER.iterdir()} == {f"{target}.zip" for target in TARGETS}
    assert {path.name for path in inputs.FINDS_FOLDER.iterdir()} <= TARGETS.keys()


def test_kept_inputs_are_small():
    files = [*inputs.CORPUS_FOLDER.rglob("*"), *inputs.FINDS_FOLDER.rglob("*")]
    assert sum(path.stat().st_size for path in files if path.is_file()) < MAX_REPOSITORY_BYTES


def test_corpus_archive_is_deterministic(tmp_path, monkeypatch):
    corpus = list(inputs.read_corpus("axml").values())
    assert len(corpus) > 1
    monkeypatch.setattr(inputs, "CORPUS_FOLDER", tmp_path)
    archives = []
    for order in (corpus, corpus[::-1]):
        inputs.write_corpus("axml", order)
        archives.append((tmp_path / "axml.zip").read_bytes())
    assert archives[0] == archives[1]
    assert sorted(inputs.read_corpus("axml").values()) == sorted(corpus)


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_kept_and_found(target):
    for data in (*inputs.read_corpus(target).values(), *inputs.read_finds(target).values()):
        replay(target, data)


@pytest.mark.parametrize("target", TARGETS)
def test_damaged_seeds_raise_only_expected_errors(target):
    seeds = [*SEEDS[target]()]
    assert seeds
    for seed in seeds:
        replay(target, seed)

    @settings(max_examples=SLOW_TARGETS.get(target, 40), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def replay_damaged(data):
        damaged = bytearray(data.draw(st.sampled_from(seeds)))
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(damaged)))
            end = start + data.draw(st.sampled_from([0, 0, 1, 4, 60, 5000]))
            damaged[start:end] = data.draw(st.binary(max_size=9))
        replay(target, bytes(damaged))

    replay_damaged()
