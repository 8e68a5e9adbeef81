"""Which rules speak of an app, by whom and of when, what they say, and whether the app holds what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from privaudit.i18n import Translator
from privaudit.model import App, Message, MessageValue, RuleMatch, RuleSetInfo
from privaudit.report.view import ReportView

COUNTRY_BY_TIME_ZONE: Final[Mapping[str, str]] = {
    "Africa/Lagos": "NG",
    "Africa/Nairobi": "KE",
    "America/Cancun": "MX",
    "America/Chihuahua": "MX",
    "America/Hermosillo": "MX",
    "America/Mazatlan": "MX",
    "America/Merida": "MX",
    "America/Mexico_City": "MX",
    "America/Monterrey": "MX",
    "America/Tijuana": "MX",
    "Asia/Calcutta": "IN",
    "Asia/Chongqing": "CN",
    "Asia/Harbin": "CN",
    "Asia/Jakarta": "ID",
    "Asia/Jayapura": "ID",
    "Asia/Karachi": "PK",
    "Asia/Kolkata": "IN",
    "Asia/Makassar": "ID",
    "Asia/Manila": "PH",
    "Asia/Pontianak": "ID",
    "Asia/Shanghai": "CN",
    "Asia/Urumqi": "CN",
}
"""Time zones of the countries that have rules here. Source: IANA ``zone.tab``."""
_COUNTRIES_WITH_RULES: Final = frozenset(COUNTRY_BY_TIME_ZONE.values())
_FINE_LOCATION: Final = "android.permission.ACCESS_FINE_LOCATION"
_REGION_SUBTAG_CHARS: Final = 2
"""Letters of a region in a language tag."""


def rule_sentences(view: ReportView, app: App) -> Iterator[str]:
    """One paragraph a rule, those that name the data themselves first; `rule_explanations` has what each rule says.

    A copy of which the same is to be said as of the first is passed over.
    """
    first = view.installs_of(app.package)[0]
    if app is not first and app.rules == first.rules:
        return
    yield from cite_rules(view.language, app.rules)


def rule_explanations(view: ReportView) -> Iterator[str]:
    """What each rule beside an app says, once; then how far that can be relied on. Nothing where no rule is."""
    matches = [match for app in view.report.apps for match in app.rules]
    yield from explain_rules(view.language, matches, view.report.knowledge.rules)


def cite_rules(language: Translator, matches: Sequence[RuleMatch], *, installed: bool = True) -> Iterator[str]:
    """The paragraphs of `sentences` on one app; one that is not installed holds nothing yet."""
    for rule in dict.fromkeys(match.id for match in sorted(matches, key=_is_inferred)):
        yield _cite_rule(language, [match for match in matches if match.id == rule], "asks" if installed else "may_ask")


def explain_rules(language: Translator, matches: Sequence[RuleMatch], rule_set: RuleSetInfo) -> Iterator[str]:
    """What `rule_explanations` says, of these."""
    for rule, verify in dict.fromkeys((match.id, match.verify) for match in sorted(matches, key=_is_inferred)):
        words = {name: Message(key=f"rule.{rule}.{name}") for name in ("title", "says", "verify")}
        yield language.t("rules.text_unverified" if verify else "rules.text", **words)
    if matches:
        yield language.t("rules.worth", until_on=rule_set.known_until)
        if not rule_set.checked:
            yield language.t("rules.unchecked")


def no_rules_notice(language: Translator, rule_set: RuleSetInfo) -> Iterator[str]:
    """That no rule of the chosen country is known."""
    if rule_set.rules_for_country == 0:
        yield language.t("rules.none_here", country=rule_set.country)


def _cite_rule(language: Translator, matches: list[RuleMatch], request_key: str) -> str:
    first = matches[0]
    cited = language.t(
        "rules.cited_unverified" if first.verify else "rules.cited",
        dated_on=first.date or Message(key="rules.undated"),
        **{name: Message(key=f"rule.{first.id}.{name}") for name in ("authority", "title")},
    )
    said, told = [cited], dict[str | None, set[str]]()
    for kind in dict.fromkeys(map(_stance_key, sorted(matches, key=_is_inferred))):
        mine = [match for match in matches if _stance_key(match) == kind]
        # What the rule itself names need not be said again where we only read it so.
        known = told.setdefault(mine[0].says, set())
        held = _data_names(mine, "granted", known)
        asked = _data_names(mine, "requested", known | set(held))
        known |= {*held, *asked}
        said += _stance_sentence(language, mine[0], held, asked, request_key)
    return language.t("report.between_sentences").join(said)


def _stance_key(match: RuleMatch) -> tuple[bool, str | None, str | None]:
    return match.likely, match.says, match.condition


def _is_inferred(match: RuleMatch) -> bool:
    return match.likely


def _data_names(matches: Iterable[RuleMatch], match_kind: str, already_named: set[str]) -> tuple[str, ...]:
    found = dict.fromkeys(
        _data_name(match, data) for match in matches if match.match == match_kind for data in match.data
    )
    return tuple(name for name in found if name not in already_named)


def _data_name(match: RuleMatch, data: str) -> str:
    """What to call the data: a rule on the precise location says nothing of the rough one."""
    rough = any("LOCATION" in name and name != _FINE_LOCATION for name in match.permissions)
    return f"{data}_precise" if data == "location" and not rough else data


def _stance_sentence(
    language: Translator,
    match: RuleMatch,
    held_data: tuple[str, ...],
    requested_data: tuple[str, ...],
    request_key: str,
) -> Iterator[str]:
    values: dict[str, MessageValue] = {"condition": Message(key=f"rule.{match.id}.{match.condition}")}
    what = Message(key=f"rules.{match.says}{'_likely' if match.likely else ''}", values=values)
    names = {
        name: tuple(Message(key=f"rules.{one}") for one in data)
        for name, data in (("held", held_data), ("asked", requested_data))
    }
    if held_data or requested_data:
        name = "holds_and_asks" if held_data and requested_data else "holds" if held_data else request_key
        yield language.t(f"rules.{name}", what=what, **names)


def country_suggestion(view: ReportView) -> Iterator[str]:
    """Whose rules the phone's owner may want to see. It is never assumed: nothing is judged by it."""
    country = detect_country(view.report.phone.languages, view.report.phone_clock.zone)
    if view.report.knowledge.rules.country is None and country is not None:
        yield view.t("rules.suggest", place=Message(key=f"rules.place_{country}"), country=country)


def detect_country(languages: Iterable[str], time_zone: str | None) -> str | None:
    """The country with rules that a phone is set to, by its languages first (``zh-CN``), then by its time zone."""
    for tag in languages:
        parts = tag.split("-")[1:]
        found = next((part.upper() for part in parts if len(part) == _REGION_SUBTAG_CHARS and part.isalpha()), None)
        if found in _COUNTRIES_WITH_RULES:
            return found
    return COUNTRY_BY_TIME_ZONE.get(time_zone or "")
