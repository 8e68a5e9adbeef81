"""``dumpsys package``: which sections it has, in which order (``com.android.server.pm.DumpHelper``).

Sections without permissions (resolver tables, libraries, dex files) are there in short form, because a parser has to
get past them. `privaudit.virtual_phone.dump_writers.packages` writes the blocks of the packages: another class of AOSP.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from privaudit.virtual_phone.dump_writers.packages import PackageBlockWriter, PermissionFilter
from privaudit.virtual_phone.dump_writers.text import FILLER, fake_identity_hash, format_time
from privaudit.virtual_phone.release import android
from privaudit.virtual_phone.release.android import array_map_order
from privaudit.virtual_phone.release.layout import ReleaseLayout, Since
from privaudit.virtual_phone.scenario.virtual import SharedUser, VirtualApp, VirtualPhone

_Section: TypeAlias = tuple[str, Iterable[str]]
"""Title and lines."""

_ALWAYS_PRINTED: Final = {"Settings parse messages:", "Package warning messages:", "Active install sessions:"}
_SESSIONS: Final[tuple[_Section, ...]] = (
    ("Active install sessions:", ()),
    ("Historical install sessions:", ()),
    ("Legacy install sessions:", ("  {}",)),
)


def format_package_dump(phone: VirtualPhone, section_titles: Container[str] | None = None) -> str:
    """``dumpsys package``, which does not say what packages request. `section_titles`: the sections to print."""
    apps = _in_map_order(phone.apps)
    layout = phone.layout
    sessions_last = layout.sdk >= Since.SESSIONS_LAST
    writer = PackageBlockWriter(phone)
    factory_copies = [line for app in apps if app.factory for line in writer.package_lines(app.factory, hidden=True)]
    sections = (
        *_header_sections(phone),
        ("Activity Resolver Table:", _launcher_lines(apps)),
        *_permission_sections(phone, None),
        _filler_section("Key Set Manager:", apps),
        *((("", _install_log_lines(apps)),) if layout.install_log else ()),
        ("Packages:", (line for app in apps for line in writer.package_lines(app))),
        ("Hidden system packages:", factory_copies),
        *((("Queries:", _query_lines(apps)),) if layout.sdk >= Since.PACKAGE_QUERIES else ()),
        ("Shared users:", (line for shared in phone.shared_users for line in writer.shared_user_lines(shared))),
        *((("Package Changes:", _package_change_lines(phone, apps)),) if sessions_last else _SESSIONS),
        *((("Frozen packages:", ("  (none)",)),) if layout.sdk >= Since.CMD else ()),
        *_dexopt_sections(layout, apps),
        ("Settings parse messages:", ()),
        ("Package warning messages:", ()),
        *(_SESSIONS[:1] if sessions_last else ()),
    )
    return _join_sections(section for section in sections if section_titles is None or section[0] in section_titles)


def format_single_package_dump(phone: VirtualPhone, package: str) -> str:
    """``dumpsys package PKG``: with requested permissions, factory copy and shared user; one line if not installed."""
    app = phone.find_app(package)
    if app is None:
        # Android 6 has none of the sections that complain.
        return f"Unable to find package: {package}\n" if phone.sdk >= Since.CMD else ""
    writer = PackageBlockWriter(phone, detailed=True)
    factory = writer.package_lines(app.factory, hidden=True) if app.factory is not None else ()
    shared = writer.shared_user_lines(phone.find_shared_user(app.shared_user)) if app.shared_user is not None else ()
    declared = {name: (package, app.app_id, protection) for name, protection in app.declared_permissions.items()}
    return _join_sections(
        (
            ("Activity Resolver Table:", _launcher_lines([app])),
            ("Permissions:", _permission_definition_lines(phone.layout, declared)),
            _filler_section("Key Set Manager:", [app]),
            ("Packages:", writer.package_lines(app)),
            ("Hidden system packages:", factory),
            *((("Queries:", _query_lines([app])),) if phone.sdk >= Since.PACKAGE_QUERIES else ()),
            ("Shared users:", shared),
            *_dexopt_sections(phone.layout, [app]),
        )
    )


def format_permission_dump(phone: VirtualPhone, names: Collection[str]) -> str:
    """``dumpsys package permission NAMES…``: the packages with a stored state for any of `names`, limited to `names`.

    Android looks at the state of the uid, not at the manifest: a package of a shared uid is printed when another
    package of that uid requested the permission. Factory copies are left out.
    """
    apps = [app for app in _in_map_order(phone.apps) if _has_state(phone, app, names)]
    shared_users = [shared for shared in phone.shared_users if _shared_has_state(shared, names)]
    writer = PackageBlockWriter(phone, names=names)
    return _join_sections(
        (
            *_permission_sections(phone, names),
            ("Packages:", (line for app in apps for line in writer.package_lines(app))),
            ("Shared users:", (line for shared in shared_users for line in writer.shared_user_lines(shared))),
        )
    )


def is_permission_granted(phone: VirtualPhone, name: str, package: str, user: int) -> bool:
    """``dumpsys package check-permission``: whether `package` holds permission `name` for `user`."""
    app = phone.find_installed_app(package, user)
    if app is None:
        return False
    shared = phone.find_shared_user(app.shared_user).install_permissions if app.shared_user is not None else ()
    at_install = (*app.install_permissions, *shared)
    states = (phone.runtime_grants(app, user), at_install)
    return any(state.name == name and state.granted for group in states for state in group)


def _has_state(phone: VirtualPhone, app: VirtualApp, names: Collection[str]) -> bool:
    if app.shared_user is not None:
        return _shared_has_state(phone.find_shared_user(app.shared_user), names)
    granted = {grant.name for install in app.installs.values() for grant in install.grants}
    return not granted.union(state.name for state in app.install_permissions).isdisjoint(names)


def _shared_has_state(shared: SharedUser, names: Collection[str]) -> bool:
    granted = {grant.name for grants in shared.grants.values() for grant in grants}
    return not granted.union(state.name for state in shared.install_permissions).isdisjoint(names)


def _join_sections(sections: Iterable[_Section]) -> str:
    """Join sections with an empty line. An empty section is left out, except those that Android always prints."""
    bodies = ((title, list(lines)) for title, lines in sections)
    printed = ((title, body) for title, body in bodies if body or title in _ALWAYS_PRINTED)
    return "\n\n".join("\n".join((title, *body) if title else body) for title, body in printed) + "\n"


def _in_map_order(apps: Iterable[VirtualApp]) -> list[VirtualApp]:
    by_name = {app.package: app for app in apps}
    return [by_name[name] for name in array_map_order(by_name)]


def _permission_sections(phone: VirtualPhone, names: PermissionFilter) -> Iterator[_Section]:
    levels = android.PROTECTION_LEVELS.items()
    first = android.PERMISSION_FIRST_SDK
    defined = {name: ("android", 1000, level) for name, level in levels if first.get(name, 0) <= phone.sdk}
    for app in phone.apps:
        defined |= {name: (app.package, app.app_id, level) for name, level in app.declared_permissions.items()}
    selected = {name: owner for name, owner in defined.items() if names is None or name in names}
    yield "Permissions:", _permission_definition_lines(phone.layout, selected)
    yield "AppOp Permissions:", _app_op_permission_lines(phone, names)


def _permission_definition_lines(layout: ReleaseLayout, defined: dict[str, tuple[str, int, str]]) -> Iterator[str]:
    """Write permission definitions (``LegacyPermission.dump``): name → package, uid, protection level."""
    no_gids = "[]" if layout.sdk >= Since.DOMAIN_VERIFIER else "null"
    for name in array_map_order(defined):
        owner, uid, protection = defined[name]
        gids = f"[{android.PERMISSION_GIDS[name]}]" if name in android.PERMISSION_GIDS else no_gids
        yield f"  Permission [{name}] ({fake_identity_hash('permission', name)}):"
        yield f"    sourcePackage={owner}"
        yield f"    uid={uid} gids={gids} type=0 prot={protection}"
        yield f"    perm={layout.permission_class}{{{fake_identity_hash('info', name)} {name}}}"
        if name == android.full_permission_name("READ_EXTERNAL_STORAGE"):
            yield "    enforced=true"


def _app_op_permission_lines(phone: VirtualPhone, names: PermissionFilter) -> Iterator[str]:
    for name in array_map_order(name for name in android.APP_OP_PERMISSIONS if names is None or name in names):
        yield f"  AppOp Permission {name}:"
        requesting = (app.package for app in phone.apps if name in app.requested_permissions)
        yield from (f"    {package}" for package in array_map_order(requesting))


def _header_sections(phone: VirtualPhone) -> Iterator[_Section]:
    """Everything before the resolver tables: versions, verifiers, libraries, features."""
    layout = phone.layout
    key = "buildFingerprint" if layout.sdk >= Since.DOMAIN_VERIFIER else "fingerprint"
    version = (
        f"    sdkVersion={phone.sdk} databaseVersion=3 ",
        f"    {key}={phone.properties.get('ro.build.fingerprint', 'unknown')} ",
    )
    yield "Database versions:", ("  Internal:", *version, "  External:", *version)
    if layout.sdk >= Since.DOMAIN_VERIFIER:
        yield "Known Packages:", FILLER["sections"]["Known Packages:"].splitlines()
    verifier = phone.find_app("com.android.vending")
    uid = f"com.android.vending (uid={-1 if verifier is None else verifier.app_id})"
    yield "Verifiers:", (f"  Required: {uid}",)
    yield "Domain Verifier:" if layout.sdk >= Since.DOMAIN_VERIFIER else "Intent Filter Verifier:", (f"  Using: {uid}",)
    yield from ((title, FILLER["sections"][title].splitlines()) for title in ("Libraries:", "Features:"))


def _launcher_lines(apps: Iterable[VirtualApp]) -> Iterator[str]:
    names = [app.package for app in apps if app.labels and not app.is_system]
    lines = [f"        {fake_identity_hash('activity', name)} {name}/.MainActivity" for name in names]
    if lines:
        yield from ("  Non-Data Actions:", "      android.intent.action.MAIN:", *lines)


def _install_log_lines(apps: Iterable[VirtualApp]) -> Iterator[str]:
    """Samsung's log of its installer, without indent and title (seen in captures; the wording is invented)."""
    for app in apps:
        if not app.is_system:
            observer = fake_identity_hash("observer", app.package)
            yield f"{format_time(app.updated)}: START INSTALL PACKAGE: observer{{{observer}}}"
            yield f"          pkg{{{app.package}}}"
            yield f"{format_time(app.updated)}: result of install: 1{{{app.app_id}}}"


def _filler_section(title: str, apps: Iterable[VirtualApp]) -> _Section:
    template = FILLER["app_sections"][title]
    return title, [template.format(app=app, number=number) for number, app in enumerate(apps, 1)]


def _query_lines(apps: Iterable[VirtualApp]) -> Iterator[str]:
    """Write which app may see which (Android 11)."""
    yield from ("  system apps queryable: false", "  queries via package name:")
    for app in apps:
        if app.queries:
            yield f"    {app.package}:"
            yield from (f"      {package}" for package in app.queries)
    yield from ("  queries via intent:", "  queryable via interaction:")


def _package_change_lines(phone: VirtualPhone, apps: Iterable[VirtualApp]) -> Iterator[str]:
    newest = [app.package for app in apps if not app.is_system][:3]
    yield f"  Sequence number={len(newest)}"
    for user in phone.user_ids[:1]:
        yield f"  User {user}:"
        yield from (f"    seq={number}, package={package}" for number, package in enumerate(newest))


def _dexopt_sections(layout: ReleaseLayout, apps: Sequence[VirtualApp]) -> Iterator[_Section]:
    if layout.sdk >= Since.CMD:
        yield from (_filler_section(title, apps) for title in ("Dexopt state:", "Compiler stats:"))
