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

from privaudit.facts.package_blocks import Grant, Grants

_TOLD: Final = "granted="
GRANTED: Final = f": {_TOLD}"
OF_PACKAGE: Final = " " * 6
OF_USER: Final = " " * 8
"""Where the lines of a list begin that belongs to a package, or to one of its users. What ends it begins before."""

_LINE = re.compile(r"^\s*(\S+): granted=(true|false)(?:, flags=\[ ?([^\]]*)\])?(?:, userId=(\d{1,5}))?\s*$")
_UNSEEN: Final = ("", None)


@dataclass(slots=True)
class List:
    """Where the lines of one list go."""

    grants: Grants
    indent: str
    for_users: dict[int, Grants] | None = None
    """Where install permissions go that differ for one Android user."""


class Lists:
    """What was met in the lists of one dump.

    Args:
        wanted: permissions whose lines are kept; ``None``: all.
    """

    def __init__(self, wanted: AbstractSet[str] | None) -> None:
        self.unparsed = 0
        """Lines of no known form."""
        self._taken = 0
        """Lines of the known form."""
        self._cut = 0
        """Of the others those that end before they say whether something is granted."""
        self.twice = False
        """Whether a permission came twice in one list."""
        self._wanted = wanted
        self._seen: dict[str, dict[str, tuple[str, Grant | None] | None]] = {OF_PACKAGE: {}, OF_USER: {}}
        """By list's indent, what each line said; ``None``: nothing that anybody asked about."""
        self._names: dict[str, str] = {}
        """Name of the permission by what precedes the first ``=`` of a line."""
        self._grants: dict[str, Grant] = {}
        """What follows it."""

    def lost(self, text: str) -> int:
        """Grants that stand in the whole `text`, wherever, and were not taken from a line of a list.

        Blanks became tabs, a line was broken at the width of a terminal: what such a line told is told nowhere else.
        """
        return text.count(_TOLD) - self._taken + self._cut

    def read(self, part: List, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        """Read on in a list; the next of `lines` stands at `offset`.

        Returns:
            The first line that begins before the list does, ``None`` at the end of the text, and where it stands.
        """
        grants, offsets, seen = part.grants, part.grants.offsets, self._seen[part.indent]
        again = 0
        end: str | None = None
        for line in lines:
            told = seen.get(line, _UNSEEN)
            if told is None:
                again += 1
            else:
                name, grant = told
                if grant is None or name in offsets:
                    if not line.startswith(part.indent):
                        end = line
                        break
                    self.take(part, line, offset)
                else:
                    grants[name], offsets[name] = grant, offset
                    again += 1
            offset += len(line) + 1
        self._taken += again
        return end, offset

    def take(self, part: List, line: str, offset: int) -> None:
        """Look at one line closely."""
        begin, _, end = line.partition("=")
        name, grant, user = self._names.get(begin), self._grants.get(end), None
        if name is None or grant is None:
            match = _LINE.match(line)
            if match is None:
                self.unparsed += 1
                self._cut += _TOLD not in line
                return
            # Up to Android 9 flags are parted by blanks, later by pipes.
            grant = Grant(match[2] == "true", tuple((match[3] or "").replace("|", " ").split()))
            name, user = match[1], match[4]
            if user is None and "=" not in name:
                self._names[begin], self._grants[end] = name, grant
        asked = self._wanted is None or name in self._wanted
        self._taken += 1
        if user is None and line.startswith(part.indent):
            self._seen[part.indent][line] = (name, grant) if asked else None
        if not asked:
            return
        grants = part.grants
        if user is not None and part.for_users is not None:
            grants = part.for_users.setdefault(int(user), Grants())
        self.twice |= name in grants
        grants.setdefault(name, grant)
        grants.offsets.setdefault(name, offset)
