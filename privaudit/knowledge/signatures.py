"""Reads lists: what each says of each app, and every mistake in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from privaudit.knowledge.loader import Mistakes, read_toml, toml_files, validate, where
from privaudit.knowledge.schema import KEYS, Example, File, Match, Row, Source
from privaudit.model import Listing, Message

_OF_LENDERS: Final = frozenset({"status", "confidence"})
"""Keys that lists of risky apps do not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppList:
    """One list, read."""

    id: str
    """File name without ``.toml``; ``own/`` stands before it where the user added it."""
    file: str
    """What its file is called when something is wrong."""
    kind: Literal["risky", "lenders"]
    own: bool
    source: Source
    rows: tuple[Row, ...]
    examples: tuple[Example, ...]
    data: dict[str, Any] = field(repr=False, compare=False)
    """The same as plain TOML values."""

    def countries(self, row: Row) -> tuple[str, ...]:
        """Where the app of `row` is offered, as far as the list says."""
        return row.countries or ((self.source.country,) if self.source.country else ())

    def listing(self, number: int, match: Match) -> Listing:
        """What this list says of its row `number`, counted from 1."""
        source = self.source
        return Listing(
            signature=f"{self.id}#{number}",
            tier="own" if self.own else source.tier or "own",
            action=source.action or "listed",
            publisher=source.publisher,
            via=source.via,
            title=source.title,
            date=source.date,
            country=source.country,
            url=source.url,
            match=match,
            disputed=self.rows[number - 1].disputed,
        )


def read_folder(folder: Traversable, mistakes: Mistakes, *, own: bool = False) -> Iterator[AppList]:
    """Every list in ``folder/risky`` and ``folder/lenders``."""
    for kind in ("risky", "lenders"):
        for file in toml_files(folder / kind):
            yield from _read(file, f"{kind}/{file.name}", kind, mistakes, own=own)


def read_own(path: Path, mistakes: Mistakes) -> Iterator[AppList]:
    """A user's own list, a folder of them, or a folder like ours with ``risky`` and ``lenders`` in it."""
    if not path.exists():
        mistakes.add("knowledge.not_there", file=str(path))
        return
    if path.is_file():
        yield from _read(path, str(path), None, mistakes, own=True)
        return
    if (path / "risky").is_dir() or (path / "lenders").is_dir():
        yield from read_folder(path, mistakes, own=True)
        return
    files = toml_files(path)
    if not files:
        mistakes.add("knowledge.no_lists", file=str(path))
    for file in files:
        yield from _read(file, str(path / file.name), None, mistakes, own=True)


def _read(file: Traversable, name: str, kind: str | None, mistakes: Mistakes, *, own: bool) -> Iterator[AppList]:
    data = read_toml(file, name, mistakes)
    if data is None:
        return
    before = len(mistakes)
    if kind is None:
        kind = "lenders" if _says_lenders(data) else "risky"
    parsed = validate(_adapter(), data, name, mistakes, KEYS)
    _check_head(data.get("source"), kind, name, mistakes, own=own)
    _check_rows(data, kind, name, mistakes, own=own)
    if parsed is not None and len(mistakes) == before:
        stem = file.name.removesuffix(".toml")
        yield AppList(
            id=f"own/{stem}" if own else stem,
            file=name,
            kind="lenders" if kind == "lenders" else "risky",
            own=own,
            source=parsed.source,
            rows=parsed.app,
            examples=parsed.example,
            data=data,
        )


@cache
def _adapter() -> TypeAdapter[File]:
    return TypeAdapter(File)


def _says_lenders(data: dict[str, Any]) -> bool:
    source = data.get("source")
    if isinstance(source, dict) and not source.keys().isdisjoint({"tier", "action"}):
        return False
    return any(isinstance(head, dict) and "status" in head for head in (source, *_rows(data)))


def _rows(data: dict[str, Any]) -> list[Any]:
    rows = data.get("app")
    return rows if isinstance(rows, list) else []


def _check_head(source: object, kind: str, name: str, mistakes: Mistakes, *, own: bool) -> None:
    if not isinstance(source, dict):
        return  # already reported: missing, or of the wrong kind
    at = where(["source"])
    needed = {"licence", "refreshed"} | ({"tier", "action"} if kind == "risky" else set())
    for key in sorted(needed - source.keys()) if not own else ():
        mistakes.add("knowledge.missing_key", file=name, where=at, row=None, key=key)
    misplaced = _OF_LENDERS if kind == "risky" else {"tier", "action"}
    for key in sorted(misplaced & source.keys()):
        mistakes.add("knowledge.misplaced_key", file=name, where=at, row=None, key=key)
    if source.get("tier") == "own" and not own:
        mistakes.add(
            "knowledge.choice", file=name, where=at, row=None, key="tier", found="own", choices=("A", "B", "N")
        )


def _check_rows(data: dict[str, Any], kind: str, name: str, mistakes: Mistakes, *, own: bool) -> None:
    source = data.get("source")
    for_all = isinstance(source, dict) and "status" in source
    seen: Counter[str] = Counter()
    for index, row in enumerate(_rows(data)):
        if not isinstance(row, dict):
            continue
        at: dict[str, Message | str | int] = {"file": name, "where": where(["app", index]), "row": index + 1}
        if not any(row.get(key) for key in ("package", "names", "sha256", "certificates")):
            mistakes.add("knowledge.names_nothing", **at)
        if kind == "lenders" and not (own or for_all or "status" in row):
            mistakes.add("knowledge.missing_key", **at, key="status")
        for key in sorted(_OF_LENDERS & row.keys()) if kind == "risky" else ():
            mistakes.add("knowledge.misplaced_key", **at, key=key)
        package = row.get("package")
        if isinstance(package, str):
            seen[package] += 1
            if seen[package] == 2:  # noqa: PLR2004 - said once, however often it is repeated
                mistakes.add("knowledge.duplicate", **at, package=package)
