"""Build each app of each user from the package dumps, the package lists and app-ops.

One module, because the record of an app is one join: its identity, its state for each user and
its permissions come from the same blocks, and each step needs the result of the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from privaudit.android import PER_USER_RANGE
from privaudit.apk.info import ApkInfo
from privaudit.dumpsys.appops import AppOp, AppOpsDump, UidOps
from privaudit.dumpsys.appops_get import OpState, verify_uid_ops
from privaudit.dumpsys.device import DumpClock, parse_local_time
from privaudit.dumpsys.package_list import InstalledPackage
from privaudit.dumpsys.package_model import PackageBlock, PermissionGrant
from privaudit.dumpsys.special_access import SpecialAccessEntry
from privaudit.facts.access import (
    DATA_PERMISSIONS,
    AppGrants,
    DataPermission,
    evaluate_access,
    summarise_access,
)
from privaudit.facts.apk_facts import apply_apk_info
from privaudit.facts.effective_permission import OP_SWITCHES, active_mode, evaluate_permission
from privaudit.facts.package_dumps import PackageDumps, PermissionLine
from privaudit.facts.permission_table import PERMISSION_INFO, SPECIAL_PERMISSIONS
from privaudit.model import (
    AccessState,
    App,
    AppSummary,
    DataClass,
    EffectiveState,
    FactLocation,
    LabelState,
    OtherDataClass,
    Permission,
    RequestedState,
    SpecialAccess,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppInputs:
    """What the phone answered about all apps."""

    package_dumps: PackageDumps
    appops: AppOpsDump
    appops_complete: bool
    """Whether a mode or an event that is not in `appops` does not exist; but see `UidOps.unread_lines`."""
    appops_uids: Mapping[tuple[str, int], int]
    """Package and user → the uid below which `appops` lists the package."""
    verified_ops: Mapping[tuple[str, int], Mapping[str, OpState]]
    """Package and user → what ``cmd appops get`` says of its ops."""
    doubtful_uids: frozenset[int]
    """Uids in `appops` whose lines an app may have written."""
    op_switches: Mapping[str, str]
    """Op → op that decides for it, where the dump does not name it."""
    package_lists: Mapping[int, Mapping[str, InstalledPackage]]
    """User → package → entry; users without a known list are missing."""
    third_party_packages: Mapping[int, frozenset[str]]
    special_access: Mapping[tuple[str, int], tuple[SpecialAccessEntry, ...]]
    sdk: int | None
    has_miui_ops: bool | None
    """Whether the phone's Android is MIUI or HyperOS, which have ops of their own; ``None``: it was not read."""
    clock: DumpClock


FactLocations = dict[tuple[str, int, str], tuple[FactLocation, ...]]
"""Package, user and fact → lines that prove the fact; see `Facts.locations`."""
ManifestLookup = Callable[[str], RequestedState]
"""Returns whether the manifest of an app requests a permission."""

_DATA_PERMISSION_BY_NAME: Final[Mapping[str, DataPermission]] = {
    info.permission: info for infos in DATA_PERMISSIONS.values() for info in infos
}
DATA_CLASS_PERMISSIONS: Final[Mapping[str, DataPermission]] = {
    one.permission: one for data in DataClass for one in DATA_PERMISSIONS[data]
}
_NO_ACCESS: Final[Mapping[DataClass, AccessState]] = dict.fromkeys(DataClass, AccessState.NOT_ALLOWED)
RELEVANT_OPS: Final = frozenset(
    {
        *(info.op for info in PERMISSION_INFO.values()),
        *(info.empty_data_op for info in _DATA_PERMISSION_BY_NAME.values() if info.empty_data_op is not None),
        *OP_SWITCHES.values(),
    }
)
"""App-ops that decide over a permission, or record when data was read."""
_MIN_INSTALL_TIME: Final = datetime(2009, 1, 3)  # noqa: DTZ001 - the phone's own time
"""System images have install times of 1970, 2008-12-31 or 2009-01-01, which are not real."""
_USER_APP_PATHS: Final = ("/data/", "/mnt/")
"""Where Android installs apps, in internal storage and on a card."""


def installed_packages(inputs: AppInputs, user: int) -> list[str]:
    """Return the names of the packages that `user` has installed."""
    dumps, listed = inputs.package_dumps, inputs.package_lists.get(user)
    if listed is not None:
        return sorted({*listed, *dumps.hidden_packages(user)})
    if dumps.proto:
        return sorted(name for name, one in dumps.proto.items() if user in one.users and one.users[user].installed)
    return sorted(name for name, block in dumps.full.dump.packages.items() if _is_installed(block, user))


def _is_installed(block: PackageBlock, user: int) -> bool:
    state = block.users.get(user)
    return state is not None and state.installed and block.apk_present


def build_app(inputs: AppInputs, package: str, user: int, apk: ApkInfo | None, locations: FactLocations) -> App:
    """Build the app `package` of `user` in full; add the lines that prove its facts to `locations`."""
    match = inputs.package_dumps.find_block(package)
    block = match[0] if match is not None else PackageBlock(name=package, offset=0)
    entry = inputs.package_lists.get(user, {}).get(package)
    if match is not None:
        locations[package, user, "package"] = (match[1],)
    elif entry is not None:
        locations[package, user, "package"] = (FactLocation(f"installed.{user}", entry.offset),)
    state = inputs.package_dumps.user_state(package, user)
    uid = _find_uid_ops(inputs, package, user)
    ops = uid.packages.get(package, {})
    permissions = {
        permission.name: permission
        for permission in _build_permissions(inputs, block, user, uid, _manifest_lookup(inputs, apk), locations)
    }
    for info in _DATA_PERMISSION_BY_NAME.values():
        for event in (ops[info.op].last_access, ops[info.op].last_reject) if info.op in ops else ():
            if event is not None:
                _add_location(locations, (package, user, f"op:{info.op}"), FactLocation(event.key, event.offset))
    special = tuple(
        _special_access(inputs.special_access.get((package, user), ()), permissions, (package, user), locations)
    )
    text_state = block.users.get(user)
    first_installed = _install_time(text_state.first_installed if text_state else None, inputs.clock)
    first_installed = first_installed or _install_time(block.first_installed, inputs.clock)
    grants = AppGrants(
        permissions=permissions,
        ops=ops,
        special_access_kinds={access.kind for access in special},
        ops_complete=inputs.appops_complete and not (uid.is_doubtful or uid.has_empty_attribution or uid.unread_lines),
        verified_ops=uid.verified_ops,
        records_since=_records_since(first_installed, inputs),
        sdk=inputs.sdk,
        target_sdk=block.target_sdk,
    )
    app = App(
        package=package,
        user=user,
        label=None,
        label_state=LabelState.NOT_ASKED,
        labels={},
        version_name=block.version_name,
        version_code=block.version_code,
        target_sdk=block.target_sdk,
        installer=block.installer if block.has_installer_field or entry is None else entry.installer,
        installer_known=block.has_installer_field or (entry is not None and entry.has_installer_field),
        installer_name=None,
        first_installed=first_installed,
        last_updated=_install_time(block.last_updated, inputs.clock),
        system=_is_system(inputs, block, user, entry),
        enabled=state.enabled and not state.hidden if state is not None else None,
        certificates_sha256=(),
        apk_sha256=None,
        access={data: evaluate_access(data, grants, inputs.clock) for data in DataClass},
        other_access={data: evaluate_access(data, grants, inputs.clock) for data in OtherDataClass},
        permissions=tuple(permission for permission in permissions.values() if _is_reportable(permission)),
        special_access=special,
    )
    return app if apk is None else apply_apk_info(app, apk, inputs.sdk)


def summarise_app(inputs: AppInputs, package: str, user: int, apk: ApkInfo | None) -> AppSummary:
    """Return what `build_app` says of an app of `user`, without records and evidence."""
    match = inputs.package_dumps.find_block(package)
    block = match[0] if match is not None else PackageBlock(name=package, offset=0)
    entry = inputs.package_lists.get(user, {}).get(package)
    uid = _find_uid_ops(inputs, package, user)
    grants = inputs.package_dumps.grants_by_permission(package, user, DATA_CLASS_PERMISSIONS)
    summary = AppSummary(
        package=package,
        user=user,
        system=_is_system(inputs, block, user, entry),
        installer=block.installer if block.has_installer_field or entry is None else entry.installer,
        access_states=_summarise_access_states(inputs, block, user, uid, grants, _manifest_lookup(inputs, apk)),
        special_access_kinds=frozenset(entry.access.kind for entry in inputs.special_access.get((package, user), ())),
        requests=_requested_data_permissions(inputs, block, grants, apk),
    )
    return summary if apk is None else apply_apk_info(summary, apk, inputs.sdk)


def _requested_data_permissions(
    inputs: AppInputs, block: PackageBlock, grants: Mapping[str, object], apk: ApkInfo | None
) -> frozenset[str]:
    """Return what `_request_state` calls requested of the permissions for contacts, SMS and call log."""
    listed = block.requested_permissions
    if listed is None and apk is not None and apk.uses_permissions is not None:
        uses = {use.permission for use in apk.uses_permissions} & DATA_CLASS_PERMISSIONS.keys()
        listed = {name for name in uses if apk.request_state(name, inputs.sdk) is RequestedState.YES}
    own = frozenset(grants) if grants and block.shared_user is None else frozenset()
    return own | (DATA_CLASS_PERMISSIONS.keys() & listed) if listed else own


def _summarise_access_states(
    inputs: AppInputs,
    block: PackageBlock,
    user: int,
    uid: UidOps,
    grants: Mapping[str, Sequence[PermissionGrant]],
    manifest_lookup: ManifestLookup,
) -> Mapping[DataClass, AccessState]:
    ops = uid.packages.get(block.name, {})
    by_proto = inputs.package_dumps.proto_granted(block.name, user)
    denied = inputs.package_dumps.is_known_denied(block.name, user)
    if denied and not grants and DATA_CLASS_PERMISSIONS.keys().isdisjoint(by_proto) and not uid.uid_modes and not ops:
        return _NO_ACCESS
    effective = {}
    for name, permission in DATA_CLASS_PERMISSIONS.items():
        own = grants.get(name)
        in_proto = inputs.package_dumps.proto_grant(block.name, user, name)
        granted, flags = _join_grants(own or (), in_proto=in_proto, denied=denied)
        if granted and in_proto is None and _is_disowned(inputs, block, name, manifest_lookup):
            granted = None
        mode, _ = _mode_in_force(uid, ops, permission.op, inputs.op_switches) or (None, 0)
        blank = _empty_data_mode(inputs, uid, ops, permission)
        effective[name] = evaluate_permission(
            PERMISSION_INFO[name],
            granted=granted,
            flags=flags or (),
            mode="unknown" if flags is None and permission.op not in uid.verified_ops else mode,
            empty_data_mode=blank,
            target_sdk=block.target_sdk,
        )
    return {data: summarise_access(data, effective) for data in DataClass}


def _empty_data_mode(
    inputs: AppInputs, uid: UidOps, ops: Mapping[str, AppOp], permission: DataPermission
) -> str | None:
    """Return the mode of MIUI's own op for empty data; on other systems its name can only be an app's text."""
    if permission.empty_data_op is None or inputs.has_miui_ops is False:
        return None
    mode, _ = _mode_in_force(uid, ops, permission.empty_data_op, {}) or (None, 0)
    return "unknown" if inputs.has_miui_ops is None and mode in {"ignore", "deny"} else mode


def _special_access(
    entries: Iterable[SpecialAccessEntry],
    permissions: Mapping[str, Permission],
    package_and_user: tuple[str, int],
    locations: FactLocations,
) -> Iterator[SpecialAccess]:
    for entry in entries:
        _add_location(locations, (*package_and_user, entry.access.kind), entry.location)
        yield entry.access
    for name, kind in SPECIAL_PERMISSIONS.items():
        permission = permissions.get(name)
        if permission is not None and permission.effective in {EffectiveState.ALLOWED, EffectiveState.FOREGROUND}:
            for fact in (f"op:{PERMISSION_INFO[name].op}", name):
                _add_location(locations, (*package_and_user, kind), *locations.get((*package_and_user, fact), ()))
            yield SpecialAccess(kind=kind, component=None)


def _records_since(installed: datetime | None, inputs: AppInputs) -> datetime | None:
    """Return how far back the events of an app can go; ``None`` if the phone has not recorded any event."""
    oldest = inputs.clock.event_time(inputs.appops.oldest_event)
    if oldest is None or installed is None or (oldest.tzinfo is None) != (installed.tzinfo is None):
        return oldest
    return max(oldest, installed)


def _find_uid_ops(inputs: AppInputs, package: str, user: int) -> UidOps:
    """Return the app-ops of the package's uid; of the ops that were asked about by name, what the phone answered."""
    uid, states = _find_dumped_ops(inputs, package, user), inputs.verified_ops.get((package, user))
    return uid if states is None else verify_uid_ops(uid, package, states)[0]


def _find_dumped_ops(inputs: AppInputs, package: str, user: int) -> UidOps:
    match, entry = inputs.package_dumps.find_block(package), inputs.package_lists.get(user, {}).get(package)
    app_ids = (
        inputs.package_dumps.proto_app_id(package),
        match[0].app_id if match else None,
        entry.app_id if entry else None,
    )
    app_id = next((one for one in app_ids if one is not None), None)
    # Where nothing else gives the uid, app-ops do, which list each package below its uid.
    number = inputs.appops_uids.get((package, user), -1) if app_id is None else user * PER_USER_RANGE + app_id
    return UidOps(is_doubtful=True) if number in inputs.doubtful_uids else inputs.appops.uids.get(number) or UidOps()


def differing_ops(inputs: AppInputs) -> int:
    """Return of how many apps the app-ops dump says another thing than ``cmd appops get``."""
    return sum(
        verify_uid_ops(_find_dumped_ops(inputs, package, user), package, states)[1]
        for (package, user), states in inputs.verified_ops.items()
    )


def _mode_in_force(
    uid: UidOps, ops: Mapping[str, AppOp], op: str, switches: Mapping[str, str]
) -> tuple[str, int] | None:
    """Return the mode and the offset of its line; ``unknown`` where an app may have written that it is denied."""
    stored = active_mode(op, uid.uid_modes, ops, switches)
    if op in uid.verified_ops:
        return stored
    denies = stored is not None and stored[0] not in {"allow", "default"}
    if uid.is_doubtful or (denies and (uid.has_empty_attribution or uid.unread_lines)):
        return "unknown", 0
    return stored


def _is_system(inputs: AppInputs, block: PackageBlock, user: int, entry: InstalledPackage | None) -> bool:
    if user in inputs.third_party_packages and block.name in inputs.third_party_packages[user]:
        return False  # in that list no app can write; a block it can
    if block.flags:
        return "SYSTEM" in block.flags
    if user in inputs.third_party_packages:
        return True
    return entry is not None and entry.apk_path is not None and not entry.apk_path.startswith(_USER_APP_PATHS)


def _build_permissions(
    inputs: AppInputs,
    block: PackageBlock,
    user: int,
    uid: UidOps,
    manifest_lookup: ManifestLookup,
    locations: FactLocations,
) -> Iterator[Permission]:
    uid_modes, ops = uid.uid_modes, uid.packages.get(block.name, {})
    lines: dict[str, list[PermissionLine]] = {}
    for name, line in inputs.package_dumps.permission_lines(block.name, user):
        if name in PERMISSION_INFO:
            lines.setdefault(name, []).append(line)
            _add_location(locations, (block.name, user, name), line.location)
    is_known_denied = inputs.package_dumps.is_known_denied(block.name, user)
    special = [
        name for name in SPECIAL_PERMISSIONS if PERMISSION_INFO[name].op in uid_modes or PERMISSION_INFO[name].op in ops
    ]
    by_proto = inputs.package_dumps.proto_granted(block.name, user)
    names = (*lines, *_DATA_PERMISSION_BY_NAME, *special, *by_proto, *(block.requested_permissions or ()))
    for name in dict.fromkeys(names):
        info = PERMISSION_INFO.get(name)
        if info is None:
            continue
        own_lines = lines.get(name, [])
        granted, flags = _join_grants(
            [line.grant for line in own_lines],
            in_proto=(in_proto := inputs.package_dumps.proto_grant(block.name, user, name)),
            denied=is_known_denied,
        )
        if granted and in_proto is None and _is_disowned(inputs, block, name, manifest_lookup):
            granted = None
        mode, offset = _mode_in_force(uid, ops, info.op, inputs.op_switches) or (None, 0)
        is_plain_mode = mode in {None, "default"} or (mode == "allow" and not info.decided_by_app_op)
        if mode != "unknown" and (info.op in uid_modes or not is_plain_mode):
            key = f"appops_get.{user}.{block.name}" if uid.is_doubtful else "appops"
            _add_location(locations, (block.name, user, f"op:{info.op}"), FactLocation(key, offset))
        data_permission, op = _DATA_PERMISSION_BY_NAME.get(name), ops.get(info.op)
        yield Permission(
            name=name,
            requested=_request_state(block, name, own_lines, manifest_lookup, granted=granted),
            granted=granted,
            flags=flags or (),
            mode=mode,
            effective=evaluate_permission(
                info,
                granted=granted,
                flags=flags or (),
                mode="unknown" if flags is None and info.op not in uid.verified_ops else mode,
                empty_data_mode=_empty_data_mode(inputs, uid, ops, data_permission) if data_permission else None,
                target_sdk=block.target_sdk,
            ),
            last_access=inputs.clock.event_time(op.last_access if op else None),
            last_reject=inputs.clock.event_time(op.last_reject if op else None),
        )


def _manifest_lookup(inputs: AppInputs, apk: ApkInfo | None) -> ManifestLookup:
    return lambda name: RequestedState.UNKNOWN if apk is None else apk.request_state(name, inputs.sdk)


def _is_disowned(inputs: AppInputs, block: PackageBlock, permission: str, manifest_lookup: ManifestLookup) -> bool:
    """Return whether only the dump of all apps says that the app holds `permission`, and its manifest lacks it.

    Then another app may have written the block. Apps of a shared user hold what any of them requests.
    """
    return (
        permission in DATA_CLASS_PERMISSIONS
        and block.shared_user is None
        and not inputs.package_dumps.has_own_dump(block.name)
        and manifest_lookup(permission) is RequestedState.NO
    )


def _join_grants(
    text_grants: Sequence[PermissionGrant], *, in_proto: bool | None, denied: bool
) -> tuple[bool | None, tuple[str, ...] | None]:
    """Return whether a permission is granted, and its flags; ``None`` for flags that no trusted line gives."""
    if in_proto is not None:
        granted: bool | None = in_proto
    else:
        granted = any(grant.granted for grant in text_grants) if text_grants else (False if denied else None)
    known = (grant.flags for grant in text_grants if grant.granted == granted and grant.flags is not None)
    return granted, next(known, None if granted else ())


def _request_state(
    block: PackageBlock,
    name: str,
    permission_lines: list[PermissionLine],
    manifest_lookup: ManifestLookup,
    *,
    granted: bool | None,
) -> RequestedState:
    """Return whether the app requests the permission: from the dump, or from the manifest if the dump does not say."""
    if block.requested_permissions is not None and name in block.requested_permissions:
        return RequestedState.YES
    if block.shared_user is None and permission_lines:
        return RequestedState.YES  # Android keeps the state of a permission only while its app requests it
    if block.requested_permissions is None or granted is None:
        return manifest_lookup(name)
    return RequestedState.NO


def _is_reportable(permission: Permission) -> bool:
    return permission.requested is RequestedState.YES or permission.effective is not EffectiveState.DENIED


def _add_location(locations: FactLocations, key: tuple[str, int, str], *added: FactLocation) -> None:
    locations[key] = (*locations.get(key, ()), *added)


def _install_time(printed: str | None, clock: DumpClock) -> datetime | None:
    moment = parse_local_time(printed, clock.zone)
    return None if moment is None or moment.replace(tzinfo=None) < _MIN_INSTALL_TIME else moment
