"""What is written of a phone that was read: its page, its capture, its count, and the full report for its owner."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from privaudit import report as reports
from privaudit.documents import (
    Code,
    DocumentBlock,
    Heading,
    Paragraph,
    bullet_list,
    checkbox_list,
    notice,
    paragraphs,
    step_list,
    titled_document,
)
from privaudit.documents.render import join_sheets, sheets_to_html
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.model import DataClass, Message, Phone, Report
from privaudit.report import gaps, json, matrix, save_text, summary
from privaudit.report.view import ReportView
from privaudit.revocation import steps
from privaudit.workshop import statistics
from privaudit.workshop.model import DeviceRow, Retention
from privaudit.workshop.storage import PRINT_JOB_FILE, WorkshopFolder

_SEPARATOR: Final = " · "


def render_handout(report: Report, code: str, language: Translator, *, full_sha256: str | None = None) -> str:
    """The page of the phone with this case code, as HTML.

    Args:
        report: on it.
        code: its case code.
        language: its owner's.
        full_sha256: of the full report, where the owner has it; else there is nothing to compare it with.
    """
    voice = ReportView(report, language)
    blocks = _handout_blocks(voice, code, full_sha256)
    sheet = titled_document(language.t("workshop.handout"), language.code, blocks, layout="page", corner_label=code)
    return sheets_to_html([sheet], demo=report.demo)


def closing_steps(phone: Phone) -> Iterator[Message]:
    """The close-out list of this phone, one action a line."""
    yield Message(key="workshop.unplug")
    for step in steps.disable_usb_debugging_steps(phone):
        yield step
        if step.values.get("word") == _revoke_menu_term(phone):
            yield Message(key="workshop.wireless_off")
    yield Message(key="workshop.payment_works")


def _handout_blocks(view: ReportView, code: str, full_sha256: str | None) -> Iterator[DocumentBlock]:
    say, report = view.t, view.report
    by_server = report.source.kind == "server"
    if by_server:
        # Its key is the server's, and stays: whoever has this computer could come back.
        yield notice(say("workshop.server_key"))
        yield step_list(map(view.translate, _steps_to_revoke_keys(report.phone)))
    yield Paragraph(
        say("workshop.handout_phone", phone=_phone_line(report.phone), code=code, checked_on=_audit_date(report))
    )
    yield notice(*summary.summary_sentences(view))
    yield Heading(say("workshop.handout_first"))
    yield bullet_list(map(view.translate, steps.SAFETY_NOTES))
    shown = [app for package in view.ordered_packages() for app in view.installs_of(package)]
    if shown:
        yield Heading(say("workshop.handout_steps", rom=report.phone.rom.name))
    for app in shown:
        yield Heading(view.app_title(app))
        cells = {data: matrix.cell_text(view, app, data)[0] for data in DataClass}
        can = (say("workshop.can", data=Message(key=f"report.{data}"), state=cell) for data, cell in cells.items())
        yield Paragraph(_SEPARATOR.join(can))
        own = view.steps_for(app)
        yield step_list(map(view.translate, own)) if own else Paragraph(say("report.steps_none"))
    if shown:
        yield checkbox_list([view.translate(steps.check_other_apps_step(report.phone))])
    missing = gaps.missing_data(view)
    yield Heading(say("workshop.handout_gaps"))
    yield bullet_list([*missing, say("report.never_uninstalled"), say("report.never_mini"), say("report.never_sent")])
    yield Heading(say("workshop.handout_leaving"))
    yield step_list(map(view.translate, closing_steps(report.phone)))
    if full_sha256 is not None:
        yield Paragraph(say("workshop.handout_hash"))
        yield Code(full_sha256)
    yield from paragraphs(say("report.remember_debt"), say("report.not_advice"))


def _steps_to_revoke_keys(phone: Phone) -> Iterator[Message]:
    """The way to revoking the authorisations, which takes the server's key away."""
    for step in steps.disable_usb_debugging_steps(phone):
        yield step
        if step.values.get("word") == _revoke_menu_term(phone):
            return


def _revoke_menu_term(phone: Phone) -> Message:
    return Message(key=f"menu.{phone.rom.id}.revoke_usb")


def _phone_line(phone: Phone) -> str:
    parts = (phone.manufacturer, phone.model, phone.android and f"Android {phone.android}", phone.rom.name)
    return _SEPARATOR.join(part for part in parts if part)


def _audit_date(report: Report) -> str:
    return report.taken_at.astimezone().date().isoformat()


class OutputWriter:
    """Writes for `folder`."""

    def __init__(self, folder: WorkshopFolder) -> None:
        self._folder = folder

    def write_outputs(self, row: DeviceRow) -> None:
        """Keep what is to be kept of `row`.

        Raises:
            SourceError: ``not_written``.
        """
        assert row.report is not None  # noqa: S101 - the desk calls with a report
        assert row.code is not None  # noqa: S101
        keep = self._folder.open_session.keep
        page = None
        if keep is not Retention.NOTHING:
            page = render_handout(row.report, row.code, Translator(row.language), full_sha256=row.full_report_sha256)
        capture = row.capture if keep is Retention.CAPTURE else None
        self._folder.save_device(row.code, statistics.make_device_record(row.report, row.token), page, capture)

    def page_path(self, row: DeviceRow) -> Path | None:
        """Where its page is."""
        path = self._folder.page_path(row.code or "")
        return path if row.code is not None and path.exists() else None

    def export_full_report(self, row: DeviceRow, target_folder: Path) -> Path:
        """Write the full report to the owner's own stick or folder; its hash goes to the row, for the page.

        Raises:
            UsageError: ``no_folder``, ``not_their_own``: the folder is the workshop's.
            SourceError: ``not_written``.
        """
        assert row.report is not None  # noqa: S101 - only of a phone that was read
        if not target_folder.is_dir():
            raise UsageError("errors.no_folder", path=str(target_folder))
        if target_folder.resolve().is_relative_to(self._folder.path.resolve()):
            raise UsageError("errors.not_their_own", path=str(target_folder))
        language = Translator(row.language)
        path = target_folder / f"privaudit-{row.code}.json"
        text = json.render(row.report)
        try:
            save_text(text, path)
            reports.write_report(row.report, path.with_suffix(".txt"), language)
        except SourceError:
            path.unlink(missing_ok=True)
            raise
        row.full_report_sha256 = hashlib.sha256(text.encode()).hexdigest()
        return path

    def export_print_job(self) -> Path | None:
        """All pages as one file, each on a page of its own; ``None``: there are none.

        Raises:
            SourceError: ``not_written``.
        """
        text = join_sheets(page.read_text(encoding="utf-8") for page in self._folder.page_paths())
        if text is None:
            return None
        path = self._folder.path / PRINT_JOB_FILE
        save_text(text, path)
        return path
