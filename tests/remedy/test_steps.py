"""What the owner taps, by Android version and ROM, in both languages."""

from __future__ import annotations

import pytest

from privaudit.language import Language
from privaudit.model import Lending, LendingVerdict, Message
from privaudit.remedy import steps
from privaudit.report import txt

LENDS = Lending(verdict=LendingVerdict.YES)


def taps(made, app, phone, code, rule="data_access", key="data_access.can_read", severity="high"):
    finding = made.finding(app, severity, rule=rule, message=Message(key=key))
    return [Language(code).say(step) for step in steps.for_finding(finding, app, phone).steps]


def lender(made, **changed):
    given = {"label": "速贷宝", "contacts": made.access("can_read"), "sms": made.access("can_read"), "lending": LENDS}
    return made.app(**{**given, **changed})


NEW = {
    "en": ["Open “Settings”.", "Tap “Apps”.", "Tap “See all apps”.", "Tap “速贷宝”.", "Tap “Permissions”."],
    "zh": ["打开「设置」。", "点「应用」。", "点「查看全部应用」。", "点「速贷宝」。", "点「权限」。"],
}
MIDDLE = {
    "en": ["Open “Settings”.", "Tap “Apps & notifications”.", *NEW["en"][2:]],
    "zh": ["打开「设置」。", "点「应用和通知」。", *NEW["zh"][2:]],
}
OLD = {
    "en": ["Open “Settings”.", "Tap “Apps”.", *NEW["en"][3:]],
    "zh": ["打开「设置」。", "点「应用」。", *NEW["zh"][3:]],
}
SWITCH = {
    "en": ["At “Contacts”, tap the switch, so that it is off.", "At “SMS”, tap the switch, so that it is off."],
    "zh": ["在「通讯录」这一行，点开关，让它变成关。", "在「短信」这一行，点开关，让它变成关。"],
}
DENY = {
    "en": ["Tap “Contacts”, choose “Deny”.", "Tap “SMS”, choose “Deny”."],
    "zh": ["点「通讯录」，选「拒绝」。", "点「短信」，选「拒绝」。"],
}
DO_NOT_ALLOW = {
    "en": ["Tap “Contacts”, choose “Don't allow”.", "Tap “SMS”, choose “Don't allow”."],
    "zh": ["点「通讯录」，选「不允许」。", "点「短信」，选「不允许」。"],
}
SHOT = {"en": ["Take a screenshot."], "zh": ["截屏。"]}
SEARCH = {
    "en": ["Do the menus look different? Search Settings for “Permission manager”."],
    "zh": ["菜单不一样？在设置里搜「权限管理器」。"],
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
def test_stock_android(made, code, sdk, path, choice, search):
    said = taps(made, lender(made), made.phone(sdk), code)
    assert said == [*path[code], *choice[code], *SHOT[code], *search[code]]


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("rom", ["hyperos", "coloros", "emui"])
def test_a_rom_whose_menus_nobody_checked_says_how_to_search(made, code, rom):
    assert taps(made, lender(made), made.phone(34, rom), code)[-1:] == SEARCH[code]


@pytest.mark.parametrize(("sdk", "group"), [(27, "Phone"), (28, "Call logs"), (34, "Call logs"), (None, "Call logs")])
def test_before_android_9_the_call_log_belongs_to_phone(made, sdk, group):
    app = lender(made, contacts=made.access(), sms=made.access(), call_log=made.access("can_read"))
    assert any(f"“{group}”" in tap for tap in taps(made, app, made.phone(sdk), "en"))


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("en", "This is another copy of “速贷宝” (user 999). Hold the icon of this copy, tap “App info”."),
        ("zh", "这是另一份「速贷宝」（用户 999）。按住这一份的图标，点「应用信息」。"),
    ],
)
def test_a_clone_is_reached_by_its_own_icon(made, code, first):
    said = taps(made, lender(made, user=999), made.phone(), code)
    assert said == [first, NEW[code][-1], *DO_NOT_ALLOW[code], *SHOT[code]]


def test_what_is_granted_and_blocked_is_closed_as_well(made):
    app = lender(made, sms=made.access("blocked"))
    assert "Tap “SMS”, choose “Don't allow”." in taps(made, app, made.phone(), "en")


def test_an_app_for_an_old_android_warns(made):
    assert any("older Android" in tap for tap in taps(made, lender(made, target_sdk=22), made.phone(), "en"))


@pytest.mark.parametrize(("kind", "what"), [("default_sms", "default SMS app"), ("default_phone", "default phone app")])
def test_a_role_would_give_the_right_back(made, kind, what):
    said = taps(made, lender(made, holds=[kind]), made.phone(), "en")
    assert said[0] == f"First make another app the {what}; else the phone gives the right back."


@pytest.mark.parametrize(
    ("kind", "english", "chinese"),
    [
        ("accessibility", "Search Settings for “Accessibility”, tap “速贷宝”, turn it off.", "关掉"),
        ("notification_listener", "Search Settings for “Notification access”, tap “速贷宝”, turn it off.", "关掉"),
        ("default_sms", "Search Settings for “Default SMS app” and choose another app.", "换成别的应用"),
        ("default_phone", "Search Settings for “Default phone app” and choose another app.", "换成别的应用"),
    ],
)
def test_rights_beside_the_permission_list(made, kind, english, chinese):
    app = lender(made, holds=[kind])
    for code, words in (("en", english), ("zh", chinese)):
        said = taps(made, app, made.phone(), code, rule="special_access", key=f"special_access.{kind}")
        assert words in said[0]


def test_an_administrator_is_left_alone(made):
    app = lender(made, holds=["device_owner"])
    key = "special_access.device_owner"
    assert taps(made, app, made.phone(), "en", "special_access", key, severity="info") == []


def test_a_listing_and_a_closed_app_need_no_taps(made):
    assert taps(made, lender(made), made.phone(), "en", rule="listed", key="listed.A") == []
    closed = lender(made, contacts=made.access("not_allowed"), sms=made.access("not_allowed"))
    assert taps(made, closed, made.phone(), "en") == []


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("some", [True, False], ids=["something to close", "nothing to close"])
def test_what_to_think_of_first_stands_above_every_list_of_steps(made, code, some):
    language = Language(code)
    report = made.report(*([lender(made)] if some else []))
    shown = txt.render(report, language).replace("\n    ", " " if code == "en" else "")
    places = [shown.index(language.say(message)) for message in steps.ALWAYS]
    assert places == sorted(places)
    assert places[-1] < shown.index(language.text("report.steps"))
    assert {message.key for message in steps.ALWAYS} >= {
        "steps.safety",
        "steps.notice",
        "steps.evidence",
        "steps.keep_app",
        "steps.bank_apps",
    }
