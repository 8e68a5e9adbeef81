"""``privaudit capture``: what a phone answers goes into a file, whole or as far as it came, and is continued later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from privaudit import __version__
from privaudit.cli.console import CliConsole
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, ConnectionLost, SourceError, UsageError

if TYPE_CHECKING:
    from privaudit.audit import CollectionOptions
    from privaudit.capture.model import Capture
    from privaudit.knowledge import Knowledge
    from privaudit.transport.base import Transport


class CaptureCommand:
    """Takes a capture and keeps it in `file`.

    Raises:
        UsageError: no name of a zip; there already, or, to be resumed, not there; a folder that is not there.
    """

    def __init__(self, console: CliConsole, file: Path, options: CollectionOptions, *, resume: bool) -> None:
        if file.suffix != ".zip":
            raise UsageError("errors.not_zip", given=file.name)
        if resume and not file.exists():
            raise SourceError("errors.source_missing", path=str(file))
        if not resume and file.exists():
            raise UsageError("errors.exists", path=str(file))
        if not file.absolute().parent.is_dir():
            raise UsageError("errors.no_folder", path=str(file.absolute().parent))
        self._console = console
        self._file = file
        self._options = options
        self._resume = resume

    def run(self, transport: str, serial: str | None, signatures: list[Path]) -> int:
        """Ask the phone and write the file; the exit code: 4 where the connection ended before everything was read."""
        from privaudit import knowledge
        from privaudit.capture import archive

        self._console.print_message("cli.starting", version=__version__)
        lists = knowledge.load_knowledge(extra_lists=signatures)  # mistakes in them are told before any phone is asked
        begun = archive.read(self._file) if self._resume else None
        with self._console.connect(transport, serial) as connection:
            taken = (
                self._collect_capture(connection, lists)
                if begun is None
                else self._resume_capture(connection, begun, lists)
            )
        return self._save_capture(taken, begun, lists)

    def _collect_capture(self, connection: Transport, knowledge: Knowledge) -> Capture:
        from privaudit import audit
        from privaudit.capture import collector

        known = collector.read_fingerprint(connection)  # first: a cable may be pulled at any time
        taken = audit.collect(
            connection,
            knowledge,
            options=self._options,
            progress=self._console.round,
            on_apk_progress=self._console.update_progress_bar,
        )
        return replace(taken, device_fingerprint=known)

    def _resume_capture(self, connection: Transport, partial_capture: Capture, knowledge: Knowledge) -> Capture:
        from privaudit import resume

        return resume.resume_capture(
            connection,
            partial_capture,
            knowledge,
            options=self._options,
            progress=self._console.round,
            on_apk_progress=self._console.update_progress_bar,
        )

    def _save_capture(self, capture: Capture, partial_capture: Capture | None, knowledge: Knowledge) -> int:
        from privaudit import resume
        from privaudit.capture import archive

        unfinished = resume.is_incomplete(capture, knowledge)
        if capture is partial_capture:
            self._console.print_message(
                "cli.nothing_new" if unfinished else "cli.nothing_missing", path=str(self._file)
            )
        else:
            archive.write_archive(capture, self._file)
            self._console.print_message("cli.saved_private", path=str(self._file))
        if not unfinished:
            return EXIT_OK
        self._console.print_error(ConnectionLost("errors.cut_capture", path=str(self._file)))
        return EXIT_UNREADABLE
