"""``dumpsys package``, whole: which sections stand in it, in which order (``com.android.server.pm.DumpHelper``).

Sections that say nothing about permissions (resolver tables, libraries, dex files) are there, short: whatever reads a
dump has to get past them.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator

from privaudit.virtual_phone.dump_writers import package_filler as filler
from privaudit.virtual_phone.dump_writers.android import (
    APP_OP_PERMISSIONS,
    PERMISSION_FIRST_SDK,
    PERMISSION_GIDS,
    PROTECTION_LEVELS,
    array_map_order,
    full_permission_name,
)
from privaudit.virtual_phone.dump_writers.layout import ReleaseLayout
from privaudit.virtual_phone.dump_writers.packages import package_lines, shared_user_lines
from privaudit.virtual_phone.dump_writers.permissions import PermissionFilter
from privaudit.virtual_phone.dump_writers.text import fake_identity_hash
from privaudit.virtual_phone.scenario.virtual import (
    InstallPermission,
    SharedUser,
    VirtualApp,
    VirtualGrant,
    VirtualPhone,
)


def format_package_dump(phone: VirtualPhone, section_titles: Container[str] | None = None) -> str:
    """``dumpsys package``. It does not say what packages request.

    Args:
        phone: the phone.
        section_titles: titles of the sections that were asked for; ``None``: all.
    """
    apps = _in_map_order(phone.apps)
    layout = phone.layout
    sessions = (
        ("Active install sessions:", ()),
        ("Historical install sessions:", ()),
        ("Legacy install sessions:", ("  {}",)),
    )
    sections = (
        *filler.header_sections(phone),
        ("Activity Resolver Table:", filler.launcher_lines(apps)),
        *_permission_sections(phone, None),
        ("Key Set Manager:", filler.key_set_lines(apps)),
        *((("", filler.install_log_lines(apps)),) if layout.install_log else ()),
        ("Packages:", (line for app in apps for line in package_lines(phone, app))),
        (
            "Hidden system packages:",
            (line for a in apps if a.factory for line in package_lines(phone, a.factory, hidden=True)),
        ),
        *((("Queries:", filler.query_lines(apps)),) if layout.package_queries else ()),
        ("Shared users:", (line for shared in phone.shared_users for line in shared_user_lines(phone, shared))),
        *(() if layout.sessions_last else sessions),
        *((("Package Changes:", filler.package_change_lines(phone, apps)),) if layout.sessions_last else ()),
        *(
            (("Frozen packages:", ("  (none)",)), ("Dexopt state:", filler.dexopt_lines(apps)))
            if layout.has_cmd
            else ()
        ),
        *((("Compiler stats:", filler.compiler_stats_lines(apps)),) if layout.has_cmd else ()),
        ("Settings parse messages:", ()),
        ("Package warning messages:", ()),
        *(sessions[:1] if layout.sessions_last else ()),
    )
    return _join_sections(section for section in sections if section_titles is None or section[0] in section_titles)


def format_single_package_dump(phone: VirtualPhone, package: str) -> str:
    """``dumpsys package PKG``: all that it requests, its factory copy, its shared user; one line if it is not there."""
    app = phone.find_app(package)
    if app is None:
        # Android 6 has none of the sections that complain.
        return f"Unable to find package: {package}\n" if phone.layout.has_cmd else ""
    shared = [phone.find_shared_user(app.shared_user)] if app.shared_user is not None else []
    hidden = package_lines(phone, app.factory, detailed=True, hidden=True) if app.factory is not None else ()
    declared = (
        line
        for name in array_map_order(app.declared_permissions)
        for line in _permission_definition_lines(
            phone.layout, name, owner=package, uid=app.app_id, protection=app.declared_permissions[name]
        )
    )
    return _join_sections(
        (
            ("Activity Resolver Table:", filler.launcher_lines([app])),
            ("Permissions:", declared),
            ("Key Set Manager:", filler.key_set_lines([app])),
            ("Packages:", package_lines(phone, app, detailed=True)),
            ("Hidden system packages:", hidden),
            *((("Queries:", filler.query_lines([app])),) if phone.layout.package_queries else ()),
            ("Shared users:", (line for su in shared for line in shared_user_lines(phone, su, detailed=True))),
            *((("Dexopt state:", filler.dexopt_lines([app])),) if phone.layout.has_cmd else ()),
            *((("Compiler stats:", filler.compiler_stats_lines([app])),) if phone.layout.has_cmd else ()),
        )
    )


def format_permission_dump(phone: VirtualPhone, names: Collection[str]) -> str:
    """``dumpsys package permission NAMES…``: who has a stored state for any of `names`, and nothing but these names.

    The test is on the state of the uid, not on the manifest: a package of a shared uid is there when another package of
    that uid requested the permission. Factory copies are left out.
    """
    apps = [app for app in _in_map_order(phone.apps) if _has_state(phone, app, names)]
    shared = [one for one in phone.shared_users if _shared_has_state(one, names)]
    return _join_sections(
        (
            *_permission_sections(phone, names),
            ("Packages:", (line for app in apps for line in package_lines(phone, app, names=names))),
            ("Shared users:", (line for one in shared for line in shared_user_lines(phone, one, names=names))),
        )
    )


def is_permission_granted(phone: VirtualPhone, name: str, package: str, user: int) -> bool:
    """``dumpsys package check-permission``: whether `package` holds permission `name` for `user`."""
    app = phone.find_app(package)
    if app is None or user not in app.installs or not app.installs[user].installed:
        return False
    shared = phone.find_shared_user(app.shared_user).install_permissions if app.shared_user is not None else ()
    states: tuple[VirtualGrant | InstallPermission, ...] = (
        *phone.runtime_grants(app, user),
        *app.install_permissions,
        *shared,
    )
    return any(state.granted and state.name == name for state in states)


def _has_state(phone: VirtualPhone, app: VirtualApp, names: Collection[str]) -> bool:
    if app.shared_user is not None:
        return _shared_has_state(phone.find_shared_user(app.shared_user), names)
    granted = (grant.name for install in app.installs.values() for grant in install.grants)
    return any(name in names for name in (*granted, *(state.name for state in app.install_permissions)))


def _shared_has_state(shared: SharedUser, names: Collection[str]) -> bool:
    granted = (grant.name for grants in shared.grants.values() for grant in grants)
    return any(name in names for name in (*granted, *(state.name for state in shared.install_permissions)))


def _permission_sections(phone: VirtualPhone, names: PermissionFilter) -> Iterator[tuple[str, Iterable[str]]]:
    defined = {name: of for name, of in _permission_definitions(phone).items() if names is None or name in names}
    yield (
        "Permissions:",
        (
            line
            for name in array_map_order(defined)
            for line in _permission_definition_lines(
                phone.layout, name, owner=defined[name][0], uid=defined[name][1], protection=defined[name][2]
            )
        ),
    )
    yield "AppOp Permissions:", _app_op_permission_lines(phone, names=names)


def _permission_definition_lines(
    layout: ReleaseLayout, name: str, *, owner: str, uid: int, protection: str
) -> Iterator[str]:
    """Lines of one permission's definition (``LegacyPermission.dump``)."""
    gids = f"[{PERMISSION_GIDS[name]}]" if name in PERMISSION_GIDS else "[]" if layout.domain_verifier else "null"
    yield f"  Permission [{name}] ({fake_identity_hash('permission', name)}):"
    yield f"    sourcePackage={owner}"
    yield f"    uid={uid} gids={gids} type=0 prot={protection}"
    yield f"    perm={layout.permission_class}{{{fake_identity_hash('info', name)} {name}}}"
    if name == full_permission_name("READ_EXTERNAL_STORAGE"):
        yield "    enforced=true"


def _permission_definitions(phone: VirtualPhone) -> dict[str, tuple[str, int, str]]:
    """Every permission that is defined: name → (package, uid, protection)."""
    known = {name: of for name, of in PROTECTION_LEVELS.items() if PERMISSION_FIRST_SDK.get(name, 0) <= phone.sdk}
    found = {name: ("android", 1000, protection) for name, protection in known.items()}
    for app in phone.apps:
        found |= {name: (app.package, app.app_id, protection) for name, protection in app.declared_permissions.items()}
    return found


def _app_op_permission_lines(phone: VirtualPhone, *, names: PermissionFilter = None) -> Iterator[str]:
    """Who asks for permissions that an app-op decides."""
    for name in array_map_order(name for name in APP_OP_PERMISSIONS if names is None or name in names):
        yield f"  AppOp Permission {name}:"
        yield from (
            f"    {package}"
            for package in array_map_order(a.package for a in phone.apps if name in a.requested_permissions)
        )


def _join_sections(sections: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Titles in column 0, an empty line between sections. A section about packages that has none is left out."""
    texts = []
    for title, lines in sections:
        body = list(lines)
        if body or title in _ALWAYS_PRINTED:
            texts.append("\n".join((title, *body) if title else body))
    return "\n\n".join(texts) + "\n"


_ALWAYS_PRINTED = frozenset({"Settings parse messages:", "Package warning messages:", "Active install sessions:"})


def _in_map_order(apps: Iterable[VirtualApp]) -> list[VirtualApp]:
    by_name = {app.package: app for app in apps}
    return [by_name[name] for name in array_map_order(by_name)]
