"""Programs of the phone that fail: each service of each kind, each user, and the clock. Over the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell import ProgramResult
from tests.faults.conftest import row, says_no_less
from tests.test_hostile_text import ATTACKS, FORBIDDEN, MARK

STORY = "android16"
SERVICES = {"package": "packages", "appops": "appops", "role": "roles", "device_policy": "device_policy"}
"""What ``dumpsys`` is asked for, and the question that it answers."""
LOG = b"01-10 15:41:57.123  1234  1250 W ActivityManager: Slow operation: 61ms so far, now at startProcess\n"


def _expired(out):
    service = b"*** SERVICE 'package' DUMP TIMEOUT (60000ms) EXPIRED ***\n"
    return ProgramResult(out[: len(out) // 2] + b"\n" + service)


def _between_lines(out):
    lines = out.splitlines(keepends=True)
    step = max(1, len(lines) // 7)
    return ProgramResult(b"".join(line + LOG * (number % step == 0) for number, line in enumerate(lines)))


def _within_lines(out):
    middle = len(out) // 2
    return ProgramResult(out[:middle] + LOG + out[middle:])


FAULTS = {
    # what becomes of the service's output: the states that the report may give it
    "times out": (_expired, {"timed_out"}),
    "times out and is silent": (lambda _: ProgramResult(b"", b"", 0), {"unreadable"}),
    "is cut": (lambda out: ProgramResult(out[: len(out) // 2], b"", 141), {"unreadable"}),
    "logs between its lines": (_between_lines, {"answered", "unreadable"}),
    "logs within a line": (_within_lines, {"answered", "unreadable"}),
    "speaks UTF-16": (lambda out: ProgramResult(out.decode().encode("utf-16")), {"unreadable", "answered"}),
    "speaks GBK": (lambda out: ProgramResult(out.replace(b"e", "应用".encode("gbk"))), {"unreadable"}),
    "is refused": (
        lambda _: ProgramResult(b"", b"java.lang.SecurityException: Permission Denial: can't dump\n", 255),
        {"refused"},
    ),
    "is refused, and it exits well": (
        lambda _: ProgramResult(b"Permission Denial: can't dump from pid=1, uid=2000\n"),
        {"refused"},
    ),
    "dies": (lambda out: ProgramResult(out[:100] + b"\nError dumping service info: (DEAD_OBJECT)\n"), {"unreadable"}),
    "does not exist": (lambda _: ProgramResult(b"", b"Can't find service: it\n", 0), {"not_supported"}),
}


@pytest.fixture(scope="module")
def whole(whole_of):
    """The report of the whole phone, without names."""
    return whole_of(STORY, names=False)[0]


def real(name):
    return build_programs(load_scenario(STORY))[name]


def broken(name, when, fault):
    """The program `name`, which does `fault` to what it would have said `when` its arguments are such."""
    answer = real(name)

    def run(argv, stdin):
        said = answer(argv, stdin)
        return fault(said.out) if when(argv) else said

    return {name: run}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_fails(checked, demo_phone, whole, service, kind):
    fault, states = FAULTS[kind]
    with demo_phone(STORY, **broken("dumpsys", lambda argv: service in argv, fault)) as phone:
        done = checked(phone, "--no-apks")
    found = row(done.report, SERVICES[service])
    assert found <= states, found
    assert says_no_less(whole, done.report)
    if found != {"answered"}:
        assert not done.report["complete"]
        # A report without a finding says that something is missing, whatever else it says.
        assert done.code in {3, 5}
    elif not (service == "package" and kind.startswith("logs")):
        assert [f["package"] for f in done.report["findings"]] == [f["package"] for f in whole["findings"]]


@pytest.mark.parametrize("user", [0, 10])
@pytest.mark.parametrize("program", ["pm", "settings"])
def test_a_security_exception_for_each_user(checked, demo_phone, whole, program, user):
    def refused(_):
        said = f"java.lang.SecurityException: Shell does not have permission to access user {user}\n"
        return ProgramResult(b"", f"Exception occurred while executing 'list':\n{said}".encode(), 255)

    def asked(argv):
        return "--user" in argv and argv[argv.index("--user") + 1] == str(user)

    with demo_phone(STORY, **broken(program, asked, refused)) as phone:
        done = checked(phone, "--no-apks")
    question = "installed" if program == "pm" else "settings"
    assert row(done.report, question, user) & {"refused", "unreadable"}
    assert not done.report["complete"]
    assert says_no_less(whole, done.report)
    if program == "pm":
        assert {one["id"]: one["checked"] for one in done.report["users"]}[user] is False


def test_every_service_and_every_user_refused_at_once(checked, demo_phone):
    def no(*_):
        return ProgramResult(b"", b"java.lang.SecurityException: Permission Denial\n", 255)

    with demo_phone(STORY, dumpsys=no, pm=no, settings=no, cmd=no) as phone:
        done = checked(phone)
    assert done.code == 4
    assert done.report["findings"] == []
    assert not done.report["complete"]


def test_a_phone_whose_programs_are_all_gone(checked, demo_phone):
    def gone(argv, _):
        return ProgramResult(b"", f"/system/bin/sh: {argv[0]}: inaccessible or not found\n".encode(), 127)

    names = ("dumpsys", "pm", "settings", "cmd", "getprop", "date", "am")
    with demo_phone(STORY, **dict.fromkeys(names, gone)) as phone:
        done = checked(phone)
    assert done.code == 4
    assert not done.report["complete"]


# --- the clock --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", [timedelta(days=365), timedelta(days=-365), timedelta(days=-20_000)])
def test_a_phone_whose_clock_is_off(told, checked, demo_phone, whole, off):
    """When an app read is told as the phone tells it: ages are counted by its own clock. The gap is told too."""
    with demo_phone(STORY, now=datetime.now(UTC) + off) as phone:
        done = checked(phone, "--no-apks")
        assert done.code == 3
        text = told("audit", "--transport", f"tcp:{phone.address}", "--no-apks").out
    clock = done.report["phone_clock"]
    if clock["offset_s"] is not None:
        assert abs(clock["offset_s"] - off.total_seconds()) < 3600
        assert "days apart from" in text
    ages = {
        (app["package"], app["user"], data): access["last_read_age_s"]
        for app in done.report["apps"]
        for data, access in app["access"].items()
    }
    before = {
        (app["package"], app["user"], data): access["last_read_age_s"]
        for app in whole["apps"]
        for data, access in app["access"].items()
    }
    for key in ages.keys() & before.keys():
        assert (ages[key] is None) == (before[key] is None), key
        assert ages[key] is None or abs(ages[key] - before[key]) < 3600, key
    assert says_no_less(whole, done.report)


@pytest.mark.parametrize("said", ["", "soon", "-1", "9" * 30, "0", "1e9", "１２３４５６７８９０", "0x5f5e100"])
def test_a_clock_that_says_no_time(checked, demo_phone, whole, said):
    with demo_phone(STORY, date=lambda *_: ProgramResult(f"{said}\n".encode())) as phone:
        done = checked(phone, "--no-apks")
    assert done.report["phone_clock"]["offset_s"] is None
    assert says_no_less(whole, done.report)


@pytest.mark.parametrize("zone", ["../../../etc/passwd", "Mars/Olympus", "/etc/localtime", "UTC\x1b[31m", "a" * 10_000])
def test_a_time_zone_that_is_none(checked, demo_phone, zone):
    getprop = real("getprop")

    def lying(argv, stdin):
        return ProgramResult(f"{zone}\n".encode()) if "persist.sys.timezone" in argv else getprop(argv, stdin)

    with demo_phone(STORY, getprop=lying) as phone:
        done = checked(phone, "--no-apks")
    assert done.report["phone_clock"]["zone"] is None
    assert done.code == 3


# --- what it calls itself and its users -------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ["escape", "c1", "bidi", "newline", "long", "rich", "jinja", "path", "shell"])
def test_a_phone_that_calls_itself_and_its_users_what_it_likes(told, checked, demo_phone, whole, attack):
    text = ATTACKS[attack].replace("\0", "")
    getprop, listing = real("getprop"), real("pm")

    def named(argv, stdin):
        if argv[1:2] in (["ro.product.model"], ["ro.product.manufacturer"], ["ro.build.display.id"]):
            return ProgramResult(f"{text}\n".encode())
        return getprop(argv, stdin)

    def users(argv, stdin):
        said = listing(argv, stdin)
        return (
            ProgramResult(said.out.replace(b":Owner:", f":{text}:".encode())) if argv[1:] == ["list", "users"] else said
        )

    with demo_phone(STORY, getprop=named, pm=users) as phone:
        done = checked(phone, "--no-apks")
        shown = told("audit", "--transport", f"tcp:{phone.address}", "--no-apks", "--lang", "zh")
    assert says_no_less(whole, done.report)
    assert not FORBIDDEN.search(shown.out), FORBIDDEN.search(shown.out)
    assert not FORBIDDEN.search(done.err + shown.err)
    assert MARK not in {user.get("name") for user in done.report["users"]}
    assert done.code == shown.code == 3
