"""A folder of kept material in two parts: one that its owner may show, and one for the owner's lawyer first.

``disclosable/`` names only the apps that the report is about, or fewer where the owner wants it; ``sealed/`` holds the
whole source, which names every app of the phone. ``disclosable/hashes.txt`` has the SHA-256 of every file of both
parts but itself and the sheet, which shows the hash of that list.

Written beside its place and renamed, so that it is there whole or not at all. Files 0600, folders 0700.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from privaudit import report as writing
from privaudit.atomic_write import replacing
from privaudit.capture import Capture
from privaudit.capture.text_folder import file_name
from privaudit.documents import evidence_pages, render
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Language
from privaudit.model import Counts, Report, Severity, Verdict

DISCLOSABLE: Final = "disclosable"
SEALED: Final = "sealed"
HASHES: Final = f"{DISCLOSABLE}/hashes.txt"
SHEET: Final = f"{DISCLOSABLE}/sheet.html"
_FORMS: Final = ("json", "txt", "html")
"""Of the report: as many of these as privaudit writes."""


def disclosable(report: Report, only: tuple[str, ...]) -> Report:
    """`report` with lending and listed apps alone, or with the apps in `only`; then the others are not counted either.

    Raises:
        UsageError: the report does not have one of them.
    """
    known = tuple(dict.fromkeys(app.package for app in report.apps))
    for package in only:
        if package not in known:
            raise UsageError("errors.app_not_in_report", app=package, known=known)
    named = set(only) or {app.package for app in report.apps if app.recognised}
    findings = tuple(finding for finding in report.findings if finding.package in named)
    found = any(finding.severity is not Severity.INFO for finding in findings)
    apps = tuple(app for app in report.apps if app.package in named)
    counts = Counts.of(apps, 0 if only else report.counts.suspect)
    return replace(
        report,
        apps=apps,
        counts=replace(counts, apps_seen=report.counts.apps_seen),
        findings=findings,
        verdict=Verdict.FOUND if found else Verdict.NOTHING_FOUND,
    )


def keep(
    folder: Path,
    report: Report,
    *,
    capture: Capture | None,
    seal: Callable[[Path], None],
    language: Language,
    kept_at: datetime,
) -> str:
    """Make `folder`; the hash that its sheet shows.

    Args:
        folder: must not be there.
        report: what may be shown, see `disclosable`.
        capture: the source, where it is one: then the file of each line is known.
        seal: writes the whole source into the sealed part.
        language: of the sheets.
        kept_at: now.

    Raises:
        SourceError: it cannot be written; nothing is left behind.
    """
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    except OSError as error:
        raise SourceError("errors.not_written", path=str(folder), reason=error.strerror or str(error)) from error
    try:
        digest = _fill(part, report, _places(capture, report), seal, language, kept_at)
        part.replace(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise SourceError("errors.not_written", path=str(folder), reason=error.strerror or str(error)) from error
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)  # Ctrl-C, too, leaves nothing half-written
        raise
    return digest


def _fill(
    part: Path,
    report: Report,
    places: dict[str, str] | None,
    seal: Callable[[Path], None],
    language: Language,
    kept_at: datetime,
) -> str:
    for name in (DISCLOSABLE, SEALED):
        (part / name).mkdir(mode=0o700)
    shown, sealed = part / DISCLOSABLE, part / SEALED
    written = {name.removeprefix(".") for name in writing.FORMATS}
    for suffix in _FORMS:
        if suffix in written:
            writing.write(report, shown / f"report.{suffix}", language)
    writing.save(render(evidence_pages.lines(report, language, places), "txt"), shown / "lines.txt")
    for suffix in ("html", "txt"):
        writing.save(render(evidence_pages.log(language), suffix), shown / f"log.{suffix}")
    writing.save(render(evidence_pages.sealed(language, whole=places is not None), "txt"), sealed / "READ-ME-FIRST.txt")
    seal(sealed)
    listed = sorted(file.relative_to(part).as_posix() for file in part.rglob("*") if file.is_file())
    hashes = "".join(f"{sha256(part / name)}  {name}\n" for name in listed)
    writing.save(hashes, part / HASHES)
    digest = hashlib.sha256(hashes.encode()).hexdigest()
    writing.save(render(evidence_pages.photograph(report, language, digest, kept_at), "html"), part / SHEET)
    return digest


def _places(capture: Capture | None, report: Report) -> dict[str, str] | None:
    """In which file of the sealed capture each answer stands, with the hash of that file; ``None``: there is none."""
    if capture is None:
        return None
    asked = {one.question for finding in report.findings for one in finding.evidence} & capture.answers.keys()
    return {
        key: f"{file_name(key)} (SHA-256 {hashlib.sha256(capture.answers[key].text.encode()).hexdigest()})"
        for key in asked
    }


def copied(source: Path, name: str) -> Callable[[Path], None]:
    """Seals a copy of `source`, byte for byte, as `name`."""

    def seal(folder: Path) -> None:
        with replacing(folder / name) as stream, source.open("rb") as given:
            shutil.copyfileobj(given, stream)

    return seal


def sha256(path: Path) -> str:
    """Of the file at `path`."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
