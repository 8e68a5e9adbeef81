"""What a borrower can do next: the stages of escalation, and whom to turn to at each in the chosen country."""

from collections.abc import Iterator

from privaudit.i18n import Translator
from privaudit.knowledge.rights import CountryRights, RightsItem, countries_with_rights, in_language, load_rights
from privaudit.report.view import ReportView


def report_rights(view: ReportView) -> CountryRights:
    """Return the rights for the country of the report, or those that hold everywhere if it has none or no page."""
    country = view.report.knowledge.rules.country
    return load_rights(country if country in countries_with_rights() else None)


def country_name(view: ReportView) -> str:
    """Return the country of `report_rights` in the language of the report."""
    return in_language(report_rights(view).country.name, view.language.code)


def escalation_stages(view: ReportView) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each stage of escalation, and whom to turn to there."""
    for step, offices in report_rights(view).stages():
        yield format_item(step, view.language), tuple(format_item(office, view.language) for office in offices)


def rights_notes(view: ReportView) -> Iterator[str]:
    """Yield what stands below the stages."""
    country, known = view.report.knowledge.rules.country, countries_with_rights()
    if view.is_page:
        pass  # what else there is, is for whoever runs privaudit
    elif country is None:
        yield view.t("rights.no_country", known=known)
    elif country not in known:
        yield view.t("rights.no_page", given=country, known=known)
    else:
        yield view.t("rights.more", given=country)
        yield view.t("rights.letter", given=country)
    yield view.t("rights.debt")


def format_item(item: RightsItem, language: Translator) -> str:
    """Return an item as one line, with the mark if it must be verified."""
    return item_line(item, language) + (language.t("rights.verify") if item.verify else "")


def item_line(item: RightsItem, language: Translator) -> str:
    """Return the name of an item, how to reach it, and its text."""
    text = in_language(item.text, language.code)
    return item_title(item, language) + language.t("rights.colon") + text if item.name is not None else text


def item_title(item: RightsItem, language: Translator) -> str:
    """Return the name of an office or a law and how to reach it; empty if it has no name."""
    name = in_language(item.name, language.code) if item.name is not None else ""
    contacts = language.t("dates.separator").join(contact for contact in item.reach if contact not in name)
    return name + language.t("rights.reach", reach=contacts) if contacts else name
