"""`privaudit apk` and `privaudit signatures draft` as people use them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace

import pytest

from privaudit import vetting
from privaudit.cli.console import CliConsole
from privaudit.i18n import Translator
from privaudit.vetting import batch, batch_table
from privaudit.vetting import report as form
from privaudit.vetting.batch_table import BatchSummary
from privaudit.virtual_phone.programs import load_apks

LOAN = "com.example.sudaibao-10402.apk"
NAMES = sorted(load_apks())[::10]


@pytest.fixture
def loan(tmp_path):
    path = tmp_path / "loan.apk"
    path.write_bytes(load_apks()[LOAN])
    return path


@pytest.fixture
def crawl(tmp_path):
    folder = tmp_path / "crawl"
    (folder / "sub").mkdir(parents=True)
    for name in (*NAMES, LOAN):
        (folder / "sub" / name).write_bytes(load_apks()[name])
    (folder / "bad.apk").write_bytes(b"PK\3\4 and no more")
    return folder


def flat(text):
    return " ".join(text.split())


# --- one file ---------------------------------------------------------------------------------------------------------


def test_one_file_is_vetted_in_detail(run, loan, tmp_path):
    page, document, text = (tmp_path / f"a.{suffix}" for suffix in ("html", "json", "txt"))
    done = run("apk", loan, "-o", page, "-o", document, "-o", text, "--country", "IN")
    assert done.code == 3
    for expected in (
        "Sudaibao com.example.sudaibao version 1.4.2",
        "certificate SHA-256",
        "contacts may ask",
        "call log does not ask",
        "“Sudaibao” looks like a lending app",
        "Digital Lending Directions, 2025 (Reserve Bank of India",
        "None of the 23 known third-party developers' code was found.",
        "First find out who the lender is",
        "Result It looks like a lending app and may ask for contacts and SMS.",
        "This is not legal advice",
    ):
        assert expected in flat(done.out), expected
    assert done.err.startswith("privaudit ")
    assert "only reads files. Nothing in them is run, and the network is not used." in done.err
    assert text.read_text("utf-8") == done.out
    assert form.parse_document(json.loads(document.read_text("utf-8"))).app.package == "com.example.sudaibao"
    html = page.read_text("utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert "default-src &#39;none&#39;" in html
    assert "Before you install this app" in html
    if os.name == "posix":
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in (page, document, text))


def test_one_file_is_vetted_in_chinese(run, loan):
    done = run("apk", loan, "--lang", "zh", "--country", "CN")
    assert "速贷宝" in done.out
    assert "通讯录          可能会申请" in done.out
    assert "《个人信息保护法》" in done.out
    assert "“速贷宝”看着像贷款应用" in done.out


@pytest.mark.parametrize(("name", "code"), [("com.example.lunar-1134.apk", 0), (LOAN, 3), ("cut", 4), ("missing", 4)])
def test_exit_codes(run, tmp_path, name, code):
    path = tmp_path / "a.apk"
    if name != "missing":
        path.write_bytes(load_apks().get(name, b"PK\3\4"))
    done = run("apk", path, "--json")
    assert done.code == code
    assert len(done.out.splitlines()) == (0 if name == "missing" else 1)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "There is nothing to check."),
        (["{crawl}", "-o", "x.html"], "A page or document covers only one file."),
        (["{loan}", "-o", "x.pdf"], "privaudit cannot write “x.pdf”."),
        (["{loan}", "-o", "no/where.html"], "does not exist"),
        (["{loan}", "--installed", "com.example"], "either an installed app or files"),
        (["{loan}", "--scheduler", "nowhere"], "“nowhere” is not the address of a scheduler."),
        (["{sub}", "-o", "x.jsonl"], "No app files were found"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_read(run, loan, crawl, tmp_path, arguments, why):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run("apk", *(argument.format(loan=loan, crawl=crawl, sub=empty) for argument in arguments), cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert why in done.err
    assert not list(tmp_path.glob("x.*"))


# --- many files -------------------------------------------------------------------------------------------------------


def test_a_folder_gives_a_table_and_an_unreadable_file_does_not_stop_it(run, crawl):
    done = run("apk", crawl)
    assert done.code == 3
    assert "Sudaibao may ask may ask does not ask -" in flat(done.out)
    assert "bad.apk: its file is not an APK" in flat(done.out)
    assert f"{len(NAMES) + 1} files were read" in done.out
    assert "1 file could not be read." in done.out


@pytest.mark.parametrize("depth", range(40, 160, 7))
def test_an_unreadable_file_is_named_in_full_however_long_its_path_is(depth):
    folder = "/" + "a-folder/" * (depth // 9) + "b" * (depth % 9) + "/"
    tally = BatchSummary()
    for name in ("b.apk", "worse-than-bad.apk", "a.apk"):
        gap = {"why": {"key": "apk.not_zip", "values": {}}}
        tally.add_document({"app": None, "file": {"path": folder + name}, "gaps": [gap]})
    shown = [
        line.text
        for line in batch_table.batch_table_lines(
            tally, vetting.load_vetting_context().knowledge_info, Translator("en"), 80
        )
    ]
    names = [name for line in shown for name in re.findall(r"(?:^| |/)([\w-]+\.apk):(?= |$)", line)]
    assert names == ["a.apk", "b.apk", "worse-than-bad.apk"]


def test_json_lines_are_equal_on_stdout_and_in_the_file_and_files_are_not_vetted_twice(run, crawl, tmp_path):
    lines = tmp_path / "out.jsonl"
    done = run("apk", crawl, "--json", "-o", lines)
    assert done.out == lines.read_text("utf-8")
    assert len(done.out.splitlines()) == len(NAMES) + 2
    again = run("apk", crawl, "-o", lines)
    assert f"Skipped {len(NAMES) + 2} files: {lines}" in flat(again.err)
    assert lines.read_text("utf-8") == done.out
    assert flat(again.out) == flat(run("apk", crawl).out)
    assert again.code == 3


@pytest.mark.unix
def test_an_interrupted_batch_keeps_its_results_and_can_be_resumed(run, environment, crawl, tmp_path):
    lines = tmp_path / "out.jsonl"
    slow = tmp_path / "slow"
    slow.mkdir()
    # Vetting a file takes half a second here, so that the batch can be interrupted.
    (slow / "sitecustomize.py").write_text(
        "import time\nfrom privaudit.vetting import batch\nreal = batch.vet_to_json\n"
        "def vet_slowly(job, context):\n    time.sleep(0.5)\n    return real(job, context)\n"
        "batch.vet_to_json = vet_slowly\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "privaudit", "apk", str(crawl), "-o", str(lines)],
        env={**environment, "PYTHONPATH": os.pathsep.join([str(slow), environment.get("PYTHONPATH", "")])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not lines.is_file() or lines.stat().st_size == 0:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert b"Stopped. Finished results a" in err
    assert b"Traceback" not in err
    first = lines.read_text("utf-8")
    done_before = len(first.splitlines())
    assert 0 < done_before < len(NAMES) + 2
    done = run("apk", crawl, "-o", lines)
    assert f"{done_before} file" in done.err
    assert lines.read_text("utf-8").startswith(first)
    documents = [json.loads(line) for line in lines.read_text("utf-8").splitlines()]
    assert len({document["file"]["path"] for document in documents}) == len(documents) == len(NAMES) + 2


def test_the_progress_bar_is_drawn_on_a_terminal(monkeypatch, capsys):
    from privaudit.capture.remote_apks import ReadProgress

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    CliConsole("en", plain=False).update_progress_bar(ReadProgress(done=5, total=20), "apkcli.vetted")
    assert "\r[#####               ] 5 of 20 files" in capsys.readouterr().err


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_table_fits_its_width_and_hostile_text_is_sanitized(loan, width, code):
    from rich.cells import cell_len

    known, tally = vetting.load_vetting_context(), BatchSummary()
    document = json.loads(batch.vet_to_json(batch.VetJob(str(loan)), known))
    document["app"] |= {"label": "A\x1b[2J" + "长" * 90, "labels": {}, "package": "com." + "x" * 200}
    document["file"]["path"] = "/x/\x1b]0;title\x07" + "y" * 300
    tally.add_document(document)
    tally.add_document({**document, "app": None, "gaps": [{"why": {"key": "apk.not_zip", "values": {}}}]})
    lines = [line.text for line in batch_table.batch_table_lines(tally, known.knowledge_info, Translator(code), width)]
    assert all(cell_len(line) <= width for line in lines)
    assert not any("\x1b" in line or "\x07" in line for line in lines)


def test_a_table_of_a_thousand_apps_shows_200(loan):
    known, tally = vetting.load_vetting_context(), BatchSummary()
    document = json.loads(batch.vet_to_json(batch.VetJob(str(loan)), known))
    for _ in range(1000):
        tally.add_document(document)
    text = "\n".join(
        line.text for line in batch_table.batch_table_lines(tally, known.knowledge_info, Translator("en"), 80)
    )
    assert text.count("com.example.sudaibao") == 200
    assert "800 more are only in the JSON lines." in text


# --- learning signatures ----------------------------------------------------------------------------------------------


def test_a_drafted_row_matches_its_app_once_the_list_has_a_source(run, loan, tmp_path):
    draft = tmp_path / "draft.toml"
    done = run("signatures", "draft", loan, "-o", draft)
    assert done.code == 0
    text = draft.read_text("utf-8")
    (row,) = tomllib.loads(text)["app"]
    document = json.loads(run("apk", loan, "--json").out)["app"]
    assert row == {
        "package": "com.example.sudaibao",
        "names": ["Sudaibao", "速贷宝"],
        "sha256": [document["apk_sha256"]],
        "certificates": document["certificates_sha256"],
    }
    assert "To complete: add a [source] header" in text
    assert run("signatures", "check", draft).code != 0  # without a source it is no list
    mine = tmp_path / "mine.toml"
    mine.write_text('[source]\npublisher = "me"\ntitle = "mine"\n\n' + text, encoding="utf-8")
    assert run("signatures", "check", mine).code == 0
    matches = json.loads(run("apk", loan, "--json", "--signatures", mine).out)["app"]["listed"]
    assert {match["match"] for match in matches} == {"package", "apk_sha256", "certificate"}


def test_a_draft_leaves_out_what_cannot_be_read(run, loan, tmp_path):
    bad = tmp_path / "bad.apk"
    bad.write_bytes(b"PK")
    done = run("signatures", "draft", bad, loan)
    assert done.code == 4
    assert f"Skipped {bad}: its file is not an APK" in flat(done.err)
    assert len(tomllib.loads(done.out)["app"]) == 1


@pytest.mark.parametrize(
    ("digest", "name"),
    [
        ("a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc", "AOSP testkey"),
        ("c8a2e9bccf597c2fb6dc66bee293fc13f2fc47ec77bc6b2b0d52c11f51192ab8", "AOSP platform"),
        ("28bbfe4a7b97e74681dc55c2fbb6ccb8d6c74963733f6af6ae74d8c3a6e879fd", "AOSP shared"),
        ("465983f7791f2abeb43ea2cbdc7f21a8260b72bc08a55c839fc1a43bc741a81e", "AOSP media"),
        ("fac61745dc0903786fb9ede62a962b399f7348f0bb6f899b8332667591033b9c", "React Native debug"),
    ],
)
def test_a_draft_leaves_out_every_test_certificate_that_check_refuses(run, loan, tmp_path, digest, name):
    from privaudit.cli import signatures

    listed = tmp_path / "list.toml"
    listed.write_text(
        '[source]\npublisher = "me"\ntitle = "mine"\n\n'
        f'[[app]]\npackage = "com.example.a"\ncertificates = ["{digest}"]\n',
        encoding="utf-8",
    )
    checked = run("signatures", "check", listed)
    assert checked.code != 0
    assert name in flat(checked.out)

    app = vetting.vet(loan, vetting.load_vetting_context()).app
    app = replace(app, certificates_sha256=(digest,))
    row = signatures.draft_row(app, 'x\n[[app]]\npackage = "evil"', Translator("en"))
    (parsed,) = tomllib.loads(row)["app"]  # a file's name opens no row of its own
    assert "certificates" not in parsed
    assert "with a key that everyone has" in row


@pytest.mark.unix
def test_a_failed_write_leaves_no_file(run, loan, tmp_path):
    os.chmod(tmp_path, 0o700)  # noqa: PTH101
    target = tmp_path / "folder.toml"
    target.mkdir()
    done = run("signatures", "draft", loan, "-o", target)
    assert done.code == 4
    assert "What happened: " in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.toml", "home", "loan.apk"]
