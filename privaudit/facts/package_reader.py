"""Walks the blocks of ``dumpsys package`` line by line; indentation says where a line belongs.

What a block says is attacker's text too: a version name, a class name or a requested permission may hold line breaks, and
with them forged lines. Android prints every field once, users last and every section once: what breaks this order is
noted in `Dump.forged`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from privaudit.capture.questions import is_package_name
from privaudit.facts.package_blocks import Block, Dump, Grant, UserState

SECTIONS: Final = {"Packages:": "packages", "Hidden system packages:": "hidden", "Shared users:": "shared_users"}
_FOLLOWING: Final = frozenset(
    {
        "Queries:",
        "Package Changes:",
        "Renamed packages:",
        "Active install sessions:",
        "Historical install sessions:",
        "Legacy install sessions:",
        "Frozen packages:",
        "Dexopt state:",
        "Compiler stats:",
        "Settings parse messages:",
        "Package warning messages:",
        "Package performance messages:",
        "APEX session state:",
        "Active APEX packages:",
    }
)
"""Titles that end the blocks. Anything else in column 0 is vendor noise (Samsung prints install logs there)."""

_HEADER = re.compile(r"^  (Package|SharedUser) \[([^\]]*)\] \([0-9a-f]+\):$")
_PERMISSION = re.compile(r"^\s*(\S+): granted=(true|false)(?:, flags=\[ ?([^\]]*)\])?(?:, userId=(\d+))?\s*$")
_REQUESTED = re.compile(r"^\s*(\S+?)(?:: restricted=true)?\s*$")
_USER = re.compile(r"^    User (\d+): (.*)$")
_SHARED = re.compile(r"SharedUserSetting\{\S+ (\S+)/\d+\}")
_VERSION = re.compile(r"^(\d+)(?: minSdk=\d+)? targetSdk=(\d+)")
_USER_WORD = re.compile(r"(\w+)=(\S+)")
_DISABLED: Final = frozenset({"2", "3", "4"})
_FIELD_INDENT: Final = 4
_LINES_INDENT: Final = 6


class Reader:
    """Fills `dump`. `words` gathers the field names met: they tell the layout."""

    def __init__(self, dump: Dump) -> None:
        self.dump = dump
        self.section: dict[str, Block] | None = None
        self.block: Block | None = None
        self.user: UserState | None = None
        self.part: Callable[[str, int], bool] | None = None
        self.seen: set[str] = set()
        self.fields: set[str] = set()
        self.words: set[str] = set()

    def read(self, text: str, offset: int) -> None:
        """Read `text` from `offset` on."""
        for line in text[offset:].split("\n"):
            if line:
                self._line(line, offset)
            offset += len(line) + 1

    def _line(self, line: str, offset: int) -> None:
        if line[0] != " ":
            self._title(line)
            return
        if line.startswith(("  Package [", "  SharedUser [")):
            self._header(line, offset)
            return
        block = self.block
        if block is None:
            if self.seen and line.startswith("    User ") and " installed=" in line:
                self._forged("User")  # the rest of a block whose text forged the end of its section
            return
        indent = len(line) - len(line.lstrip(" "))
        if indent == _FIELD_INDENT:
            if line.startswith("    User "):
                self._user_line(block, line, offset)
            else:
                self._field(block, line.strip())
        elif indent == _LINES_INDENT and self.user is not None:
            self._user_field(line.strip())
        elif self.part is not None and not self.part(line, offset):
            self.dump.unparsed += 1

    def _title(self, line: str) -> None:
        if name := SECTIONS.get(line.rstrip()):
            if name in self.seen:
                self._forged(line)
            self.seen.add(name)
            self.dump.has_packages |= name == "packages"
            self.dump.ends |= name != "packages" and self.dump.has_packages
            self._leave()
            self.section = getattr(self.dump, name)
        elif line.rstrip() in _FOLLOWING:
            self.dump.ends |= self.dump.has_packages
            self._leave()
            self.section = None
        elif line.startswith("-----"):
            self._leave()
            self.section = None

    def _leave(self) -> None:
        self.block, self.user, self.part = None, None, None
        self.fields = set()

    def _forged(self, name: str) -> None:
        self.dump.forged = self.dump.forged or name

    def _header(self, line: str, offset: int) -> None:
        self._leave()
        match = _HEADER.match(line)
        if match is None:
            self.dump.unparsed += 1
            return
        section, name = self.section, match[2]
        if section is None and not self.seen:
            section = self.dump.packages  # an excerpt
        of_packages = match[1] == "Package"
        if section is None or of_packages == (section is self.dump.shared_users) or name in section:
            self._forged(name)
            return
        self.block = section[name] = Block(name=name, offset=offset)

    def _user_line(self, block: Block, line: str, offset: int) -> None:
        match = _USER.match(line)
        if match is None:
            self.dump.unparsed += 1
            return
        words = dict(_USER_WORD.findall(match[2]))
        self.words.update(words)
        if int(match[1]) in block.users:
            self._forged(block.name)
        self.user = block.users[int(match[1])] = UserState(
            # A shared user's line carries no words; its packages say whether they are installed.
            installed=words.get("installed", "true") == "true",
            enabled=words.get("enabled", "0") not in _DISABLED,
            hidden=words.get("hidden") == "true" or words.get("instant") == "true",
            offset=offset,
        )
        self.part = None

    def _field(self, block: Block, line: str) -> None:
        word, equals, value = line.partition("=")
        if line not in _PARTS and not (equals and word in _FIELDS):
            if self.user is None:
                self.part = None
            # Else: up to Android 11 "overlay paths:" and "Suspend params:" stand at this indent though they belong to
            # the user above them, and the runtime permissions of that user follow.
            return
        if self.user is not None or word in self.fields:
            self._forged(block.name)  # Android prints each once, and users last
        self.fields.add(word)
        self.words.add(word)
        self.user, self.part = None, None
        if equals:
            _FIELDS[word](block, value)
        elif line == "requested permissions:":
            block.requested = set()
            self.part = self._requested
        else:
            self.part = self._install

    def _user_field(self, line: str) -> None:
        user = self.user
        if user is None:
            return
        self.part = self._runtime if line == "runtime permissions:" else None
        if line.startswith("firstInstallTime="):
            self.words.add("user.firstInstallTime")
            user.first_installed = line.partition("=")[2]

    def _requested(self, line: str, _offset: int) -> bool:
        match = _REQUESTED.match(line)
        if match is None or self.block is None or self.block.requested is None:
            return False
        self.block.requested.add(match[1])
        return True

    def _install(self, line: str, offset: int) -> bool:
        match = _PERMISSION.match(line)
        if match is None or self.block is None:
            return False
        grant = _grant(match, offset)
        if match[4]:
            self.block.install_for[match[1], int(match[4])] = grant
        else:
            self.block.install[match[1]] = grant
        return True

    def _runtime(self, line: str, offset: int) -> bool:
        match = _PERMISSION.match(line)
        if match is None or self.user is None:
            return False
        if match[1] in self.user.runtime and self.block is not None:
            self._forged(self.block.name)
            return True
        self.user.runtime[match[1]] = _grant(match, offset)
        return True


def _grant(match: re.Match[str], offset: int) -> Grant:
    # Up to Android 9 flags are parted by blanks, later by pipes.
    return Grant(granted=match[2] == "true", flags=tuple(re.findall(r"[^|\s]+", match[3] or "")), offset=offset)


def _set_app_id(block: Block, value: str) -> None:
    block.app_id = int(value) if value.isdecimal() else None


def _set_shared_user(block: Block, value: str) -> None:
    match = _SHARED.search(value)
    block.shared_user = match[1] if match else None


def _set_installer(block: Block, value: str) -> None:
    block.says_installer = True
    block.installer = value if value != "null" and is_package_name(value) else None


def _set_version(block: Block, value: str) -> None:
    if match := _VERSION.match(value):
        block.version_code, block.target_sdk = int(match[1]), int(match[2])


_PARTS: Final = frozenset({"requested permissions:", "install permissions:"})
_FIELDS: Final[Mapping[str, Callable[[Block, str], None]]] = {
    "versionCode": _set_version,
    "userId": _set_app_id,
    "appId": _set_app_id,
    "sharedUser": _set_shared_user,
    "pkg": lambda block, value: setattr(block, "has_package", value != "null"),
    "versionName": lambda block, value: setattr(block, "version_name", None if value == "null" else value),
    "firstInstallTime": lambda block, value: setattr(block, "first_installed", value),
    "lastUpdateTime": lambda block, value: setattr(block, "last_updated", value),
    "installerPackageName": _set_installer,
    "pkgFlags": lambda block, value: setattr(block, "flags", frozenset(value.strip("[ ]").split())),
}
