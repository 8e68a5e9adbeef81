"""Collect a capture from a phone: a first round of questions in one script, then follow-up rounds."""

import itertools
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from privaudit.capture import questions, scripts
from privaudit.capture.answers import Answer, classify_answer, coverage_message, is_binary_answer, missing_answer
from privaudit.capture.model import Capture, DeviceFingerprint, refuse_old_android
from privaudit.capture.redact import redact
from privaudit.errors import ConnectionLost
from privaudit.model import AnswerState, Command, Source
from privaudit.transport.base import Transport

OnRound: TypeAlias = Callable[[str], None]
"""Called with the name of each round when it begins."""

MAX_ANSWERS: Final = 1000
"""Answers in one script. Each Android user adds three, and Android allows far fewer than 300 users."""
MAX_ANSWER_BYTES: Final = 20 << 20
"""The rest of a longer answer is not read; a dump of all packages has 6 MB, and of `MAX_PACKAGES` some 20."""
MAX_SCRIPT_BYTES: Final = 36 << 20
"""Most that is read of one script. Decoded and taken apart it needs some five times the memory."""
_MAX_SCRIPTS_CUT: Final = 6
"""After so many scripts with more output than that nothing more is asked."""
_TOO_LONG_KEY: Final = "coverage.too_long"
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

    An answer that is too long is kept in part, and the others are asked for. If the connection ends during the script,
    the answers received so far are kept; `privaudit.facts` reports the others as not asked. Raises `ConnectionLost` if
    there is none, `SourceError` if the phone has Android 5 or older.
    """
    on_round("first_round")
    started_at = datetime.now(UTC)
    scopes = {question.name: question.scope for question in questions.QUESTIONS}
    answers: dict[str, Answer] = {}
    skipped: set[str] = set()
    for _ in range(_MAX_SCRIPTS_CUT):
        marker = scripts.new_marker()
        found, lost = _run_script(
            transport,
            scripts.first_round(marker, skipped),
            marker,
            is_wanted=lambda answer: scopes[answer.question] in {"phone", "user"},
        )
        for answer in found:
            answers.setdefault(answer.key, answer)
        if not found or not _was_too_much(lost):
            break
        skipped.update(one.question for one in found if scopes[one.question] == "phone" or _is_too_long(one))
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
    """Ask for the answers `keys` and yield those that arrive. Stops when the connection ends.

    What is not read because the phone sends too much is yielded as too long: the connection did not end.
    """
    marker = scripts.new_marker()
    missing = wanted = dict.fromkeys(keys)
    found: list[Answer] = []
    lost: ConnectionLost | None = None
    for _ in range(_MAX_SCRIPTS_CUT):
        for command in scripts.follow_up_rounds(marker, missing, max_bytes=transport.command_limit):
            on_round("later_round")
            found, lost = _run_script(transport, command, marker, is_wanted=lambda answer: answer.key in wanted)
            yield from found
            answered = {one.key for one in found}
            missing = dict.fromkeys(key for key in missing if key not in answered)
            if lost is not None:
                break
        if not found or not _was_too_much(lost):
            return
    too_long = coverage_message(_TOO_LONG_KEY, n=_MAX_SCRIPTS_CUT * MAX_SCRIPT_BYTES >> 20)
    yield from (missing_answer(key, AnswerState.UNREADABLE, too_long) for key in missing)


def _run_script(
    transport: Transport, command: Command, marker: str, is_wanted: Callable[[Answer], bool]
) -> tuple[list[Answer], ConnectionLost | None]:
    """Run a script; return the wanted ones among its answers, and why the connection ended if it did.

    Where the phone sent more than `MAX_SCRIPT_BYTES`, the answer that was not whole is left out, to be asked for again,
    unless it is too long by itself.
    """
    lost: ConnectionLost | None = None
    try:
        output = transport.run(command, limit=MAX_SCRIPT_BYTES).stdout
    except ConnectionLost as error:
        output, lost = error.partial, error
        # It would be kept as long as the error: here, and in the functions that its traceback names.
        lost.partial, lost.__cause__, lost.__context__, lost.__traceback__ = b"", None, None, None
    # A phone could send any number of answers.
    answers = list(itertools.islice(filter(is_wanted, split_answers(output, marker)), MAX_ANSWERS))
    if answers and _was_too_much(lost) and answers[-1].exit_code is None and not _is_too_long(answers[-1]):
        answers.pop()
    return answers, lost


def _was_too_much(lost: ConnectionLost | None) -> bool:
    """Return whether reading was stopped because of the length of the output; the connection still works then."""
    return lost is not None and lost.name == "too_much_output"


def _is_too_long(answer: Answer) -> bool:
    return answer.detail is not None and answer.detail.key == _TOO_LONG_KEY


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
                yield _make_answer(open_key, _cut(output, start, match.start()), None, complete=False)
            open_key, start = key, match.end()
        elif open_key == key:
            raw = _cut(output, start, match.start())
            if raw.endswith(b"\n"):  # the script itself ends each answer with a line feed
                raw = raw[:-1] if is_binary_answer(key, raw) else raw[:-1].rstrip(b"\r")
            yield _make_answer(key, raw, int(match[3]) if match[3] else None, complete=match[3] is not None)
            open_key = None
    if open_key is not None:
        raw = _cut(output, start, len(output))
        last_line = raw.rpartition(b"\n")[2]
        if last_line.startswith(marker.encode()) or marker.encode().startswith(last_line):
            raw = raw[: len(raw) - len(last_line)]  # a truncated marker line is ours, not output of the command
        yield _make_answer(open_key, raw, None, complete=False)


def _cut(output: bytes, start: int, end: int) -> bytes:
    """Return an answer, or so much of it that `_make_answer` sees that it is too long."""
    return output[start : min(end, start + MAX_ANSWER_BYTES + 2)]


def _make_answer(key: str, raw: bytes, exit_code: int | None, *, complete: bool) -> Answer:
    if len(raw) <= MAX_ANSWER_BYTES:
        return redact(classify_answer(key, raw, exit_code=exit_code, complete=complete))
    beginning = raw[: raw.rfind(b"\n", 0, MAX_ANSWER_BYTES) + 1]
    answer = redact(classify_answer(key, beginning, exit_code=None, complete=False))
    too_long = coverage_message(_TOO_LONG_KEY, n=MAX_ANSWER_BYTES >> 20)
    return replace(answer, state=AnswerState.UNREADABLE, detail=too_long)
