"""What a borrower can do next: the ladder, and on each rung whom to turn to in the chosen country."""

from __future__ import annotations

from collections.abc import Iterator

from privaudit.i18n import Translator
from privaudit.knowledge import rights
from privaudit.knowledge.rights import CountryRights, RightsItem
from privaudit.report.view import ReportView


def report_rights(view: ReportView) -> CountryRights:
    """What is known for the country of the report; what is true everywhere where there is none, or no page for it."""
    return rights.load_rights(_country_with_rights(view))


def country_name(view: ReportView) -> str:
    """The country of `report_rights`, in the language of the view."""
    return rights.in_language(report_rights(view).country.name, view.language.code)


def rights_title(view: ReportView) -> str:
    """The head of this part."""
    return view.t("rights.next", country=country_name(view))


def escalation_stages(view: ReportView) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each rung of the ladder, and whom to turn to there."""
    for step, offices in report_rights(view).stages():
        yield format_item(step, view.language), tuple(format_item(office, view.language) for office in offices)


def rights_notes(view: ReportView) -> Iterator[str]:
    """What stands below the ladder."""
    country, countries = view.report.knowledge.rules.country, rights.countries_with_rights()
    if country is None:
        yield view.t("rights.no_country", known=countries)
    elif country not in countries:
        yield view.t("rights.no_page", given=country, known=countries)
    else:
        yield view.t("rights.more", given=country)
        yield view.t("rights.letter", given=country)
    yield view.t("rights.debt")


def format_item(item: RightsItem, language: Translator) -> str:
    """An item as one line: what it is called, how to reach it, what it says, and its mark where it has one."""
    text = rights.in_language(item.text, language.code)
    if item.name is not None:
        text = item_title(item, language) + language.t("rights.colon") + text
    return add_verify_mark(text, item, language)


def item_title(item: RightsItem, language: Translator) -> str:
    """What an office or a law is called, and how to reach it; empty where it has no name."""
    name = rights.in_language(item.name, language.code) if item.name is not None else ""
    new = language.t("dates.separator").join(one for one in item.reach if one not in name)
    return name + language.t("rights.reach", reach=new) if new else name


def add_verify_mark(text: str, item: RightsItem, language: Translator) -> str:
    """`text` with the mark of what has to be checked first."""
    return text + language.t("rights.verify") if item.verify else text


def unreviewed_notice(language: Translator) -> tuple[str, ...]:
    """What a paper says of a translation that no native speaker has read over; nothing where one has."""
    return () if language.review_notice is None else (language.translate(language.review_notice),)


def _country_with_rights(view: ReportView) -> str | None:
    country = view.report.knowledge.rules.country
    return country if country in rights.countries_with_rights() else None
