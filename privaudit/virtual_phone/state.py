"""The changing state of a virtual phone. Phones are immutable: a change replaces the phone by another one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from privaudit.virtual_phone.release import DEFAULT_OP_MODES, RUNTIME_PERMISSION_OPS, Since
from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualGrant, VirtualInstall, VirtualOp, VirtualPhone


@dataclass(slots=True)
class MutableDevice:
    """A phone that obeys commands that write."""

    phone: VirtualPhone
    opened_pages: list[str] = field(default_factory=list)
    """Settings pages that were brought to the screen, in order."""
    on_page: Callable[[str], object] = lambda _page: None
    """Called with each of them."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def update(self, transform: Callable[[VirtualPhone], VirtualPhone]) -> None:
        """Replace the phone by `transform` of it, one change at a time."""
        with self._lock:
            self.phone = transform(self.phone)

    def open_page(self, page: str) -> None:
        """Bring `page` to the screen."""
        self.opened_pages.append(page)
        self.on_page(page)


def with_app(phone: VirtualPhone, app: VirtualApp) -> VirtualPhone:
    """Return `phone` with `app` in place of the app of the same package."""
    return replace(phone, apps=tuple(app if other.package == app.package else other for other in phone.apps))


def with_install(
    phone: VirtualPhone, package: str, user: int, transform: Callable[[VirtualInstall], VirtualInstall]
) -> VirtualPhone:
    """Return `phone` with another state of `package` for `user`."""
    app = phone.find_app(package)
    if app is None or user not in app.installs:
        return phone
    return with_app(phone, replace(app, installs={**app.installs, user: transform(app.installs[user])}))


def with_grant(phone: VirtualPhone, package: str, user: int, grant: VirtualGrant) -> VirtualPhone:
    """Return `phone` with another state of one permission; since Android 10 the uid's mode follows it."""
    op = RUNTIME_PERMISSION_OPS.get(grant.name)

    def changed(install: VirtualInstall) -> VirtualInstall:
        before = {old.name: old.granted for old in install.grants}
        grants = tuple(grant if old.name == grant.name else old for old in install.grants)
        modes = dict(install.uid_modes)
        # The mode follows the grant, not the flags.
        if op is not None and phone.sdk >= Since.POLICY_SYNC and before.get(grant.name) is (not grant.granted):
            modes.pop(op, None)
            modes |= {} if grant.granted else {op: "ignore"}
        return replace(install, grants=grants, uid_modes=MappingProxyType(modes))

    return with_install(phone, package, user, changed)


def with_op_mode(phone: VirtualPhone, package: str, user: int, op: str, mode: str, *, uid: bool) -> VirtualPhone:
    """Return `phone` with another mode of one app-op: of the uid, which does not store defaults, or of the package."""

    def changed(install: VirtualInstall) -> VirtualInstall:
        if uid:
            modes = {name: value for name, value in install.uid_modes.items() if name != op}
            modes |= {} if mode == DEFAULT_OP_MODES.get(op, "allow") else {op: mode}
            return replace(install, uid_modes=MappingProxyType(modes))
        ops = {row.name: row for row in install.ops}
        ops[op] = replace(ops.get(op, VirtualOp(name=op)), mode=mode)
        return replace(install, ops=tuple(ops.values()))

    return with_install(phone, package, user, changed)


def with_setting(phone: VirtualPhone, user: int, key: str, value: str) -> VirtualPhone:
    """Return `phone` with another value of a secure setting."""
    namespaces = phone.settings.get(user, {})
    secure = {**namespaces.get("secure", {}), key: value}
    return replace(phone, settings={**phone.settings, user: {**namespaces, "secure": secure}})
