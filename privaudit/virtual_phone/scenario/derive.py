"""What Android derives from a few words about an app: permission flags, app-op modes, gids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from privaudit.virtual_phone.dump_writers.android import (
    APP_OP_PERMISSIONS,
    FIRST_SDK,
    FLAG_BITS,
    GIDS,
    HARD_RESTRICTED,
    RUNTIME_OPS,
    SOFT_RESTRICTED,
    flags_known,
    full_name,
)
from privaudit.virtual_phone.scenario import schema
from privaudit.virtual_phone.scenario.virtual import Event, Grant, InstallPermission, Op

_SENSITIVE: Final = FLAG_BITS["USER_SENSITIVE_WHEN_GRANTED"] | FLAG_BITS["USER_SENSITIVE_WHEN_DENIED"]
_COMPAT_DENIED: Final = FLAG_BITS["REVOKED_COMPAT"] | FLAG_BITS["REVIEW_REQUIRED"]
_LOCATION_OPS: Final = ("COARSE_LOCATION", "FINE_LOCATION")
_SCOPED_STORAGE: Final = 30
"""First target SDK without legacy storage."""
_RUNTIME_PERMISSIONS: Final = 23
"""First target SDK that is asked for permissions while it runs."""
_KEPT_IN_STEP: Final = 29
"""First SDK that stores a runtime state for every app, and an app-op mode in step with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks for a permission, of which Android."""

    sdk: int
    target_sdk: int
    system: bool
    """It came with the phone, so that the system, not an installer, exempts it from restrictions."""
    shown: bool
    """Settings shows the permission, for which Android has two flags of its own."""

    @property
    def legacy(self) -> bool:
        """Written for Android 5 or older: it gets everything, and a denial is an app-op."""
        return self.target_sdk < _RUNTIME_PERMISSIONS

    @property
    def at_installation(self) -> bool:
        """Up to Android 9 a legacy app's permissions are granted for good when it is installed."""
        return self.legacy and self.sdk < _KEPT_IN_STEP


def known(name: str, sdk: int) -> bool:
    """Whether the release knows the permission. One that it does not know an app requests in vain."""
    return sdk >= FIRST_SDK.get(name, 0)


def grant(name: str, said: schema.InstallRow, asking: Asking) -> Grant:
    """State of one runtime permission.

    Args:
        name: full name.
        said: what the story says of the app for this user.
        asking: the app and the phone.
    """
    word = {full_name(key): value for key, value in said.grants.items()}.get(name)
    exact = {full_name(key): value for key, value in said.flags.items()}.get(name)
    granted, named = schema.GRANTS[word or "not asked"]
    restricted = name in HARD_RESTRICTED or name in SOFT_RESTRICTED
    if word == "role" and asking.sdk < _KEPT_IN_STEP:
        named = ("GRANTED_BY_DEFAULT",)
    if asking.legacy and not granted:
        granted, named = True, ("REVIEW_REQUIRED",) if word in {None, "not asked"} else ("USER_SET", "REVOKED_COMPAT")
    if exact is not None:
        flags = _bits(exact)
    elif not said.installed and word is None:
        # Never installed for this user: nobody exempted it (seen on a real Android 14 with five users).
        flags = _bits(("APPLY_RESTRICTION",)) if restricted else 0
    else:
        flags = _bits(named) | (_SENSITIVE if asking.shown else 0)
        if restricted:
            exempt = ("RESTRICTION_SYSTEM_EXEMPT", "RESTRICTION_UPGRADE_EXEMPT")
            flags |= _bits(exempt if asking.system else ("RESTRICTION_INSTALLER_EXEMPT",))
    if asking.sdk < _KEPT_IN_STEP:
        flags &= ~FLAG_BITS["REVIEW_REQUIRED"]  # makers could switch it on, Android itself did so in 10
    return Grant(name=name, granted=granted, flags=flags & flags_known(asking.sdk))


def uid_modes(grants: Iterable[Grant], asking: Asking) -> Mapping[str, str]:
    """App-op modes that Android keeps in step with the permissions (``PermissionPolicyService``, Android 10 on).

    A granted permission's mode equals the default and is not stored; location without the background permission is
    stored as ``foreground``, and everything denied as ``ignore``. Before Android 10 only what a legacy app was denied.
    """
    grants = tuple(grants)
    if asking.sdk < _KEPT_IN_STEP:
        denied = (RUNTIME_OPS[grant.name] for grant in grants if asking.legacy and grant.flags & _COMPAT_DENIED)
        return {op: "ignore" for op in denied if op is not None}
    background = any(grant.granted and grant.name.endswith(".ACCESS_BACKGROUND_LOCATION") for grant in grants)
    modes = {}
    for grant in grants:
        op = RUNTIME_OPS[grant.name]
        if op is None:
            continue
        if not grant.granted or grant.flags & _COMPAT_DENIED:
            modes[op] = "ignore"
        elif op in _LOCATION_OPS and not background:
            modes[op] = "foreground"
        if op == "READ_EXTERNAL_STORAGE" and asking.target_sdk >= _SCOPED_STORAGE:
            modes["LEGACY_STORAGE"] = "ignore"
    return modes


def ops(rows: Iterable[schema.OpRow]) -> tuple[Op, ...]:
    """App-ops of a package: one for all its rows."""
    found: dict[str, Op] = {}
    for row in rows:
        before = found.get(row.op, Op(name=row.op)).events
        new = tuple(
            Event(
                age=age,
                rejected=rejected,
                state=row.state,
                duration=row.duration,
                running=row.running and not rejected,
                tag=row.tag,
            )
            for age, rejected in ((row.access, False), (row.reject, True))
            if age is not None
        )
        found[row.op] = Op(name=row.op, mode=row.mode, events=before + new)
    return tuple(found.values())


def install_permissions(requested: Iterable[str], asking: Asking) -> tuple[InstallPermission, ...]:
    """What was decided when the app was installed: of `requested` what is known and no runtime permission."""
    return tuple(
        InstallPermission(name=name, granted=name not in APP_OP_PERMISSIONS)
        for name in requested
        if known(name, asking.sdk) and (name not in RUNTIME_OPS or asking.at_installation)
    )


def gids(requested: Iterable[str]) -> tuple[int, ...]:
    """Linux groups that come with `requested`."""
    return tuple(sorted(GIDS[name] for name in requested if name in GIDS))


def _bits(names: Iterable[str]) -> int:
    return sum({FLAG_BITS[name] for name in names})
