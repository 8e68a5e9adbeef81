"""``dumpsys package``, whole: which sections stand in it, in which order (``com.android.server.pm.DumpHelper``).

Sections that say nothing about permissions (resolver tables, libraries, dex files) are there, short: whatever reads a
dump has to get past them.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator

from privaudit.virtual_phone.dump_writers import package_filler as filler
from privaudit.virtual_phone.dump_writers.android import (
    APP_OP_PERMISSIONS,
    FIRST_SDK,
    GIDS,
    PROTECTION,
    full_name,
    map_order,
)
from privaudit.virtual_phone.dump_writers.layout import Layout
from privaudit.virtual_phone.dump_writers.packages import package_block, shared_user_block
from privaudit.virtual_phone.dump_writers.permissions import Names
from privaudit.virtual_phone.dump_writers.text import identity
from privaudit.virtual_phone.scenario.virtual import App, Grant, InstallPermission, SharedUser, VirtualPhone


def whole(phone: VirtualPhone, only: Container[str] | None = None) -> str:
    """``dumpsys package``. It does not say what packages request.

    Args:
        phone: the phone.
        only: titles of the sections that were asked for; ``None``: all.
    """
    apps = _ordered(phone.apps)
    layout = phone.layout
    sessions = (
        ("Active install sessions:", ()),
        ("Historical install sessions:", ()),
        ("Legacy install sessions:", ("  {}",)),
    )
    sections = (
        *filler.head(phone),
        ("Activity Resolver Table:", filler.launchers(apps)),
        *_permission_sections(phone, None),
        ("Key Set Manager:", filler.key_sets(apps)),
        *((("", filler.install_log(apps)),) if layout.install_log else ()),
        ("Packages:", (line for app in apps for line in package_block(phone, app))),
        (
            "Hidden system packages:",
            (line for a in apps if a.factory for line in package_block(phone, a.factory, hidden=True)),
        ),
        *((("Queries:", filler.queries(apps)),) if layout.queries else ()),
        ("Shared users:", (line for shared in phone.shared_users for line in shared_user_block(phone, shared))),
        *(() if layout.sessions_last else sessions),
        *((("Package Changes:", filler.changes(phone, apps)),) if layout.sessions_last else ()),
        *((("Frozen packages:", ("  (none)",)), ("Dexopt state:", filler.dexopt(apps))) if layout.has_cmd else ()),
        *((("Compiler stats:", filler.compiler_stats(apps)),) if layout.has_cmd else ()),
        ("Settings parse messages:", ()),
        ("Package warning messages:", ()),
        *(sessions[:1] if layout.sessions_last else ()),
    )
    return _join(section for section in sections if only is None or section[0] in only)


def one(phone: VirtualPhone, package: str) -> str:
    """``dumpsys package PKG``: all that it requests, its factory copy, its shared user; one line if it is not there."""
    app = phone.app(package)
    if app is None:
        # Android 6 has none of the sections that complain.
        return f"Unable to find package: {package}\n" if phone.layout.has_cmd else ""
    shared = [phone.shared_user(app.shared_user)] if app.shared_user is not None else []
    hidden = package_block(phone, app.factory, everything=True, hidden=True) if app.factory is not None else ()
    declared = (
        line
        for name in map_order(app.declared)
        for line in _permission_block(phone.layout, name, owner=package, uid=app.app_id, protection=app.declared[name])
    )
    return _join(
        (
            ("Activity Resolver Table:", filler.launchers([app])),
            ("Permissions:", declared),
            ("Key Set Manager:", filler.key_sets([app])),
            ("Packages:", package_block(phone, app, everything=True)),
            ("Hidden system packages:", hidden),
            *((("Queries:", filler.queries([app])),) if phone.layout.queries else ()),
            ("Shared users:", (line for su in shared for line in shared_user_block(phone, su, everything=True))),
            *((("Dexopt state:", filler.dexopt([app])),) if phone.layout.has_cmd else ()),
            *((("Compiler stats:", filler.compiler_stats([app])),) if phone.layout.has_cmd else ()),
        )
    )


def permission(phone: VirtualPhone, names: Collection[str]) -> str:
    """``dumpsys package permission NAMES…``: who has a stored state for any of `names`, and nothing but these names.

    The test is on the state of the uid, not on the manifest: a package of a shared uid is there when another package of
    that uid requested the permission. Factory copies are left out.
    """
    apps = [app for app in _ordered(phone.apps) if _has_state(phone, app, names)]
    shared = [one for one in phone.shared_users if _shared_has_state(one, names)]
    return _join(
        (
            *_permission_sections(phone, names),
            ("Packages:", (line for app in apps for line in package_block(phone, app, names=names))),
            ("Shared users:", (line for one in shared for line in shared_user_block(phone, one, names=names))),
        )
    )


def granted(phone: VirtualPhone, name: str, package: str, user: int) -> bool:
    """``dumpsys package check-permission``: whether `package` holds permission `name` for `user`."""
    app = phone.app(package)
    if app is None or user not in app.installs or not app.installs[user].installed:
        return False
    shared = phone.shared_user(app.shared_user).install_permissions if app.shared_user is not None else ()
    states: tuple[Grant | InstallPermission, ...] = (*phone.grants(app, user), *app.install_permissions, *shared)
    return any(state.granted and state.name == name for state in states)


def _has_state(phone: VirtualPhone, app: App, names: Collection[str]) -> bool:
    if app.shared_user is not None:
        return _shared_has_state(phone.shared_user(app.shared_user), names)
    granted = (grant.name for install in app.installs.values() for grant in install.grants)
    return any(name in names for name in (*granted, *(state.name for state in app.install_permissions)))


def _shared_has_state(shared: SharedUser, names: Collection[str]) -> bool:
    granted = (grant.name for grants in shared.grants.values() for grant in grants)
    return any(name in names for name in (*granted, *(state.name for state in shared.install_permissions)))


def _permission_sections(phone: VirtualPhone, names: Names) -> Iterator[tuple[str, Iterable[str]]]:
    defined = {name: of for name, of in _definitions(phone).items() if names is None or name in names}
    yield (
        "Permissions:",
        (
            line
            for name in map_order(defined)
            for line in _permission_block(
                phone.layout, name, owner=defined[name][0], uid=defined[name][1], protection=defined[name][2]
            )
        ),
    )
    yield "AppOp Permissions:", _app_op_permissions(phone, names=names)


def _permission_block(layout: Layout, name: str, *, owner: str, uid: int, protection: str) -> Iterator[str]:
    """Lines of one permission's definition (``LegacyPermission.dump``)."""
    gids = f"[{GIDS[name]}]" if name in GIDS else "[]" if layout.domains else "null"
    yield f"  Permission [{name}] ({identity('permission', name)}):"
    yield f"    sourcePackage={owner}"
    yield f"    uid={uid} gids={gids} type=0 prot={protection}"
    yield f"    perm={layout.permission_class}{{{identity('info', name)} {name}}}"
    if name == full_name("READ_EXTERNAL_STORAGE"):
        yield "    enforced=true"


def _definitions(phone: VirtualPhone) -> dict[str, tuple[str, int, str]]:
    """Every permission that is defined: name → (package, uid, protection)."""
    known = {name: of for name, of in PROTECTION.items() if FIRST_SDK.get(name, 0) <= phone.sdk}
    found = {name: ("android", 1000, protection) for name, protection in known.items()}
    for app in phone.apps:
        found |= {name: (app.package, app.app_id, protection) for name, protection in app.declared.items()}
    return found


def _app_op_permissions(phone: VirtualPhone, *, names: Names = None) -> Iterator[str]:
    """Who asks for permissions that an app-op decides."""
    for name in map_order(name for name in APP_OP_PERMISSIONS if names is None or name in names):
        yield f"  AppOp Permission {name}:"
        yield from (f"    {package}" for package in map_order(a.package for a in phone.apps if name in a.requested))


def _join(sections: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Titles in column 0, an empty line between sections. A section about packages that has none is left out."""
    texts = []
    for title, lines in sections:
        body = list(lines)
        if body or title in _ALWAYS:
            texts.append("\n".join((title, *body) if title else body))
    return "\n\n".join(texts) + "\n"


_ALWAYS = frozenset({"Settings parse messages:", "Package warning messages:", "Active install sessions:"})


def _ordered(apps: Iterable[App]) -> list[App]:
    by_name = {app.package: app for app in apps}
    return [by_name[name] for name in map_order(by_name)]
