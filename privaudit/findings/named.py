"""Annotate lending apps with the lists that have an app of their name. No finding, grade or count depends on it.

Many regulators print names without packages. A name identifies nothing: apps share names, and honest ones do too.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from privaudit.findings.lending import all_labels
from privaudit.knowledge import Knowledge
from privaudit.knowledge.countries import phone_countries
from privaudit.model import App, LendingVerdict, NameMatch, Phone, PhoneClock


def naming_countries(phone: Phone, clock: PhoneClock, chosen: str | None) -> tuple[str, ...]:
    """Return the countries whose lists may name an app of this phone: the `chosen` one, else those it is set to."""
    return (chosen,) if chosen else phone_countries(phone.languages, clock.zone)


def annotate_named(app: App, knowledge: Knowledge, countries: Sequence[str]) -> App:
    """Return `app` with the lists for `countries` that have its name; only apps recognised as lending get any.

    They were recognised by a list, their package name or words in their labels, never by an equal name.
    """
    is_lending = app.lending.verdict is not LendingVerdict.NO
    return replace(app, named=tuple(_find_named(app, knowledge, countries)) if is_lending else ())


def _find_named(app: App, knowledge: Knowledge, countries: Sequence[str]) -> Iterator[NameMatch]:
    # A list that has its package says more than the name does.
    told = {_list_key(match.publisher, match.date) for match in app.listed if match.tier != "own"}
    for label, country in itertools.product(all_labels(app), countries):
        for ref, name in knowledge.find_names(label, country):
            source = ref.app_list.source
            list_key = _list_key(source.publisher, source.date)
            if source.tier is None or source.tier == "own" or list_key in told:
                continue
            told.add(list_key)
            yield NameMatch(
                signature=ref.signature,
                tier=source.tier,
                publisher=source.publisher,
                title=source.title,
                date=source.date,
                country=country,
                name=name,
                label=label,
                disputed=ref.row.disputed,
            )


def _list_key(publisher: str, date: str | None) -> tuple[str, str]:
    """Return what tells lists apart. One list may be in two files, dated by the day and by the month."""
    return publisher, (date or "")[: len("2026-01")]
