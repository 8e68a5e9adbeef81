"""A capture that is interrupted keeps what came, and goes on with the same phone, asking only for what is missing."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest

from privaudit import audit, knowledge, resume
from privaudit.audit import CollectionOptions
from privaudit.capture import archive, collector, scripts
from privaudit.cli.capture import take_capture
from privaudit.cli.console import CliConsole
from privaudit.cli.options import PhoneOptions
from privaudit.errors import PhoneError, SourceError
from privaudit.model import AnswerState
from privaudit.transport import adb_device
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell import ProgramResult
from tests.virtual_phone.conftest import need


def called(serial):
    """``getprop`` of a phone with this serial number."""
    real = build_programs(load_scenario("borrower"))["getprop"]
    return lambda argv, stdin: (
        ProgramResult(f"{serial}\n".encode()) if argv[1:2] == ["ro.serialno"] else real(argv, stdin)
    )


@pytest.fixture
def keep(monkeypatch, home, capsys):
    """``privaudit capture`` in this process; gives the exit code and what was said."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))

    def keep(phone, file, *, again=False, names=True):
        console, source = CliConsole("en", plain=True), PhoneOptions(transport=f"tcp:{phone.address}")
        code = take_capture(console, file, source, CollectionOptions(read_labels=names), is_resumed=again)
        return code, capsys.readouterr().err

    return keep


def asked(commands):
    """Keys that scripts ask for."""
    return {key for text in commands for key in re.findall(r"^a (\S+) ", text, re.MULTILINE)}


def judged(path):
    return audit.build_report(archive.read(path), knowledge.load_knowledge(), audit.ReportOptions())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """How many bytes the phone sends until the end of the first round, of the details, and of everything."""
    from tests.conftest import _phone

    with _phone() as phone:
        counted = 0
        real = phone.faults.limit_send

        def allow(size):
            nonlocal counted
            counted += size
            return real(size)

        phone.faults.limit_send = allow
        with adb_device.connect_tcp(
            phone.host, phone.port, on_waiting=lambda _: None, key_folder=tmp_path_factory.mktemp("key")
        ) as line:
            collector.read_fingerprint(line)
            start = counted
            capture, _ = audit.collect(line, knowledge.load_knowledge())
    return start, counted, capture


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.75, 0.97])
def test_resuming_after_a_lost_connection_collects_the_rest(keep, demo_phone, whole, tmp_path, share):
    start, end, unbroken = whole
    file = tmp_path / "check.zip"
    with demo_phone() as phone:
        phone.faults.disconnect_after(start + round((end - start) * share))
        code, said = keep(phone, file)
        assert code == 4
        assert "privaudit capture --resume" in said
        part = archive.read(file)
        assert 0 < len(part.answers) <= len(unbroken.answers)
        settled = {key for key in part.answers if not resume._was_cut(part.answer(key))}
        read = {name for name, one in part.apks.items() if one.state is AnswerState.ANSWERED}
        phone.commands.clear()
        code, said = keep(phone, file, again=True)
        assert code == 0, said
        assert asked(phone.commands) & settled <= {"clock"}
        again = [name for name in read if any(f"/{name}-" in text for text in phone.commands)]
        # What a name has shown to be lending is read once more, for its signers.
        assert len(again) <= len([app for app in judged(file).apps if app.is_recognised])
    now = archive.read(file)
    assert now.answers.keys() == unbroken.answers.keys()
    assert {name: one.state for name, one in now.apks.items()} == {
        name: one.state for name, one in unbroken.apks.items()
    }
    assert [(f.rule, f.package, f.user) for f in judged(file).findings] == [
        (f.rule, f.package, f.user)
        for f in audit.build_report(unbroken, knowledge.load_knowledge(), audit.ReportOptions()).findings
    ]


def test_a_lost_connection_in_an_audit_is_reported(run, demo_phone, whole):
    start, end, _ = whole
    with demo_phone() as phone:
        phone.faults.disconnect_after((end - start) // 2)
        done = run("audit", "--transport", f"tcp:{phone.address}")
    assert done.code == 3
    assert "before everything was read" in done.err
    with demo_phone() as phone:
        phone.faults.disconnect_after(4000)
        done = run("audit", "--transport", f"tcp:{phone.address}", "--json")
    assert done.code == 4  # not one app was read
    assert json.loads(done.out)["complete"] is False


def test_a_complete_audit_reports_no_lost_connection(run, demo_phone):
    with demo_phone() as phone:
        assert "before everything was read" not in run("audit", "--transport", f"tcp:{phone.address}").err


def test_a_complete_capture_is_not_changed(keep, demo_phone, tmp_path):
    file = tmp_path / "check.zip"
    with demo_phone() as phone:
        assert keep(phone, file)[0] == 0
        before = file.read_bytes()
        code, said = keep(phone, file, again=True)
    assert code == 0
    assert "is already complete" in said
    assert file.read_bytes() == before


def test_labels_left_out_before_can_be_read_on_resume(keep, demo_phone, tmp_path):
    file = tmp_path / "check.zip"
    with demo_phone() as phone:
        assert keep(phone, file, names=False)[0] == 0
        assert not archive.read(file).apks
        phone.commands.clear()
        assert keep(phone, file, again=True)[0] == 0
        # Only of the apps that their names have recognised.
        assert {key.partition(".")[0] for key in asked(phone.commands)} == {"package", "appops_get"}
    assert archive.read(file).apks


def test_another_phone_is_refused(keep, demo_phone, tmp_path):
    file = tmp_path / "check.zip"
    with demo_phone() as phone:
        phone.faults.disconnect_after(20_000)
        keep(phone, file)
    before = file.read_bytes()
    with demo_phone(getprop=called("OTHER123")) as phone:
        with pytest.raises(PhoneError) as caught:
            keep(phone, file, again=True)
        assert caught.value.name == "another_phone"
        assert not asked(phone.commands)
    assert file.read_bytes() == before


def test_a_capture_without_a_device_fingerprint_is_not_resumed(keep, demo_phone, demo_capture, tmp_path):
    file = tmp_path / "check.zip"
    archive.write_archive(demo_capture, file)
    with demo_phone() as phone, pytest.raises(SourceError) as caught:
        keep(phone, file, again=True)
    assert caught.value.name == "phone_unmarked"


def test_resume_needs_a_capture(run, tmp_path):
    done = run("capture", tmp_path / "none.zip", "--resume")
    assert done.code == 4
    assert "does not exist" in done.err


def test_a_failed_write_leaves_the_old_file(keep, demo_phone, tmp_path, monkeypatch):
    file = tmp_path / "check.zip"
    with demo_phone() as phone:
        phone.faults.disconnect_after(20_000)
        keep(phone, file)
        before = file.read_bytes()

        def full(_capture, stream):
            stream.write(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(archive, "_write_entries", full)
        with pytest.raises(SourceError):
            keep(phone, file, again=True)
    assert file.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir() if one.suffix != ""] == ["check.zip"]


def test_app_op_ages_are_relative_to_the_resumed_collection(keep, demo_phone, tmp_path):
    """App-ops say how long ago: asked an hour later, they need the clock of an hour later."""
    file = tmp_path / "check.zip"
    with demo_phone() as phone:
        keep(phone, file, names=False)
        full = archive.read(file)
        without = {key: one for key, one in full.answers.items() if key != "appops"}
        archive.write_archive(replace(full, answers=without, taken_at=full.taken_at - timedelta(hours=1)), file)
        phone.commands.clear()
        assert keep(phone, file, again=True, names=False)[0] == 0
        assert asked(phone.commands) == {"clock", "appops"}
    assert archive.read(file).taken_at > full.taken_at - timedelta(minutes=30)


# --- by what a phone is known again -----------------------------------------------------------------------------------


def test_a_capture_contains_no_serial_number(keep, demo_phone, tmp_path):
    file = tmp_path / "check.zip"
    serial = build_programs(load_scenario("borrower"))["getprop"](["getprop", "ro.serialno"], b"").out.decode().strip()
    with demo_phone() as phone:
        keep(phone, file, names=False)
    known = archive.read(file).device_fingerprint
    assert known.digest == hashlib.sha256(f"{known.salt} {serial} null\n".encode()).hexdigest()
    with zipfile.ZipFile(file) as inside:
        assert not [name for name in inside.namelist() if serial.encode() in inside.read(name)]


def test_each_capture_has_its_own_salt(keep, demo_phone, tmp_path):
    with demo_phone() as phone:
        for name in ("a.zip", "b.zip"):
            keep(phone, tmp_path / name, names=False)
    one, other = (archive.read(tmp_path / name).device_fingerprint for name in ("a.zip", "b.zip"))
    assert one.salt != other.salt
    assert one.digest != other.digest


@pytest.mark.parametrize("serial", ["", "unknown"])
def test_a_phone_without_serial_number_is_not_identified(keep, demo_phone, tmp_path, serial):
    file = tmp_path / "check.zip"
    with demo_phone(getprop=called(serial)) as phone:
        assert keep(phone, file, names=False)[0] == 0
    assert archive.read(file).device_fingerprint is None


NUMBERS = (
    r"\$\(getprop ro\.serialno 2>/dev/null </dev/null\) \$\(settings get secure android_id 2>/dev/null </dev/null\)"
)
IDENTITY = (
    rf'n="{NUMBERS}"\n'
    r"case \$n in ' '\|' null'\|'unknown '\|'unknown null'\) ;; \*\)\n"
    r'echo "[0-9a-f]{32} \$n" \| sha256sum 2>/dev/null \|\| echo "[0-9a-f]{32} \$n" \| sha1sum 2>/dev/null\n;; esac\n'
)


def test_the_fingerprint_script_prints_no_serial_number():
    assert re.fullmatch(IDENTITY, scripts.device_fingerprint("0" * 32).text)
    for salt in ("", "x" * 32, "0" * 32 + "\n", "$(id)" + "0" * 32):
        with pytest.raises(ValueError, match="salt"):
            scripts.device_fingerprint(salt)


@pytest.mark.parametrize(("tools", "made"), [(["sha256sum", "sha1sum"], 64), (["sha1sum"], 40), ([], 0)])
def test_androids_shell_and_tools_compute_the_fingerprint(tmp_path, tools, made):
    for name in tools:
        (tmp_path / name).symlink_to(need("toybox"))
    for name, says in (("getprop", "R58M12345678"), ("settings", "0123456789abcdef")):
        (tmp_path / name).write_text(f"#!{need('mksh')}\necho {says}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [need("mksh"), "-c", scripts.device_fingerprint("0" * 32).text],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    found = collector._DIGEST_LINE.search(done.stdout)
    assert (len(found[1]) if found else 0) == made
    assert b"R58M" not in done.stdout
