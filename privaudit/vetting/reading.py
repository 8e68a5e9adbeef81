"""What the pieces of an app say: its manifest, names, signers, and the code and libraries in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from privaudit.apk import dex, info
from privaudit.apk.apk_problems import ApkError
from privaudit.apk.dex import Named
from privaudit.apk.info import ApkFacts
from privaudit.apk.manifest import Manifest
from privaudit.apk.parts import MANIFEST, Apk
from privaudit.capture import apk_plan
from privaudit.model import AnswerState
from privaudit.vetting.bundle import SUFFIXES, Piece, Pieces, steps
from privaudit.vetting.document import Gap

_DEX: Final = re.compile(rb"classes\d{0,4}\.dex\Z")
_LIBRARY: Final = re.compile(rb"lib/[^/]+/([^/]+\.so)\Z")
LARGEST_DEX: Final = 256 << 20
"""Bytes of one dex, unpacked; 65,536 methods, which is all that one can hold, make about ten million."""
MOST_DEX: Final = 1 << 30
"""Bytes of all of them together."""


@dataclass(slots=True)
class Read:
    """What was read of one app."""

    manifest: Manifest
    facts: ApkFacts
    classes: list[tuple[str, Named]] = field(default_factory=list)
    """Entry, and what its code names."""
    libraries: dict[str, str] = field(default_factory=dict)
    """Name → entry."""
    gaps: list[Gap] = field(default_factory=list)


def read(pieces: Pieces, prefixes: Sequence[str]) -> Read:
    """Read an app.

    Args:
        pieces: its base and splits.
        prefixes: of class names, to be looked for in its code.

    Raises:
        ApkError: its base cannot be read.
    """
    base = pieces.base
    parts, problems = steps(apk_plan.contents(base.file, base.end, base.entries, certificates=True))
    whole = Apk(
        package=base.manifest.package,
        path=base.name,
        state=AnswerState.ANSWERED,
        size=base.file.size,
        parts=parts,
        problems={name: why for name, why in problems.items() if name != MANIFEST},
    )
    found = Read(base.manifest, info.of_file(whole, base.manifest), gaps=[*pieces.gaps])
    room = MOST_DEX
    for piece in (base, *pieces.splits):
        room = _code(piece, prefixes, found, room)
    return found


def _code(piece: Piece, prefixes: Sequence[str], found: Read, room: int) -> int:
    """Look through the code and the libraries of one piece; gives the bytes of code that may still be read."""
    for raw in piece.entries.names():
        entry = f"{piece.name}!{_shown(raw)}" if piece.name else _shown(raw)
        if library := _LIBRARY.match(raw):
            found.libraries.setdefault(_shown(library[1]), entry)
        elif _DEX.match(raw):
            try:
                data = _dex(piece, raw, min(room, LARGEST_DEX))
                room -= len(data)
                found.classes += ((entry, named) for named in dex.find(data, prefixes, _shown(raw)))
            except ApkError as error:
                found.gaps.append(Gap(part=entry, why=error.message))
        elif raw.lower().endswith(b".apk") or _shown(raw).lower().endswith(SUFFIXES):
            found.gaps.append(Gap(part=entry, why=ApkError("apk.apk_inside").message))
    return room


def _dex(piece: Piece, raw: bytes, room: int) -> bytes:
    entry = piece.entries.get(raw)
    if entry is None:
        return b""
    if max(entry.size, entry.packed) > room:
        raise ApkError("apk.dex_too_much", megabytes=room >> 20)
    return apk_plan.content(piece.file, entry, piece.end)


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def unread(found: Read) -> Iterator[Gap]:
    """What could not be read of the names and signers."""
    facts = found.facts
    if facts.label_problem is not None and facts.label is None and facts.label_problem.key != "apk.no_label":
        yield Gap(part="label", why=facts.label_problem)
    if facts.signing_problem is not None:
        yield Gap(part="signers", why=facts.signing_problem)
