"""What others build on, whatever becomes of the code: commands, exit codes, documents, and files that 1.0.0 wrote.

Only the command line and files are used, and nothing is imported of the program. What lies in ``contract/1.0.0`` was
written by that release and is never written anew: a file that cannot be read any more is what this is for. All of it is
of the demo phone. ``pytest --refresh-golden`` writes only ``contract/help.en.txt``.
"""

from __future__ import annotations

import copy
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

HERE = Path(__file__).parent / "contract"
KEPT = HERE / "1.0.0"
REPORTS = ("borrower", "borrower-shared", "after", "android6")
NO_PHONE = ("--transport", "tcp:127.0.0.1:1")
"""Nobody answers there."""
PATIENCE_S = 120
"""Only so that a test that hangs ends."""


def document(name):
    return json.loads((KEPT / name).read_text(encoding="utf-8"))


@pytest.fixture
def kept(tmp_path):
    """A copy of what 1.0.0 wrote, open to its owner alone as 1.0.0 left it: git keeps no such thing."""
    copied = tmp_path / "kept"
    shutil.copytree(KEPT, copied)
    for path in [copied, *copied.rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)
    for apk in (copied / "apks").iterdir():
        os.utime(apk, ns=(0, document("apk.json")["file"]["modified_ns"]))
    return copied


@pytest.fixture
def lead(environment):
    """A workshop led with plain lines: what it prints, and lines for it."""
    begun, patience = [], []

    def start(folder, *arguments):
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "privaudit", "workshop", str(folder), "--plain", "--lang", "en", *arguments],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
            )
        )
        patience.append(threading.Timer(PATIENCE_S, begun[-1].kill))
        patience[-1].start()
        return begun[-1]

    yield start
    for one, timer in zip(begun, patience, strict=True):
        timer.cancel()
        one.kill()
        one.wait()
        one.stdin.close()
        one.stdout.close()


def say(process, line):
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def until(process, pattern):
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(pattern, line):
            return found
    raise AssertionError(said)


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.unix  # on Windows completion is off
def test_every_command_takes_what_it_took(run, request):
    """``--help`` of the program, of every command and of theirs."""
    level, texts = [()], []
    while level:
        with ThreadPoolExecutor() as pool:
            answers = list(pool.map(lambda words: run(*words, "--help", COLUMNS="80"), level))
        under = []
        for words, done in zip(level, answers, strict=True):
            assert (done.code, done.err) == (0, "")
            texts.append(f"$ {' '.join(('privaudit', *words, '--help'))}\n{done.out}\n")
            named = re.findall(r"^  (\w+)", done.out.partition("\nCommands:\n")[2], re.MULTILINE)
            under += [(*words, name) for name in named]
        level = under
    now, file = "".join(texts), HERE / "help.en.txt"
    if request.config.getoption("--refresh-golden"):
        file.write_text(now, encoding="utf-8", newline="\n")
    assert now.splitlines() == file.read_text(encoding="utf-8").splitlines(), "changed: see --refresh-golden"


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        (0, {"apps": [], "findings": [], "verdict": "nothing_found", "complete": True}),
        (3, {}),
        (3, {"complete": False}),
        (5, {"apps": [], "findings": [], "verdict": "nothing_found", "complete": False}),
    ],
)
def test_what_a_report_says_is_the_exit_code(run, tmp_path, code, changed):
    file = tmp_path / "report.json"
    file.write_text(json.dumps(document("borrower.json") | changed), encoding="utf-8")
    assert run("audit", file).code == code


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (0, ["--version"]),
        (2, []),
        (2, ["audit", "--no-such-option"]),
        (2, ["audit", "--country", "Atlantis"]),
        (4, ["audit", "nothing-there.zip"]),
        (4, ["audit", "README.txt"]),
        (4, ["audit", *NO_PHONE]),
        (4, ["diff", "README.txt", "README.txt"]),
        (5, ["audit", "."]),
    ],
    ids=str,
)
def test_exit_codes(run, tmp_path, code, arguments):
    """``.`` is a folder with the list of apps alone."""
    (tmp_path / "README.txt").write_text("nothing that a phone says\n", encoding="utf-8")
    apps = "package:/data/app/x/base.apk=com.example.notes\n"
    (tmp_path / "pm_list_packages.txt").write_text(apps, encoding="utf-8")
    assert run(*arguments, cwd=tmp_path).code == code


# --- schemas ----------------------------------------------------------------------------------------------------------


def without_additions(now, before):
    """A document of today without the keys that `before` lacks: a schema and its documents only grow."""
    if isinstance(now, dict) and isinstance(before, dict):
        return {key: without_additions(value, before[key]) for key, value in now.items() if key in before}
    if isinstance(now, list) and isinstance(before, list) and len(now) == len(before):
        return [without_additions(*pair) for pair in zip(now, before, strict=True)]
    return now


@pytest.mark.parametrize(("arguments", "file"), [([], "report.schema.json"), (["--apk"], "apk.schema.json")])
def test_schemas_only_grow(run, arguments, file):
    """Whatever 1.0.0 published stands there word for word; ``test_schema.py`` lists what was added."""
    now, before = json.loads(run("schema", *arguments).out), document(file)
    assert without_additions(now, before) == before
    for name in ["apk"] if arguments else REPORTS:
        Draft202012Validator(now).validate(document(f"{name}.json"))


@pytest.mark.parametrize(
    "changed", [{"type": "array"}, {"required": ["schema"]}, {"properties": {}}, {"$defs": {}}], ids=str
)
def test_a_schema_that_changes_would_be_seen(changed):
    before = document("report.schema.json")
    assert without_additions(before | changed, before) != before


@pytest.mark.parametrize("name", [*REPORTS, "apk"])
def test_kept_documents_follow_the_kept_schema(name):
    schema = document("apk.schema.json" if name == "apk" else "report.schema.json")
    Draft202012Validator(schema).validate(document(f"{name}.json"))


# --- captures ---------------------------------------------------------------------------------------------------------


READING_STATES = {"can_read", "only_while_open", "asks_each_time"}
LATER_QUESTIONS = {"packages_proto", "user_types"}
"""Questions that 1.0.0 did not ask."""


def settled(one):
    """A document without what another release or other lists may change.

    Left out: the version of the program; coverage of questions that came later;
    the numbers, dates and hashes of lists and rules (not their names); for each
    app which rules its permissions touch, and the words in its name.
    """
    one = copy.deepcopy(one)
    del one["tool"]["version"]
    one["knowledge"] = {
        name: dict.fromkeys(told) if isinstance(told, dict) else None for name, told in one["knowledge"].items()
    }
    if "coverage" in one:
        one["coverage"] = [row for row in one["coverage"] if row["question"] not in LATER_QUESTIONS]
    for app in one.get("apps") or [one["app"]]:
        assert all(type(rule["id"]) is str for rule in app.pop("rules"))
        for reason in app["lending"]["reasons"]:
            reason["values"].pop("words", None)
    return one


def without_new_names(now, kept):
    """A report without the apps that only later words recognise."""
    known = {app["package"] for app in kept["apps"]}
    new = [app for app in now["apps"] if app["package"] not in known]
    assert {reason["key"] for app in new for reason in app["lending"]["reasons"]} <= {"lending.name_and_access"}
    now = {**now, "counts": dict(now["counts"])}
    for name in ("apps", "findings"):
        now[name] = [one for one in now[name] if one["package"] in known]
    now["counts"]["lending"] -= len({app["package"] for app in new})
    reading = now["counts"]["lending_can_read"]
    now["counts"]["lending_can_read"] = {
        kind: count - len({app["package"] for app in new if app["access"][kind]["state"] in READING_STATES})
        for kind, count in reading.items()
    }
    return now


@pytest.mark.parametrize(("name", "arguments"), [("borrower", ["--country", "CN"]), ("after", [])])
def test_a_capture_gives_the_report_that_it_gave(run, kept, name, arguments):
    done = run("audit", kept / f"{name}.zip", "--json", *arguments)
    assert done.code == 3
    now = json.loads(done.out)
    Draft202012Validator(document("report.schema.json")).validate(now)
    kept_report = document(f"{name}.json")
    before = settled(kept_report)
    assert without_additions(settled(without_new_names(now, kept_report)), before) == before


ANSWERS = {
    "date.txt",
    "getprop.txt",
    "pm_list_users.txt",
    "dumpsys_package.txt",
    "dumpsys_appops.txt",
    "dumpsys_role.txt",
    "dumpsys_device_policy.txt",
    "pm_list_packages.txt",
    "pm_list_packages_3.txt",
    "settings_secure.txt",
    "pm_list_packages.user999.txt",
    "pm_list_packages_3.user999.txt",
    "settings_secure.user999.txt",
    "dumpsys_package.com.example.happyloan.txt",
    "apks/com.example.sudaibao.parts",
    "commands.jsonl",
    "manifest.json",
}
"""Of more than a hundred ``apks/PACKAGE.parts`` one."""
MANIFEST = {"schema", "tool", "taken_at", "source", "demo", "answers", "apks", "log", "phone"}
ANSWER = {"key", "state", "detail", "exit_code", "file", "sha256", "translated_from", "removed"}
APK = {"package", "file", "sha256"}
COMMAND = {"command", "why", "began_at", "seconds", "exit_code", "lost"}


def check_capture(file):
    with zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) >= ANSWERS
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["schema"] == "privaudit-capture/1"
        assert manifest.keys() >= MANIFEST
        for answer in manifest["answers"]:
            assert answer.keys() >= ANSWER
            if answer["file"] is not None:
                assert hashlib.sha256(archive.read(answer["file"])).hexdigest() == answer["sha256"]
        for apk in manifest["apks"]:
            assert apk.keys() >= APK
        for line in archive.read("commands.jsonl").splitlines():
            assert json.loads(line).keys() >= COMMAND


@pytest.mark.parametrize("name", ["borrower.zip", "after.zip", "ledger.before.zip"])
def test_what_is_in_a_kept_capture(name):
    check_capture(KEPT / name)


def test_what_is_in_a_capture_of_today(run, demo_phone, tmp_path):
    file = tmp_path / "check.zip"
    with demo_phone() as phone:
        assert run("capture", file, "--transport", f"tcp:{phone.address}").code == 0
    check_capture(file)


# --- reports ----------------------------------------------------------------------------------------------------------


def words(rendered):
    """Text without the line breaks of its width."""
    return re.sub(r"\s+", "", rendered)


def messages(one):
    """Every ``{"key": …, "values": …}`` in a document."""
    if isinstance(one, dict):
        if one.keys() == {"key", "values"}:
            yield one
        for value in one.values():
            yield from messages(value)
    elif isinstance(one, list):
        for value in one:
            yield from messages(value)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", REPORTS)
def test_kept_reports_are_rendered_with_a_sentence_for_every_key(run, kept, name, lang):
    files = [kept / f"again.{suffix}" for suffix in ("txt", "html", "csv")]
    outputs = [word for file in files for word in ("-o", file)]
    done = run("audit", kept / f"{name}.json", "--details", "--lang", lang, *outputs)
    assert done.code == 3
    report = document(f"{name}.json")
    for rendered in (done.out, *(file.read_text(encoding="utf-8") for file in files)):
        assert all(app["package"] in rendered for app in report["apps"] if app["lending"]["verdict"] != "no")
        told = words(rendered)
        assert not [one["key"] for one in messages(report) if f"[{one['key']}]" in told]
    if lang == "zh":
        assert not re.findall(r"(?:[A-Za-z’']+ ){4,}", done.out)  # no sentence stayed English


@pytest.mark.parametrize("name", ["borrower", "android6"])
def test_a_key_without_a_sentence_would_be_seen(run, tmp_path, name):
    """Else the test above would say nothing."""
    keys, seen = {one["key"] for one in messages(document(f"{name}.json"))}, ""
    for within in (False, True):  # a sentence that is not there shows nothing of what it would hold
        report = document(f"{name}.json")
        for one in list(messages(report)):
            if not (within and list(messages(one["values"]))):
                one["key"] += "_gone"
        file = tmp_path / "gone.json"
        file.write_text(json.dumps(report), encoding="utf-8")
        seen += words(run("audit", file, "--details", "--lang", "en").out)
    assert not [key for key in keys if f"[{key}_gone]" not in seen]


def test_a_table_has_the_columns_that_it_had(run, kept):
    """In their places: new ones stand behind them."""
    run("audit", kept / "borrower.json", "--lang", "en", "-o", kept / "again.csv")
    now, before = (
        list(csv.reader((kept / name).read_text(encoding="utf-8-sig").splitlines()))
        for name in ("again.csv", "borrower.csv")
    )
    assert [row[: len(before[0])] for row in now] == before


def test_a_saved_report_is_the_same_document_again(run, kept):
    done = run("audit", kept / "borrower.json", "--json")
    before = document("borrower.json")
    assert without_additions(json.loads(done.out), before) == before


def test_the_difference_of_two_reports_is_what_it_was(run, kept):
    done = run("diff", kept / "borrower.json", kept / "after.json", "--json")
    before = document("diff.json")
    assert without_additions(json.loads(done.out), before) == before
    both = run("diff", kept / "borrower.zip", kept / "after.zip", "--json")
    assert without_additions(json.loads(both.out), before) == before
    assert done.code == both.code


# --- ledgers ----------------------------------------------------------------------------------------------------------

LEDGER = {"schema", "tool", "made_at", "demo", "phone", "capture", "entries", "seal"}
ENTRY = {"change", "outcome", "said", "after", "at"}
CHANGE = {"package", "user", "kind", "what", "before", "old_app", "system"}
STATE = {"held", "flags", "uid_mode", "mode"}


def check_ledger(file):
    ledger = json.loads(file.read_text(encoding="utf-8"))
    assert ledger["schema"] == "privaudit-ledger/1"
    assert ledger.keys() >= LEDGER
    assert ledger["phone"].keys() >= {"salt", "model", "apps"}
    sealed = (file.parent / ledger["capture"]["file"]).read_bytes()
    assert hashlib.sha256(sealed).hexdigest() == ledger["capture"]["sha256"]
    assert ledger["entries"]
    for entry in ledger["entries"]:
        assert entry.keys() >= ENTRY
        assert entry["change"].keys() >= CHANGE
        assert entry["change"]["before"].keys() >= STATE
        assert entry["after"] is None or entry["after"].keys() >= STATE


def test_what_is_in_a_kept_ledger():
    check_ledger(KEPT / "ledger.json")


def test_what_is_in_a_ledger_of_today(run, demo_phone, tmp_path):
    file = tmp_path / "ledger.json"
    with demo_phone("android16") as phone:
        way = ("--transport", f"tcp:{phone.address}")
        run("revoke", "com.example.flashpeso", "--apply", "--yes", "--ledger", file, *way)
    check_ledger(file)


def test_a_kept_ledger_can_be_taken_back(run, kept):
    plan = run("undo", kept / "ledger.json", "--lang", "en")
    assert plan.code == 0
    assert all(f"({name}): on again" in plan.out for name in ("READ_CONTACTS", "READ_SMS"))
    assert "not undone" not in plan.out  # the capture that 1.0.0 sealed shows all of it as held
    applied = run("undo", kept / "ledger.json", "--apply", "--yes", "--lang", "en", *NO_PHONE)
    assert applied.code == 4
    assert "No phone answers" in applied.err


def test_a_ledger_that_was_changed_is_refused(run, kept):
    file = kept / "ledger.json"
    file.write_text(file.read_text(encoding="utf-8").replace("READ_SMS", "CAMERA"), encoding="utf-8")
    done = run("undo", file, "--lang", "en")
    assert (done.code, done.out) == (4, "")
    assert "was changed after it was written" in done.err


# --- workshops --------------------------------------------------------------------------------------------------------

REHEARSAL = ("--rehearse", "1", "--pace", "60")
ASKED = r"^(\w+)  .*: ask its owner"
DAY = {"schema", "session", "opened_on", "keep", "demo", "salt", "secret", "failures"}
RECORD = {"token", "rom", "lending", "can_read", "listed", "found", "complete"}
COUNTED = {"phones", "unmarked", "roms", "lending", "can_read", "listed", "failures"}


def check_open(folder):
    day = json.loads((folder / ".open" / "day.json").read_text(encoding="utf-8"))
    assert day["schema"] == "privaudit-workshop/1"
    assert day.keys() >= DAY
    records = [file for file in (folder / ".open").glob("*.json") if file.name != "day.json"]
    assert records
    for file in records:
        assert json.loads(file.read_text(encoding="utf-8")).keys() >= RECORD
        assert (folder / "pages" / f"{file.stem}.html").is_file()


def check_closed(folder, *, phones):
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "totals.json"]
    book = json.loads((folder / "totals.json").read_text(encoding="utf-8"))
    assert book["schema"] == "privaudit-totals/1"
    assert book.keys() >= {"schema", "demo", "sessions"}
    for session in book["sessions"].values():
        assert session.keys() >= {"opened_on", "counted"}
        assert session["counted"].keys() >= COUNTED
    assert sum(session["counted"]["phones"] for session in book["sessions"].values()) == phones


def test_what_is_in_kept_workshops():
    check_open(KEPT / "workshop-open")
    check_closed(KEPT / "workshop-closed", phones=6)


@pytest.mark.parametrize("name", ["workshop-open", "workshop-closed"])
def test_totals_of_a_kept_workshop(run, kept, name):
    done = run("workshop", kept / name, "--totals", "--json")
    assert (done.code, json.loads(done.out)) == (0, document("workshop-totals.json"))
    assert run("workshop", kept / name, "--totals", "--lang", "zh").code == 0


def test_what_is_in_an_open_workshop_of_today(lead, tmp_path):
    new = lead(tmp_path / "ws", *REHEARSAL)
    code = until(new, ASKED)[1]
    say(new, f"c {code}")
    until(new, rf"^{code}  .*: sticker")
    say(new, f"s {code}")
    until(new, rf"^{code}  .*: done")
    check_open(tmp_path / "ws")
    new.communicate("q\ny\n")
    check_closed(tmp_path / "ws", phones=1)


def test_an_open_workshop_is_gone_on_with_and_closed(lead, kept):
    """The rehearsal's first phone is known again by the day's secret, and counted once."""
    folder, day = kept / "workshop-open", kept / "workshop-open" / ".open" / "day.json"
    said = json.loads(day.read_text(encoding="utf-8"))
    day.write_text(json.dumps(said | {"opened_on": date.today().isoformat()}), encoding="utf-8")  # noqa: DTZ011
    again = lead(folder, *REHEARSAL)
    until(again, "6 phones are finished")
    code = until(again, ASKED)[1]
    say(again, f"c {code}")
    until(again, r"sticker C6: put it on now \(already here today\)")
    again.communicate("q\ny\n")
    check_closed(folder, phones=6)


def test_a_workshop_that_another_day_left_open_is_closed_first(lead, kept):
    lead(kept / "workshop-open", *REHEARSAL).communicate("y\nq\ny\n")
    check_closed(kept / "workshop-open", phones=6)


# --- APKs -------------------------------------------------------------------------------------------------------------

SUDAIBAO = "apks/com.example.sudaibao-10402.apk"


def test_an_apk_gives_the_document_that_it_gave(run, kept):
    for lang in ("en", "zh"):
        done = run("apk", SUDAIBAO, "--lang", lang, "--country", "CN", "-o", f"{lang}.json", cwd=kept)
        assert done.code == 3
        now = json.loads((kept / f"{lang}.json").read_text(encoding="utf-8"))
        now["file"]["path"] = Path(now["file"]["path"]).as_posix()
        before = settled(document("apk.json"))
        assert without_additions(settled(now), before) == before
        told = words(done.out)
        assert not [one["key"] for one in messages(now) if f"[{one['key']}]" in told]
    Draft202012Validator(document("apk.schema.json")).validate(now)


@pytest.mark.unix  # the paths in the kept file are
def test_a_kept_file_of_results_is_gone_on_with(run, kept):
    before = (kept / "results.jsonl").read_text(encoding="utf-8")
    done = run("apk", "apks", "-o", "results.jsonl", "--country", "CN", cwd=kept)
    assert done.code == 3
    now = (kept / "results.jsonl").read_text(encoding="utf-8")
    assert now.startswith(before)
    assert {json.loads(line)["file"]["path"] for line in now.splitlines()} == {
        f"apks/{apk.name}" for apk in (kept / "apks").iterdir()
    }
