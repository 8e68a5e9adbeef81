"""Totals without names: as text, JSON, CSV and a page to project. Small counts are never shown.

A count below five, and one whose complement is below five, would speak of single people: among twelve participants,
"eleven" tells of the twelfth. Where counts add up to a known sum, so many are left out that none can be worked out.
"""

from __future__ import annotations

import csv
import io
import json as jsonlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from privaudit import roms
from privaudit.errors import UsageError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import DataClass, Report, Verdict
from privaudit.report import save_text
from privaudit.report.layout import hanging_indent, pad

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


MIN_CELL_COUNT: Final = 5
"""The smallest count that is shown."""
_LINE_WIDTH: Final = 80
_MAX_BAR_WIDTH: Final = 400
"""Units of the widest bar on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsRow:
    """One count as it may be shown."""

    name: str
    """A machine's word: a ROM, a package, a step, a number of apps."""
    count: int | None
    """``None``: too small, or too near to all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsTable:
    """Counts of one kind."""

    name: str
    out_of: int | None
    """Out of how many phones; ``None``: not out of phones, or too few to be told."""
    rows: tuple[TotalsRow, ...]
    has_suppressed: bool = False
    """Whether there are others, too few to be named."""


def is_publishable(count: int, total: int | None) -> bool:
    """Whether `count` speaks of nobody in particular. `total`: the whole that it is part of, where there is one."""
    return count >= MIN_CELL_COUNT and (total is None or total - count >= MIN_CELL_COUNT)


def publishable_tables(counts: SessionCounts) -> tuple[TotalsTable, ...]:
    """Everything that may be shown."""
    phones = counts.phones
    shown = phones if phones >= MIN_CELL_COUNT else None
    lending = (
        {str(number): 0 for number in range(MAX_LENDING_BUCKET)} | {f"{MAX_LENDING_BUCKET}+": 0} | dict(counts.lending)
    )
    return (
        TotalsTable(name="phones", out_of=None, rows=(TotalsRow(name="phones", count=shown),)),
        _fold_rare_roms(_suppress_small_cells(counts.roms, phones), shown),
        TotalsTable(name="lending", out_of=shown, rows=_suppress_small_cells(lending, phones, include_all=True)),
        TotalsTable(
            name="can_read",
            out_of=shown,
            rows=tuple(
                TotalsRow(name=data, count=count if is_publishable(count, phones) else None)
                for data in DataClass
                for count in (counts.can_read.get(data, 0),)
            ),
        ),
        _drop_rare_names("listed", counts.listed, phones, shown),
        _drop_rare_names("failures", counts.failures, None, None),
    )


def _suppress_small_cells(counts: Mapping[str, int], total: int, *, include_all: bool = False) -> tuple[TotalsRow, ...]:
    """Counts that add up to `total`: of what is hidden the sum is known, so more than one is hidden, and not too few."""
    hidden = {name for name, count in counts.items() if not is_publishable(count, total)}
    order = sorted((name for name in counts if name not in hidden), key=lambda name: counts[name])
    while hidden and order and (len(hidden) == 1 or sum(counts[name] for name in hidden) < MIN_CELL_COUNT):
        hidden.add(order.pop(0))
    names = list(counts) if include_all else sorted(counts, key=lambda name: (-counts[name], name))
    return tuple(TotalsRow(name=name, count=None if name in hidden else counts[name]) for name in names)


def _fold_rare_roms(rows: tuple[TotalsRow, ...], out_of: int | None) -> TotalsTable:
    """Systems that few phones have are not even named."""
    told = tuple(line for line in rows if line.count is not None)
    return TotalsTable(name="roms", out_of=out_of, rows=told, has_suppressed=len(told) < len(rows))


def _drop_rare_names(name: str, counts: Mapping[str, int], total: int | None, out_of: int | None) -> TotalsTable:
    """Counts of which the name alone would tell: those too small are not even named."""
    lines = [TotalsRow(name=key, count=count) for key, count in counts.items() if is_publishable(count, total)]
    lines.sort(key=lambda line: (-(line.count or 0), line.name))
    return TotalsTable(
        name=name, out_of=out_of, rows=tuple(lines), has_suppressed=len(lines) < sum(map(bool, counts.values()))
    )


def tables_for_totals(totals: WorkshopTotals) -> tuple[TotalsTable, ...]:
    """Of all sessions together."""
    return publishable_tables(sum_counts(session.counted for session in totals.sessions.values()))


# --- how they are written ---------------------------------------------------------------------------------------------


def row_title(table_name: str, row_name: str, language: Translator) -> str:
    """What a person calls a line."""
    if table_name == "roms" and row_name in roms.list_rom_ids():
        return sanitize_text(str(roms.load_rom(row_name)["name"]))
    if table_name == "can_read":
        return language.t(f"report.{row_name}")
    if table_name == "lending":
        return language.t("workshop.totals_lending_row", number=row_name)
    if table_name == "failures":
        return language.t(f"errors.{row_name}.what") if language.has_key(f"errors.{row_name}.what") else row_name
    return language.t("workshop.totals_phones") if row_name == "phones" else sanitize_text(row_name)


def render_text(totals: WorkshopTotals, language: Translator) -> str:
    """For a terminal."""
    return "".join(f"{line}\n" for line in _text_lines(totals, language))


def _text_lines(totals: WorkshopTotals, language: Translator) -> Iterator[str]:
    yield language.t("workshop.totals_title", n=len(totals.sessions))
    if totals.demo:
        yield from hanging_indent("", language.t("report.demo"), _LINE_WIDTH)
    for table in tables_for_totals(totals):
        yield ""
        yield language.t(f"workshop.totals_{table.name}_head")
        for line in table.rows:
            count = language.t("workshop.totals_hidden") if line.count is None else str(line.count)
            yield f"  {pad(row_title(table.name, line.name, language), 56)} {count}"
        if table.has_suppressed:
            yield from hanging_indent("  ", language.t("workshop.totals_more"), _LINE_WIDTH)
        elif not table.rows:
            yield f"  {language.t('workshop.totals_none')}"
    yield ""
    for note in ("rule", "days", "publish"):
        yield from hanging_indent("", language.t(f"workshop.totals_{note}"), _LINE_WIDTH)


def render_json(totals: WorkshopTotals, _language: Translator) -> str:
    """For programs."""
    rows: dict[str, Any] = {
        table.name: {
            "of": table.out_of,
            "rows": {line.name: line.count for line in table.rows},
            "others_suppressed": table.has_suppressed,
        }
        for table in tables_for_totals(totals)
    }
    whole = {
        "schema": "privaudit-workshop-totals/1",
        "demo": totals.demo,
        "sessions": len(totals.sessions),
        "least": MIN_CELL_COUNT,
    }
    return jsonlib.dumps({**whole, "tables": rows}, ensure_ascii=False, indent=2) + "\n"


def render_csv(totals: WorkshopTotals, language: Translator) -> str:
    """For a spreadsheet. What could be taken for a formula is quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["demo", "table", "name", "title", "count", "of", "suppressed"])
    for table in tables_for_totals(totals):
        for line in table.rows:
            told = row_title(table.name, line.name, language)
            cells = [table.name, line.name, told, "" if line.count is None else line.count]
            cells += ["" if table.out_of is None else table.out_of, int(line.count is None)]
            writer.writerow([int(totals.demo), *(_escape_formula(cell) for cell in cells)])
        if table.has_suppressed:
            writer.writerow([int(totals.demo), table.name, "", language.t("workshop.totals_more"), "", "", 1])
    return "\ufeff" + out.getvalue()


def _escape_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def render_html(totals: WorkshopTotals, language: Translator) -> str:
    """A page to project: bars, each with its number in words."""
    from privaudit.report import html_page

    charts = []
    for table in tables_for_totals(totals):
        widest = max((line.count or 0 for line in table.rows), default=0) if table.out_of is None else table.out_of
        rows = [
            {
                "name": row_title(table.name, line.name, language),
                "count": line.count,
                "width": 0 if line.count is None else round(_MAX_BAR_WIDTH * line.count / max(widest, 1)),
            }
            for line in table.rows
        ]
        head = language.t(f"workshop.totals_{table.name}_head")
        charts.append({"head": head, "rows": rows, "more": table.has_suppressed, "full": _MAX_BAR_WIDTH})
    head = language.t("workshop.totals_title", n=len(totals.sessions))
    content = {"title": head, "charts": charts, "demo": totals.demo}
    return html_page.render_page("chart", language, content, stylesheet="chart")


_RENDERERS: Final = {".json": render_json, ".csv": render_csv, ".html": render_html, ".txt": render_text}


def check_totals_path(path: Path) -> None:
    """Refuse a file that could not be written, before anything is.

    Raises:
        UsageError: ``format_unknown``, ``no_folder``.
    """
    if path.suffix not in _RENDERERS:
        raise UsageError("errors.format_unknown", given=path.name, known=tuple(_RENDERERS))
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))


def write_totals(totals: WorkshopTotals, path: Path, language: Translator) -> None:
    """Write the totals as the suffix of `path` says.

    Raises:
        SourceError: ``not_written``.
    """
    save_text(_RENDERERS[path.suffix](totals, language), path)
