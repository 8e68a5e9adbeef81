"""The whole way behind AOSP's own adbd and mksh, where the laboratory is built. The phone replays the story."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from privaudit.capture import scripts
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.shell import Shell

NAMES = {"com.example.sudaibao": "速贷宝", "com.example.kuaiyihua": "快易花", "com.example.happyloan": "乐借"}
REPLAYED = ("pm", "dumpsys", "getprop", "settings")
PROGRAM = """#!/bin/sh
h=$(echo "$*" | md5sum)
cat {folder}/{name}.${{h%% *}} 2>/dev/null
"""


def recorded(folder: Path) -> None:
    """What the story's programs answer to our questions, one file an answer, named by the arguments."""
    folder.mkdir()

    def recorder(name, program):
        def run(argv, stdin):
            answer = program(argv, stdin)
            digest = hashlib.md5((" ".join(argv[1:]) + "\n").encode(), usedforsecurity=False).hexdigest()
            (folder / f"{name}.{digest}").write_bytes(answer.out + answer.err)
            return answer

        return run

    phone = Shell(
        {name: recorder(name, program) for name, program in build_programs(load_scenario("borrower")).items()}
    )
    phone.run_script(scripts.first_round("@@m").text)
    for script in scripts.follow_up_rounds("@@m", [f"package.{name}" for name in NAMES], max_bytes=100_000):
        phone.run_script(script.text)


@pytest.fixture
def phone(lab, tmp_path):
    """A real adbd that replays the story."""
    recorded(tmp_path / "answers")
    programs_folder = tmp_path / "programs"
    programs_folder.mkdir()
    for name in REPLAYED:
        program = programs_folder / name
        program.write_text(PROGRAM.format(folder="/opt/answers", name=name))
        program.chmod(0o755)
    apps = tmp_path / "apps"
    for path, content in build_files(load_scenario("borrower")).items():
        if path.startswith("/data/app/"):
            (apps / path.removeprefix("/data/app/")).parent.mkdir(parents=True, exist_ok=True)
            (apps / path.removeprefix("/data/app/")).write_bytes(content)
    with lab(programs=programs_folder, put={tmp_path / "answers": "/opt/answers", apps: "/data/app"}) as phone:
        yield phone


def test_an_audit_has_labels(phone, run, tmp_path):
    mine = tmp_path / "mine.toml"
    rows = "".join(f'[[app]]\npackage = "{name}"\n' for name in NAMES)
    mine.write_text(f'[source]\npublisher = "me"\ntitle = "mine"\n{rows}')
    report = tmp_path / "report.json"
    done = run(
        "audit", "--transport", f"tcp:{phone.address}", "--hash", "--signatures", mine, "-o", report, "--lang", "en"
    )
    assert done.code == 3, done.out + done.err
    assert "Allow USB debugging?" in done.err
    found = {(app["package"], app["user"]): app for app in json.loads(report.read_text())["apps"]}
    for package, name in NAMES.items():
        assert found[package, 0]["label"] == name
        assert len(found[package, 0]["certificates_sha256"]) == 1
        assert len(found[package, 0]["apk_sha256"]) == 64
    assert found["com.example.sudaibao", 0]["access"]["contacts"]["state"] == "can_read"
    assert found["com.example.kuaiyihua", 999]["access"]["contacts"]["state"] == "not_allowed"
