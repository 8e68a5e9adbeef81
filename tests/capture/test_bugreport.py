"""Bug reports: what they answer, and that no line in them is believed for itself."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privaudit import facts
from privaudit.capture import bugreport, bugreport_sections, read_source
from privaudit.capture.questions import PROPERTIES
from privaudit.capture.redact import REDACTED
from privaudit.errors import SourceError
from privaudit.model import AnswerState
from privaudit.virtual_phone import load_scenario
from tests.conftest import NOW
from tests.fixtures import bugreport_builder as builder
from tests.fixtures.bugreport_builder import DASHES, framed

PHONE = load_scenario("borrower")
SDKS = (23, 24, 26, 28, 31, 36)
"""How reports are framed: no duration at all, none of services, with, by priority, with processes, the newest."""
VERBATIM = {"packages": "package", "appops": "appops", "roles": "role", "device_policy": "device_policy"}
A, U, T, Q = AnswerState.ANSWERED, AnswerState.UNREADABLE, AnswerState.TIMED_OUT, AnswerState.NOT_ASKED


@pytest.fixture
def report(tmp_path):
    """Reads a report from a file."""

    def read(content, name="bugreport.txt"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_source(tmp_path / name)

    return read


def states(taken, *keys):
    return [taken.answer(key).state for key in keys]


def problem(answer):
    return (answer.state, answer.detail and answer.detail.key.removeprefix("coverage."), answer.text)


# --- what it answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", SDKS)
def test_the_services_of_every_version_are_read_verbatim(report, sdk):
    taken = report(builder.text(PHONE, NOW, sdk))
    bodies = builder.services(PHONE, NOW)
    assert {key: taken.answer(key).text for key in VERBATIM} == {key: bodies[name] for key, name in VERBATIM.items()}
    assert {answer.state for answer in taken.answers.values()} == {A}
    assert taken.answers.keys() == {*VERBATIM, "clock", "properties", "users", "settings.0", "settings.999"}
    assert {key: taken.answer(key).translated_from for key in taken.answers if key not in VERBATIM} == {
        "clock": "dumpstate",
        "properties": None,
        "users": None,
        "settings.0": "dumpsys settings",
        "settings.999": "dumpsys settings",
    }
    assert (taken.source.kind, taken.demo, len(taken.source.sha256)) == ("bugreport", False, 64)


@pytest.mark.parametrize("sdk", SDKS)
def test_the_time_is_the_phones(report, sdk):
    taken = report(builder.text(PHONE, NOW, sdk))
    # Since Android 8 each dump tells when it ended, and ages count from there; before, the head of the report.
    expected = PHONE.device_time(NOW).timestamp() - (90 if sdk < 26 else 0)
    assert taken.taken_at.timestamp() == expected == int(taken.answer("clock").text)
    assert facts.gather_facts(taken).clock.zone == "Asia/Shanghai"
    assert facts.gather_facts(taken).clock.offset_s is None  # no computer's clock was looked at


def test_without_a_time_zone_the_files_time_is_used(report, tmp_path):
    (tmp_path / "bugreport.txt").write_text("")
    text = builder.text(PHONE, NOW).replace("[persist.sys.timezone]", "[x]")
    taken = report(text)
    assert taken.answer("clock").state is Q
    assert taken.taken_at == datetime.fromtimestamp((tmp_path / "bugreport.txt").stat().st_mtime, UTC)


@pytest.mark.parametrize("ended", ["2026-01-09 15:42:00", "2026-02-31 15:42:00", "2036-01-10 15:42:00"])
def test_an_implausible_end_time_is_ignored(report, ended):
    text = builder.text(PHONE, NOW)
    was = "dumpsys appops, ending at: 2026-01-10 15:42:00"
    assert was in text
    taken = report(text.replace(was, f"dumpsys appops, ending at: {ended}"))
    assert taken.taken_at.isoformat() == "2026-01-10T15:40:30+08:00"


def test_names_serials_and_identifiers_are_removed_and_marked(report):
    taken = report(builder.text(PHONE, NOW))
    everything = "".join(answer.text for answer in taken.answers.values())
    assert not [secret for secret in builder.SECRETS if secret in everything]
    assert f"UserInfo{{0:{REDACTED}:" in taken.answer("users").text
    assert f"android_id={REDACTED}\n" in taken.answer("settings.0").text
    kept = len(PHONE.properties.keys() & set(PROPERTIES))
    dropped = len(builder.properties(PHONE).splitlines()) - kept
    assert taken.answer("properties").text.count(REDACTED) == dropped


@pytest.mark.parametrize("sdk", SDKS)
def test_a_service_without_a_final_line_feed_hides_nothing(report, sdk):
    bodies = builder.services(PHONE, NOW)
    changed = {name: bodies[name].rstrip("\n") for name in ("activity", "device_policy", "role", "settings")}
    taken = report(builder.text(PHONE, NOW, sdk, **changed))
    assert {answer.state for answer in taken.answers.values()} == {A}
    assert taken.answer("roles").text == changed["role"]
    assert taken.answer("packages").text == bodies["package"]


def test_unset_settings_have_the_phones_format(report):
    lines = report(builder.text(PHONE, NOW)).answer("settings.999").text.splitlines()
    assert "enabled_accessibility_services=null" in lines


@pytest.mark.parametrize(
    ("value", "unparsed"),
    [
        ("com.a/.B", 0),
        ("com.a/.B default:com.a/.B defaultSystemSet:true", 0),
        ("com.a/.B tag:null", 0),
        ("com.a/.B:com.c/.D\n", 0),
        ("com.a/.B:com.c/.D E", 1),
        ("com.a/.B\nsecond line", 1),
        ("com.a/.B tag:x:com.c/.D", 1),
        ("com.a/.B\n\nx=y", 1),
    ],
)
def test_a_setting_with_line_feeds_is_reported_as_not_understood(report, value, unparsed):
    dump = f"SECURE SETTINGS (user 0)\n_id:7 name:enabled_accessibility_services pkg:android value:{value}\n\n"
    found = facts.gather_facts(report(builder.text(PHONE, NOW, settings=dump)))
    row = next(row for row in found.coverage if (row.question, row.user) == ("settings", 0))
    assert row.unparsed_lines == unparsed


@pytest.mark.parametrize(
    ("sample", "files"),
    [
        ("lg-m150-android6.0.1", {"appops": "dumpsys_appops.txt", "package": "dumpsys_package.txt"}),
        ("rockchip-rk322x-android7.1.2", {"package": "dumpsys_package.txt"}),
    ],
)
def test_dumps_of_real_phones_are_read_from_reports_and_files_alike(report, samples, tmp_path, sample, files):
    bodies = {name: (samples / sample / file).read_bytes() for name, file in files.items()}
    framing = builder.text(PHONE, NOW, 23, **{name: f"<{name}>\n" for name in files}).encode()
    for name, body in bodies.items():
        own = body.removeprefix(b"# All installed package information\n")
        framing = framing.replace(f"<{name}>\n".encode(), own)
        (tmp_path / f"dumpsys_{name}.txt").write_bytes(own)
    taken, folder = report(framing), read_source(tmp_path)
    for key in folder.answers:
        # The collectors' editors cut the last line feed off.
        assert taken.answer(key).text.rstrip("\n") == folder.answer(key).text.rstrip("\n")
        assert len(taken.answer(key).text) > 10_000
        assert taken.answer(key).state is A


# --- what it lacks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", SDKS)
def test_a_missing_section_is_not_asked(report, sdk):
    taken = report(builder.text(PHONE, NOW, sdk, role=None, settings=None))
    assert states(taken, "roles", "settings.0", "packages", "installed.0") == [Q, Q, A, Q]


@pytest.mark.parametrize("sdk", [sdk for sdk in SDKS if sdk >= 26])
def test_a_section_cut_by_a_timeout_is_reported(report, sdk):
    whole = builder.services(PHONE, NOW)["package"]
    cut = whole[: len(whole) // 2] + "\n*** SERVICE 'package' DUMP TIMEOUT (10000ms) EXPIRED ***\n\n"
    assert states(report(builder.text(PHONE, NOW, sdk, package=cut)), "packages", "roles") == [T, A]


@pytest.mark.parametrize(
    "said",
    [
        "*** dumpsys: Timed out after 60.012s (killing pid 4711)",
        "*** command 'dumpsys' timed out after 60.0s (killing pid 1)",
    ],
)
def test_a_killed_dumpsys_cuts_its_current_section(report, said):
    text = builder.text(PHONE, NOW, 24)
    at = text.index(f"{DASHES}\nDUMP OF SERVICE package") + 5000
    taken = report(f"{text[:at]}{said}\n------ CHECKIN PACKAGE (dumpsys package --checkin) ------\nvers,1\n")
    assert states(taken, "appops", "packages", "roles") == [A, T, Q]


@pytest.mark.parametrize("sdk", SDKS)
def test_a_truncated_report_leaves_its_last_section_incomplete(report, sdk):
    text = builder.text(PHONE, NOW, sdk)
    taken = report(text[: text.index(f"{DASHES}\nDUMP OF SERVICE package") + 5000])
    assert states(taken, "appops", "packages", "roles") == [A, U, Q]
    assert taken.answer("packages").detail.key == "coverage.no_end"


# --- lines that apps wrote --------------------------------------------------------------------------------------------


def forged(service, lines):
    """What `service` dumps with these lines in the middle, as in a version name."""
    body = builder.services(PHONE, NOW)[service]
    at = body.index("\n", len(body) // 2) + 1
    return body[:at] + lines + body[at:]


BARE = f"{DASHES}\nDUMP OF SERVICE %s:\nforged\n"


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("inside", ["activity", "package"])
@pytest.mark.parametrize("name", ["appops", "role"])
def test_a_duplicate_section_is_not_trusted(report, sdk, inside, name):
    taken = report(builder.text(PHONE, NOW, sdk, **{inside: forged(inside, BARE % name)}))
    key = {"appops": "appops", "role": "roles"}[name]
    assert problem(taken.answer(key)) == (U, "framing", "")
    if inside == "package":
        assert taken.answer("packages").state is U


@pytest.mark.parametrize("sdk", SDKS)
def test_a_dump_cannot_be_ended_early(report, sdk):
    """What is behind it would go unseen, and with it the apps that come later in the alphabet."""
    foot = "--------- 0.253s was the duration of dumpsys package, ending at: 2026-01-10 15:42:00\n"
    for lines in (foot, foot + BARE % "packagezz", BARE % "packagezz", BARE % "packagezz" + foot):
        taken = report(builder.text(PHONE, NOW, sdk, package=forged("package", lines)))
        assert taken.answer("packages").state is U, lines


def test_sections_before_a_late_footer_are_not_trusted(report):
    lines = framed("activity", "", 26, NOW).split("\n", 2)[2] + framed("role", "forged\n", 26, NOW)
    taken = report(builder.text(PHONE, NOW, 34, role=None, activity=forged("activity", lines)))
    assert problem(taken.answer("roles")) == (U, "framing", "")
    assert states(taken, "packages", "appops", "users") == [A, A, A]


def test_properties_cannot_be_written_by_an_app(report):
    lines = "------ SYSTEM PROPERTIES (getprop) ------\n[ro.build.version.sdk]: [23]\n"
    taken = report(builder.text(PHONE, NOW, 34, package=forged("package", lines)))
    assert problem(taken.answer("properties")) == (U, "framing", "")
    assert taken.answer("packages").state is U


def test_duplicate_settings_of_a_user_are_not_trusted(report):
    dump = "SECURE SETTINGS (user 0)\n\nSYSTEM SETTINGS (user 0)\n_id:1 name:x value:a\nSECURE SETTINGS (user 0)\n"
    assert problem(report(builder.text(PHONE, NOW, settings=dump)).answer("settings.0")) == (U, "framing", "")


def test_lines_similar_to_framing_are_text(report):
    lines = f" {DASHES}\n{DASHES}\nDUMP OF SERVICES role:\n{DASHES}x\nDUMP OF SERVICE role:\n------ x ------\n"
    taken = report(builder.text(PHONE, NOW, 34, device_policy=forged("device_policy", lines)))
    assert lines in taken.answer("device_policy").text
    assert states(taken, "roles", "device_policy") == [A, A]


def test_too_many_services_are_not_trusted(report, monkeypatch):
    monkeypatch.setattr(bugreport_sections, "MAX_SERVICES", 50)
    many = "".join(framed(f"s{number}", "x\n", 34, NOW) for number in range(60))
    taken = report(builder.text(PHONE, NOW, 34) + many)
    assert {answer.state for answer in taken.answers.values()} == {U}


def test_a_hundred_thousand_sections_are_read_once(report):
    many = "".join(framed(f"s{number % 300}", "x\n", 28, NOW) for number in range(100_000))
    assert states(report(builder.text(PHONE, NOW, 34) + many), "packages", "appops") == [A, A]


# --- bytes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r\r\n").encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\n", "\r\n").encode("utf-16"),
        lambda text: ("OK:noise\n" + text).encode(),
    ],
    ids=["CRLF", "CRCRLF", "BOM", "PowerShell", "noise before"],
)
@pytest.mark.parametrize("sdk", [23, 34])
def test_encodings(report, encode, sdk):
    taken = report(encode(builder.text(PHONE, NOW, sdk)))
    assert taken.answer("packages").text == builder.services(PHONE, NOW)["package"]
    assert {answer.state for answer in taken.answers.values()} == {A}


def test_a_binary_section_affects_no_other(report):
    noise = os.urandom(1 << 18).replace(b"\n", b"") + b"\n"
    raw = builder.text(PHONE, NOW, 34).encode()
    binary = raw.replace(b"ACTIVITY MANAGER\n", noise).replace(b"ROLE STATE", b"\0ROLE")
    taken = report(binary)
    assert states(taken, "packages", "appops", "roles", "users") == [A, A, U, A]
    assert taken.answer("roles").detail.key == "coverage.binary"


def test_invalid_utf8_is_reported(report):
    raw = builder.text(PHONE, NOW, 34).encode().replace(b"ROLE STATE", b"ROLE \xff STATE")
    assert report(raw).answer("roles").detail.key == "coverage.encoding"


def test_only_known_sections_are_stored_up_to_a_limit(report, monkeypatch):
    monkeypatch.setattr(bugreport_sections, "MAX_FILE_BYTES", 1 << 16)
    long = builder.services(PHONE, NOW)["package"]
    assert len(long) > 1 << 16
    found = report(builder.text(PHONE, NOW, 34)).answer("packages")
    assert (found.state, found.detail.key) == (U, "coverage.too_long")
    assert len(found.text.encode()) <= 1 << 16


class Once(io.BytesIO):
    """Counts the bytes that are read."""

    taken = 0

    def read(self, size=-1):
        return self._count(super().read(size))

    def readline(self, size=-1):
        return self._count(super().readline(size))

    def _count(self, data):
        self.taken += len(data)
        return data


@pytest.mark.parametrize("sdk", [23, 34])
@pytest.mark.parametrize("size", [1, 80, 5000])
def test_chunk_size_does_not_matter(monkeypatch, sdk, size):
    raw = builder.text(PHONE, NOW, sdk, activity=forged("activity", BARE % "role")).encode()
    whole = bugreport_sections.split_sections(io.BytesIO(raw), bugreport.WANTED_SECTIONS, "x")
    monkeypatch.setattr(bugreport_sections, "_CHUNK_BYTES", size)
    stream = Once(raw)
    assert bugreport_sections.split_sections(stream, bugreport.WANTED_SECTIONS, "x") == whole
    assert stream.taken == len(raw)


def test_a_very_long_line_does_not_hide_the_next(report):
    body = "x" * 300_000 + "\n" + "y" * 200_000
    taken = report(builder.text(PHONE, NOW, 34, activity=body))
    assert {answer.state for answer in taken.answers.values()} == {A}


# --- zips -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"main": False},
        {"name": "dumpState_S911BXXU1.log", "main": False},
        {"name": "../../evil/bugreport.txt"},
        {"name": "/etc/passwd"},
        {"name": "C:\\x.txt"},
    ],
)
def test_the_text_entry_is_found_under_any_name(report, tmp_path, how):
    text = builder.text(PHONE, NOW, 34)
    taken = report(builder.zipped(text, **how), "bugreport.zip")
    assert taken.answers == report(text).answers
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bugreport.txt", "bugreport.zip"]


def test_a_zip_bomb_is_rejected(report, monkeypatch):
    monkeypatch.setattr(bugreport_sections, "MAX_REPORT_BYTES", 1 << 20)
    with pytest.raises(SourceError, match="capture_too_large"):
        report(builder.zipped("== dumpstate: 2026-01-10 15:42:00\n" + "\0" * (1 << 22)), "bugreport.zip")


def test_too_many_files_are_rejected(report, monkeypatch):
    monkeypatch.setattr("privaudit.capture.source_files.MAX_ENTRIES", 3)
    with pytest.raises(SourceError, match="capture_too_large"):
        report(builder.zipped(builder.text(PHONE, NOW)), "bugreport.zip")


@pytest.mark.parametrize("name", ["bugreport.txt", "main_entry.txt"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_entries_are_rejected(tmp_path, name):
    path = tmp_path / "bugreport.zip"
    path.write_bytes(builder.zipped(builder.text(PHONE, NOW), name="bugreport.txt"))
    with zipfile.ZipFile(path, "a") as again:
        again.writestr(name, "bugreport.txt")
    with pytest.raises(SourceError, match="capture_damaged"):
        bugreport.read(path)


@pytest.mark.parametrize("text", ["== dumpstate: 2026-01-10 15:42:00\n", "== dumpstate: 2026-01-10 15:42:00\nx\n"])
def test_a_report_without_known_sections_is_an_error(report, text):
    for content, name in ((text, "a.txt"), (builder.zipped(text), "a.zip")):
        with pytest.raises(SourceError, match="bugreport_without_answers"):
            report(content, name)


def test_other_zips_and_texts_are_not_recognised(report):
    for content, name in ((builder.archive({"x.txt": "x"}), "a.zip"), ("DUMP OF SERVICE package:\n", "a.txt")):
        with pytest.raises(SourceError, match="source_unknown"):
            report(content, name)


ZIPPED = builder.zipped(builder.text(PHONE, NOW, 34, package="x\n", appops="x\n"))


@given(at=st.integers(0, len(ZIPPED) - 1), bit=st.integers(0, 7), cut=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_zip_is_rejected_or_reads_the_same(tmp_path_factory, at, bit, cut):
    path = tmp_path_factory.mktemp("torn") / "bugreport.zip"
    raw = bytearray(ZIPPED)
    raw[at] ^= 1 << bit
    path.write_bytes(raw[:at] if cut else raw)
    try:
        taken = read_source(path)
    except SourceError:
        return
    assert "x\n" in {taken.answer("packages").text, *taken.answers}


def test_settings_truncated_before_ours_are_removed(tmp_path):
    path = tmp_path / "x.txt"
    name = "_id:1 name:bluetooth_name pkg:android value:Li Wei"
    path.write_text(f"{DASHES}\nDUMP OF SERVICE settings:\nCONFIG SETTINGS (user 0)\n{name}\n{name}", encoding="utf-8")
    answer = bugreport.read(path).answer("settings.0")
    assert (answer.state, answer.text) == (AnswerState.UNREADABLE, "")


LINES = st.sampled_from(
    [
        "== dumpstate: 2026-01-10 15:42:00", DASHES, "DUMP OF SERVICE package:", "DUMP OF SERVICE CRITICAL appops:",
        "DUMP OF SERVICE settings:", "SECURE SETTINGS (user 0)", "_id:1 name:default_input_method value:a/b",
        "--------- 0.1s was the duration of dumpsys package, ending at: 2026-01-10 15:42:00",
        "--------- 0.1s was the duration of dumpsys settings", "------ SYSTEM PROPERTIES (getprop) ------",
        "------ 0.1s was the duration of 'X' ------", "[ro.build.version.sdk]: [34]", "[persist.sys.timezone]: [x/y]",
        "*** dumpsys: Timed out after 1.000s (killing pid 1)", "Packages:", "  Package [a.b] (1f):", "", "\0",
        "DUMP OF SERVICE user:", "  UserInfo{0:Li Wei:13} serialNo=0", "\udcff",
    ]
)  # fmt: skip


@given(st.lists(LINES, max_size=40), st.binary(max_size=30))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_garbage_raises_only_source_error_and_leaves_no_name(tmp_path_factory, lines, tail):
    path = tmp_path_factory.mktemp("garbage") / "x.txt"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape") + tail)
    try:
        taken = bugreport.read(path)
    except SourceError:
        return
    facts.gather_facts(taken)
    known = {"appops", "clock", "device_policy", "packages", "properties", "roles", "users"}
    assert all(key in known or key.startswith("settings.") for key in taken.answers)
    assert "Li Wei" not in "".join(answer.text for answer in taken.answers.values())


# --- unpacked, and zips in zips ---------------------------------------------------------------------------------------


def unpack(folder, zipped):
    folder.mkdir()
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("main", [True, False])
@pytest.mark.parametrize(
    "form", ["folder", "zip of the folder", "zip in a zip", "zip in a folder", "unpacked zip in a zip"]
)
def test_a_report_in_a_folder_or_in_a_zip_is_read(report, tmp_path, form, main):
    zipped = builder.zipped(builder.text(PHONE, NOW, 34), main=main)
    inner = {"bugreport-2026-01-10.zip": zipped, "dmesg.txt": "x", "others.zip": builder.archive({"x": "x"})}
    path = tmp_path / "given"
    if form == "folder":
        unpack(path, zipped)
    elif form == "zip of the folder":
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            path.write_bytes(builder.archive({f"report/{name}": archive.read(name) for name in archive.namelist()}))
    elif form == "zip in a zip":
        path.write_bytes(builder.archive(inner))
    elif form == "unpacked zip in a zip":
        unpack(path, builder.archive(inner))
    else:
        path.mkdir()
        (path / "bugreport.zip").write_bytes(zipped)
    taken = read_source(path)
    assert taken.answers == report(builder.text(PHONE, NOW, 34)).answers
    assert (taken.source.kind, taken.source.sha256 is None) == ("bugreport", path.is_dir())


def test_of_two_reports_in_a_zip_none_is_chosen(report):
    zipped = builder.zipped(builder.text(PHONE, NOW, 34))
    with pytest.raises(SourceError, match="source_unknown"):
        report(builder.archive({"a.zip": zipped, "b.zip": zipped}), "both.zip")


def test_dumps_that_were_saved_beside_a_report_are_preferred(tmp_path):
    (tmp_path / "bugreport.txt").write_text(builder.text(PHONE, NOW, 34))
    (tmp_path / "dumpsys_package.txt").write_text(builder.services(PHONE, NOW)["package"])
    assert read_source(tmp_path).source.kind == "folder"


@pytest.mark.unix
@pytest.mark.parametrize("named", ["../outside.txt", "link.txt", "/etc/hostname"])
def test_a_folder_names_no_file_outside(tmp_path, named):
    (tmp_path / "outside.txt").write_text(builder.text(PHONE, NOW, 34))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "main_entry.txt").write_text(named)
    with pytest.raises(SourceError, match="folder_without_answers"):
        read_source(folder)


def test_a_huge_zip_in_a_zip_is_not_unpacked(report, monkeypatch):
    monkeypatch.setattr("privaudit.capture.source_files.MAX_INNER_ZIP_BYTES", 1000)
    with pytest.raises(SourceError, match="capture_too_large"):
        report(builder.archive({"a.zip": builder.zipped(builder.text(PHONE, NOW, 34))}), "outer.zip")
