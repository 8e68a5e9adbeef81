"""What it costs to read the lists and to look apps up in them.

    .venv/bin/python benchmarks/knowledge.py

Prints figures, the reference (what the standard library's TOML parser takes for the same bytes in the same run) and
ratios; ends with 1 where a budget is broken: 2,000 rows in 120 ms, 10,000 in 600 ms, 2.5 times the parser, and five
times the rows in no more than six times the time.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from privaudit import knowledge
from privaudit.knowledge import files

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
        for file in files.toml_files(files.shipped() / kind):
            content[f"{kind}/{file.name}"] = file.read_text(encoding="utf-8")
    for name in ("vocabulary.toml", "stores.toml"):
        content[name] = (files.shipped() / name).read_text(encoding="utf-8")
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


def best(work: Callable[[], object]) -> float:
    """Milliseconds of processor time of the quickest of several runs: what else the computer does only ever adds."""
    times = []
    for _ in range(RUNS):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times) * 1000


def main() -> int:
    """Measure both sizes; the exit code."""
    kept, took = [], {}
    for rows, budget in BUDGET_MS.items():
        with tempfile.TemporaryDirectory() as name:
            place = folder(rows, Path(name))
            texts = [file.read_text(encoding="utf-8") for file in place.rglob("*.toml")]
            phone = [*KNOWN, *(f"com.example.app{number}" for number in range(LOOKED_UP - len(KNOWN)))]

            def audit(place: Path = place, phone: list[str] = phone) -> None:
                known = knowledge.load(folder=place, country="PK")
                known.stamp()
                assert sum(bool(known.listings(package) or known.lender(package)) for package in phone) == len(KNOWN)

            def parse(texts: list[str] = texts) -> None:
                for text in texts:
                    tomllib.loads(text)

            held = sum(len(part.rows) for part in knowledge.load(folder=place).lists)
            assert held == rows, held
            whole, reference = best(audit), best(parse)
        took[rows] = whole
        ratio = whole / reference
        kept += [whole <= budget, ratio <= MOST_RATIO]
        print(
            f"{rows:>6} rows: load and look up {LOOKED_UP} apps {whole:6.1f} ms (budget {budget});"
            f" tomllib alone {reference:6.1f} ms; ratio {ratio:.2f} (budget {MOST_RATIO})"
        )
    small, large = took.values()
    kept.append(large / small <= MOST_GROWTH)
    print(f"5 times the rows: {large / small:.1f} times the time (budget {MOST_GROWTH})")
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(main())
