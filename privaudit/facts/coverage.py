"""Report what was read and what was not: one row per question, with the reason."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from privaudit.capture.answers import Answer, coverage_message
from privaudit.capture.model import Capture
from privaudit.capture.questions import QUESTIONS_BY_NAME, SETTINGS, expected_keys
from privaudit.dumpsys import device
from privaudit.facts.package_dumps import PackageDumps, with_problem
from privaudit.model import AnswerState, Coverage, Message

_FORMAT_SIGNATURE: Final[Mapping[str, re.Pattern[str]]] = {
    "roles": re.compile(r"^[^\S\n]*user_id=\d", re.MULTILINE),
    "device_policy": re.compile(r"Device Policy Manager|Enabled Device Admins \(User 0\b"),
}
"""Question → text that occurs in every output of its command, even if it lists nothing."""

_WITHOUT_END: Final = frozenset({"settings", "device_policy"})
"""Questions whose answer has no last line of its own. That it ends with a line is the only sign that it is whole."""


def coverage_rows(
    capture: Capture,
    sdk: int | None,
    user_ids: Iterable[int],
    package_dumps: PackageDumps,
    *,
    assessed: Mapping[str, Answer],
    unparsed_lines: Mapping[str, int],
    notes: Mapping[str, Message],
) -> Iterator[Coverage]:
    """Yield a row for each question that a phone of `sdk` with the users `user_ids` answers, and for failed own dumps.

    Questions that this Android version does not support get a row that hides nothing. By answer key: `assessed` has
    answers with a state that reflects what their text contains, `unparsed_lines` the number of lines of an unknown
    form, `notes` what to know about an answer that was read.
    """
    # Not in earlier captures and saved texts, whose list of users may have the types itself.
    optional = {"user_types"} - capture.answers.keys()
    keys = dict.fromkeys(key for key in expected_keys(sdk, sorted(user_ids)) if key not in optional)
    for name, question in QUESTIONS_BY_NAME.items():
        if question.scope == "phone" and name not in keys and name not in optional:
            yield Coverage(question=name, user=None, state=AnswerState.NOT_SUPPORTED)
    for key in keys:
        answer = assessed.get(key) or capture.answer(key)
        if answer.question in _WITHOUT_END and answer.exit_code is None and not answer.text.endswith("\n"):
            answer = with_problem(answer, coverage_message("coverage.no_end"))
        if answer.state is AnswerState.ANSWERED:
            answer = with_problem(answer, _find_problem(answer, package_dumps))
        row = _coverage_row(answer, unparsed_lines.get(key, 0))
        yield replace(row, detail=row.detail or notes.get(key))
    for answer in map(package_dumps.assess_own_answer, capture.answers_to("package")):
        if answer.state is not AnswerState.ANSWERED:
            said = coverage_message("coverage.phone_said", said=answer.subject or "")
            yield replace(_coverage_row(answer, 0), detail=answer.detail or said, could_hide=True)


def _coverage_row(answer: Answer, unparsed_lines: int) -> Coverage:
    is_complete = answer.state is AnswerState.ANSWERED and not unparsed_lines
    return Coverage(
        question=answer.question,
        user=answer.user,
        state=answer.state,
        unparsed_lines=unparsed_lines,
        detail=answer.detail,
        could_hide=QUESTIONS_BY_NAME[answer.question].is_essential and not is_complete,
    )


def _find_problem(answer: Answer, package_dumps: PackageDumps) -> Message | None:
    """Return what is wrong with the content of an answer that arrived completely."""
    if answer.question == "packages":
        missing = package_dumps.missing_blocks
        return package_dumps.full.problem or (coverage_message("coverage.missing_apps", n=missing) if missing else None)
    if answer.question == "users":
        listed_users, dumped_users = device.parse_users(answer.text, None), package_dumps.user_ids()
        if not listed_users:
            return coverage_message("coverage.no_user")
        if dumped_users and (differing := dumped_users ^ listed_users.keys()):
            return coverage_message("coverage.users_differ", users=", ".join(map(str, sorted(differing))))
    if answer.question == "properties" and "ro.build.version.sdk" not in device.parse_properties(answer.text):
        return coverage_message("coverage.not_this_dump")
    if answer.question == "settings" and answer.exit_code is not None:
        # Our own command prints each setting by name. A file saved by hand leaves out those that are not set.
        names = {line.partition("=")[0] for line in answer.text.split("\n")}
        if not names.issuperset(SETTINGS):
            return coverage_message("coverage.not_this_dump")
    pattern = _FORMAT_SIGNATURE.get(answer.question)
    is_other_text = pattern is not None and not pattern.search(answer.text)
    return coverage_message("coverage.not_this_dump") if is_other_text else None
