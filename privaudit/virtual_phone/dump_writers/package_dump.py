"""``dumpsys package``: which sections it has, in which order (``com.android.server.pm.DumpHelper``).

Their text stands in ``package_dump.txt.jinja``. Sections without permissions (resolver tables, libraries, dex files)
are there in short form, because a parser has to get past them.
"""

from collections.abc import Collection, Container, Iterable, Iterator
from functools import cache
from importlib import resources
from operator import attrgetter
from typing import Final, TypeAlias, TypeVar

from jinja2 import Environment, StrictUndefined, Template

from privaudit.virtual_phone import release
from privaudit.virtual_phone.dump_writers.text import JAVA_BOOL, fake_identity_hash, format_time
from privaudit.virtual_phone.release import Since
from privaudit.virtual_phone.scenario.virtual import (
    InstallPermission,
    VirtualApp,
    VirtualGrant,
    VirtualInstall,
    VirtualPhone,
)

_Section: TypeAlias = tuple[str, str]
"""Title and text."""
_Item = TypeVar("_Item")
PermissionFilter: TypeAlias = Container[str] | None
"""Permissions that a dump is limited to; ``None``: all."""

_ALWAYS_PRINTED: Final = {"Settings parse messages:", "Package warning messages:", "Active install sessions:"}


def format_package_dump(phone: VirtualPhone, section_titles: Container[str] | None = None) -> str:
    """``dumpsys package``, which does not say what packages request. `section_titles`: the sections to print."""
    apps = _in_map_order(phone.apps, "package")
    factory_copies = [app.factory for app in apps if app.factory]
    sessions, sessions_last = ("Active install sessions:", ""), phone.sdk >= Since.SESSIONS_LAST
    verifier_title = "Domain Verifier:" if phone.sdk >= Since.DOMAIN_VERIFIER else "Intent Filter Verifier:"
    writer = PackageBlockWriter(phone)
    sections = (
        ("Database versions:", writer.block("database_versions")),
        ("Known Packages:", writer.block("known_packages")),
        ("Verifiers:", writer.block("verifier", "Required")),
        (verifier_title, writer.block("verifier", "Using")),
        ("Libraries:", writer.block("libraries")),
        ("Features:", writer.block("features")),
        ("Activity Resolver Table:", writer.block("launchers", apps)),
        *_permission_sections(phone, writer, None),
        ("Key Set Manager:", writer.block("key_sets", apps)),
        ("", writer.block("install_log", apps)),
        ("Packages:", writer.blocks("package", apps)),
        ("Hidden system packages:", writer.blocks("package", factory_copies, hidden=True)),
        ("Queries:", writer.block("queries", apps)),
        ("Shared users:", writer.blocks("shared_user", phone.shared_users)),
        ("Package Changes:", writer.block("package_changes", apps)) if sessions_last else sessions,
        ("Legacy install sessions:", "" if sessions_last else "  {}"),
        ("Frozen packages:", "  (none)" if phone.sdk >= Since.CMD else ""),
        ("Dexopt state:", writer.block("dexopt_state", apps)),
        ("Compiler stats:", writer.block("compiler_stats", apps)),
        ("Settings parse messages:", ""),
        ("Package warning messages:", ""),
        *((sessions,) if sessions_last else ()),
    )
    return _join_sections(section for section in sections if section_titles is None or section[0] in section_titles)


def format_single_package_dump(phone: VirtualPhone, package: str) -> str:
    """``dumpsys package PKG``: with requested permissions, factory copy and shared user; one line if not installed."""
    app = phone.find_app(package)
    if app is None:
        # Android 6 has none of the sections that complain.
        return f"Unable to find package: {package}\n" if phone.sdk >= Since.CMD else ""
    writer = PackageBlockWriter(phone, detailed=True)
    factory_copies = [app.factory] if app.factory is not None else []
    shared_users = [phone.find_shared_user(app.shared_user)] if app.shared_user is not None else []
    declared = {name: (package, app.app_id, protection) for name, protection in app.declared_permissions.items()}
    return _join_sections(
        (
            ("Activity Resolver Table:", writer.block("launchers", [app])),
            ("Permissions:", writer.block("permission_definitions", declared)),
            ("Key Set Manager:", writer.block("key_sets", [app])),
            ("Packages:", writer.block("package", app)),
            ("Hidden system packages:", writer.blocks("package", factory_copies, hidden=True)),
            ("Queries:", writer.block("queries", [app])),
            ("Shared users:", writer.blocks("shared_user", shared_users)),
            ("Dexopt state:", writer.block("dexopt_state", [app])),
            ("Compiler stats:", writer.block("compiler_stats", [app])),
        )
    )


def format_permission_dump(phone: VirtualPhone, names: Collection[str]) -> str:
    """``dumpsys package permission NAMES…``: the packages with a stored state for any of `names`, limited to `names`.

    Android looks at the state of the uid, not at the manifest: a package of a shared uid is printed when another
    package of that uid requested the permission. Factory copies are left out.
    """
    apps = [app for app in _in_map_order(phone.apps, "package") if _has_state(phone, app, names)]
    names_of_shared_users = {app.shared_user for app in apps}
    shared_users = [shared for shared in phone.shared_users if shared.name in names_of_shared_users]
    writer = PackageBlockWriter(phone, names=names)
    return _join_sections(
        (
            *_permission_sections(phone, writer, names),
            ("Packages:", writer.blocks("package", apps)),
            ("Shared users:", writer.blocks("shared_user", shared_users)),
        )
    )


def is_permission_granted(phone: VirtualPhone, name: str, package: str, user: int) -> bool:
    """``dumpsys package check-permission``: whether `package` holds permission `name` for `user`."""
    app = phone.find_installed_app(package, user)
    states = (*phone.runtime_grants(app, user), *phone.install_permissions(app)) if app is not None else ()
    return any(state.name == name and state.granted for state in states)


class PackageBlockWriter:
    """Writes parts of one dump, with the macros of the template.

    `names`, of ``dumpsys package permission``, limits the permissions, and omits paths and ABIs. `detailed` blocks, of
    ``dumpsys package PKG``, have the requested permissions.
    """

    def __init__(self, phone: VirtualPhone, *, names: PermissionFilter = None, detailed: bool = False) -> None:
        self._phone = phone
        self._names = names
        values = {
            "phone": phone,
            "sdk": phone.sdk,
            "layout": phone.layout,
            "names": names,
            "detailed": detailed,
            "packages_detailed": detailed or (names is None and phone.layout.requested_in_full_dump),
            "is_shown": self._is_shown,
            "state": self._format_state,
            "user_words": self._user_words,
            "install_permission_rows": self._install_permission_rows,
        }
        self._macros = _template().make_module(values)

    def block(self, macro: str, *values: object, **options: object) -> str:
        """Return what a macro prints, without its last line feed."""
        text: str = getattr(self._macros, macro)(*values, **options)
        return text.removesuffix("\n")

    def blocks(self, macro: str, items: Iterable[object], **options: object) -> str:
        """Return what a macro prints of each of `items`."""
        return "\n".join(self.block(macro, item, **options) for item in items)

    def _is_shown(self, name: str) -> bool:
        return self._names is None or name in self._names

    def _format_state(self, permission: VirtualGrant) -> str:
        granted = JAVA_BOOL[permission.granted]
        return f"{permission.name}: granted={granted}{self._phone.layout.format_flags(permission.flags)}"

    def _user_words(self, install: VirtualInstall) -> str:
        values = {
            "ceDataInode": install.ce_inode,
            "deDataInode": install.de_inode,
            "installed": JAVA_BOOL[install.installed],
            "suspended": JAVA_BOOL[install.suspended],
            "distractionFlags": 0,
            "stopped": JAVA_BOOL[install.stopped],
            "notLaunched": JAVA_BOOL[install.not_launched],
            "enabled": install.enabled,
        }
        keys = self._phone.layout.user_line_keys
        return " ".join(f"{key}={values.get(key, 'false')}" if key else "" for key in keys)

    def _install_permission_rows(self, permissions: Iterable[InstallPermission]) -> list[InstallPermission]:
        """Return the rows in the dump's order; those of a secondary user, from Android 12 on, after the common one."""
        is_per_user = self._phone.sdk >= Since.INSTALL_PER_USER
        shown = [row for row in permissions if self._is_shown(row.name) and (row.user is None or is_per_user)]
        return _in_map_order(sorted(shown, key=lambda row: row.user or 0))


@cache
def _template() -> Template:
    environment = Environment(  # noqa: S701 - plain text
        variable_start_string="<<",
        variable_end_string=">>",
        line_statement_prefix="%",
        line_comment_prefix="%%",
        undefined=StrictUndefined,
    )
    environment.filters |= {"in_map_order": _in_map_order, "java": JAVA_BOOL.__getitem__, "time": format_time}
    environment.globals |= {
        "Since": Since,
        "gids": release.PERMISSION_GIDS,
        "hash": fake_identity_hash,
        "restricted": release.HARD_RESTRICTED | release.SOFT_RESTRICTED,
    }
    text = (resources.files(__package__) / "package_dump.txt.jinja").read_text(encoding="utf-8")
    return environment.from_string(text)


def _in_map_order(items: Iterable[_Item], attribute: str = "name") -> list[_Item]:
    """Sort objects by an attribute, or names (``""``), in the order of `release.array_map_order`."""
    name_of = attrgetter(attribute) if attribute else str
    return sorted(items, key=lambda item: release.java_hash(name_of(item)))


def _has_state(phone: VirtualPhone, app: VirtualApp, names: Collection[str]) -> bool:
    grants = (grant for user in phone.user_ids for grant in phone.runtime_grants(app, user))
    return any(state.name in names for state in (*phone.install_permissions(app), *grants))


def _join_sections(sections: Iterable[_Section]) -> str:
    """Join sections with an empty line. An empty section is left out, except those that Android always prints."""
    printed = (filter(None, section) for section in sections if section[1] or section[0] in _ALWAYS_PRINTED)
    return "\n\n".join(map("\n".join, printed)) + "\n"


def _permission_sections(
    phone: VirtualPhone, writer: PackageBlockWriter, names: PermissionFilter
) -> Iterator[_Section]:
    known = (name for name in release.PROTECTION_LEVELS if release.is_known_permission(name, phone.sdk))
    defined = {name: ("android", 1000, release.PROTECTION_LEVELS[name]) for name in known}
    for app in phone.apps:
        defined |= {name: (app.package, app.app_id, level) for name, level in app.declared_permissions.items()}
    selected = {name: owner for name, owner in defined.items() if names is None or name in names}
    yield "Permissions:", writer.block("permission_definitions", selected)
    yield "AppOp Permissions:", writer.block("app_op_permissions", release.APP_OP_PERMISSIONS)
