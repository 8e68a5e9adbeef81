"""Classify apps by the words in their names: terms of lending, and false friends that only look like them.

A word is a hint. The verdicts "trapped" and "weak" count only with access to contacts, SMS or the call log, and
a false friend never hides an app that has such access: some lending apps call themselves calculators.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final, Literal, TypeAlias

from privaudit.knowledge.label_readings import LabelReading, read_label
from privaudit.knowledge.loader import Problems
from privaudit.knowledge.schema import DataTable

TermWeight: TypeAlias = Literal["strong", "medium", "weak"]
NameScope: TypeAlias = Literal["label", "package"]
Verdict: TypeAlias = Literal["lending", "maybe", "weak", "trapped", "no"]
"""``lending``, ``maybe``, ``weak``: by score; ``trapped``: a false friend says that it is probably something else;
``no``: no term counts."""

_WEIGHT_SCORES: Final[Mapping[str, float]] = {"strong": 3, "medium": 1.5, "weak": 0.5}
_MAX_CACHED_VERDICTS: Final = 20_000
"""More names than a phone has; a corpus of APKs has more."""
_MIN_LENDING_SCORE: Final = 3.0
_MIN_MAYBE_SCORE: Final = 1.5

_INDEX_CHARS: Final = 2
"""Terms are found by their first characters."""
_EDITIONS: Final = "极速|专业|手机|最新|官方|安卓|国际|青春|尊享|至尊|旗舰|标准|普通|升级|正式|会员|移动"
_REVERSED_TAIL: Final = re.compile(rf"(?:[a-z0-9\W_]|版(?:{_EDITIONS[::-1]})?|方官|台平|件软|端户客)*")
"""What makers write behind a name: ``极速版``, ``Pro``, ``2.0``, ``(官方)``. Read from the end: a name may be long."""
_PACKAGE_SEPARATORS: Final = re.compile(r"[\W\d_]+")
_CAMEL_CASE_BOUNDARY: Final = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTerm(DataTable):
    """A term of lending in an app's label."""

    term: str
    lang: str
    match: Literal["sub", "inword", "wstart", "word", "end", "name"]
    weight: TermWeight
    basis: Literal["attested", "language"]
    """``attested``: seen in the name of a real lending app; ``language``: ordinary knowledge of the language."""
    gloss: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageToken(DataTable):
    """A term of lending in a package name."""

    token: str
    match: Literal["substring", "whole"]
    weight: TermWeight


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseFriend(DataTable):
    """A pattern of names that look like lending and are not."""

    scope: NameScope
    regex: str
    effect: Literal["cancel", "downgrade", "not_lender"]
    """``cancel``: the terms in `concerns` do not count; ``downgrade``: only strong terms count; ``not_lender``: the app
    is probably something else."""
    concerns: tuple[str, ...]
    why: str
    """What else such a name means, for readers of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoyTerm(DataTable):
    """A word for a small tool that needs no contacts, and that lending apps have posed as."""

    term: str
    lang: str
    match: Literal["sub", "word"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameVerdict:
    """What the names of an app suggest."""

    verdict: Verdict
    terms: tuple[str, ...] = ()
    """The terms that counted, the heaviest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NameTerms:
    """What the label or the package name alone suggests."""

    weights: Mapping[str, TermWeight] = field(default_factory=dict)
    """The terms that count."""
    is_false_friend: bool = False
    """Whether the app is probably something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary(DataTable):
    """The content of ``vocabulary.toml``. Regular expressions are compiled when they are first used."""

    label: tuple[LabelTerm, ...]
    package: tuple[PackageToken, ...]
    trap: tuple[FalseFriend, ...]
    decoy: tuple[DecoyTerm, ...] = ()
    harm: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What a list may say that an app did: short word → its meaning by language."""
    label_term_index: Mapping[str, list[tuple[str, LabelTerm]]] = field(init=False, repr=False, compare=False)
    """The terms of `label`, each with its normalised form, by their first one or two characters."""
    verdict_cache: dict[tuple[str | None, str | None], NameVerdict] = field(init=False, repr=False, compare=False)
    """The names that were classified before: an audit asks for the same ones after each round trip."""

    def __post_init__(self) -> None:
        index: dict[str, list[tuple[str, LabelTerm]]] = {}
        for term in self.label:
            text = _normalize(term.term)
            index.setdefault(text[:_INDEX_CHARS], []).append((text, term))
        object.__setattr__(self, "label_term_index", index)
        object.__setattr__(self, "verdict_cache", {})

    def classify(self, label: str | None, package: str | None) -> NameVerdict:
        """Classify an app by its label, its package name, or both.

        The scores add up, and a false friend in one name counts for both. About half of the lending apps have a package
        name that suggests nothing.
        """
        verdict = self.verdict_cache.get((label, package))
        if verdict is None:
            if len(self.verdict_cache) >= _MAX_CACHED_VERDICTS:
                self.verdict_cache.clear()
            verdict = self.verdict_cache[label, package] = self._classify_names(label, package)
        return verdict

    def _classify_names(self, label: str | None, package: str | None) -> NameVerdict:
        in_label = self._terms_in_label(label) if label else _NameTerms()
        in_package = self._terms_in_package(package) if package else _NameTerms()
        names = (in_label, in_package)
        score = sum(_WEIGHT_SCORES[weight] for weight in in_label.weights.values())
        # Package names are stuffed with words: only the heaviest counts.
        score += max((_WEIGHT_SCORES[weight] for weight in in_package.weights.values()), default=0)
        terms = [(term, weight) for name in names for term, weight in name.weights.items()]
        terms.sort(key=lambda weighted: -_WEIGHT_SCORES[weighted[1]])
        verdict: Verdict
        if score == 0:
            verdict = "no"
        elif any(name.is_false_friend for name in names):
            verdict = "trapped"
        else:
            verdict = "lending" if score >= _MIN_LENDING_SCORE else "maybe" if score >= _MIN_MAYBE_SCORE else "weak"
        return NameVerdict(verdict=verdict, terms=tuple(dict.fromkeys(term for term, _ in terms)))

    def find_decoy(self, label: str) -> str | None:
        """Return the small tool that `label` names (calculator, guide, wallpaper …); ``None``: no known one."""
        readings = [reading.text for reading in read_label(label) if not reading.whole_words]
        texts = [text.casefold() for reading in readings for text in (reading, _split_camel_case(reading, " "))]
        terms = ((_normalize(decoy.term), decoy.match) for decoy in self.decoy)
        return next((term for term, match in terms if any(_matches_term(term, text, match) for text in texts)), None)

    def _terms_in_label(self, label: str) -> _NameTerms:
        """Return the terms of the reading of `label` that suggests lending the most; the first of equals."""
        readings = read_label(label)
        names = [self._terms_in_reading(reading, as_written=readings[0]) for reading in readings]
        return max(names, key=lambda name: sum(_WEIGHT_SCORES[weight] for weight in name.weights.values()))

    def _terms_in_reading(self, reading: LabelReading, as_written: LabelReading) -> _NameTerms:
        visible = reading.text
        joined, split = visible.casefold(), _split_camel_case(visible, " ").casefold()
        matches: dict[str, TermWeight] = {}
        for text, term in self._find_terms(joined if joined == split else f"{joined}\n{split}"):
            if (reading.strong_only and term.weight != "strong") or len(text) < reading.min_term_chars:
                continue
            match = "word" if reading.whole_words else term.match
            if term.match in {"end", "name"}:
                without_tail = _drop_tail(joined)
                is_match = without_tail.endswith(text) if term.match == "end" else without_tail == text
            elif match in {"sub", "inword"}:
                is_match = text in joined
            else:
                is_match = _matches_term(text, joined, match) or _matches_term(text, split, match)
            if is_match:
                matches[text] = max(matches.get(text, term.weight), term.weight, key=_WEIGHT_SCORES.__getitem__)
        name = self._apply_false_friends("label", (joined, as_written.text.casefold()), matches)
        return replace(name, weights=_drop_overlapping(name.weights, f"{joined}\n{split}"))

    def _find_terms(self, text: str) -> Iterator[tuple[str, LabelTerm]]:
        """Yield the terms that `text` contains: hundreds of terms are looked up by their first characters."""
        prefixes = {text[start : start + length]: None for start in range(len(text)) for length in (1, _INDEX_CHARS)}
        for prefix in prefixes:
            for normalized, term in self.label_term_index.get(prefix, ()):
                if normalized in text:
                    yield normalized, term

    def _terms_in_package(self, package: str) -> _NameTerms:
        parts = [part for part in _PACKAGE_SEPARATORS.split(_split_camel_case(package, ".").casefold()) if part]
        joined = ".".join(parts)
        matches: dict[str, TermWeight] = {}
        for token in self.package:
            # A token has only word characters, so it cannot match across the dots of `joined`.
            if token.token in joined and (token.match == "substring" or token.token in parts):
                matches[token.token] = max(
                    matches.get(token.token, token.weight), token.weight, key=_WEIGHT_SCORES.__getitem__
                )
        return self._apply_false_friends("package", (package.casefold(),), matches)

    def _apply_false_friends(
        self, scope: NameScope, texts: Iterable[str], weights: dict[str, TermWeight]
    ) -> _NameTerms:
        """Return the terms of `weights` that still count."""
        counted, is_false_friend = weights, False
        for false_friend in self.trap if weights else ():
            is_cancel = false_friend.effect == "cancel"
            if false_friend.scope != scope or (is_cancel and counted.keys().isdisjoint(false_friend.concerns)):
                continue
            if not any(map(_compile_regex(false_friend.regex).search, texts)):
                continue
            if is_cancel:
                counted = {term: weight for term, weight in counted.items() if term not in false_friend.concerns}
            elif false_friend.effect == "downgrade":
                counted = {term: weight for term, weight in counted.items() if weight == "strong"}
            else:
                is_false_friend = True
        return _NameTerms(weights=counted, is_false_friend=is_false_friend)


def check_false_friend_patterns(false_friends: Iterable[FalseFriend], file_name: str, problems: Problems) -> None:
    """Compile every pattern. Too slow for each start, so tests and `signatures check` do it."""
    for index, false_friend in enumerate(false_friends):
        try:
            _compile_regex(false_friend.regex)
        except re.error as error:
            problems.add("knowledge.regex", file=file_name, row=index + 1, found=false_friend.regex, reason=str(error))


def _drop_tail(label: str) -> str:
    """Return a label in lower case without what makers write behind a name."""
    tail = _REVERSED_TAIL.match(label[::-1])
    return label[: len(label) - len(tail[0])] if tail else label


def _drop_overlapping(weights: Mapping[str, TermWeight], label: str) -> dict[str, TermWeight]:
    """Return the terms that share no character: 小贷 is one term, not also 贷; of 速借 and 借款 the last one counts."""
    counted: dict[str, TermWeight] = {}
    for text in sorted(weights, key=lambda text: (-_WEIGHT_SCORES[weights[text]], -len(text), -label.find(text))):
        if text in label and not any(text in other for other in counted):
            counted[text] = weights[text]
            label = label.replace(text, "\n")
    return counted


@cache
def _compile_regex(regex: str) -> re.Pattern[str]:
    """Compile `regex` when it is first used."""
    return re.compile(regex)


@cache
def _normalize(term: str) -> str:
    """Return a term of the vocabulary in NFKC and without case."""
    return unicodedata.normalize("NFKC", term).casefold()


def _split_camel_case(name: str, separator: str) -> str:
    """Put `separator` between the words of camel case: ``EasyLoan``, ``QRCash``."""
    return _CAMEL_CASE_BOUNDARY.sub(separator, name)


def _matches_term(term: str, text: str, match: str) -> bool:
    """Return whether `text` contains `term`: anywhere (``sub``), at the start of a word (``wstart``), as a ``word``."""
    if term not in text:
        return False
    if match == "sub":
        return True
    end = r"(?!\w)" if match == "word" else ""
    return _compile_regex(rf"(?<!\w){re.escape(term)}{end}").search(text) is not None
