"""The ledger: what is to be changed, how each thing stood before, and what became of it. Undo reads it.

Written whole before each change and after it, beside the old one and renamed over it, so that a pulled cable or a
killed process leaves either the one or the other. Its seal is a plain SHA-256: it finds accidents and edits made by
hand, and cannot stop somebody who computes it anew. What such a ledger could ask for is bounded all the same: every
word of it is checked against the closed tables of `privaudit.revocation.commands`, and undo shows what it would do first.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final, Literal

from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError

from privaudit import __version__
from privaudit.atomic_write import atomic_writer
from privaudit.errors import SourceError
from privaudit.model import App, Facts
from privaudit.revocation import commands
from privaudit.revocation.change import Change, ChangeKind, Outcome, TargetState


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallFingerprint:
    """A phone, as far as it can be told from another."""

    salt: str
    model: str
    """Salted hash of maker and model."""
    apps: tuple[str, ...]
    """Salted hashes of package and first installation, sorted. Empty where the phone gave no times: then only the model
    tells."""


def compute_fingerprint(facts: Facts, salt: str | None = None) -> InstallFingerprint:
    """The identity of the phone that `facts` tell of; with a new salt unless one is given."""
    salt = salt or secrets.token_hex(16)
    return InstallFingerprint(
        salt=salt,
        model=_salted_hash(salt, facts.phone.manufacturer or "", facts.phone.model or ""),
        apps=tuple(sorted({_salted_hash(salt, *words) for words in _installation_keys(facts)})),
    )


def matches_fingerprint(fingerprint: InstallFingerprint, facts: Facts) -> bool:
    """Whether `facts` tell of the phone of `fingerprint`."""
    now = compute_fingerprint(facts, fingerprint.salt)
    there = set(fingerprint.apps) & set(now.apps)
    return now.model == fingerprint.model and 2 * len(there) >= len(fingerprint.apps)


def find_reinstalled_package(fingerprint: InstallFingerprint, facts: Facts, packages: Collection[str]) -> str | None:
    """The first of `packages` that is there and was not yet when `fingerprint` was taken: removed and installed anew."""
    for app in facts.apps:
        if (
            app.package in packages
            and (words := _installation_key(app))
            and _salted_hash(fingerprint.salt, *words) not in fingerprint.apps
        ):
            return app.package
    return None


def _installation_keys(facts: Facts) -> Iterator[tuple[str, ...]]:
    return (words for app in facts.apps if (words := _installation_key(app)))


def _installation_key(app: App) -> tuple[str, ...]:
    """What tells one installation of `app` from another; nothing where the phone does not say, or it came with it."""
    if app.system or app.first_installed is None:
        return ()
    # Without its zone: somebody may travel.
    return app.package, str(app.user), app.first_installed.replace(tzinfo=None).isoformat()


def _salted_hash(salt: str, *parts: str) -> str:
    return hashlib.sha256("\0".join((salt, *parts)).encode()).hexdigest()[:16]


SCHEMA: Final = "privaudit-ledger/1"
MAX_LEDGER_BYTES: Final = 4 * 1024 * 1024
"""Bytes. A plan for 50 apps gives about 0.3 MB."""
_MAX_ENTRIES: Final = 5000
_MODE_PATTERN: Final = re.compile(r"[a-z0-9]{1,16}")
_BLANK_SEAL: Final = "0" * 64
_VALIDATION_SDKS: Final = (30, 35)
"""One for each way of closing: a row that cannot be worded for them is no row of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One change and its fate."""

    change: Change
    outcome: Outcome = Outcome.PLANNED
    said: str | None = None
    """What the phone said against it, tamed."""
    after: TargetState | None = None
    """As it was read back."""
    at: AwareDatetime | None = None
    """When `outcome` was written; this computer's time."""

    @property
    def may_need_undo(self) -> bool:
        """Whether there may be something to take back. An app that was ended runs again when somebody opens it."""
        return self.change.kind is not ChangeKind.FORCE_STOP and self.outcome not in {Outcome.PLANNED, Outcome.UNDONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureReference:
    """The capture that was taken before anything was changed."""

    file: str
    """Its name, beside the ledger."""
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Everything about one run. Names the apps that were changed: private."""

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
        """This ledger with another state of one entry, dated now."""
        entry = replace(self.entries[index], **fields, at=_now())  # type: ignore[arg-type]
        return replace(self, entries=(*self.entries[:index], entry, *self.entries[index + 1 :]))


_LEDGER_ADAPTER: Final = TypeAdapter(Ledger)


def create_ledger(
    changes: Iterable[Change], phone: InstallFingerprint, capture: CaptureReference, *, demo: bool
) -> Ledger:
    """A new ledger, with everything planned and nothing begun."""
    entries = tuple(LedgerEntry(change=change, at=_now()) for change in changes)
    return Ledger(tool=__version__, made_at=_now(), demo=demo, phone=phone, capture=capture, entries=entries)


def write_ledger(ledger: Ledger, path: Path) -> None:
    """Write `ledger` to `path`, whole or not at all, and onto the disk before this returns. Private (mode 0600).

    Raises:
        SourceError: it cannot be written: then nothing may be changed.
    """
    sealed = replace(ledger, seal=_compute_seal(ledger))
    with atomic_writer(path) as stream:
        stream.write(_ledger_json(sealed))


def _ledger_json(ledger: Ledger) -> bytes:
    return _LEDGER_ADAPTER.dump_json(ledger, indent=1) + b"\n"


def read_ledger(path: Path) -> Ledger:
    """Read a ledger back.

    Raises:
        SourceError: not there, no ledger, edited by hand, or it asks for something that no ledger of ours asks for.
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
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise SourceError("errors.ledger_damaged", path=str(path), where=where, problem=first["msg"]) from error
    if ledger.seal != _compute_seal(ledger) or raw != _ledger_json(ledger):
        raise SourceError("errors.ledger_changed", path=str(path))
    for number, entry in enumerate(ledger.entries):
        if number >= _MAX_ENTRIES or not _is_valid_change(entry.change):
            raise SourceError("errors.ledger_damaged", path=str(path), where=f"entries.{number}", problem="not ours")
    return ledger


def _is_valid_change(change: Change) -> bool:
    """Whether every word of it may enter a command, and is one that a phone prints."""
    before = change.before
    if not all(mode is None or _MODE_PATTERN.fullmatch(mode) for mode in (before.uid_mode, before.mode)):
        return False
    try:
        for sdk in _VALIDATION_SDKS:
            change.revoke_commands(sdk, ())
            change.restore_commands(replace(change.before, held=not change.before.held), sdk, ())
    except (ValueError, KeyError):
        return False
    components = change.kind in {ChangeKind.ACCESSIBILITY, ChangeKind.LISTENER}
    return not components or commands.is_component(change.what, change.package)


def _compute_seal(ledger: Ledger) -> str:
    return hashlib.sha256(_LEDGER_ADAPTER.dump_json(replace(ledger, seal=_BLANK_SEAL))).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
