"""The options that several commands share, and the language of their help."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from privaudit.i18n import Language, catalog


def _wished() -> Language:
    """The language of the help: ``--lang`` may stand anywhere, and is read before any command is known."""
    words = sys.argv[1:]
    given = [word.partition("=")[2] for word in words if word.startswith("--lang=")]
    given += [after for before, after in itertools.pairwise(words) if before == "--lang"]
    return Language(given[-1] if given and given[-1] in catalog.available() else catalog.of_computer())


HELP: Final = _wished()
"""In which the help speaks."""


def help_text(key: str) -> str:
    """A sentence of the help."""
    return HELP.text(key, languages=catalog.available())


def group(name: str, told: str) -> typer.Typer:
    """A command with commands of its own."""
    return typer.Typer(
        name=name,
        help=told,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


Output = Annotated[list[str] | None, typer.Option("--output", "-o", metavar="FILE", help=help_text("cli.output"))]
AsJson = Annotated[bool, typer.Option("--json", help=help_text("cli.json"))]
AsJsonLines = Annotated[bool, typer.Option("--jsonl", help=help_text("cli.jsonl"))]
Lang = Annotated[str | None, typer.Option("--lang", metavar="LANG", help=help_text("cli.lang"))]
Country = Annotated[str | None, typer.Option("--country", metavar="CC", help=help_text("cli.country"))]
Serial = Annotated[str | None, typer.Option("--serial", envvar="ANDROID_SERIAL", help=help_text("cli.serial"))]
Way = Annotated[str, typer.Option("--transport", metavar="WAY", help=help_text("cli.transport"))]
Lists = Annotated[list[Path] | None, typer.Option("--signatures", metavar="PATH", help=help_text("cli.signatures"))]
AllApps = Annotated[bool, typer.Option("--all-apps", help=help_text("cli.all_apps"))]
Share = Annotated[bool, typer.Option("--share", help=help_text("cli.share"))]
Unknown = Annotated[bool, typer.Option("--unknown", help=help_text("cli.unknown"))]
NoApks = Annotated[bool, typer.Option("--no-apks", help=help_text("cli.no_apks"))]
Hash = Annotated[bool, typer.Option("--hash", help=help_text("cli.hash"))]
Plain = Annotated[bool, typer.Option("--plain", help=help_text("cli.plain"))]
