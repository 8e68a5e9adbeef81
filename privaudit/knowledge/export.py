"""Lists in other forms: the TOML and JSON writers, a summary, and what the CSV and STIX importers share."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeVar

from privaudit.atomic_write import atomic_writer
from privaudit.errors import SignatureListError, UsageError
from privaudit.knowledge.index import FINDING_TIERS
from privaudit.knowledge.loader import Problems, validate_data
from privaudit.knowledge.schema import SIGNATURE_KEYS, ListSource, SignatureRow
from privaudit.knowledge.signatures import RowRef, SignatureEntry
from privaudit.model import Message, SignatureListInfo

EXPORT_SUFFIXES: Final = (".csv", ".json", ".stix2", ".zip")
"""What `signatures export` writes."""
SIGNATURES_SCHEMA: Final = "privaudit-signatures/1"
_LAST_CODE: Final = "ZZZ"
"""Sorts rows without a country behind all others."""
RowOrSource = TypeVar("RowOrSource", SignatureRow, ListSource)


def list_to_toml(source: ListSource, rows: Iterable[SignatureRow], comment: str = "") -> str:
    """Return the TOML of a list, with `comment` above it."""
    comment_lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    head = [*comment_lines, *([""] if comment else []), "[source]", *_toml_lines(source)]
    return "\n".join(head) + "\n" + "".join(f"\n{row_to_toml(row)}" for row in rows)


def row_to_toml(row: SignatureRow) -> str:
    """Return the TOML of one row."""
    return "\n".join(["[[app]]", *_toml_lines(row)]) + "\n"


def _toml_lines(table: ListSource | SignatureRow) -> Iterator[str]:
    for field in fields(table):
        value = getattr(table, field.name)
        if value is None or value is False or value == ():
            continue  # the default
        yield f"{field.name} = {_toml_value(value)}"


def _toml_value(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if value is True:
        return "true"
    # A JSON string is a TOML string, except that TOML requires DEL to be escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def entries_to_json(entries: Iterable[SignatureEntry], list_info: SignatureListInfo) -> str:
    """Return `entries` as a ``privaudit-signatures/1`` document. Unknown values are ``null`` or an empty list."""
    return _dump_document(list_info, signatures=[_entry_to_dict(entry) for entry in entries])


def _dump_document(list_info: SignatureListInfo, **content: list[dict[str, Any]]) -> str:
    document = {"schema": SIGNATURES_SCHEMA, "lists": asdict(list_info), **content}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _entry_to_dict(entry: SignatureEntry) -> dict[str, Any]:
    return {
        "package": entry.package,
        "names": list(entry.names),
        "countries": list(entry.countries),
        "apk_sha256": sorted({digest for row in entry.rows for digest in row.sha256}),
        "certificates_sha256": sorted({digest for row in entry.rows for digest in row.certificates}),
        "sources": [_row_to_dict(ref) for ref in entry.row_refs],
    }


def _row_to_dict(ref: RowRef) -> dict[str, Any]:
    row, app_list, source = ref.row, ref.app_list, ref.app_list.source
    return {
        "signature": ref.signature,
        "kind": app_list.kind,
        "tier": "own" if app_list.is_user_list else source.tier,
        "action": source.action,
        "publisher": source.publisher,
        "via": source.via,
        "title": source.title,
        "date": source.date,
        "country": source.country,
        "url": source.url,
        "status": ref.status,
        "confidence": ref.confidence,
        "developer": row.developer,
        "harms": list(row.harms),
        "disputed": row.disputed,
        "note": row.note,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSummaryRow:
    """What one publisher lists for one country, or all lists that make a finding together."""

    country: str | None
    """ISO 3166 code; ``None``: what the lists have for no country in particular."""
    tier: str | None
    """``None``: a list of lenders, or the row of all lists of tiers A and B."""
    publisher: str | None
    """``None``: all lists of tiers A and B."""
    packages: int
    names: int
    newest: str | None
    """Newest date of a list; ``None``: none has a date."""


def summarise_rows(refs: Iterable[RowRef], countries: Iterable[str]) -> Iterator[ListSummaryRow]:
    """Yield for each country the lists of tiers A and B together, then each publisher, the longest lists first.

    `countries` are told of even where no row is for them.
    """
    by_country: defaultdict[str | None, list[RowRef]] = defaultdict(list, {country: [] for country in countries})
    for ref in refs:
        for country in ref.countries or (None,):
            by_country[country].append(ref)
    for country in sorted(by_country, key=lambda code: code or _LAST_CODE):
        by_list: defaultdict[tuple[str | None, str], list[RowRef]] = defaultdict(list)
        for ref in by_country[country]:
            by_list[_tier(ref), ref.app_list.source.publisher].append(ref)
        yield _summarise(country, None, None, (ref for ref in by_country[country] if _tier(ref) in FINDING_TIERS))
        rows = [_summarise(country, tier, publisher, own) for (tier, publisher), own in by_list.items()]
        yield from sorted(rows, key=lambda row: (-row.packages, -row.names, row.publisher or "", row.tier or ""))


def summary_to_json(rows: Iterable[ListSummaryRow], list_info: SignatureListInfo) -> str:
    """Return the summary as a ``privaudit-signatures/1`` document."""
    return _dump_document(list_info, summary=[asdict(row) for row in rows])


def _tier(ref: RowRef) -> str | None:
    return "own" if ref.app_list.is_user_list else ref.app_list.source.tier


def _summarise(country: str | None, tier: str | None, publisher: str | None, refs: Iterable[RowRef]) -> ListSummaryRow:
    refs = tuple(refs)
    return ListSummaryRow(
        country=country,
        tier=tier,
        publisher=publisher,
        packages=len({ref.row.package for ref in refs if ref.row.package}),
        names=len({name for ref in refs for name in ref.row.names}),
        newest=max((ref.app_list.source.date or "" for ref in refs), default="") or None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedList:
    """A list that was read from another format."""

    source: ListSource
    rows: tuple[SignatureRow, ...]


def validate_row_or_source(
    table_type: type[RowOrSource], data: Mapping[str, Any], file_name: str, location: Message, problems: Problems
) -> RowOrSource | None:
    """Validate a row or source of another format, at `location` in its file; ``None`` where it is not valid."""
    table_problems = Problems()
    table = validate_data(table_type, data, file_name, table_problems, SIGNATURE_KEYS)
    problems += [Message(key=problem.key, values={**problem.values, "where": location}) for problem in table_problems]
    return table


def write_imported_lists(
    lists: Sequence[ImportedList], output: Path, source_file: Path
) -> Iterator[tuple[Path, ImportedList]]:
    """Write imported lists as TOML and yield each with its file. `source_file` is named in a comment.

    `output` is a ``.toml`` file for one list, or a folder for several. Raises `UsageError` for one file for several
    lists or a file that exists already, and `SignatureListError` or `SourceError` if something cannot be written.
    """
    is_file = output.suffix == ".toml"
    if is_file and len(lists) > 1:
        raise UsageError("errors.import_several", path=str(source_file), count=len(lists))
    targets = [output] if is_file else [output / f"{name}.toml" for name in _list_file_names(lists, source_file)]
    existing = next((path for path in targets if path.exists()), None)
    if existing is not None:
        raise UsageError("errors.list_exists", path=str(existing))
    if not is_file:
        try:
            output.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SignatureListError("errors.not_written", path=str(output), reason=reason) from error
    for path, imported in zip(targets, lists, strict=True):
        text = list_to_toml(imported.source, imported.rows, f"Imported from {source_file.name}.")
        write_file(path, text.encode())
        yield path, imported


def _list_file_names(lists: Sequence[ImportedList], source_file: Path) -> list[str]:
    """Return a name for each list: publisher and year, with a number where that is ambiguous."""
    fallback = _slugify(source_file.stem) or "list"
    names: list[str] = []
    for imported in lists:
        words = [_slugify(imported.source.publisher) or fallback, (imported.source.date or "")[:4]]
        name, number = "-".join(word for word in words if word), 2
        while name in names:
            name, number = f"{name.rstrip('0123456789-')}-{number}", number + 1
        names.append(name)
    return names


def _slugify(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:40]


def write_file(path: Path, data: bytes) -> None:
    """Write a file atomically. Raises `UsageError` if its folder does not exist, and `SourceError` if that fails."""
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))
    with atomic_writer(path) as stream:
        stream.write(data)
