"""What is said of an APK, in each form: `txt` and `table` for a terminal, `json`, and `html` for a page."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
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


def vetting_to_html(vetting: VettingReport, language: Translator, today: date | None = None) -> str:
    """The whole page."""
    voice = VettingView(vetting, replace(language, isolate_bidi=True))
    first, *more = voice.summary_sentences()
    app = vetting.app
    return html_page.render_page(
        "apk",
        voice.language,
        {
            "notices": tuple(notices(voice.language, demo=False)),
            "head": tuple(voice.header_rows()),
            "verdict": first,
            "more": tuple(more),
            "asks": () if app is None else tuple(_data_request_rows(voice, app)),
            "beside": () if app is None else tuple(voice.request_notes(app)),
            "parts": () if app is None else tuple(_section_sentences(voice, app, today or datetime.now(UTC).date())),
            "tool": vetting.tool,
        },
    )


def _data_request_rows(view: VettingView, app: VettedApp) -> list[dict[str, str]]:
    return [
        {"data": data, "class": "not_requested", "symbol": "○", "word": word, "more": more}
        if state is DataRequestState.NOT_REQUESTED
        else {"data": data, "class": "can_read", "symbol": "●", "word": word, "more": more}
        for data, state, word, more in view.data_request_rows(app)
    ]


def _section_sentences(view: VettingView, app: VettedApp, today: date) -> list[tuple[str, tuple[str, ...]]]:
    """Name of each further part, and what it says."""
    return [
        ("known", tuple(view.recognition_sentences(app, today))),
        ("rules", tuple(view.legal_rule_sentences(app))),
        ("code", tuple(view.sdk_sentences(app))),
        ("gaps", tuple(view.limit_sentences())),
        ("advice", tuple(view.advice_sentences())),
    ]


@cache
def _document_adapter() -> TypeAdapter[VettingReport]:
    return TypeAdapter(VettingReport)


def vetting_to_json(vetting: VettingReport, _language: Translator | None = None) -> str:
    """The document; its text is keys and values, so it is the same in every language."""
    return dump_json(_document_adapter(), vetting, indent=2)


def vetting_to_json_line(vetting: VettingReport) -> str:
    """The document on one line."""
    return dump_json(_document_adapter(), vetting, indent=None)


def parse_document(document: Mapping[str, object]) -> VettingReport:
    """The document that a line holds, as it was parsed.

    Raises:
        ValueError: it is none.
    """
    return _document_adapter().validate_python(document)


def vetting_schema() -> str:
    """The JSON Schema of the document."""
    return format_json_schema(_document_adapter(), SCHEMA)


_HEADER_LABEL_COLUMNS: Final = 10
_DATA_COLUMNS: Final = 16
_STATE_COLUMNS: Final = 14
_STATE_STYLES: Final = {DataRequestState.NOT_REQUESTED: "dim"}


def vetting_to_text(vetting: VettingReport, language: Translator, width: int = DEFAULT_WIDTH) -> str:
    """All of it as plain text, ending in a line feed."""
    return "".join(f"{line.text}\n" for line in document_lines(vetting, language, width))


def document_lines(
    vetting: VettingReport, language: Translator, width: int, today: date | None = None
) -> Iterator[StyledLine]:
    """All of it line by line, none wider than `width` columns."""
    voice = VettingView(vetting, language)
    app = vetting.app
    yield StyledLine(voice.t("vetted.title"), "bold")
    for notice in notices(language, demo=False):
        yield from _indented_lines("", notice, width)
    yield StyledLine()
    for name, value in voice.header_rows():
        yield from _indented_lines(pad(name, _HEADER_LABEL_COLUMNS), value, width)
    if app is not None:
        yield from _section_heading(voice.t("vetted.asks"))
        for name, state, word, more in voice.data_request_rows(app):
            head = f"  {pad(name, _DATA_COLUMNS)}{pad(word, _STATE_COLUMNS)}"
            yield from _indented_lines(head, more, width, _STATE_STYLES.get(state, ""))
        yield StyledLine()
        yield from _bullet_lines(voice.request_notes(app), width)
        yield from _section_heading(voice.t("vetted.known"))
        yield from _bullet_lines(voice.recognition_sentences(app, today or datetime.now(UTC).date()), width)
        yield from _section_heading(voice.t("vetted.rules"))
        yield from _bullet_lines(voice.legal_rule_sentences(app), width)
        yield from _section_heading(voice.t("vetted.code"))
        yield from _bullet_lines(voice.sdk_sentences(app), width)
        yield from _section_heading(voice.t("vetted.gaps"))
        yield from _bullet_lines(voice.limit_sentences(), width)
        yield from _section_heading(voice.t("vetted.advice"))
        yield from _bullet_lines(voice.advice_sentences(), width)
    yield StyledLine()
    yield StyledLine("-" * width, "dim")
    for place, sentence in enumerate(voice.summary_sentences()):
        head = pad(voice.t("vetted.result") if place == 0 else "", _HEADER_LABEL_COLUMNS)
        yield from _indented_lines(head, sentence, width, "bold" if place == 0 else "")
    yield from _indented_lines(pad("", _HEADER_LABEL_COLUMNS), voice.t("vetted.not_advice"), width)


def _section_heading(text: str) -> Iterator[StyledLine]:
    yield from (StyledLine(), StyledLine(text, "bold"), StyledLine())


def _bullet_lines(sentences: Iterable[str], width: int) -> Iterator[StyledLine]:
    for sentence in sentences:
        yield from _indented_lines("  · ", sentence, width)


def _indented_lines(head: str, text: str, width: int, style: str = "") -> Iterator[StyledLine]:
    for line in hanging_indent(head, text, width):
        yield StyledLine(line, style)


DOCUMENT_SUFFIXES: Final = (".html", ".json", ".txt")
"""What one file's document is written as. Lines of many files are `.jsonl`, which `privaudit.vetting.batch` appends to."""


def save_vetting_report(vetting: VettingReport, path: Path, language: Translator) -> None:
    """Write the document to `path`: whole, or not at all.

    Raises:
        SourceError: it cannot be written.
    """
    module = importlib.import_module(f"privaudit.vetting.{path.suffix.removeprefix('.')}")
    save_text(module.render(vetting, language), path)
