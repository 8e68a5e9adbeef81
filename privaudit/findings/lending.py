"""Is it a lending app? Lists first, then the words in its name. Recognised is not accused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.knowledge import Knowledge, LenderRow
from privaudit.model import AccessState, App, Lending, LendingVerdict, Message, Value

WORDS: Final[Mapping[str, str]] = {
    "known": "{publisher} names it as a lending app ({dated_on}). That says nothing about how it uses contacts.",
    "known_undated": "{publisher} names it as a lending app (no date). That says nothing about how it uses contacts.",
    "known_unidentified": (
        "Public files whose makers are not identified name it as a lending app."
        " That says nothing about how it uses contacts."
    ),
    "registered": (
        "The same package name is in the register of {publisher} ({dated_on})."
        " That says nothing about how it uses contacts."
    ),
    "registered_undated": (
        "The same package name is in the register of {publisher} (no date)."
        " That says nothing about how it uses contacts."
    ),
    "embeds": "It is a wallet or shop app that also offers loans.",
    "listed": "It is on a list of loan apps.",
    "name": "Its name suggests lending ({words}). A name alone can mislead.",
    "name_and_access": (
        "Its name may suggest lending ({words}), and it was given a permission for contacts, SMS or call log."
    ),
    "trap_and_access": (
        "Its name looks like something else ({words}), but it was given a permission for contacts, SMS or call log."
        " Some lending apps carry such names."
    ),
}
_NOBODY: Final = "not identified"
"""What a list says for a publisher that nobody knows: it must not stand in a sentence as if it were one."""
_REGISTERED: Final = frozenset({"licensed", "registered"})
_WEIGHT: Final = ("no", "weak", "maybe", "trapped", "lending")
"""Verdicts of the vocabulary; of several names the one that says most counts."""
_HOLDS: Final = frozenset(
    {AccessState.CAN_READ, AccessState.ONLY_WHILE_OPEN, AccessState.ASKS_EACH_TIME, AccessState.BLOCKED}
)


def recognise(app: App, knowledge: Knowledge) -> Lending:
    """The verdict on one app, with every reason for it."""
    reasons: list[Message] = []
    verdict = LendingVerdict.NO
    lender = knowledge.lender(app.package)
    if lender is not None:
        verdict = LendingVerdict.EMBEDS if lender.embeds else LendingVerdict.YES
        reasons.append(_known(lender))
    if app.listed:
        verdict = LendingVerdict.YES if verdict is LendingVerdict.NO else verdict
        reasons.append(Message(key="lending.listed"))
    if verdict is LendingVerdict.NO:
        reason = _by_name(app, knowledge)
        if reason is not None:
            return Lending(verdict=LendingVerdict.LIKELY, reasons=(reason,))
    return Lending(verdict=verdict, reasons=tuple(reasons))


def _known(lender: LenderRow) -> Message:
    if lender.embeds:
        return Message(key="lending.embeds")
    name = "registered" if lender.status in _REGISTERED else "known"
    if lender.publisher == _NOBODY and name == "known":
        return Message(key="lending.known_unidentified")
    values: dict[str, Value] = {"publisher": lender.publisher}
    if lender.date is None:
        return Message(key=f"lending.{name}_undated", values=values)
    return Message(key=f"lending.{name}", values={**values, "dated_on": lender.date})


def _by_name(app: App, knowledge: Knowledge) -> Message | None:
    # By every name that it goes by: a loan app may call itself a tool in one language only.
    labels = tuple(dict.fromkeys((app.label, *app.labels.values(), *app.launcher_labels)))
    words = [knowledge.vocabulary.judge(label, app.package) for label in labels]
    word = max(words, key=lambda one: _WEIGHT.index(one.verdict))
    if word.verdict == "no":
        return None
    values = {"words": word.terms}
    if word.verdict == "lending":
        return Message(key="lending.name", values=values)
    # A weak or trapped word counts only together with access; and a trap never hides an app that holds it.
    if not any(access.state in _HOLDS for access in app.access.values()):
        return None
    return Message(
        key="lending.trap_and_access" if word.verdict == "trapped" else "lending.name_and_access", values=values
    )
