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
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    adb_auth.load_or_create(home / ".android")
    return home / ".android"


@pytest.fixture
def told(key_folder, monkeypatch, capsys):
    """Run ``privaudit``; gives code, out and err. Never a traceback, never "a bug"."""

    def told(*words):
        monkeypatch.setattr(sys, "argv", ["privaudit", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert ended.value.code != 1, said.err
        return SimpleNamespace(code=ended.value.code, out=said.out, err=said.err)

    return told


@pytest.fixture
def checked(told):
    """Check a phone; also gives the report (``None`` where there is none), and holds the exit code to the table."""

    def checked(phone, *words):
        done = told("audit", "--transport", f"tcp:{phone.address}", "--json", *words)
        done.report = json.loads(done.out) if done.out else None
        if done.report is None:
            assert done.code == 4, done.err
            assert sentences(done.err)
        elif done.report["verdict"] == "found":
            assert done.code == 3
        elif not done.report["counts"]["apps_seen"]:
            assert done.code == 4
        else:
            assert done.code == (0 if done.report["complete"] else 5)
        return done

    return checked


@pytest.fixture
def patient(monkeypatch):
    """How long the owner has for the tap."""

    def patient(seconds):
        monkeypatch.setattr(transport, "connect", functools.partial(transport.connect, auth_timeout_s=seconds))

    return patient


@pytest.fixture(scope="session")
def whole_of(tmp_path_factory):
    """The report of a story that was read whole, and how many messages its phone sent."""
    lists = knowledge.load_knowledge()

    @functools.cache
    def whole_of(story, *, names=True):
        numbers = []
        with _phone(story) as phone:
            phone.faults.transform_messages(lambda number, data: (numbers.append(number), [data])[1])
            with adb_device.connect_tcp(
                phone.host, phone.port, on_waiting=lambda _: None, key_folder=tmp_path_factory.mktemp("key")
            ) as line:
                taken = audit.collect(line, lists, options=audit.CollectionOptions(read_labels=names))
        return json.loads(document.render(audit.build_report(taken, lists, audit.ReportOptions()))), len(numbers)

    return whole_of


def sentences(said):
    """What happened, why, and what to do, each with something behind it."""
    lines = said.splitlines()
    found = [next((line[len(word) :].strip() for line in lines if line.startswith(word)), "") for word in EN]
    assert all(found), said
    assert "…" not in "".join(found), said  # a value that the sentence needs
    return found


def says_no_less(whole, report):
    """Whether `report` is `whole` with gaps: what it still says is the same, and no silence became "not allowed"."""
    known = {(app["package"], app["user"]): app for app in whole["apps"]}
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
