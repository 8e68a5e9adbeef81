"""Create and verify an evidence folder and its pages: one part that its owner may show, one for the lawyer first.

``disclosable/`` names only the apps that the report is about, or fewer if the owner wants that; ``sealed/`` holds the
whole source, which names every app of the phone. ``disclosable/hashes.txt`` has the SHA-256 of every file of both
parts except itself and the hash page, which shows the hash of that list.

A folder is written beside its place and renamed, so that it is there whole or not at all. Files are 0600, folders 0700.
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final, Literal, TypeAlias

from privaudit import documents
from privaudit.atomic_write import atomic_writer
from privaudit.capture.model import Capture
from privaudit.capture.source_files import sha256_file
from privaudit.capture.text_folder import answer_file_name
from privaudit.documents import app_blocks
from privaudit.documents.letters import incident_log_blocks
from privaudit.documents.render import document_to_html, document_to_text
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Counts, Report, Severity, Verdict
from privaudit.report import save_text, write_report
from privaudit.report.view import ReportView

DISCLOSABLE: Final = "disclosable"
SEALED: Final = "sealed"
HASH_LIST_FILE: Final = f"{DISCLOSABLE}/hashes.txt"
HASH_PAGE_FILE: Final = f"{DISCLOSABLE}/sheet.html"
_REPORT_FILES: Final = ("report.json", "report.txt", "report.html")
_MAX_FILE_BYTES: Final = 1024 * 1024
"""Bytes of a list of hashes, and of a hash page, that are read. Ours have some kilobytes."""
_MAX_FILE_NAME_CHARS: Final = 300
"""Characters of the name of an added file that are shown."""
_HASH_LIST_LINE: Final = re.compile(rf"([0-9a-f]{{64}})  ((?:{DISCLOSABLE}|{SEALED})/[\w.-]{{1,120}})", re.ASCII)
_HASH_SECTIONS: Final = (
    ("papers.hash_shows", ("papers.hash_shows_1", "papers.hash_shows_2", "papers.hash_shows_3")),
    ("papers.hash_shows_not", ("papers.hash_shows_not_1", "papers.hash_shows_not_2", "papers.hash_shows_not_3")),
    ("papers.hash_later", ("papers.hash_later_1", "papers.hash_later_2", "papers.hash_later_3")),
)
"""Heading and sentences of what the hash shows, what it does not show, and how to check it later."""

FileChangeKind: TypeAlias = Literal["changed", "missing", "added", "sheet_differs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCheck:
    """The result of verifying a folder."""

    digest: str
    """SHA-256 of the list of hashes as it is now, to be compared with the photograph."""
    unchanged: int
    """Number of files that match their hash."""
    changes: tuple[tuple[FileChangeKind, str], ...]
    """Each change and its file; empty if nothing changed."""


def disclosable_report(report: Report, packages: tuple[str, ...]) -> Report:
    """Return `report` reduced to lending and listed apps, or to `packages` (then it counts no unrecognised apps).

    Raises `UsageError` if the report does not have one of the packages.
    """
    known = tuple(dict.fromkeys(app.package for app in report.apps))
    for package in packages:
        if package not in known:
            raise UsageError("errors.app_not_in_report", app=package, known=known)
    included = set(packages) or {app.package for app in report.apps if app.is_reported}
    findings = tuple(finding for finding in report.findings if finding.package in included)
    has_findings = any(finding.severity is not Severity.INFO for finding in findings)
    apps = tuple(app for app in report.apps if app.package in included)
    counts = Counts.from_apps(apps, 0, apps_seen=report.counts.apps_seen)
    if not packages:
        others = (report.counts.others_can_read, report.counts.others_can_read_system)
        counts = replace(
            counts, suspect=report.counts.suspect, others_can_read=others[0], others_can_read_system=others[1]
        )
    return replace(
        report,
        apps=apps,
        counts=counts,
        findings=findings,
        verdict=Verdict.FOUND if has_findings else Verdict.NOTHING_FOUND,
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
    """Create `folder`, which must not exist, with a `disclosable_report`; return the hash that its hash page shows.

    `write_sealed` writes the whole source into the sealed part; if that is a `capture`, the file of each evidence line
    is known. Raises `SourceError` if the folder cannot be written; nothing is left behind.
    """
    kept_files = _kept_files(capture, report) if capture is not None else None
    with _new_folder(folder) as temp_folder:
        disclosable, sealed = temp_folder / DISCLOSABLE, temp_folder / SEALED
        for part in (disclosable, sealed):
            part.mkdir(mode=0o700)
        for name in _REPORT_FILES:
            write_report(report, disclosable / name, language)
        lines_page = evidence_lines_page(report, language, kept_files)
        save_text(document_to_text(lines_page), disclosable / "lines.txt")
        log_page = incident_log_page(language)
        save_text(document_to_html(log_page), disclosable / "log.html")
        save_text(document_to_text(log_page), disclosable / "log.txt")
        notice = sealed_notice(language, is_whole_capture=kept_files is not None)
        save_text(document_to_text(notice), sealed / "READ-ME-FIRST.txt")
        write_sealed(sealed)
        files = sorted(file.relative_to(temp_folder).as_posix() for file in temp_folder.rglob("*") if file.is_file())
        hash_list = "".join(f"{sha256_file(temp_folder / name)}  {name}\n" for name in files)
        save_text(hash_list, temp_folder / HASH_LIST_FILE)
        digest = hashlib.sha256(hash_list.encode()).hexdigest()
        page = hash_page(report, language, digest, created_at)
        save_text(document_to_html(page), temp_folder / HASH_PAGE_FILE)
    return digest


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `folder` in the end. After an error, or Ctrl-C, nothing of it is left."""
    try:
        temp_folder = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
        try:
            yield temp_folder
            temp_folder.replace(folder)
        except BaseException:
            shutil.rmtree(temp_folder, ignore_errors=True)
            raise
    except OSError as error:
        raise SourceError("errors.not_written", path=str(folder), reason=error.strerror or str(error)) from error


def _kept_files(capture: Capture, report: Report) -> dict[str, str]:
    """Return the file of the sealed capture that holds each quoted answer, with the hash of the answer."""
    quoted = {line.question for finding in report.findings for line in finding.evidence} & capture.answers.keys()
    return {
        key: f"{answer_file_name(key)} (SHA-256 {hashlib.sha256(capture.answers[key].text.encode()).hexdigest()})"
        for key in quoted
    }


def copy_into(source: Path, name: str) -> Callable[[Path], None]:
    """Return a function that copies `source`, byte for byte, into a folder as `name`."""

    def copy(folder: Path) -> None:
        with atomic_writer(folder / name) as output, source.open("rb") as stream:
            shutil.copyfileobj(stream, output)

    return copy


def verify_evidence_folder(folder: Path) -> EvidenceCheck:
    """Compare every file in `folder` with its list of hashes; raises `SourceError` if that is missing or unreadable."""
    raw = _read_limited(folder / HASH_LIST_FILE, folder)
    digest = hashlib.sha256(raw).hexdigest()
    hashes = _parse_hash_list(raw, folder / HASH_LIST_FILE)
    changes: list[tuple[FileChangeKind, str]] = [
        (change, name)
        for name, file_digest in hashes.items()
        if (change := _compare_file(folder / PurePosixPath(name), file_digest)) is not None
    ]
    unchanged = len(hashes) - len(changes)
    present = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }
    added = sorted(present - hashes.keys() - {HASH_LIST_FILE, HASH_PAGE_FILE})
    changes += [("added", sanitize_text(name, _MAX_FILE_NAME_CHARS)) for name in added]
    if HASH_PAGE_FILE not in present:
        changes.append(("missing", HASH_PAGE_FILE))
    elif grouped_hash(digest) not in _read_limited(folder / HASH_PAGE_FILE, folder).decode("utf-8", "replace"):
        changes.append(("sheet_differs", HASH_PAGE_FILE))
    return EvidenceCheck(digest=digest, unchanged=unchanged, changes=tuple(changes))


def _parse_hash_list(raw: bytes, path: Path) -> dict[str, str]:
    """Return file name → SHA-256."""
    # What is no ASCII is no line of it either.
    matches = [_HASH_LIST_LINE.fullmatch(line) for line in raw.decode("ascii", "replace").splitlines()]
    if not matches or None in matches:
        raise SourceError("errors.kept_list_damaged", path=str(path))
    return {match[2]: match[1] for match in matches if match is not None}


def _compare_file(path: Path, digest: str) -> FileChangeKind | None:
    try:
        # A symbolic link would be hashed by what it points to, outside the folder.
        if path.is_symlink() or not path.is_file():
            return "changed" if path.exists() or path.is_symlink() else "missing"
        return None if sha256_file(path) == digest else "changed"
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


def hash_page(report: Report, language: Translator, digest: str, created_at: datetime) -> documents.Document:
    """Return one page with the hash in large characters, what it shows and what it does not show."""
    rows = (
        *app_blocks.audit_rows(ReportView(report, language), header_keys=("report.checked", "report.phone")),
        (language.t("papers.kept_at"), created_at.isoformat(sep=" ", timespec="seconds")),
        (language.t("papers.apps_named"), str(len({app.package for app in report.apps}))),
    )
    hash_text = documents.LargeText(grouped_hash(digest))
    blocks = [*_opening(report, language, "papers.sheet_intro"), hash_text, documents.FieldList(rows)]
    for heading, sentences in _HASH_SECTIONS:
        blocks += (documents.Heading(language.t(heading)), documents.bullet_list(map(language.t, sentences)))
    return documents.titled_document(language.t("papers.sheet_title"), language.code, blocks)


def _opening(report: Report, language: Translator, intro_key: str) -> Iterator[documents.DocumentBlock]:
    if report.demo:
        yield documents.Paragraph(language.t("report.demo"), strong=True)
    yield documents.Paragraph(language.t(intro_key))


def grouped_hash(digest: str) -> str:
    """Return a SHA-256 in four lines of four groups of four characters, to be read aloud."""
    groups = [digest[start : start + 4] for start in range(0, len(digest), 4)]
    return "\n".join(" ".join(groups[start : start + 4]) for start in range(0, len(groups), 4))


def evidence_lines_page(
    report: Report, language: Translator, kept_files: Mapping[str, str] | None
) -> documents.Document:
    """Return the evidence lines of the named apps, each with its place (`app_blocks.evidence_table`)."""
    view = ReportView(report, language)
    blocks = [*_opening(report, language, "papers.lines_intro"), documents.FieldList(app_blocks.audit_rows(view))]
    for package in view.ordered_packages():
        blocks += (
            documents.Heading(view.t("report.name", name=package)),
            documents.FieldList(app_blocks.app_rows(view, package)),
            app_blocks.evidence_table(view, package, kept_files),
        )
    return documents.titled_document(language.t("papers.list_lines"), language.code, blocks)


def incident_log_page(language: Translator) -> documents.Document:
    """Return the log of calls and messages, to be filled in by hand."""
    return documents.titled_document(language.t("papers.log_head"), language.code, incident_log_blocks(language))


def sealed_notice(language: Translator, *, is_whole_capture: bool) -> documents.Document:
    """Return the notice in the sealed part (capture or report), which the owner's lawyer opens first."""
    contents = "papers.sealed_1" if is_whole_capture else "papers.sealed_report"
    sentences = documents.bullet_list(map(language.t, (contents, "papers.sealed_2", "papers.sealed_3")))
    return documents.titled_document(language.t("papers.sealed_title"), language.code, [sentences])
