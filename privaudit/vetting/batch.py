"""Many files: one pure function from a file to a line of JSON, mapped over the cores of one computer, or of several."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from privaudit.apk.apk_problems import ApkError
from privaudit.vetting import Known, json, unread, vet
from privaudit.vetting.bundle import SUFFIXES
from privaudit.vetting.document import FileStamp


@dataclass(frozen=True, slots=True)
class Job:
    """One file to vet."""

    path: str
    """Where it is; a text, so that it reads the same on every computer that shares the folder."""

    def stands(self) -> tuple[int, int] | None:
        """Its size and when it was changed last, in nanoseconds; ``None``: it cannot be seen."""
        try:
            now = os.stat(self.path)  # noqa: PTH116 - a path of a crawl may have half a character in it
        except (OSError, ValueError):
            return None
        return now.st_size, now.st_mtime_ns


def line(job: Job, known: Known) -> str:
    """The document on one file, on one line. Never raises: a file that nobody thought of must not stop the others."""
    try:
        return json.line(vet(Path(job.path), known))
    except Exception as error:  # noqa: BLE001 - a mistake of ours, told as one in its line
        return _without(job, known, ApkError("apk.reader_failed", kind=type(error).__name__))


def died(job: Job, known: Known) -> str:
    """The line on a file of which nothing is known but that reading it ended its reader."""
    return _without(job, known, ApkError("apk.reader_died"))


def _without(job: Job, known: Known, why: ApkError) -> str:
    stands = job.stands() or (None, None)
    stamp = FileStamp(path=job.path, kind="unknown", size=stands[0], modified_ns=stands[1], sha256=None)
    return json.line(unread(stamp, known, why.message))


def jobs(paths: Iterable[Path]) -> Iterator[Job]:
    """The files to vet, each once: those that are named, and all in named folders whose names say that they are apps.

    A folder that cannot be looked into is among them: its line says so.
    """
    yield from map(Job, dict.fromkeys(name for path in paths for name in _inside(path)))


def _inside(path: Path) -> Iterator[str]:
    if not path.is_dir():
        yield str(path)
        return
    closed: list[OSError] = []
    for folder, folders, files in os.walk(path, onerror=closed.append):
        folders.sort()
        yield from (str(Path(folder, name)) for name in sorted(files) if name.lower().endswith(SUFFIXES))
    yield from (str(error.filename) for error in closed)
