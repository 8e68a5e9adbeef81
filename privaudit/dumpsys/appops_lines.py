"""What the lines of ``dumpsys appops`` look like, in its four layouts: Android 6-8 (A), 9 (B), 10 (C), 11-16 (D).

Source: ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16) and captures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

MODE_NAMES: Final = {"0": "allow", "1": "ignore", "2": "deny", "3": "default", "errored": "deny"} | {
    mode: mode for mode in ("allow", "ignore", "deny", "default", "foreground", "ask")
}
"""Numbers up to Android 8, then names."""
MIUI_ASK_MODE: Final = "4"
"""Up to Android 9. Android's own fourth mode, ``foreground``, came later, and by name."""
_OP_NAME: Final = r"([A-Z][A-Z0-9_]*(?:\(\d+\))?)"
UID_LINE = re.compile(r"^  Uid (\d+|u\d+(?:a|s|i|ai)\d+):$")
PACKAGE_LINE = re.compile(r"^    Package (\S+?)(?::| isPrivileged: ?)$")
UID_MODE_LINE = re.compile(rf"^      {_OP_NAME}: mode=((?:mode=)?\w+)$")
WATCHER_LINE = re.compile(rf"^      {_OP_NAME}: (?:WATCHER|SILENT)$")
"""Below ``foregroundOps:``, from Android 10: who wants to know when an app comes to the front. No mode."""
OP_LINE_A = re.compile(
    rf"^      {_OP_NAME}: mode=(\w+)((?:; (?:time|rejectTime)=\S+ ago)*)(?: \(running\)|; duration=\S+)?$"
)
OP_TIME_A = re.compile(r"; (time|rejectTime)=(\S+) ago")
OP_LINE_BCD = re.compile(rf"^      {_OP_NAME} \((\w+|mode=\d+)(?: / switch ([A-Z0-9_]+)=(\w+|mode=\d+))?\):\s*$")
EVENT_LINE_CD = re.compile(
    r"^\s+(Access|Reject): \[[a-z]+-([a-z|]+)\] ?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)"
)
EVENT_LINE_B = re.compile(
    r"^\s+(?:(Access|Reject): )?\s*[a-z]+\s*(=) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)"
)
EVENT_DETAIL_LINE = re.compile(r"^ {9,}(?:duration=|Running start at|startNesting=|(?:Access|Reject):\s*$)")
EVENT_LINE_PREFIXES: Final = ("          Access: [", "          Reject: [")
SIMPLE_EVENT_LINE = re.compile(
    r"          (Access|Reject): \[[a-z]+-([a-z|]+)\] (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})"
    r" \(-(\d{1,5})d(\d\d?)h(\d\d?)m(\d\d?)s(\d{1,3})ms\)\Z",
    re.ASCII,
)
"""A record of layouts C and D whose age needs no second look."""
NULL_ATTRIBUTION_START: Final = "        null=["
ATTRIBUTION_END: Final = "        ]"
SIMPLE_ATTRIBUTION_LINES: Final = frozenset({NULL_ATTRIBUTION_START, ATTRIBUTION_END})
ATTRIBUTION_LINE = re.compile(r"^        (\S.*=\[|\])$")
"""Layout D: what an op recorded stands between these, once per attribution tag."""

_OP_ALIASES: Final[Mapping[str, str]] = {
    "OP_READ_PHONE_STATE": "READ_PHONE_STATE",  # Android 6 prints its own constant's name
    # MIUI and HyperOS print their own ops by number: blank data in place of the real.
    "MIUIOP(10028)": "READ_SMS_REAL",
    "MIUIOP(10029)": "READ_CONTACTS_REAL",
    "MIUIOP(10031)": "READ_CALL_LOG_REAL",
}


def canonical_op_name(printed: str) -> str:
    """Android's own name of an op that some phones print otherwise."""
    return _OP_ALIASES.get(printed, printed)
