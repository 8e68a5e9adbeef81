"""XAPK, APKS and APKM: which APK in them is the app, what its splits add, and what somebody packed to mislead."""

from __future__ import annotations

import os

import pytest

from privaudit.vetting import bundle
from privaudit.virtual_phone import apks
from tests.fixtures.apk_builder import Row, pack, rows_of
from tests.fixtures.dex_builder import dex
from tests.vetting.conftest import bundled, reasons, with_entries

OTHER = apks.load_apks()["com.example.chat-2580.apk"]
KINDS = {
    "xapk": {"manifest.json": b"{}", "icon.png": b"png"},
    "apks": {"toc.pb": b"toc"},
    "apkm": {"info.json": b"{}", "icon.png": b"png"},
}


@pytest.mark.parametrize("method", [0, 8], ids=["as it is", "deflated"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("named", [True, False], ids=["named", "called otherwise"])
def test_a_bundle_is_vetted_as_its_app(vetted, loan, part, kind, method, named):
    content = bundled({**KINDS[kind], "x.apk": loan, "config.zh.apk": part}, method)
    document = vetted(content, f"loan.{kind if named else 'zip'}")
    assert (document.file.kind, document.file.base, document.file.splits) == (kind, "x.apk", 1)
    alone = vetted(loan)
    assert document.app == alone.app  # its hash too: it is the APK's that lists hold
    assert document.file.sha256 != document.app.apk_sha256
    assert document.complete


def test_the_base_is_what_its_manifest_says_and_never_a_name(vetted, loan, part):
    document = vetted(bundled({"base.apk": part, "config.en.apk": loan}), "loan.xapk")
    assert document.file.base == "config.en.apk"
    assert document.app.package == "com.example.sudaibao"


def test_code_in_a_split_counts(vetted, loan, part):
    split = with_entries(part, {"classes.dex": dex(["credoapp.A"])})
    (found,) = vetted(bundled({"base.apk": loan, "feature.apk": split}), "loan.apks").app.sdks
    assert found.signs[0].entry == "feature.apk!classes.dex"


def test_another_app_in_the_bundle_is_named_and_a_gap(vetted, loan):
    document = vetted(bundled({"com.example.sudaibao.apk": loan, "z.apk": OTHER}), "two.xapk")
    assert document.app.package == "com.example.sudaibao"
    assert document.others == ("com.example.chat",)
    assert reasons(document) == {"com.example.chat": "bundle_several"}


@pytest.mark.parametrize("over", [1, 258])
def test_what_unpacks_to_the_edge_of_a_chunk_is_whole(vetted, loan, over):
    rows, comment = rows_of(loan), bytes(2000)
    room = (1 << 20) + over - len(pack([*rows, Row("pad", b"", 0)], comment=comment))
    apk = pack([*rows, Row("pad", bytes(room), 0)], comment=comment)
    assert len(apk) == (1 << 20) + over
    assert vetted(bundled({"base.apk": apk}, 8), "a.apks").app.package == "com.example.sudaibao"


# --- made to mislead --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [0, 8])
def test_names_that_are_paths_are_never_written_to(vetted, tmp_path, loan, part, method, monkeypatch):
    opened = []
    monkeypatch.setattr(os, "open", lambda path, *_, real=os.open, **__: opened.append(path) or real(path, *_, **__))
    names = ["../../../srv/evil.apk", "/srv/evil2.apk", "C:\\Windows\\evil.apk", "..\\evil.apk", "a\nb\x1b[2J.apk"]
    content = bundled({names[0]: loan, **dict.fromkeys(names[1:], part)}, method)
    before = set(tmp_path.iterdir())
    document = vetted(content, "paths.xapk")
    assert (document.file.base, document.file.splits) == (names[0], len(names) - 1)
    assert set(tmp_path.iterdir()) - before == {tmp_path / "paths.xapk"}
    assert not any("evil" in str(path) for path in opened)


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (bundled({"inner.xapk": b"PK"}), "a.xapk", "bundle_nested"),
        (bundled({"readme.txt": b"hello"}), "a.xapk", "no_app"),
        (bundled({"readme.txt": b"hello"}), "a.apk", "no_app"),
        (b"encrypted by its maker" * 99, "a.apkm", "apkm_encrypted"),
        (b"no zip" * 99, "a.xapk", "not_zip"),
        (bundled({"base.apk": b"no apk" * 99}), "a.apks", "bundle_unread"),
        (pack([Row("base.apk", b"x" * 400, 0, flags=1)]), "a.apks", "bundle_unread"),
        (pack([Row("base.apk", b"x" * 400, 12)]), "a.apks", "bundle_unread"),
        (pack([Row("base.apk", b"x" * 400, 8, size=2 << 30)]), "a.apks", "bundle_unread"),
    ],
    ids=["nested", "no APK", "none in it", "encrypted APKM", "no zip", "damaged", "locked", "strange method", "huge"],
)
def test_bundles_of_which_nothing_can_be_read(vetted, content, name, why):
    document = vetted(content, name)
    assert document.app is None
    assert reasons(document) == {"file": why}


def test_parts_without_the_app_itself(vetted, part):
    assert reasons(vetted(bundled({"config.zh.apk": part}), "a.apks")) == {"file": "bundle_no_base"}


def test_what_spoils_a_part_does_not_spoil_the_rest(vetted, loan, part):
    rows = [
        Row("base.apk", loan, 0),
        Row("locked.apk", part, 0, flags=1),
        Row("bomb.apk", bytes(1 << 20), 8, size=5000),
        Row("inner.xapk", b"PK", 0),
    ]
    document = vetted(pack(rows), "a.xapk")
    assert document.app.package == "com.example.sudaibao"
    assert not document.complete
    assert reasons(document) == {
        "locked.apk": "bundle_encrypted",
        "bomb.apk": "entry_damaged",
        "inner.xapk": "bundle_inside",
    }


def test_more_parts_than_any_bundle_has(vetted, loan, part, monkeypatch):
    monkeypatch.setattr(bundle, "MAX_BUNDLE_APKS", 3)
    document = vetted(bundled({"base.apk": loan, **{f"{n}.apk": part for n in range(9)}}), "a.apks")
    assert document.file.splits == 2
    assert reasons(document) == {"2.apk": "bundle_too_many"}


def test_all_that_is_unpacked_together_has_a_limit(vetted, loan, part, monkeypatch):
    monkeypatch.setattr(bundle, "MAX_UNPACKED_BYTES", len(loan) + len(part) // 2)
    document = vetted(bundled({"base.apk": loan, "config.zh.apk": part}, 8), "a.apks")
    assert reasons(document) == {"config.zh.apk": "bundle_too_large"}
