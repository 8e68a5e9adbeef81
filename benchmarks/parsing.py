"""What parsing the two long dumps costs, compared with splitting them into lines.

Run it with ``.venv/bin/python -m benchmarks.parsing``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from benchmarks import large_phone
from benchmarks.measure import Outcome, Row, compare, cpu_seconds, measure_in_turn
from benchmarks.results import publish
from privaudit.capture.questions import PERMISSIONS
from privaudit.dumpsys import appops, package_checks
from privaudit.dumpsys.package_proto import parse_package_proto
from privaudit.facts.apps import RELEVANT_OPS
from privaudit.virtual_phone.dump_writers.package_proto import format_package_proto

ROUNDS, ROUNDS_OF_LARGER = 20, 6
GROWTH, MAX_GROWTH = 10, 11.0
KEPT_PERMISSIONS = frozenset(PERMISSIONS)


def repeat(work: Callable[[], object]) -> None:
    """Run `work` `GROWTH` times."""
    for _ in range(GROWTH):
        work()


def measure() -> Outcome:
    """Measure and compare."""
    phone, larger_phone = large_phone.build_phone(), large_phone.build_phone(GROWTH * large_phone.PACKAGES)
    package_dumps = large_phone.package_dump(phone), large_phone.package_dump(larger_phone)
    appops_dumps = large_phone.appops_dump(phone), large_phone.appops_dump(larger_phone)
    parse_package = package_checks.parse_and_check_dump
    rows = [
        *_compare_parser("`dumpsys package`, all permissions", parse_package, *package_dumps, budget=10.0),
        *_compare_parser(
            "`dumpsys package`, the named permissions",
            partial(parse_package, kept_permissions=KEPT_PERMISSIONS),
            *package_dumps,
            budget=5.0,
        ),
        *_compare_parser(
            "`dumpsys appops`", partial(appops.parse_appops, kept_ops=RELEVANT_OPS), *appops_dumps, budget=12.0
        ),
    ]
    data, text = format_package_proto(phone), package_dumps[0]
    best = measure_in_turn(
        {
            # Past its cache: an audit reads the same bytes after each round trip.
            "proto": partial(cpu_seconds, partial(parse_package_proto.__wrapped__, data, KEPT_PERMISSIONS)),
            "text": partial(cpu_seconds, partial(parse_package, text)),
        },
        ROUNDS,
    )
    rows.append(
        Row(
            what=f"`dumpsys package --proto`, {len(data) / 1e6:.1f} MB",
            ours=best["proto"] * 1000,
            unit="ms",
            reference=best["text"] * 1000,
            reference_name="the text of the same phone, all permissions",
            budget=0.6,
        )
    )
    note = "Floor: 1 ×: one pass over the text that creates each line once, as any reader in Python must."
    return compare(rows, note=note)


def _compare_parser(name: str, parse: Callable[[str], object], text: str, larger: str, *, budget: float) -> list[Row]:
    best = measure_in_turn(
        {"ours": partial(cpu_seconds, partial(parse, text)), "split": partial(cpu_seconds, text.splitlines)}, ROUNDS
    )
    # A run of ten times the length is ten times as likely to be disturbed: so it is compared with ten short ones.
    growth = measure_in_turn(
        {
            "larger": partial(cpu_seconds, partial(parse, larger)),
            "repeated": partial(cpu_seconds, partial(repeat, partial(parse, text))),
        },
        ROUNDS_OF_LARGER,
    )
    return [
        Row(
            what=f"{name}, {len(text) / 1e6:.1f} MB",
            ours=best["ours"] * 1000,
            unit="ms",
            reference=best["split"] * 1000,
            reference_name="`str.splitlines`",
            budget=budget,
        ),
        Row(
            what="… ten times the apps",
            ours=growth["larger"] * 1000,
            unit="ms",
            reference=growth["repeated"] * 1000 / GROWTH,
            reference_name="one time",
            budget=MAX_GROWTH,
        ),
    ]


if __name__ == "__main__":
    sys.exit(publish("parsing", measure))
