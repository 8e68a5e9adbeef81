"""Write the report document: every output is a function of it, in the format that the suffix of its file names."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from privaudit.atomic_write import atomic_writer
from privaudit.errors import UsageError
from privaudit.i18n import Translator
from privaudit.model import Report

FORMATS: Final[Mapping[str, str]] = {
    ".csv": "privaudit.report.csv",
    ".html": "privaudit.report.html",
    ".json": "privaudit.report.json",
    ".txt": "privaudit.report.txt",
}
"""Suffix → module with ``render(report, language)``; modules, so that only the libraries of one format are imported."""


def validate_output(path: Path, suffixes: tuple[str, ...]) -> None:
    """Raise `UsageError`, before any phone is asked, if the suffix is not in `suffixes` or there is no such folder."""
    if path.suffix not in suffixes:
        raise UsageError("errors.format_unknown", given=path.name, known=suffixes)
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))


def write_report(report: Report, path: Path, language: Translator) -> None:
    """Write `report` to `path` in the format of its suffix, as `save_text` does."""
    save_text(importlib.import_module(FORMATS[path.suffix]).render(report, language), path)


def save_text(text: str, path: Path) -> None:
    """Write `text` to `path`: whole, or not at all (`SourceError`); private (mode 0600)."""
    with atomic_writer(path) as stream:
        stream.write(text.encode())
