"""Parts of files: what is kept, what is missing, and the commands that fetch it, against Android's own tools."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privaudit.capture import remote_file
from privaudit.capture.questions import (
    BLOCK,
    LAST_BLOCK,
    Blocks,
    file_blocks,
    file_hashes,
    file_sizes,
    is_apk_path,
)
from privaudit.capture.remote_file import RangeFile
from privaudit.virtual_phone.shell import Shell
from tests.capture.conftest import OLD
from tests.virtual_phone.conftest import need

PATH = "/data/app/~~aB3_-w==/com.example.x-Zz09==/base.apk"
DATA = bytes((number * 7 + number // 256) & 0xFF for number in range(3 * BLOCK + 1234))
CRLF = b"\r\n\n\r\r\n" * 2000


@given(
    size=st.integers(0, 5 * BLOCK),
    kept=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=6),
    wish=st.tuples(st.integers(-BLOCK, 6 * BLOCK), st.integers(0, 6 * BLOCK)),
)
def test_what_was_fetched_is_what_is_read(size, kept, wish):
    content = bytes(number * 31 & 0xFF for number in range(size))
    file = RangeFile("/x.apk", size)
    for first, count in kept:
        file.keep(first, content[first * BLOCK : (first + count) * BLOCK])
    start, end = min(wish), max(wish)
    for missing in file.lacks(start, end):
        assert missing.count > 0
        file.keep(missing.first, content[missing.first * BLOCK : (missing.first + missing.count) * BLOCK])
    assert file.lacks(start, end) == []
    assert file.bytes_at(start, end) == content[max(0, start) : max(0, end)]


def test_what_is_known_is_not_asked_again():
    file = RangeFile("/x.apk", 10 * BLOCK)
    file.keep(2, b"a" * 2 * BLOCK)
    assert [(b.first, b.count) for b in file.lacks(BLOCK + 1, 6 * BLOCK)] == [(1, 1), (4, 2)]
    file.keep(1, b"b" * 4 * BLOCK)
    assert file.bytes_at(2 * BLOCK, 3 * BLOCK) == b"a" * BLOCK


def test_reading_what_was_not_fetched_is_an_error_and_not_zeros():
    with pytest.raises(LookupError):
        RangeFile("/x.apk", 10).bytes_at(0, 1)


def test_it_is_a_file():
    file = RangeFile("/x.apk", len(DATA))
    file.keep(0, DATA)
    assert file.readable()
    assert file.seekable()
    assert file.seek(-4, os.SEEK_END) == file.tell() == len(DATA) - 4
    assert file.read() == DATA[-4:]
    assert file.seek(2) == 2
    assert file.read(3) == DATA[2:5]
    with pytest.raises(ValueError, match="before"):
        file.seek(-1)
    file.forget()
    assert file.lacks(0, 1)


@pytest.mark.parametrize(
    "path",
    [
        PATH,
        "/system/app/Foo/Foo.apk",
        "/product/app/A+B, C=1/a@b.apk",
        "/data/app/com.x-1/base.apk",
        "/mnt/expand/0-1/a.apk",
    ],
)
def test_paths_of_phones_are_taken(path):
    assert is_apk_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "base.apk",
        "/data/app/x/base.apk\n",
        "/data/a'b.apk",
        "/data/$(id).apk",
        "/data/`id`.apk",
        "/a;b.apk",
        "/a\\.apk",
        '/a".apk',
        "/a\0.apk",
        "/a.apk/",
        "/a*.apk",
        "/data/../etc/x.apk",
        "/data/é.apk",
        "/a|b.apk",
        f"/{'a' * 1100}.apk",
        "/data/data/x/databases/contacts.db",
        "-c /x.apk",
        "/a.apk\n/b.apk",
    ],
)
def test_nothing_else_enters_a_command(path):
    assert not is_apk_path(path)
    for make in (file_sizes, file_hashes):
        with pytest.raises(ValueError, match="path"):
            list(make("@@m", [path], limit=4000))
    with pytest.raises(ValueError, match="path"):
        list(file_blocks("@@m", [Blocks(path, 0, 1)], limit=4000))


@pytest.mark.parametrize(("first", "count"), [(-1, 1), (0, 0), (0, -1), (LAST_BLOCK + 1, 1), (0, LAST_BLOCK + 1)])
def test_only_ranges_of_files_are_asked_for(first, count):
    with pytest.raises(ValueError, match="range"):
        list(file_blocks("@@m", [Blocks(PATH, first, count)], limit=4000))


def test_scripts_keep_their_limit_and_ask_for_everything():
    wanted = [Blocks(f"/data/app/app{number % 40}/base.apk", number, 1) for number in range(200)]
    commands = list(file_blocks("@@0123456789abcdef", wanted, limit=4091))
    assert all(len(command.text) <= 4091 and command.binary for command in commands)
    asked = [line for command in commands for line in command.text.splitlines() if line.startswith("b ")]
    assert asked == [f"b {number} 1" for number in range(200)]
    assert all(command.text.split("\n")[2].startswith("p='") for command in commands)
    sizes = list(file_sizes("@@m", [blocks.path for blocks in wanted], limit=1000))
    assert all(len(command.text) <= 1000 for command in sizes)
    assert sum(command.text.count(".apk'") for command in sizes) == 200


@pytest.mark.parametrize("how", [{}, OLD], ids=["Android 14", "Android 6"])
class TestOverAdb:
    def test_bytes_stay_as_they_are(self, attach, how):
        files = {PATH: DATA, "/system/app/crlf.apk": CRLF}
        phone, connection = attach(files, **how)
        found = {path: RangeFile(path, len(content)) for path, content in files.items()}
        crlf = "/system/app/crlf.apk"
        wanted = [(found[PATH], [Blocks(PATH, 0, 1), Blocks(PATH, 3, 1)]), (found[crlf], [Blocks(crlf, 0, 3)])]
        remote_file.fetch(connection, wanted)
        assert found["/system/app/crlf.apk"].bytes_at(0, len(CRLF)) == CRLF
        assert found[PATH].bytes_at(0, BLOCK) == DATA[:BLOCK]
        assert found[PATH].bytes_at(3 * BLOCK, len(DATA)) == DATA[3 * BLOCK :]
        assert len(phone.commands) == 1

    def test_sizes_and_hashes(self, attach, how):
        files = {PATH: DATA, "/system/app/empty.apk": b""}
        _, connection = attach(files, **how)
        paths = ["/nowhere/base.apk", *files]
        assert remote_file.sizes(connection, paths) == {path: len(content) for path, content in files.items()}
        assert remote_file.hashes(connection, paths) == {p: hashlib.sha256(c).hexdigest() for p, c in files.items()}

    def test_what_cannot_be_read_is_left_out(self, attach, how):
        _, connection = attach({PATH: DATA}, **how)
        gone = RangeFile("/gone.apk", 100)
        file = RangeFile(PATH, 100 * BLOCK)
        remote_file.fetch(
            connection, [(gone, [Blocks("/gone.apk", 0, 1)]), (file, [Blocks(PATH, 90, 2), Blocks(PATH, 3, 9)])]
        )
        assert gone.lacks(0, 1)
        assert file.bytes_at(3 * BLOCK, len(DATA)) == DATA[3 * BLOCK :]
        with pytest.raises(LookupError):
            file.bytes_at(3 * BLOCK, len(DATA) + 1)


# --- against real tools -----------------------------------------------------------------------------------------------


@pytest.fixture
def tools(tmp_path):
    """A folder with Android's tools. Debian's toybox has no dd: there it is coreutils', with the same operands."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("stat", "sha256sum"):
        (folder / name).symlink_to(need("toybox"))
    (folder / "dd").symlink_to(need("dd"))
    return folder


def on_a_computer(script, tools, root):
    """Run `script` in mksh, with paths of the phone below `root`."""
    return subprocess.run(
        [need("mksh"), "-c", script.replace("'/", f"'{root}/")],
        capture_output=True,
        env={"PATH": str(tools), "LC_ALL": "C.UTF-8"},
        timeout=60,
        check=False,
    ).stdout.replace(f"{root}/".encode(), b"/")


def test_the_demo_phone_answers_as_mksh_and_toybox_do(tools, tmp_path):
    files = {PATH: DATA, "/system/app/A B/a.apk": CRLF, "/system/app/empty.apk": b""}
    root = tmp_path / "root"
    for path, content in files.items():
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    paths = [*files, "/missing.apk"]
    wanted = [Blocks(path, first, count) for path in paths for first, count in ((0, 1), (1, 2), (3, 5), (40, 1))]
    made = [file_sizes, file_hashes]
    commands = [command for make in made for command in make("@@00ff", paths, limit=9999)]
    commands += file_blocks("@@00ff", wanted, limit=9999)
    for command in commands:
        ours = Shell({}, files).run(command.text).out
        assert ours == on_a_computer(command.text, tools, root)
        assert ours.endswith(b"@@00ff done\n")


@pytest.mark.parametrize(
    "words",
    [
        "bs=10 skip=3 count=2",
        "bs=1k skip=1",
        "skip=1 count=1",
        "bs=4096 count=0",
        "bs=7 skip=9999",
        "bs=3 count=3 status=none",
        "bs=0",
        "bs=x",
        "nonsense",
        "count=1k bs=1",
    ],
)
def test_dd_agrees_with_a_real_one(words, tmp_path):
    (tmp_path / "f").write_bytes(DATA)
    real = subprocess.run([need("dd"), f"if={tmp_path}/f", *words.split()], capture_output=True, check=False)
    ours = Shell({}, {"/f": DATA}).run(f"dd if=/f {words}")
    assert (ours.out, bool(ours.code)) == (real.stdout, bool(real.returncode))
    if not real.returncode and "status" not in words and "9999" not in words:  # coreutils complains of a skip too far
        assert ours.err.decode().splitlines()[:2] == real.stderr.decode().splitlines()[:2]


def test_the_small_tools_complain_as_toybox_does(tools, tmp_path):
    assert Path(tools / "stat").exists()
    for line in ["stat -c %s /no", "sha256sum /no"]:
        real = subprocess.run([need("toybox"), *line.split()], capture_output=True, check=False)
        ours = Shell({}, {"/x/y": b""}).run(line)
        assert (ours.out, ours.code, bool(ours.err)) == (real.stdout, real.returncode, bool(real.stderr))
    folder = Shell({}, {"/x/y": b""})
    assert folder.run("sha256sum /x").code == 1
    assert folder.run("dd if=/x").code == 1
    assert folder.run("stat -c '%F %%' /x /x/y").out == b"directory %\nregular empty file %\n"
    assert folder.run("stat /x").code == 1
    assert folder.run("printf abc | sha256sum 2>/dev/null || echo abc | sha256sum").out.endswith(b"  -\n")
    assert folder.run("echo abc | dd bs=1 count=2").out == b"ab"
