"""What can change on the demo phone: which phone it is now. The phones themselves are frozen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from privaudit.virtual_phone.dump_writers.android import DEFAULT_OP_MODES, RUNTIME_PERMISSION_OPS
from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualGrant, VirtualInstall, VirtualOp, VirtualPhone

POLICY_SYNC_SDK: Final = 29
"""First where Android keeps uid modes in step with permissions (``PermissionPolicyService``)."""


@dataclass(slots=True)
class MutableDevice:
    """A phone that obeys. Each change replaces `phone` by another one."""

    phone: VirtualPhone
    opened_pages: list[str] = field(default_factory=list)
    """Pages that were brought to the screen, in order."""
    on_page: Callable[[str], object] = lambda _page: None
    """Called with each of them."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def update(self, transform: Callable[[VirtualPhone], VirtualPhone]) -> None:
        """Replace the phone by what `transform` makes of it; one change at a time."""
        with self._lock:
            self.phone = transform(self.phone)

    def open_page(self, page: str) -> None:
        """Bring `page` to the screen."""
        self.opened_pages.append(page)
        self.on_page(page)


def with_app(phone: VirtualPhone, app: VirtualApp) -> VirtualPhone:
    """`phone` with `app` in place of the package of the same name."""
    return replace(phone, apps=tuple(app if one.package == app.package else one for one in phone.apps))


def with_install(
    phone: VirtualPhone, package: str, user: int, transform: Callable[[VirtualInstall], VirtualInstall]
) -> VirtualPhone:
    """`phone` with another state of `package` for `user`."""
    app = phone.find_app(package)
    if app is None or user not in app.installs:
        return phone
    return with_app(phone, replace(app, installs={**app.installs, user: transform(app.installs[user])}))


def with_grant(phone: VirtualPhone, package: str, user: int, grant: VirtualGrant) -> VirtualPhone:
    """`phone` after the state of one permission became `grant`; the uid's mode follows it since Android 10."""
    op = RUNTIME_PERMISSION_OPS.get(grant.name)

    def changed(install: VirtualInstall) -> VirtualInstall:
        before = next((one for one in install.grants if one.name == grant.name), None)
        grants = tuple(grant if one.name == grant.name else one for one in install.grants)
        modes = dict(install.uid_modes)
        # The mode follows the permission, not its flags.
        if op is not None and phone.sdk >= POLICY_SYNC_SDK and before is not None and before.granted != grant.granted:
            modes.pop(op, None)
            if not grant.granted:
                modes[op] = "ignore"
        return replace(install, grants=grants, uid_modes=MappingProxyType(modes))

    return with_install(phone, package, user, changed)


def with_op_mode(phone: VirtualPhone, package: str, user: int, op: str, mode: str, *, uid: bool) -> VirtualPhone:
    """`phone` with another mode of one app-op: of the uid, where the default is not stored, or of the package."""

    def changed(install: VirtualInstall) -> VirtualInstall:
        if uid:
            modes = {name: value for name, value in install.uid_modes.items() if name != op}
            if mode != DEFAULT_OP_MODES.get(op, "allow"):
                modes[op] = mode
            return replace(install, uid_modes=MappingProxyType(modes))
        ops = {one.name: one for one in install.ops}
        ops[op] = replace(ops.get(op, VirtualOp(name=op)), mode=mode)
        return replace(install, ops=tuple(ops.values()))

    return with_install(phone, package, user, changed)


def with_role_holders(phone: VirtualPhone, user: int, role: str, holders: tuple[str, ...]) -> VirtualPhone:
    """`phone` with other holders of a role."""
    return replace(phone, roles={**phone.roles, user: {**phone.roles.get(user, {}), role: holders}})


def with_setting(phone: VirtualPhone, user: int, key: str, value: str) -> VirtualPhone:
    """`phone` with another value of a secure setting."""
    namespaces = phone.settings.get(user, {})
    secure: Mapping[str, str] = {**namespaces.get("secure", {}), key: value}
    return replace(phone, settings={**phone.settings, user: {**namespaces, "secure": secure}})
