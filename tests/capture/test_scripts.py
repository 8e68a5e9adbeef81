"""The scripts that go to a phone: every word of them is allowed, and nothing else can be sent."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import privaudit
from privaudit.capture import questions, scripts
from privaudit.capture.questions import PERMISSIONS, PROPERTIES, QUESTIONS, QUESTIONS_BY_NAME, SETTINGS
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell import ProgramResult, Shell
from tests.fixtures.sentences import ENGLISH

PACKAGE = Path(privaudit.__file__).parent
M = "@@0123456789abcdef"
FIRST = scripts.first_round(M).text
ALL_KEYS = [
    "properties",
    "users",
    "packages",
    "installed.0",
    "third_party.10",
    "settings.999",
    "package.com.x",
    "appops_get.0.com.x",
]
SCRIPTS = {
    "first": FIRST,
    "later": "".join(command.text for command in scripts.follow_up_rounds(M, ALL_KEYS, max_bytes=100_000)),
}

# --- what is run -----------------------------------------------------------------------------------------------------

_NAMES = f"(?: {re.escape('android.permission.')}[A-Z_]+)+"
ALLOWED = [
    r"getprop [a-z][a-z0-9_.]+",
    r"settings --user \d+ get secure [a-z_]+",
    r"pm list users",
    r"cmd user list -v",
    r"pm list packages( -f -i( -U)?| -3) --user \d+",
    rf"dumpsys( -t 60)? package permission{_NAMES}",
    r"dumpsys( -t 60)? package [A-Za-z][\w.]*",
    r"dumpsys -t 60 package --proto",
    r"cmd appops get --user \d+ [A-Za-z][\w.]* [A-Z_]+",
    r"dumpsys( -t 60)? (appops|role|device_policy)",
    r"date \+%s",
]


@pytest.fixture(params=[(23, "first"), (28, "first"), (34, "first"), (23, "later"), (34, "later")], ids=str)
def ran(request):
    """Every command that a phone of that SDK really runs, words joined."""
    sdk, which = request.param
    phone = load_scenario("borrower")
    commands = []

    def spy(name, program):
        def run(argv, stdin):
            commands.append(" ".join([name, *argv[1:]]))
            if [name, *argv[1:]] == ["getprop", "ro.build.version.sdk"]:
                return ProgramResult(f"{sdk}\n".encode())
            return program(argv, stdin)

        return run

    everything = {name: spy(name, program) for name, program in build_programs(phone).items()}
    for name in ("content", "sh", "su", "cat", "ls", "find", "dd", "rm", "input", "logcat", "service", "monkey"):
        everything[name] = spy(name, lambda _argv, _stdin: ProgramResult())
    Shell(everything).run_script(SCRIPTS[which])
    return commands


def test_every_command_that_runs_is_allowed(ran):
    assert len(ran) > 20
    for command in ran:
        assert any(re.fullmatch(pattern, command) for pattern in ALLOWED), command


def test_only_named_properties_and_settings_are_read(ran):
    words = [command.split() for command in ran]
    assert {line[1] for line in words if line[0] == "getprop"} <= set(PROPERTIES)
    assert {line[-1] for line in words if line[0] == "settings"} <= set(SETTINGS)


WORDS_OF_THE_SHELL = {
    "a", "b", "case", "do", "done", "echo", "esac", "fi", "for", "g", "if", "in", "o", "s",
    "set", "shift", "then", "}", "$@",
}  # fmt: skip
PROGRAMS = {"getprop", "settings", "pm", "dumpsys", "date", "cmd"}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_scripts_contain_no_other_program(script):
    """Every word in the place of a command, also on paths that the demo phone does not take."""
    bare = re.sub(r"'[^']*'|2>&1|</dev/null|2>/dev/null", " ", script)
    starts = re.findall(r"(?:^|;|\$\(|\bdo\b|\bthen\b|\{ )\s*([^\s;()]+)", bare, re.MULTILINE)
    starts += re.findall(r"^a \S+ (\S+)", script, re.MULTILINE)
    for word in starts:
        known = word in WORDS_OF_THE_SHELL | PROGRAMS or re.match(
            r"[a-z]=|[a-z]\(\)|\$[a-z]$|\"|''?\||\*$|UserInfo", word
        )
        assert known or word == "case", word
    assert not re.search(
        r"\bcontent\b|query|insert|delete|\bput\b|\bgrant\b|revoke|>\s*/(?!dev/null)|&&|`|\bsu\b", script
    )
    assert "getprop;" not in script
    assert "settings list" not in script


# --- how much --------------------------------------------------------------------------------------------------------


def test_the_first_round_fits_one_message_of_android_6():
    assert len(FIRST.encode()) < 4000


def test_the_first_round_has_every_question_but_those_about_single_apps():
    for question in QUESTIONS:
        per = {"phone": question.name, "user": f"{question.name}.$u"}.get(question.scope)
        assert (f"{'b' if question.is_binary else 'a'} {per} " in FIRST) == (per is not None)


def test_every_permission_is_named_once():
    line = next(line for line in FIRST.splitlines() if line.startswith("a packages "))
    assert line.split()[6:] == [name.replace("android.permission.", "${p}") for name in PERMISSIONS]
    assert len(set(PERMISSIONS)) == len(PERMISSIONS)


@pytest.mark.parametrize("limit", [1200, 2000, 4000, 60_000])
def test_follow_up_rounds_are_split_by_the_limit_and_complete(limit):
    wanted = [f"package.com.example.application{number}" for number in range(200)]
    commands = list(scripts.follow_up_rounds(M, wanted, max_bytes=limit))
    assert all(len(command.text.encode()) <= limit for command in commands)
    asked = [line.split()[1] for command in commands for line in command.text.splitlines() if line.startswith("a ")]
    assert asked == wanted
    assert all(command.text.endswith('echo "$m done"\n') for command in commands)
    assert list(scripts.follow_up_rounds(M, [], max_bytes=limit)) == []


# --- what may enter a command ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "", "x", "package", "package.", "package.a b", "package.a;reboot", "package.a\nb", "package.a\n",
        "package.$(x)", "package.`x`", "package.-f", "package.a..b", "package.1a", "package.ä.b", "package.a.b/",
        "package." + "a" * 256, "installed", "installed.", "installed.x", "installed.0;reboot", "installed.-1",
        "installed.123456", "installed.1\n", "installed.\u0661", "settings.all", "users.0", "packages.com.x",
        "clock.\n", "clock.x", "appops_get.com.x", "appops_get.0", "appops_get.0.a;b", "appops_get.x.com.x",
    ],
)  # fmt: skip
def test_only_users_and_package_names_enter_a_command(key):
    with pytest.raises(ValueError, match="not the key of an answer"):
        list(scripts.follow_up_rounds(M, [key], max_bytes=4000))


@pytest.mark.parametrize("name", ["a", "android", "com.example.app", "com.Example_1.App2", "a" * 255])
def test_package_names(name):
    assert questions.is_package_name(name)


@pytest.mark.parametrize(
    ("sdk", "users", "expected"),
    [
        (28, [0], {"roles": False, "appops": True, "installed.0": True, "installed.10": False}),
        (29, [0, 10], {"roles": True, "installed.0": True, "installed.10": True, "settings.10": True}),
        (None, [], {"roles": True, "installed.0": False}),
    ],
)
def test_expected_keys_of_a_complete_capture(sdk, users, expected):
    keys = set(questions.expected_keys(sdk, users))
    assert {key: key in keys for key in expected} == expected
    assert not any(key.startswith("package.") for key in keys)


# --- the list itself -------------------------------------------------------------------------------------------------


def test_every_question_has_a_reason_a_file_and_a_message():
    # Names and hashes come from APKs, by ranges and not by a question of their own.
    worded = {key.partition(".")[2] for key in ENGLISH if key.startswith("question.")}
    assert worded == QUESTIONS_BY_NAME.keys() | {
        "names",
        "hashes",
        "signers",
    }
    assert all(question.why and question.file_stem for question in QUESTIONS)
    files = [question.file_stem for question in QUESTIONS if question.scope != "package"]
    assert len(set(files)) == len(files)


def test_commands_are_made_in_two_files_only():
    """Whatever reaches a phone is on one of two lists: what is read, and what is changed."""
    makers = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            if name == "Command":
                makers.add(path.relative_to(PACKAGE).as_posix())
    assert "capture/scripts.py" in makers
    assert makers <= {"capture/scripts.py", "revocation/commands.py"}


# --- files ------------------------------------------------------------------------------------------------------------

FILES = ["/data/app/~~aB-_==/com.example.app-1==/base.apk", "/system/app/Some App, v2+/A.apk"]
QUOTED = r" '/[^'\n]+\.apk'"
READS_BLOCKS = (
    r"m=@@\S+\nb\(\) \{ echo \"\$m \$1 \$2\"; "
    r"dd if=\"\$p\" bs=4096 skip=\$1 count=\$2 2>/dev/null </dev/null; echo; \}\n"
    rf"(?:p={QUOTED[1:]}\n(?:b \d+ \d+\n)+)+echo \"\$m done\"\n"
)
FILE_READS = [
    READS_BLOCKS,
    rf"stat -c '%s %n'(?:{QUOTED})+ 2>/dev/null\necho; echo '@@\S+ done'\n",
    rf"sha256sum(?:{QUOTED})+ 2>/dev/null\necho; echo '@@\S+ done'\n",
]
"""Whole scripts: nothing else may stand in one that reads files."""


def test_files_are_only_measured_hashed_and_read_in_blocks():
    blocks = [scripts.BlockRange(path, first, 3) for path in FILES for first in (0, 7)]
    commands = [
        *scripts.file_block_scripts(M, blocks, max_bytes=60_000),
        *scripts.file_size_scripts(M, FILES, max_bytes=60_000),
        *scripts.file_hash_scripts(M, FILES, max_bytes=60_000),
    ]
    assert len(commands) == 3
    for command, shape in zip(commands, FILE_READS, strict=True):
        assert re.fullmatch(shape, command.text), command.text
