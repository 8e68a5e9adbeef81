"""What is written about a phone that was read: its page, its capture, its record, and the full report for its owner."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from privaudit import documents
from privaudit.documents.render import join_sheets, sheets_to_html
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.model import App, DataClass, Message, Phone, Report, Step
from privaudit.report import gaps, json, matrix, save_text, summary, taps, write_report
from privaudit.report.view import ReportView
from privaudit.revocation import steps
from privaudit.workshop import statistics
from privaudit.workshop.model import DeviceRow, Retention
from privaudit.workshop.storage import PRINT_JOB_FILE, WorkshopFolder

_SEPARATOR: Final = " · "


def write_outputs(folder: WorkshopFolder, row: DeviceRow) -> None:
    """Write what is to be kept of `row`. Raises SourceError ``not_written``."""
    assert row.report is not None  # noqa: S101 - the queue calls this only for a phone that was read
    assert row.code is not None  # noqa: S101
    retention = folder.open_session.keep
    page_html = None
    if retention is not Retention.NOTHING:
        language = Translator(row.language)
        page_html = render_handout(row.report, row.code, language, full_report_sha256=row.full_report_sha256)
    record = statistics.make_device_record(row.report, row.token)
    folder.save_device(row.code, record, page_html, row.capture if retention is Retention.CAPTURE else None)


def page_path(folder: WorkshopFolder, row: DeviceRow) -> Path | None:
    """Return the path of the page of `row`, if there is one."""
    path = folder.page_path(row.code) if row.code is not None else None
    return path if path is not None and path.exists() else None


def export_full_report(folder: WorkshopFolder, row: DeviceRow, target_folder: Path) -> Path:
    """Write the full report to the owner's own drive or folder, and its hash to `row`, for the page.

    Raises UsageError if there is no such folder or it is the workshop's, SourceError ``not_written``.
    """
    assert row.report is not None  # noqa: S101 - only called for a phone that was read
    if not target_folder.is_dir():
        raise UsageError("errors.no_folder", path=str(target_folder))
    if target_folder.resolve().is_relative_to(folder.path.resolve()):
        raise UsageError("errors.not_their_own", path=str(target_folder))
    path = target_folder / f"privaudit-{row.code}.json"
    text = json.render(row.report)
    try:
        save_text(text, path)
        write_report(row.report, path.with_suffix(".txt"), Translator(row.language))
    except SourceError:
        path.unlink(missing_ok=True)
        raise
    row.full_report_sha256 = hashlib.sha256(text.encode()).hexdigest()
    return path


def export_print_job(folder: WorkshopFolder) -> Path | None:
    """Write all pages to one file, each on a sheet of its own; ``None``: there are no pages.

    Raises SourceError as `WorkshopFolder.read_pages`, or ``not_written``.
    """
    html = join_sheets(folder.read_pages())
    if html is None:
        return None
    path = folder.path / PRINT_JOB_FILE
    save_text(html, path)
    return path


def render_handout(report: Report, code: str, language: Translator, *, full_report_sha256: str | None = None) -> str:
    """Render the page of a phone as HTML, in the owner's `language`."""
    blocks = _handout_blocks(ReportView(report, language), code, full_report_sha256)
    title = language.t("workshop.handout")
    sheet = documents.titled_document(title, language.code, blocks, layout="page", corner_label=code)
    return sheets_to_html([sheet], demo=report.demo)


def _handout_blocks(view: ReportView, code: str, full_report_sha256: str | None) -> Iterator[documents.DocumentBlock]:
    t, report = view.t, view.report
    if report.source.kind == "server":
        # The ADB server's key stays authorized on the phone: whoever has this computer could connect again.
        yield documents.notice(t("workshop.server_key"))
        yield documents.step_list(map(view.translate, _steps_to_revoke_authorizations(report.phone)))
    phone, checked_on = report.phone, report.taken_at.astimezone().date().isoformat()
    names = (phone.manufacturer, phone.model, phone.android and f"Android {phone.android}", phone.rom.name)
    phone_line = _SEPARATOR.join(filter(None, names))
    yield from documents.paragraphs(t("workshop.handout_phone", phone=phone_line, code=code, checked_on=checked_on))
    yield documents.notice(*summary.summary_sentences(view))
    yield documents.Heading(t("workshop.handout_first"))
    yield documents.bullet_list(map(view.translate, steps.SAFETY_NOTES))
    yield from _app_blocks(view)
    yield documents.Heading(t("workshop.handout_gaps"))
    never_visible = (t("report.never_uninstalled"), t("report.never_mini"), t("report.never_sent"))
    yield documents.bullet_list([*gaps.missing_data(view), *never_visible])
    yield documents.Heading(t("workshop.handout_leaving"))
    yield documents.step_list(map(view.translate, steps.closing_steps(report.phone)))
    if full_report_sha256 is not None:
        yield documents.Paragraph(t("workshop.handout_hash"))
        yield documents.Code(full_report_sha256)
    yield from documents.paragraphs(t("report.remember_debt"), t("report.not_advice"))


def _app_blocks(view: ReportView) -> Iterator[documents.DocumentBlock]:
    """Yield what each app can read, then the lists of taps, each once with the apps that it is for."""
    t, phone = view.t, view.report.phone
    numbers = view.app_numbers
    if not numbers:
        return
    yield documents.bullet_list(_access_line(view, app, numbers[app.package]) for app in view.ordered_apps())
    yield documents.Heading(t("workshop.handout_steps", rom=phone.rom.name))
    tap_lists = taps.tap_lists(view)
    for tap_list in tap_lists:
        yield documents.Heading(taps.list_title(view, tap_list, numbers))
        yield from step_blocks(view.language, tap_list.steps)
        if same := taps.same_for(view, tap_list, numbers):
            yield documents.Paragraph(same)
    if not tap_lists:
        yield documents.Paragraph(t("report.steps_none"))
    yield documents.checkbox_list([view.translate(steps.check_other_apps_step(phone))])


def _access_line(view: ReportView, app: App, number: int) -> str:
    cells = {data: matrix.cell_text(view, app, data)[0] for data in DataClass}
    access = (view.t("workshop.can", data=matrix.data_label(view, data), state=cell) for data, cell in cells.items())
    return _SEPARATOR.join((f"{number} {view.app_title(app)}", *access))


def step_blocks(language: Translator, tap_steps: Iterable[Step]) -> Iterator[documents.DocumentBlock]:
    """Yield the steps with boxes and numbers that go on after a note, and the notes between them without."""
    numbered = steps.number_steps(tap_steps)
    for is_note, group in itertools.groupby(numbered, key=lambda numbered_step: numbered_step[0] is None):
        if is_note:
            yield documents.bullet_list(language.translate(step) for _, step in group)
        else:
            yield documents.checkbox_list(f"{number}. {language.translate(step)}" for number, step in group)


def _steps_to_revoke_authorizations(phone: Phone) -> Iterator[Message]:
    """Yield the steps that revoke the USB debugging authorizations, and with them the ADB server's key."""
    for step in steps.disable_usb_debugging_steps(phone):
        yield step
        if steps.is_revoke_authorizations_step(step, phone):
            return
