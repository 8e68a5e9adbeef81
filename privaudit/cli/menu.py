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
from privaudit.cli.console import CliConsole, is_yes
from privaudit.errors import UsageError
from privaudit.i18n import catalog

_EXIT_CHOICE: Final = "0"


def is_interactive() -> bool:
    """Whether a person sits at a terminal and can choose."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Menu:
    """Asks what to do, runs that command, and asks again.

    Args:
        run: runs one command line and gives its exit code.
        language: in which to begin; a choice of the menu changes it.
    """

    def __init__(self, run_command: Callable[[list[str]], int], language_code: str) -> None:
        self._run_command = run_command
        self._console = CliConsole(language_code, plain=False)
        self._choices: Mapping[str, tuple[str, Callable[[], None]]] = {
            "1": ("menu_demo", lambda: self._run_and_open_html("demo")),
            "2": ("menu_audit", self._audit_phone),
            "3": ("menu_usb", lambda: self._run_localized("steps", "--usb")),
            "4": ("menu_devices", lambda: self._run_localized("devices")),
            "5": ("menu_rights", self._open_rights_page),
            "6": ("menu_commands", lambda: self._run_localized("--help")),
        }

    def run(self) -> None:
        """Until the person leaves, or nobody types any more."""
        try:
            while (choice := self._prompt_choice()) != _EXIT_CHOICE:
                if choice in self._choices:
                    self._choices[choice][1]()
                    self._console.prompt("cli.menu_back")
                elif choice in catalog.languages():
                    self._console = CliConsole(choice, plain=False)
                else:
                    self._console.print_message("cli.menu_unknown", given=choice)
        except UsageError as error:
            if error.name != "nobody_answers":
                raise

    def _prompt_choice(self) -> str:
        said = self._console.language.t
        lines = ["", said("cli.menu_title", version=__version__), ""]
        lines += [f"  {key}  {said(f'cli.{name}')}" for key, (name, _) in self._choices.items()]
        lines += [
            f"  {_EXIT_CHOICE}  {said('cli.menu_leave')}",
            "",
            f"  {', '.join(catalog.languages())}: Language 语言",
            "",
        ]
        self._console.write_stdout("".join(f"{line}\n" for line in lines))
        return self._console.prompt("cli.menu_choose")

    def _run_localized(self, *args: str) -> None:
        self._run_command([*args, "--lang", self._console.language.code])

    def _audit_phone(self) -> None:
        self._console.print_message("report.taps_bank_first")
        self._console.prompt("cli.menu_ready")
        self._run_and_open_html("audit")

    def _open_rights_page(self) -> None:
        from privaudit.knowledge import rights

        known = rights.countries_with_rights()
        country = self._console.prompt("cli.menu_country", known=", ".join(known)).upper()
        self._run_and_open_html("rights", *([country] if country in known else []))

    def _run_and_open_html(self, *args: str) -> None:
        """Run a command that writes a page, open that, and keep it only where the person says so.

        It lies in the home folder for so long: some browsers are shut out of every other place.
        """
        page = Path.home() / f"page-{datetime.now().astimezone():%Y%m%d-%H%M%S}.html"
        try:
            self._run_localized(*args, "--output", str(page))
            if not page.exists():
                return
            self._console.print_message("cli.menu_opened" if open_in_browser(page) else "cli.menu_open", path=str(page))
            if is_yes(self._console.prompt("cli.menu_keep"), self._console.language):
                self._console.print_message("cli.menu_kept", path=str(page))
                page = Path()
        finally:
            if page.name:
                page.unlink(missing_ok=True)


_DISPLAY_VARIABLES: Final = frozenset({"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"})
"""Variables of a Unix desktop, and of who has named a browser."""


def open_in_browser(path: Path) -> bool:
    """Open `path` in the browser; whether there is one. A browser inside the terminal would take the menu's place."""
    if os.name == "posix" and sys.platform != "darwin" and not _DISPLAY_VARIABLES & os.environ.keys():
        return False
    try:
        return webbrowser.open(path.as_uri())
    except (OSError, webbrowser.Error):
        return False
