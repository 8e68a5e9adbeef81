"""The options that several commands share, what their values stand for, and the language of the help.

The help of these options is in the ``cli`` table of the message catalog. Options of one command, and of the commands
of `signatures` and `rules`, stand beside them: their tables are then parsed only when such a command runs.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from privaudit.errors import UsageError
from privaudit.i18n import Translator, catalog

if TYPE_CHECKING:
    from privaudit.cli.console import CliConsole
    from privaudit.model import App, AppSummary  # importing the model takes longer than printing the help


def _help_language() -> Translator:
    code = _value_in_command_line("--lang")
    return Translator(code if code in catalog.languages() else catalog.system_language())


def _value_in_command_line(name: str) -> str | None:
    """Return the value of an option, which may stand anywhere, before any command is parsed."""
    words = sys.argv[1:]
    values = [word.partition("=")[2] for word in words if word.startswith(f"{name}=")]
    values += [value for word, value in itertools.pairwise(words) if word == name]
    return values[-1] if values else None


HELP_TRANSLATOR: Final = _help_language()


def help_text(key: str) -> str:
    """Return a sentence of the help."""
    return HELP_TRANSLATOR.t(key, languages=catalog.languages())


def option(key: str, *names: str, **settings: Any) -> Any:  # noqa: ANN401 - what typer takes and returns
    """Describe an option: the key of its help, its names, and what else `typer.Option` takes."""
    return typer.Option(*names, help=help_text(key), **settings)


def argument(key: str, metavar: str) -> Any:  # noqa: ANN401 - what typer returns
    """Describe an argument: the key of its help, and what the usage line calls it."""
    return typer.Argument(metavar=metavar, help=help_text(key))


def create_command_group(name: str, group_help: str) -> typer.Typer:
    """Create a command that has commands of its own."""
    return typer.Typer(
        name=name,
        help=group_help,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneOptions:
    """The phone that a command acts on, and the user's own signature lists."""

    transport: str = "auto"
    serial: str | None = None
    signatures: tuple[Path, ...] = ()


def parse_country(value: str | None) -> str | None:
    """Return the code (ISO 3166-1 alpha-2) of a country, given as code or by its name in one of our languages.

    ``None`` and an empty text: no country was chosen. Raises UsageError if the name is not that of one country.
    """
    if not value:
        return None
    if re.fullmatch(r"[A-Za-z]{2}", value):
        return value.upper()
    from privaudit.report import legal_rules

    countries = legal_rules.countries_of_name(value)
    if len(countries) != 1:
        raise UsageError("errors.country_unknown", given=value)
    return countries[0]


def suggest_country(language_code: str) -> str | None:
    """Return the country of ``--country``, else the one that the language suggests: for help that is shown unasked."""
    from privaudit.transport import vendors

    with contextlib.suppress(UsageError):
        return parse_country(_value_in_command_line("--country")) or vendors.country_of_language(language_code)
    return None


def command_line(*words: str) -> str:
    """Return `words` as a user types them: those with blanks or signs in quotation marks of this computer's shell."""
    if sys.platform == "win32":
        return " ".join(f'"{word}"' if " " in word or not word else word for word in words)
    return shlex.join(words)


def parse_rom(value: str | None) -> str | None:
    """Return the id of the ROM that ``--rom`` names: an id, or a brand. Raises UsageError if it is neither."""
    if value is None:
        return None
    from privaudit import roms

    rom_id = roms.find_rom_id(value)
    if rom_id is None:
        known = (*(name.casefold() for name in roms.list_brands()), *roms.list_rom_ids())
        raise UsageError("errors.rom_unknown", given=value, known=tuple(dict.fromkeys(known)))
    return rom_id


def parse_output(output: Iterable[str] | None, *, as_json: bool) -> tuple[tuple[Path, ...], bool]:
    """Return the files of ``--output``, and whether JSON goes to standard output: with ``--json`` or a file ``-``."""
    names = tuple(output or ())
    return tuple(Path(name) for name in names if name != "-"), as_json or "-" in names


def validate_app_names(names: Iterable[str]) -> None:
    """Refuse names without a letter or digit, before any phone is asked."""
    for name in names:
        if not any(map(str.isalnum, name)):
            raise UsageError("errors.app_name_empty", given=name)


def resolve_packages(
    console: CliConsole,
    names: Sequence[str],
    apps: Iterable[App | AppSummary],
    *,
    keep_unknown: bool = False,
    packages_only: bool = False,
) -> list[str]:
    """Return the packages of `apps` that `names` stand for, each once, in the order of the names.

    Where several apps have a name, the user chooses in a terminal. Raises UsageError ``app_ambiguous`` if several have
    it and nobody can choose, and ``app_missing`` if no app has it; with `keep_unknown`, that name is returned instead.
    With `packages_only`, where nobody is asked what will be changed, labels are refused: ``yes_needs_package``.
    """
    from privaudit.findings.named import find_named_apps
    from privaudit.i18n.sanitize import display_name

    known_apps = tuple(apps)
    titles: dict[str, str] = {}
    for app in known_apps:
        label = display_name(app.label, app.package)
        titles.setdefault(
            app.package,
            app.package if label == app.package else f"{console.language.quote_untrusted(label)} {app.package}",
        )
    packages = []
    for query in find_named_apps(names, known_apps):
        if packages_only and query.packages not in {(), (query.name,)}:
            raise UsageError("errors.yes_needs_package", given=query.name)
        match query.packages:
            case ():
                if not keep_unknown:
                    raise UsageError("errors.app_missing", app=query.name)
                package = query.name
            case (package,):
                if package != query.name:
                    console.print_message("cli.app_chosen", given=query.name, app=titles[package])
            case several:
                package = _choose_package(console, query.name, [titles[name] for name in several], several)
        packages.append(package)
    return list(dict.fromkeys(packages))


def _choose_package(console: CliConsole, name: str, titles: Sequence[str], packages: Sequence[str]) -> str:
    if sys.stdin.isatty() and sys.stderr.isatty():
        console.print_message("cli.apps_of_name", given=name)
        for number, title in enumerate(titles, 1):
            console.print_message("cli.numbered", number=number, title=title)
        answer = console.prompt("cli.choose_app", n=len(packages))
        numbered = {str(number): package for number, package in enumerate(packages, 1)}
        if answer in numbered:
            return numbered[answer]
    raise UsageError("errors.app_ambiguous", given=name, found=tuple(titles))


LanguageOption = Annotated[str | None, option("cli.lang", "--lang", metavar="LANG")]
PlainOption = Annotated[bool, option("cli.plain", "--plain")]
OutputOption = Annotated[list[str] | None, option("cli.output", "--output", "-o", metavar="FILE")]
JsonOption = Annotated[bool, option("cli.json", "--json")]
DocumentOutputOption = Annotated[list[Path] | None, option("cli.paper_to", "--output", "-o", metavar="FILE")]
"""The files of a letter or a rights page; without one, standard output."""

SerialOption = Annotated[str | None, option("cli.serial", "--serial", metavar="SERIAL", envvar="ANDROID_SERIAL")]
TransportOption = Annotated[str, option("cli.transport", "--transport", metavar="WAY")]
NoApksOption = Annotated[bool, option("cli.no_apks", "--no-apks")]
HashOption = Annotated[bool, option("cli.hash", "--hash")]

AppNamesOption = Annotated[list[str] | None, option("cli.app_names", "--app", metavar="NAME")]
CountryOption = Annotated[str | None, option("cli.country", "--country", metavar="CC")]
SignaturesOption = Annotated[list[Path] | None, option("cli.signatures", "--signatures", metavar="PATH")]
AllAppsOption = Annotated[bool, option("cli.all_apps", "--all-apps")]
ShareOption = Annotated[bool, option("cli.share", "--share")]
DetailsOption = Annotated[bool, option("cli.details", "--details")]
UnknownOption = Annotated[bool, option("cli.unknown", "--unknown")]

ApplyOption = Annotated[bool, option("cli.apply", "--apply")]
YesOption = Annotated[bool, option("cli.yes", "--yes")]
