"""The commands end to end: exit codes, what goes to which stream, and error messages."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.cells import cell_len

from privaudit import __version__, report
from privaudit.cli.app import COMMANDS
from privaudit.cli.console import CliConsole
from privaudit.errors import ConnectionLost
from privaudit.i18n import Translator, catalog
from privaudit.report import json as report_json
from privaudit.report import terminal, txt
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.shell import ProgramResult
from tests.virtual_phone.conftest import need

WORDS = {"en": ("What happened: ", "Why: ", "What to do: "), "zh": ("怎么了：", "为什么：", "怎么办：")}


def three_sentences(done, lang="en"):
    lines = done.err.splitlines()
    starts = [next((line for line in lines if line.startswith(word)), None) for word in WORDS[lang]]
    assert all(starts), done.err
    assert all(line[len(word) :].strip() for line, word in zip(starts, WORDS[lang], strict=True))
    return lines


@pytest.fixture
def saved(run, demo_phone, tmp_path):
    """A capture of the demo phone, saved by the command."""
    file = tmp_path / "check.zip"
    with demo_phone() as phone:
        done = run("capture", file, "--transport", f"tcp:{phone.address}")
    assert done.code == 0, done.err
    assert "keep it private" in done.err.lower()
    return file


def answers(saved, folder, *dropped):
    """Unpack the answers of a saved capture into a folder of text files, without those in `dropped`."""
    folder.mkdir()
    with zipfile.ZipFile(saved) as archive:
        for name in archive.namelist():
            if name.endswith(".txt") and not name.startswith(dropped or ("\0",)):
                (folder / name).write_bytes(archive.read(name))
    return folder


# --- exit codes -----------------------------------------------------------------------------------------------------


def test_exit_code_3_for_findings(run, saved):
    assert run("audit", saved, "--signatures", _mine(saved.parent)).code == 3


def test_exit_code_5_for_gaps_without_findings(run, tmp_path):
    (tmp_path / "pm_list_packages.txt").write_text("package:/data/app/x/base.apk=com.example.notes\n")
    done = run("audit", tmp_path, "--lang", "en")
    assert done.code == 5
    assert "in what could be read" in done.out


@pytest.mark.parametrize(("lang", "words"), [("en", "No app could be read"), ("zh", "没有读到任何应用")])
def test_exit_code_4_where_no_app_could_be_read(run, saved, tmp_path, lang, words):
    done = run("audit", answers(saved, tmp_path / "f", "dumpsys_package", "pm_list_packages"), "--lang", lang)
    assert done.code == 4
    assert words in done.out


def test_exit_code_0_for_a_complete_audit_without_findings(run):
    """A phone with ordinary apps only."""
    phone_state = load_scenario("borrower")
    lending = {"sudaibao", "kuaiyihua", "anxin", "happyloan", "creditwing", "loancalculator", "haoyouquan"}
    phone_state = replace(
        phone_state, apps=tuple(app for app in phone_state.apps if app.package.rpartition(".")[2] not in lending)
    )
    with AdbdServer(
        programs=build_programs(phone_state), files=build_files(phone_state), key_policy=KeyPolicy(required=False)
    ) as phone:
        done = run("audit", "--transport", f"tcp:{phone.address}", "--lang", "en")
    assert done.code == 0, done.out
    assert "Every question was answered" in " ".join(done.out.split())
    assert "clean" not in done.out


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "--nope"],
        ["audit", "--serial"],
        ["nonsense"],
        ["capture"],
        ["capture", "check.txt"],
        ["audit", "-o", "report.layout"],
        ["audit", "-o", "report.prose"],
        ["audit", "-o", "report"],
        ["audit", "-o", "no/such/folder/report.json"],
        ["audit", "--country", "Atlantis"],
        ["audit", "--country", "亚特兰蒂斯"],
        ["audit", "--transport", "pigeon"],
        ["audit", "--transport", "tcp:"],
        ["audit", "a", "b", "-o", "x.json"],
        ["audit", "a", "b", "--json"],
        ["demo", "nobody"],
        ["demo", "--signatures", "nowhere.toml"],
    ],
    ids=" ".join,
)
def test_exit_code_2_for_usage_errors(run, tmp_path, arguments, lang):
    done = run(*arguments, cwd=tmp_path, LC_ALL="zh_CN.UTF-8" if lang == "zh" else "C.UTF-8")
    assert done.code == 2
    assert done.out == ""
    three_sentences(done, lang)
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]


def test_exit_code_2_for_an_unknown_language(run):
    three = three_sentences(run("audit", "--lang", "tlh"))
    assert Translator("en").t("errors.unknown_language.why", known=catalog.languages()) in "".join(three)


def test_usage_errors_are_reported_before_any_phone_is_asked(run, demo_phone, tmp_path):
    with demo_phone() as phone:
        transport = ["--transport", f"tcp:{phone.address}"]
        assert run("audit", *transport, "-o", "x.nope").code == 2
        assert run("audit", *transport, "-o", tmp_path / "no" / "x.json").code == 2
        assert run("audit", *transport, "--country", "X").code == 2
        assert run("capture", tmp_path / "x.txt", *transport).code == 2
        existing = tmp_path / "old.zip"
        existing.write_bytes(b"evidence")
        assert run("capture", existing, *transport).code == 2
        assert existing.read_bytes() == b"evidence"
        assert phone.commands == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_exit_code_4_without_a_phone(run, lang):
    if any(Path("/dev/bus/usb").glob("*/*")):
        pytest.skip("this computer has USB devices, perhaps a phone")
    done = run("audit", "--lang", lang)
    assert (done.code, done.out) == (4, "")
    three_sentences(done, lang)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_exit_code_4_where_no_daemon_listens(run, lang):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = run("audit", "--transport", f"tcp:127.0.0.1:{port}", "--lang", lang)
    assert (done.code, done.out) == (4, "")
    three_sentences(done, lang)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_exit_code_4_for_a_missing_source(run, lang):
    done = run("audit", "nowhere", "--lang", lang)
    assert (done.code, done.out) == (4, "")
    three_sentences(done, lang)


# --- sources --------------------------------------------------------------------------------------------------------


def _mine(folder):
    file = folder / "mine.toml"
    file.write_text(
        '[source]\npublisher = "me"\ntitle = "mine"\n[[app]]\npackage = "com.example.sudaibao"\n', encoding="utf-8"
    )
    return file


def test_a_saved_capture_gives_the_report_of_the_live_phone(run, demo_phone, tmp_path):
    mine, file = _mine(tmp_path), tmp_path / "check.zip"
    with demo_phone() as phone:
        transport = ["--transport", f"tcp:{phone.address}"]
        live = run("audit", "--json", "--signatures", mine, *transport)
        run("capture", file, "--signatures", mine, *transport)
    later = run("audit", file, "--json", "--signatures", mine)
    assert live.code == later.code == 3
    assert live.out
    live_report, saved_report = (_timeless(json.loads(done.out)) for done in (live, later))
    assert live_report["findings"]
    assert live_report == saved_report


def _timeless(document):
    """What does not depend on the second in which it was asked."""
    for name in ("source", "taken_at", "phone_clock"):
        document.pop(name)
    for app in document["apps"]:
        for access in (*app["access"].values(), *app["other_access"].values()):
            for name in ("last_read", "last_read_age_s", "last_refused", "last_refused_age_s", "history_since"):
                del access[name]
        for permission in app["permissions"]:
            del permission["last_access"], permission["last_reject"]
    for finding in document["findings"]:
        for evidence in finding["evidence"]:
            evidence["text"] = re.sub(r"\d[\d :.-]*|\(-.*?\)|\([0-9a-f]+\)", "", evidence["text"])
    return document


def test_captures_are_private(saved):
    if os.name == "posix":
        assert saved.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("first", "second"), [("en", "zh"), ("zh", "en")])
def test_a_saved_report_is_rendered_in_another_language(run, tmp_path, first, second):
    file, text_file = tmp_path / "report.json", tmp_path / "report.txt"
    done = run("demo", "--details", "--lang", first, "-o", file, "-o", text_file)
    assert done.code == 3
    assert done.out == text_file.read_text(encoding="utf-8")
    assert run("audit", file, "--details", "--lang", first).out == done.out
    again = run("audit", file, "--details", "--lang", second, "-o", tmp_path / "again.json")
    assert again.code == 3
    assert (tmp_path / "again.json").read_bytes() == file.read_bytes()
    assert again.out == txt.render(report_json.read_report(file), Translator(second))


def test_a_saved_report_renders_like_the_report_itself(demo_report, tmp_path, run):
    file = tmp_path / "report.json"
    file.write_text(report_json.render(demo_report), encoding="utf-8")
    for code in ("en", "zh"):
        assert run("audit", file, "--details", "--lang", code).out == txt.render(demo_report, Translator(code))
        short = "".join(f"{line.text}\n" for line in terminal.styled_lines(demo_report, Translator(code), 80))
        assert run("audit", file, "--lang", code).out == short


def test_json_lines_have_one_line_for_each_source(run, saved, tmp_path):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(saved.read_bytes()[:2000])
    done = run("audit", saved, broken, saved, "--jsonl", "--signatures", _mine(tmp_path))
    assert done.code == 3
    documents = [json.loads(line) for line in done.out.splitlines()]
    report, failure = "privaudit-report/1", "privaudit-source-failure/1"
    assert [document["schema"] for document in documents] == [report, failure, report]
    assert [document["source"]["path"] for document in documents] == [str(saved), str(broken), str(saved)]
    assert documents[1]["exit_code"] == 4
    assert documents[1]["error"]["key"].startswith("errors.")
    assert documents[1]["text"] in " ".join(done.err.split())
    three_sentences(done)
    assert str(broken) in done.err


def test_a_failed_source_alone_leaves_a_line_and_shared_lines_name_no_file(run, saved, tmp_path):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(saved.read_bytes()[:2000])
    done = run("audit", broken, "--jsonl")
    assert done.code == 4
    assert json.loads(done.out)["source"]["path"] == str(broken)
    shared = run("audit", saved, broken, "--jsonl", "--share")
    assert [json.loads(line)["source"]["path"] for line in shared.out.splitlines()] == ["#1", "#2"]


def test_an_unreadable_source_does_not_stop_the_others(run, saved, tmp_path):
    gaps = answers(saved, tmp_path / "gaps", "dumpsys_package", "dumpsys_appops", "appops_get")
    assert run("audit", tmp_path / "nowhere", gaps).code == 4
    assert run("audit", tmp_path / "nowhere", gaps, saved, "--signatures", _mine(tmp_path)).code == 3


def test_standard_output_carries_only_data(run, tmp_path):
    for arguments in (["--json"], ["-o", "-"]):
        done = run("demo", *arguments)
        assert json.loads(done.out)["schema"] == "privaudit-report/1"
        assert "privaudit" in done.err
    both = run("demo", "-o", tmp_path / "x.json", "-o", tmp_path / "y.txt", "-o", "-")
    assert json.loads(both.out) == json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert (tmp_path / "y.txt").read_text(encoding="utf-8").startswith("privaudit phone permission check")
    assert str(tmp_path / "x.json") in both.err
    if os.name == "posix":
        assert (tmp_path / "x.json").stat().st_mode & 0o077 == 0


BAD = {
    "empty": b"",
    "blank": b"\n\n\n",
    "binary": bytes(range(256)) * 20,
    "not utf-8": "通讯录".encode("gbk") * 50,
    "truncated": None,
    "html": b"<html><body>Not found</body></html>",
    "error": b"Can't find service: package\n",
    "denied": b"java.lang.SecurityException: Permission Denial: not allowed\n",
}


@pytest.mark.parametrize(
    ("file", "bad", "lang"),
    [
        *(("dumpsys_package.txt", bad, "en") for bad in BAD),
        *(("dumpsys_appops.txt", bad, "zh") for bad in ("empty", "truncated", "binary")),
        *(("pm_list_users.txt", bad, "en") for bad in ("not utf-8", "denied")),
        ("getprop.txt", "binary", "zh"),
    ],
)
def test_bad_files_in_a_folder_are_gaps(run, demo_capture, tmp_path, file, bad, lang):
    key = {"dumpsys_package.txt": "packages", "dumpsys_appops.txt": "appops"}.get(file, "users")
    text = demo_capture.answer(key).text.encode()
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / file).write_bytes(text[: len(text) // 3] if BAD[bad] is None else BAD[bad])
    done = run("audit", folder, "-o", tmp_path / "x.json", "--lang", lang)
    assert done.code in {3, 4, 5}
    if done.code != 4:
        document = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
        assert document["complete"] is False
        assert [row for row in document["coverage"] if row["could_hide"]]
        assert ("could not be checked" if lang == "en" else "没能检查") in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.zip", b"PK\x03\x04 broken"),
        ("x.zip", b""),
        ("x.json", b"{}"),
        ("x.json", b"[1, 2"),
        ("x.json", b'{"schema": "privaudit-report/9"}'),
        ("x.json", b"\xff\xfe\x00"),
        ("x.txt", b"some text"),
    ],
)
def test_exit_code_4_for_unreadable_files(run, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    done = run("audit", tmp_path / name)
    assert (done.code, done.out) == (4, "")
    three_sentences(done)


def test_exit_code_4_for_a_folder_without_answers(run, tmp_path):
    done = run("audit", tmp_path)
    assert done.code == 4
    three_sentences(done)


# --- interruptions and pipes ----------------------------------------------------------------------------------------

# A process that a shell started in the background ignores Ctrl-C; here it must not.
_INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from privaudit.cli import main; main()"
)


@pytest.mark.unix
@pytest.mark.parametrize("command", ["audit", "capture"])
def test_exit_code_130_for_ctrl_c_during_a_read(environment, demo_phone, tmp_path, command):
    asked, over = threading.Event(), threading.Event()

    def dumpsys(_argv, _stdin):
        asked.set()
        over.wait(60)
        return ProgramResult(b"")

    out = tmp_path / "out"
    out.mkdir()
    with demo_phone(dumpsys=dumpsys) as phone:
        transport = ["--transport", f"tcp:{phone.address}"]
        words = ["audit", "-o", str(out / "x.json")] if command == "audit" else ["capture", str(out / "x.zip")]
        process = subprocess.Popen(
            [sys.executable, "-c", _INTERRUPTIBLE, *words, *transport],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert asked.wait(60)
            process.send_signal(signal.SIGINT)
            out_bytes, err_bytes = process.communicate(timeout=60)
        finally:
            over.set()
            process.kill()
            process.wait()
    assert process.returncode == 130
    assert out_bytes == b""
    assert b"Stopped. Nothing was changed on the phone." in err_bytes
    assert b"Traceback" not in err_bytes
    assert list(out.iterdir()) == []


def test_an_interrupted_write_leaves_nothing(made, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(report.Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        report.write_report(made.report(), tmp_path / "x.txt", Translator("en"))
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_closes_the_pipe_is_no_error(environment):
    process = subprocess.Popen(
        [sys.executable, "-m", "privaudit", "demo"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    err_bytes = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 3  # the exit code does not depend on who reads the output
    assert b"Traceback" not in err_bytes
    assert b"Broken" not in err_bytes


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_redirected_output_is_utf_8(run, lang):
    done = run("demo", "--lang", lang, PYTHONIOENCODING="gbk")
    assert "·" in done.raw.decode("utf-8")
    assert ("通讯录" if lang == "zh" else "contacts") in done.out
    assert run("demo", "--lang", lang, PYTHONIOENCODING="ascii").code == 3


@pytest.mark.parametrize("lang", ["zh", "hi"])
def test_help_and_errors_in_any_language_under_code_page_936(run, on_terminal, lang):
    wanted = Translator(lang).t("cli.demo")[:12]
    redirected = run("--lang", lang, "--help", PYTHONIOENCODING="gbk")
    assert (redirected.code, wanted in redirected.raw.decode("utf-8")) == (0, True)
    assert run("nonsense", "--lang", lang, PYTHONIOENCODING="gbk").code == 2
    done = on_terminal("--lang", lang, "--help", PYTHONIOENCODING="gbk", lossy=True)
    assert done.code == 0  # Hindi is not in that code page: it is shown as “?”, and nothing breaks
    assert "--version" in done.shown


@pytest.mark.parametrize("lang", ["zh", "hi"])
def test_a_report_on_a_terminal_of_code_page_936(on_terminal, lang):
    done = on_terminal("demo", "--details", "--lang", lang, PYTHONIOENCODING="gbk", lossy=True)
    assert done.code == 3
    assert "com.example.sudaibao" in done.shown
    assert "Traceback" not in done.shown


def test_a_file_name_that_is_not_unicode_is_printed(run):
    done = run("audit", os.fsdecode(b"\xff\xfe.zip")) if os.name == "posix" else run("audit", "nowhere.zip")
    assert done.code == 4
    assert "What happened: " in done.err


@pytest.mark.unix  # on Windows completion is off
@pytest.mark.parametrize("words", ["privaudit aud", "privaudit signatures upd"])
def test_the_shell_completes_commands(run, words):
    done = run(_PRIVAUDIT_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(words.count(" ")))
    assert done.out.split() == [{"aud": "audit", "upd": "update"}[words.split()[-1]]]


def test_bash_accepts_the_completion_script(run, environment):
    bash = need("bash")
    code = f"{sys.executable} -m privaudit --show-completion > here && . ./here && complete -p privaudit; true"
    home = environment["HOME"]
    done = subprocess.run([bash, "-c", code], env=environment, cwd=home, check=True, capture_output=True, text=True)
    assert "_privaudit_completion" in done.stdout, done.stderr


# --- what a terminal shows ------------------------------------------------------------------------------------------


@pytest.fixture
def on_terminal(environment):
    """Run a command in a terminal of 90 columns; return its exit code and what the terminal received."""
    pty = pytest.importorskip("pty")

    def run(*arguments, lossy=False, **variables):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "privaudit", *arguments],
            env={**environment, "TERM": "xterm-256color", "COLUMNS": "90", **variables},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = bytearray()
        while True:
            select.select([ours], [], [], 60)
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux: the other side is closed
                break
            if not part:
                break
            shown += part
        os.close(ours)
        return SimpleNamespace(code=process.wait(), shown=shown.decode(errors="replace" if lossy else "strict"))

    return run


def test_a_terminal_has_colours(on_terminal):
    done = on_terminal("demo")
    assert done.code == 3
    assert "\x1b[1;31m" in done.shown


@pytest.mark.parametrize(("options", "variables"), [([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"}), (["--plain"], {})])
def test_no_escape_sequences_where_they_are_disabled(on_terminal, options, variables):
    shown = on_terminal("demo", *options, **variables).shown
    assert "Who can read what" in shown
    assert "\x1b" not in shown


def test_no_escape_sequences_in_a_pipe(run):
    done = run("demo", TERM="xterm-256color", FORCE_COLOR="1")
    assert "\x1b" not in done.out + done.err


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def _waited(monkeypatch, *, terminal, plain=False, lang="en"):
    stream = _Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    console = CliConsole(lang, plain=plain)
    for left in (90, 89, 9):
        console.print_authorization_prompt(SimpleNamespace(fingerprint="AB:CD", seconds_left=left))
    return stream.getvalue()


def test_the_countdown_is_redrawn_on_a_terminal(monkeypatch):
    shown = _waited(monkeypatch, terminal=True)
    assert shown.count("AB:CD") == 1
    assert shown.count("\r") == 3
    assert "\x1b" not in shown
    assert "89 seconds left" in shown


@pytest.mark.parametrize(("terminal", "plain"), [(False, False), (True, True)])
def test_elsewhere_the_countdown_is_printed_once(monkeypatch, terminal, plain):
    shown = _waited(monkeypatch, terminal=terminal, plain=plain, lang="zh")
    assert shown.count("还等") == 1
    assert "请本人解锁手机" in shown
    assert "\r" not in shown


# --- our own mistakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_internal_error_prints_no_phone_data(monkeypatch, lang):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    console = CliConsole(lang, plain=True)
    with contextlib.suppress(Exception), console.handle_errors():
        raise ValueError("com.secret.app")
    assert "com.secret.app" not in stream.getvalue()
    assert "test_cli.py" in stream.getvalue()


def test_a_lost_connection_is_reported(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    console = CliConsole("en", plain=True)
    with pytest.raises(Exception) as caught, console.handle_errors():
        raise ConnectionLost("errors.lost")
    assert caught.value.exit_code == 4
    assert stream.getvalue().startswith("What happened: ")


@pytest.mark.parametrize(
    "command", [(), ("audit",), ("workshop",), ("signatures",), ("signatures", "draft"), ("open",)]
)
def test_help_in_chinese_is_chinese_and_fits_a_terminal(run, command):
    lines = run(*command, "--help", LC_ALL="zh_CN.UTF-8").out.splitlines()
    assert lines[0].startswith(f"用法：{' '.join(('privaudit', *command))} [选项]")
    assert "选项：" in lines
    assert not re.search(r"Usage|Options|Arguments|Commands|OPTIONS|default|required|env var|<\w+", "\n".join(lines))
    assert max(map(cell_len, lines)) < 80


def test_help_says_what_values_an_option_takes(run):
    workshop = " ".join(run("workshop", "--help", "--lang", "en").out.split())
    assert workshop.startswith("Usage: privaudit workshop [OPTIONS] FOLDER... ")
    for part in ("Or: kit [required]", "[default: handout]", "[from 1 to 500]", "[default: 20] [from 0.05 to 600]"):
        assert part in workshop
    audit = " ".join(run("audit", "--help", "--lang", "en").out.split())
    assert "--serial SERIAL Which phone" in audit
    assert "[environment variable: ANDROID_SERIAL]" in audit
    assert audit.count("[default:") == 1  # of --transport: a flag has none


def test_help_of_privaudit_names_each_command_and_what_it_does_in_a_sentence(run):
    shown = run("--help", "--lang", "en").out
    assert re.findall(r"^  (\w+)  ", shown, re.MULTILINE) == list(COMMANDS)
    assert "..." not in shown.partition("Commands:")[2]


def test_version(run):
    assert run("--version").out == f"privaudit {__version__}\n"


@pytest.mark.parametrize("command", ["audti", "it's", "nothing-like-any", """a'b"c\\"""])
def test_an_unknown_command_is_named_as_typed(run, command):
    error = run("--lang", "en", command)
    assert error.code == 2
    assert f"There is no command “{command}”." in error.err


@pytest.mark.parametrize("words", [("audit", "--serial"), ("audit", "--nothing"), ("workshop",)])
def test_a_wrong_command_line_names_the_help_of_its_command(run, words):
    done = run(*words)
    assert done.code == 2
    assert f"privaudit {words[0]} --help" in done.err
