"""Walks through ``dumpsys package``: most of its lines say what was said of other apps, or nothing of interest.

Such lines are passed over as cheaply as can be; whatever is not just like them is left to `Reader`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from privaudit.dumpsys import iter_line_chunks
from privaudit.dumpsys.package_fields import FieldHandler
from privaudit.dumpsys.package_lists import GRANTED_MARKER, PACKAGE_LIST_INDENT, USER_LIST_INDENT, PermissionSection
from privaudit.dumpsys.package_model import PackageBlock, PackageUserState
from privaudit.dumpsys.package_parser import PackageLineParser

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
