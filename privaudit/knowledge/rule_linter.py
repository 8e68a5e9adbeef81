"""Looks for every mistake that a rule can hold, and tells all of them at once, in plain words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from privaudit.i18n import rule_texts
from privaudit.knowledge.loader import Problems, format_location, list_toml_files, suggest_similar
from privaudit.knowledge.rule_file import UNDATED, Rule, RuleClause
from privaudit.knowledge.rules import read_rules
from privaudit.model import Message, MessageValue

REQUIRED_LANGUAGES: Final = ("en", "zh")
"""Every rule speaks these; more are welcome."""
_PERMISSION_PREFIX: Final = "android.permission."
_REQUIRED_TEXTS: Final = ("authority", "title", "says")
_FORBIDDEN_WORDS: Final = {
    "en": re.compile(
        r"\b(blacklist|malicious|malware|scam\w*|fraud\w*|illegal\w*|unlawful\w*|criminal\w*|victims?|forensic\w*"
        r"|safe|safely|clean|collects|harvest\w*|steals?|violat\w+|breach\w*)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile("黑名单|高危|恶意|诈骗|违法|非法|安全|干净|放心|鉴定|取证|存证|受害者|网贷逾期|违规|侵犯"),
}
"""Words that accuse, or that promise too much. The name of a law may hold one, where the law touches no permission and
so never stands beside an app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckablePermissions:
    """What a rule can be held against: what phones are asked, and which special access there is."""

    permissions: Collection[str]
    """Whole names."""
    special_access: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLintResult:
    """What was looked at, and what is wrong with it."""

    rules: tuple[Rule, ...]
    problems: tuple[Message, ...]


def lint_rules(path: Path | None, checkable: CheckablePermissions, *, today: date | None = None) -> RuleLintResult:
    """Look at `path`, a rule or a folder of rules; without one, at those that came with privaudit."""
    mistakes = Problems()
    files = list(_rule_files(path, mistakes))
    book = read_rules(mistakes, files)
    ours = book if path is None else read_rules(Problems())
    names = {rule.id for rule in (*book.rules, *ours.rules)}
    day = (today or datetime.now(UTC).date()).isoformat()
    for rule, file in zip(book.rules, book.files, strict=True):
        _check_rule_head(rule, file, mistakes)
        _check_rule_dates(rule, file, names, day, mistakes)
        _check_clauses(rule, file, checkable, mistakes)
        _check_rule_texts(rule, file, mistakes)
    return RuleLintResult(rules=book.rules, problems=tuple(mistakes))


def _rule_files(path: Path | None, problems: Problems) -> Iterator[Traversable]:
    if path is not None and not path.exists():
        problems.add("knowledge.not_there", file=str(path))
    elif path is not None and path.is_file():
        yield path
    else:
        found = list_toml_files(path or rule_texts.rules_folder())
        if not found:
            problems.add("knowledge.no_lists", file=str(path))
        yield from found


def _check_rule_head(rule: Rule, file_name: str, problems: Problems) -> None:
    if file_name != f"{rule.id}.toml":
        problems.add("knowledge.rule_file", file=file_name, found=rule.id)
    for kind, key in (("store", "stores"), ("country", "country")):
        if bool(getattr(rule, key)) is not (rule.kind == kind):
            name = "knowledge.rule_needs" if rule.kind == kind else "knowledge.rule_needs_not"
            problems.add(name, file=file_name, kind=rule.kind, key=key)
    if rule.kind == "observation" and rule.concern:
        problems.add("knowledge.rule_needs_not", file=file_name, kind=rule.kind, key="concern")
    if not rule.source:
        problems.add("knowledge.rule_no_source", file=file_name)
    if (rule.checked_on is None) is not (rule.checked_by is None):
        problems.add("knowledge.rule_half_checked", file=file_name)


def _check_rule_dates(rule: Rule, file_name: str, rule_ids: Collection[str], today: str, problems: Problems) -> None:
    for key in ("date", "known_until", "checked_on"):
        found = getattr(rule, key)
        if found not in {None, UNDATED} and found > today:
            problems.add("knowledge.rule_date_ahead", file=file_name, key=key, found=found)
    begin, end, heir = rule.in_force_from, rule.in_force_until, rule.replaced_by
    if begin and end and begin > end:
        problems.add("knowledge.rule_ends_first", file=file_name, begin=begin, end=end)
    if heir and not end:
        problems.add("knowledge.rule_no_end", file=file_name, found=heir)
    if heir and heir not in rule_ids:
        problems.add("knowledge.rule_unknown", file=file_name, found=heir, similar=suggest_similar(heir, rule_ids))


def _check_clauses(rule: Rule, file_name: str, checkable: CheckablePermissions, problems: Problems) -> None:
    seen: set[tuple[str, str]] = set()
    for index, concern in enumerate(rule.concern):
        at: dict[str, MessageValue] = {"file": file_name, "where": format_location(["concern", index])}
        _check_clause_permissions(concern, at, checkable, problems)
        for name in concern.permissions:
            if (concern.says, name) in seen:
                problems.add("knowledge.rule_twice", **at, found=name)
            seen.add((concern.says, name))
        if not (concern.permissions or concern.special or concern.unread):
            problems.add("knowledge.rule_empty", **at)
        if (concern.says == "conditional") is not (concern.condition is not None):
            problems.add("knowledge.rule_condition", **at)


def _check_clause_permissions(
    clause: RuleClause, location: Mapping[str, MessageValue], checkable: CheckablePermissions, problems: Problems
) -> None:
    asked = {name.removeprefix(_PERMISSION_PREFIX) for name in checkable.permissions}
    for name in clause.permissions:
        if name not in asked:
            problems.add("knowledge.rule_not_asked", **location, found=name, similar=suggest_similar(name, asked))
    for name in clause.unread:
        if name in asked:
            problems.add("knowledge.rule_asked", **location, found=name)
    for kind in clause.special:
        if kind not in checkable.special_access:
            problems.add(
                "knowledge.rule_special",
                **location,
                found=kind,
                similar=suggest_similar(kind, checkable.special_access),
            )


def _check_rule_texts(rule: Rule, file_name: str, problems: Problems) -> None:
    needed = {*_REQUIRED_TEXTS, *(concern.condition for concern in rule.concern if concern.condition)}
    optional = {"verify"} if any("verify" in words for words in rule.words.values()) else set()
    for code in dict.fromkeys((*REQUIRED_LANGUAGES, *rule.words)):
        words = rule.words.get(code, {})
        at: dict[str, MessageValue] = {"file": file_name, "where": format_location([f"words.{code}"])}
        for key in sorted((needed | optional) - words.keys()):
            problems.add("knowledge.missing_key", **at, row=None, key=key)
        for key in sorted(words.keys() - needed - optional):
            problems.add(
                "knowledge.unknown_key", **at, row=None, key=key, similar=suggest_similar(key, {*needed, "verify"})
            )
        for key, sentence in words.items():
            # The name of a law that touches no permission never stands beside an app.
            found = None if key == "title" and not rule.concern else _find_forbidden_word(code, sentence)
            if found:
                problems.add("knowledge.rule_never", **at, key=key, found=found)


def _find_forbidden_word(code: str, sentence: str) -> str | None:
    pattern = _FORBIDDEN_WORDS.get(code)
    found = pattern.search(sentence) if pattern else None
    return found[0] if found else None
