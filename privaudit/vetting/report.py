"""What is said of an APK, in each form: `txt` and `table` for a terminal, `json`, and `html` for a page."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

from privaudit.i18n import Language
from privaudit.report import save
from privaudit.vetting.document import Vetting

FORMATS: Final = (".html", ".json", ".txt")
"""What one file's document is written as. Lines of many files are `.jsonl`, which `privaudit.vetting.batch` appends to."""


def write(vetting: Vetting, path: Path, language: Language) -> None:
    """Write the document to `path`: whole, or not at all.

    Raises:
        SourceError: it cannot be written.
    """
    module = importlib.import_module(f"privaudit.vetting.{path.suffix.removeprefix('.')}")
    save(module.render(vetting, language), path)
