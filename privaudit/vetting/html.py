"""The document on one APK as one page, to read on a screen and to print."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from privaudit.i18n import Translator
from privaudit.report import html_page
from privaudit.report.head import notices
from privaudit.vetting.document import DataRequestState, VettedApp, VettingReport
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
