"""``privaudit capture``: what a phone answers goes into a file, whole or as far as it came, and is continued later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from privaudit import __version__
from privaudit.cli.console import Talk
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, ConnectionLost, SourceError, UsageError

if TYPE_CHECKING:
    from privaudit.audit import Reach
    from privaudit.capture import Capture
    from privaudit.knowledge import Knowledge
    from privaudit.transport import Transport


class Keeper:
    """Takes a capture and keeps it in `file`.

    Raises:
        UsageError: no name of a zip; there already, or, to be resumed, not there; a folder that is not there.
    """

    def __init__(self, talk: Talk, file: Path, reach: Reach, *, resume: bool) -> None:
        if file.suffix != ".zip":
            raise UsageError("errors.not_zip", given=file.name)
        if resume and not file.exists():
            raise SourceError("errors.source_missing", path=str(file))
        if not resume and file.exists():
            raise UsageError("errors.exists", path=str(file))
        if not file.absolute().parent.is_dir():
            raise UsageError("errors.no_folder", path=str(file.absolute().parent))
        self._talk = talk
        self._file = file
        self._reach = reach
        self._resume = resume

    def keep(self, transport: str, serial: str | None, signatures: list[Path]) -> int:
        """Ask the phone and write the file; the exit code: 4 where the connection ended before everything was read."""
        from privaudit import knowledge
        from privaudit.capture import archive

        self._talk.say("cli.starting", version=__version__)
        lists = knowledge.load(extra=signatures)  # mistakes in them are told before any phone is asked
        begun = archive.read(self._file) if self._resume else None
        with self._talk.phone(transport, serial) as connection:
            taken = self._begin(connection, lists) if begun is None else self._go_on(connection, begun, lists)
        return self._write(taken, begun, lists)

    def _begin(self, connection: Transport, lists: Knowledge) -> Capture:
        from privaudit import audit
        from privaudit.capture import identity

        known = identity.ask(connection)  # first: a cable may be pulled at any time
        taken = audit.live(connection, lists, reach=self._reach, progress=self._talk.round, counted=self._talk.counted)
        return replace(taken, identity=known)

    def _go_on(self, connection: Transport, begun: Capture, lists: Knowledge) -> Capture:
        from privaudit import resume

        return resume.resumed(
            connection, begun, lists, reach=self._reach, progress=self._talk.round, counted=self._talk.counted
        )

    def _write(self, taken: Capture, begun: Capture | None, lists: Knowledge) -> int:
        from privaudit import resume
        from privaudit.capture import archive

        unfinished = resume.unfinished(taken, lists)
        if taken is begun:
            self._talk.say("cli.nothing_new" if unfinished else "cli.nothing_missing", path=str(self._file))
        else:
            archive.write(taken, self._file)
            self._talk.say("cli.saved_private", path=str(self._file))
        if not unfinished:
            return EXIT_OK
        self._talk.show(ConnectionLost("errors.cut_capture", path=str(self._file)))
        return EXIT_UNREADABLE
