"""The ``sync:`` service, read-only (AOSP: packages/modules/adb/SYNC.TXT, file_sync_protocol.h)."""

from __future__ import annotations

import errno
import posixpath
import stat
import struct
from collections.abc import Collection
from typing import Final

from privaudit.virtual_phone.adbd.wire import AdbStream
from privaudit.virtual_phone.file_tree import FileTree

_MAX_PATH_BYTES: Final = 1024
_MAX_DATA_BYTES: Final = 64 * 1024
_FILE_MTIME_S: Final = 1230768000
"""2009-01-01, as on the system partitions of phones."""
_FOLDER_SIZE_BYTES: Final = 4096

_REQUEST: Final = struct.Struct("<4sI")
_STAT: Final = struct.Struct("<4sIII")
_DENT: Final = struct.Struct("<4sIIII")
_STAT_V2: Final = struct.Struct("<4sIQQIIIIQqqq")
_DENT_V2: Final = struct.Struct("<4sIQQIIIIQqqqI")
_REQUIRED_FEATURE: Final = {b"STA2": "stat_v2", b"LST2": "stat_v2", b"LIS2": "ls_v2"}


class SyncService:
    """Answers the requests of one stream."""

    def __init__(self, stream: AdbStream, files: FileTree, features: Collection[str]) -> None:
        self._stream = stream
        self._files = files
        self._features = features
        self._buffer = bytearray()

    def serve(self) -> None:
        """Answer until the client quits or, with `StreamClosedError`, closes the stream."""
        while True:
            name, length = _REQUEST.unpack(self._read_exactly(_REQUEST.size))
            if name == b"QUIT":
                return None
            if length > _MAX_PATH_BYTES:
                return self._fail("path too long")
            path = self._read_exactly(length).decode("utf-8", "surrogateescape")
            if _REQUIRED_FEATURE.get(name, "") not in {"", *self._features}:
                return self._fail(f"unknown command {name!r}")
            match name:
                case b"STAT":
                    mode, size = self._stat(path) or (0, 0)
                    self._stream.write(_STAT.pack(name, mode, size, _FILE_MTIME_S if mode else 0))
                case b"STA2" | b"LST2":
                    self._stream.write(_STAT_V2.pack(name, *self._stat_v2(path)))
                case b"LIST" | b"LIS2":
                    self._list(name, path)
                case b"RECV":
                    self._receive(path)
                case b"SEND":
                    self._refuse_send()
                case _:
                    return self._fail(f"unknown command {name!r}")

    def _stat(self, path: str) -> tuple[int, int] | None:
        content = self._files.read(path)
        if content is not None:
            return stat.S_IFREG | 0o644, len(content)
        return (stat.S_IFDIR | 0o755, _FOLDER_SIZE_BYTES) if self._files.is_folder(path) else None

    def _stat_v2(self, path: str) -> tuple[int, ...]:
        """Return error, device, inode, mode, links, user, group, size, and three times."""
        stat_result = self._stat(path)
        if stat_result is None:
            return errno.ENOENT, *[0] * 10
        mode, size = stat_result
        return 0, 1, 1, mode, 1, 0, 0, size, *[_FILE_MTIME_S] * 3

    def _list(self, name: bytes, path: str) -> None:
        for child in self._files.children(path):
            child_path = posixpath.join(path, child)
            mode, size = self._stat(child_path) or (0, 0)
            raw = child.encode("utf-8", "surrogateescape")
            if name == b"LIST":
                head = _DENT.pack(b"DENT", mode, size, _FILE_MTIME_S, len(raw))
            else:
                head = _DENT_V2.pack(b"DNT2", *self._stat_v2(child_path), len(raw))
            self._stream.write(head + raw)
        end = _DENT if name == b"LIST" else _DENT_V2
        self._stream.write(b"DONE".ljust(end.size, b"\0"))

    def _receive(self, path: str) -> None:
        content = self._files.read(path)
        if content is None:
            problem = "Is a directory" if self._files.is_folder(path) else "No such file or directory"
            return self._fail(f"open failed: {problem}")
        for start in range(0, len(content), _MAX_DATA_BYTES):
            chunk = content[start : start + _MAX_DATA_BYTES]
            self._stream.write(_REQUEST.pack(b"DATA", len(chunk)) + chunk)
        return self._stream.write(_REQUEST.pack(b"DONE", 0))

    def _refuse_send(self) -> None:
        self._fail("read-only demo phone")
        # The client may have sent the file before it reads this.
        while True:
            name, length = _REQUEST.unpack(self._read_exactly(_REQUEST.size))
            if name != b"DATA" or length > _MAX_DATA_BYTES:
                return
            self._read_exactly(length)

    def _fail(self, message: str) -> None:
        raw = message.encode("utf-8", "surrogateescape")
        self._stream.write(_REQUEST.pack(b"FAIL", len(raw)) + raw)

    def _read_exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._buffer += self._stream.read()
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data
