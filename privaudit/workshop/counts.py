"""What is counted of a phone, and how counts add up. Nothing here names a phone or its owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from privaudit.model import DataClass, Report, Verdict

MAX_LENDING_BUCKET: Final = 4
"""So many lending apps or more are one row: larger numbers single people out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """One finished phone, until the workshop is closed."""

    token: str | None
    """The day's own name for it; ``None``: it cannot be known again, so it might be another one's second visit."""
    rom: str
    lending: int
    can_read: tuple[DataClass, ...]
    """What at least one lending app on it could read."""
    listed: tuple[str, ...]
    """Packages of listed apps."""
    found: bool
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCounts:
    """Counts of phones; they add up."""

    phones: int = 0
    unmarked: int = 0
    """Phones that cannot be known again: in no other count, since one may have come twice."""
    roms: Mapping[str, int]
    lending: Mapping[str, int]
    """How many phones have 0, 1, 2, 3, 4+ lending apps."""
    can_read: Mapping[str, int]
    listed: Mapping[str, int]
    """Package → phones."""
    failures: Mapping[str, int]
    """Step → how often it went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTotals:
    """One workshop."""

    opened_on: date
    counted: SessionCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkshopTotals:
    """``totals.json``: the counts of each workshop in a folder, not yet suppressed. To be kept private."""

    schema: Literal["privaudit-totals/1"] = "privaudit-totals/1"
    demo: bool
    sessions: Mapping[str, SessionTotals]


def make_device_record(report: Report, token: str | None) -> DeviceRecord:
    """What is counted of the phone of `report`."""
    counts = report.counts
    return DeviceRecord(
        token=token,
        rom=report.phone.rom.id,
        lending=counts.lending,
        can_read=tuple(data for data in DataClass if counts.lending_can_read[data]),
        listed=tuple(sorted({app.package for app in report.apps if app.listed})),
        found=report.verdict is Verdict.FOUND,
        complete=report.complete,
    )


def count_records(records: Iterable[DeviceRecord], failures: Mapping[str, int]) -> SessionCounts:
    """The counts of these phones."""
    every = list(records)
    # One token is one phone, whatever codes it had.
    known = list({one.token: one for one in every if one.token is not None}.values())
    return SessionCounts(
        phones=len(known),
        unmarked=len(every) - sum(one.token is not None for one in every),
        roms=dict(Counter(one.rom for one in known)),
        lending=dict(Counter(_lending_bucket(one.lending) for one in known)),
        can_read={data.value: sum(data in one.can_read for one in known) for data in DataClass},
        listed=dict(Counter(package for one in known for package in one.listed)),
        failures=dict(failures),
    )


def sum_counts(counts: Iterable[SessionCounts]) -> SessionCounts:
    """All of them together."""
    every = list(counts)

    def total(name: str) -> Mapping[str, int]:
        summed: Counter[str] = Counter()
        for one in every:
            summed.update(getattr(one, name))
        return dict(sorted(summed.items()))

    return SessionCounts(
        phones=sum(one.phones for one in every),
        unmarked=sum(one.unmarked for one in every),
        roms=total("roms"),
        lending=total("lending"),
        can_read=total("can_read"),
        listed=total("listed"),
        failures=total("failures"),
    )


def _lending_bucket(lending: int) -> str:
    return f"{MAX_LENDING_BUCKET}+" if lending >= MAX_LENDING_BUCKET else str(lending)
