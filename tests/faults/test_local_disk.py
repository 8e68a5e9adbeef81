"""A full disk, a read-only one, and a reader that has had enough: on this computer, with the kernel's own errors."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from privaudit import atomic_write
from privaudit.capture import archive
from privaudit.errors import SourceError
from tests.faults.conftest import sentences

pytestmark = pytest.mark.unix

FULL = 500
"""Bytes that still fit."""


@pytest.fixture
def run_full(environment):
    """Run ``privaudit`` where no file may grow beyond `FULL` bytes."""

    def full():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, FULL))

    def run(*words, out=subprocess.PIPE):
        return subprocess.run(
            [sys.executable, "-B", "-m", "privaudit", *map(str, words)],
            env=environment,
            stdout=out,
            stderr=subprocess.PIPE,
            preexec_fn=full,
            check=False,
        )

    return run


def left(folder):
    return sorted(one.name for one in folder.iterdir() if one.is_file())


@pytest.mark.parametrize("suffix", ["txt", "json", "html", "csv"])
def test_a_report_on_a_full_disk(run_full, demo_capture, tmp_path, suffix):
    file, check = tmp_path / f"report.{suffix}", tmp_path / "check.zip"
    file.write_bytes(b"before")
    archive.write_archive(demo_capture, check)
    result = run_full("audit", check, "-o", file)
    assert result.returncode == 4
    assert "could not be written" in sentences(result.stderr.decode())[0]
    assert "Who can read what" in result.stdout.decode()  # the phone may be gone, so what was read is not lost
    assert file.read_bytes() == b"before"
    assert left(tmp_path) == [check.name, file.name]


def test_one_file_that_cannot_be_written_costs_no_other(run, tmp_path):
    for name in ("taken.html", "taken.txt"):
        (tmp_path / name).mkdir()
    result = run(
        "demo", "android16", "-o", "taken.html", "-o", "report.json", "-o", "taken.txt", "--json", cwd=tmp_path
    )
    assert result.code == 4
    assert json.loads(result.out) == json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert re.findall(r"(\S+) could not be written", result.err) == ["taken.txt", "taken.html"]
    assert left(tmp_path) == ["report.json"]


def test_a_capture_on_a_full_disk(run_full, demo_phone, tmp_path, key_folder):
    with demo_phone("android16") as phone:
        result = run_full("capture", tmp_path / "check.zip", "--no-apks", "--transport", f"tcp:{phone.address}")
    assert result.returncode == 4
    assert "could not be written" in sentences(result.stderr.decode())[0]
    assert left(tmp_path) == []


def test_a_ledger_on_a_full_disk_means_that_nothing_is_changed(run_full, demo_phone, tmp_path, key_folder):
    with demo_phone("android16") as phone:
        words = ("com.example.flashpeso", "--apply", "--yes", "--ledger", tmp_path / "ledger.json")
        result = run_full("revoke", *words, "--transport", f"tcp:{phone.address}")
        assert not [text for text in phone.commands if "pm revoke" in text or "appops set" in text]
    assert result.returncode == 4
    assert "could not be written" in sentences(result.stderr.decode())[0]
    assert left(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
@pytest.mark.parametrize("words", [("--json",), (), ("-o", "-")])
def test_standard_output_that_is_full(run_full, words):
    with Path("/dev/full").open("wb") as out:
        result = run_full("demo", "android16", "--no-apks", *words, out=out)
    assert result.returncode == 4
    assert sentences(result.stderr.decode())


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENAMETOOLONG, errno.EDQUOT, errno.EIO])
def test_an_unwritable_folder(tmp_path, monkeypatch, number):
    """Also where not even the attempt can be taken away again."""

    def no(*_args, **_named):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic_write.os, "open", no)
    monkeypatch.setattr(Path, "unlink", no)
    with pytest.raises(SourceError) as caught, atomic_write.atomic_writer(tmp_path / "a.txt"):
        raise AssertionError("never opened")
    assert caught.value.name == "not_written"
    assert caught.value.exit_code == 4
    assert left(tmp_path) == []


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_a_disk_that_fails_at_the_end(tmp_path, monkeypatch, at):
    file = tmp_path / "a.txt"
    file.write_bytes(b"before")

    def no(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((atomic_write.os, "fsync", no) if at == "fsync" else (Path, "replace", no)))
    with pytest.raises(SourceError), atomic_write.atomic_writer(file) as stream:
        stream.write(b"after")
    monkeypatch.undo()
    assert file.read_bytes() == b"before"
    assert left(tmp_path) == ["a.txt"]


def test_an_existing_target_is_replaced_by_a_private_file(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    (tmp_path / "a.txt.part").symlink_to(elsewhere)
    with atomic_write.atomic_writer(tmp_path / "a.txt") as stream:
        stream.write(b"said")
    assert elsewhere.read_bytes() == b"mine"
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o600
    (tmp_path / "b.txt").write_bytes(b"old")
    (tmp_path / "b.txt").chmod(0o666)
    with atomic_write.atomic_writer(tmp_path / "b.txt") as stream:
        stream.write(b"new")
    assert (tmp_path / "b.txt").stat().st_mode & 0o777 == 0o600
