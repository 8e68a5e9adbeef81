"""Reads ``dumpsys package`` in the layouts of Android 6 to 16, and ``pm list packages``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from privaudit.capture.questions import is_package_name
from privaudit.facts.package_blocks import Block, Dump
from privaudit.facts.package_reader import SECTIONS, Reader

_SDK = re.compile(r"^\s+sdkVersion=(\d+)\b", re.MULTILINE)


def parse(text: str, known: frozenset[str] | None = None) -> Dump:
    """Read a dump.

    Args:
        text: answer to ``dumpsys package`` with or without a package or permission names; lines end in LF.
        known: package names that ``pm list packages`` gave, or ``None`` where it did not answer. A block of another name
            is forged, or belongs to a package that is not installed for any user.
    """
    reader = Reader(Dump())
    start = _first_section(text)
    if sdk := _SDK.search(text, 0, max(start, 0)):
        reader.dump.sdk = int(sdk[1])
    if start >= 0:
        reader.read(text, start)
        _look_for_forgery(reader.dump, known)
        reader.dump.sdk = reader.dump.sdk or _sdk_of_layout(reader)
    return reader.dump


def _first_section(text: str) -> int:
    starts = [0 if text.startswith(title) else text.find(f"\n{title}\n") + 1 for title in SECTIONS]
    found = [start for start, title in zip(starts, SECTIONS, strict=True) if start or text.startswith(title)]
    if found:
        return min(found)
    # An excerpt: blocks without the title above them.
    block = re.search(r"^(?:  )?Package \[", text, re.MULTILINE)
    return block.start() if block else -1


def _look_for_forgery(dump: Dump, known: frozenset[str] | None) -> None:
    """Find blocks that Android would not have printed."""
    for name, block in dump.packages.items():
        if not is_package_name(name) or (known is not None and not _known(name, known) and _visible(block)):
            dump.forged = dump.forged or name
    for name in dump.hidden:
        if name not in dump.packages:  # a hidden copy stands behind the update that hides it
            dump.forged = dump.forged or name


def _known(name: str, known: frozenset[str]) -> bool:
    # A static shared library carries its version in the block's name.
    return name in known or re.sub(r"_\d+\Z", "", name) in known


def _visible(block: Block) -> bool:
    """Whether ``pm list packages`` shows it to somebody."""
    return any(user.installed and not user.hidden for user in block.users.values())


def _sdk_of_layout(reader: Reader) -> int | None:
    """The oldest SDK that prints this way; rough, and marked as inferred in the report."""
    words = reader.words
    if "appId" in words:
        return 34
    if "user.firstInstallTime" in words:
        return 33
    if "distractionFlags" in words:
        return 30
    if "suspended" in words and "virtual" in words:
        return 29
    if "ceDataInode" in words:
        return 24
    return 23 if "installed" in words else None


_LISTED = re.compile(
    r"^package:(?:(?P<path>/\S+)=)?(?P<package>[A-Za-z0-9_.]+)(?: versionCode:\d+)?(?: stopped=(?:true|false))?"
    r"(?:  installer=(?P<installer>\S+))?(?: uid:[\d,]+)?\s*$"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of ``pm list packages``."""

    package: str
    path: str | None
    """Of the base APK, where it was asked for (``-f``)."""
    installer: str | None
    says_installer: bool
    offset: int


def parse_list(text: str) -> tuple[dict[str, Listed], int]:
    """Packages of ``pm list packages``, and the number of lines that are none."""
    listed: dict[str, Listed] = {}
    unparsed = 0
    for offset, line in lines(text):
        match = _LISTED.match(line)
        if match and is_package_name(match["package"]):
            installer = match["installer"]
            given = installer if installer not in {None, "null"} and is_package_name(installer or "") else None
            listed[match["package"]] = Listed(match["package"], match["path"], given, installer is not None, offset)
        elif line.strip() and not line.startswith("WARNING: linker"):
            unparsed += 1
    return listed, unparsed


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with the offset at which each begins."""
    offset = 0
    for line in text.split("\n"):
        yield offset, line
        offset += len(line) + 1
