"""Walks the blocks of ``dumpsys package`` line by line; indentation says where a line belongs.

What a block says is attacker's text too: a version name, a class name or a permission's name may hold line breaks, and
with them forged lines. Android prints every field once and in one order, users last, and every section once; a block
names itself more than once. What breaks this is noted in `Dump.forged`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final

from privaudit.facts.package_blocks import Block, Dump, Grant, UserState
from privaudit.facts.package_fields import FIELDS, OF_SHARED_USER, RANK
from privaudit.facts.package_sections import BEHIND, BETWEEN, SECTIONS

_HEADER = re.compile(r"^  (Package|SharedUser) \[([^\]]*)\] \([0-9a-f]+\):$")
_PERMISSION = re.compile(r"^\s*(\S+): granted=(true|false)(?:, flags=\[ ?([^\]]*)\])?(?:, userId=(\d{1,5}))?\s*$")
_REQUESTED = re.compile(r"^\s*(\S+?)(?:: restricted=true)?\s*$")
_USER = re.compile(r"^    User (\d{1,5}): (.*)$", re.ASCII)
_USER_WORD = re.compile(r"(\w+)=(\S+)")
_DISABLED: Final = frozenset({"2", "3", "4"})
_FIELD_INDENT: Final = 4
_LINES_INDENT: Final = 6
_GRANT: Final = ": granted="
_PLAIN: Final = frozenset({"true", "false"})
_BELOW_FIELD: Final = " " * 6
_BELOW_USER: Final = " " * 8
"""Where the lines of a list begin that belongs to a package, or to one of its users."""


class Reader:
    """Fills `dump`. `words` gathers the field names met: they tell the layout."""

    def __init__(self, dump: Dump, wanted: AbstractSet[str] | None) -> None:
        self.dump = dump
        self.wanted = wanted
        self.section: dict[str, Block] | None = None
        self.block: Block | None = None
        self.user: UserState | None = None
        self.part: Callable[[str, int], bool] | None = None
        self.rank = -1
        self.seen: set[str] = set()
        self.words: set[str] = set()
        self.flags: dict[str | None, tuple[str, ...]] = {None: ()}
        """What was read of each list of flags: there are few, and each stands in many lines."""

    def read(self, text: str, offset: int) -> None:
        """Read `text` from `offset` on."""
        for line in text[offset:].split("\n"):
            # Most lines are of lists: deeper than whatever could end the list.
            if self.part is not None and line.startswith(_BELOW_USER if self.user is not None else _BELOW_FIELD):
                if not self.part(line, offset):
                    self.dump.unparsed += 1
            elif line:
                self._line(line, offset)
            offset += len(line) + 1
        if self.block is not None and self.block.users:
            self._leave()  # else: the text is cut in the middle of this block

    def _line(self, line: str, offset: int) -> None:
        if line[0] != " ":
            self._title(line)
            return
        if line.startswith(("  Package [", "  SharedUser [")):
            self._header(line, offset)
            return
        if self.block is None:
            self._outside(line)
        else:
            self._inside(self.block, line, offset)

    def _outside(self, line: str) -> None:
        if self.seen and (_GRANT in line or (line.startswith("    User ") and " installed=" in line)):
            self._forged("User")  # the rest of a block whose text forged the end of its section

    def _inside(self, block: Block, line: str, offset: int) -> None:
        indent = len(line) - len(line.lstrip(" "))
        if indent == _FIELD_INDENT:
            if line.startswith("    User "):
                self._user_line(block, line, offset)
            else:
                self._field(block, line.strip())
        elif indent == _LINES_INDENT and self.user is not None:
            self._user_field(self.user, line.strip())
        elif self.part is not None:
            if not self.part(line, offset):
                self.dump.unparsed += 1
        elif _GRANT in line:
            self._forged(block.name)  # something ended the list to which this line belongs

    def _title(self, line: str) -> None:
        title = line.rstrip()
        name = SECTIONS.get(title)
        if name is None and title not in BEHIND and title not in BETWEEN:
            if line.startswith("-----"):
                self._leave()
                self.section = None
            return
        if title in self.seen:
            self._forged(title)
        self.seen.add(title)
        self._leave()
        self.section = None if name is None else getattr(self.dump, name)
        self.dump.has_packages |= name == "packages"
        self.dump.ends |= title in BEHIND and self.dump.has_packages

    def _leave(self) -> None:
        block, self.block, self.user, self.part, self.rank = self.block, None, None, None, -1
        if block is None or self.section is self.dump.shared_users:
            return
        own = {block.name}
        if block.compatible_name is not None and "SYSTEM" in block.flags:
            own.add(block.compatible_name)
        strange = not block.users or not block.calls_itself <= own
        # A factory copy is on the system image: what an app calls so hides its own block there.
        if strange or (self.section is self.dump.hidden and "SYSTEM" not in block.flags):
            self._forged(block.name)

    def _forged(self, name: str) -> None:
        self.dump.forged = self.dump.forged or name

    def _header(self, line: str, offset: int) -> None:
        self._leave()
        match = _HEADER.match(line)
        if match is None:
            self.dump.unparsed += 1
            return
        if self.section is None and not self.seen:
            self.section = self.dump.packages  # an excerpt
        section, name = self.section, match[2]
        of_packages = match[1] == "Package"
        if section is None or of_packages == (section is self.dump.shared_users) or name in section:
            self._forged(name)
            return
        self.block = section[name] = Block(name=name, offset=offset)

    def _user_line(self, block: Block, line: str, offset: int) -> None:
        match = _USER.match(line)
        if match is None:
            self.dump.unparsed += 1
            self.user = self.part = None
            return
        words = dict(_USER_WORD.findall(match[2]))
        self.words.update(words)
        # Only a package is installed: its line says so, and a shared user's carries no words.
        of_package = self.section is not self.dump.shared_users
        if int(match[1]) in block.users or of_package != ("installed" in words):
            self._forged(block.name)
        self.user = block.users[int(match[1])] = UserState(
            installed=words.get("installed", "true") == "true",
            enabled=words.get("enabled", "0") not in _DISABLED,
            hidden=words.get("hidden") == "true" or words.get("instant") == "true",
            offset=offset,
        )
        self.part = None

    def _field(self, block: Block, line: str) -> None:
        word, equals, value = line.partition("=")
        rank = RANK.get(word)
        if rank is None or bool(equals) != (word in FIELDS):
            if self.user is None:
                self.part = None
            # Else: up to Android 11 "overlay paths:" and "Suspend params:" stand at this indent though they belong to
            # the user above them, and the runtime permissions of that user follow.
            return
        shared = self.section is self.dump.shared_users
        if self.user is not None or rank <= self.rank or (shared and word not in OF_SHARED_USER):
            self._forged(block.name)
        self.rank = rank
        self.words.add(word)
        self.user, self.part = None, None
        if equals:
            FIELDS[word](block, value)
        elif word == "requested permissions:":
            block.requested = set()
            self.part = self._requested
        else:
            self.part = self._install

    def _user_field(self, user: UserState, line: str) -> None:
        self.part = None
        if line == "runtime permissions:":
            self.part = self._runtime
            if user.says_runtime and self.block is not None:
                self._forged(self.block.name)
            user.says_runtime = True
        elif line.startswith("firstInstallTime="):
            self.words.add("user.firstInstallTime")
            user.first_installed = line.partition("=")[2]
        elif _GRANT in line and self.block is not None:
            self._forged(self.block.name)

    def _requested(self, line: str, _offset: int) -> bool:
        if self.block is None or self.block.requested is None:
            return False
        name = line.strip(" ")
        if ":" in name or not name.isascii() or not name.isprintable() or " " in name:
            match = _REQUESTED.match(line)
            if match is None:
                return False
            name = match[1]
        self.block.requested.add(name)
        return True

    def _install(self, line: str, offset: int) -> bool:
        name, parted, state = line.partition(_GRANT)
        if self.block is not None and parted and state in _PLAIN and self._is_unwanted(name.strip(" ")):
            return True
        match = _PERMISSION.match(line)
        if match is None or self.block is None:
            return False
        user = None if match[4] is None else int(match[4])
        self._put(self.block.install if user is None else self.block.install_for.setdefault(user, {}), match, offset)
        return True

    def _runtime(self, line: str, offset: int) -> bool:
        match = _PERMISSION.match(line)
        if match is None or self.user is None:
            return False
        if not self._is_unwanted(match[1]):
            self._put(self.user.runtime, match, offset)
        return True

    def _is_unwanted(self, name: str) -> bool:
        """Whether nobody asked about the permission `name`."""
        return self.wanted is not None and name not in self.wanted and " " not in name

    def _put(self, grants: dict[str, Grant], match: re.Match[str], offset: int) -> None:
        name, granted, flags = match.group(1, 2, 3)
        if name in grants and self.block is not None:
            self._forged(self.block.name)
            return
        told = self.flags.get(flags)
        if told is None:
            # Up to Android 9 flags are parted by blanks, later by pipes.
            told = self.flags[flags] = tuple(flags.replace("|", " ").split())
        grants[name] = Grant(granted == "true", told, offset)
