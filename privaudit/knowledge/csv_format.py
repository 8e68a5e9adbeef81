"""Lists as CSV, as spreadsheets save it: with headers in English or Chinese, and every problem with its row."""

import contextlib
import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from privaudit.knowledge.export import ImportedList, validate_row_or_source
from privaudit.knowledge.loader import Problems, suggest_similar
from privaudit.knowledge.schema import ListSource, SignatureRow
from privaudit.knowledge.signatures import SignatureEntry
from privaudit.model import Message

_ROW_HEADERS: Final[Mapping[str, str]] = {
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
_SOURCE_HEADERS: Final[Mapping[str, str]] = {
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
COLUMN_HEADERS: Final[Mapping[str, str]] = {**_ROW_HEADERS, **_SOURCE_HEADERS}
"""Key → its Chinese column header."""
_HEADER_ALIASES: Final[Mapping[str, str]] = {
    **{header: key for key, header in COLUMN_HEADERS.items()},
    **{key: key for key in COLUMN_HEADERS},
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
"""Column header, in lower case → key."""
_MULTI_VALUE_KEYS: Final = frozenset({"names", "countries", "sha256", "certificates", "harms"})
"""Keys with several values in one cell."""
_TRUE_CELLS: Final = frozenset({"true", "yes", "1", "是", "x"})
_FALSE_CELLS: Final = frozenset({"", "false", "no", "0", "否"})
_DATE_CELL: Final = re.compile(r"(\d{4})(?:[-/.年](\d{1,2}))?(?:[-/.月](\d{1,2}))?[日月年]?")
_FORMULA_PREFIXES: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a cell that begins with one of these as a formula."""
_BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it, Excel takes UTF-8 for the system's code page."""
_MAX_SHOWN_CHARS: Final = 40
"""Characters of a header that a problem quotes."""
MAX_ROWS: Final = 100_000


def csv_template(*, chinese: bool) -> str:
    """Return a CSV with headers and one example row."""
    row = {"package": "com.example.loan", "names": "Example Loan; 例子贷款", "countries": "KE", "date": "2025-06-26"}
    row |= {"publisher": "Who made the list", "title": "What the list is called", "url": "https://example.org/list"}
    headers = list(COLUMN_HEADERS.values()) if chinese else list(COLUMN_HEADERS)
    return _BYTE_ORDER_MARK + _rows_to_csv([headers, [row.get(key, "") for key in COLUMN_HEADERS]])


def entries_to_csv(entries: Iterable[SignatureEntry]) -> str:
    """Return a CSV with one row for each app and list."""
    rows = [list(COLUMN_HEADERS)]
    for entry in entries:
        for ref in entry.row_refs:
            row, source = ref.row, ref.app_list.source
            values = {key: getattr(row, key) for key in _ROW_HEADERS}
            values |= {key: getattr(source, key) for key in _SOURCE_HEADERS}
            values |= {"status": ref.status, "confidence": ref.confidence}
            rows.append([_format_cell(values[key]) for key in COLUMN_HEADERS])
    return _BYTE_ORDER_MARK + _rows_to_csv(rows)


def _format_cell(value: object) -> str:
    if isinstance(value, tuple):
        value = "; ".join(str(item).replace(";", ",") for item in value)
    text = "" if value is None or value is False else "yes" if value is True else str(value)
    return f"'{text}" if text.startswith(_FORMULA_PREFIXES) else text


def _rows_to_csv(rows: Iterable[Iterable[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue()


def parse_csv(
    data: bytes, file_name: str, problems: Problems, source_defaults: Mapping[str, str]
) -> tuple[ImportedList, ...]:
    """Return the lists in a CSV: the rows of each source are one list.

    The CSV is in UTF-8 with or without a byte order mark, UTF-16, or GB18030, with commas, semicolons or tabs. What a
    row does not state of its source is taken from `source_defaults`.
    """
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            break
    else:
        problems.add("knowledge.encoding_table", file=file_name)
        return ()
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))[: MAX_ROWS + 2]
    except csv.Error as error:
        problems.add("knowledge.not_table", file=file_name, reason=str(error))
        return ()
    keys = _map_headers(rows[0] if rows else [], file_name, problems)
    if len(rows) > MAX_ROWS + 1:
        problems.add("knowledge.too_many_rows", file=file_name, most=MAX_ROWS)
    if problems:
        return ()
    rows_by_source: dict[ListSource, list[SignatureRow]] = {}
    for number, cells in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in cells):
            cells_by_key = dict(zip(keys, cells, strict=False))
            _parse_row(cells_by_key, file_name, number, problems, source_defaults, rows_by_source)
    if not rows_by_source and not problems:
        problems.add("knowledge.no_rows", file=file_name)
    return tuple(ImportedList(source=source, rows=tuple(rows)) for source, rows in rows_by_source.items())


def _map_headers(headers: list[str], file_name: str, problems: Problems) -> list[str]:
    """Return the key of each column, ``""`` for an empty header."""
    keys = []
    for column, header in enumerate(headers, 1):
        folded = " ".join(header.strip().casefold().replace("_", " ").split())
        key = _HEADER_ALIASES.get(folded, "")
        shown = header[:_MAX_SHOWN_CHARS]
        if folded and not key:
            similar = suggest_similar(folded, _HEADER_ALIASES)
            problems.add("knowledge.unknown_head", file=file_name, column=column, found=shown, similar=similar)
        elif key and key in keys:
            problems.add("knowledge.head_twice", file=file_name, column=column, found=shown)
        keys.append(key)
    if not {"package", "sha256", "certificates", "names"} & set(keys) and not problems:
        known_headers = tuple(f"{key} ({header})" for key, header in COLUMN_HEADERS.items())
        problems.add("knowledge.no_heads", file=file_name, heads=known_headers)
    return keys


def _parse_row(
    cells: Mapping[str, str],
    file_name: str,
    row_number: int,
    problems: Problems,
    source_defaults: Mapping[str, str],
    rows_by_source: dict[ListSource, list[SignatureRow]],
) -> None:
    """Add the row to the list of its source, or what is wrong with it to `problems`."""
    location = Message(key="knowledge.at_line", values={"row": row_number})
    values = {key: _parse_cell(key, cells.get(key, "")) for key in COLUMN_HEADERS}
    row_values = {key: values[key] for key in _ROW_HEADERS if values[key] not in {"", (), False}}
    source_values = {key: values[key] for key in _SOURCE_HEADERS if values[key] != ""}
    problem_count = len(problems)
    row = validate_row_or_source(SignatureRow, row_values, file_name, location, problems)
    source = validate_row_or_source(ListSource, {**source_defaults, **source_values}, file_name, location, problems)
    if row is None or source is None:
        return
    if not (row.match_keys or row.names):
        problems.add("knowledge.names_nothing", file=file_name, where=location)
    if row.package and any(row.package == other.package for other in rows_by_source.get(source, ())):
        problems.add("knowledge.duplicate", file=file_name, where=location, package=row.package)
    if len(problems) == problem_count:
        rows_by_source.setdefault(source, []).append(row)


def _parse_cell(key: str, cell: str) -> Any:  # noqa: ANN401 - pydantic validates it
    text = cell.strip()
    text = text[1:] if text.startswith("'") and text[1:2] in _FORMULA_PREFIXES else text
    if key in _MULTI_VALUE_KEYS:
        parts = (part.strip() for part in re.split("[;；、\n]" if key != "names" else "[;；\n]", text))
        return tuple(part.lower() if key in {"sha256", "certificates"} else part for part in parts if part)
    if key == "disputed":
        folded = text.casefold()
        return True if folded in _TRUE_CELLS else False if folded in _FALSE_CELLS else text
    if key == "date" and (date := _DATE_CELL.fullmatch(text)):
        return "-".join(part.zfill(2) for part in date.groups() if part)
    return text.upper() if key == "country" else text
