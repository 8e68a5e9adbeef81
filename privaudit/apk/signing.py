"""Read the certificates that an APK was signed with, for each of Android's signature schemes.

The signatures are not verified: that takes the complete file, and the phone did it when the app was installed. Which
scheme the phone verified depends on its Android version, and the others may contain anything;
`SigningInfo.active_signers` returns the verified ones.

AOSP: ``tools/apksig/src/main/java/com/android/apksig/internal/apk/`` (``v1`` to ``v3``, ``ApkSigningBlockUtils``), and
https://source.android.com/docs/security/features/apksigning.
"""

import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privaudit.apk.parts import SIGNING_BLOCK, ApkError, ApkPart, is_jar_signature
from privaudit.model import Message

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
"""Signers, certificates and blocks; apksigner writes at most ten signers."""
_U32: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One signer in one scheme."""

    certificate_sha256: str
    """SHA-256 of its certificate, in hexadecimal."""
    min_sdk: int | None = None
    max_sdk: int | None = None
    certificate_history: tuple[str, ...] = ()
    """Its certificates through key rotations, the oldest first, the current one last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningInfo:
    """The signers of an APK in every scheme."""

    schemes: Mapping[str, tuple[Signer, ...]]
    """``v1``, ``v2``, ``v3``, ``v3.1`` → signers."""
    problem: Message | None = None
    """Why a signer of v1 is missing."""

    def active_signers(self, sdk: int | None) -> tuple[Signer, ...]:
        """Return the signers that a phone of `sdk` verifies: those of the newest scheme that it supports."""
        for scheme in ("v3.1", "v3", "v2", "v1"):
            signers = tuple(
                signer
                for signer in self.schemes.get(scheme, ())
                if sdk is None or (signer.min_sdk or 0) <= sdk <= (signer.max_sdk or sdk)
            )
            if signers and (sdk is None or sdk >= _SCHEME_MIN_SDK[scheme]):
                return signers
        return ()


def parse_signing_info(parts: Mapping[str, ApkPart]) -> SigningInfo:
    """Parse the signing block and the signature files among `parts`.

    A v1 file that cannot be read does not take the signers of the other schemes away. Raises ApkError if there is no
    certificate, or a block that Android might verify is damaged.
    """
    schemes: dict[str, tuple[Signer, ...]] = {}
    if SIGNING_BLOCK in parts:
        for block_id, value in _iter_block_pairs(parts[SIGNING_BLOCK].to_bytes()):
            scheme = _SCHEME_BY_BLOCK_ID.get(block_id)
            if scheme is not None and scheme not in schemes:
                signers, _ = _read_length_prefixed(value, 0)
                schemes[scheme] = tuple(_parse_signer(signer, block_id) for signer in _iter_length_prefixed(signers))
    v1_signers: list[Signer] = []
    v1_errors: list[ApkError] = []
    for name in filter(is_jar_signature, parts):
        try:
            certificates = _parse_jar_signers(name, parts[name].to_bytes())
            v1_signers += (Signer(certificate_sha256=certificate) for certificate in certificates[:_MAX_ITEMS])
            if len(certificates) > _MAX_ITEMS:
                v1_errors.append(ApkError("apk.signers_too_many", entry=name, n=_MAX_ITEMS))
        except ApkError as error:
            v1_errors.append(error)
    if v1_signers:
        schemes["v1"] = tuple(v1_signers)
    if not any(schemes.values()):
        raise next(iter(v1_errors), ApkError("apk.no_certificate"))
    return SigningInfo(schemes=schemes, problem=v1_errors[0].message if v1_errors else None)


def _iter_block_pairs(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield id and value of each pair in the block, which has its size at its start and before its magic."""
    size = int.from_bytes(block[:8], "little")
    if size + 8 != len(block) or block[-24:-16] != block[:8] or not block.endswith(_SIGNING_BLOCK_MAGIC):
        raise ApkError("apk.signing_damaged")
    offset, end = 8, len(block) - 24
    for _ in range(_MAX_ITEMS):
        if offset == end:
            return
        length = int.from_bytes(block[offset : offset + 8], "little")
        if length < _U32.size or offset + 8 + length > end:
            raise ApkError("apk.signing_damaged")
        yield _U32.unpack_from(block, offset + 8)[0], block[offset + 12 : offset + 8 + length]
        offset += 8 + length
    raise ApkError("apk.signing_damaged")


def _parse_signer(data: bytes, block_id: int) -> Signer:
    """Parse a signer. v2: signed data, signatures, key. v3: signed data, SDK range, signatures, key."""
    signed_data, sdk_offset = _read_length_prefixed(data, 0)
    _digests, offset = _read_length_prefixed(signed_data, 0)
    certificates, offset = _read_length_prefixed(signed_data, offset)
    chain = [_sha256_hex(certificate) for certificate in _iter_length_prefixed(certificates)]
    if not chain:
        raise ApkError("apk.signing_damaged")
    if block_id == _V2_BLOCK_ID:
        return Signer(certificate_sha256=chain[0])
    min_sdk, max_sdk = _read_u32(data, sdk_offset), _read_u32(data, sdk_offset + _U32.size)
    attributes, _ = _read_length_prefixed(signed_data, offset + 2 * _U32.size)  # the signed data repeats the SDK range
    history: tuple[str, ...] = ()
    for attribute in _iter_length_prefixed(attributes):
        if _read_u32(attribute, 0) == _PROOF_OF_ROTATION_ID:
            history = tuple(_parse_rotation_history(attribute[_U32.size :]))
    return Signer(certificate_sha256=chain[0], min_sdk=min_sdk, max_sdk=max_sdk, certificate_history=history)


def _parse_rotation_history(data: bytes) -> Iterator[str]:
    """Yield the certificate of each level: after a version, levels begin with signed data, which begins with it."""
    for level in _iter_length_prefixed(data[_U32.size :]):
        signed_data, _ = _read_length_prefixed(level, 0)
        certificate, _ = _read_length_prefixed(signed_data, 0)
        yield _sha256_hex(certificate)


def _parse_jar_signers(name: str, data: bytes) -> list[str]:
    """Return the certificates of the signers in a PKCS #7 file, without the other certificates of their chains.

    At most one more than `_MAX_ITEMS` are read. Issuers are compared as RFC 5280 section 7.1 says, as Java's
    ``X500Principal`` does: one encodes as PrintableString what the other encodes as UTF8String.
    """
    from asn1crypto import cms  # type: ignore[import-untyped]  # slow to load, and rarely needed

    try:
        signed_data = cms.ContentInfo.load(data)["content"]
        signers = []
        for info in signed_data["signer_infos"]:
            issuer, serial = info["sid"].chosen["issuer"], info["sid"].chosen["serial_number"].native
            for certificate in (choice.chosen for choice in signed_data["certificates"]):
                if certificate.serial_number == serial and certificate.issuer == issuer:
                    signers.append(_sha256_hex(certificate.dump()))
                    break
            if len(signers) > _MAX_ITEMS:
                break
    except Exception as error:  # asn1crypto raises ValueError, TypeError, KeyError and others for invalid DER
        raise ApkError("apk.signature_damaged", entry=name) from error
    if not signers:
        raise ApkError("apk.signature_damaged", entry=name)
    return signers


def _read_u32(data: bytes, offset: int) -> int:
    if offset + _U32.size > len(data):
        raise ApkError("apk.signing_damaged")
    return int.from_bytes(data[offset : offset + _U32.size], "little")


def _read_length_prefixed(data: bytes, offset: int) -> tuple[bytes, int]:
    """Return the bytes after a length field, and their end."""
    length = _read_u32(data, offset)
    end = offset + _U32.size + length
    if end > len(data):
        raise ApkError("apk.signing_damaged")
    return data[offset + _U32.size : end], end


def _iter_length_prefixed(data: bytes) -> Iterator[bytes]:
    offset = 0
    for _ in range(_MAX_ITEMS):
        if offset >= len(data):
            return
        item, offset = _read_length_prefixed(data, offset)
        yield item
    raise ApkError("apk.signing_damaged")


def _sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
