"""Read a few parts of the APKs on a phone: many APKs together, in at most four round trips.

First the file sizes; then the last blocks, which contain the end record; then the rest of the central directory; then
the manifest, the resource table and, if certificates are requested, the signing block and the v1 signature files.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from privaudit.apk.parts import ApkError, ApkParts, apk_message
from privaudit.capture import remote_file
from privaudit.capture.apk_plan import ByteRanges, plan_parts
from privaudit.capture.remote_file import RemoteFile
from privaudit.capture.scripts import BLOCK_BYTES, BlockRange, is_apk_path
from privaudit.errors import ConnectionLost
from privaudit.interruptible import future_result
from privaudit.model import AnswerState, Message
from privaudit.transport.base import Transport

TIME_LIMIT_S: Final = 120.0
"""Longest time for the labels of apps without findings."""
BATCH_SIZE: Final = 50
"""APKs read together: enough to hide the latency of round trips, few enough for early results and little memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkRequest:
    """An APK to read."""

    package: str
    path: str
    """Path of the base APK, as printed by ``pm list packages -f``."""
    with_certificates: bool = False
    """Whether to read its signatures too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProgress:
    """How many APKs were read."""

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
    """Yield parts of APKs, as soon as they are read: `priority` (apps with findings, and candidates), then `others`.

    Others are read until `time_limit_s` have passed since the start. The remaining ones, and after the end of the
    connection all, count as not asked. Callers should trim each (`privaudit.apk.info.trim_and_read_apk`): they contain
    complete resource tables.
    """
    deadline = clock() + time_limit_s
    total, done = len(priority) + len(others), 0
    stop_reason: Message | None = None
    batches = (
        (is_limited, requests[start : start + BATCH_SIZE])
        for is_limited, requests in ((False, priority), (True, others))
        for start in range(0, len(requests), BATCH_SIZE)
    )
    for is_limited, batch in batches:
        if stop_reason is None and is_limited and clock() >= deadline:
            stop_reason = apk_message("apk.no_time")
        unread = dict(enumerate(batch))
        try:
            if stop_reason is None:
                for index, apk in _read_batch(transport, batch):
                    del unread[index]
                    yield apk
        except ConnectionLost:
            stop_reason = apk_message("apk.cut")
        for request in unread.values():
            yield _unread_apk(request, AnswerState.NOT_ASKED, stop_reason or apk_message("apk.cut"))
        done += len(batch)
        on_progress(ReadProgress(done=done, total=total))


def _unread_apk(request: ApkRequest, state: AnswerState, reason: Message) -> ApkParts:
    return ApkParts(package=request.package, path=request.path, state=state, detail=reason)


class _ApkReader:
    """Executes the plan of one APK."""

    def __init__(self, request: ApkRequest, file: RemoteFile) -> None:
        self.file = file
        self._apk = ApkParts(package=request.package, path=request.path, state=AnswerState.ANSWERED, size=file.size)
        self._plan = plan_parts(file, with_certificates=request.with_certificates)
        self._needed_ranges: ByteRanges = next(self._plan)

    def missing_blocks(self) -> list[BlockRange]:
        return self.file.missing_blocks(*self._needed_ranges)

    def advance(self) -> ApkParts | None:
        """Execute the plan until it needs missing bytes, and return ``None``; or to its end, and return the APK."""
        while True:
            try:
                self._needed_ranges = next(self._plan)
            except StopIteration as stop:
                parts, problems = stop.value
                return replace(self._apk, parts=parts, problems=problems)
            except ApkError as error:
                return replace(self._apk, state=AnswerState.UNREADABLE, detail=error.message)
            except LookupError:  # requested bytes did not arrive: the file has changed or cannot be read
                return replace(self._apk, state=AnswerState.UNREADABLE, detail=apk_message("apk.cannot_open"))
            if self.missing_blocks():
                return None


def _read_batch(transport: Transport, requests: Sequence[ApkRequest]) -> Iterator[tuple[int, ApkParts]]:
    """Read APKs in parallel, their pending ranges together in each round trip; yield index and APK."""
    paths = dict.fromkeys(request.path for request in requests if is_apk_path(request.path))
    sizes = remote_file.fetch_file_sizes(transport, list(paths))
    readers: dict[int, _ApkReader] = {}
    for index, request in enumerate(requests):
        if request.path in sizes:
            size = min(sizes[request.path], remote_file.MAX_REMOTE_FILE_BYTES)
            readers[index] = _ApkReader(request, RemoteFile(request.path, size))
        else:
            key = "apk.cannot_open" if is_apk_path(request.path) else "apk.path_unusual"
            yield index, _unread_apk(request, AnswerState.UNREADABLE, apk_message(key))
    with _InlineExecutor() if sys.platform == "emscripten" else ThreadPoolExecutor(1, "apks") as pool:
        # One round trip is under way while the bytes of the previous one are parsed.
        in_flight: Mapping[int, list[BlockRange]] = {}
        transfer: Future[None] | None = None
        while readers:
            selected = _next_round({index: reader for index, reader in readers.items() if index not in in_flight})
            next_transfer = pool.submit(
                remote_file.fetch_blocks,
                transport,
                [(readers[index].file, blocks) for index, blocks in selected.items()],
            )
            if transfer is not None:
                future_result(transfer)
            for index in in_flight:
                if (apk := readers[index].advance()) is not None:
                    del readers[index]
                    yield index, apk
            in_flight, transfer = selected, next_transfer


class _InlineExecutor(Executor):
    """Runs each call before `submit` returns: a browser has no threads."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as every executor: the caller gets it from the future
            future.set_exception(error)
        return future


def _next_round(readers: Mapping[int, _ApkReader]) -> Mapping[int, list[BlockRange]]:
    """Choose the readers whose pending ranges fit into one round trip (`MAX_ROUND_BYTES`), in order."""
    selected: dict[int, list[BlockRange]] = {}
    size = 0
    for index, reader in readers.items():
        missing = reader.missing_blocks()
        size += BLOCK_BYTES * sum(blocks.block_count for blocks in missing)
        if selected and size > remote_file.MAX_ROUND_BYTES:
            break
        selected[index] = missing
    return selected
