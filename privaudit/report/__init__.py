"""Write the report document: every output is a function of it, in the format that the suffix of its file names."""

from __future__ import annotations

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
"""Each output format: the suffix of its files, and the module with its function ``render(report, language)``.

Modules and not functions, so that a format's libraries are imported only if it is written.
"""


def validate_output(path: Path, suffixes: tuple[str, ...]) -> None:
    """Refuse, before any phone is asked, a file that could not be written.

    Raises:
        UsageError: the suffix is not one of `suffixes`, or the folder does not exist.
    """
    if path.suffix not in suffixes:
        raise UsageError("errors.format_unknown", given=path.name, known=suffixes)
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))


def write_report(report: Report, path: Path, language: Translator) -> None:
    """Write `report` to `path` in the format of its suffix: whole, or not at all; private (mode 0600).

    Raises:
        SourceError: the file cannot be written.
    """
    renderer = importlib.import_module(FORMATS[path.suffix])
    save_text(renderer.render(report, language), path)


def save_text(text: str, path: Path) -> None:
    """Write `text` to `path`: whole, or not at all; private (mode 0600).

    Raises:
        SourceError: the file cannot be written.
    """
    with atomic_writer(path) as stream:
        stream.write(text.encode())
