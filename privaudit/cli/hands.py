"""What the closing commands do: print taps, show a page, plan and make changes, take them back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from privaudit import __version__
from privaudit.cli.console import Talk
from privaudit.errors import PhoneError, UsageError

if TYPE_CHECKING:
    from privaudit.audit import Wishes
    from privaudit.cli.desk import Desk
    from privaudit.model import Phone, Report
    from privaudit.revocation.pages import Shown


class Hands:
    """One run of one of these commands, for one phone."""

    def __init__(
        self,
        talk: Talk,
        *,
        transport: str = "auto",
        serial: str | None = None,
        signatures: Iterable[Path] = (),
        country: str | None = None,
    ) -> None:
        self.talk = talk
        self.transport = transport
        self.serial = serial
        self.signatures = list(signatures)
        self.country = country

    def steps(self, apps: list[str], source: Path | None, rom: str | None) -> None:
        """Print the taps for `apps`, or for every app that a report on `source` would tell of."""
        self._rom(rom)
        self.talk.say("cli.starting" if source is None else "cli.starting_saved", version=__version__)
        check_packages(apps)
        report = self._report(source, apps)
        from privaudit.report import taps

        missing = [name for name in apps if name not in {app.package for app in report.apps}]
        if missing:
            raise UsageError("errors.app_missing", app=missing[0])
        self.talk.out(taps.render(_as_if(report, rom), self.talk.language, frozenset(apps)))

    def usb(self, rom: str | None) -> None:
        """Print how USB debugging is switched on and off, without any phone."""
        from privaudit import roms
        from privaudit.report import taps

        self._rom(rom)
        self.talk.out(taps.usb(rom or roms.STOCK, self.talk.language))

    @staticmethod
    def _rom(name: str | None) -> None:
        from privaudit import roms

        if name is not None and name not in roms.names():
            raise UsageError("errors.rom_unknown", given=name, known=roms.names())

    def _report(self, source: Path | None, apps: list[str]) -> Report:
        from privaudit import audit
        from privaudit.audit import Wishes
        from privaudit.cli.desk import Desk
        from privaudit.facts.cache import Memory

        desk = Desk(self.talk, [], self.country, all_apps=bool(apps), unknown=True, json=False, lines=False)
        desk.check(0)
        wishes = Wishes(all_apps=bool(apps), name_suspects=True, country=desk.country)
        if source is not None:
            return self._saved(source, desk, wishes)
        with self.talk.phone(self.transport, self.serial) as connection:
            knowledge = desk.knowledge(self.signatures)
            memory = Memory()
            taken = audit.live(
                connection, knowledge, progress=self.talk.round, counted=self.talk.counted, memory=memory
            )
        return audit.judged(taken, knowledge, wishes, memory)

    def _saved(self, source: Path, desk: Desk, wishes: Wishes) -> Report:
        from privaudit import audit, capture
        from privaudit.report import json

        if json.recognises(source):
            return json.read(source)
        taken = capture.read(source)
        return audit.judged(taken, desk.knowledge(self.signatures, demo=taken.demo), wishes)

    def diff(self, before: Path, after: Path, output: list[Path], *, json: bool) -> None:
        """Print what changed between two saved reports or checks, and write it to each `output`."""
        self.talk.say("cli.starting_saved", version=__version__)
        from privaudit import report
        from privaudit.audit import Wishes
        from privaudit.cli.desk import Desk
        from privaudit.report import diff_text
        from privaudit.report.diff import compare

        for path in output:
            report.check(path, diff_text.FORMATS)
        desk = Desk(self.talk, [], None, all_apps=False, unknown=False, json=json, lines=False)
        found = compare(*(self._saved(path, desk, Wishes()) for path in (before, after)))
        for path in output:
            report.save(diff_text.render(found, path.suffix, self.talk.language), path)
        self.talk.out(diff_text.json(found) if json else diff_text.text(found, self.talk.language))
        for path in output:
            self.talk.say("cli.saved", path=str(path))

    def open(self, page: str, app: str, user: int) -> None:
        """Show `page` of `app` on the phone, and print the way to it by hand."""
        from privaudit import roms

        if page not in roms.openable():
            raise UsageError("errors.page_unknown", given=page, known=roms.openable())
        self.talk.say("cli.starting_open", version=__version__)
        check_packages([app])
        with self.talk.phone(self.transport, self.serial) as connection:
            from privaudit.revocation import pages, state

            phone = state.phone_with(connection, app, user)
            shown = pages.show(connection, phone, page, app, user)
        self._tell(shown, page, phone, app, user)

    def _tell(self, shown: Shown, page: str, phone: Phone, app: str, user: int) -> None:
        from privaudit.revocation import settings_page

        for refusal in shown.refusals:
            self.talk.say("cli.not_opened", said=refusal)
        if shown.page is None:
            raise PhoneError("errors.nothing_opened")
        self.talk.say("cli.opened" if shown.page == page else "cli.opened_other", page=shown.page)
        if user != 0:
            self.talk.say("cli.opened_copy", user=user)
        found = settings_page.page(phone, page)
        last = [name for name in found.path if name != settings_page.APP][-1] if found is not None else "settings"
        for tap in (
            *settings_page.to_page(phone, page, app),
            *(settings_page.search(phone, page, last) if found is not None else ()),
        ):
            self.talk.out(f"  {self.talk.language.say(tap)}\n")


def check_packages(apps: Iterable[str]) -> None:
    """Refuse what is no package name, before any phone is asked.

    Raises:
        UsageError: it is none.
    """
    from privaudit.capture.questions import is_package_name

    for name in apps:
        if not is_package_name(name):
            raise UsageError("errors.not_a_package", given=name)


def _as_if(report: Report, rom: str | None) -> Report:
    """`report` with the menus of another ROM: a guess may be wrong, and the person sees the phone."""
    from dataclasses import replace

    from privaudit import roms
    from privaudit.model import Rom

    if rom is None:
        return report
    other = Rom(id=rom, name=roms.load(rom)["name"], version=None)
    return replace(report, phone=replace(report.phone, rom=other))
