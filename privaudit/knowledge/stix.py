"""Lists as STIX 2.1 bundles, in the form that MVT reads: indicators of one ``malware`` object for each list.

OASIS STIX 2.1: §4.7 indicator, §4.11 malware, §5.1 relationship, §9 patterns.
"""

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from privaudit.knowledge.export import ImportedList, validate_row_or_source
from privaudit.knowledge.loader import Problems
from privaudit.knowledge.schema import ListSource, MatchKind, SignatureRow
from privaudit.knowledge.signatures import RowRef, SignatureEntry, SignatureList
from privaudit.model import Message

_UUID_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "privaudit")
_OBJECT_PATH_BY_MATCH: Final[Mapping[MatchKind, str]] = {
    "package": "app:id",
    "apk_sha256": "file:hashes.sha256",
    "certificate": "app:cert.sha256",
}
_COMPARISON_REGEX: Final = (
    r"(app:id|app:cert\.sha256|file:hashes\.(?:sha256|'SHA-?256'|\"SHA-?256\"|SHA256))\s*=\s*'([^'\\]{1,255})'"
)
_COMPARISON: Final = re.compile(_COMPARISON_REGEX, re.IGNORECASE)
_STIX_PATTERN: Final = re.compile(
    rf"\s*\[\s*{_COMPARISON_REGEX}(?:\s*\]?\s+OR\s+\[?\s*{_COMPARISON_REGEX})*\s*\]\s*", re.IGNORECASE
)
_MAX_PATTERN_CHARS: Final = 65536
"""Characters of one pattern."""
_MAX_REASON_CHARS: Final = 120
"""Characters of a parser's message that a problem quotes."""


def exportable_entries(entries: Iterable[SignatureEntry]) -> tuple[SignatureEntry, ...]:
    """Return the entries with indicators. Rows with names alone, notices and lenders match no app or accuse none."""
    return tuple(entry for entry in entries if any(map(_is_indicator, entry.row_refs)))


def _is_indicator(ref: RowRef) -> bool:
    app_list = ref.app_list
    is_accusing = app_list.kind == "risky" and (app_list.source.tier in {"A", "B"} or app_list.is_user_list)
    return is_accusing and bool(ref.row.match_keys)


def entries_to_stix(entries: Iterable[SignatureEntry], fallback_date: str) -> str:
    """Return a STIX bundle. A list without a date has the date `fallback_date` (``YYYY-MM-DD``).

    Rows that are no indicators are left out. Those of a regulator (tier B) have the type ``unknown``, not malicious.
    """
    lists: dict[str, tuple[SignatureList, list[RowRef]]] = {}
    for entry in entries:
        for ref in filter(_is_indicator, entry.row_refs):
            lists.setdefault(ref.app_list.id, (ref.app_list, []))[1].append(ref)
    objects = {
        stix_object["id"]: stix_object
        for app_list, row_refs in lists.values()
        for stix_object in _stix_objects(app_list, row_refs, fallback_date)
    }
    bundle = {"type": "bundle", "id": _stix_id("bundle", *objects), "objects": [*objects.values()]}
    return json.dumps(bundle, ensure_ascii=False, indent=1) + "\n"


def _stix_objects(app_list: SignatureList, row_refs: Iterable[RowRef], fallback_date: str) -> Iterator[dict[str, Any]]:
    """Yield the publisher, the list, and an indicator with its relationship for each thing that a row matches."""
    source = app_list.source
    year, month, day = (*(source.date or fallback_date).split("-"), "01", "01")[:3]
    created, release_created = f"{year}-{month}-{day}T00:00:00.000Z", f"{fallback_date}T00:00:00.000Z"
    identity_id = _stix_id("identity", source.publisher)

    def stix_object(kind: str, *words: str, **values: object) -> dict[str, Any]:
        creator = {} if kind == "identity" else {"created_by_ref": identity_id}
        head = {"type": kind, "spec_version": "2.1", "id": _stix_id(kind, *words)}
        return {**head, "created": created, "modified": created, **creator, **values}

    reference = {"source_name": source.publisher, "description": source.title}
    reference |= {"url": source.url} if source.url else {}
    # A publisher of several lists is one object, so it has the date of the release rather than of one list.
    yield stix_object(
        "identity", source.publisher, name=source.publisher, created=release_created, modified=release_created
    )
    collection = stix_object(
        "malware",
        app_list.id,
        name=f"{source.publisher}: {source.title}",
        description=f"Named there as: {source.action or 'listed'}. Date of the list: {source.date or 'none'}."
        " An equal name need not be the same app.",
        is_family=True,
        external_references=[reference],
    )
    yield collection
    for ref in row_refs:
        for match_kind, value in ref.row.match_keys:
            indicator = stix_object(
                "indicator",
                app_list.id,
                match_kind,
                value,
                name=next(iter(ref.row.names), value),
                indicator_types=["malicious-activity" if source.tier == "A" else "unknown"],
                pattern=f"[{_OBJECT_PATH_BY_MATCH[match_kind]}='{value}']",
                pattern_type="stix",
                pattern_version="2.1",
                valid_from=created,
                labels=[ref.signature, *(["disputed"] if ref.row.disputed else [])],
            )
            yield indicator
            source_ref, target_ref = indicator["id"], collection["id"]
            ends = {"source_ref": source_ref, "target_ref": target_ref}
            yield stix_object("relationship", source_ref, target_ref, relationship_type="indicates", **ends)


def _stix_id(object_type: str, *words: str) -> str:
    return f"{object_type}--{uuid.uuid5(_UUID_NAMESPACE, ' '.join((object_type, *words)))}"


def parse_stix(
    data: bytes, file_name: str, problems: Problems, source_defaults: Mapping[str, str]
) -> tuple[tuple[ImportedList, ...], int]:
    """Return the lists in a STIX bundle, one for each named collection, and the number of skipped indicators.

    Indicators of anything but packages, APKs and certificates (domains, files, processes) are skipped. What the bundle
    does not state of a source is taken from `source_defaults`.
    """
    try:
        bundle = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        problems.add("knowledge.not_stix", file=file_name, reason=str(error)[:_MAX_REASON_CHARS])
        return (), 0
    raw_objects = bundle.get("objects") if isinstance(bundle, dict) else None
    if not isinstance(raw_objects, list):
        problems.add("knowledge.not_stix", file=file_name, reason="objects")
        return (), 0
    objects = {item["id"]: item for item in raw_objects if isinstance(item, dict) and isinstance(item.get("id"), str)}
    collections = {
        item.get("source_ref"): objects.get(str(item.get("target_ref")), {})
        for item in objects.values()
        if item.get("type") == "relationship" and item.get("relationship_type") == "indicates"
    }
    skipped = 0
    grouped: dict[tuple[str, str], dict[str, list[SignatureRow]]] = {}
    for number, item in enumerate(objects.values(), 1):
        if item.get("type") != "indicator":
            continue
        comparisons = _parse_pattern(item.get("pattern"))
        if not comparisons:
            skipped += 1
            continue
        creator = objects.get(str(item.get("created_by_ref")), {})
        publisher = str(creator.get("name") or source_defaults["publisher"])
        title = str(collections.get(item["id"], {}).get("name") or source_defaults["title"])
        day = str(item.get("valid_from", ""))[:10]
        for row in _indicator_rows(comparisons, item, file_name, number, problems):
            rows = grouped.setdefault((publisher, title), {}).setdefault(day, [])
            if row not in rows:
                rows.append(row)
    if not grouped and not problems:
        problems.add("knowledge.no_indicators", file=file_name, passed=skipped)
    return tuple(_merge_lists(grouped, source_defaults, file_name, problems)), skipped


def _parse_pattern(pattern: object) -> list[tuple[str, str]]:
    if not isinstance(pattern, str) or len(pattern) > _MAX_PATTERN_CHARS or not _STIX_PATTERN.fullmatch(pattern):
        return []
    return [(path.casefold(), value) for path, value in _COMPARISON.findall(pattern)]


def _indicator_rows(
    comparisons: list[tuple[str, str]],
    indicator: Mapping[str, Any],
    file_name: str,
    object_number: int,
    problems: Problems,
) -> Iterator[SignatureRow]:
    location = Message(key="knowledge.at_object", values={"row": object_number})
    for path, value in comparisons:
        row_values: dict[str, Any]
        if path == _OBJECT_PATH_BY_MATCH["package"]:
            name = str(indicator.get("name") or "").strip()
            row_values = {"package": value, "names": () if name in {"", value} else (name,)}
        else:
            row_values = {"certificates" if "cert" in path else "sha256": (value.lower(),)}
        if row := validate_row_or_source(SignatureRow, row_values, file_name, location, problems):
            yield row


def _merge_lists(
    grouped: Mapping[tuple[str, str], Mapping[str, list[SignatureRow]]],
    source_defaults: Mapping[str, str],
    file_name: str,
    problems: Problems,
) -> Iterator[ImportedList]:
    """Merge the rows of each publisher and title, by day, into one list, dated by its newest indicator."""
    for (publisher, title), rows_by_day in grouped.items():
        rows: list[SignatureRow] = []
        for rows_of_day in rows_by_day.values():
            packages = {row.package for row in rows if row.package}
            rows += [row for row in rows_of_day if row.package not in packages]
        newest = max(rows_by_day)
        date = {"date": newest} if re.fullmatch(r"\d{4}-\d\d-\d\d", newest) else {}
        values = {**date, **source_defaults, "publisher": publisher, "title": title}
        location = Message(key="knowledge.at_table", values={"table": title})
        if source := validate_row_or_source(ListSource, values, file_name, location, problems):
            yield ImportedList(source=source, rows=tuple(rows))
