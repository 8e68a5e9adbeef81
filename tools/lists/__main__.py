"""Refresh lists from their sources: ``python -m tools.lists`` for all, ``python -m tools.lists ojk FILE`` for one.

It changes the files in ``signatures/`` and the table in ``docs/lists.md``, and prints what changed. Whether to keep
that, a person decides.
"""

from __future__ import annotations

import argparse
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from privaudit.knowledge.schema import SignatureRow
from tools.lists import eset, killerloanapps, ojk, sec_ph, table
from tools.lists.list_file import BrokenSourceError, refresh_list

SIGNATURES: Final = Path(__file__).parents[2] / "signatures"
_RAW: Final = "https://raw.githubusercontent.com"
_TIMEOUT_S: Final = 60


@dataclass(frozen=True)
class ListSourceFile:
    """A source that programs can read, and the list that is made from it."""

    url: str
    read_rows: Callable[[bytes], tuple[list[SignatureRow], str | None]]
    list_file: str
    """Below ``signatures/``."""
    keeps_missing: bool = False
    """Whether a row stays when the source no longer has it: an app that was once seen lending still is a loan app."""


SOURCES: Final = {
    "ojk": ListSourceFile(
        f"{_RAW}/Namchee/ojk-invest-api/HEAD/data/illegals.json", ojk.read_rows, "risky/ojk-illegal-2024.toml"
    ),
    "eset": ListSourceFile(
        f"{_RAW}/eset/malware-ioc/HEAD/spyloan/samples.sha256", eset.read_rows, "risky/eset-2023-hashes.toml"
    ),
    "sec-ph": ListSourceFile(
        f"{_RAW}/antoinemlt10/lender-sourcing-engine/HEAD/registries/extract/sec_online_lending_platforms.csv",
        sec_ph.read_rows,
        "lenders/sec-ph-recorded-2026.toml",
    ),
    "killerloanapps": ListSourceFile(
        f"{_RAW}/CashlessConsumer/killerloanapps/HEAD/data/scores.json",
        killerloanapps.read_rows,
        "lenders/killerloanapps-2026.toml",
        keeps_missing=True,
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Refresh the lists; return 1 if a source could not be read."""
    parser = argparse.ArgumentParser(prog="python -m tools.lists", description=__doc__)
    parser.add_argument("source", nargs="?", choices=SOURCES, help="only this source")
    parser.add_argument("file", nargs="?", type=Path, help="the source's file, instead of its address")
    parser.add_argument("--signatures", type=Path, default=SIGNATURES, help="the folder of the lists")
    parser.add_argument("--document", type=Path, default=table.DOCUMENT, help="the document with the table of lists")
    parser.add_argument("--table", action="store_true", help="write only the table")
    options = parser.parse_args(arguments)
    failures = 0
    chosen = [options.source] if options.source else [] if options.table else SOURCES
    for name in chosen:
        source = SOURCES[name]
        path = options.signatures / source.list_file
        try:
            rows, date = source.read_rows(options.file.read_bytes() if options.file else _download(source.url))
            refreshed = refresh_list(path, rows, date=date, keeps_missing=source.keeps_missing)
        except (BrokenSourceError, OSError) as error:
            failures += 1
            print(f"{name}: not refreshed: {error}", file=sys.stderr)
            continue
        path.write_text(refreshed.text, encoding="utf-8", newline="\n")
        print(f"{name}: {refreshed.added} rows added, {refreshed.removed} removed in {source.list_file}")
    text = options.document.read_text(encoding="utf-8")
    options.document.write_text(table.write_table(text, options.signatures), encoding="utf-8", newline="\n")
    return min(failures, 1)


def _download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the addresses above, all https
        return bytes(answer.read())


if __name__ == "__main__":
    sys.exit(main())
