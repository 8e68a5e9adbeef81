"""Evidence folders: what each part holds, that a failed write leaves nothing, and that each change is reported."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import subprocess
import zipfile
from datetime import datetime

import pytest

from privaudit import audit, knowledge
from privaudit.capture import archive
from privaudit.documents import evidence_folder
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.model import Verdict
from privaudit.report import json as report_json
from tests.virtual_phone.conftest import need

APP = "com.example.sudaibao"
NOW = datetime.fromisoformat("2026-01-10T16:00:00+08:00")


@pytest.fixture
def saved(demo_capture, tmp_path):
    file = tmp_path / "check.zip"
    archive.write_archive(demo_capture, file)
    return file


def create(demo_capture, saved, folder, *only, language="en"):
    report = audit.build_report(demo_capture, knowledge.load_knowledge(demo=True), audit.ReportOptions())
    digest = evidence_folder.create_evidence_folder(
        folder,
        evidence_folder.disclosable_report(report, only),
        capture=demo_capture,
        write_sealed=evidence_folder.copy_into(saved, "capture.zip"),
        language=Translator(language),
        created_at=NOW,
    )
    return folder, digest


def read_all(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_disclosable_part_names_only_apps_of_the_report(demo_capture, demo_report, saved, tmp_path):
    folder, _ = create(demo_capture, saved, tmp_path / "kept")
    with zipfile.ZipFile(saved) as zipped:
        listing = zipped.read("pm_list_packages.txt").decode()
    packages = set(re.findall(r"=(\w+(?:\.\w+)+)(?:\s|$)", listing))
    assert len(packages) > 100
    named = {app.package for app in demo_report.apps}
    shown = {name: data for name, data in read_all(folder).items() if name.startswith("disclosable/")}
    # Whoever installed an app is told of it, as the report does.
    installers = {app.installer for app in demo_report.apps}
    for name, data in shown.items():
        text = data.decode()
        others = {
            package
            for package in packages - named - installers
            if re.search(rf"(?<![\w.]){re.escape(package)}(?![\w.])", text)
        }
        assert others == set(), name
    assert (folder / "sealed" / "capture.zip").read_bytes() == saved.read_bytes()


def test_selected_app_hides_the_others(demo_capture, demo_report, saved, tmp_path):
    folder, _ = create(demo_capture, saved, tmp_path / "kept", APP)
    text = "".join(data.decode() for name, data in read_all(folder).items() if name.startswith("disclosable/"))
    assert APP in text
    for app in demo_report.apps:
        if app.package != APP:
            assert app.package not in text
            assert app.label not in text
    # Nor how many there are.
    counts = json.loads((folder / "disclosable" / "report.json").read_text(encoding="utf-8"))["counts"]
    assert (counts["lending"], counts["listed"], counts["suspect"]) == (1, 1, 0)
    assert counts["apps_seen"] == demo_report.counts.apps_seen


def test_disclosable_report_leaves_out_unrecognised_apps(made):
    lender = made.app(listed=(made.listing(),), contacts=made.access("can_read"))
    other = made.app("com.example.faith", contacts=made.access("can_read"))
    report = made.report(lender, other)
    shown = evidence_folder.disclosable_report(report, ())
    assert (
        {app.package for app in shown.apps} == {finding.package for finding in shown.findings} == {"com.example.made"}
    )
    assert {app.package for app in evidence_folder.disclosable_report(report, ("com.example.faith",)).apps} == {
        "com.example.faith"
    }
    assert evidence_folder.disclosable_report(made.report(other), ()).verdict is Verdict.NOTHING_FOUND
    with pytest.raises(UsageError):
        evidence_folder.disclosable_report(report, ("com.example.nowhere",))


def test_evidence_lines_refer_to_files_of_the_sealed_part(demo_capture, demo_report, saved, tmp_path):
    folder, _ = create(demo_capture, saved, tmp_path / "kept")
    text = re.sub(r"\s+", "", (folder / "disclosable" / "lines.txt").read_text(encoding="utf-8"))
    with zipfile.ZipFile(folder / "sealed" / "capture.zip") as zipped:
        for finding in demo_report.findings:
            for line in finding.evidence:
                file = evidence_folder.answer_file_name(line.question)
                data = zipped.read(file)
                assert data.decode().split("\n")[line.line - 1] == line.text
                assert f"{file}(SHA-256{hashlib.sha256(data).hexdigest()})" in text
                assert re.sub(r"\s+", "", line.text) in text


def test_hash_page_shows_hash_clocks_and_versions(demo_capture, demo_report, saved, tmp_path):
    folder, digest = create(demo_capture, saved, tmp_path / "kept")
    hashes = (folder / evidence_folder.HASH_LIST_FILE).read_bytes()
    assert hashlib.sha256(hashes).hexdigest() == digest
    page = (folder / evidence_folder.HASH_PAGE_FILE).read_text(encoding="utf-8")
    assert evidence_folder.grouped_hash(digest) in page
    for said in (
        "Asia/Shanghai; differs by 3 s from this computer",
        "2026-01-10 07:41:57+00:00",
        "2026-01-10 16:00:00+08:00",
        f"privaudit {demo_report.tool.version}",
        demo_report.knowledge.signatures.sha256,
        "demo phone",
        "What it does not show",
        "not a signature",
    ):
        assert said in page, said
    assert "default-src &#39;none&#39;" in page
    assert not re.search(r"(?:src|href)=", page)


@pytest.mark.unix
def test_files_and_folders_are_private(demo_capture, saved, tmp_path):
    folder, _ = create(demo_capture, saved, tmp_path / "kept")
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_folder_avoids_forensic_terms(demo_capture, saved, tmp_path):
    folder, _ = create(demo_capture, saved, tmp_path / "kept", language="zh")
    text = "".join(data.decode() for name, data in read_all(folder).items() if not name.endswith((".zip", ".json")))
    for word in ("取证", "存证", "鉴定", "受害者", "犯罪"):
        assert word not in text


@pytest.mark.parametrize("where", ["seal", "sheet"])
def test_failed_write_leaves_nothing(demo_capture, demo_report, saved, tmp_path, monkeypatch, where):
    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if where == "sheet":
        monkeypatch.setattr(evidence_folder, "hash_page", broken)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SourceError) as error:
        evidence_folder.create_evidence_folder(
            tmp_path / "kept",
            demo_report,
            capture=demo_capture,
            write_sealed=broken if where == "seal" else evidence_folder.copy_into(saved, "capture.zip"),
            language=Translator("en"),
            created_at=NOW,
        )
    assert error.value.name == "not_written"
    assert sorted(tmp_path.iterdir()) == before


# --- check ----------------------------------------------------------------------------------------------------------


def test_unchanged_folder_verifies(demo_capture, saved, tmp_path):
    folder, digest = create(demo_capture, saved, tmp_path / "kept")
    checked = evidence_folder.verify_evidence_folder(folder)
    assert (checked.digest, checked.changes) == (digest, ())
    assert checked.unchanged == len(read_all(folder)) - 2


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("changed", "disclosable/report.json"),
        ("changed", "sealed/capture.zip"),
        ("missing", "disclosable/lines.txt"),
        ("missing", "sealed/capture.zip"),
        ("missing", "disclosable/sheet.html"),
        ("added", "disclosable/more.txt"),
        ("sheet_differs", "disclosable/sheet.html"),
    ],
)
def test_each_change_is_reported(demo_capture, saved, tmp_path, change, name):
    folder, _ = create(demo_capture, saved, tmp_path / "kept")
    file = folder / name
    if change == "missing":
        file.unlink()
    elif change == "sheet_differs":
        file.write_text(
            re.sub(r"[0-9a-f]{4} [0-9a-f]{4}", "0000 0000", file.read_text(encoding="utf-8")), encoding="utf-8"
        )
    else:
        file.write_bytes((file.read_bytes() if file.exists() else b"") + b"\n")
    assert evidence_folder.verify_evidence_folder(folder).changes == ((change, name),)


def test_changed_hash_list_changes_the_digest(demo_capture, saved, tmp_path):
    folder, digest = create(demo_capture, saved, tmp_path / "kept")
    report = folder / "disclosable" / "report.txt"
    before = hashlib.sha256(report.read_bytes()).hexdigest()
    report.write_text("other", encoding="utf-8")
    listed = folder / evidence_folder.HASH_LIST_FILE
    listed.write_text(listed.read_text("utf-8").replace(before, hashlib.sha256(b"other").hexdigest()))
    checked = evidence_folder.verify_evidence_folder(folder)
    assert checked.digest != digest
    assert checked.changes == (("sheet_differs", evidence_folder.HASH_PAGE_FILE),)


@pytest.mark.unix
def test_symbolic_link_is_a_change(demo_capture, saved, tmp_path):
    folder, _ = create(demo_capture, saved, tmp_path / "kept")
    sealed = folder / "sealed" / "capture.zip"
    sealed.unlink()
    sealed.symlink_to(saved)
    assert evidence_folder.verify_evidence_folder(folder).changes == (("changed", "sealed/capture.zip"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x\n",
        f"{'0' * 64}  ../../etc/passwd\n",
        f"{'0' * 64}  disclosable/../../x\n",
        f"{'0' * 64} disclosable/x\n",
        "ü\n",
    ],
    ids=["empty", "word", "outside", "round", "one blank", "not ascii"],
)
def test_damaged_hash_list_is_refused(demo_capture, saved, tmp_path, text):
    folder, _ = create(demo_capture, saved, tmp_path / "kept")
    (folder / evidence_folder.HASH_LIST_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as error:
        evidence_folder.verify_evidence_folder(folder)
    assert error.value.name == "kept_list_damaged"


def test_sha256sum_accepts_the_hash_list(demo_capture, saved, tmp_path):
    folder, _ = create(demo_capture, saved, tmp_path / "kept")
    done = subprocess.run(
        [need("sha256sum"), "--check", evidence_folder.HASH_LIST_FILE], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_evidence_command(run, saved, tmp_path):
    done = run("evidence", saved, "-o", tmp_path / "kept")
    assert done.code == 0, done.err
    assert "to your lawyer first" in done.err
    digest = done.out.strip()
    checked = run("evidence", "--check", tmp_path / "kept")
    assert checked.code == 0
    assert checked.out == evidence_folder.grouped_hash(digest) + "\n"
    report = json.loads((tmp_path / "kept" / "disclosable" / "report.json").read_text(encoding="utf-8"))
    assert report["source"]["sha256"] == hashlib.sha256(saved.read_bytes()).hexdigest()
    (tmp_path / "kept" / "disclosable" / "report.txt").write_text("x", encoding="utf-8")
    (tmp_path / "kept" / "sealed" / "capture.zip").unlink()
    changed = run("evidence", "--check", tmp_path / "kept")
    assert changed.code == 4
    assert "Changed: disclosable/report.txt" in changed.err
    assert "Missing: sealed/capture.zip" in changed.err
    again = run("evidence", saved, "-o", tmp_path / "kept")
    assert again.code == 2


def test_evidence_of_a_report_and_of_a_text_folder(run, demo_report, saved, tmp_path):
    file = tmp_path / "report.json"
    file.write_text(report_json.render(demo_report), encoding="utf-8")
    assert run("evidence", file, "-o", tmp_path / "one").code == 0
    assert (tmp_path / "one" / "sealed" / "report.json").read_bytes() == file.read_bytes()
    assert "is the whole report" in (tmp_path / "one" / "sealed" / "READ-ME-FIRST.txt").read_text(encoding="utf-8")
    with zipfile.ZipFile(saved) as zipped:
        names = [name for name in zipped.namelist() if name.endswith(".txt")]
        zipped.extractall(tmp_path / "answers", names)
    users = tmp_path / "answers" / "pm_list_users.txt"
    told = users.read_text(encoding="utf-8")
    users.write_text(re.sub(r"(UserInfo\{\d+:)[^:]*", r"\1李伟", told), encoding="utf-8")
    assert "李伟" in users.read_text(encoding="utf-8")
    done = run("evidence", tmp_path / "answers", "-o", tmp_path / "two")
    assert done.code == 0, done.err
    assert archive.read(tmp_path / "two" / "sealed" / "capture.zip").answers
    # A name that somebody gave the phone is in neither part.
    with zipfile.ZipFile(tmp_path / "two" / "sealed" / "capture.zip") as zipped:
        sealed_files = [zipped.read(name) for name in zipped.namelist()]
    assert not [data for data in (*sealed_files, *read_all(tmp_path / "two").values()) if "李伟".encode() in data]


def test_report_in_the_folder_has_the_rights_of_the_country(run, demo_report, saved, tmp_path):
    file = tmp_path / "report.json"
    file.write_text(report_json.render(demo_report), encoding="utf-8")
    for folder, source in (("one", file), ("two", saved)):
        done = run("evidence", source, "-o", tmp_path / folder, "--country", "in")
        assert done.code == 0, done.err
        for form in ("txt", "html"):
            report = (tmp_path / folder / "disclosable" / f"report.{form}").read_text(encoding="utf-8")
            assert "cms.rbi.org.in" in report, folder


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "source or the folder is missing"),
        (["check.zip"], 2, "source or the folder is missing"),
        (["check.zip", "-o", "no/such"], 2, "folder"),
        (["check.zip", "-o", "kept", "--app", "com.example.nowhere"], 2, "has no findings about"),
        (["check.zip", "--check", "."], 2, "--check"),
        (["--check", "."], 4, "not a folder saved by privaudit"),
        (["nowhere.zip", "-o", "kept"], 4, "does not exist"),
    ],
    ids=["nothing", "does not exist", "folder not there", "app", "both", "not kept", "no source"],
)
def test_evidence_command_refusals(run, saved, arguments, code, said):
    done = run("evidence", *arguments, cwd=saved.parent)
    assert done.code == code
    assert said in done.err
    assert done.out == ""
    assert {path.name for path in saved.parent.iterdir()} == {"check.zip", "home"}


def test_local_path_is_not_disclosed(run, saved, tmp_path):
    run("evidence", saved, "-o", tmp_path / "kept")
    for name, data in read_all(tmp_path / "kept").items():
        if name.startswith("disclosable/"):
            assert str(tmp_path).encode() not in data, name
