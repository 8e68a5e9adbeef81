"""Parse ``dumpsys package`` in the layouts of Android 6 to 16. Indentation tells what a line belongs to.

The text of a block is an attacker's text too: a version name, a class name or a permission name may contain line breaks
and, after them, forged lines. Android prints every field once and in a fixed order with the users last, prints every
section once, and repeats a package's name inside its block. A block that breaks this is doubtful, and so is the one
before it, whose text may have opened it. A line that was not understood counts for the block in which it stands.

The module is one parser: the examination of a single line and the fast path over lines that repeat from package to
package share all their state.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Final

from privaudit.android import MAX_PACKAGES
from privaudit.dumpsys import gc_paused, iter_line_chunks
from privaudit.dumpsys.package_model import (
    BLOCK_SECTIONS,
    FIELD_HANDLERS,
    FIELD_ORDER,
    SECTIONS_AFTER_PACKAGES,
    SECTIONS_BETWEEN,
    SHARED_USER_FIELDS,
    FieldHandler,
    PackageBlock,
    PackageDump,
    PackageUserState,
)
from privaudit.dumpsys.permission_section import (
    GRANTED_KEY,
    PACKAGE_LIST_INDENT,
    USER_LIST_INDENT,
    PermissionSection,
    PermissionSectionParser,
)

_SDK_VERSION = re.compile(r"^\s+sdkVersion=(\d{1,3})\b", re.MULTILINE | re.ASCII)
_BLOCK_HEADER = re.compile(r"^  (Package|SharedUser) \[([^\]]*)\] \([0-9a-f]+\):$")
_REQUESTED_PERMISSION = re.compile(r"^\s*(\S+?)(?:: restricted=true)?\s*$")
_USER_LINE = re.compile(r"^    User (\d{1,5}):(?: (?:(ceDataInode)=\d+ )?(.*))?$", re.ASCII)
"""The inode number is left out of the last group: it alone differs from app to app, and nothing depends on it."""
_INSTALLED_VALUE = re.compile(r"\binstalled=(?:true|false)\b")
_USER_KEY_VALUE = re.compile(r"(\w+)=(\S+)")
_DISABLED_STATES: Final = frozenset({"2", "3", "4"})
"""``PackageManager.COMPONENT_ENABLED_STATE_DISABLED``, ``_DISABLED_USER`` and ``_DISABLED_UNTIL_USED``."""
_FIELD_INDENT: Final = 4
_USER_FIELD_INDENT: Final = 6
_FIRST_INSTALL_TIME_PREFIX: Final = "      firstInstallTime"
_RUNTIME_PERMISSIONS_LINE: Final = "      runtime permissions:"

_USER_TITLES_OF_FIELD_INDENT: Final = frozenset(
    {"    overlay paths:", "    legacy overlay paths:", "    Suspend params:", "    Suspend params"}
)
"""Up to Android 11 these have the indent of a field though they belong to the user above, whose permissions follow."""


def parse_package_dump(text: str, kept_permissions: AbstractSet[str] | None = None) -> PackageDump:
    """Parse ``dumpsys package``, with or without a package or permission names; lines end in LF.

    Grants of `kept_permissions` (``None``: all) are stored. `package_checks` checks whether the blocks fit together.
    """
    parser = PackageDumpParser(kept_permissions)
    start = _find_first_section(text)
    if sdk := _SDK_VERSION.search(text, 0, max(start, 0)):
        parser.dump.sdk = int(sdk[1])
    parser.dump.stray_lines = text.count(GRANTED_KEY, 0, max(start, 0))
    if start >= 0:
        with gc_paused():
            parser.parse_text(text, start)
        parser.dump.sdk = parser.dump.sdk or _infer_sdk(parser.seen_field_names)
    return parser.dump


def _find_first_section(text: str) -> int:
    start = len(text)
    for title in BLOCK_SECTIONS:
        if text.startswith(title):
            return 0
        # Search only before the earliest title so far: the text is long, and most titles are not in it.
        start = text.find(f"\n{title}\n", 0, start) + 1 or start
    if start < len(text):
        return start
    # An excerpt: blocks without the title above them.
    block = re.search(r"^(?:  )?Package \[", text, re.MULTILINE)
    return block.start() if block else -1


def _infer_sdk(field_names: AbstractSet[str]) -> int | None:
    """Return the oldest SDK that prints these fields; rough, and marked as inferred in the report."""
    if "appId" in field_names:
        return 34
    if "user.firstInstallTime" in field_names:
        return 33
    if "distractionFlags" in field_names:
        return 30
    if "suspended" in field_names and "virtual" in field_names:
        return 29
    if "ceDataInode" in field_names:
        return 24
    return 23 if "installed" in field_names else None


class PackageDumpParser:
    """Parses ``dumpsys package`` into `dump`, caching results for lines that repeat across packages.

    `parse_text` parses a whole text. `parse_line` for every line and `finish` give the same without the cache.
    """

    def __init__(self, kept_permissions: AbstractSet[str] | None) -> None:
        self.dump = PackageDump()
        self.seen_field_names: set[str] = set()
        """Names of the fields in the dump. They identify the layout."""
        self._permission_parser = PermissionSectionParser(kept_permissions)
        self._seen_sections: dict[str, PackageBlock | None] = {}
        """Title of a section → the block that it ended."""
        self._section: dict[str, PackageBlock] | None = None
        self._block: PackageBlock | None = None
        self._ended_block: PackageBlock | None = None
        """The block before: lines outside of every block are the rest of it, or of one whose header was lost."""
        self._blocks_before: dict[int, PackageBlock | None] = {}
        """Identity of a block → the block before it."""
        self._user: PackageUserState | None = None
        self._list: PermissionSection | set[str] | None = None
        """The current list: permission lines, or names of requested permissions."""
        self._last_field_rank = -1
        self._follows_repeated_title = False
        """Whether a title occurred twice: one of the two is an app's text, and so may be every block behind it."""
        self._cached_fields: dict[str, tuple[int, FieldHandler]] = {}
        """Start of a line up to ``=`` → rank and handler of a field of the package. Every block has the same."""
        self._ignored_fields: set[str] = set()
        """Starts of lines of a package that carry no field of interest."""
        self._ignored_user_fields: set[str] = set()
        """The same below a user."""
        self._cached_user_states: dict[str, tuple[bool, ...]] = {}
        """Rest of a user's line → whether it has ``installed=``; the fields of `InstallState`."""

    def parse_text(self, text: str, offset: int) -> None:
        """Parse `text` from `offset` on."""
        lines = chain.from_iterable(iter_line_chunks(text, offset))
        line: str | None = ""
        offset -= 1  # of an empty line before the first
        while line is not None:
            if line:
                self.parse_line(line, offset)
            line, offset = self._parse_repeated_lines(lines, offset + len(line) + 1)
        self.finish()

    def finish(self) -> None:
        """Close the last block, and count the lines that were not understood."""
        if self._block is not None and self._block.users:
            self._end_block()
        elif self._block is not None:
            self._count_unread(1)  # the text is cut in the middle of this block
        dump = self.dump
        blocks = (*dump.packages.values(), *dump.hidden.values(), *dump.shared_users.values())
        dump.unparsed_lines = dump.stray_lines + sum(block.unread_lines for block in blocks)

    def parse_line(self, line: str, offset: int) -> None:
        """Parse one line that is not empty."""
        if self._block is not None and line.startswith("    "):
            self._parse_inside_block(self._block, line, offset)
        elif line[0] != " ":
            self._parse_section_title(line)
        elif line.startswith(("  Package [", "  SharedUser [")):
            self._parse_block_header(line, offset)
        elif self._block is not None:
            self._parse_inside_block(self._block, line, offset)
        elif self._seen_sections and (GRANTED_KEY in line or (line.startswith("    User ") and " installed=" in line)):
            self._count_unread(1)  # the rest of a block: something ended it too early

    def _count_unread(self, lines: int) -> None:
        """Count `lines` that were not understood for the block in which they stand, or behind which."""
        block = self._block or self._ended_block
        if block is not None:
            block.unread_lines += lines
        else:
            self.dump.stray_lines += lines

    # Sections and blocks.

    def _parse_section_title(self, line: str) -> None:
        title = line.rstrip()
        attribute = BLOCK_SECTIONS.get(title)
        if attribute is None and title not in SECTIONS_AFTER_PACKAGES and title not in SECTIONS_BETWEEN:
            if line.startswith("-----"):
                self._end_block()
                self._section = None
            elif GRANTED_KEY in line or line.startswith(("Package [", "SharedUser [", "User ")):
                self._count_unread(1)  # it has lost its indent; anything else is a log, or the rest of an app's text
            return
        self._end_block()
        if title in self._seen_sections:
            self._follows_repeated_title = True
            self._mark_forged(self._seen_sections[title], self._ended_block)
        self._seen_sections[title] = self._ended_block
        self._section = None if attribute is None else getattr(self.dump, attribute)
        self.dump.reached_end |= title in SECTIONS_AFTER_PACKAGES and "Packages:" in self._seen_sections

    def _parse_block_header(self, line: str, offset: int) -> None:
        self._end_block()
        match = _BLOCK_HEADER.match(line)
        if match is None:
            self._count_unread(1)
            return
        if self._section is None and not self._seen_sections:
            self._section = self.dump.packages  # an excerpt
        section, name = self._section, match[2]
        if section is not None and len(section) >= MAX_PACKAGES:
            self._count_unread(1)
            return
        is_package = match[1] == "Package"
        if section is None or is_package == (section is self.dump.shared_users) or name in section:
            self.dump.doubtful.add(name)
            opened_by = self._blocks_before.get(id(section[name])) if section is not None and name in section else None
            self._mark_forged(self._ended_block, opened_by)
            return
        self._block = section[name] = PackageBlock(name=name, offset=offset)
        self._blocks_before[id(self._block)] = self._ended_block
        if self._follows_repeated_title:
            self.dump.doubtful.add(name)

    def _end_block(self) -> None:
        block = self._block
        self._block = self._user = self._list = None
        self._last_field_rank = -1
        self._ended_block = block or self._ended_block
        if block is None or self._section is self.dump.shared_users:
            return
        allowed_names = {block.name}
        if block.compatible_name is not None and "SYSTEM" in block.flags:
            allowed_names.add(block.compatible_name)
        is_consistent = block.users and block.self_names <= allowed_names and not _holds_twice(block)
        # Only an app of the system image has a factory copy: any other would hide a part of its own block in one.
        factory_copies = (block, self.dump.packages.get(block.name)) if self._section is self.dump.hidden else ()
        if not is_consistent or not all(copy is not None and "SYSTEM" in copy.flags for copy in factory_copies):
            self._mark_forged(block)

    def _mark_forged(self, *blocks: PackageBlock | None) -> None:
        for block in blocks:
            if block is None:
                continue
            self.dump.doubtful.update({block.name, *block.self_names})
            before = self._blocks_before.get(id(block))
            if self._section is self.dump.hidden and before is not None:
                # Text in the block before may have begun the section, to bury the rest of its own block there.
                self.dump.doubtful.add(before.name)

    # Lines of a block.

    def _parse_inside_block(self, block: PackageBlock, line: str, offset: int) -> None:
        if line.startswith("    User "):
            self._parse_user_line(block, line)
            return
        indent = len(line) - len(line.lstrip(" "))
        if indent == _FIELD_INDENT:
            self._parse_field(block, line)
        elif indent == _USER_FIELD_INDENT and self._user is not None:
            self._parse_user_field(block, self._user, line)
        elif isinstance(self._list, PermissionSection):
            self._permission_parser.parse_permission_line(self._list, line, offset)
            self._note_list_defects()
        elif self._list is not None:
            self._parse_requested_permission(self._list, line)
        elif GRANTED_KEY in line:
            self._count_unread(1)  # something ended the list to which this line belongs
        elif self._user is not None and indent < _USER_FIELD_INDENT:
            self._count_unread(1)

    def _parse_user_line(self, block: PackageBlock, line: str) -> None:
        match = _USER_LINE.match(line)
        if match is None:
            self._count_unread(1)
            self._user = self._list = None
            return
        number, state_text = int(match[1]), match[3] or ""
        if match[2]:
            self.seen_field_names.add(match[2])
        if state_text not in self._cached_user_states:
            values = dict(_USER_KEY_VALUE.findall(state_text))
            self.seen_field_names.update(values)
            self._cached_user_states[state_text] = (
                "installed" in values,
                values.get("installed", "true") == "true",
                values.get("enabled", "0") not in _DISABLED_STATES,
                values.get("hidden") == "true",
                values.get("instant") == "true",
            )
        says_installed, installed, enabled, hidden, instant = self._cached_user_states[state_text]
        # Only a package is installed: its line says so, and the line of a shared user has no values.
        if says_installed and not _INSTALLED_VALUE.search(state_text):
            self._count_unread(1)
        if number in block.users or says_installed is (self._section is self.dump.shared_users):
            self._mark_forged(block)
        self._user = block.users[number] = PackageUserState(installed, enabled, hidden, instant)
        self._list = None

    def _parse_field(self, block: PackageBlock, line: str) -> None:
        name, equals, value = line.strip().partition("=")
        rank = FIELD_ORDER.get(name)
        if rank is None or bool(equals) != (name in FIELD_HANDLERS):
            if self._user is None:
                self._list = None
            elif line.rstrip() not in _USER_TITLES_OF_FIELD_INDENT:
                self._count_unread(1)
                return
            if GRANTED_KEY in name + equals:
                self._count_unread(1)
            elif rank is None and equals:
                ignored_fields = self._ignored_fields if self._user is None else self._ignored_user_fields
                ignored_fields.add(line.partition("=")[0])
            return
        is_shared_user = self._section is self.dump.shared_users
        is_misplaced = is_shared_user and name not in SHARED_USER_FIELDS
        if self._user is not None or rank <= self._last_field_rank or is_misplaced:
            self._mark_forged(block)
        self._last_field_rank = rank
        self.seen_field_names.add(name)
        self._user, self._list = None, None
        if equals:
            handler = FIELD_HANDLERS[name]
            self._cached_fields[line.partition("=")[0]] = rank, handler
            handler(block, value)
        elif name == "requested permissions:":
            self._list = block.requested_permissions = set()
        else:
            self._list = PermissionSection(
                block.install_permissions, PACKAGE_LIST_INDENT, block.install_permissions_by_user
            )

    def _parse_user_field(self, block: PackageBlock, user: PackageUserState, line: str) -> None:
        self._list = None
        field = line.strip()
        if field == "runtime permissions:":
            self._list = PermissionSection(user.runtime_permissions, USER_LIST_INDENT)
            if user.has_runtime_section:
                self._mark_forged(block)
            user.has_runtime_section = True
        elif field.startswith("firstInstallTime="):
            self.seen_field_names.add("user.firstInstallTime")
            user.first_installed = field.partition("=")[2]
        elif GRANTED_KEY in line:
            self._count_unread(1)
        elif "=" in line:
            self._ignored_user_fields.add(line.partition("=")[0])

    def _parse_requested_permission(self, names: set[str], line: str) -> None:
        name = line.strip(" ")
        if ":" in name or " " in name or not name.isascii() or not name.isprintable():
            match = _REQUESTED_PERMISSION.match(line)
            if match is None:
                self._count_unread(1)
                return
            name = match[1]
        names.add(name)

    # The fast path. Each method parses lines whose meaning is cached and returns the first other line with its offset.

    def _parse_repeated_lines(self, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        if isinstance(self._list, PermissionSection):
            return self._parse_permission_list(self._list, lines, offset)
        if self._list is not None:
            return self._parse_requested_list(self._list, lines, offset)
        if self._block is None:
            return _skip_outside_block(lines, offset)
        if self._user is None:
            return self._parse_cached_fields(self._block, lines, offset)
        return self._parse_cached_user_fields(self._user, lines, offset)

    def _parse_cached_fields(self, block: PackageBlock, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        fields, ignored_fields, last_rank = self._cached_fields, self._ignored_fields, self._last_field_rank
        if self._section is self.dump.shared_users:
            fields = {}
        line: str | None
        for line in lines:
            prefix, equals, value = line.partition("=")
            if prefix not in ignored_fields:
                field = fields.get(prefix)
                if field is not None and equals and field[0] > last_rank:
                    last_rank, handler = field
                    handler(block, value.rstrip())
                elif GRANTED_KEY in line or not line.startswith(PACKAGE_LIST_INDENT):
                    break
            offset += len(line) + 1
        else:
            line = None
        self._last_field_rank = last_rank
        return line, offset

    def _parse_cached_user_fields(
        self, user: PackageUserState, lines: Iterator[str], offset: int
    ) -> tuple[str | None, int]:
        ignored_fields = self._ignored_user_fields
        for line in lines:
            prefix, equals, value = line.partition("=")
            if GRANTED_KEY in line or not (equals and prefix in ignored_fields):
                if prefix == _FIRST_INSTALL_TIME_PREFIX and equals:
                    self.seen_field_names.add("user.firstInstallTime")
                    user.first_installed = value.rstrip()
                elif line == _RUNTIME_PERMISSIONS_LINE and not user.has_runtime_section:
                    user.has_runtime_section = True
                    self._list = PermissionSection(user.runtime_permissions, USER_LIST_INDENT)
                    return self._parse_permission_list(self._list, lines, offset + len(line) + 1)
                elif GRANTED_KEY in line or not line.startswith(USER_LIST_INDENT):
                    return line, offset
            offset += len(line) + 1
        return None, offset

    def _parse_permission_list(
        self, section: PermissionSection, lines: Iterator[str], offset: int
    ) -> tuple[str | None, int]:
        next_line = self._permission_parser.parse_section(section, lines, offset)
        self._note_list_defects()
        return next_line

    def _note_list_defects(self) -> None:
        """Count the lines of a permission list that were not understood; a permission occurs once in each list."""
        parser = self._permission_parser
        if parser.unparsed_lines:
            self._count_unread(parser.unparsed_lines)
        if parser.has_duplicate:
            self._mark_forged(self._block)
        parser.unparsed_lines, parser.has_duplicate = 0, False

    def _parse_requested_list(self, names: set[str], lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        for line in lines:
            if not line.startswith(PACKAGE_LIST_INDENT):
                return line, offset
            self._parse_requested_permission(names, line)
            offset += len(line) + 1
        return None, offset


def _holds_twice(block: PackageBlock) -> bool:
    """Return whether a permission is listed as granted at installation and at run time. Android keeps one state of it.

    Source: ``PermissionsState`` (AOSP 6 to 11), ``LegacyPermissionState`` (12 and later).
    """
    install = block.install_permissions
    return bool(install) and any(
        not install.keys().isdisjoint(user.runtime_permissions) for user in block.users.values()
    )


def _skip_outside_block(lines: Iterator[str], offset: int) -> tuple[str | None, int]:
    for line in lines:
        if not line.startswith("    ") or GRANTED_KEY in line or line.startswith("    User "):
            return line, offset
        offset += len(line) + 1
    return None, offset
