"""The key by which a phone knows this computer."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
import threading

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from privaudit.errors import PhoneError
from privaudit.transport import adb_auth as keys
from tests.virtual_phone.conftest import need

NO_MODES = pytest.mark.unix


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def pem(private, password=None):
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


@pytest.mark.unix
@NO_MODES
def test_new_key_is_private_even_without_umask(tmp_path, open_umask):
    keys.load_or_create(tmp_path / "new" / ".android")
    folder = tmp_path / "new" / ".android"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "adbkey").stat().st_mode) == 0o600


@NO_MODES
def test_new_key_is_private_from_its_first_byte(tmp_path, monkeypatch, open_umask):
    opened = []
    real = os.open

    def watched(path, flags, mode=0o777, **more):
        opened.append((flags & os.O_EXCL, mode))
        return real(path, flags, mode, **more)

    monkeypatch.setattr(keys.os, "open", watched)
    keys.load_or_create(tmp_path)
    assert opened == [(os.O_EXCL, 0o600)]


def test_only_the_key_pair_remains(tmp_path):
    made = keys.load_or_create(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adbkey", "adbkey.pub"]
    assert (tmp_path / "adbkey.pub").read_bytes() == made.GetPublicKey() + b"\n"


def test_an_existing_key_is_reused_and_never_changed(tmp_path):
    first = keys.load_or_create(tmp_path)
    before = (tmp_path / "adbkey").read_bytes()
    assert keys.load_or_create(tmp_path).fingerprint == first.fingerprint
    assert (tmp_path / "adbkey").read_bytes() == before


def test_without_a_pub_the_public_key_is_derived(tmp_path):
    first = keys.load_or_create(tmp_path)
    (tmp_path / "adbkey.pub").unlink()
    assert keys.load_or_create(tmp_path).GetPublicKey() == first.GetPublicKey()
    assert not (tmp_path / "adbkey.pub").exists()


def test_a_foreign_pub_is_ignored(tmp_path):
    first = keys.load_or_create(tmp_path)
    (tmp_path / "adbkey.pub").write_bytes(b"")
    assert keys.load_or_create(tmp_path).GetPublicKey() == first.GetPublicKey()


def test_concurrent_connections_share_one_new_key(tmp_path):
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(keys.load_or_create(tmp_path).fingerprint)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1


def test_the_key_of_a_faster_adb_wins(tmp_path, monkeypatch):
    theirs = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    real = keys._generate_rsa

    def slow():
        (tmp_path / "adbkey").write_bytes(pem(theirs))
        return real()

    monkeypatch.setattr(keys, "_generate_rsa", slow)
    assert keys.load_or_create(tmp_path).modulus == theirs.private_numbers().public_numbers.n
    assert [path.name for path in tmp_path.iterdir()] == ["adbkey"]


def test_a_folder_without_hard_links_works(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(keys.os, "link", refuse)
    made = keys.load_or_create(tmp_path)
    assert keys.load_or_create(tmp_path).fingerprint == made.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adbkey", "adbkey.pub"]


def test_sign_treats_the_token_as_a_digest(tmp_path):
    made = keys.load_or_create(tmp_path)
    private = serialization.load_pem_private_key((tmp_path / "adbkey").read_bytes(), password=None)
    digest = utils.Prehashed(hashes.SHA1())  # noqa: S303 - ADB's choice
    for token in (bytes(range(20)), bytes(20), b"\xff" * 20):
        assert made.Sign(token) == private.sign(token, padding.PKCS1v15(), digest)


def test_a_key_that_lies_in_no_file_needs_no_cryptography():
    """A browser has none."""
    made = keys.generate()
    code = f"""
import sys
sys.modules["cryptography"] = None
from privaudit.transport.adb_auth import AdbKey
key = AdbKey(
    modulus={made.modulus}, public_exponent={made.public_exponent}, private_exponent={made.private_exponent}
)
print(key.Sign(bytes(20)).hex(), key.fingerprint)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == [made.Sign(bytes(20)).hex(), made.fingerprint]


def test_the_private_number_is_not_printed():
    made = keys.generate()
    assert str(made.private_exponent) not in repr(made)


def test_fingerprint_has_the_phones_format(tmp_path):
    # AdbDebuggingManager.getFingerprints: MD5 over the decoded first word, upper-case pairs with colons.
    assert keys.load_or_create(tmp_path).fingerprint.count(":") == 15
    assert keys.load_or_create(tmp_path).fingerprint == keys.load_or_create(tmp_path).fingerprint.upper()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key",
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(rsa.generate_private_key(public_exponent=65537, key_size=3072)),
        pem(rsa.generate_private_key(public_exponent=65537, key_size=2048), b"password"),
    ],
    ids=["empty", "text", "elliptic", "3072 bits", "with a password"],
)
def test_an_invalid_key_file_is_reported_and_unchanged(tmp_path, content):
    (tmp_path / "adbkey").write_bytes(content)
    with pytest.raises(PhoneError) as caught:
        keys.load_or_create(tmp_path)
    assert caught.value.name == "key_unreadable"
    assert caught.value.values == {"path": str(tmp_path / "adbkey")}
    assert (tmp_path / "adbkey").read_bytes() == content


def test_an_unreadable_key_file_is_reported(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError

    monkeypatch.setattr(keys.Path, "read_bytes", refuse)
    with pytest.raises(PhoneError) as caught:
        keys.load_or_create(tmp_path)
    assert caught.value.name == "key_unreadable"


def test_an_unwritable_key_folder_is_reported(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PhoneError) as caught:
        keys.load_or_create(tmp_path / "file" / ".android")
    assert caught.value.name in {"key_folder_unwritable", "key_unreadable"}


def test_a_full_disk_is_reported_and_leaves_no_temporary_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keys, "_link_without_overwrite", full)
    with pytest.raises(PhoneError) as caught:
        keys.load_or_create(tmp_path)
    assert caught.value.name == "key_folder_unwritable"
    assert list(tmp_path.iterdir()) == []


def test_adbs_own_folder_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert keys.default_key_folder() == tmp_path / ".android"


class TestAgainstAdb:
    def test_adb_derives_the_same_public_key_from_ours(self, tmp_path):
        made = keys.load_or_create(tmp_path)
        said = subprocess.run([need("adb"), "pubkey", tmp_path / "adbkey"], capture_output=True, check=True).stdout
        assert said.split()[0] == made.GetPublicKey().split()[0]

    def test_we_derive_the_same_public_key_from_adbs(self, tmp_path):
        subprocess.run([need("adb"), "keygen", tmp_path / "adbkey"], capture_output=True, check=True)
        theirs = (tmp_path / "adbkey.pub").read_bytes().split()[0]
        made = keys.load_or_create(tmp_path).GetPublicKey().split()[0]
        assert made == theirs
        assert len(base64.b64decode(made)) == 524
