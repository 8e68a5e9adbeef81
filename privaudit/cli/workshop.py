"""``privaudit workshop``: a day of phones, its totals, and the kit that is printed before it."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit import __version__
from privaudit.cli.console import Talk
from privaudit.cli.options import AsJson, Country, Lang, Lists, Output, Plain, help_text
from privaudit.errors import (
    EXIT_FOUND,
    EXIT_GAPS,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_UNREADABLE,
    UsageError,
)

if TYPE_CHECKING:
    from privaudit.cli.desk import Desk
    from privaudit.transport.adb_auth import Key
    from privaudit.workshop.device_watcher import Arrivals
    from privaudit.workshop.session import Session

KIT: Final = "kit"
_PACE_S: Final = 20.0


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(help=help_text("cli.workshop"))(workshop)


def workshop(  # noqa: PLR0913 - the options of DESIGN
    folder: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help=help_text("cli.workshop_folder"))],
    *,
    keep: Annotated[str, typer.Option("--keep", metavar="WHAT", help=help_text("cli.workshop_keep"))] = "handout",
    rehearse: Annotated[
        int | None, typer.Option("--rehearse", metavar="N", min=1, max=500, help=help_text("cli.workshop_rehearse"))
    ] = None,
    pace: Annotated[
        float, typer.Option("--pace", metavar="S", min=0.05, max=600, help=help_text("cli.workshop_pace"))
    ] = _PACE_S,
    totals: Annotated[bool, typer.Option("--totals", help=help_text("cli.workshop_totals"))] = False,
    output: Output = None,
    as_json: AsJson = False,
    lang: Lang = None,
    country: Country = None,
    signatures: Lists = None,
    plain: Plain = False,
) -> None:
    """Run a workshop, show its totals, or print the kit for it."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        if folder == [Path(KIT)] and (output or not totals):
            _kit(talk, output or [], country)
        elif totals:
            _totals(talk, folder, output or [], json=as_json)
        else:
            if len(folder) > 1 or output or as_json:
                raise UsageError("errors.one_workshop")
            run = _Run(talk, folder[0], keep, rehearse, pace, country, signatures or [])
            raise typer.Exit(run.run())


class _Run:
    """One workshop in one folder."""

    def __init__(
        self,
        talk: Talk,
        path: Path,
        keep: str,
        rehearse: int | None,
        pace: float,
        country: str | None,
        signatures: list[Path],
    ) -> None:
        self._talk = talk
        self._path = path
        self._rehearse = rehearse
        self._pace = pace
        self._signatures = signatures
        self._country = country
        talk.say("workshop.starting", version=__version__)
        from privaudit.workshop.model import Keep

        if keep not in list(Keep):
            raise UsageError("errors.keep_unknown", given=keep, known=tuple(Keep))
        self._keep = Keep(keep)

    def run(self) -> int:
        """Until the facilitator ends it; the exit code of DESIGN §4."""
        from privaudit.cli.desk import Desk

        reporting = Desk(self._talk, [], self._country, all_apps=False, unknown=False, json=False, lines=False)
        reporting.check(0)
        with _gently():
            try:
                session = self._session(reporting)
            except KeyboardInterrupt:
                return EXIT_INTERRUPTED
            with contextlib.suppress(KeyboardInterrupt):
                self._show(session)
            if not session.closed:
                session.folder.leave()
                self._talk.say("workshop.not_closed", path=str(self._path))
                return EXIT_INTERRUPTED
        return self._ended(session)

    def _session(self, reporting: Desk) -> Session:
        from privaudit.transport import adb_auth
        from privaudit.workshop.session import Session
        from privaudit.workshop.storage import Folder

        demo = self._rehearse is not None
        knowledge = reporting.knowledge(self._signatures, demo=demo)
        folder = Folder(self._path, self._keep, demo=demo)
        arrivals = self._arrivals(adb_auth.made())
        if folder.resumed:
            self._talk.say("workshop.going_on", n=len(folder.records))
        return Session(folder, arrivals, knowledge, reporting.wishes, self._talk.language)

    def _arrivals(self, day_key: Key) -> Arrivals:
        from privaudit.transport import adb_server
        from privaudit.workshop.device_watcher import Cables
        from privaudit.workshop.rehearsal import Rehearsal

        if self._rehearse is not None:
            self._talk.say("workshop.rehearsal")
            return Rehearsal(self._rehearse, day_key, pace_s=self._pace)
        if adb_server.answers():
            self._talk.say("workshop.server_here")
        else:
            self._talk.say("workshop.day_key", fingerprint=day_key.fingerprint)
        return Cables(day_key)

    def _show(self, session: Session) -> None:
        from privaudit.workshop.session import Ended, Key

        if not (self._talk.colours or self._talk.moving) or not (sys.stdin.isatty() and sys.stdout.isatty()):
            from privaudit.workshop import plain

            face = plain.Plain(session, lambda line: self._talk.out(f"{line}\n"))
            face.say("workshop.keys_plain")
            plain.read(session)
            session.run()
            return
        from rich.console import Console

        from privaudit.workshop.board import Board
        from privaudit.workshop.keyboard import Keyboard

        board = Board(session, Console(highlight=False), demo=self._rehearse is not None)
        put = session.happenings.put
        with Keyboard(lambda text: put(Key(text)), lambda: put(Ended())), board.live:
            session.run()

    def _ended(self, session: Session) -> int:
        from privaudit.workshop import statistics
        from privaudit.workshop.books import PAGES, read_sessions

        pages = (self._path / PAGES).exists()
        self._talk.say("workshop.closed_pages" if pages else "workshop.closed", path=str(self._path))
        outcomes = session.desk.outcomes
        if (self._path / "totals.json").exists():
            self._talk.out(statistics.text(read_sessions([self._path]), self._talk.language))
        if not outcomes:
            return EXIT_UNREADABLE
        if any(found for found, _ in outcomes):
            return EXIT_FOUND
        return EXIT_OK if all(complete for _, complete in outcomes) else EXIT_GAPS


@contextlib.contextmanager
def _gently() -> Iterator[None]:
    """A closed window or a polite kill ends as Ctrl-C does: phones are let go, nothing half-written stays."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _totals(talk: Talk, folders: list[Path], output: list[str], *, json: bool) -> None:
    from privaudit.workshop import statistics
    from privaudit.workshop.books import read_sessions

    files = [Path(name) for name in output if name != "-"]
    for path in files:
        statistics.check(path)
    book = read_sessions(folders)
    if json or "-" in output:
        talk.out(statistics.json(book, talk.language))
    else:
        talk.out(statistics.text(book, talk.language))
    for path in files:
        statistics.write(book, path, talk.language)
        talk.say("cli.saved", path=str(path))


def _kit(talk: Talk, output: list[str], country: str | None) -> None:
    from privaudit.cli.desk import Desk
    from privaudit.workshop import kit

    if len(output) != 1 or output == ["-"]:
        raise UsageError("errors.kit_where")
    reporting = Desk(talk, [], country, all_apps=False, unknown=False, json=False, lines=False)
    reporting.check(0)
    for path in kit.write_kit(Path(output[0]), talk.language, reporting.country):
        talk.say("cli.saved", path=str(path))
