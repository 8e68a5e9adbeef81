"""Read an APK a second time, with androguard in a process of its own, and compare what both readers found.

Apps are made that show different readers different things. Which one is right is not decided here: a difference is a
gap in the document. A file that androguard cannot read, or not in time, only lacks the second reading.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from privaudit.apk.parts import ApkError
from privaudit.capture.apk_plan import RangeReadable
from privaudit.model import Message
from privaudit.vetting.document import Gap, ReaderDifference, ReadingPart, SecondReading, SecondReadingState

MAX_APK_BYTES: Final = 512 << 20
"""Bytes of an APK that is read again: androguard keeps all of it in memory."""
TIMEOUT_S: Final = 30.0
"""Seconds for one APK. The largest manifest that we read takes androguard two."""
MAX_ANSWER_BYTES: Final = 32 << 20
_MAX_VALUES: Final = 100
"""Values of one difference in the document."""
_MAX_NAMED_VALUES: Final = 5
"""Values of one difference in a sentence."""
_CHUNK_BYTES: Final = 1 << 20
_PARTS: Final[tuple[ReadingPart, ...]] = ("package", "permissions", "components", "signers")
_PROGRAM: Final = Path(__file__).with_name("androguard_process.py")


@dataclass(slots=True)
class _AndroguardProcess:
    """The process, which reads one APK after another."""

    popen: "subprocess.Popen[bytes]"
    started_by: int
    """A process that was forked from this one must not share the pipes."""

    def read(self, file: RangeReadable) -> Mapping[str, Sequence[str] | None] | SecondReadingState:
        timed_out = threading.Event()

        def stop() -> None:
            timed_out.set()
            self.popen.kill()

        timer = threading.Timer(TIMEOUT_S, stop)
        timer.start()
        try:
            answer = self._ask(file)
        finally:
            timer.cancel()
        if timed_out.is_set():
            return SecondReadingState.TOO_SLOW
        if not answer.endswith(b"\n"):
            return SecondReadingState.FAILED
        found: Mapping[str, Sequence[str] | None] | None = json.loads(answer)
        return SecondReadingState.FAILED if found is None else found

    def _ask(self, file: RangeReadable) -> bytes:
        """Return the answer, without its line feed if it ended early; raises ApkError if the file changed."""
        assert self.popen.stdin is not None  # noqa: S101 - opened below
        assert self.popen.stdout is not None  # noqa: S101
        try:
            self.popen.stdin.write(file.size.to_bytes(8, "little"))
            for offset in range(0, file.size, _CHUNK_BYTES):
                self.popen.stdin.write(file.bytes_at(offset, offset + _CHUNK_BYTES))
            self.popen.stdin.flush()
            return self.popen.stdout.readline(MAX_ANSWER_BYTES)
        except OSError:  # it died
            return b""

    def stop(self) -> None:
        self.popen.kill()
        with contextlib.suppress(OSError):
            self.popen.communicate()


_process: _AndroguardProcess | None = None
"""Started for the first APK, and kept: loading androguard takes longer than reading with it."""


def _running_process() -> _AndroguardProcess:
    global _process  # noqa: PLW0603 - the one process
    if _process is None or _process.started_by != os.getpid():
        # By its path, so that it loads nothing of privaudit; -P: not the modules beside it.
        command = [sys.executable, "-P", str(_PROGRAM)]
        pipe = subprocess.PIPE
        popen = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)  # noqa: S603 - no shell
        _process = _AndroguardProcess(popen, os.getpid())
    return _process


@atexit.register
def stop_process() -> None:
    """End the process of androguard, if this process has started one. The next APK starts another."""
    global _process  # noqa: PLW0603
    if _process is not None and _process.started_by == os.getpid():
        _process.stop()
    _process = None


def read_again(file: RangeReadable, found: Mapping[ReadingPart, frozenset[str] | None]) -> SecondReading:
    """Read the APK with androguard; return how that differs from `found`, our own reading (``None``: not read).

    Raises ApkError if the file changed.
    """
    reader = f"androguard {metadata.version('androguard')}"
    if file.size > MAX_APK_BYTES:
        return SecondReading(reader=reader, state=SecondReadingState.TOO_LARGE)
    try:
        answer = _running_process().read(file)
    except ApkError:
        stop_process()  # it waits for the rest of the file
        raise
    except (OSError, ValueError):  # it cannot be started; no JSON
        answer = SecondReadingState.FAILED
    if isinstance(answer, SecondReadingState):
        stop_process()
        return SecondReading(reader=reader, state=answer)
    compared = tuple(part for part in _PARTS if found[part] is not None and answer[part] is not None)
    differences = tuple(
        ReaderDifference(
            part=part,
            only_privaudit=tuple(sorted(ours - theirs)[:_MAX_VALUES]),
            only_second=tuple(sorted(theirs - ours)[:_MAX_VALUES]),
        )
        for part in compared
        if (ours := found[part] or frozenset()) != (theirs := frozenset(answer[part] or ()))
    )
    state = SecondReadingState.DIFFERENT if differences else SecondReadingState.SAME
    return SecondReading(reader=reader, state=state, compared=compared, differences=differences)


def describe_difference(difference: ReaderDifference) -> Gap:
    """Return the gap that a difference is."""
    values = {"privaudit": _name_values(difference.only_privaudit), "androguard": _name_values(difference.only_second)}
    return Gap(part=difference.part, why=Message(key="apk.readers_differ", values=values))


def _name_values(values: Sequence[str]) -> tuple[str, ...] | Message:
    if not values:
        return Message(key="apk.reader_found_nothing")
    return (*values[:_MAX_NAMED_VALUES], *(("…",) if len(values) > _MAX_NAMED_VALUES else ()))
