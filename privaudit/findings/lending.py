"""Recognise lending apps: by the lists first, then by the words in their labels. Recognised is not accused.

A strong word is enough. A weaker one, or one that usually means something else, counts only if the app was given access
to contacts, SMS or the call log. An app that the words call a loan app also counts if it asks for them: its owner
should learn what it will ask for.
"""

from collections.abc import Mapping
from typing import Final

from privaudit.facts.access import DATA_PERMISSIONS
from privaudit.knowledge import Knowledge
from privaudit.knowledge.signatures import RowRef
from privaudit.model import AccessState, App, AppSummary, Lending, LendingVerdict, Message

_UNIDENTIFIED_PUBLISHER: Final = "not identified"
"""Publisher of lists with unidentified makers. No sentence may print it as if it were a name."""
_EMBEDDED_STATUS: Final = "embeds_lending"
_REGISTERED_STATUSES: Final = frozenset({"licensed", "registered"})
_VERDICT_ORDER: Final = ("no", "weak", "maybe", "trapped", "lending")
"""Verdicts of the vocabulary; if an app has several labels, the last of these counts."""
_HOLDING_STATES: Final = frozenset(
    {AccessState.CAN_READ, AccessState.ONLY_WHILE_OPEN, AccessState.ASKS_EACH_TIME, AccessState.BLOCKED}
)
"""States in which the permission for the data is granted."""
_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "registered": ("lending.registered", "lending.registered_undated"),
    "paired": ("lending.paired", "lending.paired_undated"),
    "known": ("lending.known", "lending.known_undated"),
    "unsure": ("lending.unsure", "lending.unsure_undated"),
}
"""Kind of listing → sentence with the publisher of the list and its date, and the one without a date."""


def recognise_lending(app: App | AppSummary, knowledge: Knowledge, *, installed: bool = True) -> Lending:
    """Return the verdict on one app that has its listings, with every reason for it.

    If it is not `installed` on a phone, requested permissions count like granted ones.
    """
    reasons: list[Message] = []
    verdict = LendingVerdict.NO
    lender = knowledge.find_lender(app.package)
    if lender is not None:
        verdict = LendingVerdict.YES if lender.confidence is None else LendingVerdict.LIKELY
        if lender.status == _EMBEDDED_STATUS:
            verdict = LendingVerdict.EMBEDS
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


def _known_lender_reason(lender: RowRef) -> Message:
    source = lender.app_list.source
    if lender.app_list.is_user_list:
        return Message(key="lending.own_list")
    if lender.status == _EMBEDDED_STATUS:
        return Message(key="lending.embeds")
    if lender.confidence is not None:
        kind = "unsure"
    elif lender.status in _REGISTERED_STATUSES:
        kind = "registered"
    else:
        kind = "paired" if lender.status == "paired" else "known"
    if source.publisher == _UNIDENTIFIED_PUBLISHER and kind in {"known", "unsure"}:
        return Message(key="lending.known_unidentified")
    dated_key, undated_key = _SENTENCES[kind]
    if source.date is None:
        return Message(key=undated_key, values={"publisher": source.publisher})
    return Message(key=dated_key, values={"publisher": source.publisher, "dated_on": source.date})


def _label_reason(app: App | AppSummary, knowledge: Knowledge, *, installed: bool) -> Message | None:
    results = [knowledge.vocabulary.classify(label, app.package) for label in all_labels(app) or (None,)]
    result = max(results, key=lambda result: _VERDICT_ORDER.index(result.verdict))
    if result.verdict == "no":
        return None
    if result.verdict == "lending":
        return Message(key="lending.name", values={"words": result.terms})
    counted_states = _HOLDING_STATES if installed else _HOLDING_STATES | {AccessState.NOT_ALLOWED}
    if counted_states.isdisjoint(app.access_states.values()):
        called_loan_app = next((result for result in results if result.verdict == "maybe"), None)
        # What the manufacturer put on the phone often asks for contacts, and is seldom a lender.
        if called_loan_app is None or app.system or not _asks_for_data(app):
            return None
        return Message(key="lending.name_and_requests", values={"words": called_loan_app.terms})
    values = {"words": result.terms}
    if result.verdict == "trapped":
        return Message(key="lending.trap_and_access" if installed else "lending.trap_and_asks", values=values)
    return Message(key="lending.name_and_access" if installed else "lending.name_and_asks", values=values)


def _asks_for_data(app: App | AppSummary) -> bool:
    """Return whether the app requests contacts, SMS or the call log, and was not given it."""
    return any(
        state is AccessState.NOT_ALLOWED and any(one.permission in app.requests for one in DATA_PERMISSIONS[data])
        for data, state in app.access_states.items()
    )


def all_labels(app: App | AppSummary) -> tuple[str, ...]:
    """Return every label of the app: a loan app may call itself a tool in one language only."""
    labels = (app.label, *app.labels.values(), *app.launcher_labels)
    return tuple(dict.fromkeys(label for label in labels if label))
