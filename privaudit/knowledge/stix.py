"""Lists as STIX 2.1 indicators, in the shape that MVT reads: ``[app:id='…']`` and digests, tied to a named collection.

OASIS STIX 2.1: §4.7 indicator, §4.11 malware, §5.1 relationship, §9 patterns.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from privaudit.knowledge.entries import Entry
from privaudit.knowledge.imported import Imported, checked
from privaudit.knowledge.index import Place
from privaudit.knowledge.loader import Mistakes
from privaudit.knowledge.schema import Row, Source
from privaudit.knowledge.signatures import AppList
from privaudit.model import Message

_SPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "privaudit")
_PATHS: Final[Mapping[str, str]] = {
    "package": "app:id",
    "apk_sha256": "file:hashes.sha256",
    "certificate": "app:cert.sha256",
}
_ONE: Final = (
    r"(app:id|app:cert\.sha256|file:hashes\.(?:sha256|'SHA-?256'|\"SHA-?256\"|SHA256))\s*=\s*'([^'\\]{1,255})'"
)
_COMPARISON: Final = re.compile(_ONE, re.IGNORECASE)
_PATTERN: Final = re.compile(rf"\s*\[\s*{_ONE}(?:\s*\]?\s+OR\s+\[?\s*{_ONE})*\s*\]\s*", re.IGNORECASE)
_LONGEST: Final = 65536
"""Characters of one pattern."""


def writable(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Those that can be indicators: names alone, notices and lenders cannot, as they find nothing or accuse nobody."""
    return tuple(entry for entry in entries if any(map(_is_indicator, entry.places)))


def _is_indicator(place: Place) -> bool:
    part, number = place
    return (
        part.kind == "risky" and (part.source.tier in {"A", "B"} or part.own) and bool(part.rows[number - 1].found_by)
    )


def render(entries: Iterable[Entry], undated: str) -> str:
    """Tiers A and B as a bundle. What stands on a regulator's list is marked ``unknown``, not malicious.

    Args:
        entries: what to write, of which `writable` is written.
        undated: the day that stands for the date of a list that has none, ``YYYY-MM-DD``.
    """
    grouped: dict[str, tuple[AppList, list[Place]]] = {}
    for entry in entries:
        for place in filter(_is_indicator, entry.places):
            grouped.setdefault(place[0].id, (place[0], []))[1].append(place)
    objects = {one["id"]: one for part, places in grouped.values() for one in _objects(part, places, undated)}
    bundle = {"type": "bundle", "id": _id("bundle", *objects), "objects": [*objects.values()]}
    return json.dumps(bundle, ensure_ascii=False, indent=1) + "\n"


def _objects(part: AppList, places: Iterable[Place], undated: str) -> Iterator[dict[str, Any]]:
    source = part.source
    day = source.date or undated
    year, month, first = (*day.split("-"), "01", "01")[:3]
    moment, edition = f"{year}-{month}-{first}T00:00:00.000Z", f"{undated}T00:00:00.000Z"
    identity = _id("identity", source.publisher)

    def made(kind: str, *words: str, **values: object) -> dict[str, Any]:
        common = {"type": kind, "spec_version": "2.1", "id": _id(kind, *words), "created": moment, "modified": moment}
        return {**common, **({} if kind == "identity" else {"created_by_ref": identity}), **values}

    rows = [(part.rows[number - 1], number) for _, number in places]
    reference = {"source_name": source.publisher, "description": source.title}
    reference |= {"url": source.url} if source.url else {}
    # The same publisher stands on several lists: its object has the edition's date, whichever comes first.
    yield made("identity", source.publisher, name=source.publisher, created=edition, modified=edition)
    collection = made(
        "malware",
        part.id,
        name=f"{source.publisher}: {source.title}",
        description=f"Named there as: {source.action or 'listed'}. Date of the list: {source.date or 'none'}."
        " An equal name need not be the same app.",
        is_family=True,
        external_references=[reference],
    )
    yield collection
    for row, number in rows:
        for match, value in row.found_by:
            indicator = made(
                "indicator",
                part.id,
                match,
                value,
                name=next(iter(row.names), value),
                indicator_types=["malicious-activity" if source.tier == "A" else "unknown"],
                pattern=f"[{_PATHS[match]}='{value}']",
                pattern_type="stix",
                pattern_version="2.1",
                valid_from=moment,
                labels=[f"{part.id}#{number}", *(["disputed"] if row.disputed else [])],
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


def _id(kind: str, *words: str) -> str:
    return f"{kind}--{uuid.uuid5(_SPACE, ' '.join((kind, *words)))}"


def read(data: bytes, name: str, mistakes: Mistakes, defaults: Mapping[str, str]) -> tuple[tuple[Imported, ...], int]:
    """The lists in a bundle, one for each named collection, and how many indicators were passed over.

    Passed over is what says something else than a package, an APK or a certificate (domains, files, processes).
    """
    try:
        bundle = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        mistakes.add("knowledge.not_stix", file=name, reason=str(error)[:120])
        return (), 0
    objects = bundle.get("objects") if isinstance(bundle, dict) else None
    if not isinstance(objects, list):
        mistakes.add("knowledge.not_stix", file=name, reason="objects")
        return (), 0
    known = {one["id"]: one for one in objects if isinstance(one, dict) and isinstance(one.get("id"), str)}
    meant = {
        one.get("source_ref"): known.get(str(one.get("target_ref")), {})
        for one in known.values()
        if one.get("type") == "relationship" and one.get("relationship_type") == "indicates"
    }
    passed = 0
    grouped: dict[tuple[str, str, str], list[Row]] = {}
    for number, one in enumerate(known.values(), 1):
        if one.get("type") != "indicator":
            continue
        values = _values(one.get("pattern"))
        if not values:
            passed += 1
            continue
        maker = known.get(str(one.get("created_by_ref")), {})
        title = str(meant.get(one["id"], {}).get("name") or defaults["title"])
        key = (str(maker.get("name") or defaults["publisher"]), title, str(one.get("valid_from", ""))[:10])
        for row in _rows(values, one, name, number, mistakes):
            rows = grouped.setdefault(key, [])
            if row not in rows:
                rows.append(row)
    if not grouped and not mistakes:
        mistakes.add("knowledge.no_indicators", file=name, passed=passed)
    return tuple(_lists(grouped, defaults, name, mistakes)), passed


def _values(pattern: object) -> list[tuple[str, str]]:
    if not isinstance(pattern, str) or len(pattern) > _LONGEST or not _PATTERN.fullmatch(pattern):
        return []
    return [(path.casefold(), value) for path, value in _COMPARISON.findall(pattern)]


def _rows(
    values: list[tuple[str, str]], one: Mapping[str, Any], name: str, number: int, mistakes: Mistakes
) -> Iterator[Row]:
    for path, value in values:
        row: dict[str, Any] = {}
        if path == "app:id":
            called = str(one.get("name") or "").strip()
            row = {"package": value, **({"names": (called,)} if called and called != value else {})}
        else:
            row = {"certificates" if "cert" in path else "sha256": (value.lower(),)}
        made = checked(Row, row, name, Message(key="knowledge.at_object", values={"row": number}), mistakes)
        if made is not None:
            yield made


def _lists(
    grouped: Mapping[tuple[str, str, str], list[Row]], defaults: Mapping[str, str], name: str, mistakes: Mistakes
) -> Iterator[Imported]:
    merged: dict[tuple[str, str], tuple[set[str], list[Row]]] = {}
    for (publisher, title, day), rows in grouped.items():
        days, every = merged.setdefault((publisher, title), (set(), []))
        days.add(day)
        packages = {row.package for row in every if row.package}
        every += [row for row in rows if row.package not in packages]
    for (publisher, title), (days, rows) in merged.items():
        dated = {"date": max(days)} if re.fullmatch(r"\d{4}-\d\d-\d\d", max(days)) else {}
        head = {**dated, **defaults, "publisher": publisher, "title": title}
        source = checked(Source, head, name, Message(key="knowledge.at_table", values={"table": title}), mistakes)
        if source is not None:
            yield Imported(source=source, rows=tuple(rows))
