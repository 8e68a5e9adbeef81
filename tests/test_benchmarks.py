"""The results of the benchmarks are one file, in which each program replaces its own section alone."""

from __future__ import annotations

import pytest

pytest.importorskip("fcntl", reason="benchmarks need Unix")

from benchmarks import results
from benchmarks.measure import Outcome, Row, compare
from tests.fuzz import run as fuzz_run
from tests.fuzz.targets import TARGETS


def sections(text):
    return dict(part.split("\n\n", 1) for part in text.split("\n## ")[1:])


def test_a_program_replaces_its_own_section(tmp_path, monkeypatch):
    before = results.RESULTS_FILE.read_text("utf-8")
    monkeypatch.setattr(results, "RESULTS_FILE", tmp_path / "RESULTS.md")
    results.RESULTS_FILE.write_text(before, encoding="utf-8")
    assert list(sections(before)) == list(results.TITLES.values())
    assert results.publish("startup", lambda: Outcome("figures", within_budgets=False)) == results.EXIT_MISSED
    after = results.RESULTS_FILE.read_text("utf-8")
    assert sections(after)["Start-up"].endswith("A budget was missed.\n\nfigures\n")
    assert sections(before) | {"Start-up": sections(after)["Start-up"]} == sections(after)
    assert list(sections(after)) == list(sections(before))


def test_results_of_changed_options_are_not_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS_FILE", tmp_path / "RESULTS.md")
    assert results.publish("startup", lambda: Outcome("figures", within_budgets=True), is_complete=False) == 0
    assert not results.RESULTS_FILE.exists()


def test_a_fuzzing_run_replaces_the_row_of_its_target():
    section = sections(results.RESULTS_FILE.read_text("utf-8"))["Fuzzing"]
    table = fuzz_run.results_table(section, "dex", "| dex | new |")
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert [row.split()[1] for row in rows] == list(TARGETS)
    assert "| dex | new |" in rows
    assert sum(row in section for row in rows) == len(TARGETS) - 1


def test_a_row_states_ratio_budget_and_verdict():
    row = Row(what="x", ours=3.0, unit="s", reference=2.0, reference_name="y", budget=1.2)
    assert str(row) == "| x | 3 s | y: 2 s | 1.50 × | ≤ 1.2 × | **MISSED** |"
    assert not compare([row], note="").within_budgets
