"""Writes lists as the TOML that people edit. Reading it back gives the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields

from privaudit.knowledge.schema import Row, Source


def render(source: Source, rows: Iterable[Row], comment: str = "") -> str:
    """A whole file."""
    parts = [*(f"# {line}".rstrip() for line in comment.splitlines()), *([""] if comment else [])]
    return "\n".join([*parts, "[source]", *_lines(source)]) + "\n" + "".join(f"\n{app(row)}" for row in rows)


def app(row: Row) -> str:
    """One row."""
    return "\n".join(["[[app]]", *_lines(row)]) + "\n"


def _lines(table: Source | Row) -> Iterator[str]:
    for field in fields(table):
        value = getattr(table, field.name)
        if value is None or value is False or value == ():
            continue  # left out, as a person would
        yield f"{field.name} = {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if value is True:
        return "true"
    # JSON's strings are TOML's, but for one character that TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
