"""Looks for every mistake that a list, or the words, can hold. Slower than reading them, and for who writes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, Literal

from pydantic import ConfigDict, TypeAdapter

from privaudit.android import PERMISSION_PREFIX
from privaudit.apk.signing import WELL_KNOWN_TEST_CERTIFICATES
from privaudit.i18n import rule_texts
from privaudit.knowledge import LoadedFiles, read_knowledge_files, releases, sdks, vocabulary
from privaudit.knowledge.loader import (
    Problems,
    format_location,
    list_toml_files,
    read_toml,
    suggest_similar,
    validate_data,
)
from privaudit.knowledge.rules import read_rules
from privaudit.knowledge.schema import UNDATED, NonEmptyText, Rule, RuleClause, SignatureRow
from privaudit.knowledge.signatures import SignatureList
from privaudit.knowledge.vocabulary import Vocabulary
from privaudit.model import Message, MessageValue

NAME_EXAMPLES_FILE: Final = "examples.toml"
_FORBID: Final = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameExample:
    """One app's name, its package, or both."""

    label: NonEmptyText | None = None
    package: NonEmptyText | None = None
    expect: tuple[Literal["lending", "maybe", "weak", "trapped", "no"], ...]
    """Any of these will do."""
    origin: NonEmptyText
    """Real, or made up for a trap."""
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class _NameExampleFile:
    name: tuple[NameExample, ...]
    __pydantic_config__ = _FORBID


def read_name_examples(folder: Traversable, problems: Problems) -> tuple[NameExample, ...]:
    """The examples of `folder`; what is wrong goes to `problems`."""
    data = read_toml(folder / NAME_EXAMPLES_FILE, NAME_EXAMPLES_FILE, problems)
    found = None if data is None else validate_data(_name_examples_adapter(), data, NAME_EXAMPLES_FILE, problems)
    return found.name if found else ()


def check_name_examples(folder: Traversable, words: Vocabulary, problems: Problems) -> None:
    """Judge every example."""
    for number, example in enumerate(read_name_examples(folder, problems), 1):
        verdict = words.classify(example.label, example.package).verdict
        if verdict not in example.expect:
            problems.add(
                "knowledge.example_name",
                file=NAME_EXAMPLES_FILE,
                row=number,
                found=example.label or example.package,
                verdict=verdict,
                expected=" / ".join(example.expect),
            )


@cache
def _name_examples_adapter() -> TypeAdapter[_NameExampleFile]:
    return TypeAdapter(_NameExampleFile)


REQUIRED_LANGUAGES: Final = ("en", "zh")
"""Every rule speaks these; more are welcome."""
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
    asked = {name.removeprefix(PERMISSION_PREFIX) for name in checkable.permissions}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureLintResult:
    """What was looked at, and what is wrong with it."""

    lists: tuple[SignatureList, ...]
    problems: tuple[Message, ...]


def lint_signatures(path: Path | None = None, *, today: date | None = None) -> SignatureLintResult:
    """Look at `path`: a folder like ours, a list, or a folder of lists; without one, at the lists in force.

    A list of one's own is held against the lists in force too.

    Raises:
        KnowledgeError: privaudit's own lists are not there.
    """
    mistakes = Problems()
    ours: Traversable = releases.active_folder()
    whole = path is None or (path / "vocabulary.toml").is_file()
    folder = path if path is not None and whole else ours
    parts = read_knowledge_files(folder, mistakes, extra_lists=() if path is None or whole else (path,))
    looked_at = [part for part in parts.lists if whole or part.is_user_list]
    if whole:
        _check_signature_folder(folder, parts, mistakes)
    harms = frozenset(parts.vocabulary.harm) if parts.vocabulary else frozenset[str]()
    latest = (today or datetime.now(UTC).date()).isoformat()
    for part in looked_at:
        if (part.source.date or "") > latest:
            mistakes.add(
                "knowledge.date_ahead", file=part.file, where=format_location(["source"]), found=part.source.date
            )
        _check_harms(part, harms, mistakes)
        _check_hashes(part, mistakes)
        _check_list_examples(part, mistakes)
    _check_shared_certificates(parts.lists, looked_at, mistakes)
    _check_disputed_marks(parts.lists, looked_at, mistakes)
    return SignatureLintResult(lists=tuple(looked_at), problems=tuple(_deduplicate(mistakes)))


def _deduplicate(problems: Problems) -> Iterator[Message]:
    seen: list[Message] = []
    for mistake in problems:
        if mistake not in seen:
            seen.append(mistake)
            yield mistake


def _check_signature_folder(folder: Traversable, parts: LoadedFiles, problems: Problems) -> None:
    releases.read_release(folder, problems)
    sdks.read_sdks(folder, problems)
    if parts.vocabulary is None:
        return
    patterns = Problems()
    vocabulary.check_false_friend_patterns(parts.vocabulary.trap, "vocabulary.toml", patterns)
    problems += patterns
    for table, words in (
        ("label", [(term.term, term.lang, term.match) for term in parts.vocabulary.label]),
        ("package", [(token.token, "", token.match) for token in parts.vocabulary.package]),
        ("decoy", [(decoy.term, decoy.lang, decoy.match) for decoy in parts.vocabulary.decoy]),
    ):
        for (word, _, _), times in Counter(words).items():
            if times > 1:
                problems.add("knowledge.term_twice", file="vocabulary.toml", found=word, table=table)
    if not patterns:  # no name can be judged by a pattern that cannot be read
        check_name_examples(folder, parts.vocabulary, problems)


def _iter_rows(
    lists: list[SignatureList] | tuple[SignatureList, ...],
) -> Iterator[tuple[SignatureList, int, SignatureRow, dict[str, MessageValue]]]:
    for part in lists:
        for index, row in enumerate(part.rows):
            yield part, index + 1, row, {"file": part.file, "where": format_location(["app", index]), "row": index + 1}


def _check_harms(signature_list: SignatureList, known_harms: frozenset[str], problems: Problems) -> None:
    for _, _, row, at in _iter_rows([signature_list]):
        for harm in row.harms:
            if harm not in known_harms and known_harms:
                problems.add("knowledge.unknown_harm", **at, found=harm, similar=suggest_similar(harm, known_harms))


def _check_hashes(signature_list: SignatureList, problems: Problems) -> None:
    seen: Counter[str] = Counter()
    for _, _, row, at in _iter_rows([signature_list]):
        for digest in row.sha256:
            seen[digest] += 1
            if seen[digest] > 1:
                problems.add("knowledge.digest_twice", **at, found=digest)
        for digest in row.certificates:
            if digest in WELL_KNOWN_TEST_CERTIFICATES:
                problems.add(
                    "knowledge.certificate_test", **at, found=digest, name=WELL_KNOWN_TEST_CERTIFICATES[digest]
                )


def _check_list_examples(signature_list: SignatureList, problems: Problems) -> None:
    held = {key for row in signature_list.rows for key in row.match_keys}
    for number, example in enumerate(signature_list.examples, 1):
        asked = (
            ("package", example.package),
            ("apk_sha256", example.sha256),
            ("certificate", example.certificate),
        )
        for match, value in asked:
            if value is not None and ((match, value) in held) is not example.matches:
                name = "knowledge.example_missed" if example.matches else "knowledge.example_found"
                problems.add(name, file=signature_list.file, row=number, found=value)


def _check_shared_certificates(
    all_lists: tuple[SignatureList, ...], linted_lists: list[SignatureList], problems: Problems
) -> None:
    """A certificate on rows of several developers belongs to none of them: somebody signs for all."""
    makers: dict[str, dict[str, str]] = {}
    for part, number, row, _ in _iter_rows(all_lists):
        for digest in row.certificates:
            makers.setdefault(digest, {}).setdefault(row.developer or "", f"{part.id}#{number}")
    for _, _, row, at in _iter_rows(linted_lists):
        for digest in row.certificates:
            others = {maker: place for maker, place in makers[digest].items() if maker and maker != row.developer}
            if row.developer and others and digest not in WELL_KNOWN_TEST_CERTIFICATES:
                problems.add("knowledge.certificate_shared", **at, found=digest, others=tuple(sorted(others.values())))


def _check_disputed_marks(
    all_lists: tuple[SignatureList, ...], linted_lists: list[SignatureList], problems: Problems
) -> None:
    """Two lists that disagree must say so. A notice to rectify does not deny that an app lends."""
    lenders: dict[tuple[str, str], list[str]] = {}
    for part, number, row, _ in _iter_rows([part for part in all_lists if part.kind == "lenders"]):
        for key in row.match_keys:
            lenders.setdefault(key, []).append(f"{part.id}#{number}")
    for part, _, row, at in _iter_rows(
        [part for part in all_lists if part.kind == "risky" and part.source.tier != "N"]
    ):
        others = sorted({place for key in row.match_keys for place in lenders.get(key, ())})
        mine = part in linted_lists or any(place.startswith(f"{one.id}#") for one in linted_lists for place in others)
        if others and mine and not row.disputed:
            shown = row.package or next(value for _, value in row.match_keys)
            problems.add("knowledge.undisputed", **at, package=shown, others=tuple(others))
