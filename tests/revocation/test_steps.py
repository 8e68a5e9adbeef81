"""What the owner taps, by Android version and ROM, in both languages."""

from __future__ import annotations

import re

import pytest

from privaudit import roms
from privaudit.i18n import Translator
from privaudit.model import Lending, LendingVerdict, Message, UserKind
from privaudit.report import revocation_text, txt
from privaudit.revocation import steps

LENDS = Lending(verdict=LendingVerdict.YES)


def taps(made, app, phone, code, rule="data_access", key="data_access.can_read", severity="high"):
    finding = made.finding(app, severity, rule=rule, message=Message(key=key))
    return [Translator(code).translate(step) for step in steps.attach_steps(finding, app, phone).steps]


def lender(made, **changed):
    given = {"label": "速贷宝", "contacts": made.access("can_read"), "sms": made.access("can_read"), "lending": LENDS}
    return made.app(**{**given, **changed})


NEW = {
    "en": ["Open “Settings”.", "Tap “Apps”.", "Tap “See all apps”.", "Tap “速贷宝”.", "Tap “Permissions”."],
    "zh": ["打开“设置”。", "点“应用”。", "点“查看全部应用”。", "点“速贷宝”。", "点“权限”。"],
}
MIDDLE = {
    "en": ["Open “Settings”.", "Tap “Apps & notifications”.", *NEW["en"][2:]],
    "zh": ["打开“设置”。", "点“应用和通知”。", *NEW["zh"][2:]],
}
OLD = {
    "en": ["Open “Settings”.", "Tap “Apps”.", *NEW["en"][3:]],
    "zh": ["打开“设置”。", "点“应用”。", *NEW["zh"][3:]],
}
SWITCH = {
    "en": [
        "Next to “Contacts”, tap the switch, so that it is off.",
        "Next to “SMS”, tap the switch, so that it is off.",
    ],
    "zh": ["在“通讯录”这一行，点开关，让它变成关。", "在“短信”这一行，点开关，让它变成关。"],
}
DENY = {
    "en": ["Tap “Contacts”, choose “Deny”.", "Tap “SMS”, choose “Deny”."],
    "zh": ["点“通讯录”，选“拒绝”。", "点“短信”，选“拒绝”。"],
}
DO_NOT_ALLOW = {
    "en": ["Tap “Contacts”, choose “Don't allow”.", "Tap “SMS”, choose “Don't allow”."],
    "zh": ["点“通讯录”，选“不允许”。", "点“短信”，选“不允许”。"],
}
SHOT = {
    "en": ["Check again: is access to Contacts and SMS off?", "Take a screenshot."],
    "zh": ["再看一眼：通讯录和短信关了吗？", "截屏。"],
}
SEARCH = {
    "en": ["Menus differ? Search Settings for “Permission manager”."],
    "zh": ["菜单和下面写的不一样？在设置里搜“权限管理器”。"],
}
NOTHING = {"en": [], "zh": []}


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize(
    ("sdk", "path", "choice", "search"),
    [
        (23, OLD, SWITCH, SEARCH),
        (25, OLD, SWITCH, SEARCH),
        (28, MIDDLE, SWITCH, NOTHING),
        (29, MIDDLE, DENY, NOTHING),
        (30, MIDDLE, DENY, NOTHING),
        (31, NEW, DO_NOT_ALLOW, NOTHING),
        (34, NEW, DO_NOT_ALLOW, NOTHING),
        (99, NEW, DO_NOT_ALLOW, NOTHING),
        (None, NEW, DO_NOT_ALLOW, SEARCH),
    ],
)
def test_permission_steps_on_stock_android(made, code, sdk, path, choice, search):
    said = taps(made, lender(made), made.phone(sdk), code)
    assert said == [*search[code], *path[code], *choice[code], *SHOT[code]]


@pytest.mark.parametrize("rom", ["hyperos", "miui", "emui", "originos", "flyme", "transsion", "motorola", "oneui"])
def test_unconfirmed_menus_have_a_search_hint(made, rom):
    word = roms.load_rom(rom)["words"]["zh"]["permission_manager"]
    assert taps(made, lender(made), made.phone(34, rom), "zh")[0] == f"菜单和下面写的不一样？在设置里搜“{word}”。"


@pytest.mark.parametrize(("rom", "sdk"), [("coloros", 34), ("magicos", 33), ("magicos", 28)])
def test_confirmed_path_has_no_search_hint(made, rom, sdk):
    assert taps(made, lender(made), made.phone(sdk, rom), "en")[-1] == "Take a screenshot."


def test_hyperos_inherits_menus_of_miui_and_stock_android(made):
    said = taps(made, lender(made, target_sdk=22), made.phone(28, "hyperos"), "zh")
    assert said[1:6] == ["打开“设置”。", "点“应用设置”。", "点“应用管理”。", "点“速贷宝”。", "点“权限管理”。"]
    # MIUI asks with choices where stock Android of that time has a switch.
    assert said[6:8] == ["点“读取联系人（或‘通讯录’）”，选“拒绝”。", "点“短信”，选“拒绝”。"]


@pytest.mark.parametrize(("sdk", "group"), [(27, "Phone"), (28, "Call logs"), (34, "Call logs"), (None, "Call logs")])
def test_call_log_belongs_to_the_phone_group_before_android_9(made, sdk, group):
    app = lender(made, contacts=made.access(), sms=made.access(), call_log=made.access("can_read"))
    assert any(f"“{group}”" in tap for tap in taps(made, app, made.phone(sdk), "en"))


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("en", "Hold the icon of this copy (user 999), then tap “App info”."),
        ("zh", "按住这一份（用户 999）的图标，点“应用信息”。"),
    ],
)
def test_clone_is_reached_by_its_icon(made, code, first):
    said = taps(made, lender(made, user=999), made.phone(), code)
    assert said == [first, NEW[code][-1], *DO_NOT_ALLOW[code], *SHOT[code]]


@pytest.mark.parametrize(
    ("kind", "word", "last"),
    [
        (
            "clone",
            "icon of this copy",
            "Leave “app clones” on: turning it off deletes data that may be evidence.",
        ),
        ("work_profile", "work profile", "Take a screenshot."),
        ("private_space", "Open the private space", "Take a screenshot."),
        ("secure_folder", "Open the Secure Folder", "Take a screenshot."),
    ],
)
def test_copy_in_a_profile_is_reached_by_its_icon(made, kind, word, last):
    app = lender(made, user=10)
    steps_ = steps.attach_steps(made.finding(app), app, made.phone(), UserKind(kind)).steps
    said = [Translator("en").translate(step) for step in steps_]
    assert word in said[0]
    assert said[-1] == last


def test_granted_but_blocked_permission_has_steps(made):
    app = lender(made, sms=made.access("blocked"))
    assert "Tap “SMS”, choose “Don't allow”." in taps(made, app, made.phone(), "en")


def test_steps_for_an_old_app_mention_the_warning(made):
    assert any("older Android" in tap for tap in taps(made, lender(made, target_sdk=22), made.phone(), "en"))


@pytest.mark.parametrize(("kind", "what"), [("default_sms", "default SMS app"), ("default_phone", "default phone app")])
def test_role_is_revoked_before_permissions(made, kind, what):
    said = taps(made, lender(made, holds=[kind]), made.phone(), "en")
    assert said[0] == f"First make another app the {what}; otherwise the phone gives the access back."


SIDE_DOORS = {
    # kind: what is tapped last on the phone of SDK 34, and the sentence that says what it changes
    "default_sms": (
        "Tap “Default SMS app”, then choose another app.",
        "has only the access that its permissions give it",
    ),
    "default_phone": (
        "Tap “Default phone app”, then choose another app.",
        "has only the access that its permissions give it",
    ),
    "accessibility": ("Turn off the switch next to “速贷宝”.", "What it already saw cannot be called back"),
    "notification_listener": ("Turn off the switch next to “速贷宝”.", "What it already saw cannot be called back"),
    "overlay": ("Turn off the switch next to “速贷宝”.", "What it already saw cannot be called back"),
    "usage": ("Turn off the switch next to “速贷宝”.", "What it already saw cannot be called back"),
    "install_packages": ("Turn off the switch next to “速贷宝”.", "What it already saw cannot be called back"),
    "all_files": ("Turn off the switch next to “速贷宝”.", "What it already saw cannot be called back"),
    "input_method": ("Choose another keyboard, then turn “速贷宝” off.", "What it already saw cannot be called back"),
    "device_admin": ("Tap “速贷宝”, then “Deactivate”.", "can still read what its permissions allow"),
}


@pytest.mark.parametrize("rom", roms.list_rom_ids())
@pytest.mark.parametrize("kind", SIDE_DOORS)
def test_special_access_steps(made, kind, rom):
    app = lender(made, holds=[kind])
    said = taps(made, app, made.phone(34, rom), "en", rule="special_access", key=f"special_access.{kind}")
    action, effect = SIDE_DOORS[kind]
    at = said.index(action)
    assert any(tap.startswith(("Open “", "Tap “")) for tap in said[:at])
    assert effect in said[at + 1]


@pytest.mark.parametrize("kind", SIDE_DOORS)
def test_unknown_path_has_a_search_hint(made, kind):
    said = taps(made, lender(made, holds=[kind]), made.phone(23), "zh", "special_access", f"special_access.{kind}")
    assert any("在设置里搜" in tap for tap in said)


def test_steps_follow_the_revocation_order(made):
    app = lender(made, holds=["device_admin", "overlay", "default_sms", "accessibility"])
    order = [made.finding(app)] + [
        made.finding(app, rule="special_access", message=Message(key=f"special_access.{kind}"))
        for kind in ("device_admin", "overlay", "default_sms", "accessibility")
    ]
    found = [steps.attach_steps(one, app, made.phone()) for one in order]
    said = [Translator("en").translate(step) for step in steps.ordered_steps(found)]
    marks = ["Default SMS app", "Accessibility", "Display over other apps", "choose “Don't allow”", "Deactivate"]
    places = [next(place for place, tap in enumerate(said) if mark in tap) for mark in marks]
    assert places == sorted(places)
    blocks = steps.blocks_for_app(app, made.phone())
    alone = [Translator("en").translate(step) for block in blocks for step in block.steps]
    assert alone == said[: len(alone)]
    assert [block.kind for block in blocks] == ["default_sms", "accessibility", "overlay", "permissions"]
    assert not any("First make another app" in tap for tap in said)  # the block before says how
    assert not any("Deactivate" in tap for tap in alone)


def test_device_owner_has_no_steps(made):
    app = lender(made, holds=["device_owner"])
    key = "special_access.device_owner"
    assert taps(made, app, made.phone(), "en", "special_access", key, severity="info") == []


def test_listed_or_revoked_app_has_no_steps(made):
    assert taps(made, lender(made), made.phone(), "en", rule="listed", key="listed.A") == []
    closed = lender(made, contacts=made.access("not_allowed"), sms=made.access("not_allowed"))
    assert taps(made, closed, made.phone(), "en") == []


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("some", [True, False], ids=["something to close", "nothing to close"])
def test_safety_notes_come_first(made, code, some):
    language = Translator(code)
    report = made.report(*([lender(made)] if some else []))
    shown = txt.render(report, language).replace("\n    ", " " if code == "en" else "")
    places = [shown.index(language.translate(message)) for message in steps.SAFETY_NOTES]
    assert places == sorted(places)
    assert places[-1] < shown.index(language.t("report.steps"))
    assert {message.key for message in steps.SAFETY_NOTES} >= {
        "steps.safety",
        "steps.notice",
        "steps.evidence",
        "steps.keep_app",
        "steps.bank_apps",
    }


@pytest.mark.parametrize(
    "render",
    [
        lambda report: revocation_text.render_steps(report, Translator("en"), frozenset()),
        lambda report: txt.render(report, Translator("en")),
    ],
)
def test_the_same_taps_are_printed_once_with_the_apps_that_they_are_for(report_of, render):
    """By `privaudit steps` and by the whole report, as by the short one, the page and the workshop's page."""
    text = " ".join(render(report_of("borrower")).split())
    assert text.count("Tap “See all apps”.") == 1
    assert re.search(r"The same for: (2 )?快易花: Contacts; (3 )?安信消费贷: Contacts", text)
    assert text.count("快易花 (app clone 999): Call logs") == 1
