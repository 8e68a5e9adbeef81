"""What is fuzzed: every parser and reader of what others wrote, each as a function of bytes.

A target returns, or raises what it says it raises (`EXPECTED`); everything else is a find. `SEEDS` gives each something
sound to begin with, made by our own renderers and builders. See ``run.py``; ``test_replay.py`` replays what was found.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from privaudit import audit, knowledge
from privaudit import capture as sources
from privaudit.apk import dex as apk_dex
from privaudit.apk import info, parts
from privaudit.apk import manifest as apk_manifest
from privaudit.apk import signing as apk_certificates
from privaudit.apk.parts import ARSC, MANIFEST, SIGNING_BLOCK, ApkError, ApkPart, ApkParts
from privaudit.capture import answers, archive, collector, command_log, text_folder
from privaudit.documents import evidence_folder, letters
from privaudit.documents.render import render_document
from privaudit.dumpsys import appops, device, package_checks
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.errors import PrivauditError
from privaudit.facts.package_dumps import _KEPT_PERMISSIONS
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.knowledge import csv_format, minisign, rights, stix, update
from privaudit.knowledge import signatures as lists
from privaudit.knowledge.loader import Problems
from privaudit.model import Command, Report
from privaudit.report import csv, diff, html, revocation_text, txt
from privaudit.report import diff_text as compared
from privaudit.report import json as report_json
from privaudit.report.share import anonymize_report
from privaudit.revocation import ledger
from privaudit.transport import adb_device, shell_protocol
from privaudit.transport import adb_server as server
from privaudit.transport import adb_server as server_line
from privaudit.transport.adb_device import _authenticate
from privaudit.transport.stream import DeviceStream, TcpStream
from privaudit.vetting import bundle as pieces
from privaudit.vetting import evaluate
from privaudit.vetting.local_file import FileRange
from privaudit.virtual_phone import apks as demo_apks
from privaudit.virtual_phone import load_scenario, start_adbd
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.programs import build_programs
from privaudit.workshop import storage

EXPECTED: Final = (PrivauditError, ApkError, minisign.MinisignError)
"""What a reader may raise: each has words for a person."""
ENGLISH: Final = Translator("en")
MARKER: Final = "0" * 32
STORY: Final = "android16"
"""The smallest."""
PREFIXES: Final = ("com.example.loan", "ai.advance", "com.appsflyer")


# --- something sound to begin with ------------------------------------------------------------------------------------


@cache
def base(story: str = STORY) -> sources.Capture:
    """A whole capture of a demo phone."""
    told = load_scenario(story)
    with tempfile.TemporaryDirectory() as place:
        keys = KeyPolicy(required=False)
        with (
            start_adbd(told, programs_by_name=build_programs(told), key_policy=keys) as phone,
            adb_device.connect_tcp(phone.host, phone.port, on_waiting=lambda _: None, key_folder=Path(place)) as line,
        ):
            return audit.collect(line, _knowledge(), demo=True)


@cache
def _knowledge() -> knowledge.Knowledge:
    return knowledge.load_knowledge(demo=True)


@cache
def _small() -> sources.Capture:
    """Without names, which take most of the time."""
    return replace(base(), apks={})


@cache
def report() -> Report:
    """The report on it."""
    return audit.build_report(base(), _knowledge(), audit.ReportOptions(include_all_apps=True))


@cache
def _keys() -> tuple[str, ...]:
    return (*sorted(base().answers), "package.com.example.loan")


def _texts(question: str) -> Iterator[bytes]:
    for story in ("android16", "android6", "emui5"):
        for one in base(story).answers_to(question):
            yield one.text.encode()


@cache
def _apk_files() -> tuple[bytes, ...]:
    return tuple(sorted(demo_apks.load_apks().values(), key=len)[:6])


@cache
def _parts() -> ApkParts:
    """An APK of the demo phone with everything that is read of one."""
    taken = max(base().apks.values(), key=lambda one: len(one.parts))
    assert {MANIFEST, ARSC} <= taken.parts.keys()
    return taken


def _saved(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "saved.zip"
        write(path)
        return path.read_bytes()


# --- dumps and answers ------------------------------------------------------------------------------------------------


def dump_packages(data: bytes) -> None:
    """``dumpsys package``, as a whole and as the answer about one app."""
    text = answers.decode_output(data)[0]
    package_checks.parse_and_check_dump(text, {0: {}}, kept_permissions=_KEPT_PERMISSIONS)
    package_checks.parse_and_check_dump(text, requested_package="com.example.loan")
    parse_package_list(text)


def dump_appops(data: bytes) -> None:
    """``dumpsys appops``."""
    appops.parse_appops(answers.decode_output(data)[0])


def phone_answers(data: bytes) -> None:
    """Any answer in the place of any other, through facts and findings to the finished report."""
    if not data:
        return
    key = _keys()[data[0] % len(_keys())]
    changed = _small().with_answers([answers.classify_answer(key, data[1:], exit_code=0, complete=True)])
    made = audit.build_report(
        changed, _knowledge(), audit.ReportOptions(include_all_apps=True, include_unrecognised=True)
    )
    txt.render(made, ENGLISH)
    device.parse_users(changed.answer("users").text, made.phone.sdk)


def script_output(data: bytes) -> None:
    """What comes out of a script of questions, with our own marker in it; and who the phone is."""
    for one in collector.split_answers(data.replace(b"@@", MARKER.encode()), MARKER):
        assert text_folder.parse_answer_file_name(text_folder.answer_file_name(one.key)) == one.key
    collector._DIGEST_LINE.search(data)


# --- the wire ---------------------------------------------------------------------------------------------------------


class Canned(DeviceStream):
    """Bytes of a phone that were recorded, or made up."""

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
            raise adb_device.PhoneError("errors.lost")
        return data

    def _send(self, data: bytes, timeout_s: float) -> None:
        pass


class _Signer:
    fingerprint = "AB:CD"

    def Sign(self, data: bytes) -> bytes:  # noqa: N802 - adb-shell's name
        return bytes(256)

    def GetPublicKey(self) -> bytes:  # noqa: N802
        return b"key"


def _command() -> Command:
    return Command(text="id", why="fuzzing")


def adb_wire(data: bytes) -> None:
    """ADB messages of a phone, from its greeting to the answers of two commands."""
    line = _authenticate(Canned(data), "tcp", _Signer(), lambda _: None, 1.0)  # type: ignore[arg-type]
    for limit in (100, 10_000):
        reply = line.run(_command(), timeout_s=5, limit=limit)
        assert len(reply.stdout) + len(reply.stderr) <= limit


class _CannedServer(TcpStream):
    data = b""

    def connect(self, transport_timeout_s: float) -> None:
        self._rest = io.BytesIO(self.data)

    def close(self) -> None:
        pass

    def _receive(self, size: int, timeout_s: float) -> bytes:
        data = self._rest.read(size)
        if not data:
            self.reached_eof = True
            raise adb_device.PhoneError("errors.lost")
        return data

    def _send(self, data: bytes, timeout_s: float) -> None:
        pass


def adb_server(data: bytes) -> None:
    """What an ADB server says: its list of phones, the features of one, and the answer of a command."""
    _CannedServer.data = data
    server_line.TcpStream = server.TcpStream = _CannedServer  # type: ignore[misc]
    try:
        server.is_running()
        for found in server.list_devices():
            sanitize_text(found.name or "")
        phone = server.ServerDevice(
            serial="1", name=None, obstacle=None, state=server.PhoneState.READY, usb_path=None, transport_id=None
        )
        server.ServerConnection(phone, frozenset({"shell_v2"})).run(_command(), timeout_s=5, limit=1000)
    finally:
        server_line.TcpStream = server.TcpStream = TcpStream  # type: ignore[misc]


def shell_frames(data: bytes) -> None:
    """``shell,v2`` frames, an old terminal's text and raw bytes, in pieces of any size."""
    if not data:
        return
    step, rest = data[0] % 64 + 1, data[1:]
    for kind in (shell_protocol.ShellV2, shell_protocol.LegacyShell, shell_protocol.ExecOut):
        one = kind()
        one.encode_service("id")
        try:
            shell_protocol.read_reply(one, (rest[at : at + step] for at in range(0, len(rest), step)), 1000)
        except PrivauditError:
            assert kind is not shell_protocol.ShellV2 or len(one.reply().stdout) < 1000 + 64
        assert len(one.reply().stdout) <= 1000 + 64 + len(rest) * (kind is shell_protocol.LegacyShell)


# --- APKs -------------------------------------------------------------------------------------------------------------


def axml(data: bytes) -> None:
    """A manifest."""
    apk_manifest.parse_manifest(data)


def arsc(data: bytes) -> None:
    """A resource table, where names stand."""
    one = replace(_parts(), parts={**_parts().parts, ARSC: ApkPart.from_bytes(data)})
    info.read_installed_apk(one, ("zh-CN", "en"), 34)
    info.read_installed_apk(info.trim_resources(one), ("zh-CN",), 34)


def signing(data: bytes) -> None:
    """A signing block, and an old signature file."""
    for name in (SIGNING_BLOCK, "META-INF/CERT.RSA"):
        with contextlib.suppress(ApkError):
            apk_certificates.parse_signing_info({name: ApkPart.from_bytes(data)}).active_signers(34)


def dex(data: bytes) -> None:
    """Code, where class names are looked for."""
    for _ in apk_dex.find_class_prefixes(data, PREFIXES, "classes.dex"):
        pass


def apk_file(data: bytes) -> None:
    """A whole APK, or a bundle of APKs, as `privaudit apk` takes it apart."""
    with pieces.open_bundle(FileRange(io.BytesIO(data), 0, len(data)), "some.xapk") as taken:
        evaluate.read_app_bundle(taken, PREFIXES)


# --- saved files ------------------------------------------------------------------------------------------------------


def saved_parts(data: bytes) -> None:
    """What a capture keeps beside answers: its manifest, its log, parts of APKs."""
    if not data:
        return
    kind, rest = data[0] % 3, data[1:]
    try:
        if kind == 0:
            archive.find_misnamed(archive.load_manifest(rest))
        elif kind == 1:
            command_log.load_command_log(rest)
        else:
            info.read_installed_apk(parts.load_apk_parts("com.example.t", rest), ("en",), 34)
    except ValueError:
        pass


def _file(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        path.write_bytes(data)
        taken = sources.read_source(path)
        audit.build_report(taken, _knowledge(), audit.ReportOptions())


def saved_zip(data: bytes) -> None:
    """A zip: a capture, a bug report, or what AndroidQF collected."""
    _file(data, "some.zip")


def bugreport(data: bytes) -> None:
    """The text of a bug report."""
    _file(data, "bugreport.txt")


_QF: Final = (
    "packages.json",
    "getprop.txt",
    "dumpsys.txt",
    "settings_secure.txt",
    "users.txt",
    "command.log",
    "acquisition.json",
)


def collected(data: bytes) -> None:
    """A folder of AndroidQF, or of plain text files; the first byte says which file."""
    if not data:
        return
    names = (*_QF, "dumpsys_package.txt", "dumpsys_appops.txt", "pm_list_packages.txt", "pm_list_users.txt")
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / names[data[0] % len(names)]).write_bytes(data[1:])
        if data[0] & 128:
            (Path(place) / "acquisition.json").touch()
        audit.build_report(sources.read_source(Path(place)), _knowledge(), audit.ReportOptions())


def report_document(data: bytes) -> None:
    """A saved report, rendered again in every format."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "report.json"
        path.write_bytes(data)
        made = report_json.read_report(path)
    for module in (txt, html, csv, report_json):
        module.render(made, ENGLISH)
    revocation_text.render_steps(made, ENGLISH, frozenset())
    anonymize_report(made)
    compared.diff_to_text(diff.compare_reports(made, made), ENGLISH)
    for app in made.apps[:1]:
        for kind in letters.LetterKind:
            render_document(letters.draft_letter(made, app.package, kind, rights.load_rights("IN")), "md")


def books_and_ledgers(data: bytes) -> None:
    """A ledger, a workshop's book, a folder of kept material."""
    if not data:
        return
    kind, rest = data[0] % 3, data[1:]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / evidence_folder.HASH_LIST_FILE
        path.parent.mkdir()
        path.write_bytes(rest)
        if kind == 0:
            ledger.read_ledger(path)
        elif kind == 1:
            storage.load_stored(path, storage.WorkshopTotals)
        else:
            evidence_folder.verify_evidence_folder(Path(place))


# --- lists ------------------------------------------------------------------------------------------------------------


def signatures(data: bytes) -> None:
    """A list as TOML."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "own.toml"
        path.write_bytes(data)
        mistakes = Problems()
        for _ in lists.read_user_lists(path, mistakes):
            pass
        for one in mistakes:
            ENGLISH.translate(one)


_DEFAULTS: Final = {"publisher": "P", "title": "T"}


def table(data: bytes) -> None:
    """A list as a table."""
    mistakes = Problems()
    csv_format.parse_csv(data, "table.csv", mistakes, _DEFAULTS)
    for one in mistakes:
        ENGLISH.translate(one)


def stix_bundle(data: bytes) -> None:
    """A list as STIX."""
    mistakes = Problems()
    stix.parse_stix(data, "bundle.json", mistakes, _DEFAULTS)
    for one in mistakes:
        ENGLISH.translate(one)


def edition(data: bytes) -> None:
    """A newer edition of the lists: its zip, its signature, a key."""
    if not data:
        return
    kind, rest = data[0] % 3, data[1:]
    if kind == 0:
        update.unpack_release(rest, "edition.zip")
    elif kind == 1:
        minisign.parse_public_key(rest.decode("utf-8", "replace"))
    else:
        minisign.verify_signature(b"data", rest.decode("utf-8", "replace"), ())


def words(data: bytes) -> None:
    """Text from phones, made harmless."""
    try:
        text = data.decode("utf-16-le" if data[:1] == b"\0" else "utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return
    said = sanitize_text(text)
    assert len(said) <= 120
    wrong = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not [char for char in said if unicodedata.category(char) in wrong and char not in "\u200c\u200d"]


# --- seeds ------------------------------------------------------------------------------------------------------------


def _messages() -> Iterator[bytes]:
    def message(kind: bytes, arg0: int, arg1: int, data: bytes = b"") -> bytes:
        number = int.from_bytes(kind, "little")
        return struct.pack("<6I", number, arg0, arg1, len(data), sum(data), number ^ 0xFFFFFFFF) + data

    hello = message(b"CNXN", 0x01000001, 1 << 20, b"device::features=shell_v2,cmd\0")
    said = message(b"WRTE", 9, 1, b"\1\3\0\0\0out\3\1\0\0\0\0") + message(b"CLSE", 9, 1)
    yield hello + message(b"OKAY", 9, 1) + said
    yield message(b"AUTH", 1, 0, bytes(20)) * 2 + hello + message(b"OKAY", 9, 1) + said
    yield message(b"CNXN", 0x01000000, 4096, b"device::") + message(b"OKAY", 1, 1) + message(b"WRTE", 1, 1, b"x\r\n")
    yield hello + message(b"CLSE", 0, 1) + message(b"OKAY", 9, 2) + said


def _servers() -> Iterator[bytes]:
    phones = b"R58M1234       device usb:1-1 product:x model:Demo_phone device:x transport_id:1\n"
    yield b"OKAY" + b"%04x" % len(phones) + phones
    yield b"FAIL0010device not found"
    yield b"OKAYOKAY\1\3\0\0\0out\3\1\0\0\0\0"


def _stix() -> bytes:
    kinds = ("app:id = 'com.example.loan'", "file:hashes.'SHA-256' = '" + "a" * 64 + "'")
    indicators = [
        {"type": "indicator", "id": f"indicator--{n}", "pattern": f"[{p}]", "pattern_type": "stix", "name": "x"}
        for n, p in enumerate(kinds)
    ]
    malware = {"type": "malware", "id": "malware--1", "name": "SpyLoan"}
    relation = {"type": "relationship", "source_ref": "indicator--0", "target_ref": "malware--1"}
    return json.dumps({"type": "bundle", "objects": [*indicators, malware, relation]}).encode()


def _numbered(number: int, *texts: bytes) -> Iterator[bytes]:
    yield from (bytes([number]) + text for text in texts)


def _toml() -> Iterator[bytes]:
    folder = knowledge.files.shipped_folder()
    for name in ("risky", "lenders"):
        for file in sorted((folder / name).iterdir(), key=lambda one: one.name)[:2]:
            yield file.read_bytes()[:4000]


def _seeds() -> dict[str, Callable[[], Iterator[bytes]]]:
    part = _parts
    return {
        "dump_packages": lambda: iter([*_texts("packages"), *_texts("package")]),
        "dump_appops": lambda: _texts("appops"),
        "phone_answers": lambda: (bytes([n]) + base().answer(key).text.encode() for n, key in enumerate(_keys())),
        "script_output": lambda: iter([b"@@ begin users\nUserInfo\n@@ end users 0\n", b"\n@@ begin date\n1"]),
        "adb_wire": _messages,
        "adb_server": _servers,
        "shell_frames": lambda: iter([b"\5\1\3\0\0\0out\2\3\0\0\0err\3\1\0\0\0\7", b"\1text\r\n"]),
        "axml": lambda: iter([part().parts[MANIFEST].to_bytes()]),
        "arsc": lambda: iter([part().parts[ARSC].to_bytes()[:60000]]),
        "signing": lambda: (one.to_bytes() for name, one in part().parts.items() if name not in {MANIFEST, ARSC}),
        "dex": lambda: iter([b"dex\n035\0" + bytes(104)]),
        "apk_file": lambda: iter(_apk_files()),
        "saved_parts": lambda: iter([b"\2" + parts.dump_apk_parts(part()), b"\1" + command_log.dump_command_log(base().log)]),
        "saved_zip": lambda: iter([_saved(lambda path: archive.write_archive(base(), path))]),
        "bugreport": lambda: iter(_bugreports()),
        "collected": lambda: iter([b"\0[]", *(bytes([7]) + text[:20000] for text in _texts("packages"))]),
        "report_document": lambda: iter([report_json.render(report()).encode(), report_json.to_json_line(report()).encode()]),
        "books_and_ledgers": lambda: iter([b'\0{"schema": "privaudit-ledger/1"}', b'\1{"demo": true, "sessions": {}}']),
        "signatures": _toml,
        "table": lambda: iter([csv_format.csv_template(chinese=False).encode(), csv_format.csv_template(chinese=True).encode()]),
        "stix_bundle": lambda: iter([_stix()]),
        "edition": lambda: iter([b"\1untrusted comment: x\nRWQ=\n", b"\2untrusted: s\nRUQ=\ntrusted: t\nAA==\n"]),
        "words": lambda: iter(["速贷宝\u202eexe\x1b[31m".encode(), b"\0\6" + "नमस्ते".encode("utf-16-le")]),
    }  # fmt: skip


def _bugreports() -> Iterator[bytes]:
    from datetime import UTC, datetime

    from tests.fixtures import bugreport_builder

    yield bugreport_builder.text(load_scenario(STORY), datetime(2026, 1, 10, tzinfo=UTC)).encode()


SEEDS: Final = _seeds()
TARGETS: Final[dict[str, Callable[[bytes], None]]] = {name: globals()[name] for name in SEEDS}
