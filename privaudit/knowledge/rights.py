"""What a borrower can do, country by country: whom to call first, the ladder of complaint, articles of law, answers.

``common.toml`` holds what is true everywhere, and no law; ``<country>.toml`` adds to it. Every sentence that names an
article, an office or a number is an item with its source; what nobody has checked is marked, and the mark is shown.
These files hold sentences of their own: a fact and its wordings are one thing to review. English and Chinese stand in
each item; beside them the languages of the countries, in which letters are written there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final, Literal, TypeAlias, get_args

from pydantic import ConfigDict, TypeAdapter

from privaudit.errors import KnowledgeError, UsageError
from privaudit.knowledge.loader import Mistakes, read_toml, validate, where
from privaudit.knowledge.schema import Country as Code
from privaudit.knowledge.schema import Day, Url, Words

COMMON: Final = "common"
_FORBID: Final = ConfigDict(extra="forbid")

Rung: TypeAlias = Literal["danger", "keep", "close", "demand", "desk", "regulator", "court", "police", "uninstall"]
"""A rung of the ladder, the same in every country: what differs is whom to turn to."""
Demand: TypeAlias = Literal["stop", "recipients", "delete", "answer", "caller", "complain"]
"""What a letter asks for; an article of law may stand behind it."""


Tongue: TypeAlias = Literal["en", "es", "fil", "hi", "id", "sw", "zh"]
"""The languages of `privaudit.i18n.catalog`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """One thing in several languages, a field for each `Tongue`."""

    en: Words
    zh: Words
    es: Words | None = None
    fil: Words | None = None
    hi: Words | None = None
    id: Words | None = None
    sw: Words | None = None
    __pydantic_config__ = _FORBID

    def text(self, code: str) -> str:
        """In the language `code`, else in English."""
        said: str | None = getattr(self, code) if code in get_args(Tongue) else None
        return said or self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One fact or piece of advice, and how we know it."""

    id: Words
    text: Worded
    name: Worded | None = None
    """What it is called: the law with its article, the office, the question."""
    reach: tuple[Words, ...] = ()
    """Telephone numbers and addresses, as one writes them."""
    rung: Rung | None = None
    """Of offices and steps: where on the ladder."""
    letter: bool = False
    """Of offices: whether a complaint may be addressed to it."""
    backs: tuple[Demand, ...] = ()
    """Of laws: for which demands a letter may cite it."""
    source: Words
    url: Url | None = None
    checked_on: Day | None = None
    """The day on which it was compared with its source; ``None``: nobody did."""
    checked_by: Words | None = None
    """``research``: the notes with which this project began; ``maintainer``; else a name, to be shown."""
    verify: bool = False
    """Whether it carries "check before use" wherever it is shown."""
    __pydantic_config__ = _FORBID


Part: TypeAlias = Literal["police", "step", "office", "law", "licence", "save", "caller", "question", "friends"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Which country a file is about."""

    code: Code | None = None
    """``None``: of `COMMON` alone."""
    name: Worded
    letter: Tongue = "en"
    """The language in which letters are written there; each item of the file and of `COMMON` is worded in it."""
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """A whole file, or what it says together with `COMMON`."""

    country: Head
    police: tuple[Item, ...] = ()
    """When to call the police first, before anything else."""
    step: tuple[Item, ...] = ()
    """The ladder, one rung each. Only in `COMMON`."""
    office: tuple[Item, ...] = ()
    law: tuple[Item, ...] = ()
    licence: tuple[Item, ...] = ()
    """How to look a lender up before borrowing."""
    save: tuple[Item, ...] = ()
    caller: tuple[Item, ...] = ()
    """What to ask whoever calls."""
    question: tuple[Item, ...] = ()
    friends: tuple[Item, ...] = ()
    """Half a page for the people who got called."""
    __pydantic_config__ = _FORBID

    def every(self) -> Iterator[tuple[str, Item]]:
        """Every item with the name of its part."""
        for part in PARTS:
            yield from ((part, item) for item in getattr(self, part))

    def ladder(self) -> Iterator[tuple[Item, tuple[Item, ...]]]:
        """Each rung, and whom to turn to there."""
        for step in self.step:
            called = tuple(item for item in self.police if item.name is not None and step.rung == "danger")
            yield step, (*called, *(item for item in self.office if item.rung == step.rung))

    def behind(self, demand: Demand) -> tuple[Item, ...]:
        """The articles that stand behind a demand."""
        return tuple(item for item in self.law if demand in item.backs)


PARTS: Final[tuple[Part, ...]] = (
    "police",
    "step",
    "office",
    "law",
    "licence",
    "save",
    "caller",
    "question",
    "friends",
)
_KEYS: Final = tuple(dict.fromkeys(field.name for kind in (Head, Item, Rights, Worded) for field in fields(kind)))
_FILE: Final = TypeAdapter(Rights)


def countries() -> tuple[str, ...]:
    """Codes of the countries that have a file."""
    names = (file.name.removesuffix(".toml") for file in _folder().iterdir() if file.name.endswith(".toml"))
    return tuple(sorted(name.upper() for name in names if name != COMMON))


@cache
def load(country: str | None) -> Rights:
    """What is known for `country` (ISO 3166 code), behind what is true everywhere; ``None``: that alone.

    Raises:
        UsageError: there is no file for this country.
        KnowledgeError: a file holds mistakes.
    """
    mistakes = Mistakes()
    common = read(_folder() / f"{COMMON}.toml", mistakes)
    if country is not None and country not in countries():
        raise UsageError("errors.country_without_rights", given=country, known=countries())
    own = read(_folder() / f"{country.lower()}.toml", mistakes) if country else common
    if common is None or own is None:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(mistakes))
    return own if own is common else _joined(own, common)


def read(file: Traversable, mistakes: Mistakes) -> Rights | None:
    """One file as it stands; ``None`` where it holds mistakes, which go to `mistakes`."""
    name = f"rights/{file.name}"
    data = read_toml(file, name, mistakes)
    page = None if data is None else validate(_FILE, data, name, mistakes, _KEYS)
    if page is None:
        return None
    before = len(mistakes)
    for part in PARTS:
        for number, item in enumerate(getattr(page, part)):
            at = where((part, number))
            if None in {item.checked_on, item.checked_by} and (item.checked_on != item.checked_by or not item.verify):
                mistakes.add("knowledge.unchecked", file=name, where=at)  # nothing that nobody checked looks checked
            if part in {"office", "step"} and item.rung is None:
                mistakes.add("knowledge.no_rung", file=name, where=at, choices=get_args(Rung))
    return page if len(mistakes) == before else None


def _joined(own: Rights, common: Rights) -> Rights:
    """The country's own first: whoever reads only the beginning reads what is nearest. Friends need no law first."""
    parts = {part: (*getattr(own, part), *getattr(common, part)) for part in PARTS}
    parts["friends"] = (*common.friends, *own.friends)
    return Rights(country=own.country, **parts)


def _folder() -> Traversable:
    return resources.files("privaudit") / "data" / "rights"
