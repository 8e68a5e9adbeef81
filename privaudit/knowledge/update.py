"""A whole edition of the lists in one signed zip: verified, looked through, put in place in one step, or refused.

Whatever is wrong, the lists in force stay in force.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from privaudit.errors import KnowledgeError, ListsError
from privaudit.knowledge import fetch, lint, minisign, places, releases
from privaudit.knowledge.loader import LARGEST, Mistakes

SUFFIX: Final = ".minisig"
LARGEST_ZIP: Final = 32 * 1024 * 1024
"""Bytes of a zip. The lists of 2026 have 60 thousand."""
_LARGEST_WHOLE: Final = 64 * 1024 * 1024
"""Bytes of all files, unpacked."""
_MOST_FILES: Final = 1000
_NAME: Final = re.compile(r"(?:(?:risky|lenders)/)?[a-z0-9][a-z0-9-]{0,80}\.toml")
_STORED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1
_DAMAGED: Final = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, ValueError, NotImplementedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An edition that is in force now."""

    number: int
    released: str
    comment: str
    """What its signer wrote beside the signature; signed too."""


def key_folder() -> Path:
    """Where the public keys lie whose signatures are believed: files that end in ``.pub``."""
    return places.settings() / "keys"


def keys(given: Iterable[str] = ()) -> tuple[minisign.PublicKey, ...]:
    """The configured keys, and `given` ones: files, or keys themselves.

    Raises:
        ListsError: there is none, or one cannot be read.
    """
    folder = key_folder()
    texts = {str(file): file for file in sorted(folder.glob("*.pub"))} if folder.is_dir() else {}
    texts |= {one: Path(one) for one in given}
    found = []
    for shown, file in texts.items():
        try:
            text = file.read_bytes()[: minisign.LARGEST].decode() if file.is_file() else shown
            found.append(minisign.parse_key(text))
        except (OSError, UnicodeDecodeError, minisign.SignatureError) as error:
            raise ListsError("errors.lists_key_unreadable", path=shown) from error
    if not found:
        raise ListsError("errors.lists_no_key", path=str(folder))
    return tuple(found)


def update(source: str, believed: Iterable[minisign.PublicKey]) -> Taken:
    """Take in the edition at `source`, a file or an address, if one of the `believed` keys signed it.

    Raises:
        ListsError: unsigned, tampered with, not newer, too large, no such zip, or it cannot be put in place.
        KnowledgeError: its lists hold mistakes.
    """
    data = _get(source, LARGEST_ZIP)
    try:
        signature = _get(source + SUFFIX, minisign.LARGEST).decode()
        comment = minisign.verify(data, signature, believed)
    except UnicodeDecodeError as error:
        raise ListsError("errors.lists_signature_malformed", path=source) from error
    except minisign.SignatureError as error:
        raise ListsError(f"errors.lists_signature_{error.reason}", path=source) from error
    files = unpack(data, source)
    root = releases.kept()
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="new", dir=root))
    except OSError as error:
        raise ListsError("errors.not_written", path=str(root), reason=error.strerror or str(error)) from error
    try:
        return _take(files, folder, source, comment)
    except OSError as error:
        raise ListsError("errors.not_written", path=str(root), reason=error.strerror or str(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take(files: Mapping[str, bytes], folder: Path, source: str, comment: str) -> Taken:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    mistakes = Mistakes()
    edition = releases.read(folder, mistakes)
    found = lint.check(folder).mistakes if (folder / "vocabulary.toml").is_file() else ()
    if not (folder / "vocabulary.toml").is_file():
        mistakes.add("knowledge.not_there", file="vocabulary.toml")
    wrong = (*mistakes, *(one for one in found if one not in mistakes))
    if wrong or edition is None:
        raise KnowledgeError("errors.lists_mistakes", wrong, path=source)
    present = releases.number(releases.in_force())
    if edition.number <= present:
        raise ListsError("errors.lists_not_newer", path=source, number=edition.number, present=present)
    root = folder.parent
    final = root / f"edition{edition.number}"
    if final.exists():
        shutil.rmtree(final)  # left by a run that was cut short, or beaten by a newer privaudit: not in force
    folder.rename(final)
    before = releases.taken()
    _point(root, final.name)
    if before is not None and before != final:
        shutil.rmtree(before, ignore_errors=True)
    return Taken(number=edition.number, released=edition.released, comment=comment)


def _point(root: Path, name: str) -> None:
    """The one step: before it the old lists are in force, after it the new ones."""
    pointer = root / f"{releases.POINTER}.part"
    pointer.write_text(f"{name}\n", encoding="utf-8")
    pointer.replace(root / releases.POINTER)


def _get(source: str, largest: int) -> bytes:
    if fetch.is_address(source):
        return fetch.get(source, largest)
    try:
        with Path(source).open("rb") as stream:
            data = stream.read(largest + 1)
    except FileNotFoundError as error:
        name = "errors.lists_unsigned" if source.endswith(SUFFIX) else "errors.source_missing"
        raise ListsError(name, path=source) from error
    except OSError as error:
        raise ListsError("errors.source_unreadable", path=source, reason=error.strerror or str(error)) from error
    if len(data) > largest:
        raise ListsError("errors.lists_too_large", path=source, megabytes=largest // 1024**2)
    return data


def unpack(data: bytes, source: str) -> dict[str, bytes]:
    """The files of a zip, by name.

    Raises:
        ListsError: no zip, or it holds more than lists.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > _LARGEST_WHOLE:
                raise ListsError("errors.lists_too_large", path=source, megabytes=_LARGEST_WHOLE // 1024**2)
            files = {entry.filename: _read(archive, entry, source) for entry in entries}
    except (*_DAMAGED, OSError) as error:
        raise ListsError("errors.lists_malformed", path=source, reason=str(error)) from error
    if len(files) != len(entries):
        raise ListsError("errors.lists_malformed", path=source, reason="a name that comes twice")
    return files


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: str) -> bytes:
    if not _NAME.fullmatch(entry.filename) or entry.compress_type not in _STORED or entry.flag_bits & _ENCRYPTED:
        raise ListsError("errors.lists_malformed", path=source, reason=entry.filename[:80])
    with archive.open(entry) as stream:
        content = stream.read(LARGEST + 1)  # whatever the directory says of its size
    if len(content) > LARGEST:
        raise ListsError("errors.lists_too_large", path=source, megabytes=LARGEST // 1024**2)
    return content


def pack(folder: Traversable) -> bytes:
    """The lists in `folder` as a zip to be signed. The same lists give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for prefix, place in (("", folder), ("lenders/", folder / "lenders"), ("risky/", folder / "risky")):
            for file in sorted(place.iterdir(), key=lambda file: file.name):
                if file.is_file() and _NAME.fullmatch(prefix + file.name):
                    archive.writestr(zipfile.ZipInfo(prefix + file.name), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return out.getvalue()
