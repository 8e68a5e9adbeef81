"""Reads lists: what each says of each app, and every mistake in it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from pydantic import TypeAdapter

from privaudit.knowledge.loader import Problems, format_location, list_toml_files, read_toml, validate_data
from privaudit.knowledge.schema import SIGNATURE_KEYS, ListExample, ListSource, MatchKind, SignatureFile, SignatureRow
from privaudit.model import Message, SignatureMatch

_LENDER_ONLY_KEYS: Final = frozenset({"status", "confidence"})
"""Keys that lists of risky apps do not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureList:
    """One list, read."""

    id: str
    """File name without ``.toml``; ``own/`` stands before it where the user added it."""
    file: str
    """What its file is called when something is wrong."""
    kind: Literal["risky", "lenders"]
    is_user_list: bool
    source: ListSource
    rows: tuple[SignatureRow, ...]
    examples: tuple[ListExample, ...]
    toml_data: dict[str, Any] = field(repr=False, compare=False)
    """The same as plain TOML values."""

    def countries_of(self, row: SignatureRow) -> tuple[str, ...]:
        """Where the app of `row` is offered, as far as the list says."""
        return row.countries or ((self.source.country,) if self.source.country else ())

    def match_for_row(self, row_number: int, match_kind: MatchKind) -> SignatureMatch:
        """What this list says of its row `row_number`, counted from 1."""
        source = self.source
        return SignatureMatch(
            signature=f"{self.id}#{row_number}",
            tier="own" if self.is_user_list else source.tier or "own",
            action=source.action or "listed",
            publisher=source.publisher,
            via=source.via,
            title=source.title,
            date=source.date,
            country=source.country,
            url=source.url,
            match=match_kind,
            disputed=self.rows[row_number - 1].disputed,
        )


RowRef: TypeAlias = tuple[SignatureList, int]
"""A list and the number of a row in it, from 1."""


def read_list_folder(folder: Traversable, problems: Problems, *, is_user_list: bool = False) -> Iterator[SignatureList]:
    """Every list in ``folder/risky`` and ``folder/lenders``."""
    for kind in ("risky", "lenders"):
        for file in list_toml_files(folder / kind):
            yield from _read_list(file, f"{kind}/{file.name}", kind, problems, is_user_list=is_user_list)


def read_user_lists(path: Path, problems: Problems) -> Iterator[SignatureList]:
    """A user's own list, a folder of them, or a folder like ours with ``risky`` and ``lenders`` in it."""
    if not path.exists():
        problems.add("knowledge.not_there", file=str(path))
        return
    if path.is_file():
        yield from _read_list(path, str(path), None, problems, is_user_list=True)
        return
    if (path / "risky").is_dir() or (path / "lenders").is_dir():
        yield from read_list_folder(path, problems, is_user_list=True)
        return
    files = list_toml_files(path)
    if not files:
        problems.add("knowledge.no_lists", file=str(path))
    for file in files:
        yield from _read_list(file, str(path / file.name), None, problems, is_user_list=True)


def _read_list(
    file: Traversable, file_name: str, kind: str | None, problems: Problems, *, is_user_list: bool
) -> Iterator[SignatureList]:
    data = read_toml(file, file_name, problems)
    if data is None:
        return
    before = len(problems)
    if kind is None:
        kind = "lenders" if _is_lender_list(data) else "risky"
    parsed = validate_data(_signature_file_adapter(), data, file_name, problems, SIGNATURE_KEYS)
    _check_source_keys(data.get("source"), kind, file_name, problems, is_user_list=is_user_list)
    _check_row_keys(data, kind, file_name, problems, is_user_list=is_user_list)
    if parsed is not None and len(problems) == before:
        stem = file.name.removesuffix(".toml")
        yield SignatureList(
            id=f"own/{stem}" if is_user_list else stem,
            file=file_name,
            kind="lenders" if kind == "lenders" else "risky",
            is_user_list=is_user_list,
            source=parsed.source,
            rows=parsed.app,
            examples=parsed.example,
            toml_data=data,
        )


@cache
def _signature_file_adapter() -> TypeAdapter[SignatureFile]:
    return TypeAdapter(SignatureFile)


def _is_lender_list(data: dict[str, Any]) -> bool:
    source = data.get("source")
    if isinstance(source, dict) and not source.keys().isdisjoint({"tier", "action"}):
        return False
    return any(isinstance(head, dict) and "status" in head for head in (source, *_raw_rows(data)))


def _raw_rows(data: dict[str, Any]) -> list[Any]:
    rows = data.get("app")
    return rows if isinstance(rows, list) else []


def _check_source_keys(source: object, kind: str, file_name: str, problems: Problems, *, is_user_list: bool) -> None:
    if not isinstance(source, dict):
        return  # already reported: missing, or of the wrong kind
    at = format_location(["source"])
    needed = {"licence", "refreshed"} | ({"tier", "action"} if kind == "risky" else set())
    for key in sorted(needed - source.keys()) if not is_user_list else ():
        problems.add("knowledge.missing_key", file=file_name, where=at, row=None, key=key)
    misplaced = _LENDER_ONLY_KEYS if kind == "risky" else {"tier", "action"}
    for key in sorted(misplaced & source.keys()):
        problems.add("knowledge.misplaced_key", file=file_name, where=at, row=None, key=key)
    if source.get("tier") == "own" and not is_user_list:
        problems.add(
            "knowledge.choice", file=file_name, where=at, row=None, key="tier", found="own", choices=("A", "B", "N")
        )


def _check_row_keys(data: dict[str, Any], kind: str, file_name: str, problems: Problems, *, is_user_list: bool) -> None:
    source = data.get("source")
    for_all = isinstance(source, dict) and "status" in source
    seen: Counter[str] = Counter()
    for index, row in enumerate(_raw_rows(data)):
        if not isinstance(row, dict):
            continue
        at: dict[str, Message | str | int] = {
            "file": file_name,
            "where": format_location(["app", index]),
            "row": index + 1,
        }
        if not any(row.get(key) for key in ("package", "names", "sha256", "certificates")):
            problems.add("knowledge.names_nothing", **at)
        if kind == "lenders" and not (is_user_list or for_all or "status" in row):
            problems.add("knowledge.missing_key", **at, key="status")
        for key in sorted(_LENDER_ONLY_KEYS & row.keys()) if kind == "risky" else ():
            problems.add("knowledge.misplaced_key", **at, key=key)
        package = row.get("package")
        if isinstance(package, str):
            seen[package] += 1
            if seen[package] == 2:  # noqa: PLR2004 - said once, however often it is repeated
                problems.add("knowledge.duplicate", **at, package=package)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureEntry:
    """An app by its package; rows without a package stand for themselves."""

    row_refs: tuple[RowRef, ...]
    """Where it stands: risky lists first."""

    @property
    def rows(self) -> tuple[SignatureRow, ...]:
        """Its row on each list."""
        return tuple(part.rows[number - 1] for part, number in self.row_refs)

    @property
    def package(self) -> str | None:
        """Its package name, where a list gives one."""
        return self.rows[0].package

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a list calls it by."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.names))

    @property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of its APKs and certificates."""
        return tuple(dict.fromkeys(one for row in self.rows for one in (*row.sha256, *row.certificates)))

    @property
    def countries(self) -> tuple[str, ...]:
        """Where it is offered, as far as the lists say."""
        found = {country for part, number in self.row_refs for country in part.countries_of(part.rows[number - 1])}
        return tuple(sorted(found))

    @property
    def title(self) -> str:
        """What to call it: package, else name, else the start of a digest."""
        return self.package or next(iter(self.names), None) or f"{self.hashes[0][:16]}…"

    def search_texts(self) -> Iterator[str]:
        """Everything by which somebody may look for it."""
        yield from (self.package or "", *self.names, *self.hashes)
        yield from (row.developer or "" for row in self.rows)


def group_entries(lists: Iterable[SignatureList]) -> tuple[SignatureEntry, ...]:
    """Every app of `lists`, by package and then by name."""
    grouped: dict[tuple[str, ...], list[RowRef]] = {}
    for part in sorted(lists, key=lambda part: part.kind != "risky"):
        for number, row in enumerate(part.rows, 1):
            key = (row.package,) if row.package else (part.id, str(number))
            grouped.setdefault(key, []).append((part, number))
    found = (SignatureEntry(row_refs=tuple(places)) for places in grouped.values())
    return tuple(sorted(found, key=lambda entry: (entry.package is None, entry.title.casefold())))


def search_entries(
    entries: Iterable[SignatureEntry],
    words: Sequence[str] = (),
    *,
    country: str | None = None,
    publisher: str | None = None,
) -> tuple[SignatureEntry, ...]:
    """The entries that have all `words` in a package, name, developer or digest; narrowed by country and publisher.

    Capitals and accents do not count, in any script: “prestamo” finds “Préstamo”.
    """
    wanted = [_fold_text(word) for word in words]
    whose = _fold_text(publisher or "")
    return tuple(
        entry
        for entry in entries
        if all(any(word in _fold_text(text) for text in entry.search_texts()) for word in wanted)
        and (country is None or country in entry.countries)
        and any(whose in _fold_text(f"{part.source.publisher} {part.id}") for part, _ in entry.row_refs)
    )


def _fold_text(text: str) -> str:
    split = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in split if unicodedata.category(char) != "Mn")
