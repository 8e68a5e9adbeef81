"""Run the benchmarks, each as a process of its own: ``make bench``.

    .venv/bin/python -m benchmarks.bench [NAME]...

Each program writes its section of ``benchmarks/RESULTS.md``. One that fails or takes too long is recorded there and
does not keep the others from running. Exit code 1 if a program failed or missed a budget.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from benchmarks.measure import ROOT
from benchmarks.results import EXIT_MISSED, TITLES, publish_failure

PROGRAMS: Final = tuple(name for name in TITLES if name != "fuzzing")
TIMEOUT_S: Final = 900


def run_program(name: str) -> bool:
    """Run one benchmark; return whether it kept its budgets."""
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False, timeout=TIMEOUT_S, encoding="utf-8"
        )
    except subprocess.TimeoutExpired:
        publish_failure(name, f"not finished after {TIMEOUT_S} s")
        return False
    sys.stderr.write(done.stderr)
    if done.returncode not in {0, EXIT_MISSED}:
        publish_failure(name, done.stderr.strip().rpartition("\n")[2])  # a traceback ends with the exception
    return done.returncode == 0


def main() -> int:
    """Run the named benchmarks, or all of them."""
    names = sys.argv[1:] or list(PROGRAMS)
    unknown = [name for name in names if name not in PROGRAMS]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(PROGRAMS)}", file=sys.stderr)
        return 2
    kept = [run_program(name) for name in names]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
