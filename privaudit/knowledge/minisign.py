"""Verify minisign signatures: Ed25519 over a file, or over its BLAKE2b-512 digest.

Format (https://jedisct1.github.io/minisign/, after OpenBSD's signify): a comment; base64 of algorithm (2 bytes), key id
(8) and signature (64); a trusted comment; base64 of a signature over signature and trusted comment.

py-minisign does the same, but needs cryptography 50, and privaudit supports 42: to be replaced when that floor rises.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_SIGNATURE_BYTES: Final = 16 * 1024
"""Bytes of a key or signature file. Real ones have three hundred."""
_ALGORITHM_PLAIN, _ALGORITHM_PREHASHED = b"Ed", b"ED"
_TRUSTED_COMMENT_PREFIX: Final = "trusted comment: "
_KEY_ID_BYTES, _PUBLIC_KEY_BYTES, _SIGNATURE_BYTES = 8, 32, 64


class MinisignError(Exception):
    """A key or signature was refused; `key` is the message key of the reason."""

    def __init__(self, key: str = "errors.lists_signature_malformed") -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class MinisignPublicKey:
    """A public key and its id."""

    key_id: bytes
    key: bytes


def parse_public_key(text: str) -> MinisignPublicKey:
    """Parse a public key, the file that minisign writes or its second line; raises `MinisignError`."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines or len(text) > MAX_SIGNATURE_BYTES:
        raise MinisignError
    raw = _decode_base64(lines[-1], len(_ALGORITHM_PLAIN) + _KEY_ID_BYTES + _PUBLIC_KEY_BYTES)
    if raw[:2] != _ALGORITHM_PLAIN:
        raise MinisignError
    return MinisignPublicKey(key_id=raw[2 : 2 + _KEY_ID_BYTES], key=raw[2 + _KEY_ID_BYTES :])


def verify_signature(data: bytes, signature: str, keys: Iterable[MinisignPublicKey]) -> str:
    """Verify `data` against the text of its signature file, and return the trusted comment, which is signed as well.

    Raises `MinisignError` if the signature is malformed, made with another key than `keys`, or wrong.
    """
    # Heavy, and only `signatures update` needs it.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    lines = signature.split("\n")
    if len(signature) > MAX_SIGNATURE_BYTES or len(lines) < 4 or not lines[2].startswith(_TRUSTED_COMMENT_PREFIX):  # noqa: PLR2004 - four lines
        raise MinisignError
    raw = _decode_base64(lines[1], len(_ALGORITHM_PLAIN) + _KEY_ID_BYTES + _SIGNATURE_BYTES)
    global_signature = _decode_base64(lines[3], _SIGNATURE_BYTES)
    comment = lines[2].removeprefix(_TRUSTED_COMMENT_PREFIX).rstrip("\r")
    algorithm, key_id, file_signature = raw[:2], raw[2 : 2 + _KEY_ID_BYTES], raw[2 + _KEY_ID_BYTES :]
    if algorithm not in {_ALGORITHM_PLAIN, _ALGORITHM_PREHASHED}:
        raise MinisignError
    key = next((key for key in keys if key.key_id == key_id), None)
    if key is None:
        raise MinisignError("errors.lists_signature_other_key")
    message = hashlib.blake2b(data).digest() if algorithm == _ALGORITHM_PREHASHED else data
    try:
        public_key = Ed25519PublicKey.from_public_bytes(key.key)
        public_key.verify(file_signature, message)
        public_key.verify(global_signature, file_signature + comment.encode())
    except (InvalidSignature, ValueError) as error:
        raise MinisignError("errors.lists_signature_wrong") from error
    return comment


def _decode_base64(text: str, size_bytes: int) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MinisignError from error
    if len(raw) != size_bytes:
        raise MinisignError
    return raw
