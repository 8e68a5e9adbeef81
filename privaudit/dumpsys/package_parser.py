"""Reads lines of ``dumpsys package``, each looked at closely; indentation says where a line belongs.

What a block says is attacker's text too: a version name, a class name or a permission's name may hold line breaks, and
with them forged lines. Android prints every field once and in one order, users last, and every section once; a block
names itself more than once. What breaks this is noted in `Dump.forged`.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

from privaudit.dumpsys.package_fields import FIELDS, OF_SHARED_USER, RANK, Take
from privaudit.dumpsys.package_lists import GRANTED, OF_PACKAGE, OF_USER, List, Lists
from privaudit.dumpsys.package_model import Block, Dump, UserState
from privaudit.dumpsys.package_sections import BEHIND, BETWEEN, SECTIONS

_HEADER = re.compile(r"^  (Package|SharedUser) \[([^\]]*)\] \([0-9a-f]+\):$")
_REQUESTED = re.compile(r"^\s*(\S+?)(?:: restricted=true)?\s*$")
_USER = re.compile(r"^    User (\d{1,5}): (?:(ceDataInode)=\d+ )?(.*)$", re.ASCII)
"""The number of an inode is all that differs from app to app, and nothing rests on it."""
_USER_WORD = re.compile(r"(\w+)=(\S+)")
_DISABLED: Final = frozenset({"2", "3", "4"})
_FIELD_INDENT: Final = 4
_LINES_INDENT: Final = 6


class Reader:
    """Fills `dump`; it remembers what lines said that come again for other apps.

    `words` gathers the field names met: they tell the layout.
    """

    def __init__(self, dump: Dump, wanted: AbstractSet[str] | None) -> None:
        self.dump = dump
        self.lists = Lists(wanted)
        self.section: dict[str, Block] | None = None
        self.block: Block | None = None
        self.user: UserState | None = None
        self.part: List | set[str] | None = None
        """The list that is being read: of states, or of what is requested."""
        self.rank = -1
        self.seen: set[str] = set()
        self.words: set[str] = set()
        self.fields: dict[str, tuple[int, Take]] = {}
        """Beginnings of lines that were met in a package's own part, up to ``=``. Every block has the same."""
        self.passed: set[str] = set()
        """Those that are of no interest there."""
        self.passed_of_user: set[str] = set()
        """And those that are of none below a user."""
        self.users: dict[str, tuple[bool, bool, bool, bool]] = {}
        """What users' lines said: whether they tell of a package at all, and if it is installed, enabled, hidden."""

    def request(self, names: set[str], line: str) -> None:
        """Read a line of the permissions that are requested."""
        name = line.strip(" ")
        if ":" in name or " " in name or not name.isascii() or not name.isprintable():
            match = _REQUESTED.match(line)
            if match is None:
                self.dump.unparsed += 1
                return
            name = match[1]
        names.add(name)

    def line(self, line: str, offset: int) -> None:
        """Read one line."""
        if self.block is not None and line.startswith("    "):
            self._inside(self.block, line, offset)
        elif line[0] != " ":
            self._title(line)
        elif line.startswith(("  Package [", "  SharedUser [")):
            self._header(line, offset)
        elif self.block is not None:
            self._inside(self.block, line, offset)
        else:
            self._outside(line)

    def _outside(self, line: str) -> None:
        if self.seen and (GRANTED in line or (line.startswith("    User ") and " installed=" in line)):
            self.forged("User")  # the rest of a block whose text forged the end of its section

    def _inside(self, block: Block, line: str, offset: int) -> None:
        if line.startswith("    User "):
            self._user_line(block, line, offset)
            return
        indent = len(line) - len(line.lstrip(" "))
        if indent == _FIELD_INDENT:
            self._field(block, line)
        elif indent == _LINES_INDENT and self.user is not None:
            self._user_field(block, self.user, line)
        elif isinstance(self.part, List):
            self.lists.take(self.part, line, offset)
            if self.lists.twice:
                self.forged(block.name)
        elif self.part is not None:
            self.request(self.part, line)
        elif GRANTED in line:
            self.forged(block.name)  # something ended the list to which this line belongs

    def _title(self, line: str) -> None:
        title = line.rstrip()
        name = SECTIONS.get(title)
        if name is None and title not in BEHIND and title not in BETWEEN:
            if line.startswith("-----"):
                self.leave()
                self.section = None
            return
        if title in self.seen:
            self.forged(title)
        self.seen.add(title)
        self.leave()
        self.section = None if name is None else getattr(self.dump, name)
        self.dump.has_packages |= name == "packages"
        self.dump.ends |= title in BEHIND and self.dump.has_packages

    def leave(self) -> None:
        """End the block."""
        block, self.block, self.user, self.part, self.rank = self.block, None, None, None, -1
        if block is None or self.section is self.dump.shared_users:
            return
        own = {block.name}
        if block.compatible_name is not None and "SYSTEM" in block.flags:
            own.add(block.compatible_name)
        strange = not block.users or not block.calls_itself <= own
        # A factory copy is on the system image: what an app calls so hides its own block there.
        if strange or (self.section is self.dump.hidden and "SYSTEM" not in block.flags):
            self.forged(block.name)

    def forged(self, name: str) -> None:
        """Note that what stands in block `name` cannot be Android's."""
        self.dump.forged = self.dump.forged or name

    def _header(self, line: str, offset: int) -> None:
        self.leave()
        match = _HEADER.match(line)
        if match is None:
            self.dump.unparsed += 1
            return
        if self.section is None and not self.seen:
            self.section = self.dump.packages  # an excerpt
        section, name = self.section, match[2]
        of_packages = match[1] == "Package"
        if section is None or of_packages == (section is self.dump.shared_users) or name in section:
            self.forged(name)
            return
        self.block = section[name] = Block(name=name, offset=offset)

    def _user_line(self, block: Block, line: str, offset: int) -> None:
        match = _USER.match(line)
        if match is None:
            self.dump.unparsed += 1
            self.user = self.part = None
            return
        number, said = int(match[1]), match[3]
        if match[2]:
            self.words.add(match[2])
        if said not in self.users:
            words = dict(_USER_WORD.findall(said))
            self.words.update(words)
            self.users[said] = (
                "installed" in words,
                words.get("installed", "true") == "true",
                words.get("enabled", "0") not in _DISABLED,
                words.get("hidden") == "true" or words.get("instant") == "true",
            )
        says_installed, installed, enabled, hidden = self.users[said]
        # Only a package is installed: its line says so, and a shared user's carries no words.
        if number in block.users or says_installed is (self.section is self.dump.shared_users):
            self.forged(block.name)
        self.user = block.users[number] = UserState(installed, enabled, hidden, offset)
        self.part = None

    def _field(self, block: Block, line: str) -> None:
        begin = line.partition("=")[0]
        word, equals, value = line.strip().partition("=")
        rank = RANK.get(word)
        if rank is None or bool(equals) != (word in FIELDS):
            if self.user is None:
                self.part = None
            # Else: up to Android 11 "overlay paths:" and "Suspend params:" stand at this indent though they belong to
            # the user above them, and the runtime permissions of that user follow.
            if rank is None and equals:
                (self.passed if self.user is None else self.passed_of_user).add(begin)
            return
        shared = self.section is self.dump.shared_users
        if self.user is not None or rank <= self.rank or (shared and word not in OF_SHARED_USER):
            self.forged(block.name)
        self.rank = rank
        self.words.add(word)
        self.user, self.part = None, None
        if equals:
            self.fields[begin] = rank, FIELDS[word]
            FIELDS[word](block, value)
        elif word == "requested permissions:":
            self.part = block.requested = set()
        else:
            self.part = List(block.install, OF_PACKAGE, block.install_for)

    def _user_field(self, block: Block, user: UserState, line: str) -> None:
        self.part = None
        told = line.strip()
        if told == "runtime permissions:":
            self.part = List(user.runtime, OF_USER)
            if user.says_runtime:
                self.forged(block.name)
            user.says_runtime = True
        elif told.startswith("firstInstallTime="):
            self.words.add("user.firstInstallTime")
            user.first_installed = told.partition("=")[2]
        elif GRANTED in line:
            self.forged(block.name)
        elif "=" in line:
            self.passed_of_user.add(line.partition("=")[0])
