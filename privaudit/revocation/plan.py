"""The plan: what would be changed for each app and Android user, why, and what may not work on this phone.

A plan contains only apps that the user named, and nothing in it affects another app. Making a plan changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privaudit import roms
from privaudit.android import CALL_LOG_GROUP_SDK, OPS_FOLLOW_PERMISSION_SDK, PERMISSION_PREFIX, ROLES_SDK
from privaudit.dumpsys import device
from privaudit.errors import PhoneError
from privaudit.facts.permissions import READ_PERMISSION
from privaudit.findings import severity
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, LendingVerdict, Message, Phone, Step, User, UserKind
from privaudit.revocation import commands, settings_page, steps
from privaudit.revocation.change import FIXED_FLAGS, Change, ChangeKind, TargetState
from privaudit.revocation.state import DeviceState

_STEP_KINDS: Final = frozenset(
    {*commands.ROLES, "accessibility", "notification_listener", "device_admin", "input_method"}
)
"""Kinds of special access with steps where no change is planned. No shell command removes the last two."""
_SPECIAL_OP_REASON_KEYS: Final = {
    "overlay": "remedy.why_overlay",
    "usage": "remedy.why_usage",
    "install_packages": "remedy.why_install_packages",
    "all_files": "remedy.why_all_files",
}
_RESTRICTION_KINDS: Final = {
    ChangeKind.PERMISSION: "permissions",
    ChangeKind.SPECIAL_OP: "app_ops",
    ChangeKind.ACCESSIBILITY: "permissions",
}
"""Kind of change → what a vendor restriction blocks, as ``data/roms`` names it."""
_UNTESTED_KINDS: Final = frozenset({ChangeKind.ROLE, ChangeKind.LISTENER, ChangeKind.ACCESSIBILITY})
"""Kinds of change that nobody has tried on a real phone yet."""
_HELD: Final = TargetState(held=True)
_FIXED_FLAG_KEYS: Final = {"POLICY_FIXED": "remedy.fixed_policy", "SYSTEM_FIXED": "remedy.fixed_system"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """One change with its explanation."""

    change: Change
    why: Message
    caveats: tuple[Message, ...]
    """What may not work on this ROM and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationPlan:
    """All changes, in the order in which they would be made."""

    phone: Phone
    planned_changes: tuple[PlannedChange, ...]
    manual_steps: Mapping[tuple[str, int], tuple[Step, ...]]
    """By package and Android user: what only a person can do."""
    notes: tuple[Message, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes without their explanations."""
        return tuple(planned.change for planned in self.planned_changes)


def build_plan(
    device_state: DeviceState, apps: Iterable[App], users: Iterable[User], *, uninstall: bool
) -> RevocationPlan:
    """Plan how to revoke the access of the `apps` that the user named, and to remove them in the end if `uninstall`.

    `apps` have lending verdicts and labels, and are given once for each Android user that has them. Raises PhoneError
    ``app_unread`` if what an app holds could not be read: a plan without it would leave access open.
    """
    selected_apps = tuple(apps)
    planned_changes: list[PlannedChange] = []
    manual_steps: dict[tuple[str, int], tuple[Step, ...]] = {}
    for labelled_app in selected_apps:
        app = device_state.find_app(labelled_app.package, labelled_app.user)
        if app is None or app.package not in device_state.package_blocks:
            raise PhoneError("errors.app_unread", app=labelled_app.package)
        planner = _AppPlanner(device_state, app, labelled_app)
        app_changes = list(planner.all_changes(uninstall=uninstall))
        planned_changes += app_changes
        if app_steps := tuple(planner.manual_steps(app_changes)):
            manual_steps[app.package, app.user] = app_steps
    notes: list[Message] = []
    for note in _plan_notes(device_state, selected_apps, users):
        if note not in notes:  # all copies of an app share one note
            notes.append(note)
    order = list(ChangeKind)
    return RevocationPlan(
        phone=device_state.facts.phone,
        planned_changes=tuple(sorted(planned_changes, key=lambda planned: order.index(planned.change.kind))),
        manual_steps=manual_steps,
        notes=tuple(notes),
    )


class _AppPlanner:
    """Plans the changes for one app of one user. `labelled_app` is `app` with its label, for messages."""

    def __init__(self, device_state: DeviceState, app: App, labelled_app: App) -> None:
        self.device_state = device_state
        self.app = app
        self.labelled_app = labelled_app
        self.phone = device_state.facts.phone
        self.sdk = self.phone.sdk or 0
        self.has_shared_uid = device_state.package_blocks[app.package].shared_user is not None
        self.properties = device.parse_properties(device_state.capture.answer("properties").text)

    def all_changes(self, *, uninstall: bool) -> Iterator[PlannedChange]:
        """Plan everything. The app is ended when all else is done, if anything is changed and it is running."""
        planned = [*self.role_changes(), *self.service_changes(), *self.op_changes(), *self.permission_changes()]
        yield from planned
        running = self.device_state.running_state(self.app)
        if planned and running is not None and running.held:
            yield self._plan_change(ChangeKind.FORCE_STOP, "", running, "remedy.why_force_stop")
        if uninstall:
            yield self._plan_change(ChangeKind.UNINSTALL, "", _HELD, "remedy.why_uninstall")

    def role_changes(self) -> Iterator[PlannedChange]:
        for kind in commands.ROLES:
            if kind in self.app.special_access_kinds and self.sdk >= ROLES_SDK:
                yield self._plan_change(ChangeKind.ROLE, kind, _HELD, "remedy.why_role")

    def service_changes(self) -> Iterator[PlannedChange]:
        enabled_services = self.device_state.accessibility_services(self.app.user)
        for access in self.app.special_access:
            component = access.component
            if component is None or not commands.is_component(component, self.app.package):
                continue
            if access.kind == "accessibility" and enabled_services is not None:
                yield self._plan_change(ChangeKind.ACCESSIBILITY, component, _HELD, "remedy.why_accessibility")
            elif access.kind == "notification_listener" and self.sdk >= commands.LISTENERS_SDK:
                yield self._plan_change(ChangeKind.LISTENER, component, _HELD, "remedy.why_listener")

    def op_changes(self) -> Iterator[PlannedChange]:
        for kind in () if self.has_shared_uid else commands.SPECIAL_OPS:
            state = self.device_state.special_op_state(self.app, kind)
            if state is not None and state.held:
                yield self._plan_change(ChangeKind.SPECIAL_OP, kind, state, _SPECIAL_OP_REASON_KEYS[kind])

    def permission_changes(self) -> Iterator[PlannedChange]:
        for group, names in () if self.has_shared_uid else commands.GROUPS.items():
            if group == "phone" and self.sdk >= CALL_LOG_GROUP_SDK:
                continue
            for name in names:
                permission = f"{PERMISSION_PREFIX}{name}"
                state = self.device_state.permission_state(self.app, permission)
                if state is not None and state.held:
                    reads = permission in READ_PERMISSION.values()
                    reason_key = "remedy.why_permission" if reads else "remedy.why_member"
                    yield self._plan_change(ChangeKind.PERMISSION, permission, state, reason_key)

    def manual_steps(self, planned_changes: Iterable[PlannedChange]) -> Iterator[Step]:
        """Yield the steps for access that `planned_changes` leave open."""
        targets = {planned.change.what for planned in planned_changes}
        revoked_kinds = targets | {access.kind for access in self.app.special_access if access.component in targets}
        if self.has_shared_uid and severity.readable_data(self.app):
            yield from steps.permission_steps(self.labelled_app, self.phone, UserKind.OTHER)
        step_kinds = _STEP_KINDS | commands.SPECIAL_OPS.keys() if self.has_shared_uid else _STEP_KINDS
        for kind in dict.fromkeys(access.kind for access in self.app.special_access):
            if kind in step_kinds and kind not in revoked_kinds:
                yield from steps.special_access_steps(kind, self.labelled_app, self.phone)

    def _plan_change(self, kind: ChangeKind, what: str, before: TargetState, reason_key: str) -> PlannedChange:
        change = Change.of_app(self.app, kind, what, before)
        caveats = tuple(caveats_for(change, self.phone, self.properties))
        return PlannedChange(change=change, why=Message(key=reason_key), caveats=caveats)


def caveats_for(change: Change, phone: Phone, properties: Mapping[str, str]) -> Iterator[Message]:
    """Yield what may not work for one change. `properties`: the phone's system properties."""
    for restriction in roms.list_restrictions(phone.rom.id):
        if _RESTRICTION_KINDS.get(change.kind) not in restriction.blocks:
            continue
        name = restriction.property_name
        value = properties.get(name) if name is not None else None
        if restriction.open_value is None or value != restriction.open_value:
            key = "remedy.gate_may" if value is None else "remedy.gate_shut"
            yield Message(key=key, values={"word": settings_page.menu_term(phone, restriction.menu_key)})
    if change.kind in _UNTESTED_KINDS:
        yield Message(key="remedy.unverified")
    if change.kind is ChangeKind.PERMISSION:
        fixed_flags = FIXED_FLAGS.intersection(change.before.flags)
        yield from (Message(key=_FIXED_FLAG_KEYS[flag]) for flag in sorted(fixed_flags))
        if change.old_app:
            yield Message(key="remedy.old_app")
        if phone.sdk is not None and phone.sdk >= OPS_FOLLOW_PERMISSION_SDK and (change.old_app or fixed_flags):
            yield Message(key="remedy.op_ignored")


def _plan_notes(device_state: DeviceState, apps: Iterable[App], users: Iterable[User]) -> Iterator[Message]:
    for app in apps:
        applies_by_key = {
            "remedy.note_embeds": app.lending.verdict is LendingVerdict.EMBEDS,
            "remedy.note_unknown": not app.is_recognised,
            "remedy.note_system": app.system,
            "remedy.note_owner": "device_owner" in app.special_access_kinds,
            "remedy.note_shared": device_state.package_blocks[app.package].shared_user is not None,
        }
        values = {"app": display_name(app.label, app.package)}
        yield from (Message(key=key, values=values) for key, applies in applies_by_key.items() if applies)
    if any(device_state.accessibility_services(app.user) is None for app in apps):
        yield Message(key="remedy.note_services")
    yield from (Message(key="remedy.note_user", values={"user": user.id}) for user in users if not user.checked)
    if device_state.app_ops is None:
        yield Message(key="remedy.note_ops")
