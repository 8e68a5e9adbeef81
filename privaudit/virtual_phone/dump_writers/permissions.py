"""Lines about permissions: what is requested, what is held, and the groups that come with it.

They are the same below a package and below a shared user (``Settings.dumpRuntimePermissionsLPr`` and its neighbours).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from privaudit.virtual_phone.dump_writers.android import HARD_RESTRICTED, SOFT_RESTRICTED, array_map_order
from privaudit.virtual_phone.dump_writers.layout import ReleaseLayout
from privaudit.virtual_phone.dump_writers.text import format_java_bool
from privaudit.virtual_phone.scenario.virtual import InstallPermission, VirtualGrant

PermissionFilter = Container[str] | None
"""Permissions that a dump is limited to; ``None``: all."""


def grant_line(grant: VirtualGrant | InstallPermission, indent: str, layout: ReleaseLayout) -> str:
    """One permission's state."""
    user = f", userId={grant.user}" if isinstance(grant, InstallPermission) and grant.user is not None else ""
    return f"{indent}{grant.name}: granted={format_java_bool(grant.granted)}{layout.format_flags(grant.flags)}{user}"


def runtime_permission_lines(
    grants: Sequence[VirtualGrant], indent: str, layout: ReleaseLayout, *, names: PermissionFilter, detailed: bool
) -> Iterator[str]:
    """``runtime permissions:`` of one uid for one user; the title stands also when `names` leaves nothing under it."""
    if not grants and not detailed:
        return
    yield f"{indent}runtime permissions:"
    states = {grant.name: grant for grant in grants if names is None or grant.name in names}
    yield from (grant_line(states[name], f"{indent}  ", layout) for name in array_map_order(states))


def install_permission_lines(
    permissions: Iterable[InstallPermission], indent: str, layout: ReleaseLayout, *, names: PermissionFilter
) -> Iterator[str]:
    """``install permissions:``; a line with ``userId=`` for each secondary user whose state differs (Android 12+)."""
    rows: dict[str, list[InstallPermission]] = {}
    for permission in permissions:
        if (names is None or permission.name in names) and (permission.user is None or layout.install_per_user):
            rows.setdefault(permission.name, []).append(permission)
    if rows:
        yield f"{indent}install permissions:"
    for name in array_map_order(rows):
        yield from (grant_line(row, f"{indent}  ", layout) for row in sorted(rows[name], key=lambda row: row.user or 0))


def requested_permission_line(name: str, layout: ReleaseLayout) -> str:
    """One line of ``requested permissions:``."""
    restricted = layout.restricted_suffix and name in HARD_RESTRICTED | SOFT_RESTRICTED
    return f"      {name}{': restricted=true' if restricted else ''}"


def gids_line(gids: Sequence[int], indent: str) -> Iterator[str]:
    """``gids=[…]``; nothing where there are none."""
    if gids:
        yield f"{indent}gids=[{', '.join(map(str, gids))}]"
