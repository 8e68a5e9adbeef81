"""The ADB server of this computer: the program that ``adb`` and Android Studio start and leave running.

Where it runs, it holds every phone on a cable, so that we must go through it; and it alone reaches wireless debugging.
It is only ever asked: nothing here starts it, stops it, or lets it connect or let go.
AOSP: packages/modules/adb/SERVICES.TXT, client/adb_client.cpp (``FAIL`` and its text), transport.cpp (``devices-l``).
"""

from __future__ import annotations

import contextlib
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
from privaudit.transport import AUTH_TIMEOUT_S, MAX_OUTPUT_BYTES, SCRIPT_TIMEOUT_S, OnWaiting, adb_auth, server_line
from privaudit.transport.asking import AuthorizationPrompt
from privaudit.transport.device_selector import DeviceCandidate, select_device
from privaudit.transport.shell_protocol import max_command_bytes, read_reply, select_shell
from privaudit.transport.stream import HANDSHAKE_TIMEOUT_S, TcpStream
from privaudit.transport.usb import permission_error

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
        return bool(re.fullmatch(rb"[0-9a-f]{4}", server_line.query("host:version")))
    except PhoneError:
        return False


def list_devices() -> tuple[ServerDevice, ...]:
    """All phones that the server knows, on cables, wireless, and emulators.

    Raises:
        PhoneError: ``server_absent``, ``not_adb_server``, ``server_address``; ``silent``, ``lost``.
    """
    text = server_line.query("host:devices-l").decode("utf-8", "replace")
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
    features = server_line.query(f"host-{device.host_selector}:features").decode("utf-8", "replace").split(",")
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
                server_line.send_request(line, f"host:{self._device.transport_selector}".encode())
                server_line.send_request(line, shell.encode_service(command.text))
                reply = read_reply(shell, server_line.read_chunks(line), limit)
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
        if server_line.query(f"host-{self._device.host_selector}:get-state") != b"device":
            raise PhoneError("errors.lost")

    @contextlib.contextmanager
    def _open_stream(self) -> Iterator[TcpStream]:
        with self._lock:
            if self._closed:
                raise PhoneError("errors.lost")
            line = TcpStream(*server_line.server_address())
            self._open_streams.add(line)
        try:
            with server_line.open_server_stream(line):
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
