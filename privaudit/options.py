"""What several groups of commands share: the language of their help, and options that mean the same everywhere."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from privaudit.language import Language, available, preferred


def _wished() -> Language:
    """The language of the help: ``--lang`` may stand anywhere, and is read before any command is known."""
    words = sys.argv[1:]
    given = [word.partition("=")[2] for word in words if word.startswith("--lang=")]
    given += [after for before, after in itertools.pairwise(words) if before == "--lang"]
    return Language(given[-1] if given and given[-1] in available() else preferred())


HELP: Final = _wished()


def help_of(name: str) -> str:
    """What the help says of a command or an option."""
    return HELP.text(f"cli.{name}")


Lang = Annotated[str | None, typer.Option("--lang", metavar="LANG", help=help_of("lang"))]
Country = Annotated[str | None, typer.Option("--country", metavar="CC", help=help_of("country"))]
Lists = Annotated[list[Path] | None, typer.Option("--signatures", metavar="PATH", help=help_of("signatures"))]
Plain = Annotated[bool, typer.Option("--plain", help=help_of("plain"))]
