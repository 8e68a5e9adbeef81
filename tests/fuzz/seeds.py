"""Valid inputs of every target, made by our own renderers and builders: what fuzzing starts from.

`SEEDS` names a function for each target of `tests.fuzz.targets`.
"""

from __future__ import annotations

import json
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from privaudit import audit, knowledge
from privaudit.apk import parts
from privaudit.apk.parts import ARSC, MANIFEST, ApkParts
from privaudit.capture import archive, command_log
from privaudit.capture.model import Capture
from privaudit.knowledge import Knowledge, csv_format, loader
from privaudit.model import Report
from privaudit.report import json as report_json
from privaudit.transport.adb_device import connect_tcp
from privaudit.virtual_phone import load_scenario, start_adbd
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.programs import build_programs, load_apks
from tests.fixtures import bugreport_builder

SMALLEST_SCENARIO: Final = "android16"


@cache
def capture_of(scenario_name: str = SMALLEST_SCENARIO) -> Capture:
    """Return a complete capture of a demo phone."""
    scenario = load_scenario(scenario_name)
    programs, policy = build_programs(scenario), KeyPolicy(required=False)
    with (
        tempfile.TemporaryDirectory() as folder,
        start_adbd(scenario, programs_by_name=programs, key_policy=policy) as phone,
        connect_tcp(phone.host, phone.port, on_waiting=lambda _: None, key_folder=Path(folder)) as connection,
    ):
        return audit.collect(connection, demo_knowledge(), demo=True)[0]


@cache
def capture_without_apks() -> Capture:
    """Return a capture without APKs: reading app names takes most of the time of an audit."""
    return replace(capture_of(), apks={})


@cache
def demo_knowledge() -> Knowledge:
    """Return the lists of the demo."""
    return knowledge.load_knowledge(demo=True)


@cache
def demo_report() -> Report:
    """Return the report on `capture_of`."""
    return audit.build_report(capture_of(), demo_knowledge(), audit.ReportOptions(include_all_apps=True))


@cache
def answer_keys() -> tuple[str, ...]:
    """Return the keys of all answers of a capture, and that of an app that it does not have."""
    return (*sorted(capture_of().answers), "package.com.example.loan")


@cache
def apk_parts() -> ApkParts:
    """Return an APK of the demo phone with every part that is read of one."""
    largest = max(capture_of().apks.values(), key=lambda apk: len(apk.parts))
    assert {MANIFEST, ARSC} <= largest.parts.keys()
    return largest


# --- Seeds ------------------------------------------------------------------------------------------------------------


def _answers_to(question: str) -> Iterator[bytes]:
    for scenario_name in ("android16", "android6", "emui5"):
        for answer in capture_of(scenario_name).answers_to(question):
            yield answer.text.encode()


def _package_dumps() -> Iterator[bytes]:
    yield from _answers_to("packages")
    yield from _answers_to("package")


def _phone_answers() -> Iterator[bytes]:
    for number, key in enumerate(answer_keys()):
        yield bytes([number]) + capture_of().answer(key).text.encode()


def _adb_messages() -> Iterator[bytes]:
    def message(command: bytes, arg0: int, arg1: int, data: bytes = b"") -> bytes:
        number = int.from_bytes(command, "little")
        return struct.pack("<6I", number, arg0, arg1, len(data), sum(data), number ^ 0xFFFFFFFF) + data

    banner = message(b"CNXN", 0x01000001, 1 << 20, b"device::features=shell_v2,cmd\0")
    reply = message(b"WRTE", 9, 1, b"\1\3\0\0\0out\3\1\0\0\0\0") + message(b"CLSE", 9, 1)
    yield banner + message(b"OKAY", 9, 1) + reply
    yield message(b"AUTH", 1, 0, bytes(20)) * 2 + banner + message(b"OKAY", 9, 1) + reply
    yield message(b"CNXN", 0x01000000, 4096, b"device::") + message(b"OKAY", 1, 1) + message(b"WRTE", 1, 1, b"x\r\n")
    yield banner + message(b"CLSE", 0, 1) + message(b"OKAY", 9, 2) + reply


def _adb_server_replies() -> Iterator[bytes]:
    devices = b"R58M1234       device usb:1-1 product:x model:Demo_phone device:x transport_id:1\n"
    yield b"OKAY" + b"%04x" % len(devices) + devices
    yield b"FAIL0010device not found"
    yield b"OKAYOKAY\1\3\0\0\0out\3\1\0\0\0\0"


def _signing_parts() -> Iterator[bytes]:
    for name, part in apk_parts().parts.items():
        if name not in {MANIFEST, ARSC}:
            yield part.to_bytes()


def _apk_files() -> Iterator[bytes]:
    yield from sorted(load_apks().values(), key=len)[:6]


def _capture_parts() -> Iterator[bytes]:
    yield b"\2" + parts.dump_apk_parts(apk_parts())
    yield b"\1" + command_log.dump_command_log(capture_of().log)


def _capture_zip() -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved.zip"
        archive.write_archive(capture_of(), path)
        yield path.read_bytes()


def _bugreports() -> Iterator[bytes]:
    yield bugreport_builder.text(load_scenario(SMALLEST_SCENARIO), datetime(2026, 1, 10, tzinfo=UTC)).encode()


def _saved_folders() -> Iterator[bytes]:
    yield b"\0[]"
    for text in _answers_to("packages"):
        yield b"\7" + text[:20000]


def _report_documents() -> Iterator[bytes]:
    yield report_json.render(demo_report()).encode()
    yield report_json.to_json_line(demo_report()).encode()


def _signature_lists() -> Iterator[bytes]:
    for kind in ("risky", "lenders"):
        for file in loader.list_toml_files(loader.shipped_folder() / kind)[:2]:
            yield file.read_bytes()[:4000]


def _csv_tables() -> Iterator[bytes]:
    yield csv_format.csv_template(chinese=False).encode()
    yield csv_format.csv_template(chinese=True).encode()


def _stix_bundles() -> Iterator[bytes]:
    patterns = ("app:id = 'com.example.loan'", "file:hashes.'SHA-256' = '" + "a" * 64 + "'")
    indicators = [
        {"type": "indicator", "id": f"indicator--{n}", "pattern": f"[{p}]", "pattern_type": "stix", "name": "x"}
        for n, p in enumerate(patterns)
    ]
    malware = {"type": "malware", "id": "malware--1", "name": "SpyLoan"}
    relation = {"type": "relationship", "source_ref": "indicator--0", "target_ref": "malware--1"}
    yield json.dumps({"type": "bundle", "objects": [*indicators, malware, relation]}).encode()


SEEDS: Final[Mapping[str, Callable[[], Iterator[bytes]]]] = {
    "dumpsys_package": _package_dumps,
    "dumpsys_appops": lambda: _answers_to("appops"),
    "phone_answers": _phone_answers,
    "script_output": lambda: iter([b"@@ begin users\nUserInfo\n@@ end users 0\n", b"\n@@ begin date\n1"]),
    "adb_messages": _adb_messages,
    "adb_server": _adb_server_replies,
    "shell_frames": lambda: iter([b"\5\1\3\0\0\0out\2\3\0\0\0err\3\1\0\0\0\7", b"\1text\r\n"]),
    "axml": lambda: iter([apk_parts().parts[MANIFEST].to_bytes()]),
    "arsc": lambda: iter([apk_parts().parts[ARSC].to_bytes()[:60000]]),
    "signing_block": _signing_parts,
    "dex": lambda: iter([b"dex\n035\0" + bytes(104)]),
    "apk_file": _apk_files,
    "capture_parts": _capture_parts,
    "saved_zip": _capture_zip,
    "bugreport": _bugreports,
    "saved_folder": _saved_folders,
    "report_document": _report_documents,
    "ledgers_and_totals": lambda: iter([b'\0{"schema": "privaudit-ledger/1"}', b'\1{"demo": true, "sessions": {}}']),
    "signature_list": _signature_lists,
    "csv_table": _csv_tables,
    "stix_bundle": _stix_bundles,
    "list_release": lambda: iter([b"\1untrusted comment: x\nRWQ=\n", b"\2untrusted: s\nRUQ=\ntrusted: t\nAA==\n"]),
    "hostile_text": lambda: iter(["速贷宝\u202eexe\x1b[31m".encode(), b"\0\6" + "नमस्ते".encode("utf-16-le")]),
}
