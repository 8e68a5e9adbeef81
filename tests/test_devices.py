"""``privaudit devices``: a row for each phone, its state, the next step; no question on a phone, no serial number."""

from __future__ import annotations

import json
import re
import sys
from importlib import resources

import pytest
import usb1

from privaudit.cli import devices
from privaudit.cli.console import CliConsole
from privaudit.errors import PhoneError
from privaudit.i18n import Translator
from privaudit.knowledge import rights
from privaudit.model import PhoneState
from privaudit.transport import adb_device, adb_server, diagnosis, usb, vendors
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell import Shell
from tests.fixtures.usb_bus import FASTBOOT, HDC, PICTURES, STORAGE, Device, library


def story(sent):
    """What the story's phone says to a script."""
    text = sent.rpartition(b"shell,v2,raw:")[2].rstrip(b"\0").decode()
    return Shell(build_programs(load_scenario("borrower"))).run_script(text).out


@pytest.fixture
def look(monkeypatch, home, capsys):
    """List the devices of a simulated USB bus; return the exit code and the text, or the JSON document."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(adb_device.time, "sleep", lambda _: None)
    monkeypatch.setattr(adb_device, "HANDSHAKE_TIMEOUT_S", 0.05)

    def show(*plugged, lang="en", as_json=False):
        for port, phone in enumerate(plugged, 2):
            phone.ports = [1, port]
        bus = library(list(plugged))
        monkeypatch.setattr(usb, "load_libusb", lambda: bus)
        code = devices.print_devices(CliConsole(lang, plain=True), as_json=as_json)
        out, show.err = capsys.readouterr()
        return code, json.loads(out) if as_json else out

    return show


LOCKED = usb1.USBErrorAccess()
PLUGGED = {
    "ready": lambda: Device(says=story),
    "unauthorised": lambda: Device(knows_us=False),
    "no_permission": lambda: Device(name_error=LOCKED, open_error=LOCKED),
    "busy": lambda: Device(claim_error=usb1.USBErrorBusy()),
    "offline": lambda: Device(speaks=False),
    "no_driver": lambda: Device(open_error=usb1.USBErrorNotSupported()),
    "debugging_off": lambda: Device(kind=PICTURES),
    "recovery": lambda: Device(kind=FASTBOOT),
    "other_system": lambda: Device(kind=HDC),
}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("state", PLUGGED)
def test_each_state_has_its_sentence(look, state, lang):
    code, text = look(PLUGGED[state](), lang=lang)
    language = Translator(lang)
    assert code == (0 if state == "ready" else 4)
    assert language.t(f"diagnose.{state}") in text
    others = {language.t(f"diagnose.{other}") for other in PLUGGED if other != state}
    assert not [words for words in others if words in text.splitlines()[0]]
    assert (language.t("cli.next") in text) == (state != "ready")
    assert "{" not in text.replace("ATTR{idVendor}", "")


def test_a_ready_phone_is_listed_with_model_and_android_version(look):
    _, text = look(Device(says=story))
    assert text.splitlines()[0] == "1. Example Demo Phone (…C3D4), Android 14: ready"


def test_listing_opens_no_authorisation_prompt(look):
    phone = Device(knows_us=False)
    look(phone)
    assert not phone.asked
    assert phone.handles


def test_the_key_that_listing_creates_is_told_of_once(look, home):
    look(Device(says=story), as_json=True)
    assert look.err.count(str(home / ".android" / "adbkey")) == 2
    assert "To remove it, delete both files" in look.err
    look(Device(says=story), as_json=True)
    assert "adbkey" not in look.err


def test_no_serial_number_is_printed(look):
    phones = Device("R58M12345678", says=story), Device("ZY22400001", knows_us=False)
    for as_json in (False, True):
        assert not re.search("R58M1234|ZY2240", str(look(*phones, as_json=as_json)))


def test_several_phones_are_listed_with_serial_suffixes_and_a_hint(look):
    code, text = look(Device("11112222", says=story), Device("33334444", knows_us=False), Device(kind=STORAGE))
    assert code == 0
    assert re.findall(r"^\d\. .*\((….*)\)", text, re.MULTILINE) == ["…2222", "…4444", "…C3D4"]
    assert "--serial 2222" in text


def test_serial_suffixes_are_as_long_as_needed(look):
    _, text = look(Device("1111-9999", says=story), Device("2222-9999", says=story))
    assert "--serial 1-9999" in text


def test_equal_serial_numbers_give_no_serial_hint(look):
    _, text = look(Device("0123456789ABCDEF", says=story), Device("0123456789ABCDEF", says=story))
    assert "--serial" not in text.splitlines()[-1]


def test_an_inaccessible_phone_does_not_hide_others(look):
    code, text = look(PLUGGED["no_permission"](), Device("33334444", says=story))
    assert code == 0
    assert "1. USB 18d1:4ee7: no permission" in text
    assert "2. Example Demo Phone (…4444), Android 14: ready" in text


def test_without_phones_the_error_of_an_audit_is_printed(look, run):
    code, text = look()
    assert code == 4
    assert run("audit").err.split("\n", 1)[1] in text or any(
        line in text for line in run("audit").err.splitlines() if line.startswith("What to do")
    )


def test_the_list_as_json(look):
    code, document = look(Device(says=story), PLUGGED["busy"](), as_json=True)
    assert code == 0
    ready, busy = document["devices"]
    assert ready == {
        "name": "Phone",
        "manufacturer": "Example",
        "model": "Demo Phone",
        "android": "14",
        "state": "ready",
        "way": "usb",
        "serial_end": "C3D4",
        "obstacle": None,
        "next": [],
    }
    assert (busy["state"], busy["obstacle"]) == ("busy", "busy")
    assert len(busy["next"]) == 3
    assert look(as_json=True)[1]["obstacle"] == "no_phone"


# --- what to do -------------------------------------------------------------------------------------------------------


def advised(name, maker=None, lang="en", **values):
    return [
        Translator(lang).translate(step) for step in diagnosis.troubleshooting_steps(PhoneError(name, **values), maker)
    ]


@pytest.fixture
def no_adb(monkeypatch):
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    monkeypatch.setattr("shutil.which", lambda _: None)


@pytest.mark.usefixtures("no_adb")
class TestAdvice:
    @pytest.mark.parametrize(
        ("maker", "words"),
        [
            ("xiaomi", ["MIUI version", "(Security settings)” off"]),
            ("samsung", ["Auto Blocker", "on again"]),
            ("huawei", ["charge only mode", "HarmonyOS NEXT"]),
            ("oppo", ["realme"]),
            ("vivo", ["Software version"]),
            ("transsion", ["TECNO"]),
            (None, ["Build number", "--rom BRAND", "samsung", "tecno"]),
        ],
    )
    @pytest.mark.parametrize("name", ["debugging_off", "no_phone"])
    def test_enabling_debugging_uses_the_menu_terms_of_the_vendor(self, name, maker, words):
        text = " ".join(advised(name, maker))
        assert all(word in text for word in words)

    @pytest.mark.parametrize(
        ("country", "first", "absent"),
        [
            ("CN", "Huawei", "TECNO"),
            ("KE", "TECNO", "Huawei"),
            ("MX", "Samsung", "Huawei"),
            ("FR", "To switch", "TECNO"),
        ],
    )
    def test_the_brand_that_the_country_suggests_comes_first_and_others_on_request(self, country, first, absent):
        before, after, *_ = diagnosis.troubleshooting_steps(PhoneError("errors.no_phone"), None, country)
        said = Translator("en").translate(before)
        assert said.startswith(first)
        steps = list(diagnosis.troubleshooting_steps(PhoneError("errors.no_phone"), None, country))
        assert absent not in " ".join(map(Translator("en").translate, steps))
        assert after.key.startswith("makers.")
        assert [step.key for step in steps if step.key.startswith("makers.")][-1] == "makers.others"
        assert len(list(diagnosis.troubleshooting_steps(PhoneError("errors.no_phone"), "vivo", country))) == 1

    @pytest.mark.parametrize(
        ("lang", "words"),
        [
            ("en", ["bank, payment and loan apps", "urgent, wait", "screenshots", "USB debugging”"]),
            ("zh", ["银行、支付、贷款应用", "先别做", "在贷款应用里截屏", "“USB 调试”。"]),
        ],
    )
    def test_the_warning_precedes_the_steps(self, lang, words):
        text = "\n".join(advised("debugging_off", "oppo", lang))
        places = [text.index(word) for word in words]
        assert places == sorted(places)

    def test_samsung_auto_blocker_is_named(self):
        assert "Auto Blocker" in " ".join(advised("offline", "samsung"))
        assert advised("offline") == []

    def test_the_missing_udev_rule_is_printed(self):
        assert 'ATTR{idVendor}=="2717"' in advised("no_permission", vendor="2717")[0]
        assert advised("no_permission", vendor=None) == []

    @pytest.mark.parametrize("name", ["busy", "not_allowed", "lost", "too_slow"])
    def test_other_errors_have_no_further_steps(self, name):
        assert advised(name) == []


def test_a_stopped_adb_server_is_named_with_its_command_and_not_started(monkeypatch):
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert "adb start-server" in advised("windows_driver")[0]
    monkeypatch.setattr(adb_server, "is_running", lambda: True)
    assert advised("windows_driver") == []


# --- both ways --------------------------------------------------------------------------------------------------------


def listed(serial, state, place):
    return adb_server.ServerDevice(serial=serial, name="Model", state=state, usb_path=place, transport_id="1")


@pytest.mark.parametrize(
    ("by_server", "on_bus", "ways"),
    [
        (listed("A1B2C3D4", PhoneState.WAITING, None), Device(claim_error=usb1.USBErrorBusy()), ["server"]),
        (listed(None, PhoneState.NO_PERMISSION, "1-1.2"), Device(name_error=LOCKED, open_error=LOCKED), ["server"]),
        (listed("other", PhoneState.WAITING, "1-7"), Device(knows_us=False), ["server", "usb"]),
    ],
)
def test_a_phone_on_usb_and_at_the_server_is_listed_once(look, monkeypatch, by_server, on_bus, ways):
    monkeypatch.setattr(adb_server, "is_running", lambda: True)
    monkeypatch.setattr(adb_server, "list_devices", lambda: (by_server,))
    _, document = look(on_bus, as_json=True)
    assert [row["way"] for row in document["devices"]] == ways


def test_devices_of_debians_adb_server_are_listed(run, adb, demo_phone):
    with demo_phone() as authorized, demo_phone() as unauthorized:
        unauthorized.key_policy = KeyPolicy(answer="ignore")
        adb("connect", authorized.address)
        adb("connect", unauthorized.address)
        done = run("devices", ANDROID_ADB_SERVER_PORT=str(adb.port))
    assert done.code == 0
    titles = sorted(re.findall(r"^\d\. (.*)", done.out, re.MULTILINE))
    assert titles == sorted(
        [
            f"Example Demo Phone (…{authorized.address[-4:]}), Android 14: ready",
            f"A phone (…{unauthorized.address[-4:]}): waits for “Allow”",
        ]
    )
    assert f"--serial {authorized.address[-4:]}" in done.out


def test_each_country_s_brands_name_their_source():
    """Which help comes first is a claim about a country: who counted, and when, stands beside it."""
    text = (resources.files("privaudit") / "data" / "phone_brands.toml").read_text(encoding="utf-8")
    rows = re.findall(r"^([A-Z]{2}) = \[.*\](.*)$", text.partition("[countries]")[2].partition("\n[")[0], re.MULTILINE)
    assert {country for country, _ in rows} == set(vendors._TABLES["countries"]) >= set(rights.countries_with_rights())
    assert [country for country, source in rows if not re.search(r"# \w.*2025", source)] == []
