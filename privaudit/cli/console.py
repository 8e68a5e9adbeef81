"""What the commands print and ask: data on standard output, everything for the user on standard error.

Every sentence is in the user's language. An error becomes three sentences and an exit code here.
"""

from __future__ import annotations

import contextlib
import errno
import io
import locale
import os
import shutil
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import typer

from privaudit import errors
from privaudit.cli.options import HELP_TRANSLATOR, suggest_country
from privaudit.errors import KnowledgeError, PhoneError, PrivauditError, SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.i18n.answers import fold_answer, is_yes

if TYPE_CHECKING:
    from privaudit.audit import CollectionOptions
    from privaudit.capture.model import Capture
    from privaudit.capture.remote_apks import ReadProgress
    from privaudit.facts import PhoneFacts
    from privaudit.knowledge import Knowledge
    from privaudit.model import Message, MessageValue
    from privaudit.report.txt import StyledLine
    from privaudit.transport.base import AuthorizationWait, Transport

_ROUND_KEYS: Final[Mapping[str, str]] = {
    "first_round": "cli.first_round",
    "later_round": "cli.later_round",
    "naming": "cli.naming",
}
"""The line printed when each round of commands to the phone begins."""
_PROGRESS_BAR_COLUMNS: Final = 20
_FIRST_WIDE_CHAR: Final = "\u2e80"
"""Where the characters of East Asia begin, which take two columns."""
_MIN_COLUMNS: Final = 20
_REPORT_PUNCTUATION: Final = "“…”→"
_MIN_TERMINAL_COLUMNS: Final = 60
"""A report is not laid out for narrower terminals: their lines wrap."""


def configure_stdio() -> None:
    """Let no character end the program, whatever the code page. Call it before anything is printed.

    A terminal keeps its own encoding and shows “?” for what it lacks. Text to a pipe or file is UTF-8, on Windows in
    the console's code page: that is how ``type``, ``findstr`` and PowerShell read it. JSON is always UTF-8.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding=_redirected_encoding(), errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def _redirected_encoding() -> str:
    if sys.platform != "win32" or sys.flags.utf8_mode:
        return "utf-8"
    # Of the three, whichever is still the console tells its code page; where none is, Windows has one for programs.
    code_page = next(filter(None, map(os.device_encoding, (2, 1, 0))), None) or locale.getencoding()
    try:
        (HELP_TRANSLATOR.t("cli.app") + _REPORT_PUNCTUATION).encode(code_page)
    except (LookupError, UnicodeEncodeError):  # it lacks letters of the user's language, or our punctuation
        return "utf-8"
    return code_page


def is_closed_pipe(error: BaseException | None) -> bool:
    """Whether `error` says that the reader of a pipe has closed it. Windows calls that an invalid argument."""
    return isinstance(error, BrokenPipeError) or (
        sys.platform == "win32" and isinstance(error, OSError) and error.errno == errno.EINVAL
    )


def discard_output(stream: TextIO) -> None:
    """Send `stream` to the null device, with what it holds: at exit Python would try to write that, and fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _write(stream: TextIO, text: str) -> None:
    """Write and flush. A reader that closes the pipe early (``privaudit audit | head``) is no error."""
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        discard_output(stream)
        if not is_closed_pipe(error):
            raise


def _break_lines(text: str, stream: TextIO) -> str:
    """Break `text` between words where a terminal would break it inside one.

    Not in Chinese, which a terminal may break anywhere, and not where a command could be copied with the break in it.
    """
    if not stream.isatty() or any(char >= _FIRST_WIDE_CHAR for char in text) or "privaudit " in text:
        return text
    columns = max(shutil.get_terminal_size().columns - 1, _MIN_COLUMNS)
    wrapper = textwrap.TextWrapper(columns, break_long_words=False, break_on_hyphens=False)
    return "\n".join(line if len(line) <= columns else wrapper.fill(line) for line in text.split("\n"))


def explain_error(error: PrivauditError, language: Translator, brand: str | None = None) -> Iterator[str]:
    """Return the lines for an error: what happened, why, what to do next, then steps for this phone and computer.

    `brand` is the maker of the phone, where it is known and the error does not name it.
    """
    yield language.t("cli.what") + language.translate(error.what)
    yield language.t("cli.why") + language.translate(error.why)
    yield language.t("cli.next") + language.translate(error.next)
    if isinstance(error, PhoneError):
        from privaudit.transport import diagnosis

        for step in diagnosis.troubleshooting_steps(error, brand, suggest_country(language.code)):
            yield f"- {language.translate(step)}"
    if isinstance(error, KnowledgeError):
        for problem in error.problems:
            yield f"  {language.translate(problem)}"


@contextlib.contextmanager
def open_console(lang: str | None, *, plain: bool) -> Iterator[CliConsole]:
    """Open the console of one command; exceptions in the block become sentences and an exit code."""
    console = CliConsole(lang, plain=plain)
    with console.handle_errors():
        yield console


class CliConsole:
    """The terminal of one command: prints messages to standard error, writes data to standard output, asks questions.

    Raises typer.Exit if there is no language `lang`; the error has been printed. `plain` means no colours and no
    animation.
    """

    def __init__(self, lang: str | None, *, plain: bool) -> None:
        try:
            self.language = Translator(lang) if lang else HELP_TRANSLATOR
        except UsageError as error:
            self.language = HELP_TRANSLATOR
            self.print_error(error)
            raise typer.Exit(error.exit_code) from error
        self._authorization_prompted = False
        fancy = not plain and os.environ.get("TERM") != "dumb"
        self.color_enabled = fancy and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self.animation_enabled = fancy and sys.stderr.isatty()

    def write_stdout(self, text: str) -> None:
        """Write text to standard output.

        A reader that closes the pipe early (``privaudit audit | head``) is no error and does not change the exit code.
        Raises SourceError if output goes to a file, and the disk is full.
        """
        try:
            _write(sys.stdout, text)
        except OSError as error:
            raise SourceError("errors.not_written", path="stdout", reason=error.strerror or str(error)) from error

    def write_json(self, text: str) -> None:
        """Write JSON to standard output as `write_stdout` does; to a pipe or file in UTF-8 on every system."""
        if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        self.write_stdout(text)

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write lines of text to standard output; on a terminal, a line that does not fit is broken between words."""
        self.write_stdout("".join(f"{_break_lines(line, sys.stdout)}\n" for line in lines))

    def write_styled(self, render: Callable[[int], Iterable[StyledLine]]) -> None:
        """Write the lines that `render` makes for a width in columns; where colours are enabled, the terminal's."""
        from privaudit.report.txt import DEFAULT_WIDTH, MIN_WIDE_WIDTH

        if not self.color_enabled:
            self.write_lines(line.text for line in render(DEFAULT_WIDTH))
            return
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False, soft_wrap=True)
        for line in render(min(max(console.width, _MIN_TERMINAL_COLUMNS), MIN_WIDE_WIDTH)):
            console.print(Text(line.text, style=line.style))

    def print_message(self, key: str, **values: MessageValue) -> None:
        """Print the sentence of `key` to the user."""
        self._print_stderr(self.language.t(key, **values))

    def prompt(self, key: str, **values: MessageValue) -> str:
        """Ask; return the answer as `fold_answer` does. Raises UsageError ``nobody_answers`` if input has ended."""
        return fold_answer(self.prompt_text(key, **values))

    def confirm(self, key: str, **values: MessageValue) -> bool:
        """Ask; return whether the answer is a yes."""
        return is_yes(self.prompt(key, **values), self.language)

    def prompt_text(self, key: str, **values: MessageValue) -> str:
        """Ask as `prompt` does; return the answer as it was typed, stripped."""
        _write(sys.stderr, _break_lines(self.language.t(key, **values), sys.stderr) + " ")
        line = sys.stdin.readline()
        if not line:
            self._print_stderr("")
            raise UsageError("errors.nobody_answers")
        return line.strip()

    def print_error(self, error: PrivauditError) -> None:
        """Print an error: what happened, why, and what to do."""
        for line in explain_error(error, self.language):
            self._print_stderr(line)

    def print_usage_error(self, reason: str, command: str) -> None:
        """Print why typer could not parse the line of `command`, in the same three sentences as other errors."""
        language = self.language
        self._print_stderr(language.t("cli.what") + language.t("cli.usage_what"))
        self._print_stderr(language.t("cli.why") + reason)
        self._print_stderr(language.t("cli.next") + language.t("cli.usage_next", command=command))

    def exit_on_problems(self, problems: Sequence[Message]) -> None:
        """Print the problems of data files and end the command; return if there are none."""
        if problems:
            title = self.language.t("cli.mistakes", n=len(problems))
            self.write_lines([title, *(f"  {self.language.translate(problem)}" for problem in problems)])
            raise typer.Exit(errors.EXIT_USAGE)

    def print_round(self, name: str) -> None:
        """Print which round of commands to the phone begins."""
        self.print_message(_ROUND_KEYS[name])

    def collect(
        self, connection: Transport, lists: Knowledge, collection: CollectionOptions, *, demo: bool = False
    ) -> tuple[Capture, PhoneFacts]:
        """Take a capture of a phone, printing how far it is; return it with its facts."""
        from privaudit import audit

        return audit.collect(
            connection,
            lists,
            demo=demo,
            options=collection,
            progress=self.print_round,
            on_apk_progress=self.update_progress_bar,
        )

    def print_authorization_prompt(self, status: AuthorizationWait) -> None:
        """Print that the phone waits for its owner to tap "Allow"; on later calls only the seconds left."""
        left = self.language.t("cli.seconds_left", n=status.seconds_left)
        if not self._authorization_prompted:
            self._authorization_prompted = True
            key = "cli.allow_unseen" if status.fingerprint is None else "cli.allow"
            self.print_message(key, fingerprint=status.fingerprint)
            if not self.animation_enabled:
                self._print_stderr(left)
        if self.animation_enabled:
            # Blanks, not an escape sequence, overwrite the rest of a longer line.
            _write(sys.stderr, f"\r{left}  ")

    def print_key_created(self, path: Path) -> None:
        """Print that the key of this computer was created, which stays on the disk after the command."""
        self.print_message("cli.key_created", path=str(path))

    def update_progress_bar(self, progress: ReadProgress, key: str = "cli.named") -> None:
        """Redraw the progress bar on its line. `key` is the sentence beside it: by default how many apps are named."""
        if not self.animation_enabled:
            return
        line = self.language.t(key, done=progress.done, total=progress.total)
        bar = "#" * (progress.done * _PROGRESS_BAR_COLUMNS // max(progress.total, 1))
        end = "\n" if progress.done >= progress.total else ""
        _write(sys.stderr, f"\r[{bar:<{_PROGRESS_BAR_COLUMNS}}] {line}  {end}")

    @contextlib.contextmanager
    def connect(self, transport: str, serial: str | None) -> Iterator[Transport]:
        """Connect to a phone, and disconnect at the end."""
        from privaudit.transport import connect

        try:
            connection = connect(
                transport=transport,
                serial=serial,
                on_waiting=self.print_authorization_prompt,
                on_key_created=self.print_key_created,
            )
        finally:
            if self._authorization_prompted and self.animation_enabled:
                _write(sys.stderr, f"\r{' ' * 40}\r")
        with connection:
            yield connection

    @contextlib.contextmanager
    def handle_errors(self) -> Iterator[None]:
        """Turn exceptions into sentences and an exit code. No traceback is printed: it could hold data of the phone."""
        try:
            yield
        except (typer.Exit, typer.Abort):
            raise
        except PrivauditError as error:
            self.print_error(error)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            self._print_stderr("")
            self.print_message("cli.interrupted")
            raise typer.Exit(errors.EXIT_INTERRUPTED) from error
        except Exception as error:
            if os.environ.get("PRIVAUDIT_DEBUG"):
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.print_message("cli.bug", kind=type(error).__name__, where=f"{Path(last.filename).name}:{last.lineno}")
            raise typer.Exit(errors.EXIT_INTERNAL_ERROR) from error

    @staticmethod
    def _print_stderr(text: str) -> None:
        _write(sys.stderr, _break_lines(text, sys.stderr) + "\n")
