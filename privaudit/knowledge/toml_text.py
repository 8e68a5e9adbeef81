"""Writes lists as the TOML that people edit. Reading it back gives the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields

from privaudit.knowledge.schema import ListSource, SignatureRow


def list_to_toml(source: ListSource, rows: Iterable[SignatureRow], comment: str = "") -> str:
    """A whole file."""
    parts = [*(f"# {line}".rstrip() for line in comment.splitlines()), *([""] if comment else [])]
    return (
        "\n".join([*parts, "[source]", *_toml_lines(source)]) + "\n" + "".join(f"\n{row_to_toml(row)}" for row in rows)
    )


def row_to_toml(row: SignatureRow) -> str:
    """One row."""
    return "\n".join(["[[app]]", *_toml_lines(row)]) + "\n"


def _toml_lines(table: ListSource | SignatureRow) -> Iterator[str]:
    for field in fields(table):
        value = getattr(table, field.name)
        if value is None or value is False or value == ():
            continue  # left out, as a person would
        yield f"{field.name} = {_toml_value(value)}"


def _toml_value(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if value is True:
        return "true"
    # JSON's strings are TOML's, but for one character that TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
