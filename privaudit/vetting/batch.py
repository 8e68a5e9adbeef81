"""Many files: one pure function from a file to a line of JSON, mapped over the cores of one computer, or of several."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from privaudit.apk.apk_problems import ApkError
from privaudit.vetting import VettingContext, failed_document, json, vet
from privaudit.vetting.bundle import APP_FILE_SUFFIXES
from privaudit.vetting.document import FileInfo


@dataclass(frozen=True, slots=True)
class VetJob:
    """One file to vet."""

    path: str
    """Where it is; a text, so that it reads the same on every computer that shares the folder."""

    def size_and_mtime(self) -> tuple[int, int] | None:
        """Its size and when it was changed last, in nanoseconds; ``None``: it cannot be seen."""
        try:
            now = os.stat(self.path)  # noqa: PTH116 - a path of a crawl may have half a character in it
        except (OSError, ValueError):
            return None
        return now.st_size, now.st_mtime_ns


def vet_to_json(job: VetJob, context: VettingContext) -> str:
    """The document on one file, on one line. Never raises: a file that nobody thought of must not stop the others."""
    try:
        return json.vetting_to_json_line(vet(Path(job.path), context))
    except Exception as error:  # noqa: BLE001 - a mistake of ours, told as one in its line
        return _failed_line(job, context, ApkError("apk.reader_failed", kind=type(error).__name__))


def crashed_line(job: VetJob, context: VettingContext) -> str:
    """The line on a file of which nothing is known but that reading it ended its reader."""
    return _failed_line(job, context, ApkError("apk.reader_died"))


def _failed_line(job: VetJob, context: VettingContext, error: ApkError) -> str:
    stands = job.size_and_mtime() or (None, None)
    stamp = FileInfo(path=job.path, kind="unknown", size=stands[0], modified_ns=stands[1], sha256=None)
    return json.vetting_to_json_line(failed_document(stamp, context, error.message))


def find_vet_jobs(paths: Iterable[Path]) -> Iterator[VetJob]:
    """The files to vet, each once: those that are named, and all in named folders whose names say that they are apps.

    A folder that cannot be looked into is among them: its line says so.
    """
    yield from map(VetJob, dict.fromkeys(name for path in paths for name in _app_files(path)))


def _app_files(path: Path) -> Iterator[str]:
    if not path.is_dir():
        yield str(path)
        return
    closed: list[OSError] = []
    for folder, folders, files in os.walk(path, onerror=closed.append):
        folders.sort()
        yield from (str(Path(folder, name)) for name in sorted(files) if name.lower().endswith(APP_FILE_SUFFIXES))
    yield from (str(error.filename) for error in closed)
