"""The format of a list: a ``[source]`` head, then ``[[app]]`` rows. The same for risky apps and for known lenders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field

from privaudit.model import RuleStance

_FORBID: Final = ConfigDict(extra="forbid")


def _validate_day(text: str) -> str:
    """Refuse the 31st of February."""
    if text.count("-") == 2:  # noqa: PLR2004 - year-month-day
        date.fromisoformat(text)
    return text


PackageName: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$", max_length=255)
]
"""As Android's ``FrameworkParsingPackageUtils.validateName`` has it for apps: at least one dot."""
Sha256Hex: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal."""
PartialDate: TypeAlias = Annotated[
    str, Field(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"), AfterValidator(_validate_day)
]
"""``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``."""
CountryCode: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166 code."""
Url: TypeAlias = Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$")]
NonEmptyText: TypeAlias = Annotated[str, Field(pattern=r"\S")]
LenderStatus: TypeAlias = Literal["licensed", "registered", "paired", "market_lender", "embeds_lending"]
"""What is known of a lender: a licence or an entry in a register that the source itself states; that a study paired it
by name with a lender in a register; that it is on the market; that it is a wallet or shop app that also lends."""
LenderConfidence: TypeAlias = Literal["low"]
"""How sure it is that this app lends; low for collections that nobody vouches for."""
MatchKind: TypeAlias = Literal["package", "apk_sha256", "certificate"]
"""By what an app was found on a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSource:
    """The head of a list: who says so, and how well we know it."""

    publisher: NonEmptyText
    """Who made the list; never who reprinted it."""
    title: NonEmptyText
    via: NonEmptyText | None = None
    """The reprint in which it was read, where the original was not."""
    url: Url | None = None
    date: PartialDate | None = None
    """The list's own date, not the day on which we read it."""
    country: CountryCode | None = None
    licence: NonEmptyText | None = None
    tier: Literal["A", "B", "N", "own"] | None = None
    action: NonEmptyText | None = None
    """The source's own word for what it says of the apps."""
    refreshed: NonEmptyText | None = None
    """How this file is brought up to date."""
    status: LenderStatus | None = None
    """Of lenders: for every row that says nothing else."""
    confidence: LenderConfidence | None = None
    """Of lenders, likewise; left out: as sure as the status says."""
    note: NonEmptyText | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRow:
    """One app on a list."""

    package: PackageName | None = None
    names: tuple[NonEmptyText, ...] = ()
    countries: tuple[CountryCode, ...] = ()
    """Where the app is offered; none: as the source's country."""
    sha256: tuple[Sha256Hex, ...] = ()
    """Of APK files (base.apk only)."""
    certificates: tuple[Sha256Hex, ...] = ()
    """SHA-256 of signing certificates."""
    developer: NonEmptyText | None = None
    harms: tuple[NonEmptyText, ...] = ()
    disputed: bool = False
    """Whether another list contradicts this one."""
    note: NonEmptyText | None = None
    status: LenderStatus | None = None
    confidence: LenderConfidence | None = None
    __pydantic_config__ = _FORBID

    @property
    def match_keys(self) -> tuple[tuple[MatchKind, str], ...]:
        """By what this row is found. A name is none of it."""
        return (
            *((("package", self.package),) if self.package else ()),
            *(("apk_sha256", digest) for digest in self.sha256),
            *(("certificate", digest) for digest in self.certificates),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListExample:
    """What a list must find, or must not: `signatures check` tries it."""

    package: PackageName | None = None
    sha256: Sha256Hex | None = None
    certificate: Sha256Hex | None = None
    matches: bool = True
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureFile:
    """A whole list."""

    source: ListSource
    app: tuple[SignatureRow, ...]
    example: tuple[ListExample, ...] = ()
    __pydantic_config__ = _FORBID


SIGNATURE_KEYS: Final = tuple(
    dict.fromkeys(field.name for kind in (ListSource, SignatureRow, ListExample) for field in fields(kind))
)
"""Every key that may stand in a list, for "perhaps you meant"."""


UNDATED: Final = "undated"
RuleId: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,60}$")]
DateOrUndated: TypeAlias = Annotated[
    str, Field(pattern=rf"^({UNDATED}|\d{{4}}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?)$")
]
"""A day, or ``undated``: that no date is known is said, never left out."""
PermissionName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
"""A permission of Android, without ``android.permission.``."""
RuleSentence: TypeAlias = Annotated[str, Field(pattern=r"^[^{}\n]*\S[^{}\n]*$", max_length=320)]
"""Printed as it stands, so without gaps to fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleClause:
    """What a rule says of some permissions."""

    says: RuleStance
    mapping: Literal["stated", "inferred"]
    """``stated``: the rule names this data itself; ``inferred``: we read it so, and every sentence says "likely"."""
    permissions: tuple[PermissionName, ...] = ()
    special: tuple[NonEmptyText, ...] = ()
    """Kinds of special access that come to the same."""
    unread: tuple[PermissionName, ...] = ()
    """Permissions that the rule concerns too and that no phone is asked about."""
    condition: NonEmptyText | None = None
    """Key of the words that tell the condition."""
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSource:
    """Where a rule was read."""

    what: NonEmptyText
    where: NonEmptyText
    read: bool = True
    """False: cited only; nobody opened it."""
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of one authority or store."""

    id: RuleId
    """Also the name of its file."""
    kind: Literal["store", "country", "observation"]
    """A store's rule applies to what it installed, a country's when its country is chosen. An observation is nobody's
    rule: it applies to nothing, and can be looked up."""
    country: CountryCode | None = None
    stores: tuple[PackageName, ...] = ()
    """Packages that Android notes as the installer where the store installed an app."""
    basis: Literal[
        "statute", "regulation", "circular", "guidance", "standard", "self_regulation", "alert", "store_policy", "none"
    ]
    citation: NonEmptyText
    """Number and article, in the words of the source."""
    url: Url | None = None
    date: DateOrUndated
    """On which it was issued; where that is not known, from which it applies."""
    in_force_from: PartialDate | None = None
    """``None``: not known; it is taken to be in force."""
    in_force_until: PartialDate | None = None
    """Its last day. ``None``: still in force, as far as is known."""
    replaced_by: RuleId | None = None
    match: Literal["requested", "granted"] = "requested"
    """``requested``: it speaks of what an app asks for; ``granted``: only of what an app holds."""
    text_read: bool
    """Whether its own text was read. Else it is known from what others write of it."""
    known_until: PartialDate
    """The newest source that was seen when this was written: what changed later is not in it."""
    checked_on: PartialDate | None = None
    checked_by: NonEmptyText | None = None
    """Who, knowing this country's law, has read this file. ``None``: nobody yet, and every report says so."""
    concern: tuple[RuleClause, ...] = ()
    """None: it gives rights or rules conduct, and no permission shows anything of it."""
    source: tuple[RuleSource, ...]
    note: NonEmptyText | None = None
    words: Mapping[str, Mapping[str, RuleSentence]] = field(repr=False)
    """By language: ``authority``, ``title``, ``says``; ``verify``, where something of it is not verified yet, says
    what; and the conditions of its concerns."""
    __pydantic_config__ = _FORBID

    @property
    def has_unverified_parts(self) -> bool:
        """Whether something of it is not verified yet: it is never printed without a mark."""
        return "verify" in self.words.get("en", {})

    def is_in_force(self, day: str) -> bool:
        """Whether it is in force on `day` (``YYYY-MM-DD``). A vague date holds for the whole month or year."""
        begun = self.in_force_from is None or day[: len(self.in_force_from)] >= self.in_force_from
        ended = self.in_force_until is not None and day[: len(self.in_force_until)] > self.in_force_until
        return begun and not ended


RULE_KEYS: Final = tuple(dict.fromkeys(one.name for kind in (Rule, RuleClause, RuleSource) for one in fields(kind)))
"""Every key that may stand in a rule, for "perhaps you meant"."""
