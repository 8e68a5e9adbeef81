"""XAPK, APKS and APKM bundles: which APK is the app, what its splits add, and bundles made to mislead."""

from __future__ import annotations

import os

import pytest

from privaudit.vetting import bundle
from privaudit.virtual_phone.programs import load_apks
from tests.fixtures.apk_builder import Row, pack, rows_of
from tests.fixtures.dex_builder import dex
from tests.vetting.conftest import bundle_of, gap_reasons, with_entries

OTHER_APK = load_apks()["com.example.chat-2580.apk"]
MARKER_ENTRIES = {
    "xapk": {"manifest.json": b"{}", "icon.png": b"png"},
    "apks": {"toc.pb": b"toc"},
    "apkm": {"info.json": b"{}", "icon.png": b"png"},
}


@pytest.mark.parametrize("method", [0, 8], ids=["stored", "deflated"])
@pytest.mark.parametrize("kind", MARKER_ENTRIES)
@pytest.mark.parametrize("has_suffix", [True, False], ids=["named as such", "named .zip"])
def test_bundle_is_vetted_as_its_app(vet_bytes, loan_apk, split_apk, kind, method, has_suffix):
    content = bundle_of({**MARKER_ENTRIES[kind], "x.apk": loan_apk, "config.zh.apk": split_apk}, method)
    document = vet_bytes(content, f"loan.{kind if has_suffix else 'zip'}")
    assert (document.file.kind, document.file.base, document.file.splits) == (kind, "x.apk", 1)
    single = vet_bytes(loan_apk)
    assert document.app == single.app  # also its hash: lists hold that of the APK
    assert document.file.sha256 != document.app.apk_sha256
    assert document.complete


def test_base_is_chosen_by_its_manifest_not_by_a_name(vet_bytes, loan_apk, split_apk):
    document = vet_bytes(bundle_of({"base.apk": split_apk, "config.en.apk": loan_apk}), "loan.xapk")
    assert document.file.base == "config.en.apk"
    assert document.app.package == "com.example.sudaibao"


def test_code_in_a_split_counts(vet_bytes, loan_apk, split_apk):
    split = with_entries(split_apk, {"classes.dex": dex(["credoapp.A"])})
    (sdk,) = vet_bytes(bundle_of({"base.apk": loan_apk, "feature.apk": split}), "loan.apks").app.sdks
    assert sdk.signs[0].entry == "feature.apk!classes.dex"


def test_another_app_in_the_bundle_is_named_and_a_gap(vet_bytes, loan_apk):
    document = vet_bytes(bundle_of({"com.example.sudaibao.apk": loan_apk, "z.apk": OTHER_APK}), "two.xapk")
    assert document.app.package == "com.example.sudaibao"
    assert document.others == ("com.example.chat",)
    assert gap_reasons(document) == {"com.example.chat": "bundle_several"}


@pytest.mark.parametrize("excess_bytes", [1, 258])
def test_apk_that_inflates_just_past_a_chunk_is_complete(vet_bytes, loan_apk, excess_bytes):
    rows, comment = rows_of(loan_apk), bytes(2000)
    padding = (1 << 20) + excess_bytes - len(pack([*rows, Row("pad", b"", 0)], comment=comment))
    apk = pack([*rows, Row("pad", bytes(padding), 0)], comment=comment)
    assert len(apk) == (1 << 20) + excess_bytes
    assert vet_bytes(bundle_of({"base.apk": apk}, 8), "a.apks").app.package == "com.example.sudaibao"


# --- Made to mislead --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [0, 8])
def test_entry_names_that_are_paths_are_never_written_to(vet_bytes, tmp_path, loan_apk, split_apk, method, monkeypatch):
    opened = []
    monkeypatch.setattr(os, "open", lambda path, *_, real=os.open, **__: opened.append(path) or real(path, *_, **__))
    names = ["../../../srv/evil.apk", "/srv/evil2.apk", "C:\\Windows\\evil.apk", "..\\evil.apk", "a\nb\x1b[2J.apk"]
    content = bundle_of({names[0]: loan_apk, **dict.fromkeys(names[1:], split_apk)}, method)
    before = set(tmp_path.iterdir())
    document = vet_bytes(content, "paths.xapk")
    assert (document.file.base, document.file.splits) == (names[0], len(names) - 1)
    assert set(tmp_path.iterdir()) - before == {tmp_path / "paths.xapk"}
    assert not any("evil" in str(path) for path in opened)


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (bundle_of({"inner.xapk": b"PK"}), "a.xapk", "bundle_nested"),
        (bundle_of({"readme.txt": b"hello"}), "a.xapk", "no_app"),
        (bundle_of({"readme.txt": b"hello"}), "a.apk", "no_app"),
        (b"encrypted by its maker" * 99, "a.apkm", "apkm_encrypted"),
        (b"no zip" * 99, "a.xapk", "not_zip"),
        (bundle_of({"base.apk": b"no apk" * 99}), "a.apks", "bundle_unread"),
        (pack([Row("base.apk", b"x" * 400, 0, flags=1)]), "a.apks", "bundle_unread"),
        (pack([Row("base.apk", b"x" * 400, 12)]), "a.apks", "bundle_unread"),
        (pack([Row("base.apk", b"x" * 400, 8, size=2 << 30)]), "a.apks", "bundle_unread"),
    ],
    ids=[
        "nested",
        "bundle without APK",
        "APK without manifest",
        "encrypted APKM",
        "not a zip",
        "damaged",
        "encrypted entry",
        "unknown method",
        "huge",
    ],
)
def test_unreadable_bundles(vet_bytes, content, name, reason):
    document = vet_bytes(content, name)
    assert document.app is None
    assert gap_reasons(document) == {"file": reason}


def test_splits_without_a_base(vet_bytes, split_apk):
    assert gap_reasons(vet_bytes(bundle_of({"config.zh.apk": split_apk}), "a.apks")) == {"file": "bundle_no_base"}


def test_unreadable_splits_do_not_spoil_the_rest(vet_bytes, loan_apk, split_apk):
    rows = [
        Row("base.apk", loan_apk, 0),
        Row("locked.apk", split_apk, 0, flags=1),
        Row("bomb.apk", bytes(1 << 20), 8, size=5000),
        Row("inner.xapk", b"PK", 0),
    ]
    document = vet_bytes(pack(rows), "a.xapk")
    assert document.app.package == "com.example.sudaibao"
    assert not document.complete
    assert gap_reasons(document) == {
        "locked.apk": "bundle_encrypted",
        "bomb.apk": "entry_damaged",
        "inner.xapk": "bundle_inside",
    }


def test_number_of_apks_is_limited(vet_bytes, loan_apk, split_apk, monkeypatch):
    monkeypatch.setattr(bundle, "MAX_BUNDLE_APKS", 3)
    document = vet_bytes(bundle_of({"base.apk": loan_apk, **{f"{n}.apk": split_apk for n in range(9)}}), "a.apks")
    assert document.file.splits == 2
    assert gap_reasons(document) == {"2.apk": "bundle_too_many"}


def test_bytes_unpacked_from_a_bundle_are_limited(vet_bytes, loan_apk, split_apk, monkeypatch):
    monkeypatch.setattr(bundle, "MAX_UNPACKED_BYTES", len(loan_apk) + len(split_apk) // 2)
    document = vet_bytes(bundle_of({"base.apk": loan_apk, "config.zh.apk": split_apk}, 8), "a.apks")
    assert gap_reasons(document) == {"config.zh.apk": "bundle_too_large"}
