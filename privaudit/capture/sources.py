"""Select the reader for a saved source: a capture zip, AndroidQF, a bug report, or a folder of text files."""

from pathlib import Path

from privaudit.capture import androidqf, archive, bugreport, text_folder
from privaudit.capture.model import Capture, refuse_old_android
from privaudit.errors import SourceError


def read_source(path: Path) -> Capture:
    """Read a saved source. Raises `SourceError` if it is missing, of an unknown format, damaged, or of Android 5."""
    if not path.exists():
        raise SourceError("errors.source_missing", path=str(path))
    # In this order: AndroidQF's output contains a bug report, and text files with known names.
    for reader in (archive, androidqf, bugreport, text_folder):
        if reader.recognises(path):
            return refuse_old_android(reader.read(path))
    raise SourceError(
        "errors.source_cut" if archive.is_truncated_zip(path) else "errors.source_unknown", path=str(path)
    )
