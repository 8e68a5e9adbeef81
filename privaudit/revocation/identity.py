"""How a ledger knows its phone again, without a serial number.

Its maker and model, and of each app that somebody installed the package, the Android user and the second of its first
installation; all of it hashed with the ledger's own salt. Two phones of one model share next to none of these times,
unless one was cloned from the other at the factory; a phone that was reset shares none with itself. Apps come and go:
half of them must be there still. Whoever has both the ledger and a list of guesses can test the guesses: it is private.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from privaudit.model import App, Facts


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
