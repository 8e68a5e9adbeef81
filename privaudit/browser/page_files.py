"""The files that the page saves: what a check is kept in, and counts of several phones; and the name of one opened."""

from __future__ import annotations

import io
import secrets
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from privaudit.capture import archive
from privaudit.capture.model import Capture
from privaudit.i18n import Translator
from privaudit.model import DataClass, Report
from privaudit.report import json, save_text

_MAX_FILE_NAME_BYTES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFile:
    """A file that a request makes, for the page to save."""

    suffix: str
    """What its name ends with."""
    data: bytes


def archive_bytes(capture: Capture) -> bytes:
    """Return the saved check (zip)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "check.zip"
        archive.write_archive(capture, path)
        return path.read_bytes()


def evidence_bytes(report: Report, capture: Capture | None, language: Translator) -> bytes:
    """Return the evidence folder as a zip. Sealed in it is the check, or the report where there is no check."""
    from privaudit.documents import evidence_folder  # few visits need it, and the page is ready sooner without

    def write_sealed(folder: Path) -> None:
        if capture is None:
            save_text(json.render(report), folder / "report.json")
        else:
            archive.write_archive(capture, folder / "capture.zip")

    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "evidence"
        evidence_folder.create_evidence_folder(
            root,
            evidence_folder.disclosable_report(report, ()),
            capture=capture,
            write_sealed=write_sealed,
            language=language,
            created_at=datetime.now(UTC).astimezone(),
        )
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archived:
            for path in sorted(file for file in root.rglob("*") if file.is_file()):
                archived.write(path, path.relative_to(root.parent).as_posix())
    return packed.getvalue()


def make_record(report: Report) -> dict[str, Any]:
    """Return what is counted of a phone, under a random name."""
    from privaudit.workshop import statistics

    return asdict(statistics.make_device_record(report, secrets.token_hex(8)))


def count_phones(records: Sequence[Mapping[str, Any]]) -> PageFile:
    """Make the counts of several phones, as ``privaudit workshop --totals`` does: small numbers are left out."""
    from privaudit.workshop import statistics

    read = [
        statistics.DeviceRecord(
            **{
                **record,
                "can_read": tuple(map(DataClass, record["can_read"])),
                "listed": tuple(record["listed"]),
            }
        )
        for record in records
    ]
    day = datetime.now(UTC).astimezone().date()
    session = statistics.SessionTotals(opened_on=day, counted=statistics.count_records(read, {}))
    totals = statistics.WorkshopTotals(demo=False, sessions={secrets.token_hex(4): session})
    return PageFile(suffix=".json", data=statistics.render_json(totals, Translator()).encode())


def plain_file_name(name: str) -> str:
    """Return the last part of a path of whatever system, or a name in its place that each system accepts."""
    last = name.replace("\\", "/").rpartition("/")[2]
    if last.strip(".") and "\0" not in last and len(last.encode("utf-8", "replace")) <= _MAX_FILE_NAME_BYTES:
        return last
    return f"file{Path(last).suffix[:8]}"
