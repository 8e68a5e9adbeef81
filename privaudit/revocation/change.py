"""The nouns of a change: what is changed of which app, how it stood before, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privaudit.android import OPS_FOLLOW_PERMISSION_SDK
from privaudit.model import Command
from privaudit.revocation import commands

DENIED_MODES: Final = frozenset({"ignore", "deny"})
FIXED_FLAGS: Final = frozenset({"SYSTEM_FIXED", "POLICY_FIXED"})
"""Flags of a permission that ``pm revoke`` cannot take back."""
ALLOW_MODE: Final = "allow"
_DEFAULT_MODES: Final = {"special_op": "default", "permission": ALLOW_MODE}
"""``AppOpsManager.opToDefaultMode``: a mode that is not stored is this one."""


class ChangeKind(StrEnum):
    """What kind of thing is closed. In this order: a role would give back what a permission takes."""

    ROLE = "role"
    ACCESSIBILITY = "accessibility"
    LISTENER = "listener"
    SPECIAL_OP = "special_op"
    PERMISSION = "permission"
    FORCE_STOP = "force_stop"
    UNINSTALL = "uninstall"


class Outcome(StrEnum):
    """What became of one change."""

    PLANNED = "planned"
    BEGUN = "begun"
    """Written down before the first command: whether it was carried out is not known."""
    DONE = "done"
    REFUSED = "refused"
    NOT_CHANGED = "not_changed"
    """No word against it, and no effect."""
    NOT_READ_BACK = "unread"
    """The state could not be read back."""
    UNDOING = "undoing"
    UNDONE = "undone"
    NOT_RESTORED = "stays"
    """It could not be taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """How one thing stands on the phone."""

    held: bool
    """The permission is granted, the role held, the service enabled, the app not stopped, the app installed."""
    flags: tuple[str, ...] = ()
    """Of a permission: those in `commands.FLAGS`, and `FIXED_FLAGS`."""
    uid_mode: str | None = None
    """App-op mode of the uid; ``None``: none stored, or not read."""
    mode: str | None = None
    """App-op mode of the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to close, and how it stood before."""

    package: str
    user: int
    kind: ChangeKind
    what: str
    """A permission, a role or special access by its kind in a report, a component; empty for the whole app."""
    before: TargetState
    old_app: bool
    """The app is for Android 5 or older: it holds what it asks for, and only flags and app-ops close that."""
    system: bool = False
    """It came with the phone: uninstalled, it can be brought back."""

    @property
    def app_op(self) -> str:
        """The app-op that belongs to it."""
        return commands.SPECIAL_OPS[self.what] if self.kind is ChangeKind.SPECIAL_OP else self.what.rpartition(".")[2]

    @property
    def manual_step(self) -> str | None:
        """What a person closes in its stead, as `privaudit.revocation.steps.REVOCATION_ORDER` names it."""
        named = {
            ChangeKind.PERMISSION: "permissions",
            ChangeKind.ACCESSIBILITY: "accessibility",
            ChangeKind.LISTENER: "notification_listener",
            ChangeKind.ROLE: self.what,
            ChangeKind.SPECIAL_OP: self.what,
        }
        return named.get(self.kind)

    def is_revoked(self, current: TargetState) -> bool:
        """Whether nothing gets through any more when it stands like `current`."""
        if self.kind not in {ChangeKind.PERMISSION, ChangeKind.SPECIAL_OP}:
            return not current.held
        mode = current.uid_mode or current.mode
        if self.kind is ChangeKind.SPECIAL_OP:
            return mode != ALLOW_MODE
        return not current.held or "REVOKED_COMPAT" in current.flags or mode in DENIED_MODES

    def is_restored(self, current: TargetState) -> bool:
        """Whether it stands as it did before."""
        return self._comparison_key(current) == self._comparison_key(self.before)

    def _comparison_key(self, state: TargetState) -> tuple[object, ...]:
        unset = _DEFAULT_MODES.get(self.kind)
        modes = (state.uid_mode or unset, state.mode or unset)
        return state.held, frozenset(state.flags) & commands.FLAGS.keys(), modes

    def revoke_commands(self, sdk: int, services: tuple[str, ...]) -> tuple[Command, ...]:
        """The commands that close it. `services`: all enabled accessibility services of its user, for that kind."""
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
        """The commands that bring `before` back from `current`; none where nothing can."""
        match self.kind:
            case ChangeKind.PERMISSION:
                return tuple(self._restore_permission_commands(current, sdk))
            case ChangeKind.SPECIAL_OP:
                uid = self.before.uid_mode is not None
                return (
                    self._app_op_command(
                        (self.before.uid_mode if uid else self.before.mode) or "default", sdk, for_uid=uid
                    ),
                )
            case ChangeKind.FORCE_STOP:
                return ()  # it runs again when somebody opens it
            case ChangeKind.UNINSTALL:
                return (commands.install_existing(self.package, self.user),) if self.system else ()
        return (self._switch_command(services, enabled=True),)

    def _switch_command(self, services: tuple[str, ...], *, enabled: bool) -> Command:
        """A role, or a service of the app, on or off. Services of other apps stay as they are."""
        if self.kind is ChangeKind.ROLE:
            return commands.set_role_holder(self.package, self.user, self.what, held=enabled)
        if self.kind is ChangeKind.LISTENER:
            return commands.set_notification_listener(self.what, self.package, self.user, enabled=enabled)
        others = tuple(one for one in services if one != self.what)
        return commands.set_accessibility_services((*others, self.what) if enabled else others, self.user)

    def _revoke_permission_commands(self, sdk: int) -> Iterator[Command]:
        if not self.old_app:
            yield commands.revoke_permission(self.package, self.user, self.what)
        if sdk >= commands.FLAGS_SDK:
            names = ("REVOKED_COMPAT",) if self.old_app else ("USER_SET", "USER_FIXED")
            yield commands.set_permission_flags(self.package, self.user, self.what, names, enabled=True)
        if self._needs_app_op(sdk):
            yield self._app_op_command("ignore", sdk, for_uid=sdk >= commands.UID_MODE_SDK)

    def _restore_permission_commands(self, current: TargetState, sdk: int) -> Iterator[Command]:
        if self.before.held and not current.held:
            yield commands.grant_permission(self.package, self.user, self.what)
        if sdk >= commands.FLAGS_SDK:
            had, has = (frozenset(state.flags) & commands.FLAGS.keys() for state in (self.before, current))
            for names, on in ((had - has, True), (has - had, False)):
                if names:
                    yield commands.set_permission_flags(self.package, self.user, self.what, sorted(names), enabled=on)
        if self._needs_app_op(sdk):
            # After the grant: Android lets the mode follow it.
            uid = sdk >= commands.UID_MODE_SDK
            yield self._app_op_command(
                (self.before.uid_mode if uid else self.before.mode) or ALLOW_MODE, sdk, for_uid=uid
            )

    def _needs_app_op(self, sdk: int) -> bool:
        """Whether its app-op is set too. Where app-ops follow the permission it would be the same thing twice.

        A maker's own mode (MIUI's ``ask``) could not be brought back, so it is left alone.
        """
        if not {self.before.uid_mode, self.before.mode} <= commands.MODES | {None}:
            return False
        return sdk < OPS_FOLLOW_PERMISSION_SDK or self.old_app or bool(FIXED_FLAGS.intersection(self.before.flags))

    def _app_op_command(self, mode: str, sdk: int, *, for_uid: bool) -> Command:
        for_uid = for_uid and sdk >= commands.UID_MODE_SDK
        return commands.set_app_op(self.package, self.user, self.app_op, mode, for_uid=for_uid, sdk=sdk)
