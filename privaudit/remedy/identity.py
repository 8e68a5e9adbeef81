"""How a ledger knows its phone again, without a serial number.

Its maker and model, and of each app that somebody installed the package with the second of its first installation; all
of it hashed with the ledger's own salt. Two phones of one model share next to none of these seconds, unless one was
cloned from the other at the factory; a phone that was reset shares none with itself. Apps come and go, so half of them
must be there still. Whoever has both the ledger and a list of guesses can test the guesses: it is private.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from privaudit.model import Facts


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


def _installed(facts: Facts) -> Iterator[tuple[str, str]]:
    for app in facts.apps:
        if app.user == 0 and not app.system and app.first_installed is not None:
            # Without its zone: somebody may travel.
            yield app.package, app.first_installed.replace(tzinfo=None).isoformat()


def _hash(salt: str, *words: str) -> str:
    return hashlib.sha256("\0".join((salt, *words)).encode()).hexdigest()[:16]
