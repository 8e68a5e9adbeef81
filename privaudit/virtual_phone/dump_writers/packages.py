"""``dumpsys package``: blocks of packages, users, shared users and permissions (``com.android.server.pm.Settings``)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Final

from privaudit.virtual_phone.dump_writers.text import JAVA_BOOL, fake_identity_hash, format_time
from privaudit.virtual_phone.release.android import HARD_RESTRICTED, SOFT_RESTRICTED, array_map_order
from privaudit.virtual_phone.release.layout import Since
from privaudit.virtual_phone.scenario.virtual import (
    InstallPermission,
    SharedUser,
    VirtualApp,
    VirtualGrant,
    VirtualInstall,
    VirtualPhone,
)

_SIGNING_VERSION: Final = 3
PermissionFilter = Container[str] | None
"""Permissions that a dump is limited to; ``None``: all."""


class PackageBlockWriter:
    """Writes blocks of one dump.

    `names`, of ``dumpsys package permission``, limits the permissions, and omits paths and ABIs. `detailed` blocks, of
    ``dumpsys package PKG``, have the requested permissions.
    """

    def __init__(self, phone: VirtualPhone, *, names: PermissionFilter = None, detailed: bool = False) -> None:
        self._phone = phone
        self._layout = phone.layout
        self._names = names
        self._detailed = detailed
        self._packages_detailed = detailed or (names is None and phone.layout.requested_in_full_dump)

    def _select(self, names: Iterable[str]) -> Iterable[str]:
        return (name for name in names if self._names is None or name in self._names)

    def package_lines(self, app: VirtualApp, *, hidden: bool = False) -> Iterator[str]:
        """Write the installed copy of an app, or its factory copy if `hidden`: below ``Hidden system packages:``."""
        layout = self._layout
        yield f"  Package [{app.package}] ({fake_identity_hash('setting', app.package, app.code_path)}):"
        yield f"    {layout.app_id_key}={app.app_id}"
        if app.shared_user is not None:
            setting = f"{_shared_user_hash(app.shared_user)} {app.shared_user}/{app.app_id}"
            yield f"    sharedUser=SharedUserSetting{{{setting}}}"
        yield f"    pkg=Package{{{_package_hash(app)} {app.package}}}"
        yield f"    codePath={app.code_path}"
        if self._names is None:
            yield from self._path_and_abi_lines(app)
        yield from self._manifest_lines(app, hidden=hidden)
        yield from self._install_source_lines(app)
        if app.declared_permissions:
            yield "    declared permissions:"
            declared = app.declared_permissions
            yield from (f"      {name}: prot={declared[name]}" for name in self._select(declared))
        shows_requested = self._packages_detailed or self._names is not None
        if app.requested_permissions and shows_requested:
            yield "    requested permissions:"
            restricted = HARD_RESTRICTED | SOFT_RESTRICTED if layout.restricted_suffix else ()
            requested = self._select(app.requested_permissions)
            yield from (f"      {name}{': restricted=true' if name in restricted else ''}" for name in requested)
        if app.shared_user is None:
            yield from self.install_permission_lines(app.install_permissions)
        elif shows_requested:
            shared = self._phone.find_shared_user(app.shared_user)
            yield from self.install_permission_lines(shared.install_permissions)
        for user in self._phone.user_ids:
            yield from self.user_lines(app, app.installs[user])

    def _path_and_abi_lines(self, app: VirtualApp) -> Iterator[str]:
        yield from (f"    resourcePath={app.code_path}", f"    legacyNativeLibraryDir={app.code_path}/lib")
        if self._layout.sdk >= Since.EXTENSION_VERSIONS:
            yield f"    extractNativeLibs={JAVA_BOOL[app.extract_native_libs]}"
        yield from (f"    primaryCpuAbi={app.abi or 'null'}", "    secondaryCpuAbi=null")
        if self._layout.sdk >= Since.EXTENSION_VERSIONS:
            yield "    cpuAbiOverride=null"

    def _manifest_lines(self, app: VirtualApp, *, hidden: bool) -> Iterator[str]:
        min_sdk = f" minSdk={app.min_sdk}" if self._layout.sdk >= Since.MIN_SDK else ""
        yield f"    versionCode={app.version_code}{min_sdk} targetSdk={app.target_sdk}"
        if self._layout.sdk >= Since.EXTENSION_VERSIONS:
            yield "    minExtensionVersions=[]"
        yield f"    versionName={app.version_name}"
        if self._layout.sdk >= Since.EXTENSION_VERSIONS:
            yield "    usesNonSdkApi=false"
        yield f"    splits=[{', '.join(('base', *app.splits))}]"
        if self._layout.sdk >= Since.MIN_SDK:
            yield f"    apkSigningVersion={_SIGNING_VERSION}"
        if self._layout.application_info:
            yield f"    applicationInfo={self._layout.application_info}{{{_package_hash(app)} {app.package}}}"
        yield f"    flags={_format_flag_list(app.flags)}"
        if private_flags := self._all_private_flags(app):
            yield f"    privateFlags={_format_flag_list(private_flags)}"
        if self._layout.sdk >= Since.PACKAGE_QUERIES:
            yield "    forceQueryable=false"
            if app.queries or self._layout.empty_queries:
                yield f"    queriesPackages=[{', '.join(app.queries)}]"
        without_data_dir = hidden and self._layout.sdk < Since.FACTORY_COPY_DATA_DIR
        yield f"    dataDir={'null' if without_data_dir else f'/data/user/0/{app.package}'}"
        yield "    supportsScreens=[small, medium, large, xlarge, resizeable, anyDensity]"

    def _install_source_lines(self, app: VirtualApp) -> Iterator[str]:
        layout = self._layout
        yield f"    timeStamp={format_time(app.updated)}"
        if layout.sdk < Since.FIRST_INSTALL_PER_USER:
            yield f"    firstInstallTime={format_time(app.installs[0].first_installed)}"
        yield f"    lastUpdateTime={format_time(app.updated)}"
        if layout.sdk >= Since.INSTALL_SOURCE:
            installer = self._phone.find_app(app.installer) if app.installer is not None else None
            yield f"    installerPackageName={app.installer or 'null'}"
            yield f"    installerPackageUid={installer.app_id if installer is not None else -1}"
            yield f"    initiatingPackageName={app.initiating or 'null'}"
            yield f"    originatingPackageName={app.originating or 'null'}"
        elif app.installer is not None:
            yield f"    installerPackageName={app.installer}"
        if layout.sdk >= Since.PACKAGE_SOURCE:
            yield f"    packageSource={app.package_source}"
        if layout.sdk >= Since.INSTALL_SOURCE:
            yield "    appMetadataFilePath=null"
        if layout.sdk >= Since.METADATA_SOURCE:
            yield "    appMetadataSource=0"
        signatures = f"    signatures=PackageSignatures{{{fake_identity_hash('signatures', app.package, app.code_path)}"
        signer = fake_identity_hash("signer", app.signer_name)
        if layout.sdk >= Since.SIGNATURE_VERSIONS:
            yield f"{signatures} version:{_SIGNING_VERSION}, signatures:[{signer}], past signatures:[]}}"
            yield "    installPermissionsFixed=true"
        else:
            yield f"{signatures} [{signer}]}}"
            yield "    installPermissionsFixed=true installStatus=1"
        yield f"    pkgFlags={_format_flag_list(app.flags)}"
        if layout.sdk >= Since.PRIVATE_PACKAGE_FLAGS:
            yield f"    privatePkgFlags={_format_flag_list(self._all_private_flags(app))}"
            yield "    apexModuleName=null"

    def user_lines(self, app: VirtualApp, install: VirtualInstall) -> Iterator[str]:
        """Write one package for one user. The grants of a shared uid stand with the shared user instead."""
        values = {
            "ceDataInode": str(install.ce_inode),
            "deDataInode": str(install.de_inode),
            "installed": JAVA_BOOL[install.installed],
            "suspended": JAVA_BOOL[install.suspended],
            "distractionFlags": "0",
            "stopped": JAVA_BOOL[install.stopped],
            "notLaunched": JAVA_BOOL[install.not_launched],
            "enabled": str(install.enabled),
        }
        words = (f"{key}={values.get(key, 'false')}" if key else "" for key in self._layout.user_line_keys)
        yield f"    User {install.user}: {' '.join(words)}"
        if self._layout.sdk >= Since.FIRST_INSTALL_PER_USER:
            yield f"      installReason={install.install_reason}"
            if self._layout.sdk >= Since.USER_DATA_DIR:
                yield f"      dataDir={f'/data/user/{install.user}/{app.package}' if install.installed else 'null'}"
            yield f"      firstInstallTime={format_time(install.first_installed)}"
            yield f"      uninstallReason={install.uninstall_reason}"
        yield from self._suspend_and_overlay_lines(install)
        if install.last_disabled_caller is not None:
            yield f"      lastDisabledCaller: {install.last_disabled_caller}"
        if app.shared_user is None:
            yield from self._uid_lines(install.gids, install.grants, detailed=self._packages_detailed)
        if self._names is None:
            for word, components in (("dis", install.disabled_components), ("en", install.enabled_components)):
                if components:
                    yield f"      {word}abledComponents:"
                    yield from (f"        {component}" for component in components)

    def _suspend_and_overlay_lines(self, install: VirtualInstall) -> Iterator[str]:
        """Write the suspending package and the overlays. Up to Android 11 both have the indent of the user's line."""
        if self._layout.overlays == "none":
            return
        indent = "    " if self._layout.overlays == "at_user" else "      "
        if install.suspended and self._layout.sdk >= Since.SUSPEND_PARAMS:
            yield f"{indent}Suspend params:"
            yield f"{indent}  suspendingPackage=com.android.settings dialogInfo=null"
        both = (("overlay paths", install.overlays), ("legacy overlay paths", install.legacy_overlays))
        for title, paths in both if self._layout.overlays == "in_user" else both[:1]:
            if paths:
                yield f"{indent}{title}:"
                yield from (f"{indent}  {path}" for path in paths)

    def shared_user_lines(self, shared: SharedUser) -> Iterator[str]:
        """Write one shared uid, with the grants of all its packages. ``User N: `` ends in a blank."""
        layout = self._layout
        yield f"  SharedUser [{shared.name}] ({_shared_user_hash(shared.name)}):"
        yield f"    {layout.app_id_key}={shared.app_id}"
        if layout.sdk >= Since.SHARED_PACKAGES:
            yield "    Packages"
            for package in array_map_order(app.package for app in self._phone.apps if app.shared_user == shared.name):
                yield f"      PackageSetting{{{fake_identity_hash('shared', package)} {package}/{shared.app_id}}}"
        yield from self.install_permission_lines(shared.install_permissions)
        for user in self._phone.user_ids:
            grants = shared.grants.get(user, ())
            if grants or shared.gids:
                yield f"    User {user}: "
                yield from self._uid_lines(shared.gids, grants, detailed=self._detailed)

    def install_permission_lines(self, permissions: Iterable[InstallPermission]) -> Iterator[str]:
        """``install permissions:``; with ``userId=`` for each secondary user whose state differs (Android 12+)."""
        rows: dict[str, list[InstallPermission]] = {}
        for row in permissions:
            if row.user is None or self._layout.sdk >= Since.INSTALL_PER_USER:
                rows.setdefault(row.name, []).append(row)
        rows = {name: rows[name] for name in self._select(rows)}
        if rows:
            yield "    install permissions:"
        for name in array_map_order(rows):
            for row in sorted(rows[name], key=lambda row: row.user or 0):
                yield f"      {self._format_state(row)}{f', userId={row.user}' if row.user is not None else ''}"

    def _uid_lines(self, gids: Sequence[int], grants: Sequence[VirtualGrant], *, detailed: bool) -> Iterator[str]:
        """Write groups and runtime permissions of one uid for one user. `detailed`: the title also without grants."""
        if gids:
            yield f"      gids=[{', '.join(map(str, gids))}]"
        if grants or detailed:
            yield "      runtime permissions:"
        states = {grant.name: grant for grant in grants}
        yield from (f"        {self._format_state(states[name])}" for name in array_map_order(self._select(states)))

    def _format_state(self, permission: VirtualGrant | InstallPermission) -> str:
        granted = JAVA_BOOL[permission.granted]
        return f"{permission.name}: granted={granted}{self._layout.format_flags(permission.flags)}"

    def _all_private_flags(self, app: VirtualApp) -> tuple[str, ...]:
        before, after = self._layout.private_flags
        return (*before, *app.private_flags, *after)


def _package_hash(app: VirtualApp) -> str:
    return fake_identity_hash("package", app.package, app.code_path)


def _shared_user_hash(name: str) -> str:
    return fake_identity_hash("shared user", name)


def _format_flag_list(flags: Iterable[str]) -> str:
    return f"[ {' '.join(flags)} ]"
