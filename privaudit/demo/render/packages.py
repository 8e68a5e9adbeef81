"""``dumpsys package``: the blocks of packages, users and permissions (``com.android.server.pm.Settings``).

`privaudit.demo.render.package_dump` puts them together into whole dumps.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from privaudit.demo.render.android import FLAG_NAMES, Layout, map_order
from privaudit.demo.render.text import identity, moment
from privaudit.demo.story.virtual import App, Grant, Install, InstallPermission, SharedUser, VirtualPhone

Names = Container[str] | None
"""Permissions that a dump is limited to; ``None``: all."""


def flags_text(flags: int) -> str:
    """``, flags=[ A|B]``, nothing where no flag is set; a bit without a name prints as its number (Android 10+)."""
    bits = (1 << bit for bit in range(flags.bit_length()) if flags >> bit & 1)
    names = "|".join(FLAG_NAMES.get(bit, str(bit)) for bit in bits)
    return f", flags=[ {names}]" if names else ""


def grant_line(grant: Grant | InstallPermission, indent: str) -> str:
    """One permission's state."""
    user = f", userId={grant.user}" if isinstance(grant, InstallPermission) and grant.user is not None else ""
    return f"{indent}{grant.name}: granted={_bool(grant.granted)}{flags_text(grant.flags)}{user}"


def user_line(install: Install, layout: Layout) -> str:
    """The head of a user's block."""
    protected = f" deDataInode={install.de_inode}" if layout.protected_data else ""
    quarantined = " quarantined=false" if layout.protected_data else ""
    return (
        f"    User {install.user}: ceDataInode={install.ce_inode}{protected} installed={_bool(install.installed)}"
        f" hidden=false suspended={_bool(install.suspended)} distractionFlags=0 stopped={_bool(install.stopped)}"
        f" notLaunched={_bool(install.not_launched)} enabled={install.enabled} instant=false virtual=false{quarantined}"
    )


def user_block(app: App, install: Install, layout: Layout, *, names: Names, everything: bool) -> Iterator[str]:
    """Lines of one package for one user. A shared uid's grants are not here: they stand with the shared user."""
    yield user_line(install, layout)
    if layout.first_install_per_user:
        yield f"      installReason={install.install_reason}"
        if layout.protected_data:
            data = f"/data/user/{install.user}/{app.package}" if install.installed else "null"
            yield f"      dataDir={data}"
        yield f"      firstInstallTime={moment(install.first_installed)}"
        yield f"      uninstallReason={install.uninstall_reason}"
    for title, paths in (("overlay paths", install.overlays), ("legacy overlay paths", install.legacy_overlays)):
        if paths:
            yield f"      {title}:"
            yield from (f"        {path}" for path in paths)
    if install.last_disabled_caller is not None:
        yield f"      lastDisabledCaller: {install.last_disabled_caller}"
    if app.shared_user is None:
        yield from _gids(install.gids, "      ")
        yield from runtime_lines(install.grants, "      ", names=names, everything=everything)
    if names is None:
        for title, components in (
            ("disabledComponents", install.disabled_components),
            ("enabledComponents", install.enabled_components),
        ):
            if components:
                yield f"      {title}:"
                yield from (f"        {component}" for component in components)


def runtime_lines(grants: Sequence[Grant], indent: str, *, names: Names, everything: bool) -> Iterator[str]:
    """``runtime permissions:`` of one uid for one user; the title stands also when `names` leaves nothing under it."""
    if not grants and not everything:
        return
    yield f"{indent}runtime permissions:"
    states = {grant.name: grant for grant in grants if names is None or grant.name in names}
    yield from (grant_line(states[name], f"{indent}  ") for name in map_order(states))


def install_lines(permissions: Iterable[InstallPermission], indent: str, *, names: Names) -> Iterator[str]:
    """``install permissions:``; a line with ``userId=`` for each secondary user whose state differs (Android 12+)."""
    rows: dict[str, list[InstallPermission]] = {}
    for permission in permissions:
        if names is None or permission.name in names:
            rows.setdefault(permission.name, []).append(permission)
    if rows:
        yield f"{indent}install permissions:"
    for name in map_order(rows):
        yield from (grant_line(row, f"{indent}  ") for row in sorted(rows[name], key=lambda row: row.user or 0))


def package_block(phone: VirtualPhone, app: App, *, names: Names = None, everything: bool = False) -> Iterator[str]:
    """Lines of one package.

    Args:
        phone: where it is.
        app: the installed copy, or a factory copy.
        names: of ``dumpsys package permission``: limits the permissions, and drops paths and ABIs.
        everything: ``dumpsys package PKG``: requested permissions too.
    """
    layout = phone.layout
    yield f"  Package [{app.package}] ({identity('setting', app.package, app.code_path)}):"
    yield f"    {layout.app_id_key}={app.app_id}"
    if app.shared_user is not None:
        yield f"    sharedUser=SharedUserSetting{{{_shared_identity(app.shared_user)} {app.shared_user}/{app.app_id}}}"
    yield f"    pkg=Package{{{identity('package', app.package, app.code_path)} {app.package}}}"
    yield f"    codePath={app.code_path}"
    if names is None:
        yield f"    resourcePath={app.code_path}"
        yield f"    legacyNativeLibraryDir={app.code_path}/lib"
        yield f"    extractNativeLibs={_bool(app.extract_native_libs)}"
        yield f"    primaryCpuAbi={app.abi or 'null'}"
        yield "    secondaryCpuAbi=null"
        yield "    cpuAbiOverride=null"
    yield from _description(app, layout)
    yield from _history(app, phone)
    if app.declared:
        yield "    declared permissions:"
        yield from (
            f"      {name}: prot={protection}"
            for name, protection in app.declared.items()
            if names is None or name in names
        )
    if app.requested and (names is not None or everything):
        yield "    requested permissions:"
        yield from (f"      {name}" for name in app.requested if names is None or name in names)
    if app.shared_user is None:
        yield from install_lines(app.install_permissions, "    ", names=names)
    elif names is not None or everything:
        shared = phone.shared_user(app.shared_user)
        yield from install_lines(shared.install_permissions, "    ", names=names)
    for user in phone.user_ids:
        yield from user_block(app, app.installs[user], layout, names=names, everything=everything)


def _description(app: App, layout: Layout) -> Iterator[str]:
    """What the manifest says."""
    yield f"    versionCode={app.version_code} minSdk={app.min_sdk} targetSdk={app.target_sdk}"
    yield "    minExtensionVersions=[]"
    yield f"    versionName={app.version_name}"
    yield "    usesNonSdkApi=false"
    yield f"    splits=[{', '.join(('base', *app.splits))}]"
    yield f"    apkSigningVersion={app.signing_version}"
    if layout.application_info:
        yield f"    applicationInfo=PackageImpl{{{identity('package', app.package, app.code_path)} {app.package}}}"
    yield f"    flags={_words(app.flags)}"
    yield f"    privateFlags={_words(_private_flags(app))}"
    yield "    forceQueryable=false"
    if app.queries:
        yield f"    queriesPackages=[{', '.join(app.queries)}]"
    yield f"    dataDir=/data/user/0/{app.package}"
    yield "    supportsScreens=[small, medium, large, xlarge, resizeable, anyDensity]"


def _history(app: App, phone: VirtualPhone) -> Iterator[str]:
    """When it came, from where, and who signed it."""
    layout = phone.layout
    yield f"    timeStamp={moment(app.stamp or app.updated)}"
    if not layout.first_install_per_user:
        yield f"    firstInstallTime={moment(app.installs[0].first_installed)}"
    yield f"    lastUpdateTime={moment(app.updated)}"
    if layout.install_source:
        by = phone.app(app.installer) if app.installer is not None else None
        yield f"    installerPackageName={app.installer or 'null'}"
        yield f"    installerPackageUid={by.app_id if by is not None else -1}"
        yield f"    initiatingPackageName={app.initiating or 'null'}"
        yield f"    originatingPackageName={app.originating or 'null'}"
    elif app.installer is not None:
        yield f"    installerPackageName={app.installer}"
    if layout.package_source:
        yield f"    packageSource={app.package_source}"
    if layout.install_source:
        yield "    appMetadataFilePath=null"
    if layout.metadata_source:
        yield "    appMetadataSource=0"
    yield (
        f"    signatures=PackageSignatures{{{identity('signatures', app.package, app.code_path)}"
        f" version:{app.signing_version}, signatures:[{identity('signer', app.signer)}], past signatures:[]}}"
    )
    yield "    installPermissionsFixed=true"
    yield f"    pkgFlags={_words(app.flags)}"
    if layout.private_package_flags:
        yield f"    privatePkgFlags={_words(_private_flags(app))}"
        yield "    apexModuleName=null"


def shared_user_block(
    phone: VirtualPhone, shared: SharedUser, *, names: Names = None, everything: bool = False
) -> Iterator[str]:
    """Lines of one shared uid, with the grants of all its packages. ``User N: `` ends in a blank."""
    yield f"  SharedUser [{shared.name}] ({_shared_identity(shared.name)}):"
    yield f"    {phone.layout.app_id_key}={shared.app_id}"
    yield "    Packages"
    for package in map_order(app.package for app in phone.apps if app.shared_user == shared.name):
        yield f"      PackageSetting{{{identity('shared', package)} {package}/{shared.app_id}}}"
    yield from install_lines(shared.install_permissions, "    ", names=names)
    for user in phone.user_ids:
        grants = shared.grants.get(user, ())
        if grants or shared.gids:
            yield f"    User {user}: "
            yield from _gids(shared.gids, "      ")
            yield from runtime_lines(grants, "      ", names=names, everything=everything)


def _private_flags(app: App) -> tuple[str, ...]:
    return (
        "PRIVATE_FLAG_ACTIVITIES_RESIZE_MODE_RESIZEABLE_VIA_SDK_VERSION",
        "ALLOW_AUDIO_PLAYBACK_CAPTURE",
        *app.private_flags,
        "PRIVATE_FLAG_ALLOW_NATIVE_HEAP_POINTER_TAGGING",
    )


def _gids(gids: Sequence[int], indent: str) -> Iterator[str]:
    if gids:
        yield f"{indent}gids=[{', '.join(map(str, gids))}]"


def _shared_identity(name: str) -> str:
    return identity("shared user", name)


def _words(words: Iterable[str]) -> str:
    return f"[ {' '.join(words)} ]"


def _bool(value: bool) -> str:  # noqa: FBT001 - one word for Java's
    return "true" if value else "false"
