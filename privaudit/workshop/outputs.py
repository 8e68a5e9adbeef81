"""What is written of a phone that was read: its page, its capture, its count, and the full report for its owner."""

from __future__ import annotations

import hashlib
from pathlib import Path

from privaudit import report as reports
from privaudit.documents import sheet
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Language
from privaudit.report import json, save
from privaudit.workshop import counts, handout
from privaudit.workshop.books import PRINT
from privaudit.workshop.model import Keep, Row
from privaudit.workshop.storage import Folder


class Office:
    """Writes for `folder`."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def keep(self, row: Row) -> None:
        """Keep what is to be kept of `row`.

        Raises:
            SourceError: ``not_written``.
        """
        assert row.report is not None  # noqa: S101 - the desk calls with a report
        assert row.code is not None  # noqa: S101
        keep = self._folder.day.keep
        page = None
        if keep is not Keep.NOTHING:
            page = handout.page(row.report, row.code, Language(row.language), full_sha256=row.full_sha256)
        capture = row.capture if keep is Keep.CAPTURE else None
        self._folder.finish(row.code, counts.record(row.report, row.token), page, capture)

    def page(self, row: Row) -> Path | None:
        """Where its page is."""
        path = self._folder.page(row.code or "")
        return path if row.code is not None and path.exists() else None

    def full(self, row: Row, where: Path) -> Path:
        """Write the full report to the owner's own stick or folder; its hash goes to the row, for the page.

        Raises:
            UsageError: ``no_folder``, ``not_their_own``: the folder is the workshop's.
            SourceError: ``not_written``.
        """
        assert row.report is not None  # noqa: S101 - only of a phone that was read
        if not where.is_dir():
            raise UsageError("errors.no_folder", path=str(where))
        if where.resolve().is_relative_to(self._folder.path.resolve()):
            raise UsageError("errors.not_their_own", path=str(where))
        language = Language(row.language)
        path = where / f"privaudit-{row.code}.json"
        text = json.render(row.report)
        try:
            save(text, path)
            reports.write(row.report, path.with_suffix(".txt"), language)
        except SourceError:
            path.unlink(missing_ok=True)
            raise
        row.full_sha256 = hashlib.sha256(text.encode()).hexdigest()
        return path

    def print_job(self) -> Path | None:
        """All pages as one file, each on a page of its own; ``None``: there are none.

        Raises:
            SourceError: ``not_written``.
        """
        text = sheet.join(page.read_text(encoding="utf-8") for page in self._folder.pages())
        if text is None:
            return None
        path = self._folder.path / PRINT
        save(text, path)
        return path
