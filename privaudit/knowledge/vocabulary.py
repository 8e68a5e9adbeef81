"""Words by which a lending app is recognised from its names, and the traps among them.

A word is a hint. "trapped" and "weak" count only together with access to contacts, SMS or the call log, and a trap
never hides an app that has it: some lending apps call themselves calculators.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter

from privaudit.knowledge.loader import Problems, validate_data

_CAMEL_CASE_BOUNDARY: Final = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def compile_regex(regex: str) -> re.Pattern[str]:
    """`regex`, compiled when it is first used."""
    return re.compile(regex)


@cache
def normalize(text: str) -> str:
    """A word of ours in one form of its letters, whatever their case."""
    return unicodedata.normalize("NFKC", text).casefold()


def strip_invisible(label: str) -> str:
    """`label` without what hides a word from us and not from its reader: other forms of letters, what is invisible."""
    return "".join(char for char in unicodedata.normalize("NFKC", label) if unicodedata.category(char) != "Cf")


def split_camel_case(name: str, separator: str) -> str:
    """`name` with its words parted where a capital letter begins one: ``EasyLoan``, ``QRCash``."""
    return _CAMEL_CASE_BOUNDARY.sub(separator, name)


def matches_word(word: str, text: str, match: str) -> bool:
    """Whether `word` stands in `text`: anywhere (``sub``), where a word begins (``wstart``), or as a whole ``word``."""
    if word not in text:
        return False
    if match == "sub":
        return True
    end = r"(?!\w)" if match == "word" else ""
    return compile_regex(rf"(?<!\w){re.escape(word)}{end}").search(text) is not None


TermWeight: TypeAlias = Literal["strong", "medium", "weak"]
NameScope: TypeAlias = Literal["label", "package"]

_WEIGHT_SCORES: Final[Mapping[str, float]] = {"strong": 3, "medium": 1.5, "weak": 0.5}
_MIN_LENDING_SCORE: Final = 3.0
_MIN_MAYBE_SCORE: Final = 1.5
_FORBID: Final = ConfigDict(extra="forbid")

_PACKAGE_SEPARATORS: Final = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTerm:
    """A word in the name under an app's icon."""

    term: str
    lang: str
    match: Literal["sub", "inword", "wstart", "word"]
    weight: TermWeight
    basis: Literal["attested", "language"]
    gloss: str | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageToken:
    """A word in a package name."""

    token: str
    match: Literal["substring", "whole"]
    weight: TermWeight
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseFriend:
    """A word that looks like lending and is not."""

    scope: NameScope
    regex: str
    effect: Literal["cancel", "downgrade", "not_lender"]
    concerns: tuple[str, ...]
    why: str
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoyTerm:
    """A word of small tools that need nobody's contacts, and behind which lending apps have hidden."""

    term: str
    lang: str
    match: Literal["sub", "word"]
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class NameVerdict:
    """What a name suggests, and why."""

    verdict: Literal["lending", "maybe", "weak", "trapped", "no"]
    terms: tuple[str, ...] = ()
    """The words that counted, the weightiest first."""
    exclusion_reasons: tuple[str, ...] = ()
    """Why words did not count, or not fully: `FalseFriend.why` of each trap that made a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartialVerdict:
    """What the label, or the package, comes to on its own."""

    score: float = 0
    weighted_terms: tuple[tuple[str, TermWeight], ...] = ()
    exclusion_reasons: tuple[str, ...] = ()
    is_false_friend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """All words and traps."""

    label: tuple[LabelTerm, ...]
    package: tuple[PackageToken, ...]
    trap: tuple[FalseFriend, ...]
    decoy: tuple[DecoyTerm, ...] = ()
    harm: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What a list may say that an app did: its short word, and its meaning by language."""
    words: tuple[tuple[str, LabelTerm], ...] = field(init=False, repr=False, compare=False)
    """Each term of `label`, and how `letters.strip_invisible` has it: every name on a phone is looked through for all of them."""
    __pydantic_config__ = _FORBID

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple((normalize(term.term), term) for term in self.label))

    def classify_package(self, package: str) -> NameVerdict:
        """What a package name suggests by itself. About half of the lending apps have a package that tells nothing."""
        return self.classify(None, package)

    def classify_label(self, label: str) -> NameVerdict:
        """What the name under the icon suggests by itself."""
        return self.classify(label, None)

    def classify(self, label: str | None, package: str | None) -> NameVerdict:
        """What both names suggest together: they add up, and a trap in one holds for both."""
        halves = [
            self._score_label(label) if label else _PartialVerdict(),
            self._score_package(package) if package else _PartialVerdict(),
        ]
        score = sum(half.score for half in halves)
        words = sorted(
            (word for half in halves for word in half.weighted_terms), key=lambda word: -_WEIGHT_SCORES[word[1]]
        )
        verdict: Literal["lending", "maybe", "weak", "trapped", "no"]
        if score == 0:
            verdict = "no"
        elif any(half.is_false_friend for half in halves):
            verdict = "trapped"
        else:
            verdict = "lending" if score >= _MIN_LENDING_SCORE else "maybe" if score >= _MIN_MAYBE_SCORE else "weak"
        return NameVerdict(
            verdict=verdict,
            terms=tuple(dict.fromkeys(word for word, _ in words)),
            exclusion_reasons=tuple(dict.fromkeys(why for half in halves for why in half.exclusion_reasons)),
        )

    def find_decoy(self, label: str) -> str | None:
        """The small tool that `label` names (calculator, guide, wallpaper …); ``None``: none that we know."""
        shown = strip_invisible(label)
        texts = (shown.casefold(), split_camel_case(shown, " ").casefold())
        words = ((normalize(decoy.term), decoy.match) for decoy in self.decoy)
        return next(
            (word for word, match in words if any(matches_word(word, text, match) for text in texts)),
            None,
        )

    def _score_label(self, label: str) -> _PartialVerdict:
        shown = strip_invisible(label)
        whole, split = shown.casefold(), split_camel_case(shown, " ").casefold()
        both = f"{whole}\n{split}"
        found: dict[str, TermWeight] = {}
        for word, term in self.words:
            if word not in both:
                continue  # nearly all: there are hundreds of words, and every app has names in some languages
            if term.match in {"sub", "inword"}:
                hit = word in whole
            else:
                hit = matches_word(word, whole, term.match) or matches_word(word, split, term.match)
            if hit:
                found[word] = _heavier_weight(found.get(word), term.weight)
        kept, traps, trapped = self._apply_false_friends("label", whole, found)
        # 小贷 is one word, not also 贷.
        kept = {word: weight for word, weight in kept.items() if not any(word != w and word in w for w in kept)}
        score = sum(_WEIGHT_SCORES[weight] for weight in kept.values())
        return _PartialVerdict(
            score=score, weighted_terms=tuple(kept.items()), exclusion_reasons=traps, is_false_friend=trapped
        )

    def _score_package(self, package: str) -> _PartialVerdict:
        parts = [part for part in _PACKAGE_SEPARATORS.split(split_camel_case(package, ".").casefold()) if part]
        whole = ".".join(parts)
        found: dict[str, TermWeight] = {}
        for token in self.package:
            # `plan_parts` only holds word characters, so a token never matches across the dots of `whole`.
            if token.token in whole and (token.match == "substring" or token.token in parts):
                found[token.token] = _heavier_weight(found.get(token.token), token.weight)
        kept, traps, trapped = self._apply_false_friends("package", package.casefold(), found)
        # Package names are stuffed with words: only the weightiest counts.
        score = max((_WEIGHT_SCORES[weight] for weight in kept.values()), default=0)
        return _PartialVerdict(
            score=score, weighted_terms=tuple(kept.items()), exclusion_reasons=traps, is_false_friend=trapped
        )

    def _apply_false_friends(
        self, scope: NameScope, text: str, weights: dict[str, TermWeight]
    ) -> tuple[dict[str, TermWeight], tuple[str, ...], bool]:
        """The words that no trap takes away, why some were, and whether it is probably something else."""
        if not weights:
            return {}, (), False
        kept, reasons, trapped = dict(weights), [], False
        for trap in self.trap:
            if trap.scope != scope or not compile_regex(trap.regex).search(text):
                continue
            before = len(kept)
            if trap.effect == "cancel":
                kept = {word: weight for word, weight in kept.items() if word not in trap.concerns}
            elif trap.effect == "downgrade":
                kept = {word: weight for word, weight in kept.items() if weight == "strong"}
            else:
                trapped = True
            if trap.effect == "not_lender" or len(kept) != before:
                reasons.append(trap.why)
        return kept, tuple(reasons), trapped


def parse_vocabulary(data: Mapping[str, Any], file_name: str, problems: Problems) -> Vocabulary | None:
    """The vocabulary in `data`; ``None`` and all mistakes where it does not fit. Patterns are compiled when used."""
    return validate_data(_vocabulary_adapter(), data, file_name, problems)


def check_false_friend_patterns(false_friends: Iterable[FalseFriend], file_name: str, problems: Problems) -> None:
    """Compile every trap: too slow for each start, so it is done by tests and by who checks the lists."""
    for index, trap in enumerate(false_friends):
        try:
            compile_regex(trap.regex)
        except re.error as error:
            problems.add("knowledge.regex", file=file_name, row=index + 1, found=trap.regex, reason=str(error))


@cache
def _vocabulary_adapter() -> TypeAdapter[Vocabulary]:
    return TypeAdapter(Vocabulary)


def _heavier_weight(current: TermWeight | None, other: TermWeight) -> TermWeight:
    return other if current is None or _WEIGHT_SCORES[other] > _WEIGHT_SCORES[current] else current
