"""``dumpsys package``: the blocks of packages, users and permissions (``com.android.server.pm.Settings``).

`privaudit.virtual_phone.dump_writers.package_dump` puts them together into whole dumps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from privaudit.virtual_phone.dump_writers.android import map_order
from privaudit.virtual_phone.dump_writers.layout import Layout
from privaudit.virtual_phone.dump_writers.permissions import (
    Names,
    gids_line,
    install_lines,
    requested_line,
    runtime_lines,
)
from privaudit.virtual_phone.dump_writers.text import identity, java_bool, moment
from privaudit.virtual_phone.scenario.virtual import App, Install, SharedUser, VirtualPhone


def user_line(install: Install, layout: Layout) -> str:
    """The head of a user's block."""
    values = {
        "ceDataInode": str(install.ce_inode),
        "deDataInode": str(install.de_inode),
        "installed": java_bool(install.installed),
        "suspended": java_bool(install.suspended),
        "distractionFlags": "0",
        "stopped": java_bool(install.stopped),
        "notLaunched": java_bool(install.not_launched),
        "enabled": str(install.enabled),
    }
    words = (f"{word}={values.get(word, 'false')}" if word else "" for word in layout.user_words)
    return f"    User {install.user}: {' '.join(words)}"


def user_block(app: App, install: Install, layout: Layout, *, names: Names, everything: bool) -> Iterator[str]:
    """Lines of one package for one user. A shared uid's grants are not here: they stand with the shared user."""
    yield user_line(install, layout)
    if layout.first_install_per_user:
        yield f"      installReason={install.install_reason}"
        if layout.user_data_dir:
            data = f"/data/user/{install.user}/{app.package}" if install.installed else "null"
            yield f"      dataDir={data}"
        yield f"      firstInstallTime={moment(install.first_installed)}"
        yield f"      uninstallReason={install.uninstall_reason}"
    yield from _overlays(install, layout)
    if install.last_disabled_caller is not None:
        yield f"      lastDisabledCaller: {install.last_disabled_caller}"
    if app.shared_user is None:
        yield from gids_line(install.gids, "      ")
        yield from runtime_lines(install.grants, "      ", layout, names=names, everything=everything)
    if names is None:
        for title, components in (
            ("disabledComponents", install.disabled_components),
            ("enabledComponents", install.enabled_components),
        ):
            if components:
                yield f"      {title}:"
                yield from (f"        {component}" for component in components)


def _overlays(install: Install, layout: Layout) -> Iterator[str]:
    """Why it is suspended, and what changes its looks. Up to Android 11 both stand at the indent of the user's line."""
    if layout.overlays == "none":
        return
    indent = "    " if layout.overlays == "at_user" else "      "
    if install.suspended and layout.suspends_by_name:
        yield f"{indent}Suspend params:"
        yield f"{indent}  suspendingPackage=com.android.settings dialogInfo=null"
    both = (("overlay paths", install.overlays), ("legacy overlay paths", install.legacy_overlays))
    for title, paths in both if layout.overlays == "in_user" else both[:1]:
        if paths:
            yield f"{indent}{title}:"
            yield from (f"{indent}  {path}" for path in paths)


def package_block(
    phone: VirtualPhone, app: App, *, names: Names = None, everything: bool = False, hidden: bool = False
) -> Iterator[str]:
    """Lines of one package.

    Args:
        phone: where it is.
        app: the installed copy, or a factory copy.
        names: of ``dumpsys package permission``: limits the permissions, and drops paths and ABIs.
        everything: ``dumpsys package PKG``: requested permissions too.
        hidden: it stands below ``Hidden system packages:``.
    """
    layout = phone.layout
    yield f"  Package [{app.package}] ({identity('setting', app.package, app.code_path)}):"
    yield f"    {layout.app_id_key}={app.app_id}"
    if app.shared_user is not None:
        yield f"    sharedUser=SharedUserSetting{{{_shared_identity(app.shared_user)} {app.shared_user}/{app.app_id}}}"
    yield f"    pkg=Package{{{_package_identity(app)} {app.package}}}"
    yield f"    codePath={app.code_path}"
    if names is None:
        yield f"    resourcePath={app.code_path}"
        yield f"    legacyNativeLibraryDir={app.code_path}/lib"
        if layout.extension_versions:
            yield f"    extractNativeLibs={java_bool(app.extract_native_libs)}"
        yield f"    primaryCpuAbi={app.abi or 'null'}"
        yield "    secondaryCpuAbi=null"
        if layout.extension_versions:
            yield "    cpuAbiOverride=null"
    yield from _description(app, layout, hidden=hidden)
    yield from _history(app, phone)
    if app.declared:
        yield "    declared permissions:"
        yield from (
            f"      {name}: prot={protection}"
            for name, protection in app.declared.items()
            if names is None or name in names
        )
    everything = everything or (names is None and layout.requested_in_whole)
    if app.requested and (names is not None or everything):
        yield "    requested permissions:"
        yield from (requested_line(name, layout) for name in app.requested if names is None or name in names)
    if app.shared_user is None:
        yield from install_lines(app.install_permissions, "    ", layout, names=names)
    elif names is not None or everything:
        shared = phone.shared_user(app.shared_user)
        yield from install_lines(shared.install_permissions, "    ", layout, names=names)
    for user in phone.user_ids:
        yield from user_block(app, app.installs[user], layout, names=names, everything=everything)


def _description(app: App, layout: Layout, *, hidden: bool) -> Iterator[str]:
    """What the manifest says."""
    least = f" minSdk={app.min_sdk}" if layout.min_sdk else ""
    yield f"    versionCode={app.version_code}{least} targetSdk={app.target_sdk}"
    if layout.extension_versions:
        yield "    minExtensionVersions=[]"
    yield f"    versionName={app.version_name}"
    if layout.extension_versions:
        yield "    usesNonSdkApi=false"
    yield f"    splits=[{', '.join(('base', *app.splits))}]"
    if layout.min_sdk:
        yield f"    apkSigningVersion={app.signing_version}"
    if layout.application_info:
        yield f"    applicationInfo={layout.application_info}{{{_package_identity(app)} {app.package}}}"
    yield f"    flags={_words(app.flags)}"
    private = _private_flags(app, layout)
    if private:
        yield f"    privateFlags={_words(private)}"
    if layout.queries:
        yield "    forceQueryable=false"
        if app.queries or layout.empty_queries:
            yield f"    queriesPackages=[{', '.join(app.queries)}]"
    without = hidden and not layout.data_of_factory_copies
    yield f"    dataDir={'null' if without else f'/data/user/0/{app.package}'}"
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
    signatures = f"{identity('signatures', app.package, app.code_path)}"
    signer = identity("signer", app.signer)
    if layout.signature_versions:
        yield (
            f"    signatures=PackageSignatures{{{signatures} version:{app.signing_version}, signatures:[{signer}],"
            " past signatures:[]}"
        )
        yield "    installPermissionsFixed=true"
    else:
        yield f"    signatures=PackageSignatures{{{signatures} [{signer}]}}"
        yield "    installPermissionsFixed=true installStatus=1"
    yield f"    pkgFlags={_words(app.flags)}"
    if layout.private_package_flags:
        yield f"    privatePkgFlags={_words(_private_flags(app, layout))}"
        yield "    apexModuleName=null"


def shared_user_block(
    phone: VirtualPhone, shared: SharedUser, *, names: Names = None, everything: bool = False
) -> Iterator[str]:
    """Lines of one shared uid, with the grants of all its packages. ``User N: `` ends in a blank."""
    layout = phone.layout
    yield f"  SharedUser [{shared.name}] ({_shared_identity(shared.name)}):"
    yield f"    {layout.app_id_key}={shared.app_id}"
    if layout.shared_packages:
        yield "    Packages"
        for package in map_order(app.package for app in phone.apps if app.shared_user == shared.name):
            yield f"      PackageSetting{{{identity('shared', package)} {package}/{shared.app_id}}}"
    yield from install_lines(shared.install_permissions, "    ", layout, names=names)
    for user in phone.user_ids:
        grants = shared.grants.get(user, ())
        if grants or shared.gids:
            yield f"    User {user}: "
            yield from gids_line(shared.gids, "      ")
            yield from runtime_lines(grants, "      ", layout, names=names, everything=everything)


def _private_flags(app: App, layout: Layout) -> tuple[str, ...]:
    before, behind = layout.private_flags
    return (*before, *app.private_flags, *behind)


def _package_identity(app: App) -> str:
    return identity("package", app.package, app.code_path)


def _shared_identity(name: str) -> str:
    return identity("shared user", name)


def _words(words: Iterable[str]) -> str:
    return f"[ {' '.join(words)} ]"
