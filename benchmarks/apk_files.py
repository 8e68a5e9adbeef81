"""APKs as large as real ones, made from those of the demo; the same in every run."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterable

from privaudit.apk.parts import ARSC, MANIFEST

SEED = 20260110
STORED, DEFLATED = 0, 8


def pad(table: bytes, size: int, dice: random.Random) -> bytes:
    """A resource table of about `size` bytes: further texts behind the pool's own, and types behind the package's."""
    filler = struct.pack("<HHI", 0x7FFF, 8, size) + dice.randbytes(size - 8)
    kind, head, total, packages = struct.unpack_from("<HHII", table)
    return struct.pack("<HHII", kind, head, total + len(filler), packages) + table[12:] + filler


def packed(content: bytes) -> bytes:
    """Content as a zip file holds it."""
    return zlib.compress(content, 9, -15)


def assembled(rows: Iterable[tuple[str, bytes, bytes]], block: bytes) -> bytes:
    """An APK of files, each with its name, its content and what is stored of it, and with a signing block."""
    body, directory, count = bytearray(), bytearray(), 0
    for count, (name, content, stored) in enumerate(rows, 1):  # noqa: B007 - told after the last
        raw, method = name.encode(), STORED if stored is content else DEFLATED
        numbers = (method, 0, 33, zlib.crc32(content), len(stored), len(content), len(raw))
        directory += struct.pack("<4s3H3H3I5H2I", b"PK\1\2", 20, 20, 0, *numbers, 0, 0, 0, 0, 0, len(body)) + raw
        body += struct.pack("<4sHH3H3I2H", b"PK\3\4", 20, 0, *numbers, 0) + raw + stored
    body += block
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory) + end


def grown(content: bytes, *, table: int, files: int, size: int, called: tuple[str, str] | None = None) -> bytes:
    """A demo APK grown to what real ones are like: a table of `table` bytes, so many `build_files`, `size` bytes in all.

    `item_title`: its package, and another one of the same length that it shall be.
    """
    dice = random.Random(SEED)  # noqa: S311 - the same in every run
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if called is not None:
        was, becomes = (name.encode("utf-16-le") for name in called)
        assert len(was) == len(becomes)
        assert was in parts[MANIFEST]
        parts[MANIFEST] = parts[MANIFEST].replace(was, becomes)
    arsc, code = pad(parts[ARSC], table, dice), bytes(max(0, size - table - files * 130))
    rows = [(MANIFEST, parts[MANIFEST], packed(parts[MANIFEST])), ("classes.dex", code, code)]
    rows += [(f"res/drawable-xxhdpi-v4/picture_{number:05}.png", b"", b"") for number in range(files)]
    rows += [(ARSC, arsc, arsc)]
    return assembled(rows, signing_block(content))


def signing_block(content: bytes) -> bytes:
    """The signing block of a signed APK."""
    (directory,) = struct.unpack_from("<I", content, len(content) - 6)
    (size,) = struct.unpack_from("<Q", content, directory - 24)
    return content[directory - size - 8 : directory]
