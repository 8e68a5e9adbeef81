"""What the benchmarks share: measuring beside a reference, and telling it as rows of one table.

A loaded computer only ever adds to a time. So figure and reference are taken in turn, in one run, as processor time,
and the quickest of several rounds counts.
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
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
PRIVAUDIT: Final = (sys.executable, "-m", "privaudit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure of ours, what it is measured against, and how many times that it may be."""

    what: str
    ours: float
    unit: str
    reference: float
    beside: str
    """What the reference is."""
    budget: float | None
    """At most so many times the reference; ``None``: only told."""
    at_least: bool = False
    """Of speeds: at least so many times."""

    @property
    def ratio(self) -> float:
        """Ours as a multiple of the reference."""
        return self.ours / self.reference

    @property
    def kept(self) -> bool:
        """Whether the budget is kept."""
        return self.budget is None or (self.ratio >= self.budget if self.at_least else self.ratio <= self.budget)

    def __str__(self) -> str:
        """A row of a Markdown table."""
        budget = "" if self.budget is None else f"{'≥' if self.at_least else '≤'} {self.budget:.3g} ×"
        verdict = "" if self.budget is None else "kept" if self.kept else "**MISSED**"
        told = (f"{_short(self.ours)} {self.unit}", f"{_short(self.reference)} {self.unit}", f"{self.ratio:.2f} ×")
        return f"| {self.what} | {told[0]} | {self.beside}: {told[1]} | {told[2]} | {budget} | {verdict} |"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.2f}"  # noqa: PLR2004


def tell(rows: Sequence[Row], *, floor: str) -> int:
    """Print `rows` as a table, and `floor`: what no program can go below, and how far we are from it. The exit code."""
    print("| what | ours | reference | ratio | budget | |\n|---|---|---|---|---|---|")
    print(*rows, sep="\n")
    print(f"\nFloor: {floor}")
    return int(not all(row.kept for row in rows))


def cost(work: Callable[[], object]) -> float:
    """Processor seconds of this process."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def in_turn(works: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The least that each of `works` gives in so many rounds; all take their turn in each."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            best[name] = min(best[name], work())
    return best


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program took."""

    cpu_s: float
    """Of all its threads, in the program and for it in the kernel."""
    peak_mib: float
    code: int


def run(command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Ran:
    """Run a program to its end, its output thrown away."""
    # A child begins as a copy of its parent, and its peak with it: so the parent is a small process, this file itself.
    told = subprocess.run(
        [sys.executable, __file__, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        check=True,
        text=True,
    ).stdout.split()
    return Ran(float(told[0]), float(told[1]), int(told[2]))


def _run_here(command: Sequence[str]) -> None:
    """Run `command` and print what it took. `os.wait4` tells of this child alone."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    per_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
    print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / per_mib, child.returncode)


def ended(ran: Ran, *good: int) -> Ran:
    """`ran`, whose exit code must be one of `good`: what failed early would look quick."""
    assert ran.code in good, f"ended with {ran.code}"
    return ran


if __name__ == "__main__":
    _run_here(sys.argv[1:])
