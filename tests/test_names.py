"""Names, certificates and hashes of APKs, through the public path: a phone on the wire, a report in the hand."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile
from dataclasses import replace

import pytest

from privaudit import facts
from privaudit.capture.remote_apks import ReadProgress
from privaudit.cli.console import CliConsole
from privaudit.model import AccessState, DataClass
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.shell import ProgramResult

NAMES = {
    "com.example.sudaibao": "速贷宝",
    "com.example.kuaiyihua": "快易花",
    "com.example.anxin": "安信消费贷",
    "com.example.happyloan": "乐借",
    "com.example.creditwing": "小翼分期",
}
"""As the story tells them; the phone speaks Chinese."""


@pytest.fixture(scope="module")
def story():
    return load_scenario("borrower")


@pytest.fixture
def audit(run, story, tmp_path):
    """Audit the story's phone, its files changed or not; gives the report and the commands that the phone got."""

    def audit(*arguments, change=lambda tree: tree):
        tree = change(dict(build_files(story)))
        with AdbdServer(programs=build_programs(story), files=tree, key_policy=KeyPolicy(required=False)) as phone:
            file = tmp_path / "report.json"
            done = run(
                "audit", "--details", "--transport", f"tcp:{phone.address}", "-o", file, "--lang", "en", *arguments
            )
            assert done.code in {0, 3, 5}, done.err
            return json.loads(file.read_text("utf-8")), done.out, list(phone.commands)

    return audit


def lists(tmp_path, rows):
    """A list of one's own: the real lists do not hold the demo's apps."""
    path = tmp_path / "mine.toml"
    path.write_text(f'[source]\npublisher = "me"\ntitle = "mine"\n{rows}', "utf-8")
    return "--signatures", path


def packages(*names):
    return "".join(f'[[app]]\npackage = "{name}"\n' for name in names)


def test_apps_are_called_by_their_names(audit, tmp_path):
    report, text, _ = audit(*lists(tmp_path, packages(*NAMES)))
    read = {app["package"]: (app["label"], app["label_state"]) for app in report["apps"]}
    assert read == {package: (name, "read") for package, name in NAMES.items()}
    assert "94 of 124 read" in " ".join(text.split())


def test_without_apks_packages_stand_for_names_and_no_file_is_read(audit, tmp_path):
    report, text, commands = audit("--no-apks", *lists(tmp_path, packages(*NAMES)))
    assert {(app["label"], app["label_state"]) for app in report["apps"]} == {(None, "not_asked")}
    assert "names under the icons were not read" in " ".join(text.split())
    assert not any(word in command for command in commands for word in ("dd ", "stat ", "sha256sum"))


def test_a_hash_is_computed_on_the_phone_and_found_on_a_list(audit, story, tmp_path):
    path, content = next(
        (p, c) for p, c in build_files(story).items() if "com.example.sudaibao" in p and p.endswith(".apk")
    )
    digest = hashlib.sha256(content).hexdigest()
    listed = lists(tmp_path, f'[[app]]\nsha256 = ["{digest}"]\n')
    report, _, _ = audit("--hash", *listed)
    (found,) = (app for app in report["apps"] if app["package"] == "com.example.sudaibao")
    assert path.startswith("/data/app/")
    assert found["apk_sha256"] == digest
    assert [one["match"] for one in found["listed"]] == ["apk_sha256"]
    asked = {row["question"]: row["state"] for row in report["coverage"]}
    assert asked["hashes"] == "answered"
    report, _, _ = audit(*listed)
    assert not any(app["listed"] for app in report["apps"])
    assert {row["question"]: row["state"] for row in report["coverage"]}["hashes"] == "not_asked"


def test_a_hash_finds_an_app_that_nothing_else_shows(audit, story, tmp_path):
    """Neither its name nor what it can read makes the calculator suspect."""
    content = next(
        data for path, data in build_files(story).items() if "loancalculator" in path and path.endswith(".apk")
    )
    listed = lists(tmp_path, f'[[app]]\nsha256 = ["{hashlib.sha256(content).hexdigest()}"]\n')
    report, _, _ = audit("--hash", *listed)
    (found,) = (app for app in report["apps"] if app["listed"])
    assert found["package"] == "com.example.loancalculator"


def test_a_phone_that_cannot_hash_says_so(run, story, tmp_path):
    """``sha256sum`` came with Android 8."""

    def gone(_argv, _stdin):
        return ProgramResult(err=b"sh: sha256sum: not found\n", code=127)

    file = tmp_path / "report.json"
    with AdbdServer(
        programs={**build_programs(story), "sha256sum": gone},
        files=build_files(story),
        key_policy=KeyPolicy(required=False),
    ) as phone:
        run("audit", "--transport", f"tcp:{phone.address}", "--hash", "-o", file, *lists(tmp_path, packages(*NAMES)))
    rows = {row["question"]: row for row in json.loads(file.read_text("utf-8"))["coverage"]}
    assert (rows["hashes"]["state"], rows["hashes"]["detail"]["key"]) == ("not_supported", "apk.no_hash")


def test_a_certificate_on_a_list_finds_a_renamed_app(audit, tmp_path):
    report, _, _ = audit(*lists(tmp_path, packages("com.example.sudaibao")))
    (app,) = (app for app in report["apps"] if app["package"] == "com.example.sudaibao")
    (digest,) = app["certificates_sha256"]
    report, _, _ = audit(*lists(tmp_path, f'[[app]]\ncertificates = ["{digest}"]\n'))
    (app,) = (app for app in report["apps"] if app["package"] == "com.example.sudaibao")
    assert [one["match"] for one in app["listed"]] == ["certificate"]


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\5\6" + bytes(18)], ids=["empty", "text", "no entries"])
def test_a_name_that_cannot_be_read_is_said_and_is_a_gap(audit, tmp_path, content):
    def spoil(tree):
        return {path: content if "sudaibao" in path else data for path, data in tree.items()}

    report, text, _ = audit(*lists(tmp_path, packages("com.example.sudaibao")), change=spoil)
    (app,) = (app for app in report["apps"] if app["package"] == "com.example.sudaibao")
    assert (app["label"], app["label_state"]) == (None, "unreadable")
    assert app["label_problem"]["key"].startswith("apk.")
    assert app["access"]["contacts"]["state"] == "can_read"
    assert "Its name could not be read" in " ".join(text.split())
    assert not report["complete"]


def test_a_signer_that_cannot_be_read_is_a_gap(audit, tmp_path):
    """Its name and package say nothing to a list of certificates."""

    def spoil(tree):
        return {path: _without_signers(data) if "sudaibao" in path else data for path, data in tree.items()}

    listed = lists(tmp_path, packages("com.example.sudaibao"))
    report, _, _ = audit(*listed)
    assert "signers" not in {row["question"] for row in report["coverage"]}
    report, text, _ = audit(*listed, change=spoil)
    (app,) = (app for app in report["apps"] if app["package"] == "com.example.sudaibao")
    assert (app["label_state"], app["certificates_sha256"]) == ("read", [])
    (row,) = (row for row in report["coverage"] if row["question"] == "signers")
    assert (row["state"], row["could_hide"], report["complete"]) == ("unreadable", True, False)
    assert "the signers of apps: could not be read" in " ".join(text.split())


def _without_signers(apk):
    """`apk` with a signing block whose first pair is longer than the block."""
    magic = apk.rfind(b"APK Sig Block 42")
    size = int.from_bytes(apk[magic - 8 : magic], "little")
    start = magic + 16 - size
    return apk[:start] + b"\xff" * 7 + b"\x00" + apk[start + 8 :] if magic >= 0 else apk


def test_another_app_s_file_gives_no_name(audit, story, tmp_path):
    """What stands in a file with another package name is not this app's name."""
    other = next(
        data for path, data in build_files(story).items() if "com.example.anxin" in path and path.endswith(".apk")
    )

    def swap(tree):
        return {path: other if "sudaibao" in path and path.endswith(".apk") else data for path, data in tree.items()}

    report, _, _ = audit(*lists(tmp_path, packages("com.example.sudaibao")), change=swap)
    (app,) = (app for app in report["apps"] if app["package"] == "com.example.sudaibao")
    assert app["label"] is None
    assert app["label_problem"]["key"] == "apk.package_differs"


def test_a_saved_check_names_apps_too_and_a_changed_one_is_refused(run, story, tmp_path):
    check = tmp_path / "check.zip"
    with AdbdServer(
        programs=build_programs(story), files=build_files(story), key_policy=KeyPolicy(required=False)
    ) as phone:
        assert run("capture", check, "--transport", f"tcp:{phone.address}").code == 0
    signatures = lists(tmp_path, packages(*NAMES))
    report = json.loads(run("audit", check, "--json", *signatures).out)
    assert {app["label"] for app in report["apps"]} == set(NAMES.values())
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(check) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "apks/com.example.sudaibao.parts":
                data = data.replace("速".encode(), "慢".encode())
            new.writestr(entry, data[:-1] if entry.filename.endswith("anxin.parts") else data)
    done = run("audit", changed, "--lang", "en")
    assert done.code == 4
    assert "apks/com.example" in done.err


def test_the_manifest_answers_where_the_phone_does_not_say_what_is_requested(demo_capture):
    """Whole dumps of Android leave out what an app asks for; its own file tells."""
    asked = re.compile(r"^    requested permissions:\n(?:      .*\n)+", re.MULTILINE)
    mute = {
        key: replace(answer, text=asked.sub("", answer.text)) if answer.question in {"packages", "package"} else answer
        for key, answer in demo_capture.answers.items()
    }
    states = {}
    for name, apks in {"with": demo_capture.apks, "without": {}}.items():
        gathered = facts.gather_facts(replace(demo_capture, answers=mute, apks=apks))
        (app,) = (one for one in gathered.apps if one.package == "com.example.sudaibao")
        states[name] = app.access[DataClass.CALL_LOG].state
        assert app.access[DataClass.CONTACTS].state is AccessState.CAN_READ
    assert states == {"with": AccessState.NOT_REQUESTED, "without": AccessState.NOT_ALLOWED}


@pytest.mark.parametrize(("plain", "shown"), [(False, True), (True, False)])
def test_a_bar_moves_on_a_terminal_only(monkeypatch, capsys, plain, shown):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    talk = CliConsole("en", plain=plain)
    talk.update_progress_bar(ReadProgress(done=10, total=40))
    talk.update_progress_bar(ReadProgress(done=40, total=40))
    printed = capsys.readouterr().err
    assert ("\r[#####               ] 10 of 40 names read" in printed) is shown
    assert printed.endswith("40 of 40 names read  \n") is shown
