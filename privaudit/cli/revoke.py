"""`privaudit revoke`: the plan, and the way from it to changes.

Nothing here has a default: the apps are named, and without ``--apply`` nothing is changed.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from privaudit import __version__
from privaudit.cli.console import is_yes
from privaudit.cli.steps import PhoneCommand, validate_package_names
from privaudit.errors import EXIT_INTERRUPTED, EXIT_UNREADABLE, PhoneError, SourceError, UsageError

if TYPE_CHECKING:
    from privaudit.capture.model import Capture
    from privaudit.knowledge import Knowledge
    from privaudit.model import App, Step
    from privaudit.revocation.apply import LedgerRun
    from privaudit.revocation.change import Change
    from privaudit.revocation.ledger import Ledger, LedgerEntry
    from privaudit.revocation.plan import RevocationPlan
    from privaudit.transport.base import Transport


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

        judged = findings.recognise_apps(facts.gather_facts(capture).apps, knowledge)
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
        from privaudit.revocation import ledger as identity

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
        if yes or is_yes(self.console.prompt(key, n=count), self.console.language):
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
            lines += prose.manual_step_lines(language, "remedy.instead", todo, selected_apps)
        lines.append(language.t("remedy.regrant"))
        self.console.write_stdout("".join(f"{line}\n" for line in lines))


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


class RevokeCommand(LedgerCommand):
    """One run of `revoke`."""

    def revoke(
        self,
        packages: list[str],
        *,
        source: Path | None,
        apply: bool,
        ledger: Path | None,
        yes: bool,
        uninstall: bool,
    ) -> None:
        """Print the plan; with `apply`, carry it out."""
        starting = "cli.starting_apply" if apply else "cli.starting_plan"
        self.console.print_message(starting if source is None or apply else "cli.starting_saved", version=__version__)
        validate_package_names(packages)
        if ledger is not None and ledger.exists():
            self._resume_ledger(packages, ledger, apply=apply, yes=yes)
            return
        if ledger is not None and not ledger.absolute().parent.is_dir():
            raise UsageError("errors.no_folder", path=str(ledger.absolute().parent))
        from privaudit import knowledge
        from privaudit.capture.sources import read_source
        from privaudit.report import json

        if source is not None and json.is_report_file(source):
            raise UsageError("errors.needs_capture", path=str(source))
        saved = read_source(source) if source is not None else None
        lists = knowledge.load_knowledge(extra_lists=self.signatures, demo=saved is not None and saved.demo)
        if saved is not None and not apply:
            self._print_plan(*self._build_plan(saved, lists, packages, uninstall=uninstall))
            self.console.print_message("cli.only_planned")
            return
        with self.console.connect(self.transport, self.serial) as connection:
            taken = self.collect_capture(connection, lists, packages)
            plan, named = self._build_plan(taken, lists, packages, uninstall=uninstall)
            if saved is not None:
                self._verify_saved_device(saved, taken)
                _require_same_plan(self._build_plan(saved, lists, packages, uninstall=uninstall)[0], plan)
            self._print_plan(plan, named)
            if not apply:
                self.console.print_message("cli.only_planned")
            elif plan.planned_changes:
                path = ledger or Path(f"privaudit-{datetime.now().astimezone():%Y%m%d-%H%M%S}.ledger.json")
                self._apply_plan(connection, taken, plan, named, path, yes=yes)

    def _build_plan(
        self, capture: Capture, knowledge: Knowledge, packages: Iterable[str], *, uninstall: bool
    ) -> tuple[RevocationPlan, dict[tuple[str, int], App]]:
        from privaudit import facts
        from privaudit.revocation import plan, state

        named = self.select_apps(capture, knowledge, packages)
        for name in packages:
            if name not in {package for package, _ in named}:
                raise UsageError("errors.app_missing", app=name)
        users = facts.gather_facts(capture).users
        return plan.build_plan(state.read_state(capture, packages), named.values(), users, uninstall=uninstall), named

    def _print_plan(self, plan: RevocationPlan, selected_apps: dict[tuple[str, int], App]) -> None:
        from privaudit.report import revocation_text as prose

        self.console.write_stdout(prose.format_plan(self.console.language, plan, selected_apps))

    @staticmethod
    def _verify_saved_device(saved_capture: Capture, capture: Capture) -> None:
        from privaudit import facts
        from privaudit.revocation import ledger as identity

        if not identity.matches_fingerprint(
            identity.compute_fingerprint(facts.gather_facts(saved_capture)), facts.gather_facts(capture)
        ):
            raise PhoneError("errors.other_phone")

    def _apply_plan(
        self,
        connection: Transport,
        capture: Capture,
        plan: RevocationPlan,
        selected_apps: dict[tuple[str, int], App],
        ledger_path: Path,
        *,
        yes: bool,
    ) -> None:
        """Ask, seal a capture, look once more, write the ledger, act."""
        from privaudit import facts
        from privaudit.capture import archive
        from privaudit.revocation import ledger, state
        from privaudit.revocation import ledger as identity
        from privaudit.revocation import plan as plans
        from privaudit.revocation.change import ChangeKind

        removed = [change.package for change in plan.changes if change.kind is ChangeKind.UNINSTALL]
        if not self.confirm("cli.ask_apply", len(plan.planned_changes), yes=yes) or not self.confirm_uninstall(removed):
            return
        before = ledger_path.with_name(f"{ledger_path.name.removesuffix('.json').removesuffix('.ledger')}.before.zip")
        if before.exists():
            raise UsageError("errors.exists", path=str(before))
        archive.write_archive(capture, before)
        self.console.print_message("cli.saved_private", path=str(before))
        # Between the plan and the answer somebody may have tapped, or another phone been plugged in.
        now = state.refresh_state(connection, capture, {package for package, _ in selected_apps})
        gathered = facts.gather_facts(capture)
        _require_same_plan(plan, plans.build_plan(now, selected_apps.values(), gathered.users, uninstall=bool(removed)))
        sealed = ledger.CaptureReference(file=before.name, sha256=hashlib.sha256(before.read_bytes()).hexdigest())
        book = ledger.create_ledger(plan.changes, identity.compute_fingerprint(gathered), sealed, demo=capture.demo)
        ledger.write_ledger(book, ledger_path)
        self.apply_pending_changes(connection, capture, book, ledger_path, selected_apps)

    def _resume_ledger(self, packages: list[str], ledger_path: Path, *, apply: bool, yes: bool) -> None:
        """Go on with a run that was stopped."""
        from privaudit import knowledge
        from privaudit.revocation import ledger
        from privaudit.revocation.change import ChangeKind, Outcome

        book = ledger.read_ledger(ledger_path)
        if sorted(set(packages)) != sorted({entry.change.package for entry in book.entries}):
            raise UsageError("errors.ledger_other_apps", path=str(ledger_path))
        open_now = [entry.change for entry in book.entries if entry.outcome in {Outcome.PLANNED, Outcome.BEGUN}]
        self.console.print_message("cli.resuming", n=len(open_now), of=len(book.entries))
        if not open_now or not apply:
            self.console.print_message("cli.only_planned" if open_now else "cli.nothing_open")
            return
        lists = knowledge.load_knowledge(extra_lists=self.signatures, demo=book.demo)
        with self.console.connect(self.transport, self.serial) as connection:
            taken = self.collect_capture(connection, lists, packages)
            self.verify_ledger_device(book, taken)
            removed = [change.package for change in open_now if change.kind is ChangeKind.UNINSTALL]
            if self.confirm("cli.ask_apply", len(open_now), yes=yes) and self.confirm_uninstall(removed):
                self.apply_pending_changes(
                    connection, taken, book, ledger_path, self.select_apps(taken, lists, packages)
                )


def _require_same_plan(before: RevocationPlan, current: RevocationPlan) -> None:
    """Refuse where the phone is not as it was planned for.

    Raises:
        PhoneError: it is not; nothing was done.
    """
    planned, found = (frozenset(_comparable_changes(plan)) for plan in (before, current))
    if planned != found:
        differs = next(iter(planned ^ found))
        raise PhoneError("errors.plan_changed", app=differs.package, what=differs.what or differs.kind.value)


def _comparable_changes(plan: RevocationPlan) -> Iterator[Change]:
    """The changes but that an app is ended: whether it runs comes and goes by itself."""
    return (change for change in plan.changes if change.kind != "force_stop")
