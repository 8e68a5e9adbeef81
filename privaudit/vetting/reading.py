"""What the pieces of an app say: its manifest, names, signers, and the code and libraries in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from privaudit.apk import dex, info
from privaudit.apk.apk_problems import ApkError
from privaudit.apk.dex import DexPrefixHits
from privaudit.apk.info import ApkInfo
from privaudit.apk.manifest import ApkManifest
from privaudit.apk.parts import MANIFEST, ApkParts
from privaudit.capture import apk_plan
from privaudit.model import AnswerState
from privaudit.vetting.bundle import APP_FILE_SUFFIXES, AppBundle, BundleApk, run_to_end
from privaudit.vetting.document import Gap

_DEX_ENTRY: Final = re.compile(rb"classes\d{0,4}\.dex\Z")
_LIBRARY_ENTRY: Final = re.compile(rb"lib/[^/]+/([^/]+\.so)\Z")
MAX_DEX_BYTES: Final = 256 << 20
"""Bytes of one dex, unpacked; 65,536 methods, which is all that one can hold, make about ten million."""
MAX_TOTAL_DEX_BYTES: Final = 1 << 30
"""Bytes of all of them together."""


@dataclass(slots=True)
class ApkContents:
    """What was read of one app."""

    manifest: ApkManifest
    info: ApkInfo
    class_hits: list[tuple[str, DexPrefixHits]] = field(default_factory=list)
    """Entry, and what its code names."""
    libraries: dict[str, str] = field(default_factory=dict)
    """Name → entry."""
    gaps: list[Gap] = field(default_factory=list)


def read_app_bundle(app_bundle: AppBundle, prefixes: Sequence[str]) -> ApkContents:
    """Read an app.

    Args:
        app_bundle: its base and splits.
        prefixes: of class names, to be looked for in its code.

    Raises:
        ApkError: its base cannot be read.
    """
    base = app_bundle.base
    parts, problems = run_to_end(
        apk_plan.plan_contents(base.file, base.end_record, base.directory, with_certificates=True)
    )
    whole = ApkParts(
        package=base.manifest.package,
        path=base.name,
        state=AnswerState.ANSWERED,
        size=base.file.size,
        parts=parts,
        problems={name: why for name, why in problems.items() if name != MANIFEST},
    )
    found = ApkContents(base.manifest, info.read_apk_file(whole, base.manifest), gaps=[*app_bundle.gaps])
    room = MAX_TOTAL_DEX_BYTES
    for piece in (base, *app_bundle.splits):
        room = _scan_code(piece, prefixes, found, room)
    return found


def _scan_code(bundle_apk: BundleApk, prefixes: Sequence[str], contents: ApkContents, remaining_bytes: int) -> int:
    """Look through the code and the libraries of one piece; gives the bytes of code that may still be read."""
    for raw in bundle_apk.directory.names():
        entry = f"{bundle_apk.name}!{_decode_name(raw)}" if bundle_apk.name else _decode_name(raw)
        if library := _LIBRARY_ENTRY.match(raw):
            contents.libraries.setdefault(_decode_name(library[1]), entry)
        elif _DEX_ENTRY.match(raw):
            try:
                data = _read_dex(bundle_apk, raw, min(remaining_bytes, MAX_DEX_BYTES))
                remaining_bytes -= len(data)
                contents.class_hits += (
                    (entry, named) for named in dex.find_class_prefixes(data, prefixes, _decode_name(raw))
                )
            except ApkError as error:
                contents.gaps.append(Gap(part=entry, why=error.message))
        elif raw.lower().endswith(b".apk") or _decode_name(raw).lower().endswith(APP_FILE_SUFFIXES):
            contents.gaps.append(Gap(part=entry, why=ApkError("apk.apk_inside").message))
    return remaining_bytes


def _read_dex(bundle_apk: BundleApk, entry_name: bytes, max_bytes: int) -> bytes:
    entry = bundle_apk.directory.get(entry_name)
    if entry is None:
        return b""
    if max(entry.size, entry.compressed_size) > max_bytes:
        raise ApkError("apk.dex_too_much", megabytes=max_bytes >> 20)
    return apk_plan.read_entry(bundle_apk.file, entry, bundle_apk.end_record)


def _decode_name(entry_name: bytes) -> str:
    return entry_name.decode("utf-8", "replace")


def metadata_gaps(contents: ApkContents) -> Iterator[Gap]:
    """What could not be read of the names and signers."""
    facts = contents.info
    if facts.label_problem is not None and facts.label is None and facts.label_problem.key != "apk.no_label":
        yield Gap(part="label", why=facts.label_problem)
    if facts.signing_problem is not None:
        yield Gap(part="signers", why=facts.signing_problem)
