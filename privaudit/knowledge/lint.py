"""Looks for every mistake that a list, or the words, can hold. Slower than reading them, and for who writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from privaudit.knowledge import Parts, read, releases, sdks, vocabulary
from privaudit.knowledge.examples import check_names
from privaudit.knowledge.loader import Mistakes, similar, where
from privaudit.knowledge.schema import Row
from privaudit.knowledge.signatures import AppList
from privaudit.model import Message, Value

PUBLISHED_KEYS: Final[Mapping[str, str]] = {
    "a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc": "AOSP testkey",
    "c8a2e9bccf597c2fb6dc66bee293fc13f2fc47ec77bc6b2b0d52c11f51192ab8": "AOSP platform",
    "28bbfe4a7b97e74681dc55c2fbb6ccb8d6c74963733f6af6ae74d8c3a6e879fd": "AOSP shared",
    "465983f7791f2abeb43ea2cbdc7f21a8260b72bc08a55c839fc1a43bc741a81e": "AOSP media",
    "fac61745dc0903786fb9ede62a962b399f7348f0bb6f899b8332667591033b9c": "React Native debug",
}
"""SHA-256 of certificates whose private key everybody has: AOSP ``build/target/product/security``, and the keystore in
React Native's template. Android Studio makes a debug key of its own on each computer: that one cannot be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was looked at, and what is wrong with it."""

    lists: tuple[AppList, ...]
    mistakes: tuple[Message, ...]


def check(path: Path | None = None, *, today: date | None = None) -> Checked:
    """Look at `path`: a folder like ours, a list, or a folder of lists; without one, at the lists in force.

    A list of one's own is held against the lists in force too.

    Raises:
        KnowledgeError: privaudit's own lists are not there.
    """
    mistakes = Mistakes()
    ours: Traversable = releases.in_force()
    whole = path is None or (path / "vocabulary.toml").is_file()
    folder = path if path is not None and whole else ours
    parts = read(folder, mistakes, extra=() if path is None or whole else (path,))
    looked_at = [part for part in parts.lists if whole or part.own]
    if whole:
        _check_whole(folder, parts, mistakes)
    harms = frozenset(parts.vocabulary.harm) if parts.vocabulary else frozenset[str]()
    latest = (today or datetime.now(UTC).date()).isoformat()
    for part in looked_at:
        if (part.source.date or "") > latest:
            mistakes.add("knowledge.date_ahead", file=part.file, where=where(["source"]), found=part.source.date)
        _check_harms(part, harms, mistakes)
        _check_digests(part, mistakes)
        _check_examples(part, mistakes)
    _check_certificates(parts.lists, looked_at, mistakes)
    _check_undisputed(parts.lists, looked_at, mistakes)
    return Checked(lists=tuple(looked_at), mistakes=tuple(_once(mistakes)))


def _once(mistakes: Mistakes) -> Iterator[Message]:
    seen: list[Message] = []
    for mistake in mistakes:
        if mistake not in seen:
            seen.append(mistake)
            yield mistake


def _check_whole(folder: Traversable, parts: Parts, mistakes: Mistakes) -> None:
    releases.read(folder, mistakes)
    sdks.read(folder, mistakes)
    if parts.vocabulary is None:
        return
    patterns = Mistakes()
    vocabulary.check_patterns(parts.vocabulary.trap, "vocabulary.toml", patterns)
    mistakes += patterns
    for table, words in (
        ("label", [(term.term, term.lang, term.match) for term in parts.vocabulary.label]),
        ("package", [(token.token, "", token.match) for token in parts.vocabulary.package]),
        ("decoy", [(decoy.term, decoy.lang, decoy.match) for decoy in parts.vocabulary.decoy]),
    ):
        for (word, _, _), times in Counter(words).items():
            if times > 1:
                mistakes.add("knowledge.term_twice", file="vocabulary.toml", found=word, table=table)
    if not patterns:  # no name can be judged by a pattern that cannot be read
        check_names(folder, parts.vocabulary, mistakes)


def _rows(parts: list[AppList] | tuple[AppList, ...]) -> Iterator[tuple[AppList, int, Row, dict[str, Value]]]:
    for part in parts:
        for index, row in enumerate(part.rows):
            yield part, index + 1, row, {"file": part.file, "where": where(["app", index]), "row": index + 1}


def _check_harms(part: AppList, known: frozenset[str], mistakes: Mistakes) -> None:
    for _, _, row, at in _rows([part]):
        for harm in row.harms:
            if harm not in known and known:
                mistakes.add("knowledge.unknown_harm", **at, found=harm, similar=similar(harm, known))


def _check_digests(part: AppList, mistakes: Mistakes) -> None:
    seen: Counter[str] = Counter()
    for _, _, row, at in _rows([part]):
        for digest in row.sha256:
            seen[digest] += 1
            if seen[digest] > 1:
                mistakes.add("knowledge.digest_twice", **at, found=digest)
        for digest in row.certificates:
            if digest in PUBLISHED_KEYS:
                mistakes.add("knowledge.certificate_test", **at, found=digest, name=PUBLISHED_KEYS[digest])


def _check_examples(part: AppList, mistakes: Mistakes) -> None:
    held = {key for row in part.rows for key in row.found_by}
    for number, example in enumerate(part.examples, 1):
        asked = (
            ("package", example.package),
            ("apk_sha256", example.sha256),
            ("certificate", example.certificate),
        )
        for match, value in asked:
            if value is not None and ((match, value) in held) is not example.matches:
                name = "knowledge.example_missed" if example.matches else "knowledge.example_found"
                mistakes.add(name, file=part.file, row=number, found=value)


def _check_certificates(every: tuple[AppList, ...], looked_at: list[AppList], mistakes: Mistakes) -> None:
    """A certificate on rows of several developers belongs to none of them: somebody signs for all."""
    makers: dict[str, dict[str, str]] = {}
    for part, number, row, _ in _rows(every):
        for digest in row.certificates:
            makers.setdefault(digest, {}).setdefault(row.developer or "", f"{part.id}#{number}")
    for _, _, row, at in _rows(looked_at):
        for digest in row.certificates:
            others = {maker: place for maker, place in makers[digest].items() if maker and maker != row.developer}
            if row.developer and others and digest not in PUBLISHED_KEYS:
                mistakes.add("knowledge.certificate_shared", **at, found=digest, others=tuple(sorted(others.values())))


def _check_undisputed(every: tuple[AppList, ...], looked_at: list[AppList], mistakes: Mistakes) -> None:
    """Two lists that disagree must say so. A notice to rectify does not deny that an app lends."""
    lenders: dict[tuple[str, str], list[str]] = {}
    for part, number, row, _ in _rows([part for part in every if part.kind == "lenders"]):
        for key in row.found_by:
            lenders.setdefault(key, []).append(f"{part.id}#{number}")
    for part, _, row, at in _rows([part for part in every if part.kind == "risky" and part.source.tier != "N"]):
        others = sorted({place for key in row.found_by for place in lenders.get(key, ())})
        mine = part in looked_at or any(place.startswith(f"{one.id}#") for one in looked_at for place in others)
        if others and mine and not row.disputed:
            shown = row.package or next(value for _, value in row.found_by)
            mistakes.add("knowledge.undisputed", **at, package=shown, others=tuple(others))
