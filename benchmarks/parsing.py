"""What reading the two long dumps costs, beside splitting them into lines.

    .venv/bin/python benchmarks/parsing.py

Prints figures, references and ratios; ends with 1 where one is over its budget. The floor is one pass over the text:
`str.splitlines` makes every line once, as any reader must.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import large_phone

from privaudit.capture.questions import PERMISSIONS
from privaudit.facts import appops, packages
from privaudit.facts.apps import OPS

ROUNDS = 5
BUDGETS = {"dumpsys package, whole": 10.0, "dumpsys package, the named permissions": 5.0, "dumpsys appops": 12.0}
MOST_GROWTH = 11.0
NAMED = frozenset(PERMISSIONS)


def cost(work: Callable[[], object]) -> float:
    """Processor time of the quickest of several runs, in seconds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best


def main() -> int:
    """Measure and compare."""
    phone, larger = large_phone.phone(), large_phone.phone(10 * large_phone.PACKAGES)
    rows: dict[str, tuple[Callable[[str], object], str, str]] = {
        "dumpsys package, whole": (
            packages.parse,
            large_phone.whole_packages(phone),
            large_phone.whole_packages(larger),
        ),
        "dumpsys package, the named permissions": (
            lambda text: packages.parse(text, wanted=NAMED),
            large_phone.whole_packages(phone),
            large_phone.whole_packages(larger),
        ),
        "dumpsys appops": (
            lambda text: appops.parse(text, OPS),
            large_phone.app_ops(phone),
            large_phone.app_ops(larger),
        ),
    }
    over = False
    for name, (parse, text, more) in rows.items():
        floor = cost(text.splitlines)
        took, grown = cost(partial(parse, text)), cost(partial(parse, more))
        ratio, growth = took / floor, grown / took
        over = over or ratio > BUDGETS[name] or growth > MOST_GROWTH
        print(
            f"{name}: {len(text) / 1e6:.1f} MB in {took * 1000:.1f} ms, splitlines {floor * 1000:.2f} ms:"
            f" {ratio:.1f} × (at most {BUDGETS[name]:g}); ten times the apps {growth:.1f} × (at most {MOST_GROWTH:g})"
        )
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
