"""Install a signed release of the lists: verify, unpack, lint, and switch to it in one step, or refuse it.

Whatever fails, the active lists stay active. No other module connects to the internet.
"""

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
from privaudit.knowledge import compile_lists, lint, minisign, releases
from privaudit.knowledge.loader import COMPILED_FILE, MAX_FILE_BYTES, Problems, read_limited

SIGNATURE_SUFFIX: Final = ".minisig"
MAX_ZIP_BYTES: Final = 32 * 1024 * 1024
"""Bytes of a zip. The lists of 2026 have 60 thousand."""
_MAX_UNPACKED_BYTES: Final = 64 * 1024 * 1024
"""Bytes of all files, unpacked."""
_MAX_FILES: Final = 1000
_ENTRY_NAME: Final = re.compile(r"(?:(?:risky|lenders)/)?[a-z0-9][a-z0-9-]{0,80}\.toml")
_ALLOWED_COMPRESSION: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED_FLAG: Final = 0x1
"""Bit 0 of an entry's general purpose flags (APPNOTE 4.4.4)."""
_ZIP_ERRORS: Final = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, ValueError, NotImplementedError)
DOWNLOAD_TIMEOUT_S: Final = 30
"""Seconds without a byte."""
_URL_SCHEMES: Final = frozenset({"https", "http"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledRelease:
    """A release that was installed and is active now."""

    number: int
    released: str
    comment: str
    """The trusted comment of its signature, which is signed too."""


def load_public_keys(extra_keys: Iterable[str] = ()) -> tuple[minisign.MinisignPublicKey, ...]:
    """Return the configured keys and `extra_keys`, files or keys; raises `SignatureListError` for none or a bad one."""
    folder = releases.public_key_folder()
    files = {str(file): file for file in sorted(folder.glob("*.pub"))} if folder.is_dir() else {}
    files |= {key: Path(key) for key in extra_keys}
    keys = []
    for name, file in files.items():
        try:
            text = file.read_bytes()[: minisign.MAX_SIGNATURE_BYTES].decode() if file.is_file() else name
            keys.append(minisign.parse_public_key(text))
        except (OSError, UnicodeDecodeError, minisign.MinisignError) as error:
            raise SignatureListError("errors.lists_key_unreadable", path=name) from error
    if not keys:
        raise SignatureListError("errors.lists_no_key", path=str(folder))
    return tuple(keys)


def install_update(source: str, trusted_keys: Iterable[minisign.MinisignPublicKey]) -> InstalledRelease:
    """Install the release at `source`, a file or a URL, if it is signed with one of `trusted_keys`.

    Raises `SignatureListError` if it is unsigned, tampered with, not newer, too large, no release or not writable,
    and `KnowledgeError` if its lists contain errors.
    """
    data = _read_source(source, MAX_ZIP_BYTES)
    try:
        signature = _read_source(source + SIGNATURE_SUFFIX, minisign.MAX_SIGNATURE_BYTES).decode()
        comment = minisign.verify_signature(data, signature, trusted_keys)
    except UnicodeDecodeError as error:
        raise SignatureListError("errors.lists_signature_malformed", path=source) from error
    except minisign.MinisignError as error:
        raise SignatureListError(error.key, path=source) from error
    files = unpack_release(data, source)
    root = releases.updates_root()
    folder = None
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="new", dir=root))
        return _install_files(files, folder, source, comment)
    except OSError as error:
        raise SignatureListError("errors.not_written", path=str(root), reason=error.strerror or str(error)) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _install_files(files: Mapping[str, bytes], folder: Path, source: str, comment: str) -> InstalledRelease:
    """Write `files` to the temporary `folder`, lint and compile them, and rename it to the active folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    problems = Problems()
    release = releases.read_release(folder, problems)
    if (folder / "vocabulary.toml").is_file():
        problems += [problem for problem in lint.lint_signatures(folder).problems if problem not in problems]
    else:
        problems.add("knowledge.not_there", file="vocabulary.toml")
    if problems or release is None:
        raise KnowledgeError("errors.lists_mistakes", tuple(problems), path=source)
    active_number = releases.release_number(releases.active_folder())
    if release.number <= active_number:
        raise SignatureListError("errors.lists_not_newer", path=source, number=release.number, present=active_number)
    (folder / COMPILED_FILE).write_bytes(compile_lists(folder))
    root = folder.parent
    target = root / f"edition{release.number}"
    if target.exists():
        shutil.rmtree(target)  # not active: an interrupted update left it, or a newer privaudit ships newer lists
    folder.rename(target)
    previous = releases.updated_folder()
    # In one step: a rename, so that the pointer names either the old folder or the new one.
    pointer = root / f"{releases.CURRENT_FILE}.part"
    pointer.write_text(f"{target.name}\n", encoding="utf-8")
    pointer.replace(root / releases.CURRENT_FILE)
    if previous is not None and previous != target:
        shutil.rmtree(previous, ignore_errors=True)
    return InstalledRelease(number=release.number, released=release.released, comment=comment)


def is_url(text: str) -> bool:
    """Return whether `text` is a web address rather than a file name."""
    return urlsplit(text).scheme in _URL_SCHEMES


def _read_source(source: str, max_bytes: int) -> bytes:
    if is_url(source):
        return download(source, max_bytes)
    missing = "errors.lists_unsigned" if source.endswith(SIGNATURE_SUFFIX) else "errors.source_missing"
    return read_limited(Path(source), max_bytes, missing=missing)


class _HttpOnlyRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to http and https only, never to a file or FTP server."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        if urlsplit(newurl).scheme not in _URL_SCHEMES:
            raise urllib.error.HTTPError(newurl, code, "redirected to something else than the web", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, max_bytes: int) -> bytes:
    """Return the content at `url`; raises `SignatureListError` if it is unreachable, or larger than `max_bytes`."""
    opener = urllib.request.build_opener(_HttpOnlyRedirects)
    request = urllib.request.Request(url, headers={"User-Agent": "privaudit"})  # noqa: S310 - see is_url
    try:
        with opener.open(request, timeout=DOWNLOAD_TIMEOUT_S) as response:
            data: bytes = response.read(max_bytes + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SignatureListError("errors.lists_not_fetched", path=url, reason=str(error)) from error
    if len(data) > max_bytes:
        raise SignatureListError("errors.lists_too_large", path=url, megabytes=max_bytes // 1024**2)
    return data


def unpack_release(data: bytes, source: str) -> dict[str, bytes]:
    """Return the files of a release zip; raises `SignatureListError` if it is not one, too large or has other files."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > _MAX_FILES or sum(entry.file_size for entry in entries) > _MAX_UNPACKED_BYTES:
                megabytes = _MAX_UNPACKED_BYTES // 1024**2
                raise SignatureListError("errors.lists_too_large", path=source, megabytes=megabytes)
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
        content = stream.read(MAX_FILE_BYTES + 1)  # the size in the directory may be false
    if len(content) > MAX_FILE_BYTES:
        raise SignatureListError("errors.lists_too_large", path=source, megabytes=MAX_FILE_BYTES // 1024**2)
    return content


def pack_release(folder: Traversable) -> bytes:
    """Return the lists in `folder` as a zip to be signed. The same lists always give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for prefix, subfolder in (("", folder), ("lenders/", folder / "lenders"), ("risky/", folder / "risky")):
            for file in sorted(subfolder.iterdir(), key=lambda file: file.name):
                if file.is_file() and _ENTRY_NAME.fullmatch(prefix + file.name):
                    archive.writestr(zipfile.ZipInfo(prefix + file.name), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
