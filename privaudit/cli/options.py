"""The options that several commands share, and the language of their help."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from privaudit.errors import UsageError
from privaudit.i18n import Translator, catalog


def _translator_from_argv() -> Translator:
    """The language of the help: ``--lang`` may stand anywhere, and is read before any command is known."""
    words = sys.argv[1:]
    given = [word.partition("=")[2] for word in words if word.startswith("--lang=")]
    given += [after for before, after in itertools.pairwise(words) if before == "--lang"]
    return Translator(given[-1] if given and given[-1] in catalog.languages() else catalog.system_language())


HELP_TRANSLATOR: Final = _translator_from_argv()
"""In which the help speaks."""


def help_text(key: str) -> str:
    """A sentence of the help."""
    return HELP_TRANSLATOR.t(key, languages=catalog.languages())


def create_command_group(name: str, group_help: str) -> typer.Typer:
    """A command with commands of its own."""
    return typer.Typer(
        name=name,
        help=group_help,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def parse_country(value: str | None) -> str | None:
    """Return a country code in capitals; ``None`` and an empty text mean that no country was chosen.

    Raises:
        UsageError: ``country_unknown``: `value` is not two ASCII letters (ISO 3166-1 alpha-2).
    """
    code = value.upper() if value else None
    if code is not None and not re.fullmatch(r"[A-Z]{2}", code):
        raise UsageError("errors.country_unknown", given=code)
    return code


OutputOption = Annotated[list[str] | None, typer.Option("--output", "-o", metavar="FILE", help=help_text("cli.output"))]
JsonOption = Annotated[bool, typer.Option("--json", help=help_text("cli.json"))]
JsonLinesOption = Annotated[bool, typer.Option("--jsonl", help=help_text("cli.jsonl"))]
LanguageOption = Annotated[str | None, typer.Option("--lang", metavar="LANG", help=help_text("cli.lang"))]
CountryOption = Annotated[str | None, typer.Option("--country", metavar="CC", help=help_text("cli.country"))]
SerialOption = Annotated[str | None, typer.Option("--serial", envvar="ANDROID_SERIAL", help=help_text("cli.serial"))]
TransportOption = Annotated[str, typer.Option("--transport", metavar="WAY", help=help_text("cli.transport"))]
SignaturesOption = Annotated[
    list[Path] | None, typer.Option("--signatures", metavar="PATH", help=help_text("cli.signatures"))
]
AllAppsOption = Annotated[bool, typer.Option("--all-apps", help=help_text("cli.all_apps"))]
ShareOption = Annotated[bool, typer.Option("--share", help=help_text("cli.share"))]
UnknownOption = Annotated[bool, typer.Option("--unknown", help=help_text("cli.unknown"))]
NoApksOption = Annotated[bool, typer.Option("--no-apks", help=help_text("cli.no_apks"))]
HashOption = Annotated[bool, typer.Option("--hash", help=help_text("cli.hash"))]
PlainOption = Annotated[bool, typer.Option("--plain", help=help_text("cli.plain"))]
