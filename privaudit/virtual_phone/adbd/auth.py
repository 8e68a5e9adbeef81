"""Which computers may connect: RSA keys, and the owner's answer to "Allow USB debugging?".

AOSP: packages/modules/adb/protocol.txt (AUTH), system/core/libcrypto_utils/android_pubkey.cpp (the key format).
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1

TOKEN_SIZE: Final = 20
"""Bytes of the random token, which the computer signs like a SHA-1 digest."""

_MODULUS_WORDS: Final = 2048 // 32
_ANDROID_PUBKEY: Final = struct.Struct(f"<II{4 * _MODULUS_WORDS}s{4 * _MODULUS_WORDS}sI")


class AuthType(IntEnum):
    """First argument of an AUTH message."""

    TOKEN = 1
    SIGNATURE = 2
    RSAPUBLICKEY = 3


PromptAnswer: TypeAlias = Literal["allow", "refuse", "ignore"] | float
"""The owner's answer; a number: allows after so many seconds. On the wire, refusing and ignoring are both silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPolicy:
    """Which computers may connect to the phone."""

    required: bool = True
    """Whether keys are required; emulators and engineering builds require none."""
    known_keys: tuple[bytes, ...] = ()
    """Keys allowed earlier, in Android's text form (the content of ``adbkey.pub``)."""
    answer: PromptAnswer = "allow"
    """For other keys."""
    always_allow: bool = False
    """Whether the owner ticks "Always allow from this computer"."""


def parse_adb_public_key(text: bytes) -> RSAPublicNumbers | None:
    """Parse a key in Android's text form: base64, then a name; ``None`` if it is not one."""
    words = text.replace(b"\0", b" ").split(maxsplit=1)
    try:
        raw = base64.b64decode(words[0] if words else b"", validate=True)
        size, _, modulus, _, exponent = _ANDROID_PUBKEY.unpack(raw)
        if size != _MODULUS_WORDS:
            return None
        key = RSAPublicNumbers(exponent, int.from_bytes(modulus, "little"))
        key.public_key()  # Raises if the numbers are not a key.
    except (binascii.Error, struct.error, ValueError):
        return None
    return key


def is_valid_signature(key: RSAPublicNumbers, token: bytes, signature: bytes) -> bool:
    """Whether `signature` over `token` was made with `key`."""
    try:
        key.public_key().verify(signature, token, PKCS1v15(), Prehashed(SHA1()))  # noqa: S303 - ADB requires it
    except InvalidSignature:
        return False
    return True
