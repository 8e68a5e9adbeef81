"""Parse special access: accessibility, notification access, keyboard, default SMS and phone app, device admins.

Sources: ``Settings.Secure``, ``RoleManagerService.dump`` (``DualDumpOutputStream``),
``DevicePolicyManagerService.dump``.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privaudit.capture.altered_names import fold_name
from privaudit.capture.model import Capture
from privaudit.capture.questions import SETTINGS, is_package_name
from privaudit.dumpsys import iter_lines_with_offset
from privaudit.model import AnswerState, FactLocation, SpecialAccess

_KIND_BY_SETTING: Final = {
    "enabled_accessibility_services": "accessibility",
    "enabled_notification_listeners": "notification_listener",
    "default_input_method": "input_method",
    "sms_default_application": "default_sms",
    "dialer_default_application": "default_phone",
}
_COMPONENT_KINDS: Final = frozenset({"accessibility", "notification_listener", "input_method"})
_SETTING_LETTERS: Final = tuple(map(fold_name, SETTINGS))
_CLEAN_NAME = re.compile(r"[\w.]+\Z", re.ASCII)
_USER_ID = re.compile(r"\d{1,5}\Z", re.ASCII)
_KIND_BY_ROLE: Final = {"android.app.role.SMS": "default_sms", "android.app.role.DIALER": "default_phone"}
_ROLE_LETTERS: Final = frozenset(map(fold_name, _KIND_BY_ROLE))
_ROLE_FIELD_LETTERS: Final = frozenset(map(fold_name, ("user_id", "name", "holders")))
_OPENING_BRACKETS: Final[Mapping[str, str]] = {"}": "{", "]": "["}
_ADMIN_LIST_HEADER = re.compile(r"^\s+Enabled Device Admins \(User (\d{1,5})\b", re.ASCII)
_ADMIN_LIST_LETTERS: Final = fold_name("Enabled Device Admins")
_ADMIN_COMPONENT = re.compile(r"^    ([^\s/]+)/(\S+):\s*$")
_ADMIN_UID = re.compile(r"\W*uid=\d{4,10}\W*\Z", re.ASCII)
"""The first line of an administrator, below its component."""
_PARENT_ADMIN: Final = "parentAdmin:"
"""Title of the second record of a work profile's administrator."""
_OWNER_HEADER = re.compile(r"^\s+(?:(Device Owner)|Profile Owner \(User (\d{1,5})\)):\s*$", re.ASCII)
_ROLE_DUMP_SYNTAX = re.compile(r"(?:ROLE (?:MANAGER )?STATE.*|[{}\]]|\w+=.*)?\Z")
"""``DualDumpOutputStream`` prints names with values, and brackets. Android 12 and later title it ``ROLE STATE``."""
_OWNER_COMPONENT = re.compile(r"^\s+(?:admin=ComponentInfo\{|ComponentInfo\{)([^/}]+)/([^}]+)\}")
_ADMIN_LIST_END_INDENT: Final = 2
"""In ``device_policy`` a line with this indent or less ends the list of administrators."""


@dataclass(frozen=True, slots=True)
class SpecialAccessEntry:
    """One kind of special access of one package, and the line that proves it."""

    access: SpecialAccess
    location: FactLocation


@dataclass(frozen=True, slots=True)
class SpecialAccessFacts:
    """Special access of all packages."""

    by_package_and_user: Mapping[tuple[str, int], tuple[SpecialAccessEntry, ...]]
    """Package and user → entries. It may contain stale entries of removed apps."""
    unparsed_lines: Counter[str]
    """Answer key → number of lines that Android does not print: a class name may contain line breaks."""


_SpecialAccessRow = tuple[str, int, str, str | None, FactLocation]
"""Package, user, kind, component, location."""


def parse_special_access(capture: Capture) -> SpecialAccessFacts:
    """Collect special access from the secure settings, the role holders and the device policy."""
    unparsed_lines: Counter[str] = Counter()
    entries: dict[tuple[str, int], dict[tuple[str, str | None], SpecialAccessEntry]] = defaultdict(dict)
    rows = (
        *_parse_settings(capture, unparsed_lines),
        *_parse_roles(capture, unparsed_lines),
        *_parse_device_policy(capture, unparsed_lines),
    )
    for package, user, kind, component, location in rows:
        if is_package_name(package):
            # A role and the older setting of the same kind give the same entry twice.
            entries[package, user].setdefault(
                (kind, component), SpecialAccessEntry(SpecialAccess(kind=kind, component=component), location)
            )
        elif location.answer_key == "device_policy":
            unparsed_lines["device_policy"] += 1
    return SpecialAccessFacts({key: tuple(by_kind.values()) for key, by_kind in entries.items()}, unparsed_lines)


def _parse_settings(capture: Capture, unparsed_lines: Counter[str]) -> Iterator[_SpecialAccessRow]:
    roles = capture.answer("roles")
    roles_known = roles.state is AnswerState.ANSWERED and "user_id=" in roles.text
    for answer in capture.answers_to("settings"):
        values: dict[str, tuple[int, str]] = {}
        for offset, line in iter_lines_with_offset(answer.text):
            key, equals, value = line.partition("=")
            if line and (not equals or key in values or _is_altered_setting(key)):
                unparsed_lines[answer.key] += 1
            elif line:
                values[key] = offset, value
        for key, kind in _KIND_BY_SETTING.items():
            offset, value = values.get(key, (0, ""))
            if not value or value == "null" or (kind.startswith("default_") and roles_known):
                continue
            if kind == "accessibility" and values.get("accessibility_enabled", (0, "1"))[1] == "0":
                continue
            for component in value.split(":"):
                package, slash, _ = component.partition("/")
                if component and answer.exit_code is None and not _is_whole_component(kind, package, slash):
                    unparsed_lines[answer.key] += 1  # a saved text may be cut in the middle of a line
                yield package, answer.user or 0, kind, component if slash else None, FactLocation(answer.key, offset)


def _is_altered_setting(key: str) -> bool:
    """Return whether `key` is one of ours that a copy has altered, cut, or put something before."""
    letters = fold_name(key) if key not in SETTINGS else ""
    is_cut = bool(letters) and any(ours.endswith(letters) for ours in _SETTING_LETTERS)
    return is_cut or (letters.endswith(_SETTING_LETTERS) and _CLEAN_NAME.match(key) is None)


def _is_whole_component(kind: str, package: str, slash: str) -> bool:
    return is_package_name(package) and (bool(slash) or kind not in _COMPONENT_KINDS)


def _parse_roles(capture: Capture, unparsed_lines: Counter[str]) -> Iterator[_SpecialAccessRow]:
    user, kind, in_holders, has_name = 0, None, False, False
    users: set[int] = set()
    for offset, line in iter_lines_with_offset(capture.answer("roles").text):
        key, equals, value = line.strip().partition("=")
        location = FactLocation("roles", offset)
        holder = None
        if line.rstrip().endswith("{"):
            kind, has_name = None, False
        if key == "user_id" and _USER_ID.match(value):
            user, kind, in_holders = int(value), None, False
            unparsed_lines["roles"] += user in users  # each user has one list
            users.add(user)
        elif key == "name" and _CLEAN_NAME.match(value):
            kind, in_holders, has_name = _KIND_BY_ROLE.get(value), False, True
            is_cut = kind is None and any(role.startswith(value) for role in _KIND_BY_ROLE)
            unparsed_lines["roles"] += is_cut or (kind is None and fold_name(value) in _ROLE_LETTERS)
        elif key == "holders":
            in_holders = value == "["
            unparsed_lines["roles"] += not has_name
            holder = value if value not in {"", "["} else None
        elif in_holders and kind and not equals and key not in {"", "]"}:
            holder = key
        elif key == "]":
            in_holders = False
        elif fold_name(key) in _ROLE_FIELD_LETTERS or not (in_holders or _ROLE_DUMP_SYNTAX.match(line.strip())):
            unparsed_lines["roles"] += 1
        if kind and holder:
            unparsed_lines["roles"] += not is_package_name(holder)
            yield holder, user, kind, None, location
    unparsed_lines["roles"] += _count_wrong_brackets(capture.answer("roles").text)


def _count_wrong_brackets(text: str) -> int:
    """Return how many brackets close none, and whether one stays open: a part of the text is missing."""
    opened: list[str] = []
    wrong = 0
    for word in map(str.strip, text.split("\n")):
        if word.endswith(("{", "[")):
            opened.append(word[-1])
        elif word in _OPENING_BRACKETS:
            wrong += not opened or opened.pop() != _OPENING_BRACKETS[word]
    return wrong + bool(opened)


def _parse_device_policy(capture: Capture, unparsed_lines: Counter[str]) -> Iterator[_SpecialAccessRow]:
    user: int | None = None
    owner: tuple[int, str] | None = None
    previous = ""
    for offset, line in iter_lines_with_offset(capture.answer("device_policy").text):
        location = FactLocation("device_policy", offset)
        has_component = _ADMIN_COMPONENT.match(previous) is not None or _PARENT_ADMIN in previous
        if _ADMIN_UID.match(line) and (user is None or not has_component):
            unparsed_lines["device_policy"] += 1  # the line of its component is lost, or that of its list
        previous = line if line.strip() else previous
        if match := _ADMIN_LIST_HEADER.match(line):
            user, owner = int(match[1]), None
        elif match := _OWNER_HEADER.match(line):
            user, owner = None, (0, "device_owner") if match[1] else (int(match[2]), "profile_owner")
        elif user is not None and (match := _ADMIN_COMPONENT.match(line)):
            yield match[1], user, "device_admin", f"{match[1]}/{match[2]}", location
        elif owner is not None and (match := _OWNER_COMPONENT.match(line)):
            yield match[1], *owner, f"{match[1]}/{match[2]}", location
            owner = None
        elif user is not None and line.strip() and len(line) - len(line.lstrip()) <= _ADMIN_LIST_END_INDENT:
            # This section prints nothing in column 0: such a line is the rest of a class name.
            unparsed_lines["device_policy"] += line[0] != " "
            user = None
        elif user is not None and _ADMIN_COMPONENT.match(f"{line}:"):
            unparsed_lines["device_policy"] += 1  # a component without its colon: the class name goes on below
        elif _ADMIN_LIST_LETTERS in fold_name(line):
            unparsed_lines["device_policy"] += 1
