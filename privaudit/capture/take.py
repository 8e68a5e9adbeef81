"""Takes a capture from a live phone: two rounds of questions, each one script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TypeAlias

from privaudit.capture import Capture, questions
from privaudit.capture.answers import Answer, receive
from privaudit.capture.redact import redact
from privaudit.errors import ConnectionLost
from privaudit.model import Command, Source
from privaudit.transport import Transport

Progress: TypeAlias = Callable[[str], None]
"""Told the name of each round as it begins."""


def take(transport: Transport, *, demo: bool = False, progress: Progress = lambda _: None) -> Capture:
    """Ask everything that can be asked before any app is known.

    A connection that ends in the middle leaves what was read; `privaudit.facts` reports the rest as not asked.

    Raises:
        ConnectionLost: it ended before anything was read.
    """
    progress("first_round")
    marker = questions.new_marker()
    begun = datetime.now(UTC)
    answers = _ask(transport, questions.first_round(marker), marker)
    return Capture(
        answers=MappingProxyType({answer.key: answer for answer in answers}),
        taken_at=begun,
        source=Source(kind="demo" if demo else transport.kind, sha256=None),
        demo=demo,
    )


def ask_more(transport: Transport, wanted: Iterable[str], *, progress: Progress = lambda _: None) -> Iterator[Answer]:
    """Ask for the answers in `wanted` (keys); yields those that came. Stops where the connection ends."""
    marker = questions.new_marker()
    for command in questions.later_rounds(marker, wanted, limit=transport.command_limit):
        progress("later_round")
        try:
            yield from _ask(transport, command, marker)
        except ConnectionLost:
            return


def _ask(transport: Transport, command: Command, marker: str) -> tuple[Answer, ...]:
    try:
        output = transport.run(command).stdout
    except ConnectionLost as lost:
        answers = tuple(sections(lost.partial, marker))
        if not answers:
            raise
        return answers
    return tuple(sections(output, marker))


def sections(output: bytes, marker: str) -> Iterator[Answer]:
    """Cut the output of a script into answers. One that was not finished comes as unreadable."""
    line = re.compile(
        rb"^%s (begin|end) ([A-Za-z_][\w.]*)(?: (\d{1,3}))?\r*$" % re.escape(marker.encode()), re.MULTILINE | re.ASCII
    )
    begun: tuple[str, int] | None = None
    for match in line.finditer(output):
        key = match[2].decode("ascii")
        if match[1] == b"begin":
            if begun is not None:  # its end was lost on the way
                yield _answer(begun[0], output[begun[1] : match.start()], None, whole=False)
            begun = key, match.end() + 1
        elif begun is not None and begun[0] == key:
            # The script ends each answer with a line feed of its own.
            raw = re.sub(rb"\r*\n\Z", b"", output[begun[1] : match.start()])
            yield _answer(key, raw, int(match[3]) if match[3] else None, whole=match[3] is not None)
            begun = None
    if begun is not None:
        yield _answer(begun[0], output[begun[1] :], None, whole=False)


def _answer(key: str, raw: bytes, exit_code: int | None, *, whole: bool) -> Answer:
    return redact(receive(key, raw, exit_code=exit_code, whole=whole))
