"""``privaudit workshop``: check many phones in one day, print the totals, and write the kit that is printed before."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit import __version__
from privaudit.cli import options
from privaudit.cli.console import CliConsole, open_console
from privaudit.cli.options import argument, option
from privaudit.errors import EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNREADABLE, UsageError

if TYPE_CHECKING:
    from privaudit.transport.adb_auth import AdbKey
    from privaudit.workshop.device_watcher import DeviceWatcher
    from privaudit.workshop.model import Retention
    from privaudit.workshop.session import WorkshopSession

KIT_ARGUMENT: Final = "kit"
_DEFAULT_PACE_S: Final = 20.0


def workshop(  # noqa: PLR0913 - one parameter per option
    folder: Annotated[list[Path], argument("cli.workshop_folder", "FOLDER...")],
    *,
    keep: Annotated[str, option("cli.workshop_keep", "--keep", metavar="WHAT")] = "handout",
    rehearse: Annotated[int | None, option("cli.workshop_rehearse", "--rehearse", metavar="N", min=1, max=500)] = None,
    pace: Annotated[float, option("cli.workshop_pace", "--pace", metavar="S", min=0.05, max=600)] = _DEFAULT_PACE_S,
    totals: Annotated[bool, option("cli.workshop_totals", "--totals")] = False,
    output: options.OutputOption = None,
    as_json: options.JsonOption = False,
    lang: options.LanguageOption = None,
    country: options.CountryOption = None,
    signatures: options.SignaturesOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Run a workshop, print its totals, or write the kit for it."""
    with open_console(lang, plain=plain) as console:
        if folder == [Path(KIT_ARGUMENT)] and (output or not totals):
            _write_kit(console, output or [], country)
        elif totals:
            _print_totals(console, folder, output or [], as_json=as_json)
        else:
            if len(folder) > 1 or output or as_json:
                raise UsageError("errors.one_workshop")
            console.print_message("workshop.starting", version=__version__)
            command = WorkshopCommand(
                console=console,
                folder=folder[0],
                retention=_parse_retention(keep),
                rehearsal_count=rehearse,
                pace_s=pace,
                country=options.parse_country(country),
                signatures=tuple(signatures or ()),
            )
            raise typer.Exit(command.run())


def _parse_retention(value: str) -> Retention:
    from privaudit.workshop.model import Retention

    if value not in list(Retention):
        raise UsageError("errors.keep_unknown", given=value, known=tuple(Retention))
    return Retention(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkshopCommand:
    """One workshop in one folder."""

    console: CliConsole
    folder: Path
    retention: Retention
    """What is kept of each phone."""
    rehearsal_count: int | None
    """How many virtual phones come and go, in place of real ones."""
    pace_s: float
    """Seconds between two phones of a rehearsal."""
    country: str | None
    signatures: tuple[Path, ...]

    def run(self) -> int:
        """Run the workshop until the facilitator closes it, and return the exit code."""
        with _interrupt_on_signals():
            try:
                session = self._create_session()
            except KeyboardInterrupt:
                return EXIT_INTERRUPTED
            with contextlib.suppress(KeyboardInterrupt):
                self._run_display(session)
            if not session.closed:
                session.folder.leave_open()
                self.console.print_message("workshop.not_closed", path=str(self.folder))
                return EXIT_INTERRUPTED
        return self._print_summary(session)

    def _create_session(self) -> WorkshopSession:
        from privaudit import knowledge
        from privaudit.audit import ReportOptions
        from privaudit.transport import adb_auth
        from privaudit.workshop.session import WorkshopSession
        from privaudit.workshop.storage import WorkshopFolder

        demo = self.rehearsal_count is not None
        lists = knowledge.load_knowledge(extra_lists=self.signatures, demo=demo, country=self.country)
        folder = WorkshopFolder(self.folder, self.retention, demo=demo, confirm=self.console.confirm)
        watcher = self._create_device_watcher(adb_auth.generate())
        if folder.resumed:
            self.console.print_message("workshop.going_on", n=len(folder.records))
        return WorkshopSession(folder, watcher, lists, ReportOptions(country=self.country), self.console.language)

    def _create_device_watcher(self, session_key: AdbKey) -> DeviceWatcher:
        from privaudit.transport import adb_server
        from privaudit.workshop.device_watcher import AdbDeviceWatcher
        from privaudit.workshop.rehearsal import RehearsalWatcher

        if self.rehearsal_count is not None:
            self.console.print_message("workshop.rehearsal")
            return RehearsalWatcher(self.rehearsal_count, session_key, arrival_interval_s=self.pace_s)
        if adb_server.is_running():
            self.console.print_message("workshop.server_here")
        else:
            self.console.print_message("workshop.day_key", fingerprint=session_key.fingerprint)
        return AdbDeviceWatcher(session_key)

    def _run_display(self, session: WorkshopSession) -> None:
        from privaudit.workshop.session import InputEnded, KeyPress

        if not (self.console.color_enabled or self.console.animation_enabled) or not (
            sys.stdin.isatty() and sys.stdout.isatty()
        ):
            from privaudit.workshop import plain

            plain.PlainView(session, lambda line: self.console.write_lines([line]))
            session.show_text("workshop.keys_plain")
            plain.start_stdin_reader(session)
            session.run()
            return
        from rich.console import Console

        from privaudit.workshop.board import Board
        from privaudit.workshop.keyboard import Keyboard

        board = Board(session, Console(highlight=False), demo=self.rehearsal_count is not None)
        put = session.events.put
        with Keyboard(lambda text: put(KeyPress(text)), lambda: put(InputEnded())), board.live:
            session.run()

    def _print_summary(self, session: WorkshopSession) -> int:
        from privaudit.workshop import statistics
        from privaudit.workshop.storage import PAGES_FOLDER, TOTALS_FILE, read_all_sessions

        pages = (self.folder / PAGES_FOLDER).exists()
        self.console.print_message("workshop.closed_pages" if pages else "workshop.closed", path=str(self.folder))
        outcomes = session.device_queue.outcomes
        if (self.folder / TOTALS_FILE).exists():
            self.console.write_stdout(statistics.render_text(read_all_sessions([self.folder]), self.console.language))
        if not outcomes:
            return EXIT_UNREADABLE
        if any(has_findings for has_findings, _ in outcomes):
            return EXIT_FINDINGS
        return EXIT_OK if all(complete for _, complete in outcomes) else EXIT_INCOMPLETE


@contextlib.contextmanager
def _interrupt_on_signals() -> Iterator[None]:
    """Handle a closed window or SIGTERM like Ctrl-C: phones are disconnected, no file is left half-written."""
    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    previous = {number: signal.signal(number, signal.default_int_handler) for number in signals}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _print_totals(console: CliConsole, folders: list[Path], output: list[str], *, as_json: bool) -> None:
    """Print the counts of one or more workshops, and write them to each file of `output`."""
    from privaudit import report
    from privaudit.workshop import statistics
    from privaudit.workshop.storage import read_all_sessions

    files, as_json = options.parse_output(output, as_json=as_json)
    for path in files:
        report.validate_output(path, tuple(statistics.RENDERERS))
    sessions = read_all_sessions(folders)
    write = console.write_json if as_json else console.write_stdout
    write(statistics.RENDERERS[".json" if as_json else ".txt"](sessions, console.language))
    for path in files:
        report.save_text(statistics.RENDERERS[path.suffix](sessions, console.language), path)
        console.print_message("cli.saved", path=str(path))


def _write_kit(console: CliConsole, output: list[str], country: str | None) -> None:
    from privaudit.workshop import kit

    if len(output) != 1 or output == ["-"]:
        raise UsageError("errors.kit_where")
    for path in kit.write_kit(Path(output[0]), console.language, options.parse_country(country)):
        console.print_message("cli.saved", path=str(path))
