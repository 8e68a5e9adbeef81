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
from privaudit.knowledge.loader import Mistakes, similar, toml_files, where
from privaudit.knowledge.rule_file import UNDATED, Concern, Rule
from privaudit.knowledge.rules import read
from privaudit.model import Message, Value

LANGUAGES: Final = ("en", "zh")
"""Every rule speaks these; more are welcome."""
_PREFIX: Final = "android.permission."
_ALWAYS: Final = ("authority", "title", "says")
_NEVER: Final = {
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
class Known:
    """What a rule can be held against: what phones are asked, and which special access there is."""

    permissions: Collection[str]
    """Whole names."""
    special: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was looked at, and what is wrong with it."""

    rules: tuple[Rule, ...]
    mistakes: tuple[Message, ...]


def check(path: Path | None, known: Known, *, today: date | None = None) -> Checked:
    """Look at `path`, a rule or a folder of rules; without one, at those that came with privaudit."""
    mistakes = Mistakes()
    files = list(_files(path, mistakes))
    book = read(mistakes, files)
    ours = book if path is None else read(Mistakes())
    names = {rule.id for rule in (*book.rules, *ours.rules)}
    day = (today or datetime.now(UTC).date()).isoformat()
    for rule, file in zip(book.rules, book.files, strict=True):
        _check_head(rule, file, mistakes)
        _check_dates(rule, file, names, day, mistakes)
        _check_concerns(rule, file, known, mistakes)
        _check_words(rule, file, mistakes)
    return Checked(rules=book.rules, mistakes=tuple(mistakes))


def _files(path: Path | None, mistakes: Mistakes) -> Iterator[Traversable]:
    if path is not None and not path.exists():
        mistakes.add("knowledge.not_there", file=str(path))
    elif path is not None and path.is_file():
        yield path
    else:
        found = toml_files(path or rule_texts.folder())
        if not found:
            mistakes.add("knowledge.no_lists", file=str(path))
        yield from found


def _check_head(rule: Rule, file: str, mistakes: Mistakes) -> None:
    if file != f"{rule.id}.toml":
        mistakes.add("knowledge.rule_file", file=file, found=rule.id)
    for kind, key in (("store", "stores"), ("country", "country")):
        if bool(getattr(rule, key)) is not (rule.kind == kind):
            name = "knowledge.rule_needs" if rule.kind == kind else "knowledge.rule_needs_not"
            mistakes.add(name, file=file, kind=rule.kind, key=key)
    if rule.kind == "observation" and rule.concern:
        mistakes.add("knowledge.rule_needs_not", file=file, kind=rule.kind, key="concern")
    if not rule.source:
        mistakes.add("knowledge.rule_no_source", file=file)
    if (rule.checked_on is None) is not (rule.checked_by is None):
        mistakes.add("knowledge.rule_half_checked", file=file)


def _check_dates(rule: Rule, file: str, names: Collection[str], day: str, mistakes: Mistakes) -> None:
    for key in ("date", "known_until", "checked_on"):
        found = getattr(rule, key)
        if found not in {None, UNDATED} and found > day:
            mistakes.add("knowledge.rule_date_ahead", file=file, key=key, found=found)
    begin, end, heir = rule.in_force_from, rule.in_force_until, rule.replaced_by
    if begin and end and begin > end:
        mistakes.add("knowledge.rule_ends_first", file=file, begin=begin, end=end)
    if heir and not end:
        mistakes.add("knowledge.rule_no_end", file=file, found=heir)
    if heir and heir not in names:
        mistakes.add("knowledge.rule_unknown", file=file, found=heir, similar=similar(heir, names))


def _check_concerns(rule: Rule, file: str, known: Known, mistakes: Mistakes) -> None:
    seen: set[tuple[str, str]] = set()
    for index, concern in enumerate(rule.concern):
        at: dict[str, Value] = {"file": file, "where": where(["concern", index])}
        _check_names(concern, at, known, mistakes)
        for name in concern.permissions:
            if (concern.says, name) in seen:
                mistakes.add("knowledge.rule_twice", **at, found=name)
            seen.add((concern.says, name))
        if not (concern.permissions or concern.special or concern.unread):
            mistakes.add("knowledge.rule_empty", **at)
        if (concern.says == "conditional") is not (concern.condition is not None):
            mistakes.add("knowledge.rule_condition", **at)


def _check_names(concern: Concern, at: Mapping[str, Value], known: Known, mistakes: Mistakes) -> None:
    asked = {name.removeprefix(_PREFIX) for name in known.permissions}
    for name in concern.permissions:
        if name not in asked:
            mistakes.add("knowledge.rule_not_asked", **at, found=name, similar=similar(name, asked))
    for name in concern.unread:
        if name in asked:
            mistakes.add("knowledge.rule_asked", **at, found=name)
    for kind in concern.special:
        if kind not in known.special:
            mistakes.add("knowledge.rule_special", **at, found=kind, similar=similar(kind, known.special))


def _check_words(rule: Rule, file: str, mistakes: Mistakes) -> None:
    needed = {*_ALWAYS, *(concern.condition for concern in rule.concern if concern.condition)}
    optional = {"verify"} if any("verify" in words for words in rule.words.values()) else set()
    for code in dict.fromkeys((*LANGUAGES, *rule.words)):
        words = rule.words.get(code, {})
        at: dict[str, Value] = {"file": file, "where": where([f"words.{code}"])}
        for key in sorted((needed | optional) - words.keys()):
            mistakes.add("knowledge.missing_key", **at, row=None, key=key)
        for key in sorted(words.keys() - needed - optional):
            mistakes.add("knowledge.unknown_key", **at, row=None, key=key, similar=similar(key, {*needed, "verify"}))
        for key, sentence in words.items():
            # The name of a law that touches no permission never stands beside an app.
            found = None if key == "title" and not rule.concern else _never(code, sentence)
            if found:
                mistakes.add("knowledge.rule_never", **at, key=key, found=found)


def _never(code: str, sentence: str) -> str | None:
    pattern = _NEVER.get(code)
    found = pattern.search(sentence) if pattern else None
    return found[0] if found else None
