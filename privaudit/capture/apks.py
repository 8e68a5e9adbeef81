"""What is read of the APKs on a phone: a few parts of each, in at most four round trips for many of them together.

First their sizes; then the last blocks, where the end record is; then the rest of the central directory; then the manifest,
the resource table and, where certificates are wanted, the signing block and the old signature files.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeAlias

from privaudit.capture import ranges, zips
from privaudit.capture.apk_parts import ARSC, MANIFEST, SIGNING_BLOCK, Apk, Part
from privaudit.capture.apk_problems import ApkError, problem
from privaudit.capture.questions import BLOCK, Blocks, is_apk_path
from privaudit.capture.ranges import RangeFile
from privaudit.errors import ConnectionLost
from privaudit.model import AnswerState, Message
from privaudit.transport import Transport

SECONDS: Final = 120.0
"""Longest time for the names of apps that nothing is suspected of."""
GROUP: Final = 50
"""APKs read together: enough that round trips do not count, few enough that names come soon and memory stays small."""
LARGEST: Final[Mapping[str, int]] = {MANIFEST: 4 << 20, ARSC: 64 << 20}
"""Bytes of an entry, packed or unpacked. The largest real ones known are a tenth of it."""

_LARGEST_SIGNATURE: Final = 1 << 20
_LARGEST_SIGNING_BLOCK: Final = 2 << 20
_USUAL_SIGNING_BLOCK: Final = 2 * BLOCK
"""apksigner pads the block to whole pages of 4 KB; most have one or two."""
_SIGNING_FOOTER: Final = 24
_SIGNING_MAGIC: Final = b"APK Sig Block 42"
_SIGNATURE = re.compile(rb"META-INF/[^/]+\.(?:RSA|DSA|EC)\Z", re.IGNORECASE)
_MOST_SIGNATURES: Final = 10
_TAIL_SHARE: Final = 100
"""A directory has about a hundredth of its file's bytes."""
_LARGEST_FIRST_TAIL: Final = 64 * 1024
_EXTRA: Final = 64
"""Room for padding in a local header that the directory does not tell of (zipalign adds up to 3 bytes)."""

_Ranges: TypeAlias = list[tuple[int, int]]


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
        One `Apk` for each wanted, as soon as it is read. Where the connection ends, the rest comes as not asked. Whoever
        takes them should let go of each (`privaudit.facts.apk.thin`): they hold whole resource tables.
    """
    until = clock() + seconds
    total, done = len(first) + len(then), 0
    why: Message | None = None
    for may_wait, group in (*_groups(first, may_wait=False), *_groups(then, may_wait=True)):
        if why is None and may_wait and clock() >= until:
            why = problem("no_time")
        rest = dict(enumerate(group))
        try:
            if why is None:
                for number, apk in _group(transport, group):
                    del rest[number]
                    yield apk
        except ConnectionLost:
            why = problem("cut")
        for wanted in rest.values():
            yield _missing(wanted, AnswerState.NOT_ASKED, why or problem("cut"))
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
    known = ranges.sizes(transport, list(dict.fromkeys(one.path for one in wanted if is_apk_path(one.path))))
    readers: dict[int, _Reader] = {}
    for number, one in enumerate(wanted):
        if one.path in known:
            readers[number] = _Reader(one, RangeFile(one.path, min(known[one.path], ranges.LARGEST_FILE)))
        else:
            name = "cannot_open" if is_apk_path(one.path) else "path_unusual"
            yield number, _missing(one, AnswerState.UNREADABLE, problem(name))
    with ThreadPoolExecutor(1, thread_name_prefix="apks") as pool:
        # While one batch is parsed, the next one is under way.
        flying: Mapping[int, list[Blocks]] = {}
        arrival: Future[None] | None = None
        while readers:
            chosen = _next({number: reader for number, reader in readers.items() if number not in flying})
            coming = pool.submit(
                ranges.fetch, transport, [(readers[number].file, blocks) for number, blocks in chosen.items()]
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
        if chosen and size > ranges.ROUND_BYTES:
            break
        chosen[number] = blocks
    return chosen


class _Reader:
    """Reads one APK, step by step."""

    def __init__(self, wanted: Wanted, file: RangeFile) -> None:
        self._wanted = wanted
        self.file = file
        self._steps = _parts(file, certificates=wanted.certificates)
        self._ranges: _Ranges = next(self._steps)

    def lacks(self) -> list[Blocks]:
        return [blocks for start, end in _merged(self._ranges) for blocks in self.file.lacks(start, end)]

    def go_on(self) -> Apk | None:
        """Take the next steps, until one needs bytes that are not there; the APK once there is none."""
        while True:
            try:
                self._ranges = next(self._steps)
            except StopIteration as stop:
                parts, problems = stop.value
                return self._apk(AnswerState.ANSWERED, None, parts, problems)
            except ApkError as error:
                return self._apk(AnswerState.UNREADABLE, error.message, {}, {})
            except LookupError:  # asked for and not given: the file has changed or cannot be read
                return self._apk(AnswerState.UNREADABLE, problem("cannot_open"), {}, {})
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


def _merged(wanted: _Ranges) -> _Ranges:
    """`wanted` in order, with ranges that share or touch a block made one."""
    merged: _Ranges = []
    for start, end in sorted((start // BLOCK * BLOCK, -(-end // BLOCK) * BLOCK) for start, end in wanted):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _parts(
    file: RangeFile, *, certificates: bool
) -> Generator[_Ranges, None, tuple[Mapping[str, Part], Mapping[str, Message]]]:
    """The steps of reading one APK: yields what must be there before it goes on; gives parts and problems by name."""
    guess = min(max(file.size // _TAIL_SHARE, BLOCK), _LARGEST_FIRST_TAIL)
    yield [(file.size - guess, file.size)]
    end = zips.find_end(file.bytes_at(file.size - guess, file.size), file.size)
    if end is None:
        yield [(file.size - zips.LONGEST_TAIL, file.size)]
        end = zips.find_end(file.bytes_at(file.size - zips.LONGEST_TAIL, file.size), file.size)
    if end is None:
        raise ApkError("not_zip")
    before = min(end.directory, _USUAL_SIGNING_BLOCK) if certificates else 0
    yield [(end.directory - before, end.directory + end.size)]
    entries = zips.entries(file.bytes_at(end.directory, end.directory + end.size), end)
    problems: dict[str, Message] = {}
    wishes: _Ranges = []
    block = None
    if certificates:
        try:
            block = _signing_block(file, end)
        except ApkError as error:
            problems[SIGNING_BLOCK] = error.message
        if block is not None:
            wishes.append((block, end.directory))
    chosen = list(_chosen(entries, problems, certificates=certificates))
    for entry in chosen:
        room = zips.LOCAL_SIZE + len(entry.name) + entry.stored_size + _EXTRA
        wishes.append((entry.header, min(entry.header + room, end.directory)))
    yield wishes
    yield [_exact(file, entry, end) for entry in chosen]
    parts: dict[str, Part] = {}
    for entry in chosen:
        name = entry.name.decode("utf-8", "replace")
        try:
            parts[name] = _part(file, entry, end)
        except ApkError as error:
            problems[name] = error.message
    if block is not None:
        parts[SIGNING_BLOCK] = Part.whole(file.bytes_at(block, end.directory))
    return parts, problems


def _chosen(entries: zips.Directory, problems: dict[str, Message], *, certificates: bool) -> Iterator[zips.Entry]:
    for part, largest in LARGEST.items():
        entry = entries.get(part.encode())
        if entry is None:
            problems[part] = problem("entry_missing", entry=part)
        elif max(entry.size, entry.packed) > largest:
            problems[part] = problem("entry_too_large", entry=part)
        else:
            yield entry
    signatures = [name for name in entries.names() if _SIGNATURE.match(name)] if certificates else []
    for name in signatures[:_MOST_SIGNATURES]:
        entry = entries.get(name)
        if entry is not None and max(entry.size, entry.packed) <= _LARGEST_SIGNATURE:
            yield entry


def _signing_block(file: RangeFile, end: zips.End) -> int | None:
    """Where the APK signing block begins: right before the directory, its size in front and behind (AOSP: APK v2 format)."""
    footer = file.bytes_at(end.directory - _SIGNING_FOOTER, end.directory)
    if len(footer) < _SIGNING_FOOTER or not footer.endswith(_SIGNING_MAGIC):
        return None
    size = int.from_bytes(footer[:8], "little")
    start = end.directory - size - 8
    if size < _SIGNING_FOOTER or start < 0 or size > _LARGEST_SIGNING_BLOCK:
        raise ApkError("signing_damaged")
    return start


def _exact(file: RangeFile, entry: zips.Entry, end: zips.End) -> tuple[int, int]:
    """Where the bytes of `entry` really end: a local header may be longer than expected."""
    local = file.bytes_at(entry.header, min(entry.header + zips.LOCAL_SIZE + len(entry.name), end.directory))
    try:
        start = zips.data_offset(local, entry, end)
    except ApkError:
        return entry.header, entry.header  # said when its content is taken
    return start, start + entry.stored_size


def _part(file: RangeFile, entry: zips.Entry, end: zips.End) -> Part:
    local = file.bytes_at(entry.header, min(entry.header + zips.LOCAL_SIZE + len(entry.name), end.directory))
    start = zips.data_offset(local, entry, end)
    return Part.whole(zips.unpack(file.bytes_at(start, start + entry.stored_size), entry))
