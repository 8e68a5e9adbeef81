"""The capture zip: what is written comes back, and what was changed, torn or made to harm is refused."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import struct
import warnings
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privaudit import facts
from privaudit.capture import archive, read_source
from privaudit.capture.answers import classify_answer, missing_answer
from privaudit.capture.collector import collect_first_round
from privaudit.capture.command_log import CommandLogEntry
from privaudit.capture.model import Capture
from privaudit.capture.redact import redact
from privaudit.errors import SourceError
from privaudit.model import AnswerState, Source
from privaudit.virtual_phone import connect_phone, load_scenario


@pytest.fixture(scope="session")
def taken() -> Capture:
    with connect_phone(load_scenario("borrower")) as transport:
        return collect_first_round(transport, demo=True)


@pytest.fixture(scope="session")
def small() -> Capture:
    answers = [
        redact(classify_answer("users", b"Users:\n\tUserInfo{0:Li Wei:13} running\n", exit_code=0)),
        classify_answer("installed.0", b"package:com.example.app\n", exit_code=0),
        classify_answer("third_party.10", b"Error: java.lang.SecurityException: x\n", exit_code=255),
        classify_answer("package.com.example.app", "速贷\r\x0b\u2028".encode(), exit_code=None, complete=False),
        missing_answer("appops", AnswerState.TIMED_OUT),
        replace(classify_answer("settings.0", b"default_input_method=a.b/.C\n", exit_code=None), translated_from="x"),
    ]
    return Capture(
        answers=MappingProxyType({answer.key: answer for answer in answers}),
        taken_at=datetime(2026, 1, 10, 7, 42, 0, 5, tzinfo=UTC),
        source=Source(kind="usb", sha256=None),
        demo=False,
        log=(
            CommandLogEntry(
                command="echo 1\n",
                why="first round",
                began_at=datetime(2026, 1, 10, 7, 42, tzinfo=UTC),
                seconds=1.5,
                exit_code=0,
            ),
        ),
    )


@pytest.fixture
def path(small, tmp_path):
    archive.write_archive(small, tmp_path / "check.zip")
    return tmp_path / "check.zip"


def entries(path):
    with zipfile.ZipFile(path) as zipped:
        return {info.filename: zipped.read(info) for info in zipped.infolist()}


def zipped(path, contents):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile says so of names that come twice
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive_file:
            for name, content in contents:
                archive_file.writestr(name, content)


# --- round trip ------------------------------------------------------------------------------------------------------


def test_archive_round_trips(small, path):
    back = read_source(path)
    assert dict(back.answers) == dict(small.answers)
    assert list(back.answers) == list(small.answers)
    assert (back.taken_at, back.demo, back.source.kind) == (small.taken_at, False, "capture")
    assert back.log == small.log
    assert len(back.source.sha256) == 64


def test_the_facts_of_a_saved_capture_are_those_of_the_live_one(taken, tmp_path):
    archive.write_archive(taken, tmp_path / "check.zip")
    back = read_source(tmp_path / "check.zip")
    assert facts.gather_facts(back) == facts.gather_facts(taken)
    assert (back.demo, back.source.kind) == (True, "demo")


@given(st.lists(st.tuples(st.integers(0, 9), st.text(), st.sampled_from([None, 0, 1, 255]))))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_round_trips(small, tmp_path_factory, rows):
    answers = [
        classify_answer(f"installed.{user}", text.encode("utf-8", "replace"), exit_code=code)
        for user, text, code in rows
    ]
    one = replace(small, answers=MappingProxyType({answer.key: answer for answer in answers}))
    path = tmp_path_factory.mktemp("any") / "check.zip"
    archive.write_archive(one, path)
    assert dict(archive.read(path).answers) == dict(one.answers)


@pytest.mark.unix
def test_archive_is_private_and_has_no_user_names(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert all(b"Li Wei" not in content for content in entries(path).values())


def test_each_answer_is_a_text_file_that_a_person_can_open(path):
    found = entries(path)
    assert found["pm_list_packages.txt"] == b"package:com.example.app\n"
    manifest = json.loads(found["manifest.json"])
    assert manifest["schema"] == "privaudit-capture/1"
    named = [row["file"] for row in manifest["answers"]]
    assert [*named, manifest["log"]["file"], "manifest.json"] == list(found)


def test_every_entry_has_its_hash_and_every_answer_the_number_of_its_marks(path):
    found = entries(path)
    manifest = json.loads(found["manifest.json"])
    rows = [*manifest["answers"], manifest["log"]]
    assert {row["file"]: row["sha256"] for row in rows} == {
        name: hashlib.sha256(content).hexdigest() for name, content in found.items() if name != "manifest.json"
    }
    assert {row["key"]: row["removed"] for row in manifest["answers"] if row["removed"]} == {"users": 1}
    assert {row["key"]: row["translated_from"] for row in manifest["answers"] if row["translated_from"]} == {
        "settings.0": "x"
    }


def test_the_log_has_command_reason_time_and_result(demo_capture, tmp_path):
    archive.write_archive(demo_capture, tmp_path / "check.zip")
    rows = [json.loads(line) for line in entries(tmp_path / "check.zip")["commands.jsonl"].splitlines()]
    assert rows[0]["why"].startswith("first round")
    assert "a packages dumpsys" in rows[0]["command"]
    assert {row["exit_code"] for row in rows} == {0}
    assert [row["began_at"] for row in rows] == sorted(row["began_at"] for row in rows)
    assert all(row["seconds"] >= 0 and not row["lost"] for row in rows)
    assert "parts of APKs" in {row["why"] for row in rows}


def test_an_archive_without_a_log_is_read(small, path):
    def older(manifest):
        del manifest["log"]
        for row in manifest["answers"]:
            del row["removed"], row["translated_from"]

    _edit(path, older)
    back = archive.read(path)
    assert back.log == ()
    assert {key: answer.text for key, answer in back.answers.items()} == {
        key: answer.text for key, answer in small.answers.items()
    }


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff", b"[" * 100_000])
def test_an_invalid_log_is_rejected(path, content):
    _edit(path, lambda manifest: manifest["log"].update(sha256=hashlib.sha256(content).hexdigest()))
    zipped(path, (entries(path) | {"commands.jsonl": content}).items())
    if content:
        assert refused(path) == "capture_damaged"
    else:
        assert archive.read(path).log == ()


def test_a_damaged_compressed_entry_is_rejected(path):
    contents = entries(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive_file:
        for name, content in contents.items():
            archive_file.writestr(name, content)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"manifest.json") + len("manifest.json")
    raw[at + 20 : at + 60] = b"\xff" * 40
    path.write_bytes(raw)
    with pytest.raises(SourceError):
        read_source(path)


# --- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["zipfile.ZipFile.writestr", "os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_leaves_nothing_behind(small, tmp_path, monkeypatch, where, error):
    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(where, fail)
    with pytest.raises(SourceError if isinstance(error, OSError) else KeyboardInterrupt) as raised:
        archive.write_archive(small, tmp_path / "check.zip")
    assert list(tmp_path.iterdir()) == []
    if isinstance(error, OSError):
        assert raised.value.values["reason"] == "No space left on device"


def test_a_failed_write_leaves_the_previous_file(small, path, monkeypatch):
    before = path.read_bytes()

    def fail(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(SourceError, match="not_written"):
        archive.write_archive(small, path)
    assert path.read_bytes() == before


def test_a_missing_folder_is_an_error(small, tmp_path):
    with pytest.raises(SourceError, match="not_written"):
        archive.write_archive(small, tmp_path / "nowhere" / "check.zip")


@pytest.mark.unix
def test_an_existing_target_is_replaced_by_a_private_file(small, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "a.zip.part").symlink_to(precious)
    (tmp_path / "b.zip.part").write_text("x")
    os.chmod(tmp_path / "b.zip.part", 0o644)  # noqa: PTH101
    for name in ("a.zip", "b.zip"):
        archive.write_archive(small, tmp_path / name)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert not (tmp_path / name).is_symlink()
    assert precious.read_text("utf-8") == "mine"


# --- reading what is damaged -----------------------------------------------------------------------------------------


def refused(path):
    with pytest.raises(SourceError) as raised:
        archive.read(path)
    return raised.value.name


def test_a_changed_text_is_rejected_and_named(path):
    contents = entries(path) | {"pm_list_packages.txt": b"package:com.example.bpp\n"}
    zipped(path, contents.items())
    with pytest.raises(SourceError, match="capture_changed") as raised:
        archive.read(path)
    assert raised.value.values["entry"] == "pm_list_packages.txt"


@given(at=st.integers(0, 10**6), bit=st.integers(0, 7))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_changed_bit_is_rejected_or_has_no_effect(small, tmp_path_factory, at, bit):
    path = tmp_path_factory.mktemp("bit") / "check.zip"
    archive.write_archive(small, path)
    raw = bytearray(path.read_bytes())
    raw[at % len(raw)] ^= 1 << bit
    path.write_bytes(raw)
    try:
        back = read_source(path)
    except SourceError:
        return
    assert dict(back.answers) == dict(small.answers)
    assert back.log == small.log


@given(at=st.integers(0, 10**6))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_truncated_zip_is_rejected(small, tmp_path_factory, at):
    path = tmp_path_factory.mktemp("torn") / "check.zip"
    archive.write_archive(small, path)
    raw = path.read_bytes()
    path.write_bytes(raw[: at % len(raw)])
    with pytest.raises(SourceError):
        read_source(path)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_other_content_is_rejected(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("none") / "check.zip"
    path.write_bytes(raw)
    assert not archive.recognises(path)
    with pytest.raises(SourceError):
        archive.read(path)


def test_a_missing_entry_is_rejected_and_named(path):
    contents = entries(path)
    del contents["dumpsys_appops.txt"]
    zipped(path, contents.items())
    with pytest.raises(SourceError, match="capture_damaged") as raised:
        archive.read(path)
    assert raised.value.values["entry"] == "dumpsys_appops.txt"


@pytest.mark.parametrize("name", ["notes.txt", "../../evil.txt", "/etc/passwd", "C:\\x", "a/../../b"])
def test_entries_outside_the_manifest_are_never_read(small, path, tmp_path, name):
    zipped(path, [*entries(path).items(), (name, b"x")])
    before = sorted(tmp_path.rglob("*"))
    assert dict(archive.read(path).answers) == dict(small.answers)
    assert sorted(tmp_path.rglob("*")) == before


def test_duplicate_entries_are_rejected(path):
    zipped(path, [*entries(path).items(), ("pm_list_packages.txt", b"package:com.other\n")])
    assert refused(path) == "capture_damaged"


def _edit(path, change):
    contents = entries(path)
    manifest = json.loads(contents["manifest.json"])
    change(manifest)
    zipped(path, (contents | {"manifest.json": json.dumps(manifest).encode()}).items())


EDITS = {
    "a file outside": lambda m: m["answers"][1].update(file="../pm_list_packages.txt"),
    "a file of another answer": lambda m: m["answers"][1].update(file="pm_list_users.txt"),
    "a question that nobody asks": lambda m: m["answers"][1].update(key="content"),
    "a user that is none": lambda m: m["answers"][1].update(key="installed.x"),
    "a user written otherwise": lambda m: m["answers"][1].update(
        key="installed.00", file="pm_list_packages.user00.txt"
    ),
    "a user in other digits": lambda m: m["answers"][1].update(key="installed.\u0661"),
    "no package name": lambda m: m["answers"][3].update(key="package.a b", file="dumpsys_package.a b.txt"),
    "a state that is none": lambda m: m["answers"][1].update(state="fine"),
    "an answer twice": lambda m: m["answers"].append(m["answers"][1]),
    "a time without zone": lambda m: m.update(taken_at="2026-01-10T07:42:00"),
    "no time": lambda m: m.update(taken_at="yesterday"),
    "a later kind": lambda m: m.update(schema="privaudit-capture/2"),
    "no answers": lambda m: m.pop("answers"),
    "a log elsewhere": lambda m: m["log"].update(file="../commands.jsonl"),
    "a log without a hash": lambda m: m["log"].pop("sha256"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_wrong_manifest_is_rejected(path, edit):
    _edit(path, edit)
    assert refused(path) == "capture_damaged"


@pytest.mark.parametrize("manifest", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_an_invalid_manifest_is_rejected(path, manifest):
    zipped(path, (entries(path) | {"manifest.json": manifest}).items())
    assert refused(path) == "capture_damaged"


def test_keys_of_later_versions_are_ignored(small, path):
    _edit(path, lambda manifest: (manifest.update(new=1), manifest["answers"][0].update(new=1)))
    assert dict(archive.read(path).answers) == dict(small.answers)


def test_a_too_large_archive_is_rejected_before_unpacking(path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 1 << 20)
    zipped(path, [*entries(path).items(), ("dumpsys_role.txt", b"\0" * (1 << 20))])
    assert path.stat().st_size < 1 << 14
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    assert refused(path) == "capture_too_large"


def test_too_many_entries_are_rejected(path):
    zipped(path, [*entries(path).items(), *((f"{number}.txt", b"") for number in range(archive.MAX_ENTRIES))])
    assert refused(path) == "capture_too_large"


def test_a_zip_with_false_sizes_is_rejected(path):
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\x01\x02")
    (size,) = struct.unpack_from("<I", raw, at + 24)
    struct.pack_into("<I", raw, at + 24, size - 1)
    path.write_bytes(raw)
    assert refused(path) == "capture_damaged"


def test_another_zip_is_not_ours(tmp_path):
    zipped(tmp_path / "x.zip", [("readme.txt", b"x")])
    assert not archive.recognises(tmp_path / "x.zip")
    assert refused(tmp_path / "x.zip") == "capture_damaged"
    assert not archive.recognises(tmp_path)


def test_a_zip_without_its_end_is_reported_as_truncated(tmp_path):
    path = tmp_path / "check.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("manifest.json", "{}" * 1000)
    whole = path.read_bytes()
    for size in (4, 100, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(SourceError, match="source_cut"):
            read_source(path)
    path.write_bytes(b"PK")
    with pytest.raises(SourceError, match="source_unknown"):
        read_source(path)
