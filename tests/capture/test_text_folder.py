"""A folder of text files, as people save them: any subset, any encoding, any damage."""

from __future__ import annotations

import hashlib
import os
import zipfile
from datetime import UTC, datetime

import pytest

from privaudit.capture import read_source, text_folder
from privaudit.capture.text_folder import answer_file_name, parse_answer_file_name
from privaudit.errors import EXIT_UNREADABLE, SourceError
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


@pytest.mark.unix
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


@pytest.mark.parametrize("base", ["", "saved/"])
def test_a_zip_of_text_files_is_read(tmp_path, base):
    path = tmp_path / "saved.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{base}pm_list_packages.txt", LIST)
        archive.writestr("__MACOSX/._pm_list_packages.txt", "\0")
    taken = read_source(path)
    assert (taken.answer("installed.0").text, taken.source.kind) == (LIST, "folder")
    assert taken.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_a_file_twice_is_rejected(tmp_path):
    with zipfile.ZipFile(tmp_path / "saved.zip", "w") as archive:
        archive.writestr("pm_list_packages.txt", LIST)
        archive.writestr("pm_list_packages.txt", "")
    with pytest.raises(SourceError, match="capture_damaged"):
        read_source(tmp_path / "saved.zip")


@pytest.mark.unix
@pytest.mark.parametrize("outside", [True, False])
def test_a_link_is_followed_only_inside_the_folder(tmp_path, outside):
    folder = tmp_path / "saved"
    folder.mkdir()
    target = (tmp_path if outside else folder) / "private.txt"
    target.write_text(LIST)
    (folder / "pm_list_packages.txt").symlink_to(target)
    (tmp_path / "chosen").symlink_to(folder)  # the folder itself may be a link that the user chose
    for path in (folder, tmp_path / "chosen"):
        answer = read_source(path).answer("installed.0")
        assert answer.text == ("" if outside else LIST)
        assert (answer.detail.key if answer.detail else None) == ("coverage.link_outside" if outside else None)


# --- Android 5 and older ----------------------------------------------------------------------------------------------

OLD = "Packages:\n  Package [a.b] (1):\n    userId=1 gids=[]\n    grantedPermissions:\n      android.permission.X\n"


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"getprop.txt": "[ro.build.version.sdk]: [22]\n[ro.build.version.release]: [5.1.1]\n"}, "5.1.1"),
        ({"getprop.txt": "[ro.build.version.sdk]: [19]\n", "dumpsys_package.txt": OLD}, "≤ 5"),
        ({"dumpsys_package.txt": OLD}, "≤ 5"),
        ({"dumpsys_package.a.b.txt": OLD}, "≤ 5"),
    ],
)
def test_android_5_is_refused_with_its_version(saved, files, version):
    with pytest.raises(SourceError, match="android_too_old") as raised:
        saved(files)
    assert raised.value.values == {"version": version}
    assert raised.value.exit_code == EXIT_UNREADABLE


@pytest.mark.parametrize(
    "files",
    [
        {"getprop.txt": "[ro.build.version.sdk]: [23]\n", "dumpsys_package.txt": OLD},
        # An app may write the old title, but Android's own lines stay.
        {"dumpsys_package.txt": f"{OLD}    User 0: installed=true\n      runtime permissions:\n"},
        {"dumpsys_package.txt": f"{OLD}      x: granted=true\n"},
    ],
)
def test_an_app_cannot_pose_as_android_5(saved, files):
    assert saved(files).answer("packages").text


def _zip_of(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_the_folder_of_a_zip_with_most_answers_is_read(tmp_path):
    """A folder with one stray file, or with a Mac's attributes under the same names, must not stand for the phone."""
    files = {"a/date.txt": "1767000000\n", "b/pm_list_packages.txt": LIST, "b/dumpsys_package.txt": "Packages:\n"}
    files |= {"__MACOSX/pm_list_packages.txt": "\0", "__MACOSX/dumpsys_package.txt": "\0", "__MACOSX/date.txt": "\0"}
    taken = read_source(_zip_of(tmp_path / "saved.zip", files))
    assert taken.answer("installed.0").text == LIST
    assert "clock" not in taken.answers


def test_of_two_phones_in_a_zip_none_is_chosen(tmp_path):
    files = {f"{phone}/dumpsys_package.txt": "Packages:\n" for phone in "ab"}
    with pytest.raises(SourceError, match="source_unknown"):
        read_source(_zip_of(tmp_path / "saved.zip", files))
