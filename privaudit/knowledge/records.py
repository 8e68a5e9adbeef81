"""Lists as JSON: one object for each app, with every source that names it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from privaudit.knowledge.entries import SignatureEntry
from privaudit.model import SignatureListInfo

SIGNATURES_SCHEMA: Final = "privaudit-signatures/1"
_SOURCE_KEYS: Final = ("action", "publisher", "via", "title", "date", "country", "url", "licence")


def entries_to_json(entries: Iterable[SignatureEntry], list_info: SignatureListInfo) -> str:
    """The whole document. What is not known is ``null`` or an empty list."""
    document = {
        "schema": SIGNATURES_SCHEMA,
        "lists": asdict(list_info),
        "signatures": [_entry_to_dict(entry) for entry in entries],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _entry_to_dict(entry: SignatureEntry) -> dict[str, Any]:
    sources = []
    for part, number in entry.row_refs:
        row, source = part.rows[number - 1], part.source
        sources.append(
            {
                "signature": f"{part.id}#{number}",
                "kind": part.kind,
                "tier": "own" if part.is_user_list else source.tier,
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
