"""The ledger: what is to be changed, the state of each target before, and the outcome. Undo reads it.

Written before and after each change to a new file that replaces the old one, so a pulled cable or a killed process
leaves one of the two complete. Its seal is a plain SHA-256: it detects accidents and edits by hand, not an attacker who
computes it again. A ledger of an attacker cannot request more than any other: every word is checked against the closed
tables of `privaudit.revocation.commands`, undo first shows what it would do, and it restores only what the capture that
was written before the changes shows as held, on a phone with the installations of that capture.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final, Literal

from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError

from privaudit import __version__
from privaudit.atomic_write import atomic_writer
from privaudit.capture import archive, source_files
from privaudit.capture.model import Capture
from privaudit.errors import SourceError
from privaudit.facts import gather_facts
from privaudit.model import App, Facts
from privaudit.revocation import commands
from privaudit.revocation.change import Change, ChangeKind, Outcome, TargetState


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallFingerprint:
    """Identifies a phone by salted hashes of its model and of its installed apps."""

    salt: str
    model: str
    """Salted hash of manufacturer and model."""
    apps: tuple[str, ...]
    """Salted hashes of package, user and first installation, sorted; none where the phone gave no times."""


def compute_fingerprint(facts: Facts, salt: str | None = None) -> InstallFingerprint:
    """Compute the fingerprint of the phone of `facts`, with a new salt unless one is passed."""
    salt = salt or secrets.token_hex(16)
    return InstallFingerprint(
        salt=salt,
        model=_salted_hash(salt, facts.phone.manufacturer or "", facts.phone.model or ""),
        apps=tuple(sorted({_salted_hash(salt, *key) for app in facts.apps if (key := _installation_key(app))})),
    )


def matches_fingerprint(fingerprint: InstallFingerprint, facts: Facts) -> bool:
    """Whether `facts` are of the phone of `fingerprint`: the same model, and at least half of the apps of each.

    Of each, because an app knows the model and its own installation: a fingerprint of these alone matches no phone that
    has more.
    """
    current = compute_fingerprint(facts, fingerprint.salt)
    common = set(fingerprint.apps) & set(current.apps)
    return current.model == fingerprint.model and 2 * len(common) >= max(len(fingerprint.apps), len(current.apps))


def find_reinstalled_package(fingerprint: InstallFingerprint, facts: Facts, packages: Collection[str]) -> str | None:
    """Return the first of `packages` that was removed and installed again since `fingerprint` was computed."""
    for app in facts.apps:
        key = _installation_key(app)
        if app.package in packages and key and _salted_hash(fingerprint.salt, *key) not in fingerprint.apps:
            return app.package
    return None


def _installation_key(app: App) -> tuple[str, ...]:
    """Return what distinguishes one installation of `app` from another; empty if it is preinstalled or has no time."""
    if app.system or app.first_installed is None:
        return ()
    # Without the time zone: the phone may be read in another one later.
    return app.package, str(app.user), app.first_installed.replace(tzinfo=None).isoformat()


def _salted_hash(salt: str, *parts: str) -> str:
    return hashlib.sha256("\0".join((salt, *parts)).encode()).hexdigest()[:16]


MAX_LEDGER_BYTES: Final = 4 * 1024 * 1024
"""A plan for 50 apps gives about 0.3 MB."""
_MAX_ENTRIES: Final = 5000
_MODE_PATTERN: Final = re.compile(r"[a-z0-9]{1,16}")
_BLANK_SEAL: Final = "0" * 64
_VALIDATION_SDKS: Final = (30, 35)
"""One for each variant of the commands: an entry for which they cannot be built is not from privaudit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One change and its outcome."""

    change: Change
    outcome: Outcome = Outcome.PLANNED
    said: str | None = None
    """Error that the phone reported, sanitized."""
    after: TargetState | None = None
    """State that was read back."""
    at: AwareDatetime | None = None
    """When `outcome` was recorded, by this computer's clock."""

    @property
    def may_need_undo(self) -> bool:
        """Whether there may be something to undo. An app that was ended runs again when its owner opens it."""
        if self.change.kind is ChangeKind.FORCE_STOP or self.outcome in {Outcome.PLANNED, Outcome.UNDONE}:
            return False
        return not self.had_no_effect

    @property
    def had_no_effect(self) -> bool:
        """Whether the phone refused or ignored the change, and afterwards everything was as before."""
        is_refused = self.outcome in {Outcome.REFUSED, Outcome.NOT_CHANGED}
        return is_refused and self.after is not None and self.change.is_restored(self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureReference:
    """The capture that was written before anything was changed."""

    file: str
    """File name, in the folder of the ledger."""
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All changes of one run. Private: it names the apps that were changed."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    schema: Literal["privaudit-ledger/1"] = "privaudit-ledger/1"
    tool: str
    made_at: AwareDatetime
    demo: bool
    phone: InstallFingerprint
    capture: CaptureReference
    entries: tuple[LedgerEntry, ...]
    seal: str = _BLANK_SEAL

    def with_entry(self, index: int, **fields: object) -> Ledger:
        """Return this ledger with other fields of one entry, dated now."""
        entry = replace(self.entries[index], **fields, at=_now())  # type: ignore[arg-type]
        return replace(self, entries=(*self.entries[:index], entry, *self.entries[index + 1 :]))


_LEDGER_ADAPTER: Final = TypeAdapter(Ledger)


def create_ledger(
    changes: Iterable[Change], phone: InstallFingerprint, capture: CaptureReference, *, demo: bool
) -> Ledger:
    """Create a ledger in which all `changes` are planned and none is begun."""
    entries = tuple(LedgerEntry(change=change, at=_now()) for change in changes)
    return Ledger(tool=__version__, made_at=_now(), demo=demo, phone=phone, capture=capture, entries=entries)


def write_ledger(ledger: Ledger, path: Path) -> None:
    """Write `ledger` to `path` atomically and privately (mode 0600); it is on the disk when this returns.

    Raises SourceError ``not_written``: then nothing may be changed.
    """
    with atomic_writer(path) as stream:
        stream.write(sealed_json(ledger))


def sealed_json(ledger: Ledger) -> bytes:
    """Return the content of the file of `ledger`, with its seal."""
    return _ledger_json(replace(ledger, seal=_compute_seal(ledger)))


def _ledger_json(ledger: Ledger) -> bytes:
    return _LEDGER_ADAPTER.dump_json(ledger, indent=1) + b"\n"


def read_ledger(path: Path) -> Ledger:
    """Read and validate a ledger.

    Raises SourceError ``source_missing``; ``source_unreadable``; ``ledger_changed``: it was edited by hand;
    ``ledger_damaged``: it is not a ledger, or requests something that privaudit never does.
    """
    try:
        if path.stat().st_size > MAX_LEDGER_BYTES:
            raise SourceError("errors.ledger_damaged", path=str(path), where="", problem="too large")
        raw = path.read_bytes()
        ledger = _LEDGER_ADAPTER.validate_json(raw)
    except FileNotFoundError as error:
        raise SourceError("errors.source_missing", path=str(path)) from error
    except OSError as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=error.strerror or str(error)) from error
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, details["loc"]))
        raise SourceError("errors.ledger_damaged", path=str(path), where=where, problem=details["msg"]) from error
    if ledger.seal != _compute_seal(ledger) or raw != _ledger_json(ledger):
        raise SourceError("errors.ledger_changed", path=str(path))
    for index, entry in enumerate(ledger.entries):
        if index >= _MAX_ENTRIES or not _is_valid_change(entry.change):
            raise SourceError("errors.ledger_damaged", path=str(path), where=f"entries.{index}", problem="not ours")
    return ledger


def read_sealed_capture(ledger: Ledger, ledger_path: Path) -> Capture:
    """Read the capture that was written before the changes of `ledger`, from the folder of the ledger.

    Raises SourceError ``ledger_capture`` if it is missing, not the one whose hash the ledger holds, or of another
    phone; or as `archive.read`.
    """
    missing = SourceError("errors.ledger_capture", path=str(ledger_path.parent / ledger.capture.file))
    try:
        path = ledger_path.with_name(ledger.capture.file)
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > archive.MAX_ARCHIVE_BYTES:
            raise missing
        if source_files.sha256_file(path) != ledger.capture.sha256:
            raise missing
    except (OSError, ValueError) as error:  # ValueError: not a name in this folder
        raise missing from error
    capture = archive.read(path)
    if not matches_fingerprint(ledger.phone, gather_facts(capture)):
        raise missing
    return capture


def _is_valid_change(change: Change) -> bool:
    """Whether every word of `change` may enter a command, and every mode is one that a phone prints."""
    before = change.before
    if not all(mode is None or _MODE_PATTERN.fullmatch(mode) for mode in (before.uid_mode, before.mode)):
        return False
    try:
        for sdk in _VALIDATION_SDKS:
            change.revoke_commands(sdk, ())
            change.restore_commands(replace(change.before, held=not change.before.held), sdk, ())
    except (ValueError, KeyError):
        return False
    names_component = change.kind in {ChangeKind.ACCESSIBILITY, ChangeKind.LISTENER}
    return not names_component or commands.is_component(change.what, change.package)


def _compute_seal(ledger: Ledger) -> str:
    return hashlib.sha256(_LEDGER_ADAPTER.dump_json(replace(ledger, seal=_BLANK_SEAL))).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
