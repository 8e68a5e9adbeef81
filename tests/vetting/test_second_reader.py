"""Two readers of the same APK: they agree on real apps, and a difference, a crash and a hang are each told."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from privaudit import vetting
from privaudit.apk.parts import MANIFEST
from privaudit.i18n import Translator, catalog
from privaudit.model import DataClass
from privaudit.vetting import batch, report, second_reader
from privaudit.vetting.batch import VetJob
from privaudit.virtual_phone.programs import load_apks
from tests.fixtures.apk_builder import aapt, changed, key, manifest, pack, rows_of, sign, with_raw_strings
from tests.vetting.conftest import bundle_of, gap_reasons

CONTACTS, INTERNET = "android.permission.READ_CONTACTS", "android.permission.INTERNET"
PARTS = ("package", "permissions", "components", "signers")


@pytest.fixture(autouse=True)
def process():
    """Each test has a process of its own."""
    second_reader.stop_process()
    yield
    second_reader.stop_process()


def manifest_of(content):
    return next(row.content for row in rows_of(content) if row.name == MANIFEST)


def disguised(content, **swapped):
    return pack(changed(content, MANIFEST, content=with_raw_strings(manifest_of(content), **swapped)))


# --- agreement --------------------------------------------------------------------------------------------------------


def test_both_read_the_same_of_every_demo_app(vet_bytes):
    for name, content in load_apks().items():
        reading = vet_bytes(content).second_reading
        assert (reading.state, reading.compared) == ("same", PARTS), (name, reading)
        assert reading.reader.startswith("androguard 4.")


def test_both_read_the_same_of_a_bundle(vet_bytes, loan_apk):
    reading = vet_bytes(bundle_of({"base.apk": loan_apk}, 8), "app.xapk").second_reading
    assert (reading.state, reading.compared) == ("same", PARTS)


@pytest.mark.parametrize("options", [("--v2-signing-enabled", "false", "--v3-signing-enabled", "false"), ()])
def test_both_read_the_same_signers_of_each_scheme(vet_bytes, build_apk, tmp_path, options):
    content = sign(tmp_path, build_apk("READ_CONTACTS"), key(tmp_path, "a"), "--min-sdk-version", "23", *options)
    reading = vet_bytes(content).second_reading
    assert (reading.state, reading.compared) == ("same", PARTS)


@pytest.mark.parametrize("name", ["Main", ".ui.Main", "com.other.Main"])
def test_both_complete_short_names_of_components(vet_bytes, build_apk, name):
    assert vet_bytes(build_apk(body=f'<activity android:name="{name}"/>')).second_reading.state == "same"


def test_permissions_of_each_element_are_compared(vet_bytes, build_apk):
    head = f'<uses-permission-sdk-23 android:name="{CONTACTS}" android:maxSdkVersion="30"/>'
    body = '<uses-permission android:name="android.permission.READ_SMS"/>'  # Android does not look for it here
    document = vet_bytes(build_apk("INTERNET", head=head, body=body, target=15))
    assert document.second_reading.state == "same"
    assert {use.name for use in document.app.permissions} == {CONTACTS, INTERNET}


# --- differences ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "seen"), [(CONTACTS, INTERNET), (INTERNET, CONTACTS)])
def test_a_permission_that_one_reader_does_not_see(vet_bytes, build_apk, asked, seen):
    head = f'<permission android:name="{seen}"/>'  # has the other name among the strings
    content = disguised(build_apk(head=f'<uses-permission android:name="{asked}"/>{head}'), swapped={asked: seen})
    document = vet_bytes(content)
    (difference,) = document.second_reading.differences
    assert (difference.part, difference.only_privaudit, difference.only_second) == ("permissions", (asked,), (seen,))
    assert gap_reasons(document)["permissions"] == "readers_differ"
    assert not document.complete
    # Ours is Android's reading; it is not changed by the other.
    assert document.app.asks[DataClass.CONTACTS].state == ("may_ask" if asked == CONTACTS else "not_requested")
    line = report.vetting_to_json_line(document)
    jsonschema.Draft202012Validator(json.loads(report.vetting_schema())).validate(json.loads(line))
    assert report.parse_document(json.loads(line)) == document
    for code in catalog.languages():
        t = Translator(code).t
        text = report.vetting_to_text(document, Translator(code), 400)
        assert t("vetted.result_differs") in text
        assert f"only privaudit: {asked}; only androguard: {seen}" in text or code != "en"
        assert all(name in text for name in (asked, seen))
        assert "androguard" in report.vetting_to_html(document, Translator(code))


def test_a_component_that_one_reader_does_not_see(vet_bytes, build_apk):
    body = '<service android:name="com.a.Harvest"/><service android:name="com.a.Help"/>'
    document = vet_bytes(disguised(build_apk(body=body), swapped={"com.a.Harvest": "com.a.Help"}))
    (difference,) = document.second_reading.differences
    assert (difference.part, difference.only_privaudit, difference.only_second) == (
        "components",
        ("com.a.Harvest",),
        (),
    )
    assert "only privaudit: com.a.Harvest; only androguard: nothing" in report.vetting_to_text(
        document, Translator("en"), 200
    )


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_compared(vet_bytes, loan_apk, monkeypatch, part):
    def read_other(*arguments, real=second_reader._AndroguardProcess.read):
        return {**real(*arguments), part: ["com.other"]}

    monkeypatch.setattr(second_reader._AndroguardProcess, "read", read_other)
    document = vet_bytes(loan_apk)
    (difference,) = document.second_reading.differences
    assert (difference.part, difference.only_second) == (part, ("com.other",))
    assert gap_reasons(document) == {part: "readers_differ"}


def test_a_part_that_one_reader_lacks_is_not_compared(vet_bytes, build_apk):
    document = vet_bytes(build_apk("READ_CONTACTS"))  # not signed
    assert (document.second_reading.state, document.second_reading.compared) == ("same", PARTS[:3])


def test_a_sentence_names_few_values_and_the_document_a_hundred(vet_bytes, build_apk, monkeypatch):
    monkeypatch.setattr(
        second_reader._AndroguardProcess,
        "read",
        lambda *_: {
            "package": None,
            "permissions": None,
            "components": [f"c.C{n:03}" for n in range(300)],
            "signers": None,
        },
    )
    document = vet_bytes(build_apk())
    assert len(document.second_reading.differences[0].only_second) == 100
    text = report.vetting_to_text(document, Translator("en"), 400)
    assert "c.C004" in text
    assert "c.C005" not in text


# --- a reader that fails ----------------------------------------------------------------------------------------------

PROGRAMS = {
    "exits": ("failed", "import sys; sys.stdin.buffer.read(8); sys.exit(1)"),
    "exits at once": ("failed", "import sys; sys.exit(1)"),
    "says nothing of use": ("failed", "import sys; sys.stdin.buffer.read(99); print('no json')"),
    "says nothing at all": ("failed", "import sys; print(flush=True); sys.stdin.buffer.read()"),
    "hangs": ("too_slow", "while True: pass"),
    "hangs before the end": ("too_slow", "import sys, time\nsys.stdin.buffer.read(99)\nwhile True: time.sleep(9)"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_reader_that_fails_is_a_note(vet_bytes, tmp_path, loan_apk, monkeypatch, name):
    state, source = PROGRAMS[name]
    program = tmp_path / "program.py"
    program.write_text(source, encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(second_reader, "_PROGRAM", program)
        if state == "too_slow":
            patch.setattr(second_reader, "TIMEOUT_S", 1.0)
        document = vet_bytes(loan_apk)
    assert (document.second_reading.state, document.second_reading.differences) == (state, ())
    assert (document.complete, document.gaps) == (True, ())
    for code in catalog.languages():
        language = Translator(code)
        said = language.t(f"vetted.second_{state}", reader=document.second_reading.reader)
        assert said in report.vetting_to_text(document, language, 400)
    assert vet_bytes(loan_apk).second_reading.state == "same"  # the next file has a new process


def test_a_file_that_breaks_androguard_is_a_note_and_the_next_is_read(vet_bytes, tmp_path, loan_apk):
    """androguard wants a number as lowest Android version to find v1 signers; a name of one is allowed."""
    source = re.sub(r'minSdkVersion="\d+"', 'minSdkVersion="Tiramisu"', manifest("", label="Loan"))
    only_v1 = ("--v2-signing-enabled", "false", "--v3-signing-enabled", "false", "--min-sdk-version", "23")
    content = sign(tmp_path, aapt(tmp_path, source, {}), key(tmp_path, "a"), *only_v1)
    document = vet_bytes(content)
    assert (document.second_reading.state, document.complete) == ("failed", True)
    assert document.app.certificates_sha256
    assert vet_bytes(loan_apk).second_reading.state == "same"


def test_a_file_too_large_for_it_is_a_note(vet_bytes, loan_apk, monkeypatch):
    monkeypatch.setattr(second_reader, "MAX_APK_BYTES", len(loan_apk) - 1)
    document = vet_bytes(loan_apk)
    assert (document.second_reading.state, document.complete) == ("too_large", True)
    assert "too large for androguard" in report.vetting_to_text(document, Translator("en"), 400)


def test_python_that_cannot_be_started_is_a_note(vet_bytes, loan_apk, monkeypatch):
    monkeypatch.setattr(second_reader.sys, "executable", "/no/such/python")
    assert vet_bytes(loan_apk).second_reading.state == "failed"


@pytest.mark.unix
def test_its_memory_is_limited(vet_bytes, tmp_path, loan_apk, monkeypatch):
    program = tmp_path / "program.py"
    source = second_reader._PROGRAM.read_text(encoding="utf-8")
    program.write_text(source.replace("3 << 30", "64 << 20"), encoding="utf-8")
    monkeypatch.setattr(second_reader, "_PROGRAM", program)
    large = pack(rows_of(loan_apk), before_directory=bytes(64 << 20))
    assert vet_bytes(large).second_reading.state == "failed"
    monkeypatch.undo()
    assert vet_bytes(large).second_reading.state == "same"


# --- many files -------------------------------------------------------------------------------------------------------


def test_one_process_reads_many_files(vet_bytes, loan_apk):
    pids = {(vet_bytes(loan_apk), second_reader._process.popen.pid)[1] for _ in range(3)}
    assert len(pids) == 1


def test_a_forked_worker_starts_its_own(tmp_path, context, loan_apk):
    path = tmp_path / "app.apk"
    path.write_bytes(loan_apk)
    document = vetting.vet(path, context)
    lines = list(batch.vet_on_cores([VetJob(str(path))] * 3, context, cores=2))
    assert {line: report.parse_document(json.loads(line)) for line in lines} == {
        report.vetting_to_json_line(document): document
    }
