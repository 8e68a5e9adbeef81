"""A folder of kept material in two parts: one that its owner may show, and one for the owner's lawyer first.

``disclosable/`` names only the apps that the report is about, or fewer where the owner wants it; ``sealed/`` holds the
whole source, which names every app of the phone. ``disclosable/hashes.txt`` has the SHA-256 of every file of both
parts but itself and the sheet, which shows the hash of that list.

Written beside its place and renamed, so that it is there whole or not at all. Files 0600, folders 0700.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final, Literal, TypeAlias

from privaudit import report as writing
from privaudit.atomic_write import atomic_writer
from privaudit.capture.model import Capture
from privaudit.capture.text_folder import answer_file_name
from privaudit.documents import evidence_pages, render_document
from privaudit.documents.evidence_pages import grouped_hash
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Counts, Report, Severity, Verdict

DISCLOSABLE: Final = "disclosable"
SEALED: Final = "sealed"
HASH_LIST_FILE: Final = f"{DISCLOSABLE}/hashes.txt"
HASH_PAGE_FILE: Final = f"{DISCLOSABLE}/sheet.html"
_REPORT_FORMATS: Final = ("json", "txt", "html")
"""Of the report: as many of these as privaudit writes."""


def disclosable_report(report: Report, packages: tuple[str, ...]) -> Report:
    """`report` with lending and listed apps alone, or with the apps in `packages`; then the others are not counted either.

    Raises:
        UsageError: the report does not have one of them.
    """
    known = tuple(dict.fromkeys(app.package for app in report.apps))
    for package in packages:
        if package not in known:
            raise UsageError("errors.app_not_in_report", app=package, known=known)
    named = set(packages) or {app.package for app in report.apps if app.is_recognised}
    findings = tuple(finding for finding in report.findings if finding.package in named)
    found = any(finding.severity is not Severity.INFO for finding in findings)
    apps = tuple(app for app in report.apps if app.package in named)
    suspects = 0 if packages else report.counts.suspect
    counts = Counts.from_apps(apps, suspects, apps_seen=report.counts.apps_seen)
    return replace(
        report,
        apps=apps,
        counts=counts,
        findings=findings,
        verdict=Verdict.FOUND if found else Verdict.NOTHING_FOUND,
    )


def create_evidence_folder(
    folder: Path,
    report: Report,
    *,
    capture: Capture | None,
    write_sealed: Callable[[Path], None],
    language: Translator,
    created_at: datetime,
) -> str:
    """Make `folder`; the hash that its sheet shows.

    Args:
        folder: must not be there.
        report: what may be shown, see `disclosable_report`.
        capture: the source, where it is one: then the file of each line is known.
        write_sealed: writes the whole source into the sealed part.
        language: of the sheets.
        created_at: now.

    Raises:
        SourceError: it cannot be written; nothing is left behind.
    """
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    except OSError as error:
        raise SourceError("errors.not_written", path=str(folder), reason=error.strerror or str(error)) from error
    try:
        digest = _write_contents(part, report, _kept_files(capture, report), write_sealed, language, created_at)
        part.replace(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise SourceError("errors.not_written", path=str(folder), reason=error.strerror or str(error)) from error
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)  # Ctrl-C, too, leaves nothing half-written
        raise
    return digest


def _write_contents(
    temp_folder: Path,
    report: Report,
    kept_files: dict[str, str] | None,
    write_sealed: Callable[[Path], None],
    language: Translator,
    created_at: datetime,
) -> str:
    for name in (DISCLOSABLE, SEALED):
        (temp_folder / name).mkdir(mode=0o700)
    shown, sealed = temp_folder / DISCLOSABLE, temp_folder / SEALED
    written = {name.removeprefix(".") for name in writing.FORMATS}
    for suffix in _REPORT_FORMATS:
        if suffix in written:
            writing.write_report(report, shown / f"report.{suffix}", language)
    writing.save_text(
        render_document(evidence_pages.evidence_lines_page(report, language, kept_files), "txt"), shown / "lines.txt"
    )
    for suffix in ("html", "txt"):
        writing.save_text(render_document(evidence_pages.incident_log_page(language), suffix), shown / f"log.{suffix}")
    writing.save_text(
        render_document(evidence_pages.sealed_notice(language, is_whole_capture=kept_files is not None), "txt"),
        sealed / "READ-ME-FIRST.txt",
    )
    write_sealed(sealed)
    listed = sorted(file.relative_to(temp_folder).as_posix() for file in temp_folder.rglob("*") if file.is_file())
    hashes = "".join(f"{file_sha256(temp_folder / name)}  {name}\n" for name in listed)
    writing.save_text(hashes, temp_folder / HASH_LIST_FILE)
    digest = hashlib.sha256(hashes.encode()).hexdigest()
    writing.save_text(
        render_document(evidence_pages.hash_page(report, language, digest, created_at), "html"),
        temp_folder / HASH_PAGE_FILE,
    )
    return digest


def _kept_files(capture: Capture | None, report: Report) -> dict[str, str] | None:
    """In which file of the sealed capture each answer stands, with the hash of that file; ``None``: there is none."""
    if capture is None:
        return None
    asked = {one.question for finding in report.findings for one in finding.evidence} & capture.answers.keys()
    return {
        key: f"{answer_file_name(key)} (SHA-256 {hashlib.sha256(capture.answers[key].text.encode()).hexdigest()})"
        for key in asked
    }


def copy_into(source: Path, name: str) -> Callable[[Path], None]:
    """Seals a copy of `source`, byte for byte, as `name`."""

    def seal(folder: Path) -> None:
        with atomic_writer(folder / name) as stream, source.open("rb") as given:
            shutil.copyfileobj(given, stream)

    return seal


def file_sha256(path: Path) -> str:
    """Of the file at `path`."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


_MAX_FILE_BYTES: Final = 1024 * 1024
"""Bytes of a list of hashes, and of a sheet. Ours have some kilobytes."""
_HASH_LIST_LINE: Final = re.compile(rf"([0-9a-f]{{64}})  ((?:{DISCLOSABLE}|{SEALED})/[\w.-]{{1,120}})", re.ASCII)

FileChangeKind: TypeAlias = Literal["changed", "missing", "added", "sheet_differs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCheck:
    """What became of a folder."""

    digest: str
    """Of the list of hashes as it is now: to be compared with the photograph."""
    unchanged: int
    """Files that are what they were."""
    changes: tuple[tuple[FileChangeKind, str], ...]
    """What differs, and the file. Empty: nothing."""


def verify_evidence_folder(folder: Path) -> EvidenceCheck:
    """Compare every file in `folder` with the list of hashes there.

    Raises:
        SourceError: this is no such folder, or its list cannot be read.
    """
    raw = _read_limited(folder / HASH_LIST_FILE, folder)
    try:
        matches = [_HASH_LIST_LINE.fullmatch(line) for line in raw.decode("ascii").splitlines()]
    except UnicodeDecodeError as error:
        raise SourceError("errors.kept_list_damaged", path=str(folder / HASH_LIST_FILE)) from error
    if not matches or None in matches:
        raise SourceError("errors.kept_list_damaged", path=str(folder / HASH_LIST_FILE))
    listed = {match[2]: match[1] for match in matches if match is not None}
    changes: list[tuple[FileChangeKind, str]] = []
    for name, digest in listed.items():
        how = _compare_file(folder / PurePosixPath(name), digest)
        if how is not None:
            changes.append((how, name))
    there = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }
    digest = hashlib.sha256(raw).hexdigest()
    changes += [
        ("added", sanitize_text(name, 300)) for name in sorted(there - listed.keys() - {HASH_LIST_FILE, HASH_PAGE_FILE})
    ]
    if HASH_PAGE_FILE not in there:
        changes.append(("missing", HASH_PAGE_FILE))
    elif grouped_hash(digest) not in _read_limited(folder / HASH_PAGE_FILE, folder).decode("utf-8", "replace"):
        changes.append(("sheet_differs", HASH_PAGE_FILE))
    same = len(listed) - sum(name in listed for _, name in changes)
    return EvidenceCheck(digest=digest, unchanged=same, changes=tuple(changes))


def _compare_file(path: Path, digest: str) -> FileChangeKind | None:
    try:
        # A link would show what lies elsewhere.
        if path.is_symlink() or not path.is_file():
            return "changed" if path.exists() or path.is_symlink() else "missing"
        return None if file_sha256(path) == digest else "changed"
    except OSError:
        return "changed"


def _read_limited(path: Path, folder: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError("errors.not_kept", path=str(folder)) from error
    except OSError as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if len(data) > _MAX_FILE_BYTES:
        raise SourceError("errors.kept_list_damaged", path=str(path))
    return data
