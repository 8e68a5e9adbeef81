"""What is read of the APKs on a phone: a few parts of each, in at most four round trips for many of them together.

First their sizes; then the last blocks, where the end record is; then the rest of the central directory; then the
manifest, the resource table and, where certificates are wanted, the signing block and the old signature files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeAlias

from privaudit.apk.apk_problems import ApkError, problem
from privaudit.apk.parts import Apk, Part
from privaudit.capture import remote_file
from privaudit.capture.apk_plan import Ranges, merged, parts
from privaudit.capture.questions import BLOCK, Blocks, is_apk_path
from privaudit.capture.remote_file import RangeFile
from privaudit.errors import ConnectionLost
from privaudit.model import AnswerState, Message
from privaudit.transport import Transport

SECONDS: Final = 120.0
"""Longest time for the names of apps that nothing is suspected of."""
GROUP: Final = 50
"""APKs read together: enough that round trips do not count, few enough that names come soon and memory stays small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One APK to read."""

    package: str
    path: str
    """Of the base APK, as ``pm list packages -f`` says it."""
    certificates: bool = False
    """Whether to read what it was signed with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far reading is."""

    done: int
    total: int


Progress: TypeAlias = Callable[[Reading], None]


def read(
    transport: Transport,
    first: Sequence[Wanted],
    then: Sequence[Wanted] = (),
    *,
    seconds: float = SECONDS,
    progress: Progress = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Apk]:
    """Read the named parts of APKs, in this order as far as round trips allow.

    Args:
        transport: the phone.
        first: read whatever time it takes: apps that findings are about, and candidates.
        then: read while `seconds` last; the rest comes as not asked.
        seconds: counted from the beginning.
        progress: told after each group.
        clock: seconds that pass.

    Yields:
        One `Apk` for each wanted, as soon as it is read. Where the connection ends, the rest comes as not asked.
        Whoever takes them should let go of each (`privaudit.apk.info.thin`): they hold whole resource tables.
    """
    until = clock() + seconds
    total, done = len(first) + len(then), 0
    why: Message | None = None
    for may_wait, group in (*_groups(first, may_wait=False), *_groups(then, may_wait=True)):
        if why is None and may_wait and clock() >= until:
            why = problem("apk.no_time")
        rest = dict(enumerate(group))
        try:
            if why is None:
                for number, apk in _group(transport, group):
                    del rest[number]
                    yield apk
        except ConnectionLost:
            why = problem("apk.cut")
        for wanted in rest.values():
            yield _missing(wanted, AnswerState.NOT_ASKED, why or problem("apk.cut"))
        done += len(group)
        progress(Reading(done=done, total=total))


def _groups(wanted: Sequence[Wanted], *, may_wait: bool) -> Iterator[tuple[bool, Sequence[Wanted]]]:
    for at in range(0, len(wanted), GROUP):
        yield may_wait, wanted[at : at + GROUP]


def _missing(wanted: Wanted, state: AnswerState, why: Message) -> Apk:
    return Apk(package=wanted.package, path=wanted.path, state=state, detail=why)


def _group(transport: Transport, wanted: Sequence[Wanted]) -> Iterator[tuple[int, Apk]]:
    """Read APKs side by side: each says what it wants next, and that is asked for together; gives place and APK.

    Raises:
        ConnectionLost: the connection ended.
    """
    known = remote_file.sizes(transport, list(dict.fromkeys(one.path for one in wanted if is_apk_path(one.path))))
    readers: dict[int, _Reader] = {}
    for number, one in enumerate(wanted):
        if one.path in known:
            readers[number] = _Reader(one, RangeFile(one.path, min(known[one.path], remote_file.LARGEST_FILE)))
        else:
            name = "apk.cannot_open" if is_apk_path(one.path) else "apk.path_unusual"
            yield number, _missing(one, AnswerState.UNREADABLE, problem(name))
    with ThreadPoolExecutor(1, thread_name_prefix="apks") as pool:
        # While one batch is parsed, the next one is under way.
        flying: Mapping[int, list[Blocks]] = {}
        arrival: Future[None] | None = None
        while readers:
            chosen = _next({number: reader for number, reader in readers.items() if number not in flying})
            coming = pool.submit(
                remote_file.fetch, transport, [(readers[number].file, blocks) for number, blocks in chosen.items()]
            )
            if arrival is not None:
                arrival.result()
            for number in flying:
                if (apk := readers[number].go_on()) is not None:
                    del readers[number]
                    yield number, apk
            flying, arrival = chosen, coming


def _next(readers: Mapping[int, _Reader]) -> Mapping[int, list[Blocks]]:
    """Whose wishes make the next round trip: the first ones, as many as fit into memory together."""
    chosen: dict[int, list[Blocks]] = {}
    size = 0
    for number, reader in readers.items():
        blocks = reader.lacks()
        size += BLOCK * sum(one.count for one in blocks)
        if chosen and size > remote_file.ROUND_BYTES:
            break
        chosen[number] = blocks
    return chosen


class _Reader:
    """Reads one APK, step by step."""

    def __init__(self, wanted: Wanted, file: RangeFile) -> None:
        self._wanted = wanted
        self.file = file
        self._steps = parts(file, certificates=wanted.certificates)
        self._ranges: Ranges = next(self._steps)

    def lacks(self) -> list[Blocks]:
        return [blocks for start, end in merged(self._ranges) for blocks in self.file.lacks(start, end)]

    def go_on(self) -> Apk | None:
        """Take the next steps, until one needs bytes that are not there; the APK once there is none."""
        while True:
            try:
                self._ranges = next(self._steps)
            except StopIteration as stop:
                return self._apk(AnswerState.ANSWERED, None, *stop.value)
            except ApkError as error:
                return self._apk(AnswerState.UNREADABLE, error.message, {}, {})
            except LookupError:  # asked for and not given: the file has changed or cannot be read
                return self._apk(AnswerState.UNREADABLE, problem("apk.cannot_open"), {}, {})
            if self.lacks():
                return None

    def _apk(
        self, state: AnswerState, why: Message | None, parts: Mapping[str, Part], problems: Mapping[str, Message]
    ) -> Apk:
        return Apk(
            package=self._wanted.package,
            path=self._wanted.path,
            state=state,
            detail=why,
            size=self.file.size,
            parts=parts,
            problems=problems,
        )
