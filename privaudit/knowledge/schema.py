"""The format of a list: a ``[source]`` head, then ``[[app]]`` rows. The same for risky apps and for known lenders."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field

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
