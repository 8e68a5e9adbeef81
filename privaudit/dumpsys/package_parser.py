"""Reads lines of ``dumpsys package``, each looked at closely; indentation says where a line belongs.

What a block says is attacker's text too: a version name, a class name or a permission's name may hold line breaks, and
with them forged lines. Android prints every field once and in one order, users last, and every section once; a block
names itself more than once. What breaks this is noted in `Dump.forged`.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

from privaudit.dumpsys.package_fields import FIELD_HANDLERS, FIELD_ORDER, SHARED_USER_FIELDS, FieldHandler
from privaudit.dumpsys.package_lists import (
    GRANTED_MARKER,
    PACKAGE_LIST_INDENT,
    USER_LIST_INDENT,
    PermissionSection,
    PermissionSectionParser,
)
from privaudit.dumpsys.package_model import PackageBlock, PackageDump, PackageUserState
from privaudit.dumpsys.package_sections import BLOCK_SECTIONS, SECTIONS_AFTER_PACKAGES, SECTIONS_BETWEEN

_BLOCK_HEADER = re.compile(r"^  (Package|SharedUser) \[([^\]]*)\] \([0-9a-f]+\):$")
_REQUESTED_PERMISSION = re.compile(r"^\s*(\S+?)(?:: restricted=true)?\s*$")
_USER_LINE = re.compile(r"^    User (\d{1,5}): (?:(ceDataInode)=\d+ )?(.*)$", re.ASCII)
"""The number of an inode is all that differs from app to app, and nothing rests on it."""
_USER_KEY_VALUE = re.compile(r"(\w+)=(\S+)")
_DISABLED_STATES: Final = frozenset({"2", "3", "4"})
_FIELD_INDENT: Final = 4
_USER_FIELD_INDENT: Final = 6


class PackageLineParser:
    """Fills `dump`; it remembers what lines said that come again for other apps.

    `rule_texts` gathers the field names met: they tell the layout.
    """

    def __init__(self, dump: PackageDump, kept_permissions: AbstractSet[str] | None) -> None:
        self.dump = dump
        self.section_parser = PermissionSectionParser(kept_permissions)
        self.current_section: dict[str, PackageBlock] | None = None
        self.current_block: PackageBlock | None = None
        self.current_user: PackageUserState | None = None
        self.current_list: PermissionSection | set[str] | None = None
        """The list that is being read: of states, or of what is requested."""
        self.field_position = -1
        self.seen_sections: set[str] = set()
        self.seen_field_names: set[str] = set()
        self.known_fields: dict[str, tuple[int, FieldHandler]] = {}
        """Beginnings of lines that were met in a package's own part, up to ``=``. Every block has the same."""
        self.ignored_fields: set[str] = set()
        """Those that are of no interest there."""
        self.ignored_user_fields: set[str] = set()
        """And those that are of none below a user."""
        self.known_user_lines: dict[str, tuple[bool, bool, bool, bool]] = {}
        """What users' lines said: whether they tell of a package at all, and if it is installed, enabled, hidden."""

    def parse_requested_permission(self, names: set[str], line: str) -> None:
        """Read a line of the permissions that are requested."""
        name = line.strip(" ")
        if ":" in name or " " in name or not name.isascii() or not name.isprintable():
            match = _REQUESTED_PERMISSION.match(line)
            if match is None:
                self.dump.unparsed_lines += 1
                return
            name = match[1]
        names.add(name)

    def parse_line(self, line: str, offset: int) -> None:
        """Read one line."""
        if self.current_block is not None and line.startswith("    "):
            self._parse_inside_block(self.current_block, line, offset)
        elif line[0] != " ":
            self._parse_section_title(line)
        elif line.startswith(("  Package [", "  SharedUser [")):
            self._parse_block_header(line, offset)
        elif self.current_block is not None:
            self._parse_inside_block(self.current_block, line, offset)
        else:
            self._parse_outside_block(line)

    def _parse_outside_block(self, line: str) -> None:
        if self.seen_sections and (GRANTED_MARKER in line or (line.startswith("    User ") and " installed=" in line)):
            self.mark_forged("User")  # the rest of a block whose text forged the end of its section

    def _parse_inside_block(self, block: PackageBlock, line: str, offset: int) -> None:
        if line.startswith("    User "):
            self._parse_user_line(block, line, offset)
            return
        indent = len(line) - len(line.lstrip(" "))
        if indent == _FIELD_INDENT:
            self._parse_field(block, line)
        elif indent == _USER_FIELD_INDENT and self.current_user is not None:
            self._parse_user_field(block, self.current_user, line)
        elif isinstance(self.current_list, PermissionSection):
            self.section_parser.parse_permission_line(self.current_list, line, offset)
            if self.section_parser.has_duplicate:
                self.mark_forged(block.name)
        elif self.current_list is not None:
            self.parse_requested_permission(self.current_list, line)
        elif GRANTED_MARKER in line:
            self.mark_forged(block.name)  # something ended the list to which this line belongs

    def _parse_section_title(self, line: str) -> None:
        title = line.rstrip()
        name = BLOCK_SECTIONS.get(title)
        if name is None and title not in SECTIONS_AFTER_PACKAGES and title not in SECTIONS_BETWEEN:
            if line.startswith("-----"):
                self.end_block()
                self.current_section = None
            return
        if title in self.seen_sections:
            self.mark_forged(title)
        self.seen_sections.add(title)
        self.end_block()
        self.current_section = None if name is None else getattr(self.dump, name)
        self.dump.has_packages_section |= name == "packages"
        self.dump.reached_end |= title in SECTIONS_AFTER_PACKAGES and self.dump.has_packages_section

    def end_block(self) -> None:
        """End the block."""
        block, self.current_block, self.current_user, self.current_list, self.field_position = (
            self.current_block,
            None,
            None,
            None,
            -1,
        )
        if block is None or self.current_section is self.dump.shared_users:
            return
        own = {block.name}
        if block.compatible_name is not None and "SYSTEM" in block.flags:
            own.add(block.compatible_name)
        strange = not block.users or not block.self_names <= own
        # A factory copy is on the system image: what an app calls so hides its own block there.
        if strange or (self.current_section is self.dump.hidden and "SYSTEM" not in block.flags):
            self.mark_forged(block.name)

    def mark_forged(self, name: str) -> None:
        """Note that what stands in block `name` cannot be Android's."""
        self.dump.forged_name = self.dump.forged_name or name

    def _parse_block_header(self, line: str, offset: int) -> None:
        self.end_block()
        match = _BLOCK_HEADER.match(line)
        if match is None:
            self.dump.unparsed_lines += 1
            return
        if self.current_section is None and not self.seen_sections:
            self.current_section = self.dump.packages  # an excerpt
        section, name = self.current_section, match[2]
        of_packages = match[1] == "Package"
        if section is None or of_packages == (section is self.dump.shared_users) or name in section:
            self.mark_forged(name)
            return
        self.current_block = section[name] = PackageBlock(name=name, offset=offset)

    def _parse_user_line(self, block: PackageBlock, line: str, offset: int) -> None:
        match = _USER_LINE.match(line)
        if match is None:
            self.dump.unparsed_lines += 1
            self.current_user = self.current_list = None
            return
        number, said = int(match[1]), match[3]
        if match[2]:
            self.seen_field_names.add(match[2])
        if said not in self.known_user_lines:
            words = dict(_USER_KEY_VALUE.findall(said))
            self.seen_field_names.update(words)
            self.known_user_lines[said] = (
                "installed" in words,
                words.get("installed", "true") == "true",
                words.get("enabled", "0") not in _DISABLED_STATES,
                words.get("hidden") == "true" or words.get("instant") == "true",
            )
        says_installed, installed, enabled, hidden = self.known_user_lines[said]
        # Only a package is installed: its line says so, and a shared user's carries no words.
        if number in block.users or says_installed is (self.current_section is self.dump.shared_users):
            self.mark_forged(block.name)
        self.current_user = block.users[number] = PackageUserState(installed, enabled, hidden, offset)
        self.current_list = None

    def _parse_field(self, block: PackageBlock, line: str) -> None:
        begin = line.partition("=")[0]
        word, equals, value = line.strip().partition("=")
        rank = FIELD_ORDER.get(word)
        if rank is None or bool(equals) != (word in FIELD_HANDLERS):
            if self.current_user is None:
                self.current_list = None
            # Else: up to Android 11 "overlay paths:" and "Suspend params:" stand at this indent though they belong to
            # the user above them, and the runtime permissions of that user follow.
            if rank is None and equals:
                (self.ignored_fields if self.current_user is None else self.ignored_user_fields).add(begin)
            return
        shared = self.current_section is self.dump.shared_users
        if self.current_user is not None or rank <= self.field_position or (shared and word not in SHARED_USER_FIELDS):
            self.mark_forged(block.name)
        self.field_position = rank
        self.seen_field_names.add(word)
        self.current_user, self.current_list = None, None
        if equals:
            self.known_fields[begin] = rank, FIELD_HANDLERS[word]
            FIELD_HANDLERS[word](block, value)
        elif word == "requested permissions:":
            self.current_list = block.requested_permissions = set()
        else:
            self.current_list = PermissionSection(
                block.install_permissions, PACKAGE_LIST_INDENT, block.install_permissions_by_user
            )

    def _parse_user_field(self, block: PackageBlock, user: PackageUserState, line: str) -> None:
        self.current_list = None
        told = line.strip()
        if told == "runtime permissions:":
            self.current_list = PermissionSection(user.runtime_permissions, USER_LIST_INDENT)
            if user.has_runtime_section:
                self.mark_forged(block.name)
            user.has_runtime_section = True
        elif told.startswith("firstInstallTime="):
            self.seen_field_names.add("user.firstInstallTime")
            user.first_installed = told.partition("=")[2]
        elif GRANTED_MARKER in line:
            self.mark_forged(block.name)
        elif "=" in line:
            self.ignored_user_fields.add(line.partition("=")[0])
