"""STIX 2.1 as MVT reads and writes it: indicators tied to a named collection; what says something else is counted."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privaudit import knowledge
from privaudit.knowledge import signatures, stix
from privaudit.knowledge.loader import Problems

DEFAULTS = {"publisher": "me", "title": "mine"}
KNOWN = knowledge.load_knowledge()
EVERY = signatures.group_entries(part for part in KNOWN.lists if part.kind == "risky")
DIGEST = "a" * 64


def read(document):
    mistakes = Problems()
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    found, passed = stix.parse_stix(data, "t.stix2", mistakes, DEFAULTS)
    return found, passed, mistakes


def bundle(*patterns, **changed):
    malware = {"type": "malware", "id": "malware--1", "name": "A family"}
    objects = [malware]
    for place, pattern in enumerate(patterns):
        one = {
            "type": "indicator",
            "id": f"indicator--{place}",
            "pattern": pattern,
            "valid_from": "2025-06-26T00:00:00Z",
        }
        tie = {"type": "relationship", "id": f"relationship--{place}", "relationship_type": "indicates"}
        objects += [one | changed, tie | {"source_ref": one["id"], "target_ref": "malware--1"}]
    return {"type": "bundle", "id": "bundle--1", "objects": objects}


@pytest.mark.parametrize(
    ("pattern", "row"),
    [
        ("[app:id='com.example.a']", ("com.example.a", (), ())),
        ("[app:id = 'com.example.a']", ("com.example.a", (), ())),
        (f"[app:cert.sha256='{DIGEST}']", (None, (), (DIGEST,))),
        (f"[file:hashes.sha256='{DIGEST}']", (None, (DIGEST,), ())),
        (f"[file:hashes.'SHA-256' = '{DIGEST.upper()}']", (None, (DIGEST,), ())),
        (f"[file:hashes.\"SHA-256\"='{DIGEST}']", (None, (DIGEST,), ())),
    ],
)
def test_patterns_in_the_form_of_mvt_are_imported(pattern, row):
    ((one,), passed, mistakes) = read(bundle(pattern))
    assert (mistakes, passed) == ([], 0)
    assert (one.source.publisher, one.source.title, one.source.date) == ("me", "A family", "2025-06-26")
    assert [(r.package, r.sha256, r.certificates) for r in one.rows] == [row]


def test_alternatives_in_a_pattern_become_rows():
    ((one,), _, mistakes) = read(
        bundle(f"[app:id='com.example.a' OR app:id='com.example.b'] OR [app:cert.sha256='{DIGEST}']")
    )
    assert not mistakes
    assert [row.package for row in one.rows] == ["com.example.a", "com.example.b", None]


@pytest.mark.parametrize(
    "pattern",
    [
        "[domain-name:value='example.org']",
        "[app:id='com.example.a' AND app:version='1']",  # narrower than a package: not to be widened
        "[app:id!='com.example.a']",
        "[app:id LIKE 'com.%']",
        "[file:name='a.apk']",
        "",
        3,
    ],
)
def test_other_patterns_are_counted_as_skipped(pattern, worded):
    ((one,), passed, mistakes) = read(bundle("[app:id='com.example.z']", pattern))
    assert ([row.package for row in one.rows], passed, mistakes) == (["com.example.z"], 1, [])
    found, passed, mistakes = read(bundle(pattern))
    assert (found, passed) == ((), 1)
    assert "1 say something else" in worded(mistakes)[0]


def test_an_invalid_value_is_reported_with_its_object(worded):
    _, _, mistakes = read(bundle("[app:id='not a package']", "[file:hashes.sha256='123']"))
    said = worded(mistakes)
    assert len(said) == 2
    assert "t.stix2, object no. " in said[0]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff\xfe", b'{"objects": 3}', b"[" * 5000])
def test_a_file_that_is_not_stix_is_reported(data, worded):
    found, _, mistakes = read(data)
    assert found == ()
    assert "not STIX 2.1" in worded(mistakes)[0]


KEYS = st.sampled_from(["type", "id", "objects", "pattern", "name"])
VALUES = st.none() | st.integers() | st.text()


@settings(max_examples=60, deadline=None)
@given(st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20))
def test_arbitrary_json_does_not_crash(document):
    found, _, mistakes = read({"objects": document})
    assert found or mistakes


def test_export_is_valid_stix_and_deterministic():
    text = stix.entries_to_stix(EVERY, "2026-11-24")
    assert text == stix.entries_to_stix(EVERY, "2026-11-24")
    objects = json.loads(text)["objects"]
    ids = {one["id"] for one in objects}
    assert len(ids) == len({json.dumps(one, sort_keys=True) for one in objects})  # one id never means two things
    for one in objects:
        assert re.fullmatch(
            rf"{one['type']}--[0-9a-f]{{8}}-[0-9a-f]{{4}}-5[0-9a-f]{{3}}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}", one["id"]
        )
        assert one["spec_version"] == "2.1"
        for key in ("created", "modified"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00\.000Z", one[key])
        for key in ("created_by_ref", "source_ref", "target_ref"):
            assert one.get(key) is None or one[key] in ids


def test_every_package_and_hash_of_tiers_a_and_b_survives_a_round_trip():
    parts = [
        part for part in KNOWN.lists if part.source.tier in {"A", "B"} and any(row.match_keys for row in part.rows)
    ]
    found, passed, mistakes = read(stix.entries_to_stix(EVERY, "2026-11-24").encode())
    assert (passed, mistakes) == (0, [])
    assert values(row for one in found for row in one.rows) == values(row for part in parts for row in part.rows)
    assert {one.source.publisher for one in found} == {part.source.publisher for part in parts}


def values(rows):
    return {value for row in rows for _, value in row.match_keys}


def test_indicators_of_a_regulators_list_are_not_malicious():
    for one in json.loads(stix.entries_to_stix(EVERY, "2026-11-24"))["objects"]:
        if one["type"] == "indicator":
            part = next(part for part in KNOWN.lists if part.id == one["labels"][0].partition("#")[0])
            assert one["indicator_types"] == ["malicious-activity" if part.source.tier == "A" else "unknown"]


def test_exportable_entries_are_those_with_indicators():
    written = stix.exportable_entries(EVERY)
    assert all(entry.package or entry.hashes for entry in written)
    assert {entry.package for entry in written}.isdisjoint({"com.pacf", "com.qihoo.loan"})  # only in a notice
