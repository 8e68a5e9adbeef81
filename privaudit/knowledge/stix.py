"""Lists as STIX 2.1 indicators, in the shape that MVT reads: ``[app:id='…']`` and digests, tied to a named collection.

OASIS STIX 2.1: §4.7 indicator, §4.11 malware, §5.1 relationship, §9 patterns.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from privaudit.knowledge.export import ImportedList, validate_row_or_source
from privaudit.knowledge.loader import Problems
from privaudit.knowledge.schema import ListSource, SignatureRow
from privaudit.knowledge.signatures import RowRef, SignatureEntry, SignatureList
from privaudit.model import Message

_UUID_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "privaudit")
_OBJECT_PATHS: Final[Mapping[str, str]] = {
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


def exportable_entries(entries: Iterable[SignatureEntry]) -> tuple[SignatureEntry, ...]:
    """Those that can be indicators: names alone, notices and lenders cannot, as they find nothing or accuse nobody."""
    return tuple(entry for entry in entries if any(map(_is_indicator, entry.row_refs)))


def _is_indicator(row_ref: RowRef) -> bool:
    part, number = row_ref
    return (
        part.kind == "risky"
        and (part.source.tier in {"A", "B"} or part.is_user_list)
        and bool(part.rows[number - 1].match_keys)
    )


def entries_to_stix(entries: Iterable[SignatureEntry], fallback_date: str) -> str:
    """Tiers A and B as a bundle. What stands on a regulator's list is marked ``unknown``, not malicious.

    Args:
        entries: what to write, of which `exportable_entries` is written.
        fallback_date: the day that stands for the date of a list that has none, ``YYYY-MM-DD``.
    """
    grouped: dict[str, tuple[SignatureList, list[RowRef]]] = {}
    for entry in entries:
        for place in filter(_is_indicator, entry.row_refs):
            grouped.setdefault(place[0].id, (place[0], []))[1].append(place)
    objects = {
        one["id"]: one for part, places in grouped.values() for one in _stix_objects(part, places, fallback_date)
    }
    bundle = {"type": "bundle", "id": _stix_id("bundle", *objects), "objects": [*objects.values()]}
    return json.dumps(bundle, ensure_ascii=False, indent=1) + "\n"


def _stix_objects(
    signature_list: SignatureList, row_refs: Iterable[RowRef], fallback_date: str
) -> Iterator[dict[str, Any]]:
    source = signature_list.source
    day = source.date or fallback_date
    year, month, first = (*day.split("-"), "01", "01")[:3]
    moment, edition = f"{year}-{month}-{first}T00:00:00.000Z", f"{fallback_date}T00:00:00.000Z"
    identity = _stix_id("identity", source.publisher)

    def made(kind: str, *words: str, **values: object) -> dict[str, Any]:
        common = {
            "type": kind,
            "spec_version": "2.1",
            "id": _stix_id(kind, *words),
            "created": moment,
            "modified": moment,
        }
        return {**common, **({} if kind == "identity" else {"created_by_ref": identity}), **values}

    rows = [(signature_list.rows[number - 1], number) for _, number in row_refs]
    reference = {"source_name": source.publisher, "description": source.title}
    reference |= {"url": source.url} if source.url else {}
    # The same publisher stands on several lists: its object has the edition's date, whichever comes first.
    yield made("identity", source.publisher, name=source.publisher, created=edition, modified=edition)
    collection = made(
        "malware",
        signature_list.id,
        name=f"{source.publisher}: {source.title}",
        description=f"Named there as: {source.action or 'listed'}. Date of the list: {source.date or 'none'}."
        " An equal name need not be the same app.",
        is_family=True,
        external_references=[reference],
    )
    yield collection
    for row, number in rows:
        for match, value in row.match_keys:
            indicator = made(
                "indicator",
                signature_list.id,
                match,
                value,
                name=next(iter(row.names), value),
                indicator_types=["malicious-activity" if source.tier == "A" else "unknown"],
                pattern=f"[{_OBJECT_PATHS[match]}='{value}']",
                pattern_type="stix",
                pattern_version="2.1",
                valid_from=moment,
                labels=[f"{signature_list.id}#{number}", *(["disputed"] if row.disputed else [])],
            )
            yield indicator
            yield made(
                "relationship",
                indicator["id"],
                collection["id"],
                relationship_type="indicates",
                source_ref=indicator["id"],
                target_ref=collection["id"],
            )


def _stix_id(object_type: str, *words: str) -> str:
    return f"{object_type}--{uuid.uuid5(_UUID_NAMESPACE, ' '.join((object_type, *words)))}"


def parse_stix(
    data: bytes, file_name: str, problems: Problems, source_defaults: Mapping[str, str]
) -> tuple[tuple[ImportedList, ...], int]:
    """The lists in a bundle, one for each named collection, and how many indicators were passed over.

    Passed over is what says something else than a package, an APK or a certificate (domains, files, processes).
    """
    try:
        bundle = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        problems.add("knowledge.not_stix", file=file_name, reason=str(error)[:120])
        return (), 0
    objects = bundle.get("objects") if isinstance(bundle, dict) else None
    if not isinstance(objects, list):
        problems.add("knowledge.not_stix", file=file_name, reason="objects")
        return (), 0
    known = {one["id"]: one for one in objects if isinstance(one, dict) and isinstance(one.get("id"), str)}
    meant = {
        one.get("source_ref"): known.get(str(one.get("target_ref")), {})
        for one in known.values()
        if one.get("type") == "relationship" and one.get("relationship_type") == "indicates"
    }
    passed = 0
    grouped: dict[tuple[str, str, str], list[SignatureRow]] = {}
    for number, one in enumerate(known.values(), 1):
        if one.get("type") != "indicator":
            continue
        values = _parse_pattern(one.get("pattern"))
        if not values:
            passed += 1
            continue
        maker = known.get(str(one.get("created_by_ref")), {})
        title = str(meant.get(one["id"], {}).get("name") or source_defaults["title"])
        key = (str(maker.get("name") or source_defaults["publisher"]), title, str(one.get("valid_from", ""))[:10])
        for row in _indicator_rows(values, one, file_name, number, problems):
            rows = grouped.setdefault(key, [])
            if row not in rows:
                rows.append(row)
    if not grouped and not problems:
        problems.add("knowledge.no_indicators", file=file_name, passed=passed)
    return tuple(_merge_lists(grouped, source_defaults, file_name, problems)), passed


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
    for path, value in comparisons:
        row: dict[str, Any] = {}
        if path == "app:id":
            called = str(indicator.get("name") or "").strip()
            row = {"package": value, **({"names": (called,)} if called and called != value else {})}
        else:
            row = {"certificates" if "cert" in path else "sha256": (value.lower(),)}
        made = validate_row_or_source(
            SignatureRow, row, file_name, Message(key="knowledge.at_object", values={"row": object_number}), problems
        )
        if made is not None:
            yield made


def _merge_lists(
    grouped: Mapping[tuple[str, str, str], list[SignatureRow]],
    source_defaults: Mapping[str, str],
    file_name: str,
    problems: Problems,
) -> Iterator[ImportedList]:
    merged: dict[tuple[str, str], tuple[set[str], list[SignatureRow]]] = {}
    for (publisher, title, day), rows in grouped.items():
        days, every = merged.setdefault((publisher, title), (set(), []))
        days.add(day)
        packages = {row.package for row in every if row.package}
        every += [row for row in rows if row.package not in packages]
    for (publisher, title), (days, rows) in merged.items():
        dated = {"date": max(days)} if re.fullmatch(r"\d{4}-\d\d-\d\d", max(days)) else {}
        head = {**dated, **source_defaults, "publisher": publisher, "title": title}
        source = validate_row_or_source(
            ListSource, head, file_name, Message(key="knowledge.at_table", values={"table": title}), problems
        )
        if source is not None:
            yield ImportedList(source=source, rows=tuple(rows))
