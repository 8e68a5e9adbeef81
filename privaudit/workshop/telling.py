"""What is said of a row: the same sentences on the board and as plain lines. Results only once they may be seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from privaudit.errors import PhoneError
from privaudit.i18n import Translator, sanitize_text
from privaudit.model import Message
from privaudit.report import summary
from privaudit.report.view import ReportView
from privaudit.transport import diagnosis
from privaudit.workshop.model import DeviceRow, DeviceStage, Retention


def device_name(row: DeviceRow, language: Translator) -> str:
    """What the phone calls its model; never its serial number."""
    return sanitize_text(row.device.model) if row.device.model else language.t("workshop.unnamed")


def case_code(row: DeviceRow, language: Translator) -> str:
    """Its case code."""
    return row.code or language.t("workshop.no_code")


def device_state(row: DeviceRow, language: Translator) -> str:
    """Where it is on its way, in a few words. Nothing of what was found."""
    text = language.t
    match row.stage:
        case DeviceStage.AUTHORIZING if row.prompt_shown:
            return text("workshop.stage_asked", n=row.seconds_left or 0)
        case DeviceStage.READING if row.current_step is not None:
            return text("workshop.stage_part", part=Message(key=f"workshop.part_{row.current_step}"))
        case DeviceStage.LABELING:
            return text("workshop.stage_sticker", code=case_code(row, language))
        case DeviceStage.DONE if row.owner_confirmed:
            return text("workshop.stage_shown")
        case DeviceStage.LEFT if row.has_output:
            return text("workshop.stage_left_done")
    return text(f"workshop.stage_{row.stage}")


def consent_lines(retention: Retention, language: Translator) -> Iterator[str]:
    """What its owner agrees to, in the owner's language."""
    for part in ("title", "questions", "bank", "read", "not_read", retention.value, "stop", "advice"):
        yield language.t(f"workshop.consent_{part}")


def instructions(
    row: DeviceRow, language: Translator, retention: Retention, *, others_waiting: bool = False
) -> Iterator[str]:
    """What to do about this row now, one sentence a line. `others_waiting`: whether others wait for a code too."""
    text = language.t
    match row.stage:
        case DeviceStage.QUEUED:
            yield text("workshop.plugged_server" if row.device.source_kind == "server" else "workshop.plugged")
            yield text("workshop.next_queued")
        case DeviceStage.CONSENT:
            if others_waiting:
                yield text("workshop.crowd")
            yield from consent_lines(retention, Translator(row.language))
            yield text("workshop.plugged_server" if row.device.source_kind == "server" else "workshop.plugged")
            yield text("workshop.next_consent")
        case DeviceStage.AUTHORIZING:
            seen = row.fingerprint is not None or not row.prompt_shown
            if seen and row.fingerprint is not None:
                yield from text("cli.allow", fingerprint=row.fingerprint).splitlines()
            elif not seen:
                yield from text("cli.allow_unseen").splitlines()
        case DeviceStage.LABELING:
            kind = "_again" if row.is_returning else "" if row.prompt_shown else "_silent"
            yield text(f"workshop.next_sticker{kind}", code=case_code(row, language))
            if row.token is None:
                yield text("workshop.next_unmarked")
        case DeviceStage.BLOCKED | DeviceStage.FAILED:
            yield from _error_lines(row, language)
            if row.stage is DeviceStage.FAILED:
                yield text("workshop.repeat")
                yield text("workshop.next_failed")
        case DeviceStage.DONE if row.awaiting_confirmation:
            yield text("workshop.confirm", code=case_code(row, language), phone=device_name(row, language))
        case DeviceStage.DONE if not row.owner_confirmed:
            yield text("workshop.next_done")
        case DeviceStage.READING | DeviceStage.REFUSED:
            yield text(f"workshop.next_{row.stage}")
    if row.closing_checks is not None and row.stage is DeviceStage.DONE:
        yield from closing_check_lines(row.closing_checks, language)


def _error_lines(row: DeviceRow, language: Translator) -> Iterator[str]:
    if row.error is None:
        return
    for part in ("what", "why", "next"):
        yield language.t(f"cli.{part}") + language.translate(getattr(row.error, part))
    if isinstance(row.error, PhoneError):
        yield from (
            f"- {language.translate(step)}" for step in diagnosis.troubleshooting_steps(row.error, row.device.vendor)
        )


def result_lines(row: DeviceRow, language: Translator, page_path: Path | None) -> Iterator[str]:
    """The result, in its owner's language; only for a row whose owner has confirmed it."""
    if row.report is None or not row.owner_confirmed:
        return
    own = Translator(row.language)
    if row.report.demo:
        yield own.t("report.demo")
    yield from summary.summary_sentences(ReportView(row.report, own))
    yield own.t("steps.no_recall")
    yield language.t("workshop.page_is", path=str(page_path)) if page_path else language.t("workshop.no_page")
    yield language.t("workshop.next_shown")


def closing_check_lines(checks: dict[str, bool | None], language: Translator) -> Iterator[str]:
    """What can be seen of the close-out list."""
    yield language.t("workshop.closing")
    for thing in ("usb", "wireless"):
        off = checks.get(thing)
        yield language.t(f"workshop.seen_{thing}_{'unknown' if off is None else 'off' if off else 'on'}")
    yield language.t("workshop.seen_never")
