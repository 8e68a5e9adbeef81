"""Collect a capture from a phone, or read a saved one. A live phone is always captured first."""

from pathlib import Path
from typing import TYPE_CHECKING

from privaudit.errors import SourceError

if TYPE_CHECKING:
    from privaudit.capture.model import Capture


def read_source(path: Path) -> "Capture":
    """Read a saved source. Raises `SourceError` if it is missing, of an unknown format, damaged, or of Android 5."""
    from privaudit.capture import androidqf, archive, bugreport, model, text_folder  # each module imports this package

    if not path.exists():
        raise SourceError("errors.source_missing", path=str(path))
    # In this order: AndroidQF's output contains a bug report, and text files with known names.
    for reader in (archive, androidqf, bugreport, text_folder):
        if reader.recognises(path):
            return model.refuse_old_android(reader.read(path))
    raise SourceError(
        "errors.source_cut" if archive.is_truncated_zip(path) else "errors.source_unknown", path=str(path)
    )
