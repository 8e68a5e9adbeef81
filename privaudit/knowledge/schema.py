"""The schemas of the data files: lists of apps (risky ones and known lenders), SDKs and legal rules.

A list is a ``[source]`` table and ``[[app]]`` rows; ``signatures/README.md`` explains the keys. A rule is one file;
``privaudit/data/rules/README.md`` explains the keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field

from privaudit.model import RuleStance


class DataTable:
    """A table of a data file. An unknown key in it is an error."""

    __slots__ = ()
    __pydantic_config__ = ConfigDict(extra="forbid")


def table_keys(*tables: Any) -> tuple[str, ...]:  # noqa: ANN401 - classes of dataclasses
    """Return every key of some tables, to suggest a similar one for a misspelt key."""
    return tuple(dict.fromkeys(field.name for table in tables for field in fields(table)))


def _validate_day(text: str) -> str:
    """Refuse days that no calendar has, such as 31 February."""
    if text.count("-") == 2:  # noqa: PLR2004 - year-month-day
        date.fromisoformat(text)
    return text


PackageName: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$", max_length=255)
]
"""Android's rule for the package name of an app: at least one dot (``FrameworkParsingPackageUtils.validateName``)."""
Sha256Hex: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal."""
PartialDate: TypeAlias = Annotated[
    str, Field(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"), AfterValidator(_validate_day)
]
"""``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``."""
CountryCode: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Url: TypeAlias = Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$")]
NonEmptyText: TypeAlias = Annotated[str, Field(pattern=r"\S")]
LenderStatus: TypeAlias = Literal["licensed", "registered", "paired", "market_lender", "embeds_lending"]
"""What is known of a lender. ``licensed``, ``registered``: the source itself states a licence or a register entry;
``paired``: a study matched its name with a lender in a register; ``market_lender``: it is on the market;
``embeds_lending``: a wallet or shop app that also lends."""
LenderConfidence: TypeAlias = Literal["low"]
"""How certain it is that this app lends; ``low`` for collections that no institution vouches for."""
MatchKind: TypeAlias = Literal["package", "apk_sha256", "certificate"]
"""What an app and a row of a list have in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSource(DataTable):
    """The ``[source]`` table of a list: who published it, and when."""

    publisher: NonEmptyText
    """Who made the list, not who reprinted it."""
    title: NonEmptyText
    via: NonEmptyText | None = None
    """The reprint that was read, where the original was not."""
    url: Url | None = None
    date: PartialDate | None = None
    """The date of the list itself, not the day on which it was copied."""
    country: CountryCode | None = None
    licence: NonEmptyText | None = None
    tier: Literal["A", "B", "N", "own"] | None = None
    action: NonEmptyText | None = None
    """The source's own word for what it did about the apps or says of them."""
    refreshed: NonEmptyText | None = None
    """How this file is updated."""
    status: LenderStatus | None = None
    """Lists of lenders: the status of every row that does not state its own."""
    confidence: LenderConfidence | None = None
    """Lists of lenders: likewise; absent: as certain as the status says."""
    note: NonEmptyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRow(DataTable):
    """One app on a list."""

    package: PackageName | None = None
    names: tuple[NonEmptyText, ...] = ()
    countries: tuple[CountryCode, ...] = ()
    """Where the app is offered; empty: in the source's country."""
    sha256: tuple[Sha256Hex, ...] = ()
    """SHA-256 of APK files (base.apk only)."""
    certificates: tuple[Sha256Hex, ...] = ()
    """SHA-256 of signing certificates."""
    developer: NonEmptyText | None = None
    harms: tuple[NonEmptyText, ...] = ()
    disputed: bool = False
    """Whether another list contradicts this one."""
    name_match: Literal["unsafe"] | None = None
    """``unsafe``: honest apps share these names, so that an app of the same name is not even mentioned."""
    note: NonEmptyText | None = None
    status: LenderStatus | None = None
    confidence: LenderConfidence | None = None

    @property
    def match_keys(self) -> tuple[tuple[MatchKind, str], ...]:
        """Everything that matches this row. App names do not: different apps share them."""
        return find_match_keys(self.package, self.sha256, self.certificates)


def find_match_keys(
    package: str | None, sha256: Sequence[str], certificates: Sequence[str]
) -> tuple[tuple[MatchKind, str], ...]:
    """Return everything that matches a row with these values."""
    keys: tuple[tuple[MatchKind, str], ...] = (("package", package),) if package else ()
    if sha256 or certificates:
        keys += (*(("apk_sha256", digest) for digest in sha256), *(("certificate", digest) for digest in certificates))
    return keys


@dataclass(frozen=True, slots=True, kw_only=True)
class ListExample(DataTable):
    """An app that a list must match, or must not: `signatures check` tests it."""

    package: PackageName | None = None
    sha256: Sha256Hex | None = None
    certificate: Sha256Hex | None = None
    matches: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureFile(DataTable):
    """The file of a list."""

    source: ListSource
    app: tuple[SignatureRow, ...]
    example: tuple[ListExample, ...] = ()


SIGNATURE_KEYS: Final = table_keys(ListSource, SignatureRow, ListExample)

SdkPurpose: TypeAlias = Literal[
    "alt_credit_score",
    "contact_sms_harvest",
    "credit_data_crawler",
    "device_fingerprint",
    "generic_antifraud",
    "identity_check",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdk(DataTable):
    """One SDK, and how it is recognised inside an APK."""

    vendor: NonEmptyText
    names: tuple[NonEmptyText, ...] = ()
    classes: tuple[NonEmptyText, ...] = ()
    """Prefixes of class names, with dots."""
    libraries: tuple[NonEmptyText, ...] = ()
    """File names of native libraries."""
    components: tuple[NonEmptyText, ...] = ()
    """Classes that the manifest declares: all that a phone lists without the APK."""
    purpose: SdkPurpose
    collects: tuple[NonEmptyText, ...] = ()
    """What its documentation or an analysis says that it collects; empty: no source says."""
    lending_specific: bool
    """False where ordinary apps contain it too: then it does not suggest lending."""
    confidence: Literal["high", "medium", "low"]
    note: NonEmptyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkFile(DataTable):
    """``sdks.toml``: SDKs that score borrowers or collect contacts and messages. No finding rests on one alone."""

    sdk: tuple[Sdk, ...]


UNDATED: Final = "undated"
RuleId: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,60}$")]
DateOrUndated: TypeAlias = Annotated[
    str, Field(pattern=rf"^({UNDATED}|\d{{4}}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?)$")
]
"""A date, or ``undated``: an unknown date has to be stated."""
PermissionName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
"""A platform permission without ``android.permission.``."""
RuleSentence: TypeAlias = Annotated[str, Field(pattern=r"^[^{}\n]*\S[^{}\n]*$", max_length=320)]
"""Printed as it is, so it cannot contain placeholders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleClause(DataTable):
    """What a rule says about some permissions."""

    says: RuleStance
    mapping: Literal["stated", "inferred"]
    """``stated``: the rule names this data itself; ``inferred``: our reading, so every sentence says "likely"."""
    permissions: tuple[PermissionName, ...] = ()
    special: tuple[NonEmptyText, ...] = ()
    """Kinds of special access that give the same data."""
    unread: tuple[PermissionName, ...] = ()
    """Permissions that the rule concerns too, but that no phone is asked about."""
    condition: NonEmptyText | None = None
    """Key of the text in `Rule.words` that states the condition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSource(DataTable):
    """A document that a rule was taken from."""

    what: NonEmptyText
    where: NonEmptyText
    read: bool = True
    """False: cited by another source, and not opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(DataTable):
    """One rule of an authority or app store: one file."""

    id: RuleId
    """Also the name of its file."""
    kind: Literal["store", "country", "observation"]
    """``store``: applies to apps that this store installed; ``country``: applies when its country is chosen;
    ``observation``: binds no app, and can only be looked up."""
    country: CountryCode | None = None
    stores: tuple[PackageName, ...] = ()
    """Installer package names of the store."""
    basis: Literal[
        "statute", "regulation", "circular", "guidance", "standard", "self_regulation", "alert", "store_policy", "none"
    ]
    citation: NonEmptyText
    """Number and article, as the source cites them."""
    url: Url | None = None
    date: DateOrUndated
    """Date of issue; where that is unknown, the date from which it applies."""
    in_force_from: PartialDate | None = None
    """``None``: unknown; the rule counts as in force."""
    in_force_until: PartialDate | None = None
    """Its last day; ``None``: still in force, as far as is known."""
    replaced_by: RuleId | None = None
    match: Literal["requested", "granted"] = "requested"
    """``requested``: it is about the permissions that an app requests; ``granted``: only about those that it holds."""
    text_read: bool
    """Whether its own text was read; false: it is known from what others write about it."""
    known_until: PartialDate
    """Date of the newest source that was read for this file: later changes are not in it."""
    checked_on: PartialDate | None = None
    checked_by: NonEmptyText | None = None
    """Who reviewed this file and knows this country's law; ``None``: not reviewed, and every report says so."""
    concern: tuple[RuleClause, ...] = ()
    """Empty: it gives rights or regulates conduct, which permissions do not show."""
    source: tuple[RuleSource, ...]
    note: NonEmptyText | None = None
    words: Mapping[str, Mapping[str, RuleSentence]] = field(repr=False)
    """By language: ``authority``, ``title``, ``says``; ``verify`` says which parts are not verified yet; and the
    conditions of its clauses."""

    @property
    def has_unverified_parts(self) -> bool:
        """Whether parts of it are not verified yet: it is printed with a mark."""
        return "verify" in self.words.get("en", {})

    def is_in_force(self, day: str) -> bool:
        """Return whether it is in force on `day` (``YYYY-MM-DD``). A partial date covers its whole month or year."""
        has_begun = self.in_force_from is None or day[: len(self.in_force_from)] >= self.in_force_from
        has_ended = self.in_force_until is not None and day[: len(self.in_force_until)] > self.in_force_until
        return has_begun and not has_ended


RULE_KEYS: Final = table_keys(Rule, RuleClause, RuleSource)
