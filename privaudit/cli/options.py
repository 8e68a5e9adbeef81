"""The options that several commands share, checks of their values, and the language of the help.

The help of these options is in the ``cli`` table of the message catalog. Options of one command, and of the commands
of `signatures` and `rules`, stand beside them: their tables are then parsed only when such a command runs.
"""

import itertools
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from privaudit.errors import UsageError
from privaudit.i18n import Translator, catalog


def _help_language() -> Translator:
    """Choose the language of the help: ``--lang`` may stand anywhere, and is read before any command is parsed."""
    words = sys.argv[1:]
    codes = [word.partition("=")[2] for word in words if word.startswith("--lang=")]
    codes += [value for option, value in itertools.pairwise(words) if option == "--lang"]
    return Translator(codes[-1] if codes and codes[-1] in catalog.languages() else catalog.system_language())


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
    """Return a country code (ISO 3166-1 alpha-2) in capitals; ``None`` and an empty text: no country was chosen."""
    code = value.upper() if value else None
    if code is not None and not re.fullmatch(r"[A-Z]{2}", code):
        raise UsageError("errors.country_unknown", given=code)
    return code


def parse_output(output: Iterable[str] | None, *, as_json: bool) -> tuple[tuple[Path, ...], bool]:
    """Return the files of ``--output``, and whether JSON goes to standard output: with ``--json`` or a file ``-``."""
    names = tuple(output or ())
    return tuple(Path(name) for name in names if name != "-"), as_json or "-" in names


def validate_package_names(packages: Iterable[str]) -> None:
    """Refuse what is not a package name, before any phone is asked."""
    from privaudit.capture.questions import is_package_name

    for name in packages:
        if not is_package_name(name):
            raise UsageError("errors.not_a_package", given=name)


LanguageOption = Annotated[str | None, option("cli.lang", "--lang", metavar="LANG")]
PlainOption = Annotated[bool, option("cli.plain", "--plain")]
OutputOption = Annotated[list[str] | None, option("cli.output", "--output", "-o", metavar="FILE")]
JsonOption = Annotated[bool, option("cli.json", "--json")]
DocumentOutputOption = Annotated[list[Path] | None, option("cli.paper_to", "--output", "-o", metavar="FILE")]
"""The files of a letter or a rights page; without one, standard output."""

SerialOption = Annotated[str | None, option("cli.serial", "--serial", envvar="ANDROID_SERIAL")]
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
