"""The document on one APK as one page, to read on a screen and to print."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from privaudit.i18n import Language
from privaudit.report import html_page
from privaudit.report.head import notices
from privaudit.vetting.document import AskState, VettedApp, Vetting
from privaudit.vetting.report_view import Voice


def render(vetting: Vetting, language: Language, today: date | None = None) -> str:
    """The whole page."""
    voice = Voice(vetting, replace(language, isolate=True))
    first, *more = voice.result()
    app = vetting.app
    return html_page.render(
        "apk",
        voice.language,
        {
            "notices": tuple(notices(voice.language, demo=False)),
            "head": tuple(voice.head()),
            "verdict": first,
            "more": tuple(more),
            "asks": () if app is None else tuple(_asks(voice, app)),
            "beside": () if app is None else tuple(voice.beside(app)),
            "parts": () if app is None else tuple(_parts(voice, app, today or datetime.now(UTC).date())),
            "tool": vetting.tool,
        },
    )


def _asks(voice: Voice, app: VettedApp) -> list[dict[str, str]]:
    return [
        {"data": data, "class": "not_requested", "symbol": "○", "word": word, "more": more}
        if state is AskState.NOT_REQUESTED
        else {"data": data, "class": "can_read", "symbol": "●", "word": word, "more": more}
        for data, state, word, more in voice.asks(app)
    ]


def _parts(voice: Voice, app: VettedApp, today: date) -> list[tuple[str, tuple[str, ...]]]:
    """Name of each further part, and what it says."""
    return [
        ("known", tuple(voice.known(app, today))),
        ("rules", tuple(voice.rules(app))),
        ("code", tuple(voice.code(app))),
        ("gaps", tuple(voice.gaps())),
        ("advice", tuple(voice.advice())),
    ]
