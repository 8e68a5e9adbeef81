"""Many APKs in a table: the lending and listed ones, those that could not be read, and how many others there are."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Final

from pydantic import TypeAdapter

from privaudit.i18n import LONGEST_LABEL, Language, tame
from privaudit.model import DataClass, Message
from privaudit.report import lists
from privaudit.report.layout import hanging, pad
from privaudit.report.txt import Line
from privaudit.vetting.document import AskState, VetStamp
from privaudit.vetting.report_view import title
from privaudit.vetting.tally import Row, Tally

_COLUMN: Final = 14
_INDENT: Final = 2
_TIERS: Final = (("A", "listed"), ("B", "listed"), ("N", "notified"), ("own", "own"))


def lines(tally: Tally, stamp: VetStamp, language: Language, width: int) -> Iterator[Line]:
    """The table, and below it the counts and what the lists are worth."""
    if tally.rows:
        yield from _rows(tally, language, width)
    elif tally.files > tally.unread:
        yield Line(language.text("vetted.table_none"))
        yield Line()
    if tally.unreadable:
        yield Line(language.text("vetted.unread_title"), "bold")
        # They came as the cores were done; the same folder is told in the same order.
        for path, why in sorted(tally.unreadable, key=itemgetter(0)):
            said = TypeAdapter(Message).validate_python(why)
            text = language.text("vetted.unread_row", path=_place(path), why=said)
            yield from (Line(line) for line in hanging("  ", text, width))
        yield from _more(tally.unread - len(tally.unreadable), language)
        yield Line()
    yield Line("-" * width, "dim")
    read = tally.files - tally.unread
    yield Line(language.text("vetted.counted", n=read, lending=tally.lending, listed=tally.listed), "bold")
    for name, number in (("others", tally.asking), ("partly", tally.partly), ("unread", tally.unread)):
        if number:
            yield from (Line(line) for line in hanging("", language.text(f"vetted.counted_{name}", n=number), width))
    worth = lists.held(language, stamp.signatures, stamp.rules.country)
    yield from (Line(line, "dim") for line in hanging("", worth, width))


def _rows(tally: Tally, language: Language, width: int) -> Iterator[Line]:
    names = width - _INDENT - 4 * _COLUMN
    heads = [language.text(f"vetted.{data}") for data in DataClass] + [language.text("vetted.table_lists")]
    head = pad(language.text("vetted.table_app"), names) + "".join(pad(one, _COLUMN) for one in heads)
    yield Line(f"  {head}".rstrip(), "dim")
    yield Line("  " + "-" * (width - _INDENT), "dim")
    for row in sorted(tally.rows, key=_first):
        cells = [language.text(f"vetted.state_{AskState(state)}") for state in row.asks] + [_lists(row, language)]
        name = pad(tame(title(row.label, row.labels, row.package, language)), names - 1) + " "
        yield Line(f"  {name}{''.join(pad(cell, _COLUMN) for cell in cells)}".rstrip())
        yield from (Line(line, "dim") for line in hanging("    ", f"{row.package}  {_place(row.path)}", width))
    yield from _more(max(tally.lending, tally.listed) - len(tally.rows), language)
    yield Line()


def _place(path: str) -> str:
    """A path; the end of one that is too long for a sentence, for there its file is named."""
    whole = tame(path, len(path))
    return whole if len(whole) <= LONGEST_LABEL else "…" + whole[1 - LONGEST_LABEL :]


def _first(row: Row) -> tuple[bool, int, str, str]:
    """Listed ones first, then those that may ask for most."""
    listed = any(tier in {"A", "B"} for tier in row.tiers)
    return not listed, -sum(state != AskState.NOT_REQUESTED for state in row.asks), row.package, row.path


def _lists(row: Row, language: Language) -> str:
    word = next((word for tier, word in _TIERS if tier in row.tiers), "no")
    return language.text(f"vetted.cell_{word}")


def _more(number: int, language: Language) -> Iterator[Line]:
    if number > 0:
        yield Line("  " + language.text("vetted.table_more", n=number))
