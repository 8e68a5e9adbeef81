"""``privaudit`` without a command, in a terminal: a short menu for users who never type commands."""

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
_DISPLAY_VARIABLES: Final = frozenset({"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"})
"""Variables that a Unix desktop sets, and the one by which a user names a browser."""


def is_interactive() -> bool:
    """Return whether the program runs in a terminal, where a user can choose."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Menu:
    """Asks what to do, runs that command, and asks again. It begins in the given language; the user can change it."""

    def __init__(self, run_command: Callable[[list[str]], int], language_code: str) -> None:
        self._run_command = run_command
        self._console = CliConsole(language_code, plain=False)
        self._choices: Mapping[str, tuple[str, Callable[[], None]]] = {
            "1": ("cli.menu_demo", lambda: self._run_and_open_html("demo")),
            "2": ("cli.menu_audit", self._audit_phone),
            "3": ("cli.menu_usb", lambda: self._run_localized("steps", "--usb")),
            "4": ("cli.menu_devices", lambda: self._run_localized("devices")),
            "5": ("cli.menu_rights", self._open_rights_page),
            "6": ("cli.menu_commands", lambda: self._run_localized("--help")),
        }

    def run(self) -> None:
        """Show the menu until the user leaves it or standard input ends."""
        try:
            while (choice := self._prompt_choice()) != _EXIT_CHOICE:
                if choice in self._choices:
                    _, action = self._choices[choice]
                    action()
                    self._console.prompt("cli.menu_back")
                elif choice in catalog.languages():
                    self._console = CliConsole(choice, plain=False)
                else:
                    self._console.print_message("cli.menu_unknown", given=choice)
        except UsageError as error:
            if error.name != "nobody_answers":
                raise

    def _prompt_choice(self) -> str:
        language = self._console.language
        self._console.write_lines(
            [
                "",
                language.t("cli.menu_title", version=__version__),
                "",
                *(f"  {choice}  {language.t(key)}" for choice, (key, _) in self._choices.items()),
                f"  {_EXIT_CHOICE}  {language.t('cli.menu_leave')}",
                "",
                f"  {', '.join(catalog.languages())}: Language 语言",
                "",
            ]
        )
        return self._console.prompt("cli.menu_choose")

    def _run_localized(self, *args: str) -> None:
        self._run_command([*args, "--lang", self._console.language.code])

    def _audit_phone(self) -> None:
        self._console.print_message("report.taps_bank_first")
        self._console.prompt("cli.menu_ready")
        self._run_and_open_html("audit")

    def _open_rights_page(self) -> None:
        from privaudit.knowledge import rights

        countries = rights.countries_with_rights()
        country = self._console.prompt("cli.menu_country", known=", ".join(countries)).upper()
        self._run_and_open_html("rights", *([country] if country in countries else []))

    def _run_and_open_html(self, *args: str) -> None:
        """Run a command that writes a page, open the page, and delete it unless the user keeps it.

        The page is written to the home folder: sandboxed browsers cannot read other places.
        """
        page = Path.home() / f"page-{datetime.now().astimezone():%Y%m%d-%H%M%S}.html"
        keep = False
        try:
            self._run_localized(*args, "--output", str(page))
            if not page.exists():
                return
            self._console.print_message("cli.menu_opened" if open_in_browser(page) else "cli.menu_open", path=str(page))
            keep = is_yes(self._console.prompt("cli.menu_keep"), self._console.language)
            if keep:
                self._console.print_message("cli.menu_kept", path=str(page))
        finally:
            if not keep:
                page.unlink(missing_ok=True)


def open_in_browser(path: Path) -> bool:
    """Open `path` in the browser and return whether there is one. A text browser would take over the terminal."""
    if os.name == "posix" and sys.platform != "darwin" and not _DISPLAY_VARIABLES & os.environ.keys():
        return False
    try:
        return webbrowser.open(path.as_uri())
    except (OSError, webbrowser.Error):
        return False
