"""The programs that refresh lists from their sources' own files, on small inputs of the same shape."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from privaudit import knowledge
from privaudit.knowledge import lint, loader
from privaudit.knowledge.schema import SignatureRow
from tools.lists import __main__ as refresh
from tools.lists import eset, killerloanapps, ojk, sec_ph, table
from tools.lists.list_file import NEVER, BrokenSourceError, merge_names, refresh_list

LIST = """\
# What the list is.
#
# Doubts. Some.

[source]
publisher = "Somebody"
title = "A list"
date = "2024-05-01"
tier = "B"
action = "illegal"

[[app]]
package = "com.example.zebra"
names = ["Zebra Loan"]
disputed = true
note = "A person wrote this."

[[app]]
package = "com.example.alpha"

[[app]]
names = ["Only A Name"]
"""


def entry(name="Dana Contoh", address=(), web=(), **changed):
    """Return an entry of OJK's list as the scraper publishes it."""
    return {
        "id": 1,
        "name": name,
        "alias": [],
        "address": list(address),
        "web": list(web),
        "email": ["someone@example.com"],
        "phone": ["0812000111"],
        "entity_type": "Fintech Ilegal",
        "activity_type": ["Peer To Peer Lending"],
        "input_date": "13/12/2021",
        "description": "SP 01/SWI/2021",
    } | changed


def read_ojk(*entries):
    return ojk.read_rows(json.dumps({"data": entries, "version": "08/12/2024"}).encode())


def packages(*address):
    return [row.package for row in read_ojk(entry(address=address))[0] if row.package]


# --- OJK ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    [
        "https://play.google.com/store/apps/details?id=com.contoh.dana",
        "https://playgoogle.com/store/apps/details?id=com.contoh.dana&hl=in",  # the scraper lost a dot
        "ttps://playgoogle.com/store/apps/details?id=com.contoh.dana",
        "https://wwwapkmonk.com/app/com.contoh.dana/",
        "https://apksoscom/app/com.contoh.dana",
        "https://apkcombocom/id/danacontoh- cepat/com.contoh.dana/",  # the blank is in another part
        "https://apksalad.com/id/id/com.contoh.dana.html",
        "https://contoh.id/privacy.htmlhttps://play.google.com/store/apps/details?id=com.contoh.dana",
    ],
)
def test_packages_are_read_from_store_links(link):
    assert packages(link) == ["com.contoh.dana"]


@pytest.mark.parametrize(
    "pieces",
    [
        ["https://playgoogle.com/store/apps/details?id=com.newandromo.dev174795", "app2952110"],  # lost “3.”
        ["https://mapkpure.com/contoh/com.kr", "cashloan"],
        ["https://apkcombocom/contoh/com.sky101", "pjm/"],
        ["https://play.google.com/sto"],
        ["https://play.google.com/sto re/apps/details?id=com.con toh.dana"],
        ["https://apksoscom/app/com.contoh.dana.kredit .cepat"],
        ["https://wwwinstagram.com/dana.contoh/"],
        ["https://www.facebook.com/permalink.php?story_fbid=1&id=2"],
        ["https://apps.apple.com/id/app/contoh/id1557833579"],
        ["https://contoh.com/privacy.html", "http://www.contoh.com/download/tu.apk"],
        ["https://contoh.toko.net/app/1/https://contoh.toko.net/app/1/"],  # a host is no package
        ["com.contoh.dana"],  # no link
        ["Jl. Contoh No. 5, Jakarta"],
    ],
)
def test_nothing_is_read_from_damaged_links_and_social_media(pieces):
    assert packages(*pieces) == []


def test_a_postal_address_does_not_cut_the_link_before_it():
    assert packages("https://apksoscom/app/com.contoh.dana", "Jl. Contoh No. 5, Jakarta") == ["com.contoh.dana"]
    assert packages("https://apksoscom/app/com.contoh.dana", "https://contoh.id/") == ["com.contoh.dana"]


def test_an_ojk_entry_without_a_package_is_a_name_and_holds_no_contact_data():
    rows, date = read_ojk(
        entry(input_date="11/11/2024"),
        entry("dana  contoh"),  # the same name
        entry("Gadai Contoh", entity_type="Gadai Ilegal"),
        entry("KSP Contoh", web=["https://www.instagram.com/ksp.contoh/"]),  # may be a private person
        *(entry(name) for name in ("@dana.contoh", "URL Facebook", "https://contoh.id", "????? ??", "danacontoh.com")),
    )
    assert [(row.package, row.names, row.name_match) for row in rows] == [(None, ("Dana Contoh",), "unsafe")]
    assert date == "2024-11-11"
    assert not re.search("example.com|0812", repr(rows))


def test_an_ojk_entry_may_have_its_link_and_its_name_exchanged():
    link = "https://play.google.com/store/apps/details?id=com.contoh.dana"
    ((row,), _) = read_ojk(entry(link, address=["Dana Contoh"]))
    assert (row.package, row.names) == ("com.contoh.dana", ("Dana Contoh",))


def test_a_name_that_stands_beside_a_package_is_not_repeated():
    rows, _ = read_ojk(entry(web=["https://apksoscom/app/com.contoh.dana"]), entry("DANA CONTOH"))
    assert [(row.package, row.names) for row in rows] == [("com.contoh.dana", ("Dana Contoh",))]


@pytest.mark.parametrize("package", sorted(NEVER))
def test_well_known_apps_are_never_on_a_risky_list(package):
    assert read_ojk(entry(web=[f"https://apkgkcom/{package}"]))[0] == []
    assert knowledge.load_knowledge().find_matches("package", package) == ()


# --- ESET, SEC of the Philippines, killerloanapps -------------------------------------------------------------------


def test_digests_are_read_from_esets_file():
    rows, _ = eset.read_rows(f"{'A1' * 32}\n{'b2' * 32}\n{'b2' * 32}\n".encode())
    assert [row.sha256 for row in rows] == [("a1" * 32,), ("b2" * 32,)]
    for broken in (b"", b"<html>", b"a1" * 20):
        with pytest.raises(BrokenSourceError):
            eset.read_rows(broken)


def test_platforms_are_read_from_the_table_of_the_sec():
    table = """\
name,registry_id,hq,extra
Acme Lending Inc. Doing business under the name of QuickPeso (Formerly Old Inc),CS1,Philippines,1. QuickPeso2. Cash2U
Beta Finance Corp.,CS2,Philippines,3. https://beta.example/
"Gamma Lending, Inc.",CS3,Philippines,4. Gamma (formerly Delta)5. www.gamma.example6. Gamma Website
Epsilon Corp,CS4,Philippines,"(Facebook account, used for marketing purposes only)"
PIPO Financing,CS5,Philippines,7. TikTok
Zeta Lending Corp,CS6,Philippines,8. Happypera2
"""
    rows, _ = sec_ph.read_rows(table.encode())
    assert [(row.names[0], row.developer) for row in rows] == [
        ("QuickPeso", "Acme Lending Inc."),
        ("Cash2U", "Acme Lending Inc."),
        ("Gamma", "Gamma Lending, Inc."),
        ("Happypera2", "Zeta Lending Corp"),
    ]
    with pytest.raises(BrokenSourceError):
        sec_ph.read_rows(b"<html>")


def test_a_tracker_gives_packages_and_never_a_score():
    listing = {
        "jurisdiction": "IN_2020_2022",
        "app_id": "com.example.loan",
        "composite": 90,
        "band": "severe",
        "flags": "['contacts_plus_sms']",
        "scope": "lending",
        "title": "Example Loan",
        "scored_on": "2026-09-21 00:00:00",
    }
    data = {
        "rubric_version": "0.2",
        "scores": [
            listing,
            listing | {"jurisdiction": "NG_2022", "title": "Example loan"},
            listing | {"app_id": "com.example.torch", "scope": "other"},
            listing | {"app_id": "no package"},
            listing | {"app_id": "com.example.untitled", "title": None},
        ],
    }
    rows, date = killerloanapps.read_rows(json.dumps(data).encode())
    assert [(row.package, row.names, row.countries) for row in rows] == [
        ("com.example.loan", ("Example Loan",), ("IN", "NG")),
        ("com.example.untitled", (), ("IN",)),
    ]
    assert date == "2026-09-21"
    assert not re.search("90|severe|contacts", repr(rows))


@pytest.mark.parametrize("read_rows", [ojk.read_rows, killerloanapps.read_rows])
@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"{}", b'{"data": [{}], "scores": [{}]}'])
def test_another_answer_than_the_file_is_an_error(read_rows, data):
    with pytest.raises(BrokenSourceError):
        read_rows(data)


# --- the list file --------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "list.toml"
    path.write_text(LIST, encoding="utf-8")
    return path


def rows_of(*tables):
    return [SignatureRow(**table) for table in tables]


def test_a_refresh_keeps_what_people_wrote_and_adds_at_the_end(listed):
    found = rows_of(
        {"package": "com.example.new"},
        {"package": "com.example.alpha", "names": ("Alpha",)},
        {"package": "com.example.zebra", "names": ("ZEBRA loan", "Zebra"), "name_match": "unsafe"},
        {"names": ("only a name",)},
        {"names": ("Another Name",), "name_match": "unsafe"},
    )
    text, added, removed = refresh_list(listed, found, date="2024-11-11")
    assert (added, removed) == (2, 0)
    assert text == LIST.replace("2024-05-01", "2024-11-11").replace(
        '["Zebra Loan"]', '["Zebra Loan", "Zebra"]'
    ).replace('package = "com.example.alpha"\n', 'package = "com.example.alpha"\nnames = ["Alpha"]\n') + (
        '\n[[app]]\npackage = "com.example.new"\n\n[[app]]\nnames = ["Another Name"]\nname_match = "unsafe"\n'
    )


def test_a_refresh_from_the_same_source_changes_nothing(listed):
    found = rows_of(
        {"names": ("Only A Name",)}, {"package": "com.example.alpha"}, {"package": "com.example.zebra", "names": ()}
    )
    assert refresh_list(listed, found, date="2024-05-01") == (LIST, 0, 0)


def test_a_row_that_the_source_dropped_is_removed_or_kept(listed):
    found = rows_of({"package": "com.example.zebra"}, {"package": "com.example.alpha"})
    text, _, removed = refresh_list(listed, found)
    assert removed == 1
    assert "Only A Name" not in text
    assert refresh_list(listed, found, keeps_missing=True).text == LIST


def test_a_source_that_lost_most_of_a_list_is_refused(listed):
    with pytest.raises(BrokenSourceError):
        refresh_list(listed, rows_of({"package": "com.example.zebra"}))
    listed.write_text("not a list", encoding="utf-8")
    with pytest.raises(BrokenSourceError):
        refresh_list(listed, [])


def test_spellings_of_a_name_are_one_name():
    assert merge_names(["Dana Kilat", "DANA-KILAT"], ["Dana Kilat Pro"]) == ("Dana Kilat", "Dana Kilat Pro")


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(str(loader.shipped_folder()), tmp_path / "signatures"))


@pytest.fixture
def refreshed(folder, tmp_path):
    """Refresh a copy of the shipped lists."""
    document = Path(shutil.copy(table.DOCUMENT, tmp_path / "lists.md"))

    def run(*arguments):
        return refresh.main([*map(str, arguments), "--signatures", str(folder), "--document", str(document)])

    return run


def test_one_command_refreshes_one_list(folder, refreshed, tmp_path, capsys):
    shipped = tomllib.loads((folder / "risky/eset-2023-hashes.toml").read_text(encoding="utf-8"))["app"]
    file = tmp_path / "samples.sha256"
    file.write_text("".join(f"{row['sha256'][0]}\n" for row in shipped) + "f" * 64, encoding="ascii")
    assert refreshed("eset", file) == 0
    assert "eset: 1 rows added, 0 removed in risky/eset-2023-hashes.toml" in capsys.readouterr().out
    assert lint.lint_signatures(folder).problems == ()
    before = (loader.shipped_folder() / "risky/eset-2023-hashes.toml").read_text(encoding="utf-8").splitlines()
    after = (folder / "risky/eset-2023-hashes.toml").read_text(encoding="utf-8").splitlines()
    assert after[: len(before)] == before  # a difference that a person can read
    assert "eset-2023-hashes.toml) | ESET | 2023-12-01 | the original | 18 |" in (tmp_path / "lists.md").read_text(
        "utf-8"
    )


def test_a_source_that_cannot_be_read_changes_nothing(folder, refreshed, tmp_path, capsys):
    file = tmp_path / "illegals.json"
    file.write_text('{"data": []}', encoding="utf-8")
    before = (folder / "risky/ojk-illegal-2024.toml").read_bytes()
    assert refreshed("ojk", file) == 1
    assert "not refreshed" in capsys.readouterr().err
    assert (folder / "risky/ojk-illegal-2024.toml").read_bytes() == before


def test_every_source_refreshes_a_shipped_list_that_names_the_command():
    for name, source in refresh.SOURCES.items():
        text = (loader.shipped_folder() / source.list_file).read_text(encoding="utf-8")
        assert source.url.startswith("https://")
        assert f"python -m tools.lists {name}" in tomllib.loads(text)["source"]["refreshed"]


def test_the_document_has_every_list_as_the_files_say():
    text = table.DOCUMENT.read_text(encoding="utf-8")
    assert table.write_table(text, refresh.SIGNATURES) == text, "run: python -m tools.lists --table"
    assert text.count("](../signatures/") >= 90
    for name in refresh.SOURCES:
        assert f"python -m tools.lists {name}" in text


def test_the_workflow_runs_these_programs_and_a_person_decides():
    workflow = (table.DOCUMENT.parents[1] / ".github" / "workflows" / "lists.yml").read_text(encoding="utf-8")
    assert "schedule:" in workflow
    assert "python -m tools.lists" in workflow
    assert "signatures check signatures" in workflow
    assert "gh pr create" in workflow
    assert "merge" not in workflow.replace("never merges", "")
    assert not re.search(r"uses: (?!\S+@[0-9a-f]{40})", workflow)  # pinned
