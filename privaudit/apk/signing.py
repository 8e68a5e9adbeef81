"""Which certificates an APK was signed with, by each of Android's schemes.

Read, not verified: that takes the whole file, and the phone did it when the app was installed. Which scheme it looked
at depends on its version, and the others may hold anything; `Signing.active_folder` says what counts.

AOSP: ``tools/apksig/src/main/java/com/android/apksig/internal/apk/`` (``v1`` to ``v3``, ``ApkSigningBlockUtils``), and
https://source.android.com/docs/security/features/apksigning.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privaudit.apk.parts import SIGNING_BLOCK, ApkError, ApkPart

_V2_BLOCK_ID, _V3_BLOCK_ID, _V31_BLOCK_ID = 0x7109871A, 0xF05368C0, 0x1B93AD61
_SCHEME_BY_BLOCK_ID: Final[Mapping[int, str]] = {_V2_BLOCK_ID: "v2", _V3_BLOCK_ID: "v3", _V31_BLOCK_ID: "v3.1"}
_SCHEME_MIN_SDK: Final[Mapping[str, int]] = {"v1": 1, "v2": 24, "v3": 28, "v3.1": 33}
_PROOF_OF_ROTATION_ID: Final = 0x3BA06F8C
"""Attribute "proof of rotation" of a v3 signer."""
WELL_KNOWN_TEST_CERTIFICATES: Final[Mapping[str, str]] = {
    "a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc": "AOSP testkey",
    "c8a2e9bccf597c2fb6dc66bee293fc13f2fc47ec77bc6b2b0d52c11f51192ab8": "AOSP platform",
    "28bbfe4a7b97e74681dc55c2fbb6ccb8d6c74963733f6af6ae74d8c3a6e879fd": "AOSP shared",
    "465983f7791f2abeb43ea2cbdc7f21a8260b72bc08a55c839fc1a43bc741a81e": "AOSP media",
    "fac61745dc0903786fb9ede62a962b399f7348f0bb6f899b8332667591033b9c": "React Native debug",
}
"""SHA-256 of certificates with a published private key, and the key's name. A signature with one of them does not
identify the signer, so no list may name one. Sources: AOSP ``build/target/product/security``, and the keystore in React
Native's project template. Android Studio creates a debug key of its own on each computer: that one cannot be listed."""
_SIGNING_BLOCK_MAGIC: Final = b"APK Sig Block 42"
_MAX_ITEMS: Final = 100
"""Signers, certificates and blocks; apksigner makes at most ten signers."""
_U32: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One signer by one scheme."""

    certificate_sha256: str
    """SHA-256 of its certificate, in hexadecimal."""
    min_sdk: int | None = None
    max_sdk: int | None = None
    certificate_history: tuple[str, ...] = ()
    """Certificates that it rotated through, the oldest first, the present one last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningInfo:
    """Everything that an APK says about who signed it."""

    schemes: Mapping[str, tuple[Signer, ...]]
    """``v1``, ``v2``, ``v3``, ``v3.1`` → signers."""

    def active_signers(self, sdk: int | None) -> tuple[Signer, ...]:
        """The signers that a phone of `sdk` went by: those of the newest scheme that it knows and that is for it."""
        for name in ("v3.1", "v3", "v2", "v1"):
            signers = tuple(
                signer
                for signer in self.schemes.get(name, ())
                if sdk is None or (signer.min_sdk or 0) <= sdk <= (signer.max_sdk or sdk)
            )
            if signers and (sdk is None or sdk >= _SCHEME_MIN_SDK[name]):
                return signers
        return ()


def parse_signing_info(parts: Mapping[str, ApkPart]) -> SigningInfo:
    """Read the signing block and the signature files among `parts`.

    Raises:
        ApkError: there is none, or one that Android might look at is damaged.
    """
    schemes: dict[str, tuple[Signer, ...]] = {}
    if SIGNING_BLOCK in parts:
        for number, value in _iter_block_pairs(parts[SIGNING_BLOCK].to_bytes()):
            name = _SCHEME_BY_BLOCK_ID.get(number)
            if name is not None and name not in schemes:
                schemes[name] = tuple(
                    _parse_signer(raw, number) for raw in _iter_length_prefixed(_strip_length_prefix(value))
                )
    old = tuple(
        Signer(certificate_sha256=certificate)
        for name, part in parts.items()
        if name.upper().startswith("META-INF/") and name.upper().endswith((".RSA", ".DSA", ".EC"))
        for certificate in _parse_jar_signers(name, part.to_bytes())
    )
    if old:
        schemes["v1"] = old
    if not any(schemes.values()):
        raise ApkError("apk.no_certificate")
    return SigningInfo(schemes=schemes)


def _iter_block_pairs(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and value of each pair in the block, whose size stands in front and behind."""
    size = int.from_bytes(block[:8], "little")
    if size + 8 != len(block) or block[-24:-16] != block[:8] or not block.endswith(_SIGNING_BLOCK_MAGIC):
        raise ApkError("apk.signing_damaged")
    at, end = 8, len(block) - 24
    for _ in range(_MAX_ITEMS):
        if at == end:
            return
        length = int.from_bytes(block[at : at + 8], "little")
        if length < _U32.size or at + 8 + length > end:
            raise ApkError("apk.signing_damaged")
        yield _U32.unpack_from(block, at + 8)[0], block[at + 12 : at + 8 + length]
        at += 8 + length
    raise ApkError("apk.signing_damaged")


def _parse_signer(raw: bytes, scheme: int) -> Signer:
    """v2: signed data, signatures, key. v3: signed data, SDK range, signatures, key."""
    signed, at = _read_length_prefixed(raw, 0)
    _digests, inner = _read_length_prefixed(signed, 0)
    certificates, inner = _read_length_prefixed(signed, inner)
    chain = [_sha256_hex(certificate) for certificate in _iter_length_prefixed(certificates)]
    if not chain:
        raise ApkError("apk.signing_damaged")
    if scheme == _V2_BLOCK_ID:
        return Signer(certificate_sha256=chain[0])
    least, most = _read_u32(raw, at), _read_u32(raw, at + 4)
    attributes, _ = _read_length_prefixed(signed, inner + 8)  # behind the same two numbers again
    history: tuple[str, ...] = ()
    for attribute in _iter_length_prefixed(attributes):
        if _read_u32(attribute, 0) == _PROOF_OF_ROTATION_ID:
            history = tuple(_parse_rotation_history(attribute[_U32.size :]))
    return Signer(certificate_sha256=chain[0], min_sdk=least, max_sdk=most, certificate_history=history)


def _parse_rotation_history(raw: bytes) -> Iterator[str]:
    """A version, then levels: signed data (a certificate and an algorithm), flags, an algorithm, a signature."""
    for level in _iter_length_prefixed(raw[_U32.size :]):
        signed, _ = _read_length_prefixed(level, 0)
        certificate, _ = _read_length_prefixed(signed, 0)
        yield _sha256_hex(certificate)


def _parse_jar_signers(name: str, data: bytes) -> list[str]:
    """Certificates of the signers of a PKCS #7 file; the others in it only lead to them."""
    from asn1crypto import cms  # type: ignore[import-untyped]

    try:
        signed = cms.ContentInfo.load(data)["content"]
        found = []
        for info in signed["signer_infos"]:
            issuer, serial = info["sid"].chosen["issuer"], info["sid"].chosen["serial_number"].native
            for choice in signed["certificates"]:
                certificate = choice.chosen
                if certificate.serial_number == serial and certificate.issuer.dump() == issuer.dump():
                    found.append(_sha256_hex(certificate.dump()))
                    break
            if len(found) > _MAX_ITEMS:
                break
    except Exception as error:  # asn1crypto raises ValueError, TypeError, KeyError and others for what is no DER
        raise ApkError("apk.signature_damaged", entry=name) from error
    if not found:
        raise ApkError("apk.signature_damaged", entry=name)
    return found


def _read_u32(data: bytes, at: int) -> int:
    if at + _U32.size > len(data):
        raise ApkError("apk.signing_damaged")
    return int.from_bytes(data[at : at + _U32.size], "little")


def _read_length_prefixed(data: bytes, at: int) -> tuple[bytes, int]:
    """Bytes behind their length, and where they end."""
    length = _read_u32(data, at)
    end = at + _U32.size + length
    if end > len(data):
        raise ApkError("apk.signing_damaged")
    return data[at + _U32.size : end], end


def _strip_length_prefix(data: bytes) -> bytes:
    return _read_length_prefixed(data, 0)[0]


def _iter_length_prefixed(data: bytes) -> Iterator[bytes]:
    at = 0
    for _ in range(_MAX_ITEMS):
        if at >= len(data):
            return
        item, at = _read_length_prefixed(data, at)
        yield item
    raise ApkError("apk.signing_damaged")


def _sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
