"""Read scenarios and build virtual phones out of them: everything that Android derives from a scenario's few words.

A scenario is a TOML file that says what a person would say: this app was allowed contacts and read them two days ago.
Types are checked here; ``tests/virtual_phone/scenario_checks.py`` finds undefined names, duplicates and impossible
grants.

One module, because an app, its installation for a user and a shared user derive their permissions from each other.
"""

import tomllib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cache
from hashlib import blake2s
from importlib import resources
from typing import Any, Final, get_args

from pydantic import TypeAdapter

from privaudit.virtual_phone import release
from privaudit.virtual_phone.release import Since
from privaudit.virtual_phone.scenario import schema, virtual

_FIRST_SYSTEM_ID: Final = 10_030
_FIRST_APP_ID: Final = 10_120
_EPOCH: Final = datetime.fromisoformat("1970-01-01")
_GESTURE_OVERLAY_PATHS: Final = ("/product/overlay/NavigationBarModeGestural/NavigationBarModeGesturalOverlay.apk",)
_USER_SENSITIVE_FLAGS: Final = (
    release.FLAG_BITS["USER_SENSITIVE_WHEN_GRANTED"] | release.FLAG_BITS["USER_SENSITIVE_WHEN_DENIED"]
)
_SHARED_UID: Final = schema.AppRow(package="android", system=True)
"""Stands for the packages of a shared user: preinstalled, for the phone's Android."""
_COMPAT_DENIED_FLAGS: Final = release.FLAG_BITS["REVOKED_COMPAT"] | release.FLAG_BITS["REVIEW_REQUIRED"]
_FILLER_PERMISSIONS: Final = ("INTERNET", "ACCESS_NETWORK_STATE", "WAKE_LOCK", "POST_NOTIFICATIONS")
_FILLER_FIRST_INSTALL: Final = datetime.fromisoformat("2023-02-01T09:30:12")
_FILLER_SPAN_DAYS: Final = 700
_ALLOWED_OF_SIX: Final = {"people": 2}
"""How often, out of six, a permission of that kind is allowed; three for other kinds."""
_DENIED_BELOW: Final = 5
"""Below this the permission is denied; otherwise it was never asked for."""


def read_scenario(text: str, *, name: str) -> virtual.VirtualPhone:
    """Read the phone of a scenario, as `schema.ScenarioFile` describes it. Raises `ValueError` if it is malformed."""
    return build_phone(parse_scenario(text), name)


def parse_scenario(text: str) -> schema.ScenarioFile:
    """Parse a scenario, and add what every Android has if it asks for that. Raises `ValueError` if it is malformed."""
    scenario = TypeAdapter(schema.ScenarioFile).validate_python(tomllib.loads(text))
    if not scenario.base:
        return scenario
    base = _read_table("base.toml")
    apps = [*scenario.app, *TypeAdapter(list[schema.AppRow]).validate_python(base["app"])]
    shared_users = TypeAdapter(list[schema.SharedUserRow]).validate_python(base["shared_user"])
    return replace(scenario, app=apps, shared_user=[*scenario.shared_user, *shared_users])


@cache
def _read_table(file: str) -> Any:  # noqa: ANN401 - TOML, which a test reads whole
    return tomllib.loads((resources.files(__package__) / file).read_text(encoding="utf-8"))


def build_phone(scenario: schema.ScenarioFile, name: str) -> virtual.VirtualPhone:
    """Build the phone of `scenario`; the same one in every run."""
    device = scenario.phone
    builder = _PhoneBuilder(scenario)
    defaults = {"ro.build.version.sdk": str(device.sdk), "persist.sys.timezone": device.zone}
    return virtual.VirtualPhone(
        name=name,
        sdk=device.sdk,
        vendor=device.vendor,
        properties={**defaults, **device.properties},
        time_zone=timezone(timedelta(minutes=device.zone_offset_minutes), device.zone_abbreviation),
        clock_offset=timedelta(seconds=device.clock_ahead_s),
        users=tuple(
            virtual.AndroidUser(
                id=user.id, name=user.name, flags=int(user.flags, 16), running=user.running, denied_to_shell=user.closed
            )
            for user in scenario.user
        ),
        apps=tuple(builder.build_apps()),
        shared_users=tuple(map(builder.build_shared_user, scenario.shared_user)),
        settings=scenario.settings,
        roles={
            user: {f"android.app.role.{role}": tuple(holders) for role, holders in roles.items()}
            for user, roles in scenario.roles.items()
        },
        device_admins={user: tuple(components) for user, components in scenario.admins.items()},
    )


class _PhoneBuilder:
    def __init__(self, scenario: schema.ScenarioFile) -> None:
        self.factory_time = scenario.phone.factory_time
        self.sdk = scenario.phone.sdk
        self.release = scenario.phone.properties.get("ro.build.version.release", str(self.sdk))
        self.app_rows = (*scenario.app, *_build_filler_rows(scenario.ordinary, self.sdk))
        self.user_ids = sorted(user.id for user in scenario.user)
        self.shared_user_rows = {user.name: user for user in scenario.shared_user}
        # Android stores UTC: a dump prints "never" as the epoch in the phone's zone.
        self.local_epoch = _EPOCH + timedelta(minutes=scenario.phone.zone_offset_minutes)

    def build_apps(self) -> Iterable[virtual.VirtualApp]:
        next_id = {True: _FIRST_SYSTEM_ID, False: _FIRST_APP_ID}
        for row in self.app_rows:
            if row.shared_user is not None:
                yield self._build_app(row, self.shared_user_rows[row.shared_user].app_id)
            else:
                yield self._build_app(row, next_id[row.system])
                next_id[row.system] += 1

    def _build_app(self, row: schema.AppRow, app_id: int) -> virtual.VirtualApp:
        version = row.version or self.release
        first = row.first_installed or self.factory_time
        on_image = row.system and row.factory is None
        flags = (*(("SYSTEM",) if row.system else ()), "HAS_CODE", "ALLOW_CLEAR_USER_DATA", "ALLOW_BACKUP")
        own_permissions = () if row.shared_user else self._install_permissions(row.requests, row)
        app = virtual.VirtualApp(
            package=row.package,
            labels=row.label,
            app_id=app_id,
            shared_user=row.shared_user,
            code_path=row.path if on_image and row.path is not None else self._install_path(row.package, version),
            abi=None if on_image else "arm64-v8a",
            version_code=row.version_code or self.sdk,
            version_name=version,
            min_sdk=row.min_sdk,
            target_sdk=row.target_sdk or self.sdk,
            splits=tuple(row.splits),
            flags=flags,
            private_flags=tuple(row.private_flags),
            queries=tuple(row.queries),
            updated=self.factory_time if on_image else row.updated or first,
            installer=row.installer,
            initiating=row.initiating or row.installer,
            originating=row.originating,
            package_source=row.source,
            declared_permissions=row.declares,
            requested_permissions=tuple(row.requests),
            install_permissions=own_permissions,
            installs={user: self._build_install(row, user, first) for user in self.user_ids},
        )
        if row.factory is None:
            return app
        factory = replace(
            app,
            code_path=row.factory.path,
            abi=None,
            version_code=row.factory.version_code,
            version_name=row.factory.version,
            target_sdk=row.factory.target_sdk,
            splits=(),
            updated=self.factory_time,
            installer=None,
            initiating=None,
            package_source=0,
        )
        return replace(app, flags=(*flags[:-1], "UPDATED_SYSTEM_APP", flags[-1]), factory=factory)

    def _build_install(self, row: schema.AppRow, user: int, first: datetime) -> virtual.VirtualInstall:
        # By default a preinstalled app is there for every user, and an installed one for the owner.
        default = schema.InstallRow(id=user, installed=row.system or (user == 0 and not row.user))
        install = next((install for install in row.user if install.id == user), default)
        requested = () if row.shared_user else row.requests
        grants = self._build_grants(requested, install, row)
        uid_grants = grants if row.shared_user is None else self._shared_grants(self.shared_user_rows[row.shared_user])
        has_overlays = install.installed and user == 0 and self.sdk >= Since.GESTURE_NAVIGATION
        overlays = _GESTURE_OVERLAY_PATHS if has_overlays else ()
        return virtual.VirtualInstall(
            user=user,
            installed=install.installed,
            stopped=not install.installed and not row.system,
            not_launched=not install.installed and not row.system,
            enabled=get_args(schema.EnabledWord).index(install.enabled),
            install_reason=4 if install.installed and not row.system else 0,
            uninstall_reason=1 if row.system and not install.installed else 0,
            first_installed=install.first_installed or (first if user == 0 else self.local_epoch),
            ce_inode=_inode(row.package, user) if install.installed else 0,
            overlays=overlays,
            legacy_overlays=overlays,
            last_disabled_caller="com.android.settings" if install.enabled == "disabled by the user" else None,
            gids=_gids(requested),
            grants=() if self._is_granted_at_install(row) else grants,
            uid_modes={**(self._uid_modes(uid_grants, row) if install.installed else {}), **install.uid_modes},
            ops=_build_ops(install.ops),
            process_state=install.state,
        )

    def build_shared_user(self, row: schema.SharedUserRow) -> virtual.SharedUser:
        requested = self._shared_requests(row)
        return virtual.SharedUser(
            name=row.name,
            app_id=row.app_id,
            install_permissions=self._install_permissions(requested, _SHARED_UID),
            grants=dict.fromkeys(self.user_ids, self._shared_grants(row)),
            gids=_gids(requested),
        )

    def _shared_requests(self, row: schema.SharedUserRow) -> Sequence[str]:
        return tuple(
            dict.fromkeys(name for app in self.app_rows if app.shared_user == row.name for name in app.requests)
        )

    def _shared_grants(self, row: schema.SharedUserRow) -> tuple[virtual.VirtualGrant, ...]:
        return self._build_grants(self._shared_requests(row), schema.InstallRow(id=0, grants=row.grants), _SHARED_UID)

    def _is_legacy(self, row: schema.AppRow) -> bool:
        """Whether it is for Android 5 or older: all its permissions are granted, and a denial is an app-op."""
        return (row.target_sdk or self.sdk) < Since.RUNTIME_PERMISSIONS

    def _is_granted_at_install(self, row: schema.AppRow) -> bool:
        """Whether its permissions are granted for good when it is installed: those of a legacy app up to Android 9."""
        return self._is_legacy(row) and self.sdk < Since.POLICY_SYNC

    def _build_grants(
        self, requested: Iterable[str], install: schema.InstallRow, row: schema.AppRow
    ) -> tuple[virtual.VirtualGrant, ...]:
        """Build the states of the runtime permissions among `requested`."""
        known = (name for name in requested if release.is_known_permission(name, self.sdk))
        return tuple(self._build_grant(name, install, row) for name in known if name in release.RUNTIME_PERMISSION_OPS)

    def _build_grant(self, name: str, install: schema.InstallRow, row: schema.AppRow) -> virtual.VirtualGrant:
        word = install.grants.get(name)
        granted, flag_names = schema.GRANT_WORDS[word or "not asked"]
        restricted = name in release.HARD_RESTRICTED or name in release.SOFT_RESTRICTED
        if word == "role" and self.sdk < Since.POLICY_SYNC:
            flag_names = ("GRANTED_BY_DEFAULT",)
        if self._is_legacy(row) and not granted:
            not_asked = word in {None, "not asked"}
            granted, flag_names = True, ("REVIEW_REQUIRED",) if not_asked else ("USER_SET", "REVOKED_COMPAT")
        if name in install.flags:
            flags = _flag_bits(install.flags[name])
        elif not install.installed and word is None:
            # Never installed for this user, so not exempted (seen on a real Android 14 with five users).
            flags = _flag_bits(("APPLY_RESTRICTION",)) if restricted else 0
        else:
            # Settings shows the permissions of an installed app; Android marks that with two flags.
            is_shown = install.installed and row is not _SHARED_UID
            flags = _flag_bits(flag_names) | (_USER_SENSITIVE_FLAGS if is_shown else 0)
            if restricted:
                # The system, not an installer, exempts a preinstalled app.
                exempt = ("RESTRICTION_SYSTEM_EXEMPT", "RESTRICTION_UPGRADE_EXEMPT")
                flags |= _flag_bits(exempt if row.system else ("RESTRICTION_INSTALLER_EXEMPT",))
        if self.sdk < Since.POLICY_SYNC:
            flags &= ~release.FLAG_BITS["REVIEW_REQUIRED"]  # Vendors could switch it on; Android itself did so in 10.
        return virtual.VirtualGrant(name=name, granted=granted, flags=flags & release.known_flag_bits(self.sdk))

    def _uid_modes(self, grants: Sequence[virtual.VirtualGrant], row: schema.AppRow) -> Mapping[str, str]:
        """Derive the app-op modes that Android keeps in step with permissions (``PermissionPolicyService``).

        The mode of a granted permission is the default and is not stored. Location without the background permission is
        stored as ``foreground``, everything denied as ``ignore``. Before Android 10 only what a legacy app was denied.
        """
        if self.sdk < Since.POLICY_SYNC:
            denied = (grant for grant in grants if self._is_legacy(row) and grant.flags & _COMPAT_DENIED_FLAGS)
            return {op: "ignore" for grant in denied if (op := release.RUNTIME_PERMISSION_OPS[grant.name]) is not None}
        background = any(grant.granted and grant.name.endswith(".ACCESS_BACKGROUND_LOCATION") for grant in grants)
        modes = {}
        for grant in grants:
            op = release.RUNTIME_PERMISSION_OPS[grant.name]
            if op is None:
                continue
            if not grant.granted or grant.flags & _COMPAT_DENIED_FLAGS:
                modes[op] = "ignore"
            elif op in {"COARSE_LOCATION", "FINE_LOCATION"} and not background:
                modes[op] = "foreground"
            if op == "READ_EXTERNAL_STORAGE" and (row.target_sdk or self.sdk) >= Since.SCOPED_STORAGE:
                modes["LEGACY_STORAGE"] = "ignore"
        return modes

    def _install_permissions(
        self, requested: Iterable[str], row: schema.AppRow
    ) -> tuple[virtual.InstallPermission, ...]:
        """Return the permissions decided at installation: known ones that are not granted at run time."""
        known = (name for name in requested if release.is_known_permission(name, self.sdk))
        return tuple(
            virtual.InstallPermission(name=name, granted=name not in release.APP_OP_PERMISSIONS)
            for name in known
            if name not in release.RUNTIME_PERMISSION_OPS or self._is_granted_at_install(row)
        )

    def _install_path(self, package: str, version: str) -> str:
        """Return the folder of an installed app: numbered up to Android 7, random since 8, nested since 11."""
        if self.sdk < Since.RANDOM_PATHS:
            return f"/data/app/{package}-1"
        parent = f"/data/app/~~{_path_token(package)}" if self.sdk >= Since.NESTED_PATHS else "/data/app"
        return f"{parent}/{package}-{_path_token(package, version)}"


def _build_filler_rows(row: schema.FillerAppsRow | None, sdk: int) -> tuple[schema.AppRow, ...]:
    """Return the first `row.count` filler apps; `row.seed` decides when each was installed and what was allowed."""
    if row is None:
        return ()
    apps = list(_read_table("filler_apps.toml")["apps"].items())[: row.count]
    return tuple(_build_filler_row(word, label, kind, row, sdk) for word, (label, kind) in apps)


def _build_filler_row(word: str, label: str, kind: str, row: schema.FillerAppsRow, sdk: int) -> schema.AppRow:
    b = blake2s(f"{row.seed}:{word}".encode()).digest()
    permissions = _read_table("filler_apps.toml")["permissions"][kind]
    first = _FILLER_FIRST_INSTALL + timedelta(days=(b[0] * 256 + b[1]) % _FILLER_SPAN_DAYS)
    grants: dict[str, schema.GrantWord] = {}
    for number, name in enumerate(("POST_NOTIFICATIONS", *permissions)):
        if not release.is_known_permission(release.full_permission_name(name), sdk):
            continue
        die = b[2 + number] % 6
        if die < _ALLOWED_OF_SIX.get(kind, 3):
            grants[name] = "allowed"
        elif die < _DENIED_BELOW:
            grants[name] = "denied"
    ages = dict.fromkeys(("COARSE_LOCATION", "CAMERA"), timedelta(days=b[8] % 20, hours=b[9] % 24, milliseconds=417))
    ages["READ_CONTACTS"] = timedelta(days=b[10] % 30, minutes=b[11], seconds=7)
    allowed = {name.removeprefix("ACCESS_") for name, grant in grants.items() if grant == "allowed"}
    ops = [schema.OpRow(op=op, access=age) for op, age in ages.items() if op in allowed]
    ops.append(schema.OpRow(op="WAKE_LOCK", access=timedelta(hours=b[12] % 48, seconds=b[13]), state="bg"))
    return schema.AppRow(
        package=f"com.example.{word}",
        label={"zh-CN": label, "en": word.capitalize()},
        version=f"{b[14] % 9 + 1}.{b[15] % 20}.{b[16] % 10}",
        version_code=1000 + b[17],
        target_sdk=31 + b[18] % 4,
        splits=["config.arm64_v8a", "config.xxhdpi", "config.zh"] if b[19] % 2 else [],
        first_installed=first,
        updated=first + timedelta(days=b[20] % 60, seconds=b[21]),
        installer=row.installer,
        source=2,
        requests=[*_FILLER_PERMISSIONS, *permissions],
        user=[schema.InstallRow(id=0, grants=grants, ops=ops)],
    )


def _build_ops(rows: Iterable[schema.OpRow]) -> tuple[virtual.VirtualOp, ...]:
    """Join the rows of each app-op. The last row decides its mode."""
    ops: dict[str, virtual.VirtualOp] = {}
    for row in rows:
        events = ops.get(row.op, virtual.VirtualOp(name=row.op)).events
        for age, rejected in ((row.access, False), (row.reject, True)):
            if age is not None:
                running = row.running and not rejected
                event = virtual.VirtualOpEvent(
                    age=age, rejected=rejected, state=row.state, duration=row.duration, running=running, tag=row.tag
                )
                events = (*events, event)
        ops[row.op] = virtual.VirtualOp(name=row.op, mode=row.mode, events=events)
    return tuple(ops.values())


def _gids(requested: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted(release.PERMISSION_GIDS[name] for name in requested if name in release.PERMISSION_GIDS))


def _flag_bits(names: Iterable[str]) -> int:
    return sum({release.FLAG_BITS[name] for name in names})


def _path_token(*words: str) -> str:
    return urlsafe_b64encode(blake2s("\0".join(words).encode(), digest_size=16).digest()).decode()


def _inode(package: str, user: int) -> int:
    return int.from_bytes(blake2s(f"{package}\0{user}".encode(), digest_size=4).digest(), "big") % 900_000 + 1_000
