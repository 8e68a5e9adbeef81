"""One open connection to a phone, spoken by adb-shell over a cable or the network.

adb-shell is pinned to 0.4.4: what it leaves out is added through parts that it does not promise to keep.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command, Reply, SourceKind
from privaudit.transport import (
    ALLOW_TIMEOUT_S,
    OUTPUT_LIMIT,
    QUIET_TIMEOUT_S,
    SCRIPT_TIMEOUT_S,
    OnWaiting,
)
from privaudit.transport.adb_auth import Key, load
from privaudit.transport.adb_messages import Device
from privaudit.transport.asking import Question
from privaudit.transport.device_selector import choose
from privaudit.transport.shell_protocol import fill, room, shell_for
from privaudit.transport.stream import HELLO_TIMEOUT_S, TcpWire, Wire

ATTEMPTS: Final = 3
"""How often a phone on a cable is looked for and opened; measured, the second try has always been enough."""
REST_S: Final = 1.2
"""A phone that dropped off the bus is back after 1 to 1.5 s."""

_ANSWERS: Final = 3
"""What a phone says until it asks its owner: the network's yes, and two tokens."""
_PASSING: Final = frozenset({"lost", "silent"})
_WHILE_IT_COMES_BACK: Final = frozenset({"no_phone", "serial_not_found", "debugging_off"})


class Connection:
    """A phone that let us in. A `privaudit.transport.Transport`.

    Commands of several threads run one after another. adb-shell can mix them, but loses the end of one stream when the
    thread of another one reads it, and lets a slow command hold up the rest.
    """

    def __init__(self, device: Device, wire: Wire, kind: Literal["usb", "tcp"]) -> None:
        self.kind: SourceKind = kind
        self._device = device
        self._wire = wire
        self._turn = threading.Lock()
        self.command_limit = room(device.features, device.payload_limit)

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = OUTPUT_LIMIT) -> Reply:
        """Run `command` in the phone's shell and wait for its end. See `privaudit.transport.Transport.run`.

        After ``too_much_output`` and ``refused`` the connection still works; after any other `ConnectionLost` each
        further call raises the same at once.

        Raises:
            ConnectionLost: ``lost``, ``silent``, ``too_slow``, ``too_much_output``, ``garbled``, ``refused``.
            TypeError: `command` is not a `Command`.
            ValueError: it is longer than `command_limit`, or holds a NUL.
        """
        shell = shell_for(command, self._device.features, self.command_limit)
        until = time.monotonic() + timeout_s
        if not self._turn.acquire(timeout=timeout_s):
            raise ConnectionLost("errors.too_slow", seconds=round(timeout_s))
        try:
            service = shell.request(command.text)
            with (
                self._wire.within(until - time.monotonic()),
                contextlib.closing(self._device.stream(service, QUIET_TIMEOUT_S)) as pieces,
            ):
                return fill(shell, pieces, limit)
        except PhoneError as error:
            if error.name not in {"too_much_output", "refused"} and self._wire.failure is None:
                self._wire.failure = error
            raise ConnectionLost(error.key, shell.reply().stdout, **error.values) from error
        finally:
            self._turn.release()

    def close(self) -> None:
        """Give the phone back. May be called twice, and from another thread: a command that runs there ends as lost."""
        self._wire.stop()
        with self._turn:
            self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def over_usb(
    *,
    serial: str | None = None,
    on_waiting: OnWaiting,
    allow_timeout_s: float = ALLOW_TIMEOUT_S,
    key_folder: Path | None = None,
    place: str | None = None,
    key: Key | None = None,
) -> Connection:
    """Connect by cable.

    A phone that does not answer well is looked for afresh, up to `ATTEMPTS` times: the program before us may have left
    it in the middle of a packet, or its owner has just chosen "File transfer", and it comes back as a new device.

    Args:
        serial: the serial number, or an end of it that fits one phone only; where several are attached.
        on_waiting: told when the phone waits for its owner's tap.
        allow_timeout_s: how long the owner has for it.
        key_folder: where the key is, if not where adb keeps it.
        place: bus and ports of the phone, where these are known: cheap phones share serial numbers. No other is opened.
        key: in place of one in a folder.

    Raises:
        PhoneError: ``no_phone``, ``debugging_off``, ``other_system``, ``in_recovery``, ``several_phones``,
            ``serial_not_found``, ``no_permission``, ``no_permission_macos``,
            ``no_permission_windows``, ``busy``, ``windows_driver``, ``libusb_missing``, ``no_usb``, ``not_allowed``,
            ``silent``, ``lost``, ``key_unreadable``, ``key_folder_unwritable``.
    """
    from privaudit.transport import bus, usb

    first: PhoneError | None = None
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(REST_S)
        try:
            there = bus.look(only=place)
            if not there.phones:
                raise bus.why_none(there.mute)
            phone = choose(there.phones, serial)
            return _open(usb.UsbWire(phone), "usb", key or load(key_folder), on_waiting, allow_timeout_s)
        except PhoneError as error:
            if error.name not in (_PASSING if first is None else _PASSING | _WHILE_IT_COMES_BACK):
                raise
            first = first or error
    assert first is not None  # noqa: S101 - the loop ran
    raise first


def over_tcp(
    host: str,
    port: int,
    *,
    on_waiting: OnWaiting,
    allow_timeout_s: float = ALLOW_TIMEOUT_S,
    key_folder: Path | None = None,
    key: Key | None = None,
) -> Connection:
    """Connect over the network. Arguments as `over_usb`.

    Raises:
        PhoneError: ``no_answer``, ``needs_pairing``, ``not_adb``, ``not_allowed``, ``silent``, ``lost``,
            ``key_unreadable``, ``key_folder_unwritable``.
    """
    return _open(TcpWire(host, port), "tcp", key or load(key_folder), on_waiting, allow_timeout_s)


def _open(
    wire: Wire, kind: Literal["usb", "tcp"], key: Key, on_waiting: OnWaiting, allow_timeout_s: float
) -> Connection:
    device = Device(wire)
    question = Question(key.fingerprint, on_waiting, allow_timeout_s)

    def asked(_: object) -> None:
        wire.on_wait = question
        question()

    try:
        # Each answer has its own time; all together have theirs, for a phone may say a little now and then for ever.
        with wire.within(_ANSWERS * HELLO_TIMEOUT_S + allow_timeout_s):
            device.hello(
                rsa_keys=[key],
                transport_timeout_s=HELLO_TIMEOUT_S,
                auth_timeout_s=allow_timeout_s,
                read_timeout_s=max(HELLO_TIMEOUT_S, allow_timeout_s),
                auth_callback=asked,
            )
    except BaseException as error:
        wire.close()
        if isinstance(error, PhoneError) and error.name in {"silent", "too_slow"} and question.asked:
            raise question.unanswered from error
        if isinstance(error, PhoneError) and error.name == "garbled":
            raise PhoneError("errors.not_adb") from error
        raise
    wire.on_wait = None
    return Connection(device, wire, kind)
