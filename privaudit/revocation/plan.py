"""The plan: per app and Android user, what would be changed, why, and what will not work on this phone.

Only apps that were named are in it, and nothing in it touches another. A plan changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privaudit.dumpsys import device
from privaudit.errors import PhoneError
from privaudit.findings import severity
from privaudit.i18n import name_of
from privaudit.model import App, LendingVerdict, Message, Phone, Step, User, UserKind
from privaudit.revocation import commands, doubts, steps
from privaudit.revocation.change import Change, Kind, State
from privaudit.revocation.state import Reading

_LEGACY_TARGET: Final = 23
_CALL_LOG_SDK: Final = 28
"""Before Android 9 the call log belongs to the Phone group."""
_BY_HAND: Final = ("device_admin", "input_method")
_COMPONENTS: Final = {"accessibility": Kind.ACCESSIBILITY, "notification_listener": Kind.LISTENER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One change, and what is to be said of it."""

    change: Change
    why: Message
    doubts: tuple[Message, ...]
    """What may not work on this ROM and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """What only a person can do."""

    package: str
    user: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything, in the order in which it would be done."""

    phone: Phone
    planned: tuple[Planned, ...]
    by_hand: tuple[ByHand, ...]
    notes: tuple[Message, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes alone."""
        return tuple(one.change for one in self.planned)


def build(reading: Reading, apps: Iterable[App], users: Iterable[User], *, uninstall: bool) -> Plan:
    """Plan how to close `apps`.

    Args:
        reading: how they stand.
        apps: those that were named, recognised and called by their names, for each user that has them.
        users: all Android users of the phone.
        uninstall: whether they are to be removed in the end.

    Raises:
        PhoneError: what an app holds could not be read: a plan without it would leave doors open.
    """
    named = tuple(apps)
    planned: list[Planned] = []
    by_hand: list[ByHand] = []
    for app in named:
        now = reading.app(app.package, app.user)
        if now is None or app.package not in reading.blocks:
            raise PhoneError("errors.app_unread", app=app.package)
        builder = _Builder(reading, now, app)
        made = [*builder.changes(), *(builder.uninstall() if uninstall else ())]
        planned += made
        taps = tuple(builder.by_hand(made))
        if taps:
            by_hand.append(ByHand(package=app.package, user=app.user, steps=taps))
    notes: list[Message] = []
    for note in _notes(reading, named, users):
        if note not in notes:  # one for all copies of an app
            notes.append(note)
    order = list(Kind)
    planned.sort(key=lambda one: order.index(one.change.kind))
    return Plan(
        phone=reading.facts.phone,
        planned=tuple(planned),
        by_hand=tuple(by_hand),
        notes=tuple(notes),
    )


class _Builder:
    """The plan for one app of one user."""

    def __init__(self, reading: Reading, app: App, named: App) -> None:
        self.reading = reading
        self.app = app
        self.label = named
        self.phone = reading.facts.phone
        self.sdk = self.phone.sdk or 0
        self.shared = reading.blocks[named.package].shared_user is not None
        self.properties = device.properties(reading.capture.answer("properties").text)

    def changes(self) -> Iterator[Planned]:
        made = [*self.roles(), *self.services(), *self.special_ops(), *self.permissions()]
        yield from made
        running = self.reading.running(self.app)
        if made and running is not None and running.held:
            yield self.planned(Kind.FORCE_STOP, "", running, "why_force_stop")

    def roles(self) -> Iterator[Planned]:
        for kind in commands.ROLES:
            if self._holds(kind) and self.sdk >= commands.ROLES_SDK:
                yield self.planned(Kind.ROLE, kind, State(held=True), "why_role")

    def services(self) -> Iterator[Planned]:
        others = self.reading.services(self.app.user)
        for held in self.app.special_access:
            kind, component = _COMPONENTS.get(held.kind), held.component
            if kind is None or component is None or not commands.is_component(component, self.app.package):
                continue
            if kind is Kind.LISTENER and self.sdk < commands.LISTENERS_SDK:
                continue
            if kind is Kind.ACCESSIBILITY and others is None:
                continue
            yield self.planned(kind, component, State(held=True), f"why_{kind}")

    def special_ops(self) -> Iterator[Planned]:
        for kind in () if self.shared else commands.SPECIAL_OPS:
            state = self.reading.special_op(self.app, kind)
            if state is not None and state.held:
                yield self.planned(Kind.SPECIAL_OP, kind, state, f"why_{kind}")

    def permissions(self) -> Iterator[Planned]:
        for group, names in () if self.shared else commands.GROUPS.items():
            if group == "phone" and self.sdk >= _CALL_LOG_SDK:
                continue
            for name in names:
                full = f"android.permission.{name}"
                state = self.reading.permission(self.app, full)
                if state is not None and state.held:
                    reads = name in {"READ_CONTACTS", "READ_SMS", "READ_CALL_LOG"}
                    yield self.planned(Kind.PERMISSION, full, state, "why_permission" if reads else "why_member")

    def uninstall(self) -> Iterator[Planned]:
        yield self.planned(Kind.UNINSTALL, "", State(held=True), "why_uninstall")

    def planned(self, kind: Kind, what: str, before: State, why: str) -> Planned:
        target = self.app.target_sdk
        change = Change(
            package=self.app.package,
            user=self.app.user,
            kind=kind,
            what=what,
            before=before,
            old_app=target is not None and target < _LEGACY_TARGET,
            system=self.app.system,
        )
        return Planned(
            change=change,
            why=Message(key=f"remedy.{why}"),
            doubts=tuple(doubts.about(change, self.phone, self.properties)),
        )

    def by_hand(self, made: Iterable[Planned]) -> Iterator[Step]:
        """Taps for what `made` leaves open."""
        done = {one.change.what for one in made} | {
            held.kind for held in self.app.special_access for one in made if one.change.what == held.component
        }
        if self.shared and severity.reads(self.app):
            yield from steps.permissions(self.label, self.phone, UserKind.OTHER)
        for kind in dict.fromkeys(held.kind for held in self.app.special_access):
            closes = kind in {*commands.ROLES, *_COMPONENTS, *_BY_HAND} or (
                self.shared and kind in commands.SPECIAL_OPS
            )
            if closes and kind not in done:
                yield from steps.special(kind, self.label, self.phone)

    def _holds(self, kind: str) -> bool:
        return any(one.kind == kind for one in self.app.special_access)


def _notes(reading: Reading, apps: Iterable[App], users: Iterable[User]) -> Iterator[Message]:
    for app in apps:
        values = {"app": name_of(app.label, app.package)}
        grounds: Mapping[str, bool] = {
            "embeds": app.lending.verdict is LendingVerdict.EMBEDS,
            "unknown": not app.recognised,
            "system": app.system,
            "owner": any(one.kind == "device_owner" for one in app.special_access),
            "shared": reading.blocks[app.package].shared_user is not None,
        }
        for name, holds in grounds.items():
            if holds:
                yield Message(key=f"remedy.note_{name}", values={**values})
    for user in users:
        if not user.checked:
            yield Message(key="remedy.note_user", values={"user": user.id})
    if reading.ops is None:
        yield Message(key="remedy.note_ops")
