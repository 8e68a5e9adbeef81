"""`privaudit demo --serve`: a virtual phone on which `audit`, `revoke`, `diff`, `undo` and `open` are practised."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from tests.fixtures.sentences import ENGLISH

APP = "com.example.sudaibao"


@contextmanager
def serving(environment, *arguments):
    """A served phone, ended by the end of its standard input."""
    with subprocess.Popen(
        [sys.executable, "-m", "privaudit", "demo", *arguments, "--serve"],
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        timer = threading.Timer(120, process.kill)
        timer.start()
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait(30)
            timer.cancel()


def read_until(stream, text):
    lines = []
    while text not in (line := stream.readline()):
        assert line, lines
        lines.append(line)
    return "".join([*lines, line])


def read_transport(process):
    return re.search(r"tcp:127\.0\.0\.1:\d+", read_until(process.stdout, "Ctrl-C"))[0]


def contacts_state(run, transport, report):
    done = run("audit", "--transport", transport, "-o", report)
    assert done.code == 3, done.err
    apps = json.loads(report.read_text(encoding="utf-8"))["apps"]
    (app,) = [app for app in apps if app["package"] == APP]
    return app["access"]["contacts"]["state"]


def test_revocation_is_applied_and_undone(environment, run, tmp_path):
    with serving(environment) as phone:
        to_phone = ("--transport", read_transport(phone))
        reports = [tmp_path / f"{name}.json" for name in ("before", "revoked", "undone")]
        assert contacts_state(run, to_phone[1], reports[0]) == "can_read"

        revoked = run("revoke", APP, "--apply", "--yes", "--ledger", tmp_path / "l.json", *to_phone)
        assert revoked.code == 0, revoked.err
        assert contacts_state(run, to_phone[1], reports[1]) != "can_read"
        assert "速贷宝: contacts" in run("diff", reports[0], reports[1]).out

        undone = run("undo", tmp_path / "l.json", "--apply", "--yes", *to_phone)
        assert undone.code == 0, undone.err
        assert contacts_state(run, to_phone[1], reports[2]) == "can_read"


def test_opened_page_is_printed(environment, run):
    with serving(environment) as phone:
        assert run("open", "permissions", APP, "--transport", read_transport(phone)).code == 0
        assert "android.intent.action.MANAGE_APP_PERMISSIONS" in read_until(
            phone.stderr, ENGLISH["cli.serving_page"].partition("{")[0]
        )


def test_printed_commands_work(environment, run):
    with serving(environment, "android6") as phone:
        printed = read_until(phone.stdout, "Ctrl-C")
        commands = [line.split()[1:] for line in printed.splitlines() if line.startswith("  privaudit ")]
        assert [command[0] for command in commands] == ["audit", "revoke", "undo"]
        assert commands[1][1] == "com.example.laodaikuan"
        assert run(*commands[0]).code == 3
        assert "demo phone" in printed


def test_end_of_standard_input_ends_it(environment):
    with serving(environment) as phone:
        read_transport(phone)
    assert phone.returncode == 0


@pytest.mark.unix
def test_ctrl_c_ends_it_with_0(environment):
    with serving(environment) as phone:
        read_transport(phone)
        phone.send_signal(signal.SIGINT)
        assert phone.wait(30) == 0
        assert phone.stderr.read().endswith(f"{ENGLISH['cli.serving_ended']}\n")


@pytest.mark.parametrize("options", [("--json",), ("-o", "report.html"), ("-o", "-")])
def test_report_options_are_refused(run, tmp_path, options):
    done = run("demo", "--serve", *options, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "--serve" in done.err
    assert list(tmp_path.glob("report*")) == []


def test_unknown_scenario_is_refused(run):
    done = run("demo", "nosuch", "--serve")
    assert (done.code, done.out) == (2, "")
    assert "nosuch" in done.err
