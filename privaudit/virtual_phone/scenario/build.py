"""From a story's words to the state that Android would hold: everything that follows from what the story says."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from hashlib import blake2s
from typing import Final

from privaudit.virtual_phone.dump_writers.android import RUNTIME_PERMISSION_OPS, full_permission_name
from privaudit.virtual_phone.scenario import derive, ordinary, schema
from privaudit.virtual_phone.scenario.virtual import (
    AndroidUser,
    SharedUser,
    VirtualApp,
    VirtualGrant,
    VirtualInstall,
    VirtualPhone,
)

_FIRST_SYSTEM_ID: Final = 10_030
_FIRST_APP_ID: Final = 10_120
_EPOCH: Final = datetime.fromisoformat("1970-01-01")
_RANDOM_PATHS_SDK: Final = 26
_GESTURE_NAVIGATION_SDK: Final = 29
_NESTED_PATHS_SDK: Final = 30
_GESTURE_OVERLAY_PATHS: Final = ("/product/overlay/NavigationBarModeGestural/NavigationBarModeGesturalOverlay.apk",)


def build_phone(scenario: schema.ScenarioFile, name: str) -> VirtualPhone:
    """The phone that `scenario` tells of. Deterministic: the same story gives the same phone, in every run.

    Args:
        scenario: checked by `privaudit.virtual_phone.scenario.reader`.
        name: of the story.
    """
    device = scenario.phone
    builder = _AppBuilder(scenario)
    return VirtualPhone(
        name=name,
        sdk=device.sdk,
        vendor=device.vendor,
        properties={
            "ro.build.version.sdk": str(device.sdk),
            "persist.sys.timezone": device.zone,
            **device.properties,
        },
        time_zone=timezone(timedelta(minutes=device.zone_offset_minutes), device.zone_abbreviation),
        clock_offset=timedelta(seconds=device.clock_ahead_s),
        users=tuple(
            AndroidUser(
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


class _AppBuilder:
    """What is the same for all apps of one story."""

    def __init__(self, scenario: schema.ScenarioFile) -> None:
        self.factory_time = scenario.phone.factory_time
        self.sdk = scenario.phone.sdk
        self.release = scenario.phone.properties.get("ro.build.version.release", str(self.sdk))
        self.app_rows = (*scenario.app, *ordinary.filler_apps(scenario.ordinary, scenario.phone.sdk))
        self.user_ids = sorted(user.id for user in scenario.user)
        self.shared_user_rows = {user.name: user for user in scenario.shared_user}
        # Android keeps UTC: what a dump prints for "never" depends on the phone's zone.
        self.local_epoch = _EPOCH + timedelta(minutes=scenario.phone.zone_offset_minutes)

    def build_apps(self) -> Iterable[VirtualApp]:
        next_id = {True: _FIRST_SYSTEM_ID, False: _FIRST_APP_ID}
        for row in self.app_rows:
            if row.shared_user is not None:
                yield self.build_app(row, self.shared_user_rows[row.shared_user].app_id)
            else:
                yield self.build_app(row, next_id[row.system])
                next_id[row.system] += 1

    def build_app(self, row: schema.AppRow, app_id: int) -> VirtualApp:
        requested = tuple(map(full_permission_name, row.requests))
        version, code = row.version or self.release, row.version_code or self.sdk
        first = row.first_installed or self.factory_time
        on_image = row.system and row.factory is None
        flags = (*(("SYSTEM",) if row.system else ()), "HAS_CODE", "ALLOW_CLEAR_USER_DATA", "ALLOW_BACKUP")
        app = VirtualApp(
            package=row.package,
            labels=row.label,
            app_id=app_id,
            shared_user=row.shared_user,
            code_path=row.path if on_image and row.path is not None else self.install_path(row.package, version),
            abi=None if on_image else "arm64-v8a",
            version_code=code,
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
            declared_permissions={full_permission_name(name): protection for name, protection in row.declares.items()},
            requested_permissions=requested,
            install_permissions=()
            if row.shared_user
            else derive.derive_install_permissions(requested, self.permission_context(row)),
            installs={user: self.build_install(row, user, first) for user in self.user_ids},
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
        updated_flags = (*flags[:-1], "UPDATED_SYSTEM_APP", flags[-1])
        return replace(app, flags=updated_flags, factory=factory)

    def build_install(self, row: schema.AppRow, user: int, first: datetime) -> VirtualInstall:
        said = next((install for install in row.user if install.id == user), None)
        # What came with the phone is there for every user; what was installed, for the owner unless the story says.
        said = said or schema.InstallRow(id=user, installed=row.system or (user == 0 and not row.user))
        own = () if row.shared_user else tuple(map(full_permission_name, row.requests))
        asking = self.permission_context(row, visible_in_settings=said.installed)
        grants = tuple(derive.derive_grant(name, said, asking) for name in own if self.is_runtime_permission(name))
        held = grants if row.shared_user is None else self.shared_grants(self.shared_user_rows[row.shared_user])
        overlays = (
            _GESTURE_OVERLAY_PATHS if said.installed and user == 0 and self.sdk >= _GESTURE_NAVIGATION_SDK else ()
        )
        return VirtualInstall(
            user=user,
            installed=said.installed,
            stopped=not said.installed and not row.system,
            not_launched=not said.installed and not row.system,
            enabled=schema.ENABLED_WORDS.index(said.enabled),
            install_reason=4 if said.installed and not row.system else 0,
            uninstall_reason=1 if row.system and not said.installed else 0,
            first_installed=said.first_installed or (first if user == 0 else self.local_epoch),
            ce_inode=_stable_number(row.package, user) % 900_000 + 1_000 if said.installed else 0,
            overlays=overlays,
            legacy_overlays=overlays,
            last_disabled_caller="com.android.settings" if said.enabled == "disabled by the user" else None,
            gids=derive.derive_gids(own),
            grants=() if asking.granted_at_install else grants,
            uid_modes={**(derive.derive_uid_modes(held, asking) if said.installed else {}), **said.uid_modes},
            ops=derive.derive_ops(said.ops),
            process_state=said.state,
        )

    def build_shared_user(self, row: schema.SharedUserRow) -> SharedUser:
        requested = self.shared_requests(row)
        return SharedUser(
            name=row.name,
            app_id=row.app_id,
            install_permissions=derive.derive_install_permissions(requested, self.permission_context()),
            grants=dict.fromkeys(self.user_ids, self.shared_grants(row)),
            gids=derive.derive_gids(requested),
        )

    def shared_requests(self, row: schema.SharedUserRow) -> Sequence[str]:
        names = (
            full_permission_name(name) for app in self.app_rows if app.shared_user == row.name for name in app.requests
        )
        return tuple(dict.fromkeys(names))

    def shared_grants(self, row: schema.SharedUserRow) -> tuple[VirtualGrant, ...]:
        said = schema.InstallRow(id=0, grants=row.grants)
        names = (name for name in self.shared_requests(row) if self.is_runtime_permission(name))
        return tuple(derive.derive_grant(name, said, self.permission_context()) for name in names)

    def permission_context(
        self, row: schema.AppRow | None = None, *, visible_in_settings: bool = False
    ) -> derive.PermissionContext:
        """Who asks; without `row`: what came with the phone."""
        target = self.sdk if row is None else row.target_sdk or self.sdk
        system = row is None or row.system
        return derive.PermissionContext(
            sdk=self.sdk, target_sdk=target, is_system=system, visible_in_settings=visible_in_settings
        )

    def is_runtime_permission(self, name: str) -> bool:
        """Whether this Android knows `name` as a permission that an owner grants."""
        return name in RUNTIME_PERMISSION_OPS and derive.is_known_permission(name, self.sdk)

    def install_path(self, package: str, version: str) -> str:
        """Where an installed app lies: numbered at first, behind something random since Android 8, twice since 11."""
        if self.sdk < _RANDOM_PATHS_SDK:
            return f"/data/app/{package}-1"
        behind = f"{package}-{_path_token(package, version)}"
        return (
            f"/data/app/~~{_path_token(package)}/{behind}" if self.sdk >= _NESTED_PATHS_SDK else f"/data/app/{behind}"
        )


def _path_token(*words: str) -> str:
    return urlsafe_b64encode(blake2s("\0".join(words).encode(), digest_size=16).digest()).decode()


def _stable_number(*words: object) -> int:
    """A number that is the same in every run."""
    return int.from_bytes(blake2s("\0".join(map(str, words)).encode(), digest_size=4).digest(), "big")
