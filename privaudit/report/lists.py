"""What the lists are worth: how many packages they hold, for this country too, and how old they are.

Stands wherever a list is mentioned: for most countries “not on the list” says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from privaudit.i18n import Translator
from privaudit.model import MessageValue, SignatureListInfo

MIN_COUNTRY_PACKAGES: Final = 10
"""Fewer packages than this for a country, and “not on the list” says nothing there."""
MAX_LIST_AGE_DAYS: Final = 180
"""Days after which the newest list is too old to pass over in silence. New loan apps appear within weeks."""


def list_coverage_sentences(
    language: Translator, list_info: SignatureListInfo, country: str | None, today: date
) -> Iterator[str]:
    """How much the lists hold, what that means, and a warning where they are old."""
    values = _list_values(list_info, country)
    here = list_info.packages_for_country
    if here is None:
        yield language.t("report.list_is", **values)
        yield language.t("report.list_choose")
    else:
        name = (
            "list_country_none" if here == 0 else "list_country_few" if here < MIN_COUNTRY_PACKAGES else "list_country"
        )
        yield language.t(f"report.{name}", **values)
    if list_info.newest is not None:
        days = (today - _earliest_date(list_info.newest)).days
        if days > MAX_LIST_AGE_DAYS:
            yield language.t("report.list_old", n=days)


def list_size_sentence(language: Translator, list_info: SignatureListInfo, country: str | None) -> str:
    """The same in one short sentence, to stand beside a number of listed apps."""
    name = "list_held" if list_info.packages_for_country is None else "list_held_country"
    return language.t(f"report.{name}", **_list_values(list_info, country))


def _list_values(list_info: SignatureListInfo, country: str | None) -> dict[str, MessageValue]:
    return {
        "packages": list_info.packages,
        "newest_on": list_info.newest,
        "here": list_info.packages_for_country,
        "country": country,
    }


def _earliest_date(day: str) -> date:
    """Of a year, a month or a day; the earliest, so that a vague date warns sooner, and one that is none at once."""
    try:
        year, month, first = (*map(int, day.split("-")), 1, 1)[:3]
        return date(year, month, first)
    except (ValueError, OverflowError):
        return date.min
