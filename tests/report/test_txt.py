"""The report for a terminal: what it says of each state, and that it says no more than was read."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest
from rich.cells import cell_len

from privaudit import audit, facts, knowledge
from privaudit.capture import read_source
from privaudit.findings import data_access, run_checks
from privaudit.i18n import Translator, catalog
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
def test_lines_fit_the_terminal_width(demo_report, samples, code, width):
    capture = read_source(samples / "lg-m150-android6.0.1")
    options = audit.ReportOptions(include_all_apps=True, include_unrecognised=True, country="CN")
    for report in (demo_report, audit.build_report(capture, knowledge.load_knowledge(country="CN"), options)):
        for line in txt.render(report, Translator(code), width).splitlines():
            assert cell_len(line) <= width, line
            assert line == line.rstrip()


@pytest.mark.parametrize("code", ["en", "zh"])
def test_wide_terminal_adds_the_phone_column_only(demo_report, code):
    narrow, wide = (txt.render(demo_report, Translator(code), width) for width in (80, 100))
    header = next(line for line in wide.splitlines() if Translator(code).t("report.call_log") in line)
    assert header.split()[-1] == Translator(code).t("report.other_phone")
    for app in demo_report.apps:
        assert wide.count(app.package) == narrow.count(app.package)


def test_text_has_no_box_drawing_or_escape_characters(demo_report):
    for code in ("en", "zh"):
        assert not re.search("[\u2500-\u25ff\x1b]", txt.render(demo_report, Translator(code)))


def test_summary_is_the_last_section(demo_report):
    lines = txt.render(demo_report, ENGLISH).splitlines()
    rule = lines.index("-" * 80)
    names = [line[:16].strip() for line in lines[rule + 2 :] if line[:16].strip()]
    assert names == ["Result", "Remember", "Next", "Before leaving"]


# --- the matrix -------------------------------------------------------------------------------------------------------


def cell(made, data="contacts", **changed):
    app = made.app(lending=LENDS, **changed)
    return matrix.cell_text(ReportView(made.report(app), ENGLISH), app, DataClass(data))


def denied(made, name="READ_CONTACTS", **changed):
    return made.permission(name, "denied", **changed)


@pytest.mark.parametrize(
    ("state", "changed", "expected"),
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
def test_cell_shows_state_and_history(made, state, changed, expected):
    assert cell(made, contacts=made.access(state, **changed)) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [(59, "read 0 min ago"), (7200, "read 2 hours ago"), (86400, "read 1 day ago"), (86400 * 400, None)],
)
def test_cell_shows_the_age_of_a_record_without_a_time(made, age, expected):
    access = made.access("can_read", read=READ, last_read_age_s=age)
    second_line = cell(made, contacts=replace(access, last_read=None))[1]
    assert second_line == (expected or "read 400 days ago")
    assert len(second_line) < 18


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ([{"flags": ("USER_SET",)}], "refused"),
        ([{"flags": ("USER_SET", "USER_FIXED")}], "refused"),
        ([{"flags": ()}], "not granted"),  # nobody turned it off: it was never given
        ([{"flags": ("AUTO_REVOKED",)}], "not granted"),
        ([{"flags": ("USER_SET",), "requested": RequestedState.UNKNOWN}], "not granted"),
        ([], "not granted"),
    ],
)
def test_cell_says_refused_only_if_the_user_chose(made, permissions, expected):
    permissions_made = tuple(denied(made, **changed) for changed in permissions)
    assert cell(made, contacts=made.access("not_allowed"), permissions=permissions_made)[1] == expected


def test_cell_for_an_app_that_only_receives_new_sms(made):
    access = made.access("can_read", ways=("incoming",))
    assert cell(made, "sms", sms=access) == ("can read", "new ones only")


@pytest.mark.parametrize(
    ("ways", "second_line"),
    [
        ((), "not granted"),
        (("default_sms",), "but see below"),
        (("notification_listener",), "in notifications"),
        (("notification_listener", "accessibility"), "on the screen"),
    ],
)
def test_cell_of_a_closed_permission_names_another_open_route(made, ways, second_line):
    assert cell(made, "sms", sms=made.access("not_allowed", ways=ways)) == ("cannot read", second_line)


def test_legend_explains_each_word_of_the_matrix(made):
    states = ["can_read", "only_while_open", "asks_each_time", "blocked", "not_requested", "unknown", "not_allowed"]
    apps = [made.app(f"com.x.a{n}", contacts=made.access(state), lending=LENDS) for n, state in enumerate(states)]
    apps.append(made.app("com.x.b", contacts=made.access("can_read", read=READ), lending=LENDS))
    legend = dict(matrix.matrix_legend(ReportView(made.report(*apps), ENGLISH)))
    assert set(legend) == {
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
    assert "That does not mean never." in legend["no record"]
    assert "That does not mean no." in legend["not known"]


# --- what is said of one app ------------------------------------------------------------------------------------------


def details_text(made, language=ENGLISH, coverage=(), **changed):
    app = made.app(label="Quick Cash", lending=LENDS, **changed)
    findings = tuple(data_access.check(app, made.ground(app)))
    report = made.report(app, findings=findings, coverage=coverage)
    return " ".join(app_details.app_sentences(ReportView(report, language), app))


def test_can_read_does_not_claim_that_it_has_read(made):
    text = details_text(made, contacts=made.access("can_read"))
    assert "can read contacts now: the permission is on. This shows that it can, not that it did." in text
    assert "No record does not mean never." in text


def test_recorded_reading_replaces_the_reservation(made):
    text = details_text(made, contacts=made.access("can_read", read=READ))
    assert "not that it did" not in text
    assert "it last read contacts on 8 January 2026, 21:14 (phone time)" in text
    assert "How much it read, and whether it was sent anywhere, is not recorded." in text


def test_can_read_rests_on_the_permission_if_app_ops_are_missing(made):
    unread = made.access("can_read", history=History.UNKNOWN)
    text = details_text(made, contacts=unread, coverage=(UNREAD,))
    assert "This is based on the permission only" in text
    assert "When it last read contacts is not known: the record could not be read." in text
    assert "No record" not in text
    report = made.report(made.app(contacts=unread, lending=LENDS), coverage=(UNREAD,))
    assert "Whether the phone blocks it" in dict(matrix.matrix_legend(ReportView(report, ENGLISH)))["can read"]


def test_record_with_a_closed_permission(made):
    text = details_text(made, contacts=made.access("not_allowed", read=READ), permissions=(denied(made),))
    assert "The phone recorded that “Quick Cash” read contacts. The permission is now off." in text


def test_blocked_permission(made):
    text = details_text(
        made, contacts=made.access("blocked"), permissions=(made.permission("READ_CONTACTS", "blocked"),)
    )
    assert "has the permission for contacts, but the phone blocks it" in text
    assert "permission is now off" not in text


def test_receiving_sms_is_not_reading_old_ones(made):
    received = made.access("can_read", read=READ, ways=("incoming",))
    permissions = (made.permission("RECEIVE_SMS", last_access=READ), made.permission("READ_SMS", "denied"))
    text = details_text(made, sms=received, permissions=permissions)
    assert "can read new SMS now" in text
    assert "it last received a new SMS on 8 January 2026" in text
    assert "It can receive new SMS but cannot open old ones." in text
    assert "last read SMS" not in text
    opened = (made.permission("READ_SMS", last_access=READ), made.permission("RECEIVE_SMS", last_access=READ))
    assert "it last read SMS" in details_text(made, sms=made.access("can_read", read=READ), permissions=opened)


def test_states_that_the_finding_leaves_open_have_sentences(made):
    text = details_text(made, contacts=made.access("can_read"), sms=made.access("asks_each_time"))
    assert "can read contacts now" in text
    assert "“Quick Cash” can read SMS when you allow it; the phone asks each time." in text


@pytest.mark.parametrize("state", ["not_allowed", "blocked", "unknown"])
def test_special_access_has_a_sentence_that_denies_no_permission(made, state):
    text = details_text(
        made,
        contacts=made.access("can_read"),
        sms=made.access(state, ways=("notification_listener",)),
        holds=["notification_listener"],
    )
    assert "Even without the permission for SMS, it can see what message notifications show." in text
    assert "no permission" not in text
    assert "it cannot read contacts" not in text
    assert text.count("gets nothing") == text.count("through this permission, the app gets nothing")


@pytest.mark.parametrize(
    ("read_by", "expected"),
    [
        (ReadBy.ITSELF, None),
        (None, None),
        (ReadBy.FOR_ANOTHER, "That time, it read the data for another app."),
        (ReadBy.THROUGH_ANOTHER, "That time, another app or part of the phone read the data for it."),
    ],
)
def test_reading_for_or_through_another_app(made, read_by, expected):
    text = details_text(made, contacts=made.access("can_read", read=READ, last_read_by=read_by))
    assert ("That time" in text) is (expected is not None)
    assert expected is None or expected in text


@pytest.mark.parametrize(
    ("refused", "age", "expected"),
    [
        (READ, 60, "it last tried to read contacts on 8 January 2026, 21:14 (phone time) and was blocked."),
        (None, 7200, "it last tried to read contacts 2 hours before the check and was blocked."),
    ],
)
def test_refused_access(made, refused, age, expected):
    access = made.access("can_read", last_refused=refused, last_refused_age_s=age)
    assert expected in details_text(made, contacts=access)


def test_disabled_app(made):
    text = details_text(made, contacts=made.access("can_read"), enabled=False)
    assert "The app is disabled or hidden on this phone." in text


@pytest.mark.parametrize(
    ("sdk", "expected"),
    [
        (25, "for each app and kind of data, Android 14 keeps only the last time"),
        (34, "(one for the open app, one for the background …)"),
    ],
)
def test_history_limits_depend_on_the_android_version(made, sdk, expected):
    app = made.app(lending=LENDS, contacts=made.access("can_read", history_since=READ))
    report = made.report(app, phone=made.phone(sdk))
    text = " ".join(gaps.gap_sentences(ReportView(report, ENGLISH)))
    assert expected in text
    assert "The phone's records about these apps can go back to 8 January 2026." in text


def test_history_limits_are_omitted_if_no_record_was_read(made):
    unread = {data.value: made.access("can_read", history=History.UNKNOWN) for data in DataClass}
    text = " ".join(gaps.gap_sentences(ReportView(made.report(made.app(lending=LENDS, **unread)), ENGLISH)))
    assert "Earlier readings" not in text


def test_gap_of_a_user_whose_apps_were_seen_elsewhere(made):
    folder = User(id=150, kind=UserKind.SECURE_FOLDER, checked=False, why_not=AnswerState.REFUSED)
    app = made.app(lending=LENDS, user=150, contacts=made.access("can_read"))
    cases = [gaps.missing_data(ReportView(made.report(*apps, users=(folder,)), ENGLISH)) for apps in ((app,), ())]
    assert [
        ("about them appears above" in sentences[0], "does not give access" in sentences[0]) for sentences in cases
    ] == [
        (True, False),
        (False, True),
    ]


def test_unknown_access(made):
    text = details_text(made, contacts=made.access("can_read"), sms=made.access("unknown"))
    assert "Could not read whether it has access to SMS. Check on the phone." in text


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"installer": "com.android.vending", "installer_name": "Google Play"}, "according to the phone: Google Play"),
        ({"installer": "com.example.browser"}, "according to the phone: com.example.browser"),
        ({}, "no record that it came from an app store"),
    ],
)
def test_installer(made, changed, expected):
    assert expected in details_text(made, contacts=made.access("can_read"), **changed)


def test_unread_installer_has_no_sentence(made):
    text = details_text(made, contacts=made.access("can_read"), installer_known=False)
    assert "app store" not in text
    assert "Installed" not in text


def test_copy_names_its_user_and_does_not_repeat_the_list(made):
    listing = (made.listing("A"),)
    pair = [made.app(user=user, contacts=made.access("can_read"), listed=listing, lending=LENDS) for user in (0, 999)]
    ground = made.ground(*pair)
    findings = tuple(
        replace(finding, rule="listed", message=Message(key="listed.A")) for finding in map(made.finding, pair)
    )
    view = ReportView(made.report(*pair, findings=findings), ENGLISH)
    assert ground.facts.apps == tuple(pair)
    first, second = (" ".join(app_details.app_sentences(view, app)) for app in pair)
    assert "the same package name does not prove that it is the same app" in first
    assert "same package name" not in second
    assert "This copy belongs to: app clone 999." in second
    assert view.app_title(pair[1]) == "com.example.made (app clone 999)"


def test_evidence_refs_are_grouped_by_question(made):
    app = made.app(lending=LENDS, listed=(made.listing("A"),))
    lines = [("package.com.example.made", 80), ("package.com.example.made", 11), ("appops", 5)]
    evidence = tuple(replace(made.finding(app).evidence[0], question=question, line=line) for question, line in lines)
    view = ReportView(made.report(app, findings=(made.finding(app, evidence=evidence),)), ENGLISH)
    assert app_details.evidence_refs(view, app) == "package, lines 11, 80; appops, line 5; list list#1"


# --- head, gaps, result -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "Example Demo · Android 14"),
        ({"model": None}, "Example · Android 14"),
        ({"sdk": 23, "sdk_inferred": True, "manufacturer": None, "model": None, "android": None}, "Android 6 or later"),
        ({"sdk": 77, "sdk_inferred": True, "android": None}, "SDK 77 or later"),
        ({"sdk": None, "manufacturer": None, "model": None, "android": None}, "Android version not read"),
    ],
)
def test_header_names_the_phone(made, changed, expected):
    report = made.report(phone=made.phone(**changed))
    assert dict(summary.header_rows(ReportView(report, ENGLISH)))["report.phone"].endswith(expected)


def test_header_names_the_rom(made):
    phone = made.phone(rom="hyperos")
    phone = replace(phone, rom=replace(phone.rom, name="HyperOS", version="1"))
    assert (
        dict(summary.header_rows(ReportView(made.report(phone=phone), ENGLISH)))["report.phone"]
        == "Example Demo · Android 14 · HyperOS 1"
    )


@pytest.mark.parametrize(
    ("clock", "kind", "expected"),
    [
        (PhoneClock(zone="Asia/Shanghai", offset_s=3), "usb", "15:42 (phone time, Asia/Shanghai; differs by 3 s"),
        (
            PhoneClock(zone="Asia/Shanghai", offset_s=-7200),
            "usb",
            "13:41 (phone time, Asia/Shanghai; differs by 2 hours",
        ),
        (PhoneClock(zone=None, offset_s=0), "usb", "07:41 (phone time, UTC; differs by 0 s"),
        (PhoneClock(zone="No/Where", offset_s=0), "usb", "07:41 (phone time, UTC; differs by 0 s"),
        (PhoneClock(zone=None, offset_s=None), "usb", "this computer's time"),
        (PhoneClock(zone=None, offset_s=None), "folder", "date of the files"),
    ],
)
def test_header_names_the_clock_of_the_audit_time(made, clock, kind, expected):
    report = made.report(phone_clock=clock, source=Source(kind=kind, sha256=None))
    assert expected in dict(summary.header_rows(ReportView(report, ENGLISH)))["report.checked"]


def test_unchecked_user_is_one_gap(made):
    refused = AnswerState.REFUSED
    users = (
        User(id=0, kind=UserKind.OWNER, checked=True, why_not=None),
        User(id=10, kind=UserKind.OTHER, checked=False, why_not=refused),
    )
    rows = tuple(
        Coverage(question=question, user=10, state=refused, could_hide=True) for question in ("installed", "settings")
    )
    view = ReportView(made.report(users=users, coverage=rows, complete=False), ENGLISH)
    assert gaps.missing_data(view) == ("user 10: the phone does not give access.",)
    assert "Could not be checked: user 10." in dict(summary.header_rows(view))["report.scope"]


@pytest.mark.parametrize(
    ("state", "kind", "expected"),
    [
        ("refused", "usb", "the phone does not allow it"),
        ("unreadable", "usb", "could not be read"),
        ("timed_out", "usb", "took too long"),
        ("not_supported", "usb", "does not support the question"),
        ("not_asked", "folder", "not included in this source"),
        ("not_asked", "usb", "the connection ended too early"),
        ("answered", "usb", "lines not understood: 3"),
    ],
)
def test_each_answer_state_has_its_own_gap(made, state, kind, expected):
    row = Coverage(question="appops", user=None, state=AnswerState(state), unparsed_lines=3, could_hide=True)
    view = ReportView(made.report(coverage=(row,), source=Source(kind=kind, sha256=None)), ENGLISH)
    (sentence,) = gaps.missing_data(view)
    assert expected in sentence


def test_gap_of_another_user_names_the_user(made):
    users = (User(id=999, kind=UserKind.CLONE, checked=True, why_not=None),)
    row = Coverage(question="settings", user=999, state=AnswerState.REFUSED, could_hide=True)
    assert "(app clone 999)" in gaps.missing_data(ReportView(made.report(users=users, coverage=(row,)), ENGLISH))[0]


@pytest.mark.parametrize(
    ("for_country", "country", "expected"),
    [(None, None, "says little"), (3, "PK", "only 3 for Pakistan"), (0, "CN", "“not on the list” says nothing")],
)
def test_gaps_name_the_size_of_the_lists(made, for_country, country, expected):
    report = made.report()
    list_info = replace(report.knowledge.signatures, packages_for_country=for_country)
    rules = replace(report.knowledge.rules, country=country)
    report = replace(report, knowledge=replace(report.knowledge, signatures=list_info, rules=rules))
    text = " ".join(gaps.gap_sentences(ReportView(report, ENGLISH)))
    assert expected in text
    assert "32 package names" in text
    assert "25 November 2024" in text


def summary_text(made, *apps, language=ENGLISH, **changed):
    return " ".join(summary.summary_sentences(ReportView(made.report(*apps, **changed), language)))


def test_summary_without_findings_is_no_all_clear(made):
    text = summary_text(made)
    assert "Every question was answered; no lending app was recognised." in text
    assert "cannot be found" in text
    text = summary_text(made, coverage=(UNREAD,), complete=False)
    assert "No lending app was recognised in what could be read. 1 thing could not be checked" in text
    assert "does not mean that the phone is fine" in text


def test_summary_counts_unrecognised_apps_if_no_lender_was_found(made):
    counts = replace(made.report().counts, suspect=2)
    assert "2 apps that can read contacts, SMS or call logs have no record of coming from an app store" in summary_text(
        made, counts=counts
    )


def test_named_unrecognised_apps_are_not_counted_again(made):
    app = made.app(contacts=made.access("can_read"))
    counts = replace(made.report().counts, suspect=1)
    report = made.report(app, findings=(made.finding(app, "low", rule="suspect"),), counts=counts)
    assert "1 more app" not in " ".join(gaps.gap_sentences(ReportView(report, ENGLISH)))


def test_summary_counts_each_reason_separately(made):
    can = made.access("can_read")
    apps = [
        made.app("com.x.a", contacts=can, listed=(made.listing("A"),), lending=LENDS),
        made.app("com.x.b", sms=can, listed=(made.listing("own"),), lending=LENDS),
        made.app("com.x.c", listed=(made.listing("N"),), lending=LENDS),
        made.app("com.x.d", lending=Lending(verdict=LendingVerdict.EMBEDS)),
        made.app("com.x.e", lending=Lending(verdict=LendingVerdict.LIKELY)),
    ]
    text = summary_text(made, *apps, coverage=(UNREAD,), complete=False)
    assert text == (
        "5 lending apps found; 1 of them can read contacts now. Can read SMS now: 1. Call log: 0. "
        "1 of them has the same package name as an app on a published list. "
        "These lists contain 32 package names; the newest list is dated 25 November 2024. "
        "As far as is known, 1 of them has the same package name as an app in a regulator's notice. "
        "1 of them is on your own list. 1 of them is a wallet or shopping app that also offers loans. "
        "1 of them was recognised only by its name, which can be wrong. "
        "1 thing could not be checked, so this result is not complete."
    )


@pytest.mark.parametrize(
    ("kind", "expected"), [("usb", True), ("tcp", True), ("demo", True), ("capture", False), ("folder", False)]
)
def test_leaving_steps_are_printed_for_connected_phones_only(made, kind, expected):
    rows = dict(summary.summary_sections(ReportView(made.report(source=Source(kind=kind, sha256=None)), ENGLISH)))
    assert ("report.leaving" in rows) is expected


def test_every_finding_of_the_demo_has_evidence(demo_capture):
    judgement = run_checks(demo_capture, facts.gather_facts(demo_capture), knowledge.load_knowledge(demo=True))
    assert all(finding.evidence for finding in judgement.findings)
    assert EffectiveState.BLOCKED in {
        permission.effective for app in judgement.apps if app.is_recognised for permission in app.permissions
    }


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("width", [60, 61, 66, 72, 76, 80])
def test_the_heads_of_the_table_do_not_run_together(demo_report, code, width):
    language = Translator(code)
    heads = [language.t(f"report.{data}") for data in ("contacts", "sms", "call_log")]
    lines = txt.render(demo_report, language, width).splitlines()
    (head,) = [line for line in lines if all(word in line for word in heads) and "  " in line.strip()][:1]
    places = [head.index(word) for word in heads]
    assert all(head[place - 1] == " " for place in places)
    row = lines.index(head)
    assert not [line for line in lines[row : row + 20] if re.search("…[^ ]", line)]
