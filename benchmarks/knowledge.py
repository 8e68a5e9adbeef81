"""What it costs to read the lists and to look apps up in them.

    .venv/bin/python benchmarks/knowledge.py

Prints figures, the reference (what the standard library's TOML parser takes for the same bytes in the same run) and
ratios; ends with 1 where a budget is broken: 2,000 rows in 120 ms, 10,000 in 600 ms, 2.5 times the parser, and five
times the rows in no more than six times the time.
"""

from __future__ import annotations

import sys
import tempfile
import tomllib
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from measure import Row, cost, in_turn, tell

from privaudit import knowledge
from privaudit.knowledge import loader

BUDGET_MS = {2_000: 120, 10_000: 600}
MOST_RATIO = 2.5
MOST_GROWTH = 6
LOOKED_UP = 450
"""Apps of one phone."""
KNOWN = ("king.credit.ng", "com.julofinance.juloapp")
RUNS = 7


def folder(rows: int, place: Path) -> Path:
    """The shipped lists, and as many rows more as make `rows`: cut out of the shipped ones, under other names."""
    content: dict[str, str] = {}
    for kind in ("risky", "lenders"):
        for file in loader.list_toml_files(loader.shipped_folder() / kind):
            content[f"{kind}/{file.name}"] = file.read_text(encoding="utf-8")
    for name in ("vocabulary.toml", "stores.toml"):
        content[name] = (loader.shipped_folder() / name).read_text(encoding="utf-8")
    found = sum(text.count("\n[[app]]") for text in content.values())
    head, *more = content["lenders/loanwatch-2026.toml"].split("\n[[app]]\n")
    made = 0
    while found < rows:
        some = [row.replace('package = "', f'package = "x{made}.', 1) for row in more[: rows - found]]
        content[f"lenders/more-{made}.toml"] = "\n[[app]]\n".join([head, *some])
        found += len(some)
        made += 1
    for name, text in content.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8", newline="\n")
    return place


def main() -> int:
    """Measure both sizes; the exit code."""
    rows_told, took = [], {}
    for rows, budget in BUDGET_MS.items():
        with tempfile.TemporaryDirectory() as name:
            place = folder(rows, Path(name))
            texts = [file.read_text(encoding="utf-8") for file in place.rglob("*.toml")]
            phone = [*KNOWN, *(f"com.example.app{number}" for number in range(LOOKED_UP - len(KNOWN)))]

            def audit(place: Path = place, phone: list[str] = phone) -> None:
                known = knowledge.load_knowledge(folder=place, country="PK")
                known.describe_lists()
                assert sum(
                    bool(known.match_package(package) or known.find_lender(package)) for package in phone
                ) == len(KNOWN)

            def parse(texts: list[str] = texts) -> None:
                for text in texts:
                    tomllib.loads(text)

            held = sum(len(part.rows) for part in knowledge.load_knowledge(folder=place).lists)
            assert held == rows, held
            best = in_turn({"ours": partial(cost, audit), "tomllib": partial(cost, parse)}, RUNS)
        took[rows] = best["ours"] * 1000
        head = {"what": f"{rows:,} rows: load, look {LOOKED_UP} apps up", "ours": took[rows], "unit": "ms"}
        rows_told += [
            Row(**head, reference=best["tomllib"] * 1000, beside="`tomllib` alone", budget=MOST_RATIO),
            Row(**head, reference=budget, beside="budget", budget=1.0),
        ]
    small, large = took.values()
    growth = Row(
        what="five times the rows", ours=large, unit="ms", reference=small, beside="one time", budget=MOST_GROWTH
    )
    return tell([*rows_told, growth], floor="1 × `tomllib`: every list is read anew, and nothing else reads TOML here.")


if __name__ == "__main__":
    raise SystemExit(main())
