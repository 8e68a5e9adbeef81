"""The process in which androguard reads APKs: a file that hangs it, crashes it or fills its memory costs no other.

`privaudit.vetting.second_reader` runs this file as a program. For each APK, standard input has its length (8 bytes,
little-endian) and its bytes; standard output gets one line of JSON: what was read, or ``null``.
"""

import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

MAX_MEMORY_BYTES: Final = 3 << 30
"""Address space of this process, where the system can limit it (not on Windows)."""
_PERMISSION_TAGS: Final = ("uses-permission", "uses-permission-sdk-23", "uses-permission-sdk-m")
_COMPONENT_TAGS: Final = ("activity", "activity-alias", "service", "receiver", "provider")


def read_apk(data: bytes) -> dict[str, Any]:
    """Return package, permissions, components and signers; a part that androguard cannot give is ``None``."""
    from androguard.core.apk import APK

    apk = APK(data, raw=True)
    manifest = apk.get_android_manifest_xml()
    package = apk.get_package()
    if manifest is None or not package:
        raise ValueError("no manifest")
    applications = manifest.findall("application")
    components = {name for application in applications for name in _names(apk, application, _COMPONENT_TAGS)}
    return {
        "package": [package],
        "permissions": sorted({*_names(apk, manifest, _PERMISSION_TAGS)}),
        "components": sorted(_full_class_name(package, name) for name in components),
        "signers": _signers(apk),
    }


def _names(apk: Any, parent: Any, tags: tuple[str, ...]) -> Iterator[str]:  # noqa: ANN401 - androguard has no types
    for child in parent:
        if child.tag in tags and (name := apk.get_value_from_tag(child, "name")):
            yield name


def _full_class_name(package: str, name: str) -> str:
    full_name = f"{package}{name}" if name.startswith(".") else name
    return full_name if "." in full_name else f"{package}.{full_name}"


def _signers(apk: Any) -> list[str] | None:  # noqa: ANN401
    """Return the SHA-256 of the signers' certificates in the newest scheme; ``None`` if no certificate was read."""
    apk.get_certificates_der_v31(), apk.get_certificates_der_v3(), apk.get_certificates_der_v2()
    # These return whole chains; each signer has its own certificate first in it.
    for signers in (apk._v31_signing_data, apk._v3_signing_data, apk._v2_signing_data):  # noqa: SLF001
        if signers:
            return sorted({sha256(signer.signed_data.certificates[0]).hexdigest() for signer in signers})
    # v1 certificates come from here only if their signatures are valid.
    return sorted({sha256(certificate.dump()).hexdigest() for certificate in apk.get_certificates_v1()}) or None


def main() -> None:
    """Read APKs until standard input ends."""
    from loguru import logger

    answers, sys.stdout = sys.stdout, sys.stderr  # a library may print
    logger.remove()
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    while head := sys.stdin.buffer.read(8):
        data = sys.stdin.buffer.read(int.from_bytes(head, "little"))
        try:
            answer = json.dumps(read_apk(data))
        except Exception:  # noqa: BLE001 - whatever androguard raises for a file made to break it
            answer = "null"
        answers.write(f"{answer}\n")
        answers.flush()


if __name__ == "__main__":
    main()
