"""The ADB server of this computer: the program that ``adb`` and Android Studio start and leave running.

Where it runs, it holds every phone on a cable, so that we must go through it; and it alone reaches wireless debugging.
It is only ever asked: nothing here starts it, stops it, or lets it connect or let go.
AOSP: packages/modules/adb/SERVICES.TXT, client/adb_client.cpp (``FAIL`` and its text), transport.cpp (``devices-l``).
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command, PhoneState, Reply, SourceKind
from privaudit.transport import AUTH_TIMEOUT_S, IDLE_TIMEOUT_S, MAX_OUTPUT_BYTES, SCRIPT_TIMEOUT_S, OnWaiting, adb_auth
from privaudit.transport.adb_auth import AuthorizationPrompt
from privaudit.transport.device_selector import DeviceCandidate, select_device
from privaudit.transport.shell_protocol import max_command_bytes, read_reply, select_shell
from privaudit.transport.stream import HANDSHAKE_TIMEOUT_S, TcpStream
from privaudit.transport.usb import permission_error

DEFAULT_SERVER_PORT: Final = 5037
_CHUNK_BYTES: Final = 1 << 18
_FAIL_REASONS: Final = {
    # AOSP transport.cpp, acquire_one_transport; adb.cpp. What matches first, counts.
    "unauthorized": "waiting",
    "still authorizing": "offline",
    "still connecting": "offline",
    "offline": "offline",
    "insufficient permissions": "no_permission",
    "more than one": "serial_shared",
    "not found": "lost",
    "no device": "lost",
    "closed": "refused",
}


def server_address() -> tuple[str, int]:
    """Where the server listens: as adb, by ``ADB_SERVER_SOCKET``, ``ANDROID_ADB_SERVER_PORT``, or on port 5037.

    Raises:
        PhoneError: ``server_address``: not a port of this computer. A server elsewhere would hear of all that we read.
    """
    given = (
        os.environ.get("ADB_SERVER_SOCKET") or f"tcp:{os.environ.get('ANDROID_ADB_SERVER_PORT') or DEFAULT_SERVER_PORT}"
    )
    match = re.fullmatch(r"tcp:(?:(localhost|127\.0\.0\.1|\[::1\]):)?(\d{1,5})", given, re.ASCII)
    host = os.environ.get("ANDROID_ADB_SERVER_ADDRESS", "")
    if host not in {"", "localhost", "127.0.0.1", "::1"}:
        raise PhoneError("errors.server_address", given=host)
    if match is None or not 0 < int(match[2]) < 1 << 16:
        raise PhoneError("errors.server_address", given=given)
    return "::1" if match[1] == "[::1]" else "127.0.0.1", int(match[2])


@contextlib.contextmanager
def open_server_stream(stream: TcpStream) -> Iterator[TcpStream]:
    """`stream`, open to the server, and closed again.

    Raises:
        PhoneError: ``server_absent``.
    """
    try:
        stream.connect(HANDSHAKE_TIMEOUT_S)
    except PhoneError as error:
        raise PhoneError("errors.server_absent", port=server_address()[1]) from error
    try:
        yield stream
    finally:
        stream.close()


def query(request: str) -> bytes:
    """The text by which the server answers `request`."""
    with open_server_stream(TcpStream(*server_address())) as line, line.deadline(HANDSHAKE_TIMEOUT_S):
        send_request(line, request.encode())
        return _read_protocol_string(line)


def send_request(stream: TcpStream, request: bytes) -> None:
    """Say `request` and hear ``OKAY``.

    Raises:
        PhoneError: what the server refuses, see `_FAIL_REASONS`; ``server_said``, ``not_adb_server``; as `DeviceStream`.
    """
    stream.bulk_write(b"%04x" % len(request) + request, HANDSHAKE_TIMEOUT_S)
    answer = _read_exactly(stream, 4)
    if answer == b"OKAY":
        return
    if answer != b"FAIL":
        raise PhoneError("errors.not_adb_server", port=server_address()[1])
    said = _read_protocol_string(stream).decode("utf-8", "replace")
    name = next((name for part, name in _FAIL_REASONS.items() if part in said), None)
    if name == "no_permission":
        raise permission_error()
    raise PhoneError(f"errors.{name or 'server_said'}", **({} if name else {"said": said}))


def _read_protocol_string(stream: TcpStream) -> bytes:
    size = _read_exactly(stream, 4)
    if not re.fullmatch(rb"[0-9a-fA-F]{4}", size):
        raise PhoneError("errors.not_adb_server", port=server_address()[1])
    return _read_exactly(stream, int(size, 16))


def _read_exactly(stream: TcpStream, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        data += stream.bulk_read(size - len(data), IDLE_TIMEOUT_S)
    return bytes(data)


def read_chunks(stream: TcpStream) -> Iterator[bytes]:
    """What comes until the server ends the line."""
    while True:
        try:
            data = stream.bulk_read(_CHUNK_BYTES, IDLE_TIMEOUT_S)
        except PhoneError:
            if stream.reached_eof:
                return
            raise
        yield data


POLL_S: Final = 0.5
"""How often a server is asked whether its phone's owner has tapped."""
_MAX_REQUEST_BYTES: Final = 0xFFFF
"""Bytes of one request: four hexadecimal digits stand before it."""
_LEGACY_MAX_REQUEST_BYTES: Final = 4096
"""Bytes of one request to a phone below Android 7; the server does not say what its phones take."""

_DEVICE_STATES: Final = {
    "device": PhoneState.READY,
    "unauthorized": PhoneState.WAITING,
    "authorizing": PhoneState.CONNECTING,
    "connecting": PhoneState.CONNECTING,
    "offline": PhoneState.OFFLINE,
    "recovery": PhoneState.RECOVERY,
    "sideload": PhoneState.RECOVERY,
    "rescue": PhoneState.RECOVERY,
    "bootloader": PhoneState.RECOVERY,
    "no permissions": PhoneState.NO_PERMISSION,
}
_DEVICE_LINE: Final = re.compile(
    r"^(?P<serial>.+?)\s+(?P<state>" + "|".join(_DEVICE_STATES) + r"|detached|host|unknown)\b(?P<rest>.*)$",
    re.MULTILINE,
)
_DEVICE_DETAIL: Final = re.compile(r"(?<!\S)(usb|model|transport_id):(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDevice(DeviceCandidate):
    """One phone that the server knows."""

    state: PhoneState
    usb_path: str | None
    """Where on the bus: ``1-1.2``. ``None``: not on a cable, or this computer does not say it so."""
    transport_id: str | None
    """The server's own number for it, since adb of 2018. Cheap phones share serial numbers, so this one counts."""

    @property
    def transport_selector(self) -> str:
        """How to be connected to it: ``host:…``."""
        return f"transport-id:{self.transport_id}" if self.transport_id else f"transport:{self.serial}"

    @property
    def host_selector(self) -> str:
        """How to ask about it: ``host-…:…``."""
        return f"transport-id:{self.transport_id}" if self.transport_id else f"serial:{self.serial}"


def is_running() -> bool:
    """Whether an ADB server runs here."""
    try:
        return bool(re.fullmatch(rb"[0-9a-f]{4}", query("host:version")))
    except PhoneError:
        return False


def list_devices() -> tuple[ServerDevice, ...]:
    """All phones that the server knows, on cables, wireless, and emulators.

    Raises:
        PhoneError: ``server_absent``, ``not_adb_server``, ``server_address``; ``silent``, ``lost``.
    """
    text = query("host:devices-l").decode("utf-8", "replace")
    found = []
    for match in _DEVICE_LINE.finditer(text):
        more = dict(_DEVICE_DETAIL.findall(match["rest"]))
        serial = match["serial"] if not re.fullmatch(r"\(no serial number\)|\?+", match["serial"]) else None
        state = _DEVICE_STATES.get(match["state"], PhoneState.OFFLINE)
        found.append(
            ServerDevice(
                serial=serial,
                name=more["model"].replace("_", " ") if "model" in more else None,
                obstacle=None if serial else state_error(state),
                state=state,
                usb_path=more.get("usb"),
                transport_id=more.get("transport_id"),
            )
        )
    return tuple(found)


def connect_via_server(
    *,
    serial: str | None = None,
    on_waiting: OnWaiting,
    auth_timeout_s: float = AUTH_TIMEOUT_S,
    key_folder: Path | None = None,
    device: ServerDevice | None = None,
) -> ServerConnection:
    """Connect to a phone through the server. Arguments as `privaudit.transport.connect`.

    `device` is the very phone, and no other that is plugged in where it was.

    Raises:
        PhoneError: as `list_devices`; ``no_phone``, ``several_phones``, ``serial_not_found``; ``not_allowed``, ``offline``,
            ``in_recovery``, ``no_permission`` and its like; ``server_said``.
    """
    phone = device or select_device(list_devices(), serial)
    question = AuthorizationPrompt(_adb_key_fingerprint(key_folder), on_waiting, auth_timeout_s)
    patience = time.monotonic() + HANDSHAKE_TIMEOUT_S  # a phone that was just plugged in is offline for a moment
    while phone.state is not PhoneState.READY:
        if phone.state is PhoneState.WAITING:
            question()
            if question.expired:
                raise question.timeout_error
        elif phone.state not in {PhoneState.CONNECTING, PhoneState.OFFLINE} or time.monotonic() > patience:
            raise state_error(phone.state) or PhoneError("errors.offline")
        time.sleep(POLL_S)
        same = next((other for other in list_devices() if other.transport_selector == phone.transport_selector), None)
        if same is None and device is not None:
            raise PhoneError("errors.lost")
        phone = same or select_device(list_devices(), serial)
    return connect_device(phone)


def connect_device(device: ServerDevice) -> ServerConnection:
    """Connect to a phone that is ready.

    Raises:
        PhoneError: it is not, or not any more; as `list_devices`.
    """
    features = query(f"host-{device.host_selector}:features").decode("utf-8", "replace").split(",")
    return ServerConnection(device, frozenset(features))


def state_error(state: PhoneState) -> PhoneError | None:
    """Why a phone in `state` cannot be asked, in words; ``None``: it can."""
    match state:
        case PhoneState.READY:
            return None
        case PhoneState.NO_PERMISSION:
            return permission_error()
        case PhoneState.RECOVERY:
            return PhoneError("errors.in_recovery")
        case PhoneState.WAITING:
            return PhoneError("errors.waiting")
    return PhoneError("errors.offline")


class ServerConnection:
    """A phone behind the server. A `privaudit.transport.Transport`.

    Each command has a line of its own to the server, so that those of several threads run side by side.
    """

    kind: SourceKind = "server"

    def __init__(self, device: ServerDevice, features: frozenset[str]) -> None:
        self._device = device
        self._features = features
        self._open_streams: set[TcpStream] = set()
        self._lock = threading.Lock()
        self._closed = False
        self.command_limit = max_command_bytes(
            features, _MAX_REQUEST_BYTES if "shell_v2" in features else _LEGACY_MAX_REQUEST_BYTES
        )

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = MAX_OUTPUT_BYTES) -> Reply:
        """Run `command` in the phone's shell and wait for its end. See `privaudit.transport.Transport.run`.

        Raises:
            ConnectionLost: ``lost``, ``silent``, ``too_slow``, ``too_much_output``, ``refused``, ``offline``,
                ``waiting``, ``server_absent``, ``server_said``.
            TypeError: `command` is not a `Command`.
            ValueError: it is longer than `command_limit`, or holds a NUL.
        """
        shell = select_shell(command, self._features, self.command_limit)
        try:
            with self._open_stream() as line, line.deadline(timeout_s):
                send_request(line, f"host:{self._device.transport_selector}".encode())
                send_request(line, shell.encode_service(command.text))
                reply = read_reply(shell, read_chunks(line), limit)
            if reply.exit_code is None:  # the server ends a stream the same way when the cable is pulled
                self._check_device_present()
        except PhoneError as error:
            raise ConnectionLost(error.key, shell.reply().stdout, **error.values) from error
        return reply

    def close(self) -> None:
        """Let go of the phone. May be called twice, and from another thread: commands that run end as lost."""
        with self._lock:
            self._closed = True
            for line in self._open_streams:
                line.cancel()

    def _check_device_present(self) -> None:
        if query(f"host-{self._device.host_selector}:get-state") != b"device":
            raise PhoneError("errors.lost")

    @contextlib.contextmanager
    def _open_stream(self) -> Iterator[TcpStream]:
        with self._lock:
            if self._closed:
                raise PhoneError("errors.lost")
            line = TcpStream(*server_address())
            self._open_streams.add(line)
        try:
            with open_server_stream(line):
                yield line
        finally:
            with self._lock:
                self._open_streams.discard(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _adb_key_fingerprint(key_folder: Path | None) -> str | None:
    """Of the key that the server shows the phone, as far as it is the same person's."""
    try:
        found = adb_auth.find_existing(key_folder)
    except PhoneError:
        return None
    return found.fingerprint if found else None
