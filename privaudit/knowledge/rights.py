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
from privaudit.knowledge.loader import Problems, format_location, read_toml, validate_data
from privaudit.knowledge.schema import CountryCode as Code
from privaudit.knowledge.schema import NonEmptyText, PartialDate, Url

COMMON: Final = "common"
_FORBID: Final = ConfigDict(extra="forbid")

ComplaintStage: TypeAlias = Literal[
    "danger", "keep", "close", "demand", "desk", "regulator", "court", "police", "uninstall"
]
"""A rung of the ladder, the same in every country: what differs is whom to turn to."""
Demand: TypeAlias = Literal["stop", "recipients", "delete", "answer", "caller", "complain"]
"""What a letter asks for; an article of law may stand behind it."""


LanguageCode: TypeAlias = Literal["en", "es", "fil", "hi", "id", "sw", "zh"]
"""The languages of `privaudit.i18n.catalog`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalizedText:
    """One thing in several languages, a field for each `LanguageCode`."""

    en: NonEmptyText
    zh: NonEmptyText
    es: NonEmptyText | None = None
    fil: NonEmptyText | None = None
    hi: NonEmptyText | None = None
    id: NonEmptyText | None = None
    sw: NonEmptyText | None = None
    __pydantic_config__ = _FORBID

    def in_language(self, code: str) -> str:
        """In the language `code`, else in English."""
        said: str | None = getattr(self, code) if code in get_args(LanguageCode) else None
        return said or self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsItem:
    """One fact or piece of advice, and how we know it."""

    id: NonEmptyText
    text: LocalizedText
    name: LocalizedText | None = None
    """What it is called: the law with its article, the office, the question."""
    reach: tuple[NonEmptyText, ...] = ()
    """Telephone numbers and addresses, as one writes them."""
    rung: ComplaintStage | None = None
    """Of offices and steps: where on the ladder."""
    letter: bool = False
    """Of offices: whether a complaint may be addressed to it."""
    backs: tuple[Demand, ...] = ()
    """Of laws: for which demands a letter may cite it."""
    source: NonEmptyText
    url: Url | None = None
    checked_on: PartialDate | None = None
    """The day on which it was compared with its source; ``None``: nobody did."""
    checked_by: NonEmptyText | None = None
    """``research``: the notes with which this project began; ``maintainer``; else a name, to be shown."""
    verify: bool = False
    """Whether it carries "check before use" wherever it is shown."""
    __pydantic_config__ = _FORBID


RightsSection: TypeAlias = Literal[
    "police", "step", "office", "law", "licence", "save", "caller", "question", "friends"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryHead:
    """Which country a file is about."""

    code: Code | None = None
    """``None``: of `COMMON` alone."""
    name: LocalizedText
    letter: LanguageCode = "en"
    """The language in which letters are written there; each item of the file and of `COMMON` is worded in it."""
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryRights:
    """A whole file, or what it says together with `COMMON`."""

    country: CountryHead
    police: tuple[RightsItem, ...] = ()
    """When to call the police first, before anything else."""
    step: tuple[RightsItem, ...] = ()
    """The ladder, one rung each. Only in `COMMON`."""
    office: tuple[RightsItem, ...] = ()
    law: tuple[RightsItem, ...] = ()
    licence: tuple[RightsItem, ...] = ()
    """How to look a lender up before borrowing."""
    save: tuple[RightsItem, ...] = ()
    caller: tuple[RightsItem, ...] = ()
    """What to ask whoever calls."""
    question: tuple[RightsItem, ...] = ()
    friends: tuple[RightsItem, ...] = ()
    """Half a page for the people who got called."""
    __pydantic_config__ = _FORBID

    def all_items(self) -> Iterator[tuple[str, RightsItem]]:
        """Every item with the name of its part."""
        for part in RIGHTS_SECTIONS:
            yield from ((part, item) for item in getattr(self, part))

    def stages(self) -> Iterator[tuple[RightsItem, tuple[RightsItem, ...]]]:
        """Each rung, and whom to turn to there."""
        for step in self.step:
            called = tuple(item for item in self.police if item.name is not None and step.rung == "danger")
            yield step, (*called, *(item for item in self.office if item.rung == step.rung))

    def articles_for(self, demand: Demand) -> tuple[RightsItem, ...]:
        """The articles that stand behind a demand."""
        return tuple(item for item in self.law if demand in item.backs)


RIGHTS_SECTIONS: Final[tuple[RightsSection, ...]] = (
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
_RIGHTS_KEYS: Final = tuple(
    dict.fromkeys(
        field.name for kind in (CountryHead, RightsItem, CountryRights, LocalizedText) for field in fields(kind)
    )
)
_RIGHTS_ADAPTER: Final = TypeAdapter(CountryRights)


def countries_with_rights() -> tuple[str, ...]:
    """Codes of the countries that have a file."""
    names = (file.name.removesuffix(".toml") for file in _rights_folder().iterdir() if file.name.endswith(".toml"))
    return tuple(sorted(name.upper() for name in names if name != COMMON))


@cache
def load_rights(country: str | None) -> CountryRights:
    """What is known for `country` (ISO 3166 code), behind what is true everywhere; ``None``: that alone.

    Raises:
        UsageError: there is no file for this country.
        KnowledgeError: a file holds mistakes.
    """
    mistakes = Problems()
    common = read_rights_file(_rights_folder() / f"{COMMON}.toml", mistakes)
    if country is not None and country not in countries_with_rights():
        raise UsageError("errors.country_without_rights", given=country, known=countries_with_rights())
    own = read_rights_file(_rights_folder() / f"{country.lower()}.toml", mistakes) if country else common
    if common is None or own is None:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(mistakes))
    return own if own is common else _merge_common(own, common)


def read_rights_file(file: Traversable, problems: Problems) -> CountryRights | None:
    """One file as it stands; ``None`` where it holds mistakes, which go to `problems`."""
    name = f"rights/{file.name}"
    data = read_toml(file, name, problems)
    page = None if data is None else validate_data(_RIGHTS_ADAPTER, data, name, problems, _RIGHTS_KEYS)
    if page is None:
        return None
    before = len(problems)
    for part in RIGHTS_SECTIONS:
        for number, item in enumerate(getattr(page, part)):
            at = format_location((part, number))
            if None in {item.checked_on, item.checked_by} and (item.checked_on != item.checked_by or not item.verify):
                problems.add("knowledge.unchecked", file=name, where=at)  # nothing that nobody checked looks checked
            if part in {"office", "step"} and item.rung is None:
                problems.add("knowledge.no_rung", file=name, where=at, choices=get_args(ComplaintStage))
    return page if len(problems) == before else None


def _merge_common(own: CountryRights, common: CountryRights) -> CountryRights:
    """The country's own first: whoever reads only the beginning reads what is nearest. Friends need no law first."""
    parts = {part: (*getattr(own, part), *getattr(common, part)) for part in RIGHTS_SECTIONS}
    parts["friends"] = (*common.friends, *own.friends)
    return CountryRights(country=own.country, **parts)


def _rights_folder() -> Traversable:
    return resources.files("privaudit") / "data" / "rights"
