"""Should I install this: what is said of a file, against Android's own tools, lists, rules and code of other makers."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date

import jsonschema
import pytest

from privaudit import vetting
from privaudit.i18n import Translator
from privaudit.model import DataClass, OtherDataClass
from privaudit.vetting import report
from privaudit.vetting import report as apk_json
from privaudit.virtual_phone import apks
from tests.fixtures.apk_builder import badging, certificates
from tests.fixtures.dex_builder import dex
from tests.vetting.conftest import reasons, with_entries

DEMO = sorted(apks.load_apks())
SCHEMA = apk_json.vetting_schema()
SERVICE = '<service android:name=".S" android:permission="android.permission.{}"/>'


def states(document):
    return {data.value: ask.state.value for data, ask in document.app.asks.items()}


# --- who it is --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*DEMO[:: len(DEMO) // 6], "com.example.sudaibao-10402.apk"])
def test_an_app_is_who_aapt_says(vetted, tmp_path, name):
    content = apks.load_apks()[name]
    app = vetted(content).app
    said = badging(content, tmp_path)
    head = re.search(r"package: name='(.*?)' versionCode='(.*?)' versionName='(.*?)'", said)
    assert head.groups() == (app.package, str(app.version_code), app.version_name)
    assert re.search(r"targetSdkVersion:'(.*)'", said)[1] == str(app.target_sdk)
    asked = re.findall(r"^uses-permission: name='(.*?)'", said, re.MULTILINE)
    assert [one.name for one in app.permissions] == asked
    # aapt says nothing of a label for no locale in particular; privaudit keeps it under "und".
    labels = dict(re.findall(r"^application-label-(\S+?):'(.*)'$", said, re.MULTILINE))
    assert {tag: text for tag, text in app.labels.items() if tag != "und"} == {
        tag: text for tag, text in labels.items() if tag not in {"--_--", ""}
    }


def test_the_signer_is_the_one_that_apksigner_names(vetted, tmp_path, loan):
    document = vetted(loan)
    assert list(document.app.certificates_sha256) == certificates(tmp_path / "app.apk")
    assert document.app.apk_sha256 == document.file.sha256 == hashlib.sha256(loan).hexdigest()


def test_documents_are_valid_and_read_back_the_same(vetted):
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA))
    for name in DEMO[::5]:
        document = vetted(apks.load_apks()[name])
        assert document.complete, (name, document.gaps)
        line = apk_json.vetting_to_json_line(document)
        validator.validate(json.loads(line))
        assert apk_json.parse_document(json.loads(line)) == document
        assert name.startswith(document.app.package)


def test_the_same_file_and_lists_give_the_same_document(tmp_path, known, loan):
    (tmp_path / "app.apk").write_bytes(loan)
    assert vetting.vet(tmp_path / "app.apk", known) == vetting.vet(tmp_path / "app.apk", known)


def test_the_published_schema_is_the_one_of_the_document(run):
    from importlib import resources

    published = (resources.files("privaudit") / "data" / "schemas" / "privaudit-apk-1.json").read_text("utf-8")
    assert published == SCHEMA == run("schema", "--apk").out


# --- what it may ask for ----------------------------------------------------------------------------------------------


def test_each_kind_of_data_has_its_permissions(vetted, made):
    asked = [
        "READ_CONTACTS",
        "RECEIVE_SMS",
        "READ_CALL_LOG",
        "READ_PHONE_STATE",
        "ACCESS_FINE_LOCATION",
        "READ_MEDIA_IMAGES",
    ]
    document = vetted(made(*asked, "QUERY_ALL_PACKAGES"))
    assert set(states(document).values()) == {"may_ask"}
    assert document.app.asks[DataClass.SMS].ways == ("incoming",)
    assert set(document.app.asks) == {*DataClass, *OtherDataClass}
    quiet = vetted(made("INTERNET"))
    assert set(states(quiet).values()) == {"not_requested"}


def test_an_old_app_is_given_it_when_it_is_installed(vetted, made):
    document = vetted(made("READ_CONTACTS", target=22))
    assert document.app.at_install
    assert states(document)["app_list"] == "needs_nobody"
    (finding,) = document.findings
    assert finding.message.key == "vetting.lender_given"
    assert not vetted(made("READ_CONTACTS", target=23)).app.at_install


@pytest.mark.parametrize(
    ("body", "more", "data", "way"),
    [
        (SERVICE.format("BIND_ACCESSIBILITY_SERVICE"), "", "sms", "accessibility"),
        (SERVICE.format("BIND_NOTIFICATION_LISTENER_SERVICE"), "", "sms", "notification_listener"),
        ("", '<uses-permission android:name="android.permission.MANAGE_EXTERNAL_STORAGE"/>', "media", "all_files"),
    ],
)
def test_rights_beside_the_permissions_are_another_way(vetted, made, body, more, data, way):
    document = vetted(made("INTERNET", body=body, more=more))
    ask = next(ask for kind, ask in document.app.asks.items() if kind.value == data)
    assert (ask.state, way in ask.ways) == ("another_way", True)
    assert way in document.app.services


def test_a_permission_up_to_an_android_is_said_so(vetted, made):
    more = '<uses-permission android:name="android.permission.READ_CONTACTS" android:maxSdkVersion="28"/>'
    assert vetted(made(more=more)).app.asks[DataClass.CONTACTS].until_sdk == 28
    assert vetted(made("READ_CONTACTS", more=more)).app.asks[DataClass.CONTACTS].until_sdk is None


# --- lists and rules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("match", ["package", "apk_sha256", "certificate"])
def test_a_list_finds_it_by_package_hash_and_certificate(vetted, tmp_path, loan, match):
    app = vetted(loan).app
    row = {
        "package": f'package = "{app.package}"',
        "apk_sha256": f'sha256 = ["{app.apk_sha256}"]',
        "certificate": f'certificates = ["{app.certificates_sha256[0]}"]',
    }[match]
    mine = tmp_path / "mine.toml"
    mine.write_text(f'[source]\npublisher = "me"\ntitle = "mine"\n[[app]]\n{row}\n')
    document = vetted(loan, held=vetting.load_vetting_context(extra=[mine]))
    assert [(one.tier, one.match) for one in document.app.listed] == [("own", match)]
    assert document.verdict == "found"
    assert not vetted(apks.load_apks()["android-23.apk"], held=vetting.load_vetting_context(extra=[mine])).app.listed


def test_published_lists_find_what_they_list(vetted, made, known):
    rows = (row for part in known.knowledge.lists if part.kind == "risky" and not part.own for row in part.rows)
    package = next(row.package for row in rows if row.package)
    document = vetted(made("READ_CONTACTS", label="Notes", package=package))
    assert document.app.listed == known.knowledge.listings(package) != ()
    assert {one.rule for one in document.findings} == {"listed", "lender_asks"}
    assert not vetted(made("READ_CONTACTS", label="Notes")).app.listed


def test_rules_of_the_chosen_country_and_of_stores_stand_beside_a_lending_app(vetted, loan):
    in_force = date(2026, 2, 1)
    named = {
        country: {
            one.id
            for one in vetted(loan, held=vetting.load_vetting_context(country=country, valid_on=in_force)).app.rules
        }
        for country in (None, "CN", "IN")
    }
    assert {name.partition("-")[0] for name in named[None]} == {"GPLAY"}
    assert {name.partition("-")[0] for name in named["CN"]} == {"GPLAY", "CN"}
    assert "IN-RBI-DLD-2025" in named["IN"]
    app = vetted(loan, held=vetting.load_vetting_context(country="CN", valid_on=in_force)).app
    assert {one.match for one in app.rules} == {"requested"}  # what is not installed holds nothing
    # A rule that was not in force on that day says nothing.
    assert "IN-RBI-DLD-2025" not in {
        one.id
        for one in vetted(loan, held=vetting.load_vetting_context(country="IN", valid_on=date(2024, 1, 1))).app.rules
    }


def test_rules_for_lenders_do_not_stand_beside_others(vetted):
    other = vetted(apks.load_apks()["com.example.chat-2580.apk"], held=vetting.load_vetting_context(country="CN"))
    assert other.app.lending.verdict == "no"
    assert states(other)["contacts"] == "may_ask"
    assert other.app.rules == other.findings == ()


# --- code of other makers ---------------------------------------------------------------------------------------------


def test_code_of_other_makers_is_found_in_the_dex_strings(vetted, loan, known):
    content = with_entries(
        loan,
        {
            "classes.dex": dex(["com.example.Main", "com.bqs.risk.df.android.BqsDF"]),
            "classes2.dex": dex(["com.example.More"], ["credoapp.CredoAppService"]),
        },
    )
    found = {one.vendor: one for one in vetted(content).app.sdks}
    assert set(found) == {"白骑士 Baiqishi", "credolab"}
    (sign,) = found["白骑士 Baiqishi"].signs
    assert (sign.kind, sign.name, sign.entry, sign.classes) == ("class", "com.bqs.risk.df.android", "classes.dex", 1)
    (sign,) = found["credolab"].signs
    assert (sign.entry, sign.classes) == ("classes2.dex", 0)  # only spoken of
    # A sign, not proof: alone it makes no lender and no finding.
    other = with_entries(apks.load_apks()["com.example.chat-2580.apk"], {"classes.dex": dex(["credoapp.A"])})
    document = vetted(other)
    assert (document.app.lending.verdict, document.findings, len(document.app.sdks)) == ("no", (), 1)


def test_libraries_and_components_of_other_makers(vetted, made, known):
    sdk = next(one for one in known.sdks if one.components)
    component = sdk.components[0]
    content = made(body=f'<provider android:name="{component}" android:authorities="x"/>')
    (found,) = vetted(content).app.sdks
    assert {(one.kind, one.name) for one in found.signs} == {("component", component)}
    with_library = next(one for one in known.sdks if one.libraries)
    name = with_library.libraries[0]
    document = vetted(with_entries(content, {f"lib/arm64-v8a/{name}": b"\x7fELF"}))
    signs = [sign for one in document.app.sdks for sign in one.signs if sign.kind == "library"]
    assert {(sign.name, sign.entry) for sign in signs} == {(name, f"lib/arm64-v8a/{name}")}


def test_every_prefix_that_is_known_is_found(vetted, loan, known):
    content = with_entries(loan, {"classes.dex": dex([f"{prefix}.Something" for prefix in known.prefixes])})
    found = {(one.vendor, one.names): {sign.name for sign in one.signs} for one in vetted(content).app.sdks}
    assert found == {(sdk.vendor, sdk.names): set(sdk.classes) for sdk in known.sdks if sdk.classes}


def test_everything_in_the_file_was_read_or_it_says_so(vetted, loan):
    assert vetted(loan).complete
    document = vetted(with_entries(loan, {"classes.dex": b"no dex"}))
    assert (document.complete, reasons(document)) == (False, {"classes.dex": "entry_damaged"})


@pytest.mark.parametrize("target", [22, 34])
def test_a_wallet_that_also_lends_is_called_no_lender(vetted, made, known, target):
    row = next(
        row
        for part in known.knowledge.lists
        for row in part.rows
        if row.package and (lender := known.knowledge.lender(row.package)) and lender.embeds
    )
    document = vetted(made("READ_CONTACTS", target=target, package=row.package, label="Wallet"))
    assert document.app.lending.verdict == "embeds"
    text = report.vetting_to_text(document, Translator("en"))
    assert "looks like a lending app" not in text
    assert "that also offers loans, and it may ask for contacts" in " ".join(text.split())
    assert len(document.findings) == 1
