"""What Android derives from a few words about an app: permission flags, app-op modes, gids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from privaudit.virtual_phone.dump_writers.android import (
    APP_OP_PERMISSIONS,
    FLAG_BITS,
    HARD_RESTRICTED,
    PERMISSION_FIRST_SDK,
    PERMISSION_GIDS,
    RUNTIME_PERMISSION_OPS,
    SOFT_RESTRICTED,
    full_permission_name,
    known_flag_bits,
)
from privaudit.virtual_phone.scenario import schema
from privaudit.virtual_phone.scenario.virtual import InstallPermission, VirtualGrant, VirtualOp, VirtualOpEvent

_USER_SENSITIVE_FLAGS: Final = FLAG_BITS["USER_SENSITIVE_WHEN_GRANTED"] | FLAG_BITS["USER_SENSITIVE_WHEN_DENIED"]
_COMPAT_DENIED_FLAGS: Final = FLAG_BITS["REVOKED_COMPAT"] | FLAG_BITS["REVIEW_REQUIRED"]
_LOCATION_OPS: Final = ("COARSE_LOCATION", "FINE_LOCATION")
_SCOPED_STORAGE_SDK: Final = 30
"""First target SDK without legacy storage."""
_RUNTIME_PERMISSIONS_SDK: Final = 23
"""First target SDK that is asked for permissions while it runs."""
_POLICY_SYNC_SDK: Final = 29
"""First SDK that stores a runtime state for every app, and an app-op mode in step with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionContext:
    """Who asks for a permission, of which Android."""

    sdk: int
    target_sdk: int
    is_system: bool
    """It came with the phone, so that the system, not an installer, exempts it from restrictions."""
    visible_in_settings: bool
    """Settings shows the permission, for which Android has two flags of its own."""

    @property
    def is_legacy(self) -> bool:
        """Written for Android 5 or older: it gets everything, and a denial is an app-op."""
        return self.target_sdk < _RUNTIME_PERMISSIONS_SDK

    @property
    def granted_at_install(self) -> bool:
        """Up to Android 9 a legacy app's permissions are granted for good when it is installed."""
        return self.is_legacy and self.sdk < _POLICY_SYNC_SDK


def is_known_permission(name: str, sdk: int) -> bool:
    """Whether the release knows the permission. One that it does not know an app requests in vain."""
    return sdk >= PERMISSION_FIRST_SDK.get(name, 0)


def derive_grant(name: str, install_row: schema.InstallRow, context: PermissionContext) -> VirtualGrant:
    """State of one runtime permission.

    Args:
        name: full name.
        install_row: what the story says of the app for this user.
        context: the app and the phone.
    """
    word = {full_permission_name(key): value for key, value in install_row.grants.items()}.get(name)
    exact = {full_permission_name(key): value for key, value in install_row.flags.items()}.get(name)
    granted, named = schema.GRANT_WORDS[word or "not asked"]
    restricted = name in HARD_RESTRICTED or name in SOFT_RESTRICTED
    if word == "role" and context.sdk < _POLICY_SYNC_SDK:
        named = ("GRANTED_BY_DEFAULT",)
    if context.is_legacy and not granted:
        granted, named = True, ("REVIEW_REQUIRED",) if word in {None, "not asked"} else ("USER_SET", "REVOKED_COMPAT")
    if exact is not None:
        flags = _flag_bits(exact)
    elif not install_row.installed and word is None:
        # Never installed for this user: nobody exempted it (seen on a real Android 14 with five users).
        flags = _flag_bits(("APPLY_RESTRICTION",)) if restricted else 0
    else:
        flags = _flag_bits(named) | (_USER_SENSITIVE_FLAGS if context.visible_in_settings else 0)
        if restricted:
            exempt = ("RESTRICTION_SYSTEM_EXEMPT", "RESTRICTION_UPGRADE_EXEMPT")
            flags |= _flag_bits(exempt if context.is_system else ("RESTRICTION_INSTALLER_EXEMPT",))
    if context.sdk < _POLICY_SYNC_SDK:
        flags &= ~FLAG_BITS["REVIEW_REQUIRED"]  # makers could switch it on, Android itself did so in 10
    return VirtualGrant(name=name, granted=granted, flags=flags & known_flag_bits(context.sdk))


def derive_uid_modes(grants: Iterable[VirtualGrant], context: PermissionContext) -> Mapping[str, str]:
    """App-op modes that Android keeps in step with the permissions (``PermissionPolicyService``, Android 10 on).

    A granted permission's mode equals the default and is not stored; location without the background permission is
    stored as ``foreground``, and everything denied as ``ignore``. Before Android 10 only what a legacy app was denied.
    """
    grants = tuple(grants)
    if context.sdk < _POLICY_SYNC_SDK:
        denied = (
            RUNTIME_PERMISSION_OPS[grant.name]
            for grant in grants
            if context.is_legacy and grant.flags & _COMPAT_DENIED_FLAGS
        )
        return {op: "ignore" for op in denied if op is not None}
    background = any(grant.granted and grant.name.endswith(".ACCESS_BACKGROUND_LOCATION") for grant in grants)
    modes = {}
    for grant in grants:
        op = RUNTIME_PERMISSION_OPS[grant.name]
        if op is None:
            continue
        if not grant.granted or grant.flags & _COMPAT_DENIED_FLAGS:
            modes[op] = "ignore"
        elif op in _LOCATION_OPS and not background:
            modes[op] = "foreground"
        if op == "READ_EXTERNAL_STORAGE" and context.target_sdk >= _SCOPED_STORAGE_SDK:
            modes["LEGACY_STORAGE"] = "ignore"
    return modes


def derive_ops(rows: Iterable[schema.OpRow]) -> tuple[VirtualOp, ...]:
    """App-ops of a package: one for all its rows."""
    found: dict[str, VirtualOp] = {}
    for row in rows:
        before = found.get(row.op, VirtualOp(name=row.op)).events
        new = tuple(
            VirtualOpEvent(
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
        found[row.op] = VirtualOp(name=row.op, mode=row.mode, events=before + new)
    return tuple(found.values())


def derive_install_permissions(requested: Iterable[str], context: PermissionContext) -> tuple[InstallPermission, ...]:
    """What was decided when the app was installed: of `requested` what is known and no runtime permission."""
    return tuple(
        InstallPermission(name=name, granted=name not in APP_OP_PERMISSIONS)
        for name in requested
        if is_known_permission(name, context.sdk) and (name not in RUNTIME_PERMISSION_OPS or context.granted_at_install)
    )


def derive_gids(requested: Iterable[str]) -> tuple[int, ...]:
    """Linux groups that come with `requested`."""
    return tuple(sorted(PERMISSION_GIDS[name] for name in requested if name in PERMISSION_GIDS))


def _flag_bits(names: Iterable[str]) -> int:
    return sum({FLAG_BITS[name] for name in names})
