"""What is said of an APK, in each form: `txt` and `table` for a terminal, `json`, and `html` for a page."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

from privaudit.i18n import Translator
from privaudit.report import save_text
from privaudit.vetting.document import VettingReport

DOCUMENT_SUFFIXES: Final = (".html", ".json", ".txt")
"""What one file's document is written as. Lines of many files are `.jsonl`, which `privaudit.vetting.batch` appends to."""


def save_vetting_report(vetting: VettingReport, path: Path, language: Translator) -> None:
    """Write the document to `path`: whole, or not at all.

    Raises:
        SourceError: it cannot be written.
    """
    module = importlib.import_module(f"privaudit.vetting.{path.suffix.removeprefix('.')}")
    save_text(module.render(vetting, language), path)
