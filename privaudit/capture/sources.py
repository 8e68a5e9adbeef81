"""Which reader fits a saved source: a capture zip, AndroidQF, a bug report, or a folder of text files."""

from __future__ import annotations

from pathlib import Path

from privaudit.capture import androidqf, archive, bugreport, text_folder
from privaudit.capture.model import Capture
from privaudit.errors import SourceError


def read_source(path: Path) -> Capture:
    """Read a saved source: a capture zip, what AndroidQF collected, a bug report, or a folder of plain text files.

    Raises:
        SourceError: it is not there, is none of these, or is damaged.
    """
    if not path.exists():
        raise SourceError("errors.source_missing", path=str(path))
    if archive.recognises(path):
        return archive.read(path)
    # Before the two below: it holds a bug report, and files of names that we know.
    if androidqf.recognises(path):
        return androidqf.read(path)
    if bugreport.recognises(path):
        return bugreport.read(path)
    if text_folder.recognises(path):
        return text_folder.read(path)
    raise SourceError(
        "errors.source_cut" if archive.is_truncated_zip(path) else "errors.source_unknown", path=str(path)
    )
