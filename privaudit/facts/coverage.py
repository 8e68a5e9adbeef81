"""What was read and what was not: one row per question, with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from privaudit.capture import Capture
from privaudit.capture.answers import Answer, detail
from privaudit.capture.questions import BY_NAME, SETTINGS, expected
from privaudit.facts import device, users
from privaudit.facts.dump import Blocks
from privaudit.model import AnswerState, Coverage, Message

_LOOKS_LIKE: Final[Mapping[str, re.Pattern[str]]] = {
    "roles": re.compile(r"^\s*user_id=\d", re.MULTILINE),
    "device_policy": re.compile(r"Device Policy Manager|Enabled Device Admins"),
}
"""What stands in every dump of that kind, also where it has nothing to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What became of the answers when they were read."""

    answers: Mapping[str, Answer]
    """Answers whose state the text put right."""
    unparsed: Mapping[str, int]
    """Lines that no rule took, by key."""
    blocks: Blocks


def rows(capture: Capture, sdk: int | None, numbers: Iterable[int], reading: Reading) -> Iterator[Coverage]:
    """One row for each question that a phone of `sdk` with the users `numbers` answers, and what others say."""
    wanted = dict.fromkeys(expected(sdk, sorted(numbers)))
    for name, question in BY_NAME.items():
        if question.per == "phone" and name not in wanted:
            # What this Android version does not have hides nothing.
            yield Coverage(question=name, user=None, state=AnswerState.NOT_SUPPORTED)
    for key in wanted:
        answer = reading.answers.get(key) or capture.answer(key)
        problem = _problem(answer, reading.blocks) if answer.state is AnswerState.ANSWERED else None
        if problem is not None:
            answer = replace(answer, state=AnswerState.UNREADABLE, detail=problem)
        yield _row(answer, reading.unparsed.get(key, 0))
    for answer in capture.to("package"):
        source = reading.blocks.details.get(answer.about or "")
        row = _row(source.answer if source is not None else answer, 0)
        if row.state is not AnswerState.ANSWERED:
            doubt = source is not None and (source.dump.forged is not None or source.dump.lost > 0)
            yield replace(
                row, detail=row.detail or detail("coverage.phone_said", said=answer.about or ""), could_hide=doubt
            )


def _row(answer: Answer, unparsed: int) -> Coverage:
    whole = answer.state is AnswerState.ANSWERED and not unparsed
    return Coverage(
        question=answer.question,
        user=answer.user,
        state=answer.state,
        unparsed_lines=unparsed,
        detail=answer.detail,
        could_hide=BY_NAME[answer.question].essential and not whole,
    )


def _problem(answer: Answer, blocks: Blocks) -> Message | None:
    """What is wrong with an answer that came whole."""
    if answer.question == "users":
        said = users.parse(answer.text, None)
        if not said:
            return detail("coverage.no_user")
        if differing := blocks.users() ^ said.keys() if blocks.users() else frozenset():
            return detail("coverage.users_differ", users=", ".join(map(str, sorted(differing))))
    if answer.question == "properties" and "ro.build.version.sdk" not in device.properties(answer.text):
        return detail("coverage.not_this_dump")
    if answer.question == "settings" and answer.exit_code is not None:
        # We asked for each by its name; in a file that somebody saved, what is not set is left out.
        named = {line.partition("=")[0] for line in answer.text.split("\n")}
        if not named.issuperset(SETTINGS):
            return detail("coverage.not_this_dump")
    looks = _LOOKS_LIKE.get(answer.question)
    return detail("coverage.not_this_dump") if looks is not None and not looks.search(answer.text) else None
