"""Every ROM file: recognised in the right order, whole in both languages, and nothing in it that is not known."""

from __future__ import annotations

import itertools
import re
import tomllib
from importlib import resources

import pytest

from privaudit import roms
from privaudit.capture.questions import PROPERTIES
from privaudit.dumpsys import device
from privaudit.i18n import Translator, catalog
from privaudit.model import UserKind
from privaudit.revocation import steps

ROMS = roms.list_rom_ids()
MAKER = "ro.product.manufacturer"


@pytest.mark.parametrize(
    ("properties", "rom", "version"),
    [
        ({"ro.mi.os.version.name": "OS2.0", "ro.miui.ui.version.name": "V816"}, "hyperos", "2.0"),
        ({"ro.miui.ui.version.name": "V140", MAKER: "Xiaomi"}, "miui", "V140"),
        (
            {"hw_sc.build.platform.version": "3.0.0", "ro.build.version.emui": "EmotionUI_13.0.0", MAKER: "HUAWEI"},
            "harmonyos",
            "3.0.0",
        ),
        ({"ro.build.version.emui": "EmotionUI_9.1.0", MAKER: "HUAWEI"}, "emui", "9.1.0"),
        ({"ro.build.version.emui": "MagicUI_6.1.0", MAKER: "HUAWEI"}, "magicos", "6.1.0"),
        (
            {"msc.config.magic.version": "9.0", "ro.build.version.magic": "MagicOS_9.0.0", MAKER: "HONOR"},
            "magicos",
            "9.0",
        ),
        ({"ro.build.version.emui": "EmotionUI_11", MAKER: "HONOR"}, "magicos", None),
        ({"ro.build.version.realmeui": "V5.0", "ro.build.version.oplusrom": "V14.0.0"}, "realmeui", "5.0"),
        ({"ro.build.version.oplusrom": "V15.0.0", MAKER: "OPPO"}, "coloros", "15.0.0"),
        ({"ro.build.version.opporom": "V5.2"}, "coloros", "5.2"),
        ({"ro.oxygen.version": "11.0.5.1"}, "oxygenos", "11.0.5.1"),
        ({"ro.vivo.os.build.display.id": "OriginOS 5", "ro.vivo.os.version": "4.0"}, "originos", "5"),
        ({"ro.vivo.os.build.display.id": "Funtouch OS_10"}, "originos", "10"),
        ({"ro.build.version.oneui": "60101"}, "oneui", "6.1.1"),
        ({"ro.build.version.oneui": "20500"}, "oneui", "2.5"),
        ({"ro.build.version.oneui": "100000"}, "oneui", "10.0"),
        ({"ro.build.display.id": "Flyme 8.1.8.0A"}, "flyme", "8.1.8.0A"),
        ({"ro.flyme.published": "true", "ro.build.display.id": "x"}, "flyme", None),
        ({MAKER: "TECNO"}, "transsion", None),
        ({MAKER: "INFINIX", "ro.tranos.version": "xos14.0.0"}, "transsion", "14.0.0"),
        ({MAKER: "Motorola"}, "motorola", None),
        ({MAKER: "Google"}, "aosp", None),
        ({}, "aosp", None),
    ],
)
def test_detection_of_each_rom(properties, rom, version):
    found = roms.detect_rom(properties)
    assert (found.id, found.version) == (rom, version)


@pytest.mark.parametrize("rom", ROMS)
def test_detection_uses_only_collected_properties(rom):
    data = roms.load_rom(rom)
    asked = {
        *data["recognise"].get("properties", {}),
        *(gate.property_name for gate in roms.list_restrictions(rom)),
    } - {None}
    assert asked <= set(PROPERTIES)


# --- the files ------------------------------------------------------------------------------------------------------

KEYS = {"name", "like", "recognise", "choices", "users", "usb", "gates", "pages", "intents", "words"}
PAGES = {*roms.load_rom("aosp")["pages"], "clones", "auto_blocker"}


@pytest.mark.parametrize("rom", ROMS)
def test_files_have_only_known_keys(rom):
    data = roms.load_rom(rom)
    assert data.keys() <= KEYS
    assert data["recognise"].keys() <= {"order", "manufacturers", "properties", "since"}
    assert data["users"].keys() <= {"clone", "secure_folder"}
    assert data.get("usb", {}).keys() <= {"off_first", "also_on"}
    assert data["pages"].keys() <= PAGES
    for row in (row for rows in data["pages"].values() for row in rows):
        assert row.keys() == {"sdk", "checked", "path"}
        assert 23 <= row["sdk"][0] <= row["sdk"][1] <= 99
        assert row["path"].count("APP") <= 1
    for gate in data.get("gates", ()):
        assert set(gate["stops"]) <= {"permissions", "app_ops"}
        assert ("property" in gate) == ("open" in gate)


@pytest.mark.parametrize("rom", ROMS)
def test_every_menu_word_of_a_path_exists_in_both_languages(rom):
    data = roms.load_rom(rom)
    used = {word for rows in data["pages"].values() for row in rows for word in row["path"]} - {"APP"}
    used |= {gate.menu_key for gate in roms.list_restrictions(rom)}
    used |= {word for words in data.get("usb", {}).values() for word in words}
    for code in ("en", "zh"):
        assert used <= data["words"][code].keys(), code
        assert all(word.strip() for word in data["words"][code].values())


@pytest.mark.parametrize("rom", ROMS)
def test_other_languages_translate_only_existing_menu_words(rom):
    words = roms.load_rom(rom)["words"]
    assert words.keys() <= set(catalog.languages())
    for code, said in words.items():
        assert said.keys() <= words["en"].keys(), code


def rom_file(rom):
    return (resources.files("privaudit") / "data" / "roms" / f"{rom}.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [code for code in catalog.languages() if code != "en"])
@pytest.mark.parametrize("rom", ROMS)
def test_every_menu_word_of_the_taps_exists_in_every_language(rom, code):
    """Else a step would name an English word in the middle of a sentence of another language."""
    data = roms.load_rom(rom)
    pages = (rows for name, rows in data["pages"].items() if name != "history")
    used = {word for rows in pages for row in rows for word in row["path"]} - {"APP"}
    used |= {"contacts", "sms", "call_log", "phone", "deny", "deny_10", "deny_old", "revoke_usb", "uninstall"}
    assert used - data["words"][code].keys() == set()


def test_renamed_menu_words_inherit_no_translation():
    stock = roms.load_rom("aosp")["words"]
    for rom in ROMS:
        own, file, written = roms.load_rom(rom)["words"], rom, set()
        while file is not None:
            data = tomllib.loads(rom_file(file))
            written |= data.get("words", {}).get("id", {}).keys()
            file = data.get("like")
        for word in own["en"].keys() & stock["en"].keys():
            if own["en"][word] != stock["en"][word]:
                assert word in written or word not in own["id"], (rom, word)
    assert Translator("id").t("menu.aosp.see_all_apps") == "Lihat semua aplikasi"
    assert Translator("id").t("menu.oneui.developer_options") == "Opsi developer"


@pytest.mark.parametrize("rom", ROMS)
def test_intents_only_open_pages(rom):
    """Of what Android can be asked to do this way, only pages. Nothing that requests a right, deletes or sends."""
    for rows in roms.load_rom(rom)["intents"].values():
        for row in rows:
            assert row.keys() <= {"sdk", "action", "component", "package", "extras"}
            assert ("action" in row) != ("component" in row)
            said = row.get("action") or row["component"]
            assert re.fullmatch(r"[A-Za-z][\w.]*(?:/[\w.]+)?", said, re.ASCII)
            assert not re.search(
                r"REQUEST_|CHANGE_DEFAULT|DELETE|SEND|CALL|FACTORY|RESET|GRANT", said.rpartition(".")[2]
            )


@pytest.mark.parametrize("rom", ROMS)
@pytest.mark.parametrize("sdk", [23, 26, 28, 29, 30, 31, 33, 34, 36, None])
def test_every_rom_and_sdk_level_has_the_main_pages(rom, sdk):
    for name in ("permissions", "permission_manager", "build_number", "usb_debugging"):
        assert roms.find_settings_page(rom, name, sdk) is not None, name


def test_inherited_paths_are_unconfirmed():
    assert roms.find_settings_page("coloros", "permissions", 34).is_confirmed
    assert not roms.find_settings_page("realmeui", "permissions", 34).is_confirmed
    assert (
        roms.find_settings_page("realmeui", "permissions", 34).menu_keys
        == roms.find_settings_page("coloros", "permissions", 34).menu_keys
    )
    assert not roms.find_settings_page("motorola", "permissions", 34).is_confirmed


def test_users_for_copies_of_apps_are_detected():
    text = "Users:\n" + "".join(f"\tUserInfo{{{n}:x:10}} running\n" for n in (0, 95, 128, 150, 900, 999))
    found = device.parse_users(text, 34)
    assert [found[n] for n in (95, 128, 150, 900, 999)] == [
        UserKind.CLONE,
        UserKind.CLONE,
        UserKind.SECURE_FOLDER,
        UserKind.CLONE,
        UserKind.CLONE,
    ]


# --- the card of a ROM ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("rom", ROMS)
def test_steps_for_usb_debugging_on_and_off(made, rom, code):
    language, phone = Translator(code), made.phone(33, rom)
    word = roms.load_rom(rom)["words"][code]["usb_debugging"]
    on, off = (
        [language.translate(step) for step in make(phone)]
        for make in (steps.enable_usb_debugging_steps, steps.disable_usb_debugging_steps)
    )
    assert any("seven" in tap or "连点七下" in tap for tap in on)
    assert language.t("steps.turn_on", word=word) in on
    assert language.t("steps.turn_off", word=word) in off
    assert any(language.t(f"menu.{rom}.revoke_usb") in tap for tap in off)
    assert not any("[" in tap for tap in (*on, *off))


def test_vendor_specific_steps_are_printed(made):
    def said(make, rom):
        return [Translator("zh").translate(step) for step in make(made.phone(33, rom))]

    assert "打开“仅充电模式下允许 ADB 调试”。" in said(steps.enable_usb_debugging_steps, "emui")
    assert "HarmonyOS NEXT" in said(steps.enable_usb_debugging_steps, "harmonyos")[0]
    assert "“USB 调试（安全设置）”如果开着，关掉它。" in said(steps.disable_usb_debugging_steps, "hyperos")
    assert [gate.menu_key for gate in roms.list_restrictions("hyperos")] == ["usb_debugging_security"]  # MIUI's
    assert roms.list_restrictions("aosp") == ()


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize(("sdk", "exists"), [(28, False), (33, False), (34, True), (35, True), (None, True)])
def test_auto_blocker_is_named_with_its_path_where_it_exists(made, code, sdk, exists):
    """One UI 6 and later, which are Android 14 and later; in every language."""
    language, phone = Translator(code), made.phone(sdk, "oneui")
    on, off = (
        [language.translate(step) for step in make(phone)]
        for make in (steps.enable_usb_debugging_steps, steps.disable_usb_debugging_steps)
    )
    word = language.t("menu.oneui.auto_blocker")
    assert any(word in tap for tap in (*on, *off)) == exists
    if exists:
        at = on.index(language.t("steps.turn_off_if_on", word=word))
        menus = [language.t(f"menu.oneui.{menu}") for menu in ("settings", "security_and_privacy")]
        assert [menu in tap for menu, tap in zip(menus, on[at - 2 : at], strict=True)] == [True, True]
        assert off[-1] == language.t("steps.turn_on_again", word=word)
        assert code == "en" or menus[1] != Translator("en").t("menu.oneui.security_and_privacy")


@pytest.mark.parametrize("rom", ROMS)
def test_the_lock_screen_code_is_told_of_where_it_may_be_asked(made, rom):
    said = [step.key for step in steps.enable_usb_debugging_steps(made.phone(33, rom))]
    assert said[said.index("steps.tap_seven") + 1] == "steps.lock_code"


@pytest.mark.parametrize(("rom", "sdk"), [(rom, sdk) for rom in ROMS for sdk in (23, 24, 26, 28, 29, 31, 34, 99)])
def test_no_menu_is_tapped_twice_in_a_row(rom, sdk):
    """Where the file of a ROM calls two menus the same, as “Apps”, “Apps” on EMUI 5."""
    for code in ("en", "zh"):
        words = roms.load_rom(rom)["words"][code]
        for name in roms.load_rom(rom)["pages"]:
            page = roms.find_settings_page(rom, name, sdk)
            path = [words.get(key, key) for key in page.menu_keys] if page else []
            assert not [word for word, next_word in itertools.pairwise(path) if word == next_word], (name, path)


def test_emui_5_has_its_own_menus(made):
    """Android 6 and 7: none of the entries that later versions of EMUI have."""
    said = " ".join(
        Translator("zh").translate(step)
        for kind in ("accessibility", "default_sms", "device_admin", "permissions")
        for block in steps.blocks_for_kinds(
            {kind}, made.app(contacts=made.access("can_read"), holds=[kind]), made.phone(24, "emui")
        )
        for step in block.steps
    )
    assert "“应用管理”" in said
    assert "“高级设置”" in said
    assert not re.search("“应用和服务”|“系统和更新”|“辅助功能”。点“无障碍”", said)


def test_uninstalling_comes_last_after_device_administrators(made):
    def said(**changed):
        return [
            Translator("en").translate(step)
            for step in steps.uninstall_steps(made.app(label="X", **changed), made.phone())
        ]

    assert said()[0].startswith("Last of all, after you have saved everything and demanded deletion")
    admin = said(holds=["device_admin"])
    assert [tap for tap in admin if "Deactivate" in tap or "Last of all" in tap] == [
        "Tap “X”, then “Deactivate”.",
        said()[0],
    ]
    assert "ask a lawyer" in said(holds=["device_owner"])[0]
    assert len(said(holds=["device_owner"])) == 1
    assert "cannot be uninstalled" in said(system=True)[0]
    assert steps.SAFETY_NOTES[1].key == "steps.notice"


@pytest.mark.parametrize(
    ("manufacturer", "sdk", "rom"),
    [
        ("samsung", "28", "oneui"),
        ("Samsung", "", "oneui"),
        ("samsung", "27", "aosp"),  # One UI begins with Android 9
        ("vivo", "28", "originos"),
        ("vivo", "26", "originos"),
        ("Google", "34", "aosp"),
    ],
)
def test_manufacturers_without_a_version_property(manufacturer, sdk, rom):
    found = roms.detect_rom({"ro.product.manufacturer": manufacturer, "ro.build.version.sdk": sdk})
    assert (found.id, found.version) == (rom, None)


@pytest.mark.parametrize(
    ("brand", "rom"),
    [
        ("xiaomi", "hyperos"),
        ("Redmi", "hyperos"),
        ("小米", "hyperos"),
        ("oppo", "coloros"),
        ("realme", "realmeui"),
        ("vivo", "originos"),
        ("HONOR", "magicos"),
        ("samsung", "oneui"),
        ("infinix", "transsion"),
        ("TECNO", "transsion"),
        ("huawei", "harmonyos"),
        ("miui", "miui"),
        ("MIUI", "miui"),
        ("windows", None),
        ("", None),
    ],
)
def test_a_brand_or_a_rom_names_the_menus(brand, rom):
    assert roms.find_rom_id(brand) == rom


def test_every_rom_has_brands_and_every_brand_a_rom():
    assert set(roms._phone_brands()["roms"]) == set(roms.list_rom_ids())
    assert set(roms._phone_brands()["also_called"].values()) <= set(roms.list_brands())
    assert roms.rom_title("miui") == "Xiaomi, Redmi, POCO (MIUI)"
    assert roms.rom_title("aosp") == "Android"
