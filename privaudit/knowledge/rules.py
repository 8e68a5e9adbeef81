"""The legal rules that privaudit knows, which of them apply to an app, and the countries that a phone is set to."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final

from privaudit.i18n import catalog
from privaudit.knowledge import loader
from privaudit.knowledge.loader import NOT_COMPILED, CompiledFile, Problems
from privaudit.knowledge.schema import RULE_KEYS, Rule
from privaudit.model import RuleSetInfo

_REGION_SUBTAG_CHARS: Final = 2
"""Letters of a region in a BCP 47 language tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A set of rules with the files that they were read from."""

    rules: tuple[Rule, ...] = ()
    files: tuple[str, ...] = ()
    """Name of the file of each rule, in the order of `rules`."""
    toml_data: tuple[dict[str, Any], ...] = field(default=(), repr=False, compare=False)
    """Content of each file as plain TOML values, in the order of `rules`."""

    def applicable(self, installer: str | None, country: str | None, day: date) -> tuple[Rule, ...]:
        """Return the rules in force on `day` for an app. Those of a store bind only apps that it installed itself."""
        return tuple(
            rule for rule in self.for_any_store(country, day) if rule.kind != "store" or installer in rule.stores
        )

    def for_any_store(self, country: str | None, day: date) -> tuple[Rule, ...]:
        """Return the rules in force on `day` for an app of unknown origin: those of `country` and of every store."""
        return tuple(
            rule
            for rule in self.rules
            if rule.is_in_force(day.isoformat()) and (rule.kind == "store" or _is_country_rule(rule, country))
        )

    def describe_rules(self, country: str | None, day: date) -> RuleSetInfo:
        """Return what a report states about the rules that it used."""
        country_rules = [rule for rule in self.rules if _is_country_rule(rule, country)]
        return RuleSetInfo(
            country=country,
            sha256=loader.content_sha256({str(data.get("id")): data for data in self.toml_data}),
            rules_for_country=sum(rule.is_in_force(day.isoformat()) for rule in country_rules) if country else None,
            known_until=max((rule.known_until for rule in self.rules), default=None),
            checked=bool(self.rules) and all(rule.checked_by for rule in self.rules),
        )


def _is_country_rule(rule: Rule, country: str | None) -> bool:
    return rule.kind == "country" and country is not None and rule.country == country


def read_rules(problems: Problems, files: Iterable[Traversable] | None = None) -> RuleSet:
    """Read the rules in `files`, by default those that are part of privaudit; what is wrong goes to `problems`."""
    valid: list[tuple[Rule, str, dict[str, Any]]] = []
    folder = catalog.RULES_FOLDER
    compiled = loader.read_compiled(folder) if files is None else NOT_COMPILED
    for file in loader.list_toml_files(folder) if files is None else files:
        data, _ = loader.read_compiled_toml(file, file.name, problems, compiled, "rule")
        rule = None if data is None else loader.validate_data(Rule, data, file.name, problems, RULE_KEYS)
        if data is not None and rule is not None:
            valid.append((rule, file.name, data))
    return RuleSet(
        rules=tuple(rule for rule, _, _ in valid),
        files=tuple(name for _, name, _ in valid),
        toml_data=tuple(data for _, _, data in valid),
    )


def compile_rules(folder: Traversable) -> bytes:
    """Return the content of ``compiled.txt`` for the rules in `folder` that have no problems."""
    rules = read_rules(Problems(), loader.list_toml_files(folder))
    return loader.encode_compiled(
        CompiledFile("rule", (folder / name).read_bytes(), loader.to_canonical_json(data))
        for name, data in zip(rules.files, rules.toml_data, strict=True)
    )


@cache
def country_by_time_zone() -> Mapping[str, str]:
    """Return the ISO 3166 code of the country of each time zone, for the countries that have rules or lists."""
    text = (resources.files("privaudit") / "data" / "time_zones.toml").read_text(encoding="utf-8")
    return {zone: country for country, zones in tomllib.loads(text).items() for zone in zones}


def phone_countries(languages: Iterable[str], time_zone: str | None) -> tuple[str, ...]:
    """Return the ISO 3166 codes of every country that a phone is set to: of its languages (``zh-CN``), then its zone.

    Both, for an owner may have chosen English as it is spoken elsewhere, or live abroad. It says where to look, and
    judges nothing.
    """
    subtags = (tag.split("-")[1:] for tag in languages)
    regions = (
        next((part.upper() for part in parts if len(part) == _REGION_SUBTAG_CHARS and part.isalpha()), None)
        for parts in subtags
    )
    return tuple(dict.fromkeys(filter(None, (*regions, country_by_time_zone().get(time_zone or "")))))
