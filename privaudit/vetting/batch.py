"""Vet many files: one pure function from a file to a line of JSON, mapped over the cores, and the file of results.

One module, because a job, the line that it gives and the results file that tells which jobs are done belong together;
`privaudit.vetting.dask_cluster` maps the same function over the computers of a cluster.
"""

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from pydantic import TypeAdapter

from privaudit import __version__
from privaudit.apk.parts import ApkError
from privaudit.atomic_write import write_error
from privaudit.errors import UsageError
from privaudit.interruptible import first_completed, future_result
from privaudit.vetting import VettingContext, failed_document, vet
from privaudit.vetting.batch_table import BatchSummary
from privaudit.vetting.bundle import APP_FILE_SUFFIXES
from privaudit.vetting.document import SCHEMA, FileInfo, VettingKnowledgeInfo
from privaudit.vetting.report import parse_document, vetting_to_json_line

_QUEUED_PER_CORE: Final = 4
"""Files queued for each core: no core idles, and memory does not grow with the number of files."""
_MAX_WINDOWS_PROCESSES: Final = 61
"""Processes that one program can wait for on Windows (``ProcessPoolExecutor``)."""
_TRANSIENT_ERRORS: Final = frozenset(
    {"apk.file_changed", "apk.file_missing", "apk.file_unreadable", "apk.reader_died", "apk.reader_failed"}
)
"""Reasons why a file could not be read that may be gone the next time."""
_BLOCK_BYTES: Final = 1 << 16
_MAX_LINE_CHARS: Final = 64 << 20
"""Characters of a line. Most of a line comes from the manifest, which may have two million bytes."""


@dataclass(frozen=True, slots=True)
class VetJob:
    """One file to vet."""

    path: str
    """A string and not a `Path`, so that it is the same on every computer that shares the folder."""

    def size_and_mtime(self) -> tuple[int, int] | None:
        """Return the file's size and its modification time in nanoseconds; ``None`` if it is not accessible."""
        try:
            status = os.stat(self.path)  # noqa: PTH116 - names of downloaded files may contain lone surrogates
        except (OSError, ValueError):
            return None
        return status.st_size, status.st_mtime_ns


def find_vet_jobs(paths: Iterable[Path]) -> Iterator[VetJob]:
    """Yield each file once, also those in folders; a folder that cannot be listed too, so that its line says so."""
    yield from map(VetJob, dict.fromkeys(name for path in paths for name in _app_files(path)))


def _app_files(path: Path) -> Iterator[str]:
    if not path.is_dir():
        yield str(path)
        return
    errors: list[OSError] = []
    for folder, folders, files in os.walk(path, onerror=errors.append):
        folders.sort()
        yield from (str(Path(folder, name)) for name in sorted(files) if name.lower().endswith(APP_FILE_SUFFIXES))
    yield from (str(error.filename) for error in errors)


def vet_to_json(job: VetJob, context: VettingContext) -> str:
    """Vet one file and return its document on one line. Never raises: one bad file must not stop the batch."""
    try:
        return vetting_to_json_line(vet(Path(job.path), context))
    except Exception as error:  # noqa: BLE001 - a bug of ours, reported in the file's line
        return crashed_line(job, context, ApkError("apk.reader_failed", kind=type(error).__name__))


def crashed_line(job: VetJob, context: VettingContext, error: ApkError | None = None) -> str:
    """Return the line for a file whose worker process died while it read the file, or failed with `error`."""
    size, modified_ns = job.size_and_mtime() or (None, None)
    file_info = FileInfo(path=job.path, kind="unknown", size=size, modified_ns=modified_ns, sha256=None)
    return vetting_to_json_line(failed_document(file_info, context, (error or ApkError("apk.reader_died")).message))


_worker_context: VettingContext | None = None
"""In a worker process: the context that its files are checked against."""


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def vet_on_cores(jobs: Iterable[VetJob], context: VettingContext, *, cores: int) -> Iterator[str]:
    """Yield a line for each of `jobs`, in the order of completion.

    If a worker process dies, every job that was in flight is run again in a process of its own: so the file that kills
    its reader is identified, and the pool goes on with the rest.
    """
    if sys.platform == "win32":
        cores = min(cores, _MAX_WINDOWS_PROCESSES)
    pending = iter(jobs)
    in_flight: dict[Future[str], VetJob] = {}
    while True:
        pool = ProcessPoolExecutor(cores, initializer=_init_worker, initargs=(context,))
        try:
            yield from _vet_in_pool(pool, pending, in_flight, cores * _QUEUED_PER_CORE)
        except BrokenProcessPool:
            pass  # a worker died; `in_flight` holds the suspects
        else:
            return
        finally:
            pool.shutdown(cancel_futures=True)
        for job in in_flight.values():
            yield _vet_in_own_process(job, context)
        in_flight.clear()


def _vet_in_pool(
    pool: ProcessPoolExecutor, pending: Iterator[VetJob], in_flight: dict[Future[str], VetJob], max_in_flight: int
) -> Iterator[str]:
    """Yield lines as they complete, and keep `in_flight` up to date, also if a worker dies (`BrokenProcessPool`)."""
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
    for future in first_completed(in_flight):
        line = future_result(future)
        del in_flight[future]
        yield line


def _vet_in_own_process(job: VetJob, context: VettingContext) -> str:
    with ProcessPoolExecutor(1, initializer=_init_worker, initargs=(context,)) as pool:
        try:
            return future_result(pool.submit(_vet_in_worker, job))
        except BrokenProcessPool:
            return crashed_line(job, context)


def _init_worker(context: VettingContext) -> None:
    """Initialise a worker process. Ctrl-C is left to the parent process, which then ends the workers."""
    global _worker_context  # noqa: PLW0603 - the only state that a worker keeps between files
    for name in ("SIGINT", "SIGBREAK"):  # the second: Ctrl-Break on Windows
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    _worker_context = context


def _vet_in_worker(job: VetJob) -> str:
    if _worker_context is None:
        raise RuntimeError("the worker process was not initialised")
    return vet_to_json(job, _worker_context)


@dataclass(slots=True)
class ResultsFile:
    """A JSON Lines file of documents, open for appending. An interrupted batch continues from it."""

    path: Path
    _stream: TextIO
    finished_files: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Path → size and modification time of the files that need not be vetted again."""

    def append_line(self, line: str) -> None:
        """Append a line and flush it; raises `SourceError` if it cannot be written."""
        try:
            self._stream.write(line)
            self._stream.flush()
        except OSError as error:
            raise write_error(self.path, error) from error

    def is_current(self, job: VetJob) -> bool:
        """Whether the file was vetted and has not changed since."""
        return job.path in self.finished_files and self.finished_files[job.path] == job.size_and_mtime()

    def count_into(self, summary: BatchSummary, paths: set[str]) -> None:
        """Add the last document on each of `paths` to `summary`."""
        last_lines = {document["file"]["path"]: number for number, document in enumerate(_read_documents(self.path))}
        counted = {number for path, number in last_lines.items() if path in paths}
        for number, document in enumerate(_read_documents(self.path)):
            if number in counted:
                summary.add_document(document)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def open_results_file(path: Path, context: VettingContext) -> ResultsFile:
    """Open or create `path` for appending; a last line that was cut off as the computer stopped is removed.

    Raises `UsageError` if the file holds something else than documents, `SourceError` if it is not accessible.
    """
    knowledge_info = TypeAdapter(VettingKnowledgeInfo).dump_python(context.knowledge_info, mode="json")
    finished: dict[str, tuple[int, int]] = {}
    try:
        if path.exists():
            _drop_truncated_line(path)
            for document in _read_documents(path):
                if _is_reusable(document, knowledge_info):
                    file = document["file"]
                    finished[file["path"]] = (file["size"], file["modified_ns"])
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        return ResultsFile(path, os.fdopen(descriptor, "a", encoding="utf-8", newline="\n"), finished)
    except OSError as error:
        raise write_error(path, error) from error


def _read_documents(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        while line := stream.readline(_MAX_LINE_CHARS):
            try:
                document = json.loads(line)
                if document["schema"] != SCHEMA or not isinstance(document["file"]["path"], str):
                    raise ValueError(line[:80])  # noqa: TRY301 - every line that is not a document is refused alike
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise UsageError("errors.results_other", path=str(path)) from error
            yield document


def _is_reusable(document: Mapping[str, Any], knowledge_info: object) -> bool:
    """Whether a document is complete, was made with the same lists and version, and holds no transient error."""
    try:
        if document["knowledge"] != knowledge_info or document["tool"]["version"] != __version__:
            return False
        vetting = parse_document(document)
    except (ValueError, TypeError, KeyError):
        return False
    is_transient = vetting.app is None and any(gap.why.key in _TRANSIENT_ERRORS for gap in vetting.gaps)
    return not is_transient and vetting.file.size is not None and vetting.file.modified_ns is not None


def _drop_truncated_line(path: Path) -> None:
    """Cut off a last line without a line feed. A file that does not begin like a results file is left untouched."""
    with path.open("r+b") as stream:
        size = end = stream.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - _BLOCK_BYTES)
            stream.seek(start)
            newline = stream.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        stream.seek(0)
        head = f'{{"schema":"{SCHEMA}"'.encode()
        if end < size and head.startswith(stream.read(len(head))):
            stream.truncate(end)
