"""Answers of a phone, one per question, and the state of each.

Live answers, bug reports and text files all pass through `classify_answer`, so that the same output always gets the
same state.
"""

import re
from dataclasses import dataclass

from privaudit.capture.questions import QUESTIONS_BY_NAME
from privaudit.model import AnswerState, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer. `text` may have content even if `state` is not ``ANSWERED``."""

    key: str
    """``NAME``, ``NAME.USER`` or ``package.PACKAGE``; see `privaudit.capture.questions`."""
    state: AnswerState
    text: str = ""
    """Lines end in LF, whatever the phone used."""
    data: bytes = b""
    """The answer to a question with a binary answer, byte for byte. Its `text` is then empty, unless it is an error."""
    detail: Message | None = None
    exit_code: int | None = None
    translated_from: str | None = None
    """The source format if `text` was converted; ``None``: `text` is verbatim, except for redactions."""

    @property
    def question(self) -> str:
        """Name of the question."""
        return self.key.partition(".")[0]

    @property
    def subject(self) -> str | None:
        """The Android user or the package of a per-user or per-package question."""
        return self.key.partition(".")[2] or None

    @property
    def user(self) -> int | None:
        """The Android user of a question about a user, or about one of its packages."""
        is_per_user = QUESTIONS_BY_NAME[self.question].scope in {"user", "user_package"}
        return int(self.key.split(".")[1]) if is_per_user else None


def coverage_message(key: str, **values: str | int) -> Message:
    """Return a `Message` that says why an answer is missing or incomplete."""
    return Message(key=key, values=values)


def decode_output(raw: bytes) -> tuple[str, Message | None]:
    """Return the text of an answer, and its defect if it has one.

    Windows PowerShell saves redirected output as UTF-16 with a byte order mark; Android 6 ends lines in CRLF.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text, problem = raw.decode("utf-16"), None
        except UnicodeDecodeError:
            return "", coverage_message("coverage.binary")
    elif b"\0" in raw:
        return "", coverage_message("coverage.binary")
    else:
        text = raw.decode("utf-8-sig", errors="replace")
        # The output may contain a genuine U+FFFD, encoded in these three bytes.
        undecodable = 0 if text.isascii() else text.count("\ufffd") - raw.count(b"\xef\xbf\xbd")
        problem = coverage_message("coverage.encoding", n=undecodable) if undecodable else None
    return (re.sub("\r+\n", "\n", text) if "\r" in text else text), problem


_PERMISSION_DENIED = re.compile(
    r"^(?:(?:Error: |Operation not allowed: )?(?:java\.lang\.)?SecurityException\b.*|Security exception: .*"
    r"|Permission Denial\b.*|(?:Error: )?\S.* does not have permission to access user.*)$",
    re.MULTILINE,
)
_UNSUPPORTED = re.compile(
    r"^(?:Can't find service:? .*|Error: [Uu]nknown (?:command|option).*|Unknown command:? .*"
    r"|.*: (?:inaccessible or )?not found|.*: No such file or directory)$",
    re.MULTILINE,
)
_DUMP_TIMEOUT = re.compile(r"^\*\*\* SERVICE '[^']*' DUMP TIMEOUT \(.*EXPIRED \*\*\*$", re.MULTILINE)
_DUMP_FAILED = re.compile(
    r"^(?:Error dumping service|Error with service|Failure while dumping service)\b.*$", re.MULTILINE
)
"""Printed by ``dumpsys`` when the service died during its dump (``frameworks/native/cmds/dumpsys``)."""
_MAX_ERROR_CHARS = 4096
"""An error is the only output; the same text inside a long dump is data of an app."""
_PRINTABLE_BYTES = bytes((*b"\t\r\n", *range(0x20, 0x7F)))
_EXIT_NOT_FOUND = 127


def classify_answer(key: str, raw: bytes, *, exit_code: int | None, complete: bool = True) -> Answer:
    """Return an `Answer` for the output `raw` of a command; not `complete` if the connection ended before its end."""
    is_binary = is_binary_answer(key, raw)
    # A time-out of ``dumpsys`` is reported behind the bytes of the answer.
    text, problem = (raw[-_MAX_ERROR_CHARS:].decode("ascii", "ignore"), None) if is_binary else decode_output(raw)
    state = AnswerState.ANSWERED
    error = text.strip() if len(text) <= _MAX_ERROR_CHARS and not is_binary else ""
    if problem is not None:
        state = AnswerState.UNREADABLE
    elif not complete:
        state = AnswerState.UNREADABLE if text.strip() else AnswerState.NOT_ASKED
        problem = coverage_message("coverage.cut")
    elif match := _DUMP_TIMEOUT.search(text, max(0, len(text) - _MAX_ERROR_CHARS)):
        state, problem = AnswerState.TIMED_OUT, coverage_message("coverage.phone_said", said=match[0])
    elif error and (match := _PERMISSION_DENIED.search(error)):
        state, problem = AnswerState.REFUSED, coverage_message("coverage.phone_said", said=match[0])
    elif match := _DUMP_FAILED.search(text, max(0, len(text) - _MAX_ERROR_CHARS)):
        state, problem = AnswerState.UNREADABLE, coverage_message("coverage.phone_said", said=match[0])
    # dumpsys exits with 0 even for an unknown service: then the error is its only output.
    elif error and (match := _UNSUPPORTED.search(error) if exit_code != 0 else _UNSUPPORTED.fullmatch(error)):
        state, problem = AnswerState.NOT_SUPPORTED, coverage_message("coverage.phone_said", said=match[0])
    elif not raw.strip() and not QUESTIONS_BY_NAME[key.partition(".")[0]].may_be_empty:
        state, problem = AnswerState.UNREADABLE, coverage_message("coverage.empty")
    elif exit_code not in {0, None}:
        state = AnswerState.NOT_SUPPORTED if exit_code == _EXIT_NOT_FOUND else AnswerState.UNREADABLE
        problem = coverage_message("coverage.exit_code", code=exit_code or 0)
    if is_binary:
        return Answer(key=key, state=state, data=raw, detail=problem, exit_code=exit_code)
    return Answer(key=key, state=state, text=text, detail=problem, exit_code=exit_code)


def is_binary_answer(key: str, raw: bytes) -> bool:
    """Return whether `raw` is the answer to a question with a binary answer, not a few lines about an error."""
    is_error_text = len(raw) <= _MAX_ERROR_CHARS and raw.translate(None, _PRINTABLE_BYTES) == b""
    return QUESTIONS_BY_NAME[key.partition(".")[0]].is_binary and not is_error_text


def missing_answer(key: str, state: AnswerState = AnswerState.NOT_ASKED, reason: Message | None = None) -> Answer:
    """Return an answer without text."""
    return Answer(key=key, state=state, detail=reason)
