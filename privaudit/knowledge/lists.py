"""The format of a list: a ``[source]`` head, then ``[[app]]`` rows. The same for risky apps and for known lenders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from privaudit.knowledge.files import Mistakes, read_toml, toml_files, validate, where
from privaudit.model import Listing, Message

_FORBID: Final = ConfigDict(extra="forbid")
_OF_LENDERS: Final = frozenset({"status", "confidence"})
"""Keys that lists of risky apps do not have."""


def _a_day(text: str) -> str:
    """Refuse the 31st of February."""
    if text.count("-") == 2:  # noqa: PLR2004 - year-month-day
        date.fromisoformat(text)
    return text


Package: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$", max_length=255)]
"""As Android's ``FrameworkParsingPackageUtils.validateName`` has it for apps: at least one dot."""
Digest: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal."""
Day: TypeAlias = Annotated[
    str, Field(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"), AfterValidator(_a_day)
]
"""``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``."""
Country: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166 code."""
Url: TypeAlias = Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$")]
Words: TypeAlias = Annotated[str, Field(pattern=r"\S")]
Status: TypeAlias = Literal["licensed", "registered", "paired", "market_lender", "embeds_lending"]
"""What is known of a lender: a licence or an entry in a register that the source itself states; that a study paired it
by name with a lender in a register; that it is on the market; that it is a wallet or shop app that also lends."""
Confidence: TypeAlias = Literal["low"]
"""How sure it is that this app lends; low for collections that nobody vouches for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The head of a list: who says so, and how well we know it."""

    publisher: Words
    """Who made the list; never who reprinted it."""
    title: Words
    via: Words | None = None
    """The reprint in which it was read, where the original was not."""
    url: Url | None = None
    date: Day | None = None
    """The list's own date, not the day on which we read it."""
    country: Country | None = None
    licence: Words | None = None
    tier: Literal["A", "B", "N", "own"] | None = None
    action: Words | None = None
    """The source's own word for what it says of the apps."""
    refreshed: Words | None = None
    """How this file is brought up to date."""
    status: Status | None = None
    """Of lenders: for every row that says nothing else."""
    confidence: Confidence | None = None
    """Of lenders, likewise; left out: as sure as the status says."""
    note: Words | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One app on a list."""

    package: Package | None = None
    names: tuple[Words, ...] = ()
    countries: tuple[Country, ...] = ()
    """Where the app is offered; none: as the source's country."""
    sha256: tuple[Digest, ...] = ()
    """Of APK files (base.apk only)."""
    certificates: tuple[Digest, ...] = ()
    """SHA-256 of signing certificates."""
    developer: Words | None = None
    harms: tuple[Words, ...] = ()
    disputed: bool = False
    """Whether another list contradicts this one."""
    note: Words | None = None
    status: Status | None = None
    confidence: Confidence | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    source: Source
    app: tuple[Row, ...]
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class AppList:
    """One list, read."""

    id: str
    """File name without ``.toml``; ``own/`` stands before it where the user added it."""
    kind: Literal["risky", "lenders"]
    own: bool
    source: Source
    rows: tuple[Row, ...]
    data: dict[str, Any] = field(repr=False, compare=False)
    """The same as plain TOML values."""

    def countries(self, row: Row) -> tuple[str, ...]:
        """Where the app of `row` is offered, as far as the list says."""
        return row.countries or ((self.source.country,) if self.source.country else ())

    def listing(self, number: int, match: Literal["package", "apk_sha256", "certificate"]) -> Listing:
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
        mistakes.add("not_there", file=str(path))
        return
    if path.is_file():
        yield from _read(path, str(path), None, mistakes, own=True)
        return
    if (path / "risky").is_dir() or (path / "lenders").is_dir():
        yield from read_folder(path, mistakes, own=True)
        return
    files = toml_files(path)
    if not files:
        mistakes.add("no_lists", file=str(path))
    for file in files:
        yield from _read(file, str(path / file.name), None, mistakes, own=True)


def _read(file: Traversable, name: str, kind: str | None, mistakes: Mistakes, *, own: bool) -> Iterator[AppList]:
    data = read_toml(file, name, mistakes)
    if data is None:
        return
    before = len(mistakes)
    if kind is None:
        kind = "lenders" if _says_lenders(data) else "risky"
    parsed = validate(_adapter(), data, name, mistakes)
    _check_head(data.get("source"), kind, name, mistakes, own=own)
    _check_rows(data, kind, name, mistakes, own=own)
    if parsed is not None and len(mistakes) == before:
        stem = file.name.removesuffix(".toml")
        yield AppList(
            id=f"own/{stem}" if own else stem,
            kind="lenders" if kind == "lenders" else "risky",
            own=own,
            source=parsed.source,
            rows=parsed.app,
            data=data,
        )


@cache
def _adapter() -> TypeAdapter[_File]:
    return TypeAdapter(_File)


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
        mistakes.add("missing_key", file=name, where=at, row=None, key=key)
    misplaced = _OF_LENDERS if kind == "risky" else {"tier", "action"}
    for key in sorted(misplaced & source.keys()):
        mistakes.add("misplaced_key", file=name, where=at, row=None, key=key)
    if source.get("tier") == "own" and not own:
        mistakes.add("choice", file=name, where=at, row=None, key="tier", found="own", choices="'A', 'B', 'N'")


def _check_rows(data: dict[str, Any], kind: str, name: str, mistakes: Mistakes, *, own: bool) -> None:
    source = data.get("source")
    for_all = isinstance(source, dict) and "status" in source
    seen: Counter[str] = Counter()
    for index, row in enumerate(_rows(data)):
        if not isinstance(row, dict):
            continue
        at: dict[str, Message | str | int] = {"file": name, "where": where(["app", index]), "row": index + 1}
        if not any(row.get(key) for key in ("package", "names", "sha256", "certificates")):
            mistakes.add("names_nothing", **at)
        if kind == "lenders" and not (own or for_all or "status" in row):
            mistakes.add("missing_key", **at, key="status")
        for key in sorted(_OF_LENDERS & row.keys()) if kind == "risky" else ():
            mistakes.add("misplaced_key", **at, key=key)
        package = row.get("package")
        if isinstance(package, str):
            seen[package] += 1
            if seen[package] == 2:  # noqa: PLR2004 - said once, however often it is repeated
                mistakes.add("duplicate", **at, package=package)
