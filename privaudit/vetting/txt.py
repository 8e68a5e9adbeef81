"""The document on one APK for a terminal; the answer stands last, where the screen ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Final

from privaudit.i18n import Language
from privaudit.report.head import notices
from privaudit.report.layout import hanging, pad
from privaudit.report.txt import WIDTH, Line
from privaudit.vetting.document import AskState, Vetting
from privaudit.vetting.report_view import Voice

_HEAD: Final = 10
_NAME: Final = 16
_WORD: Final = 14
_STYLE: Final = {AskState.NOT_REQUESTED: "dim"}


def render(vetting: Vetting, language: Language, width: int = WIDTH) -> str:
    """All of it as plain text, ending in a line feed."""
    return "".join(f"{line.text}\n" for line in lines(vetting, language, width))


def lines(vetting: Vetting, language: Language, width: int, today: date | None = None) -> Iterator[Line]:
    """All of it line by line, none wider than `width` columns."""
    voice = Voice(vetting, language)
    app = vetting.app
    yield Line(voice.text("vetted.title"), "bold")
    for notice in notices(language, demo=False):
        yield from _hanging("", notice, width)
    yield Line()
    for name, value in voice.head():
        yield from _hanging(pad(name, _HEAD), value, width)
    if app is not None:
        yield from _title(voice.text("vetted.asks"))
        for name, state, word, more in voice.asks(app):
            head = f"  {pad(name, _NAME)}{pad(word, _WORD)}"
            yield from _hanging(head, more, width, _STYLE.get(state, ""))
        yield Line()
        yield from _points(voice.beside(app), width)
        yield from _title(voice.text("vetted.known"))
        yield from _points(voice.known(app, today or datetime.now(UTC).date()), width)
        yield from _title(voice.text("vetted.rules"))
        yield from _points(voice.rules(app), width)
        yield from _title(voice.text("vetted.code"))
        yield from _points(voice.code(app), width)
        yield from _title(voice.text("vetted.gaps"))
        yield from _points(voice.gaps(), width)
        yield from _title(voice.text("vetted.advice"))
        yield from _points(voice.advice(), width)
    yield Line()
    yield Line("-" * width, "dim")
    for place, sentence in enumerate(voice.result()):
        head = pad(voice.text("vetted.result") if place == 0 else "", _HEAD)
        yield from _hanging(head, sentence, width, "bold" if place == 0 else "")
    yield from _hanging(pad("", _HEAD), voice.text("vetted.not_advice"), width)


def _title(text: str) -> Iterator[Line]:
    yield from (Line(), Line(text, "bold"), Line())


def _points(sentences: Iterable[str], width: int) -> Iterator[Line]:
    for sentence in sentences:
        yield from _hanging("  · ", sentence, width)


def _hanging(head: str, text: str, width: int, style: str = "") -> Iterator[Line]:
    for line in hanging(head, text, width):
        yield Line(line, style)
