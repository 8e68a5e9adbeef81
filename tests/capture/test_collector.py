"""Cutting a script's output into answers, and a connection that ends in the middle."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privaudit.capture import scripts
from privaudit.capture.collector import MAX_ANSWERS, collect_answers, collect_first_round, split_answers
from privaudit.errors import ConnectionLost, SourceError
from privaudit.model import AnswerState, Reply

M = "@@0123456789abcdef"


def cut(output):
    raw = output if isinstance(output, bytes) else output.encode()
    return {answer.key: (answer.state, answer.text, answer.exit_code) for answer in split_answers(raw, M)}


def said(key, text, code=0):
    return f"{M} begin {key}\n{text}\n{M} end {key} {code}\n"


OK, TORN, NOT_ASKED = AnswerState.ANSWERED, AnswerState.UNREADABLE, AnswerState.NOT_ASKED


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", {}),
        ("noise\n", {}),
        (f"{M} done\n", {}),
        (said("clock", "17\n"), {"clock": (OK, "17\n", 0)}),
        (said("clock", "17"), {"clock": (OK, "17", 0)}),
        (
            f"hello\n{said('clock', '17')}{said('users', 'x')}{M} done\n",
            {"clock": (OK, "17", 0), "users": (OK, "x", 0)},
        ),
        (said("installed.10", "package:a.b", 255), {"installed.10": (TORN, "package:a.b", 255)}),
        (said("package.com.x_y.Z", "a"), {"package.com.x_y.Z": (OK, "a", 0)}),
        # Markers of another run, and words like ours, are somebody's text.
        (said("users", "@@ end users 0\nend users 0"), {"users": (OK, "@@ end users 0\nend users 0", 0)}),
        (said("users", f"x {M} end users 0"), {"users": (OK, f"x {M} end users 0", 0)}),
        (said("users", f"{M} end clock 0"), {"users": (OK, f"{M} end clock 0", 0)}),
        (said("users", f"{M}x end users 0"), {"users": (OK, f"{M}x end users 0", 0)}),
        # Android 6 ends lines in CRLF, through two terminals in CRCRLF.
        (said("users", "a\nb\n").replace("\n", "\r\n"), {"users": (OK, "a\nb\n", 0)}),
        (said("users", "a\nb\n").replace("\n", "\r\r\n"), {"users": (OK, "a\nb\n", 0)}),
        # The end is missing.
        (f"{M} begin users\nUserI", {"users": (TORN, "UserI", None)}),
        (f"{M} begin users\n", {"users": (NOT_ASKED, "", None)}),
        # A marker line that is cut names nobody knows what.
        (f"{M} begin users", {}),
        (f"{M} begin installed", {}),
        (f"{M} begin clock\n17\n{M} end clock 25", {"clock": (TORN, "17\n", None)}),
        (f"{M} begin users\na\n{said('clock', '17')}", {"users": (TORN, "a\n", None), "clock": (OK, "17", 0)}),
        (f"{M} begin clock\n17\n{M} end clock\n", {"clock": (TORN, "17", None)}),
        (f"{M} end clock 0\n", {}),
        (f"{M} begin clock\n17\n{M} end clock 99999\n", {"clock": (TORN, f"17\n{M} end clock 99999\n", None)}),
    ],
)
def test_sections(output, expected):
    found = cut(output)
    told = {key: (state, text, code) for key, (state, text, code) in found.items()}
    for key in told.keys() & {"users"}:
        # What is no line of `pm list users` is not kept; here only its state and place matter.
        told[key] = (told[key][0], expected[key][1], told[key][2])
    assert told == expected


@pytest.mark.parametrize(
    "key",
    ["nonsense", "users.10", "installed", "installed.010", "installed.999999", "package.a;b", "package", "clock.x"],
)
def test_marker_lines_without_a_valid_key_are_text(key):
    """A phone hears the marker with the script; an answer that nobody asked for would have no place."""
    assert cut(f"{M} begin {key}\nx\n{M} end {key} 0\n") == {}
    assert cut(f"{M} begin clock\n1\n{M} begin {key}\n{M} end clock 0\n")["clock"][0] is OK


@given(st.binary(max_size=300))
def test_any_bytes_are_split_without_an_error(output):
    assert list(split_answers(output, M)) == []


@given(st.integers(min_value=0, max_value=10**6))
@settings(max_examples=200, deadline=None)
def test_a_script_truncated_anywhere_keeps_complete_answers(at):
    keys = ["clock", "packages", "appops", "installed.0"]
    whole = "".join(said(key, f"text of {key}\n" * 3) for key in keys).encode()
    at %= len(whole) + 1
    before, after = cut(whole), cut(whole[:at])
    for key, answer in after.items():
        assert answer == before[key] or answer[0] in {TORN, NOT_ASKED}
        assert before[key][1].startswith(answer[1].rstrip("\n"))  # the script adds a line feed
    assert list(after) == keys[: len(after)]
    assert all(answer[0] is OK for answer in list(after.values())[:-1])


class Phone:
    """A transport that answers from a list, and loses the connection where the list holds an error."""

    kind = "usb"
    command_limit = 4000

    def __init__(self, *replies):
        self.replies = list(replies)
        self.commands = []

    def run(self, command, **_):
        self.commands.append(command.text)
        marker = command.text.partition("m=")[2].partition("\n")[0]
        reply = self.replies.pop(0)
        if isinstance(reply, tuple):
            raise ConnectionLost("errors.lost", partial=reply[0].replace(M, marker).encode())
        return Reply(stdout=reply.replace(M, marker).encode(), stderr=b"", exit_code=0)

    def close(self):
        pass


def test_a_lost_connection_keeps_received_answers():
    capture = collect_first_round(Phone((said("clock", "17") + f"{M} begin packages\nPack",)))
    assert capture.answer("clock").state is OK
    assert capture.answer("packages").state is TORN
    assert capture.answer("appops").state is NOT_ASKED


@pytest.mark.parametrize("partial", ["", "noise"])
def test_a_connection_lost_before_the_first_answer_is_an_error(partial):
    with pytest.raises(ConnectionLost):
        collect_first_round(Phone((partial,)))


def test_answers_are_limited():
    many = said("package.com.x", "x") + "".join(said(f"installed.{user}", "x") for user in range(5000))
    taken = collect_first_round(Phone(many))
    assert len(taken.answers) == MAX_ANSWERS
    assert not taken.answers_to("package")
    assert [one.key for one in collect_answers(Phone(many), ["installed.3"])] == ["installed.3"]


def test_progress_and_source_are_reported():
    rounds = []
    capture = collect_first_round(Phone(said("clock", "17")), on_round=rounds.append)
    assert (capture.source.kind, capture.demo, rounds) == ("usb", False, ["first_round"])
    assert collect_first_round(Phone(""), demo=True).source.kind == "demo"
    assert capture.taken_at.tzinfo is not None


def test_follow_up_rounds_continue_until_the_connection_ends():
    wanted = [f"package.com.example.app{number}" for number in range(120)]
    phone = Phone(said(wanted[0], "a"), (said(wanted[70], "b") + f"{M} begin {wanted[71]}\ntor",), "never asked")
    answers = {answer.key: answer.state for answer in collect_answers(phone, wanted)}
    assert answers == {wanted[0]: OK, wanted[70]: OK, wanted[71]: TORN}
    assert len(phone.commands) == 2
    assert list(collect_answers(Phone(("",)), wanted[:1])) == []


def test_each_run_has_its_own_marker():
    assert len({scripts.new_marker() for _ in range(100)}) == 100


@pytest.mark.parametrize(("sdk", "is_refused"), [("22", True), ("19", True), ("23", False), ("", False)])
def test_android_5_is_refused_live(sdk, is_refused):
    said_by_phone = said("properties", f"[ro.build.version.sdk]: [{sdk}]\n[ro.build.version.release]: [5.1]")
    if not is_refused:
        assert collect_first_round(Phone(said_by_phone)).answer("properties").text
        return
    with pytest.raises(SourceError, match="android_too_old") as raised:
        collect_first_round(Phone(said_by_phone))
    assert raised.value.values == {"version": "5.1"}
