"""What reading the two long dumps costs, beside splitting them into lines.

    .venv/bin/python benchmarks/parsing.py

Ends with 1 where a figure is over its budget.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import large_phone
from measure import Row, cost, in_turn, tell

from privaudit.capture.questions import PERMISSIONS
from privaudit.dumpsys import appops, package_checks
from privaudit.facts.apps import RELEVANT_OPS

ROUNDS, ROUNDS_OF_LARGER = 20, 6
TIMES, MOST_GROWTH = 10, 11.0
NAMED = frozenset(PERMISSIONS)


def repeated(read: Callable[[], object]) -> None:
    """Read as often as the larger phone has more apps."""
    for _ in range(TIMES):
        read()


def main() -> int:
    """Measure and compare."""
    phone, larger = large_phone.phone(), large_phone.phone(TIMES * large_phone.PACKAGES)
    whole, ops = large_phone.whole_packages, large_phone.app_ops
    readers = {
        "`dumpsys package`, all permissions": (package_checks.parse_and_check_dump, whole, 10.0),
        "`dumpsys package`, the named permissions": (
            partial(package_checks.parse_and_check_dump, kept_permissions=NAMED),
            whole,
            5.0,
        ),
        "`dumpsys appops`": (partial(appops.parse_appops, kept_ops=RELEVANT_OPS), ops, 12.0),
    }
    texts = {printed: (printed(phone), printed(larger)) for printed in (whole, ops)}
    rows = []
    for name, (read, printed, budget) in readers.items():
        text, more = texts[printed]
        works = {"ours": partial(cost, partial(read, text)), "split": partial(cost, text.splitlines)}
        took = in_turn(works, ROUNDS)
        # A reading of ten times the time has a tenth of the chance to be left in peace: beside it, ten short ones.
        grown = in_turn(
            {
                "larger": partial(cost, partial(read, more)),
                "often": partial(cost, partial(repeated, partial(read, text))),
            },
            ROUNDS_OF_LARGER,
        )
        ours, split = took["ours"] * 1000, took["split"] * 1000
        rows += [
            Row(
                what=f"{name}, {len(text) / 1e6:.1f} MB",
                ours=ours,
                unit="ms",
                reference=split,
                beside="`str.splitlines`",
                budget=budget,
            ),
            Row(
                what="… ten times the apps",
                ours=grown["larger"] * 1000,
                unit="ms",
                reference=grown["often"] * 1000 / TIMES,
                beside="one time",
                budget=MOST_GROWTH,
            ),
        ]
    return tell(rows, floor="1 ×: one pass over the text that makes every line once, as any reader in Python must.")


if __name__ == "__main__":
    sys.exit(main())
