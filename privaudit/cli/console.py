"""The voice of the commands: sentences, questions and errors, in the person's language."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from privaudit.cli.options import HELP
from privaudit.errors import (
    EXIT_BUG,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    KnowledgeError,
    PhoneError,
    PrivauditError,
    SourceError,
    UsageError,
)
from privaudit.i18n import Language

if TYPE_CHECKING:
    from privaudit.capture.remote_apks import Reading
    from privaudit.model import Message
    from privaudit.transport import Transport, WaitingForAllow

_ROUNDS = {"first_round": "cli.first_round", "later_round": "cli.later_round", "naming": "cli.naming"}
"""The line that each round of questions begins with."""
_BAR = 20
"""Columns of a progress bar."""


def steady() -> None:
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


class Talk:
    """Speaks to the person on standard error, and hands data to standard output."""

    def __init__(self, lang: str | None, *, plain: bool) -> None:
        try:
            self.language = Language(lang) if lang else HELP
        except UsageError as error:
            self.language = HELP
            self.show(error)
            raise typer.Exit(error.exit_code) from error
        self._asked = False
        self.colours = sys.stdout.isatty() and not plain and not os.environ.get("NO_COLOR")
        self.colours = self.colours and os.environ.get("TERM") != "dumb"
        self.moving = sys.stderr.isatty() and not plain and os.environ.get("TERM") != "dumb"

    def out(self, text: str) -> None:
        """Data, whole, to standard output.

        Whoever reads it may have had enough (``privaudit audit | head``): that is no error, and changes no exit code.

        Raises:
            SourceError: ``not_written``: it goes to a file, and the disk is full.
        """
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            self._done_with_output()
        except OSError as error:
            self._done_with_output()
            raise SourceError("errors.not_written", path="stdout", reason=error.strerror or str(error)) from error

    @staticmethod
    def _done_with_output() -> None:
        """What still waits to be written goes nowhere; at the end Python would try again, and fail loudly."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def say(self, key: str, **values: str | int) -> None:
        """One sentence to the person."""
        self._line(self.language.text(key, **values))

    def round(self, name: str) -> None:
        """Tell which round of questions begins."""
        self.say(_ROUNDS[name])

    def ask(self, key: str, **values: str | int) -> str:
        """A question to the person; the answer in lower case, without blanks at its ends.

        Raises:
            UsageError: nobody answers: the input is at its end.
        """
        sys.stderr.write(self.language.text(key, **values) + " ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            self._line("")
            raise UsageError("errors.nobody_answers")
        return line.strip().casefold()

    def refuse(self, mistakes: Sequence[Message]) -> None:
        """Every mistake in data files, one a line; then the command ends as misunderstood. None: go on."""
        if mistakes:
            lines = [self.language.text("cli.mistakes", n=len(mistakes))]
            lines += [f"  {self.language.say(mistake)}" for mistake in mistakes]
            self.out("".join(f"{line}\n" for line in lines))
            raise typer.Exit(EXIT_USAGE)

    def waiting(self, now: WaitingForAllow) -> None:
        """Tell that the phone waits for its owner's tap; then let the seconds run."""
        left = self.language.text("cli.seconds_left", n=now.seconds_left)
        if not self._asked:
            self._asked = True
            if now.fingerprint is None:
                self.say("cli.allow_unseen")
            else:
                self.say("cli.allow", fingerprint=now.fingerprint)
            if not self.moving:
                self._line(left)
        if self.moving:
            # Blanks, not an escape sequence, take away what a longer line left.
            sys.stderr.write(f"\r{left}  ")
            sys.stderr.flush()

    def counted(self, now: Reading, key: str = "cli.named") -> None:
        """How many names, or what `key` says, are read, on a line that moves."""
        if not self.moving:
            return
        line = self.language.text(key, done=now.done, total=now.total)
        bar = "#" * (now.done * _BAR // max(now.total, 1))
        sys.stderr.write(f"\r[{bar:<{_BAR}}] {line}  " + ("\n" if now.done >= now.total else ""))
        sys.stderr.flush()

    @contextlib.contextmanager
    def phone(self, transport: str, serial: str | None) -> Iterator[Transport]:
        """A connected phone, given back at the end."""
        from privaudit.transport import connect

        try:
            connection = connect(transport=transport, serial=serial, on_waiting=self.waiting)
        finally:
            if self._asked and self.moving:
                sys.stderr.write(f"\r{' ' * 40}\r")
        with connection:
            yield connection

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what goes wrong into words and an exit code. A traceback could show a phone's data, so none is shown."""
        try:
            yield
        except (typer.Exit, typer.Abort):
            raise
        except PrivauditError as error:
            self.show(error)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            self._line("")
            self.say("cli.interrupted")
            raise typer.Exit(EXIT_INTERRUPTED) from error
        except Exception as error:
            if os.environ.get("PRIVAUDIT_DEBUG"):
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.say("cli.bug", kind=type(error).__name__, where=f"{Path(last.filename).name}:{last.lineno}")
            raise typer.Exit(EXIT_BUG) from error

    def show(self, error: PrivauditError) -> None:
        """An error in three sentences: what happened, why, what to do."""
        for name in ("what", "why", "next"):
            self._labelled(name, self.language.say(getattr(error, name)))
        if isinstance(error, PhoneError):
            from privaudit.transport import diagnosis

            for step in diagnosis.advice(error):
                self._line(f"- {self.language.say(step)}")
        if isinstance(error, KnowledgeError):
            for mistake in error.mistakes:
                self._line(f"  {self.language.say(mistake)}")

    def misunderstood(self, name: str, command: str, values: Mapping[str, str]) -> None:
        """A command line that typer cannot understand, in the same three sentences."""
        self._labelled("what", self.language.text("cli.usage_what"))
        self._labelled("why", self.language.text(f"cli.usage_{name}", **values))
        self._labelled("next", self.language.text("cli.usage_next", command=command))

    def _labelled(self, name: str, sentence: str) -> None:
        self._line(self.language.text(f"cli.{name}") + sentence)

    @staticmethod
    def _line(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
