"""The lines of a scan in a file: appended as they come, so that a scan that was interrupted can go on.

A file counts as done when its line is of the same path, size and time of change, and was made by the same privaudit
with the same lists. Hashing it again would cost as much as vetting it again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from pydantic import TypeAdapter

from privaudit import __version__
from privaudit.errors import SourceError, UsageError
from privaudit.vetting import VettingContext
from privaudit.vetting import json as form
from privaudit.vetting.batch import VetJob
from privaudit.vetting.document import SCHEMA, VettingKnowledgeInfo
from privaudit.vetting.tally import BatchSummary

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
