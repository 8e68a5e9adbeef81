"""Takes a capture from a live phone: two rounds of questions, each one script."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from privaudit.capture import questions, scripts
from privaudit.capture.answers import Answer, classify_answer
from privaudit.capture.model import Capture, DeviceFingerprint
from privaudit.capture.redact import redact
from privaudit.errors import ConnectionLost
from privaudit.model import Source
from privaudit.transport.base import Transport

_DIGEST_LINE: Final = re.compile(rb"^([0-9a-f]{40}|[0-9a-f]{64})  ?-?\r*$", re.MULTILINE)
_FINGERPRINT_TIMEOUT_S: Final = 30.0


def read_fingerprint(transport: Transport, salt: str | None = None) -> DeviceFingerprint | None:
    """What the phone says of itself to this salt, or to a fresh one; ``None``: it tells no number, or has no hash.

    Raises:
        ConnectionLost: the connection ended.
    """
    salt = salt or secrets.token_hex(16)
    said = _DIGEST_LINE.search(transport.run(scripts.device_fingerprint(salt), timeout_s=_FINGERPRINT_TIMEOUT_S).stdout)
    return DeviceFingerprint(salt=salt, digest=said[1].decode()) if said else None


def is_same_device(transport: Transport, fingerprint: DeviceFingerprint) -> bool:
    """Whether this is the phone that gave `fingerprint`.

    Raises:
        ConnectionLost: the connection ended.
    """
    return read_fingerprint(transport, fingerprint.salt) == fingerprint


OnRound: TypeAlias = Callable[[str], None]
"""Told the name of each round as it begins."""

MAX_ANSWERS: Final = 1000
"""Of one script. Each Android user costs three, and Android takes far fewer than 300 of them."""


def collect_first_round(transport: Transport, *, demo: bool = False, on_round: OnRound = lambda _: None) -> Capture:
    """Ask everything that can be asked before any app is known.

    A connection that ends in the middle leaves what was read; `privaudit.facts` reports the rest as not asked.

    Raises:
        ConnectionLost: it ended before anything was read.
    """
    on_round("first_round")
    marker = scripts.new_marker()
    begun = datetime.now(UTC)
    try:
        answers = tuple(_first_round_answers(transport.run(scripts.first_round(marker)).stdout, marker))
    except ConnectionLost as lost:
        answers = tuple(_first_round_answers(lost.partial, marker))
        if not answers:
            raise
    return Capture(
        answers=MappingProxyType({answer.key: answer for answer in answers}),
        taken_at=begun,
        source=Source(kind="demo" if demo else transport.kind, sha256=None),
        demo=demo,
    )


def _first_round_answers(output: bytes, marker: str) -> Iterator[Answer]:
    """The answers that were asked for, and no more of them than any phone has: what one says beyond is not kept."""
    answers = (answer for answer in split_answers(output, marker) if answer.question != "package")
    return itertools.islice(answers, MAX_ANSWERS)


def collect_answers(
    transport: Transport, keys: Iterable[str], *, on_round: OnRound = lambda _: None
) -> Iterator[Answer]:
    """Ask for the answers in `keys` (keys); yields those that came. Stops where the connection ends."""
    marker = scripts.new_marker()
    asked = dict.fromkeys(keys)
    for command in scripts.follow_up_rounds(marker, asked, max_bytes=transport.command_limit):
        on_round("later_round")
        lost = False
        try:
            output = transport.run(command).stdout
        except ConnectionLost as error:
            output, lost = error.partial, True
        yield from (answer for answer in split_answers(output, marker) if answer.key in asked)
        if lost:
            return


def split_answers(output: bytes, marker: str) -> Iterator[Answer]:
    """Cut the output of a script into answers. One that was not finished comes as unreadable.

    A phone hears the marker with the script: lines that name no answer of ours are text like any other.
    """
    line = re.compile(
        # With its line feed: of a line that is cut nobody knows how its last word goes on. That it begins a line is
        # seen to below: ``^``, tried at every line of megabytes, took longer than all else here.
        rb"%s (begin|end) ([A-Za-z_][\w.]*)(?: (\d{1,3}))?\r*\n" % re.escape(marker.encode()),
        re.ASCII,
    )
    begun: tuple[str, int] | None = None
    for match in line.finditer(output):
        key = match[2].decode("ascii")
        if not questions.is_answer_key(key) or output[max(match.start() - 1, 0) : match.start()] not in {b"", b"\n"}:
            continue
        if match[1] == b"begin":
            if begun is not None:  # its end was lost on the way
                yield _make_answer(begun[0], output[begun[1] : match.start()], None, complete=False)
            begun = key, match.end()
        elif begun is not None and begun[0] == key:
            raw = output[begun[1] : match.start()]
            if raw.endswith(b"\n"):
                raw = raw[:-1].rstrip(b"\r")  # the script ends each answer with a line feed of its own
            yield _make_answer(key, raw, int(match[3]) if match[3] else None, complete=match[3] is not None)
            begun = None
    if begun is not None:
        rest = output[begun[1] :]
        last = rest.rpartition(b"\n")[2]
        if last.startswith(marker.encode()) or marker.encode().startswith(last):
            rest = rest[: len(rest) - len(last)]  # a marker line that is cut is ours, not the phone's
        yield _make_answer(begun[0], rest, None, complete=False)


def _make_answer(key: str, raw: bytes, exit_code: int | None, *, complete: bool) -> Answer:
    return redact(classify_answer(key, raw, exit_code=exit_code, complete=complete))
