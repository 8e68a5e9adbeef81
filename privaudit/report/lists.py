"""What the lists are worth: how many packages they hold, for this country too, and how old they are.

Stands wherever a list is mentioned: for most countries “not on the list” says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from privaudit.i18n import Language
from privaudit.model import ListStamp, Value

FEW: Final = 10
"""Fewer packages than this for a country, and “not on the list” says nothing there."""
OLD: Final = 180
"""Days after which the newest list is too old to pass over in silence. New loan apps appear within weeks."""


def sentences(language: Language, stamp: ListStamp, country: str | None, today: date) -> Iterator[str]:
    """How much the lists hold, what that means, and a warning where they are old."""
    values = _values(stamp, country)
    here = stamp.packages_for_country
    if here is None:
        yield language.text("report.list_is", **values)
        yield language.text("report.list_choose")
    else:
        name = "list_country_none" if here == 0 else "list_country_few" if here < FEW else "list_country"
        yield language.text(f"report.{name}", **values)
    if stamp.newest is not None:
        days = (today - _first_day(stamp.newest)).days
        if days > OLD:
            yield language.text("report.list_old", n=days)


def held(language: Language, stamp: ListStamp, country: str | None) -> str:
    """The same in one short sentence, to stand beside a number of listed apps."""
    name = "list_held" if stamp.packages_for_country is None else "list_held_country"
    return language.text(f"report.{name}", **_values(stamp, country))


def _values(stamp: ListStamp, country: str | None) -> dict[str, Value]:
    return {
        "packages": stamp.packages,
        "newest_on": stamp.newest,
        "here": stamp.packages_for_country,
        "country": country,
    }


def _first_day(day: str) -> date:
    """Of a year, a month or a day; the earliest, so that a vague date warns sooner, and one that is none at once."""
    try:
        year, month, first = (*map(int, day.split("-")), 1, 1)[:3]
        return date(year, month, first)
    except (ValueError, OverflowError):
        return date.min
