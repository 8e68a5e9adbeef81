"""Tools of the demo phone that look at files as bytes: ``dd``, ``stat`` and ``sha256sum``.

``dd`` is BSD's from Android 6 to 9 and toybox's since; what is here is what both share.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from privaudit.virtual_phone.adbd.sync import FileTree

ToolOutput: TypeAlias = tuple[bytes, str, int]
"""Output, complaints, exit status."""

_SIZE_SUFFIXES: Final = {
    "": 1,
    "c": 1,
    "w": 2,
    "b": 512,
    "k": 1024,
    "K": 1024,
    "M": 1 << 20,
    "m": 1 << 20,
    "G": 1 << 30,
}
_SIZE: Final = re.compile(r"([0-9]{1,12})([cwbkKmMG]?)", re.ASCII)
_DD_OPERANDS: Final = frozenset({"if", "bs", "skip", "count", "status"})
_DEFAULT_BLOCK_BYTES: Final = 512


def dd(argv: Sequence[str], read_stdin: Callable[[], bytes], files: FileTree) -> ToolOutput:
    """``dd if=FILE bs=N skip=N count=N``: blocks of a file to standard output, and a count of them as a complaint."""
    given: dict[str, str] = {}
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        if not equals or name not in _DD_OPERANDS:
            return b"", f"dd: unknown operand {word}\n", 1
        given[name] = value
    try:
        size = _parse_size(given.get("bs", str(_DEFAULT_BLOCK_BYTES)))
        skip = _parse_size(given.get("skip", "0"))
        count = _parse_size(given["count"]) if "count" in given else None
    except ValueError as error:
        return b"", f"dd: bad number {error}\n", 1
    if not size:
        return b"", "dd: bs must not be 0\n", 1
    content = _read_file(given["if"], files) if "if" in given else read_stdin()
    if isinstance(content, str):
        return b"", f"dd: {given['if']}: {content}\n", 1
    end = None if count is None else (skip + count) * size
    out = content[skip * size : end]
    whole, part = divmod(len(out), size)
    blocks = f"{whole}+{int(part > 0)} records"
    said = "" if given.get("status") in {"none", "noxfer"} else f"{blocks} in\n{blocks} out\n{len(out)} bytes copied\n"
    return out, said, 0


def stat(argv: Sequence[str], _read_stdin: Callable[[], bytes], files: FileTree) -> ToolOutput:
    """``stat -c FORMAT FILE...`` with ``%s``, ``%n`` and ``%F``."""
    if len(argv) < 4 or argv[1] != "-c":  # noqa: PLR2004 - itself, -c, a format, a file
        return b"", "stat: the demo phone answers only stat -c FORMAT FILE...\n", 1
    out, said = "", ""
    for name in argv[3:]:
        content = files.read(name)
        if content is None and not files.is_folder(name):
            said += f"stat: '{name}': No such file or directory\n"
            continue
        kind = "directory" if content is None else "regular file" if content else "regular empty file"
        values = {"s": str(4096 if content is None else len(content)), "n": name, "F": kind, "%": "%"}
        out += re.sub("%(.)", lambda found, values=values: values.get(found[1], "?"), argv[2]) + "\n"  # type: ignore[misc]
    return out.encode("utf-8", "surrogateescape"), said, int(bool(said))


def sha256sum(argv: Sequence[str], read_stdin: Callable[[], bytes], files: FileTree) -> ToolOutput:
    """``sha256sum FILE...``."""
    out, said = "", ""
    for name in argv[1:] or ["-"]:
        content = read_stdin() if name == "-" else _read_file(name, files)
        if isinstance(content, str):
            said += f"sha256sum: {name}: {content}\n"
        else:
            out += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
    return out.encode("utf-8", "surrogateescape"), said, int(bool(said))


def _read_file(name: str, files: FileTree) -> bytes | str:
    content = files.read(name)
    if content is None:
        return "Is a directory" if files.is_folder(name) else "No such file or directory"
    return content


def _parse_size(text: str) -> int:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * _SIZE_SUFFIXES[found[2]]
