"""`privaudit undo`: takes back what a ledger says was changed."""

from __future__ import annotations

from pathlib import Path

import typer

from privaudit import __version__
from privaudit.cli.running import LedgerCommand
from privaudit.errors import EXIT_UNREADABLE


class UndoCommand(LedgerCommand):
    """One run of `undo`."""

    def undo(self, ledger_path: Path, *, apply: bool, yes: bool) -> None:
        """Print what a ledger would take back; with `apply`, take it back."""
        self.console.print_message("cli.starting_undo", version=__version__)
        from privaudit.capture.collector import collect_answers, collect_first_round
        from privaudit.report import revocation_text as prose
        from privaudit.revocation import ledger

        book = ledger.read_ledger(ledger_path)
        self.console.write_stdout("".join(f"{line}\n" for line in prose.undo_plan(self.console.language, book)))
        if not apply:
            self.console.print_message("cli.only_planned")
            return
        with self.console.connect(self.transport, self.serial) as connection:
            taken = collect_first_round(connection, on_round=self.console.round)
            self.verify_ledger_device(book, taken)
            packages = {entry.change.package for entry in book.entries}
            taken = taken.with_answers(collect_answers(connection, (f"package.{name}" for name in packages)))
            if not self.confirm("cli.ask_undo", len(book.entries), yes=yes):
                return
            run = self.create_run(connection, taken, book, ledger_path)
            with self.resume_hint(ledger_path, "stopped_undo"):
                done = run.undo()
        self.console.print_message("cli.undo_done")
        if any(entry.outcome == "stays" for entry in done.entries):
            raise typer.Exit(EXIT_UNREADABLE)
