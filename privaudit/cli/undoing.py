"""`privaudit undo`: takes back what a ledger says was changed."""

from __future__ import annotations

from pathlib import Path

import typer

from privaudit import __version__
from privaudit.cli.running import Running
from privaudit.errors import EXIT_UNREADABLE


class Undoing(Running):
    """One run of `undo`."""

    def undo(self, path: Path, *, apply: bool, yes: bool) -> None:
        """Print what a ledger would take back; with `apply`, take it back."""
        self.talk.say("cli.starting_undo", version=__version__)
        from privaudit.capture.collector import ask_more, take
        from privaudit.report import revocation_text as prose
        from privaudit.revocation import ledger

        book = ledger.read(path)
        self.talk.out("".join(f"{line}\n" for line in prose.undo(self.talk.language, book)))
        if not apply:
            self.talk.say("cli.only_planned")
            return
        with self.talk.phone(self.transport, self.serial) as connection:
            taken = take(connection, progress=self.talk.round)
            self.known_again(book, taken)
            packages = {entry.change.package for entry in book.entries}
            taken = taken.having(ask_more(connection, (f"package.{name}" for name in packages)))
            if not self.agreed("cli.ask_undo", len(book.entries), yes=yes):
                return
            run = self.made_run(connection, taken, book, path)
            with self.unfinished(path, "stopped_undo"):
                done = run.restore()
        self.talk.say("cli.undo_done")
        if any(entry.outcome == "stays" for entry in done.entries):
            raise typer.Exit(EXIT_UNREADABLE)
