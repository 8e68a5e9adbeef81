"""What stands in the manifest of a capture zip. Additive: keys of later versions are read over.

Every entry of the zip but the manifest itself has its SHA-256 here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import AwareDatetime, TypeAdapter

from privaudit.capture.identity import DeviceFingerprint
from privaudit.capture.questions import is_package_name
from privaudit.capture.text_folder import answer_file_name, parse_answer_file_name
from privaudit.model import AnswerState, Message, SourceKind

CAPTURE_SCHEMA: Final = "privaudit-capture/1"
COMMAND_LOG_FILE: Final = "commands.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEntry:
    """One answer."""

    key: str
    state: AnswerState
    detail: Message | None
    exit_code: int | None
    file: str
    sha256: str
    translated_from: str | None = None
    removed: int = 0
    """How often the answer was marked: something stood there that must not be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkEntry:
    """What was kept of one APK."""

    package: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFileEntry:
    """The command log."""

    file: Literal["commands.jsonl"]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureManifest:
    """The whole."""

    schema: Literal["privaudit-capture/1"]
    tool: str
    taken_at: AwareDatetime
    source: SourceKind
    demo: bool
    answers: tuple[AnswerEntry, ...]
    apks: tuple[ApkEntry, ...] = ()
    log: LogFileEntry | None = None
    phone: DeviceFingerprint | None = None


_MANIFEST_ADAPTER: Final = TypeAdapter(CaptureManifest)


def dump_manifest(manifest: CaptureManifest) -> bytes:
    """`manifest` as JSON that a person can read."""
    return _MANIFEST_ADAPTER.dump_json(manifest, indent=1)


def load_manifest(data: bytes) -> CaptureManifest:
    """Read back what `dump` wrote.

    Raises:
        ValueError: it is something else.
    """
    return _MANIFEST_ADAPTER.validate_json(data)


def find_misnamed(manifest: CaptureManifest) -> str | None:
    """An answer or APK that comes twice, or whose file has a name that we would not give it."""
    keys = Counter(entry.key for entry in manifest.answers)
    for entry in manifest.answers:
        # Both ways round: no key but the one that we would write gives this name.
        if (
            keys[entry.key] > 1
            or parse_answer_file_name(entry.file) != entry.key
            or answer_file_name(entry.key) != entry.file
        ):
            return entry.key
    packages = Counter(entry.package for entry in manifest.apks)
    for named in manifest.apks:
        if (
            packages[named.package] > 1
            or not is_package_name(named.package)
            or named.file != apk_file_name(named.package)
        ):
            return named.package
    return None


def apk_file_name(package: str) -> str:
    """Name of the entry that holds the parts of a package's APK."""
    return f"apks/{package}.parts"
