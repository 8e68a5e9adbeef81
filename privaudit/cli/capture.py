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
        raise typer.Exit(take_capture(console, file, phone, collection, is_resumed=resume))


def take_capture(
    console: CliConsole, file: Path, phone: options.PhoneOptions, collection: CollectionOptions, *, is_resumed: bool
) -> int:
    """Read a phone into `file`, or complete the capture that `file` holds; return the exit code.

    Raises UsageError or SourceError if `file` cannot be written, or be resumed.
    """
    if file.suffix != ".zip":
        raise UsageError("errors.not_zip", given=file.name)
    if is_resumed and not file.exists():
        raise SourceError("errors.source_missing", path=str(file))
    if not is_resumed and file.exists():
        raise UsageError("errors.exists", path=str(file))
    if not file.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(file.absolute().parent))
    console.print_message("cli.starting", version=__version__)
    from privaudit import knowledge, resume
    from privaudit.capture import archive, collector

    # Before the phone is asked: errors in the lists are reported first.
    lists = knowledge.load_knowledge(extra_lists=phone.signatures)
    partial = archive.read(file) if is_resumed else None
    with console.connect(phone.transport, phone.serial) as connection:
        if partial is None:
            fingerprint = collector.read_fingerprint(connection)  # first: the cable may be pulled at any time
            result, _ = console.collect(connection, lists, collection)
            result = replace(result, device_fingerprint=fingerprint)
        else:
            result = resume.resume_capture(
                connection,
                partial,
                lists,
                options=collection,
                progress=console.print_round,
                on_apk_progress=console.update_progress_bar,
            )
    incomplete = resume.is_incomplete(result, lists)
    if result is partial:
        console.print_message("cli.nothing_new" if incomplete else "cli.nothing_missing", path=str(file))
    else:
        archive.write_archive(result, file)
        console.print_message("cli.saved_private", path=str(file))
    if not incomplete:
        return EXIT_OK
    console.print_error(ConnectionLost("errors.cut_capture", path=str(file)))
    return EXIT_UNREADABLE
