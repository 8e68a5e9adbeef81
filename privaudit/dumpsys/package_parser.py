"""Reads lines of ``dumpsys package``, each looked at closely; indentation says where a line belongs.

What a block says is attacker's text too: a version name, a class name or a permission's name may hold line breaks, and
with them forged lines. Android prints every field once and in one order, users last, and every section once; a block
names itself more than once. What breaks this is noted in `Dump.forged`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain
from typing import Final

from privaudit.capture.questions import is_package_name
from privaudit.dumpsys import iter_line_chunks
from privaudit.dumpsys.package_model import (
    BLOCK_SECTIONS,
    SECTIONS_AFTER_PACKAGES,
    SECTIONS_BETWEEN,
    GrantTable,
    PackageBlock,
    PackageDump,
    PackageUserState,
    PermissionGrant,
)

_APP_ID_VALUE = re.compile(r"\d{1,10}\Z", re.ASCII)
_SHARED_USER_VALUE = re.compile(r"SharedUserSetting\{\S+ (\S+)/\d+\}\Z")
_VERSION_VALUE = re.compile(r"(\d{1,19})(?: minSdk=\d+)? targetSdk=(\d{1,5})\b", re.ASCII)
_PACKAGE_VALUE = re.compile(r"Package\{\S+ (\S+)\}\Z")


def _set_app_id(block: PackageBlock, value: str) -> None:
    block.app_id = int(value) if _APP_ID_VALUE.match(value) else None


def _set_shared_user(block: PackageBlock, value: str) -> None:
    match = _SHARED_USER_VALUE.match(value)
    block.shared_user = match[1] if match else None


def _add_package_name(block: PackageBlock, value: str) -> None:
    block.apk_present = value != "null"
    if block.apk_present:
        match = _PACKAGE_VALUE.match(value)
        block.self_names.add(match[1] if match else value)


def _add_data_dir_name(block: PackageBlock, value: str) -> None:
    # android has none of its own, and up to Android 7 a factory copy has none at all.
    if value != "null" and block.name != "android":
        block.self_names.add(value.rpartition("/")[2])


def _set_code_path(block: PackageBlock, value: str) -> None:
    block.code_path = value


def _set_version_and_target_sdk(block: PackageBlock, value: str) -> None:
    if match := _VERSION_VALUE.match(value):
        block.version_code, block.target_sdk = int(match[1]), int(match[2])


def _set_version_name(block: PackageBlock, value: str) -> None:
    block.version_name = None if value == "null" else value


def _set_first_installed(block: PackageBlock, value: str) -> None:
    block.first_installed = value


def _set_last_updated(block: PackageBlock, value: str) -> None:
    block.last_updated = value


def _set_installer(block: PackageBlock, value: str) -> None:
    block.has_installer_field = True
    block.installer = value if value != "null" and is_package_name(value) else None


def _set_flags(block: PackageBlock, value: str) -> None:
    block.flags = frozenset(value.strip("[ ]").split())


def _set_compatible_name(block: PackageBlock, value: str) -> None:
    block.compatible_name = value


FieldHandler = Callable[[PackageBlock, str], None]

FIELD_HANDLERS: Final[Mapping[str, FieldHandler]] = {
    "compat name": _set_compatible_name,
    "userId": _set_app_id,
    "appId": _set_app_id,
    "sharedUser": _set_shared_user,
    "pkg": _add_package_name,
    "codePath": _set_code_path,
    "versionCode": _set_version_and_target_sdk,
    "versionName": _set_version_name,
    "dataDir": _add_data_dir_name,
    "firstInstallTime": _set_first_installed,
    "lastUpdateTime": _set_last_updated,
    "installerPackageName": _set_installer,
    "pkgFlags": _set_flags,
}
"""Word before ``=`` → what takes the value."""

PERMISSION_LIST_TITLES: Final = ("requested permissions:", "install permissions:")
"""Titles of the lists that follow the fields."""

FIELD_ORDER: Final[Mapping[str, int]] = {
    word: rank for rank, word in enumerate((*FIELD_HANDLERS, *PERMISSION_LIST_TITLES))
}
"""Each word comes once, and none comes after a word of a higher rank."""

SHARED_USER_FIELDS: Final = frozenset({"userId", "appId", "install permissions:"})
"""All that a shared user has of them."""


_GRANTED_KEY: Final = "granted="
GRANTED_MARKER: Final = f": {_GRANTED_KEY}"
PACKAGE_LIST_INDENT: Final = " " * 6
USER_LIST_INDENT: Final = " " * 8
"""Where the lines of a list begin that belongs to a package, or to one of its users. What ends it begins before."""

_PERMISSION_LINE = re.compile(r"^\s*(\S+): granted=(true|false)(?:, flags=\[ ?([^\]]*)\])?(?:, userId=(\d{1,5}))?\s*$")
_UNKNOWN_LINE: Final = ("", None)


@dataclass(slots=True)
class PermissionSection:
    """Where the lines of one list go."""

    grants: GrantTable
    indent: str
    grants_by_user: dict[int, GrantTable] | None = None
    """Where install permissions go that differ for one Android user."""


class PermissionSectionParser:
    """What was met in the lists of one dump.

    Args:
        wanted: permissions whose lines are kept; ``None``: all.
    """

    def __init__(self, kept_permissions: AbstractSet[str] | None) -> None:
        self.unparsed_lines = 0
        """Lines of no known form."""
        self._parsed_lines = 0
        """Lines of the known form."""
        self._truncated_lines = 0
        """Lines of an unknown form that end before they say whether the permission is granted."""
        self.has_duplicate = False
        """Whether a permission came twice in one list."""
        self._kept_permissions = kept_permissions
        self._known_lines: dict[str, dict[str, tuple[str, PermissionGrant | None] | None]] = {
            PACKAGE_LIST_INDENT: {},
            USER_LIST_INDENT: {},
        }
        """By list's indent, what each line said; ``None``: nothing that anybody asked about."""
        self._name_by_prefix: dict[str, str] = {}
        """Name of the permission by what precedes the first ``=`` of a line."""
        self._grant_by_suffix: dict[str, PermissionGrant] = {}
        """What follows it."""

    def count_unread_grants(self, text: str) -> int:
        """Count the grants anywhere in `text` that were not read from a line of a permission list.

        A copy that turned blanks into tabs, or broke a line at the width of a terminal, leaves such lines behind: what
        they say about a permission stands nowhere else in the dump.
        """
        return text.count(_GRANTED_KEY) - self._parsed_lines + self._truncated_lines

    def parse_section(self, section: PermissionSection, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        """Read on in a list; the next of `lines` stands at `offset`.

        Returns:
            The first line that begins before the list does, ``None`` at the end of the text, and where it stands.
        """
        grants, offsets, seen = section.grants, section.grants.offsets, self._known_lines[section.indent]
        repeated_lines = 0
        end: str | None = None
        for line in lines:
            known = seen.get(line, _UNKNOWN_LINE)
            if known is None:
                repeated_lines += 1
            else:
                name, grant = known
                if grant is None or name in offsets:
                    if not line.startswith(section.indent):
                        end = line
                        break
                    self.parse_permission_line(section, line, offset)
                else:
                    grants[name], offsets[name] = grant, offset
                    repeated_lines += 1
            offset += len(line) + 1
        self._parsed_lines += repeated_lines
        return end, offset

    def parse_permission_line(self, section: PermissionSection, line: str, offset: int) -> None:
        """Look at one line closely."""
        begin, _, end = line.partition("=")
        name, grant, user = self._name_by_prefix.get(begin), self._grant_by_suffix.get(end), None
        if name is None or grant is None:
            match = _PERMISSION_LINE.match(line)
            if match is None:
                self.unparsed_lines += 1
                self._truncated_lines += _GRANTED_KEY not in line
                return
            # Up to Android 9 flags are parted by blanks, later by pipes.
            grant = PermissionGrant(match[2] == "true", tuple((match[3] or "").replace("|", " ").split()))
            name, user = match[1], match[4]
            if user is None and "=" not in name:
                self._name_by_prefix[begin], self._grant_by_suffix[end] = name, grant
        self._parsed_lines += 1
        asked = self._kept_permissions is None or name in self._kept_permissions
        if user is None and line.startswith(section.indent):
            self._known_lines[section.indent][line] = (name, grant) if asked else None
        if not asked:
            return
        grants = section.grants
        if user is not None and section.grants_by_user is not None:
            grants = section.grants_by_user.setdefault(int(user), GrantTable())
        self.has_duplicate |= name in grants
        grants.setdefault(name, grant)
        grants.offsets.setdefault(name, offset)


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


_FIRST_INSTALL_TIME_PREFIX: Final = "      firstInstallTime"
_RUNTIME_PERMISSIONS_LINE: Final = "      runtime permissions:"
_UNKNOWN_FIELD: Final[tuple[int, FieldHandler]] = (-2, lambda _block, _value: None)


class PackageDumpParser(PackageLineParser):
    """Fills `dump` from a whole text."""

    def parse_text(self, text: str, offset: int) -> None:
        """Read `text` from `offset` on."""
        lines = chain.from_iterable(iter_line_chunks(text, offset))
        line: str | None = ""
        offset -= 1  # of the line before the first
        while line is not None:
            if line:
                self.parse_line(line, offset)
            line, offset = self._skip_known_lines(lines, offset + len(line) + 1)
        self.dump.unparsed_lines += self.section_parser.unparsed_lines
        self.dump.unread_grants = self.section_parser.count_unread_grants(text)
        if self.current_block is not None and self.current_block.users:
            self.end_block()  # else: the text is cut in the middle of this block

    def _skip_known_lines(self, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        """Read on as long as lines are as those before; the first other one, and where it stands."""
        if isinstance(self.current_list, PermissionSection):
            return self._parse_permission_list(self.current_list, lines, offset)
        if self.current_list is not None:
            return self._parse_requested_list(self.current_list, lines, offset)
        if self.current_block is None:
            return self._skip_outside_block(lines, offset)
        if self.current_user is None:
            return self._skip_known_fields(self.current_block, lines, offset)
        return self._skip_known_user_fields(self.current_user, lines, offset)

    def _skip_outside_block(self, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        for line in lines:
            if not line.startswith("    ") or GRANTED_MARKER in line or line.startswith("    User "):
                return line, offset
            offset += len(line) + 1
        return None, offset

    def _skip_known_fields(self, block: PackageBlock, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        fields, passed, last = self.known_fields, self.ignored_fields, self.field_position
        if self.current_section is self.dump.shared_users:
            fields = {}
        line: str | None
        for line in lines:
            begin, equals, value = line.partition("=")
            if begin not in passed:
                rank, take = fields.get(begin, _UNKNOWN_FIELD)
                if rank > last and equals:
                    last = rank
                    take(block, value.rstrip())
                elif GRANTED_MARKER in line or not line.startswith(PACKAGE_LIST_INDENT):
                    break
            offset += len(line) + 1
        else:
            line = None
        self.field_position = last
        return line, offset

    def _parse_permission_list(
        self, section: PermissionSection, lines: Iterator[str], offset: int
    ) -> tuple[str | None, int]:
        found = self.section_parser.parse_section(section, lines, offset)
        if self.section_parser.has_duplicate and self.current_block is not None:
            self.mark_forged(self.current_block.name)
        return found

    def _skip_known_user_fields(
        self, user: PackageUserState, lines: Iterator[str], offset: int
    ) -> tuple[str | None, int]:
        passed = self.ignored_user_fields
        for line in lines:
            begin, equals, value = line.partition("=")
            if GRANTED_MARKER in line or not (equals and begin in passed):
                if begin == _FIRST_INSTALL_TIME_PREFIX and equals:
                    self.seen_field_names.add("user.firstInstallTime")
                    user.first_installed = value.rstrip()
                elif line == _RUNTIME_PERMISSIONS_LINE and not user.has_runtime_section:
                    user.has_runtime_section = True
                    self.current_list = PermissionSection(user.runtime_permissions, USER_LIST_INDENT)
                    return self._parse_permission_list(self.current_list, lines, offset + len(line) + 1)
                elif GRANTED_MARKER in line or not line.startswith(USER_LIST_INDENT):
                    return line, offset
            offset += len(line) + 1
        return None, offset

    def _parse_requested_list(self, names: set[str], lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        for line in lines:
            if not line.startswith(PACKAGE_LIST_INDENT):
                return line, offset
            self.parse_requested_permission(names, line)
            offset += len(line) + 1
        return None, offset
