"""``privaudit capture``: save what a phone answers, even where the connection ends early, and resume it later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privaudit import __version__
from privaudit.cli import options
from privaudit.cli.audit import collection_options
from privaudit.cli.console import CliConsole, open_console
from privaudit.cli.options import argument, option
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, ConnectionLost, SourceError, UsageError

if TYPE_CHECKING:
    from privaudit.audit import CollectionOptions


def capture(  # noqa: PLR0913 - one parameter per option
    file: Annotated[Path, argument("cli.file", "FILE.zip")],
    *,
    resume: Annotated[bool, option("cli.resume", "--resume")] = False,
    lang: options.LanguageOption = None,
    serial: options.SerialOption = None,
    transport: options.TransportOption = "auto",
    signatures: options.SignaturesOption = None,
    no_apks: options.NoApksOption = False,
    hash_apks: options.HashOption = False,
    plain: options.PlainOption = False,
) -> None:
    """Take a capture and save it. The lists decide only which apps are asked about in detail."""
    with open_console(lang, plain=plain) as console:
        collection = collection_options(no_apks=no_apks, hash_apks=hash_apks)
        phone = options.PhoneOptions(transport=transport, serial=serial, signatures=tuple(signatures or ()))
        raise typer.Exit(CaptureCommand(console, file, collection, resume=resume).run(phone))


class CaptureCommand:
    """Takes a capture and saves it in `file`; with `resume`, completes the capture that `file` holds.

    Raises UsageError or SourceError if `file` cannot be written, or be resumed.
    """

    def __init__(self, console: CliConsole, file: Path, collection: CollectionOptions, *, resume: bool) -> None:
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
        self._collection = collection
        self._resume = resume

    def run(self, phone: options.PhoneOptions) -> int:
        """Read the phone, write the file, and return the exit code."""
        self._console.print_message("cli.starting", version=__version__)
        from privaudit import audit, knowledge, resume
        from privaudit.capture import archive, collector

        # Before the phone is asked: errors in the lists are reported first.
        lists = knowledge.load_knowledge(extra_lists=phone.signatures)
        partial = archive.read(self._file) if self._resume else None
        with self._console.connect(phone.transport, phone.serial) as connection:
            if partial is None:
                fingerprint = collector.read_fingerprint(connection)  # first: the cable may be pulled at any time
                capture = audit.collect(
                    connection,
                    lists,
                    options=self._collection,
                    progress=self._console.print_round,
                    on_apk_progress=self._console.update_progress_bar,
                )
                result = replace(capture, device_fingerprint=fingerprint)
            else:
                result = resume.resume_capture(
                    connection,
                    partial,
                    lists,
                    options=self._collection,
                    progress=self._console.print_round,
                    on_apk_progress=self._console.update_progress_bar,
                )
        incomplete = resume.is_incomplete(result, lists)
        if result is partial:
            key = "cli.nothing_new" if incomplete else "cli.nothing_missing"
            self._console.print_message(key, path=str(self._file))
        else:
            archive.write_archive(result, self._file)
            self._console.print_message("cli.saved_private", path=str(self._file))
        if not incomplete:
            return EXIT_OK
        self._console.print_error(ConnectionLost("errors.cut_capture", path=str(self._file)))
        return EXIT_UNREADABLE
