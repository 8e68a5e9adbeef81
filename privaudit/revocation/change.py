"""A change: its target, the state before, the commands that revoke and restore it, and its outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privaudit.android import OPS_FOLLOW_PERMISSION_SDK, RUNTIME_PERMISSIONS_SDK
from privaudit.model import App, Command
from privaudit.revocation import commands

FIXED_FLAGS: Final = frozenset({"SYSTEM_FIXED", "POLICY_FIXED"})
"""Permission flags with which ``pm revoke`` has no effect."""
ALLOW_MODE: Final = "allow"
_DEFAULT_MODES: Final = {"special_op": "default", "permission": ALLOW_MODE}
"""Mode that applies where none is stored (``AppOpsManager.opToDefaultMode``)."""


class ChangeKind(StrEnum):
    """What is revoked, in the order of execution: an app that keeps a role would get its permissions back."""

    ROLE = "role"
    ACCESSIBILITY = "accessibility"
    LISTENER = "listener"
    SPECIAL_OP = "special_op"
    PERMISSION = "permission"
    FORCE_STOP = "force_stop"
    UNINSTALL = "uninstall"


class Outcome(StrEnum):
    """Outcome of one change."""

    PLANNED = "planned"
    BEGUN = "begun"
    """Recorded before the first command is sent: whether it had an effect is not known."""
    DONE = "done"
    REFUSED = "refused"
    NOT_CHANGED = "not_changed"
    """The phone reported no error, and nothing changed."""
    NOT_READ_BACK = "unread"
    UNDOING = "undoing"
    UNDONE = "undone"
    NOT_RESTORED = "stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """State of a change's target on the phone."""

    held: bool
    """The permission is granted, the role held, the service enabled, the app not stopped, the app installed."""
    flags: tuple[str, ...] = ()
    """Flags of a permission: those in `commands.FLAGS` and `FIXED_FLAGS`."""
    uid_mode: str | None = None
    """App-op mode of the uid; ``None``: none is stored, or it was not read."""
    mode: str | None = None
    """App-op mode of the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One kind of access of one app to revoke, and its state before."""

    package: str
    user: int
    kind: ChangeKind
    what: str
    """A permission, a component, or the kind of a role or special access in a report; empty for the whole app."""
    before: TargetState
    old_app: bool
    """The app targets Android 5 or older: it holds what it requests, and only flags and app-ops deny it."""
    system: bool = False
    """Preinstalled: can be restored after it was uninstalled."""

    @classmethod
    def of_app(cls, app: App, kind: ChangeKind, what: str, before: TargetState) -> Change:
        """Return the change of one target of `app`."""
        old_app = app.target_sdk is not None and app.target_sdk < RUNTIME_PERMISSIONS_SDK
        return cls(
            package=app.package, user=app.user, kind=kind, what=what, before=before, old_app=old_app, system=app.system
        )

    @property
    def app_op(self) -> str:
        """The app-op that belongs to the target."""
        return commands.SPECIAL_OPS[self.what] if self.kind is ChangeKind.SPECIAL_OP else self.what.rpartition(".")[2]

    @property
    def manual_step(self) -> str | None:
        """Kind of manual steps with the same effect, as in `privaudit.revocation.steps.REVOCATION_ORDER`."""
        return {
            ChangeKind.PERMISSION: "permissions",
            ChangeKind.ACCESSIBILITY: "accessibility",
            ChangeKind.LISTENER: "notification_listener",
            ChangeKind.ROLE: self.what,
            ChangeKind.SPECIAL_OP: self.what,
        }.get(self.kind)

    def is_revoked(self, current: TargetState) -> bool:
        """Whether access is denied in the state `current`."""
        if self.kind not in {ChangeKind.PERMISSION, ChangeKind.SPECIAL_OP}:
            return not current.held
        mode = current.uid_mode or current.mode
        if self.kind is ChangeKind.SPECIAL_OP:
            return mode != ALLOW_MODE
        return not current.held or "REVOKED_COMPAT" in current.flags or mode in {"ignore", "deny"}

    def is_restored(self, current: TargetState) -> bool:
        """Whether `current` is equivalent to the state before."""
        return self._comparison_key(current) == self._comparison_key(self.before)

    def _comparison_key(self, state: TargetState) -> tuple[object, ...]:
        default_mode = _DEFAULT_MODES.get(self.kind)
        modes = (state.uid_mode or default_mode, state.mode or default_mode)
        return state.held, frozenset(state.flags) & commands.FLAGS.keys(), modes

    def revoke_commands(self, sdk: int, services: tuple[str, ...]) -> tuple[Command, ...]:
        """Return the commands that revoke the access. `services`: all enabled accessibility services of the user."""
        match self.kind:
            case ChangeKind.PERMISSION:
                return tuple(self._revoke_permission_commands(sdk))
            case ChangeKind.SPECIAL_OP:
                return (self._app_op_command("ignore", sdk, for_uid=self.before.uid_mode is not None),)
            case ChangeKind.FORCE_STOP:
                return (commands.force_stop(self.package, self.user),)
            case ChangeKind.UNINSTALL:
                return (commands.uninstall(self.package, self.user),)
        return (self._switch_command(services, enabled=False),)

    def restore_commands(self, current: TargetState, sdk: int, services: tuple[str, ...]) -> tuple[Command, ...]:
        """Return the commands that restore `before` from `current`; none where that is impossible."""
        match self.kind:
            case ChangeKind.PERMISSION:
                return tuple(self._restore_permission_commands(current, sdk))
            case ChangeKind.SPECIAL_OP:
                mode = self.before.uid_mode or self.before.mode or "default"
                return (self._app_op_command(mode, sdk, for_uid=self.before.uid_mode is not None),)
            case ChangeKind.FORCE_STOP:
                return ()  # the app runs again when its owner opens it
            case ChangeKind.UNINSTALL:
                return (commands.install_existing(self.package, self.user),) if self.system else ()
        return (self._switch_command(services, enabled=True),)

    def _switch_command(self, services: tuple[str, ...], *, enabled: bool) -> Command:
        """Return the command that gives or takes a role or a service. Services of other apps are not changed."""
        if self.kind is ChangeKind.ROLE:
            return commands.set_role_holder(self.package, self.user, self.what, held=enabled)
        if self.kind is ChangeKind.LISTENER:
            return commands.set_notification_listener(self.what, self.package, self.user, enabled=enabled)
        return commands.set_accessibility_services(self.services_after(services, enabled=enabled), self.user)

    def services_after(self, services: tuple[str, ...], *, enabled: bool) -> tuple[str, ...]:
        """Return the accessibility services of all apps after this change: `services` with or without its own."""
        others = tuple(service for service in services if service != self.what)
        return (*others, self.what) if enabled else others

    def _revoke_permission_commands(self, sdk: int) -> Iterator[Command]:
        if not self.old_app:
            yield commands.revoke_permission(self.package, self.user, self.what)
        if sdk >= commands.FLAGS_SDK:
            flags = ("REVOKED_COMPAT",) if self.old_app else ("USER_SET", "USER_FIXED")
            yield commands.set_permission_flags(self.package, self.user, self.what, flags, enabled=True)
        if self._needs_app_op(sdk):
            yield self._app_op_command("ignore", sdk, for_uid=sdk >= commands.UID_MODE_SDK)

    def _restore_permission_commands(self, current: TargetState, sdk: int) -> Iterator[Command]:
        if self.before.held and not current.held:
            yield commands.grant_permission(self.package, self.user, self.what)
        if sdk >= commands.FLAGS_SDK:
            before, now = (frozenset(state.flags) & commands.FLAGS.keys() for state in (self.before, current))
            for flags, enabled in ((sorted(before - now), True), (sorted(now - before), False)):
                if flags:
                    yield commands.set_permission_flags(self.package, self.user, self.what, flags, enabled=enabled)
        if self._needs_app_op(sdk):
            # After the grant, because granting changes the mode.
            for_uid = sdk >= commands.UID_MODE_SDK
            mode = (self.before.uid_mode if for_uid else self.before.mode) or ALLOW_MODE
            yield self._app_op_command(mode, sdk, for_uid=for_uid)

    def _needs_app_op(self, sdk: int) -> bool:
        """Whether the app-op is set as well. Not where it follows the permission: that would have no effect.

        A vendor's own mode (MIUI's ``ask``) could not be restored, so it is not changed.
        """
        if not {self.before.uid_mode, self.before.mode} <= commands.MODES | {None}:
            return False
        return sdk < OPS_FOLLOW_PERMISSION_SDK or self.old_app or bool(FIXED_FLAGS.intersection(self.before.flags))

    def _app_op_command(self, mode: str, sdk: int, *, for_uid: bool) -> Command:
        for_uid = for_uid and sdk >= commands.UID_MODE_SDK
        return commands.set_app_op(self.package, self.user, self.app_op, mode, for_uid=for_uid, sdk=sdk)
