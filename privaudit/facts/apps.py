"""Build each app of each user from the package dumps, the package lists and app-ops.

One module, because the record of an app is one join: its identity, its state for each user and
its permissions come from the same blocks, and each step needs the result of the one before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from privaudit.android import PER_USER_RANGE
from privaudit.apk.info import ApkInfo
from privaudit.dumpsys.appops import AppOpsDump, UidOps
from privaudit.dumpsys.appops_get import OpState, verify_uid_ops
from privaudit.dumpsys.device import DumpClock, parse_local_time
from privaudit.dumpsys.package_model import PackageBlock, PermissionGrant
from privaudit.dumpsys.special_access import SpecialAccessEntry
from privaudit.facts.access import DATA_PERMISSIONS, AppGrants, DataPermission, evaluate_access, summarise_access
from privaudit.facts.apk_facts import labels_and_signers, unreadable_label
from privaudit.facts.package_dumps import PackageDumps, PackageLists
from privaudit.facts.permissions import (
    OP_SWITCHES,
    PERMISSION_INFO,
    SPECIAL_PERMISSIONS,
    active_mode,
    evaluate_permission,
)
from privaudit.model import (
    AccessState,
    App,
    AppSummary,
    DataClass,
    EffectiveState,
    FactLocation,
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
    package_lists: PackageLists
    third_party_packages: Mapping[int, frozenset[str]]
    special_access: Mapping[tuple[str, int], tuple[SpecialAccessEntry, ...]]
    sdk: int | None
    has_miui_ops: bool | None
    """Whether the phone's Android is MIUI or HyperOS, which have ops of their own; ``None``: it was not read."""
    clock: DumpClock


FactLocations = dict[tuple[str, int, str], tuple[FactLocation, ...]]
"""Package, user and fact → lines that prove the fact; see `Facts.locations`."""

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
    dump = dumps.full.dump
    # Text of an app may stand in a doubtful block, to hide an app: it counts as installed, and nothing more is known.
    doubtful = dump.doubtful if user == 0 else frozenset[str]()
    return sorted(name for name, block in dump.packages.items() if _is_installed(block, user) or name in doubtful)


def _is_installed(block: PackageBlock, user: int) -> bool:
    state = block.users.get(user)
    return state is not None and state.installed and block.apk_present


def build_app(inputs: AppInputs, package: str, user: int, apk: ApkInfo | None, locations: FactLocations) -> App:
    """Build the app `package` of `user` in full; add the lines that prove its facts to `locations`."""
    answers = _AppAnswers(inputs, package, user, apk)
    app = answers.build()
    locations |= {(package, user, fact): lines for fact, lines in answers.locations.items()}
    return app


def summarise_app(inputs: AppInputs, package: str, user: int, apk: ApkInfo | None) -> AppSummary:
    """Return what `build_app` says of an app of `user`, without records and evidence."""
    return _AppAnswers(inputs, package, user, apk).summarise()


class _AppAnswers:
    """What the phone answered about one app of one user, and the facts that follow from it."""

    def __init__(self, inputs: AppInputs, package: str, user: int, apk: ApkInfo | None) -> None:
        self.inputs, self.dumps = inputs, inputs.package_dumps
        self.package, self.user = package, user
        self.apk = apk or ApkInfo(package=package, label_problem=None, problem=None, sha256=None)
        self.block, block_location = self.dumps.find_block(package) or (PackageBlock(name=package, offset=0), None)
        self.entry = inputs.package_lists.get(user, {}).get(package)
        if block_location is None and self.entry is not None:
            block_location = FactLocation(f"installed.{user}", self.entry.offset)
        elif block_location is None and package in self.dumps.proto:
            block_location = FactLocation("packages_proto", 0)
        elif block_location is None and (doubtful := self.dumps.full.dump.packages.get(package)) is not None:
            block_location = FactLocation(self.dumps.full.answer.key, doubtful.offset)
        self.uid = _find_uid_ops(inputs, package, user)
        self.ops = self.uid.packages.get(package, {})
        self.proto_granted = self.dumps.proto_granted(package, user)
        self.is_known_denied = self.dumps.is_known_denied(package, user)
        self.special_access = inputs.special_access.get((package, user), ())
        self.locations: dict[str, tuple[FactLocation, ...]] = {}
        """Fact → lines that prove it."""
        if block_location is not None:
            self.locations["package"] = (block_location,)

    def summarise(self) -> AppSummary:
        grants = self.dumps.grants_by_permission(self.package, self.user, DATA_CLASS_PERMISSIONS)
        return AppSummary(
            package=self.package,
            user=self.user,
            system=self._is_system(),
            installer=self._installer(),
            access_states=self._access_states(grants),
            special_access_kinds=frozenset(entry.access.kind for entry in self.special_access),
            requests=self._requested_data_permissions(grants),
            **labels_and_signers(self.apk, self.inputs.sdk),
        )

    def build(self) -> App:
        block, clock = self.block, self.inputs.clock
        state = self.dumps.user_state(self.package, self.user)
        permissions = {permission.name: permission for permission in self._permissions()}
        for info in _DATA_PERMISSION_BY_NAME.values():
            for event in (op.last_access, op.last_reject) if (op := self.ops.get(info.op)) else ():
                if event is not None:
                    self._add_location(f"op:{info.op}", FactLocation(event.key, event.offset))
        special = tuple(self._special_access(permissions))
        text_state = block.users.get(self.user)
        first_installed = _install_time(text_state.first_installed if text_state else None, clock)
        first_installed = first_installed or _install_time(block.first_installed, clock)
        is_uncertain = self.uid.is_doubtful or self.uid.has_empty_attribution or self.uid.unread_lines
        grants = AppGrants(
            permissions=permissions,
            ops=self.ops,
            special_access_kinds={access.kind for access in special},
            ops_complete=self.inputs.appops_complete and not is_uncertain,
            verified_ops=self.uid.verified_ops,
            records_since=self._records_since(first_installed),
            sdk=self.inputs.sdk,
            target_sdk=block.target_sdk,
        )
        return App(
            package=self.package,
            user=self.user,
            label_problem=unreadable_label(self.apk),
            launcher_icon=self.apk.launcher_icon,
            version_name=block.version_name,
            version_code=block.version_code,
            target_sdk=block.target_sdk,
            installer=self._installer(),
            installer_known=block.has_installer_field or (self.entry is not None and self.entry.has_installer_field),
            installer_name=None,
            first_installed=first_installed,
            last_updated=_install_time(block.last_updated, clock),
            system=self._is_system(),
            enabled=state.enabled and not state.hidden if state is not None else None,
            access={data: evaluate_access(data, grants, clock) for data in DataClass},
            other_access={data: evaluate_access(data, grants, clock) for data in OtherDataClass},
            permissions=tuple(filter(_is_reportable, permissions.values())),
            special_access=special,
            **labels_and_signers(self.apk, self.inputs.sdk),
        )

    def _installer(self) -> str | None:
        return self.block.installer if self.block.has_installer_field or self.entry is None else self.entry.installer

    def _is_system(self) -> bool:
        third_party = self.inputs.third_party_packages.get(self.user)
        if third_party is not None and self.package in third_party:
            return False  # in that list no app can write; a block it can
        if self.block.flags:
            return "SYSTEM" in self.block.flags
        if third_party is not None:
            return True
        path = self.entry.apk_path if self.entry is not None else None
        return path is not None and not path.startswith(_USER_APP_PATHS)

    def _requested_data_permissions(self, grants: Mapping[str, object]) -> frozenset[str]:
        """Return what `_request_state` calls requested of the permissions for contacts, SMS and call log."""
        listed = self.block.requested_permissions
        if listed is None and self.apk.uses_permissions is not None:
            uses = {use.permission for use in self.apk.uses_permissions} & DATA_CLASS_PERMISSIONS.keys()
            listed = {name for name in uses if self._manifest_state(name) is RequestedState.YES}
        own = frozenset(grants) if grants and self.block.shared_user is None else frozenset()
        return own | (DATA_CLASS_PERMISSIONS.keys() & listed) if listed else own

    def _access_states(self, grants: Mapping[str, Sequence[PermissionGrant]]) -> Mapping[DataClass, AccessState]:
        is_held = grants or not DATA_CLASS_PERMISSIONS.keys().isdisjoint(self.proto_granted or ())
        if self.is_known_denied and not is_held and not self.uid.uid_modes and not self.ops:
            return _NO_ACCESS
        effective = {name: self._evaluate(name, grants.get(name, ()))[-1] for name in DATA_CLASS_PERMISSIONS}
        return {data: summarise_access(data, effective) for data in DataClass}

    def _evaluate(
        self, name: str, grants: Sequence[PermissionGrant]
    ) -> tuple[bool | None, tuple[str, ...], str | None, int, EffectiveState]:
        """Return of a permission: whether it is granted, its flags, its app-op's mode and offset, what it comes to.

        `grants`: of the lines of text about it.
        """
        info, in_proto = PERMISSION_INFO[name], None if self.proto_granted is None else name in self.proto_granted
        granted, flags = _join_grants(grants, in_proto=in_proto, denied=self.is_known_denied)
        if granted and in_proto is None and self._is_disowned(name):
            granted = None
        mode, offset = self._mode_in_force(info.op, self.inputs.op_switches) or (None, 0)
        effective = evaluate_permission(
            info,
            granted=granted,
            flags=flags or (),
            mode="unknown" if flags is None and info.op not in self.uid.verified_ops else mode,
            empty_data_mode=self._empty_data_mode(name),
            target_sdk=self.block.target_sdk,
        )
        return granted, flags or (), mode, offset, effective

    def _mode_in_force(self, op: str, switches: Mapping[str, str]) -> tuple[str, int] | None:
        """Return the mode and the offset of its line; ``unknown`` where an app may have written that it is denied."""
        stored = active_mode(op, self.uid.uid_modes, self.ops, switches)
        if op in self.uid.verified_ops:
            return stored
        denies = stored is not None and stored[0] not in {"allow", "default"}
        if self.uid.is_doubtful or (denies and (self.uid.has_empty_attribution or self.uid.unread_lines)):
            return "unknown", 0
        return stored

    def _empty_data_mode(self, name: str) -> str | None:
        """Return the mode of MIUI's own op for empty data; on other systems its name can only be an app's text."""
        data_permission = _DATA_PERMISSION_BY_NAME.get(name)
        if data_permission is None or data_permission.empty_data_op is None or self.inputs.has_miui_ops is False:
            return None
        mode, _ = self._mode_in_force(data_permission.empty_data_op, {}) or (None, 0)
        return "unknown" if self.inputs.has_miui_ops is None and mode in {"ignore", "deny"} else mode

    def _permissions(self) -> Iterator[Permission]:
        uid_modes, ops, clock = self.uid.uid_modes, self.ops, self.inputs.clock
        grants: dict[str, list[PermissionGrant]] = {}
        for name, grant, location in self.dumps.permission_lines(self.package, self.user):
            if name in PERMISSION_INFO:
                grants.setdefault(name, []).append(grant)
                self._add_location(name, location)
        special = [
            name
            for name in SPECIAL_PERMISSIONS
            if PERMISSION_INFO[name].op in uid_modes or PERMISSION_INFO[name].op in ops
        ]
        requested = self.block.requested_permissions or ()
        names = (*grants, *_DATA_PERMISSION_BY_NAME, *special, *sorted(self.proto_granted or ()), *sorted(requested))
        for name in dict.fromkeys(names):
            info = PERMISSION_INFO.get(name)
            if info is None:
                continue
            own_grants, op = grants.get(name, []), ops.get(info.op)
            granted, flags, mode, offset, effective = self._evaluate(name, own_grants)
            is_plain_mode = mode in {None, "default"} or (mode == "allow" and not info.decided_by_app_op)
            if mode != "unknown" and (info.op in uid_modes or not is_plain_mode):
                key = f"appops_get.{self.user}.{self.package}" if self.uid.is_doubtful else "appops"
                self._add_location(f"op:{info.op}", FactLocation(key, offset))
            yield Permission(
                name=name,
                requested=self._request_state(name, granted=granted, has_line=bool(own_grants)),
                granted=granted,
                flags=flags,
                mode=mode,
                effective=effective,
                last_access=clock.event_time(op.last_access if op else None),
                last_reject=clock.event_time(op.last_reject if op else None),
            )

    def _request_state(self, name: str, *, granted: bool | None, has_line: bool) -> RequestedState:
        """Return whether the app requests the permission: from the dump, or from the manifest if that does not say."""
        requested = self.block.requested_permissions
        if requested is not None and name in requested:
            return RequestedState.YES
        if self.block.shared_user is None and has_line:
            return RequestedState.YES  # Android keeps the state of a permission only while its app requests it
        return self._manifest_state(name) if requested is None or granted is None else RequestedState.NO

    def _manifest_state(self, name: str) -> RequestedState:
        return self.apk.request_state(name, self.inputs.sdk)

    def _is_disowned(self, permission: str) -> bool:
        """Return whether only the dump of all apps says that the app holds `permission`, and its manifest lacks it.

        Then another app may have written the block. Apps of a shared user hold what any of them requests.
        """
        return (
            permission in DATA_CLASS_PERMISSIONS
            and self.block.shared_user is None
            and not self.dumps.has_own_dump(self.package)
            and self._manifest_state(permission) is RequestedState.NO
        )

    def _special_access(self, permissions: Mapping[str, Permission]) -> Iterator[SpecialAccess]:
        for entry in self.special_access:
            self._add_location(entry.access.kind, entry.location)
            yield entry.access
        for name, kind in SPECIAL_PERMISSIONS.items():
            permission = permissions.get(name)
            if permission is not None and permission.effective in {EffectiveState.ALLOWED, EffectiveState.FOREGROUND}:
                for fact in (f"op:{PERMISSION_INFO[name].op}", name):
                    self._add_location(kind, *self.locations.get(fact, ()))
                yield SpecialAccess(kind=kind, component=None)

    def _records_since(self, installed: datetime | None) -> datetime | None:
        """Return how far back the events of the app can go; ``None`` if the phone has not recorded any event."""
        oldest = self.inputs.clock.event_time(self.inputs.appops.oldest_event)
        if oldest is None or installed is None or (oldest.tzinfo is None) != (installed.tzinfo is None):
            return oldest
        return max(oldest, installed)

    def _add_location(self, fact: str, *added: FactLocation) -> None:
        self.locations[fact] = (*self.locations.get(fact, ()), *added)


def _find_uid_ops(inputs: AppInputs, package: str, user: int) -> UidOps:
    """Return the app-ops of the package's uid; of the ops that were asked about by name, what the phone answered."""
    uid, states = _find_dumped_ops(inputs, package, user), inputs.verified_ops.get((package, user))
    return uid if states is None else verify_uid_ops(uid, package, states)[0]


def _find_dumped_ops(inputs: AppInputs, package: str, user: int) -> UidOps:
    match, entry = inputs.package_dumps.find_block(package), inputs.package_lists.get(user, {}).get(package)
    sources = (inputs.package_dumps.proto.get(package), match[0] if match else None, entry)
    app_id = next((one.app_id for one in sources if one is not None and one.app_id is not None), None)
    # Where nothing else gives the uid, app-ops do, which list each package below its uid.
    number = inputs.appops_uids.get((package, user), -1) if app_id is None else user * PER_USER_RANGE + app_id
    return UidOps(is_doubtful=True) if number in inputs.doubtful_uids else inputs.appops.uids.get(number) or UidOps()


def differing_ops(inputs: AppInputs) -> int:
    """Return of how many apps the app-ops dump says another thing than ``cmd appops get``."""
    return sum(
        verify_uid_ops(_find_dumped_ops(inputs, package, user), package, states)[1]
        for (package, user), states in inputs.verified_ops.items()
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


def _is_reportable(permission: Permission) -> bool:
    return permission.requested is RequestedState.YES or permission.effective is not EffectiveState.DENIED


def _install_time(printed: str | None, clock: DumpClock) -> datetime | None:
    moment = parse_local_time(printed, clock.zone)
    return None if moment is None or moment.replace(tzinfo=None) < _MIN_INSTALL_TIME else moment
