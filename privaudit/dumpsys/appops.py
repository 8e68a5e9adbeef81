"""Parse ``dumpsys appops`` in its four layouts: Android 6-8 (A), 9 (B), 10 (C), 11-16 (D).

Source: ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16) and captures. A uid mode overrides a package mode. Times are
in the phone's own time zone, with an age beside them: only the age can be trusted across time zones.

The module is one parser. A dump is long, and most of its lines repeat for other apps or record ops that are not kept; a
fast path handles those and leaves every other line to `AppOpsParser.parse_line`. Both share all their state.
"""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from privaudit.android import FIRST_APP_ID, PER_USER_RANGE
from privaudit.capture.altered_names import fold_name
from privaudit.dumpsys import gc_paused, iter_line_chunks
from privaudit.model import ReadBy

_DURATION = re.compile(
    r"([+-]?)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?\Z", re.ASCII
)
_APP_UID = re.compile(r"u(\d{1,5})a(\d{1,5})\Z", re.ASCII)

_MAX_UID_DIGITS: Final = 10
MODE_NAMES: Final = {"0": "allow", "1": "ignore", "2": "deny", "3": "default", "errored": "deny"} | {
    mode: mode for mode in ("allow", "ignore", "deny", "default", "foreground", "ask")
}
"""Modes are numbers up to Android 8, then names."""
_MIUI_ASK_MODE: Final = "4"
"""Up to Android 9. Android's own fourth mode, ``foreground``, came later and is printed by name."""
_OP_ALIASES: Final[Mapping[str, str]] = {
    "OP_READ_PHONE_STATE": "READ_PHONE_STATE",  # Android 6 prints the name of its constant
    # MIUI and HyperOS print their own ops by number: they return empty data instead of the real data.
    "MIUIOP(10028)": "READ_SMS_REAL",
    "MIUIOP(10029)": "READ_CONTACTS_REAL",
    "MIUIOP(10031)": "READ_CALL_LOG_REAL",
}
"""Name that some phones print → Android's own."""
_OP_NAME: Final = r"([A-Z][A-Z0-9_]*(?:\(\d+\))?)"
_UID_LINE = re.compile(r"^  Uid (\d+|u\d+(?:a|s|i|ai)\d+):$")
_PACKAGE_LINE = re.compile(r"^    Package (\S+?)(?::| isPrivileged: ?)$")
_UID_MODE_LINE = re.compile(rf"^      {_OP_NAME}: mode=((?:mode=)?\w+)$")
_WATCHER_LINE = re.compile(rf"^      {_OP_NAME}: (?:WATCHER|SILENT)$")
"""Below ``foregroundOps:``, from Android 10: who is notified when an app comes to the foreground. Not a mode."""
_OP_LINE_A = re.compile(
    rf"^      {_OP_NAME}: mode=(\w+)((?:; (?:time|rejectTime)=\S+ ago)*)(?: \(running\)|; duration=\S+)?$"
)
_OP_START = re.compile(r"\s*(\S+?)(?: \(\w|: mode=)")
"""What is left of the line of an op or of a mode whose indent or name a copy has altered."""
_OP_TIME_A = re.compile(r"; (time|rejectTime)=(\S+) ago")
_OP_LINE_BCD = re.compile(rf"^      {_OP_NAME} \((\w+|mode=\d+)(?: / switch ([A-Z0-9_]+)=(\w+|mode=\d+))?\):\s*$")
_EVENT_LINE_CD = re.compile(
    r"^\s+(Access|Reject): \[[a-z]+-([a-z|]+)\] ?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)"
)
_EVENT_LINE_B = re.compile(r"^ +(?:(Access|Reject): +)?[a-z]+ *(=) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)")
_EVENT_DETAIL_LINE = re.compile(r"^ {9,}(?:duration=|Running start at|startNesting=|(?:Access|Reject):\s*$)")
_EVENT_LINE_PREFIXES: Final = ("          Access: [", "          Reject: [")
_SIMPLE_EVENT_LINE = re.compile(
    r"          (Access|Reject): \[[a-z]+-([a-z|]+)\] (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})"
    r" \(-(\d{1,5})d(\d\d?)h(\d\d?)m(\d\d?)s(\d{1,3})ms\)\Z",
    re.ASCII,
)
"""An event of layouts C and D whose age the fast path can compute."""
_NULL_ATTRIBUTION_START: Final = "        null=["
_ATTRIBUTION_END: Final = "        ]"
_ATTRIBUTION_LINE = re.compile(r"^        (\S.*=\[|\])$")
"""Layout D: the events of an op stand between these, once per attribution tag."""

_EMUI_HEADER_REST = re.compile(r"(?:true|false) (?:\w+ ?)?:\s*$")
"""What EMUI 5 prints in column 0 after ``Package X isPrivileged:``."""


class AppOpEvent(NamedTuple):
    """One recorded use, or refusal."""

    age: timedelta | None
    """Time between the event and the dump; ``None``: printed in an unknown form."""
    local_time: str | None
    """As printed, in the phone's own time zone: ``YYYY-MM-DD HH:MM:SS.mmm``. Layout A does not print it."""
    offset: int
    read_by: ReadBy | None = None
    """Who received the data; ``None`` where the layout does not say."""
    key: str = "appops"
    """Key of the answer in which it stands."""


@dataclass(slots=True)
class AppOp:
    """State of one op of one package."""

    mode: str
    offset: int
    switch_op: str | None = None
    """The op that decides for this one (``AppOpsManager.opToSwitch``); `mode` is then the mode of that op."""
    last_access: AppOpEvent | None = None
    last_reject: AppOpEvent | None = None

    def keep_latest(self, kind: str, event: AppOpEvent) -> None:
        """Store `event` if it is later than the stored event of its `kind`, as the dump names the kind."""
        is_access = kind in {"Access", "time"}
        stored = self.last_access if is_access else self.last_reject
        if stored is not None and (event.age is None or (stored.age is not None and event.age >= stored.age)):
            return
        if is_access:
            self.last_access = event
        else:
            self.last_reject = event


@dataclass(slots=True)
class UidOps:
    """State of one uid."""

    uid_modes: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Op → uid mode and offset of its line."""
    packages: dict[str, dict[str, AppOp]] = field(default_factory=dict)
    """Package → op → its state."""
    is_doubtful: bool = False
    """Whether Android cannot have printed its lines so: an attribution tag, which an app chooses, may imitate them."""
    verified_ops: frozenset[str] = frozenset()
    """Ops whose modes and times come from ``cmd appops get``, where no app's text stands."""
    unread_lines: int = 0
    has_empty_attribution: bool = False
    """Layout D: whether a tag has no events. A tag's text can imitate one to attach its events to another op."""


@dataclass(slots=True)
class AppOpsDump:
    """The content of one ``dumpsys appops``."""

    uids: dict[int, UidOps] = field(default_factory=dict)
    unparsed_lines: int = 0
    reached_end: bool = False
    """Whether something follows the last uid: an empty line or another section. Android 6 and 7 print nothing there."""
    has_tags: bool = False
    """Whether attribution tags occur, in which an app can write: then each event stands inside one."""
    oldest_event: AppOpEvent | None = None
    """The oldest event of the ops that are stored."""


_IGNORED_OP: Final = AppOp(mode="", offset=0)
"""Placeholder for the current op if it is not kept."""
_UNCACHED_LINE: Final = ("", "", None)


def parse_appops(text: str, kept_ops: AbstractSet[str] | None = None) -> AppOpsDump:
    """Parse the output of ``dumpsys appops``; lines end in LF.

    Of packages only `kept_ops` (``None``: all) are stored and count for `AppOpsDump.oldest_event`. The other ops are
    only checked for text that an app may have written among them.
    """
    parser = AppOpsParser(kept_ops)
    with gc_paused():
        parser.parse_text(text)
    return parser.dump


class AppOpsParser:
    """Parses ``dumpsys appops`` into `dump`, caching results for lines that repeat across apps.

    `parse_text` parses a whole text. `parse_line` for every line gives the same without the cache, except for
    `AppOpsDump.reached_end`.
    """

    def __init__(self, kept_ops: AbstractSet[str] | None) -> None:
        self.dump = AppOpsDump()
        self._kept_ops = kept_ops
        self._kept_op_letters = frozenset(map(fold_name, kept_ops or ()))
        self._uid: UidOps | None = None
        self._previous_uid: UidOps | None = None
        self._uids_before: dict[int, UidOps | None] = {}
        """Uid → the one before it, whose text may have opened it."""
        self._ops: dict[str, AppOp] | None = None
        """Ops of the current package."""
        self._seen_ops: set[str] = set()
        """Names of ops that the current package has had so far, kept or not."""
        self._op: AppOp | None = None
        self._event_kind = "Access"
        self._in_attribution = self._attribution_is_empty = False
        self._op_line_pattern: re.Pattern[str] | None = None
        """The form of the first op line. It identifies the layout."""
        self._cached_op_lines: dict[str, tuple[str, str, str | None]] = {}
        """Line → name of the op, mode and switch. An empty mode: the op is not kept."""
        self._cached_mode_lines: dict[str, tuple[str, str]] = {}
        """Line → name of the op and uid mode."""
        self._ignored_lines: set[str] = set()
        """Lines that say nothing of interest about a uid."""

    def parse_text(self, text: str) -> None:
        """Parse a whole dump."""
        lines = chain.from_iterable(iter_line_chunks(text, 0))
        line, offset = next(lines, None), 0
        while line is not None:
            if (
                line
                and not (line in self._ignored_lines and self._uid is not None)
                and not self._apply_cached_line(line, offset)
            ):
                self.parse_line(line, offset)
            offset += len(line) + 1
            if self._op is None:
                line = next(lines, None)
            else:
                line, offset = self._parse_events(self._op, lines, offset)
        self.dump.reached_end = text.endswith("\n\n") or (self._uid is None and text.endswith("\n"))

    def parse_line(self, line: str, offset: int) -> None:
        """Parse one line that is not empty."""
        if line.startswith("        ") and self._uid is not None:
            self._parse_event(line, offset)
        elif line.startswith("  Uid "):
            self._begin_uid(line)
        elif self._uid is None:
            self._parse_outside_uid(line)
        elif not line.startswith("    "):
            # EMUI 5 breaks its package header over three lines; the other two stand in column 0.
            if line[0] == " ":
                if self._names_kept_op(line):
                    self._count_unread()
                self._end_op()
                self._end_uid()
            elif not _EMUI_HEADER_REST.match(line):
                self._count_unread()
        elif line.startswith("    Package "):
            self._begin_package(line)
        elif line.startswith("      ") and line[6:7].isupper():
            self._parse_op(line, offset)
        else:
            self._parse_uid_field(self._uid, line)

    # Uids and packages.

    def _parse_uid_field(self, uid: UidOps, line: str) -> None:
        if self._names_kept_op(line):
            self._count_unread()
        elif not line.startswith("    state="):
            self._ignored_lines.add(line)
        elif uid.uid_modes or uid.packages:
            # From Android 9 on this is the first line of a uid: a mode above it belongs to another.
            self._mark_forged(uid, self._previous_uid)

    def _parse_outside_uid(self, line: str) -> None:
        patterns = (_UID_MODE_LINE, _OP_LINE_A, _OP_LINE_BCD)
        if line.startswith("    Package ") or any(pattern.match(line) for pattern in patterns):
            self._count_unread()  # something ended the uid to which this line belongs, or its beginning is lost

    def _names_kept_op(self, line: str) -> bool:
        """Return whether `line`, whose form is no op's, has the name of a kept op: a copy has altered it."""
        match = _OP_START.match(line)
        return match is not None and fold_name(match[1]) in self._kept_op_letters

    def _count_unread(self) -> None:
        """Count a line that was not understood for the uid in which it stands, or behind which."""
        self.dump.unparsed_lines += 1
        uid = self._uid or self._previous_uid
        if uid is not None:
            uid.unread_lines += 1

    def _end_uid(self) -> None:
        self._previous_uid = self._uid or self._previous_uid
        self._uid = self._ops = None

    def _begin_uid(self, line: str) -> None:
        self._end_op()
        self._end_uid()
        match = _UID_LINE.match(line)
        if match is None:
            self._count_unread()
            return
        number, self._uid = parse_uid(match[1]), UidOps()
        if number in self.dump.uids:
            self._mark_forged(self.dump.uids[number], self._previous_uid, self._uids_before[number])
        elif number is not None:  # else: isolated processes, parsed and not stored
            self.dump.uids[number] = self._uid
            self._uids_before[number] = self._previous_uid

    def _begin_package(self, line: str) -> None:
        self._end_op()
        self._ops = None
        match = _PACKAGE_LINE.match(line)
        if match is None or self._uid is None:
            self._count_unread()
            return
        if match[1] in self._uid.packages:
            self._mark_forged(self._uid)
        self._ops = self._uid.packages.setdefault(match[1], {})
        self._seen_ops = set(self._ops)

    def _mark_forged(self, *uids: UidOps | None) -> None:
        for uid in filter(None, uids):
            uid.is_doubtful = True

    # Ops and modes.

    def _end_op(self) -> None:
        """End the current op. If an attribution tag is still open, the tag contains a line break."""
        if self._in_attribution:
            self._mark_forged(self._uid)
        self._op, self._in_attribution = None, False

    def _parse_op(self, line: str, offset: int) -> None:
        self._end_op()
        if self._ops is None:
            self._parse_uid_mode(line, offset)
            return
        match = _OP_LINE_BCD.match(line) or _OP_LINE_A.match(line)
        if match is None:
            self._count_unread()
            return
        name = _OP_ALIASES.get(match[1], match[1])
        self._op_line_pattern = self._op_line_pattern or match.re
        if name in self._seen_ops or match.re is not self._op_line_pattern:
            # Attribution tags are an app's own text and may contain line breaks. No release mixes its layouts.
            self._mark_forged(self._uid)
            return
        self._seen_ops.add(name)
        if self._kept_ops is not None and name not in self._kept_ops:
            self._op = _IGNORED_OP
            if fold_name(name) in self._kept_op_letters:
                self._count_unread()  # a copy has altered the name
                return
            if match.re is _OP_LINE_BCD:
                self._cached_op_lines[line] = name, "", None
        elif match.re is _OP_LINE_A:
            self._op = self._ops[name] = AppOp(mode=self._parse_mode(match[2]), offset=offset)
            for kind, age in _OP_TIME_A.findall(match[3]):
                self._keep_event(self._op, kind, AppOpEvent(parse_event_age(age), None, offset))
        else:
            mode = self._parse_mode(match[4] or match[2])
            self._op = self._ops[name] = AppOp(mode=mode, offset=offset, switch_op=match[3])
            if mode in MODE_NAMES:
                self._cached_op_lines[line] = name, mode, match[3]

    def _parse_uid_mode(self, line: str, offset: int) -> None:
        match = _UID_MODE_LINE.match(line)
        if match is None or self._uid is None:
            if _WATCHER_LINE.match(line) is None:
                self._count_unread()
            return
        name = _OP_ALIASES.get(match[1], match[1])
        if self._kept_ops is not None and name not in self._kept_ops and fold_name(name) in self._kept_op_letters:
            self._count_unread()
            return
        if name in self._uid.uid_modes:
            self._mark_forged(self._uid)
        mode = self._parse_mode(match[2])
        self._uid.uid_modes[name] = mode, offset
        if mode in MODE_NAMES and mode != "ask":  # MIUI's number means "ask" only as long as the layout is A
            self._cached_mode_lines[line] = name, mode

    def _parse_mode(self, printed: str) -> str:
        mode = printed.removeprefix("mode=")
        if mode == _MIUI_ASK_MODE and self._op_line_pattern is not _OP_LINE_BCD:
            return "ask"
        if mode not in MODE_NAMES or (mode.isdecimal() and mode == printed and self._op_line_pattern is _OP_LINE_BCD):
            self._count_unread()  # where modes have names, a number has ``mode=`` before it
            return "unknown"
        return MODE_NAMES[mode]

    # Events.

    def _parse_event(self, line: str, offset: int) -> None:
        match = _EVENT_LINE_CD.match(line) or _EVENT_LINE_B.match(line)
        if match is None:
            if tag := _ATTRIBUTION_LINE.match(line):
                self._open_or_close_attribution(opens=tag[1] != "]")
            elif self._ops is not None and not _EVENT_DETAIL_LINE.match(line):
                self._count_unread()
            elif self._ops is not None and self.dump.has_tags and not self._in_attribution:
                self._mark_forged(self._uid)
            return
        if self._op is None or (self.dump.has_tags and not self._in_attribution):
            self._mark_forged(self._uid)
            return
        self._attribution_is_empty = False
        if self._op is _IGNORED_OP:
            return
        # Layout B names the kind once and aligns the other process states below it.
        self._event_kind = match[1] or self._event_kind
        event = AppOpEvent(parse_event_age(match[4]), match[3], offset, parse_op_flags(match[2]))
        self._keep_event(self._op, self._event_kind, event)

    def _open_or_close_attribution(self, *, opens: bool) -> None:
        self.dump.has_tags = True
        if self._op is None or opens == self._in_attribution:
            self._mark_forged(self._uid)
        elif not opens and self._attribution_is_empty and self._uid is not None:
            self._uid.has_empty_attribution = True
        self._in_attribution = self._attribution_is_empty = opens

    def _keep_event(self, op: AppOp, kind: str, event: AppOpEvent) -> None:
        """Store `event` if it is the latest of `op`, or the oldest of the dump."""
        op.keep_latest(kind, event)
        oldest = self.dump.oldest_event
        if event.age is not None and (oldest is None or oldest.age is None or event.age > oldest.age):
            self.dump.oldest_event = event

    # The fast path.

    def _apply_cached_line(self, line: str, offset: int) -> bool:
        """Apply the line of an op or of a uid mode from the cache; return whether it was there and is valid here."""
        if self._in_attribution or self._uid is None:
            return False
        if self._ops is None:
            name, mode = self._cached_mode_lines.get(line, _UNCACHED_LINE[:2])
            if not name or name in self._uid.uid_modes:
                return False
            self._uid.uid_modes[name] = mode, offset
            return True
        name, mode, switch = self._cached_op_lines.get(line, _UNCACHED_LINE)
        if not name or name in self._seen_ops:
            return False
        self._seen_ops.add(name)
        if mode:
            self._op = self._ops[name] = AppOp(mode, offset, switch)
        else:
            self._op = _IGNORED_OP
        return True

    def _parse_events(self, op: AppOp, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        """Parse events and tags of `op` in their simple form; return the first other line, and its offset."""
        in_attribution, is_empty, has_tags = self._in_attribution, self._attribution_is_empty, self.dump.has_tags
        line: str | None
        for line in lines:
            if line == (_ATTRIBUTION_END if in_attribution else _NULL_ATTRIBUTION_START):
                if in_attribution and is_empty:
                    break
                is_empty = in_attribution = not in_attribution
                has_tags = True
            elif has_tags and not in_attribution:
                break
            elif op is _IGNORED_OP and line.startswith(_EVENT_LINE_PREFIXES):
                is_empty = False
            elif op is not _IGNORED_OP and (match := _SIMPLE_EVENT_LINE.match(line)):
                is_empty = False
                self._event_kind, flags, local_time, d, h, m, s, ms = match.groups()
                age = timedelta(int(d), int(s), 0, int(ms), int(m), int(h))
                self._keep_event(op, self._event_kind, AppOpEvent(age, local_time, offset, parse_op_flags(flags)))
            else:
                break
            offset += len(line) + 1
        else:
            line = None
        self._in_attribution, self._attribution_is_empty, self.dump.has_tags = in_attribution, is_empty, has_tags
        return line, offset


@lru_cache(maxsize=32)
def parse_op_flags(flags: str) -> ReadBy | None:
    """Return who received the data, from the flags after a process state: ``s``, ``tp``, ``up``, ``tpd``, ``upd``.

    Source: ``AppOpsManager.opFlagsToString``, ``OP_FLAG_*``. Several are joined with ``|``.
    """
    names = set(flags.split("|"))
    if "s" in names:
        return ReadBy.ITSELF
    if names & {"tpd", "upd"}:
        return ReadBy.THROUGH_ANOTHER
    return ReadBy.FOR_ANOTHER if names & {"tp", "up"} else None


def parse_uid(printed: str) -> int | None:
    """Parse ``u10a123`` to 1010123 and ``1000`` to 1000 (``UserHandle.formatUid``); ``None`` for isolated uids."""
    if printed.isdecimal():
        return int(printed) if len(printed) <= _MAX_UID_DIGITS else None
    match = _APP_UID.match(printed)
    return int(match[1]) * PER_USER_RANGE + FIRST_APP_ID + int(match[2]) if match else None


def parse_event_age(printed: str) -> timedelta | None:
    """Parse ``+1d2h3m4s5ms`` or ``-…`` (``TimeUtils.formatDuration``) as a positive duration; else ``None``."""
    if printed == "0":
        return timedelta()
    match = _DURATION.match(printed)
    if match is None:
        return None
    d, h, m, s, ms = match.group(2, 3, 4, 5, 6)
    if not (d or h or m or s or ms):
        return None
    try:
        return timedelta(int(d or 0), int(s or 0), 0, int(ms or 0), int(m or 0), int(h or 0))
    except OverflowError:
        return None
