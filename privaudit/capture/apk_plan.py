"""How one APK is read: which bytes of it are wanted, step by step, each step knowing what the ones before brought.

The same steps read an APK on a phone, where bytes come in round trips (`apks`), and one in a file (`privaudit.vetting`).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Final, Protocol, TypeAlias

from privaudit.apk import zip_reader
from privaudit.apk.apk_problems import ApkError, problem
from privaudit.apk.parts import ARSC, MANIFEST, SIGNING_BLOCK, Part
from privaudit.capture.questions import BLOCK
from privaudit.model import Message

LARGEST: Final[Mapping[str, int]] = {MANIFEST: 2 << 20, ARSC: 64 << 20}
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

Ranges: TypeAlias = list[tuple[int, int]]
"""Where bytes begin and end, in the file."""


class Bytes(Protocol):
    """A file of which parts can be read."""

    @property
    def size(self) -> int:
        """Of the file, in bytes."""

    def bytes_at(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end`, no further than the end of the file.

        Raises:
            LookupError: they were asked for and did not come.
        """


def merged(wanted: Ranges) -> Ranges:
    """`wanted` in order, with ranges that share or touch a block made one."""
    joined: Ranges = []
    for start, end in sorted((start // BLOCK * BLOCK, -(-end // BLOCK) * BLOCK) for start, end in wanted):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def parts(
    file: Bytes, *, certificates: bool
) -> Generator[Ranges, None, tuple[Mapping[str, Part], Mapping[str, Message]]]:
    """The steps of reading one APK: yields what must be there before it goes on; gives parts and problems by name.

    Raises:
        ApkError: nothing of it can be read.
        LookupError: what was asked for did not come.
    """
    end, entries = yield from outline(file, before=_USUAL_SIGNING_BLOCK if certificates else 0)
    return (yield from contents(file, end, entries, certificates=certificates))


def outline(file: Bytes, *, before: int = 0) -> Generator[Ranges, None, tuple[zip_reader.End, zip_reader.Directory]]:
    """The steps to the central directory; with it, so many bytes `before` it are asked for.

    Raises:
        ApkError: it is no zip, or one that Android would not take.
        LookupError: what was asked for did not come.
    """
    guess = min(max(file.size // _TAIL_SHARE, BLOCK), _LARGEST_FIRST_TAIL)
    yield [(file.size - guess, file.size)]
    end = zip_reader.find_end(file.bytes_at(file.size - guess, file.size), file.size)
    if end is None:
        yield [(file.size - zip_reader.LONGEST_TAIL, file.size)]
        end = zip_reader.find_end(file.bytes_at(file.size - zip_reader.LONGEST_TAIL, file.size), file.size)
    if end is None:
        raise ApkError("apk.not_zip")
    yield [(max(0, end.directory - before), end.directory + end.size)]
    return end, zip_reader.entries(file.bytes_at(end.directory, end.directory + end.size), end)


def contents(
    file: Bytes, end: zip_reader.End, entries: zip_reader.Directory, *, certificates: bool
) -> Generator[Ranges, None, tuple[Mapping[str, Part], Mapping[str, Message]]]:
    """The steps from the central directory to the parts.

    Raises:
        LookupError: what was asked for did not come.
    """
    problems: dict[str, Message] = {}
    wishes: Ranges = []
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
        room = zip_reader.LOCAL_SIZE + len(entry.name) + entry.stored_size + _EXTRA
        wishes.append((entry.header, min(entry.header + room, end.directory)))
    yield wishes
    yield [_exact(file, entry, end) for entry in chosen]
    found: dict[str, Part] = {}
    for entry in chosen:
        name = entry.name.decode("utf-8", "replace")
        try:
            found[name] = Part.whole(content(file, entry, end))
        except ApkError as error:
            problems[name] = error.message
    if block is not None:
        found[SIGNING_BLOCK] = Part.whole(file.bytes_at(block, end.directory))
    return found, problems


def _chosen(
    entries: zip_reader.Directory, problems: dict[str, Message], *, certificates: bool
) -> Iterator[zip_reader.Entry]:
    for part, largest in LARGEST.items():
        entry = entries.get(part.encode())
        if entry is None:
            problems[part] = problem("apk.entry_missing", entry=part)
        elif max(entry.size, entry.packed) > largest:
            problems[part] = problem("apk.entry_too_large", entry=part)
        else:
            yield entry
    signatures = [name for name in entries.names() if _SIGNATURE.match(name)] if certificates else []
    for name in signatures[:_MOST_SIGNATURES]:
        entry = entries.get(name)
        if entry is not None and max(entry.size, entry.packed) <= _LARGEST_SIGNATURE:
            yield entry


def _signing_block(file: Bytes, end: zip_reader.End) -> int | None:
    """Where the APK signing block begins: right before the directory, its size in front of it and at its end."""
    footer = file.bytes_at(end.directory - _SIGNING_FOOTER, end.directory)
    if len(footer) < _SIGNING_FOOTER or not footer.endswith(_SIGNING_MAGIC):
        return None
    size = int.from_bytes(footer[:8], "little")
    start = end.directory - size - 8
    if size < _SIGNING_FOOTER or start < 0 or size > _LARGEST_SIGNING_BLOCK:
        raise ApkError("apk.signing_damaged")
    return start


def _exact(file: Bytes, entry: zip_reader.Entry, end: zip_reader.End) -> tuple[int, int]:
    """Where the bytes of `entry` really end: a local header may be longer than expected."""
    local = file.bytes_at(entry.header, min(entry.header + zip_reader.LOCAL_SIZE + len(entry.name), end.directory))
    try:
        start = zip_reader.data_offset(local, entry, end)
    except ApkError:
        return entry.header, entry.header  # said when its content is taken
    return start, start + entry.stored_size


def content(file: Bytes, entry: zip_reader.Entry, end: zip_reader.End) -> bytes:
    """The content of an entry. Whoever asks has looked at its size.

    Raises:
        ApkError: it is damaged.
        LookupError: its bytes were not fetched.
    """
    local = file.bytes_at(entry.header, min(entry.header + zip_reader.LOCAL_SIZE + len(entry.name), end.directory))
    start = zip_reader.data_offset(local, entry, end)
    return zip_reader.unpack(file.bytes_at(start, start + entry.stored_size), entry)
