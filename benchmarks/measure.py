"""What the benchmarks share: measuring in turn with a reference, and comparing both in rows of a table.

A busy computer only ever adds to a time. So figure and reference are measured alternately, in one run, as processor
time, and the fastest of several rounds counts.

This file is also a program: `run` starts it as the parent of what it measures, so it imports only the standard library.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PRIVAUDIT: Final = (sys.executable, "-m", "privaudit")


# --- Comparing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure of ours, its reference, and the budget for their ratio."""

    what: str
    ours: float
    unit: str
    reference: float
    reference_name: str
    budget: float | None
    """The highest ratio allowed; ``None``: no budget."""
    is_minimum: bool = False
    """Whether `budget` is the lowest ratio allowed instead, as for speeds."""

    @property
    def ratio(self) -> float:
        """Our figure as a multiple of the reference."""
        return self.ours / self.reference

    @property
    def within_budget(self) -> bool:
        """Whether the ratio keeps the budget."""
        if self.budget is None:
            return True
        return self.ratio >= self.budget if self.is_minimum else self.ratio <= self.budget

    def __str__(self) -> str:
        """The row in Markdown."""
        budget = "" if self.budget is None else f"{'≥' if self.is_minimum else '≤'} {self.budget:.3g} ×"
        verdict = "" if self.budget is None else "kept" if self.within_budget else "**MISSED**"
        ours, reference = (f"{_format_number(number)} {self.unit}" for number in (self.ours, self.reference))
        return (
            f"| {self.what} | {ours} | {self.reference_name}: {reference} | {self.ratio:.2f} × | {budget} | {verdict} |"
        )


def _format_number(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.2f}"  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one program measured."""

    markdown: str
    within_budgets: bool


def compare(rows: Sequence[Row], *, note: str) -> Outcome:
    """Return `rows` as a table, followed by a note: what was measured, and the floor that no program can go below."""
    head = ("| what | ours | reference | ratio | budget | |", "|---|---|---|---|---|---|")
    return Outcome("\n".join([*head, *map(str, rows), "", note]), all(row.within_budget for row in rows))


# --- Measuring --------------------------------------------------------------------------------------------------------


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the processor seconds that `work` takes in this process."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure_in_turn(works: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the least that each of `works` returns in so many rounds; each round runs all of them."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            best[name] = min(best[name], work())
    return best


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """What a process used."""

    cpu_s: float
    """Of all its threads, in user and kernel mode."""
    peak_mib: float
    exit_code: int

    def expect(self, *exit_codes: int) -> ProcessUsage:
        """Return this, after checking the exit code: a program that failed early would look fast."""
        assert self.exit_code in exit_codes, f"exit code {self.exit_code}"
        return self


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> ProcessUsage:
    """Run a command to its end and discard its output."""
    # A child starts as a copy of its parent, which counts into its peak memory: so the parent is this small program.
    usage = subprocess.run(
        [sys.executable, __file__, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        check=True,
        text=True,
    ).stdout.split()
    return ProcessUsage(float(usage[0]), float(usage[1]), int(usage[2]))


def _run_and_print_usage(command: Sequence[str]) -> None:
    """Run `command` and print what it used. `os.wait4` returns the usage of this one child."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    maxrss_per_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
    print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / maxrss_per_mib, child.returncode)


if __name__ == "__main__":
    _run_and_print_usage(sys.argv[1:])
