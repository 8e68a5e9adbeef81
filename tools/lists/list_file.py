"""Refresh one list from its source's own file, so that the difference is small and a person can read it.

The head of the list, its comment and its ``[source]``, stays: people write there what is doubtful. A row that the
source still has keeps its place and all that people wrote into it; names are only added. New rows come last, sorted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from privaudit.knowledge.export import list_to_toml
from privaudit.knowledge.loader import Problems, read_typed_toml
from privaudit.knowledge.schema import SignatureFile, SignatureRow

NEVER: Final = frozenset(
    {
        "com.micredit.in",  # Xiaomi's own app
        "com.fintech.life",  # preinstalled by a maker on millions of phones
        "com.revolut.revolut",
        "com.truebill",
        "com.activehours",
        "finance.empower",
        "com.prod.bca",
        "net.bitburst.pollpay",
        "io.playtime",
    }
)
"""Packages that no list of risky apps may name, whatever its source says: well-known apps that a source took for
others."""
PACKAGE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+")
_MIN_SHARE_KEPT: Final = 0.5
"""A source that has lost more than half of a list is broken, not refreshed."""


class Refresh(NamedTuple):
    """What a refresh did to a list."""

    text: str
    """The new content of the file."""
    added: int
    """Rows."""
    removed: int
    """Rows."""


class BrokenSourceError(ValueError):
    """The source cannot be read as what it was, so that the list is left alone."""


def refresh_list(
    path: Path, found: Iterable[SignatureRow], *, date: str | None = None, keeps_missing: bool = False
) -> Refresh:
    """Return the list at `path` with the rows `found` in its source, and the source's `date` if that is newer.

    A row that the source no longer has is removed, unless `keeps_missing`. Raises `BrokenSourceError` if the list is
    not valid, or if the source has lost more than half of it.
    """
    problems = Problems()
    old = read_typed_toml(SignatureFile, path, str(path), problems)
    if old is None:
        raise BrokenSourceError(str(problems))
    new = {row_key(row): row for row in found}
    kept = []
    for row in old.app:
        match = new.pop(row_key(row), None)
        if match is not None:
            kept.append(replace(row, names=merge_names(row.names, match.names)))
        elif keeps_missing:
            kept.append(row)
    if len(kept) < _MIN_SHARE_KEPT * len(old.app):
        message = f"{path}: the source has only {len(kept)} of {len(old.app)} rows"
        raise BrokenSourceError(message)
    added = sorted(new.values(), key=lambda row: (row.package is None, row_key(row)))
    source = replace(old.source, date=max(filter(None, (old.source.date, date)), default=None))
    comment = re.match(r"(?:#[^\n]*\n)*", path.read_text(encoding="utf-8"))
    head = re.sub(r"(?m)^# ?", "", comment[0]).rstrip("\n") if comment else ""
    text = list_to_toml(source, (*kept, *added), head)
    return Refresh(text, len(added), len(old.app) - len(kept))


def row_key(row: SignatureRow) -> tuple[str, str]:
    """Return what makes a row the same one in two editions: its package, else a digest, else its name."""
    if row.package:
        return ("package", row.package)
    return ("sha256", row.sha256[0]) if row.sha256 else ("name", fold_name(row.names[0]))


def fold_name(name: str) -> str:
    """Return a name without what two spellings of it differ in: case, width, punctuation and blanks."""
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum()) or name


def merge_names(*groups: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all `groups`, each spelling of a name once, the first one."""
    names: dict[str, str] = {}
    for name in (name for group in groups for name in group):
        names.setdefault(fold_name(name), name)
    return tuple(names.values())
