"""One run over a ledger: the question, the changes, what became of them, and where to go on when it was stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from privaudit.cli.hands import PhoneCommand
from privaudit.errors import EXIT_INTERRUPTED, EXIT_UNREADABLE, PhoneError, SourceError

if TYPE_CHECKING:
    from privaudit.capture import Capture
    from privaudit.knowledge import Knowledge
    from privaudit.model import App, Step
    from privaudit.revocation.apply import LedgerRun
    from privaudit.revocation.ledger import Ledger, LedgerEntry
    from privaudit.transport import Transport

_YES_WORDS: Final = frozenset({"y", "yes", "是", "好"})


class LedgerCommand(PhoneCommand):
    """What `revoke` and `undo` share."""

    def collect_capture(self, connection: Transport, knowledge: Knowledge, packages: list[str]) -> Capture:
        """A whole capture, with the details of `packages`."""
        from privaudit import audit
        from privaudit.capture.collector import collect_answers

        taken = audit.collect(
            connection, knowledge, progress=self.console.round, on_apk_progress=self.console.update_progress_bar
        )
        missing = [f"package.{name}" for name in packages if f"package.{name}" not in taken.answers]
        return taken.with_answers(collect_answers(connection, missing))

    @staticmethod
    def select_apps(capture: Capture, knowledge: Knowledge, packages: Iterable[str]) -> dict[tuple[str, int], App]:
        """The named apps, for each Android user that has them, in the order in which they were named."""
        from privaudit import facts, findings

        judged = findings.recognise_apps(facts.gather_facts(capture), knowledge)
        return {
            (app.package, app.user): app for name in dict.fromkeys(packages) for app in judged if app.package == name
        }

    @staticmethod
    def verify_ledger_device(ledger: Ledger, capture: Capture) -> None:
        """Refuse another phone, and an app that was removed and installed anew since.

        Raises:
            PhoneError: it is; nothing was done.
        """
        from privaudit import facts
        from privaudit.revocation import identity

        gathered = facts.gather_facts(capture)
        if not identity.matches_fingerprint(ledger.phone, gathered):
            raise PhoneError("errors.other_phone")
        anew = identity.find_reinstalled_package(
            ledger.phone, gathered, {entry.change.package for entry in ledger.entries}
        )
        if anew is not None:
            raise PhoneError("errors.installed_anew", app=anew)

    def confirm(self, key: str, count: int, *, yes: bool) -> bool:
        """One question, asked unless it was answered beforehand."""
        if yes or self.console.prompt(key, n=count) in _YES_WORDS:
            return True
        self.console.print_message("cli.nothing_done")
        return False

    def confirm_uninstall(self, packages: Iterable[str]) -> bool:
        """A question of its own for what cannot be undone, never answered beforehand."""
        for package in dict.fromkeys(packages):
            if self.console.prompt("cli.ask_uninstall", app=package) != package.casefold():
                self.console.print_message("cli.nothing_done")
                return False
        return True

    def apply_pending_changes(
        self,
        connection: Transport,
        capture: Capture,
        ledger: Ledger,
        ledger_path: Path,
        selected_apps: dict[tuple[str, int], App],
    ) -> None:
        """Close what is open in `ledger`, and tell how the apps stand then."""
        run = self.create_run(connection, capture, ledger, ledger_path)
        with self.resume_hint(ledger_path):
            done = run.apply()
            self._print_final_state(run, done, selected_apps)
        self.console.print_message("cli.ledger_kept", path=str(ledger_path))
        if any(entry.outcome != "done" for entry in done.entries):
            raise typer.Exit(EXIT_UNREADABLE)

    def create_run(self, connection: Transport, capture: Capture, ledger: Ledger, ledger_path: Path) -> LedgerRun:
        """A run over `ledger`, which tells each change as it is finished."""
        from privaudit.dumpsys import device
        from privaudit.report import revocation_text as prose
        from privaudit.revocation.apply import LedgerRun

        def told(_: int, entry: LedgerEntry) -> None:
            self.console.write_stdout(
                "".join(f"{line}\n" for line in prose.outcome_lines(self.console.language, entry))
            )

        phone = device.phone_from_properties(device.parse_properties(capture.answer("properties").text), None)
        if phone.sdk is None:
            raise PhoneError("errors.sdk_unread")
        return LedgerRun(
            transport=connection, capture=capture, ledger_path=ledger_path, ledger=ledger, on_change=told, sdk=phone.sdk
        )

    @contextlib.contextmanager
    def resume_hint(self, ledger_path: Path, key: str = "cli.stopped_between") -> Iterator[None]:
        """Whatever stops a run in the middle: say where it can go on."""
        try:
            yield
        except KeyboardInterrupt as stopped:
            self.console.print_message(key, path=str(ledger_path))
            raise typer.Exit(EXIT_INTERRUPTED) from stopped
        except (PhoneError, SourceError):
            self.console.print_message(key, path=str(ledger_path))
            raise

    def _print_final_state(
        self, run: LedgerRun, completed_ledger: Ledger, selected_apps: dict[tuple[str, int], App]
    ) -> None:
        """How the apps stand now, and what is left to do by hand."""
        from privaudit.model import UserKind
        from privaudit.report import revocation_text as prose
        from privaudit.revocation import steps
        from privaudit.revocation.change import Outcome

        language = self.console.language
        now = run.refresh_state()
        lines: list[str] = [""]
        for key, app in selected_apps.items():
            lines += prose.final_state(language, datetime.now().astimezone(), now.find_app(*key), app)
        left: dict[tuple[str, int], set[str]] = {}
        for entry in completed_ledger.entries:
            if entry.outcome is not Outcome.DONE and (door := entry.change.manual_step) is not None:
                left.setdefault((entry.change.package, entry.change.user), set()).add(door)
        kinds = {user.id: user.kind for user in now.facts.users}
        todo: dict[tuple[str, int], tuple[Step, ...]] = {}
        for key, doors in left.items():
            app = replace(now.find_app(*key) or selected_apps[key], label=selected_apps[key].label)
            todo[key] = steps.steps_for_kinds(doors, app, now.facts.phone, kinds.get(key[1], UserKind.OTHER))
        if any(todo.values()):
            lines += prose.manual_step_lines(language, "instead", todo, selected_apps)
        lines.append(language.t("remedy.regrant"))
        self.console.write_stdout("".join(f"{line}\n" for line in lines))
