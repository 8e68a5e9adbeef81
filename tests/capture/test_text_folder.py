"""A folder of text files, as people save them: any subset, any encoding, any damage."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from privaudit.capture import text_folder
from privaudit.capture.sources import read_source
from privaudit.capture.text_folder import answer_file_name, parse_answer_file_name
from privaudit.errors import SourceError
from privaudit.model import AnswerState

LIST = "package:/data/app/a/base.apk=com.example.app  installer=null\n"

# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("packages", "dumpsys_package.txt"),
        ("appops", "dumpsys_appops.txt"),
        ("properties", "getprop.txt"),
        ("users", "pm_list_users.txt"),
        ("installed.0", "pm_list_packages.txt"),
        ("installed.10", "pm_list_packages.user10.txt"),
        ("third_party.999", "pm_list_packages_3.user999.txt"),
        ("settings.0", "settings_secure.txt"),
        ("package.com.example.app", "dumpsys_package.com.example.app.txt"),
    ],
)
def test_keys_and_file_names_correspond(key, name):
    assert (answer_file_name(key), parse_answer_file_name(name)) == (name, key)


@pytest.mark.parametrize(
    "name",
    [
        "readme.txt", "dumpsys_package", "dumpsys_package.TXT", "dumpsys_package.csv", "dumpsys_package..txt", ".txt",
        "", "dumpsys_package.a b.txt", "dumpsys_package.-x.txt", "dumpsys_package.../x.txt",
        "pm_list_packages.user.txt",
        "pm_list_packages.user0.txt", "pm_list_packages.user010.txt", "pm_list_packages.user123456.txt",
        "dumpsys_appops.user10.txt", "pm_list_packages.user\u0661.txt", "SOURCE.txt",
    ],
)  # fmt: skip
def test_other_file_names_have_no_key(name):
    assert parse_answer_file_name(name) is None


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    def save(files):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_source(tmp_path)

    return save


@pytest.mark.parametrize(
    ("content", "state", "text"),
    [
        (LIST, AnswerState.ANSWERED, LIST),
        (LIST.replace("\n", "\r\n"), AnswerState.ANSWERED, LIST),
        (LIST.encode("utf-8-sig"), AnswerState.ANSWERED, LIST),
        (LIST.replace("\n", "\r\n").encode("utf-16"), AnswerState.ANSWERED, LIST),  # PowerShell's `>`
        (b"\xfe\xff" + LIST.encode("utf-16-be"), AnswerState.ANSWERED, LIST),
        (f"# collected by hand\n# on a Monday\n{LIST}", AnswerState.ANSWERED, LIST),
        ("# only a comment", AnswerState.ANSWERED, "# only a comment"),
        ("", AnswerState.UNREADABLE, ""),
        ("\r\n \n", AnswerState.UNREADABLE, "\n \n"),
        (b"PK\x03\x04\x00\x00", AnswerState.UNREADABLE, ""),
        (LIST.encode("utf-16")[:-1], AnswerState.UNREADABLE, ""),
        (LIST.encode() + b"\xff\n", AnswerState.UNREADABLE, f"{LIST}\ufffd\n"),
        ("Error: java.lang.SecurityException: x\n", AnswerState.REFUSED, "Error: java.lang.SecurityException: x\n"),
    ],
)
def test_encodings_and_damage(saved, content, state, text):
    answer = saved({"pm_list_packages.txt": content}).answer("installed.0")
    assert (answer.state, answer.text, answer.exit_code) == (state, text, None)
    assert (answer.detail is None) == (state is AnswerState.ANSWERED)


def test_a_subset_is_accepted_and_the_others_are_not_asked(saved):
    found = saved({"pm_list_packages.txt": LIST, "notes.txt": "x", "photo.png": b"\x89"})
    assert list(found.answers) == ["installed.0"]
    assert found.answer("packages").state is AnswerState.NOT_ASKED
    assert (found.source.kind, found.source.sha256, found.demo) == ("folder", None, False)


@pytest.mark.parametrize("files", [{}, {"notes.txt": "x"}, {"dumpsys_package.csv": "x"}])
def test_unknown_names_only_are_an_error_with_the_known_names(saved, files):
    with pytest.raises(SourceError, match="folder_without_answers") as raised:
        saved(files)
    assert "dumpsys_package.txt" in raised.value.values["known"]


def test_a_huge_file_is_read_to_a_limit(saved, monkeypatch):
    monkeypatch.setattr(text_folder, "MAX_FILE_BYTES", 1 << 20)
    found = saved({"dumpsys_package.txt": b"Packages:\n" + b"x" * (1 << 20)}).answer("packages")
    assert (found.state, found.detail.key, found.detail.values) == (
        AnswerState.UNREADABLE,
        "coverage.too_long",
        {"n": 1},
    )
    assert len(found.text) == 1 << 20


def test_a_huge_list_of_users_leaves_no_name(saved, monkeypatch):
    monkeypatch.setattr(text_folder, "MAX_FILE_BYTES", 100)
    found = saved({"pm_list_users.txt": "Users:\n\tUserInfo{0:Li Wei:13} running\n" + "x" * 100}).answer("users")
    assert "Li Wei" not in found.text


@pytest.mark.parametrize("make", ["folder", "pipe", "dangling link"])
def test_pipes_and_folders_are_unreadable(tmp_path, make):
    path = tmp_path / "dumpsys_package.txt"
    (tmp_path / "pm_list_packages.txt").write_text(LIST)
    if make == "folder":
        path.mkdir()
    elif make == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "nowhere")
    found = read_source(tmp_path).answer("packages")
    assert (found.state, found.detail.key) == (AnswerState.UNREADABLE, "coverage.not_a_file")


def test_a_file_without_read_permission_is_unreadable(tmp_path, monkeypatch):
    (tmp_path / "dumpsys_package.txt").write_text("x")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    found = read_source(tmp_path).answer("packages")
    assert found.state is AnswerState.UNREADABLE
    assert found.detail.values == {"said": "Permission denied"}


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path, monkeypatch):
    def refuse(_self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    with pytest.raises(SourceError, match="source_unreadable"):
        text_folder.read(tmp_path)


def test_taken_at_is_the_time_of_the_newest_file(tmp_path):
    for name, second in {"getprop.txt": 1_700_000_000, "date.txt": 1_700_000_500, "other.txt": 1_800_000_000}.items():
        (tmp_path / name).write_text("1")
        os.utime(tmp_path / name, (second, second))
    assert read_source(tmp_path).taken_at == datetime.fromtimestamp(1_700_000_500, UTC)


def test_names_serials_and_identifiers_are_removed(saved):
    found = saved(
        {
            "pm_list_users.txt": "Users:\n\tUserInfo{0:Li Wei:13} running\n",
            "getprop.txt": "[ro.serialno]: [SECRET]\n[ro.product.model]: [X]\n",
            "settings_secure.txt": "android_id=SECRET\nsms_default_application=a.b\n",
        }
    )
    everything = "".join(answer.text for answer in found.answers.values())
    assert "Li Wei" not in everything
    assert "SECRET" not in everything
    assert "sms_default_application=a.b" in everything


def test_missing_and_unknown_sources_are_rejected(tmp_path):
    with pytest.raises(SourceError, match="source_missing"):
        read_source(tmp_path / "nothing")
    (tmp_path / "x.bin").write_bytes(b"x")
    with pytest.raises(SourceError, match="source_unknown"):
        read_source(tmp_path / "x.bin")
