"""The options that several commands share, checks of their values, and the language of the help.

The help of these options is in the ``cli`` table of the message catalog. Options of one command, and of the commands
of `signatures` and `rules`, stand beside them: their tables are then parsed only when such a command runs.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

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
"""The language of the help."""


def help_text(key: str) -> str:
    """Return a sentence of the help."""
    return HELP_TRANSLATOR.t(key, languages=catalog.languages())


def create_command_group(name: str, group_help: str) -> typer.Typer:
    """Create a command that has commands of its own."""
    return typer.Typer(
        name=name,
        help=group_help,
        no_args_is_help=True,
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
    """Return a country code in capitals; ``None`` and an empty text mean that no country was chosen.

    Raises:
        UsageError: ``country_unknown``: `value` is not two ASCII letters (ISO 3166-1 alpha-2).
    """
    code = value.upper() if value else None
    if code is not None and not re.fullmatch(r"[A-Z]{2}", code):
        raise UsageError("errors.country_unknown", given=code)
    return code


def validate_package_names(packages: Iterable[str]) -> None:
    """Refuse what is not a package name, before any phone is asked.

    Raises:
        UsageError: one of `packages` is not a package name.
    """
    from privaudit.capture.questions import is_package_name

    for name in packages:
        if not is_package_name(name):
            raise UsageError("errors.not_a_package", given=name)


# --- language, terminal and output ---

LanguageOption = Annotated[str | None, typer.Option("--lang", metavar="LANG", help=help_text("cli.lang"))]
PlainOption = Annotated[bool, typer.Option("--plain", help=help_text("cli.plain"))]
OutputOption = Annotated[list[str] | None, typer.Option("--output", "-o", metavar="FILE", help=help_text("cli.output"))]
JsonOption = Annotated[bool, typer.Option("--json", help=help_text("cli.json"))]
DocumentOutputOption = Annotated[
    list[Path] | None, typer.Option("--output", "-o", metavar="FILE", help=help_text("cli.paper_to"))
]
"""The files of a letter or a rights page; without one, standard output."""

# --- the phone ---

SerialOption = Annotated[str | None, typer.Option("--serial", envvar="ANDROID_SERIAL", help=help_text("cli.serial"))]
TransportOption = Annotated[str, typer.Option("--transport", metavar="WAY", help=help_text("cli.transport"))]
NoApksOption = Annotated[bool, typer.Option("--no-apks", help=help_text("cli.no_apks"))]
HashOption = Annotated[bool, typer.Option("--hash", help=help_text("cli.hash"))]

# --- the report ---

CountryOption = Annotated[str | None, typer.Option("--country", metavar="CC", help=help_text("cli.country"))]
SignaturesOption = Annotated[
    list[Path] | None, typer.Option("--signatures", metavar="PATH", help=help_text("cli.signatures"))
]
AllAppsOption = Annotated[bool, typer.Option("--all-apps", help=help_text("cli.all_apps"))]
ShareOption = Annotated[bool, typer.Option("--share", help=help_text("cli.share"))]
UnknownOption = Annotated[bool, typer.Option("--unknown", help=help_text("cli.unknown"))]

# --- revocation ---

ApplyOption = Annotated[bool, typer.Option("--apply", help=help_text("cli.apply"))]
YesOption = Annotated[bool, typer.Option("--yes", help=help_text("cli.yes"))]
