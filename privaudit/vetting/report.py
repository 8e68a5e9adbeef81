"""Render the document on a vetted app: JSON, an HTML page, and plain text for a terminal or a file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from privaudit.i18n import Translator
from privaudit.report import html_page, save_text
from privaudit.report.json import dump_json, format_json_schema
from privaudit.report.layout import hanging_indent, pad
from privaudit.report.summary import notices
from privaudit.report.txt import DEFAULT_WIDTH, StyledLine
from privaudit.vetting.document import SCHEMA, DataRequestState, VettedApp, VettingReport
from privaudit.vetting.report_view import VettingView

_HEADER_LABEL_COLUMNS: Final = 10
_DATA_COLUMNS: Final = 16
_STATE_COLUMNS: Final = 14


def vetting_to_json(vetting: VettingReport, _language: Translator | None = None) -> str:
    """Return the document as JSON. It consists of keys and values, so it is the same in every language."""
    return dump_json(_document_adapter(), vetting, indent=2)


def vetting_to_json_line(vetting: VettingReport) -> str:
    """Return the document as one line of JSON."""
    return dump_json(_document_adapter(), vetting, indent=None)


def parse_document(document: Mapping[str, object]) -> VettingReport:
    """Build the document from parsed JSON; raises `ValueError` if it is not one on a vetted app."""
    return _document_adapter().validate_python(document)


def vetting_schema() -> str:
    """Return the JSON Schema of the document."""
    return format_json_schema(_document_adapter(), SCHEMA)


@cache
def _document_adapter() -> TypeAdapter[VettingReport]:
    return TypeAdapter(VettingReport)


def vetting_to_html(vetting: VettingReport, language: Translator, today: date | None = None) -> str:
    """Return the document as a page."""
    view = VettingView(vetting, replace(language, isolate_bidi=True))
    verdict, *more = view.summary_sentences()
    app = vetting.app
    context = {
        "notices": tuple(notices(view.language, demo=False)),
        "header_rows": tuple(view.header_rows()),
        "verdict": verdict,
        "more": tuple(more),
        "requests": () if app is None else tuple(_html_request_rows(view, app)),
        "request_notes": () if app is None else tuple(view.request_notes(app)),
        "sections": () if app is None else tuple(_sections(view, app, today)),
        "tool": vetting.tool,
    }
    return html_page.render_page("apk", view.language, context)


def _html_request_rows(view: VettingView, app: VettedApp) -> Iterator[dict[str, str]]:
    for data, state, word, details in view.data_request_rows(app):
        is_requested = state is not DataRequestState.NOT_REQUESTED
        look = {"class": "can_read", "symbol": "●"} if is_requested else {"class": "not_requested", "symbol": "○"}
        yield {"data": data, "word": word, "details": details, **look}


def _sections(view: VettingView, app: VettedApp, today: date | None) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the id, the title and the sentences of each section below the kinds of data."""
    today = today or datetime.now(UTC).date()
    yield "known", view.t("vetted.known"), tuple(view.recognition_sentences(app, today))
    yield "rules", view.t("vetted.rules"), tuple(view.legal_rule_sentences(app))
    yield "code", view.t("vetted.code"), tuple(view.sdk_sentences(app))
    yield "gaps", view.t("vetted.gaps"), tuple(view.limit_sentences())
    yield "advice", view.t("vetted.advice"), tuple(view.advice_sentences())


def vetting_to_text(vetting: VettingReport, language: Translator, width: int = DEFAULT_WIDTH) -> str:
    """Return the document as plain text that ends in a line feed."""
    return "".join(f"{line.text}\n" for line in document_lines(vetting, language, width))


def document_lines(
    vetting: VettingReport, language: Translator, width: int, today: date | None = None
) -> Iterator[StyledLine]:
    """Yield the document line by line, none wider than `width` columns."""
    view = VettingView(vetting, language)
    app = vetting.app
    yield StyledLine(view.t("vetted.title"), "bold")
    for notice in notices(language, demo=False):
        yield from indented_lines("", notice, width)
    yield StyledLine()
    for name, value in view.header_rows():
        yield from indented_lines(pad(name, _HEADER_LABEL_COLUMNS), value, width)
    if app is not None:
        yield from _section_heading(view.t("vetted.asks"))
        for data, state, word, details in view.data_request_rows(app):
            prefix = f"  {pad(data, _DATA_COLUMNS)}{pad(word, _STATE_COLUMNS)}"
            style = "dim" if state is DataRequestState.NOT_REQUESTED else ""
            yield from indented_lines(prefix, details, width, style)
        yield StyledLine()
        yield from _bullet_lines(view.request_notes(app), width)
        for _, title, sentences in _sections(view, app, today):
            yield from _section_heading(title)
            yield from _bullet_lines(sentences, width)
    yield StyledLine()
    yield StyledLine("-" * width, "dim")
    verdict, *more = view.summary_sentences()
    yield from indented_lines(pad(view.t("vetted.result"), _HEADER_LABEL_COLUMNS), verdict, width, "bold")
    for sentence in (*more, view.t("vetted.not_advice")):
        yield from indented_lines(pad("", _HEADER_LABEL_COLUMNS), sentence, width)


def _section_heading(title: str) -> Iterator[StyledLine]:
    yield from (StyledLine(), StyledLine(title, "bold"), StyledLine())


def _bullet_lines(sentences: Iterable[str], width: int) -> Iterator[StyledLine]:
    for sentence in sentences:
        yield from indented_lines("  · ", sentence, width)


def indented_lines(prefix: str, text: str, width: int, style: str = "") -> Iterator[StyledLine]:
    """Yield `text` wrapped to `width` columns, its first line behind `prefix` and the others below it."""
    for line in hanging_indent(prefix, text, width):
        yield StyledLine(line, style)


_RENDERERS: Final[Mapping[str, Callable[[VettingReport, Translator], str]]] = {
    ".html": vetting_to_html,
    ".json": vetting_to_json,
    ".txt": vetting_to_text,
}
DOCUMENT_SUFFIXES: Final = tuple(_RENDERERS)
"""Formats of one document. Documents of many files are `.jsonl` (`privaudit.vetting.batch.ResultsFile`)."""


def save_vetting_report(vetting: VettingReport, path: Path, language: Translator) -> None:
    """Write the document to `path`, in the format of its suffix: whole or not at all (`SourceError`)."""
    save_text(_RENDERERS[path.suffix](vetting, language), path)
