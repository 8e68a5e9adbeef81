"""What importing from any format comes to: lists, each with its head and rows, checked one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from privaudit.knowledge.loader import Mistakes, validate
from privaudit.knowledge.schema import KEYS, Row, Source
from privaudit.model import Message

Table = TypeVar("Table", Row, Source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One list that was read from another format."""

    source: Source
    rows: tuple[Row, ...]


def checked(kind: type[Table], data: Mapping[str, Any], name: str, at: Message, mistakes: Mistakes) -> Table | None:
    """`data` as a row or a head; ``None`` where it does not fit, and all that is wrong, placed `at` a row of `name`."""
    wrong = Mistakes()
    made: Table | None = validate(_rows() if kind is Row else _sources(), data, name, wrong, KEYS)
    mistakes += [Message(key=one.key, values={**one.values, "where": at}) for one in wrong]
    return made


@cache
def _rows() -> TypeAdapter[Any]:
    return TypeAdapter(Row)


@cache
def _sources() -> TypeAdapter[Any]:
    return TypeAdapter(Source)
