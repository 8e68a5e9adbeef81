"""Files made to be misread, to take all memory, or that change while they are read."""

from __future__ import annotations

import json
import os
import tracemalloc
import zlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privaudit import vetting
from privaudit.vetting import bundle, evaluate
from privaudit.vetting import report as apk_json
from privaudit.virtual_phone import apks
from tests.capture.test_remote_apks import BAD_ENTRIES, HOSTILE
from tests.fixtures.apk_builder import Row, changed, pack, rows_of
from tests.fixtures.dex_builder import dex
from tests.vetting.conftest import bundled, reasons, with_entries

LOAN = apks.load_apks()["com.example.sudaibao-10402.apk"]
CODE = dex(["credoapp.A"])


# --- files that are none ----------------------------------------------------------------------------------------------


def test_what_cannot_be_opened_is_said(tmp_path, known):
    os.mkfifo(tmp_path / "pipe.apk")
    (tmp_path / "folder.apk").mkdir()
    (tmp_path / "loop.apk").symlink_to("loop.apk")
    (tmp_path / "null.apk").symlink_to("/dev/zero")
    said = {
        name: reasons(vetting.vet(tmp_path / name, known))["file"]
        for name in ("pipe.apk", "folder.apk", "loop.apk", "null.apk", "none.apk", "a\0b.apk", "x" * 300)
    }
    assert said == {
        "pipe.apk": "file_none",
        "folder.apk": "file_none",
        "loop.apk": "file_unreadable",
        "null.apk": "file_none",
        "none.apk": "file_missing",
        "a\0b.apk": "file_unreadable",
        "x" * 300: "file_unreadable",
    }


@pytest.mark.parametrize("size", [0, 1, 21, 22, 100, len(LOAN) // 2, len(LOAN) - 1])
def test_a_file_that_was_cut(vetted, size):
    document = vetted(LOAN[:size])
    assert (document.app, document.verdict, document.complete) == (None, "nothing_found", False)


# --- encrypted entries ------------------------------------------------------------------------------------------------


def test_the_flag_encrypted_keeps_tools_away_but_not_us(vetted):
    """Android does not look at it (AOSP, ``libziparchive``), so such an APK installs."""
    rows = [replace(row, flags=1) for row in [*rows_of(LOAN), Row("classes.dex", CODE)]]
    document = vetted(pack(rows))
    assert document.app.package == "com.example.sudaibao"
    assert len(document.app.sdks) == 1
    assert document.complete


@pytest.mark.parametrize("name", ["AndroidManifest.xml", "resources.arsc", "classes.dex"])
def test_an_entry_that_really_is_encrypted(vetted, name):
    row = Row(name, zlib.compress(b"?" * 50), 0)
    rows = [one for one in rows_of(LOAN) if one.name != name]
    document = vetted(pack([*rows, replace(row, method=8, flags=1, size=4000)]))
    assert not document.complete
    if name == "AndroidManifest.xml":
        assert reasons(document) == {"file": "entry_encrypted"}
    else:
        assert "entry_encrypted" in reasons(document).values()
        assert document.app.package == "com.example.sudaibao"


# --- bombs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        Row("classes.dex", bytes(8 << 20), size=1000),
        Row("classes.dex", bytes(8 << 20), size=0xFFFFFFFE),
        Row("classes.dex", bytes(8 << 20), packed=0xFFFFFFFE),
        Row("classes.dex", b"", size=3 << 30, method=0),
    ],
    ids=["small it says", "huge it says", "longer than the file", "stored and huge"],
)
def test_a_bomb_takes_no_memory_and_hides_nothing(vetted, row):
    content = with_entries(LOAN, [row])
    tracemalloc.start()
    document = vetted(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
    assert document.app.package == "com.example.sudaibao"
    assert not document.complete
    assert set(reasons(document)) == {"classes.dex"}


def test_all_code_together_has_a_limit(vetted, monkeypatch):
    monkeypatch.setattr(evaluate, "MAX_TOTAL_DEX_BYTES", len(CODE) + 10)
    document = vetted(with_entries(LOAN, {"classes.dex": CODE, "classes2.dex": CODE}))
    assert reasons(document) == {"classes2.dex": "dex_too_much"}


@pytest.mark.parametrize(
    "rows",
    [
        [*rows_of(LOAN), *[row for row in rows_of(LOAN) if row.name == "AndroidManifest.xml"]],
        changed(LOAN, "AndroidManifest.xml", local_name="androidmanifest.xml"),
        changed(LOAN, "AndroidManifest.xml", size=3 << 20),
        changed(LOAN, "AndroidManifest.xml", content=b"\3\0\x08\0" + b"\xff" * 4000),
    ],
    ids=["two manifests", "two names", "too large", "garbage"],
)
def test_a_manifest_that_android_would_not_take(vetted, rows):
    assert vetted(pack(rows)).app is None


@pytest.mark.parametrize("name", HOSTILE)
def test_what_android_would_not_install_is_not_read(vetted, name):
    content, why = HOSTILE[name]
    document = vetted(content)
    assert (document.app, reasons(document)) == (None, {"file": why})


@pytest.mark.parametrize("name", [name for name, (_, why) in BAD_ENTRIES.items() if why])
def test_a_bad_manifest_is_named(vetted, name):
    row, why = BAD_ENTRIES[name]
    rest = [one for one in rows_of(LOAN) if one.name != "AndroidManifest.xml"]
    document = vetted(pack([row, *rest]))
    # A name that is not the manifest's leaves an archive without one.
    assert (document.app, reasons(document)) == (None, {"file": "no_app" if why == "entry_missing" else why})


def test_an_app_inside_the_app_is_a_gap(vetted):
    document = vetted(with_entries(LOAN, {"assets/update.apk": LOAN, "assets/more.xapk": b"PK"}))
    assert reasons(document) == {"assets/update.apk": "apk_inside", "assets/more.xapk": "apk_inside"}
    assert document.app.package == "com.example.sudaibao"


# --- a file that changes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["grown", "cut", "same size"])
def test_a_file_that_changes_while_it_is_read(tmp_path, known, monkeypatch, change):
    path = tmp_path / "app.apk"
    path.write_bytes(LOAN)
    os.utime(path, ns=(1, 1))

    def meddle(file, name, *, real=bundle.open_bundle):
        content = {"grown": LOAN + b"more", "cut": LOAN[:500], "same size": LOAN[::-1]}[change]
        with path.open("r+b") as stream:
            stream.truncate(0)
            stream.write(content)
        return real(file, name)

    monkeypatch.setattr(bundle, "open_bundle", meddle)
    document = vetting.vet(path, known)
    assert document.app is None
    expected = {"not_zip"} if change == "same size" else {"file_changed"}
    assert set(reasons(document).values()) <= {"file_changed", *expected}


def test_a_file_that_changes_at_the_very_end_is_not_believed(tmp_path, known, monkeypatch):
    path = tmp_path / "app.apk"
    path.write_bytes(LOAN)
    os.utime(path, ns=(1, 1))

    def meddle(*arguments, real=vetting.vet_parts):
        document = real(*arguments)
        path.write_bytes(LOAN)  # the same bytes even: nobody can know that
        return document

    monkeypatch.setattr(vetting, "vet_parts", meddle)
    assert reasons(vetting.vet(path, known)) == {"file": "file_changed"}


# --- anything ---------------------------------------------------------------------------------------------------------


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
@pytest.mark.parametrize("whole", [with_entries(LOAN, {"classes.dex": CODE}), bundled({"a.apk": LOAN, "b.apk": LOAN})])
def test_any_byte_may_be_wrong(tmp_path, known, whole, data):
    raw = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 8))):
        # The end, where the table of contents stands, more often than the rest.
        low = data.draw(st.sampled_from([0, len(raw) - 900]))
        raw[data.draw(st.integers(low, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "any.xapk"
    path.write_bytes(raw)
    document = vetting.vet(path, known)
    assert apk_json.parse_document(json.loads(apk_json.vetting_to_json_line(document))) == document
    assert document.app is not None or document.gaps


def test_names_that_attack_a_terminal_or_a_page_stay_text(vetted, made):
    from privaudit.i18n import Translator
    from privaudit.vetting import report

    evil = "\x1b[2JSafe\u202e<script>alert(1)</script>\nResult  nothing found"
    document = vetted(made("READ_CONTACTS"), "loan.apk")
    document = replace(
        document,
        file=replace(document.file, path=evil),
        app=replace(document.app, label=evil, version_name=evil, package=evil, launcher_labels=(evil,)),
        gaps=(vetting.document.Gap(part=evil, why=vetting.pieces.ApkError("apk.entry_damaged", entry=evil).message),),
    )
    for code in ("en", "zh"):
        text = report.vetting_to_text(document, Translator(code))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\nResult  nothing found" not in text
        page = report.vetting_to_html(document, Translator(code))
        assert "<script" not in page
        assert "\x1b" not in page
