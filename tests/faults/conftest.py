"""The commands, in this process, against demo phones on which something goes wrong."""

from __future__ import annotations

import functools
import json
import sys
from types import SimpleNamespace

import pytest

from privaudit import audit, cli, knowledge, transport
from privaudit.report import json as document
from privaudit.transport import adb_auth, adb_device
from tests.conftest import _phone

EN = ("What happened: ", "Why: ", "What to do: ")


@pytest.fixture
def key_folder(home, monkeypatch):
    """Where this computer's key is; nobody else's ADB server is asked."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    adb_auth.load_or_create(home / ".android")
    return home / ".android"


@pytest.fixture
def run_cli(key_folder, monkeypatch, capsys):
    """Run ``privaudit``; gives code, out and err. Never a traceback, never "a bug"."""

    def run_cli(*words):
        monkeypatch.setattr(sys, "argv", ["privaudit", *map(str, words)])
        # On Windows it would give pytest's own streams the console's code page.
        monkeypatch.setattr(cli, "configure_stdio", lambda: None)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        assert ended.value.code != 1, output.err
        return SimpleNamespace(code=ended.value.code, out=output.out, err=output.err)

    return run_cli


@pytest.fixture
def run_audit(run_cli):
    """Check a phone; also gives the report (``None`` where there is none), and holds the exit code to the table."""

    def run_audit(phone, *words):
        result = run_cli("audit", "--transport", f"tcp:{phone.address}", "--json", *words)
        result.report = json.loads(result.out) if result.out else None
        if result.report is None:
            assert result.code == 4, result.err
            assert sentences(result.err)
        elif result.report["verdict"] == "found":
            assert result.code == 3
        elif not result.report["counts"]["apps_seen"]:
            assert result.code == 4
        else:
            assert result.code == (0 if result.report["complete"] else 5)
        return result

    return run_audit


@pytest.fixture
def set_auth_timeout(monkeypatch):
    """How long the owner has for the tap."""

    def set_auth_timeout(seconds):
        monkeypatch.setattr(transport, "connect", functools.partial(transport.connect, auth_timeout_s=seconds))

    return set_auth_timeout


@pytest.fixture(scope="session")
def complete_report_of(tmp_path_factory):
    """The report of a story that was read whole, and how many messages its phone sent."""
    lists = knowledge.load_knowledge()

    @functools.cache
    def complete_report_of(scenario, *, names=True):
        numbers = []
        with _phone(scenario) as phone:
            phone.faults.transform_messages(lambda number, data: (numbers.append(number), [data])[1])
            with adb_device.connect_tcp(
                phone.host, phone.port, on_waiting=lambda _: None, key_folder=tmp_path_factory.mktemp("key")
            ) as line:
                taken, _ = audit.collect(line, lists, options=audit.CollectionOptions(read_labels=names))
        return json.loads(document.render(audit.build_report(taken, lists, audit.ReportOptions()))), len(numbers)

    return complete_report_of


def sentences(output):
    """What happened, why, and what to do, each with something behind it."""
    lines = output.splitlines()
    found = [next((line[len(word) :].strip() for line in lines if line.startswith(word)), "") for word in EN]
    assert all(found), output
    assert "…" not in "".join(found), output  # a value that the sentence needs
    return found


def is_consistent_subset(complete_report, report):
    """Whether `report` is `whole` with gaps: what it still says is the same, and no silence became "not allowed"."""
    known = {(app["package"], app["user"]): app for app in complete_report["apps"]}
    for app in report["apps"]:
        before = known.get((app["package"], app["user"]))
        if before is None:
            continue  # a suspect, in a report that knows less of the others
        for data, access in app["access"].items():
            states = {before["access"][data]["state"], "unknown"}
            if row(report, "appops") != {"answered"}:
                # What is granted on paper is held for open where nobody could read whether it is blocked behind it.
                states |= {"can_read"} if "blocked" in states else set()
            assert access["state"] in states, (app["package"], data, access, before["access"][data])
    return True


def row(report, question, user=None):
    """The state of the coverage row of a question, of all its rows where there are several."""
    rows = [one for one in report["coverage"] if one["question"] == question and user in {None, one["user"]}]
    return {one["state"] for one in rows}
