"""Signatures of minisign (and OpenBSD's signify before it): Ed25519 over a file, or over its BLAKE2b-512 digest.

Format: https://jedisct1.github.io/minisign/ — a comment, base64 of algorithm (2 bytes), key id (8) and signature (64);
then a trusted comment, and base64 of a signature over signature and comment. Only verifying: no private key is here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LARGEST: Final = 16 * 1024
"""Bytes of a key or signature file. Real ones have three hundred."""
_LEGACY, _HASHED = b"Ed", b"ED"
_TRUSTED: Final = "trusted comment: "
_ID, _KEY, _SIGNATURE = 8, 32, 64


class SignatureError(Exception):
    """Why a signature does not hold. `reason`: ``malformed``, ``other_key`` or ``wrong``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """Whose signatures are believed."""

    id: bytes
    key: bytes


def parse_key(text: str) -> PublicKey:
    """A public key: the file that minisign writes, or its second line alone.

    Raises:
        SignatureError: ``malformed``.
    """
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines or len(text) > LARGEST:
        raise SignatureError("malformed")
    raw = _base64(lines[-1], len(_LEGACY) + _ID + _KEY)
    if raw[:2] != _LEGACY:
        raise SignatureError("malformed")
    return PublicKey(id=raw[2 : 2 + _ID], key=raw[2 + _ID :])


def verify(data: bytes, signature: str, keys: Iterable[PublicKey]) -> str:
    """Verify the `signature` file of `data`; gives its trusted comment, which is signed as well.

    Raises:
        SignatureError: malformed, made with none of `keys`, or wrong.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    lines = signature.split("\n")
    if len(signature) > LARGEST or len(lines) < 4 or not lines[2].startswith(_TRUSTED):  # noqa: PLR2004 - four lines
        raise SignatureError("malformed")
    raw = _base64(lines[1], len(_LEGACY) + _ID + _SIGNATURE)
    whole = _base64(lines[3], _SIGNATURE)
    comment = lines[2].removeprefix(_TRUSTED).rstrip("\r")
    algorithm, identity, signed = raw[:2], raw[2 : 2 + _ID], raw[2 + _ID :]
    if algorithm not in {_LEGACY, _HASHED}:
        raise SignatureError("malformed")
    key = next((key for key in keys if key.id == identity), None)
    if key is None:
        raise SignatureError("other_key")
    message = hashlib.blake2b(data).digest() if algorithm == _HASHED else data
    try:
        public = Ed25519PublicKey.from_public_bytes(key.key)
        public.verify(signed, message)
        public.verify(whole, signed + comment.encode())
    except (InvalidSignature, ValueError) as error:
        raise SignatureError("wrong") from error
    return comment


def _base64(text: str, size: int) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError("malformed") from error
    if len(raw) != size:
        raise SignatureError("malformed")
    return raw
