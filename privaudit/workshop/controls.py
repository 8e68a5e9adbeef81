"""What the board and the plain view share: the texts about a row, and what each key does."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from privaudit.errors import PhoneError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Message
from privaudit.report import summary
from privaudit.report.view import ReportView
from privaudit.transport import diagnosis, vendors
from privaudit.workshop import outputs
from privaudit.workshop.model import ACTIVE_STAGES, DeviceRow, DeviceStage, Retention, consent_lines
from privaudit.workshop.session import WorkshopSession, WorkshopView

STAGE_DISPLAY: Final[Mapping[DeviceStage, tuple[str, str]]] = {
    # stage: its words, and a style on the board, where nothing is said by style alone
    DeviceStage.BLOCKED: ("workshop.stage_blocked", "yellow"),
    DeviceStage.QUEUED: ("workshop.stage_queued", ""),
    DeviceStage.CONSENT: ("workshop.stage_consent", "bold"),
    DeviceStage.AUTHORIZING: ("workshop.stage_calling", "bold"),
    DeviceStage.LABELING: ("workshop.stage_sticker", "bold"),
    DeviceStage.READING: ("workshop.stage_reading", ""),
    DeviceStage.DONE: ("workshop.stage_done", ""),
    DeviceStage.FAILED: ("workshop.stage_failed", "yellow"),
    DeviceStage.REFUSED: ("workshop.stage_refused", ""),
    DeviceStage.LEFT: ("workshop.stage_left", "dim"),
}
_STEP_KEYS: Final[Mapping[str | None, str]] = {
    "first_round": "workshop.part_first_round",
    "later_round": "workshop.part_later_round",
    "naming": "workshop.part_naming",
}
_CLOSING_CHECK_KEYS: Final[Mapping[str, Mapping[bool | None, str]]] = {
    "usb": {True: "workshop.seen_usb_off", False: "workshop.seen_usb_on", None: "workshop.seen_usb_unknown"},
    "wireless": {
        True: "workshop.seen_wireless_off",
        False: "workshop.seen_wireless_on",
        None: "workshop.seen_wireless_unknown",
    },
}
_DEVICE_KEYS: Final = frozenset("crxsnavyo")
"""Keys that `privaudit.workshop.device_queue.DeviceQueue.handle_key` handles."""
MAX_ECHOED_CHARS: Final = 10
"""Characters of an unknown key that are repeated to the facilitator."""


def device_name(row: DeviceRow, language: Translator) -> str:
    """Return the model name that the phone reports; never its serial number."""
    return sanitize_text(row.device.model) if row.device.model else language.t("workshop.unnamed")


def case_code(row: DeviceRow, language: Translator) -> str:
    """Return the case code, or a dash before there is one."""
    return row.code or language.t("workshop.no_code")


def device_state(row: DeviceRow, language: Translator) -> str:
    """Describe the stage of a row in a few words. Says nothing about the result."""
    text = language.t
    match row.stage:
        case DeviceStage.AUTHORIZING if row.prompt_shown:
            return text("workshop.stage_asked", n=row.seconds_left or 0)
        case DeviceStage.READING if row.current_step in _STEP_KEYS:
            return text("workshop.stage_part", part=Message(key=_STEP_KEYS[row.current_step]))
        case DeviceStage.LABELING:
            return text("workshop.stage_sticker", code=case_code(row, language))
        case DeviceStage.DONE if row.owner_confirmed:
            return text("workshop.stage_shown")
        case DeviceStage.LEFT if row.has_output:
            return text("workshop.stage_left_done")
    return text(STAGE_DISPLAY[row.stage][0])


def instructions(
    row: DeviceRow, language: Translator, retention: Retention, *, others_waiting: bool = False
) -> Iterator[str]:
    """Yield what to do about a row, line by line. `others_waiting`: further phones without a code are plugged in."""
    match row.stage:
        case DeviceStage.QUEUED:
            yield language.t(_plugged_in_key(row))
            yield language.t("workshop.next_queued")
        case DeviceStage.CONSENT:
            if others_waiting:
                yield language.t("workshop.crowd")
            yield from consent_lines(retention, Translator(row.language))
            yield language.t(_plugged_in_key(row))
            yield language.t("workshop.next_consent")
        case DeviceStage.AUTHORIZING:
            yield from _authorizing_lines(row, language)
        case DeviceStage.LABELING:
            yield from _labeling_lines(row, language)
        case DeviceStage.BLOCKED | DeviceStage.FAILED:
            yield from _error_lines(row, language)
        case DeviceStage.READING:
            yield language.t("workshop.next_reading")
        case DeviceStage.REFUSED:
            yield language.t("workshop.next_refused")
        case DeviceStage.DONE:
            yield from _done_lines(row, language)


def _plugged_in_key(row: DeviceRow) -> str:
    return "workshop.plugged_server" if row.device.source_kind == "server" else "workshop.plugged"


def _authorizing_lines(row: DeviceRow, language: Translator) -> Iterator[str]:
    if row.fingerprint is not None:
        yield from language.t("cli.allow", fingerprint=row.fingerprint).splitlines()
    elif row.prompt_shown:
        yield from language.t("cli.allow_unseen").splitlines()


def _labeling_lines(row: DeviceRow, language: Translator) -> Iterator[str]:
    if row.is_returning:
        key = "workshop.next_sticker_again"
    else:
        key = "workshop.next_sticker" if row.prompt_shown else "workshop.next_sticker_silent"
    yield language.t(key, code=case_code(row, language))
    if row.token is None:
        yield language.t("workshop.next_unmarked")


def _error_lines(row: DeviceRow, language: Translator) -> Iterator[str]:
    if row.error is not None:
        yield language.t("cli.what") + language.translate(row.error.what)
        yield language.t("cli.why") + language.translate(row.error.why)
        yield language.t("cli.next") + language.translate(row.error.next)
    if isinstance(row.error, PhoneError):
        country = vendors.country_of_language(language.code)
        for step in diagnosis.troubleshooting_steps(row.error, row.device.vendor, country):
            yield f"- {language.translate(step)}"
    if row.stage is DeviceStage.FAILED:
        yield language.t("workshop.repeat")
        yield language.t("workshop.next_failed")


def _done_lines(row: DeviceRow, language: Translator) -> Iterator[str]:
    if row.awaiting_confirmation:
        yield language.t("workshop.confirm", code=case_code(row, language), phone=device_name(row, language))
    elif not row.owner_confirmed:
        yield language.t("workshop.next_done")
    if row.closing_checks is not None:
        yield language.t("workshop.closing")
        for name, sentences in _CLOSING_CHECK_KEYS.items():
            yield language.t(sentences[row.closing_checks.get(name)])
        yield language.t("workshop.seen_never")


def result_lines(row: DeviceRow, language: Translator, page_path: Path | None) -> Iterator[str]:
    """Yield the result in the owner's language; nothing before the owner has confirmed phone and code."""
    if row.report is None or not row.owner_confirmed:
        return
    owner_language = Translator(row.language)
    if row.report.demo:
        yield owner_language.t("report.demo")
    yield from summary.summary_sentences(ReportView(row.report, owner_language))
    yield owner_language.t("steps.no_recall")
    yield language.t("workshop.page_is", path=str(page_path)) if page_path else language.t("workshop.no_page")
    yield language.t("workshop.next_shown")


class KeyController(WorkshopView):
    """Turns keys into actions; the board applies them to its selected row, the plain view to one named by its code."""

    def __init__(self, session: WorkshopSession) -> None:
        self.session = session
        self.language = session.language
        self.shown_row: DeviceRow | None = None
        """Row whose result is visible."""
        self.quitting = False

    def row_instructions(self, row: DeviceRow) -> Iterator[str]:
        """Yield what the facilitator does about `row` now."""
        rows = self.session.device_queue.rows
        others_waiting = any(other.stage is DeviceStage.QUEUED and other.code is None for other in rows)
        return instructions(row, self.language, self.session.folder.open_session.keep, others_waiting=others_waiting)

    def visible_result(self, row: DeviceRow) -> Iterator[str]:
        """Yield the result of `row` if that row is the one whose result is visible."""
        if self.shown_row is row:
            yield from result_lines(row, self.language, outputs.page_path(self.session.folder, row))

    def handle_row_key(self, key: str, row: DeviceRow) -> None:
        """Do what `key` means for `row`."""
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
            self.session.show_text("workshop.no_such_key", key=key[:MAX_ECHOED_CHARS])

    def handle_global_key(self, key: str) -> bool:
        """Do what `key` means for the whole session. Returns whether it is such a key."""
        if key == "p":
            self.session.export_print_job()
        elif key == "q":
            self.ask_how_to_quit()
        return key in {"p", "q"}

    def ask_how_to_quit(self) -> None:
        """Write the print job, and ask whether to close the workshop and keep the pages."""
        path = self.session.export_print_job() if self.session.folder.page_paths() else None
        running = sum(row.stage in ACTIVE_STAGES for row in self.session.device_queue.connected_rows())
        if running:
            self.session.show_text("workshop.quit_running", n=running)
        self.quitting = True
        self.session.show_text("workshop.quit", n=len(self.session.folder.page_paths()), path=str(path or "–"))

    def handle_quit_answer(self, key: str) -> None:
        """Act on the answer to `ask_how_to_quit`: ``y`` close, ``k`` close and keep the pages, ``n`` go on."""
        if key not in {"y", "k", "n"}:
            return
        self.quitting = False
        if key != "n":
            self.session.close(keep_pages=key == "k")
