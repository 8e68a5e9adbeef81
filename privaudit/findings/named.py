"""Names of apps: the lists that have an app of the same name, and the apps that the user asks for by name.

Many regulators print names without packages. A name identifies nothing: apps share names, and honest ones do too. No
finding, grade or count depends on it.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from privaudit.findings.lending import all_labels
from privaudit.knowledge import Knowledge
from privaudit.knowledge.label_readings import read_label
from privaudit.knowledge.rules import phone_countries
from privaudit.model import App, AppNameQuery, AppSummary, LendingVerdict, NameMatch, Phone, PhoneClock

_MIN_PARTIAL_CHARS: Final = 2
"""A shorter name that the user gives is a part of too many labels: it must be the whole label."""


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


def find_named_apps(names: Sequence[str], apps: Iterable[App | AppSummary]) -> tuple[AppNameQuery, ...]:
    """Return, for each of `names`, the packages that have it: those with exactly this name, else with a part of it."""
    labels_by_package: dict[str, set[str]] = {}
    for app in apps if names else ():
        labels = labels_by_package.setdefault(app.package, set())
        labels.update(folded for label in all_labels(app) for folded in _fold_label(label))
    return tuple(AppNameQuery(name=name, packages=tuple(_matching_packages(name, labels_by_package))) for name in names)


def _matching_packages(name: str, labels_by_package: dict[str, set[str]]) -> Iterator[str]:
    if name in labels_by_package:
        yield name
        return
    wanted = next(_fold_label(name))
    exact = [package for package, labels in labels_by_package.items() if wanted in labels]
    if exact or len(wanted) < _MIN_PARTIAL_CHARS:
        yield from exact
        return
    yield from (package for package, labels in labels_by_package.items() if any(wanted in label for label in labels))


def _fold_label(label: str) -> Iterator[str]:
    """Yield each reading of a label without case, spaces and punctuation: disguised letters are read as people do."""
    for reading in read_label(label):
        yield "".join(char for char in reading.text.casefold() if char.isalnum() or char.isidentifier())
