"""Client of this computer's ADB server, the program that ``adb`` and Android Studio start and leave running.

While it runs it holds every phone on a cable, so that we must go through it; and only it reaches wireless debugging.
We only send queries: nothing here starts it, stops it, or makes it connect or disconnect a phone.
AOSP: packages/modules/adb/SERVICES.TXT, client/adb_client.cpp (``FAIL`` and its text), transport.cpp (``devices-l``).

One module because the host protocol, the list of devices and the connection share its time-outs and error texts.
"""

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command, PhoneState, Reply, SourceKind
from privaudit.transport.adb_auth import AuthorizationPrompt, find_existing
from privaudit.transport.base import (
    AUTH_TIMEOUT_S,
    IDLE_TIMEOUT_S,
    MAX_OUTPUT_BYTES,
    SCRIPT_TIMEOUT_S,
    OnWaiting,
    Transport,
)
from privaudit.transport.device_selector import DeviceCandidate, select_device
from privaudit.transport.shell_protocol import max_command_bytes, read_reply, select_shell
from privaudit.transport.stream import HANDSHAKE_TIMEOUT_S, TcpStream
from privaudit.transport.usb import permission_error

DEFAULT_SERVER_PORT: Final = 5037
POLL_INTERVAL_S: Final = 0.5
"""How often the server is asked whether the phone's owner has tapped Allow."""
_CHUNK_BYTES: Final = 1 << 18
_MAX_REQUEST_BYTES: Final = 0xFFFF
"""Longest request: its length is sent as four hexadecimal digits."""
_LEGACY_MAX_REQUEST_BYTES: Final = 4096
"""Longest request to a phone below Android 7; the server does not report what its phones accept."""

_FAIL_ERROR_KEYS: Final[Mapping[str, str]] = {
    # AOSP transport.cpp, acquire_one_transport; adb.cpp. The first text that matches counts.
    "unauthorized": "errors.waiting",
    "still authorizing": "errors.offline",
    "still connecting": "errors.offline",
    "offline": "errors.offline",
    "insufficient permissions": "errors.no_permission",
    "more than one": "errors.serial_shared",
    "not found": "errors.lost",
    "no device": "errors.lost",
    "closed": "errors.refused",
}
_DEVICE_STATES: Final[Mapping[str, PhoneState]] = {
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
    r"^(?P<serial>.+?)\s+(?P<state>" + "|".join(_DEVICE_STATES) + r"|detached|host|unknown)\b(?P<details>.*)$",
    re.MULTILINE,
)
_DEVICE_DETAIL: Final = re.compile(r"(?<!\S)(usb|model|transport_id):(\S+)")
_UNREADABLE_SERIAL: Final = re.compile(r"\(no serial number\)|\?+")


def server_address() -> tuple[str, int]:
    """Return host and port of the server as adb finds them: ``ADB_SERVER_SOCKET``, ``ANDROID_ADB_SERVER_PORT``, 5037.

    Raises PhoneError if it is not a port of this computer. A server elsewhere could record all that we read.
    """
    socket_spec = (
        os.environ.get("ADB_SERVER_SOCKET") or f"tcp:{os.environ.get('ANDROID_ADB_SERVER_PORT') or DEFAULT_SERVER_PORT}"
    )
    match = re.fullmatch(r"tcp:(?:(localhost|127\.0\.0\.1|\[::1\]):)?(\d{1,5})", socket_spec, re.ASCII)
    host = os.environ.get("ANDROID_ADB_SERVER_ADDRESS", "")
    if host not in {"", "localhost", "127.0.0.1", "::1"}:
        raise PhoneError("errors.server_address", given=host)
    if match is None or not 0 < int(match[2]) < 1 << 16:
        raise PhoneError("errors.server_address", given=socket_spec)
    return "::1" if match[1] == "[::1]" else "127.0.0.1", int(match[2])


@contextlib.contextmanager
def open_server_stream(stream: TcpStream) -> Iterator[TcpStream]:
    """Connect `stream` to the server, and close it afterwards. Raises PhoneError ``server_absent``."""
    try:
        stream.connect(HANDSHAKE_TIMEOUT_S)
    except PhoneError as error:
        raise PhoneError("errors.server_absent", port=server_address()[1]) from error
    try:
        yield stream
    finally:
        stream.close()


def query(request: str) -> bytes:
    """Return the text with which the server answers `request`. Raises PhoneError as `send_request`."""
    with open_server_stream(TcpStream(*server_address())) as stream, stream.deadline(HANDSHAKE_TIMEOUT_S):
        send_request(stream, request.encode())
        return _read_protocol_string(stream)


def send_request(stream: TcpStream, request: bytes) -> None:
    """Send `request` and wait for ``OKAY``. Raises PhoneError as `DeviceStream`, or with the server's refusal."""
    stream.bulk_write(b"%04x" % len(request) + request, HANDSHAKE_TIMEOUT_S)
    status = _read_exactly(stream, 4)
    if status == b"OKAY":
        return
    if status != b"FAIL":
        raise PhoneError("errors.not_adb_server", port=server_address()[1])
    reason = _read_protocol_string(stream).decode("utf-8", "replace")
    key = next((key for text, key in _FAIL_ERROR_KEYS.items() if text in reason), None)
    if key is None:
        raise PhoneError("errors.server_said", said=reason)
    raise permission_error() if key == "errors.no_permission" else PhoneError(key)


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
    """Yield the data that arrives until the server closes the stream. Any other end raises PhoneError."""
    while True:
        try:
            data = stream.bulk_read(_CHUNK_BYTES, IDLE_TIMEOUT_S)
        except PhoneError:
            if stream.reached_eof:
                return
            raise
        yield data


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDevice(DeviceCandidate):
    """A phone in the server's list."""

    transport_kind: ClassVar[SourceKind] = "server"
    usb_path: str | None
    """Bus and ports, ``1-1.2``. ``None``: not on a cable, or this system does not report it in that form."""
    transport_id: str | None
    """The server's own number for the phone, since adb of 2018. Preferred: cheap phones share serial numbers."""

    @property
    def transport_selector(self) -> str:
        """The request ``host:…`` that connects to it."""
        return f"transport-id:{self.transport_id}" if self.transport_id else f"transport:{self.serial}"

    @property
    def host_selector(self) -> str:
        """The prefix ``host-…:`` of queries about it."""
        return f"transport-id:{self.transport_id}" if self.transport_id else f"serial:{self.serial}"


def is_running() -> bool:
    """Return whether an ADB server runs on this computer."""
    try:
        return bool(re.fullmatch(rb"[0-9a-f]{4}", query("host:version")))
    except PhoneError:
        return False


def list_devices() -> tuple[ServerDevice, ...]:
    """List the phones that the server knows: on cables, wireless, and emulators. Raises PhoneError as `query`."""
    text = query("host:devices-l").decode("utf-8", "replace")
    devices = []
    for match in _DEVICE_LINE.finditer(text):
        details = dict(_DEVICE_DETAIL.findall(match["details"]))
        serial = None if _UNREADABLE_SERIAL.fullmatch(match["serial"]) else match["serial"]
        state = _DEVICE_STATES.get(match["state"], PhoneState.OFFLINE)
        devices.append(
            ServerDevice(
                serial=serial,
                name=details["model"].replace("_", " ") if "model" in details else None,
                obstacle=None if serial else state_error(state),
                state=state,
                usb_path=details.get("usb"),
                transport_id=details.get("transport_id"),
            )
        )
    return tuple(devices)


def state_error(state: PhoneState) -> PhoneError | None:
    """Return why a phone in `state` cannot run commands; ``None`` if it can."""
    if state is PhoneState.READY:
        return None
    if state is PhoneState.NO_PERMISSION:
        return permission_error()
    keys = {PhoneState.RECOVERY: "errors.in_recovery", PhoneState.WAITING: "errors.waiting"}
    return PhoneError(keys.get(state, "errors.offline"))


class ServerConnection(Transport):
    """A phone behind the ADB server. Commands of several threads run in parallel, each with a socket of its own."""

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
        """See `Transport.run`."""
        shell = select_shell(command, self._features, self.command_limit)
        try:
            with self._open_stream() as stream, stream.deadline(timeout_s):
                send_request(stream, f"host:{self._device.transport_selector}".encode())
                send_request(stream, shell.encode_service(command.text))
                reply = read_reply(shell, read_chunks(stream), limit)
            # The server ends a stream in the same way if the cable is pulled.
            if reply.exit_code is None and query(f"host-{self._device.host_selector}:get-state") != b"device":
                raise PhoneError("errors.lost")  # noqa: TRY301 - becomes ConnectionLost below
        except PhoneError as error:
            raise ConnectionLost(error.key, shell.reply().stdout, **error.values) from error
        return reply

    def close(self) -> None:
        """See `Transport.close`."""
        with self._lock:
            self._closed = True
            for stream in self._open_streams:
                stream.cancel()

    @contextlib.contextmanager
    def _open_stream(self) -> Iterator[TcpStream]:
        with self._lock:
            if self._closed:
                raise PhoneError("errors.lost")
            stream = TcpStream(*server_address())
            self._open_streams.add(stream)
        try:
            with open_server_stream(stream):
                yield stream
        finally:
            with self._lock:
                self._open_streams.discard(stream)


def connect_via_server(
    *,
    serial: str | None = None,
    on_waiting: OnWaiting,
    auth_timeout_s: float = AUTH_TIMEOUT_S,
    key_folder: Path | None = None,
    device: ServerDevice | None = None,
) -> ServerConnection:
    """Connect to a phone through the server, waiting until its owner allows it.

    Arguments as `privaudit.transport.connect`; the key is only read, for the fingerprint that the phone shows.
    `device`: exactly this phone, and no other that is plugged in at the same place later. Raises PhoneError as `query`
    and `select_device`; ``not_allowed``, ``offline``, ``in_recovery``, ``no_permission`` and its variants.
    """
    phone = device or select_device(list_devices(), serial)
    prompt = AuthorizationPrompt(_adb_key_fingerprint(key_folder), on_waiting, auth_timeout_s)
    online_deadline = time.monotonic() + HANDSHAKE_TIMEOUT_S  # a phone that was just plugged in is offline at first
    while phone.state is not PhoneState.READY:
        if phone.state is PhoneState.WAITING:
            prompt()
            if prompt.expired:
                raise prompt.timeout_error
        elif phone.state not in {PhoneState.CONNECTING, PhoneState.OFFLINE} or time.monotonic() > online_deadline:
            raise state_error(phone.state) or PhoneError("errors.offline")
        time.sleep(POLL_INTERVAL_S)
        same = next((other for other in list_devices() if other.transport_selector == phone.transport_selector), None)
        if same is None and device is not None:
            raise PhoneError("errors.lost")
        phone = same or select_device(list_devices(), serial)
    return connect_device(phone)


def connect_device(device: ServerDevice) -> ServerConnection:
    """Connect to a phone that is ready. Raises PhoneError if it is not, or no longer."""
    features = query(f"host-{device.host_selector}:features").decode("utf-8", "replace").split(",")
    return ServerConnection(device, frozenset(features))


def _adb_key_fingerprint(key_folder: Path | None) -> str | None:
    """Return the fingerprint of the key that the server presents, assuming that it uses this person's key."""
    try:
        key = find_existing(key_folder)
    except PhoneError:
        return None
    return key.fingerprint if key else None
