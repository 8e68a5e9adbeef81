"""Vetting one file: checked against Android's own tools, lists, rules and known SDKs."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from importlib import resources

import jsonschema
import pytest

from privaudit import vetting
from privaudit.apk.parts import MANIFEST
from privaudit.i18n import Translator
from privaudit.model import DataClass, OtherDataClass
from privaudit.vetting import report
from privaudit.virtual_phone.programs import load_apks
from tests.fixtures.apk_builder import (
    Row,
    aapt,
    badging,
    certificates,
    changed,
    manifest,
    pack,
    rows_of,
    with_attribute,
)
from tests.fixtures.dex_builder import dex
from tests.vetting.conftest import LOAN_APK, gap_reasons, with_entries

DEMO_APKS = sorted(load_apks())
CHAT_APK = "com.example.chat-2580.apk"
SCHEMA = report.vetting_schema()
SERVICE = '<service android:name=".S" android:permission="android.permission.{}"/>'


def states(document):
    return {data_class.value: request.state.value for data_class, request in document.app.asks.items()}


# --- Identity ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*DEMO_APKS[:: len(DEMO_APKS) // 6], LOAN_APK])
def test_app_agrees_with_aapt(vet_bytes, tmp_path, name):
    content = load_apks()[name]
    app = vet_bytes(content).app
    printed = badging(content, tmp_path)
    head = re.search(r"package: name='(.*?)' versionCode='(.*?)' versionName='(.*?)'", printed)
    assert head.groups() == (app.package, str(app.version_code), app.version_name)
    assert re.search(r"targetSdkVersion:'(.*)'", printed)[1] == str(app.target_sdk)
    requested = re.findall(r"^uses-permission: name='(.*?)'", printed, re.MULTILINE)
    assert [permission.name for permission in app.permissions] == requested
    # aapt prints no label for "no particular locale"; privaudit stores it under "und".
    labels = dict(re.findall(r"^application-label-(\S+?):'(.*)'$", printed, re.MULTILINE))
    assert {tag: text for tag, text in app.labels.items() if tag != "und"} == {
        tag: text for tag, text in labels.items() if tag not in {"--_--", ""}
    }


def test_signer_agrees_with_apksigner(vet_bytes, tmp_path, loan_apk):
    document = vet_bytes(loan_apk)
    assert list(document.app.certificates_sha256) == certificates(tmp_path / "app.apk")
    assert document.app.apk_sha256 == document.file.sha256 == hashlib.sha256(loan_apk).hexdigest()


def test_documents_are_valid_and_survive_a_round_trip(vet_bytes):
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA))
    for name in DEMO_APKS[::5]:
        document = vet_bytes(load_apks()[name])
        assert document.complete, (name, document.gaps)
        line = report.vetting_to_json_line(document)
        validator.validate(json.loads(line))
        assert report.parse_document(json.loads(line)) == document
        assert name.startswith(document.app.package)


def test_same_file_and_lists_give_the_same_document(tmp_path, context, loan_apk):
    (tmp_path / "app.apk").write_bytes(loan_apk)
    assert vetting.vet(tmp_path / "app.apk", context) == vetting.vet(tmp_path / "app.apk", context)


def test_published_schema_is_current(run):
    published = (resources.files("privaudit") / "data" / "schemas" / "privaudit-apk-1.json").read_text("utf-8")
    assert published == SCHEMA == run("schema", "--apk").out


# --- What it may ask for ----------------------------------------------------------------------------------------------


def test_each_data_class_has_its_permissions(vet_bytes, build_apk):
    permissions = [
        "READ_CONTACTS",
        "RECEIVE_SMS",
        "READ_CALL_LOG",
        "READ_PHONE_STATE",
        "ACCESS_FINE_LOCATION",
        "READ_MEDIA_IMAGES",
        "QUERY_ALL_PACKAGES",
    ]
    document = vet_bytes(build_apk(*permissions))
    assert set(states(document).values()) == {"may_ask"}
    assert document.app.asks[DataClass.SMS].ways == ("incoming",)
    assert set(document.app.asks) == {*DataClass, *OtherDataClass}
    quiet = vet_bytes(build_apk("INTERNET"))
    assert set(states(quiet).values()) == {"not_requested"}


def test_app_for_android_5_is_granted_its_permissions_at_install(vet_bytes, build_apk):
    document = vet_bytes(build_apk("READ_CONTACTS", target=22))
    assert document.app.at_install
    assert states(document)["app_list"] == "needs_nobody"
    (finding,) = document.findings
    assert finding.message.key == "vetting.lender_given"
    assert not vet_bytes(build_apk("READ_CONTACTS", target=23)).app.at_install


@pytest.mark.parametrize(
    ("body", "head", "data_class", "way"),
    [
        (SERVICE.format("BIND_ACCESSIBILITY_SERVICE"), "", "sms", "accessibility"),
        (SERVICE.format("BIND_NOTIFICATION_LISTENER_SERVICE"), "", "sms", "notification_listener"),
        ("", '<uses-permission android:name="android.permission.MANAGE_EXTERNAL_STORAGE"/>', "media", "all_files"),
    ],
)
def test_special_access_is_another_way_to_data(vet_bytes, build_apk, body, head, data_class, way):
    document = vet_bytes(build_apk("INTERNET", body=body, head=head))
    request = next(request for key, request in document.app.asks.items() if key.value == data_class)
    assert (request.state, way in request.ways) == ("another_way", True)
    assert way in document.app.services


def test_max_sdk_of_a_permission_is_reported_unless_another_use_has_none(vet_bytes, build_apk):
    head = '<uses-permission android:name="android.permission.READ_CONTACTS" android:maxSdkVersion="28"/>'
    assert vet_bytes(build_apk(head=head)).app.asks[DataClass.CONTACTS].until_sdk == 28
    assert vet_bytes(build_apk("READ_CONTACTS", head=head)).app.asks[DataClass.CONTACTS].until_sdk is None


# --- Lists and rules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("match", ["package", "apk_sha256", "certificate"])
def test_list_matches_package_hash_and_certificate(vet_bytes, tmp_path, loan_apk, match):
    app = vet_bytes(loan_apk).app
    row = {
        "package": f'package = "{app.package}"',
        "apk_sha256": f'sha256 = ["{app.apk_sha256}"]',
        "certificate": f'certificates = ["{app.certificates_sha256[0]}"]',
    }[match]
    own_list = tmp_path / "own.toml"
    own_list.write_text(f'[source]\npublisher = "me"\ntitle = "mine"\n[[app]]\n{row}\n', "utf-8")
    context = vetting.load_vetting_context(extra=[own_list])
    document = vet_bytes(loan_apk, context=context)
    assert [(listing.tier, listing.match) for listing in document.app.listed] == [("own", match)]
    assert document.verdict == "found"
    assert not vet_bytes(load_apks()["android-23.apk"], context=context).app.listed


def test_published_lists_match_their_packages(vet_bytes, build_apk, context):
    rows = (
        row for part in context.knowledge.lists if part.kind == "risky" and not part.is_user_list for row in part.rows
    )
    package = next(row.package for row in rows if row.package)
    document = vet_bytes(build_apk("READ_CONTACTS", label="Notes", package=package))
    assert document.app.listed == context.knowledge.find_matches("package", package) != ()
    assert {finding.rule for finding in document.findings} == {"listed", "lender_asks"}
    assert not vet_bytes(build_apk("READ_CONTACTS", label="Notes")).app.listed


def test_lending_app_has_the_rules_of_the_country_and_of_stores(vet_bytes, loan_apk):
    def matches(country, valid_on):
        context = vetting.load_vetting_context(country=country, valid_on=valid_on)
        return vet_bytes(loan_apk, context=context).app.rules

    in_force = date(2026, 2, 1)
    ids = {country: {match.id for match in matches(country, in_force)} for country in (None, "CN", "IN")}
    assert {rule_id.partition("-")[0] for rule_id in ids[None]} == {"GPLAY"}
    assert {rule_id.partition("-")[0] for rule_id in ids["CN"]} == {"GPLAY", "CN"}
    assert "IN-RBI-DLD-2025" in ids["IN"]
    assert {match.match for match in matches("CN", in_force)} == {"requested"}  # an app in a file holds no permission
    # Not yet in force on that day.
    assert "IN-RBI-DLD-2025" not in {match.id for match in matches("IN", date(2024, 1, 1))}


def test_other_apps_have_no_rules(vet_bytes):
    document = vet_bytes(load_apks()[CHAT_APK], context=vetting.load_vetting_context(country="CN"))
    assert document.app.lending.verdict == "no"
    assert states(document)["contacts"] == "may_ask"
    assert document.app.rules == document.findings == ()


# --- SDKs -------------------------------------------------------------------------------------------------------------


def test_sdks_are_detected_by_class_names(vet_bytes, loan_apk):
    content = with_entries(
        loan_apk,
        {
            "classes.dex": dex(["com.example.Main", "com.bqs.risk.df.android.BqsDF"]),
            "classes2.dex": dex(["com.example.More"], ["credoapp.CredoAppService"]),
        },
    )
    sdks = {sdk.vendor: sdk for sdk in vet_bytes(content).app.sdks}
    assert set(sdks) == {"白骑士 Baiqishi", "credolab"}
    (sign,) = sdks["白骑士 Baiqishi"].signs
    assert (sign.kind, sign.name, sign.entry, sign.classes) == ("class", "com.bqs.risk.df.android", "classes.dex", 1)
    (sign,) = sdks["credolab"].signs
    assert (sign.entry, sign.classes) == ("classes2.dex", 0)  # referenced, not defined
    # A sign, not proof: on its own it makes neither a lender nor a finding.
    other = with_entries(load_apks()[CHAT_APK], {"classes.dex": dex(["credoapp.A"])})
    document = vet_bytes(other)
    assert (document.app.lending.verdict, document.findings, len(document.app.sdks)) == ("no", (), 1)


def test_sdks_are_detected_by_libraries_and_components(vet_bytes, build_apk, context):
    component = next(sdk.components[0] for sdk in context.sdks if sdk.components)
    content = build_apk(body=f'<provider android:name="{component}" android:authorities="x"/>')
    (sdk,) = vet_bytes(content).app.sdks
    assert {(sign.kind, sign.name) for sign in sdk.signs} == {("component", component)}
    library = next(sdk.libraries[0] for sdk in context.sdks if sdk.libraries)
    document = vet_bytes(with_entries(content, {f"lib/arm64-v8a/{library}": b"\x7fELF"}))
    signs = [sign for sdk in document.app.sdks for sign in sdk.signs if sign.kind == "library"]
    assert {(sign.name, sign.entry) for sign in signs} == {(library, f"lib/arm64-v8a/{library}")}


def test_every_known_class_prefix_is_detected(vet_bytes, loan_apk, context):
    classes = [f"{prefix}.Something" for prefix in context.class_prefixes]
    sdks = vet_bytes(with_entries(loan_apk, {"classes.dex": dex(classes)})).app.sdks
    detected = {(sdk.vendor, sdk.names): {sign.name for sign in sdk.signs} for sdk in sdks}
    assert detected == {(sdk.vendor, sdk.names): set(sdk.classes) for sdk in context.sdks if sdk.classes}


def test_unreadable_entry_is_a_gap(vet_bytes, loan_apk):
    assert vet_bytes(loan_apk).complete
    document = vet_bytes(with_entries(loan_apk, {"classes.dex": b"no dex"}))
    assert (document.complete, gap_reasons(document)) == (False, {"classes.dex": "entry_damaged"})


@pytest.mark.parametrize("target", [22, 34])
def test_wallet_with_embedded_lending_is_not_called_a_lender(vet_bytes, build_apk, context, target):
    packages = (row.package for part in context.knowledge.lists for row in part.rows if row.package)
    lenders = ((package, context.knowledge.find_lender(package)) for package in packages)
    wallet = next(package for package, lender in lenders if lender and lender.status == "embeds_lending")
    document = vet_bytes(build_apk("READ_CONTACTS", target=target, package=wallet, label="Wallet"))
    assert document.app.lending.verdict == "embeds"
    text = report.vetting_to_text(document, Translator("en"))
    assert "looks like a lending app" not in text
    assert "also offers loans and may ask for contacts" in " ".join(text.split())
    assert len(document.findings) == 1


def test_permissions_that_android_adds_are_shown_as_such(vet_bytes, build_apk):
    """An app for Android 4.0 that names contacts is given the call log with them."""
    document = vet_bytes(build_apk("READ_CONTACTS", target=15))
    call_log = document.app.asks[DataClass.CALL_LOG]
    assert (call_log.state.value, call_log.ways) == ("may_ask", ("permission", "implied"))
    assert call_log.permissions == ("android.permission.READ_CALL_LOG",)
    assert "implied" not in document.app.asks[DataClass.CONTACTS].ways
    assert [permission.name for permission in document.app.permissions] == ["android.permission.READ_CONTACTS"]
    for language, told in {"en": "its manifest does not name it", "zh": "由安卓自动加上"}.items():
        assert report.vetting_to_text(document, Translator(language), 200).count(told) == 1
    assert document.findings[0].message.values["data"][-1].key == "data_access.call_log"
    assert vet_bytes(build_apk("READ_CONTACTS", target=16)).app.asks[DataClass.CALL_LOG].ways == ()


def test_a_v1_signer_that_cannot_be_read_is_a_gap(vet_bytes, loan_apk):
    rows = [Row("META-INF/OTHER.RSA", b"junk")]
    spoiled = vet_bytes(with_entries(loan_apk, rows))
    assert gap_reasons(spoiled)["signers"] == "signature_damaged"
    assert not spoiled.complete


@pytest.mark.parametrize(
    ("names", "padding", "reason"), [("A", 2 << 20, "entry_too_large"), ("ABCDEFGHIJKLMN", 0, "signatures_too_many")]
)
def test_a_v1_file_that_is_not_read_is_a_gap(vet_bytes, loan_apk, names, padding, reason):
    signature = next(row.content for row in rows_of(loan_apk) if row.name.endswith(".RSA"))
    rows = [Row(f"META-INF/{name}.RSA", signature + bytes(padding)) for name in names]
    document = vet_bytes(with_entries(loan_apk, rows))
    assert (gap_reasons(document)["signers"], document.complete) == (reason, False)
    assert document.app.certificates_sha256


def test_an_app_of_two_package_names_is_not_vetted(vet_bytes, build_apk):
    content = build_apk(head='<uses-permission android:name="king.credit.ng"/>', package="com.example.t")
    for name in ("raw", "typed"):
        raw = with_attribute(_manifest(content), "package", **{name: "king.credit.ng"})
        document = vet_bytes(pack(changed(content, MANIFEST, content=raw)))
        assert (document.app, document.gaps[0].why.key) == (None, "apk.manifest_ambiguous")
        assert not document.complete
        text = report.vetting_to_text(document, Translator("en"), 200)
        assert "gives two values for “package”" in text


@pytest.mark.parametrize("qualifier", ["mcc460", "night", "xxhdpi", "v99", "round"])
def test_a_name_for_some_phones_is_weighed(tmp_path, vet_bytes, qualifier):
    for names in ({"": "Notes", qualifier: "Fast Loan"}, {"": "Fast Loan", qualifier: "Notes"}):
        document = vet_bytes(aapt(tmp_path, manifest(""), names))
        assert {document.app.label, *document.app.launcher_labels} == {"Notes", "Fast Loan"}
        assert document.app.is_recognised
        text = report.vetting_to_text(document, Translator("en"), 200)
        assert f"A phone may also show it as “{document.app.launcher_labels[0]}”" in text


def _manifest(content):
    return next(row.content for row in rows_of(content) if row.name == MANIFEST)
