"""What is said of a row: the same sentences on the board and as plain lines. Results only once they may be seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from privaudit.errors import PhoneError
from privaudit.i18n import Language, tame
from privaudit.model import Message
from privaudit.report import summary
from privaudit.report.view import Voice
from privaudit.transport import diagnosis
from privaudit.workshop.model import Keep, Row, Stage


def name(row: Row, language: Language) -> str:
    """What the phone calls its model; never its serial number."""
    return tame(row.plugged.name) if row.plugged.name else language.text("workshop.unnamed")


def code(row: Row, language: Language) -> str:
    """Its case code."""
    return row.code or language.text("workshop.no_code")


def state(row: Row, language: Language) -> str:
    """Where it is on its way, in a few words. Nothing of what was found."""
    text = language.text
    match row.stage:
        case Stage.CALLING if row.asked:
            return text("workshop.stage_asked", n=row.seconds or 0)
        case Stage.READING if row.part is not None:
            return text("workshop.stage_part", part=Message(key=f"workshop.part_{row.part}"))
        case Stage.STICKER:
            return text("workshop.stage_sticker", code=code(row, language))
        case Stage.DONE if row.confirmed:
            return text("workshop.stage_shown")
        case Stage.LEFT if row.finished:
            return text("workshop.stage_left_done")
    return text(f"workshop.stage_{row.stage}")


def consent(keep: Keep, language: Language) -> Iterator[str]:
    """What its owner agrees to, in the owner's language."""
    for part in ("title", "questions", "bank", "read", "not_read", keep.value, "stop", "advice"):
        yield language.text(f"workshop.consent_{part}")


def todo(row: Row, language: Language, keep: Keep, *, crowd: bool = False) -> Iterator[str]:  # noqa: C901, PLR0912 - one case a stage
    """What to do about this row now, one sentence a line. `crowd`: whether others wait for a code too."""
    text = language.text
    match row.stage:
        case Stage.QUEUED:
            yield text("workshop.plugged_server" if row.plugged.way == "server" else "workshop.plugged")
            yield text("workshop.next_queued")
        case Stage.CONSENT:
            if crowd:
                yield text("workshop.crowd")
            yield from consent(keep, Language(row.language))
            yield text("workshop.plugged_server" if row.plugged.way == "server" else "workshop.plugged")
            yield text("workshop.next_consent")
        case Stage.CALLING:
            seen = row.fingerprint is not None or not row.asked
            if seen and row.fingerprint is not None:
                yield from text("cli.allow", fingerprint=row.fingerprint).splitlines()
            elif not seen:
                yield from text("cli.allow_unseen").splitlines()
        case Stage.STICKER:
            kind = "_again" if row.again else "" if row.asked else "_silent"
            yield text(f"workshop.next_sticker{kind}", code=code(row, language))
            if row.token is None:
                yield text("workshop.next_unmarked")
        case Stage.BLOCKED | Stage.FAILED:
            yield from _trouble(row, language)
            if row.stage is Stage.FAILED:
                yield text("workshop.repeat")
                yield text("workshop.next_failed")
        case Stage.DONE if row.confirming:
            yield text("workshop.confirm", code=code(row, language), phone=name(row, language))
        case Stage.DONE if not row.confirmed:
            yield text("workshop.next_done")
        case Stage.READING | Stage.REFUSED:
            yield text(f"workshop.next_{row.stage}")
    if row.closing is not None and row.stage is Stage.DONE:
        yield from closing(row.closing, language)


def _trouble(row: Row, language: Language) -> Iterator[str]:
    if row.error is None:
        return
    for part in ("what", "why", "next"):
        yield language.text(f"cli.{part}") + language.say(getattr(row.error, part))
    if isinstance(row.error, PhoneError):
        yield from (f"- {language.say(step)}" for step in diagnosis.advice(row.error, row.plugged.maker))


def shown(row: Row, language: Language, page: Path | None) -> Iterator[str]:
    """The result, in its owner's language; only for a row whose owner has confirmed it."""
    if row.report is None or not row.confirmed:
        return
    own = Language(row.language)
    if row.report.demo:
        yield own.text("report.demo")
    yield from summary.result(Voice(row.report, own))
    yield own.text("steps.no_recall")
    yield language.text("workshop.page_is", path=str(page)) if page else language.text("workshop.no_page")
    yield language.text("workshop.next_shown")


def closing(seen: dict[str, bool | None], language: Language) -> Iterator[str]:
    """What can be seen of the close-out list."""
    yield language.text("workshop.closing")
    for thing in ("usb", "wireless"):
        off = seen.get(thing)
        yield language.text(f"workshop.seen_{thing}_{'unknown' if off is None else 'off' if off else 'on'}")
    yield language.text("workshop.seen_never")
