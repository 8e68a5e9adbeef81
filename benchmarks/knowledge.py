"""What loading the lists and looking up apps in them costs.

    .venv/bin/python -m benchmarks.knowledge

The reference is what the standard library's TOML parser takes for the same bytes in the same run. Budgets: 2,000 rows
in 120 ms, 10,000 in 600 ms, 2.5 times the parser, and at most six times the time for five times the rows.
"""

from __future__ import annotations

import sys
import tempfile
import tomllib
from functools import partial
from pathlib import Path

from benchmarks.measure import Outcome, Row, compare, cpu_seconds, measure_in_turn
from benchmarks.results import publish
from privaudit import knowledge
from privaudit.knowledge import loader

MAX_MS_BY_ROWS = {2_000: 120, 10_000: 600}
MAX_RATIO = 2.5
MAX_GROWTH = 6
PHONE_APPS = 450
LISTED_PACKAGES = ("king.credit.ng", "com.julofinance.juloapp")
ROUNDS = 7


def write_lists(row_count: int, folder: Path) -> None:
    """Write the shipped lists, and copies of shipped rows under other package names until there are `row_count`."""
    content: dict[str, str] = {}
    for kind in ("risky", "lenders"):
        for file in loader.list_toml_files(loader.shipped_folder() / kind):
            content[f"{kind}/{file.name}"] = file.read_text(encoding="utf-8")
    for name in ("vocabulary.toml", "stores.toml"):
        content[name] = (loader.shipped_folder() / name).read_text(encoding="utf-8")
    count = sum(text.count("\n[[app]]") for text in content.values())
    head, *rows = content["lenders/loanwatch-2026.toml"].split("\n[[app]]\n")
    copy = 0
    while count < row_count:
        copied = [row.replace('package = "', f'package = "x{copy}.', 1) for row in rows[: row_count - count]]
        content[f"lenders/more-{copy}.toml"] = "\n[[app]]\n".join([head, *copied])
        count += len(copied)
        copy += 1
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def load_and_look_up(folder: Path) -> None:
    """Load the lists and look up the apps of a phone."""
    lists = knowledge.load_knowledge(folder=folder, country="PK")
    lists.describe_lists()
    packages = [*LISTED_PACKAGES, *(f"com.example.app{number}" for number in range(PHONE_APPS - len(LISTED_PACKAGES)))]
    listed = [package for package in packages if lists.find_matches("package", package) or lists.find_lender(package)]
    assert len(listed) == len(LISTED_PACKAGES)


def parse_all(texts: list[str]) -> None:
    """Parse all lists with the standard library."""
    for text in texts:
        tomllib.loads(text)


def measure() -> Outcome:
    """Measure both sizes and compare."""
    rows: list[Row] = []
    milliseconds: list[float] = []
    for row_count, max_ms in MAX_MS_BY_ROWS.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_lists(row_count, folder)
            texts = [file.read_text(encoding="utf-8") for file in folder.rglob("*.toml")]
            loaded = sum(len(part.rows) for part in knowledge.load_knowledge(folder=folder).lists)
            assert loaded == row_count, loaded
            best = measure_in_turn(
                {
                    "ours": partial(cpu_seconds, partial(load_and_look_up, folder)),
                    "tomllib": partial(cpu_seconds, partial(parse_all, texts)),
                },
                ROUNDS,
            )
        ours_ms, tomllib_ms = best["ours"] * 1000, best["tomllib"] * 1000
        milliseconds.append(ours_ms)
        row = partial(Row, what=f"{row_count:,} rows: load, look up {PHONE_APPS} apps", ours=ours_ms, unit="ms")
        rows += [
            row(reference=tomllib_ms, reference_name="`tomllib` alone", budget=MAX_RATIO),
            row(reference=max_ms, reference_name="budget", budget=1.0),
        ]
    small, large = milliseconds
    rows.append(
        Row(
            what="five times the rows",
            ours=large,
            unit="ms",
            reference=small,
            reference_name="one time",
            budget=MAX_GROWTH,
        )
    )
    note = "Floor: 1 × `tomllib`: every list is parsed in each run, and nothing else parses TOML here."
    return compare(rows, note=note)


if __name__ == "__main__":
    sys.exit(publish("knowledge", measure))
