"""Counts of a workshop, which of them may be published, and the totals as text, JSON, CSV and HTML.

A count below five, or with fewer than five phones left out of it, would describe single people: among twelve
participants, "eleven" describes the twelfth. Where counts add up to a known sum, enough are suppressed that none can be
computed.

Longer than most modules because what is counted, what is suppressed and what is rendered have to be reviewed together.
"""

import csv
import io
import json as jsonlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from privaudit import roms
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import DataClass, Report, Verdict
from privaudit.report.layout import hanging_indent, pad
from privaudit.report.matrix import DATA_LABEL_KEYS

MIN_CELL_COUNT: Final = 5
"""The smallest count that is published."""
_MAX_LENDING_BUCKET: Final = 4
"""Phones with this many lending apps or more are counted together: larger numbers single people out."""
_LINE_WIDTH: Final = 80
_NAME_COLUMN_WIDTH: Final = 56
_MAX_BAR_WIDTH: Final = 400
"""SVG units of the widest bar on the page."""
_TABLE_KEYS: Final[Mapping[str, str]] = {
    "phones": "workshop.totals_phones_head",
    "roms": "workshop.totals_roms_head",
    "lending": "workshop.totals_lending_head",
    "can_read": "workshop.totals_can_read_head",
    "listed": "workshop.totals_listed_head",
    "failures": "workshop.totals_failures_head",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """What is counted of one finished phone. Deleted when the workshop is closed."""

    token: str | None
    """Pseudonym of the phone; ``None``: it cannot be recognised, so it may be the same phone as another record."""
    rom: str
    lending: int
    """How many lending apps were recognised on it."""
    can_read: tuple[DataClass, ...]
    """What at least one lending app on it can read."""
    listed: tuple[str, ...]
    """Package names of listed apps."""
    found: bool
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCounts:
    """Counts of phones of one session, or of several together."""

    phones: int = 0
    unmarked: int = 0
    """Phones that cannot be recognised. In no other count, because the same phone may have come twice."""
    roms: Mapping[str, int]
    """ROM → phones."""
    lending: Mapping[str, int]
    """``0``, ``1``, ``2``, ``3``, ``4+`` lending apps → phones."""
    can_read: Mapping[str, int]
    """Kind of data → phones on which a lending app can read it."""
    listed: Mapping[str, int]
    """Package → phones."""
    failures: Mapping[str, int]
    """Name of an error → how often a step failed with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTotals:
    """Counts of one closed session."""

    opened_on: date
    counted: SessionCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkshopTotals:
    """Content of ``totals.json``: the counts of each session in a folder, not suppressed. Private."""

    schema: Literal["privaudit-totals/1"] = "privaudit-totals/1"
    demo: bool
    sessions: Mapping[str, SessionTotals]
    """Random id of the session → its counts."""


def make_device_record(report: Report, token: str | None) -> DeviceRecord:
    """Extract from a report what is counted. `token`: see `DeviceRecord.token`."""
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
    """Count the records of a session. Records with one token are one phone, whatever codes it had."""
    all_records = list(records)
    phones = list({record.token: record for record in all_records if record.token is not None}.values())
    return SessionCounts(
        phones=len(phones),
        unmarked=sum(record.token is None for record in all_records),
        roms=dict(Counter(record.rom for record in phones)),
        lending=dict(Counter(_lending_bucket(record.lending) for record in phones)),
        can_read={data.value: sum(data in record.can_read for record in phones) for data in DataClass},
        listed=dict(Counter(package for record in phones for package in record.listed)),
        failures=dict(failures),
    )


def sum_counts(counts: Iterable[SessionCounts]) -> SessionCounts:
    """Add up the counts of several sessions."""
    sessions = list(counts)
    totals: dict[str, Counter[str]] = {
        name: Counter() for name in ("roms", "lending", "can_read", "listed", "failures")
    }
    for session in sessions:
        for name, total in totals.items():
            total.update(getattr(session, name))
    return SessionCounts(
        phones=sum(session.phones for session in sessions),
        unmarked=sum(session.unmarked for session in sessions),
        **{name: dict(sorted(total.items())) for name, total in totals.items()},
    )


def _lending_bucket(lending: int) -> str:
    return f"{_MAX_LENDING_BUCKET}+" if lending >= _MAX_LENDING_BUCKET else str(lending)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsTable:
    """Counts of one kind as they may be published."""

    name: str
    out_of: int | None
    """Number of phones that were counted; ``None``: too few to be published, or the counts are not of phones."""
    rows: Mapping[str, int | None]
    """A ROM, a package, the name of an error or a number of apps → its count; ``None``: suppressed."""
    has_suppressed: bool = False
    """Whether there are further rows, whose names are not published either."""


def is_publishable(count: int, total: int | None) -> bool:
    """Whether `count` describes no single person. `total`: the number that it is a part of, if there is one."""
    return count >= MIN_CELL_COUNT and (total is None or total - count >= MIN_CELL_COUNT)


def tables_for_totals(totals: WorkshopTotals) -> tuple[TotalsTable, ...]:
    """Return the tables that may be published about all sessions together."""
    counts = sum_counts(session.counted for session in totals.sessions.values())
    phones = counts.phones
    out_of = phones if phones >= MIN_CELL_COUNT else None
    buckets = [_lending_bucket(number) for number in range(_MAX_LENDING_BUCKET + 1)]
    lending = {**dict.fromkeys(buckets, 0), **counts.lending}
    rom_rows = _suppress_small_cells(counts.roms, phones)
    named_roms = {rom: count for rom, count in rom_rows.items() if count is not None}  # a rare ROM may be one person
    can_read = {data.value: counts.can_read.get(data, 0) for data in DataClass}
    can_read_rows = {data: count if is_publishable(count, phones) else None for data, count in can_read.items()}
    return (
        TotalsTable(name="phones", out_of=None, rows={"phones": out_of}),
        TotalsTable(name="roms", out_of=out_of, rows=named_roms, has_suppressed=len(named_roms) < len(rom_rows)),
        TotalsTable(name="lending", out_of=out_of, rows=_suppress_small_cells(lending, phones, keep_order=True)),
        TotalsTable(name="can_read", out_of=out_of, rows=can_read_rows),
        _drop_rare_names("listed", counts.listed, phones, out_of),
        _drop_rare_names("failures", counts.failures, None, None),
    )


def _suppress_small_cells(counts: Mapping[str, int], total: int, *, keep_order: bool = False) -> dict[str, int | None]:
    """Suppress cells of counts that add up to `total`.

    The sum of the suppressed cells can be computed, so at least two are suppressed, and `MIN_CELL_COUNT` phones in all.
    Without `keep_order` the largest come first.
    """
    suppressed = {name for name, count in counts.items() if not is_publishable(count, total)}
    smallest_first = sorted((name for name in counts if name not in suppressed), key=lambda name: counts[name])
    for name in smallest_first:
        if not suppressed or (len(suppressed) > 1 and sum(counts[other] for other in suppressed) >= MIN_CELL_COUNT):
            break
        suppressed.add(name)
    names = list(counts) if keep_order else sorted(counts, key=lambda name: (-counts[name], name))
    return {name: None if name in suppressed else counts[name] for name in names}


def _drop_rare_names(table_name: str, counts: Mapping[str, int], total: int | None, out_of: int | None) -> TotalsTable:
    """Return a table of counts that do not add up, without the names of rows that may not be published."""
    largest_first = sorted(counts.items(), key=lambda cell: (-cell[1], cell[0]))
    rows = {name: count for name, count in largest_first if is_publishable(count, total)}
    has_suppressed = len(rows) < sum(map(bool, counts.values()))
    return TotalsTable(name=table_name, out_of=out_of, rows=rows, has_suppressed=has_suppressed)


def shows_nothing(tables: Iterable[TotalsTable]) -> bool:
    """Whether nothing beyond the number of phones may be published, although something was counted."""
    return all(count is None for table in tables if table.name != "phones" for count in table.rows.values())


def row_title(table_name: str, row_name: str, language: Translator) -> str:
    """Return the words for a row."""
    if table_name == "roms" and row_name in roms.list_rom_ids():
        return sanitize_text(str(roms.load_rom(row_name)["name"]))
    if table_name == "can_read":
        return language.t(DATA_LABEL_KEYS[DataClass(row_name)])
    if table_name == "lending":
        return language.t("workshop.totals_lending_row", number=row_name)
    if table_name == "failures":
        error_key = f"errors.{row_name}.what"
        return language.t(error_key) if language.has_key(error_key) else row_name
    return language.t("workshop.totals_phones") if row_name == "phones" else sanitize_text(row_name)


def render_text(totals: WorkshopTotals, language: Translator) -> str:
    """Render the totals for a terminal."""
    lines = [language.t("workshop.totals_title", n=len(totals.sessions))]
    if totals.demo:
        lines += hanging_indent("", language.t("report.demo"), _LINE_WIDTH)
    tables = tables_for_totals(totals)
    if shows_nothing(tables):
        phones = tables[0].rows["phones"]
        lines += [f"{language.t(_TABLE_KEYS['phones'])}: {phones}"] if phones is not None else []
        lines += hanging_indent("", language.t("workshop.totals_small"), _LINE_WIDTH)
        return "".join(f"{line}\n" for line in lines)
    for table in tables:
        lines += ["", language.t(_TABLE_KEYS[table.name])]
        is_hidden = all(count is None for count in table.rows.values())
        for name, count in () if is_hidden else table.rows.items():
            shown = language.t("workshop.totals_hidden") if count is None else str(count)
            lines.append(f"  {pad(row_title(table.name, name, language), _NAME_COLUMN_WIDTH)} {shown}")
        if table.rows and is_hidden:
            lines.append(f"  {language.t('workshop.totals_hidden')}")
        elif table.has_suppressed:
            lines += hanging_indent("  ", language.t("workshop.totals_more"), _LINE_WIDTH)
        elif not table.rows:
            lines.append(f"  {language.t('workshop.totals_none')}")
    lines.append("")
    for key in ("workshop.totals_rule", "workshop.totals_days", "workshop.totals_publish"):
        lines += hanging_indent("", language.t(key), _LINE_WIDTH)
    return "".join(f"{line}\n" for line in lines)


def render_json(totals: WorkshopTotals, _language: Translator) -> str:
    """Render the totals as JSON (``privaudit-workshop-totals/1``)."""
    document = {
        "schema": "privaudit-workshop-totals/1",
        "demo": totals.demo,
        "sessions": len(totals.sessions),
        "least": MIN_CELL_COUNT,
        "tables": {
            table.name: {"of": table.out_of, "rows": table.rows, "others_suppressed": table.has_suppressed}
            for table in tables_for_totals(totals)
        },
    }
    return jsonlib.dumps(document, ensure_ascii=False, indent=2) + "\n"


def render_csv(totals: WorkshopTotals, language: Translator) -> str:
    """Render the totals for a spreadsheet. Cells that a spreadsheet would take for a formula are escaped."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["demo", "table", "name", "title", "count", "of", "suppressed"])
    demo = int(totals.demo)
    for table in tables_for_totals(totals):
        out_of = "" if table.out_of is None else table.out_of
        for name, count in table.rows.items():
            title = row_title(table.name, name, language)
            cells = (table.name, name, title, "" if count is None else count, out_of, int(count is None))
            writer.writerow([demo, *map(_escape_formula, cells)])
        if table.has_suppressed:
            writer.writerow([demo, table.name, "", language.t("workshop.totals_more"), "", "", 1])
    return "\ufeff" + stream.getvalue()


def _escape_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def render_html(totals: WorkshopTotals, language: Translator) -> str:
    """Render the totals as a page to project: bars, each with its number."""
    from privaudit.report import html_page  # loads Jinja

    charts = []
    tables = tables_for_totals(totals)
    is_small = shows_nothing(tables)
    for table in () if is_small else tables:
        full_bar = table.out_of or max((count or 0 for count in table.rows.values()), default=0)
        rows = [
            {
                "name": row_title(table.name, name, language),
                "count": count,
                "width": 0 if count is None else round(_MAX_BAR_WIDTH * count / max(full_bar, 1)),
            }
            for name, count in table.rows.items()
        ]
        head = language.t(_TABLE_KEYS[table.name])
        charts.append({"head": head, "rows": rows, "more": table.has_suppressed, "full": _MAX_BAR_WIDTH})
    title = language.t("workshop.totals_title", n=len(totals.sessions))
    content = {"title": title, "charts": charts, "demo": totals.demo, "small": is_small}
    return html_page.render_page("chart", language, content, stylesheet="chart")


RENDERERS: Final = {".json": render_json, ".csv": render_csv, ".html": render_html, ".txt": render_text}
"""By the suffix of a file."""
