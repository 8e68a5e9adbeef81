"""Collect a capture from a phone: a first round of questions in one script, then follow-up rounds."""

import itertools
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from privaudit.capture import questions, scripts
from privaudit.capture.answers import Answer, classify_answer, is_binary_answer
from privaudit.capture.model import Capture, DeviceFingerprint, refuse_old_android
from privaudit.capture.redact import redact
from privaudit.errors import ConnectionLost
from privaudit.model import Source
from privaudit.transport.base import Transport

OnRound: TypeAlias = Callable[[str], None]
"""Called with the name of each round when it begins."""

MAX_ANSWERS: Final = 1000
"""Answers in one script. Each Android user adds three, and Android allows far fewer than 300 users."""
_DIGEST_LINE: Final = re.compile(rb"^([0-9a-f]{40}|[0-9a-f]{64})  ?-?\r*$", re.MULTILINE)
_FINGERPRINT_TIMEOUT_S: Final = 30.0


def read_fingerprint(transport: Transport, salt: str | None = None) -> DeviceFingerprint | None:
    """Return the phone's fingerprint for `salt`, or a new salt; ``None`` if it has no identifier or hash program."""
    salt = salt or secrets.token_hex(16)
    reply = transport.run(scripts.device_fingerprint(salt), timeout_s=_FINGERPRINT_TIMEOUT_S)
    match = _DIGEST_LINE.search(reply.stdout)
    return DeviceFingerprint(salt=salt, digest=match[1].decode()) if match else None


def is_same_device(transport: Transport, fingerprint: DeviceFingerprint) -> bool:
    """Return whether `fingerprint` is of this phone."""
    return read_fingerprint(transport, fingerprint.salt) == fingerprint


def collect_first_round(transport: Transport, *, demo: bool = False, on_round: OnRound = lambda _: None) -> Capture:
    """Ask the questions about the phone and its users.

    If the connection ends during the script, the answers received so far are kept; `privaudit.facts` reports the others
    as not asked. Raises `ConnectionLost` if there is none, `SourceError` if the phone has Android 5 or older.
    """
    on_round("first_round")
    marker = scripts.new_marker()
    started_at = datetime.now(UTC)
    lost: ConnectionLost | None = None
    try:
        output = transport.run(scripts.first_round(marker)).stdout
    except ConnectionLost as error:
        output, lost = error.partial, error
    scopes = {question.name: question.scope for question in questions.QUESTIONS}
    found = (one for one in split_answers(output, marker) if scopes[one.question] in {"phone", "user"})
    # A phone could send any number of answers.
    answers = {answer.key: answer for answer in itertools.islice(found, MAX_ANSWERS)}
    if lost is not None and not answers:
        raise lost
    capture = Capture(
        answers=MappingProxyType(answers),
        taken_at=started_at,
        source=Source(kind="demo" if demo else transport.kind, sha256=None),
        demo=demo,
    )
    return refuse_old_android(capture)


def collect_answers(
    transport: Transport, keys: Iterable[str], *, on_round: OnRound = lambda _: None
) -> Iterator[Answer]:
    """Ask for the answers `keys` and yield those that arrive. Stops when the connection ends."""
    marker = scripts.new_marker()
    requested = dict.fromkeys(keys)
    for command in scripts.follow_up_rounds(marker, requested, max_bytes=transport.command_limit):
        on_round("later_round")
        is_lost = False
        try:
            output = transport.run(command).stdout
        except ConnectionLost as error:
            output, is_lost = error.partial, True
        yield from (answer for answer in split_answers(output, marker) if answer.key in requested)
        if is_lost:
            return


def split_answers(output: bytes, marker: str) -> Iterator[Answer]:
    """Split the output of a script into answers. An unfinished answer gets the state ``UNREADABLE``.

    The phone receives the marker with the script: marker lines without a valid answer key count as text.
    """
    marker_line = re.compile(
        # Requires the line feed: a truncated marker must not match. The start of the line is checked below, because
        # ``^`` with MULTILINE was the slowest part of the split on large outputs.
        rb"%s (begin|end) ([A-Za-z_][\w.]*)(?: (\d{1,3}))?\r*\n" % re.escape(marker.encode()),
        re.ASCII,
    )
    open_key, start = None, 0
    for match in marker_line.finditer(output):
        key = match[2].decode("ascii")
        if not questions.is_answer_key(key) or output[max(match.start() - 1, 0) : match.start()] not in {b"", b"\n"}:
            continue
        if match[1] == b"begin":
            if open_key is not None:  # its end marker was lost
                yield _make_answer(open_key, output[start : match.start()], None, complete=False)
            open_key, start = key, match.end()
        elif open_key == key:
            raw = output[start : match.start()]
            if raw.endswith(b"\n"):  # the script itself ends each answer with a line feed
                raw = raw[:-1] if is_binary_answer(key, raw) else raw[:-1].rstrip(b"\r")
            yield _make_answer(key, raw, int(match[3]) if match[3] else None, complete=match[3] is not None)
            open_key = None
    if open_key is not None:
        raw = output[start:]
        last_line = raw.rpartition(b"\n")[2]
        if last_line.startswith(marker.encode()) or marker.encode().startswith(last_line):
            raw = raw[: len(raw) - len(last_line)]  # a truncated marker line is ours, not output of the command
        yield _make_answer(open_key, raw, None, complete=False)


def _make_answer(key: str, raw: bytes, exit_code: int | None, *, complete: bool) -> Answer:
    return redact(classify_answer(key, raw, exit_code=exit_code, complete=complete))
