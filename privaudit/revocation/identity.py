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
class Identity:
    """A phone, as far as it can be told from another."""

    salt: str
    model: str
    """Salted hash of maker and model."""
    apps: tuple[str, ...]
    """Salted hashes of package and first installation, sorted. Empty where the phone gave no times: then only the model
    tells."""


def of(facts: Facts, salt: str | None = None) -> Identity:
    """The identity of the phone that `facts` tell of; with a new salt unless one is given."""
    salt = salt or secrets.token_hex(16)
    return Identity(
        salt=salt,
        model=_hash(salt, facts.phone.manufacturer or "", facts.phone.model or ""),
        apps=tuple(sorted({_hash(salt, *words) for words in _installed(facts)})),
    )


def is_of(identity: Identity, facts: Facts) -> bool:
    """Whether `facts` tell of the phone of `identity`."""
    now = of(facts, identity.salt)
    there = set(identity.apps) & set(now.apps)
    return now.model == identity.model and 2 * len(there) >= len(identity.apps)


def installed_anew(identity: Identity, facts: Facts, packages: Collection[str]) -> str | None:
    """The first of `packages` that is there and was not yet when `identity` was taken: removed and installed anew."""
    for app in facts.apps:
        if app.package in packages and (words := _words(app)) and _hash(identity.salt, *words) not in identity.apps:
            return app.package
    return None


def _installed(facts: Facts) -> Iterator[tuple[str, ...]]:
    return (words for app in facts.apps if (words := _words(app)))


def _words(app: App) -> tuple[str, ...]:
    """What tells one installation of `app` from another; nothing where the phone does not say, or it came with it."""
    if app.system or app.first_installed is None:
        return ()
    # Without its zone: somebody may travel.
    return app.package, str(app.user), app.first_installed.replace(tzinfo=None).isoformat()


def _hash(salt: str, *words: str) -> str:
    return hashlib.sha256("\0".join((salt, *words)).encode()).hexdigest()[:16]
