"""What an app reaches, and by which ways: its permissions, a role, a right beside the permission list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from privaudit.model import AccessState, App, DataClass, Message, OtherData
from privaudit.report import matrix
from privaudit.report.view import Voice

COLUMNS: Final[tuple[matrix.Data, ...]] = (*DataClass, OtherData.PHONE)
"""Columns of the matrix where there is room for more than what collectors use."""
_TELL: Final = frozenset({"settings", "roles", "device_policy", "appops", "packages"})
"""Questions whose answers tell of rights beside the permission list."""
_OWN: Final = frozenset({"permission", "incoming", "no_permission_needed"})
"""Ways that are no right beside the permission list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One kind of data that an app reaches, asked for, or may reach."""

    data: str
    state: AccessState
    can: str
    below: str
    ways: str


def name(voice: Voice, data: matrix.Data) -> str:
    """What a kind of data is called in tables."""
    return voice.text(f"report.{data}" if isinstance(data, DataClass) else f"report.other_{data}")


def of(voice: Voice, app: App) -> Iterator[Reach]:
    """Contacts, SMS and call log always; other kinds where the app asked for them or reaches them."""
    for data in (*DataClass, *OtherData):
        access = matrix.access_of(app, data)
        asked = access.state is not AccessState.NOT_REQUESTED or access.ways
        if isinstance(data, DataClass) or (asked and data in app.other_access):
            can, below = matrix.cell(voice, app, data)
            ways = [_way(voice, way) for way in access.ways]
            yield Reach(
                data=name(voice, data),
                state=access.state,
                can=can,
                below=below,
                ways=voice.text("report.between_ways").join(ways) or voice.text("report.way_none"),
            )


def other_routes(voice: Voice, app: App) -> tuple[tuple[str, bool], ...]:
    """Rights beside the permission list, and whether the app holds them; else that none is seen, or not known."""
    kinds = dict.fromkeys(right.kind for right in app.special_access)
    held = tuple((voice.text(f"diff.{kind}"), True) for kind in kinds)
    if not _whole(voice, app):
        return (*held, (voice.text("report.routes_more_unknown" if held else "report.state_unknown"), False))
    return held or ((voice.text("report.routes_none"), False),)


def _whole(voice: Voice, app: App) -> bool:
    """Whether a right that is not told of is not there."""
    looked = any(user.id == app.user and user.checked for user in voice.report.users)
    return looked and not any(
        row.could_hide and row.question in _TELL and row.user in {None, app.user} for row in voice.report.coverage
    )


def _way(voice: Voice, way: str) -> str:
    return voice.say(Message(key=f"report.way_{way}" if way in _OWN else f"diff.{way}"))
