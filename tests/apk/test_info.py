"""What APKs say of themselves: names against aapt, certificates against apksigner, and whatever somebody made up."""

from __future__ import annotations

import contextlib
import itertools
import re
import struct
import tracemalloc
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privaudit.apk import info
from privaudit.apk import manifest as apk_manifest
from privaudit.apk import signing as apk_certificates
from privaudit.apk.axml import Attributes
from privaudit.apk.labels import UNDETERMINED_LANGUAGE
from privaudit.apk.parts import (
    ARSC,
    MANIFEST,
    SIGNING_BLOCK,
    ApkError,
    ApkPart,
    ApkParts,
    apk_message,
    dump_apk_parts,
    load_apk_parts,
)
from privaudit.apk.signing import Signer, SigningInfo
from privaudit.capture import remote_apks
from privaudit.capture.remote_apks import ApkRequest
from privaudit.facts import apk_facts
from privaudit.model import AnswerState, RequestedState
from privaudit.virtual_phone import load_scenario, scenario_names
from privaudit.virtual_phone.programs import apk_entry_name, load_apks
from tests.capture.test_remote_apks import Shell
from tests.fixtures import arsc_builder
from tests.fixtures.apk_builder import (
    MAIN,
    aapt,
    apksigner,
    badging,
    certificates,
    changed,
    key,
    manifest,
    pack,
    pool_strings,
    sign,
    with_attribute,
)

PATH = "/data/app/x/base.apk"
ALIAS = 'android:name=".B" android:targetActivity=".A"'
NAMES = {
    "": "Easy Loan 😀",
    "zh-rCN": "速贷宝",
    "zh-rTW": "速貸寶",
    "hi": "आसान ऋण",
    "in": "Pinjaman",
    "es": "Préstamo",
}


def trimmed(apk):
    """`apk` with a resource table that holds only what its labels need, as a capture keeps it."""
    return info.trim_and_read_apk(apk, (), None)[0]


def parts_of(content, package="com.example.t"):
    wanted = ApkRequest(package=package, path=PATH, with_certificates=True)
    return next(remote_apks.read_apks(Shell({PATH: content}), [wanted]))


def read(content, languages=("zh-CN",), sdk=34, package="com.example.t", **more):
    whole = parts_of(content, package)
    said = info.read_installed_apk(whole, languages, sdk, **more)
    # What a saved capture holds says the same, whatever the language.
    saved = load_apk_parts(package, dump_apk_parts(trimmed(whole)))
    assert replace(info.read_installed_apk(saved, languages, sdk, **more), signing=None) == replace(said, signing=None)
    return said


def reason(message):
    return None if message is None else message.key.removeprefix("apk.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("apk")


@pytest.fixture(scope="module")
def loan(folder):
    return aapt(folder, manifest(f'<activity android:name=".Main">{MAIN}</activity>'), NAMES)


@pytest.fixture(scope="module")
def signer(folder):
    return key(folder, "first")


def labels_by_aapt(content, folder):
    """Locale → application label."""
    return {
        tag or UNDETERMINED_LANGUAGE: text.replace(r"\'", "'")
        for tag, text in re.findall(r"^application-label(?:-([\w-]+))?:'(.*)'$", badging(content, folder), re.MULTILINE)
    }


class TestNames:
    def test_labels_agree_with_aapt(self, loan, folder):
        expected = labels_by_aapt(loan, folder)
        assert len(expected) == len(NAMES)
        found = read(loan, [tag for tag in expected if tag != UNDETERMINED_LANGUAGE])
        assert found.labels == expected

    def test_labels_of_demo_apps_agree_with_aapt(self, folder):
        apps = {apk_entry_name(app): app for story in scenario_names() for app in load_scenario(story).apps}
        for name, app in apps.items():
            content = load_apks()[name]
            expected = labels_by_aapt(content, folder)
            if expected.get("und"):
                # What a phone in Chinese shows where an app has no Chinese name; aapt lists only what is there.
                expected.setdefault("zh-CN", expected["und"])
            found = read(content, ["zh-CN"], package=app.package)
            asked_for = {tag: text for tag, text in expected.items() if text and tag in {"und", "en", "zh", "zh-CN"}}
            assert found.labels == asked_for
            assert found.label == (app.labels.get("zh-CN") or app.labels.get("en"))
            assert found.version_code == app.version_code
            assert found.target_sdk == app.target_sdk
            assert [one.permission for one in found.uses_permissions or ()] == list(app.requested_permissions)

    @pytest.mark.parametrize(
        ("languages", "label"),
        [
            (["zh-CN", "en-US"], "速贷宝"),
            (["zh-Hans-CN"], "速贷宝"),
            (["zh-SG"], "速贷宝"),
            (["zh-TW"], "速貸寶"),
            (["zh-Hant-HK"], "速貸寶"),
            (["hi-IN"], "आसान ऋण"),
            (["id-ID"], "Pinjaman"),
            (["es-MX", "en-US"], "Préstamo"),
            (["de-DE", "zh-CN"], "速贷宝"),
            (["en-GB", "zh-CN"], "Easy Loan 😀"),
            (["de-DE"], "Easy Loan 😀"),
            ([], "Easy Loan 😀"),
        ],
    )
    def test_labels_in_the_phones_language(self, loan, languages, label):
        assert read(loan, languages).label == label

    def test_android_6_matches_the_region(self, loan):
        assert read(loan, ["zh-SG"], sdk=23).label == "Easy Loan 😀"
        assert read(loan, ["zh-CN"], sdk=23).label == "速贷宝"

    def test_a_label_in_the_manifest_itself(self, folder):
        content = aapt(folder / "", manifest("", label="Plain"), {"": {"n": "other"}})
        assert read(content, ["zh-CN"]).labels == {UNDETERMINED_LANGUAGE: "Plain"}

    def test_references_are_followed(self, tmp_path):
        strings = {"": {"n": "@string/second", "second": "There"}, "zh-rCN": {"second": "那里"}}
        content = aapt(tmp_path, manifest(""), strings)
        found = read(content, ["zh-CN"])
        assert (found.label, found.labels) == ("那里", {"zh-CN": "那里", UNDETERMINED_LANGUAGE: "There"})

    def test_a_framework_resource_is_not_guessed(self, tmp_path):
        found = read(aapt(tmp_path, manifest("", label="@android:string/ok"), {"": "x"}))
        assert (found.label, reason(found.label_problem)) == (None, "resources_elsewhere")

    def test_an_app_without_a_label(self, tmp_path):
        source = manifest("").replace(' android:label="@string/n"', "")
        assert reason(read(aapt(tmp_path, source, {})).label_problem) == "no_label"

    def test_configurations_of_newer_versions_need_that_version(self, tmp_path):
        content = aapt(
            tmp_path, manifest(""), {"": "old", "v31": "new", "land": "wide", "night": "dark", "mcc460": "sim"}
        )
        assert read(content, [], sdk=34).label == "new"
        assert read(content, [], sdk=30).label == "old"


QUALIFIERS = [
    *("port", "land", "sw320dp", "w320dp", "h400dp", "normal", "notlong", "mcc460", "mcc460-mnc00", "xxhdpi", "night"),
    *(
        "notnight",
        "finger",
        "nokeys",
        "nonav",
        "v21",
        "v99",
        "ldltr",
        "round",
        "lowdr",
        "nowidecg",
        "car",
        "zh-rCN-port",
    ),
]


class TestOtherNames:
    """Names that the phone in hand does not show now, and may show."""

    @pytest.mark.parametrize("qualifier", QUALIFIERS)
    def test_a_name_for_any_configuration_is_kept(self, tmp_path, qualifier):
        content = aapt(tmp_path, manifest(""), {"": "Notes", qualifier: "Loan"})
        found = read(content)
        assert "Loan" in {found.label, *found.launcher_labels}
        turned = read(aapt(tmp_path, manifest(""), {"": "Loan", qualifier: "Notes"}))
        assert "Loan" in {turned.label, *turned.labels.values(), *turned.launcher_labels}
        plain = read(aapt(tmp_path, manifest(""), {"": "Notes", qualifier: "Notes"}))
        assert plain.launcher_labels == ()

    @pytest.mark.parametrize("qualifiers", [("mcc460", "mcc460-fr"), ("night", "fr-night"), ("sw720dp", "fr-sw720dp")])
    def test_the_displayed_name_stays(self, tmp_path, qualifiers):
        names = {"": {"n": "@string/o", "o": "Notes"}, qualifiers[0]: {"o": "Loan"}, qualifiers[1]: {"o": "Prêt"}}
        found = read(aapt(tmp_path, manifest(""), names))
        assert (found.label, found.labels["und"], found.launcher_labels) == ("Notes", "Notes", ("Loan",))

    def test_an_icon_that_is_off_counts(self, tmp_path):
        """The app can switch it on when it is installed (``setComponentEnabledSetting``)."""
        alias = f'<activity-alias {ALIAS} android:label="@string/icon" android:enabled="false">{MAIN}</activity-alias>'
        body = f'<activity android:name=".A">{MAIN}</activity>{alias}'
        found = read(aapt(tmp_path, manifest(body), {"": {"n": "Notes", "icon": "Loan"}}))
        assert (found.label, found.launcher_labels, found.launcher_icon) == ("Notes", ("Loan",), True)

    def test_more_names_than_any_app_has_are_a_problem(self, tmp_path):
        names = {f"mcc{number}": f"name {number}" for number in range(100, 320)}
        found = read(aapt(tmp_path, manifest(""), {"": "Notes", **names}))
        assert (found.label, reason(found.label_problem)) == (None, "resources_damaged")


class TestManifest:
    def test_permissions(self, tmp_path):
        head = "".join(
            f"<{tag} android:name='android.permission.{name}' {more}/>"
            for tag, name, more in [
                ("uses-permission", "READ_CONTACTS", ""),
                ("uses-permission", "READ_SMS", "android:maxSdkVersion='28'"),
                ("uses-permission-sdk-23", "READ_CALL_LOG", ""),
                ("permission", "OWN", ""),
            ]
        )
        found = read(aapt(tmp_path, manifest("", head=head), {"": "x"}))
        says = {
            (name, sdk): found.request_state(f"android.permission.{name}", sdk)
            for name, sdk in itertools.product(("READ_CONTACTS", "READ_SMS", "READ_CALL_LOG", "OWN"), (28, 34))
        }
        no = {("READ_SMS", 34), ("OWN", 28), ("OWN", 34)}
        assert {key for key, value in says.items() if value is RequestedState.NO} == no
        assert {value for key, value in says.items() if key not in no} == {RequestedState.YES}

    @pytest.mark.parametrize(
        ("body", "icon"),
        [
            (f'<activity android:name=".A">{MAIN}</activity>', True),
            (f'<activity android:name=".A" android:enabled="false">{MAIN}</activity>', False),
            ('<activity android:name=".A"><intent-filter/></activity>', False),
            ("", False),
            (
                f'<activity android:name=".A"/><activity-alias {ALIAS}>{MAIN}</activity-alias>',
                True,
            ),
            (
                f'<activity android:name=".A"/><activity-alias {ALIAS} android:enabled="false">{MAIN}</activity-alias>',
                False,
            ),
            (MAIN.join(['<service android:name=".A">', "</service>"]), False),
        ],
    )
    def test_launcher_icon(self, tmp_path, body, icon):
        assert read(aapt(tmp_path, manifest(body), {"": "x"})).launcher_icon is icon

    def test_a_launcher_label_that_differs(self, tmp_path):
        body = f'<activity android:name=".A" android:label="@string/icon">{MAIN}</activity>'
        content = aapt(tmp_path, manifest(body), {"": {"n": "System", "icon": "Loan"}, "zh-rCN": {"icon": "快贷"}})
        found = read(content)
        assert (found.label, found.launcher_labels) == ("System", ("快贷",))

    def test_the_file_must_be_of_the_running_app(self, loan):
        assert read(loan, version_code=7).problem is None
        assert reason(read(loan, version_code=8).problem) == "version_differs"
        other = read(loan, package="com.example.bank")
        assert (reason(other.problem), other.label, other.uses_permissions) == ("package_differs", None, None)
        assert other.request_state("android.permission.READ_SMS", 34) is RequestedState.UNKNOWN


HEAD = '<uses-permission android:name="com.example.victim"/>'
"""Puts a second valid package name into the string pool."""


class TestIdentity:
    """Android reads ``package`` and ``split`` as raw strings (``XmlBlock.getAttributeValue``)."""

    @pytest.fixture
    def app(self, tmp_path):
        return aapt(tmp_path, manifest("", head=HEAD), {"": "x"})

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({}, None),
            ({"typed": "com.example.victim"}, "manifest_ambiguous"),
            ({"raw": "com.example.victim"}, "manifest_ambiguous"),
            ({"raw": None}, "manifest_invalid"),
            ({"kind": 0x10}, "manifest_ambiguous"),
            ({"raw": "com.example.victim", "typed": "com.example.victim"}, "package_differs"),
        ],
    )
    def test_two_values_for_the_package_name_are_refused(self, app, change, expected):
        raw = parts_of(app).parts[MANIFEST].to_bytes()
        found = read(pack(changed(app, MANIFEST, content=with_attribute(raw, "package", **change))))
        assert reason(found.problem) == expected
        assert (found.label, found.uses_permissions is None) == (None, True) if expected else ("x", False)

    def test_a_package_attribute_with_a_resource_id_is_still_found_by_its_name(self, app):
        raw = parts_of(app).parts[MANIFEST].to_bytes()
        at = next(at for at, kind in _chunks(raw) if kind == 0x0180)
        size = struct.unpack_from("<I", raw, at + 4)[0]
        more = pool_strings(raw).index("package") + 1 - (size - 8) // 4
        ids = struct.pack(f"<{more}I", *[0x01010003] * more)
        raw = raw[: at + 4] + struct.pack("<I", size + len(ids)) + raw[at + 8 : at + size] + ids + raw[at + size :]
        raw = struct.pack("<HHI", 3, 8, len(raw)) + raw[8:]
        assert apk_manifest.parse_manifest(raw).package == "com.example.t"
        with pytest.raises(ApkError, match="manifest_ambiguous"):
            apk_manifest.parse_manifest(with_attribute(raw, "package", raw="com.example.victim"))

    @pytest.mark.parametrize("name", ["com/example.t", "comXexampleXt", "1om.example.t", "com._xample.t"])
    def test_a_package_name_that_android_refuses(self, app, name):
        raw = parts_of(app).parts[MANIFEST].to_bytes().replace(*_encoded("com.example.t", name))
        with pytest.raises(ApkError, match="manifest_invalid"):
            apk_manifest.parse_manifest(raw)

    def test_the_name_of_a_split(self, tmp_path):
        source = manifest("", head=HEAD).replace('package="', 'split="config.zh" package="')
        raw = parts_of(aapt(tmp_path, source, {"": "x"})).parts[MANIFEST].to_bytes()
        assert apk_manifest.parse_manifest(raw).split_name == "config.zh"
        for change in ({"typed": "com.example.victim"}, {"raw": "com.example.victim"}, {"raw": None}):
            with pytest.raises(ApkError, match="manifest"):
                apk_manifest.parse_manifest(with_attribute(raw, "split", **change))


class TestImpliedPermissions:
    """``split-permission`` of AOSP's ``platform.xml``, and what apps for Android 1.5 and older are given."""

    @pytest.mark.parametrize(
        ("target", "requested", "implied"),
        [
            (15, ["READ_CONTACTS"], {"READ_CALL_LOG"}),
            (16, ["READ_CONTACTS"], set()),
            (15, ["WRITE_CONTACTS"], {"WRITE_CALL_LOG"}),
            (30, ["WRITE_EXTERNAL_STORAGE"], {"READ_EXTERNAL_STORAGE"}),
            (3, ["INTERNET"], {"WRITE_EXTERNAL_STORAGE", "READ_EXTERNAL_STORAGE", "READ_PHONE_STATE"}),
            (4, ["INTERNET"], set()),
            (15, ["READ_CONTACTS", "READ_CALL_LOG"], set()),
        ],
    )
    def test_old_targets_imply_permissions(self, tmp_path, target, requested, implied):
        found = read(aapt(tmp_path, _old_app(target, *requested), {"": "x"}))
        added = {use.permission.removeprefix("android.permission.") for use in found.uses_permissions if use.implied}
        assert added == implied
        for name in implied:
            assert found.request_state(f"android.permission.{name}", 34) is RequestedState.YES

    def test_a_limit_that_android_ignores_hides_no_permission(self, tmp_path):
        head = "".join(
            f"<uses-permission android:name='android.permission.{name}' android:maxSdkVersion='{limit}'/>"
            for name, limit in (("READ_CONTACTS", 0), ("READ_SMS", 18))
        )
        apk = aapt(tmp_path, manifest("", head=head), {"": "x"})
        found = read(apk)
        assert found.request_state("android.permission.READ_CONTACTS", 34) is RequestedState.YES
        assert found.request_state("android.permission.READ_SMS", 34) is RequestedState.NO

    def test_only_an_integer_limits_a_permission(self):
        """A manifest made by hand may give the limit as a string, which Android ignores."""
        key, string, decimal = 0x01010271, 0x03, 0x10
        values = {kind: Attributes({key: (kind, 18, "18")}) for kind in (string, decimal)}
        assert values[decimal].typed_integer(key) == 18
        assert values[string].typed_integer(key) is None

    def test_an_implied_permission_ends_with_the_one_that_implies_it(self, tmp_path):
        source = _old_app(15, "READ_CONTACTS").replace('CONTACTS"', 'CONTACTS" android:maxSdkVersion="28"')
        found = read(aapt(tmp_path, source, {"": "x"}))
        states = [found.request_state("android.permission.READ_CALL_LOG", sdk) for sdk in (28, 29)]
        assert states == [RequestedState.YES, RequestedState.NO]


class TestCertificates:
    @pytest.mark.parametrize(
        ("options", "schemes", "verified"),
        [
            (
                ["--v1-signing-enabled", "true", "--v2-signing-enabled", "false", "--v3-signing-enabled", "false"],
                {"v1"},
                ["--max-sdk-version", "29"],
            ),
            (
                ["--v1-signing-enabled", "false", "--v2-signing-enabled", "true", "--v3-signing-enabled", "false"],
                {"v2"},
                ["--min-sdk-version", "24"],
            ),
            ([], {"v1", "v2", "v3"}, []),
        ],
    )
    def test_signers_agree_with_apksigner(self, loan, tmp_path, signer, options, schemes, verified):
        signed = sign(tmp_path, loan, signer, *options)
        found = read(signed)
        expected = certificates(tmp_path / "out.apk", *verified)
        assert set(found.signing.schemes) == schemes
        assert [[one.certificate_sha256 for one in signers] for signers in found.signing.schemes.values()] == [
            expected
        ] * len(schemes)
        assert found.signing_problem is None

    def test_two_signers(self, loan, tmp_path, signer):
        second = key(tmp_path, "second")
        (tmp_path / "in.apk").write_bytes(loan)
        arguments = ["--key", signer[0], "--cert", signer[1], "--next-signer", "--key", second[0], "--cert", second[1]]
        one_file = ["--v3-signing-enabled", "false", "--out", tmp_path / "o.apk", tmp_path / "in.apk"]
        apksigner("sign", *arguments, *one_file)
        found = read((tmp_path / "o.apk").read_bytes()).signing
        expected = set(certificates(tmp_path / "o.apk"))
        assert len(expected) == 2
        assert {one.certificate_sha256 for one in found.schemes["v2"]} == expected
        assert {one.certificate_sha256 for one in found.schemes["v1"]} == expected

    def test_rotation(self, loan, tmp_path, signer):
        second = key(tmp_path, "second")
        lineage = tmp_path / "lineage"
        arguments = ["--old-signer", "--key", signer[0], "--cert", signer[1], "--new-signer", "--key", second[0]]
        apksigner("rotate", "--out", lineage, *arguments, "--cert", second[1])
        more = ["--next-signer", "--key", second[0], "--cert", second[1], "--lineage", lineage]
        signed = sign(tmp_path, loan, signer, *map(str, more))
        found = read(signed).signing
        old = certificates(tmp_path / "out.apk", "--min-sdk-version", "24", "--max-sdk-version", "27")
        new = certificates(tmp_path / "out.apk", "--min-sdk-version", "28")
        assert [one.certificate_sha256 for one in found.active_signers(27)] == old
        assert [one.certificate_sha256 for one in found.active_signers(34)] == new
        assert found.active_signers(34)[0].certificate_history == (*old, *new)
        assert old != new
        # v3.1 is v3 under another number, for newer phones; this apksigner cannot make it.
        block = parts_of(signed).parts[SIGNING_BLOCK].to_bytes()
        newer = block.replace(struct.pack("<I", 0xF05368C0), struct.pack("<I", 0x1B93AD61))
        later = apk_certificates.parse_signing_info({SIGNING_BLOCK: ApkPart.from_bytes(newer)})
        assert [one.certificate_sha256 for one in later.active_signers(33)] == new
        assert [one.certificate_sha256 for one in later.active_signers(32)] == old

    def test_signers_of_demo_apps_agree_with_apksigner(self, tmp_path):
        for package in ("com.example.sudaibao", "com.android.contacts"):
            app = load_scenario("borrower").find_app(package)
            content = load_apks()[apk_entry_name(app)]
            (tmp_path / "a.apk").write_bytes(content)
            found = read(content, package=package).signing.active_signers(34)
            assert [one.certificate_sha256 for one in found] == certificates(tmp_path / "a.apk")

    def test_active_signers_depend_on_the_sdk(self):
        one, two, three = (Signer(certificate_sha256=name) for name in "abc")
        signing = SigningInfo(schemes={"v1": (one,), "v2": (two,), "v3": (replace(three, min_sdk=30, max_sdk=99),)})
        assert [signing.active_signers(sdk)[0].certificate_sha256 for sdk in (23, 24, 28, 30, None)] == [
            "a",
            "b",
            "b",
            "c",
            "c",
        ]
        assert SigningInfo(schemes={"v3": (three,)}).active_signers(23) == ()

    def test_an_apk_without_signatures(self, loan):
        found = read(loan)
        assert (found.signing, found.signing_problem) == (None, None)
        with pytest.raises(Exception, match="no_certificate"):
            apk_certificates.parse_signing_info({})

    @given(st.data())
    def test_any_byte_of_a_block_may_be_wrong(self, data):
        app = load_scenario("borrower").find_app("com.example.sudaibao")
        block = bytearray(parts_of(load_apks()[apk_entry_name(app)], app.package).parts[SIGNING_BLOCK].to_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(ApkError):
            apk_certificates.parse_signing_info(
                {SIGNING_BLOCK: ApkPart.from_bytes(bytes(block[: data.draw(st.integers(0, len(block)))]))}
            )

    @pytest.mark.parametrize("issuer", ["first", "FIRST", " first  "])
    def test_issuers_in_other_string_types_match(self, loan, tmp_path, signer, issuer):
        """RFC 5280 section 7.1: neither the string type, nor case, nor blanks count."""
        from asn1crypto import cms, x509

        whole = parts_of(sign(tmp_path, loan, signer, "--v2-signing-enabled", "false", "--v3-signing-enabled", "false"))
        name = next(name for name in whole.parts if name.startswith("META-INF/"))
        signature = cms.ContentInfo.load(whole.parts[name].to_bytes())
        identifier = signature["content"]["signer_infos"][0]["sid"].chosen
        assert b"\x0c\x05first" in identifier["issuer"].dump()
        identifier["issuer"] = x509.Name.build({"common_name": issuer}, use_printable=True)
        changed = replace(whole, parts={**whole.parts, name: ApkPart.from_bytes(signature.dump(force=True))})
        found = info.read_installed_apk(changed, ["zh-CN"], 23)
        assert found.signing_problem is None
        expected = certificates(tmp_path / "out.apk", "--max-sdk-version", "29")
        assert [one.certificate_sha256 for one in found.signing.active_signers(23)] == expected

    @pytest.mark.parametrize("junk", [b"", b"junk", b"0\x80"])
    def test_a_v1_file_that_cannot_be_read_leaves_the_other_schemes(self, loan, tmp_path, signer, junk):
        whole = parts_of(sign(tmp_path, loan, signer))
        name = next(name for name in whole.parts if name.startswith("META-INF/"))
        for parts in ({name: ApkPart.from_bytes(junk)}, {"META-INF/X.EC": ApkPart.from_bytes(junk)}):
            found = info.read_installed_apk(replace(whole, parts={**whole.parts, **parts}), ["zh-CN"], 34)
            assert [one.certificate_sha256 for one in found.signing.active_signers(34)] == certificates(
                tmp_path / "out.apk"
            )
            assert reason(found.signing_problem) == "signature_damaged"

    def test_more_signers_than_are_read_are_said(self, loan, tmp_path, signer):
        """What stays unread may be the signer on a list: a gap where the phone goes by v1, and only there."""
        from asn1crypto import cms

        whole = parts_of(sign(tmp_path, loan, signer))
        name = next(name for name in whole.parts if name.startswith("META-INF/"))
        signature = cms.ContentInfo.load(whole.parts[name].to_bytes())
        first = signature["content"]["signer_infos"][0]
        for count, expected in ((100, None), (101, "signers_too_many"), (300, "signers_too_many")):
            signature["content"]["signer_infos"] = cms.SignerInfos([first] * count)
            many = {**whole.parts, name: ApkPart.from_bytes(signature.dump(force=True))}
            found = info.read_installed_apk(replace(whole, parts=many), ["zh-CN"], 34)
            assert reason(found.signing_problem) == expected
            assert len(found.signing.schemes["v1"]) == 100
            for sdk, is_gap in ((23, expected is not None), (34, False)):
                assert apk_facts._may_lack_signers(found, sdk) is is_gap

    def test_a_v1_file_that_is_the_only_one_and_cannot_be_unpacked_is_a_problem(self, loan, tmp_path, signer):
        signed = sign(tmp_path, loan, signer, "--v2-signing-enabled", "false", "--v3-signing-enabled", "false")
        name = next(name for name in parts_of(signed).parts if name.startswith("META-INF/"))
        found = read(pack(changed(signed, name, size=5)))
        assert (found.signing, reason(found.signing_problem)) == (None, "entry_damaged")

    def test_a_v1_file_of_an_unknown_method_is_inflated(self, loan, tmp_path, signer):
        """As Java's ``StrictJarFile`` does: everything that is not stored."""
        signed = sign(tmp_path, loan, signer, "--v2-signing-enabled", "false", "--v3-signing-enabled", "false")
        name = next(name for name in parts_of(signed).parts if name.startswith("META-INF/"))
        odd = pack(changed(signed, name))
        at = odd.rindex(name.encode()) - 46
        odd = odd[: at + 10] + struct.pack("<H", 21) + odd[at + 12 :]
        assert read(odd).signing == read(signed).signing

    @given(st.binary(max_size=200))
    def test_a_signature_file_of_arbitrary_bytes(self, raw):
        with pytest.raises(ApkError):
            apk_certificates.parse_signing_info({"META-INF/A.RSA": ApkPart.from_bytes(raw)})


class TestHostile:
    """Nothing raises, nothing takes long or much, and no name is made up."""

    @given(st.data())
    def test_any_byte_of_a_manifest_may_be_wrong(self, data):
        raw = bytearray(_whole().parts[MANIFEST].to_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.sampled_from([0, 1, 2, 3, 127, 128, 254, 255]))
        found = _read_with(MANIFEST, bytes(raw[: data.draw(st.integers(0, len(raw)))]))
        assert found.label is None or not re.match(r"@?7[fF]\d+", found.label)

    @given(st.data())
    def test_any_byte_of_a_table_may_be_wrong(self, data):
        raw = bytearray(_whole().parts[ARSC].to_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.sampled_from([0, 1, 2, 3, 127, 128, 254, 255]))
        found = _read_with(ARSC, bytes(raw[: data.draw(st.integers(0, len(raw)))]))
        assert found.problem is None
        assert (found.label is None) is (found.label_problem is not None)

    @given(st.binary(max_size=400), st.sampled_from([MANIFEST, ARSC]))
    def test_arbitrary_bytes(self, raw, part):
        assert _read_with(part, raw).label is None

    def test_chunks_of_no_size(self):
        pool = struct.pack("<HHI5I", 1, 28, 28, 0, 0, 0, 28, 0)
        for kind, size in itertools.product(
            (0x0100, 0x0101, 0x0102, 0x0104, 0x0180, 0xFFFF), (0, 1, 7, 8, 16, 0xFFFFFFFF)
        ):
            body = pool + struct.pack("<HHI", kind, 16, size) * 50
            raw = struct.pack("<HHI", 3, 8, 8 + len(body)) + body
            assert reason(_read_with(MANIFEST, raw).problem) == "manifest_damaged"

    def test_a_string_pool_that_claims_four_billion_strings(self):
        tracemalloc.start()
        for part, kind, head in ((MANIFEST, 3, 8), (ARSC, 2, 12)):
            pool = struct.pack("<HHI5I", 1, 28, 4028, 0xFFFFFFFF, 0xFFFFFFFF, 0x100, 28, 0) + bytes(4000)
            raw = struct.pack("<HHI", kind, head, head + len(pool)) + b"\1\0\0\0"[: head - 8] + pool
            assert _read_with(part, raw).label is None
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
        tracemalloc.stop()

    def test_elements_with_65535_missing_attributes(self):
        pool = struct.pack("<HHI5II", 1, 28, 36, 1, 0, 0x100, 32, 0, 0) + b"\0\0\0\0"
        tag = struct.pack("<HHIIIIIHHHHHH", 0x0102, 16, 36, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0, 20, 20, 0xFFFF, 0, 0, 0)
        body = pool + tag * 50_000
        raw = struct.pack("<HHI", 3, 8, 8 + len(body)) + body
        assert reason(_read_with(MANIFEST, raw).problem) in {"manifest_damaged", "manifest_too_large"}

    @pytest.mark.parametrize(
        "chunk",
        [
            struct.pack("<HHII", 0x0104, 16, 28, 1) + struct.pack("<IIHBBI", 0xFFFFFFFF, 0, 8, 0, 0, 0),
            struct.pack("<HHI", 0x0105, 16, 24) + bytes(16),
            struct.pack("<HHI", 0x7777, 8, 16) + b"jumbled!",
            struct.pack("<HHI", 0x0180, 8, 8),
        ],
        ids=["CDATA", "unknown node", "unknown chunk", "a second map"],
    )
    def test_chunks_that_android_skips(self, chunk):
        raw = _whole().parts[MANIFEST].to_bytes()
        for at, kind in _chunks(raw):
            if kind != 0x0001:
                assert _read_with(MANIFEST, _with(raw, at, chunk)).label == "速贷宝"
                break
        assert _read_with(MANIFEST, _with(raw, _last_tag(raw), chunk)).label == "速贷宝"

    @pytest.mark.parametrize(
        "behind",
        [struct.pack("<HHIII", 0x0101, 16, 0, 1, 0xFFFFFFFF), b"", b"\xff" * 99, struct.pack("<HHI", 0x0101, 16, 0)],
        ids=["a namespace of no size", "nothing", "junk", "a cut namespace"],
    )
    def test_data_after_the_root_element_is_ignored(self, behind):
        raw = _whole().parts[MANIFEST].to_bytes()
        end = [at for at, kind in _chunks(raw) if kind == 0x0103][-1] + 24
        raw = raw[:end] + behind
        assert _read_with(MANIFEST, struct.pack("<HHI", 3, 8, len(raw)) + raw[8:]).label == "速贷宝"
        assert _read_with(MANIFEST, struct.pack("<HHI", 0x1234, 8, len(raw)) + raw[8:]).label == "速贷宝"

    def test_an_attribute_without_its_resource_id(self, tmp_path):
        """The label without its resource id is none for Android."""
        content = aapt(tmp_path, manifest(""), {"": "True name"})
        raw = parts_of(content).parts[MANIFEST].to_bytes()
        at = next(at for at, kind in _chunks(raw) if kind == 0x0180)
        broken = raw.replace(struct.pack("<I", 0x01010001), struct.pack("<I", 0), 1)
        assert raw.index(struct.pack("<I", 0x01010001)) > at
        assert reason(read(pack(changed(content, MANIFEST, content=broken))).label_problem) == "no_label"

    def test_very_many_namespaces(self):
        raw = _whole().parts[MANIFEST].to_bytes()
        many = b"".join(struct.pack("<HHIIIII", 0x0100, 16, 24, 1, 0xFFFFFFFF, n, n) for n in range(60_000))
        assert reason(_read_with(MANIFEST, _with(raw, _last_tag(raw), many)).problem) == "manifest_too_large"

    def test_very_many_elements(self):
        raw = _whole().parts[MANIFEST].to_bytes()
        pair = struct.pack("<HHIIIIIHHHHHH", 0x0102, 16, 36, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0, 20, 20, 0, 0, 0, 0)
        pair += struct.pack("<HHIIIII", 0x0103, 16, 24, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0)
        assert reason(_read_with(MANIFEST, _with(raw, _last_tag(raw), pair * 30_000)).problem) == "manifest_too_large"
        assert _read_with(MANIFEST, _with(raw, _last_tag(raw), pair * 3)).label == "速贷宝"
        deep = pair[:36] * 200 + pair[36:] * 200
        assert reason(_read_with(MANIFEST, _with(raw, _last_tag(raw), deep)).problem) == "manifest_damaged"

    def test_tables_with_very_many_types(self):
        row = (arsc_builder.config(""), {})
        table = arsc_builder.table(["x"], [row] * 9000, utf8=True, layout="dense", count=1)
        found = _read_with(ARSC, table)
        assert (found.label, reason(found.label_problem)) == (None, "no_such_text")

    def test_a_resource_that_references_itself(self, tmp_path):
        content = aapt(tmp_path, manifest(""), {"": {"n": "@string/o", "o": "@string/p", "p": "x"}})
        table = parts_of(content).parts[ARSC].to_bytes()
        value = struct.Struct("<HBBI")
        first = value.pack(8, 0, 1, 0x7F020001)
        if first not in table:
            first = value.pack(8, 0, 1, 0x7F010001)
        own = value.pack(8, 0, 1, struct.unpack("<I", first[4:])[0] - 1)
        found = read(pack(changed(content, ARSC, content=table.replace(first, own))))
        assert (found.label, reason(found.label_problem)) == (None, "resources_loop")

    def test_a_missing_table(self, loan):
        rows = [row for row in changed(loan, "") if row.name != ARSC]
        found = read(pack(rows))
        assert (found.label, reason(found.label_problem), found.launcher_icon) == (None, "entry_missing", True)

    def test_a_version_name_with_line_feeds(self, tmp_path):
        text = "1.0\\n  Package [com.tencent.mm] (1234):"
        source = manifest("").replace('android:versionName="1.2"', 'android:versionName="@string/v"')
        found = read(aapt(tmp_path, source, {"": {"n": "x", "v": text}}))
        assert found.version_name.startswith("1.0\n Package [com.tencent.mm]")
        assert found.package == "com.example.t"

    def test_request_state_is_unknown_without_a_manifest(self):
        lost = ApkParts(package="a.b", path=PATH, state=AnswerState.NOT_ASKED, detail=apk_message("apk.no_time"))
        found = info.read_installed_apk(trimmed(lost), ["zh-CN"], 34)
        assert (found.label, found.launcher_icon, found.uses_permissions, found.signing) == (None, None, None, None)
        assert reason(found.label_problem) == "no_time"


@cache
def _whole():
    app = load_scenario("borrower").find_app("com.example.sudaibao")
    return parts_of(load_apks()[apk_entry_name(app)], app.package)


def _read_with(part, raw):
    whole = _whole()
    broken = replace(whole, parts={**whole.parts, part: ApkPart.from_bytes(raw)})
    said = info.read_installed_apk(broken, ["zh-CN"], 34)
    kept = info.read_installed_apk(trimmed(broken), ["zh-CN"], 34)
    # A table that is damaged in any language is not kept: then the saved copy has a reason instead of the name.
    assert kept.label == said.label or (kept.label is None and kept.label_problem is not None)
    return said


def test_plain_text_xml_is_rejected():
    with pytest.raises(ApkError, match="manifest_damaged"):
        apk_manifest.parse_manifest(b"<manifest package='plain.text'/>")


def _chunks(raw):
    """Offset and kind of each chunk."""
    at = 8
    while at < len(raw):
        kind, _, size = struct.unpack_from("<HHI", raw, at)
        yield at, kind
        at += size


def _encoded(*texts):
    """Texts as the string pool of aapt has them."""
    return [text.encode("utf-16-le") for text in texts]


def _old_app(target, *permissions):
    uses = "".join(f'<uses-permission android:name="android.permission.{name}"/>' for name in permissions)
    source = manifest("", head=uses)
    return source.replace('minSdkVersion="21" android:targetSdkVersion="30"', f'targetSdkVersion="{target}"')


def _last_tag(raw):
    return [at for at, kind in _chunks(raw) if kind == 0x0103][-1]


def _with(raw, at, chunk):
    """`raw` with `chunk` put in."""
    raw = raw[:at] + chunk + raw[at:]
    return struct.pack("<HHI", 3, 8, len(raw)) + raw[8:]
