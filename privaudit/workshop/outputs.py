"""What is written of a phone that was read: its page, its capture, its count, and the full report for its owner."""

from __future__ import annotations

import hashlib
from pathlib import Path

from privaudit import report as reports
from privaudit.documents import sheet
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.report import json, save_text
from privaudit.workshop import counts, handout
from privaudit.workshop.books import PRINT_JOB_FILE
from privaudit.workshop.model import DeviceRow, Retention
from privaudit.workshop.storage import WorkshopFolder


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
            page = handout.render_handout(
                row.report, row.code, Translator(row.language), full_sha256=row.full_report_sha256
            )
        capture = row.capture if keep is Retention.CAPTURE else None
        self._folder.save_device(row.code, counts.make_device_record(row.report, row.token), page, capture)

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
        text = sheet.join_pages(page.read_text(encoding="utf-8") for page in self._folder.page_paths())
        if text is None:
            return None
        path = self._folder.path / PRINT_JOB_FILE
        save_text(text, path)
        return path
