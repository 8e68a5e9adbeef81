"""The HTML page: what it says, what it does not reveal, and that hostile labels stay text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from privaudit import audit, knowledge
from privaudit.i18n import BIDI_ISOLATE, Translator, catalog
from privaudit.model import AnswerState, Coverage, Lending, LendingVerdict, OtherDataClass
from privaudit.report import html, legal_rules, matrix, summary, taps
from privaudit.report.html import build_timeline
from privaudit.report.view import ReportView
from privaudit.revocation.steps import NOTES
from privaudit.virtual_phone import scenario_names

ENGLISH = Translator("en")
LENDS = Lending(verdict=LendingVerdict.YES)
VOID = {"meta", "input", "br"}
GAP = Coverage(question="settings", user=0, state=AnswerState.REFUSED, could_hide=True)


class Document(HTMLParser):
    """What a browser would build: elements in order, each with its attributes, and the text in them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text, self.headings = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"style", "title"}:
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


@pytest.fixture
def page():
    return lambda report, code="en": Document(html.render(report, Translator(code)))


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("story", scenario_names())
def test_page_of_each_scenario_is_complete(report_of, page, story, code):
    report = report_of(story)
    document = page(report, code)
    say = Translator(code).t
    assert document.all("html") == [{"lang": {"zh": "zh-Hans"}.get(code, code), "dir": "ltr"}]
    assert not {"script", "link", "img", "iframe", "form", "object"} & {tag for tag, _ in document.elements}
    assert not any(name.startswith("on") or name == "style" for _, names in document.elements for name in names)
    order = ["summary", "page_stop", "page_steps", "page_contents", "page_matrix", "page_timeline", "page_apps"]
    order += ["page_gaps"]
    order += ["page_cannot", "leaving", "remember"]
    parts = ["result", "stop", "taps", "contents", "matrix", "timeline", "apps", "gaps", "cannot", "rights", "leaving"]
    ids = [attributes["id"] for attributes in document.all("h2")]
    assert ids == [*parts, "remember"]
    places = [document.words.index(say(f"report.{name}")) for name in order]
    assert places[0] == min(places)
    for never in ("uninstalled", "mini", "sent", "elsewhere"):
        assert say(f"report.never_{never}") in document.words
    assert say("report.demo") in document.words
    assert "[report." not in document.words
    assert len(document.all("article")) == len(report.apps)
    anchors = {attributes["id"] for _, attributes in document.elements if "id" in attributes}
    assert {link["href"].removeprefix("#") for link in document.all("a")} <= anchors
    named = [attributes["aria-labelledby"] for _, attributes in document.elements if "aria-labelledby" in attributes]
    assert set(named) <= anchors
    labels = [attributes["for"] for attributes in document.all("label")]
    assert labels == [attributes["id"] for attributes in document.all("input")]
    lists = taps.tap_lists(ReportView(report, ENGLISH))
    actions = sum(step.key not in NOTES for tap_list in lists for step in tap_list.steps)
    assert len(labels) == actions + len("1234")  # and what to do before leaving
    with_steps = {(finding.package, finding.user) for finding in report.findings if finding.steps}
    assert {(app.package, app.user) for tap_list in lists for app in tap_list.apps} == with_steps


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("country", [None, "CN", "BR"])
def test_page_says_nothing_of_commands_clocks_and_protocols(capture_of_story, page, code, country):
    lists = knowledge.load_knowledge(demo=True, country=country)
    for story in ("borrower", "oneui"):
        report = audit.build_report(capture_of_story(story), lists, audit.ReportOptions(country=country))
        words = page(report, code).words
        assert not re.search(r"--\w|privaudit [a-z]|ADB|Asia/Shanghai", words.replace("USB", "")), words


@pytest.mark.parametrize("country", ["CN", "IN"])
def test_rules_are_cited_beside_apps_and_explained_once(capture_of_story, page, country):
    lists = knowledge.load_knowledge(demo=True, country=country)
    report = audit.build_report(capture_of_story("borrower"), lists, audit.ReportOptions(country=country))
    words, view = page(report).words, ReportView(report, ENGLISH)
    citations = [sentence for app in report.apps for sentence in legal_rules.rule_sentences(view, app)]
    explanations = list(legal_rules.rule_explanations(view))
    assert citations
    for sentence in (*citations, *explanations):
        assert " ".join(sentence.split()) in words, sentence
    assert all(words.count(" ".join(sentence.split())) == 1 for sentence in explanations)


def test_page_head_does_not_reveal_the_subject(demo_report):
    text = html.render(demo_report, ENGLISH)
    head = text[: text.index("<style>")]
    assert re.search(r"<title>(.*)</title>", head)[1] == "Phone permission check"
    assert not re.search(r"loan|lend|debt|privaudit", head, re.IGNORECASE)


def test_policy_allows_only_our_style_sheet(demo_report):
    text = html.render(demo_report, ENGLISH)
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;" in text
    assert "url(" not in style
    assert "@import" not in style


def test_heading_levels_do_not_skip(demo_report, page):
    levels = [int(tag[1]) for tag, _ in page(demo_report).elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_table_cells_have_headers(demo_report, page):
    for attributes in page(demo_report).all("th"):
        assert attributes["scope"] in {"col", "row"}
    assert all("data-head" in attributes for attributes in page(demo_report).all("td"))


def test_unlisted_apps_are_not_named(capture_of_story, page):
    full_report = audit.build_report(
        capture_of_story("borrower"),
        knowledge.load_knowledge(demo=True),
        audit.ReportOptions(include_all_apps=True, include_unrecognised=True),
    )
    default_report = audit.build_report(
        capture_of_story("borrower"), knowledge.load_knowledge(demo=True), audit.ReportOptions()
    )
    words = page(default_report).words
    ordinary = {app.package for app in full_report.apps} - {app.package for app in default_report.apps}
    assert len(ordinary) > 100
    assert not [name for name in ordinary if re.search(rf"{re.escape(name)}(?![\w.])", words)]


def test_first_page_says_whether_there_are_gaps(made):
    app = made.app(lending=LENDS, contacts=made.access("can_read"))
    assert summary.completeness(ReportView(made.report(app), ENGLISH)) is not None
    view = ReportView(made.report(app, coverage=(GAP,), complete=False), ENGLISH)
    assert summary.completeness(view) is None
    assert any("could not be checked" in sentence for sentence in summary.verdict(view)[1])


def test_three_next_steps_for_each_outcome(made, demo_report):
    closed = made.report(made.app(lending=LENDS))
    nothing = made.report()
    unread = replace(nothing, counts=replace(nothing.counts, apps_seen=0))
    names = [
        [name for name, _ in summary.next_steps(ReportView(report, ENGLISH))]
        for report in (demo_report, closed, nothing, unread)
    ]
    assert names == [
        ["Save the evidence", "Then revoke the permissions", "Then make your demands in writing"],
        ["Save the evidence", "Check on the phone yourself", "Then make your demands in writing"],
        ["Save the evidence", "Check on the phone yourself", "Get help"],
        ["Save the evidence", "Check again", "Get help"],
    ]


@pytest.mark.parametrize("code", ["en", "zh"])
def test_page_without_apps(made, page, code):
    nothing = made.report(complete=False, coverage=(GAP,))
    words = page(nothing, code).words
    assert Translator(code).t("report.nothing_gaps", n=1) in words
    unread = replace(nothing, counts=replace(nothing.counts, apps_seen=0))
    assert Translator(code).t("report.nothing_read") in page(unread, code).words


# --- other ways -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holds", "coverage", "expected"),
    [
        ((), (), [("none seen", False)]),
        (("accessibility", "default_sms"), (), [("accessibility", True), ("default SMS app", True)]),
        ((), (GAP,), [("not known", False)]),
        (("overlay",), (GAP,), [("display over other apps", True), ("others not known", False)]),
        ((), (replace(GAP, user=10),), [("none seen", False)]),  # another user's settings
    ],
)
def test_special_access_none_seen_requires_complete_answers(made, holds, coverage, expected):
    app = made.app(holds=holds, lending=LENDS)
    assert list(matrix.special_access_routes(ReportView(made.report(app, coverage=coverage), ENGLISH), app)) == expected


def test_access_rows_name_the_routes(made):
    phone = {OtherDataClass.PHONE: made.access("can_read"), OtherDataClass.LOCATION: made.access("not_requested")}
    sms = made.access("not_allowed", ways=("default_sms",))
    app = made.app(lending=LENDS, contacts=made.access("can_read"), sms=sms, other_access=phone)
    rows = [
        (row.data, row.access_text, row.routes)
        for row in matrix.access_rows(ReportView(made.report(app), ENGLISH), app)
    ]
    assert rows == [
        ("contacts", "can read", "by its permission"),
        ("SMS", "cannot read", "default SMS app"),
        ("call log", "cannot read", "no way seen"),
        ("phone", "can read", "by its permission"),
    ]


def test_data_missing_from_an_older_report_is_not_known(made, page):
    app = made.app(lending=LENDS)  # without other_access
    words = page(made.report(app)).words
    assert re.search(r"phone.*\? not known", words)


# --- marks in time ----------------------------------------------------------------------------------------------------


def _marks(report):
    timeline = build_timeline(ReportView(report, ENGLISH))
    return [[(mark.kind, round(mark.position, 2), mark.level) for mark in marks] for _, marks in timeline.rows]


def test_timeline_mark_positions(made):
    app = made.app(
        lending=LENDS,
        first_installed=made.now - timedelta(days=100),
        last_updated=made.now - timedelta(days=50),
        contacts=made.access("can_read", read=made.now - timedelta(days=1)),
        sms=made.access("can_read", read=made.now - timedelta(hours=1)),
        call_log=made.access("can_read"),
    )
    assert _marks(made.report(app)) == [
        [("installed", 0, 0), ("updated", 0.5, 0), ("contacts", 0.99, 0), ("sms", 1, 1)],
    ]


def test_timeline_clamps_old_marks_and_accepts_ages(made):
    old = made.access("can_read", read=made.now, last_read_age_s=86400)
    app = made.app(
        lending=LENDS, first_installed=made.now - timedelta(days=6000), contacts=replace(old, last_read=None)
    )
    assert _marks(made.report(app)) == [[("installed", 0, 0), ("contacts", 1, 0)]]
    ((_, marks),) = build_timeline(ReportView(made.report(app), ENGLISH)).rows
    assert marks[-1].text == "1 day before the check: last read contacts"


def test_timeline_accepts_naive_and_missing_times(made):
    naive = made.now.replace(tzinfo=None)
    app = made.app(lending=LENDS, first_installed=naive, contacts=made.access("can_read", read=naive))
    assert [kind for kind, _, _ in _marks(made.report(app))[0]] == ["installed", "contacts"]
    assert _marks(made.report(made.app(lending=LENDS))) == []
    assert _marks(made.report()) == []


# --- hostile text -----------------------------------------------------------------------------------------------------

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}{% raw %}</style>",
    "bidi": "\u202egpj.exe\u2066x\u2069\u2068y",
    "long": "长" * 10_000,
    "zero width": "a\u200bb\u2060c\ufeffd",
    "emoji": "💰👨‍👩‍👧 借钱",
    "surrogate": "half \ud800 pair",
    "newline": "a\nb\r\n\x1b[31mc",
}


def hostile(made, label):
    """A report in which everything that a phone or a list says is `label`."""
    read = made.access("can_read", read=made.now, ways=("permission",))
    given = {"label": label, "version_name": label, "installer": "x.y", "installer_name": label, "contacts": read}
    given |= {"launcher_labels": (label,), "lending": LENDS, "holds": ("accessibility",), "first_installed": made.now}
    lists = (made.listing(publisher=label, title=label, action=label, via=label, country=label),)
    app = made.app(f"com.{'long.' * 40}example", listed=lists, **given)
    clone = made.app(f"com.{'long.' * 40}example", user=999, listed=lists, **given)
    phone = made.phone(manufacturer=label, model=label, android=label)
    return made.report(app, clone, phone=phone)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_label_stays_text(made, page, name):
    plain = {tag for tag, _ in page(hostile(made, "x")).elements}
    text = html.render(hostile(made, HOSTILE[name]), ENGLISH)
    document = Document(text)
    assert {tag for tag, _ in document.elements} == plain
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff\x1b]", text)
    assert len(text) < 200_000
    if name == "markup":
        assert "<script>alert(1)</script><img" in document.words
    if name == "emoji":
        assert HOSTILE[name] in document.words
    text.encode()


def test_invalid_package_in_a_saved_report_is_escaped(made, page):
    app = made.app('x" onclick="alert(1)\u2068\u2069<b>', lending=LENDS)
    document = page(made.report(app))
    assert not any("onclick" in attributes for _, attributes in document.elements)
    assert {"id": "app-0-x--onclick--alert-1----b-"} in document.all("h3")


def test_untrusted_text_is_isolated_in_bdi(made):
    text = html.render(hostile(made, "אבג"), ENGLISH)
    outside = re.sub(r"<bdi>[^<]*</bdi>", "", text)
    assert "אבג" not in outside
    assert not set(BIDI_ISOLATE) & set(text)
    assert (
        Translator("en", isolate_bidi=True).quote_untrusted("\u2068x\u2069") == "\u2068x\u2069"
    )  # ours, not the phone's
