"""How well lending apps are recognised, and how often ordinary ones are taken for them, by language.

    .venv/bin/python benchmarks/recognition.py

Prints tables; ends with 1 where a promise is not kept: of the malware researchers' apps 28 of 32 by the words alone and
32 of 32 with the lists; at most one false alarm in 2,000 ordinary names; every example of the vocabulary as it says.
All of it goes through `findings.lending.recognise`, as in an audit. Figures are of the lists in this checkout and of
names that were written for this (ordinary.toml and lending.toml say how); they are no sample of phones.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from privaudit import knowledge
from privaudit.findings.lending import recognise_lending
from privaudit.knowledge import lint
from privaudit.knowledge.index import Knowledge
from privaudit.model import (
    Access,
    AccessState,
    App,
    DataClass,
    History,
    LabelState,
    LendingVerdict,
)

HERE = Path(__file__).resolve().parent
RESEARCH = {"eset-2023", "mcafee-2024"}
BY_WORDS, RESEARCHED = 28, 32
ONE_IN = 2000


@dataclass(frozen=True)
class Name:
    """An app by what it is called."""

    label: str | None
    package: str


def app(name: Name, *, reads: bool = False) -> App:
    """It, on a phone; `readable_data`: and it can read contacts."""
    state = AccessState.CAN_READ if reads else AccessState.NOT_ALLOWED
    access = Access(
        state=state, ways=(), last_read=None, last_read_age_s=None, history=History.NO_RECORD, history_since=None
    )
    return App(
        package=name.package,
        user=0,
        label=name.label,
        label_state=LabelState.READ,
        labels={},
        version_name=None,
        version_code=None,
        target_sdk=None,
        installer="com.android.vending",
        installer_known=True,
        installer_name=None,
        first_installed=None,
        last_updated=None,
        system=False,
        enabled=True,
        certificates_sha256=(),
        apk_sha256=None,
        access=dict.fromkeys(DataClass, access),
        permissions=(),
        special_access=(),
    )


def words_alone(known: Knowledge) -> Knowledge:
    """The same vocabulary without any list."""
    return replace(known, lists=(), _risky_index={}, _lender_index={})


def is_found(known: Knowledge, name: Name, *, reads: bool = False) -> bool:
    """Whether it is recognised as an audit would."""
    one = app(name, reads=reads)
    one = replace(one, listed=known.match_package(name.package))
    return recognise_lending(one, known).verdict is not LendingVerdict.NO


def ordinary() -> Iterator[tuple[str, Name]]:
    """Language and name; each label once in a language."""
    data = tomllib.loads((HERE / "ordinary.toml").read_text(encoding="utf-8"))
    for line in data["known"]:
        label, _, package = line.partition(" = ")
        yield "known", Name(label, package)
    for language, given in data["language"].items():
        assert len(given["words"]) == len(data["kinds"]), language
        for pattern in given["patterns"]:
            for kind, word in zip(data["kinds"], given["words"], strict=True):
                yield language, Name(pattern.replace("{}", word), f"com.example.{kind}")


def table(head: str, rows: Iterable[tuple[str, int, int]]) -> tuple[int, int]:
    """Print and add up."""
    print(f"\n{head}")
    found = whole = 0
    for name, hits, of in rows:
        print(f"  {name:<12} {hits:>5} of {of:>5}   {hits / of:>6.1%}")
        found, whole = found + hits, whole + of
    print(f"  {'together':<12} {found:>5} of {whole:>5}   {found / whole:>6.1%}")
    return found, whole


def by_language(names: Iterable[tuple[str, Name]], holds: Callable[[Name], bool]) -> Iterator[tuple[str, int, int]]:
    """How many of each language."""
    counted: dict[str, tuple[int, int]] = {}
    for language, name in names:
        hits, of = counted.get(language, (0, 0))
        counted[language] = (hits + holds(name), of + 1)
    for language, (hits, of) in counted.items():
        yield language, hits, of


def listed(known: Knowledge) -> Iterator[tuple[str, Name]]:
    """Country and name of every app on a list that has a package and a name."""
    for part in known.lists:
        for row in part.rows:
            if row.package and row.names:
                yield next(iter(part.countries_of(row)), "no country"), Name(row.names[0], row.package)


def main() -> int:
    """Measure everything; the exit code."""
    known = knowledge.load_knowledge()
    alone = words_alone(known)
    research = [
        Name(row.names[0], row.package or "") for part in known.lists if part.id in RESEARCH for row in part.rows
    ]
    by_words = sum(is_found(alone, name) for name in research)
    reading = sum(is_found(alone, name, reads=True) for name in research)
    by_lists = sum(is_found(known, name) for name in research)
    by_package = sum(is_found(alone, Name(None, name.package)) for name in research)
    print(f"malware researchers' apps: {len(research)}")
    print(f"  by words alone {by_words}; where it also reads contacts {reading}; by package word alone {by_package}")
    print(f"  with the lists {by_lists}")

    made = tomllib.loads((HERE / "lending.toml").read_text(encoding="utf-8"))["names"]
    names = [(language, Name(label, "com.example.app")) for language, labels in made.items() for label in labels]
    table("names written for this, by words alone", by_language(names, lambda name: is_found(alone, name)))
    every = sorted(listed(known), key=lambda pair: pair[0])
    table("apps of the lists, by words alone", by_language(every, lambda name: is_found(alone, name)))
    table(
        "apps of the lists that also read contacts, by words alone",
        by_language(every, lambda name: is_found(alone, name, reads=True)),
    )
    neutral = list(dict.fromkeys(ordinary()))
    alarms, of = table("ordinary names taken for lending", by_language(neutral, lambda name: is_found(alone, name)))
    table(
        "ordinary names that also read contacts, taken for lending",
        by_language(neutral, lambda name: is_found(alone, name, reads=True)),
    )
    for _, name in neutral:
        if is_found(alone, name):
            print(f"  false alarm: {name.label} ({name.package})")
    wrong = [mistake for mistake in lint.lint_signatures().problems if mistake.key == "knowledge.example_name"]
    print(f"\nexamples of the vocabulary that come out otherwise: {len(wrong)}")
    kept = {
        f"words alone recognise at least {BY_WORDS} of {RESEARCHED}": by_words >= BY_WORDS,
        f"the lists recognise {RESEARCHED} of {RESEARCHED}": by_lists == len(research) == RESEARCHED,
        f"at least {ONE_IN} ordinary names": of >= ONE_IN,
        f"at most one false alarm in {ONE_IN}": alarms * ONE_IN <= of,
        "every example as it says": not wrong,
    }
    for promise, holds in kept.items():
        print(f"{'kept  ' if holds else 'BROKEN'}  {promise}")
    return 0 if all(kept.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
