"""Files made to mislead a reader or exhaust memory, and files that change while they are read."""

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
from privaudit.apk.parts import apk_message
from privaudit.i18n import Translator
from privaudit.vetting import bundle, evaluate, report
from privaudit.vetting.document import Gap
from privaudit.virtual_phone.programs import load_apks
from tests.capture.test_remote_apks import BAD_ENTRIES, HOSTILE
from tests.fixtures.apk_builder import Row, changed, pack, rows_of
from tests.fixtures.dex_builder import dex
from tests.vetting.conftest import LOAN_APK, bundle_of, gap_reasons, with_entries

LOAN = load_apks()[LOAN_APK]
DEX = dex(["credoapp.A"])


# --- Not an app -------------------------------------------------------------------------------------------------------


@pytest.mark.unix
def test_unopenable_paths_are_reported(tmp_path, context):
    os.mkfifo(tmp_path / "pipe.apk")
    (tmp_path / "folder.apk").mkdir()
    (tmp_path / "loop.apk").symlink_to("loop.apk")
    (tmp_path / "null.apk").symlink_to("/dev/zero")
    reported = {
        name: gap_reasons(vetting.vet(tmp_path / name, context))["file"]
        for name in ("pipe.apk", "folder.apk", "loop.apk", "null.apk", "none.apk", "a\0b.apk", "x" * 300)
    }
    assert reported == {
        "pipe.apk": "file_none",
        "folder.apk": "file_none",
        "loop.apk": "file_unreadable",
        "null.apk": "file_none",
        "none.apk": "file_missing",
        "a\0b.apk": "file_unreadable",
        "x" * 300: "file_unreadable",
    }


@pytest.mark.parametrize("size", [0, 1, 21, 22, 100, len(LOAN) // 2, len(LOAN) - 1])
def test_truncated_file(vet_bytes, size):
    document = vet_bytes(LOAN[:size])
    assert (document.app, document.verdict, document.complete) == (None, "nothing_found", False)


# --- Encrypted entries ------------------------------------------------------------------------------------------------


def test_encryption_flag_alone_is_ignored(vet_bytes):
    """Android ignores the flag (AOSP ``libziparchive``), so such an APK installs; many tools refuse it."""
    rows = [replace(row, flags=1) for row in [*rows_of(LOAN), Row("classes.dex", DEX)]]
    document = vet_bytes(pack(rows))
    assert document.app.package == "com.example.sudaibao"
    assert len(document.app.sdks) == 1
    assert document.complete


@pytest.mark.parametrize("name", ["AndroidManifest.xml", "resources.arsc", "classes.dex"])
def test_encrypted_entry_is_a_gap(vet_bytes, name):
    row = Row(name, zlib.compress(b"?" * 50), 0)
    rows = [other for other in rows_of(LOAN) if other.name != name]
    document = vet_bytes(pack([*rows, replace(row, method=8, flags=1, size=4000)]))
    assert not document.complete
    if name == "AndroidManifest.xml":
        assert gap_reasons(document) == {"file": "entry_encrypted"}
    else:
        assert "entry_encrypted" in gap_reasons(document).values()
        assert document.app.package == "com.example.sudaibao"


# --- Bombs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        Row("classes.dex", bytes(8 << 20), size=1000),
        Row("classes.dex", bytes(8 << 20), size=0xFFFFFFFE),
        Row("classes.dex", bytes(8 << 20), packed=0xFFFFFFFE),
        Row("classes.dex", b"", size=3 << 30, method=0),
    ],
    ids=["declared small", "declared huge", "longer than the file", "stored and huge"],
)
def test_bomb_takes_no_memory_and_is_a_gap(vet_bytes, row):
    content = with_entries(LOAN, [row])
    tracemalloc.start()
    document = vet_bytes(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
    assert document.app.package == "com.example.sudaibao"
    assert not document.complete
    assert set(gap_reasons(document)) == {"classes.dex"}


def test_bytes_of_all_dex_files_are_limited(vet_bytes, monkeypatch):
    monkeypatch.setattr(evaluate, "MAX_TOTAL_DEX_BYTES", len(DEX) + 10)
    document = vet_bytes(with_entries(LOAN, {"classes.dex": DEX, "classes2.dex": DEX}))
    assert gap_reasons(document) == {"classes2.dex": "dex_too_much"}


@pytest.mark.parametrize(
    "rows",
    [
        [*rows_of(LOAN), *[row for row in rows_of(LOAN) if row.name == "AndroidManifest.xml"]],
        changed(LOAN, "AndroidManifest.xml", local_name="androidmanifest.xml"),
        changed(LOAN, "AndroidManifest.xml", size=3 << 20),
        changed(LOAN, "AndroidManifest.xml", content=b"\3\0\x08\0" + b"\xff" * 4000),
    ],
    ids=["two manifests", "differing local name", "too large", "garbage"],
)
def test_manifest_that_android_rejects(vet_bytes, rows):
    assert vet_bytes(pack(rows)).app is None


@pytest.mark.parametrize("name", HOSTILE)
def test_file_that_android_would_not_install_is_not_read(vet_bytes, name):
    content, reason = HOSTILE[name]
    document = vet_bytes(content)
    assert (document.app, gap_reasons(document)) == (None, {"file": reason})


@pytest.mark.parametrize("name", [name for name, (_, reason) in BAD_ENTRIES.items() if reason])
def test_bad_manifest_entry_is_reported(vet_bytes, name):
    row, reason = BAD_ENTRIES[name]
    rest = [other for other in rows_of(LOAN) if other.name != "AndroidManifest.xml"]
    document = vet_bytes(pack([row, *rest]))
    # An entry under another name leaves an archive without a manifest.
    assert (document.app, gap_reasons(document)) == (None, {"file": "no_app" if reason == "entry_missing" else reason})


def test_app_inside_the_app_is_a_gap(vet_bytes):
    document = vet_bytes(with_entries(LOAN, {"assets/update.apk": LOAN, "assets/more.xapk": b"PK"}))
    assert gap_reasons(document) == {"assets/update.apk": "apk_inside", "assets/more.xapk": "apk_inside"}
    assert document.app.package == "com.example.sudaibao"


# --- Changing files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["grown", "cut", "same size"])
def test_file_that_changes_while_it_is_read(tmp_path, context, monkeypatch, change):
    path = tmp_path / "app.apk"
    path.write_bytes(LOAN)
    os.utime(path, ns=(1, 1))

    def change_then_open(file, name, *, real=bundle.open_bundle):
        content = {"grown": LOAN + b"more", "cut": LOAN[:500], "same size": LOAN[::-1]}[change]
        with path.open("r+b") as stream:
            stream.truncate(0)
            stream.write(content)
        return real(file, name)

    monkeypatch.setattr(bundle, "open_bundle", change_then_open)
    document = vetting.vet(path, context)
    assert document.app is None
    expected = {"not_zip"} if change == "same size" else {"file_changed"}
    assert set(gap_reasons(document).values()) <= {"file_changed", *expected}


def test_file_that_changes_after_it_was_read(tmp_path, context, monkeypatch):
    path = tmp_path / "app.apk"
    path.write_bytes(LOAN)
    os.utime(path, ns=(1, 1))

    def vet_then_rewrite(*arguments, real=vetting.vet_bundle, **options):
        document = real(*arguments, **options)
        path.write_bytes(LOAN)  # the same bytes, which cannot be known without reading them again
        return document

    monkeypatch.setattr(vetting, "vet_bundle", vet_then_rewrite)
    assert gap_reasons(vetting.vet(path, context)) == {"file": "file_changed"}


# --- Any bytes --------------------------------------------------------------------------------------------------------


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
@pytest.mark.parametrize(
    "original", [with_entries(LOAN, {"classes.dex": DEX}), bundle_of({"a.apk": LOAN, "b.apk": LOAN})]
)
def test_any_byte_of_an_apk_may_be_wrong(tmp_path, context, original, data):
    raw = bytearray(original)
    for _ in range(data.draw(st.integers(1, 8))):
        # The end, which holds the central directory, more often than the rest.
        low = data.draw(st.sampled_from([0, len(raw) - 900]))
        raw[data.draw(st.integers(low, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "any.xapk"
    path.write_bytes(raw)
    document = vetting.vet(path, context)
    assert report.parse_document(json.loads(report.vetting_to_json_line(document))) == document
    assert document.app is not None or document.gaps


def test_hostile_names_stay_text(vet_bytes, build_apk):
    evil = "\x1b[2JSafe\u202e<script>alert(1)</script>\nResult  nothing found"
    document = vet_bytes(build_apk("READ_CONTACTS"), "loan.apk")
    document = replace(
        document,
        file=replace(document.file, path=evil),
        app=replace(document.app, label=evil, version_name=evil, package=evil, launcher_labels=(evil,)),
        gaps=(Gap(part=evil, why=apk_message("apk.entry_damaged", entry=evil)),),
    )
    for code in ("en", "zh"):
        text = report.vetting_to_text(document, Translator(code))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\nResult  nothing found" not in text
        page = report.vetting_to_html(document, Translator(code))
        assert "<script" not in page
        assert "\x1b" not in page
