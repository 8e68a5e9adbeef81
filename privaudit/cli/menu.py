"""``privaudit`` without a command, in a terminal: a short menu for users who never type commands."""

import contextlib
import os
import shlex
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from privaudit import __version__
from privaudit.cli.console import CliConsole
from privaudit.errors import EXIT_OK, SourceError, UsageError
from privaudit.home import home_folder, typed_path
from privaudit.i18n import catalog
from privaudit.i18n.answers import fold_answer, is_yes
from privaudit.interruptible import WAIT_SLICE_S

_EXIT_CHOICE: Final = "0"
_EXIT_WORDS: Final = frozenset({_EXIT_CHOICE, "q", "quit", "exit"})
_PROGRAM_NAMES: Final = frozenset({"privaudit", "privaudit.sh", "privaudit.cmd"})
"""What a command line begins with, as reports and README write it, or as the starters are called."""
_LETTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "papers.title_to_lender": ("--kind", "deletion"),
    "papers.title_to_collector": ("--kind", "deletion", "--to", "collector"),
    "papers.title_store": ("--kind", "deletion", "--to", "app-store"),
    "papers.title_complaint": ("--kind", "complaint"),
    "papers.title_evidence_list": ("--kind", "evidence-list"),
}
"""The titles of letters, and the options that draft them."""
_LEDGER_SUFFIX: Final = ".ledger.json"
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
        self._choices: Mapping[str, tuple[str, Callable[[], object]]] = {
            "1": ("cli.menu_demo", lambda: self._run_and_open_html("demo")),
            "2": ("cli.menu_audit", self._audit_phone),
            "3": ("cli.menu_usb", self._show_usb_debugging),
            "4": ("cli.menu_devices", lambda: self._run_localized("devices")),
            "5": ("cli.menu_rights", self._open_rights_page),
            "6": ("cli.menu_friends", lambda: self._open_rights_page("--friends")),
            "7": ("cli.menu_steps", self._show_steps),
            "8": ("cli.menu_revoke", self._revoke),
            "9": ("cli.menu_diff", self._compare),
            "10": ("cli.menu_undo", self._undo),
            "11": ("cli.menu_letter", self._write_letter),
            "12": ("cli.menu_workshop", self._run_workshop),
            "13": ("cli.menu_commands", lambda: self._run_command_line(["--help"])),
        }

    def run(self) -> None:
        """Show the menu until the user leaves it or standard input ends."""
        try:
            while not self._is_exit(typed := self._prompt_choice()):
                try:
                    self._handle_choice(typed)
                except KeyboardInterrupt:  # at a question: back to the menu. At the menu's own it ends the program.
                    self._console.write_lines([""])
        except UsageError as error:
            if error.name != "nobody_answers":
                raise

    def _handle_choice(self, typed: str) -> None:
        """Do what was chosen or typed, and wait for Enter; or change the language, and ask again."""
        choice = fold_answer(typed)
        if choice in self._choices:
            _, action = self._choices[choice]
            action()
        elif (words := _command_words(typed)) is not None:
            self._run_command_line(words)
        elif choice in catalog.languages():
            self._console = CliConsole(choice, plain=False)
            return
        else:
            if choice:
                self._console.print_message("cli.menu_unknown", given=typed)
            return
        self._console.prompt("cli.menu_back")

    def _is_exit(self, typed: str) -> bool:
        return fold_answer(typed) in {*_EXIT_WORDS, fold_answer(self._console.language.t("cli.menu_leave"))}

    def _prompt_choice(self) -> str:
        language = self._console.language
        self._console.write_lines(
            [
                "",
                language.t("cli.menu_title", version=__version__),
                "",
                *(f" {choice:>2}  {language.t(key)}" for choice, (key, _) in self._choices.items()),
                f" {_EXIT_CHOICE:>2}  {language.t('cli.menu_leave')}",
                "",
                f"  {', '.join(catalog.languages())}: Language 语言",
                f"  {language.t('cli.menu_typed')}",
                "",
            ]
        )
        return self._console.prompt_text("cli.menu_choose")

    def _run_localized(self, *args: str) -> int:
        return self._run_command([*args, "--lang", self._console.language.code])

    def _run_command_line(self, words: Sequence[str]) -> None:
        """Run a command as a program of its own: this one's help and usage errors are in the language it began with."""
        process = subprocess.Popen(  # noqa: S603 - privaudit itself
            [sys.executable, "-P", "-m", "privaudit", "--lang", self._console.language.code, *words]
        )
        while process.returncode is None:
            # Ctrl-C ends that program, and leads back to the menu.
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                process.wait(WAIT_SLICE_S)

    def _is_phone_ready(self) -> bool:
        """Ask whether the phone may be read; any answer but Enter or a yes means no."""
        self._console.print_message("report.taps_bank_first")
        answer = self._console.prompt("cli.menu_ready")
        return not answer or is_yes(answer, self._console.language)

    def _audit_phone(self) -> None:
        if self._is_phone_ready():
            app = self._console.prompt_text("cli.menu_which_app")
            self._run_and_open_html("audit", *self._country_options(), *(["--app", app] if app else []))

    def _show_usb_debugging(self) -> None:
        from privaudit import roms

        self._run_localized("steps", "--usb", "--rom", self._choose_rom() or roms.STOCK_ROM_ID)

    def _choose_rom(self) -> str | None:
        """Ask for the brand of a phone by its number or name, and return its ROM; ``None``: another brand, or none."""
        from privaudit import roms

        other = self._console.language.t("cli.menu_other_brand")
        while brand := self._choose("cli.menu_brand", [*roms.list_brands(), other], any_text=True):
            rom_id = roms.find_rom_id(brand)
            if brand == other or rom_id is not None:
                return rom_id
            self._console.print_message("cli.menu_unknown", given=brand)
        return None

    def _show_steps(self) -> None:
        if (app := self._console.prompt_text("cli.menu_close_app")) and self._is_phone_ready():
            self._run_localized("steps", app, *self._country_options())

    def _revoke(self) -> None:
        """Print the plan; after a yes, carry it out, which asks again before it changes anything."""
        if not (app := self._console.prompt_text("cli.menu_close_app")) or not self._is_phone_ready():
            return
        if self._run_localized("revoke", app) == EXIT_OK and self._console.confirm("cli.menu_revoke_now"):
            ledger = self._new_path("revoked", _LEDGER_SUFFIX)
            self._run_localized("revoke", app, "--apply", "--ledger", str(ledger))

    def _compare(self) -> None:
        """Check the phone again, and print what changed since this computer turned something off, or since a check.

        The new check is deleted: another one can be taken at any time.
        """
        from privaudit.revocation.ledger import read_ledger

        if (path := self._choose_ledger("cli.menu_diff_since")) is None:
            return
        before, options = path, []
        try:
            if path.name.endswith(_LEDGER_SUFFIX):
                before, options = path.with_name(read_ledger(path).capture.file), ["--ledger", str(path)]
        except SourceError as error:
            self._console.print_error(error)
            return
        if not self._is_phone_ready():
            return
        later = self._new_path("check", ".zip")
        try:
            self._run_localized("capture", str(later))
            if later.exists():
                self._run_localized("diff", str(before), str(later), *options)
        finally:
            later.unlink(missing_ok=True)

    def _undo(self) -> None:
        """Print what undoing would restore; after a yes, do it, which asks again before it changes anything."""
        path = self._choose_ledger("cli.menu_undo_what")
        if path is None or self._run_localized("undo", str(path)) != EXIT_OK or not self._is_phone_ready():
            return
        if self._console.confirm("cli.menu_revoke_now"):
            self._run_localized("undo", str(path), "--apply")

    def _choose_ledger(self, key: str) -> Path | None:
        """Ask for one of the ledgers in the home folder, the newest first, or for any file; ``None``: Enter alone."""
        from privaudit.revocation.ledger import read_ledger

        ledgers: dict[str, Path] = {}
        for path in sorted(home_folder().glob(f"*{_LEDGER_SUFFIX}"), reverse=True):
            with contextlib.suppress(SourceError):
                ledger = read_ledger(path)
                packages = tuple(dict.fromkeys(entry.change.package for entry in ledger.entries))
                made_at = ledger.made_at.astimezone().isoformat()
                ledgers[self._console.language.t("cli.menu_ledger", at_at=made_at, apps=packages)] = path
        while chosen := self._choose(key, list(ledgers), any_text=True):
            path = ledgers.get(chosen) or typed_path(chosen)
            if path.is_file():
                return path
            self._console.print_message("cli.menu_unknown", given=chosen)
        return None

    def _write_letter(self) -> None:
        """Check the phone, and draft a letter about an app of it. The report that it is drawn from is deleted."""
        if not (app := self._console.prompt_text("cli.menu_letter_app")):
            return
        country = self._choose_country()
        kinds = {self._console.language.t(key): options for key, options in _LETTERS.items()}
        kind = self._choose("cli.menu_letter_kind", list(kinds))
        if country is None or kind is None:
            self._console.print_message("cli.menu_letter_needs")
            return
        if not self._is_phone_ready():
            return
        report = self._new_path("report", ".json")
        try:
            self._run_localized("audit", "--app", app, "--country", country, "--output", str(report))
            if report.exists():
                letter = self._new_path("letter", ".html")
                args = ("--app", app, *kinds[kind], "--country", country, "--output", str(letter))
                self._run_localized("letter", str(report), *args)
                self._offer_page(letter)
        finally:
            report.unlink(missing_ok=True)

    def _run_workshop(self) -> None:
        language = self._console.language
        keys = ("cli.menu_workshop_kit", "cli.menu_workshop_rehearse", "cli.menu_workshop_start")
        choices = [language.t(key) for key in keys]
        choice = self._choose("cli.menu_workshop_what", choices)
        if choice is None:
            return
        country = self._country_options()
        if choice == choices[0]:
            self._run_localized("workshop", "kit", "--output", str(self._new_path("kit", "")), *country)
        elif choice == choices[1]:
            self._run_localized("workshop", str(self._new_path("rehearsal", "")), "--rehearse", "6", *country)
        elif folder := self._console.prompt_text("cli.menu_workshop_folder"):
            self._run_localized("workshop", str(typed_path(folder)), *country)

    def _open_rights_page(self, *options: str) -> None:
        country = self._choose_country()
        self._run_and_open_html("rights", *([country] if country else []), *options)

    def _country_options(self) -> list[str]:
        country = self._choose_country()
        return ["--country", country] if country else []

    def _choose_country(self) -> str | None:
        """Ask for a country by its number, name or code; ``None``: none was chosen."""
        from privaudit.cli.options import parse_country
        from privaudit.knowledge import rights
        from privaudit.report import legal_rules
        from privaudit.transport.vendors import country_of_language

        language = self._console.language
        suggested = country_of_language(language.code)
        codes = sorted(rights.countries_with_rights(), key=lambda code: code != suggested)
        names = {language.t("cli.menu_place", country=legal_rules.country_label(code)): code for code in codes}
        while (chosen := self._choose("cli.menu_country", list(names), any_text=True)) is not None:
            with contextlib.suppress(UsageError):
                if (code := names.get(chosen) or parse_country(chosen)) in codes:
                    return code
            self._console.print_message("cli.menu_unknown", given=chosen)
        return None

    def _choose(self, key: str, choices: Sequence[str], *, any_text: bool = False) -> str | None:
        """Ask for one of `choices`, by number or as it is written; ``None``: Enter alone.

        With `any_text`, return any other answer.
        """
        self._console.write_lines(f" {number:>2}  {choice}" for number, choice in enumerate(choices, 1))
        by_answer = {fold_answer(choice): choice for choice in choices}
        by_answer |= {str(number): choice for number, choice in enumerate(choices, 1)}
        while answer := self._console.prompt_text(key):
            if (chosen := by_answer.get(fold_answer(answer))) is not None:
                return chosen
            if any_text:
                return answer
            self._console.print_message("cli.menu_unknown", given=answer)
        return None

    @staticmethod
    def _new_path(name: str, suffix: str) -> Path:
        """Return a new path in the home folder: sandboxed browsers cannot read other places."""
        return home_folder() / f"{name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}{suffix}"

    def _run_and_open_html(self, *args: str) -> None:
        """Run a command that writes a page, open the page, and delete it unless the user keeps it."""
        page = self._new_path("page", ".html")
        try:
            self._run_localized(*args, "--output", str(page))
        except BaseException:
            page.unlink(missing_ok=True)
            raise
        self._offer_page(page)

    def _offer_page(self, page: Path) -> None:
        """Open a page that was written, and delete it unless the user keeps it."""
        if not page.exists():
            return
        keep = False
        try:
            self._console.print_message("cli.menu_opened" if open_in_browser(page) else "cli.menu_open", path=str(page))
            keep = self._console.confirm("cli.menu_keep")
            if keep:
                self._console.print_message("cli.menu_kept", path=str(page))
        finally:
            if not keep:
                page.unlink(missing_ok=True)


def _command_words(typed: str) -> list[str] | None:
    """Return the words of a command line that begins with the name of the program; ``None``: it is none."""
    try:
        name, *words = shlex.split(typed, posix=os.name == "posix")
    except ValueError:  # no words, or quotation marks that do not match
        return None
    if name.casefold().removeprefix("./").removeprefix(".\\") not in _PROGRAM_NAMES:
        return None
    return [word.strip('"') for word in words] or ["--help"]


def open_in_browser(path: Path) -> bool:
    """Open `path` in the browser and return whether there is one. A text browser would take over the terminal."""
    if os.name == "posix" and sys.platform != "darwin" and not _DISPLAY_VARIABLES & os.environ.keys():
        return False
    try:
        return webbrowser.open(path.as_uri())
    except (OSError, webbrowser.Error):
        return False
