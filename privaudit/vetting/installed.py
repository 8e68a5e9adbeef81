"""Vets an app that is installed on a phone: the same reading as of a file, in parts over the connection.

Its code is fetched for that, some megabytes of it; the SHA-256 of the whole file the phone computes itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from privaudit.apk.parts import ApkError, apk_message
from privaudit.capture import remote_file
from privaudit.capture.collector import collect_answers
from privaudit.capture.questions import is_package_name
from privaudit.capture.remote_file import RemoteFile
from privaudit.capture.scripts import is_apk_path
from privaudit.dumpsys import package_checks
from privaudit.errors import PhoneError, UsageError
from privaudit.transport.base import Transport
from privaudit.vetting import VettingContext, failed_document, vet_parts
from privaudit.vetting.bundle import MAX_BUNDLE_APKS, AppBundle, BundleApk, open_apk
from privaudit.vetting.document import FileInfo, Gap, VettingReport

_SPLITS_LINE: Final = re.compile(r"^ +splits=\[([A-Za-z0-9_., -]*)\]$", re.MULTILINE | re.ASCII)
_CHUNK_BYTES: Final = remote_file.MAX_ROUND_BYTES
_MAX_CACHED_BYTES: Final = 1 << 20
"""A longer range than this is read once, and let go."""


@dataclass(frozen=True, slots=True)
class PhoneFile:
    """A file on a phone, fetched where it is read."""

    transport: Transport
    remote_file: RemoteFile

    @property
    def size(self) -> int:
        """In bytes."""
        return self.remote_file.size

    def bytes_at(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end`, no further than the end.

        Raises:
            ApkError: the phone does not give them.
            ConnectionLost: the connection ended.
        """
        start, end = max(0, start), min(end, self.remote_file.size)
        if end - start > _MAX_CACHED_BYTES:
            self.remote_file.evict()
            taken = b"".join(self._fetch(at, min(at + _CHUNK_BYTES, end)) for at in range(start, end, _CHUNK_BYTES))
            self.remote_file.evict()
            return taken
        return self._fetch(start, end)

    def _fetch(self, start: int, end: int) -> bytes:
        if end - start > _MAX_CACHED_BYTES:
            self.remote_file.evict()
        remote_file.fetch_blocks(self.transport, [(self.remote_file, self.remote_file.missing_blocks(start, end))])
        try:
            return self.remote_file.bytes_at(start, end)
        except LookupError as error:
            raise ApkError("apk.cannot_open") from error


def vet_installed(transport: Transport, package: str, context: VettingContext) -> VettingReport:
    """The document on an app of the phone's owner.

    Raises:
        UsageError: this is no name of a package.
        PhoneError: the phone has no such app, or the connection ended.
    """
    if not is_package_name(package):
        raise UsageError("errors.app_missing", app=package)
    answers = {answer.key: answer for answer in collect_answers(transport, ["installed.0", f"package.{package}"])}
    listed = package_checks.parse_package_list(answers["installed.0"].text)[0] if "installed.0" in answers else {}
    if package not in listed:
        raise PhoneError("errors.app_missing", app=package)
    path = listed[package].apk_path or ""
    stamp = FileInfo(path=path or package, kind="installed", size=None, modified_ns=None, sha256=None)
    if not is_apk_path(path):
        return failed_document(stamp, context, apk_message("apk.path_unusual"))
    paths = [path, *_split_paths(path, answers[f"package.{package}"].text if f"package.{package}" in answers else "")]
    sizes = remote_file.fetch_file_sizes(transport, paths)
    if path not in sizes:
        return failed_document(stamp, context, apk_message("apk.cannot_open"))
    digest = remote_file.fetch_file_hashes(transport, [path]).get(path)
    stamp = FileInfo(path=path, kind="installed", size=sizes[path], modified_ns=None, sha256=digest)
    files = {one: PhoneFile(transport, RemoteFile(one, size)) for one, size in sizes.items()}
    try:
        taken = AppBundle("installed", _open_base(files.pop(path), package))
        if digest is None:
            taken.gaps.append(Gap(part="file", why=apk_message("apk.no_hash")))
        for other in paths[1:]:
            _add_split(taken, other, files)
        return vet_parts(taken, context, stamp, digest)
    except ApkError as error:
        return failed_document(stamp, context, error.message)


def _open_base(file: PhoneFile, package: str) -> BundleApk:
    base = open_apk("", file)
    if base.manifest.package != package:
        raise ApkError("apk.package_differs", said=base.manifest.package, known=package)
    return base


def _add_split(app_bundle: AppBundle, path: str, files: dict[str, PhoneFile]) -> None:
    name = path.rpartition("/")[2]
    if path not in files:
        app_bundle.gaps.append(Gap(part=name, why=apk_message("apk.cannot_open")))
        return
    try:
        app_bundle.splits.append(open_apk(name, files[path]))
    except ApkError as error:
        app_bundle.gaps.append(Gap(part=name, why=error.message))


def _split_paths(path: str, dump: str) -> list[str]:
    """Where the splits of an app lie: beside its base (``PackageInstallerSession``: ``split_NAME.apk``)."""
    found = _SPLITS_LINE.search(dump)
    names = found[1].split(", ")[1:] if found else []
    beside = [f"{path.rpartition('/')[0]}/split_{name}.apk" for name in names[:MAX_BUNDLE_APKS]]
    return [one for one in beside if is_apk_path(one)]
