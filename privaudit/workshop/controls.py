"""What both faces share: what a key means. The board has a chosen row; plain lines name theirs by its code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from privaudit.errors import PhoneError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Message
from privaudit.report import summary
from privaudit.report.view import ReportView
from privaudit.transport import diagnosis
from privaudit.workshop.model import ACTIVE_STAGES, DeviceRow, DeviceStage, Retention
from privaudit.workshop.session import WorkshopSession


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


_DEVICE_KEYS: Final = frozenset("crxsnavyo")


class KeyController:
    """Turns keys into actions.

    Args:
        session: what is acted on.
    """

    def __init__(self, session: WorkshopSession) -> None:
        self.session = session
        self.language = session.language
        self.shown_row: DeviceRow | None = None
        """Whose result is to be seen."""
        self.quitting = False

    def instructions(self, row: DeviceRow) -> Iterator[str]:
        """What to do about `row` now."""
        others = any(
            other.stage is DeviceStage.QUEUED and other.code is None for other in self.session.device_queue.rows
        )
        return instructions(row, self.language, self.session.folder.open_session.keep, others_waiting=others)

    def show_message(self, message: Message) -> None:
        """See `privaudit.workshop.session.WorkshopView.tell`."""
        raise NotImplementedError

    def show_text(self, key: str, /, **values: str | int) -> None:
        """One sentence of the workshop's own."""
        self.show_message(Message(key=key, values=values))

    def handle_row_key(self, key: str, row: DeviceRow) -> None:
        """Do what `key` says with `row`."""
        if key == "h":
            self.shown_row = None
        elif key == "l":
            self.session.switch_language(row)
        elif key in _DEVICE_KEYS:
            self.session.handle_device_key(key, row)
            if key in {"v", "y"} and row.owner_confirmed and row.stage is DeviceStage.DONE:
                self.shown_row = row
            elif self.shown_row is row:
                self.shown_row = row if key == "o" else None
        else:
            self.show_text("workshop.no_such_key", key=key[:10])

    def handle_global_key(self, key: str) -> bool:
        """Do what concerns no single row; whether that was it."""
        if key == "p":
            self.session.export_print_job()
        elif key == "q":
            self.ask_how_to_quit()
        else:
            return False
        return True

    def ask_how_to_quit(self) -> None:
        """Ask how to end."""
        path = self.session.export_print_job() if self.session.folder.page_paths() else None
        running = sum(row.stage in ACTIVE_STAGES for row in self.session.device_queue.connected_rows())
        if running:
            self.show_text("workshop.quit_running", n=running)
        self.quitting = True
        n = len(self.session.folder.page_paths())
        self.show_text("workshop.quit", n=n, path=str(path or "–"))

    def handle_quit_answer(self, key: str) -> None:
        """The answer to `quit`."""
        if key not in {"y", "k", "n"}:
            return
        self.quitting = False
        if key != "n":
            self.session.close(keep_pages=key == "k")

    def result_lines(self, row: DeviceRow) -> Iterator[str]:
        """What its owner may see now."""
        if self.shown_row is row:
            yield from result_lines(row, self.language, self._page_path(row))

    def _page_path(self, row: DeviceRow) -> Path | None:
        return self.session.outputs.page_path(row)
