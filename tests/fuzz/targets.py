"""The fuzz targets: every parser and reader of untrusted input, each as a function of bytes.

A target returns, or raises one of `EXPECTED_ERRORS`; any other exception is a find. `tests.fuzz.seeds` has valid inputs
to start from, ``run.py`` fuzzes, ``test_replay.py`` replays what fuzzing kept and found.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from privaudit import audit
from privaudit.apk import dex as apk_dex
from privaudit.apk import info, parts
from privaudit.apk.manifest import parse_manifest
from privaudit.apk.parts import ARSC, SIGNING_BLOCK, ApkError, ApkPart
from privaudit.apk.signing import parse_signing_info
from privaudit.capture import answers, archive, collector, command_log, read_source, text_folder
from privaudit.documents import evidence_folder, letters
from privaudit.documents.render import render_document
from privaudit.dumpsys import appops, device, package_checks
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.errors import PhoneError, PrivauditError
from privaudit.facts.package_dumps import _KEPT_PERMISSIONS
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.knowledge import csv_format, minisign, rights, signatures, stix, update
from privaudit.knowledge.loader import Problems
from privaudit.model import Command
from privaudit.report import csv, diff, html, revocation_text, txt
from privaudit.report import json as report_json
from privaudit.report.share import anonymize_report
from privaudit.revocation import ledger
from privaudit.transport import adb_server as server
from privaudit.transport import shell_protocol
from privaudit.transport.adb_device import _authenticate
from privaudit.transport.stream import DeviceStream, TcpStream
from privaudit.vetting import bundle, evaluate
from privaudit.vetting.bundle import FileRange
from privaudit.workshop import storage
from tests.fuzz import seeds

EXPECTED_ERRORS: Final = (PrivauditError, ApkError, minisign.MinisignError)
"""What a reader may raise: each of these is worded for a person."""
ENGLISH: Final = Translator("en")
MARKER: Final = "0" * 32
CLASS_PREFIXES: Final = ("com.example.loan", "ai.advance", "com.appsflyer")
LIST_SOURCE: Final = {"publisher": "P", "title": "T"}


# --- Dumps and answers ------------------------------------------------------------------------------------------------


def trimmed(apk):
    """`apk` with a resource table that holds only what its labels need, as a capture keeps it."""
    return info.trim_and_read_apk(apk, (), None)[0]


def dumpsys_package(data: bytes) -> None:
    """Parse ``dumpsys package``, as the dump of all apps and as the answer about one."""
    text = answers.decode_output(data)[0]
    package_checks.parse_and_check_dump(text, {0: {}}, kept_permissions=_KEPT_PERMISSIONS)
    package_checks.parse_and_check_dump(text, requested_package="com.example.loan")
    parse_package_list(text)


def dumpsys_appops(data: bytes) -> None:
    """Parse ``dumpsys appops``."""
    appops.parse_appops(answers.decode_output(data)[0])


def phone_answers(data: bytes) -> None:
    """Replace one answer of a capture, chosen by the first byte, and build and print the report."""
    if not data:
        return
    keys = seeds.answer_keys()
    answer = answers.classify_answer(keys[data[0] % len(keys)], data[1:], exit_code=0, complete=True)
    capture = seeds.capture_without_apks().with_answers([answer])
    options = audit.ReportOptions(include_all_apps=True, include_unrecognised=True)
    report = audit.build_report(capture, seeds.demo_knowledge(), options)
    txt.render(report, ENGLISH)
    device.parse_users(capture.answer("users").text, report.phone.sdk)


def script_output(data: bytes) -> None:
    """Split the output of a script of questions (``@@`` stands for our marker), and find the device hash in it."""
    for answer in collector.split_answers(data.replace(b"@@", MARKER.encode()), MARKER):
        assert text_folder.parse_answer_file_name(text_folder.answer_file_name(answer.key)) == answer.key
    collector._DIGEST_LINE.search(data)


# --- Transport --------------------------------------------------------------------------------------------------------


class _ReplayedDevice(DeviceStream):
    """A phone that sends given bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = io.BytesIO(data)

    def connect(self, transport_timeout_s: float) -> None:
        pass

    def close(self) -> None:
        pass

    def _receive(self, size: int, timeout_s: float) -> bytes:
        data = self._data.read(size)
        if not data:
            raise PhoneError("errors.lost")
        return data

    def _send(self, data: bytes, timeout_s: float) -> None:
        pass


class _ReplayedServer(TcpStream):
    """An ADB server that sends `data` on every connection."""

    data = b""

    def connect(self, transport_timeout_s: float) -> None:
        self._rest = io.BytesIO(self.data)

    def close(self) -> None:
        pass

    def _receive(self, size: int, timeout_s: float) -> bytes:
        data = self._rest.read(size)
        if not data:
            self.reached_eof = True
            raise PhoneError("errors.lost")
        return data

    def _send(self, data: bytes, timeout_s: float) -> None:
        pass


class _FakeKey:
    fingerprint = "AB:CD"

    def Sign(self, data: bytes) -> bytes:  # noqa: N802 - adb-shell's name
        return bytes(256)

    def GetPublicKey(self) -> bytes:  # noqa: N802
        return b"key"


def _command() -> Command:
    return Command(text="id", why="fuzzing")


def adb_messages(data: bytes) -> None:
    """Read ADB messages of a phone, from its banner to the replies to two commands."""
    connection = _authenticate(_ReplayedDevice(data), "tcp", _FakeKey(), lambda _: None, 1.0)  # type: ignore[arg-type]
    for limit in (100, 10_000):
        reply = connection.run(_command(), timeout_s=5, limit=limit)
        assert len(reply.stdout) + len(reply.stderr) <= limit


def adb_server(data: bytes) -> None:
    """Read replies of an ADB server: its list of devices, the features of one, the reply to a command."""
    _ReplayedServer.data = data
    server.TcpStream = _ReplayedServer  # type: ignore[misc]
    try:
        server.is_running()
        for listed in server.list_devices():
            sanitize_text(listed.name or "")
        phone = server.ServerDevice(
            serial="1", name=None, obstacle=None, state=server.PhoneState.READY, usb_path=None, transport_id=None
        )
        server.ServerConnection(phone, frozenset({"shell_v2"})).run(_command(), timeout_s=5, limit=1000)
    finally:
        server.TcpStream = TcpStream  # type: ignore[misc]


def shell_frames(data: bytes) -> None:
    """Decode ``shell,v2`` frames, the text of an old terminal, and raw bytes, in chunks sized by the first byte."""
    if not data:
        return
    size, rest = data[0] % 64 + 1, data[1:]
    for protocol in (shell_protocol.ShellV2, shell_protocol.LegacyShell, shell_protocol.ExecOut):
        shell = protocol()
        shell.encode_service("id")
        try:
            chunks = (rest[offset : offset + size] for offset in range(0, len(rest), size))
            shell_protocol.read_reply(shell, chunks, 1000)
        except PrivauditError:
            assert protocol is not shell_protocol.ShellV2 or len(shell.reply().stdout) < 1000 + 64
        assert len(shell.reply().stdout) <= 1000 + 64 + len(rest) * (protocol is shell_protocol.LegacyShell)


# --- APKs -------------------------------------------------------------------------------------------------------------


def axml(data: bytes) -> None:
    """Parse a binary manifest."""
    parse_manifest(data)


def arsc(data: bytes) -> None:
    """Read app names from a resource table."""
    apk = replace(seeds.apk_parts(), parts={**seeds.apk_parts().parts, ARSC: ApkPart.from_bytes(data)})
    info.read_installed_apk(apk, ("zh-CN", "en"), 34)
    info.read_installed_apk(trimmed(apk), ("zh-CN",), 34)


def signing_block(data: bytes) -> None:
    """Parse an APK signing block, and the same bytes as a JAR signature."""
    for name in (SIGNING_BLOCK, "META-INF/CERT.RSA"):
        with contextlib.suppress(ApkError):
            parse_signing_info({name: ApkPart.from_bytes(data)}).active_signers(34)


def dex(data: bytes) -> None:
    """Find class names in a dex file."""
    for _ in apk_dex.find_class_prefixes(data, CLASS_PREFIXES, "classes.dex"):
        pass


def apk_file(data: bytes) -> None:
    """Read a whole APK, or a bundle of APKs, as ``privaudit apk`` does."""
    with bundle.open_bundle(FileRange(io.BytesIO(data), 0, len(data)), "some.xapk") as app_bundle:
        evaluate.read_app_bundle(app_bundle, CLASS_PREFIXES)


# --- Saved files ------------------------------------------------------------------------------------------------------


def capture_parts(data: bytes) -> None:
    """Load a capture's manifest, its command log, or its parts of an APK, as the first byte says."""
    if not data:
        return
    kind, rest = data[0] % 3, data[1:]
    with contextlib.suppress(ValueError):
        if kind == 0:
            archive.find_misnamed(archive.load_manifest(rest))
        elif kind == 1:
            command_log.load_command_log(rest)
        else:
            info.read_installed_apk(parts.load_apk_parts("com.example.t", rest), ("en",), 34)


def saved_zip(data: bytes) -> None:
    """Audit a zip file: a capture, a bug report, or an AndroidQF acquisition."""
    _audit_file(data, "some.zip")


def bugreport(data: bytes) -> None:
    """Audit the text of a bug report."""
    _audit_file(data, "bugreport.txt")


def _audit_file(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        audit.build_report(read_source(path), seeds.demo_knowledge(), audit.ReportOptions())


_SAVED_FILES: Final = (
    "packages.json",
    "getprop.txt",
    "dumpsys.txt",
    "settings_secure.txt",
    "users.txt",
    "command.log",
    "acquisition.json",
    "dumpsys_package.txt",
    "dumpsys_appops.txt",
    "pm_list_packages.txt",
    "pm_list_users.txt",
)


def saved_folder(data: bytes) -> None:
    """Audit a folder of AndroidQF or of plain text files; the first byte chooses the file."""
    if not data:
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / _SAVED_FILES[data[0] % len(_SAVED_FILES)]).write_bytes(data[1:])
        if data[0] & 128:
            (Path(folder) / "acquisition.json").touch()
        audit.build_report(read_source(Path(folder)), seeds.demo_knowledge(), audit.ReportOptions())


def report_document(data: bytes) -> None:
    """Load a saved report and render it in every format."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        path.write_bytes(data)
        report = report_json.read_report(path)
    for module in (txt, html, csv, report_json):
        module.render(report, ENGLISH)
    revocation_text.render_steps(report, ENGLISH, frozenset())
    anonymize_report(report)
    diff.diff_to_text(diff.compare_reports(report, report), ENGLISH)
    for app in report.apps[:1]:
        for kind in letters.LetterKind:
            render_document(letters.draft_letter(report, app.package, kind, rights.load_rights("IN")), "md")


def ledgers_and_totals(data: bytes) -> None:
    """Load a ledger, the totals of a workshop, or an evidence folder's list of hashes, as the first byte says."""
    if not data:
        return
    kind, rest = data[0] % 3, data[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / evidence_folder.HASH_LIST_FILE
        path.parent.mkdir()
        path.write_bytes(rest)
        if kind == 0:
            ledger.read_ledger(path)
        elif kind == 1:
            storage.load_stored(path, storage.WorkshopTotals)
        else:
            evidence_folder.verify_evidence_folder(Path(folder))


# --- Lists ------------------------------------------------------------------------------------------------------------


def signature_list(data: bytes) -> None:
    """Read a list in TOML."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.toml"
        path.write_bytes(data)
        problems = Problems()
        for _ in signatures.read_user_lists(path, problems):
            pass
        _word(problems)


def csv_table(data: bytes) -> None:
    """Read a list in CSV."""
    problems = Problems()
    csv_format.parse_csv(data, "table.csv", problems, LIST_SOURCE)
    _word(problems)


def stix_bundle(data: bytes) -> None:
    """Read a list in STIX."""
    problems = Problems()
    stix.parse_stix(data, "bundle.json", problems, LIST_SOURCE)
    _word(problems)


def _word(problems: Problems) -> None:
    for problem in problems:
        ENGLISH.translate(problem)


def list_release(data: bytes) -> None:
    """Read a release of the lists: its zip, a public key, or a signature, as the first byte says."""
    if not data:
        return
    kind, rest = data[0] % 3, data[1:]
    if kind == 0:
        update.unpack_release(rest, "edition.zip")
    elif kind == 1:
        minisign.parse_public_key(rest.decode("utf-8", "replace"))
    else:
        minisign.verify_signature(b"data", rest.decode("utf-8", "replace"), ())


def hostile_text(data: bytes) -> None:
    """Sanitize a text; UTF-16 if it begins with a zero byte, to reach lone surrogates."""
    try:
        text = data.decode("utf-16-le" if data[:1] == b"\0" else "utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return
    sanitized = sanitize_text(text)
    assert len(sanitized) <= 120
    forbidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not [char for char in sanitized if unicodedata.category(char) in forbidden and char not in "\u200c\u200d"]


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    target.__name__: target
    for target in (
        dumpsys_package,
        dumpsys_appops,
        phone_answers,
        script_output,
        adb_messages,
        adb_server,
        shell_frames,
        axml,
        arsc,
        signing_block,
        dex,
        apk_file,
        capture_parts,
        saved_zip,
        bugreport,
        saved_folder,
        report_document,
        ledgers_and_totals,
        signature_list,
        csv_table,
        stix_bundle,
        list_release,
        hostile_text,
    )
}
