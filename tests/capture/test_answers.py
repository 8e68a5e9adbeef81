"""How far each answer can be trusted, by its bytes and its exit code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privaudit.capture.answers import Answer, classify_answer, decode_output
from privaudit.capture.questions import QUESTIONS_BY_NAME
from privaudit.capture.redact import REDACTED, redact
from privaudit.model import AnswerState
from tests.fixtures.sentences import ENGLISH

A, R, U = AnswerState.ANSWERED, AnswerState.REFUSED, AnswerState.UNREADABLE
T, N, Q = AnswerState.TIMED_OUT, AnswerState.NOT_SUPPORTED, AnswerState.NOT_ASKED
LONG = "package:com.example.app\n" * 400
EXPIRED = "*** SERVICE 'package' DUMP TIMEOUT (10000ms) EXPIRED ***\n"


@pytest.mark.parametrize(
    ("key", "text", "code", "state"),
    [
        ("users", "Users:\n", 0, A),
        ("users", "Users:\n", None, A),
        ("users", "", 0, U),
        ("users", " \n", None, U),
        ("third_party.0", "", 0, A),  # a phone may have no app of its own
        ("third_party.0", "", 1, U),
        ("users", "Users:\n", 1, U),
        (
            "installed.10",
            "Error: java.lang.SecurityException: Shell does not have permission to access user 10\n",
            255,
            R,
        ),
        (
            "installed.10",
            "Exception occurred while executing 'list':\njava.lang.SecurityException: x\n\tat a.b\n",
            255,
            R,
        ),
        ("appops", "Security exception: x\n", 255, R),
        ("appops", "Permission Denial: can't dump AppOpsService from pid=1, uid=2000\n", 0, R),
        ("installed.10", "Operation not allowed: java.lang.SecurityException: x\n", 0, R),
        # The same words in the middle of a line are somebody's name.
        ("third_party.0", "package:com.evil.SecurityException\n", 0, A),
        ("settings.0", "enabled_notification_listeners=a.b/.SecurityException\n", 0, A),
        ("roles", "Can't find service: role\n", 0, N),  # dumpsys itself ends well
        ("roles", "Can't find service: role\n", 20, N),
        ("roles", "Can't find service: role\n", None, N),
        ("roles", "ROLE MANAGER STATE\nCan't find service: role\n", 0, A),
        ("installed.0", "Error: Unknown option: -U\n", 1, N),
        ("installed.0", "Error: unknown command 'list'\n", 255, N),
        ("users", "/system/bin/sh: pm: inaccessible or not found\n", 127, N),
        ("users", "x", 127, N),
        ("installed.0", LONG, 0, A),
        # In a long answer these words are data, whatever they say.
        ("installed.0", f"{LONG}package:com.x: not found\n", 0, A),
        ("installed.0", f"{LONG}Error: Unknown option: -U\n", 0, A),
        ("installed.0", f"{LONG}Error: Unknown option: -U\n", 1, U),
        ("packages", f"{LONG}java.lang.SecurityException: x\n", 0, A),
        ("packages", f"{LONG}{EXPIRED}", 0, T),
        ("packages", f"{EXPIRED}{LONG}", 0, A),
        ("packages", f"{LONG}Error dumping service info status_t: DEAD_OBJECT (0xffffffe0)\n", 0, U),
    ],
)
def test_states(key, text, code, state):
    assert classify_answer(key, text.encode(), exit_code=code).state is state


@pytest.mark.parametrize(("text", "state"), [("", Q), ("\r\n", Q), ("Users:", U)])
def test_a_truncated_answer(text, state):
    assert classify_answer("users", text.encode(), exit_code=None, complete=False).state is state


@pytest.mark.parametrize(
    ("raw", "text", "problem"),
    [
        (b"a\r\nb\r\r\n", "a\nb\n", None),
        (b"a\rb", "a\rb", None),  # not a line end: an app's own text
        ("\ufeff速贷\n".encode(), "速贷\n", None),
        ("速贷\n".encode("utf-16"), "速贷\n", None),
        ("速贷\r\n".encode("utf-16-be").join([b"\xfe\xff", b""]), "速贷\n", None),
        (b"\xff\xfea", "", "binary"),
        (b"a\0b", "", "binary"),
        ("速".encode("gbk"), None, "encoding"),
        ("a \ufffd b".encode(), "a \ufffd b", None),  # an app may name itself so
        ("\ufffd".encode() + b"\xff", "\ufffd\ufffd", "encoding"),
    ],
)
def test_encodings(raw, text, problem):
    found, wrong = decode_output(raw)
    assert text is None or found == text
    assert (wrong.key if wrong else None) == (f"coverage.{problem}" if problem else None)


@given(st.binary(), st.sampled_from([None, 0, 1, 127, 255]), st.sampled_from([*QUESTIONS_BY_NAME]))
def test_any_bytes_have_a_state(raw, code, name):
    answer = classify_answer(name if QUESTIONS_BY_NAME[name].scope == "phone" else f"{name}.0", raw, exit_code=code)
    assert (answer.state is A) == (answer.detail is None)
    assert "\r\n" not in answer.text


def test_every_problem_has_a_message():
    answer = classify_answer("users", b"", exit_code=0)
    assert answer.detail.key in ENGLISH


def test_a_key_contains_question_user_and_package():
    found = [Answer(key=key, state=A) for key in ("users", "installed.10", "package.a.b")]
    told = [(answer.question, answer.user, answer.subject) for answer in found]
    assert told == [("users", None, None), ("installed", 10, "10"), ("package", None, "a.b")]


# --- what is never kept ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "Li Wei",
        "李伟",
        "a:b}c",
        "null",
        "",
        "a{b",
        "10}",
        "x:13} running",
        "Li\nWei",
        "Li\n\n Wei\r",
        "Li\n:13} x",
        "a\u2028b",
    ],
)
@pytest.mark.parametrize("before", ["", "Users:\n"])
def test_names_of_android_users_are_removed(before, name):
    text = f"{before}\tUserInfo{{0:{name}:4c13}} running\n\tUserInfo{{10:{name}x:30}}\n"
    kept = redact(classify_answer("users", text.encode(), exit_code=0)).text
    for word in ("Li", "Wei", "李伟", "b}c"):
        assert word not in kept
    assert f"UserInfo{{10:{REDACTED}:30}}" in kept


@given(st.integers(0, 60))
def test_a_truncated_line_leaves_no_part_of_a_name(at):
    text = "Users:\n\tUserInfo{0:Wang Xiaoming:4c13} running\n"[:at]
    kept = redact(classify_answer("users", text.encode(), exit_code=None, complete=False)).text
    assert "Wan" not in kept
    assert "W" not in kept.replace(REDACTED, "")


@pytest.mark.parametrize("key", ["packages", "appops", "device_policy", "package.com.example.app", "roles"])
def test_names_of_android_users_are_removed_from_other_answers(key):
    """As in a bug report whose sections are mixed up. What stands on other lines stays: it may tell of an app."""
    text = "a\n  UserInfo{0:Li Wei:13} serialNo=0\nUserInfo{10:Li\n  Package [com.example.app] (1f):\n:13}\n"
    kept = redact(classify_answer(key, text.encode(), exit_code=0)).text
    assert kept == text.replace("Li Wei", REDACTED)


def test_other_properties_are_removed():
    text = "[ro.serialno]: [SECRET]\n[ro.build.version.sdk]: [34]\n[gsm.x]: [SECRET\n[SECRET]\n"
    text += "[ro.product.model]: [a\nb]\n"
    kept = redact(classify_answer("properties", text.encode(), exit_code=None)).text
    assert "SECRET" not in kept
    assert kept == f"{REDACTED}\n[ro.build.version.sdk]: [34]\n{REDACTED}\n[ro.product.model]: [a\nb]\n"


def test_other_settings_are_removed():
    text = "android_id=SECRET\nbluetooth_name=SECRET\nSECRET\nsms_default_application=a.b\naccessibility_enabled=1\n"
    kept = redact(classify_answer("settings.0", text.encode(), exit_code=None)).text
    assert kept.split("\n") == [
        f"android_id={REDACTED}",
        f"bluetooth_name={REDACTED}",
        "sms_default_application=a.b",
        "accessibility_enabled=1",
        "",
    ]


def test_error_messages_about_settings_remain():
    text = "/system/bin/sh: settings: not found\nsms_default_application=\n"
    assert redact(classify_answer("settings.0", text.encode(), exit_code=0)).text == text


TYPES = """3 users:

0: id=0, name=Li Wei, type=full.SYSTEM, flags=ADMIN|FULL|MAIN (running) (current) (visible)
1: id=10, name=Wang, type=profile.CLONE, flags=X, type=profile.MANAGED, flags=PROFILE (parentId=0) (running)
2: id=11, name=Zhang
San, type=profile.PRIVATE, flags=PROFILE
"""


def test_names_of_users_are_removed_from_their_types():
    text = redact(classify_answer("user_types", TYPES.encode(), exit_code=0)).text
    assert not [name for name in ("Li", "Wei", "Wang", "Zhang", "San") if name in text]
    assert text.split("\n") == [
        "3 users:",
        "",
        "0: id=0, name=[removed], type=full.SYSTEM, flags=ADMIN|FULL|MAIN (running) (current) (visible)",
        "1: id=10, name=[removed], type=profile.MANAGED, flags=PROFILE (parentId=0) (running)",
        "[removed]",
        "[removed]",
        "",
    ]


def test_types_of_dumped_users_are_kept():
    dump = "Users:\n  UserInfo{10:Li:1030} serialNo=10\n    Type: android.os.usertype.profile.MANAGED\n    Label: Li\n"
    text = redact(classify_answer("users", dump.encode(), exit_code=None)).text
    assert text.split("\n")[2:4] == ["    Type: android.os.usertype.profile.MANAGED", "[removed]"]
