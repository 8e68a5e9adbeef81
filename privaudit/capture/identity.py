"""By what a phone is known again when a capture is resumed, without keeping who it is."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import StringConstraints

from privaudit.capture import questions
from privaudit.transport import Transport

_DIGEST_LINE: Final = re.compile(rb"^([0-9a-f]{40}|[0-9a-f]{64})  ?-?\r*$", re.MULTILINE)
_FINGERPRINT_TIMEOUT_S: Final = 30.0
_HexString = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16,64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFingerprint:
    """A hash that a phone computed of its own numbers and our salt. Another salt gives another hash."""

    salt: _HexString
    digest: _HexString


def read_fingerprint(transport: Transport, salt: str | None = None) -> DeviceFingerprint | None:
    """What the phone says of itself to this salt, or to a fresh one; ``None``: it tells no number, or has no hash.

    Raises:
        ConnectionLost: the connection ended.
    """
    salt = salt or secrets.token_hex(16)
    said = _DIGEST_LINE.search(
        transport.run(questions.device_fingerprint(salt), timeout_s=_FINGERPRINT_TIMEOUT_S).stdout
    )
    return DeviceFingerprint(salt=salt, digest=said[1].decode()) if said else None


def is_same_device(transport: Transport, fingerprint: DeviceFingerprint) -> bool:
    """Whether this is the phone that gave `fingerprint`.

    Raises:
        ConnectionLost: the connection ended.
    """
    return read_fingerprint(transport, fingerprint.salt) == fingerprint
