"""``privaudit revoke`` and ``undo``: plan, confirm, apply and take back changes of permissions.

Nothing has a default: the apps are named, and without ``--apply`` nothing is changed. The module is long because both
commands are one run over a ledger: the same checks of the device, the same questions, the same way to resume.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privaudit import __version__
from privaudit.cli import options
from privaudit.cli.console import CliConsole, open_console
from privaudit.cli.options import argument, option
from privaudit.errors import EXIT_INTERRUPTED, EXIT_UNREADABLE, PhoneError, SourceError, UsageError
from privaudit.revocation.change import Change, ChangeKind, Outcome

if TYPE_CHECKING:
    from privaudit.capture.model import Capture
    from privaudit.knowledge import Knowledge
    from privaudit.revocation.apply import LedgerRun
    from privaudit.revocation.ledger import Ledger
    from privaudit.revocation.prepare import AppsByUser, PlannedRevocation
    from privaudit.transport.base import Transport


def revoke(  # noqa: PLR0913 - one parameter per option
    apps: Annotated[list[str], argument("cli.apps", "APP...")],
    *,
    source: Annotated[Path | None, option("cli.from_capture", "--from", metavar="SOURCE")] = None,
    apply: options.ApplyOption = False,
    ledger: Annotated[Path | None, option("cli.ledger", "--ledger", metavar="FILE")] = None,
    yes: options.YesOption = False,
    uninstall: Annotated[bool, option("cli.uninstall", "--uninstall")] = False,
    lang: options.LanguageOption = None,
    serial: options.SerialOption = None,
    transport: options.TransportOption = "auto",
    signatures: options.SignaturesOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Plan to close what the named apps can read; with --apply, do it."""
    with open_console(lang, plain=plain) as console:
        phone = options.PhoneOptions(transport=transport, serial=serial, signatures=tuple(signatures or ()))
        command = RevocationCommand(console, phone, apply=apply, yes=yes)
        command.revoke(apps, source=source, ledger_path=ledger, uninstall=uninstall)


def undo(
    ledger: Annotated[Path, argument("cli.ledger_undo", "LEDGER")],
    *,
    apply: options.ApplyOption = False,
    yes: options.YesOption = False,
    lang: options.LanguageOption = None,
    serial: options.SerialOption = None,
    transport: options.TransportOption = "auto",
    plain: options.PlainOption = False,
) -> None:
    """Take back what a ledger says was changed."""
    with open_console(lang, plain=plain) as console:
        phone = options.PhoneOptions(transport=transport, serial=serial)
        RevocationCommand(console, phone, apply=apply, yes=yes).undo(ledger)


class RevocationCommand:
    """One run of `revoke` or `undo`. Without `apply` it only prints the plan; with `yes` it asks only to uninstall."""

    def __init__(self, console: CliConsole, phone: options.PhoneOptions, *, apply: bool, yes: bool) -> None:
        self._console = console
        self._phone = phone
        self._apply = apply
        self._yes = yes

    def revoke(self, names: list[str], *, source: Path | None, ledger_path: Path | None, uninstall: bool) -> None:
        """Print the plan for the apps `names`; with `apply`, carry it out and write the ledger, or resume one.

        `source` is a saved capture to plan from; with `apply`, the phone must still be as it was then.
        """
        planning_key = "cli.starting_plan" if source is None else "cli.starting_saved"
        self._console.print_message("cli.starting_apply" if self._apply else planning_key, version=__version__)
        options.validate_app_names(names)
        if ledger_path is not None and ledger_path.exists():
            self._resume(names, ledger_path)
            return
        if ledger_path is not None and not ledger_path.absolute().parent.is_dir():
            raise UsageError("errors.no_folder", path=str(ledger_path.absolute().parent))
        from privaudit.capture import read_source
        from privaudit.report import json

        if source is not None and json.is_report_file(source):
            raise UsageError("errors.needs_capture", path=str(source))
        saved = self._plan_from(read_source(source), names, uninstall=uninstall) if source is not None else None
        if saved is None or self._apply:
            self._revoke_on_phone(names, saved, ledger_path, uninstall=uninstall)
        else:
            self._print_plan(saved)
            self._console.print_message("cli.only_planned")

    def _plan_from(self, saved: Capture, names: list[str], *, uninstall: bool) -> PlannedRevocation:
        from privaudit import facts, knowledge
        from privaudit.revocation import prepare

        lists = knowledge.load_knowledge(extra_lists=self._phone.signatures, demo=saved.demo)
        packages = options.resolve_packages(
            self._console, names, facts.summarise_phone(saved).summaries, packages_only=self._apply and self._yes
        )
        return prepare.plan_revocation(saved, lists, packages, uninstall=uninstall)

    def _revoke_on_phone(
        self, names: list[str], saved: PlannedRevocation | None, ledger_path: Path | None, *, uninstall: bool
    ) -> None:
        """Print the plan for the connected phone (that of the plan `saved`, if any); with `apply`, carry it out."""
        from privaudit import knowledge
        from privaudit.revocation import prepare

        demo = saved is not None and saved.capture.demo
        lists = knowledge.load_knowledge(extra_lists=self._phone.signatures, demo=demo)
        wanted = names if saved is None else list(dict.fromkeys(package for package, _ in saved.apps))
        with self._console.connect(self._phone.transport, self._phone.serial) as connection:
            capture, packages = self._collect(connection, lists, wanted)
            planned = prepare.plan_revocation(capture, lists, packages, uninstall=uninstall)
            if saved is not None:
                from privaudit.revocation.ledger import compute_fingerprint

                prepare.require_same_device(compute_fingerprint(saved.facts), planned.facts)
                prepare.require_same_plan(saved.plan, planned.plan)
            self._print_plan(planned)
            if not self._apply:
                self._console.print_message("cli.only_planned")
            elif planned.plan.planned_changes:
                path = ledger_path or Path(f"privaudit-{datetime.now().astimezone():%Y%m%d-%H%M%S}.ledger.json")
                self._apply_plan(connection, planned, path)

    def undo(self, ledger_path: Path) -> None:
        """Print what a ledger would take back; with `apply`, take it back."""
        self._console.print_message("cli.starting_undo", version=__version__)
        from privaudit import facts
        from privaudit.capture.collector import collect_answers, collect_first_round
        from privaudit.report import revocation_text
        from privaudit.revocation import prepare, state
        from privaudit.revocation.ledger import compute_fingerprint, read_ledger, read_sealed_capture

        ledger = read_ledger(ledger_path)
        packages = {entry.change.package for entry in ledger.entries}
        sealed = read_sealed_capture(ledger, ledger_path)
        before = state.read_state(sealed, packages)
        self._console.write_lines(revocation_text.undo_plan(self._console.language, ledger, before))
        if not self._apply:
            self._console.print_message("cli.only_planned")
            return
        fingerprint = compute_fingerprint(facts.gather_facts(sealed), ledger.phone.salt)
        with self._console.connect(self._phone.transport, self._phone.serial) as connection:
            capture = collect_first_round(connection, on_round=self._console.print_round)
            for known in (ledger.phone, fingerprint):
                prepare.require_same_device(known, facts.gather_facts(capture), packages)
            capture = capture.with_answers(collect_answers(connection, (f"package.{name}" for name in packages)))
            if not self._confirm("cli.ask_undo", len(ledger.entries)):
                return
            run = self._create_run(connection, capture, ledger, ledger_path)
            with self._resume_hint("cli.stopped_undo", ledger_path):
                undone = run.undo(before)
        self._console.print_message("cli.undo_done")
        if any(entry.may_need_undo for entry in undone.entries):
            raise typer.Exit(EXIT_UNREADABLE)

    def _collect(self, connection: Transport, knowledge: Knowledge, names: list[str]) -> tuple[Capture, list[str]]:
        """Take a capture of the phone with the own dumps of the apps called `names`; return their packages too."""
        from privaudit import audit
        from privaudit.revocation import prepare

        collection = audit.CollectionOptions(app_names=tuple(names))
        capture, phone_facts = self._console.collect(connection, knowledge, collection)
        packages = options.resolve_packages(
            self._console, names, phone_facts.summaries, packages_only=self._apply and self._yes
        )
        return prepare.read_own_dumps(connection, capture, packages), packages

    def _print_plan(self, planned: PlannedRevocation) -> None:
        from privaudit.report import revocation_text

        self._console.write_lines(revocation_text.plan_lines(self._console.language, planned.plan, planned.apps))

    def _confirm(self, key: str, count: int) -> bool:
        """Ask before changing the phone, unless ``--yes`` was given."""
        if self._yes or self._console.confirm(key, n=count):
            return True
        self._console.print_message("cli.nothing_done")
        return False

    def _confirm_changes(self, changes: Collection[Change]) -> bool:
        """Ask before applying changes. Uninstalling cannot be undone: each app is asked about, even with ``--yes``."""
        if not self._confirm("cli.ask_apply", len(changes)):
            return False
        for package in dict.fromkeys(change.package for change in changes if change.kind is ChangeKind.UNINSTALL):
            if self._console.prompt("cli.ask_uninstall", app=package) != package.casefold():
                self._console.print_message("cli.nothing_done")
                return False
        return True

    def _apply_plan(self, connection: Transport, planned: PlannedRevocation, ledger_path: Path) -> None:
        from privaudit.capture import archive
        from privaudit.revocation import ledger, prepare

        if not self._confirm_changes(planned.plan.changes):
            return
        before = ledger_path.with_name(f"{ledger_path.name.removesuffix('.json').removesuffix('.ledger')}.before.zip")
        if before.exists():
            raise UsageError("errors.exists", path=str(before))
        archive.write_archive(planned.capture, before)
        self._console.print_message("cli.saved_private", path=str(before))
        reference = ledger.CaptureReference(file=before.name, sha256=hashlib.sha256(before.read_bytes()).hexdigest())
        new_ledger = prepare.begin_ledger(connection, planned, reference)
        ledger.write_ledger(new_ledger, ledger_path)
        self._apply_ledger(connection, planned.capture, new_ledger, ledger_path, planned.apps)

    def _resume(self, names: list[str], ledger_path: Path) -> None:
        from privaudit import facts, knowledge
        from privaudit.revocation import prepare
        from privaudit.revocation.ledger import read_ledger, read_sealed_capture

        ledger = read_ledger(ledger_path)
        packages = sorted({entry.change.package for entry in ledger.entries})
        if not set(names) <= set(packages):  # labels: the capture before the changes knows them
            sealed = facts.summarise_phone(read_sealed_capture(ledger, ledger_path)).summaries
            names = options.resolve_packages(self._console, names, sealed)
        if sorted(set(names)) != packages:
            raise UsageError("errors.ledger_other_apps", path=str(ledger_path))
        pending = [entry.change for entry in ledger.entries if entry.outcome in {Outcome.PLANNED, Outcome.BEGUN}]
        self._console.print_message("cli.resuming", n=len(pending), of=len(ledger.entries))
        if not pending or not self._apply:
            self._console.print_message("cli.only_planned" if pending else "cli.nothing_open")
            return
        lists = knowledge.load_knowledge(extra_lists=self._phone.signatures, demo=ledger.demo)
        with self._console.connect(self._phone.transport, self._phone.serial) as connection:
            capture, _ = self._collect(connection, lists, packages)
            phone_facts = facts.gather_facts(capture)
            prepare.require_same_device(ledger.phone, phone_facts, packages)
            if self._confirm_changes(pending):
                apps = prepare.select_apps(phone_facts, lists, packages)
                self._apply_ledger(connection, capture, ledger, ledger_path, apps)

    def _apply_ledger(
        self, connection: Transport, capture: Capture, ledger: Ledger, ledger_path: Path, apps: AppsByUser
    ) -> None:
        """Apply the pending changes of a ledger; print the state of the apps, what is left, and how to check again."""
        from privaudit.report import revocation_text

        run = self._create_run(connection, capture, ledger, ledger_path)
        with self._resume_hint("cli.stopped_between", ledger_path):
            applied = run.apply()
            lines = revocation_text.result_lines(self._console.language, datetime.now().astimezone(), run, apps)
            commands = self._check_again_commands(ledger_path, ledger_path.with_name(run.ledger.capture.file))
            self._console.write_lines((*lines, *commands))
        self._console.print_message(
            "cli.ledger_kept", path=str(ledger_path), quoted=options.command_line(str(ledger_path))
        )
        if any(entry.outcome is not Outcome.DONE for entry in applied.entries):
            raise typer.Exit(EXIT_UNREADABLE)

    def _create_run(self, connection: Transport, capture: Capture, ledger: Ledger, ledger_path: Path) -> LedgerRun:
        """Create a run over `ledger` that prints each change when it is finished."""
        from privaudit.report import revocation_text
        from privaudit.revocation.apply import LedgerRun
        from privaudit.revocation.ledger import write_ledger

        language = self._console.language
        return LedgerRun(
            transport=connection,
            capture=capture,
            write_ledger=lambda written: write_ledger(written, ledger_path),
            ledger=ledger,
            on_change=lambda entry: self._console.write_lines(revocation_text.outcome_lines(language, entry)),
        )

    @contextlib.contextmanager
    def _resume_hint(self, key: str, ledger_path: Path) -> Iterator[None]:
        """Print how to resume when a run stops in the middle, whatever stops it."""
        try:
            yield
        except KeyboardInterrupt as interrupt:
            self._console.print_message(key, path=str(ledger_path), quoted=options.command_line(str(ledger_path)))
            raise typer.Exit(EXIT_INTERRUPTED) from interrupt
        except (PhoneError, SourceError):
            self._console.print_message(key, path=str(ledger_path), quoted=options.command_line(str(ledger_path)))
            raise

    def _check_again_commands(self, ledger_path: Path, before: Path) -> Iterator[str]:
        """Yield what to type tomorrow: a capture of this phone, and its comparison with the one before the changes."""
        later = before.with_name(f"{before.name.removesuffix('.zip').removesuffix('.before')}.later.zip")
        phone = [] if self._phone.transport == "auto" else ["--transport", self._phone.transport]
        phone += ["--serial", self._phone.serial] if self._phone.serial is not None else []
        yield f"  privaudit {options.command_line('capture', str(later), *phone)}"
        yield f"  privaudit {options.command_line('diff', str(before), str(later), '--ledger', str(ledger_path))}"
