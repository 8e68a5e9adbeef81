"""The voice of the commands: sentences, questions and errors, in the person's language."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from privaudit.cli.options import HELP_TRANSLATOR
from privaudit.errors import (
    EXIT_INTERNAL_ERROR,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    KnowledgeError,
    PhoneError,
    PrivauditError,
    SourceError,
    UsageError,
)
from privaudit.i18n import Translator

if TYPE_CHECKING:
    from privaudit.capture.remote_apks import ReadProgress
    from privaudit.model import Message
    from privaudit.transport.base import AuthorizationWait, Transport

_ROUNDS = {"first_round": "cli.first_round", "later_round": "cli.later_round", "naming": "cli.naming"}
"""The line that each round of questions begins with."""
_PROGRESS_BAR_COLUMNS = 20
"""Columns of a progress bar."""


def configure_stdio() -> None:
    """Let no character end the program, whatever the code page: before anything is said, the help too.

    Redirected output is UTF-8 on every system. A terminal keeps its own encoding, and shows “?” for what that lacks.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            terminal = stream.isatty()
            stream.reconfigure(
                encoding=None if terminal else "utf-8", errors="replace" if terminal else "backslashreplace"
            )
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def is_yes(answer: str, language: Translator) -> bool:
    """Return whether `answer`, as `CliConsole.prompt` returns it, is a yes in `language` or in English."""
    words = {*language.t("cli.yes_words").split(), *Translator().t("cli.yes_words").split()}
    return unicodedata.normalize("NFC", answer) in words


class CliConsole:
    """Speaks to the person on standard error, and hands data to standard output."""

    def __init__(self, lang: str | None, *, plain: bool) -> None:
        try:
            self.language = Translator(lang) if lang else HELP_TRANSLATOR
        except UsageError as error:
            self.language = HELP_TRANSLATOR
            self.print_error(error)
            raise typer.Exit(error.exit_code) from error
        self._authorization_prompted = False
        self.color_enabled = sys.stdout.isatty() and not plain and not os.environ.get("NO_COLOR")
        self.color_enabled = self.color_enabled and os.environ.get("TERM") != "dumb"
        self.animation_enabled = sys.stderr.isatty() and not plain and os.environ.get("TERM") != "dumb"

    def write_stdout(self, text: str) -> None:
        """Data, whole, to standard output.

        Whoever reads it may have had enough (``privaudit audit | head``): that is no error, and changes no exit code.

        Raises:
            SourceError: ``not_written``: it goes to a file, and the disk is full.
        """
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            self._discard_stdout()
        except OSError as error:
            self._discard_stdout()
            raise SourceError("errors.not_written", path="stdout", reason=error.strerror or str(error)) from error

    @staticmethod
    def _discard_stdout() -> None:
        """What still waits to be written goes nowhere; at the end Python would try again, and fail loudly."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def print_message(self, key: str, **values: str | int) -> None:
        """One sentence to the person."""
        self._print_stderr(self.language.t(key, **values))

    def round(self, name: str) -> None:
        """Tell which round of questions begins."""
        self.print_message(_ROUNDS[name])

    def prompt(self, key: str, **values: str | int) -> str:
        """A question to the person; the answer in lower case, without blanks at its ends.

        Raises:
            UsageError: nobody answers: the input is at its end.
        """
        sys.stderr.write(self.language.t(key, **values) + " ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            self._print_stderr("")
            raise UsageError("errors.nobody_answers")
        return line.strip().casefold()

    def exit_on_problems(self, problems: Sequence[Message]) -> None:
        """Every mistake in data files, one a line; then the command ends as misunderstood. None: go on."""
        if problems:
            lines = [self.language.t("cli.mistakes", n=len(problems))]
            lines += [f"  {self.language.translate(mistake)}" for mistake in problems]
            self.write_stdout("".join(f"{line}\n" for line in lines))
            raise typer.Exit(EXIT_USAGE)

    def print_authorization_prompt(self, status: AuthorizationWait) -> None:
        """Tell that the phone waits for its owner's tap; then let the seconds run."""
        left = self.language.t("cli.seconds_left", n=status.seconds_left)
        if not self._authorization_prompted:
            self._authorization_prompted = True
            if status.fingerprint is None:
                self.print_message("cli.allow_unseen")
            else:
                self.print_message("cli.allow", fingerprint=status.fingerprint)
            if not self.animation_enabled:
                self._print_stderr(left)
        if self.animation_enabled:
            # Blanks, not an escape sequence, take away what a longer line left.
            sys.stderr.write(f"\r{left}  ")
            sys.stderr.flush()

    def update_progress_bar(self, progress: ReadProgress, key: str = "cli.named") -> None:
        """How many names, or what `key` says, are read, on a line that moves."""
        if not self.animation_enabled:
            return
        line = self.language.t(key, done=progress.done, total=progress.total)
        bar = "#" * (progress.done * _PROGRESS_BAR_COLUMNS // max(progress.total, 1))
        sys.stderr.write(
            f"\r[{bar:<{_PROGRESS_BAR_COLUMNS}}] {line}  " + ("\n" if progress.done >= progress.total else "")
        )
        sys.stderr.flush()

    @contextlib.contextmanager
    def connect(self, transport: str, serial: str | None) -> Iterator[Transport]:
        """A connected phone, given back at the end."""
        from privaudit.transport import connect

        try:
            connection = connect(transport=transport, serial=serial, on_waiting=self.print_authorization_prompt)
        finally:
            if self._authorization_prompted and self.animation_enabled:
                sys.stderr.write(f"\r{' ' * 40}\r")
        with connection:
            yield connection

    @contextlib.contextmanager
    def handle_errors(self) -> Iterator[None]:
        """Turn what goes wrong into words and an exit code. A traceback could show a phone's data, so none is shown."""
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
            raise typer.Exit(EXIT_INTERRUPTED) from error
        except Exception as error:
            if os.environ.get("PRIVAUDIT_DEBUG"):
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.print_message("cli.bug", kind=type(error).__name__, where=f"{Path(last.filename).name}:{last.lineno}")
            raise typer.Exit(EXIT_INTERNAL_ERROR) from error

    def print_error(self, error: PrivauditError) -> None:
        """An error in three sentences: what happened, why, what to do."""
        for name in ("what", "why", "next"):
            self._print_labeled(name, self.language.translate(getattr(error, name)))
        if isinstance(error, PhoneError):
            from privaudit.transport import diagnosis

            for step in diagnosis.troubleshooting_steps(error):
                self._print_stderr(f"- {self.language.translate(step)}")
        if isinstance(error, KnowledgeError):
            for mistake in error.problems:
                self._print_stderr(f"  {self.language.translate(mistake)}")

    def print_usage_error(self, reason: str, command: str, values: Mapping[str, str]) -> None:
        """A command line that typer cannot understand, in the same three sentences."""
        self._print_labeled("what", self.language.t("cli.usage_what"))
        self._print_labeled("why", self.language.t(f"cli.usage_{reason}", **values))
        self._print_labeled("next", self.language.t("cli.usage_next", command=command))

    def _print_labeled(self, label: str, sentence: str) -> None:
        self._print_stderr(self.language.t(f"cli.{label}") + sentence)

    @staticmethod
    def _print_stderr(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
