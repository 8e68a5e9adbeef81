"""The sentence about a listing names publisher, date and reprint in the source's own word, and claims nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privaudit.findings import listed
from privaudit.i18n import Translator, catalog
from privaudit.report import app_details
from privaudit.report.view import ReportView

ENGLISH, CHINESE = Translator("en"), Translator("zh")


def words(made, language, chosen=None, **changed):
    tier = changed.pop("tier", "A")
    app = made.app(label="Quick Cash", contacts=made.access("can_read"), listed=(made.listing(tier, **changed),))
    report = made.report(app, findings=tuple(listed.check(app, made.ground(app))))
    rules = replace(report.knowledge.rules, country=chosen)
    report = replace(report, knowledge=replace(report.knowledge, rules=rules))
    return " ".join(app_details.app_sentences(ReportView(report, language), app))


@pytest.mark.parametrize("tier", ["A", "B", "N"])
def test_publisher_title_and_date(made, tier):
    for language, date in ((ENGLISH, "5 December 2023"), (CHINESE, "2023年12月5日")):
        sentence = words(made, language, tier=tier)
        assert "Example Security" in sentence
        assert "A list" in sentence
        assert date in sentence


@pytest.mark.parametrize("tier", ["A", "B", "N"])
def test_a_list_without_date_says_so(made, tier):
    assert "the list has no date" in words(made, ENGLISH, tier=tier, date=None)
    assert "名单没有写日期" in words(made, CHINESE, tier=tier, date=None)


@pytest.mark.parametrize(("date", "shown"), [("2023", "(2023)"), ("2023-12", "(December 2023)")])
def test_a_date_says_no_more_than_the_list(made, date, shown):
    assert shown in words(made, ENGLISH, date=date)


def test_equal_package_name_is_not_called_the_same_app(made):
    for tier in ("A", "B"):
        assert "the same package name does not prove that it is the same app" in words(made, ENGLISH, tier=tier)
        assert "包名相同，不等于就是同一个应用" in words(made, CHINESE, tier=tier)


def test_the_reprint_is_named(made):
    assert "This tool read a reprint: The News." in words(made, ENGLISH, via="The News")
    assert "本工具看到的是转载：The News。" in words(made, CHINESE, via="The News")
    assert "reprint" not in words(made, ENGLISH)


@pytest.mark.parametrize("action", ["reported", "delisted", "illegal", "watch list"])
def test_action_is_quoted_in_the_regulators_word(made, action):
    sentence = words(made, ENGLISH, tier="B", action=action)
    assert f"“{action}”" in sentence
    assert ("Reported only means reported." in sentence) == (action == "reported")
    assert ("被举报，不等于已经认定。" in words(made, CHINESE, tier="B", action=action)) == (action == "reported")


@pytest.mark.parametrize("language", sorted(catalog.languages()))
def test_a_word_for_a_lender_without_a_licence_is_explained_in_every_language(made, language):
    sentences = Translator(language)
    for action in ("illegal", "informal", "unlicensed", "Illegal"):
        assert sentences.t("listed.no_licence", action=action) in words(made, sentences, tier="B", action=action)
    assert "licence" not in words(made, ENGLISH, tier="B", action="delisted")


def test_the_researchers_word_is_explained(made):
    assert "SpyLoan is researchers' term" in words(made, ENGLISH)
    assert "SpyLoan 是研究者起的名称" in words(made, CHINESE)


def test_a_notice_does_not_accuse(made):
    sentence = words(made, ENGLISH, tier="N", action="notified")
    assert "Whether the problem was fixed since is not known." in sentence
    assert "equals" not in sentence
    assert "后来有没有整改，不清楚。" in words(made, CHINESE, tier="N", action="notified")


def test_own_list_has_no_source(made):
    sentence = words(made, ENGLISH, tier="own")
    assert "a list that you added. It has no published source." in sentence
    assert "Example Security" not in sentence


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [("CN", "another country's list, not yours (code PK)"), (None, "one country's list (code PK)"), ("PK", None)],
)
def test_a_list_of_another_country_says_so(made, chosen, shown):
    sentence = words(made, ENGLISH, chosen, tier="B", country="PK")
    assert shown in sentence if shown else "code PK" not in sentence


@pytest.mark.parametrize(
    ("date", "told"),
    [("2025-01-10", None), ("2025-01", None), ("2025-01-09", "a year"), ("2022", "3 years"), (None, None)],
)
def test_a_list_that_was_old_at_the_check_says_so(made, date, told):
    """The check was on 10 January 2026."""
    sentence = words(made, ENGLISH, tier="B", date=date)
    said = "At the time of this check, the list was more than"
    assert (f"{said} {told} old." in sentence) if told else said not in sentence


def test_disputed(made):
    assert "The listing is disputed" in words(made, ENGLISH, disputed=True)
    assert "有争议" in words(made, CHINESE, disputed=True)
