"""From a story's words to the state that Android would hold: everything that follows from what the story says."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from hashlib import blake2s
from typing import Final

from privaudit.virtual_phone.dump_writers.android import RUNTIME_OPS, full_name
from privaudit.virtual_phone.scenario import derive, ordinary, schema
from privaudit.virtual_phone.scenario.virtual import AndroidUser, App, Grant, Install, SharedUser, VirtualPhone

_FIRST_SYSTEM_ID: Final = 10_030
_FIRST_APP_ID: Final = 10_120
_EPOCH: Final = datetime.fromisoformat("1970-01-01")
_RANDOM_PATHS_SINCE: Final = 26
_GESTURES_SINCE: Final = 29
_NESTED_PATHS_SINCE: Final = 30
_NAVIGATION: Final = ("/product/overlay/NavigationBarModeGestural/NavigationBarModeGesturalOverlay.apk",)


def phone(row: schema.StoryRow, name: str) -> VirtualPhone:
    """The phone that `row` tells of. Deterministic: the same story gives the same phone, in every run.

    Args:
        row: checked by `privaudit.virtual_phone.scenario.reader`.
        name: of the story.
    """
    device = row.phone
    builder = _Builder(row)
    return VirtualPhone(
        name=name,
        sdk=device.sdk,
        vendor=device.vendor,
        properties={
            "ro.build.version.sdk": str(device.sdk),
            "persist.sys.timezone": device.zone,
            **device.properties,
        },
        zone=timezone(timedelta(minutes=device.zone_offset_minutes), device.zone_abbreviation),
        clock_ahead=timedelta(seconds=device.clock_ahead_s),
        users=tuple(
            AndroidUser(id=user.id, name=user.name, flags=int(user.flags, 16), running=user.running, closed=user.closed)
            for user in row.user
        ),
        apps=tuple(builder.apps()),
        shared_users=tuple(map(builder.shared_user, row.shared_user)),
        settings=row.settings,
        roles={
            user: {f"android.app.role.{role}": tuple(holders) for role, holders in roles.items()}
            for user, roles in row.roles.items()
        },
        admins={user: tuple(components) for user, components in row.admins.items()},
    )


class _Builder:
    """What is the same for all apps of one story."""

    def __init__(self, row: schema.StoryRow) -> None:
        self.made = row.phone.factory_time
        self.sdk = row.phone.sdk
        self.release = row.phone.properties.get("ro.build.version.release", str(self.sdk))
        self.rows = (*row.app, *ordinary.apps(row.ordinary, row.phone.sdk))
        self.users = sorted(user.id for user in row.user)
        self.shared = {user.name: user for user in row.shared_user}
        # Android keeps UTC: what a dump prints for "never" depends on the phone's zone.
        self.never = _EPOCH + timedelta(minutes=row.phone.zone_offset_minutes)

    def apps(self) -> Iterable[App]:
        next_id = {True: _FIRST_SYSTEM_ID, False: _FIRST_APP_ID}
        for row in self.rows:
            if row.shared_user is not None:
                yield self.app(row, self.shared[row.shared_user].app_id)
            else:
                yield self.app(row, next_id[row.system])
                next_id[row.system] += 1

    def app(self, row: schema.AppRow, app_id: int) -> App:
        requested = tuple(map(full_name, row.requests))
        version, code = row.version or self.release, row.version_code or self.sdk
        first = row.first_installed or self.made
        on_image = row.system and row.factory is None
        flags = (*(("SYSTEM",) if row.system else ()), "HAS_CODE", "ALLOW_CLEAR_USER_DATA", "ALLOW_BACKUP")
        app = App(
            package=row.package,
            labels=row.label,
            app_id=app_id,
            shared_user=row.shared_user,
            code_path=row.path if on_image and row.path is not None else self.data_path(row.package, version),
            abi=None if on_image else "arm64-v8a",
            version_code=code,
            version_name=version,
            min_sdk=row.min_sdk,
            target_sdk=row.target_sdk or self.sdk,
            splits=tuple(row.splits),
            flags=flags,
            private_flags=tuple(row.private_flags),
            queries=tuple(row.queries),
            updated=self.made if on_image else row.updated or first,
            installer=row.installer,
            initiating=row.initiating or row.installer,
            originating=row.originating,
            package_source=row.source,
            declared={full_name(name): protection for name, protection in row.declares.items()},
            requested=requested,
            install_permissions=() if row.shared_user else derive.install_permissions(requested, self.asking(row)),
            installs={user: self.install(row, user, first) for user in self.users},
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
            updated=self.made,
            installer=None,
            initiating=None,
            package_source=0,
        )
        updated_flags = (*flags[:-1], "UPDATED_SYSTEM_APP", flags[-1])
        return replace(app, flags=updated_flags, factory=factory)

    def install(self, row: schema.AppRow, user: int, first: datetime) -> Install:
        said = next((install for install in row.user if install.id == user), None)
        # What came with the phone is there for every user; what was installed, for the owner unless the story says.
        said = said or schema.InstallRow(id=user, installed=row.system or (user == 0 and not row.user))
        own = () if row.shared_user else tuple(map(full_name, row.requests))
        asking = self.asking(row, shown=said.installed)
        grants = tuple(derive.grant(name, said, asking) for name in own if self.at_run_time(name))
        held = grants if row.shared_user is None else self.shared_grants(self.shared[row.shared_user])
        overlays = _NAVIGATION if said.installed and user == 0 and self.sdk >= _GESTURES_SINCE else ()
        return Install(
            user=user,
            installed=said.installed,
            stopped=not said.installed and not row.system,
            not_launched=not said.installed and not row.system,
            enabled=schema.ENABLED.index(said.enabled),
            install_reason=4 if said.installed and not row.system else 0,
            uninstall_reason=1 if row.system and not said.installed else 0,
            first_installed=said.first_installed or (first if user == 0 else self.never),
            ce_inode=_number(row.package, user) % 900_000 + 1_000 if said.installed else 0,
            overlays=overlays,
            legacy_overlays=overlays,
            last_disabled_caller="com.android.settings" if said.enabled == "disabled by the user" else None,
            gids=derive.gids(own),
            grants=() if asking.at_installation else grants,
            uid_modes={**(derive.uid_modes(held, asking) if said.installed else {}), **said.uid_modes},
            ops=derive.ops(said.ops),
            process_state=said.state,
        )

    def shared_user(self, row: schema.SharedUserRow) -> SharedUser:
        requested = self.shared_requests(row)
        return SharedUser(
            name=row.name,
            app_id=row.app_id,
            install_permissions=derive.install_permissions(requested, self.asking()),
            grants=dict.fromkeys(self.users, self.shared_grants(row)),
            gids=derive.gids(requested),
        )

    def shared_requests(self, row: schema.SharedUserRow) -> Sequence[str]:
        names = (full_name(name) for app in self.rows if app.shared_user == row.name for name in app.requests)
        return tuple(dict.fromkeys(names))

    def shared_grants(self, row: schema.SharedUserRow) -> tuple[Grant, ...]:
        said = schema.InstallRow(id=0, grants=row.grants)
        names = (name for name in self.shared_requests(row) if self.at_run_time(name))
        return tuple(derive.grant(name, said, self.asking()) for name in names)

    def asking(self, row: schema.AppRow | None = None, *, shown: bool = False) -> derive.Asking:
        """Who asks; without `row`: what came with the phone."""
        target = self.sdk if row is None else row.target_sdk or self.sdk
        system = row is None or row.system
        return derive.Asking(sdk=self.sdk, target_sdk=target, system=system, shown=shown)

    def at_run_time(self, name: str) -> bool:
        """Whether this Android knows `name` as a permission that an owner grants."""
        return name in RUNTIME_OPS and derive.known(name, self.sdk)

    def data_path(self, package: str, version: str) -> str:
        """Where an installed app lies: numbered at first, behind something random since Android 8, twice since 11."""
        if self.sdk < _RANDOM_PATHS_SINCE:
            return f"/data/app/{package}-1"
        behind = f"{package}-{_token(package, version)}"
        return f"/data/app/~~{_token(package)}/{behind}" if self.sdk >= _NESTED_PATHS_SINCE else f"/data/app/{behind}"


def _token(*words: str) -> str:
    return urlsafe_b64encode(blake2s("\0".join(words).encode(), digest_size=16).digest()).decode()


def _number(*words: object) -> int:
    """A number that is the same in every run."""
    return int.from_bytes(blake2s("\0".join(map(str, words)).encode(), digest_size=4).digest(), "big")
