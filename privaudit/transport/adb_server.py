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
from privaudit.transport import ALLOW_TIMEOUT_S, OUTPUT_LIMIT, SCRIPT_TIMEOUT_S, OnWaiting, adb_auth, server_line
from privaudit.transport.asking import Question
from privaudit.transport.device_selector import Named, choose
from privaudit.transport.shell_protocol import fill, room, shell_for
from privaudit.transport.stream import HELLO_TIMEOUT_S, TcpWire
from privaudit.transport.usb import no_permission

POLL_S: Final = 0.5
"""How often a server is asked whether its phone's owner has tapped."""
_MESSAGE: Final = 0xFFFF
"""Bytes of one request: four hexadecimal digits stand before it."""
_OLD_MESSAGE: Final = 4096
"""Bytes of one request to a phone below Android 7; the server does not say what its phones take."""

_STATES: Final = {
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
_LISTED: Final = re.compile(
    r"^(?P<serial>.+?)\s+(?P<state>" + "|".join(_STATES) + r"|detached|host|unknown)\b(?P<rest>.*)$", re.MULTILINE
)
_DETAIL: Final = re.compile(r"(?<!\S)(usb|model|transport_id):(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Named):
    """One phone that the server knows."""

    state: PhoneState
    place: str | None
    """Where on the bus: ``1-1.2``. ``None``: not on a cable, or this computer does not say it so."""
    number: str | None
    """The server's own number for it, since adb of 2018. Cheap phones share serial numbers, so this one counts."""

    @property
    def route(self) -> str:
        """How to be connected to it: ``host:…``."""
        return f"transport-id:{self.number}" if self.number else f"transport:{self.serial}"

    @property
    def about(self) -> str:
        """How to ask about it: ``host-…:…``."""
        return f"transport-id:{self.number}" if self.number else f"serial:{self.serial}"


def answers() -> bool:
    """Whether an ADB server runs here."""
    try:
        return bool(re.fullmatch(rb"[0-9a-f]{4}", server_line.asked("host:version")))
    except PhoneError:
        return False


def listed() -> tuple[Listed, ...]:
    """All phones that the server knows, on cables, wireless, and emulators.

    Raises:
        PhoneError: ``server_absent``, ``not_adb_server``, ``server_address``; ``silent``, ``lost``.
    """
    text = server_line.asked("host:devices-l").decode("utf-8", "replace")
    found = []
    for match in _LISTED.finditer(text):
        more = dict(_DETAIL.findall(match["rest"]))
        serial = match["serial"] if not re.fullmatch(r"\(no serial number\)|\?+", match["serial"]) else None
        state = _STATES.get(match["state"], PhoneState.OFFLINE)
        found.append(
            Listed(
                serial=serial,
                name=more["model"].replace("_", " ") if "model" in more else None,
                obstacle=None if serial else obstacle(state),
                state=state,
                place=more.get("usb"),
                number=more.get("transport_id"),
            )
        )
    return tuple(found)


def connect(
    *,
    serial: str | None = None,
    on_waiting: OnWaiting,
    allow_timeout_s: float = ALLOW_TIMEOUT_S,
    key_folder: Path | None = None,
    only: Listed | None = None,
) -> Connection:
    """Connect to a phone through the server. Arguments as `privaudit.transport.connect`.

    `only` is the very phone, and no other that is plugged in where it was.

    Raises:
        PhoneError: as `listed`; ``no_phone``, ``several_phones``, ``serial_not_found``; ``not_allowed``, ``offline``,
            ``in_recovery``, ``no_permission`` and its like; ``server_said``.
    """
    phone = only or choose(listed(), serial)
    question = Question(_fingerprint(key_folder), on_waiting, allow_timeout_s)
    patience = time.monotonic() + HELLO_TIMEOUT_S  # a phone that was just plugged in is offline for a moment
    while phone.state is not PhoneState.READY:
        if phone.state is PhoneState.WAITING:
            question()
            if question.over:
                raise question.unanswered
        elif phone.state not in {PhoneState.CONNECTING, PhoneState.OFFLINE} or time.monotonic() > patience:
            raise obstacle(phone.state) or PhoneError("errors.offline")
        time.sleep(POLL_S)
        same = next((other for other in listed() if other.route == phone.route), None)
        if same is None and only is not None:
            raise PhoneError("errors.lost")
        phone = same or choose(listed(), serial)
    return reach(phone)


def reach(phone: Listed) -> Connection:
    """Connect to a phone that is ready.

    Raises:
        PhoneError: it is not, or not any more; as `listed`.
    """
    features = server_line.asked(f"host-{phone.about}:features").decode("utf-8", "replace").split(",")
    return Connection(phone, frozenset(features))


def obstacle(state: PhoneState) -> PhoneError | None:
    """Why a phone in `state` cannot be asked, in words; ``None``: it can."""
    match state:
        case PhoneState.READY:
            return None
        case PhoneState.NO_PERMISSION:
            return no_permission()
        case PhoneState.RECOVERY:
            return PhoneError("errors.in_recovery")
        case PhoneState.WAITING:
            return PhoneError("errors.waiting")
    return PhoneError("errors.offline")


class Connection:
    """A phone behind the server. A `privaudit.transport.Transport`.

    Each command has a line of its own to the server, so that those of several threads run side by side.
    """

    kind: SourceKind = "server"

    def __init__(self, phone: Listed, features: frozenset[str]) -> None:
        self._phone = phone
        self._features = features
        self._lines: set[TcpWire] = set()
        self._lock = threading.Lock()
        self._closed = False
        self.command_limit = room(features, _MESSAGE if "shell_v2" in features else _OLD_MESSAGE)

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = OUTPUT_LIMIT) -> Reply:
        """Run `command` in the phone's shell and wait for its end. See `privaudit.transport.Transport.run`.

        Raises:
            ConnectionLost: ``lost``, ``silent``, ``too_slow``, ``too_much_output``, ``refused``, ``offline``,
                ``waiting``, ``server_absent``, ``server_said``.
            TypeError: `command` is not a `Command`.
            ValueError: it is longer than `command_limit`, or holds a NUL.
        """
        shell = shell_for(command, self._features, self.command_limit)
        try:
            with self._line() as line, line.within(timeout_s):
                server_line.ask(line, f"host:{self._phone.route}".encode())
                server_line.ask(line, shell.request(command.text))
                reply = fill(shell, server_line.pieces(line), limit)
            if reply.exit_code is None:  # the server ends a stream the same way when the cable is pulled
                self._still_there()
        except PhoneError as error:
            raise ConnectionLost(error.key, shell.reply().stdout, **error.values) from error
        return reply

    def close(self) -> None:
        """Let go of the phone. May be called twice, and from another thread: commands that run end as lost."""
        with self._lock:
            self._closed = True
            for line in self._lines:
                line.stop()

    def _still_there(self) -> None:
        if server_line.asked(f"host-{self._phone.about}:get-state") != b"device":
            raise PhoneError("errors.lost")

    @contextlib.contextmanager
    def _line(self) -> Iterator[TcpWire]:
        with self._lock:
            if self._closed:
                raise PhoneError("errors.lost")
            line = TcpWire(*server_line.address())
            self._lines.add(line)
        try:
            with server_line.opened(line):
                yield line
        finally:
            with self._lock:
                self._lines.discard(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _fingerprint(folder: Path | None) -> str | None:
    """Of the key that the server shows the phone, as far as it is the same person's."""
    try:
        found = adb_auth.find(folder)
    except PhoneError:
        return None
    return found.fingerprint if found else None
