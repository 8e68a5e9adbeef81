"""Reads the lists of permission lines in ``dumpsys package``: most of the text, and much of it the same.

An app's list holds lines that stand in other apps' lists too: on a phone with 250 of them 56 differ, in what they say
of the permission only four. So a line is looked at closely once; met again it costs one look-up, and its beginning (a
name) and its end (granted or not, and flags) are remembered apart for a line that is new. An app that fills its lists
with names of its own makes them slower to read, not wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from privaudit.dumpsys.package_model import GrantTable, PermissionGrant

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
