"""A whole edition of the lists in one signed zip: verified, looked through, put in place in one step, or refused.

Whatever is wrong, the lists in force stay in force.
"""

from __future__ import annotations

import http.client
import io
import re
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from privaudit.errors import KnowledgeError, SignatureListError
from privaudit.knowledge import lint, minisign, releases
from privaudit.knowledge.loader import MAX_FILE_BYTES, Problems

TIMEOUT_S: Final = 30
"""Seconds without a byte."""
_URL_SCHEMES: Final = frozenset({"https", "http"})


def is_url(text: str) -> bool:
    """Whether `text` is an address rather than a file."""
    return urlsplit(text).scheme in _URL_SCHEMES


class _HttpOnlyRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to anything but the web."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        if urlsplit(newurl).scheme not in _URL_SCHEMES:
            raise urllib.error.HTTPError(newurl, code, "redirected to something else than the web", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, max_bytes: int) -> bytes:
    """What stands at `url`.

    Raises:
        ListsError: it cannot be had, or is larger than `max_bytes` bytes.
    """
    opener = urllib.request.build_opener(_HttpOnlyRedirects)
    request = urllib.request.Request(url, headers={"User-Agent": "privaudit"})  # noqa: S310 - see is_address
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            data: bytes = answer.read(max_bytes + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SignatureListError("errors.lists_not_fetched", path=url, reason=str(error)) from error
    if len(data) > max_bytes:
        raise SignatureListError("errors.lists_too_large", path=url, megabytes=max_bytes // 1024**2)
    return data


SIGNATURE_SUFFIX: Final = ".minisig"
MAX_ZIP_BYTES: Final = 32 * 1024 * 1024
"""Bytes of a zip. The lists of 2026 have 60 thousand."""
_MAX_UNPACKED_BYTES: Final = 64 * 1024 * 1024
"""Bytes of all files, unpacked."""
_MAX_FILES: Final = 1000
_ENTRY_NAME: Final = re.compile(r"(?:(?:risky|lenders)/)?[a-z0-9][a-z0-9-]{0,80}\.toml")
_ALLOWED_COMPRESSION: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED_FLAG: Final = 0x1
_ZIP_ERRORS: Final = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, ValueError, NotImplementedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledRelease:
    """An edition that is in force now."""

    number: int
    released: str
    comment: str
    """What its signer wrote beside the signature; signed too."""


def public_key_folder() -> Path:
    """Where the public keys lie whose signatures are believed: files that end in ``.pub``."""
    return releases.user_config_path() / "keys"


def load_public_keys(extra_keys: Iterable[str] = ()) -> tuple[minisign.MinisignPublicKey, ...]:
    """The configured keys, and `extra_keys` ones: files, or keys themselves.

    Raises:
        ListsError: there is none, or one cannot be read.
    """
    folder = public_key_folder()
    texts = {str(file): file for file in sorted(folder.glob("*.pub"))} if folder.is_dir() else {}
    texts |= {one: Path(one) for one in extra_keys}
    found = []
    for shown, file in texts.items():
        try:
            text = file.read_bytes()[: minisign.MAX_SIGNATURE_BYTES].decode() if file.is_file() else shown
            found.append(minisign.parse_public_key(text))
        except (OSError, UnicodeDecodeError, minisign.MinisignError) as error:
            raise SignatureListError("errors.lists_key_unreadable", path=shown) from error
    if not found:
        raise SignatureListError("errors.lists_no_key", path=str(folder))
    return tuple(found)


def install_update(source: str, trusted_keys: Iterable[minisign.MinisignPublicKey]) -> InstalledRelease:
    """Take in the edition at `source`, a file or an address, if one of the `trusted_keys` keys signed it.

    Raises:
        ListsError: unsigned, tampered with, not newer, too large, no such zip, or it cannot be put in place.
        KnowledgeError: its lists hold mistakes.
    """
    data = _read_source(source, MAX_ZIP_BYTES)
    try:
        signature = _read_source(source + SIGNATURE_SUFFIX, minisign.MAX_SIGNATURE_BYTES).decode()
        comment = minisign.verify_signature(data, signature, trusted_keys)
    except UnicodeDecodeError as error:
        raise SignatureListError("errors.lists_signature_malformed", path=source) from error
    except minisign.MinisignError as error:
        raise SignatureListError(f"errors.lists_signature_{error.reason}", path=source) from error
    files = unpack_release(data, source)
    root = releases.updates_root()
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="new", dir=root))
    except OSError as error:
        raise SignatureListError("errors.not_written", path=str(root), reason=error.strerror or str(error)) from error
    try:
        return _install(files, folder, source, comment)
    except OSError as error:
        raise SignatureListError("errors.not_written", path=str(root), reason=error.strerror or str(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _install(files: Mapping[str, bytes], folder: Path, source: str, comment: str) -> InstalledRelease:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    mistakes = Problems()
    edition = releases.read_release(folder, mistakes)
    found = lint.lint_signatures(folder).problems if (folder / "vocabulary.toml").is_file() else ()
    if not (folder / "vocabulary.toml").is_file():
        mistakes.add("knowledge.not_there", file="vocabulary.toml")
    wrong = (*mistakes, *(one for one in found if one not in mistakes))
    if wrong or edition is None:
        raise KnowledgeError("errors.lists_mistakes", wrong, path=source)
    present = releases.release_number(releases.active_folder())
    if edition.number <= present:
        raise SignatureListError("errors.lists_not_newer", path=source, number=edition.number, present=present)
    root = folder.parent
    final = root / f"edition{edition.number}"
    if final.exists():
        shutil.rmtree(final)  # left by a run that was cut short, or beaten by a newer privaudit: not in force
    folder.rename(final)
    before = releases.updated_folder()
    _activate(root, final.name)
    if before is not None and before != final:
        shutil.rmtree(before, ignore_errors=True)
    return InstalledRelease(number=edition.number, released=edition.released, comment=comment)


def _activate(root: Path, folder_name: str) -> None:
    """The one step: before it the old lists are in force, after it the new ones."""
    pointer = root / f"{releases.CURRENT_FILE}.part"
    pointer.write_text(f"{folder_name}\n", encoding="utf-8")
    pointer.replace(root / releases.CURRENT_FILE)


def _read_source(source: str, max_bytes: int) -> bytes:
    if is_url(source):
        return download(source, max_bytes)
    try:
        with Path(source).open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except FileNotFoundError as error:
        name = "errors.lists_unsigned" if source.endswith(SIGNATURE_SUFFIX) else "errors.source_missing"
        raise SignatureListError(name, path=source) from error
    except OSError as error:
        raise SignatureListError(
            "errors.source_unreadable", path=source, reason=error.strerror or str(error)
        ) from error
    if len(data) > max_bytes:
        raise SignatureListError("errors.lists_too_large", path=source, megabytes=max_bytes // 1024**2)
    return data


def unpack_release(data: bytes, source: str) -> dict[str, bytes]:
    """The files of a zip, by name.

    Raises:
        ListsError: no zip, or it holds more than lists.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > _MAX_FILES or sum(entry.file_size for entry in entries) > _MAX_UNPACKED_BYTES:
                raise SignatureListError(
                    "errors.lists_too_large", path=source, megabytes=_MAX_UNPACKED_BYTES // 1024**2
                )
            files = {entry.filename: _read_entry(archive, entry, source) for entry in entries}
    except (*_ZIP_ERRORS, OSError) as error:
        raise SignatureListError("errors.lists_malformed", path=source, reason=str(error)) from error
    if len(files) != len(entries):
        raise SignatureListError("errors.lists_malformed", path=source, reason="a name that comes twice")
    return files


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: str) -> bytes:
    if (
        not _ENTRY_NAME.fullmatch(entry.filename)
        or entry.compress_type not in _ALLOWED_COMPRESSION
        or entry.flag_bits & _ENCRYPTED_FLAG
    ):
        raise SignatureListError("errors.lists_malformed", path=source, reason=entry.filename[:80])
    with archive.open(entry) as stream:
        content = stream.read(MAX_FILE_BYTES + 1)  # whatever the directory says of its size
    if len(content) > MAX_FILE_BYTES:
        raise SignatureListError("errors.lists_too_large", path=source, megabytes=MAX_FILE_BYTES // 1024**2)
    return content


def pack_release(folder: Traversable) -> bytes:
    """The lists in `folder` as a zip to be signed. The same lists give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for prefix, place in (("", folder), ("lenders/", folder / "lenders"), ("risky/", folder / "risky")):
            for file in sorted(place.iterdir(), key=lambda file: file.name):
                if file.is_file() and _ENTRY_NAME.fullmatch(prefix + file.name):
                    archive.writestr(zipfile.ZipInfo(prefix + file.name), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return out.getvalue()
