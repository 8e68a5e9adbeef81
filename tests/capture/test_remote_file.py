"""Parts of files: what is kept, what is missing, and the commands that fetch it, against Android's own tools."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privaudit.capture import remote_file
from privaudit.capture.remote_file import RemoteFile
from privaudit.capture.scripts import (
    BLOCK_BYTES,
    MAX_BLOCK_INDEX,
    BlockRange,
    file_block_scripts,
    file_hash_scripts,
    file_size_scripts,
    is_apk_path,
)
from privaudit.virtual_phone.shell import Shell
from tests.capture.conftest import OLD
from tests.virtual_phone.conftest import need

PATH = "/data/app/~~aB3_-w==/com.example.x-Zz09==/base.apk"
DATA = bytes((number * 7 + number // 256) & 0xFF for number in range(3 * BLOCK_BYTES + 1234))
CRLF = b"\r\n\n\r\r\n" * 2000


@given(
    size=st.integers(0, 5 * BLOCK_BYTES),
    kept=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=6),
    wish=st.tuples(st.integers(-BLOCK_BYTES, 6 * BLOCK_BYTES), st.integers(0, 6 * BLOCK_BYTES)),
)
def test_fetched_bytes_are_read(size, kept, wish):
    content = bytes(number * 31 & 0xFF for number in range(size))
    file = RemoteFile("/x.apk", size)
    for first, count in kept:
        file.store(first, content[first * BLOCK_BYTES : (first + count) * BLOCK_BYTES])
    start, end = min(wish), max(wish)
    for missing in file.missing_blocks((start, end)):
        assert missing.block_count > 0
        file.store(
            missing.first_block,
            content[missing.first_block * BLOCK_BYTES : (missing.first_block + missing.block_count) * BLOCK_BYTES],
        )
    assert file.missing_blocks((start, end)) == []
    assert file.bytes_at(start, end) == content[max(0, start) : max(0, end)]


def test_known_blocks_are_not_fetched_again():
    file = RemoteFile("/x.apk", 10 * BLOCK_BYTES)
    file.store(2, b"a" * 2 * BLOCK_BYTES)
    assert [(b.first_block, b.block_count) for b in file.missing_blocks((BLOCK_BYTES + 1, 6 * BLOCK_BYTES))] == [
        (1, 1),
        (4, 2),
    ]
    file.store(1, b"b" * 4 * BLOCK_BYTES)
    assert file.bytes_at(2 * BLOCK_BYTES, 3 * BLOCK_BYTES) == b"a" * BLOCK_BYTES


def test_reading_unfetched_bytes_raises_lookup_error():
    with pytest.raises(LookupError):
        RemoteFile("/x.apk", 10).bytes_at(0, 1)


def test_evicted_ranges_are_missing_again():
    file = RemoteFile("/x.apk", len(DATA))
    file.store(0, DATA)
    assert file.bytes_at(len(DATA) - 4, len(DATA) + 9) == DATA[-4:]
    assert not file.missing_blocks((0, len(DATA)))
    file.evict()
    assert file.missing_blocks((0, 1))


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
def test_paths_of_real_phones_are_accepted(path):
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
def test_other_paths_never_enter_a_command(path):
    assert not is_apk_path(path)
    for make in (file_size_scripts, file_hash_scripts):
        with pytest.raises(ValueError, match="path"):
            list(make("@@m", [path], max_bytes=4000))
    with pytest.raises(ValueError, match="path"):
        list(file_block_scripts("@@m", [BlockRange(path, 0, 1)], max_bytes=4000))


@pytest.mark.parametrize(
    ("first", "count"), [(-1, 1), (0, 0), (0, -1), (MAX_BLOCK_INDEX + 1, 1), (0, MAX_BLOCK_INDEX + 1)]
)
def test_invalid_ranges_are_rejected(first, count):
    with pytest.raises(ValueError, match="range"):
        list(file_block_scripts("@@m", [BlockRange(PATH, first, count)], max_bytes=4000))


def test_scripts_keep_their_limit_and_are_complete():
    wanted = [BlockRange(f"/data/app/app{number % 40}/base.apk", number, 1) for number in range(200)]
    commands = list(file_block_scripts("@@0123456789abcdef", wanted, max_bytes=4091))
    assert all(len(command.text) <= 4091 and command.binary for command in commands)
    asked = [line for command in commands for line in command.text.splitlines() if line.startswith("b ")]
    assert asked == [f"b {number} 1" for number in range(200)]
    assert all(command.text.split("\n")[2].startswith("p='") for command in commands)
    sizes = list(file_size_scripts("@@m", [blocks.path for blocks in wanted], max_bytes=1000))
    assert all(len(command.text) <= 1000 for command in sizes)
    assert sum(command.text.count(".apk'") for command in sizes) == 200


@pytest.mark.parametrize("how", [{}, OLD], ids=["Android 14", "Android 6"])
class TestOverAdb:
    def test_bytes_are_unchanged(self, attach, how):
        files = {PATH: DATA, "/system/app/crlf.apk": CRLF}
        phone, connection = attach(files, **how)
        found = {path: RemoteFile(path, len(content)) for path, content in files.items()}
        crlf = "/system/app/crlf.apk"
        wanted = [
            (found[PATH], [BlockRange(PATH, 0, 1), BlockRange(PATH, 3, 1)]),
            (found[crlf], [BlockRange(crlf, 0, 3)]),
        ]
        remote_file.fetch_blocks(connection, wanted)
        assert found["/system/app/crlf.apk"].bytes_at(0, len(CRLF)) == CRLF
        assert found[PATH].bytes_at(0, BLOCK_BYTES) == DATA[:BLOCK_BYTES]
        assert found[PATH].bytes_at(3 * BLOCK_BYTES, len(DATA)) == DATA[3 * BLOCK_BYTES :]
        assert len(phone.commands) == 1

    def test_sizes_and_hashes(self, attach, how):
        files = {PATH: DATA, "/system/app/empty.apk": b""}
        _, connection = attach(files, **how)
        paths = ["/nowhere/base.apk", *files]
        assert remote_file.fetch_file_sizes(connection, paths) == {
            path: len(content) for path, content in files.items()
        }
        assert remote_file.fetch_file_hashes(connection, paths) == {
            p: hashlib.sha256(c).hexdigest() for p, c in files.items()
        }

    def test_unreadable_files_are_omitted(self, attach, how):
        _, connection = attach({PATH: DATA}, **how)
        gone = RemoteFile("/gone.apk", 100)
        file = RemoteFile(PATH, 100 * BLOCK_BYTES)
        remote_file.fetch_blocks(
            connection,
            [(gone, [BlockRange("/gone.apk", 0, 1)]), (file, [BlockRange(PATH, 90, 2), BlockRange(PATH, 3, 9)])],
        )
        assert gone.missing_blocks((0, 1))
        assert file.bytes_at(3 * BLOCK_BYTES, len(DATA)) == DATA[3 * BLOCK_BYTES :]
        with pytest.raises(LookupError):
            file.bytes_at(3 * BLOCK_BYTES, len(DATA) + 1)


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


def test_the_virtual_phone_agrees_with_mksh_and_toybox(tools, tmp_path):
    files = {PATH: DATA, "/system/app/A B/a.apk": CRLF, "/system/app/empty.apk": b""}
    root = tmp_path / "root"
    for path, content in files.items():
        place = root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    paths = [*files, "/missing.apk"]
    wanted = [BlockRange(path, first, count) for path in paths for first, count in ((0, 1), (1, 2), (3, 5), (40, 1))]
    made = [file_size_scripts, file_hash_scripts]
    commands = [command for make in made for command in make("@@00ff", paths, max_bytes=9999)]
    commands += file_block_scripts("@@00ff", wanted, max_bytes=9999)
    for command in commands:
        ours = Shell({}, files).run_script(command.text).out
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
def test_dd_agrees_with_the_real_one(words, tmp_path):
    (tmp_path / "f").write_bytes(DATA)
    real = subprocess.run([need("dd"), f"if={tmp_path}/f", *words.split()], capture_output=True, check=False)
    ours = Shell({}, {"/f": DATA}).run_script(f"dd if=/f {words}")
    assert (ours.out, bool(ours.code)) == (real.stdout, bool(real.returncode))
    if not real.returncode and "status" not in words and "9999" not in words:  # coreutils complains of a skip too far
        assert ours.err.decode().splitlines()[:2] == real.stderr.decode().splitlines()[:2]


def test_errors_agree_with_toybox(tools, tmp_path):
    assert Path(tools / "stat").exists()
    for line in ["stat -c %s /no", "sha256sum /no"]:
        real = subprocess.run([need("toybox"), *line.split()], capture_output=True, check=False)
        ours = Shell({}, {"/x/y": b""}).run_script(line)
        assert (ours.out, ours.code, bool(ours.err)) == (real.stdout, real.returncode, bool(real.stderr))
    folder = Shell({}, {"/x/y": b""})
    assert folder.run_script("sha256sum /x").code == 1
    assert folder.run_script("dd if=/x").code == 1
    assert folder.run_script("stat -c '%F %%' /x /x/y").out == b"directory %\nregular empty file %\n"
    assert folder.run_script("stat /x").code == 1
    assert folder.run_script("printf abc | sha256sum 2>/dev/null || echo abc | sha256sum").out.endswith(b"  -\n")
    assert folder.run_script("echo abc | dd bs=1 count=2").out == b"ab"
