"""Words by which a lending app is recognised from its names, and the traps among them.

A word is a hint. "trapped" and "weak" count only together with access to contacts, SMS or the call log, and a trap
never hides an app that has it: some lending apps call themselves calculators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter

from privaudit.knowledge.letters import at_word, compiled, humps, normal, plain
from privaudit.knowledge.loader import Mistakes, validate

Weight: TypeAlias = Literal["strong", "medium", "weak"]
Scope: TypeAlias = Literal["label", "package"]

_SCORE: Final[Mapping[str, float]] = {"strong": 3, "medium": 1.5, "weak": 0.5}
_LENDING: Final = 3.0
_MAYBE: Final = 1.5
_FORBID: Final = ConfigDict(extra="forbid")

_SEPARATORS: Final = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word in the name under an app's icon."""

    term: str
    lang: str
    match: Literal["sub", "inword", "wstart", "word"]
    weight: Weight
    basis: Literal["attested", "language"]
    gloss: str | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word in a package name."""

    token: str
    match: Literal["substring", "whole"]
    weight: Weight
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """A word that looks like lending and is not."""

    scope: Scope
    regex: str
    effect: Literal["cancel", "downgrade", "not_lender"]
    concerns: tuple[str, ...]
    why: str
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoy:
    """A word of small tools that need nobody's contacts, and behind which lending apps have hidden."""

    term: str
    lang: str
    match: Literal["sub", "word"]
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a name suggests, and why."""

    verdict: Literal["lending", "maybe", "weak", "trapped", "no"]
    terms: tuple[str, ...] = ()
    """The words that counted, the weightiest first."""
    traps: tuple[str, ...] = ()
    """Why words did not count, or not fully: `Trap.why` of each trap that made a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Half:
    """What the label, or the package, comes to on its own."""

    score: float = 0
    words: tuple[tuple[str, Weight], ...] = ()
    traps: tuple[str, ...] = ()
    trapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """All words and traps."""

    label: tuple[Term, ...]
    package: tuple[Token, ...]
    trap: tuple[Trap, ...]
    decoy: tuple[Decoy, ...] = ()
    harm: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What a list may say that an app did: its short word, and its meaning by language."""
    words: tuple[tuple[str, Term], ...] = field(init=False, repr=False, compare=False)
    """Each term of `label`, and how `letters.plain` has it: every name on a phone is looked through for all of them."""
    __pydantic_config__ = _FORBID

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple((normal(term.term), term) for term in self.label))

    def judge_package(self, package: str) -> Word:
        """What a package name suggests by itself. About half of the lending apps have a package that tells nothing."""
        return self.judge(None, package)

    def judge_label(self, label: str) -> Word:
        """What the name under the icon suggests by itself."""
        return self.judge(label, None)

    def judge(self, label: str | None, package: str | None) -> Word:
        """What both names suggest together: they add up, and a trap in one holds for both."""
        halves = [
            self._label(label) if label else _Half(),
            self._package(package) if package else _Half(),
        ]
        score = sum(half.score for half in halves)
        words = sorted((word for half in halves for word in half.words), key=lambda word: -_SCORE[word[1]])
        verdict: Literal["lending", "maybe", "weak", "trapped", "no"]
        if score == 0:
            verdict = "no"
        elif any(half.trapped for half in halves):
            verdict = "trapped"
        else:
            verdict = "lending" if score >= _LENDING else "maybe" if score >= _MAYBE else "weak"
        return Word(
            verdict=verdict,
            terms=tuple(dict.fromkeys(word for word, _ in words)),
            traps=tuple(dict.fromkeys(why for half in halves for why in half.traps)),
        )

    def decoy_in(self, label: str) -> str | None:
        """The small tool that `label` names (calculator, guide, wallpaper …); ``None``: none that we know."""
        shown = plain(label)
        texts = (shown.casefold(), humps(shown, " ").casefold())
        words = ((normal(decoy.term), decoy.match) for decoy in self.decoy)
        return next(
            (word for word, match in words if any(at_word(word, text, match) for text in texts)),
            None,
        )

    def _label(self, label: str) -> _Half:
        shown = plain(label)
        whole, split = shown.casefold(), humps(shown, " ").casefold()
        both = f"{whole}\n{split}"
        found: dict[str, Weight] = {}
        for word, term in self.words:
            if word not in both:
                continue  # nearly all: there are hundreds of words, and every app has names in some languages
            if term.match in {"sub", "inword"}:
                hit = word in whole
            else:
                hit = at_word(word, whole, term.match) or at_word(word, split, term.match)
            if hit:
                found[word] = _weightier(found.get(word), term.weight)
        kept, traps, trapped = self._spring("label", whole, found)
        # 小贷 is one word, not also 贷.
        kept = {word: weight for word, weight in kept.items() if not any(word != w and word in w for w in kept)}
        score = sum(_SCORE[weight] for weight in kept.values())
        return _Half(score=score, words=tuple(kept.items()), traps=traps, trapped=trapped)

    def _package(self, package: str) -> _Half:
        parts = [part for part in _SEPARATORS.split(humps(package, ".").casefold()) if part]
        whole = ".".join(parts)
        found: dict[str, Weight] = {}
        for token in self.package:
            # `parts` only holds word characters, so a token never matches across the dots of `whole`.
            if token.token in whole and (token.match == "substring" or token.token in parts):
                found[token.token] = _weightier(found.get(token.token), token.weight)
        kept, traps, trapped = self._spring("package", package.casefold(), found)
        # Package names are stuffed with words: only the weightiest counts.
        score = max((_SCORE[weight] for weight in kept.values()), default=0)
        return _Half(score=score, words=tuple(kept.items()), traps=traps, trapped=trapped)

    def _spring(
        self, scope: Scope, text: str, found: dict[str, Weight]
    ) -> tuple[dict[str, Weight], tuple[str, ...], bool]:
        """The words that no trap takes away, why some were, and whether it is probably something else."""
        if not found:
            return {}, (), False
        kept, reasons, trapped = dict(found), [], False
        for trap in self.trap:
            if trap.scope != scope or not compiled(trap.regex).search(text):
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


def parse(data: Mapping[str, Any], name: str, mistakes: Mistakes) -> Vocabulary | None:
    """The vocabulary in `data`; ``None`` and all mistakes where it does not fit. Patterns are compiled when used."""
    return validate(_adapter(), data, name, mistakes)


def check_patterns(traps: Iterable[Trap], name: str, mistakes: Mistakes) -> None:
    """Compile every trap: too slow for each start, so it is done by tests and by who checks the lists."""
    for index, trap in enumerate(traps):
        try:
            compiled(trap.regex)
        except re.error as error:
            mistakes.add("knowledge.regex", file=name, row=index + 1, found=trap.regex, reason=str(error))


@cache
def _adapter() -> TypeAdapter[Vocabulary]:
    return TypeAdapter(Vocabulary)


def _weightier(one: Weight | None, other: Weight) -> Weight:
    return other if one is None or _SCORE[other] > _SCORE[one] else one
