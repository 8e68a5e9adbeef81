"""The legal rules that stand beside an app: authority, date, what they say and which data the app can reach."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final

from privaudit.i18n import Translator, catalog
from privaudit.knowledge.rules import phone_countries
from privaudit.model import App, Message, MessageValue, RuleMatch, RuleSetInfo, RuleStance
from privaudit.report.view import ReportView

_COUNTRY_NAME_KEYS: Final[Mapping[str, str]] = {
    "BD": "rules.place_BD",
    "CI": "rules.place_CI",
    "CL": "rules.place_CL",
    "CN": "rules.place_CN",
    "CO": "rules.place_CO",
    "GH": "rules.place_GH",
    "ID": "rules.place_ID",
    "IN": "rules.place_IN",
    "KE": "rules.place_KE",
    "MX": "rules.place_MX",
    "NG": "rules.place_NG",
    "PE": "rules.place_PE",
    "PH": "rules.place_PH",
    "PK": "rules.place_PK",
    "TH": "rules.place_TH",
    "TZ": "rules.place_TZ",
    "UG": "rules.place_UG",
    "VN": "rules.place_VN",
}
"""The countries that have rules or lists."""
_COUNTRIES_WITH_RULES: Final = frozenset({"CN", "ID", "IN", "KE", "MX", "NG", "PH", "PK"})
_STANCE_KEYS: Final[Mapping[RuleStance, tuple[str, str, str | None]]] = {
    "forbids": ("rules.forbids", "rules.forbids_likely", "rules.brief_forbids"),
    "not_necessary": ("rules.not_necessary", "rules.not_necessary_likely", "rules.brief_not_necessary"),
    "conditional": ("rules.conditional", "rules.conditional_likely", "rules.brief_conditional"),
    "advises": ("rules.advises", "rules.advises_likely", "rules.brief_advises"),
    "conduct": ("rules.conduct", "rules.conduct_likely", None),
}
"""Stance → its words if the rule names this data itself, if we infer that it means this data, and in the short report.

A rule of conduct is told of in the details only: no permission shows what people do."""
_DATA_KEYS: Final[Mapping[str, str]] = {
    "contacts": "rules.contacts",
    "sms": "rules.sms",
    "call_log": "rules.call_log",
    "phone": "rules.phone",
    "location": "rules.location",
    "media": "rules.media",
    "app_list": "rules.app_list",
}
_FINE_LOCATION: Final = "android.permission.ACCESS_FINE_LOCATION"


def rule_sentences(view: ReportView, app: App) -> Iterator[str]:
    """Yield one paragraph for each rule that applies to `app`, rules that name the data themselves first.

    `rule_explanations` has what each rule says. A copy of an app with the same rules as the first yields nothing.
    """
    first = view.installs_of(app.package)[0]
    if app is first or app.rules != first.rules:
        yield from cite_rules(view.language, app.rules)


def brief_rules(view: ReportView, numbers: Mapping[str, int]) -> Iterator[str]:
    """Yield one line for each authority and stance: which data it is about, and the numbers of the apps that hold them.

    What apps only ask for is left out, and so are rules of conduct.
    """
    apps_by_line: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
    unverified = set()
    for app in view.ordered_apps():
        for match in _translated(view.language, app.rules):
            stance_key = None if match.says is None else _STANCE_KEYS[match.says][2]
            if stance_key is None or match.match != "granted":
                continue
            line = view.t(f"rule.{match.id}.authority"), stance_key
            for data in _data_keys([match], "granted", set()):
                apps_by_line.setdefault(line, {}).setdefault(data, {})[str(numbers[app.package])] = None
            unverified |= {line} if match.verify else set()
    for line, apps_by_data in apps_by_line.items():
        authority, stance_key = line
        held = tuple(
            Message(key="rules.brief_data", values={"what": Message(key=key), "apps": " ".join(app_numbers)})
            for key, app_numbers in apps_by_data.items()
        )
        mark = view.t("rules.brief_unverified") if line in unverified else ""
        yield view.t(stance_key, authority=authority, held=held) + mark


def rule_explanations(view: ReportView) -> Iterator[str]:
    """Yield what each cited rule says, once; then how far that can be relied on. Nothing if no rule is cited."""
    matches = [match for app in view.report.apps for match in app.rules]
    yield from explain_rules(view.language, matches, view.report.knowledge.rules)


def _translated(language: Translator, matches: Iterable[RuleMatch]) -> list[RuleMatch]:
    """Leave out the rules without texts in the reader's language: half a sentence in English helps no borrower."""
    return [match for match in matches if catalog.has_rule_texts(match.id, language.code)]


def cite_rules(language: Translator, matches: Sequence[RuleMatch], *, installed: bool = True) -> Iterator[str]:
    """Yield a paragraph for each rule that one app matches. An app that is not `installed` may only ask."""
    translated = _translated(language, matches)
    for rule_id in dict.fromkeys(match.id for match in sorted(translated, key=attrgetter("likely"))):
        own = [match for match in translated if match.id == rule_id]
        yield _cite_rule(language, own, "rules.asks" if installed else "rules.may_ask")


def explain_rules(language: Translator, matches: Sequence[RuleMatch], rule_set: RuleSetInfo) -> Iterator[str]:
    """Yield what each rule of `matches` says, once; how far that can be relied on; and how many are not translated."""
    translated = _translated(language, matches)
    for rule_id, verify in dict.fromkeys(
        (match.id, match.verify) for match in sorted(translated, key=attrgetter("likely"))
    ):
        yield language.t(
            "rules.text_unverified" if verify else "rules.text",
            title=Message(key=f"rule.{rule_id}.title"),
            says=Message(key=f"rule.{rule_id}.says"),
            verify=Message(key=f"rule.{rule_id}.verify"),
        )
    if translated:
        yield language.t("rules.worth", until_on=rule_set.known_until)
        if not rule_set.checked:
            yield language.t("rules.unchecked")
    if left_out := {match.id for match in matches} - {match.id for match in translated}:
        yield language.t("rules.untranslated", n=len(left_out))


def no_rules_notice(language: Translator, rule_set: RuleSetInfo) -> Iterator[str]:
    """Yield that no rule of the chosen country is known, if that is so."""
    if rule_set.rules_for_country == 0:
        yield language.t("rules.none_here", country=country_label(rule_set.country))


def _cite_rule(language: Translator, matches: list[RuleMatch], request_key: str) -> str:
    """Return a paragraph: a rule's title, authority and date, then its stances; `request_key` words what is asked."""
    rule = matches[0]
    sentences = [
        language.t(
            "rules.cited_unverified" if rule.verify else "rules.cited",
            dated_on=rule.date or Message(key="rules.undated"),
            authority=Message(key=f"rule.{rule.id}.authority"),
            title=Message(key=f"rule.{rule.id}.title"),
        )
    ]
    named_by_stance: dict[RuleStance | None, set[str]] = {}
    for stance in dict.fromkeys(map(_stance_of, sorted(matches, key=attrgetter("likely")))):
        own = [match for match in matches if _stance_of(match) == stance]
        # Data that the rule itself names are not repeated as inferred: explicit stances come first.
        named = named_by_stance.setdefault(own[0].says, set())
        held = _data_keys(own, "granted", named)
        requested = _data_keys(own, "requested", named | set(held))
        named |= {*held, *requested}
        sentences += _stance_sentence(language, own[0], held, requested, request_key)
    return language.t("report.between_sentences").join(sentences)


def _stance_of(match: RuleMatch) -> tuple[bool, RuleStance | None, str | None]:
    return match.likely, match.says, match.condition


def _data_keys(matches: Iterable[RuleMatch], match_kind: str, named: set[str]) -> tuple[str, ...]:
    keys = (_data_key(match, data) for match in matches if match.match == match_kind for data in match.data)
    return tuple(key for key in dict.fromkeys(keys) if key not in named)


def _data_key(match: RuleMatch, data: str) -> str:
    """Return the name of the data: a rule about the precise location does not apply to the approximate one."""
    is_approximate = any("LOCATION" in name and name != _FINE_LOCATION for name in match.permissions)
    if data == "location" and not is_approximate:
        return "rules.location_precise"
    return _DATA_KEYS.get(data, "rules." + data)  # a later version may have more kinds: shown as their key


def _stance_sentence(
    language: Translator, match: RuleMatch, held: tuple[str, ...], requested: tuple[str, ...], request_key: str
) -> Iterator[str]:
    if match.says is None or not (held or requested):
        return  # a report of another version need not have the stance
    stated_key, inferred_key, _ = _STANCE_KEYS[match.says]
    condition = Message(key=f"rule.{match.id}.{match.condition}")
    yield language.t(
        "rules.holds_and_asks" if held and requested else "rules.holds" if held else request_key,
        what=Message(key=inferred_key if match.likely else stated_key, values={"condition": condition}),
        held=tuple(Message(key=key) for key in held),
        asked=tuple(Message(key=key) for key in requested),
    )


def country_suggestion(view: ReportView) -> Iterator[str]:
    """Yield which country's rules the phone's owner may want to see. It is never assumed, and judges nothing."""
    country = detect_country(view.report.phone.languages, view.report.phone_clock.zone)
    if view.report.knowledge.rules.country is None and country is not None:
        yield view.t("rules.suggest", place=country_label(country), country=country)


def country_label(country: str | None) -> MessageValue:
    """Return the name of `country` in any language, or its code if it has neither rules nor lists here."""
    key = _COUNTRY_NAME_KEYS.get(country or "")
    return country if key is None else Message(key=key)


def countries_of_name(name: str) -> tuple[str, ...]:
    """Return the codes of the countries that have this whole name in one of our languages, in any letter case."""
    wanted = _fold_name(name)
    return tuple(
        code
        for code, key in _COUNTRY_NAME_KEYS.items()
        if wanted in {_fold_name(Translator(language).t(key)) for language in catalog.languages()}
    )


def _fold_name(name: str) -> str:
    """Return a name without case, accents, spaces and an English article."""
    letters = unicodedata.normalize("NFKD", name.casefold().removeprefix("the "))
    return "".join(char for char in letters if not char.isspace() and not "\u0300" <= char <= "\u036f")


def detect_country(languages: Iterable[str], time_zone: str | None) -> str | None:
    """Return the country with rules that a phone is set to: by its languages (``zh-CN``), else by its time zone."""
    countries = phone_countries(languages, time_zone)
    return next((country for country in countries if country in _COUNTRIES_WITH_RULES), None)
