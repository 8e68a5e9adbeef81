"""``dumpsys package``, whole: which sections stand in it, in which order (``com.android.server.pm.DumpHelper``).

Sections that say nothing about permissions (resolver tables, libraries, dex files) are there, short: whatever reads a
dump has to get past them.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator

from privaudit.demo.render.android import APP_OP_PERMISSIONS, GIDS, PROTECTION, full_name, map_order
from privaudit.demo.render.packages import (
    Names,
    package_block,
    shared_user_block,
)
from privaudit.demo.render.text import identity
from privaudit.demo.story.virtual import App, Grant, InstallPermission, SharedUser, VirtualPhone


def whole(phone: VirtualPhone, only: Container[str] | None = None) -> str:
    """``dumpsys package``. It does not say what packages request.

    Args:
        phone: the phone.
        only: titles of the sections that were asked for; ``None``: all.
    """
    apps = _ordered(phone.apps)
    sections = (
        *_head(phone),
        ("Activity Resolver Table:", _launchers(apps)),
        *_permission_sections(phone, None),
        ("Key Set Manager:", _key_sets(apps)),
        ("Packages:", (line for app in apps for line in package_block(phone, app))),
        ("Hidden system packages:", (line for a in apps if a.factory for line in package_block(phone, a.factory))),
        ("Queries:", _queries(apps)),
        ("Shared users:", (line for shared in phone.shared_users for line in shared_user_block(phone, shared))),
        ("Package Changes:", _changes(phone, apps)),
        ("Frozen packages:", ("  (none)",)),
        ("Dexopt state:", _dexopt(apps)),
        ("Compiler stats:", _compiler_stats(apps)),
        ("Settings parse messages:", ()),
        ("Package warning messages:", ()),
        ("Active install sessions:", ()),
    )
    return _join(section for section in sections if only is None or section[0] in only)


def one(phone: VirtualPhone, package: str) -> str:
    """``dumpsys package PKG``: all that it requests, its factory copy, its shared user; one line if it is not there."""
    app = phone.app(package)
    if app is None:
        return f"Unable to find package: {package}\n"
    shared = [phone.shared_user(app.shared_user)] if app.shared_user is not None else []
    hidden = package_block(phone, app.factory, everything=True) if app.factory is not None else ()
    declared = (
        line
        for name in map_order(app.declared)
        for line in _permission_block(name, owner=package, uid=app.app_id, protection=app.declared[name])
    )
    return _join(
        (
            ("Activity Resolver Table:", _launchers([app])),
            ("Permissions:", declared),
            ("Key Set Manager:", _key_sets([app])),
            ("Packages:", package_block(phone, app, everything=True)),
            ("Hidden system packages:", hidden),
            ("Queries:", _queries([app])),
            ("Shared users:", (line for su in shared for line in shared_user_block(phone, su, everything=True))),
            ("Dexopt state:", _dexopt([app])),
            ("Compiler stats:", _compiler_stats([app])),
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
                name, owner=defined[name][0], uid=defined[name][1], protection=defined[name][2]
            )
        ),
    )
    yield "AppOp Permissions:", _app_op_permissions(phone, names=names)


def _permission_block(name: str, *, owner: str, uid: int, protection: str) -> Iterator[str]:
    """Lines of one permission's definition (``LegacyPermission.dump``)."""
    gids = f"[{GIDS[name]}]" if name in GIDS else "[]"
    yield f"  Permission [{name}] ({identity('permission', name)}):"
    yield f"    sourcePackage={owner}"
    yield f"    uid={uid} gids={gids} type=0 prot={protection}"
    yield f"    perm=PermissionInfo{{{identity('info', name)} {name}}}"
    if name == full_name("READ_EXTERNAL_STORAGE"):
        yield "    enforced=true"


def _definitions(phone: VirtualPhone) -> dict[str, tuple[str, int, str]]:
    """Every permission that is defined: name → (package, uid, protection)."""
    found = {name: ("android", 1000, protection) for name, protection in PROTECTION.items()}
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
            texts.append("\n".join((title, *body)))
    return "\n\n".join(texts) + "\n"


_ALWAYS = frozenset({"Settings parse messages:", "Package warning messages:", "Active install sessions:"})


def _ordered(apps: Iterable[App]) -> list[App]:
    by_name = {app.package: app for app in apps}
    return [by_name[name] for name in map_order(by_name)]


def _head(phone: VirtualPhone) -> Iterator[tuple[str, Iterable[str]]]:
    version = (
        f"    sdkVersion={phone.sdk} databaseVersion=3 ",
        f"    buildFingerprint={phone.properties.get('ro.build.fingerprint', 'unknown')} ",
    )
    yield "Database versions:", ("  Internal:", *version, "  External:", *version)
    yield (
        "Known Packages:",
        ("  System:", "    android", "  Installer:", "    com.android.packageinstaller", "  Wellbeing:", "    none"),
    )
    verifier = phone.app("com.android.vending")
    yield "Verifiers:", (f"  Required: com.android.vending (uid={-1 if verifier is None else verifier.app_id})",)
    yield (
        "Libraries:",
        (
            "  android.test.base ->  (jar) /system/framework/android.test.base.jar",
            "  org.apache.http.legacy ->  (jar) /system/framework/org.apache.http.legacy.jar",
        ),
    )
    yield (
        "Features:",
        (
            "  android.hardware.camera",
            "  android.hardware.telephony",
            "  android.software.vulkan.deqp.level version=132645633",
        ),
    )


def _launchers(apps: Iterable[App]) -> Iterator[str]:
    lines = [
        f"        {identity('activity', app.package)} {app.package}/.MainActivity"
        for app in apps
        if app.labels and not app.system
    ]
    if lines:
        yield from ("  Non-Data Actions:", "      android.intent.action.MAIN:", *lines)


def _key_sets(apps: Iterable[App]) -> Iterator[str]:
    for number, app in enumerate(apps, 1):
        yield f"  [{app.package}]"
        yield f"      Signing KeySets: {number}"


def _queries(apps: Iterable[App]) -> Iterator[str]:
    yield "  system apps queryable: false"
    yield "  queries via package name:"
    for app in apps:
        if app.queries:
            yield f"    {app.package}:"
            yield from (f"      {package}" for package in app.queries)
    yield "  queries via intent:"
    yield "  queryable via interaction:"


def _changes(phone: VirtualPhone, apps: Iterable[App]) -> Iterator[str]:
    newest = [app.package for app in apps if not app.system][:3]
    yield f"  Sequence number={len(newest)}"
    for user in phone.user_ids[:1]:
        yield f"  User {user}:"
        yield from (f"    seq={number}, package={package}" for number, package in enumerate(newest))


def _dexopt(apps: Iterable[App]) -> Iterator[str]:
    for app in apps:
        yield f"  [{app.package}]"
        yield f"    path: {app.apk}"
        yield "      arm64: [status=speed-profile] [reason=install] [primary-abi]"


def _compiler_stats(apps: Iterable[App]) -> Iterator[str]:
    for app in apps:
        yield f"  [{app.package}]"
        yield "     (No recorded stats)"
