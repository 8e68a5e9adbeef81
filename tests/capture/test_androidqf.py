"""What AndroidQF collected: folder and zip, older and newer; encrypted, torn and hostile ones."""

from __future__ import annotations

import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privaudit import facts
from privaudit.capture import androidqf, converters, read_source, text_folder
from privaudit.errors import SourceError
from privaudit.model import AnswerState
from privaudit.virtual_phone import load_scenario
from tests.conftest import NOW
from tests.fixtures import bugreport_builder as builder

PHONE = load_scenario("borrower")
NEWER = builder.androidqf(PHONE, NOW)
OLDER = builder.androidqf(PHONE, NOW, newer=False)
A, U, R, Q = AnswerState.ANSWERED, AnswerState.UNREADABLE, AnswerState.REFUSED, AnswerState.NOT_ASKED


@pytest.fixture
def collected(tmp_path):
    """Reads files from a folder, or with `zipped`, from a zip in which they lie below `base_apk`."""

    def read(files, *, zipped=False, base=""):
        if zipped:
            path = tmp_path / "collected.zip"
            path.write_bytes(builder.archive({base + name: content for name, content in files.items()}))
            return read_source(path)
        path = tmp_path / "collected"
        path.mkdir()
        for name, content in files.items():
            (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_source(path)

    return read


def without(files, *names):
    return {name: content for name, content in files.items() if name not in names}


def one(**changed):
    row = {"name": "a.b", "installer": "null", "uid": 10123, "third_party": True}
    return {**row, "files": [{"path": "/data/app/a/base.apk", "sha256": "0" * 64}], **changed}


# --- what it answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", [{}, {"zipped": True}, {"zipped": True, "base": "0b1c/"}])
@pytest.mark.parametrize("files", [NEWER, OLDER], ids=["newer", "older"])
def test_folder_and_zip_have_the_same_answers(collected, files, where):
    taken = collected(files, **where)
    assert taken.source.kind == "androidqf"
    assert (taken.source.sha256 is None) == (not where)
    assert taken.taken_at == NOW
    assert {answer.state for answer in taken.answers.values()} == {A}
    lists = {key for key in taken.answers if key.startswith(("installed", "third_party"))}
    assert lists == {
        f"{name}.{user}" for name in ("installed", "third_party") for user in ((0, 999) if files is NEWER else (0,))
    }
    assert {taken.answer(key).translated_from for key in lists} == {"packages.json"}
    assert taken.answer("packages").text == builder.services(PHONE, NOW)["package"]


@pytest.mark.parametrize("files", [NEWER, OLDER], ids=["newer", "older"])
def test_package_lists_agree_with_the_phones(collected, files):
    taken = collected(files)
    assert sorted(taken.answer("installed.0").text.splitlines()) == sorted(builder.listed(PHONE, 0).splitlines())
    assert not any(row.unparsed_lines for row in facts.gather_facts(taken).coverage)


def test_names_and_identifiers_are_removed(collected):
    taken = collected(NEWER)
    everything = "".join(answer.text + str(answer.detail) for answer in taken.answers.values())
    assert not [secret for secret in builder.SECRETS if secret in everything]


def test_hashes_are_read_and_labels_are_not_reported_missing(collected):
    found = facts.gather_facts(collected(NEWER))
    assert {app.apk_sha256 for app in found.apps if not app.system} == {"0" * 64}
    rows = {row.question: row.state for row in found.coverage}
    assert (rows["hashes"], rows["names"]) == (A, Q)
    assert {app.label_state for app in found.apps} == {"not_asked"}


def test_bug_report_replaces_a_missing_dumpsys(collected):
    report = builder.zipped(builder.text(PHONE, NOW))
    taken = collected({**without(NEWER, "dumpsys.txt"), "bugreport.zip": report})
    assert taken.answers == collected(NEWER, zipped=True).answers


def test_a_separate_file_is_preferred_to_a_section_unless_damaged(collected):
    changed = {**NEWER, "settings_secure.txt": "default_input_method=a.b/.C\n"}
    assert collected(changed, zipped=True).answer("settings.0").text == "default_input_method=a.b/.C\n"
    changed["settings_secure.txt"] = ""
    assert "enabled_accessibility_services=" in collected(changed, zipped=True).answer("settings.0").text


@pytest.mark.parametrize("name", ["dumpsys.txt", "getprop.txt", "packages.json", "settings_secure.txt"])
def test_any_subset_is_accepted(collected, name):
    taken = collected(without(NEWER, name))
    state = taken.answer({"dumpsys.txt": "packages", "packages.json": "installed.0"}.get(name, "roles")).state
    assert state is (Q if name in {"dumpsys.txt", "packages.json"} else A)


def test_users_with_incomplete_lists_are_reported(collected):
    users = [
        {"id": 0, "name": "Li Wei", "inventory_status": "partial", "error": "com.secret.app: exit status 1"},
        {"id": 10, "inventory_status": "failed", "error": "java.lang.SecurityException: user 10"},
        {"id": "x"},
        {"id": -1},
        None,
    ]
    taken = collected({**NEWER, "package_users.json": json.dumps({"users": users})})
    assert [taken.answer(f"installed.{user}").state for user in (0, 10, 999)] == [U, R, A]
    assert "com.secret.app" not in str(taken.answers["installed.0"])


# --- packages.json ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (one(), "package:/data/app/a/base.apk=a.b  installer=null uid:10123\n"),
        (one(installer="com.store"), "package:/data/app/a/base.apk=a.b  installer=com.store uid:10123\n"),
        (one(installer=""), "package:/data/app/a/base.apk=a.b uid:10123\n"),  # a phone without -i
        (one(installer="x y\npackage:evil"), "package:/data/app/a/base.apk=a.b  installer=null uid:10123\n"),
        (one(uid=0), "package:/data/app/a/base.apk=a.b  installer=null\n"),
        (one(uid=-5), "package:/data/app/a/base.apk=a.b  installer=null\n"),
        (one(uid=True, user_id=False), "package:/data/app/a/base.apk=a.b  installer=null\n"),
        (one(files=[{"path": "/a b/base.apk"}], user_id=0), "package:a.b  installer=null uid:10123\n"),
        (one(files=[{"path": "/a\npackage:evil"}]), "package:a.b  installer=null uid:10123\n"),
        (one(files=[]), None),  # uninstalled, its data kept
        (one(files=[], user_id=0), "package:a.b  installer=null uid:10123\n"),
        (one(installed=False, user_id=0), None),
        (one(installed=None, files=[], user_id=0), "package:a.b  installer=null uid:10123\n"),
    ],
)
def test_rows_are_converted_to_pm_list_packages(row, expected):
    every, own = converters.package_list_lines([row])
    assert every == ({} if expected is None else {0: expected})
    assert own == ({} if expected is None else {0: "package:a.b\n"})


def test_a_uid_implies_the_user():
    assert list(converters.package_list_lines([one(uid=1010123)])[0]) == [10]


@pytest.mark.parametrize(
    "content", ["", "{", "{}", "null", "[null]", '[{"name": "../x"}]', '[{"name": 5}]', "[" * 100_000, "\x00", "1e999"]
)
def test_an_invalid_list_is_unreadable(collected, content):
    taken = collected({**NEWER, "packages.json": content})
    # JSON's own null is as much as no file.
    assert taken.answer("installed.0").state is (Q if content == "null" else U)
    assert taken.answer("packages").state is A


# --- encrypted, torn, hostile -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", [b"age-encryption.org/v1\n-> X25519 x\n", b"-----BEGIN AGE ENCRYPTED FILE-----\nx"])
def test_an_encrypted_file_explains_decryption(tmp_path, head, run):
    path = tmp_path / "0b1c.zip.age"
    path.write_bytes(head + b"\0" * 100)
    done = run("audit", path)
    assert done.code == 4
    assert f"age --decrypt -i KEY.txt -o 0b1c.zip {path}" in done.err


@pytest.mark.parametrize("name", ["packages.json", "x/../../evil", "/etc/passwd"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_entries_are_rejected(tmp_path, name):
    path = tmp_path / "a.zip"
    path.write_bytes(builder.archive({**NEWER}))
    with zipfile.ZipFile(path, "a") as again:
        again.writestr(name, "[]")
        again.writestr(name, "[]")
    if name in NEWER:
        with pytest.raises(SourceError, match="capture_damaged"):
            read_source(path)
    else:
        assert read_source(path).answer("installed.0").state is A
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


def test_too_many_files_are_rejected(collected, monkeypatch):
    monkeypatch.setattr("privaudit.capture.source_files.MAX_ENTRIES", 3)
    with pytest.raises(SourceError, match="capture_too_large"):
        collected(NEWER, zipped=True)


@pytest.mark.parametrize("name", ["dumpsys.txt", "packages.json", "getprop.txt", "bugreport.zip"])
def test_too_large_files_are_not_read(collected, monkeypatch, name):
    monkeypatch.setattr(androidqf, "MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(text_folder, "MAX_FILE_BYTES", 1000)
    monkeypatch.setattr("privaudit.capture.source_files.MAX_INNER_ZIP_BYTES", 1000)
    monkeypatch.setattr("privaudit.capture.bugreport_sections.MAX_REPORT_BYTES", 1000)
    files = {"acquisition.json": "{}", name: b"[\n" * 1000}
    if name in {"dumpsys.txt", "bugreport.zip"}:
        with pytest.raises(SourceError, match="capture_too_large"):
            collected(files)
    else:
        assert {answer.state for answer in collected(files).answers.values()} == {U}


def test_unknown_files_only_are_an_error(collected):
    with pytest.raises(SourceError, match="androidqf_without_answers"):
        collected({"acquisition.json": "{}", "backup.ab": b"x"})


@pytest.mark.parametrize("said", ["", "null", '{"started": 5}', '{"started": "0001-01-01T00:00:00Z"}', "{}", "[]"])
def test_without_acquisition_time_the_phones_is_used(collected, said):
    assert collected({**NEWER, "acquisition.json": said}).taken_at.timestamp() == PHONE.device_time(NOW).timestamp()


SMALL = builder.archive({name: content[:2000] for name, content in NEWER.items()})


@given(at=st.integers(0, len(SMALL) - 1), bit=st.integers(0, 7), cut=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_zip_raises_only_source_error(tmp_path_factory, at, bit, cut):
    path = tmp_path_factory.mktemp("torn") / "x.zip"
    raw = bytearray(SMALL)
    raw[at] ^= 1 << bit
    path.write_bytes(raw[:at] if cut else raw)
    try:
        facts.gather_facts(read_source(path))
    except SourceError:
        return


ROWS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["a.b", "/x.apk", "files", "name"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(one())), inner, max_size=6),
    max_leaves=12,
)


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_any_json_is_accepted_or_rejected(rows):
    try:
        every, own = converters.package_list_lines(rows)
    except ValueError:
        return
    assert every.keys() == own.keys()


# --- interrupted, and links -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", [{}, {"zipped": True}, {"zipped": True, "base": "0b1c/"}])
@pytest.mark.parametrize("missing", [(), ("packages.json",), ("getprop.txt", "settings_secure.txt")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_interrupted_acquisition_is_read(collected, missing, where, encoding):
    files = without(NEWER, "acquisition.json", *missing)
    files["dumpsys.txt"] = files["dumpsys.txt"].encode(encoding)
    taken = collected(files, **where)
    assert taken.source.kind == "androidqf"
    assert taken.answer("packages").text == builder.services(PHONE, NOW)["package"]
    assert {answer.state for answer in taken.answers.values()} == {A}


def test_package_lists_alone_are_read_with_what_was_saved_beside_them(collected):
    dump = builder.services(PHONE, NOW)["package"]
    taken = collected({"packages.json": NEWER["packages.json"], "dumpsys_package.txt": dump})
    assert [taken.answer(key).state for key in ("packages", "installed.0", "installed.999")] == [A, A, A]


@pytest.mark.unix
@pytest.mark.parametrize("name", ["dumpsys.txt", "packages.json", "getprop.txt", "bugreport.zip"])
def test_a_link_out_of_the_folder_is_not_followed(tmp_path, name):
    outside, folder = tmp_path / "outside", tmp_path / "collected"
    folder.mkdir()
    secret = builder.zipped(builder.text(PHONE, NOW)) if name == "bugreport.zip" else NEWER[name].encode()
    outside.write_bytes(secret)
    (folder / "acquisition.json").write_text("{}")
    (folder / "dumpsys_role.txt").write_text(builder.services(PHONE, NOW)["role"])
    (folder / name).symlink_to(outside)
    taken = read_source(folder)
    assert {key for key, answer in taken.answers.items() if answer.text} == {"roles"}
