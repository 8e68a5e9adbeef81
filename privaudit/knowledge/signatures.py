"""Read lists of apps with all their problems, and group and search their rows by app.

One module, because a list, a row and the entry of an app are views of the same TOML tables.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from itertools import repeat
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from privaudit.knowledge import loader
from privaudit.knowledge.loader import NOT_COMPILED, CompiledFiles, Problems, locate_row
from privaudit.knowledge.schema import SIGNATURE_KEYS, ListExample, ListSource, MatchKind, SignatureFile, SignatureRow
from privaudit.model import MessageValue, SignatureMatch

ListKind: TypeAlias = Literal["risky", "lenders"]
LIST_KINDS: Final[tuple[ListKind, ...]] = ("risky", "lenders")
"""Kinds of list, and the folders of their files."""
_LENDER_ONLY_KEYS: Final = frozenset({"status", "confidence"})
"""Keys that a list of risky apps must not have."""
_RISKY_ONLY_KEYS: Final = frozenset({"tier", "action"})
"""Keys that a list of lenders must not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureList:
    """One list."""

    id: str
    """File name without ``.toml``; a list of the user has the prefix ``own/``."""
    file: str
    """Name of its file in problems."""
    kind: ListKind
    is_user_list: bool
    source: ListSource
    examples: tuple[ListExample, ...]
    toml_data: Mapping[str, Any] = field(repr=False, hash=False)
    """The content of the file as plain TOML values."""
    compiled_json: bytes | None = field(default=None, repr=False, compare=False)
    """The same as JSON with sorted keys, where the file was compiled."""
    _rows: dict[int, SignatureRow] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Rows by number. A start uses few of many, so each is made when it is first used."""

    def row(self, number: int) -> SignatureRow:
        """Return a row; `number` counts from 1."""
        if number not in self._rows:
            self._rows[number] = loader.convert_valid(SignatureRow, self.tables[number - 1])
        return self._rows[number]

    @property
    def rows(self) -> tuple[SignatureRow, ...]:
        """All its rows."""
        return tuple(map(self.row, range(1, len(self.tables) + 1)))

    @property
    def tables(self) -> Sequence[Mapping[str, Any]]:
        """All its rows as plain TOML values."""
        tables: Sequence[Mapping[str, Any]] = self.toml_data["app"]
        return tables

    @property
    def row_refs(self) -> "tuple[RowRef, ...]":
        """All its rows, each with its number."""
        return tuple(map(RowRef, repeat(self), range(1, len(self.tables) + 1)))

    @property
    def canonical_json(self) -> bytes:
        """The content of the file as JSON with sorted keys."""
        return self.compiled_json or loader.to_canonical_json(self.toml_data)


class RowRef(NamedTuple):
    """One row of a list."""

    app_list: SignatureList
    row_number: int
    """From 1."""

    @property
    def row(self) -> SignatureRow:
        """The row itself."""
        return self.app_list.row(self.row_number)

    @property
    def table(self) -> Mapping[str, Any]:
        """The row as plain TOML values: quicker than `row`, which counts where all rows are asked."""
        table: Mapping[str, Any] = self.app_list.toml_data["app"][self.row_number - 1]
        return table

    @property
    def package(self) -> str | None:
        """Its package name; ``None`` where the list states none."""
        return self.table.get("package")

    @property
    def countries(self) -> tuple[str, ...]:
        """Where its app is offered, as far as the list says: the row's countries, else the source's."""
        source = self.app_list.source
        return tuple(self.table.get("countries") or ((source.country,) if source.country else ()))

    @property
    def status(self) -> str | None:
        """What is known of the lender; ``licensed`` only where the source itself states a licence."""
        return self.row.status or self.app_list.source.status

    @property
    def confidence(self) -> str | None:
        """How certain it is that the app lends; ``None``: an institution vouches for the collection that names it."""
        return self.row.confidence or self.app_list.source.confidence

    @property
    def signature(self) -> str:
        """Its id in reports and exports: ``LIST#ROW``."""
        return f"{self.app_list.id}#{self.row_number}"

    @property
    def location(self) -> dict[str, MessageValue]:
        """The values that name it in a problem."""
        return locate_row(self.app_list.file, "app", self.row_number - 1)

    def to_match(self, match_kind: MatchKind) -> SignatureMatch:
        """Return what the list says about the app of this row."""
        source = self.app_list.source
        return SignatureMatch(
            signature=self.signature,
            tier="own" if self.app_list.is_user_list else source.tier or "own",
            action=source.action or "listed",
            publisher=source.publisher,
            via=source.via,
            title=source.title,
            date=source.date,
            country=source.country,
            url=source.url,
            match=match_kind,
            disputed=self.row.disputed,
        )


def read_list_folder(
    folder: Traversable, problems: Problems, compiled: CompiledFiles = NOT_COMPILED, *, is_user_list: bool = False
) -> Iterator[SignatureList]:
    """Yield every list in ``folder/risky`` and ``folder/lenders``, those that were compiled from `compiled`."""
    for kind in LIST_KINDS:
        for file in loader.list_toml_files(folder / kind):
            yield from _read_list(file, f"{kind}/{file.name}", kind, problems, compiled, is_user_list=is_user_list)


def read_user_lists(path: Path, problems: Problems) -> Iterator[SignatureList]:
    """Yield the user's lists at `path`: a file, a folder of files, or a folder with ``risky`` and ``lenders``."""
    if not path.exists():
        problems.add("knowledge.not_there", file=str(path))
    elif (path / "risky").is_dir() or (path / "lenders").is_dir():
        yield from read_list_folder(path, problems, is_user_list=True)
    else:
        files = [path] if path.is_file() else loader.list_toml_files(path)
        if not files:
            problems.add("knowledge.no_lists", file=str(path))
        for file in files:
            yield from _read_list(file, str(file), None, problems, is_user_list=True)


def _read_list(
    file: Traversable,
    file_name: str,
    kind: ListKind | None,
    problems: Problems,
    compiled: CompiledFiles = NOT_COMPILED,
    *,
    is_user_list: bool,
) -> Iterator[SignatureList]:
    data, compiled_json = loader.read_compiled_toml(file, file_name, problems, compiled, kind or "risky")
    if data is None:
        return
    kind = kind or ("lenders" if _is_lender_list(data) else "risky")
    problem_count = len(problems)
    # Rows that were compiled are valid, and converted when they are used.
    head = {**data, "app": ()} if compiled_json else data
    parsed = loader.validate_data(SignatureFile, head, file_name, problems, SIGNATURE_KEYS)
    _check_source_keys(data.get("source"), kind, file_name, problems, is_user_list=is_user_list)
    if not compiled_json:
        _check_row_keys(data, kind, file_name, problems, is_user_list=is_user_list)
    if parsed is not None and len(problems) == problem_count:
        stem = file.name.removesuffix(".toml")
        yield SignatureList(
            id=f"own/{stem}" if is_user_list else stem,
            file=file_name,
            kind=kind,
            is_user_list=is_user_list,
            source=parsed.source,
            examples=parsed.example,
            toml_data=data,
            compiled_json=compiled_json,
        )


def _is_lender_list(data: dict[str, Any]) -> bool:
    """Return whether a list of the user, which may lie in any folder, is one of lenders: its keys tell."""
    source = data.get("source")
    if isinstance(source, dict) and not source.keys().isdisjoint(_RISKY_ONLY_KEYS):
        return False
    return any(isinstance(table, dict) and "status" in table for table in (source, *_raw_rows(data)))


def _raw_rows(data: dict[str, Any]) -> list[Any]:
    rows = data.get("app")
    return rows if isinstance(rows, list) else []


def _check_source_keys(source: object, kind: str, file_name: str, problems: Problems, *, is_user_list: bool) -> None:
    if not isinstance(source, dict):
        return  # already reported: missing, or not a table
    location: dict[str, MessageValue] = {"file": file_name, "where": loader.format_location(["source"]), "row": None}
    required = {"licence", "refreshed"} | (_RISKY_ONLY_KEYS if kind == "risky" else set())
    for key in sorted(required - source.keys()) if not is_user_list else ():
        problems.add("knowledge.missing_key", **location, key=key)
    misplaced = _LENDER_ONLY_KEYS if kind == "risky" else _RISKY_ONLY_KEYS
    for key in sorted(misplaced & source.keys()):
        problems.add("knowledge.misplaced_key", **location, key=key)
    if source.get("tier") == "own" and not is_user_list:
        problems.add("knowledge.choice", **location, key="tier", found="own", choices=("A", "B", "N"))


def _check_row_keys(data: dict[str, Any], kind: str, file_name: str, problems: Problems, *, is_user_list: bool) -> None:
    source = data.get("source")
    has_common_status = isinstance(source, dict) and "status" in source
    package_counts: Counter[str] = Counter()
    for index, row in enumerate(_raw_rows(data)):
        if not isinstance(row, dict):
            continue
        if not any(row.get(key) for key in ("package", "names", "sha256", "certificates")):
            problems.add("knowledge.names_nothing", **locate_row(file_name, "app", index))
        if kind == "lenders" and not (is_user_list or has_common_status or "status" in row):
            problems.add("knowledge.missing_key", **locate_row(file_name, "app", index), key="status")
        for key in sorted(_LENDER_ONLY_KEYS & row.keys()) if kind == "risky" else ():
            problems.add("knowledge.misplaced_key", **locate_row(file_name, "app", index), key=key)
        package = row.get("package")
        if isinstance(package, str):
            package_counts[package] += 1
            if package_counts[package] == 2:  # noqa: PLR2004 - reported once, however often it is repeated
                problems.add("knowledge.duplicate", **locate_row(file_name, "app", index), package=package)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureEntry:
    """The rows of one package name on all lists. A row without a package is an entry of its own."""

    row_refs: tuple[RowRef, ...]
    """Its rows, those of risky lists first."""

    @property
    def rows(self) -> tuple[SignatureRow, ...]:
        """Its row on each list."""
        return tuple(ref.row for ref in self.row_refs)

    @property
    def package(self) -> str | None:
        """Its package name; ``None`` where its list states none."""
        return self.rows[0].package

    @property
    def names(self) -> tuple[str, ...]:
        """All names that lists give it."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.names))

    @property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of its APKs and certificates."""
        return tuple(dict.fromkeys(digest for row in self.rows for digest in (*row.sha256, *row.certificates)))

    @property
    def countries(self) -> tuple[str, ...]:
        """Where it is offered, as far as the lists say."""
        return tuple(sorted({country for ref in self.row_refs for country in ref.countries}))

    @property
    def title(self) -> str:
        """What to display for it: package, else name, else the start of a digest."""
        return self.package or next(iter(self.names), None) or f"{self.hashes[0][:16]}…"


def group_entries(lists: Iterable[SignatureList]) -> tuple[SignatureEntry, ...]:
    """Group the rows of `lists` by app, sorted by package name; entries without a package come last."""
    grouped: defaultdict[tuple[str, ...], list[RowRef]] = defaultdict(list)
    for app_list in sorted(lists, key=lambda app_list: app_list.kind != "risky"):
        for ref in app_list.row_refs:
            key = (ref.row.package,) if ref.row.package else (app_list.id, str(ref.row_number))
            grouped[key].append(ref)
    entries = (SignatureEntry(row_refs=tuple(row_refs)) for row_refs in grouped.values())
    return tuple(sorted(entries, key=lambda entry: (entry.package is None, entry.title.casefold())))


def search_entries(
    entries: Iterable[SignatureEntry], words: Sequence[str], *, country: str | None, publisher: str | None
) -> tuple[SignatureEntry, ...]:
    """Return the entries that contain each of `words` in a package name, name, developer or digest.

    With `country`, only those that are offered there; with `publisher`, only those on a list with this text in its
    publisher or id. Case and accents are ignored, in any script: “prestamo” finds “Préstamo”.
    """
    folded_words = [_fold_text(word) for word in words]
    folded_publisher = _fold_text(publisher or "")
    found = []
    for entry in entries:
        texts = (entry.package, *entry.names, *entry.hashes, *(row.developer for row in entry.rows))
        publishers = (f"{ref.app_list.source.publisher} {ref.app_list.id}" for ref in entry.row_refs)
        if (
            all(any(word in _fold_text(text) for text in texts if text) for word in folded_words)
            and (country is None or country in entry.countries)
            and any(folded_publisher in _fold_text(text) for text in publishers)
        ):
            found.append(entry)
    return tuple(found)


def _fold_text(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in decomposed if unicodedata.category(char) != "Mn")
