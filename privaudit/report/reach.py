"""What an app reaches, and by which ways: its permissions, a role, a right beside the permission list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from privaudit.model import AccessState, App, DataClass, Message, OtherDataClass
from privaudit.report import matrix
from privaudit.report.view import ReportView

WIDE_COLUMNS: Final[tuple[matrix.AnyDataClass, ...]] = (*DataClass, OtherDataClass.PHONE)
"""Columns of the matrix where there is room for more than what collectors use."""
_SPECIAL_ACCESS_QUESTIONS: Final = frozenset({"settings", "roles", "device_policy", "appops", "packages"})
"""Questions whose answers tell of rights beside the permission list."""
_NORMAL_ROUTES: Final = frozenset({"permission", "incoming", "no_permission_needed"})
"""Ways that are no right beside the permission list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAccessRow:
    """One kind of data that an app reaches, asked for, or may reach."""

    data: str
    state: AccessState
    access_text: str
    detail: str
    routes: str


def data_label(view: ReportView, data: matrix.AnyDataClass) -> str:
    """What a kind of data is called in tables."""
    return view.t(f"report.{data}" if isinstance(data, DataClass) else f"report.other_{data}")


def access_rows(view: ReportView, app: App) -> Iterator[DataAccessRow]:
    """Contacts, SMS and call log always; other kinds where the app asked for them or reaches them."""
    for data in (*DataClass, *OtherDataClass):
        access = matrix.access_to(app, data)
        asked = access.state is not AccessState.NOT_REQUESTED or access.ways
        if isinstance(data, DataClass) or (asked and data in app.other_access):
            can, below = matrix.cell_text(view, app, data)
            ways = [_route_label(view, way) for way in access.ways]
            yield DataAccessRow(
                data=data_label(view, data),
                state=access.state,
                access_text=can,
                detail=below,
                routes=view.t("report.between_ways").join(ways) or view.t("report.way_none"),
            )


def special_access_routes(view: ReportView, app: App) -> tuple[tuple[str, bool], ...]:
    """Rights beside the permission list, and whether the app holds them; else that none is seen, or not known."""
    kinds = dict.fromkeys(right.kind for right in app.special_access)
    held = tuple((view.t(f"diff.{kind}"), True) for kind in kinds)
    if not _is_special_access_complete(view, app):
        return (*held, (view.t("report.routes_more_unknown" if held else "report.state_unknown"), False))
    return held or ((view.t("report.routes_none"), False),)


def _is_special_access_complete(view: ReportView, app: App) -> bool:
    """Whether a right that is not told of is not there."""
    looked = any(user.id == app.user and user.checked for user in view.report.users)
    return looked and not any(
        row.could_hide and row.question in _SPECIAL_ACCESS_QUESTIONS and row.user in {None, app.user}
        for row in view.report.coverage
    )


def _route_label(view: ReportView, route: str) -> str:
    return view.translate(Message(key=f"report.way_{route}" if route in _NORMAL_ROUTES else f"diff.{route}"))
