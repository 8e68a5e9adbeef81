"""Lists as JSON: one object for each app, with every source that names it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from privaudit.knowledge.entries import Entry
from privaudit.model import ListStamp

SCHEMA: Final = "privaudit-signatures/1"
_OF_LIST: Final = ("action", "publisher", "via", "title", "date", "country", "url", "licence")


def render(entries: Iterable[Entry], stamp: ListStamp) -> str:
    """The whole document. What is not known is ``null`` or an empty list."""
    document = {"schema": SCHEMA, "lists": asdict(stamp), "signatures": [_signature(entry) for entry in entries]}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _signature(entry: Entry) -> dict[str, Any]:
    sources = []
    for part, number in entry.places:
        row, source = part.rows[number - 1], part.source
        sources.append(
            {
                "signature": f"{part.id}#{number}",
                "kind": part.kind,
                "tier": "own" if part.own else source.tier,
                **{
                    key: getattr(source, key)
                    for key in ("action", "publisher", "via", "title", "date", "country", "url")
                },
                "status": row.status or source.status,
                "confidence": row.confidence or source.confidence,
                "developer": row.developer,
                "harms": list(row.harms),
                "disputed": row.disputed,
                "note": row.note,
            }
        )
    return {
        "package": entry.package,
        "names": list(entry.names),
        "countries": list(entry.countries),
        "apk_sha256": sorted({digest for row in entry.rows for digest in row.sha256}),
        "certificates_sha256": sorted({digest for row in entry.rows for digest in row.certificates}),
        "sources": sources,
    }
