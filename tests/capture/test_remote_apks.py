"""Parts of APKs over ADB: the right bytes, few round trips, and nothing but words for whatever is damaged."""

from __future__ import annotations

import itertools
import struct
import tracemalloc
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privaudit.apk import parts
from privaudit.apk.parts import ARSC, MANIFEST, SIGNING_BLOCK, ApkPart, ApkParts, apk_message
from privaudit.capture import remote_apks
from privaudit.capture.remote_apks import ApkRequest
from privaudit.capture.scripts import BLOCK_BYTES
from privaudit.errors import ConnectionLost
from privaudit.model import AnswerState, Reply
from tests.capture.conftest import OLD
from tests.fixtures.apk_builder import Row, pack
from tests.fixtures.sentences import ENGLISH

PATH = "/data/app/~~a==/com.example.x-b==/base.apk"
XML = b"<manifest, as far as the zip is concerned>" * 50
TABLE = bytes(range(256)) * 37
ROWS = [Row(MANIFEST, XML), Row(ARSC, TABLE, 0), Row("classes.dex", b"dex" * 999)]
SIGNING = struct.pack("<Q", 4084)
SIGNING_BLOCK_CONTENT = SIGNING + struct.pack("<QI", 4052, 0x42726577) + b"\0" * 4048 + SIGNING + b"APK Sig Block 42"


class Shell:
    """A phone that answers from memory, and breaks where it is told to."""

    kind = "tcp"
    command_limit = 100_000

    def __init__(self, files, breaks_at=None):
        from privaudit.virtual_phone.shell import Shell as Demo

        self.shell = Demo({}, files)
        self.commands = []
        self.bytes = 0
        self.breaks_at = breaks_at

    def run(self, command, **_):
        self.commands.append(command.text)
        out = self.shell.run_script(command.text).out
        self.bytes += len(out)
        if self.breaks_at == len(self.commands):
            raise ConnectionLost("errors.lost", out[: len(out) // 2])
        return Reply(stdout=out, stderr=b"", exit_code=0)


def one(content, *, certificates=False, path=PATH):
    wanted = ApkRequest(package="com.example.x", path=path, with_certificates=certificates)
    return next(remote_apks.read_apks(Shell({PATH: content}), [wanted]))


def reason(apk, part=None):
    message = apk.problems[part] if part else apk.detail
    return message.key.removeprefix("apk.")


@pytest.mark.parametrize("how", [{}, OLD], ids=["Android 14", "Android 6"])
def test_parts_are_the_files_own_bytes(attach, how):
    content = pack(
        [*ROWS, Row("META-INF/CERT.RSA", b"seven"), Row("META-INF/x/CERT.RSA", b"no")],
        before_directory=SIGNING_BLOCK_CONTENT,
    )
    phone, connection = attach({PATH: content}, **how)
    apk = next(
        remote_apks.read_apks(connection, [ApkRequest(package="com.example.x", path=PATH, with_certificates=True)])
    )
    assert {name: part.to_bytes() for name, part in apk.parts.items()} == {
        MANIFEST: XML,
        ARSC: TABLE,
        "META-INF/CERT.RSA": b"seven",
        SIGNING_BLOCK: SIGNING_BLOCK_CONTENT,
    }
    assert (apk.state, apk.problems, apk.size) == (AnswerState.ANSWERED, {}, len(content))
    assert len(phone.commands) <= 4


def test_certificates_are_read_on_request_only():
    apk = one(pack([*ROWS, Row("META-INF/CERT.RSA", b"seven")], before_directory=SIGNING_BLOCK_CONTENT))
    assert set(apk.parts) == {MANIFEST, ARSC}


def test_signature_files_that_are_not_read_are_problems():
    """Each may name a signer: without a word, the signers that are left would look like all of them."""
    names = [f"META-INF/{letter}.RSA" for letter in "ABCDEFGHIJKLMNOP"]
    rows = [Row(name, bytes(2 << 20) if name == names[1] else b"seven") for name in names]
    content = pack([*ROWS, *rows], before_directory=SIGNING_BLOCK_CONTENT)
    apk = one(content, certificates=True)
    assert set(apk.parts) == {MANIFEST, ARSC, SIGNING_BLOCK, names[0], *names[2:13]}
    assert set(apk.problems) == {names[1], names[13]}
    assert reason(apk, names[1]) == "entry_too_large"
    assert apk.problems[names[13]] == apk_message("apk.signatures_too_many", entry=names[13], n=13)
    assert parts.load_apk_parts(apk.package, parts.dump_apk_parts(apk)) == apk
    assert one(content).problems == {}


def large(entries=9000, size=101 << 20):
    """An APK of `size` bytes, with a directory of half a megabyte."""
    rows = [Row(f"res/drawable-xxhdpi-v4/picture_{number:05}.png", b"", 0) for number in range(entries)]
    rest = size - (entries * 110 + (6 << 20))
    library = Row("lib/arm64-v8a/libapp.so", bytes(rest), 0)
    table = Row(ARSC, bytes(range(256)) * (4 << 12), 0)
    return pack([Row(MANIFEST, XML * 20), library, table, *rows], before_directory=SIGNING_BLOCK_CONTENT)


def test_a_hundred_megabytes_cost_four_round_trips_and_hardly_more_than_the_parts():
    content = large()
    phone = Shell({PATH: content})
    apk = next(remote_apks.read_apks(phone, [ApkRequest(package="com.example.x", path=PATH, with_certificates=True)]))
    directory = len(content) - 22 - content.index(b"PK\1\2")
    packed = len(zlib.compress(XML * 20, 9))
    needed = 22 + directory + packed + apk.parts[ARSC].size
    assert len(content) > 99 << 20
    assert len(phone.commands) <= 4
    assert phone.bytes <= 1.05 * needed


def test_many_apks_share_round_trips():
    files = {f"/data/app/app{number}/base.apk": pack(ROWS) for number in range(3 * remote_apks.BATCH_SIZE)}
    phone = Shell(files)
    found = list(
        remote_apks.read_apks(
            phone, [], [ApkRequest(package=f"a.b{number}", path=path) for number, path in enumerate(files)]
        )
    )
    assert [apk.package for apk in found] == [f"a.b{number}" for number in range(3 * remote_apks.BATCH_SIZE)]
    assert all(apk.parts[MANIFEST].to_bytes() == XML for apk in found)
    assert len(phone.commands) <= 4 * 3


def test_without_threads_the_same_is_read(monkeypatch):
    """A browser has none."""
    files = {PATH.replace("example", f"n{number}"): pack(ROWS) for number in range(3)}
    requests = [ApkRequest(package=f"com.n{number}.x", path=path) for number, path in enumerate(files)]
    expected = list(remote_apks.read_apks(Shell(files), requests))

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", refuse)
    monkeypatch.setattr("sys.platform", "emscripten")
    assert list(remote_apks.read_apks(Shell(files), requests)) == expected
    cut = list(remote_apks.read_apks(Shell(files, breaks_at=2), requests))
    assert {apk.state for apk in cut} == {AnswerState.NOT_ASKED}


def test_the_time_limit_applies_to_other_apps_only():
    files = {f"/app/{number}.apk": pack(ROWS) for number in range(4 * remote_apks.BATCH_SIZE)}
    wanted = [ApkRequest(package=f"a.b{number}", path=path) for number, path in enumerate(files)]
    first, then = wanted[: 2 * remote_apks.BATCH_SIZE], wanted[2 * remote_apks.BATCH_SIZE :]
    ticks = itertools.chain([0.0, 1.0], itertools.repeat(99.0))
    told = []
    found = list(
        remote_apks.read_apks(
            Shell(files), first, then, time_limit_s=10, on_progress=told.append, clock=lambda: next(ticks)
        )
    )
    states = [apk.state for apk in found]
    assert (
        states == [AnswerState.ANSWERED] * 3 * remote_apks.BATCH_SIZE + [AnswerState.NOT_ASKED] * remote_apks.BATCH_SIZE
    )
    assert reason(found[-1]) == "no_time"
    assert [(one.done, one.total) for one in told] == [(50 * n, 200) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("breaks_at", [1, 2, 3])
def test_a_pulled_cable_leaves_the_others_not_asked(breaks_at):
    files = {f"/app/{number}.apk": pack(ROWS) for number in range(2 * remote_apks.BATCH_SIZE)}
    wanted = [ApkRequest(package=f"a.b{number}", path=path) for number, path in enumerate(files)]
    found = list(remote_apks.read_apks(Shell(files, breaks_at), wanted))
    assert [apk.package for apk in found] == [one.package for one in wanted]
    assert {apk.state for apk in found} == {AnswerState.NOT_ASKED}
    assert {reason(apk) for apk in found} == {"cut"}


def test_unsafe_paths_never_enter_a_command():
    phone = Shell({})
    evil = "/data/app/$(reboot)'/base.apk"
    found = list(
        remote_apks.read_apks(phone, [ApkRequest(package="a.b", path=evil), ApkRequest(package="a.c", path="/x.apk")])
    )
    assert [reason(apk) for apk in found] == ["path_unusual", "cannot_open"]
    assert not any("reboot" in command for command in phone.commands)


# --- hostile zips -----------------------------------------------------------------------------------------------------

WHOLE = pack(ROWS)
END = WHOLE[-22:]
HOSTILE = {
    "empty": (b"", "not_zip"),
    "not a zip": (b"A" * 100_000, "not_zip"),
    "a script": (b"#!/bin/sh\n", "not_zip"),
    "end record cut": (WHOLE[:-1], "not_zip"),
    "end record moved": (WHOLE + b"more", "zip_damaged"),
    "end record in a comment": (pack(ROWS, comment=END + b"x"), "zip_damaged"),
    "no entries": (pack([]), "zip_damaged"),
    "directory cut": (pack(ROWS, size=60), "zip_damaged"),
    "directory outside": (pack(ROWS, offset=1 << 30), "zip_damaged"),
    "directory elsewhere": (pack(ROWS, offset=5), "zip_damaged"),
    "more entries than there are": (pack(ROWS, count=4), "zip_damaged"),
    "65,535 entries claimed": (pack(ROWS, count=65535), "zip64"),
    "zip64": (pack(ROWS, offset=0xFFFFFFFF), "zip64"),
    "several disks": (pack(ROWS, disk=0xFFFF), "zip64"),
    "a name twice": (pack([*ROWS, Row(MANIFEST, b"another")]), "zip_duplicate"),
    "a local header outside": (pack([Row("x", b"", offset=1 << 31), *ROWS]), "zip_damaged"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_apks_that_android_rejects_are_not_read(name):
    content, expected = HOSTILE[name]
    apk = one(content, certificates=True)
    assert (apk.state, reason(apk), dict(apk.parts)) == (AnswerState.UNREADABLE, expected, {})


BAD_ENTRIES = {
    "not there": (Row("androidmanifest.xml", XML), "entry_missing"),
    "size too small": (Row(MANIFEST, XML, size=10), "entry_damaged"),
    "size too large": (Row(MANIFEST, XML, size=len(XML) + 1), "entry_damaged"),
    "larger than the file": (Row(MANIFEST, XML, 0, size=1 << 20), "zip_damaged"),
    "packed larger than the file": (Row(MANIFEST, XML, packed=1 << 20), "zip_damaged"),
    "a bomb": (Row(MANIFEST, bytes(64 << 20)), "entry_too_large"),
    "a bomb that lies": (Row(MANIFEST, bytes(64 << 20), size=1 << 20), "entry_damaged"),
    "4 GB claimed": (Row(MANIFEST, XML, size=0xFFFFFFFE), "entry_too_large"),
    "two sizes": (Row(MANIFEST, XML, local={"size": 5}), "zip_differs"),
    "two names": (Row(MANIFEST, XML, local_name="AndroidManifest.xmL"), "zip_differs"),
    "no local header": (Row(MANIFEST, XML, offset=3), "entry_damaged"),
    "not deflated": (Row(MANIFEST, XML, 0, local={}, size=None), None),
}


@pytest.mark.parametrize("name", BAD_ENTRIES)
def test_a_damaged_manifest_does_not_affect_other_parts(name):
    row, expected = BAD_ENTRIES[name]
    tracemalloc.start()
    apk = one(pack([row, *ROWS[1:]]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert apk.parts[ARSC].to_bytes() == TABLE
    if expected is None:
        assert apk.parts[MANIFEST].to_bytes() == XML
    else:
        assert (reason(apk, MANIFEST), MANIFEST in apk.parts) == (expected, False)
    assert peak < 24 << 20


def test_garbage_instead_of_a_deflated_stream():
    whole = bytearray(WHOLE)
    whole[30 + len(MANIFEST)] = 0xFF
    apk = one(bytes(whole))
    assert reason(apk, MANIFEST) == "entry_damaged"


@pytest.mark.parametrize(
    "row",
    [
        Row(MANIFEST, XML, flags=1),
        Row(MANIFEST, XML, method=0x1234, packed=3),
        Row(MANIFEST, XML, method=99, flags=1),
        Row(MANIFEST, XML, flags=8, local={"size": 0, "packed": 0}),
        Row(MANIFEST, XML, extra=b"\xca\xfe\3\0abc"),
        Row(MANIFEST, XML, extra=bytes(40_000)),
    ],
    ids=["encrypted", "unknown method", "AES", "sizes later", "extra field", "long extra field"],
)
def test_tricks_that_android_accepts(row):
    rows = [replace(row, local={"packed": 3}) if row.packed else row, *ROWS[1:]]
    assert one(pack(rows)).parts[MANIFEST].to_bytes() == XML


def test_the_last_end_record_counts():
    assert one(WHOLE[:-22] + END + END).parts[MANIFEST].to_bytes() == XML


def test_a_long_comment_is_accepted():
    assert one(pack(ROWS, comment=b"x" * 65535)).parts[MANIFEST].to_bytes() == XML


def test_ten_thousand_entries():
    rows = [Row(f"assets/{number}", b"", 0) for number in range(10_000)]
    phone = Shell({PATH: pack([*rows, *ROWS])})
    apk = next(remote_apks.read_apks(phone, [ApkRequest(package="com.example.x", path=PATH)]))
    assert apk.parts[MANIFEST].to_bytes() == XML
    assert len(phone.commands) <= 4


@pytest.mark.parametrize("size", [0, 23, 4096, 1 << 40, (1 << 64) - 1])
def test_a_signing_block_with_a_wrong_size(size):
    raw = SIGNING_BLOCK_CONTENT[:-24] + struct.pack("<Q", size) + b"APK Sig Block 42"
    apk = one(pack(ROWS, before_directory=raw), certificates=True)
    assert apk.parts[MANIFEST].to_bytes() == XML
    assert reason(apk, SIGNING_BLOCK) == "signing_damaged" if SIGNING_BLOCK not in apk.parts else size == 4096


def test_a_large_signing_block_is_read_completely():
    size = 5 * BLOCK_BYTES - 8
    raw = struct.pack("<Q", size) + bytes(size - 24) + struct.pack("<Q", size) + b"APK Sig Block 42"
    apk = one(pack(ROWS, before_directory=raw), certificates=True)
    assert apk.parts[SIGNING_BLOCK].to_bytes() == raw


def test_a_file_that_shrinks_while_it_is_read():
    phone = Shell({PATH: WHOLE})
    honest, phone.run = (
        phone.run,
        lambda command, **_: Reply(
            stdout=honest(command).stdout.replace(b"%d " % len(WHOLE), b"%d " % (len(WHOLE) + 9 * BLOCK_BYTES)),
            stderr=b"",
            exit_code=0,
        ),
    )
    assert reason(next(remote_apks.read_apks(phone, [ApkRequest(package="com.example.x", path=PATH)]))) == "cannot_open"


@given(st.data())
def test_any_byte_may_be_wrong(data):
    content = bytearray(pack(ROWS, before_directory=SIGNING_BLOCK_CONTENT))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    apk = one(bytes(content[: data.draw(st.integers(0, len(content)))]), certificates=True)
    assert apk.state in {AnswerState.ANSWERED, AnswerState.UNREADABLE}
    assert all(message.key in ENGLISH for message in apk.problems.values())


# --- kept and read back -----------------------------------------------------------------------------------------------


def test_parts_round_trip():
    apk = one(pack(ROWS, before_directory=SIGNING_BLOCK_CONTENT), certificates=True)
    assert parts.load_apk_parts(apk.package, parts.dump_apk_parts(apk)) == apk
    lost = ApkParts(
        package="a.b", path="/x.apk", state=AnswerState.UNREADABLE, detail=apk_message("apk.zip_differs", entry="é\n")
    )
    assert parts.load_apk_parts("a.b", parts.dump_apk_parts(lost)) == lost


@given(
    data=st.binary(max_size=300),
    kept=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 50)), max_size=8),
)
def test_pieces_keep_their_offsets(data, kept):
    inside = [(min(start, len(data)), min(start + size, len(data))) for start, size in kept]
    thin = ApkPart.from_bytes(data).trimmed_to(inside)
    apk = ApkParts(
        package="a.b", path="/x.apk", state=AnswerState.ANSWERED, size=9, parts={ARSC: thin}, sha256="00" * 32
    )
    back = parts.load_apk_parts("a.b", parts.dump_apk_parts(apk))
    assert back == apk
    filled = back.parts[ARSC].to_bytes()
    assert len(filled) == len(data)
    assert all(filled[start:end] == data[start:end] for start, end in inside)


@given(st.data())
def test_a_damaged_parts_file_is_rejected_or_valid(data):
    apk = ApkParts(
        package="a.b",
        path="/x.apk",
        state=AnswerState.ANSWERED,
        parts={ARSC: ApkPart.from_bytes(bytes(99)).trimmed_to([(3, 9), (80, 99)])},
    )
    raw = bytearray(parts.dump_apk_parts(apk))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = parts.load_apk_parts("a.b", bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    except ValueError:
        return
    assert all(len(part.to_bytes()) == part.size for part in found.parts.values())


def test_parts_of_another_app_are_rejected():
    apk = ApkParts(package="a.b", path="/x.apk", state=AnswerState.NOT_ASKED)
    with pytest.raises(ValueError, match="another"):
        parts.load_apk_parts("a.c", parts.dump_apk_parts(apk))
    raw = parts.dump_apk_parts(replace(apk, parts={ARSC: ApkPart.from_bytes(b"abc")}))
    with pytest.raises(ValueError, match="changed"):
        parts.load_apk_parts("a.b", raw.replace(b"abc", b"abd"))
    for broken in (b"", b"privaudit-apk/1\n", b"privaudit-apk/1\n[]\n", raw + b"x", raw[:-1]):
        with pytest.raises(ValueError):
            parts.load_apk_parts("a.b", broken)
