"""``privaudit`` alone, in a terminal: a short menu for whoever has never typed a command. Pages open in the browser."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from privaudit import __version__
from privaudit.cli.console import Talk
from privaudit.errors import UsageError
from privaudit.i18n import catalog

_LEAVE: Final = "0"
_YES: Final = frozenset({"y", "yes", "是", "s", "sí", "oo", "ya", "हाँ", "ndiyo"})


def wanted() -> bool:
    """Whether a person sits at a terminal and can choose."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Menu:
    """Asks what to do, runs that command, and asks again.

    Args:
        run: runs one command line and gives its exit code.
        language: in which to begin; a choice of the menu changes it.
    """

    def __init__(self, run: Callable[[list[str]], int], language: str) -> None:
        self._run = run
        self._talk = Talk(language, plain=False)
        self._choices: Mapping[str, tuple[str, Callable[[], None]]] = {
            "1": ("menu_demo", lambda: self._page("demo")),
            "2": ("menu_audit", self._audit),
            "3": ("menu_usb", lambda: self._print("steps", "--usb")),
            "4": ("menu_devices", lambda: self._print("devices")),
            "5": ("menu_rights", self._rights),
            "6": ("menu_commands", lambda: self._print("--help")),
        }

    def show(self) -> None:
        """Until the person leaves, or nobody types any more."""
        try:
            while (choice := self._chosen()) != _LEAVE:
                if choice in self._choices:
                    self._choices[choice][1]()
                    self._talk.ask("cli.menu_back")
                elif choice in catalog.available():
                    self._talk = Talk(choice, plain=False)
                else:
                    self._talk.say("cli.menu_unknown", given=choice)
        except UsageError as error:
            if error.name != "nobody_answers":
                raise

    def _chosen(self) -> str:
        said = self._talk.language.text
        lines = ["", said("cli.menu_title", version=__version__), ""]
        lines += [f"  {key}  {said(f'cli.{name}')}" for key, (name, _) in self._choices.items()]
        lines += [f"  {_LEAVE}  {said('cli.menu_leave')}", "", f"  {', '.join(catalog.available())}: Language 语言", ""]
        self._talk.out("".join(f"{line}\n" for line in lines))
        return self._talk.ask("cli.menu_choose")

    def _print(self, *command: str) -> None:
        self._run([*command, "--lang", self._talk.language.code])

    def _audit(self) -> None:
        self._talk.say("report.taps_bank_first")
        self._talk.ask("cli.menu_ready")
        self._page("audit")

    def _rights(self) -> None:
        from privaudit.knowledge import rights

        known = rights.countries()
        country = self._talk.ask("cli.menu_country", known=", ".join(known)).upper()
        self._page("rights", *([country] if country in known else []))

    def _page(self, *command: str) -> None:
        """Run a command that writes a page, open that, and keep it only where the person says so.

        It lies in the home folder for so long: some browsers are shut out of every other place.
        """
        page = Path.home() / f"page-{datetime.now().astimezone():%Y%m%d-%H%M%S}.html"
        try:
            self._print(*command, "--output", str(page))
            if not page.exists():
                return
            self._talk.say("cli.menu_opened" if opened(page) else "cli.menu_open", path=str(page))
            if self._talk.ask("cli.menu_keep") in _YES:
                self._talk.say("cli.menu_kept", path=str(page))
                page = Path()
        finally:
            if page.name:
                page.unlink(missing_ok=True)


_GRAPHICAL: Final = frozenset({"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"})
"""Variables of a Unix desktop, and of who has named a browser."""


def opened(page: Path) -> bool:
    """Open `page` in the browser; whether there is one. A browser inside the terminal would take the menu's place."""
    if os.name == "posix" and sys.platform != "darwin" and not _GRAPHICAL & os.environ.keys():
        return False
    try:
        return webbrowser.open(page.as_uri())
    except (OSError, webbrowser.Error):
        return False
