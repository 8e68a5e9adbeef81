"""What loading the lists and looking up apps in them costs.

    .venv/bin/python -m benchmarks.knowledge

The reference is what the standard library's TOML parser takes for the same lists in the same run. Budgets: 0.3 times
the parser for 10,000 rows where the lists were compiled, as in a wheel (`privaudit.knowledge.loader`); where they are
parsed, as in a checkout, 2.5 times the parser, and at most six times the time for five times the rows.
"""

from __future__ import annotations

import itertools
import re
import shutil
import sys
import tempfile
import tomllib
from functools import partial
from importlib.resources.abc import Traversable
from pathlib import Path
from unittest import mock

from benchmarks.measure import Outcome, Row, compare, cpu_seconds, measure_in_turn
from benchmarks.results import publish
from privaudit import knowledge
from privaudit.i18n import catalog
from privaudit.knowledge import loader
from privaudit.knowledge.loader import COMPILED_FILE
from privaudit.knowledge.rules import compile_rules

ROW_COUNTS = (2_000, 10_000)
MAX_COMPILED_RATIO = 0.3
MAX_PARSED_RATIO = 2.5
MAX_GROWTH = 6
PHONE_APPS = 450
LISTED_APPS = 2
ROUNDS = 7
NOTE = """\
Floor where the lists are parsed: 1 × `tomllib`. Compiled lists are JSON beside the TOML files, used only for files that
they were made from; each start reads and hashes the TOML files as well.

Other parsers, measured alone on the same 10,000 rows: tomli 2.5 (compiled by mypyc) takes 0.36 × the time of `tomllib`,
pytomlpp 0.18 ×, rtoml 0.11 ×, toml-rs 0.07 ×. What follows parsing adds about 0.5 × here; and it is a dependency in
machine code that the browser does not have."""


def write_lists(row_count: int, folder: Path) -> list[str]:
    """Write lists like the shipped ones with so many rows, and return some of their package names.

    Rows of each shipped list are taken in turn, and again with other package names once all were taken.
    """
    shipped = loader.shipped_folder()
    content = {name: (shipped / name).read_text(encoding="utf-8") for name in ("vocabulary.toml", "stores.toml")}
    originals: list[tuple[int, str, str]] = []
    for kind in ("risky", "lenders"):
        for file in loader.list_toml_files(shipped / kind):
            name = f"{kind}/{file.name}"
            content[name], *rows = re.split(r"^\[\[app\]\]$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            originals += ((place, name, row) for place, row in enumerate(rows))
    originals.sort()
    packages: list[str] = []
    for number, (_, name, row) in enumerate(itertools.islice(itertools.cycle(originals), row_count)):
        prefix = f"x{number // len(originals)}."
        content[name] += "[[app]]" + row.replace('package = "', f'package = "{prefix}', 1)
        packages += (f"{prefix}{package}" for package in re.findall(r'^package = "(.+)"$', row, re.MULTILINE))
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return packages[:LISTED_APPS]


def load_and_look_up(folder: Path, rules_folder: Traversable, listed: list[str]) -> None:
    """Load the lists and the rules, and look up the apps of a phone that has the `listed` ones."""
    with mock.patch.object(catalog, "RULES_FOLDER", rules_folder):
        lists = knowledge.load_knowledge(folder=folder, country="PK")
    lists.describe_lists()
    packages = [*listed, *(f"com.example.app{number}" for number in range(PHONE_APPS - len(listed)))]
    found = [package for package in packages if lists.find_matches("package", package) or lists.find_lender(package)]
    assert found == listed


def parse_all(texts: list[str]) -> None:
    """Parse all lists with the standard library."""
    for text in texts:
        tomllib.loads(text)


def measure() -> Outcome:
    """Measure both sizes and compare."""
    rows: list[Row] = []
    best: dict[int, dict[str, float]] = {}
    for row_count in ROW_COUNTS:
        with tempfile.TemporaryDirectory() as name:
            parsed, compiled = Path(name, "parsed"), Path(name, "compiled")
            listed = write_lists(row_count, parsed)
            shutil.copytree(parsed, compiled)
            (compiled / COMPILED_FILE).write_bytes(knowledge.compile_lists(compiled))
            installed_rules = Path(shutil.copytree(catalog.RULES_FOLDER, Path(name, "rules")))
            (installed_rules / COMPILED_FILE).write_bytes(compile_rules(installed_rules))
            assert knowledge.load_knowledge(folder=parsed) == knowledge.load_knowledge(folder=compiled)
            texts = [file.read_text(encoding="utf-8") for file in parsed.rglob("*.toml")]
            assert sum(len(tomllib.loads(text).get("app", ())) for text in texts) == row_count
            best[row_count] = measure_in_turn(
                {
                    "compiled": partial(cpu_seconds, partial(load_and_look_up, compiled, installed_rules, listed)),
                    "parsed": partial(cpu_seconds, partial(load_and_look_up, parsed, catalog.RULES_FOLDER, listed)),
                    "tomllib": partial(cpu_seconds, partial(parse_all, texts)),
                },
                ROUNDS,
            )
        for kind, budget in (("compiled", MAX_COMPILED_RATIO), ("parsed", MAX_PARSED_RATIO)):
            rows.append(
                Row(
                    what=f"{row_count:,} rows, {kind}: load, look up {PHONE_APPS} apps",
                    ours=best[row_count][kind] * 1000,
                    unit="ms",
                    reference=best[row_count]["tomllib"] * 1000,
                    reference_name="`tomllib` alone",
                    budget=budget if kind == "parsed" or row_count == max(ROW_COUNTS) else None,
                )
            )
    small, large = (best[row_count]["parsed"] * 1000 for row_count in ROW_COUNTS)
    rows.append(
        Row(
            what="five times the rows, parsed",
            ours=large,
            unit="ms",
            reference=small,
            reference_name="one time",
            budget=MAX_GROWTH,
        )
    )
    return compare(rows, note=NOTE)


if __name__ == "__main__":
    sys.exit(publish("knowledge", measure))
