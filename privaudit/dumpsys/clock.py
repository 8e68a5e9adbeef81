"""The phone's time: what turns the ages and local times of dumps into moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from privaudit.dumpsys.appops_model import AppOpEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpClock:
    """What turns the ages of app-ops into times."""

    now: datetime | None
    """The phone's time when it was asked."""
    zone: tzinfo | None
    """The phone's, where it was read."""

    def event_time(self, event: AppOpEvent | None) -> datetime | None:
        """When `event` was. Without the phone's time, the local time that was printed; without both, ``None``."""
        if event is None:
            return None
        if self.now is not None and event.age is not None:
            try:
                # Ages are real time: counted back in local time, one from before a clock change would be an hour off.
                then = self.now.astimezone(UTC) - event.age
                return then.astimezone(self.now.tzinfo).replace(microsecond=0)
            except OverflowError:
                return None
        return parse_local_time(event.local_time, self.zone)


def parse_local_time(printed: str | None, zone: tzinfo | None) -> datetime | None:
    """``2024-01-24 15:15:22``, in the phone's own time; without a zone where `zone` is not known."""
    try:
        return datetime.fromisoformat(printed).replace(microsecond=0, tzinfo=zone) if printed else None
    except ValueError:
        return None
