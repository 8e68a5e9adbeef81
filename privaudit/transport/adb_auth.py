"""The key that identifies this computer to a phone, and the prompt "Allow USB debugging?" for its owner.

Uses adb's own key if there is one, so that the owner of a phone is asked only once.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import math
import os
import secrets
import struct
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from privaudit.errors import PhoneError, UsageError
from privaudit.home import home_folder
from privaudit.transport.base import AuthorizationWait, OnKeyCreated, OnWaiting

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

KEY_FILE_NAME: Final = "adbkey"
MODULUS_BITS: Final = 2048
"""The only size that Android's public key format can hold (AOSP ``android_pubkey.h``)."""
_COMMENT: Final = b" privaudit"
"""In place of adb's ``user@computer``: the phone stores the comment, and has no use for a person's name."""
_SHA1_PREFIX: Final = bytes.fromhex("3021300906052b0e03021a05000414")
"""What precedes a SHA-1 digest in a PKCS #1 v1.5 signature (RFC 8017, section 9.2)."""

_creation_lock = threading.Lock()  # a workshop connects to several phones at once


class AuthorizationPrompt:
    """Reports, when the prompt appears on the phone and then each second, how long its owner has left.

    `fingerprint`: of the key that the phone shows; ``None`` if it is unknown. `timeout_s`: how long the owner has.
    """

    def __init__(self, fingerprint: str | None, on_waiting: OnWaiting, timeout_s: float) -> None:
        self.fingerprint = fingerprint
        self._on_waiting = on_waiting
        self._timeout_s = timeout_s
        self._deadline = math.nan
        self._last_reported_s: int | None = None
        self.is_shown = False

    def __call__(self) -> None:
        """Report the remaining time. To be called when the wait begins and then several times a second."""
        if not self.is_shown:
            self.is_shown, self._deadline = True, time.monotonic() + self._timeout_s
        seconds_left = max(0, math.ceil(self._deadline - time.monotonic()))
        if seconds_left != self._last_reported_s:
            self._last_reported_s = seconds_left
            self._on_waiting(AuthorizationWait(fingerprint=self.fingerprint, seconds_left=seconds_left))

    @property
    def expired(self) -> bool:
        """Whether the owner's time is over; false before the prompt appeared."""
        return self.is_shown and time.monotonic() >= self._deadline

    @property
    def timeout_error(self) -> PhoneError:
        """The error for an owner who has not tapped in time."""
        if self.fingerprint is None:
            return PhoneError("errors.not_allowed_unseen")
        return PhoneError("errors.not_allowed", fingerprint=self.fingerprint)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdbKey:
    """A private key of `MODULUS_BITS` as its numbers, with the methods that adb-shell calls.

    A browser has no ``cryptography``: only key files need that.
    """

    modulus: int
    public_exponent: int
    private_exponent: int = field(repr=False)

    def Sign(self, token: bytes) -> bytes:  # noqa: N802 - adb-shell's name
        """Sign the 20 bytes that a phone sends. ADB treats them as a finished SHA-1 digest."""
        size = MODULUS_BITS // 8
        digest_info = b"\0" + _SHA1_PREFIX + token
        block = b"\0\1".ljust(size - len(digest_info), b"\xff") + digest_info
        return pow(int.from_bytes(block), self.private_exponent, self.modulus).to_bytes(size)

    def GetPublicKey(self) -> bytes:  # noqa: N802 - adb-shell's name
        """Return what the phone stores: Android's public key format in base64, a space, a comment.

        Always derived from the private key: with an empty or foreign ``adbkey.pub`` the prompt could never be
        answered, or would appear each time.
        """
        return base64.b64encode(self._android_pubkey()) + _COMMENT

    @property
    def fingerprint(self) -> str:
        """MD5 of the public key as the phone shows it: ``AB:CD:…`` (AOSP ``AdbDebuggingManager.getFingerprints``)."""
        return hashlib.md5(self._android_pubkey(), usedforsecurity=False).digest().hex(":").upper()

    def _android_pubkey(self) -> bytes:
        """Encode as AOSP ``android_pubkey_encode``: words of n, -1/n mod 2^32, n, 2^4096 mod n, e; little-endian."""
        size = MODULUS_BITS // 8
        return struct.pack(
            f"<II{size}s{size}sI",
            size // 4,
            -pow(self.modulus, -1, 1 << 32) % (1 << 32),
            self.modulus.to_bytes(size, "little"),
            pow(2, 2 * MODULUS_BITS, self.modulus).to_bytes(size, "little"),
            self.public_exponent,
        )


def default_key_folder() -> Path:
    """Return the folder of adb's key: ``.android`` in the person's home (AOSP ``adb_get_android_dir_path``).

    adb itself ignores ``ANDROID_USER_HOME`` and ``ANDROID_SDK_HOME``; so do we, or we would miss its key.
    """
    return home_folder() / ".android"


def generate() -> AdbKey:
    """Generate a key that is not stored in any file."""
    return _from_rsa(_generate_rsa())


def _generate_rsa() -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=MODULUS_BITS)


def _from_rsa(key: RSAPrivateKey) -> AdbKey:
    numbers = key.private_numbers()
    return AdbKey(
        modulus=numbers.public_numbers.n, public_exponent=numbers.public_numbers.e, private_exponent=numbers.d
    )


def load_or_create(key_folder: Path | None = None, on_key_created: OnKeyCreated | None = None) -> AdbKey:
    """Return the key in `key_folder`, or in adb's own; create one if there is none. Never change an existing file.

    `on_key_created` is called with the path of a key that was created: it stays on the disk. Raises PhoneError
    ``key_unreadable`` or ``key_folder_unwritable``.
    """
    try:
        path = (key_folder or default_key_folder()) / KEY_FILE_NAME
    except UsageError as error:  # there is no home folder
        raise PhoneError("errors.key_folder_unwritable", path="~/.android") from error
    with _creation_lock:
        with contextlib.suppress(FileNotFoundError):
            return _read_key_file(path)
        try:
            is_ours = _create_key_file(path)
        except OSError as error:
            raise PhoneError("errors.key_folder_unwritable", path=str(path.parent)) from error
        if is_ours and on_key_created is not None:
            on_key_created(path)
        return _read_key_file(path)


def find_existing(key_folder: Path | None = None) -> AdbKey | None:
    """Return the key in `key_folder`, or ``None`` if there is none; create nothing. Raises PhoneError if unreadable."""
    try:
        return _read_key_file((key_folder or default_key_folder()) / KEY_FILE_NAME)
    except (FileNotFoundError, UsageError):  # UsageError: there is no home folder
        return None


def _read_key_file(path: Path) -> AdbKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        # Testing the factors for primality takes longer than a whole audit; `_is_consistent` detects a damaged file.
        key = serialization.load_pem_private_key(path.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: the file has a password
        raise PhoneError("errors.key_unreadable", path=str(path)) from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != MODULUS_BITS or not _is_consistent(key):
        raise PhoneError("errors.key_unreadable", path=str(path))
    return _from_rsa(key)


def _is_consistent(key: RSAPrivateKey) -> bool:
    numbers = key.private_numbers()
    order = math.lcm(numbers.p - 1, numbers.q - 1)
    return numbers.p * numbers.q == numbers.public_numbers.n and numbers.d * numbers.public_numbers.e % order == 1


def _create_key_file(path: Path) -> bool:
    """Create a key; return whether it is ours, and not that of an adb that was faster."""
    from cryptography.hazmat.primitives import serialization

    private_key = _generate_rsa()
    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        # Private from the first byte: adb-shell's keygen writes the key first and leaves it readable for everyone.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        with contextlib.suppress(FileExistsError):
            _link_without_overwrite(temporary, path)
            path.with_name(f"{path.name}.pub").write_bytes(_from_rsa(private_key).GetPublicKey() + b"\n")
            return True
        return False
    finally:
        temporary.unlink(missing_ok=True)


def _link_without_overwrite(source: Path, target: Path) -> None:
    try:
        os.link(source, target)  # atomic, and never replaces the key of an adb that was faster
    except FileExistsError:
        raise
    except OSError:  # this file system has no hard links (FAT, Termux)
        source.rename(target)
