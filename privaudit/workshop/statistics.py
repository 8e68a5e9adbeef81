"""Totals without names: as text, JSON, CSV and a page to project. Small counts are never shown.

A count below five, and one whose complement is below five, would speak of single people: among twelve participants,
"eleven" tells of the twelfth. Where counts add up to a known sum, so many are left out that none can be worked out.
"""

from __future__ import annotations

import csv
import io
import json as jsonlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from privaudit import roms
from privaudit.errors import UsageError
from privaudit.i18n import Language, tame
from privaudit.model import DataClass
from privaudit.report import save
from privaudit.report.layout import hanging, pad
from privaudit.workshop.counts import MOST_LENDING, Book, Counted, added

LEAST: Final = 5
"""The smallest count that is shown."""
_WIDTH: Final = 80
_BAR: Final = 400
"""Units of the widest bar on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One count as it may be shown."""

    name: str
    """A machine's word: a ROM, a package, a step, a number of apps."""
    count: int | None
    """``None``: too small, or too near to all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Counts of one kind."""

    name: str
    of: int | None
    """Out of how many phones; ``None``: not out of phones, or too few to be told."""
    lines: tuple[Line, ...]
    more: bool = False
    """Whether there are others, too few to be named."""


def may_show(count: int, of: int | None) -> bool:
    """Whether `count` speaks of nobody in particular. `of`: the whole that it is part of, where there is one."""
    return count >= LEAST and (of is None or of - count >= LEAST)


def tables(counted: Counted) -> tuple[Table, ...]:
    """Everything that may be shown."""
    phones = counted.phones
    shown = phones if phones >= LEAST else None
    lending = {str(number): 0 for number in range(MOST_LENDING)} | {f"{MOST_LENDING}+": 0} | dict(counted.lending)
    return (
        Table(name="phones", of=None, lines=(Line(name="phones", count=shown),)),
        _folded(_parts(counted.roms, phones), shown),
        Table(name="lending", of=shown, lines=_parts(lending, phones, every=True)),
        Table(
            name="can_read",
            of=shown,
            lines=tuple(
                Line(name=data, count=count if may_show(count, phones) else None)
                for data in DataClass
                for count in (counted.can_read.get(data, 0),)
            ),
        ),
        _named("listed", counted.listed, phones, shown),
        _named("failures", counted.failures, None, None),
    )


def _parts(counts: Mapping[str, int], of: int, *, every: bool = False) -> tuple[Line, ...]:
    """Counts that add up to `of`: of what is hidden the sum is known, so more than one is hidden, and not too few."""
    hidden = {name for name, count in counts.items() if not may_show(count, of)}
    order = sorted((name for name in counts if name not in hidden), key=lambda name: counts[name])
    while hidden and order and (len(hidden) == 1 or sum(counts[name] for name in hidden) < LEAST):
        hidden.add(order.pop(0))
    names = list(counts) if every else sorted(counts, key=lambda name: (-counts[name], name))
    return tuple(Line(name=name, count=None if name in hidden else counts[name]) for name in names)


def _folded(lines: tuple[Line, ...], shown: int | None) -> Table:
    """Systems that few phones have are not even named."""
    told = tuple(line for line in lines if line.count is not None)
    return Table(name="roms", of=shown, lines=told, more=len(told) < len(lines))


def _named(name: str, counts: Mapping[str, int], of: int | None, shown: int | None) -> Table:
    """Counts of which the name alone would tell: those too small are not even named."""
    lines = [Line(name=key, count=count) for key, count in counts.items() if may_show(count, of)]
    lines.sort(key=lambda line: (-(line.count or 0), line.name))
    return Table(name=name, of=shown, lines=tuple(lines), more=len(lines) < sum(map(bool, counts.values())))


def of_book(book: Book) -> tuple[Table, ...]:
    """Of all sessions together."""
    return tables(added(session.counted for session in book.sessions.values()))


# --- how they are written ---------------------------------------------------------------------------------------------


def title(table: str, line: str, language: Language) -> str:
    """What a person calls a line."""
    if table == "roms" and line in roms.names():
        return tame(str(roms.load(line)["name"]))
    if table == "can_read":
        return language.text(f"report.{line}")
    if table == "lending":
        return language.text("workshop.totals_lending_row", number=line)
    if table == "failures":
        return language.text(f"errors.{line}.what") if language.has(f"errors.{line}.what") else line
    return language.text("workshop.totals_phones") if line == "phones" else tame(line)


def text(book: Book, language: Language) -> str:
    """For a terminal."""
    return "".join(f"{line}\n" for line in _text(book, language))


def _text(book: Book, language: Language) -> Iterator[str]:
    yield language.text("workshop.totals_title", n=len(book.sessions))
    if book.demo:
        yield from hanging("", language.text("report.demo"), _WIDTH)
    for table in of_book(book):
        yield ""
        yield language.text(f"workshop.totals_{table.name}_head")
        for line in table.lines:
            count = language.text("workshop.totals_hidden") if line.count is None else str(line.count)
            yield f"  {pad(title(table.name, line.name, language), 56)} {count}"
        if table.more:
            yield from hanging("  ", language.text("workshop.totals_more"), _WIDTH)
        elif not table.lines:
            yield f"  {language.text('workshop.totals_none')}"
    yield ""
    for note in ("rule", "days", "publish"):
        yield from hanging("", language.text(f"workshop.totals_{note}"), _WIDTH)


def json(book: Book, _language: Language) -> str:
    """For programs."""
    rows: dict[str, Any] = {
        table.name: {
            "of": table.of,
            "rows": {line.name: line.count for line in table.lines},
            "others_suppressed": table.more,
        }
        for table in of_book(book)
    }
    whole = {"schema": "privaudit-workshop-totals/1", "demo": book.demo, "sessions": len(book.sessions), "least": LEAST}
    return jsonlib.dumps({**whole, "tables": rows}, ensure_ascii=False, indent=2) + "\n"


def csv_text(book: Book, language: Language) -> str:
    """For a spreadsheet. What could be taken for a formula is quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["demo", "table", "name", "title", "count", "of", "suppressed"])
    for table in of_book(book):
        for line in table.lines:
            told = title(table.name, line.name, language)
            cells = [table.name, line.name, told, "" if line.count is None else line.count]
            cells += ["" if table.of is None else table.of, int(line.count is None)]
            writer.writerow([int(book.demo), *(_cell(cell) for cell in cells)])
        if table.more:
            writer.writerow([int(book.demo), table.name, "", language.text("workshop.totals_more"), "", "", 1])
    return "\ufeff" + out.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def html(book: Book, language: Language) -> str:
    """A page to project: bars, each with its number in words."""
    from privaudit.report import html_page

    charts = []
    for table in of_book(book):
        widest = max((line.count or 0 for line in table.lines), default=0) if table.of is None else table.of
        rows = [
            {
                "name": title(table.name, line.name, language),
                "count": line.count,
                "width": 0 if line.count is None else round(_BAR * line.count / max(widest, 1)),
            }
            for line in table.lines
        ]
        head = language.text(f"workshop.totals_{table.name}_head")
        charts.append({"head": head, "rows": rows, "more": table.more, "full": _BAR})
    head = language.text("workshop.totals_title", n=len(book.sessions))
    content = {"title": head, "charts": charts, "demo": book.demo}
    return html_page.render("chart", language, content, style="chart")


_FORMATS: Final = {".json": json, ".csv": csv_text, ".html": html, ".txt": text}


def check(path: Path) -> None:
    """Refuse a file that could not be written, before anything is.

    Raises:
        UsageError: ``format_unknown``, ``no_folder``.
    """
    if path.suffix not in _FORMATS:
        raise UsageError("errors.format_unknown", given=path.name, known=tuple(_FORMATS))
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))


def write(book: Book, path: Path, language: Language) -> None:
    """Write the totals as the suffix of `path` says.

    Raises:
        SourceError: ``not_written``.
    """
    save(_FORMATS[path.suffix](book, language), path)
