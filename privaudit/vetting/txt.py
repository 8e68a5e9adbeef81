"""The document on one APK for a terminal; the answer stands last, where the screen ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Final

from privaudit.i18n import Translator
from privaudit.report.head import notices
from privaudit.report.layout import hanging_indent, pad
from privaudit.report.txt import DEFAULT_WIDTH, StyledLine
from privaudit.vetting.document import DataRequestState, VettingReport
from privaudit.vetting.report_view import VettingView

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
