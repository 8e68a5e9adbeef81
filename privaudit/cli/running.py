"""One run over a ledger: the question, the changes, what became of them, and where to go on when it was stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from privaudit.cli.hands import Hands
from privaudit.errors import EXIT_INTERRUPTED, EXIT_UNREADABLE, PhoneError, SourceError

if TYPE_CHECKING:
    from privaudit.capture import Capture
    from privaudit.knowledge import Knowledge
    from privaudit.model import App, Step
    from privaudit.revocation.apply import Run
    from privaudit.revocation.ledger import Entry, Ledger
    from privaudit.transport import Transport

_YES: Final = frozenset({"y", "yes", "是", "好"})


class Running(Hands):
    """What `revoke` and `undo` share."""

    def take(self, connection: Transport, lists: Knowledge, apps: list[str]) -> Capture:
        """A whole capture, with the details of `apps`."""
        from privaudit import audit
        from privaudit.capture.collector import ask_more

        taken = audit.live(connection, lists, progress=self.talk.round, counted=self.talk.counted)
        missing = [f"package.{name}" for name in apps if f"package.{name}" not in taken.answers]
        return taken.having(ask_more(connection, missing))

    @staticmethod
    def named(taken: Capture, lists: Knowledge, apps: Iterable[str]) -> dict[tuple[str, int], App]:
        """The named apps, for each Android user that has them, in the order in which they were named."""
        from privaudit import facts, findings

        judged = findings.recognised(facts.gather(taken), lists)
        return {(app.package, app.user): app for name in dict.fromkeys(apps) for app in judged if app.package == name}

    @staticmethod
    def known_again(book: Ledger, taken: Capture) -> None:
        """Refuse another phone, and an app that was removed and installed anew since.

        Raises:
            PhoneError: it is; nothing was done.
        """
        from privaudit import facts
        from privaudit.revocation import identity

        gathered = facts.gather(taken)
        if not identity.is_of(book.phone, gathered):
            raise PhoneError("errors.other_phone")
        anew = identity.installed_anew(book.phone, gathered, {entry.change.package for entry in book.entries})
        if anew is not None:
            raise PhoneError("errors.installed_anew", app=anew)

    def agreed(self, key: str, n: int, *, yes: bool) -> bool:
        """One question, asked unless it was answered beforehand."""
        if yes or self.talk.ask(key, n=n) in _YES:
            return True
        self.talk.say("cli.nothing_done")
        return False

    def agreed_to_remove(self, packages: Iterable[str]) -> bool:
        """A question of its own for what cannot be undone, never answered beforehand."""
        for package in dict.fromkeys(packages):
            if self.talk.ask("cli.ask_uninstall", app=package) != package.casefold():
                self.talk.say("cli.nothing_done")
                return False
        return True

    def run(
        self, connection: Transport, taken: Capture, book: Ledger, path: Path, named: dict[tuple[str, int], App]
    ) -> None:
        """Close what is open in `book`, and tell how the apps stand then."""
        run = self.made_run(connection, taken, book, path)
        with self.unfinished(path):
            done = run.close()
            self._afterwards(run, done, named)
        self.talk.say("cli.ledger_kept", path=str(path))
        if any(entry.outcome != "done" for entry in done.entries):
            raise typer.Exit(EXIT_UNREADABLE)

    def made_run(self, connection: Transport, taken: Capture, book: Ledger, path: Path) -> Run:
        """A run over `book`, which tells each change as it is finished."""
        from privaudit.dumpsys import device
        from privaudit.report import revocation_text as prose
        from privaudit.revocation.apply import Run

        def told(_: int, entry: Entry) -> None:
            self.talk.out("".join(f"{line}\n" for line in prose.fate(self.talk.language, entry)))

        phone = device.phone(device.properties(taken.answer("properties").text), None)
        if phone.sdk is None:
            raise PhoneError("errors.sdk_unread")
        return Run(transport=connection, capture=taken, path=path, ledger=book, told=told, sdk=phone.sdk)

    @contextlib.contextmanager
    def unfinished(self, path: Path, key: str = "cli.stopped_between") -> Iterator[None]:
        """Whatever stops a run in the middle: say where it can go on."""
        try:
            yield
        except KeyboardInterrupt as stopped:
            self.talk.say(key, path=str(path))
            raise typer.Exit(EXIT_INTERRUPTED) from stopped
        except (PhoneError, SourceError):
            self.talk.say(key, path=str(path))
            raise

    def _afterwards(self, run: Run, done: Ledger, named: dict[tuple[str, int], App]) -> None:
        """How the apps stand now, and what is left to do by hand."""
        from privaudit.model import UserKind
        from privaudit.report import revocation_text as prose
        from privaudit.revocation import steps
        from privaudit.revocation.change import Outcome

        language = self.talk.language
        now = run.reread()
        lines: list[str] = [""]
        for key, app in named.items():
            lines += prose.reread(language, datetime.now().astimezone(), now.app(*key), app)
        left: dict[tuple[str, int], set[str]] = {}
        for entry in done.entries:
            if entry.outcome is not Outcome.DONE and (door := entry.change.door) is not None:
                left.setdefault((entry.change.package, entry.change.user), set()).add(door)
        kinds = {user.id: user.kind for user in now.facts.users}
        todo: dict[tuple[str, int], tuple[Step, ...]] = {}
        for key, doors in left.items():
            app = replace(now.app(*key) or named[key], label=named[key].label)
            todo[key] = steps.for_kinds(doors, app, now.facts.phone, kinds.get(key[1], UserKind.OTHER))
        if any(todo.values()):
            lines += prose.taps(language, "instead", todo, named)
        lines.append(language.text("remedy.regrant"))
        self.talk.out("".join(f"{line}\n" for line in lines))
