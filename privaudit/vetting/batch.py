"""Many files: one pure function from a file to a line of JSON, mapped over the cores of one computer, or of several."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from pydantic import TypeAdapter

from privaudit import __version__
from privaudit.apk.parts import ApkError
from privaudit.errors import SourceError, UsageError
from privaudit.vetting import VettingContext, failed_document, report, vet
from privaudit.vetting import report as form
from privaudit.vetting.batch_table import BatchSummary
from privaudit.vetting.bundle import APP_FILE_SUFFIXES
from privaudit.vetting.document import SCHEMA, FileInfo, VettingKnowledgeInfo


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
        return report.vetting_to_json_line(vet(Path(job.path), context))
    except Exception as error:  # noqa: BLE001 - a mistake of ours, told as one in its line
        return _failed_line(job, context, ApkError("apk.reader_failed", kind=type(error).__name__))


def crashed_line(job: VetJob, context: VettingContext) -> str:
    """The line on a file of which nothing is known but that reading it ended its reader."""
    return _failed_line(job, context, ApkError("apk.reader_died"))


def _failed_line(job: VetJob, context: VettingContext, error: ApkError) -> str:
    stands = job.size_and_mtime() or (None, None)
    stamp = FileInfo(path=job.path, kind="unknown", size=stands[0], modified_ns=stands[1], sha256=None)
    return report.vetting_to_json_line(failed_document(stamp, context, error.message))


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


_QUEUED_PER_CORE: Final = 4
"""Files that wait for each core: it never idles, and memory does not grow with their number."""
_worker_context: VettingContext | None = None
"""Of a reader's process: what it holds files against."""


def available_cores() -> int:
    """Cores that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def vet_on_cores(jobs: Iterable[VetJob], context: VettingContext, *, cores: int) -> Iterator[str]:
    """A line for each of `jobs`, in the order in which they are done."""
    waiting = iter(jobs)
    flying: dict[Future[str], VetJob] = {}
    while True:
        pool = ProcessPoolExecutor(cores, initializer=_init_worker, initargs=(context,))
        try:
            yield from _vet_in_pool(pool, waiting, flying, cores * _QUEUED_PER_CORE)
        except BrokenProcessPool:
            pass  # one of those under way ended its reader
        else:
            return
        finally:
            pool.shutdown(cancel_futures=True)
        for job in flying.values():  # each alone, so that it takes no other with it
            yield _vet_in_own_process(job, context)
        flying.clear()


def _vet_in_pool(
    pool: ProcessPoolExecutor, pending: Iterator[VetJob], in_flight: dict[Future[str], VetJob], max_in_flight: int
) -> Iterator[str]:
    """Lines as they come; `in_flight` holds what is under way, also where a reader ends.

    Raises:
        BrokenProcessPool: one did.
    """
    for job in pending:
        try:
            future = pool.submit(_vet_in_worker, job)
        except BrokenProcessPool:
            in_flight[Future()] = job
            raise
        in_flight[future] = job
        if len(in_flight) >= max_in_flight:
            yield from _completed_lines(in_flight)
    while in_flight:
        yield from _completed_lines(in_flight)


def _completed_lines(in_flight: dict[Future[str], VetJob]) -> Iterator[str]:
    for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
        text = future.result()
        del in_flight[future]
        yield text


def _vet_in_own_process(job: VetJob, context: VettingContext) -> str:
    with ProcessPoolExecutor(1, initializer=_init_worker, initargs=(context,)) as pool:
        try:
            return pool.submit(_vet_in_worker, job).result()
        except BrokenProcessPool:
            return crashed_line(job, context)


def _init_worker(context: VettingContext) -> None:
    """A reader begins. Ctrl-C is for the program that it works for, which then ends it."""
    global _worker_context  # noqa: PLW0603 - the one thing that a process keeps between files
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker_context = context


def _vet_in_worker(job: VetJob) -> str:
    if _worker_context is None:
        raise RuntimeError("a reader that never began")
    return vet_to_json(job, _worker_context)


_TRANSIENT_ERRORS: Final = frozenset(
    {"apk.file_changed", "apk.file_missing", "apk.file_unreadable", "apk.reader_died", "apk.reader_failed"}
)
"""Why a file was not read that may be otherwise the next time."""
_BLOCK_BYTES: Final = 1 << 16
_MAX_LINE_CHARS: Final = 64 << 20
"""Characters of a line. A manifest, from which most of it comes, may have two million bytes."""


@dataclass(slots=True)
class ResultsFile:
    """A file of lines, open to be gone on with."""

    path: Path
    _stream: TextIO
    finished_files: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Path → size and time of change of files that need not be read again."""

    def append_line(self, line: str) -> None:
        """One more line; it is on its way to the disk when this returns.

        Raises:
            SourceError: it cannot be written.
        """
        try:
            self._stream.write(line)
            self._stream.flush()
        except OSError as error:
            raise _write_error(self.path, error) from error

    def is_current(self, job: VetJob) -> bool:
        """Whether a file is done."""
        return job.path in self.finished_files and self.finished_files[job.path] == job.size_and_mtime()

    def count_into(self, summary: BatchSummary, paths: set[str]) -> None:
        """Count the last line of each of `paths` in a table, as if it had come just now."""
        last = {document["file"]["path"]: place for place, document in enumerate(_read_documents(self.path))}
        wanted = {place for name, place in last.items() if name in paths}
        for place, document in enumerate(_read_documents(self.path)):
            if place in wanted:
                summary.add_document(document)

    def close(self) -> None:
        """No more lines come."""
        self._stream.close()


def open_results_file(path: Path, context: VettingContext) -> ResultsFile:
    """Open `path` to append.

    A line that was cut when the computer stopped is taken away first.

    Raises:
        UsageError: it holds something else.
        SourceError: it cannot be read or written.
    """
    basis = TypeAdapter(VettingKnowledgeInfo).dump_python(context.knowledge_info, mode="json")
    done: dict[str, tuple[int, int]] = {}
    try:
        if path.exists():
            _drop_truncated_line(path)
            for document in _read_documents(path):
                file = document["file"]
                if _is_reusable(document, basis):
                    done[file["path"]] = (file["size"], file["modified_ns"])
        private = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        return ResultsFile(path, os.fdopen(private, "a", encoding="utf-8", newline="\n"), done)
    except OSError as error:
        raise _write_error(path, error) from error


def _read_documents(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        while text := stream.readline(_MAX_LINE_CHARS):
            try:
                document = json.loads(text)
                if document["schema"] != SCHEMA or not isinstance(document["file"]["path"], str):
                    raise ValueError(text[:80])  # noqa: TRY301 - all that is not ours ends alike
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise UsageError("errors.results_other", path=str(path)) from error
            yield document


def _is_reusable(document: Mapping[str, Any], knowledge_info: object) -> bool:
    """Whether the line is whole, was made with the same, and need not be otherwise the next time."""
    try:
        if document["knowledge"] != knowledge_info or document["tool"]["version"] != __version__:
            return False
        vetting = form.parse_document(document)
    except (ValueError, TypeError, KeyError):
        return False
    passing = vetting.app is None and any(gap.why.key in _TRANSIENT_ERRORS for gap in vetting.gaps)
    return not passing and vetting.file.size is not None and vetting.file.modified_ns is not None


def _drop_truncated_line(path: Path) -> None:
    """Cut off a last line that has no end. What is no file of lines at all is left as it is, and refused later."""
    with path.open("r+b") as stream:
        end = stream.seek(0, os.SEEK_END)
        at = end
        while at:
            start = max(0, at - _BLOCK_BYTES)
            stream.seek(start)
            found = stream.read(at - start).rfind(b"\n")
            if found >= 0:
                at = start + found + 1
                break
            at = start
        if at < end and _starts_as_results(stream):
            stream.truncate(at)


def _starts_as_results(stream: Any) -> bool:  # noqa: ANN401 - a binary file
    """Whether the file begins as our lines do, as far as it goes."""
    stream.seek(0)
    head = f'{{"schema":"{SCHEMA}"'.encode()
    begin: bytes = stream.read(len(head))
    return head.startswith(begin)


def _write_error(path: Path, error: OSError) -> SourceError:
    return SourceError("errors.not_written", path=str(path), reason=error.strerror or str(error))
