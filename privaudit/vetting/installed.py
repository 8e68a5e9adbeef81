"""Vet an app that is installed on a phone: its APKs are read like files, in parts, over the connection.

This fetches some megabytes of code; the phone itself computes the SHA-256 of the whole APK.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from privaudit.apk.parts import ApkError, apk_message
from privaudit.capture import remote_file
from privaudit.capture.collector import collect_answers
from privaudit.capture.questions import is_package_name
from privaudit.capture.remote_file import RemoteFile
from privaudit.capture.scripts import is_apk_path
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.errors import PhoneError, UsageError
from privaudit.transport.base import Transport
from privaudit.vetting import VettingContext, failed_document, vet_bundle
from privaudit.vetting.bundle import MAX_BUNDLE_APKS, AppBundle, BundleApk, open_apk
from privaudit.vetting.document import FileInfo, Gap, VettingReport

_SPLITS_LINE: Final = re.compile(r"^ +splits=\[([A-Za-z0-9_., -]*)\]$", re.MULTILINE | re.ASCII)
_MAX_CACHED_BYTES: Final = 1 << 20
"""A longer range than this is fetched once and not kept in memory."""


@dataclass(frozen=True, slots=True)
class PhoneFile:
    """A file on a phone, fetched range by range (`privaudit.capture.apk_plan.RangeReadable`)."""

    transport: Transport
    remote_file: RemoteFile

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.remote_file.size

    def bytes_at(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end`, clipped to the file; raises `ApkError` or `ConnectionLost`."""
        start, end = max(0, start), min(end, self.remote_file.size)
        if end - start <= _MAX_CACHED_BYTES:
            return self._fetch(start, end)
        self.remote_file.evict()
        offsets = range(start, end, remote_file.MAX_ROUND_BYTES)
        data = b"".join(self._fetch(offset, min(offset + offsets.step, end)) for offset in offsets)
        self.remote_file.evict()
        return data

    def _fetch(self, start: int, end: int) -> bytes:
        if end - start > _MAX_CACHED_BYTES:
            self.remote_file.evict()
        remote_file.fetch_blocks(self.transport, [(self.remote_file, self.remote_file.missing_blocks((start, end)))])
        try:
            return self.remote_file.bytes_at(start, end)
        except LookupError as error:
            raise ApkError("apk.cannot_open") from error


def vet_installed(transport: Transport, package: str, context: VettingContext) -> VettingReport:
    """Vet an app of the phone's owner (Android user 0).

    Raises `UsageError` if `package` is no package name, `PhoneError` if the phone lacks it or the connection ended.
    """
    if not is_package_name(package):
        raise UsageError("errors.app_missing", app=package)
    answers = {answer.key: answer.text for answer in collect_answers(transport, ["installed.0", f"package.{package}"])}
    installed_packages, _ = parse_package_list(answers.get("installed.0", ""))
    if package not in installed_packages:
        raise PhoneError("errors.app_missing", app=package)
    base_path = installed_packages[package].apk_path or ""
    file_info = FileInfo(path=base_path or package, kind="installed", size=None, modified_ns=None, sha256=None)
    if not is_apk_path(base_path):
        return failed_document(file_info, context, apk_message("apk.path_unusual"))
    split_paths = _split_paths(base_path, answers.get(f"package.{package}", ""))
    sizes = remote_file.fetch_file_sizes(transport, [base_path, *split_paths])
    if base_path not in sizes:
        return failed_document(file_info, context, apk_message("apk.cannot_open"))
    sha256 = remote_file.fetch_file_hashes(transport, [base_path]).get(base_path)
    file_info = replace(file_info, size=sizes[base_path], sha256=sha256)
    files = {path: PhoneFile(transport, RemoteFile(path, size)) for path, size in sizes.items()}
    try:
        app_bundle = AppBundle("installed", _open_base(files[base_path], package))
        if sha256 is None:
            app_bundle.gaps.append(Gap(part="file", why=apk_message("apk.no_hash")))
        for path in split_paths:
            _add_split(app_bundle, path, files.get(path))
        return vet_bundle(app_bundle, context, file_info, sha256)
    except ApkError as error:
        return failed_document(file_info, context, error.message)


def _open_base(file: PhoneFile, package: str) -> BundleApk:
    base = open_apk("", file)
    if base.manifest.package != package:
        raise ApkError("apk.package_differs", said=base.manifest.package, known=package)
    return base


def _add_split(app_bundle: AppBundle, path: str, file: PhoneFile | None) -> None:
    name = path.rpartition("/")[2]
    if file is None:
        app_bundle.gaps.append(Gap(part=name, why=apk_message("apk.cannot_open")))
        return
    try:
        app_bundle.splits.append(open_apk(name, file))
    except ApkError as error:
        app_bundle.gaps.append(Gap(part=name, why=error.message))


def _split_paths(base_path: str, package_dump: str) -> list[str]:
    """Return the paths of an app's splits, in its base's folder (``PackageInstallerSession``: ``split_NAME.apk``)."""
    match = _SPLITS_LINE.search(package_dump)
    names = match[1].split(", ")[1:] if match else []
    folder = base_path.rpartition("/")[0]
    paths = [f"{folder}/split_{name}.apk" for name in names[:MAX_BUNDLE_APKS]]
    return [path for path in paths if is_apk_path(path)]
