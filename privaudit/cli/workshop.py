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
from privaudit.cli.console import CliConsole
from privaudit.cli.options import (
    CountryOption,
    JsonOption,
    LanguageOption,
    OutputOption,
    PlainOption,
    SignaturesOption,
    help_text,
)
from privaudit.errors import (
    EXIT_FINDINGS,
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_UNREADABLE,
    UsageError,
)

if TYPE_CHECKING:
    from privaudit.cli.audit import AuditRunner
    from privaudit.transport.adb_auth import AdbKey
    from privaudit.workshop.device_watcher import DeviceWatcher
    from privaudit.workshop.session import WorkshopSession

KIT_ARGUMENT: Final = "kit"
_DEFAULT_PACE_S: Final = 20.0


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
    ] = _DEFAULT_PACE_S,
    totals: Annotated[bool, typer.Option("--totals", help=help_text("cli.workshop_totals"))] = False,
    output: OutputOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
    country: CountryOption = None,
    signatures: SignaturesOption = None,
    plain: PlainOption = False,
) -> None:
    """Run a workshop, show its totals, or print the kit for it."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        if folder == [Path(KIT_ARGUMENT)] and (output or not totals):
            _write_kit(talk, output or [], country)
        elif totals:
            _print_totals(talk, folder, output or [], as_json=as_json)
        else:
            if len(folder) > 1 or output or as_json:
                raise UsageError("errors.one_workshop")
            run = _WorkshopCommand(talk, folder[0], keep, rehearse, pace, country, signatures or [])
            raise typer.Exit(run.run())


class _WorkshopCommand:
    """One workshop in one folder."""

    def __init__(
        self,
        console: CliConsole,
        folder_path: Path,
        retention: str,
        rehearsal_count: int | None,
        pace_s: float,
        country: str | None,
        signatures: list[Path],
    ) -> None:
        self._console = console
        self._folder_path = folder_path
        self._rehearsal_count = rehearsal_count
        self._pace_s = pace_s
        self._signatures = signatures
        self._country = country
        console.print_message("workshop.starting", version=__version__)
        from privaudit.workshop.model import Retention

        if retention not in list(Retention):
            raise UsageError("errors.keep_unknown", given=retention, known=tuple(Retention))
        self._retention = Retention(retention)

    def run(self) -> int:
        """Until the facilitator ends it; the exit code of DESIGN §4."""
        from privaudit.cli.audit import AuditRunner

        reporting = AuditRunner(
            self._console, [], self._country, all_apps=False, unknown=False, as_json=False, as_json_lines=False
        )
        reporting.validate_options(0)
        with _interrupt_on_signals():
            try:
                session = self._create_session(reporting)
            except KeyboardInterrupt:
                return EXIT_INTERRUPTED
            with contextlib.suppress(KeyboardInterrupt):
                self._run_display(session)
            if not session.closed:
                session.folder.leave_open()
                self._console.print_message("workshop.not_closed", path=str(self._folder_path))
                return EXIT_INTERRUPTED
        return self._print_summary(session)

    def _create_session(self, audit_runner: AuditRunner) -> WorkshopSession:
        from privaudit.transport import adb_auth
        from privaudit.workshop.session import WorkshopSession
        from privaudit.workshop.storage import WorkshopFolder

        demo = self._rehearsal_count is not None
        knowledge = audit_runner.load_knowledge(self._signatures, demo=demo)
        folder = WorkshopFolder(self._folder_path, self._retention, demo=demo)
        arrivals = self._create_device_watcher(adb_auth.generate())
        if folder.resumed:
            self._console.print_message("workshop.going_on", n=len(folder.records))
        return WorkshopSession(folder, arrivals, knowledge, audit_runner.report_options, self._console.language)

    def _create_device_watcher(self, session_key: AdbKey) -> DeviceWatcher:
        from privaudit.transport import adb_server
        from privaudit.workshop.device_watcher import AdbDeviceWatcher
        from privaudit.workshop.rehearsal import RehearsalWatcher

        if self._rehearsal_count is not None:
            self._console.print_message("workshop.rehearsal")
            return RehearsalWatcher(self._rehearsal_count, session_key, arrival_interval_s=self._pace_s)
        if adb_server.is_running():
            self._console.print_message("workshop.server_here")
        else:
            self._console.print_message("workshop.day_key", fingerprint=session_key.fingerprint)
        return AdbDeviceWatcher(session_key)

    def _run_display(self, session: WorkshopSession) -> None:
        from privaudit.workshop.session import InputEnded, KeyPress

        if not (self._console.color_enabled or self._console.animation_enabled) or not (
            sys.stdin.isatty() and sys.stdout.isatty()
        ):
            from privaudit.workshop import plain

            face = plain.PlainView(session, lambda line: self._console.write_stdout(f"{line}\n"))
            face.show_text("workshop.keys_plain")
            plain.start_stdin_reader(session)
            session.run()
            return
        from rich.console import Console

        from privaudit.workshop.board import Board
        from privaudit.workshop.keyboard import Keyboard

        board = Board(session, Console(highlight=False), demo=self._rehearsal_count is not None)
        put = session.events.put
        with Keyboard(lambda text: put(KeyPress(text)), lambda: put(InputEnded())), board.live:
            session.run()

    def _print_summary(self, session: WorkshopSession) -> int:
        from privaudit.workshop import statistics
        from privaudit.workshop.storage import PAGES_FOLDER, read_all_sessions

        pages = (self._folder_path / PAGES_FOLDER).exists()
        self._console.print_message(
            "workshop.closed_pages" if pages else "workshop.closed", path=str(self._folder_path)
        )
        outcomes = session.device_queue.outcomes
        if (self._folder_path / "totals.json").exists():
            self._console.write_stdout(
                statistics.render_text(read_all_sessions([self._folder_path]), self._console.language)
            )
        if not outcomes:
            return EXIT_UNREADABLE
        if any(found for found, _ in outcomes):
            return EXIT_FINDINGS
        return EXIT_OK if all(complete for _, complete in outcomes) else EXIT_INCOMPLETE


@contextlib.contextmanager
def _interrupt_on_signals() -> Iterator[None]:
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


def _print_totals(console: CliConsole, folders: list[Path], output: list[str], *, as_json: bool) -> None:
    from privaudit.workshop import statistics
    from privaudit.workshop.storage import read_all_sessions

    files = [Path(name) for name in output if name != "-"]
    for path in files:
        statistics.check_totals_path(path)
    book = read_all_sessions(folders)
    if as_json or "-" in output:
        console.write_stdout(statistics.render_json(book, console.language))
    else:
        console.write_stdout(statistics.render_text(book, console.language))
    for path in files:
        statistics.write_totals(book, path, console.language)
        console.print_message("cli.saved", path=str(path))


def _write_kit(console: CliConsole, output: list[str], country: str | None) -> None:
    from privaudit.cli.audit import AuditRunner
    from privaudit.workshop import kit

    if len(output) != 1 or output == ["-"]:
        raise UsageError("errors.kit_where")
    reporting = AuditRunner(console, [], country, all_apps=False, unknown=False, as_json=False, as_json_lines=False)
    reporting.validate_options(0)
    for path in kit.write_kit(Path(output[0]), console.language, reporting.country):
        console.print_message("cli.saved", path=str(path))
