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

from privaudit.apk.parts import ApkError, ApkPart, ApkParts, apk_message
from privaudit.capture import remote_file
from privaudit.capture.apk_plan import ByteRanges, merge_ranges, plan_parts
from privaudit.capture.remote_file import RemoteFile
from privaudit.capture.scripts import BLOCK_BYTES, BlockRange, is_apk_path
from privaudit.errors import ConnectionLost
from privaudit.model import AnswerState, Message
from privaudit.transport.base import Transport

TIME_LIMIT_S: Final = 120.0
"""Longest time for the names of apps that nothing is suspected of."""
BATCH_SIZE: Final = 50
"""APKs read together: enough that round trips do not count, few enough that names come soon and memory stays small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkRequest:
    """One APK to read."""

    package: str
    path: str
    """Of the base APK, as ``pm list packages -f`` says it."""
    with_certificates: bool = False
    """Whether to read what it was signed with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProgress:
    """How far reading is."""

    done: int
    total: int


OnReadProgress: TypeAlias = Callable[[ReadProgress], None]


def read_apks(
    transport: Transport,
    priority: Sequence[ApkRequest],
    others: Sequence[ApkRequest] = (),
    *,
    time_limit_s: float = TIME_LIMIT_S,
    on_progress: OnReadProgress = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[ApkParts]:
    """Read the named parts of APKs, in this order as far as round trips allow.

    Args:
        transport: the phone.
        priority: read whatever time it takes: apps that findings are about, and candidates.
        others: read while `time_limit_s` last; the rest comes as not asked.
        time_limit_s: counted from the beginning.
        on_progress: told after each group.
        clock: seconds that pass.

    Yields:
        One `Apk` for each wanted, as soon as it is read. Where the connection ends, the rest comes as not asked.
        Whoever takes them should let go of each (`privaudit.apk.info.trim_resources`): they hold whole resource tables.
    """
    until = clock() + time_limit_s
    total, done = len(priority) + len(others), 0
    why: Message | None = None
    for may_wait, group in (*_batches(priority, deferrable=False), *_batches(others, deferrable=True)):
        if why is None and may_wait and clock() >= until:
            why = apk_message("apk.no_time")
        rest = dict(enumerate(group))
        try:
            if why is None:
                for number, apk in _read_batch(transport, group):
                    del rest[number]
                    yield apk
        except ConnectionLost:
            why = apk_message("apk.cut")
        for wanted in rest.values():
            yield _unread_apk(wanted, AnswerState.NOT_ASKED, why or apk_message("apk.cut"))
        done += len(group)
        on_progress(ReadProgress(done=done, total=total))


def _batches(requests: Sequence[ApkRequest], *, deferrable: bool) -> Iterator[tuple[bool, Sequence[ApkRequest]]]:
    for at in range(0, len(requests), BATCH_SIZE):
        yield deferrable, requests[at : at + BATCH_SIZE]


def _unread_apk(request: ApkRequest, state: AnswerState, reason: Message) -> ApkParts:
    return ApkParts(package=request.package, path=request.path, state=state, detail=reason)


def _read_batch(transport: Transport, requests: Sequence[ApkRequest]) -> Iterator[tuple[int, ApkParts]]:
    """Read APKs side by side: each says what it wants next, and that is asked for together; gives place and APK.

    Raises:
        ConnectionLost: the connection ended.
    """
    known = remote_file.fetch_file_sizes(
        transport, list(dict.fromkeys(one.path for one in requests if is_apk_path(one.path)))
    )
    readers: dict[int, _ApkReader] = {}
    for number, one in enumerate(requests):
        if one.path in known:
            readers[number] = _ApkReader(
                one, RemoteFile(one.path, min(known[one.path], remote_file.MAX_REMOTE_FILE_BYTES))
            )
        else:
            name = "apk.cannot_open" if is_apk_path(one.path) else "apk.path_unusual"
            yield number, _unread_apk(one, AnswerState.UNREADABLE, apk_message(name))
    with ThreadPoolExecutor(1, thread_name_prefix="apks") as pool:
        # While one batch is parsed, the next one is under way.
        flying: Mapping[int, list[BlockRange]] = {}
        arrival: Future[None] | None = None
        while readers:
            chosen = _next_round({number: reader for number, reader in readers.items() if number not in flying})
            coming = pool.submit(
                remote_file.fetch_blocks,
                transport,
                [(readers[number].file, blocks) for number, blocks in chosen.items()],
            )
            if arrival is not None:
                arrival.result()
            for number in flying:
                if (apk := readers[number].advance()) is not None:
                    del readers[number]
                    yield number, apk
            flying, arrival = chosen, coming


def _next_round(readers: Mapping[int, _ApkReader]) -> Mapping[int, list[BlockRange]]:
    """Whose wishes make the next round trip: the first ones, as many as fit into memory together."""
    chosen: dict[int, list[BlockRange]] = {}
    size = 0
    for number, reader in readers.items():
        blocks = reader.missing_blocks()
        size += BLOCK_BYTES * sum(one.block_count for one in blocks)
        if chosen and size > remote_file.MAX_ROUND_BYTES:
            break
        chosen[number] = blocks
    return chosen


class _ApkReader:
    """Reads one APK, step by step."""

    def __init__(self, request: ApkRequest, file: RemoteFile) -> None:
        self._request = request
        self.file = file
        self._plan = plan_parts(file, with_certificates=request.with_certificates)
        self._needed_ranges: ByteRanges = next(self._plan)

    def missing_blocks(self) -> list[BlockRange]:
        return [
            blocks
            for start, end in merge_ranges(self._needed_ranges)
            for blocks in self.file.missing_blocks(start, end)
        ]

    def advance(self) -> ApkParts | None:
        """Take the next steps, until one needs bytes that are not there; the APK once there is none."""
        while True:
            try:
                self._needed_ranges = next(self._plan)
            except StopIteration as stop:
                return self._build_apk(AnswerState.ANSWERED, None, *stop.value)
            except ApkError as error:
                return self._build_apk(AnswerState.UNREADABLE, error.message, {}, {})
            except LookupError:  # asked for and not given: the file has changed or cannot be read
                return self._build_apk(AnswerState.UNREADABLE, apk_message("apk.cannot_open"), {}, {})
            if self.missing_blocks():
                return None

    def _build_apk(
        self, state: AnswerState, reason: Message | None, parts: Mapping[str, ApkPart], problems: Mapping[str, Message]
    ) -> ApkParts:
        return ApkParts(
            package=self._request.package,
            path=self._request.path,
            state=state,
            detail=reason,
            size=self.file.size,
            parts=parts,
            problems=problems,
        )
