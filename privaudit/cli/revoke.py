"""`privaudit revoke`: the plan, and the way from it to changes.

Nothing here has a default: the apps are named, and without ``--apply`` nothing is changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from privaudit import __version__
from privaudit.cli.hands import check_packages
from privaudit.cli.running import Running
from privaudit.errors import PhoneError, UsageError

if TYPE_CHECKING:
    from privaudit.capture import Capture
    from privaudit.knowledge import Knowledge
    from privaudit.model import App
    from privaudit.revocation.change import Change
    from privaudit.revocation.plan import Plan
    from privaudit.transport import Transport


class Revoking(Running):
    """One run of `revoke`."""

    def revoke(
        self,
        apps: list[str],
        *,
        source: Path | None,
        apply: bool,
        ledger: Path | None,
        yes: bool,
        uninstall: bool,
    ) -> None:
        """Print the plan; with `apply`, carry it out."""
        starting = "cli.starting_apply" if apply else "cli.starting_plan"
        self.talk.say(starting if source is None or apply else "cli.starting_saved", version=__version__)
        check_packages(apps)
        if ledger is not None and ledger.exists():
            self._resume(apps, ledger, apply=apply, yes=yes)
            return
        if ledger is not None and not ledger.absolute().parent.is_dir():
            raise UsageError("errors.no_folder", path=str(ledger.absolute().parent))
        from privaudit import capture, knowledge
        from privaudit.report import json

        if source is not None and json.recognises(source):
            raise UsageError("errors.needs_capture", path=str(source))
        saved = capture.read(source) if source is not None else None
        lists = knowledge.load(extra=self.signatures, demo=saved is not None and saved.demo)
        if saved is not None and not apply:
            self._print(*self._planned(saved, lists, apps, uninstall=uninstall))
            self.talk.say("cli.only_planned")
            return
        with self.talk.phone(self.transport, self.serial) as connection:
            taken = self.take(connection, lists, apps)
            plan, named = self._planned(taken, lists, apps, uninstall=uninstall)
            if saved is not None:
                self._same_phone(saved, taken)
                _same_plan(self._planned(saved, lists, apps, uninstall=uninstall)[0], plan)
            self._print(plan, named)
            if not apply:
                self.talk.say("cli.only_planned")
            elif plan.planned:
                path = ledger or Path(f"privaudit-{datetime.now().astimezone():%Y%m%d-%H%M%S}.ledger.json")
                self._apply(connection, taken, plan, named, path, yes=yes)

    def _planned(
        self, taken: Capture, lists: Knowledge, apps: Iterable[str], *, uninstall: bool
    ) -> tuple[Plan, dict[tuple[str, int], App]]:
        from privaudit import facts
        from privaudit.revocation import plan, state

        named = self.named(taken, lists, apps)
        for name in apps:
            if name not in {package for package, _ in named}:
                raise UsageError("errors.app_missing", app=name)
        users = facts.gather(taken).users
        return plan.build(state.of(taken, apps), named.values(), users, uninstall=uninstall), named

    def _print(self, plan: Plan, named: dict[tuple[str, int], App]) -> None:
        from privaudit.report import revocation_text as prose

        self.talk.out(prose.plan(self.talk.language, plan, named))

    @staticmethod
    def _same_phone(saved: Capture, taken: Capture) -> None:
        from privaudit import facts
        from privaudit.revocation import identity

        if not identity.is_of(identity.of(facts.gather(saved)), facts.gather(taken)):
            raise PhoneError("errors.other_phone")

    def _apply(
        self,
        connection: Transport,
        taken: Capture,
        plan: Plan,
        named: dict[tuple[str, int], App],
        path: Path,
        *,
        yes: bool,
    ) -> None:
        """Ask, seal a capture, look once more, write the ledger, act."""
        from privaudit import facts
        from privaudit.capture import archive
        from privaudit.revocation import identity, ledger, state
        from privaudit.revocation import plan as plans
        from privaudit.revocation.change import Kind

        removed = [change.package for change in plan.changes if change.kind is Kind.UNINSTALL]
        if not self.agreed("cli.ask_apply", len(plan.planned), yes=yes) or not self.agreed_to_remove(removed):
            return
        before = path.with_name(f"{path.name.removesuffix('.json').removesuffix('.ledger')}.before.zip")
        if before.exists():
            raise UsageError("errors.exists", path=str(before))
        archive.write(taken, before)
        self.talk.say("cli.saved_private", path=str(before))
        # Between the plan and the answer somebody may have tapped, or another phone been plugged in.
        now = state.again(connection, taken, {package for package, _ in named})
        gathered = facts.gather(taken)
        _same_plan(plan, plans.build(now, named.values(), gathered.users, uninstall=bool(removed)))
        sealed = ledger.Sealed(file=before.name, sha256=hashlib.sha256(before.read_bytes()).hexdigest())
        book = ledger.begin(plan.changes, identity.of(gathered), sealed, demo=taken.demo)
        ledger.write(book, path)
        self.run(connection, taken, book, path, named)

    def _resume(self, apps: list[str], path: Path, *, apply: bool, yes: bool) -> None:
        """Go on with a run that was stopped."""
        from privaudit import knowledge
        from privaudit.revocation import ledger
        from privaudit.revocation.change import Kind, Outcome

        book = ledger.read(path)
        if sorted(set(apps)) != sorted({entry.change.package for entry in book.entries}):
            raise UsageError("errors.ledger_other_apps", path=str(path))
        open_now = [entry.change for entry in book.entries if entry.outcome in {Outcome.PLANNED, Outcome.BEGUN}]
        self.talk.say("cli.resuming", n=len(open_now), of=len(book.entries))
        if not open_now or not apply:
            self.talk.say("cli.only_planned" if open_now else "cli.nothing_open")
            return
        lists = knowledge.load(extra=self.signatures, demo=book.demo)
        with self.talk.phone(self.transport, self.serial) as connection:
            taken = self.take(connection, lists, apps)
            self.known_again(book, taken)
            removed = [change.package for change in open_now if change.kind is Kind.UNINSTALL]
            if self.agreed("cli.ask_apply", len(open_now), yes=yes) and self.agreed_to_remove(removed):
                self.run(connection, taken, book, path, self.named(taken, lists, apps))


def _same_plan(before: Plan, now: Plan) -> None:
    """Refuse where the phone is not as it was planned for.

    Raises:
        PhoneError: it is not; nothing was done.
    """
    planned, found = (frozenset(_lasting(plan)) for plan in (before, now))
    if planned != found:
        differs = next(iter(planned ^ found))
        raise PhoneError("errors.plan_changed", app=differs.package, what=differs.what or differs.kind.value)


def _lasting(plan: Plan) -> Iterator[Change]:
    """The changes but that an app is ended: whether it runs comes and goes by itself."""
    return (change for change in plan.changes if change.kind != "force_stop")
