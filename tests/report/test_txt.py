"""The report for a terminal: what it says of each state, and that it says no more than was read."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest
from rich.cells import cell_len

from privaudit import audit, facts, knowledge
from privaudit.capture.sources import read_source
from privaudit.findings import data_access, run_checks
from privaudit.i18n import Translator
from privaudit.model import (
    AnswerState,
    Coverage,
    DataClass,
    EffectiveState,
    History,
    Lending,
    LendingVerdict,
    Message,
    PhoneClock,
    ReadBy,
    RequestedState,
    Source,
    User,
    UserKind,
)
from privaudit.report import app_details, gaps, matrix, summary, txt
from privaudit.report.view import ReportView

ENGLISH = Translator("en")
LENDS = Lending(verdict=LendingVerdict.YES)
READ = datetime.fromisoformat("2026-01-08T21:14:00+08:00")
UNREAD = Coverage(question="appops", user=None, state=AnswerState.TIMED_OUT, could_hide=True)


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(demo_report, samples, code, width):
    saved = read_source(samples / "lg-m150-android6.0.1")
    wishes = audit.ReportOptions(include_all_apps=True, include_unrecognised=True, country="CN")
    for report in (demo_report, audit.build_report(saved, knowledge.load_knowledge(country="CN"), wishes)):
        for line in txt.render(report, Translator(code), width).splitlines():
            assert cell_len(line) <= width, line
            assert line == line.rstrip()


@pytest.mark.parametrize("code", ["en", "zh"])
def test_a_wide_terminal_tells_the_same_and_the_phone_s_number(demo_report, code):
    narrow, wide = (txt.render(demo_report, Translator(code), width) for width in (80, 100))
    head = next(line for line in wide.splitlines() if Translator(code).t("report.call_log") in line)
    assert head.split()[-1] == Translator(code).t("report.other_phone")
    for app in demo_report.apps:
        assert wide.count(app.package) == narrow.count(app.package)


def test_plain_text_has_no_lines_drawn_by_letters(demo_report):
    for code in ("en", "zh"):
        assert not re.search("[\u2500-\u25ff\x1b]", txt.render(demo_report, Translator(code)))


def test_the_result_and_the_next_step_stand_last(demo_report):
    lines = txt.render(demo_report, ENGLISH).splitlines()
    end = lines.index("-" * 80)
    names = [line[:16].strip() for line in lines[end + 2 :] if line[:16].strip()]
    assert names == ["Result", "Remember", "Next", "Before leaving"]


# --- the matrix -------------------------------------------------------------------------------------------------------


def cell(made, data="contacts", **changed):
    app = made.app(lending=LENDS, **changed)
    return matrix.cell_text(ReportView(made.report(app), ENGLISH), app, DataClass(data))


def denied(made, name="READ_CONTACTS", **changed):
    return made.permission(name, "denied", **changed)


@pytest.mark.parametrize(
    ("state", "changed", "shown"),
    [
        ("can_read", {"read": READ}, ("can read", "read 8 Jan 2026")),
        ("can_read", {}, ("can read", "no record")),
        ("can_read", {"history": History.UNKNOWN}, ("can read", "record not read")),
        ("only_while_open", {}, ("while open", "no record")),
        ("asks_each_time", {}, ("asks first", "no record")),
        ("blocked", {}, ("cannot read", "on, but blocked")),
        ("not_requested", {}, ("cannot read", "never asked")),
        ("unknown", {}, ("not known", "-")),
        ("not_allowed", {"read": READ}, ("cannot read", "read 8 Jan 2026")),
    ],
)
def test_cells(made, state, changed, shown):
    assert cell(made, contacts=made.access(state, **changed)) == shown


@pytest.mark.parametrize(
    ("age", "shown"),
    [(59, "read 0 min ago"), (7200, "read 2 hours ago"), (86400, "read 1 day ago"), (86400 * 400, None)],
)
def test_a_record_whose_time_is_not_known_tells_its_age(made, age, shown):
    access = made.access("can_read", read=READ, last_read_age_s=age)
    below = cell(made, contacts=replace(access, last_read=None))[1]
    assert below == (shown or "read 400 days ago")
    assert len(below) < 18


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        ([{"flags": ("USER_SET",)}], "refused"),
        ([{"flags": ("USER_SET", "USER_FIXED")}], "refused"),
        ([{"flags": ()}], "not granted"),  # nobody turned it off: it was never given
        ([{"flags": ("AUTO_REVOKED",)}], "not granted"),
        ([{"flags": ("USER_SET",), "requested": RequestedState.UNKNOWN}], "not granted"),
        ([], "not granted"),
    ],
)
def test_refused_is_said_only_where_somebody_refused(made, permissions, shown):
    held = tuple(denied(made, **changed) for changed in permissions)
    assert cell(made, contacts=made.access("not_allowed"), permissions=held)[1] == shown


def test_only_new_sms(made):
    access = made.access("can_read", ways=("incoming",))
    assert cell(made, "sms", sms=access) == ("can read", "new ones only")


@pytest.mark.parametrize(
    ("ways", "below"),
    [((), "not granted"), (("default_sms",), "but another way"), (("accessibility",), "but another way")],
)
def test_a_closed_permission_is_no_comfort_where_another_way_is_open(made, ways, below):
    assert cell(made, "sms", sms=made.access("not_allowed", ways=ways)) == ("cannot read", below)


def test_each_word_of_the_matrix_that_needs_one_has_its_meaning(made):
    states = ["can_read", "only_while_open", "asks_each_time", "blocked", "not_requested", "unknown", "not_allowed"]
    apps = [made.app(f"com.x.a{n}", contacts=made.access(state), lending=LENDS) for n, state in enumerate(states)]
    apps.append(made.app("com.x.b", contacts=made.access("can_read", read=READ), lending=LENDS))
    words = dict(matrix.matrix_legend(ReportView(made.report(*apps), ENGLISH)))
    assert set(words) == {
        "can read",
        "while open",
        "asks first",
        "read 12 Jan 2026",
        "no record",
        "on, but blocked",
        "not granted",
        "never asked",
        "not known",
    }
    assert "That does not mean never." in words["no record"]
    assert "That does not mean no." in words["not known"]


# --- what is said of one app ------------------------------------------------------------------------------------------


def said(made, language=ENGLISH, coverage=(), **changed):
    app = made.app(label="Quick Cash", lending=LENDS, **changed)
    ground = made.ground(app)
    report = made.report(app, findings=tuple(data_access.check(app, ground)), coverage=coverage)
    return " ".join(app_details.app_sentences(ReportView(report, language), app))


def test_can_read_is_not_has_read(made):
    text = said(made, contacts=made.access("can_read"))
    assert "can read contacts now: the permission is on. This says that it can, not that it did." in text
    assert "No record does not mean never." in text


def test_with_a_record_nothing_contradicts_it(made):
    text = said(made, contacts=made.access("can_read", read=READ))
    assert "not that it did" not in text
    assert "it last read contacts on 8 January 2026, 21:14 (phone time)" in text
    assert "How much, and whether it was sent away, is not recorded." in text


def test_where_app_ops_were_not_read_can_read_rests_on_the_permission(made):
    unread = made.access("can_read", history=History.UNKNOWN)
    text = said(made, contacts=unread, coverage=(UNREAD,))
    assert "This rests on the permission alone" in text
    assert "When it last read contacts could not be read." in text
    assert "No record" not in text
    report = made.report(made.app(contacts=unread, lending=LENDS), coverage=(UNREAD,))
    assert "Whether the phone blocks it" in dict(matrix.matrix_legend(ReportView(report, ENGLISH)))["can read"]


def test_a_record_is_the_phone_s_word(made):
    text = said(made, contacts=made.access("not_allowed", read=READ), permissions=(denied(made),))
    assert "The phone has a record of “Quick Cash” reading contacts. Now the permission is closed." in text


def test_granted_and_blocked(made):
    text = said(made, contacts=made.access("blocked"), permissions=(made.permission("READ_CONTACTS", "blocked"),))
    assert "was given the permission for contacts, but the phone blocks it" in text
    assert "permission is closed" not in text


def test_receiving_is_not_opening(made):
    received = made.access("can_read", read=READ, ways=("incoming",))
    permissions = (made.permission("RECEIVE_SMS", last_access=READ), made.permission("READ_SMS", "denied"))
    text = said(made, sms=received, permissions=permissions)
    assert "can read new SMS now" in text
    assert "it last received a new SMS on 8 January 2026" in text
    assert "It can receive new SMS; it cannot open the old ones." in text
    assert "last read SMS" not in text
    opened = (made.permission("READ_SMS", last_access=READ), made.permission("RECEIVE_SMS", last_access=READ))
    assert "it last read SMS" in said(made, sms=made.access("can_read", read=READ), permissions=opened)


def test_the_less_open_states_are_told_as_well(made):
    text = said(made, contacts=made.access("can_read"), sms=made.access("asks_each_time"))
    assert "can read contacts now" in text
    assert "“Quick Cash” can read SMS when you say yes to the phone's question." in text


def test_a_closed_permission_and_an_open_side_door_are_told_together(made):
    text = said(
        made,
        contacts=made.access("can_read"),
        sms=made.access("not_allowed", ways=("notification_listener",)),
        holds=["notification_listener"],
    )
    assert "By its permissions it cannot read SMS; another right, told of here, reaches them all the same." in text
    assert "it cannot read contacts" not in text


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (ReadBy.ITSELF, None),
        (None, None),
        (ReadBy.FOR_ANOTHER, "That time it read for another app."),
        (ReadBy.THROUGH_ANOTHER, "That time another app or a part of the phone fetched the data for it."),
    ],
)
def test_who_fetched_the_data_is_told(made, by, words):
    text = said(made, contacts=made.access("can_read", read=READ, last_read_by=by))
    assert ("That time" in text) is (words is not None)
    assert words is None or words in text


@pytest.mark.parametrize(
    ("refused", "age", "words"),
    [
        (READ, 60, "it last tried to reach contacts on 8 January 2026, 21:14 (phone time) and was turned away."),
        (None, 7200, "it last tried to reach contacts 2 hours before the check and was turned away."),
    ],
)
def test_refusals_are_told(made, refused, age, words):
    access = made.access("can_read", last_refused=refused, last_refused_age_s=age)
    assert words in said(made, contacts=access)


def test_an_app_that_is_switched_off_is_told(made):
    assert "The app is switched off on this phone." in said(made, contacts=made.access("can_read"), enabled=False)


@pytest.mark.parametrize(
    ("sdk", "words"),
    [
        (25, "of each app and kind of data Android 14 keeps the last time only"),
        (34, "(one for the open app, one for the background …)"),
    ],
)
def test_how_far_back_records_go_on_this_version(made, sdk, words):
    app = made.app(lending=LENDS, contacts=made.access("can_read", history_since=READ))
    report = made.report(app, phone=made.phone(sdk))
    text = " ".join(gaps.gap_sentences(ReportView(report, ENGLISH)))
    assert words in text
    assert "This phone's records of these apps can go back to 8 January 2026." in text


def test_of_records_that_were_not_read_nothing_is_said(made):
    unread = {data.value: made.access("can_read", history=History.UNKNOWN) for data in DataClass}
    text = " ".join(gaps.gap_sentences(ReportView(made.report(made.app(lending=LENDS, **unread)), ENGLISH)))
    assert "Earlier readings" not in text


def test_a_user_whose_apps_were_seen_elsewhere_is_not_called_unseen(made):
    folder = User(id=150, kind=UserKind.SECURE_FOLDER, checked=False, why_not=AnswerState.REFUSED)
    app = made.app(lending=LENDS, user=150, contacts=made.access("can_read"))
    told = [gaps.missing_data(ReportView(made.report(*apps, users=(folder,)), ENGLISH)) for apps in ((app,), ())]
    assert [("elsewhere stands above" in one[0], "does not let us look" in one[0]) for one in told] == [
        (True, False),
        (False, True),
    ]


def test_what_was_not_read_is_told(made):
    text = said(made, contacts=made.access("can_read"), sms=made.access("unknown"))
    assert "Whether it can read SMS could not be read. Look at the phone." in text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"installer": "com.android.vending", "installer_name": "Google Play"}, "as the phone notes it: Google Play"),
        ({"installer": "com.example.browser"}, "as the phone notes it: com.example.browser"),
        ({}, "no note that it came from an app store"),
    ],
)
def test_where_it_came_from(made, changed, words):
    assert words in said(made, contacts=made.access("can_read"), **changed)


def test_an_installer_that_was_not_read_is_not_none(made):
    text = said(made, contacts=made.access("can_read"), installer_known=False)
    assert "app store" not in text
    assert "Installed" not in text


def test_a_copy_is_told_apart_and_its_list_is_told_once(made):
    listing = (made.listing("A"),)
    pair = [made.app(user=user, contacts=made.access("can_read"), listed=listing, lending=LENDS) for user in (0, 999)]
    ground = made.ground(*pair)
    found = tuple(replace(one, rule="listed", message=Message(key="listed.A")) for one in map(made.finding, pair))
    voice = ReportView(made.report(*pair, findings=found), ENGLISH)
    assert ground.facts.apps == tuple(pair)
    first, second = (" ".join(app_details.app_sentences(voice, app)) for app in pair)
    assert "an equal name need not be the same app" in first
    assert "equal name" not in second
    assert "This copy belongs to: app clone 999." in second
    assert voice.app_title(pair[1]) == "com.example.made (app clone 999)"


def test_ground_is_grouped(made):
    app = made.app(lending=LENDS, listed=(made.listing("A"),))
    lines = [("package.com.example.made", 80), ("package.com.example.made", 11), ("appops", 5)]
    evidence = tuple(replace(made.finding(app).evidence[0], question=question, line=line) for question, line in lines)
    voice = ReportView(made.report(app, findings=(made.finding(app, evidence=evidence),)), ENGLISH)
    assert app_details.evidence_refs(voice, app) == "package, lines 11, 80; appops, line 5; list list#1"


# --- head, gaps, result -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({}, "Example Demo · Android 14"),
        ({"model": None}, "Example · Android 14"),
        ({"sdk": 23, "sdk_inferred": True, "manufacturer": None, "model": None, "android": None}, "Android 6 or later"),
        ({"sdk": 77, "sdk_inferred": True, "android": None}, "SDK 77 or later"),
        ({"sdk": None, "manufacturer": None, "model": None, "android": None}, "Android version not read"),
    ],
)
def test_phone(made, changed, shown):
    report = made.report(phone=made.phone(**changed))
    assert dict(summary.header_rows(ReportView(report, ENGLISH)))["report.phone"].endswith(shown)


def test_the_maker_s_android_is_named(made):
    phone = made.phone(rom="hyperos")
    phone = replace(phone, rom=replace(phone.rom, name="HyperOS", version="1"))
    assert (
        dict(summary.header_rows(ReportView(made.report(phone=phone), ENGLISH)))["report.phone"]
        == "Example Demo · Android 14 · HyperOS 1"
    )


@pytest.mark.parametrize(
    ("clock", "kind", "shown"),
    [
        (PhoneClock(zone="Asia/Shanghai", offset_s=3), "usb", "15:42 (phone time, Asia/Shanghai; 3 s apart"),
        (PhoneClock(zone="Asia/Shanghai", offset_s=-7200), "usb", "13:41 (phone time, Asia/Shanghai; 2 hours apart"),
        (PhoneClock(zone=None, offset_s=0), "usb", "07:41 (phone time, UTC; 0 s apart"),
        (PhoneClock(zone="No/Where", offset_s=0), "usb", "07:41 (phone time, UTC; 0 s apart"),
        (PhoneClock(zone=None, offset_s=None), "usb", "this computer's time"),
        (PhoneClock(zone=None, offset_s=None), "folder", "date of the files"),
    ],
)
def test_when(made, clock, kind, shown):
    report = made.report(phone_clock=clock, source=Source(kind=kind, sha256=None))
    assert shown in dict(summary.header_rows(ReportView(report, ENGLISH)))["report.checked"]


def test_a_user_who_was_not_checked_is_one_gap(made):
    refused = AnswerState.REFUSED
    users = (
        User(id=0, kind=UserKind.OWNER, checked=True, why_not=None),
        User(id=10, kind=UserKind.OTHER, checked=False, why_not=refused),
    )
    rows = tuple(
        Coverage(question=question, user=10, state=refused, could_hide=True) for question in ("installed", "settings")
    )
    voice = ReportView(made.report(users=users, coverage=rows, complete=False), ENGLISH)
    assert gaps.missing_data(voice) == ("user 10: the phone does not let us look.",)
    assert "Could not be checked: user 10." in dict(summary.header_rows(voice))["report.scope"]


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ("refused", "usb", "the phone refuses"),
        ("unreadable", "usb", "could not be read"),
        ("timed_out", "usb", "took too long"),
        ("not_supported", "usb", "does not know the question"),
        ("not_asked", "folder", "not in this source"),
        ("not_asked", "usb", "the connection ended before"),
        ("answered", "usb", "3 lines not understood"),
    ],
)
def test_each_kind_of_absence_has_its_own_words(made, state, kind, words):
    row = Coverage(question="appops", user=None, state=AnswerState(state), unparsed_lines=3, could_hide=True)
    voice = ReportView(made.report(coverage=(row,), source=Source(kind=kind, sha256=None)), ENGLISH)
    (shown,) = gaps.missing_data(voice)
    assert words in shown


def test_the_gap_of_another_user_names_the_user(made):
    users = (User(id=999, kind=UserKind.CLONE, checked=True, why_not=None),)
    row = Coverage(question="settings", user=999, state=AnswerState.REFUSED, could_hide=True)
    assert "(app clone 999)" in gaps.missing_data(ReportView(made.report(users=users, coverage=(row,)), ENGLISH))[0]


@pytest.mark.parametrize(
    ("here", "country", "words"),
    [(None, None, "says little"), (3, "PK", "3 of them for PK"), (0, "CN", "“not on the list” says nothing")],
)
def test_the_list_never_stands_without_its_size(made, here, country, words):
    report = made.report()
    stamp = replace(report.knowledge.signatures, packages_for_country=here)
    rules = replace(report.knowledge.rules, country=country)
    report = replace(report, knowledge=replace(report.knowledge, signatures=stamp, rules=rules))
    text = " ".join(gaps.gap_sentences(ReportView(report, ENGLISH)))
    assert words in text
    assert "32 package names" in text
    assert "25 November 2024" in text


def outcome(made, *apps, language=ENGLISH, **changed):
    return " ".join(summary.summary_sentences(ReportView(made.report(*apps, **changed), language)))


def test_nothing_found_is_never_fine(made):
    text = outcome(made)
    assert "Everything that can be asked was asked; no lending app was recognised." in text
    assert "cannot be found" in text
    text = outcome(made, coverage=(UNREAD,), complete=False)
    assert "In what could be read, no lending app was recognised. 1 thing could not be checked" in text
    assert "does not mean that the phone is fine" in text


def test_suspects_are_told_where_nothing_else_was_found(made):
    counts = replace(made.report().counts, suspect=2)
    assert "2 more apps can read contacts, SMS or call log." in outcome(made, counts=counts)


def test_named_suspects_are_not_counted_once_more(made):
    app = made.app(contacts=made.access("can_read"))
    counts = replace(made.report().counts, suspect=1)
    report = made.report(app, findings=(made.finding(app, "low", rule="suspect"),), counts=counts)
    assert "1 more app" not in " ".join(gaps.gap_sentences(ReportView(report, ENGLISH)))


def test_the_result_joins_no_grounds_that_differ(made):
    can = made.access("can_read")
    apps = [
        made.app("com.x.a", contacts=can, listed=(made.listing("A"),), lending=LENDS),
        made.app("com.x.b", sms=can, listed=(made.listing("own"),), lending=LENDS),
        made.app("com.x.c", listed=(made.listing("N"),), lending=LENDS),
        made.app("com.x.d", lending=Lending(verdict=LendingVerdict.EMBEDS)),
        made.app("com.x.e", lending=Lending(verdict=LendingVerdict.LIKELY)),
    ]
    text = outcome(made, *apps, coverage=(UNREAD,), complete=False)
    assert text == (
        "5 lending apps found; 1 of them can read contacts now. Can read SMS now: 1. Call log: 0. "
        "The package name of 1 of them equals one on a published list. "
        "These lists hold 32 package names, the newest dated 25 November 2024. "
        "1 of them is named in a regulator's notice. "
        "1 of them is on your own list. 1 of them is a wallet or shop app that also offers loans. "
        "1 of them was recognised by its name alone, which can be wrong. "
        "1 thing could not be checked, so this is not everything."
    )


@pytest.mark.parametrize(
    ("kind", "told"), [("usb", True), ("tcp", True), ("demo", True), ("capture", False), ("folder", False)]
)
def test_what_to_do_before_leaving_is_told_where_a_phone_is(made, kind, told):
    rows = dict(summary.summary_sections(ReportView(made.report(source=Source(kind=kind, sha256=None)), ENGLISH)))
    assert ("report.leaving" in rows) is told


def test_every_finding_of_the_demo_has_ground(demo_capture):
    judgement = run_checks(demo_capture, facts.gather_facts(demo_capture), knowledge.load_knowledge(demo=True))
    assert all(one.evidence for one in judgement.findings)
    assert EffectiveState.BLOCKED in {
        p.effective for app in judgement.apps for p in app.permissions if app.is_recognised
    }
