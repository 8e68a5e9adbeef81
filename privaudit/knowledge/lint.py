"""Looks for every mistake that a list, or the words, can hold. Slower than reading them, and for who writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from privaudit.knowledge import LoadedFiles, read_knowledge_files, releases, sdks, vocabulary
from privaudit.knowledge.examples import check_name_examples
from privaudit.knowledge.loader import Problems, format_location, suggest_similar
from privaudit.knowledge.schema import SignatureRow
from privaudit.knowledge.signatures import SignatureList
from privaudit.model import Message, MessageValue

WELL_KNOWN_TEST_CERTIFICATES: Final[Mapping[str, str]] = {
    "a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc": "AOSP testkey",
    "c8a2e9bccf597c2fb6dc66bee293fc13f2fc47ec77bc6b2b0d52c11f51192ab8": "AOSP platform",
    "28bbfe4a7b97e74681dc55c2fbb6ccb8d6c74963733f6af6ae74d8c3a6e879fd": "AOSP shared",
    "465983f7791f2abeb43ea2cbdc7f21a8260b72bc08a55c839fc1a43bc741a81e": "AOSP media",
    "fac61745dc0903786fb9ede62a962b399f7348f0bb6f899b8332667591033b9c": "React Native debug",
}
"""SHA-256 of certificates whose private key everybody has: AOSP ``build/target/product/security``, and the keystore in
React Native's template. Android Studio makes a debug key of its own on each computer: that one cannot be known."""


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
