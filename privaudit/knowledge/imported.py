"""What importing from any format comes to: lists, each with its head and rows, checked one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from privaudit.knowledge.loader import Problems, validate_data
from privaudit.knowledge.schema import SIGNATURE_KEYS, ListSource, SignatureRow
from privaudit.model import Message

RowOrSource = TypeVar("RowOrSource", SignatureRow, ListSource)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedList:
    """One list that was read from another format."""

    source: ListSource
    rows: tuple[SignatureRow, ...]


def validate_row_or_source(
    table_type: type[RowOrSource], data: Mapping[str, Any], file_name: str, location: Message, problems: Problems
) -> RowOrSource | None:
    """`data` as a row or a head; ``None`` where it does not fit, and all that is wrong, placed `location` a row of `file_name`."""
    wrong = Problems()
    made: RowOrSource | None = validate_data(
        _row_adapter() if table_type is SignatureRow else _source_adapter(), data, file_name, wrong, SIGNATURE_KEYS
    )
    problems += [Message(key=one.key, values={**one.values, "where": location}) for one in wrong]
    return made


@cache
def _row_adapter() -> TypeAdapter[Any]:
    return TypeAdapter(SignatureRow)


@cache
def _source_adapter() -> TypeAdapter[Any]:
    return TypeAdapter(ListSource)
