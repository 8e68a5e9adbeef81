"""The inputs that the repository keeps: the corpus in ``corpus/TARGET.zip``, the finds in ``found/TARGET/``.

The corpus is one archive for each target, because its inputs mean nothing to a reader: each reached code that the ones
before it did not. A find is a plain file whose name says what it showed; it stays as a regression test.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

CORPUS_FOLDER = Path(__file__).parent / "corpus"
FINDS_FOLDER = Path(__file__).parent / "found"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def read_corpus(target: str) -> dict[str, bytes]:
    """Return the kept inputs of a target by name; empty if it has no archive."""
    path = CORPUS_FOLDER / f"{target}.zip"
    if not path.exists():
        return {}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_corpus(target: str, inputs: Iterable[bytes]) -> None:
    """Write the archive of a target. The same inputs give the same bytes: names are hashes, sorted, of one date."""
    named = {input_name(data): data for data in inputs}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in sorted(named.items()):
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.create_system = 3  # Unix, whatever system writes the archive
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
    CORPUS_FOLDER.mkdir(exist_ok=True)
    (CORPUS_FOLDER / f"{target}.zip").write_bytes(stream.getvalue())


def read_finds(target: str) -> dict[str, bytes]:
    """Return the inputs that once raised an unexpected error, by file name."""
    return {path.name: path.read_bytes() for path in sorted((FINDS_FOLDER / target).glob("*"))}


def input_name(data: bytes) -> str:
    """Return the name of an input in a corpus."""
    return hashlib.sha256(data).hexdigest()[:16]
