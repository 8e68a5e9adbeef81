"""Walks through ``dumpsys package``: most of its lines say what was said of other apps, or nothing of interest.

Such lines are passed over as cheaply as can be; whatever is not just like them is left to `Reader`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from privaudit.facts.lines import pieces
from privaudit.facts.package_blocks import Block, UserState
from privaudit.facts.package_fields import Take
from privaudit.facts.package_lists import GRANTED, OF_PACKAGE, OF_USER, List
from privaudit.facts.package_reader import Reader

_FIRST_INSTALLED: Final = "      firstInstallTime"
_RUNTIME: Final = "      runtime permissions:"
_NO_FIELD: Final[tuple[int, Take]] = (-2, lambda _block, _value: None)


class Walk(Reader):
    """Fills `dump` from a whole text."""

    def read(self, text: str, offset: int) -> None:
        """Read `text` from `offset` on."""
        lines = chain.from_iterable(pieces(text, offset))
        line: str | None = ""
        offset -= 1  # of the line before the first
        while line is not None:
            if line:
                self.line(line, offset)
            line, offset = self._pass(lines, offset + len(line) + 1)
        self.dump.unparsed += self.lists.unparsed
        self.dump.lost = self.lists.lost(text)
        if self.block is not None and self.block.users:
            self.leave()  # else: the text is cut in the middle of this block

    def _pass(self, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        """Read on as long as lines are as those before; the first other one, and where it stands."""
        if isinstance(self.part, List):
            return self._list(self.part, lines, offset)
        if self.part is not None:
            return self._requested(self.part, lines, offset)
        if self.block is None:
            return self._pass_outside(lines, offset)
        if self.user is None:
            return self._fields(self.block, lines, offset)
        return self._user_fields(self.user, lines, offset)

    def _pass_outside(self, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        for line in lines:
            if not line.startswith("    ") or GRANTED in line or line.startswith("    User "):
                return line, offset
            offset += len(line) + 1
        return None, offset

    def _fields(self, block: Block, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        fields, passed, last = self.fields, self.passed, self.rank
        if self.section is self.dump.shared_users:
            fields = {}
        line: str | None
        for line in lines:
            begin, equals, value = line.partition("=")
            if begin not in passed:
                rank, take = fields.get(begin, _NO_FIELD)
                if rank > last and equals:
                    last = rank
                    take(block, value.rstrip())
                elif GRANTED in line or not line.startswith(OF_PACKAGE):
                    break
            offset += len(line) + 1
        else:
            line = None
        self.rank = last
        return line, offset

    def _list(self, part: List, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        found = self.lists.read(part, lines, offset)
        if self.lists.twice and self.block is not None:
            self.forged(self.block.name)
        return found

    def _user_fields(self, user: UserState, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        passed = self.passed_of_user
        for line in lines:
            begin, equals, value = line.partition("=")
            if GRANTED in line or not (equals and begin in passed):
                if begin == _FIRST_INSTALLED and equals:
                    self.words.add("user.firstInstallTime")
                    user.first_installed = value.rstrip()
                elif line == _RUNTIME and not user.says_runtime:
                    user.says_runtime = True
                    self.part = List(user.runtime, OF_USER)
                    return self._list(self.part, lines, offset + len(line) + 1)
                elif GRANTED in line or not line.startswith(OF_USER):
                    return line, offset
            offset += len(line) + 1
        return None, offset

    def _requested(self, names: set[str], lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        for line in lines:
            if not line.startswith(OF_PACKAGE):
                return line, offset
            self.request(names, line)
            offset += len(line) + 1
        return None, offset
