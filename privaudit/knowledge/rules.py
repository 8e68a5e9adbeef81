"""Reads the rules, and says which of them apply to an app."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import TypeAdapter

from privaudit.i18n import rule_texts
from privaudit.knowledge.loader import Problems, list_toml_files, read_toml, validate_data
from privaudit.knowledge.schema import RULE_KEYS, Rule
from privaudit.model import RuleSetInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Every rule that privaudit knows."""

    rules: tuple[Rule, ...] = ()
    files: tuple[str, ...] = ()
    """What the file of each is called, in the same order."""
    toml_data: tuple[dict[str, Any], ...] = field(default=(), repr=False, compare=False)
    """The same as plain TOML values."""

    def applicable(self, installer: str | None, country: str | None, day: date) -> tuple[Rule, ...]:
        """Rules in force on `day` for an app that `installer` installed, and for who chose `country`.

        A store's rules are for what that store itself installed: the same app from elsewhere is not bound by them.
        """
        today = day.isoformat()
        return tuple(
            rule
            for rule in self.rules
            if rule.is_in_force(today)
            and ((rule.kind == "store" and installer in rule.stores) or _is_country_rule(rule, country))
        )

    def for_any_store(self, country: str | None, day: date) -> tuple[Rule, ...]:
        """Rules in force on `day` for an app of which nobody knows where it comes from: also those of every store."""
        return tuple(
            rule
            for rule in self.rules
            if rule.is_in_force(day.isoformat()) and (rule.kind == "store" or _is_country_rule(rule, country))
        )

    def describe_rules(self, country: str | None, day: date) -> RuleSetInfo:
        """Which rules were used."""
        here = [rule for rule in self.rules if rule.kind == "country" and rule.country == country]
        return RuleSetInfo(
            country=country,
            sha256=self._content_sha256(),
            rules_for_country=sum(rule.is_in_force(day.isoformat()) for rule in here) if country else None,
            known_until=max((rule.known_until for rule in self.rules), default=None),
            checked=bool(self.rules) and all(rule.checked_by for rule in self.rules),
        )

    def _content_sha256(self) -> str:
        """Of the content: comments, line ends and the order of files change nothing."""
        content = {str(one.get("id")): one for one in self.toml_data}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _is_country_rule(rule: Rule, country: str | None) -> bool:
    return rule.kind == "country" and country is not None and rule.country == country


def read_rules(problems: Problems, files: Iterable[Traversable] | None = None) -> RuleSet:
    """The rules in `files`, else those that came with privaudit; what is wrong goes to `problems`."""
    known: list[tuple[Rule, str, dict[str, Any]]] = []
    for file in list_toml_files(rule_texts.rules_folder()) if files is None else files:
        found = read_toml(file, file.name, problems)
        rule = validate_data(_rule_adapter(), found, file.name, problems, RULE_KEYS) if found is not None else None
        if found is not None and rule is not None:
            known.append((rule, file.name, found))
    return RuleSet(
        rules=tuple(rule for rule, _, _ in known),
        files=tuple(name for _, name, _ in known),
        toml_data=tuple(data for _, _, data in known),
    )


@cache
def _rule_adapter() -> TypeAdapter[Rule]:
    return TypeAdapter(Rule)
