"""Vets an app that is installed on a phone: the same reading as of a file, in parts over the connection.

Its code is fetched for that, some megabytes of it; the SHA-256 of the whole file the phone computes itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from privaudit.apk.apk_problems import ApkError, problem
from privaudit.capture import remote_file
from privaudit.capture.collector import ask_more
from privaudit.capture.questions import is_apk_path, is_package_name
from privaudit.capture.remote_file import RangeFile
from privaudit.dumpsys import package_checks
from privaudit.errors import PhoneError, UsageError
from privaudit.transport import Transport
from privaudit.vetting import Known, told, unread
from privaudit.vetting.bundle import MOST_PIECES, Piece, Pieces, piece
from privaudit.vetting.document import FileStamp, Gap, Vetting

_SPLITS: Final = re.compile(r"^ +splits=\[([A-Za-z0-9_., -]*)\]$", re.MULTILINE | re.ASCII)
_STEP: Final = remote_file.ROUND_BYTES
_KEPT: Final = 1 << 20
"""A longer range than this is read once, and let go."""


@dataclass(frozen=True, slots=True)
class PhoneFile:
    """A file on a phone, fetched where it is read."""

    transport: Transport
    file: RangeFile

    @property
    def size(self) -> int:
        """In bytes."""
        return self.file.size

    def bytes_at(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end`, no further than the end.

        Raises:
            ApkError: the phone does not give them.
            ConnectionLost: the connection ended.
        """
        start, end = max(0, start), min(end, self.file.size)
        if end - start > _KEPT:
            self.file.forget()
            taken = b"".join(self._fetched(at, min(at + _STEP, end)) for at in range(start, end, _STEP))
            self.file.forget()
            return taken
        return self._fetched(start, end)

    def _fetched(self, start: int, end: int) -> bytes:
        if end - start > _KEPT:
            self.file.forget()
        remote_file.fetch(self.transport, [(self.file, self.file.lacks(start, end))])
        try:
            return self.file.bytes_at(start, end)
        except LookupError as error:
            raise ApkError("apk.cannot_open") from error


def vet_installed(transport: Transport, package: str, known: Known) -> Vetting:
    """The document on an app of the phone's owner.

    Raises:
        UsageError: this is no name of a package.
        PhoneError: the phone has no such app, or the connection ended.
    """
    if not is_package_name(package):
        raise UsageError("errors.app_missing", app=package)
    answers = {answer.key: answer for answer in ask_more(transport, ["installed.0", f"package.{package}"])}
    listed = package_checks.parse_list(answers["installed.0"].text)[0] if "installed.0" in answers else {}
    if package not in listed:
        raise PhoneError("errors.app_missing", app=package)
    path = listed[package].path or ""
    stamp = FileStamp(path=path or package, kind="installed", size=None, modified_ns=None, sha256=None)
    if not is_apk_path(path):
        return unread(stamp, known, problem("apk.path_unusual"))
    paths = [path, *_splits(path, answers[f"package.{package}"].text if f"package.{package}" in answers else "")]
    sizes = remote_file.sizes(transport, paths)
    if path not in sizes:
        return unread(stamp, known, problem("apk.cannot_open"))
    digest = remote_file.hashes(transport, [path]).get(path)
    stamp = FileStamp(path=path, kind="installed", size=sizes[path], modified_ns=None, sha256=digest)
    files = {one: PhoneFile(transport, RangeFile(one, size)) for one, size in sizes.items()}
    try:
        taken = Pieces("installed", _base(files.pop(path), package))
        if digest is None:
            taken.gaps.append(Gap(part="file", why=problem("apk.no_hash")))
        for other in paths[1:]:
            _add(taken, other, files)
        return told(taken, known, stamp, digest)
    except ApkError as error:
        return unread(stamp, known, error.message)


def _base(file: PhoneFile, package: str) -> Piece:
    base = piece("", file)
    if base.manifest.package != package:
        raise ApkError("apk.package_differs", said=base.manifest.package, known=package)
    return base


def _add(taken: Pieces, path: str, files: dict[str, PhoneFile]) -> None:
    name = path.rpartition("/")[2]
    if path not in files:
        taken.gaps.append(Gap(part=name, why=problem("apk.cannot_open")))
        return
    try:
        taken.splits.append(piece(name, files[path]))
    except ApkError as error:
        taken.gaps.append(Gap(part=name, why=error.message))


def _splits(path: str, dump: str) -> list[str]:
    """Where the splits of an app lie: beside its base (``PackageInstallerSession``: ``split_NAME.apk``)."""
    found = _SPLITS.search(dump)
    names = found[1].split(", ")[1:] if found else []
    beside = [f"{path.rpartition('/')[0]}/split_{name}.apk" for name in names[:MOST_PIECES]]
    return [one for one in beside if is_apk_path(one)]
