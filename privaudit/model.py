"""Every noun of privaudit, frozen.

The dataclasses from `Report` downwards *are* the report document: `privaudit.report.json` writes and reads them as they
stand, and every renderer is a function of them. Absence is a value here, never an empty string.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, Self, TypeAlias

MessageValue: TypeAlias = "str | int | bool | Message | tuple[str | Message, ...] | None"
"""What may fill a gap in a sentence.

``…_at`` holds an ISO time, ``…_on`` a ``YYYY[-MM[-DD]]``, ``…_short`` a day to be worded in few columns.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something said to a person: a key and values, worded by `privaudit.language` in the reader's language."""

    key: str
    """``area.name``: a key of the message catalog (``en.toml``)."""
    values: Mapping[str, MessageValue] = field(default_factory=dict)
    """What fills the gaps. May hold text from the phone, raw; it is tamed when it is worded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a transport may send. Only ``capture/questions.py`` and ``revocation/commands.py`` make one (tested)."""

    text: str
    """Shell text, run by the phone's ``/system/bin/sh``."""
    why: str
    """For the command log: what it is for, in English."""
    binary: bool = False
    """Whether the output must arrive byte for byte: a terminal, as of Android 6, would turn LF into CRLF."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back for a `Command`."""

    stdout: bytes
    stderr: bytes
    """Empty where the phone cannot keep it apart (below Android 7 without ``shell_v2``); then it is in ``stdout``."""
    exit_code: int | None
    """``None`` where the phone did not say."""


class PhoneState(StrEnum):
    """How a phone is, as seen from this computer."""

    READY = "ready"
    """Answers."""
    WAITING = "waiting"
    """Asks its owner "Allow USB debugging?", or was told "Cancel"."""
    UNAUTHORISED = "unauthorised"
    """Does not know this computer, and was not yet asked to."""
    NO_PERMISSION = "no_permission"
    """This computer's system does not let us use it."""
    BUSY = "busy"
    """Another program on this computer uses it."""
    CONNECTING = "connecting"
    """Just found; nothing is known yet."""
    OFFLINE = "offline"
    """There, and says nothing."""
    NO_DRIVER = "no_driver"
    """Windows has no driver for it."""
    DEBUGGING_OFF = "debugging_off"
    """On the cable, without USB debugging: it is switched off, or the phone only charges."""
    RECOVERY = "recovery"
    """Started into recovery, sideload or the boot loader, where Android does not run."""
    OTHER_SYSTEM = "other_system"
    """HarmonyOS NEXT: no Android, and no ADB."""
    ABSENT = "absent"
    """Not to be seen, or not any more."""


class AnswerState(StrEnum):
    """How a question ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    TIMED_OUT = "timed_out"
    NOT_SUPPORTED = "not_supported"
    NOT_ASKED = "not_asked"


class DataClass(StrEnum):
    """The kinds of personal data that this tool is about: what collectors call and write from."""

    CONTACTS = "contacts"
    SMS = "sms"
    CALL_LOG = "call_log"


class OtherDataClass(StrEnum):
    """Further kinds that are told of an app. No finding rests on them."""

    PHONE = "phone"
    """Numbers and identifiers of the phone, and whether a call is going on."""
    LOCATION = "location"
    MEDIA = "media"
    """Photos and videos; with all-files access every file that is not an app's own."""
    APP_LIST = "app_list"
    """Which apps are installed."""


class RequestedState(StrEnum):
    """Whether the manifest asks for a permission. Whole dumps do not say."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class EffectiveState(StrEnum):
    """What a permission comes to once grant, flags and app-op are put together."""

    ALLOWED = "allowed"
    FOREGROUND = "foreground"
    """Only while the app is open."""
    ASK = "ask"
    """The ROM asks the owner each time (MIUI/HyperOS)."""
    BLOCKED = "blocked"
    """Granted on paper; the app gets nothing, or an error."""
    DENIED = "denied"
    UNKNOWN = "unknown"


class AccessState(StrEnum):
    """Can this app read this kind of data, now?"""

    CAN_READ = "can_read"
    ONLY_WHILE_OPEN = "only_while_open"
    ASKS_EACH_TIME = "asks_each_time"
    BLOCKED = "blocked"
    NOT_ALLOWED = "not_allowed"
    NOT_REQUESTED = "not_requested"
    UNKNOWN = "unknown"

    @property
    def allows_reading(self) -> bool:
        """Whether data can reach the app in this state, at once or after a tap."""
        return self in {AccessState.CAN_READ, AccessState.ONLY_WHILE_OPEN, AccessState.ASKS_EACH_TIME}


class ReadBy(StrEnum):
    """Who fetched the data that app-ops recorded as read (``OP_FLAG_*``, from Android 10)."""

    ITSELF = "itself"
    THROUGH_ANOTHER = "through_another"
    """Another app or system part fetched it for this app (``tpd``, ``upd``): the app got it all the same."""
    FOR_ANOTHER = "for_another"
    """This app fetched it for another app (``tp``, ``up``)."""


class History(StrEnum):
    """What the phone's app-ops remember of reading. ``no_record`` is not "never"."""

    RECORDED = "recorded"
    NO_RECORD = "no_record"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rom:
    """The maker's own Android."""

    id: str
    """File name in ``privaudit/data/roms``, as ``hyperos``; ``aosp`` for stock Android and the unrecognised."""
    name: str
    version: str | None
    """As the phone words it, or ``None`` where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """The device, as far as it may be told. Never a serial number, IMEI or phone number."""

    manufacturer: str | None
    model: str | None
    android: str | None
    """``ro.build.version.release``: what the maker prints. Some lie; decide by `sdk`."""
    sdk: int | None
    """``ro.build.version.sdk``."""
    sdk_inferred: bool
    """True where no property was read and the layout of the dumps gave `sdk`."""
    security_patch: str | None
    rom: Rom
    languages: tuple[str, ...]
    """BCP 47 tags, the owner's first choice first. Empty: not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneClock:
    """The phone's time against this computer's."""

    zone: str | None
    """IANA name from ``persist.sys.timezone``."""
    offset_s: int | None
    """Phone minus computer, in seconds."""


class UserKind(StrEnum):
    """What an Android user is for. Each has its own grants."""

    OWNER = "owner"
    WORK_PROFILE = "work_profile"
    CLONE = "clone"
    PRIVATE_SPACE = "private_space"
    SECURE_FOLDER = "secure_folder"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One Android user (0 the owner, others clones, profiles, private spaces). Its name is never kept."""

    id: int
    kind: UserKind
    checked: bool
    why_not: AnswerState | None
    """Why it could not be checked; ``None`` where it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One runtime permission of one app for one user."""

    name: str
    requested: RequestedState
    granted: bool | None
    """``None``: not read."""
    flags: tuple[str, ...]
    """Android's own names (``USER_SET``, ``REVOKED_COMPAT`` …); unknown bits as Android prints them, in decimal."""
    mode: str | None
    """App-op mode in force, uid mode before package mode: allow, ignore, deny, foreground, default, ask.

    ``None``: none stored, or not read."""
    effective: EffectiveState
    last_access: datetime | None
    """Last use that app-ops recorded. Without zone where the phone's zone was not read."""
    last_reject: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The answer to "can this app read my contacts (SMS, call log), and when did it last do so?"."""

    state: AccessState
    """By its permissions: grant, flags and app-op put together."""
    ways: tuple[str, ...]
    """Every route that is open: ``permission``, ``incoming`` (only what arrives from now on), and kinds of
    `SpecialAccess` that reach the same data. With these alone `state` does not read: the permission is closed, and
    another door is not."""
    last_read: datetime | None
    last_read_age_s: int | None
    """How long before the check, in seconds. Known also where the phone's clock was not read."""
    history: History
    history_since: datetime | None
    """How far back this phone's records of this app can go: to the oldest record of any app that the phone still has,
    or to this app's installation where that is later. Without zone where the phone's was not read."""
    last_read_by: ReadBy | None = None
    """``None``: nothing recorded, or this Android does not tell."""
    last_refused: datetime | None = None
    """Last time that app-ops turned the app away."""
    last_refused_age_s: int | None = None

    @property
    def is_incoming_only(self) -> bool:
        """Whether new messages reach the app and old ones do not."""
        return "incoming" in self.ways and "permission" not in self.ways


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialAccess:
    """A right beside the runtime permissions.

    Kinds: ``accessibility``, ``notification_listener``, ``device_admin``, ``device_owner``, ``profile_owner``,
    ``default_sms``, ``default_phone``, ``input_method``, and those that an app-op decides: ``overlay``, ``usage``,
    ``all_files``, ``install_packages``.
    """

    kind: str
    component: str | None
    """The app's component that holds it, as the phone writes it; ``None`` where the right is the whole app's."""


class LabelState(StrEnum):
    """Whether the launcher name of an app was read."""

    READ = "read"
    NOT_ASKED = "not_asked"
    UNREADABLE = "unreadable"


class LendingVerdict(StrEnum):
    """Is it a lending app?"""

    YES = "yes"
    LIKELY = "likely"
    EMBEDS = "embeds"
    """A wallet or shop app that also lends."""
    NO = "no"
    """Not recognised. Not a statement that it is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lending:
    """The verdict and its reasons."""

    verdict: LendingVerdict
    reasons: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureMatch:
    """One published list on which an app's package name, hash or certificate stands."""

    signature: str
    """``<file>#<row>``, for instance ``eset-2023#4``."""
    tier: Literal["A", "B", "N", "own"]
    """A malware research, B a regulator's list, N a regulator's notice to rectify, own: added by the user."""
    action: str
    """The source's own word: SpyLoan, reported, delisted, illegal, watch list, notified …"""
    publisher: str
    via: str | None
    """The reprint in which it was seen, where the original was not."""
    title: str
    date: str | None
    """``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; ``None``: the list says none."""
    country: str | None
    """ISO 3166 code of the country whose list it is; ``None``: of no country."""
    url: str | None
    match: Literal["package", "apk_sha256", "certificate"]
    disputed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NameMatch:
    """One published list with a name that equals a name of the app. Apps share names: it makes no finding."""

    signature: str
    """``<file>#<row>``, for instance ``bog-2023#4``."""
    tier: Literal["A", "B", "N"]
    """A malware research, B a regulator's list, N a regulator's notice."""
    publisher: str
    title: str
    date: str | None
    """``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; ``None``: the list says none."""
    country: str
    """ISO 3166 code of the country for which the list has the name, and to which the phone is set."""
    name: str
    """As the list has it."""
    label: str
    """The name of the app that equals it: case, blanks, punctuation and what stands behind a dash aside."""
    disputed: bool = False


RuleStance: TypeAlias = Literal["forbids", "not_necessary", "conditional", "advises", "conduct"]
"""What a rule says of some data: lenders may not reach it; it is not necessary for a loan; only on a condition; its
authority advises the owner to refuse it; or it rules what people do with it, which no permission shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleMatch:
    """A country's or store's rule that an app's permissions touch. Annotates; never accuses.

    One for each thing that a rule says, once of what the app holds and once of what it only asks for.
    """

    id: str
    """File name in ``privaudit/data/rules``, whose words tell the rule."""
    match: Literal["requested", "granted"]
    verify: bool
    """Whether something of the rule is not verified yet."""
    says: RuleStance | None = None
    """``None``: not told. A reader finds it under the `id`."""
    condition: str | None = None
    """Which words of the rule tell the condition."""
    likely: bool = False
    """Whether we read the rule so, and it does not name this data itself."""
    data: tuple[str, ...] = ()
    """`DataClass` and `OtherDataClass` that it is about."""
    permissions: tuple[str, ...] = ()
    """The permissions of this app by which it matches, and kinds of special access."""
    date: str | None = None
    """Of the rule: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; ``None``: not known."""


class Severity(StrEnum):
    """In which order to act. Never who is guilty."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def order(self) -> int:
        """0 first."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One installed app for one Android user."""

    package: str
    user: int
    label: str | None
    label_state: LabelState
    labels: Mapping[str, str]
    """By language tag; ``und`` where it is for no language in particular."""
    version_name: str | None
    version_code: int | None
    target_sdk: int | None
    installer: str | None
    """Package that installed it; ``None``: none recorded, or not read (see `installer_known`)."""
    installer_known: bool
    """False where the source does not say who installed it."""
    installer_name: str | None
    first_installed: datetime | None
    last_updated: datetime | None
    system: bool
    enabled: bool | None
    certificates_sha256: tuple[str, ...]
    apk_sha256: str | None
    access: Mapping[DataClass, Access]
    permissions: tuple[Permission, ...]
    special_access: tuple[SpecialAccess, ...]
    other_access: Mapping[OtherDataClass, Access] = field(default_factory=dict)
    label_problem: Message | None = None
    """Why its name could not be read."""
    launcher_labels: tuple[str, ...] = ()
    """What stands under its icons where that is not `label`: some call themselves otherwise in the settings."""
    launcher_icon: bool | None = None
    """Whether its manifest gives it an icon among the apps; ``None``: not read."""
    lending: Lending = Lending(verdict=LendingVerdict.NO)
    listed: tuple[SignatureMatch, ...] = ()
    rules: tuple[RuleMatch, ...] = ()
    named: tuple[NameMatch, ...] = ()
    """Lists with its name. No grade and no count depends on them."""
    named_by_user: bool = False
    """Whether the user asked for it by name, for instance as the app that lent money."""
    severity: Severity | None = None
    """The highest severity of the findings about it; ``None``: no finding, or written before version 1.1."""

    @property
    def is_recognised(self) -> bool:
        """Whether this app is a lending or a listed one."""
        return self.lending.verdict is not LendingVerdict.NO or bool(self.listed)

    @property
    def is_reported(self) -> bool:
        """Whether a report is about this app: a lending or a listed one, or one that the user named."""
        return self.is_recognised or self.named_by_user

    @property
    def requests(self) -> frozenset[str]:
        """The permissions that it requests, as far as that was read."""
        return frozenset(one.name for one in self.permissions if one.requested is RequestedState.YES)

    @property
    def access_states(self) -> Mapping[DataClass, AccessState]:
        """The state of each kind of data."""
        return {data: access.state for data, access in self.access.items()}

    @property
    def special_access_kinds(self) -> frozenset[str]:
        """Kinds of special access that it holds."""
        return frozenset(access.kind for access in self.special_access)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How one question ended."""

    question: str
    """A name from ``capture/questions.py``."""
    user: int | None
    """The Android user it was asked for; ``None``: for the whole phone."""
    state: AnswerState
    unparsed_lines: int = 0
    """Lines in a section we know that no rule took."""
    detail: Message | None = None
    """What the phone said, or what is wrong, in short."""
    could_hide: bool = False
    """Whether a finding could hide behind this: then the report is not complete."""


@dataclass(frozen=True, slots=True)
class FactLocation:
    """Where a fact stands: an answer and the character offset of its line in it."""

    answer_key: str
    """Key of the answer in the capture, for instance ``packages``."""
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSummary:
    """What decides whether a report names an app. Cheap to compute, so every app of a phone has one."""

    package: str
    user: int
    system: bool
    installer: str | None
    access_states: Mapping[DataClass, AccessState]
    """As in `App.access`, but what an app requests is not looked up: a denied permission counts as not allowed."""
    special_access_kinds: frozenset[str]
    label: str | None = None
    label_state: LabelState = LabelState.NOT_ASKED
    labels: Mapping[str, str] = field(default_factory=dict)
    launcher_labels: tuple[str, ...] = ()
    certificates_sha256: tuple[str, ...] = ()
    apk_sha256: str | None = None
    requests: frozenset[str] = frozenset()
    """Permissions for contacts, SMS and call log that it requests, as far as that was read."""
    listed: tuple[SignatureMatch, ...] = ()
    lending: Lending = Lending(verdict=LendingVerdict.NO)
    named_by_user: bool = False

    @property
    def is_recognised(self) -> bool:
        """Whether this app is a lending or a listed one."""
        return self.lending.verdict is not LendingVerdict.NO or bool(self.listed)

    @property
    def is_reported(self) -> bool:
        """Whether a report is about this app: a lending or a listed one, or one that the user named."""
        return self.is_recognised or self.named_by_user

    @property
    def can_read(self) -> bool:
        """Whether it can read contacts, SMS or the call log now."""
        return any(state.allows_reading for state in self.access_states.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a capture says, typed. Nothing is judged yet."""

    phone: Phone
    clock: PhoneClock
    users: tuple[User, ...]
    apps: tuple[App, ...]
    coverage: tuple[Coverage, ...]
    locations: Mapping[tuple[str, int, str], tuple[FactLocation, ...]]
    """(package, user, fact) → where it stands. The fact is ``package`` or a permission's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One line of what the phone said."""

    question: str
    line: int
    """Counted from 1 in the answer to `question`; 1 for a binary answer."""
    text: str
    """Verbatim, without its line end; of a binary answer, the package name in it."""


Step: TypeAlias = Message
"""One tap, or one thing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule found about one app of one user. Cannot be built without evidence."""

    rule: str
    severity: Severity
    package: str
    user: int
    message: Message
    evidence: tuple[Evidence, ...]
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        """Refuse a finding that nothing supports."""
        if not self.evidence:
            raise ValueError(f"finding {self.rule} about {self.package} has no evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Which privaudit wrote the report."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureListInfo:
    """Which lists were used, and how much they hold: "not on a list" means nothing without it."""

    packages: int
    """Package names on tier A and B lists."""
    packages_for_country: int | None
    """Of them, for the chosen country; ``None``: no country chosen."""
    newest: str | None
    """Newest date of a source that has one."""
    sha256: str
    names_for_country: int | None = None
    """Names of apps for the chosen country that labels are compared with; ``None``: not told, or no country chosen."""
    newest_for_country: str | None = None
    """Newest date of a list with a package or a name for the chosen country; ``None``: not told, or there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetInfo:
    """Which country's rules were used."""

    country: str | None
    sha256: str | None
    """Of all rules; ``None``: written before there were any."""
    rules_for_country: int | None = None
    """Rules of the chosen country that are in force; ``None``: no country chosen."""
    known_until: str | None = None
    """Date of the newest source that was seen for the rules."""
    checked: bool = False
    """Whether somebody who knows the law has checked all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeInfo:
    """What the judgement rests on."""

    signatures: SignatureListInfo
    rules: RuleSetInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The owner's consent, in a workshop."""

    given_at: datetime
    scope: tuple[str, ...]


SourceKind: TypeAlias = Literal["usb", "tcp", "server", "capture", "bugreport", "androidqf", "folder", "demo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the answers came from."""

    kind: SourceKind
    sha256: str | None
    """Of the file, where it is one."""
    path: str | None = None
    """The file or folder as it was given, in JSON Lines only; in a shared report its place among these, ``#2``."""

    @property
    def is_live(self) -> bool:
        """Whether a phone answered directly. A saved capture of the demo phone keeps the kind ``demo``."""
        return self.kind in {"usb", "tcp", "server", "demo"}


MessageRoute: TypeAlias = Literal["notifications", "screen", "sms_role"]
"""How special access shows an app the messages: notification access, accessibility, the role of default SMS app."""
MESSAGE_ROUTES: Final[Mapping[MessageRoute, str]] = {
    "notifications": "notification_listener",
    "screen": "accessibility",
    "sms_role": "default_sms",
}
"""Route → `SpecialAccess.kind`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many apps. A package is counted once, however many users have it."""

    apps_seen: int
    lending: int
    listed: int
    suspect: int
    lending_can_read: Mapping[DataClass, int]
    lending_special_access: Mapping[MessageRoute, int] = field(default_factory=dict)
    """Empty: written before version 1.1."""
    others_can_read: int | None = None
    """Apps that are neither recognised nor named by the user, and can read contacts, SMS or the call log now;
    ``None``: written before version 1.1."""
    others_can_read_system: int | None = None
    """Those of `others_can_read` that came with the phone."""

    @classmethod
    def from_apps(
        cls,
        apps: Sequence[App],
        suspects: int,
        *,
        apps_seen: int,
        others_can_read: int | None = None,
        others_can_read_system: int | None = None,
    ) -> Self:
        """Count `apps`, which hold all that are recognised, beside the counts of the other apps of the phone."""
        lending = [app for app in apps if app.is_recognised]
        return cls(
            apps_seen=apps_seen,
            lending=len({app.package for app in lending}),
            listed=len({app.package for app in lending if app.listed}),
            suspect=suspects,
            lending_can_read={
                data: len({app.package for app in lending if app.access[data].state.allows_reading})
                for data in DataClass
            },
            lending_special_access={
                route: len({app.package for app in lending if kind in app.special_access_kinds})
                for route, kind in MESSAGE_ROUTES.items()
            },
            others_can_read=others_can_read,
            others_can_read_system=others_can_read_system,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AppNameQuery:
    """A name by which the user asked for an app, and the installed apps that have it."""

    name: str
    packages: tuple[str, ...]
    """Empty: no app was seen that has this name, among those whose names could be read."""


class Verdict(StrEnum):
    """Found or not. `Report.complete` says whether everything could be read; never "clean"."""

    FOUND = "found"
    NOTHING_FOUND = "nothing_found"


REPORT_SCHEMA = "privaudit-report/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFailure:
    """The line that stands in JSON Lines for a source that could not be read."""

    schema: Literal["privaudit-source-failure/1"] = "privaudit-source-failure/1"
    source: Mapping[Literal["path"], str]
    """Its `Source.path`, in the same place as in a report."""
    exit_code: int
    """What ``privaudit audit`` of this source alone would end with."""
    error: Message
    """What happened."""
    text: str
    """The same in English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The document that ``privaudit audit`` writes. Everything visible is a function of it."""

    schema: Literal["privaudit-report/1"] = "privaudit-report/1"
    demo: bool
    tool: Tool
    knowledge: KnowledgeInfo
    taken_at: datetime
    phone_clock: PhoneClock
    consent: Consent | None
    source: Source
    phone: Phone
    users: tuple[User, ...]
    coverage: tuple[Coverage, ...]
    counts: Counts
    apps: tuple[App, ...]
    findings: tuple[Finding, ...]
    verdict: Verdict
    complete: bool
    app_names: tuple[AppNameQuery, ...] = ()
    """The apps that the user asked for by name. While one of them is not found, the report is not complete."""
    shared: bool = False
    """Whether it was coarsened to be handed on: times are those of a month's beginning, names and more left out."""
