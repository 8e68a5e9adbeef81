"""The rights of a borrower by country: when to call the police, where to complain, articles of law, common questions.

``common.toml`` in ``privaudit/data/rights`` holds what is true everywhere, and no law; ``<country>.toml`` adds to it.
Every sentence that names an article, an office or a number is an item with its source. Items that were not compared
with their source are marked, and the mark is printed.

The files hold their sentences in all languages, because a fact and its wordings are reviewed together: English and
Chinese in each item, and the languages of the country, in which letters are written there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final, Literal, TypeAlias, get_args

from privaudit.errors import KnowledgeError, UsageError
from privaudit.i18n import catalog
from privaudit.knowledge.loader import Problems, format_location, locate_row, read_typed_toml, suggest_similar
from privaudit.knowledge.schema import CountryCode, DataTable, NonEmptyText, PartialDate, Url, table_keys
from privaudit.model import MessageValue

COMMON: Final = "common"
_REQUIRED_LANGUAGES: Final = ("en", "zh")

LocalizedText: TypeAlias = Mapping[str, NonEmptyText]
"""A text by language: English, Chinese and any other language of `privaudit.i18n.catalog`."""
ComplaintStage: TypeAlias = Literal[
    "danger", "keep", "close", "demand", "desk", "regulator", "court", "police", "uninstall"
]
"""A stage of complaining, from the first to the last. The stages are the same in every country, the offices are not."""
Demand: TypeAlias = Literal[
    "stop", "recipients", "basis", "delete", "caller", "answer", "review", "complain", "promise"
]
"""What a letter demands, or (``promise``) what its writer is warned of: that a promise to pay has consequences.

``basis``: to state the legal basis; ``review``: of an app, by its store; ``complain``: to an authority.
"""
Addressee: TypeAlias = Literal["lender", "collector", "app-store"]
"""To whom a demand is sent."""
OfficeRole: TypeAlias = Literal["emergency", "crisis", "lenders", "data", "police"]
"""Whom the page of a country names, or says that it has no source: the police in an emergency, a crisis line, who
supervises lenders, who supervises the use of personal data, and the police where it is not urgent."""
OFFICE_ROLES: Final[tuple[OfficeRole, ...]] = get_args(OfficeRole)
RightsSection: TypeAlias = Literal[
    "police", "step", "office", "law", "licence", "save", "caller", "question", "friends"
]
RIGHTS_SECTIONS: Final[tuple[RightsSection, ...]] = get_args(RightsSection)


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsItem(DataTable):
    """One fact or piece of advice, and its source."""

    id: NonEmptyText
    text: LocalizedText
    name: LocalizedText | None = None
    """Name of the law with its article, of the office, or the question."""
    reach: tuple[NonEmptyText, ...] = ()
    """Telephone numbers and addresses, as people write them."""
    rung: ComplaintStage | None = None
    """Offices and steps: at which stage."""
    roles: tuple[OfficeRole, ...] = ()
    """Offices and `police`: whom it names. `caller`, `friends`: whose number is printed after the sentence."""
    letter: bool = False
    """Offices: whether they accept a complaint by letter."""
    backs: tuple[Demand, ...] = ()
    """Laws: the demands for which a letter may cite them."""
    binds: tuple[Addressee, ...] = ("lender", "collector")
    """Laws: the addressees on whom they impose what is demanded."""
    in_force_from: PartialDate | None = None
    """Laws: the day before which a letter does not cite them; ``None``: in force when they were checked."""
    source: NonEmptyText
    url: Url | None = None
    checked_on: PartialDate | None = None
    """The day on which it was compared with its source; ``None``: it was not."""
    checked_by: NonEmptyText | None = None
    """``research``: the notes with which this project began; ``maintainer``; or a name to print."""
    verify: bool = False
    """Whether it is printed with the mark "check before use"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryHead(DataTable):
    """The ``[country]`` table of a file."""

    code: CountryCode | None = None
    """``None`` in `COMMON` alone."""
    name: LocalizedText
    letter: str = "en"
    """The language of letters in this country. All items of the file and of `COMMON` have a text in it."""
    ground: LocalizedText | None = None
    """What a demand stands on where no statute gives the right, as its letter says it."""
    identification: LocalizedText | None = None
    """What the law wants enclosed with a demand, so that its sender can be identified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryRights(DataTable):
    """The items of a file, or of a country's file together with `COMMON`, by section."""

    country: CountryHead
    police: tuple[RightsItem, ...] = ()
    """When to call the police before anything else; in a country whom to call, also a crisis line."""
    step: tuple[RightsItem, ...] = ()
    """What to do at each stage. Only in `COMMON`."""
    office: tuple[RightsItem, ...] = ()
    law: tuple[RightsItem, ...] = ()
    licence: tuple[RightsItem, ...] = ()
    """How to look up a lender before borrowing."""
    save: tuple[RightsItem, ...] = ()
    """What to keep as evidence."""
    caller: tuple[RightsItem, ...] = ()
    """What to say to a debt collector who calls: five lines."""
    question: tuple[RightsItem, ...] = ()
    friends: tuple[RightsItem, ...] = ()
    """What contacts who were called say and do: five lines; a country adds its law, which has a name."""

    def all_items(self) -> Iterator[tuple[RightsSection, RightsItem]]:
        """Yield every item with its section."""
        for section in RIGHTS_SECTIONS:
            yield from ((section, item) for item in getattr(self, section))

    def stages(self) -> Iterator[tuple[RightsItem, tuple[RightsItem, ...]]]:
        """Yield the step of each stage with the offices to contact there."""
        for step in self.step:
            emergency = tuple(item for item in self.police if item.name is not None and step.rung == "danger")
            yield step, (*emergency, *(item for item in self.office if item.rung == step.rung))

    def with_role(self, role: OfficeRole) -> tuple[RightsItem, ...]:
        """Return whom the page names for `role`."""
        return tuple(item for item in (*self.police, *self.office) if role in item.roles)

    def missing_roles(self) -> tuple[OfficeRole, ...]:
        """Return the roles for which this country's file has no source; empty for `COMMON`, which names nobody."""
        return tuple(role for role in OFFICE_ROLES if self.country.code is not None and not self.with_role(role))

    def articles_for(self, demand: Demand, addressee: Addressee | None = None) -> tuple[RightsItem, ...]:
        """Return the articles of law that support a demand on `addressee`, or on anyone, in force or not."""
        return tuple(
            item for item in self.law if demand in item.backs and (addressee is None or addressee in item.binds)
        )


def in_language(text: LocalizedText, code: str) -> str:
    """Return `text` in the language `code`, else in English."""
    return text.get(code) or text["en"]


def countries_with_rights() -> tuple[str, ...]:
    """Return the codes of the countries that have a file."""
    names = (file.name.removesuffix(".toml") for file in _rights_folder().iterdir() if file.name.endswith(".toml"))
    return tuple(sorted(name.upper() for name in names if name != COMMON))


@cache
def load_rights(country: str | None) -> CountryRights:
    """Return the items of `country` (ISO 3166 code) followed by the common ones; ``None``: the common ones alone.

    Raises `UsageError` if there is no file for this country, and `KnowledgeError` if a file contains errors.
    """
    problems = Problems()
    common = read_rights_file(_rights_folder() / f"{COMMON}.toml", problems)
    if country is not None and country not in countries_with_rights():
        raise UsageError("errors.country_without_rights", given=country, known=countries_with_rights())
    own = read_rights_file(_rights_folder() / f"{country.lower()}.toml", problems) if country else common
    if common is None or own is None:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(problems))
    if own is common:
        return common
    sections = {section: (*getattr(own, section), *getattr(common, section)) for section in RIGHTS_SECTIONS}
    sections["friends"] = (*common.friends, *own.friends)  # the page for contacts begins with advice, not with law
    return CountryRights(country=own.country, **sections)


def read_rights_file(file: Traversable, problems: Problems) -> CountryRights | None:
    """Read one file; ``None`` and entries in `problems` where it contains errors."""
    file_name = f"rights/{file.name}"
    rights = read_typed_toml(CountryRights, file, file_name, problems, _RIGHTS_KEYS)
    if rights is None:
        return None
    problem_count = len(problems)
    location: dict[str, MessageValue] = {"file": file_name, "where": format_location(["country"]), "row": None}
    for text in filter(None, (rights.country.name, rights.country.ground, rights.country.identification)):
        _check_languages(text, location, problems)
    letter, languages = rights.country.letter, catalog.languages()
    if letter not in languages:
        problems.add("knowledge.choice", **location, key="letter", found=letter, choices=languages)
    for section in RIGHTS_SECTIONS:
        for index, item in enumerate(getattr(rights, section)):
            _check_item(section, item, locate_row(file_name, section, index), problems)
    return rights if len(problems) == problem_count else None


def _check_item(
    section: RightsSection, item: RightsItem, location: Mapping[str, MessageValue], problems: Problems
) -> None:
    for text in filter(None, (item.text, item.name)):
        _check_languages(text, location, problems)
    checks = {item.checked_on, item.checked_by}
    if None in checks and (len(checks) > 1 or not item.verify):
        problems.add("knowledge.unchecked", **location)  # an item that was not checked has to be marked
    if section in {"office", "step"} and item.rung is None:
        problems.add("knowledge.no_rung", **location, choices=get_args(ComplaintStage))


def _check_languages(text: LocalizedText, location: Mapping[str, MessageValue], problems: Problems) -> None:
    languages = catalog.languages()
    for code in _REQUIRED_LANGUAGES:
        if code not in text:
            problems.add("knowledge.missing_key", **location, key=code)
    for code in text:
        if code not in languages:
            problems.add("knowledge.unknown_key", **location, key=code, similar=suggest_similar(code, languages))


def _rights_folder() -> Traversable:
    return resources.files("privaudit") / "data" / "rights"


_RIGHTS_KEYS: Final = table_keys(CountryHead, RightsItem, CountryRights)
