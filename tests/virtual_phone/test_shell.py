"""The demo phone's shell against Android's own: mksh, as Debian packages it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privaudit.capture import scripts
from privaudit.virtual_phone.shell import Program, ProgramResult, Shell
from tests.virtual_phone.conftest import need

SCRIPTS = Path(__file__).with_name("scripts.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n----\n")
"""Scripts on which both must agree, one after another, between lines of four dashes."""

STUBS = {
    "getprop": 'case $1 in ro.build.version.sdk) echo 34;; ro.product.model) echo "Mi  9 \\\\t *";; *) echo;; esac',
    "pm": """case "$*" in
"list users") echo "Users:"; echo "\tUserInfo{0:Owner:c13} running"; echo "\tUserInfo{999:clone:x:1010} running";;
*) echo "package:/data/app/~~a==/com.x-b==/base.apk=com.x"; echo "<$*>"; exit 3;;
esac""",
    "dumpsys": 'echo "<$*>"; echo "a warning" >&2; case $3 in role) exit 255;; esac',
    "settings": 'echo "$5 of $2"',
    "date": "echo 1700000000",
    "cmd": 'echo "<$*>"',
}
"""Programs for both shells, as mksh text."""


def run_mksh(script: str, path: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [need("mksh"), "-c", script],
        input=stdin,
        capture_output=True,
        env={"PATH": f"{path}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_agrees_with_mksh(script: str, tmp_path: Path) -> None:
    expected = run_mksh(script, tmp_path)
    result = Shell({}).run_script(script)
    assert (result.out.decode(), result.code) == (expected.stdout.decode(), expected.returncode)
    assert bool(result.err) == bool(expected.stderr)


@pytest.mark.unix
@pytest.mark.parametrize("sdk", ["34", "25", "", "x"])
def test_capture_scripts_agree_with_mksh(tmp_path: Path, sdk: str) -> None:
    stubs = {**STUBS, "getprop": STUBS["getprop"].replace("34", sdk)}
    for name, text in stubs.items():
        (tmp_path / name).write_text(f"#!{need('mksh')}\n{text}\n")
        (tmp_path / name).chmod(0o755)

    def stub(name: str) -> Program:
        def program(argv: Sequence[str], _stdin: bytes) -> ProgramResult:
            return Shell({}).run_script(quoted(argv[1:]) + stubs[name])

        return program

    shell = Shell({name: stub(name) for name in stubs})
    later = scripts.follow_up_rounds("@@m", ["package.com.x", "installed.0", "appops"], max_bytes=4096)
    for command in (scripts.first_round("@@m"), *later):
        expected = run_mksh(command.text, tmp_path)
        result = shell.run_script(command.text)
        assert result.out.decode() == expected.stdout.decode()
        assert result.code == expected.returncode
        assert b"@@m done" in result.out


def quoted(args: Sequence[str]) -> str:
    return "set -- " + " ".join("'" + arg.replace("'", "'\\''") + "'" for arg in args) + "\n"


def test_joined_output_keeps_its_order() -> None:
    def both(_argv: Sequence[str], _stdin: bytes) -> ProgramResult:
        return ProgramResult(b"out\n", b"err\n", 4)

    shell = Shell({"both": both})
    assert shell.run_script("echo 1; both; echo 2") == ProgramResult(b"1\nout\n2\n", b"err\n")
    assert shell.run_script("{ echo 1; both; nosuch; echo $?; } 2>&1").out == (
        b"1\nout\nerr\n/system/bin/sh: nosuch: inaccessible or not found\n127\n"
    )
    assert shell.run_script("both 2>&1 >/dev/null") == ProgramResult(b"err\n", b"", 4)
    assert shell.run_script("both | cat") == ProgramResult(b"out\n", b"err\n")


def test_unknown_program() -> None:
    error = b"/system/bin/sh: nosuch: inaccessible or not found\n"
    assert Shell({}).run_script("nosuch -x") == ProgramResult(b"", error, 127)


def test_programs_get_their_path_and_input() -> None:
    def show(argv: Sequence[str], stdin: bytes) -> ProgramResult:
        return ProgramResult(f"{list(argv)}".encode() + stdin)

    shell = Shell({"show": show, "bytes": lambda _argv, _stdin: ProgramResult(b"\xff\xfe")})
    assert shell.run_script("/system/bin/show 'a b' é").out == "['/system/bin/show', 'a b', 'é']".encode()
    assert shell.run_script("echo in | show").out == b"['show']in\n"
    assert shell.run_script("show", b"given").out == b"['show']given"
    assert shell.run_script('echo "$(bytes)"').out == b"\xff\xfe\n"


def test_files() -> None:
    shell = Shell({}, {"/data/a/x.txt": b"1\n2\n3\n", "/data/b": b"\0\1"})
    assert shell.run_script("ls /data; cat /data/a/x.txt; head -n 1 </data/a/x.txt; tail -c +2 /data/b").out == (
        b"a\nb\n1\n2\n3\n1\n\x01"
    )
    assert shell.run_script("[ -f /data/b ] && [ -d /data ] && [ ! -e /x ]; echo $?").out == b"0\n"
    assert shell.run_script("cat /data").err == b"cat: /data: Is a directory\n"
    assert (
        shell.run_script("cat /x; ls /x").err
        == b"cat: /x: No such file or directory\nls: /x: No such file or directory\n"
    )
    assert shell.run_script("/data/b").code == shell.run_script("/data").code == 126
    assert shell.run_script("echo x > /data/b") == ProgramResult(
        b"", b"/system/bin/sh: can't create /data/b: Read-only file system\n", 1
    )


def test_sleep_function_is_replaceable() -> None:
    slept: list[float] = []
    assert Shell({}, sleep=slept.append).run_script("sleep 1.5; sleep x").code == 1
    assert slept == [1.5]


@pytest.mark.parametrize(
    "script",
    [
        "while :; do :; done",
        "f() { f; }; f",
        "f() { f | f; }; f",
        "f() { echo $(f); }; f",
        "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done",
        "big() { echo $(echo $1$1); }; x=a; while :; do x=$(big $x); done",
        "(" * 5000 + ")" * 5000,
        "echo " + "$(" * 5000,
        "`" * 999,
        "if " * 3000,
        "${x-" * 3000,
        "x=" + "a" * 20000 + "b; case $x in " + "*a" * 2000 + ") echo yes;; esac; nosuch",
    ],
)
def test_limits(script: str) -> None:
    result = Shell({}).run_script(script)
    assert result.code > 0
    assert result.err.startswith(b"/system/bin/sh: ")


@given(st.text(st.sampled_from("ab$(){}'\"`\\;|&<>! \n#%*[]=-?@12forinwhiledoneifthenfiesac"), max_size=60))
def test_never_raises(script: str) -> None:
    result = Shell({}).run_script(script)
    assert 0 <= result.code <= 255
