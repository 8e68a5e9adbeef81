"""Programs of the phone that fail: each service of each kind, each user, and the clock. Over the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell import ProgramResult
from tests.faults.conftest import is_consistent_subset, row
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
    "speaks UTF-16": (
        lambda out: ProgramResult(out.decode(errors="replace").encode("utf-16")),
        {"unreadable", "answered"},
    ),
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
def complete_report(complete_report_of):
    """The report of the whole phone, without names."""
    return complete_report_of(STORY, names=False)[0]


def real(name):
    return build_programs(load_scenario(STORY))[name]


def broken(name, when, fault):
    """The program `name`, which does `fault` to what it would have said `when` its arguments are such."""
    answer = real(name)

    def run(argv, stdin):
        output = answer(argv, stdin)
        return fault(output.out) if when(argv) else output

    return {name: run}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_fails(run_audit, demo_phone, complete_report, service, kind):
    fault, states = FAULTS[kind]
    with demo_phone(STORY, **broken("dumpsys", lambda argv: service in argv, fault)) as phone:
        result = run_audit(phone, "--no-apks")
    found = row(result.report, SERVICES[service])
    assert found <= states, found
    assert is_consistent_subset(complete_report, result.report)
    if found != {"answered"}:
        assert not result.report["complete"]
        # A report without a finding says that something is missing, whatever else it says.
        assert result.code in {3, 5}
    elif not (service == "package" and kind.startswith("logs")):
        assert [f["package"] for f in result.report["findings"]] == [f["package"] for f in complete_report["findings"]]


@pytest.mark.parametrize("user", [0, 10])
@pytest.mark.parametrize("program", ["pm", "settings"])
def test_a_security_exception_for_each_user(run_audit, demo_phone, complete_report, program, user):
    def refused(_):
        output = f"java.lang.SecurityException: Shell does not have permission to access user {user}\n"
        return ProgramResult(b"", f"Exception occurred while executing 'list':\n{output}".encode(), 255)

    def asked(argv):
        return "--user" in argv and argv[argv.index("--user") + 1] == str(user)

    with demo_phone(STORY, **broken(program, asked, refused)) as phone:
        result = run_audit(phone, "--no-apks")
    question = "installed" if program == "pm" else "settings"
    assert row(result.report, question, user) & {"refused", "unreadable"}
    assert not result.report["complete"]
    assert is_consistent_subset(complete_report, result.report)
    if program == "pm":
        assert {one["id"]: one["checked"] for one in result.report["users"]}[user] is False


def test_every_service_and_every_user_refused_at_once(run_audit, demo_phone):
    def no(*_):
        return ProgramResult(b"", b"java.lang.SecurityException: Permission Denial\n", 255)

    with demo_phone(STORY, dumpsys=no, pm=no, settings=no, cmd=no) as phone:
        result = run_audit(phone)
    assert result.code == 4
    assert result.report["findings"] == []
    assert not result.report["complete"]


def test_a_phone_without_any_program(run_audit, demo_phone):
    def gone(argv, _):
        return ProgramResult(b"", f"/system/bin/sh: {argv[0]}: inaccessible or not found\n".encode(), 127)

    names = ("dumpsys", "pm", "settings", "cmd", "getprop", "date", "am")
    with demo_phone(STORY, **dict.fromkeys(names, gone)) as phone:
        result = run_audit(phone)
    assert result.code == 4
    assert not result.report["complete"]


# --- the clock --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", [timedelta(days=365), timedelta(days=-365), timedelta(days=-20_000)])
def test_a_phone_with_a_wrong_clock(run_cli, run_audit, demo_phone, complete_report, off):
    """When an app read is told as the phone tells it: ages are counted by its own clock. The gap is told too."""
    with demo_phone(STORY, now=datetime.now(UTC) + off) as phone:
        result = run_audit(phone, "--no-apks")
        assert result.code == 3
        text = run_cli("audit", "--transport", f"tcp:{phone.address}", "--no-apks").out
    clock = result.report["phone_clock"]
    if clock["offset_s"] is not None:
        assert abs(clock["offset_s"] - off.total_seconds()) < 3600
        assert "differs by " in text
    ages = {
        (app["package"], app["user"], data): access["last_read_age_s"]
        for app in result.report["apps"]
        for data, access in app["access"].items()
    }
    before = {
        (app["package"], app["user"], data): access["last_read_age_s"]
        for app in complete_report["apps"]
        for data, access in app["access"].items()
    }
    for key in ages.keys() & before.keys():
        assert (ages[key] is None) == (before[key] is None), key
        assert ages[key] is None or abs(ages[key] - before[key]) < 3600, key
    assert is_consistent_subset(complete_report, result.report)


@pytest.mark.parametrize("output", ["", "soon", "-1", "9" * 30, "0", "1e9", "１２３４５６７８９０", "0x5f5e100"])
def test_an_unreadable_clock(run_audit, demo_phone, complete_report, output):
    with demo_phone(STORY, date=lambda *_: ProgramResult(f"{output}\n".encode())) as phone:
        result = run_audit(phone, "--no-apks")
    assert result.report["phone_clock"]["offset_s"] is None
    assert is_consistent_subset(complete_report, result.report)


@pytest.mark.parametrize("zone", ["../../../etc/passwd", "Mars/Olympus", "/etc/localtime", "UTC\x1b[31m", "a" * 10_000])
def test_an_invalid_time_zone(run_audit, demo_phone, zone):
    getprop = real("getprop")

    def lying(argv, stdin):
        return ProgramResult(f"{zone}\n".encode()) if "persist.sys.timezone" in argv else getprop(argv, stdin)

    with demo_phone(STORY, getprop=lying) as phone:
        result = run_audit(phone, "--no-apks")
    assert result.report["phone_clock"]["zone"] is None
    assert result.code == 3


# --- what it calls itself and its users -------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ["escape", "c1", "bidi", "newline", "long", "rich", "jinja", "path", "shell"])
def test_hostile_names_of_phone_and_users(run_cli, run_audit, demo_phone, complete_report, attack):
    text = ATTACKS[attack].replace("\0", "")
    getprop, listing = real("getprop"), real("pm")

    def named(argv, stdin):
        if argv[1:2] in (["ro.product.model"], ["ro.product.manufacturer"], ["ro.build.display.id"]):
            return ProgramResult(f"{text}\n".encode())
        return getprop(argv, stdin)

    def users(argv, stdin):
        output = listing(argv, stdin)
        return (
            ProgramResult(output.out.replace(b":Owner:", f":{text}:".encode()))
            if argv[1:] == ["list", "users"]
            else output
        )

    with demo_phone(STORY, getprop=named, pm=users) as phone:
        result = run_audit(phone, "--no-apks")
        shown = run_cli("audit", "--transport", f"tcp:{phone.address}", "--no-apks", "--lang", "zh")
    assert is_consistent_subset(complete_report, result.report)
    assert not FORBIDDEN.search(shown.out), FORBIDDEN.search(shown.out)
    assert not FORBIDDEN.search(result.err + shown.err)
    assert MARK not in {user.get("name") for user in result.report["users"]}
    assert result.code == shown.code == 3
