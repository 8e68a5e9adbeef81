"""Lists as a table (CSV): as Excel saves it, with heads in English or Chinese, and every mistake with its row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from privaudit.knowledge.entries import Entry
from privaudit.knowledge.imported import Imported, checked
from privaudit.knowledge.loader import Mistakes, similar
from privaudit.knowledge.schema import Row, Source
from privaudit.model import Message

_APP: Final[Mapping[str, str]] = {
    "package": "包名",
    "names": "名称",
    "developer": "开发者",
    "countries": "国家",
    "sha256": "文件哈希",
    "certificates": "证书",
    "harms": "行为",
    "disputed": "有争议",
    "note": "备注",
}
_LIST: Final[Mapping[str, str]] = {
    "publisher": "发布者",
    "via": "转载",
    "title": "名单标题",
    "url": "网址",
    "date": "日期",
    "country": "名单国家",
    "licence": "许可",
    "tier": "级别",
    "action": "原文措辞",
    "status": "身份",
    "confidence": "可信度",
}
HEADS: Final[Mapping[str, str]] = {**_APP, **_LIST}
"""Key → its Chinese head."""
_MEANT: Final[Mapping[str, str]] = {
    **{head: key for key, head in HEADS.items()},
    **{key: key for key in HEADS},
    "package name": "package",
    "应用包名": "package",
    "name": "names",
    "app": "names",
    "app name": "names",
    "应用名称": "names",
    "应用": "names",
    "license": "licence",
    "source": "publisher",
    "来源": "publisher",
}
_MANY: Final = frozenset({"names", "countries", "sha256", "certificates", "harms"})
_YES: Final = frozenset({"true", "yes", "1", "是", "x"})
_NO: Final = frozenset({"", "false", "no", "0", "否"})
_DAY: Final = re.compile(r"(\d{4})(?:[-/.年](\d{1,2}))?(?:[-/.月](\d{1,2}))?[日月年]?")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
MOST_ROWS: Final = 100_000


def template(*, chinese: bool) -> str:
    """A table with one row to show how it is meant; with a byte order mark, or Excel takes it for another code."""
    row = {"package": "com.example.loan", "names": "Example Loan; 例子贷款", "countries": "KE", "date": "2025-06-26"}
    row |= {"publisher": "Who made the list", "title": "What the list is called", "url": "https://example.org/list"}
    heads = list(HEADS.values()) if chinese else list(HEADS)
    return "\ufeff" + _table([heads, [row.get(key, "") for key in HEADS]])


def render(entries: Iterable[Entry]) -> str:
    """One row for each list on which an app stands."""
    rows = [list(HEADS)]
    for entry in entries:
        for part, number in entry.places:
            row, source = part.rows[number - 1], part.source
            values = {key: getattr(row, key) for key in _APP} | {key: getattr(source, key) for key in _LIST}
            values |= {key: getattr(row, key) or values[key] for key in ("status", "confidence")}
            rows.append([_cell(values[key]) for key in HEADS])
    return "\ufeff" + _table(rows)


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        value = "; ".join(str(one).replace(";", ",") for one in value)
    text = "" if value is None or value is False else "yes" if value is True else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text  # else a spreadsheet would run it


def _table(rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def read(data: bytes, name: str, mistakes: Mistakes, defaults: Mapping[str, str]) -> tuple[Imported, ...]:
    """The lists in a table: rows of one source become one list. What is wrong goes to `mistakes`, with its row.

    Args:
        data: as Excel saves it: UTF-8 with or without a byte order mark, UTF-16, or GB18030.
        name: what the file is called when something is wrong.
        mistakes: takes what is wrong.
        defaults: what its rows say of their source where they say nothing.
    """
    text = _decode(data, name, mistakes)
    if text is None:
        return ()
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))[: MOST_ROWS + 2]
    except csv.Error as error:
        mistakes.add("knowledge.not_table", file=name, reason=str(error))
        return ()
    keys = _keys(rows[0] if rows else [], name, mistakes)
    if len(rows) > MOST_ROWS + 1:
        mistakes.add("knowledge.too_many_rows", file=name, most=MOST_ROWS)
    if mistakes:
        return ()
    found: dict[Source, list[Row]] = {}
    for number, cells in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in cells):
            _row(dict(zip(keys, cells, strict=False)), name, number, mistakes, defaults, found)
    if not found and not mistakes:
        mistakes.add("knowledge.no_rows", file=name)
    return tuple(Imported(source=source, rows=tuple(rows)) for source, rows in found.items())


def _decode(data: bytes, name: str, mistakes: Mistakes) -> str | None:
    codes = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for code in codes:
        try:
            return data.decode(code)
        except UnicodeDecodeError:
            continue
    mistakes.add("knowledge.encoding_table", file=name)
    return None


def _keys(heads: list[str], name: str, mistakes: Mistakes) -> list[str]:
    keys = []
    for column, head in enumerate(heads, 1):
        bare = " ".join(head.strip().casefold().replace("_", " ").split())
        key = _MEANT.get(bare, "")
        if bare and not key:
            mistakes.add(
                "knowledge.unknown_head", file=name, column=column, found=head[:40], similar=similar(bare, _MEANT)
            )
        elif key and key in keys:
            mistakes.add("knowledge.head_twice", file=name, column=column, found=head[:40])
        keys.append(key)
    if not {"package", "sha256", "certificates", "names"} & set(keys) and not mistakes:
        mistakes.add("knowledge.no_heads", file=name, heads=tuple(f"{key} ({head})" for key, head in HEADS.items()))
    return keys


def _row(
    cells: Mapping[str, str],
    name: str,
    number: int,
    mistakes: Mistakes,
    defaults: Mapping[str, str],
    found: dict[Source, list[Row]],
) -> None:
    at = Message(key="knowledge.at_line", values={"row": number})
    app = {key: value for key in _APP if (value := _value(key, cells.get(key, ""))) not in {"", (), False}}
    of_list = {key: value for key in _LIST if (value := _value(key, cells.get(key, ""))) != ""}
    before = len(mistakes)
    row = checked(Row, app, name, at, mistakes)
    source = checked(Source, {**defaults, **of_list}, name, at, mistakes)
    if row is None or source is None:
        return
    if not (row.found_by or row.names):
        mistakes.add("knowledge.names_nothing", file=name, where=at)
    if row.package and row.package in {one.package for one in found.get(source, ())}:
        mistakes.add("knowledge.duplicate", file=name, where=at, package=row.package)
    if len(mistakes) == before:
        found.setdefault(source, []).append(row)


def _value(key: str, cell: str) -> Any:  # noqa: ANN401 - what pydantic shall judge
    text = cell.strip()
    text = text[1:] if text.startswith("'") and text[1:2] in _FORMULA else text
    if key in _MANY:
        parts = (part.strip() for part in re.split("[;；、\n]" if key != "names" else "[;；\n]", text))
        return tuple(part.lower() if key in {"sha256", "certificates"} else part for part in parts if part)
    if key == "disputed":
        bare = text.casefold()
        return True if bare in _YES else False if bare in _NO else text
    if key == "date" and (day := _DAY.fullmatch(text)):
        return "-".join(part.zfill(2) for part in day.groups() if part)
    return text.upper() if key == "country" else text
