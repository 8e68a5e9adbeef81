"""Is it a lending app? Lists first, then the words in its name. Recognised is not accused."""

from __future__ import annotations

from typing import Final

from privaudit.knowledge import Knowledge, KnownLender
from privaudit.model import AccessState, App, AppSummary, Lending, LendingVerdict, Message, MessageValue

_UNIDENTIFIED_PUBLISHER: Final = "not identified"
"""What a list says for a publisher that nobody knows: it must not stand in a sentence as if it were one."""
_REGISTERED_STATUSES: Final = frozenset({"licensed", "registered"})
_VERDICT_ORDER: Final = ("no", "weak", "maybe", "trapped", "lending")
"""Verdicts of the vocabulary; of several names the one that says most counts."""
_HOLDING_STATES: Final = frozenset(
    {AccessState.CAN_READ, AccessState.ONLY_WHILE_OPEN, AccessState.ASKS_EACH_TIME, AccessState.BLOCKED}
)


def recognise_lending(app: App | AppSummary, knowledge: Knowledge, *, installed: bool = True) -> Lending:
    """The verdict on one app, with every reason for it.

    Args:
        app: what is known of it, its listings too.
        knowledge: lists and words.
        installed: whether it is on a phone; else what it asks for counts as what it was given there.
    """
    reasons: list[Message] = []
    verdict = LendingVerdict.NO
    lender = knowledge.find_lender(app.package)
    if lender is not None:
        known = LendingVerdict.YES if lender.is_confident else LendingVerdict.LIKELY
        verdict = LendingVerdict.EMBEDS if lender.has_embedded_lending else known
        reasons.append(_known_lender_reason(lender))
    if app.listed:
        verdict = verdict if verdict is LendingVerdict.EMBEDS else LendingVerdict.YES
        reasons.append(Message(key="lending.listed"))
    if verdict in {LendingVerdict.NO, LendingVerdict.LIKELY}:
        reason = _label_reason(app, knowledge, installed=installed)
        if reason is not None:
            verdict = LendingVerdict.LIKELY
            reasons.append(reason)
    return Lending(verdict=verdict, reasons=tuple(reasons))


def _known_lender_reason(lender: KnownLender) -> Message:
    if lender.has_embedded_lending:
        return Message(key="lending.embeds")
    name = "registered" if lender.status in _REGISTERED_STATUSES else "paired" if lender.status == "paired" else "known"
    if not lender.is_confident:
        name = "unsure"
    if lender.publisher == _UNIDENTIFIED_PUBLISHER and name in {"known", "unsure"}:
        return Message(key="lending.known_unidentified")
    values: dict[str, MessageValue] = {"publisher": lender.publisher}
    if lender.date is None:
        return Message(key=f"lending.{name}_undated", values=values)
    return Message(key=f"lending.{name}", values={**values, "dated_on": lender.date})


def _label_reason(app: App | AppSummary, knowledge: Knowledge, *, installed: bool) -> Message | None:
    words = [knowledge.vocabulary.classify(label, app.package) for label in all_labels(app) or (None,)]
    word = max(words, key=lambda one: _VERDICT_ORDER.index(one.verdict))
    if word.verdict == "no":
        return None
    values = {"words": word.terms}
    if word.verdict == "lending":
        return Message(key="lending.name", values=values)
    # A weak or trapped word counts only together with access; and a trap never hides an app that holds it.
    counts = _HOLDING_STATES if installed else _HOLDING_STATES | {AccessState.NOT_ALLOWED}
    if counts.isdisjoint(app.access_states.values()):
        return None
    name = "trap" if word.verdict == "trapped" else "name"
    return Message(key=f"lending.{name}_and_{'access' if installed else 'asks'}", values=values)


def all_labels(app: App | AppSummary) -> tuple[str, ...]:
    """Every name that it goes by: a loan app may call itself a tool in one language only."""
    names = (app.label, *app.labels.values(), *app.launcher_labels)
    return tuple(dict.fromkeys(name for name in names if name))
