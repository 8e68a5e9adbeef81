"""The document on an app that was vetted, ``privaudit-apk/1``, as dataclasses.

An app that is not installed holds no permission, so the document states what the app may ask for, never what it reads.
Docstrings of classes are descriptions in the published JSON Schema.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from privaudit import model
from privaudit.knowledge.schema import SdkPurpose

SCHEMA: Final = "privaudit-apk/1"
DATA_CLASSES: Final = (*model.DataClass, *model.OtherDataClass)
"""The kinds of data that a document covers, in the order in which they are shown."""
FileKind: TypeAlias = Literal["apk", "xapk", "apks", "apkm", "installed", "unknown"]
ReadingPart: TypeAlias = Literal["package", "permissions", "components", "signers"]


class DataRequestState(StrEnum):
    """Whether an app may ask for a kind of data."""

    MAY_ASK = "may_ask"
    """Its manifest names a permission for it."""
    ANOTHER_WAY = "another_way"
    """No permission; but a right beside the permissions, which it may ask for, reaches the same."""
    NEEDS_NOBODY = "needs_nobody"
    """It gets it without asking: the list of apps, when made for Android 10 or older."""
    NOT_REQUESTED = "not_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """What an app may ask for of one kind of data."""

    state: DataRequestState
    permissions: tuple[str, ...] = ()
    """Those that its manifest names, in full, and those that Android adds."""
    ways: tuple[str, ...] = ()
    """``permission``, ``incoming`` (only what arrives from then on), ``implied`` (Android adds the permission, the
    manifest does not name it), and kinds of `privaudit.model.SpecialAccess`."""
    until_sdk: int | None = None
    """Not asked for above this Android; ``None``: on every one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedPermission:
    """One permission that the manifest names."""

    name: str
    max_sdk: int | None
    """Not asked for above this Android."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkSign:
    """Where code of another maker showed: a sign, never proof."""

    kind: Literal["class", "library", "component"]
    name: str
    """The prefix of class names, the library or the component, as the list of such code has it."""
    entry: str | None
    """The file inside the APK; ``None``: the manifest."""
    classes: int | None
    """Classes whose code is there; 0: they are only spoken of. ``None`` for libraries and components."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedSdk:
    """Code of another maker that scores borrowers, takes data, or tells devices apart."""

    vendor: str
    names: tuple[str, ...]
    purpose: SdkPurpose
    collects: tuple[str, ...]
    """What it was read to collect; empty: nothing was read about that."""
    lending_specific: bool
    """False where ordinary apps carry it too: then it says nothing of lending."""
    confidence: Literal["high", "medium", "low"]
    note: str | None
    signs: tuple[SdkSign, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VettedApp:
    """The app in the file."""

    package: str
    label: str | None
    """Its default name; `labels` has it by language."""
    labels: Mapping[str, str]
    """By language tag; ``und`` where it is for no language in particular."""
    label_problem: model.Message | None
    launcher_labels: tuple[str, ...]
    """Other names that a phone may show: under its icons, and with another SIM card, screen or setting."""
    launcher_icon: bool | None
    """Whether its manifest gives it an icon among the apps."""
    version_name: str | None
    version_code: int | None
    min_sdk: int | None
    target_sdk: int | None
    apk_sha256: str | None
    """Of the base APK: what lists hold. ``None``: not computed."""
    certificates_sha256: tuple[str, ...]
    """Of its signers by the newest scheme, then what they rotated through. Read, not verified."""
    signing_problem: model.Message | None
    asks: Mapping[model.DataClass | model.OtherDataClass, DataRequest]
    at_install: bool
    """Whether what it asks for is given without a question: it is made for Android 5 or older."""
    permissions: tuple[RequestedPermission, ...]
    services: tuple[str, ...]
    """Rights beside the permissions that it is built for: ``accessibility``, ``notification_listener`` …"""
    lending: model.Lending
    listed: tuple[model.SignatureMatch, ...]
    rules: tuple[model.RuleMatch, ...]
    sdks: tuple[DetectedSdk, ...]

    @property
    def is_recognised(self) -> bool:
        """Whether the app was recognised as a lending app or stands on a list."""
        return self.lending.verdict != "no" or bool(self.listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """The file that was read."""

    path: str
    """As it was given, or the folder that was given and the path below it."""
    kind: FileKind
    size: int | None
    modified_ns: int | None
    """When it was last changed, in nanoseconds since 1970, as this computer's disk says."""
    sha256: str | None
    """Of the whole file."""
    base: str | None = None
    """In a bundle: the entry that is the app itself."""
    splits: int = 0
    """Further APKs in the bundle that belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something in the file that could not be read."""

    part: str
    """The entry; the file itself where nothing could be read."""
    why: model.Message


class SecondReadingState(StrEnum):
    """What became of the second reading."""

    SAME = "same"
    DIFFERENT = "different"
    FAILED = "failed"
    """The second reader could not read the file."""
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderDifference:
    """What only one of two readers found in the file. Which of them is right is not known."""

    part: ReadingPart
    only_privaudit: tuple[str, ...]
    """At most 100 values, as in `only_second`."""
    only_second: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondReading:
    """The app itself, read by another program too."""

    reader: str
    """The program and its version."""
    state: SecondReadingState
    compared: tuple[ReadingPart, ...] = ()
    """What both readers read."""
    differences: tuple[ReaderDifference, ...] = ()
    """Each is one of the document's `gaps` too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VettingFinding:
    """One thing to know before installing."""

    rule: Literal["listed", "lender_asks"]
    severity: model.Severity
    message: model.Message


@dataclass(frozen=True, slots=True, kw_only=True)
class VettingKnowledgeInfo:
    """What the judgement rests on."""

    signatures: model.SignatureListInfo
    rules: model.RuleSetInfo
    sdks: int
    """Makers whose code is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VettingReport:
    """The document: what is said of one file. The same file and the same lists give the same document anywhere."""

    schema: Literal["privaudit-apk/1"] = "privaudit-apk/1"
    tool: model.Tool
    knowledge: VettingKnowledgeInfo
    file: FileInfo
    app: VettedApp | None
    """``None``: nothing could be read."""
    findings: tuple[VettingFinding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    others: tuple[str, ...] = field(default=())
    """Packages of other apps in the same bundle, which were not looked at."""
    verdict: model.Verdict = model.Verdict.NOTHING_FOUND
    """``found``: a finding of low severity or above."""
    complete: bool = False
    """Whether everything in the file that is looked for could be read, and two readers read the same."""
    second_reading: SecondReading | None = None
    """``None``: the app is installed on a phone, which gives only parts of its file, or it could not be read at all."""
