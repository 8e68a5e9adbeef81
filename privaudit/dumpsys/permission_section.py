"""Parse the permission lists of ``dumpsys package``: which permission is granted, and with which flags."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from privaudit.android import PERMISSION_PREFIX
from privaudit.capture.altered_names import fold_name
from privaudit.capture.questions import READING_OPS
from privaudit.dumpsys.package_model import GrantTable, PermissionGrant

GRANTED_KEY: Final = "granted="
PACKAGE_LIST_INDENT: Final = " " * 6
"""Start of each line in a list of a package. A line with a smaller indent ends the list."""
USER_LIST_INDENT: Final = " " * 8
"""The same for a list of one of its users."""
_PERMISSION_LINE = re.compile(r"^\s*(\S+): granted=(true|false)(?:, flags=\[ ?([^\]]*)\])?(?:, userId=(\d{1,5}))?\s*$")
_MAX_EDITS: Final = 2
_READING_PERMISSIONS: Final = {
    f"{PERMISSION_PREFIX}{op}": [op[at : at + -(-len(op) // 3)] for at in range(0, len(op), -(-len(op) // 3))]
    for op in READING_OPS
}
"""Permission for data → the thirds of its op's name."""
_READING_PERMISSION_LETTERS: Final = frozenset(
    fold_name(name) for op in READING_OPS for name in (op, f"{PERMISSION_PREFIX}{op}")
)
"""Also without the prefix, which people take out to make a list shorter."""
_UNCACHED_LINE: Final = ("", None)


@lru_cache(maxsize=4096)
def is_garbled(name: str) -> bool:
    """Return whether `name` is that of a permission for data, altered by a copy, or with one or two letters changed.

    No Android has such a permission, so the text was changed on its way.
    """
    return fold_name(name) in _READING_PERMISSION_LETTERS or any(
        abs(len(name) - len(permission)) <= _MAX_EDITS
        # Where at most two letters differ, one third of the op's name is left as it was: a quick test for most names.
        and any(part in name for part in thirds)
        and _is_near(name, permission, _MAX_EDITS)
        for permission, thirds in _READING_PERMISSIONS.items()
    )


def _is_near(one: str, other: str, edits: int) -> bool:
    """Return whether `one` becomes `other` by at most `edits` letters changed, lost or added."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    if not (edits and one and other):
        return max(len(one), len(other)) <= edits
    return any(_is_near(one[lost:], other[added:], edits - 1) for lost, added in ((1, 1), (1, 0), (0, 1)))


@dataclass(slots=True)
class PermissionSection:
    """A list of permission lines and the tables that they fill."""

    grants: GrantTable
    indent: str
    grants_by_user: dict[int, GrantTable] | None = None
    """Tables for install permissions that differ for one Android user."""


class PermissionSectionParser:
    """Parses the permission lists of one dump, caching lines that repeat across packages."""

    def __init__(self, kept_permissions: AbstractSet[str] | None) -> None:
        self.unparsed_lines = 0
        """Lines of an unknown form."""
        self.has_duplicate = False
        """Whether a permission occurred twice in one list."""
        self._kept_permissions = kept_permissions
        self._cached_lines: dict[str, dict[str, tuple[str, PermissionGrant | None] | None]] = {
            PACKAGE_LIST_INDENT: {},
            USER_LIST_INDENT: {},
        }
        """Indent of the list → line → permission and grant; ``None``: a permission that is not kept."""
        self._name_by_prefix: dict[str, str] = {}
        """Text of a line up to the first ``=`` → name of the permission."""
        self._grant_by_suffix: dict[str, PermissionGrant] = {}
        """Text after the first ``=`` → grant."""

    def parse_section(self, section: PermissionSection, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        """Parse `lines` up to the end of the list; the first of them stands at `offset`.

        Return the first line with a smaller indent (``None``: the text ends), and its offset.
        """
        grants, offsets, cached_lines = section.grants, section.grants.offsets, self._cached_lines[section.indent]
        end: str | None = None
        for line in lines:
            cached = cached_lines.get(line, _UNCACHED_LINE)
            if cached is not None:
                name, grant = cached
                if grant is None or name in offsets:
                    if not line.startswith(section.indent):
                        end = line
                        break
                    self.parse_permission_line(section, line, offset)
                else:
                    grants[name], offsets[name] = grant, offset
            offset += len(line) + 1
        return end, offset

    def parse_permission_line(self, section: PermissionSection, line: str, offset: int) -> None:
        """Parse one line without using the cache of whole lines."""
        prefix, _, suffix = line.partition("=")
        name, grant, user = self._name_by_prefix.get(prefix), self._grant_by_suffix.get(suffix), None
        if name is None or grant is None:
            match = _PERMISSION_LINE.match(line)
            if match is None:
                self.unparsed_lines += 1
                return
            # Up to Android 9 flags are separated by spaces, later by pipes.
            grant = PermissionGrant(match[2] == "true", tuple((match[3] or "").replace("|", " ").split()))
            name, user = match[1], match[4]
            if user is None and "=" not in name:
                self._name_by_prefix[prefix], self._grant_by_suffix[suffix] = name, grant
        is_kept = self._kept_permissions is None or name in self._kept_permissions
        if not is_kept and is_garbled(name):
            self.unparsed_lines += 1
            return
        if user is None and line.startswith(section.indent):
            self._cached_lines[section.indent][line] = (name, grant) if is_kept else None
        if not is_kept:
            return
        grants = section.grants
        if user is not None and section.grants_by_user is not None:
            grants = section.grants_by_user.setdefault(int(user), GrantTable())
        self.has_duplicate |= name in grants
        grants.setdefault(name, grant)
        grants.offsets.setdefault(name, offset)
