"""Writes the report document: every output is a function of it, and the suffix of a file names the module for it."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from privaudit.errors import UsageError
from privaudit.language import Language
from privaudit.model import Report
from privaudit.private import replacing


def formats() -> tuple[str, ...]:
    """Suffixes that can be written, with their dots: each is a module here; what they share is in folders."""
    return tuple(f".{module.name}" for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def check(path: Path, known: tuple[str, ...]) -> None:
    """Refuse, before any phone is asked, a file that could not be written.

    Raises:
        UsageError: its suffix is none of `known`, or the folder is not there.
    """
    if path.suffix not in known:
        raise UsageError("errors.format_unknown", given=path.name, known=known)
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))


def write(report: Report, path: Path, language: Language) -> None:
    """Write `report` to `path`: whole, or not at all. Private (mode 0600).

    Raises:
        SourceError: it cannot be written.
    """
    module = importlib.import_module(f"{__name__}.{path.suffix.removeprefix('.')}")
    save(module.render(report, language), path)


def save(text: str, path: Path) -> None:
    """Write `text` to `path`: whole, or not at all. Private (mode 0600).

    Raises:
        SourceError: it cannot be written.
    """
    with replacing(path) as stream:
        stream.write(text.encode())
