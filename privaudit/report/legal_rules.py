"""Which rules speak of an app, by whom and of when, what they say, and whether the app holds what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from privaudit.i18n import Language
from privaudit.model import App, Message, RuleMatch, RulesStamp, Value
from privaudit.report.view import Voice

ZONES: Final[Mapping[str, str]] = {
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
_COUNTRIES: Final = frozenset(ZONES.values())
_PRECISE: Final = "android.permission.ACCESS_FINE_LOCATION"
_REGION: Final = 2
"""Letters of a region in a language tag."""


def sentences(voice: Voice, app: App) -> Iterator[str]:
    """One paragraph a rule, those that name the data themselves first; `texts` has what each rule says.

    A copy of which the same is to be said as of the first is passed over.
    """
    first = voice.copies(app.package)[0]
    if app is not first and app.rules == first.rules:
        return
    yield from cited(voice.language, app.rules)


def texts(voice: Voice) -> Iterator[str]:
    """What each rule beside an app says, once; then how far that can be relied on. Nothing where no rule is."""
    matches = [match for app in voice.report.apps for match in app.rules]
    yield from explained(voice.language, matches, voice.report.knowledge.rules)


def cited(language: Language, matches: Sequence[RuleMatch], *, installed: bool = True) -> Iterator[str]:
    """The paragraphs of `sentences` on one app; one that is not installed holds nothing yet."""
    for rule in dict.fromkeys(match.id for match in sorted(matches, key=_likely)):
        yield _cited(language, [match for match in matches if match.id == rule], "asks" if installed else "may_ask")


def explained(language: Language, matches: Sequence[RuleMatch], stamp: RulesStamp) -> Iterator[str]:
    """What `texts` says, of these."""
    for rule, verify in dict.fromkeys((match.id, match.verify) for match in sorted(matches, key=_likely)):
        words = {name: Message(key=f"rule.{rule}.{name}") for name in ("title", "says", "verify")}
        yield language.text("rules.text_unverified" if verify else "rules.text", **words)
    if matches:
        yield language.text("rules.worth", until_on=stamp.known_until)
        if not stamp.checked:
            yield language.text("rules.unchecked")


def none_here(language: Language, stamp: RulesStamp) -> Iterator[str]:
    """That no rule of the chosen country is known."""
    if stamp.rules_for_country == 0:
        yield language.text("rules.none_here", country=stamp.country)


def _cited(language: Language, matches: list[RuleMatch], asks: str) -> str:
    first = matches[0]
    cited = language.text(
        "rules.cited_unverified" if first.verify else "rules.cited",
        dated_on=first.date or Message(key="rules.undated"),
        **{name: Message(key=f"rule.{first.id}.{name}") for name in ("authority", "title")},
    )
    said, told = [cited], dict[str | None, set[str]]()
    for kind in dict.fromkeys(map(_kind, sorted(matches, key=_likely))):
        mine = [match for match in matches if _kind(match) == kind]
        # What the rule itself names need not be said again where we only read it so.
        known = told.setdefault(mine[0].says, set())
        held = _data(mine, "granted", known)
        asked = _data(mine, "requested", known | set(held))
        known |= {*held, *asked}
        said += _statement(language, mine[0], held, asked, asks)
    return language.text("report.between_sentences").join(said)


def _kind(match: RuleMatch) -> tuple[bool, str | None, str | None]:
    return match.likely, match.says, match.condition


def _likely(match: RuleMatch) -> bool:
    return match.likely


def _data(matches: Iterable[RuleMatch], how: str, told: set[str]) -> tuple[str, ...]:
    found = dict.fromkeys(_name(match, data) for match in matches if match.match == how for data in match.data)
    return tuple(name for name in found if name not in told)


def _name(match: RuleMatch, data: str) -> str:
    """What to call the data: a rule on the precise location says nothing of the rough one."""
    rough = any("LOCATION" in name and name != _PRECISE for name in match.permissions)
    return f"{data}_precise" if data == "location" and not rough else data


def _statement(
    language: Language, match: RuleMatch, held: tuple[str, ...], asked: tuple[str, ...], asks: str
) -> Iterator[str]:
    values: dict[str, Value] = {"condition": Message(key=f"rule.{match.id}.{match.condition}")}
    what = Message(key=f"rules.{match.says}{'_likely' if match.likely else ''}", values=values)
    names = {
        name: tuple(Message(key=f"rules.{one}") for one in data) for name, data in (("held", held), ("asked", asked))
    }
    if held or asked:
        name = "holds_and_asks" if held and asked else "holds" if held else asks
        yield language.text(f"rules.{name}", what=what, **names)


def suggestion(voice: Voice) -> Iterator[str]:
    """Whose rules the phone's owner may want to see. It is never assumed: nothing is judged by it."""
    country = region(voice.report.phone.languages, voice.report.phone_clock.zone)
    if voice.report.knowledge.rules.country is None and country is not None:
        yield voice.text("rules.suggest", place=Message(key=f"rules.place_{country}"), country=country)


def region(languages: Iterable[str], zone: str | None) -> str | None:
    """The country with rules that a phone is set to, by its languages first (``zh-CN``), then by its time zone."""
    for tag in languages:
        parts = tag.split("-")[1:]
        found = next((part.upper() for part in parts if len(part) == _REGION and part.isalpha()), None)
        if found in _COUNTRIES:
            return found
    return ZONES.get(zone or "")
