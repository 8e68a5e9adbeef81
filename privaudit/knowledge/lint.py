"""Check lists, vocabulary and rules for everything that can be wrong with them, for those who write them.

Slower than loading, which checks only what loading needs. One module, because `signatures check` and `rules check`
report the same kinds of problem, and a whole folder of lists is checked together: `lint_signatures` for lists and
vocabulary, `lint_rules` for legal rules.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from privaudit.android import PERMISSION_PREFIX
from privaudit.apk.signing import WELL_KNOWN_TEST_CERTIFICATES
from privaudit.i18n import catalog
from privaudit.knowledge import LoadedFiles, read_knowledge_files, read_sdks, releases, vocabulary
from privaudit.knowledge.loader import Problems, format_location, list_toml_files, read_typed_toml, suggest_similar
from privaudit.knowledge.rules import read_rules
from privaudit.knowledge.schema import UNDATED, DataTable, NonEmptyText, Rule, RuleClause
from privaudit.knowledge.signatures import RowRef, SignatureList
from privaudit.knowledge.vocabulary import Verdict, Vocabulary
from privaudit.model import Message, MessageValue


@dataclass(frozen=True, slots=True, kw_only=True)
class LintResult:
    """The lists or rules that were checked, and their problems."""

    lists: tuple[SignatureList, ...] = ()
    rules: tuple[Rule, ...] = ()
    problems: tuple[Message, ...]


def lint_signatures(path: Path | None = None, *, today: date | None = None) -> LintResult:
    """Check lists, also against each other and, for the user's own lists, against the active ones.

    `path` is a folder like ``signatures``, a list, or a folder of lists; by default the active lists. Dates after
    `today` are wrong. Raises `KnowledgeError` if privaudit's own lists are missing.
    """
    problems = Problems()
    active = releases.active_folder()
    is_complete = path is None or (path / "vocabulary.toml").is_file()
    folder: Traversable = path if path is not None and is_complete else active
    files = read_knowledge_files(folder, problems, extra_lists=() if path is None or is_complete else (path,))
    linted_lists = [app_list for app_list in files.lists if is_complete or app_list.is_user_list]
    if is_complete:
        _check_signature_folder(folder, files, problems)
    known_harms = frozenset(files.vocabulary.harm) if files.vocabulary else frozenset[str]()
    last_day = (today or datetime.now(UTC).date()).isoformat()
    for app_list in linted_lists:
        day = app_list.source.date
        if day is not None and day > last_day:
            problems.add("knowledge.date_ahead", file=app_list.file, where=format_location(["source"]), found=day)
        _check_harms(app_list, known_harms, problems)
        _check_hashes(app_list, problems)
        _check_list_examples(app_list, problems)
    _check_shared_certificates(files.lists, linted_lists, problems)
    _check_disputed_marks(files.lists, linted_lists, problems)
    # Each once, by comparison: a Message has a dict, so it cannot be a key.
    reported = (problem for index, problem in enumerate(problems) if problem not in problems[:index])
    return LintResult(lists=tuple(linted_lists), problems=tuple(reported))


def _check_signature_folder(folder: Traversable, files: LoadedFiles, problems: Problems) -> None:
    """Check what a folder of lists has beside the lists: its release, SDKs, vocabulary and examples."""
    releases.read_release(folder, problems)
    read_sdks(folder, problems)
    if files.vocabulary is None:
        return
    pattern_problems = Problems()
    vocabulary.check_false_friend_patterns(files.vocabulary.trap, "vocabulary.toml", pattern_problems)
    problems += pattern_problems
    for table, terms in (
        ("label", [(term.term, term.lang, term.match) for term in files.vocabulary.label]),
        ("package", [(token.token, "", token.match) for token in files.vocabulary.package]),
        ("decoy", [(decoy.term, decoy.lang, decoy.match) for decoy in files.vocabulary.decoy]),
    ):
        for term in (term for (term, _, _), count in Counter(terms).items() if count > 1):
            problems.add("knowledge.term_twice", file="vocabulary.toml", found=term, table=table)
    if not pattern_problems:  # an invalid pattern makes every classification fail
        _check_name_examples(folder, files.vocabulary, problems)


def _row_refs(lists: Iterable[SignatureList]) -> Iterator[RowRef]:
    return (ref for app_list in lists for ref in app_list.row_refs)


def _check_harms(app_list: SignatureList, known_harms: frozenset[str], problems: Problems) -> None:
    for ref in app_list.row_refs if known_harms else ():
        for harm in ref.row.harms:
            if harm not in known_harms:
                similar = suggest_similar(harm, known_harms)
                problems.add("knowledge.unknown_harm", **ref.location, found=harm, similar=similar)


def _check_hashes(app_list: SignatureList, problems: Problems) -> None:
    digests: set[str] = set()
    for ref in app_list.row_refs:
        for digest in ref.row.sha256:
            if digest in digests:
                problems.add("knowledge.digest_twice", **ref.location, found=digest)
            digests.add(digest)
        for digest in ref.row.certificates:
            if name := WELL_KNOWN_TEST_CERTIFICATES.get(digest):
                problems.add("knowledge.certificate_test", **ref.location, found=digest, name=name)


def _check_list_examples(app_list: SignatureList, problems: Problems) -> None:
    list_keys = {key for row in app_list.rows for key in row.match_keys}
    for number, example in enumerate(app_list.examples, 1):
        package, sha256, certificate = example.package, example.sha256, example.certificate
        for match_kind, value in (("package", package), ("apk_sha256", sha256), ("certificate", certificate)):
            if value is not None and ((match_kind, value) in list_keys) is not example.matches:
                key = "knowledge.example_missed" if example.matches else "knowledge.example_found"
                problems.add(key, file=app_list.file, row=number, found=value)


def _check_shared_certificates(
    all_lists: tuple[SignatureList, ...], linted_lists: list[SignatureList], problems: Problems
) -> None:
    """Report a certificate on rows of several developers: it belongs to a service that signs for all of them."""
    signatures_by_developer: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for ref in _row_refs(all_lists):
        for digest in ref.row.certificates:
            if ref.row.developer:
                signatures_by_developer[digest].setdefault(ref.row.developer, ref.signature)
    for ref in _row_refs(linted_lists):
        developer = ref.row.developer
        for digest in ref.row.certificates if developer else ():
            signatures = signatures_by_developer[digest]
            others = tuple(sorted({signature for other, signature in signatures.items() if other != developer}))
            if others and digest not in WELL_KNOWN_TEST_CERTIFICATES:
                problems.add("knowledge.certificate_shared", **ref.location, found=digest, others=others)


def _check_disputed_marks(
    all_lists: tuple[SignatureList, ...], linted_lists: list[SignatureList], problems: Problems
) -> None:
    """Report rows of risky lists that a list of lenders contradicts, and that are not marked as disputed.

    A notice to rectify (tier N) does not deny that an app lends, so it contradicts no list of lenders. A collection
    that nobody vouches for says only that an app lends, so it contradicts no list of risky apps. A name contradicts
    where a register of the same country has it; the mark ``name_match`` answers that, too.
    """
    lender_signatures: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for ref in _row_refs(app_list for app_list in all_lists if app_list.kind == "lenders"):
        keys = (*ref.row.match_keys, *(_name_keys(ref) if ref.status in _REGISTERED_STATUSES else ()))
        for key in keys if ref.confidence is None else ():
            lender_signatures[key].append(ref.signature)
    linted_ids = tuple(f"{app_list.id}#" for app_list in linted_lists)
    contradictable = (app_list for app_list in all_lists if app_list.kind == "risky" and app_list.source.tier != "N")
    for ref in _row_refs(contradictable):
        for keys in (ref.row.match_keys, () if ref.row.name_match else _name_keys(ref)):
            others = sorted({signature for key in keys for signature in lender_signatures.get(key, ())})
            is_linted = ref.app_list in linted_lists or any(signature.startswith(linted_ids) for signature in others)
            if others and is_linted and not ref.row.disputed:
                shown = ref.row.package or next(iter(ref.row.names), keys[0][1])
                problems.add("knowledge.undisputed", **ref.location, package=shown, others=tuple(others))


def _name_keys(ref: RowRef) -> tuple[tuple[str, str], ...]:
    """Return the names of a row, without what spellings of a name differ in, for each of its countries."""
    folded = (re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold()) for name in ref.row.names)
    return tuple((country, name) for name in folded if name for country in ref.countries)


_REGISTERED_STATUSES: Final = frozenset({"licensed", "registered"})

NAME_EXAMPLES_FILE: Final = "examples.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameExample(DataTable):
    """An app name, a package name, or both, and how the vocabulary must classify them."""

    label: NonEmptyText | None = None
    package: NonEmptyText | None = None
    expect: tuple[Verdict, ...]
    """Each of these is right."""
    origin: NonEmptyText
    """A real app, or made up to test a false friend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NameExampleFile(DataTable):
    name: tuple[NameExample, ...]


def _check_name_examples(folder: Traversable, words: Vocabulary, problems: Problems) -> None:
    """Classify the examples in `folder` with the vocabulary `words`, and report every unexpected verdict."""
    file = read_typed_toml(_NameExampleFile, folder / NAME_EXAMPLES_FILE, NAME_EXAMPLES_FILE, problems)
    for number, example in enumerate(file.name if file else (), 1):
        verdict = words.classify(example.label, example.package).verdict
        if verdict not in example.expect:
            location: dict[str, MessageValue] = {"file": NAME_EXAMPLES_FILE, "row": number}
            found, expected = example.label or example.package, " / ".join(example.expect)
            problems.add("knowledge.example_name", **location, found=found, verdict=verdict, expected=expected)


REQUIRED_LANGUAGES: Final = ("en", "zh")
"""Languages that every rule must have; more are welcome."""
_REQUIRED_TEXTS: Final = ("authority", "title", "says")
_FORBIDDEN_WORDS: Final = {
    "en": re.compile(
        r"\b(blacklist|malicious|malware|scam\w*|fraud\w*|illegal\w*|unlawful\w*|criminal\w*|victims?|forensic\w*"
        r"|safe|safely|clean|collects|harvest\w*|steals?|violat\w+|breach\w*)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile("黑名单|高危|恶意|诈骗|违法|非法|安全|干净|放心|鉴定|取证|存证|受害者|网贷逾期|违规|侵犯"),
}
"""Words that accuse, or promise too much. The title of a law may contain one if the law touches no permission, because
then it is never printed beside an app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckablePermissions:
    """What a rule can be applied to: the permissions that phones are asked about, and the kinds of special access."""

    permissions: Collection[str]
    """Full names."""
    special_access: Collection[str]


def lint_rules(path: Path | None, checkable: CheckablePermissions, *, today: date | None = None) -> LintResult:
    """Check the rules at `path`, a file or a folder, by default the shipped ones. Dates after `today` are wrong."""
    problems = Problems()
    if path is not None and not path.exists():
        problems.add("knowledge.not_there", file=str(path))
    files: list[Traversable]
    files = [path] if path is not None and path.is_file() else list_toml_files(path or catalog.RULES_FOLDER)
    if not files and not problems:
        problems.add("knowledge.no_lists", file=str(path))
    rule_set = read_rules(problems, files)
    shipped = rule_set if path is None else read_rules(Problems())
    rule_ids = {rule.id for rule in (*rule_set.rules, *shipped.rules)}
    last_day = (today or datetime.now(UTC).date()).isoformat()
    for rule, file_name in zip(rule_set.rules, rule_set.files, strict=True):
        _check_rule_head(rule, file_name, problems)
        _check_rule_dates(rule, file_name, rule_ids, last_day, problems)
        _check_clauses(rule, file_name, checkable, problems)
        _check_rule_texts(rule, file_name, problems)
    return LintResult(rules=rule_set.rules, problems=tuple(problems))


def _check_rule_head(rule: Rule, file_name: str, problems: Problems) -> None:
    if file_name != f"{rule.id}.toml":
        problems.add("knowledge.rule_file", file=file_name, found=rule.id)
    for kind, key, value in (("store", "stores", rule.stores), ("country", "country", rule.country)):
        if bool(value) is not (rule.kind == kind):
            problem = "knowledge.rule_needs" if rule.kind == kind else "knowledge.rule_needs_not"
            problems.add(problem, file=file_name, kind=rule.kind, key=key)
    if rule.kind == "observation" and rule.concern:
        problems.add("knowledge.rule_needs_not", file=file_name, kind=rule.kind, key="concern")
    if not rule.source:
        problems.add("knowledge.rule_no_source", file=file_name)
    if (rule.checked_on is None) is not (rule.checked_by is None):
        problems.add("knowledge.rule_half_checked", file=file_name)


def _check_rule_dates(rule: Rule, file_name: str, rule_ids: Collection[str], last_day: str, problems: Problems) -> None:
    for key, day in (("date", rule.date), ("known_until", rule.known_until), ("checked_on", rule.checked_on)):
        if day is not None and day != UNDATED and day > last_day:
            problems.add("knowledge.rule_date_ahead", file=file_name, key=key, found=day)
    begin, end, successor = rule.in_force_from, rule.in_force_until, rule.replaced_by
    if begin and end and begin > end:
        problems.add("knowledge.rule_ends_first", file=file_name, begin=begin, end=end)
    if successor and not end:
        problems.add("knowledge.rule_no_end", file=file_name, found=successor)
    if successor and successor not in rule_ids:
        similar = suggest_similar(successor, rule_ids)
        problems.add("knowledge.rule_unknown", file=file_name, found=successor, similar=similar)


def _check_clauses(rule: Rule, file_name: str, checkable: CheckablePermissions, problems: Problems) -> None:
    named: set[tuple[str, str]] = set()
    for index, clause in enumerate(rule.concern):
        location: dict[str, MessageValue] = {"file": file_name, "where": format_location(["concern", index])}
        _check_clause_permissions(clause, location, checkable, problems)
        for permission in clause.permissions:
            if (clause.says, permission) in named:
                problems.add("knowledge.rule_twice", **location, found=permission)
            named.add((clause.says, permission))
        if not (clause.permissions or clause.special or clause.unread):
            problems.add("knowledge.rule_empty", **location)
        if (clause.says == "conditional") is not (clause.condition is not None):
            problems.add("knowledge.rule_condition", **location)


def _check_clause_permissions(
    clause: RuleClause, location: Mapping[str, MessageValue], checkable: CheckablePermissions, problems: Problems
) -> None:
    permissions = {name.removeprefix(PERMISSION_PREFIX) for name in checkable.permissions}
    for name in clause.permissions:
        if name not in permissions:
            problems.add("knowledge.rule_not_asked", **location, found=name, similar=suggest_similar(name, permissions))
    for name in clause.unread:
        if name in permissions:
            problems.add("knowledge.rule_asked", **location, found=name)
    for kind in clause.special:
        if kind not in checkable.special_access:
            similar = suggest_similar(kind, checkable.special_access)
            problems.add("knowledge.rule_special", **location, found=kind, similar=similar)


def _check_rule_texts(rule: Rule, file_name: str, problems: Problems) -> None:
    required = {*_REQUIRED_TEXTS, *(clause.condition for clause in rule.concern if clause.condition)}
    if any("verify" in texts for texts in rule.words.values()):
        required.add("verify")  # a mark in one language is a mark in all
    for code in dict.fromkeys((*REQUIRED_LANGUAGES, *rule.words)):
        texts = rule.words.get(code, {})
        location: dict[str, MessageValue] = {"file": file_name, "where": format_location([f"words.{code}"])}
        for key in sorted(required - texts.keys()):
            problems.add("knowledge.missing_key", **location, row=None, key=key)
        for key in sorted(texts.keys() - required):
            similar = suggest_similar(key, {*required, "verify"})
            problems.add("knowledge.unknown_key", **location, row=None, key=key, similar=similar)
        for key, text in texts.items():
            # The title of a law that touches no permission is never printed beside an app.
            is_printed = key != "title" or rule.concern
            if is_printed and code in _FORBIDDEN_WORDS and (match := _FORBIDDEN_WORDS[code].search(text)):
                problems.add("knowledge.rule_never", **location, key=key, found=match[0])
