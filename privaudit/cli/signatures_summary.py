"""The table of ``privaudit signatures list --summary``: what each publisher lists for each country."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.cells import cell_len

from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.knowledge.list_summary import ListSummaryRow
from privaudit.report.layout import pad

_MAX_PUBLISHER_CHARS: Final = 200
_HEADING_KEYS: Final = (
    "signatures.summary_country",
    "signatures.summary_tier",
    "signatures.summary_packages",
    "signatures.summary_names",
    "signatures.summary_newest",
    "signatures.summary_publisher",
)


def summary_table(language: Translator, rows: Iterable[ListSummaryRow]) -> Iterator[str]:
    """Yield the lines of the table, its headings first."""
    headings = tuple(map(language.t, _HEADING_KEYS))
    table = [headings, *(_cells(language, row) for row in rows)]
    widths = [max(cell_len(cells[column]) for cells in table) for column in range(len(headings) - 1)]
    for cells in table:
        yield "  ".join((*map(pad, cells, widths), cells[-1]))


def _cells(language: Translator, row: ListSummaryRow) -> tuple[str, ...]:
    if row.publisher is None:
        publisher = language.t("signatures.summary_all" if row.packages or row.names else "signatures.summary_none")
    else:
        publisher = sanitize_text(row.publisher, _MAX_PUBLISHER_CHARS)
    tier = "A+B" if row.publisher is None else row.tier or "-"
    return (row.country or "-", tier, str(row.packages), str(row.names), row.newest or "-", publisher)
