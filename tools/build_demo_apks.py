"""Build the APKs of the demo phones: real APKs, small and signed, with the same bytes in every run.

    apt-get install aapt apksigner android-framework-res
    python tools/build_demo_apks.py

Each app of each scenario gets a manifest, a resource table with its names and a signature (v2 and v3), made by
Android's own tools. Users do not have these, so the result is kept in ``privaudit/virtual_phone/apks.zip``. It contains
no code and no secrets: the keys are derived from the names of the signers and sign nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import math
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

import privaudit
from privaudit.virtual_phone import load_scenario, scenario_names
from privaudit.virtual_phone.programs import apk_entry_name
from privaudit.virtual_phone.scenario.virtual import VirtualApp

FRAMEWORK = Path("/usr/share/android-framework-res/framework-res.apk")
OUTPUT = Path(privaudit.__file__).parent / "virtual_phone" / "apks.zip"
KEY_BITS = 2048
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
VALID_FROM, VALID_UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
SMALL_PRIMES = math.prod(n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


def main() -> int:
    """Build all APKs, in two threads: starting apksigner takes most of the time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", type=Path, default=FRAMEWORK, help="Android's own resources, for aapt")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    missing = [tool for tool in ("aapt", "apksigner") if shutil.which(tool) is None]
    if missing or not arguments.framework.is_file():
        sys.stderr.write("This needs the Debian packages aapt, apksigner and android-framework-res.\n")
        return 2
    apps: dict[str, VirtualApp] = {}
    for scenario_name in scenario_names():
        for app in _with_factory_versions(load_scenario(scenario_name).apps):
            entry_name = apk_entry_name(app)
            known = apps.setdefault(entry_name, app)
            if (manifest(known), resources(known)) != (manifest(app), resources(app)):
                sys.stderr.write(
                    f"{scenario_name}: {entry_name} is a different app in another scenario; change its version.\n"
                )
                return 1
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        built = pool.map(lambda item: build_apk(Path(folder) / item[0], item[1], arguments.framework), apps.items())
        archive = pack(dict(zip(apps, built, strict=True)))
    arguments.output.write_bytes(archive)
    sys.stdout.write(f"{len(apps)} APKs, {len(archive)} bytes: {arguments.output}\n")
    return 0


def _with_factory_versions(apps: tuple[VirtualApp, ...]) -> Iterator[VirtualApp]:
    for app in apps:
        yield app
        if app.factory is not None:
            yield app.factory


def pack(files: dict[str, bytes]) -> bytes:
    """Return a zip of all files that depends on their content alone."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=9)
    return stream.getvalue()


def build_apk(folder: Path, app: VirtualApp, framework: Path) -> bytes:
    """Build one APK in a folder of its own."""
    folder.mkdir()
    (folder / "AndroidManifest.xml").write_text(manifest(app), encoding="utf-8")
    command = [
        "aapt",
        "package",
        "-f",
        "-M",
        folder / "AndroidManifest.xml",
        "-I",
        framework,
        "-F",
        folder / "plain.apk",
    ]
    for qualifier, label in resources(app).items():
        values = folder / "res" / f"values{qualifier}" / "strings.xml"
        values.parent.mkdir(parents=True)
        text = escape(label).replace("'", r"\'")
        values.write_text(f'<resources><string name="app_name">{text}</string></resources>', encoding="utf-8")
    if app.labels:
        command += ["-S", folder / "res"]
    run(command)
    key, certificate = derive_signer(app.signer_name)
    (folder / "key.pk8").write_bytes(key)
    (folder / "key.der").write_bytes(certificate)
    signer = ["--key", folder / "key.pk8", "--cert", folder / "key.der", "--v4-signing-enabled", "false"]
    run(["apksigner", "sign", *signer, "--out", folder / "signed.apk", folder / "plain.apk"])
    return (folder / "signed.apk").read_bytes()


def resources(app: VirtualApp) -> dict[str, str]:
    """Return the qualifier of a ``values`` folder → name. The default name is the English one, as in most apps."""
    default = app.labels.get("en") or next(iter(app.labels.values()), None)
    labels = {} if default is None else {"": default}
    for tag, label in app.labels.items():
        language, _, region = tag.partition("-")
        if tag != "en":
            labels[f"-{language}-r{region}" if region else f"-{language}"] = label
    return labels


def manifest(app: VirtualApp) -> str:
    """Return the source of the manifest."""
    uses = "".join(f"  <uses-permission android:name={quoteattr(name)}/>\n" for name in app.requested_permissions)
    label = ' android:label="@string/app_name"' if app.labels else ""
    icon = (
        '    <activity android:name=".MainActivity">\n      <intent-filter>\n'
        '        <action android:name="android.intent.action.MAIN"/>\n'
        '        <category android:name="android.intent.category.LAUNCHER"/>\n'
        "      </intent-filter>\n    </activity>\n"
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<manifest xmlns:android="http://schemas.android.com/apk/res/android" package={quoteattr(app.package)}\n'
        f'    android:versionCode="{app.version_code}" android:versionName={quoteattr(app.version_name)}>\n'
        f'  <uses-sdk android:minSdkVersion="{app.min_sdk}" android:targetSdkVersion="{app.target_sdk}"/>\n{uses}'
        f'  <application{label} android:hasCode="false">\n{icon if app.labels else ""}  </application>\n</manifest>\n'
    )


@cache
def derive_signer(name: str) -> tuple[bytes, bytes]:
    """Return a key and a certificate derived from `name`. RSA, because its signatures contain no random number."""
    exponent = 65537
    p, q = (derive_prime(f"{name}:{part}") for part in ("p", "q"))
    phi = (p - 1) * (q - 1)
    d = pow(exponent, -1, phi)
    public = rsa.RSAPublicNumbers(exponent, p * q)
    key = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    ).private_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"privaudit demo: {name}"[:64])])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") | 1)
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_UNTIL)
        .sign(key, SHA256())
    )
    return (
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        certificate.public_bytes(Encoding.DER),
    )


def derive_prime(name: str) -> int:
    """Return a prime number of half the key's length, derived from `name`."""
    size = KEY_BITS // 16
    candidate = int.from_bytes(hashlib.shake_256(f"privaudit demo {name}".encode()).digest(size), "big")
    candidate |= 3 << (8 * size - 2) | 1
    while not (math.gcd(candidate, SMALL_PRIMES) == 1 and candidate % 65537 != 1 and is_prime(candidate)):
        candidate += 2
    return candidate


def is_prime(number: int) -> bool:
    """Run Miller and Rabin's test, with fixed bases: the numbers are not chosen to deceive it."""
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for base in (2, 3, 5, 7, 11, 13, 17, 19):
        x = pow(base, odd, number)
        if x in {1, number - 1}:
            continue
        for _ in range(twos - 1):
            x = x * x % number
            if x == number - 1:
                break
        else:
            return False
    return True


def run(command: list[object]) -> None:
    """Run a tool; print its output only if it fails."""
    result = subprocess.run([str(argument) for argument in command], capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{command[0]}: {result.stderr or result.stdout}")


if __name__ == "__main__":
    sys.exit(main())
