"""A plan and a ledger in words: what would be changed, why, what may not work, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from privaudit.i18n import Language, name_of, tame
from privaudit.model import AccessState, App, DataClass, Message, Value
from privaudit.report import head
from privaudit.report.layout import hanging, titled, wrap
from privaudit.revocation import commands, steps
from privaudit.revocation.change import Change, Kind, Outcome
from privaudit.revocation.ledger import Entry, Ledger
from privaudit.revocation.plan import Plan
from privaudit.revocation.replies import LONGEST

_WIDTH: Final = 80
Names = Mapping[tuple[str, int], App]
"""The apps that were named, by package and user."""


def plan(language: Language, made: Plan, apps: Names) -> str:
    """The whole plan. What happens if they notice stands above it."""
    return "".join(f"{line}\n" for line in _plan(language, made, apps))


def _plan(language: Language, made: Plan, apps: Names) -> Iterator[str]:
    yield language.text("remedy.title")
    for notice in head.notices(language, demo=False):
        yield from wrap(notice, _WIDTH)
    phone = made.phone
    yield language.text("remedy.phone", model=phone.model, rom=phone.rom.name, android=phone.android)
    yield ""
    for message in steps.ALWAYS:
        yield from hanging("  · ", language.say(message), _WIDTH)
    if made.notes:
        yield ""
        yield language.text("remedy.notes")
        for note in made.notes:
            yield from hanging("  · ", language.say(note), _WIDTH)
    yield ""
    if not made.planned:
        yield from wrap(language.text("remedy.nothing"), _WIDTH)
    yield from _changes(language, made, apps)
    if made.planned:
        yield ""
        yield from wrap(language.text("remedy.order"), _WIDTH)
    if made.by_hand:
        yield from taps(language, "by_hand", {(one.package, one.user): one.steps for one in made.by_hand}, apps)


def _changes(language: Language, made: Plan, apps: Names) -> Iterator[str]:
    number = 0
    told: list[Message] = []
    again = language.text("remedy.as_above")
    for key, app in apps.items():
        own = [one for one in made.planned if (one.change.package, one.change.user) == key]
        if own:
            yield from titled(_title(language, app), _WIDTH)
        for one in own:
            number += 1
            yield from hanging(f"  {number}. ", language.say(said(one.change)), _WIDTH)
            yield from hanging("     ", language.say(one.why), _WIDTH)
            for command in _commands(language, one.change, made.phone.sdk or 0):
                yield from hanging("     ", command, _WIDTH)
            for doubt in one.doubts:
                yield from hanging("     ! ", language.say(doubt) if doubt not in told else again, _WIDTH)
                told.append(doubt)


def _commands(language: Language, change: Change, sdk: int) -> Iterator[str]:
    if change.kind is Kind.ACCESSIBILITY:
        # The whole list is written, and it names other apps.
        yield language.text("remedy.list_without")
        return
    for command in change.closing(sdk, ()):
        yield f"$ {command.text}"  # whole: every word of it was validated


def taps(
    language: Language, title: str, todo: Mapping[tuple[str, int], Iterable[Message]], apps: Names
) -> Iterator[str]:
    """What a person must do, app by app."""
    yield ""
    yield language.text(f"remedy.{title}")
    for key, own in todo.items():
        yield from wrap(f"  {_title(language, apps[key])}", _WIDTH)
        for place, step in enumerate(own, 1):
            yield from hanging(f"  [ ] {place}. ", language.say(step), _WIDTH)


def undo(language: Language, book: Ledger) -> Iterator[str]:
    """What undoing would take back, the last change first; what was never begun is left out."""
    yield language.text("remedy.title_undo")
    yield from hanging("  · ", language.text("remedy.undo_opens"), _WIDTH)
    touched = [entry for entry in book.entries if entry.may_have_acted]
    if not touched:
        yield language.text("remedy.nothing_undo")
    for place, entry in enumerate(reversed(touched), 1):
        what = language.say(said(entry.change))
        yield from hanging(f"  {place}. ", f"{_owner(language, entry.change)}: {what}", _WIDTH)


def fate(language: Language, entry: Entry) -> Iterator[str]:
    """What became of one change."""
    name = {Outcome.BEGUN: "unread", Outcome.PLANNED: "unread", Outcome.UNDOING: "unread"}.get(
        entry.outcome, entry.outcome.value
    )
    outcome = language.text(f"remedy.{name}")
    if entry.outcome is Outcome.REFUSED:
        outcome += f": {tame(entry.said or '', LONGEST)}"
    yield from hanging(
        "  ", f"{_owner(language, entry.change)}: {language.say(said(entry.change))} → {outcome}", _WIDTH
    )


def reread(language: Language, at: datetime, app: App | None, named: App) -> Iterator[str]:
    """How an app stands when all is done."""
    time = f"{at:%H:%M}"
    for data in DataClass:
        access = app.access[data] if app is not None else None
        if access is None or access.state is AccessState.NOT_REQUESTED:
            continue
        state = "unknown" if access.state is AccessState.UNKNOWN else "open" if access.state.reads else "closed"
        what = Message(key=f"data_access.{data}")
        values: dict[str, Value] = {"time": time, "app": _title(language, named), "what": what}
        yield from hanging("  · ", language.text(f"remedy.result_{state}", **values), _WIDTH)


def said(change: Change) -> Message:
    """What a change closes, in a few words."""
    match change.kind:
        case Kind.PERMISSION:
            group = next(name for name, of in commands.GROUPS.items() if change.what.rpartition(".")[2] in of)
            named = Message(key=f"remedy.{'phone_group' if group == 'phone' else group}")
            values: dict[str, Value] = {"what": change.what.rpartition(".")[2], "group": named}
        case Kind.ROLE | Kind.SPECIAL_OP:
            values = {"what": Message(key=f"remedy.{change.what}")}
        case Kind.UNINSTALL if change.system:
            return Message(key="remedy.uninstall_system")
        case _:
            values = {"what": change.what}
    return Message(key=f"remedy.{change.kind}", values=values)


def _owner(language: Language, change: Change) -> str:
    """Whose change it is."""
    if change.user == 0:
        return change.package
    return language.text("remedy.of_user", app=change.package, user=change.user)


def _title(language: Language, app: App) -> str:
    name = name_of(app.label, app.package)
    whole = name if name == app.package else f"{language.quote(name)}  {app.package}"
    return whole if app.user == 0 else language.text("remedy.of_user", app=whole, user=app.user)
