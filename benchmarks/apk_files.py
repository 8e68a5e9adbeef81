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


def enlarge_apk(
    apk: bytes, *, table_bytes: int, files: int, total_bytes: int, rename: tuple[str, str] | None = None
) -> bytes:
    """Enlarge a demo APK to what real ones are like.

    Args:
        apk: The APK.
        table_bytes: Size of its resource table.
        files: Number of resource files, each empty.
        total_bytes: Size of the whole APK.
        rename: Its package, and another package name of the same length to replace it.
    """
    rng = random.Random(SEED)  # noqa: S311 - the same in every run
    with zipfile.ZipFile(io.BytesIO(apk)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    manifest = entries[MANIFEST]
    if rename is not None:
        old, new = (name.encode("utf-16-le") for name in rename)
        assert len(old) == len(new)
        assert old in manifest
        manifest = manifest.replace(old, new)
    table, code = pad_table(entries[ARSC], table_bytes, rng), bytes(max(0, total_bytes - table_bytes - files * 130))
    rows = [(MANIFEST, manifest, deflate(manifest)), ("classes.dex", code, code)]
    rows += [(f"res/drawable-xxhdpi-v4/picture_{number:05}.png", b"", b"") for number in range(files)]
    rows += [(ARSC, table, table)]
    return build_apk(rows, signing_block_of(apk))


def build_apk(entries: Iterable[tuple[str, bytes, bytes]], signing_block: bytes) -> bytes:
    """Build an APK.

    Args:
        entries: Name, content, and the content as it is stored (the same object: uncompressed) of each file.
        signing_block: Placed before the central directory.
    """
    body, directory, count = bytearray(), bytearray(), 0
    for count, (name, content, stored) in enumerate(entries, 1):  # noqa: B007 - used after the loop
        raw_name, method = name.encode(), STORED if stored is content else DEFLATED
        fields = (method, 0, 33, zlib.crc32(content), len(stored), len(content), len(raw_name))
        directory += struct.pack("<4s3H3H3I5H2I", b"PK\1\2", 20, 20, 0, *fields, 0, 0, 0, 0, 0, len(body)) + raw_name
        body += struct.pack("<4sHH3H3I2H", b"PK\3\4", 20, 0, *fields, 0) + raw_name + stored
    body += signing_block
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory) + end


def deflate(content: bytes) -> bytes:
    """Return content as a zip file holds it."""
    return zlib.compress(content, 9, -15)


def pad_table(table: bytes, size: int, rng: random.Random) -> bytes:
    """Enlarge a resource table by `size` bytes of random data: a chunk of unknown type before its own chunks."""
    filler = struct.pack("<HHI", 0x7FFF, 8, size) + rng.randbytes(size - 8)
    kind, header_size, total, packages = struct.unpack_from("<HHII", table)
    return struct.pack("<HHII", kind, header_size, total + len(filler), packages) + table[12:] + filler


def signing_block_of(apk: bytes) -> bytes:
    """Return the signing block of a signed APK."""
    (directory,) = struct.unpack_from("<I", apk, len(apk) - 6)
    (size,) = struct.unpack_from("<Q", apk, directory - 24)
    return apk[directory - size - 8 : directory]
