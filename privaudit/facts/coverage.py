"""What was read and what was not: one row per question, with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from privaudit.capture.answers import Answer, coverage_message
from privaudit.capture.model import Capture
from privaudit.capture.questions import QUESTIONS_BY_NAME, SETTINGS, expected_keys
from privaudit.dumpsys import device
from privaudit.facts.package_dumps import PackageDumps
from privaudit.model import AnswerState, Coverage, Message

_FORMAT_SIGNATURE: Final[Mapping[str, re.Pattern[str]]] = {
    "roles": re.compile(r"^\s*user_id=\d", re.MULTILINE),
    "device_policy": re.compile(r"Device Policy Manager|Enabled Device Admins"),
}
"""What stands in every dump of that kind, also where it has nothing to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedAnswers:
    """What became of the answers when they were read."""

    answers: Mapping[str, Answer]
    """Answers whose state the text put right."""
    unparsed_lines: Mapping[str, int]
    """Lines that no rule took, by key."""
    package_dumps: PackageDumps


def coverage_rows(
    capture: Capture, sdk: int | None, user_ids: Iterable[int], parsed: ParsedAnswers
) -> Iterator[Coverage]:
    """One row for each question that a phone of `sdk` with the users `user_ids` answers, and what others say."""
    wanted = dict.fromkeys(expected_keys(sdk, sorted(user_ids)))
    for name, question in QUESTIONS_BY_NAME.items():
        if question.scope == "phone" and name not in wanted:
            # What this Android version does not have hides nothing.
            yield Coverage(question=name, user=None, state=AnswerState.NOT_SUPPORTED)
    for key in wanted:
        answer = parsed.answers.get(key) or capture.answer(key)
        problem = _find_problem(answer, parsed.package_dumps) if answer.state is AnswerState.ANSWERED else None
        if problem is not None:
            answer = replace(answer, state=AnswerState.UNREADABLE, detail=problem)
        yield _coverage_row(answer, parsed.unparsed_lines.get(key, 0))
    for answer in capture.answers_to("package"):
        source = parsed.package_dumps.by_package.get(answer.subject or "")
        row = _coverage_row(source.answer if source is not None else answer, 0)
        if row.state is not AnswerState.ANSWERED:
            doubtful = source is not None and (source.dump.forged_name is not None or source.dump.unread_grants > 0)
            yield replace(
                row,
                detail=row.detail or coverage_message("coverage.phone_said", said=answer.subject or ""),
                could_hide=doubtful,
            )


def _coverage_row(answer: Answer, unparsed_lines: int) -> Coverage:
    whole = answer.state is AnswerState.ANSWERED and not unparsed_lines
    return Coverage(
        question=answer.question,
        user=answer.user,
        state=answer.state,
        unparsed_lines=unparsed_lines,
        detail=answer.detail,
        could_hide=QUESTIONS_BY_NAME[answer.question].is_essential and not whole,
    )


def _find_problem(answer: Answer, package_dumps: PackageDumps) -> Message | None:
    """What is wrong with an answer that came whole."""
    if answer.question == "users":
        said = device.parse_users(answer.text, None)
        if not said:
            return coverage_message("coverage.no_user")
        if differing := package_dumps.user_ids() ^ said.keys() if package_dumps.user_ids() else frozenset():
            return coverage_message("coverage.users_differ", users=", ".join(map(str, sorted(differing))))
    if answer.question == "properties" and "ro.build.version.sdk" not in device.parse_properties(answer.text):
        return coverage_message("coverage.not_this_dump")
    if answer.question == "settings" and answer.exit_code is not None:
        # We asked for each by its name; in a file that somebody saved, what is not set is left out.
        named = {line.partition("=")[0] for line in answer.text.split("\n")}
        if not named.issuperset(SETTINGS):
            return coverage_message("coverage.not_this_dump")
    looks = _FORMAT_SIGNATURE.get(answer.question)
    return coverage_message("coverage.not_this_dump") if looks is not None and not looks.search(answer.text) else None
