"""The model of a virtual phone. Times are naive, in the phone's zone; ages count back from the time of the command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal, TypeAlias

from privaudit.virtual_phone.release import ReleaseLayout, Vendor, layout_of

Namespace: TypeAlias = Literal["secure", "global", "system"]

PER_USER_RANGE = 100_000
"""``UserHandle.PER_USER_RANGE``: uid = user x this + app id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualGrant:
    """The stored state of one runtime permission for one user."""

    name: str
    granted: bool
    flags: int = 0
    """``PackageManager.FLAG_PERMISSION_*`` bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallPermission(VirtualGrant):
    """The stored state of one permission that is decided at installation."""

    granted: bool = True
    user: int | None = None
    """A secondary user whose state differs from user 0; ``None``: all users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualOpEvent:
    """The last access or the last rejection in one process state."""

    age: timedelta
    rejected: bool = False
    state: str = "top"
    """Process state: pers, top, fgsvcl, fgsvc, fg, bg, cch."""
    flags: str = "s"
    """``s`` itself, ``tp``/``up`` for another app, ``tpd``/``upd`` through another app."""
    duration: timedelta | None = None
    proxy: str | None = None
    """Text of ``proxy[…]``."""
    running: bool = False
    tag: str | None = None
    """Attribution tag; ``None`` prints as ``null``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualOp:
    """One app-op of one package."""

    name: str
    mode: str = "allow"
    """Mode of the package. A uid mode takes precedence."""
    events: tuple[VirtualOpEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualInstall:
    """One app for one Android user."""

    user: int
    installed: bool = True
    suspended: bool = False
    stopped: bool = False
    not_launched: bool = False
    enabled: int = 0
    """0 default, 1 enabled, 2 disabled, 3 disabled by the user, 4 disabled until used."""
    install_reason: int = 0
    """0 unknown, 4 requested by the user."""
    uninstall_reason: int = 0
    first_installed: datetime
    ce_inode: int = 0
    de_inode: int = 0
    overlays: tuple[str, ...] = ()
    legacy_overlays: tuple[str, ...] = ()
    last_disabled_caller: str | None = None
    gids: tuple[int, ...] = ()
    grants: tuple[VirtualGrant, ...] = ()
    """Empty for an app with a shared uid: `SharedUser` holds them."""
    uid_modes: Mapping[str, str] = field(default_factory=dict)
    ops: tuple[VirtualOp, ...] = ()
    process_state: str = "cch"
    disabled_components: tuple[str, ...] = ()
    enabled_components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualApp:
    """One package, or the factory copy of one."""

    package: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """Launcher name by BCP 47 tag. Dumps do not contain it; the APK does."""
    app_id: int
    shared_user: str | None = None
    code_path: str
    """Directory of the APK files, or the file itself."""
    abi: str | None = "arm64-v8a"
    extract_native_libs: bool = False
    version_code: int
    version_name: str
    min_sdk: int = 24
    target_sdk: int = 34
    splits: tuple[str, ...] = ()
    """Without ``base``."""
    flags: tuple[str, ...] = ()
    """``ApplicationInfo.FLAG_*`` as dumps name them."""
    private_flags: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    updated: datetime
    installer: str | None = None
    initiating: str | None = None
    originating: str | None = None
    package_source: int = 0
    """0 unspecified, 1 other, 2 store, 3 local file, 4 downloaded file."""
    declared_permissions: Mapping[str, str] = field(default_factory=dict)
    """Permission defined by this package → protection level."""
    requested_permissions: tuple[str, ...] = ()
    """In the manifest's order."""
    install_permissions: tuple[InstallPermission, ...] = ()
    installs: Mapping[int, VirtualInstall] = field(default_factory=dict)
    """By Android user, for every user of the phone."""
    factory: VirtualApp | None = None
    """The older copy on the system image, if an update hides it."""

    @property
    def is_system(self) -> bool:
        """Whether it is preinstalled (``ApplicationInfo.FLAG_SYSTEM``)."""
        return "SYSTEM" in self.flags

    @property
    def apk_path(self) -> str:
        """Path of the base APK (``ApplicationInfo.sourceDir``)."""
        if self.code_path.endswith(".apk"):
            return self.code_path
        if self.code_path.startswith("/data/"):
            return f"{self.code_path}/base.apk"
        return f"{self.code_path}/{self.code_path.rsplit('/', 1)[-1]}.apk"

    @property
    def apk_paths(self) -> tuple[str, ...]:
        """Paths of all its APKs, base first."""
        return (self.apk_path, *(f"{self.code_path}/split_{split}.apk" for split in self.splits))

    @property
    def signer_name(self) -> str:
        """Stand-in for the signing certificate: the platform's, or one of this package alone."""
        return "platform" if self.is_system else self.package

    def uid(self, user: int) -> int:
        """Return its uid for `user`."""
        return user * PER_USER_RANGE + self.app_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedUser:
    """Packages of one signer that run under one uid and share its permissions."""

    name: str
    app_id: int
    install_permissions: tuple[InstallPermission, ...] = ()
    grants: Mapping[int, tuple[VirtualGrant, ...]] = field(default_factory=dict)
    gids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AndroidUser:
    """One Android user."""

    id: int
    name: str
    flags: int
    """``UserInfo.FLAG_*`` bits."""
    running: bool = True
    denied_to_shell: bool = False
    """The shell is refused when it names this user (Samsung's Secure Folder)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualPhone:
    """A phone and everything on it."""

    name: str
    sdk: int
    vendor: Vendor = "aosp"
    properties: Mapping[str, str]
    """As ``getprop`` prints them."""
    time_zone: timezone
    """The phone's zone at a fixed offset, so that no time zone database is needed."""
    clock_offset: timedelta = timedelta()
    """The phone's clock minus the computer's."""
    users: tuple[AndroidUser, ...]
    apps: tuple[VirtualApp, ...]
    shared_users: tuple[SharedUser, ...] = ()
    settings: Mapping[int, Mapping[Namespace, Mapping[str, str]]] = field(default_factory=dict)
    """Android user → namespace (secure, system, global) → key → value."""
    roles: Mapping[int, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Android user → role → holders."""
    device_admins: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Android user → components of active device administrators."""

    @property
    def layout(self) -> ReleaseLayout:
        """The dump layout of its Android."""
        return layout_of(self.sdk, self.vendor)

    @property
    def user_ids(self) -> tuple[int, ...]:
        """All Android users, ascending."""
        return tuple(sorted(user.id for user in self.users))

    def device_time(self, now: datetime) -> datetime:
        """Return the time on the phone's clock at `now` of the computer's (aware), in whole milliseconds."""
        time = now.astimezone(UTC) + self.clock_offset
        return time.replace(microsecond=time.microsecond // 1000 * 1000).astimezone(self.time_zone)

    def find_app(self, package: str) -> VirtualApp | None:
        """Return the app of `package`, for whichever users it is installed."""
        return next((app for app in self.apps if app.package == package), None)

    def find_installed_app(self, package: str, user: int) -> VirtualApp | None:
        """Return the app of `package` if it is installed for `user`."""
        app = self.find_app(package)
        return app if app is not None and user in app.installs and app.installs[user].installed else None

    def find_shared_user(self, name: str) -> SharedUser:
        """Return the shared user `name`."""
        return next(shared for shared in self.shared_users if shared.name == name)

    def install_permissions(self, app: VirtualApp) -> tuple[InstallPermission, ...]:
        """Return what was decided at installation for `app`'s uid, from the app or its shared user."""
        holder = app if app.shared_user is None else self.find_shared_user(app.shared_user)
        return holder.install_permissions

    def runtime_grants(self, app: VirtualApp, user: int) -> tuple[VirtualGrant, ...]:
        """Return the runtime permissions of `app`'s uid, from the app or its shared user."""
        if app.shared_user is not None:
            return self.find_shared_user(app.shared_user).grants.get(user, ())
        install = app.installs.get(user)
        return () if install is None else install.grants
