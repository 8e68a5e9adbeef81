"""The plan: per app and Android user, what would be changed, why, and what will not work on this phone.

Only apps that were named are in it, and nothing in it touches another. A plan changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privaudit import roms
from privaudit.android import (
    CALL_LOG_GROUP_SDK,
    OPS_FOLLOW_PERMISSION_SDK,
    PERMISSION_PREFIX,
    ROLES_SDK,
    RUNTIME_PERMISSIONS_SDK,
)
from privaudit.dumpsys import device
from privaudit.errors import PhoneError
from privaudit.findings import severity
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, LendingVerdict, Message, Phone, Step, User, UserKind
from privaudit.revocation import commands, settings_page, steps
from privaudit.revocation.change import FIXED_FLAGS, Change, ChangeKind, TargetState
from privaudit.revocation.state import DeviceState

_RESTRICTION_KINDS: Final = {
    ChangeKind.PERMISSION: "permissions",
    ChangeKind.SPECIAL_OP: "app_ops",
    ChangeKind.ACCESSIBILITY: "permissions",
}


def caveats_for(change: Change, phone: Phone, properties: Mapping[str, str]) -> Iterator[Message]:
    """Doubts about one change; none where it should simply work."""
    for gate in roms.list_restrictions(phone.rom.id):
        if _RESTRICTION_KINDS.get(change.kind) not in gate.blocks:
            continue
        said = properties.get(gate.property_name) if gate.property_name is not None else None
        if gate.open_value is None or said != gate.open_value:
            shut = gate.property_name is not None and said is not None
            key = "remedy.gate_shut" if shut else "remedy.gate_may"
            yield Message(key=key, values={"word": settings_page.menu_term(phone, gate.menu_key)})
    if change.kind in {ChangeKind.ROLE, ChangeKind.LISTENER, ChangeKind.ACCESSIBILITY}:
        yield Message(key="remedy.unverified")
    if change.kind is ChangeKind.PERMISSION:
        yield from _permission_caveats(change, phone)


def _permission_caveats(change: Change, phone: Phone) -> Iterator[Message]:
    for flag in sorted(FIXED_FLAGS.intersection(change.before.flags)):
        yield Message(key=f"remedy.{'fixed_system' if flag == 'SYSTEM_FIXED' else 'fixed_policy'}")
    if change.old_app:
        yield Message(key="remedy.old_app")
    if (
        phone.sdk is not None
        and phone.sdk >= OPS_FOLLOW_PERMISSION_SDK
        and (change.old_app or FIXED_FLAGS.intersection(change.before.flags))
    ):
        yield Message(key="remedy.op_ignored")


_MANUAL_ONLY_KINDS: Final = ("device_admin", "input_method")
_COMPONENT_CHANGE_KINDS: Final = {
    "accessibility": ChangeKind.ACCESSIBILITY,
    "notification_listener": ChangeKind.LISTENER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """One change, and what is to be said of it."""

    change: Change
    why: Message
    caveats: tuple[Message, ...]
    """What may not work on this ROM and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualSteps:
    """What only a person can do."""

    package: str
    user: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationPlan:
    """Everything, in the order in which it would be done."""

    phone: Phone
    planned_changes: tuple[PlannedChange, ...]
    manual_steps: tuple[ManualSteps, ...]
    notes: tuple[Message, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes alone."""
        return tuple(one.change for one in self.planned_changes)


def build_plan(
    device_state: DeviceState, apps: Iterable[App], users: Iterable[User], *, uninstall: bool
) -> RevocationPlan:
    """Plan how to close `apps`.

    Args:
        device_state: how they stand.
        apps: those that were named, recognised and called by their names, for each user that has them.
        users: all Android users of the phone.
        uninstall: whether they are to be removed in the end.

    Raises:
        PhoneError: what an app holds could not be read: a plan without it would leave doors open.
    """
    named = tuple(apps)
    planned: list[PlannedChange] = []
    by_hand: list[ManualSteps] = []
    for app in named:
        now = device_state.find_app(app.package, app.user)
        if now is None or app.package not in device_state.package_blocks:
            raise PhoneError("errors.app_unread", app=app.package)
        builder = _AppPlanner(device_state, now, app)
        made = [*builder.all_changes(), *(builder.uninstall_changes() if uninstall else ())]
        planned += made
        taps = tuple(builder.manual_steps(made))
        if taps:
            by_hand.append(ManualSteps(package=app.package, user=app.user, steps=taps))
    notes: list[Message] = []
    for note in _plan_notes(device_state, named, users):
        if note not in notes:  # one for all copies of an app
            notes.append(note)
    order = list(ChangeKind)
    planned.sort(key=lambda one: order.index(one.change.kind))
    return RevocationPlan(
        phone=device_state.facts.phone,
        planned_changes=tuple(planned),
        manual_steps=tuple(by_hand),
        notes=tuple(notes),
    )


class _AppPlanner:
    """The plan for one app of one user."""

    def __init__(self, device_state: DeviceState, app: App, labelled_app: App) -> None:
        self.device_state = device_state
        self.app = app
        self.labelled_app = labelled_app
        self.phone = device_state.facts.phone
        self.sdk = self.phone.sdk or 0
        self.has_shared_uid = device_state.package_blocks[labelled_app.package].shared_user is not None
        self.properties = device.parse_properties(device_state.capture.answer("properties").text)

    def all_changes(self) -> Iterator[PlannedChange]:
        made = [*self.role_changes(), *self.service_changes(), *self.special_op_changes(), *self.permission_changes()]
        yield from made
        running = self.device_state.running_state(self.app)
        if made and running is not None and running.held:
            yield self._plan_change(ChangeKind.FORCE_STOP, "", running, "why_force_stop")

    def role_changes(self) -> Iterator[PlannedChange]:
        for kind in commands.ROLES:
            if self._has_special_access(kind) and self.sdk >= ROLES_SDK:
                yield self._plan_change(ChangeKind.ROLE, kind, TargetState(held=True), "why_role")

    def service_changes(self) -> Iterator[PlannedChange]:
        others = self.device_state.accessibility_services(self.app.user)
        for held in self.app.special_access:
            kind, component = _COMPONENT_CHANGE_KINDS.get(held.kind), held.component
            if kind is None or component is None or not commands.is_component(component, self.app.package):
                continue
            if kind is ChangeKind.LISTENER and self.sdk < commands.LISTENERS_SDK:
                continue
            if kind is ChangeKind.ACCESSIBILITY and others is None:
                continue
            yield self._plan_change(kind, component, TargetState(held=True), f"why_{kind}")

    def special_op_changes(self) -> Iterator[PlannedChange]:
        for kind in () if self.has_shared_uid else commands.SPECIAL_OPS:
            state = self.device_state.special_op_state(self.app, kind)
            if state is not None and state.held:
                yield self._plan_change(ChangeKind.SPECIAL_OP, kind, state, f"why_{kind}")

    def permission_changes(self) -> Iterator[PlannedChange]:
        for group, names in () if self.has_shared_uid else commands.GROUPS.items():
            if group == "phone" and self.sdk >= CALL_LOG_GROUP_SDK:
                continue
            for name in names:
                full = f"{PERMISSION_PREFIX}{name}"
                state = self.device_state.permission_state(self.app, full)
                if state is not None and state.held:
                    reads = name in {"READ_CONTACTS", "READ_SMS", "READ_CALL_LOG"}
                    yield self._plan_change(
                        ChangeKind.PERMISSION, full, state, "why_permission" if reads else "why_member"
                    )

    def uninstall_changes(self) -> Iterator[PlannedChange]:
        yield self._plan_change(ChangeKind.UNINSTALL, "", TargetState(held=True), "why_uninstall")

    def _plan_change(self, kind: ChangeKind, what: str, before: TargetState, reason: str) -> PlannedChange:
        target = self.app.target_sdk
        change = Change(
            package=self.app.package,
            user=self.app.user,
            kind=kind,
            what=what,
            before=before,
            old_app=target is not None and target < RUNTIME_PERMISSIONS_SDK,
            system=self.app.system,
        )
        return PlannedChange(
            change=change,
            why=Message(key=f"remedy.{reason}"),
            caveats=tuple(caveats_for(change, self.phone, self.properties)),
        )

    def manual_steps(self, planned_changes: Iterable[PlannedChange]) -> Iterator[Step]:
        """Taps for what `planned_changes` leaves open."""
        done = {one.change.what for one in planned_changes} | {
            held.kind
            for held in self.app.special_access
            for one in planned_changes
            if one.change.what == held.component
        }
        if self.has_shared_uid and severity.readable_data(self.app):
            yield from steps.permission_steps(self.labelled_app, self.phone, UserKind.OTHER)
        for kind in dict.fromkeys(held.kind for held in self.app.special_access):
            closes = kind in {*commands.ROLES, *_COMPONENT_CHANGE_KINDS, *_MANUAL_ONLY_KINDS} or (
                self.has_shared_uid and kind in commands.SPECIAL_OPS
            )
            if closes and kind not in done:
                yield from steps.special_access_steps(kind, self.labelled_app, self.phone)

    def _has_special_access(self, kind: str) -> bool:
        return any(one.kind == kind for one in self.app.special_access)


def _plan_notes(device_state: DeviceState, apps: Iterable[App], users: Iterable[User]) -> Iterator[Message]:
    for app in apps:
        values = {"app": display_name(app.label, app.package)}
        grounds: Mapping[str, bool] = {
            "embeds": app.lending.verdict is LendingVerdict.EMBEDS,
            "unknown": not app.is_recognised,
            "system": app.system,
            "owner": any(one.kind == "device_owner" for one in app.special_access),
            "shared": device_state.package_blocks[app.package].shared_user is not None,
        }
        for name, holds in grounds.items():
            if holds:
                yield Message(key=f"remedy.note_{name}", values={**values})
    for user in users:
        if not user.checked:
            yield Message(key="remedy.note_user", values={"user": user.id})
    if device_state.app_ops is None:
        yield Message(key="remedy.note_ops")
