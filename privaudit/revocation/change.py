"""The nouns of a change: what is changed of which app, how it stood before, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privaudit.model import Command
from privaudit.revocation import commands

_MAPPED_SDK: Final = 35
"""First where app-ops of permissions follow the permission alone; setting one is ignored, and nothing says so."""
CLOSED_MODES: Final = frozenset({"ignore", "deny"})
FIXED: Final = frozenset({"SYSTEM_FIXED", "POLICY_FIXED"})
"""Flags of a permission that ``pm revoke`` cannot take back."""
ALLOWED: Final = "allow"
_UNSET: Final = {"special_op": "default", "permission": ALLOWED}
"""``AppOpsManager.opToDefaultMode``: a mode that is not stored is this one."""


class Kind(StrEnum):
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
    UNREAD = "unread"
    """The state could not be read back."""
    UNDOING = "undoing"
    UNDONE = "undone"
    STAYS = "stays"
    """It could not be taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How one thing stands on the phone."""

    held: bool
    """The permission is granted, the role held, the service enabled, the app not stopped, the app installed."""
    flags: tuple[str, ...] = ()
    """Of a permission: those in `commands.FLAGS`, and `FIXED`."""
    uid_mode: str | None = None
    """App-op mode of the uid; ``None``: none stored, or not read."""
    mode: str | None = None
    """App-op mode of the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to close, and how it stood before."""

    package: str
    user: int
    kind: Kind
    what: str
    """A permission, a role or special access by its kind in a report, a component; empty for the whole app."""
    before: State
    old_app: bool
    """The app is for Android 5 or older: it holds what it asks for, and only flags and app-ops close that."""
    system: bool = False
    """It came with the phone: uninstalled, it can be brought back."""

    @property
    def op(self) -> str:
        """The app-op that belongs to it."""
        return commands.SPECIAL_OPS[self.what] if self.kind is Kind.SPECIAL_OP else self.what.rpartition(".")[2]

    @property
    def door(self) -> str | None:
        """What a person closes in its stead, as `privaudit.revocation.steps.ORDER` names it."""
        named = {
            Kind.PERMISSION: "permissions",
            Kind.ACCESSIBILITY: "accessibility",
            Kind.LISTENER: "notification_listener",
            Kind.ROLE: self.what,
            Kind.SPECIAL_OP: self.what,
        }
        return named.get(self.kind)

    def is_closed(self, now: State) -> bool:
        """Whether nothing gets through any more when it stands like `now`."""
        if self.kind not in {Kind.PERMISSION, Kind.SPECIAL_OP}:
            return not now.held
        mode = now.uid_mode or now.mode
        if self.kind is Kind.SPECIAL_OP:
            return mode != ALLOWED
        return not now.held or "REVOKED_COMPAT" in now.flags or mode in CLOSED_MODES

    def is_restored(self, now: State) -> bool:
        """Whether it stands as it did before."""
        return self._comparable(now) == self._comparable(self.before)

    def _comparable(self, state: State) -> tuple[object, ...]:
        unset = _UNSET.get(self.kind)
        modes = (state.uid_mode or unset, state.mode or unset)
        return state.held, frozenset(state.flags) & commands.FLAGS.keys(), modes

    def closing(self, sdk: int, services: tuple[str, ...]) -> tuple[Command, ...]:
        """The commands that close it. `services`: all enabled accessibility services of its user, for that kind."""
        match self.kind:
            case Kind.PERMISSION:
                return tuple(self._closing_permission(sdk))
            case Kind.SPECIAL_OP:
                return (self._op("ignore", sdk, uid=self.before.uid_mode is not None),)
            case Kind.FORCE_STOP:
                return (commands.force_stop(self.package, self.user),)
            case Kind.UNINSTALL:
                return (commands.uninstall(self.package, self.user),)
        return (self._switched(services, on=False),)

    def restoring(self, now: State, sdk: int, services: tuple[str, ...]) -> tuple[Command, ...]:
        """The commands that bring `before` back from `now`; none where nothing can."""
        match self.kind:
            case Kind.PERMISSION:
                return tuple(self._restoring_permission(now, sdk))
            case Kind.SPECIAL_OP:
                uid = self.before.uid_mode is not None
                return (self._op((self.before.uid_mode if uid else self.before.mode) or "default", sdk, uid=uid),)
            case Kind.FORCE_STOP:
                return ()  # it runs again when somebody opens it
            case Kind.UNINSTALL:
                return (commands.install_existing(self.package, self.user),) if self.system else ()
        return (self._switched(services, on=True),)

    def _switched(self, services: tuple[str, ...], *, on: bool) -> Command:
        """A role, or a service of the app, on or off. Services of other apps stay as they are."""
        if self.kind is Kind.ROLE:
            return commands.role(self.package, self.user, self.what, held=on)
        if self.kind is Kind.LISTENER:
            return commands.listener(self.what, self.package, self.user, on=on)
        others = tuple(one for one in services if one != self.what)
        return commands.accessibility((*others, self.what) if on else others, self.user)

    def _closing_permission(self, sdk: int) -> Iterator[Command]:
        if not self.old_app:
            yield commands.revoke(self.package, self.user, self.what)
        if sdk >= commands.FLAGS_SDK:
            names = ("REVOKED_COMPAT",) if self.old_app else ("USER_SET", "USER_FIXED")
            yield commands.flags(self.package, self.user, self.what, names, on=True)
        if self._takes_op(sdk):
            yield self._op("ignore", sdk, uid=sdk >= commands.UID_MODE_SDK)

    def _restoring_permission(self, now: State, sdk: int) -> Iterator[Command]:
        if self.before.held and not now.held:
            yield commands.grant(self.package, self.user, self.what)
        if sdk >= commands.FLAGS_SDK:
            had, has = (frozenset(state.flags) & commands.FLAGS.keys() for state in (self.before, now))
            for names, on in ((had - has, True), (has - had, False)):
                if names:
                    yield commands.flags(self.package, self.user, self.what, sorted(names), on=on)
        if self._takes_op(sdk):
            # After the grant: Android lets the mode follow it.
            uid = sdk >= commands.UID_MODE_SDK
            yield self._op((self.before.uid_mode if uid else self.before.mode) or ALLOWED, sdk, uid=uid)

    def _takes_op(self, sdk: int) -> bool:
        """Whether its app-op is set too. Where app-ops follow the permission it would be the same thing twice.

        A maker's own mode (MIUI's ``ask``) could not be brought back, so it is left alone.
        """
        if not {self.before.uid_mode, self.before.mode} <= commands.MODES | {None}:
            return False
        return sdk < _MAPPED_SDK or self.old_app or bool(FIXED.intersection(self.before.flags))

    def _op(self, mode: str, sdk: int, *, uid: bool) -> Command:
        uid = uid and sdk >= commands.UID_MODE_SDK
        return commands.app_op(self.package, self.user, self.op, mode, uid=uid, sdk=sdk)
