"""Moves bytes to and from a phone. Knows nothing of what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from privaudit.errors import PhoneError, UsageError
from privaudit.model import Command, Reply, SourceKind

SCRIPT_TIMEOUT_S = 300.0
"""Longest wait for one whole script of questions."""
IDLE_TIMEOUT_S = 75.0
"""Longest silence within an answer: a slow ``dumpsys -t 60`` says nothing for a minute."""
MAX_OUTPUT_BYTES = 128 * 1024 * 1024
"""Most bytes taken for one command; a whole dump is 6 MB."""
AUTH_TIMEOUT_S = 90.0
"""How long a person has to tap Allow."""

ADB_TCP_PORT = 5555
"""Where a phone listens after ``adb tcpip``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationWait:
    """The phone asks its owner "Allow USB debugging?"."""

    fingerprint: str | None
    """MD5 of the public key as the phone shows it: ``AB:CD:…``; ``None``: the ADB server's key cannot be read here."""
    seconds_left: int


class Transport(Protocol):
    """One open connection to one phone. Safe to use from several threads."""

    kind: SourceKind
    """``usb``, ``tcp`` or ``server``."""
    command_limit: int
    """Most bytes that the text of one command may have, in UTF-8.

    What one packet of this phone holds, and no more than Linux takes as one argument: about 4 KB before Android 7,
    then 128 KB.
    """

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = MAX_OUTPUT_BYTES) -> Reply:
        """Run `command` in the phone's shell and wait for its end.

        The output of a `Command.binary` one comes byte for byte; below Android 7 then without an exit code.

        Raises:
            ConnectionLost: the connection ended, stayed silent for `IDLE_TIMEOUT_S`, ran over `timeout_s` or gave more
                than `limit` bytes. Carries what came until then.
            TypeError: `command` is not a `Command`. Text never goes to a phone unseen.
            ValueError: `command` is longer than `command_limit`.
        """
        ...

    def close(self) -> None:
        """Give the phone back. May be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


OnWaiting = Callable[[AuthorizationWait], None]
"""Called before the wait and then each second, so that a person is told and sees the time run."""


def connect(
    *,
    transport: str = "auto",
    serial: str | None = None,
    on_waiting: OnWaiting,
    auth_timeout_s: float = AUTH_TIMEOUT_S,
    key_folder: Path | None = None,
) -> Transport:
    """Connect to a phone.

    Args:
        transport: ``usb`` for the cable, ``server`` for the ADB server of this computer, ``auto`` for the server where
            one runs and else the cable, ``tcp:HOST[:PORT]`` for the network.
        serial: which phone, where several are attached: its serial number, or an end of it that fits only one.
        on_waiting: told when the phone waits for its owner's tap.
        auth_timeout_s: how long the owner has for it.
        key_folder: where the key is kept by which the phone knows this computer; ``None`` for the one of adb.

    Raises:
        UsageError: `transport` is no such thing.
        PhoneError: no phone, several phones, not allowed, busy, lost; each says why and what to do.
    """
    from privaudit.transport import adb_device, adb_server  # adb-shell is loaded only when a phone is wanted

    if transport.startswith("tcp:"):
        host, port = _parse_tcp_address(transport)
        return adb_device.connect_tcp(
            host, port, on_waiting=on_waiting, auth_timeout_s=auth_timeout_s, key_folder=key_folder
        )
    ways: dict[str, Callable[..., Transport]] = {
        "auto": _connect_auto,
        "usb": adb_device.connect_usb,
        "server": adb_server.connect_via_server,
    }
    if transport not in ways:
        raise UsageError("errors.transport_unknown", given=transport)
    return ways[transport](serial=serial, on_waiting=on_waiting, allow_timeout_s=auth_timeout_s, key_folder=key_folder)


def _connect_auto(
    *, serial: str | None, on_waiting: OnWaiting, auth_timeout_s: float, key_folder: Path | None
) -> Transport:
    """Through the ADB server where one runs and knows the phone, for then it holds the cable; else by cable."""
    from privaudit.transport import adb_device, adb_server

    def through(way: Callable[..., Transport]) -> Transport:
        return way(serial=serial, on_waiting=on_waiting, allow_timeout_s=auth_timeout_s, key_folder=key_folder)

    by_server: PhoneError | None = None
    if adb_server.is_running():
        try:
            return through(adb_server.connect_via_server)
        except PhoneError as error:
            if error.name not in {"no_phone", "serial_not_found", "server_absent"}:
                raise
            by_server = error
    try:
        return through(adb_device.connect_usb)
    except PhoneError as error:
        if error.name == "busy" and adb_server.is_running():  # it has just been started, or has just found the phone
            return through(adb_server.connect_via_server)
        if by_server is not None and error.name in {"no_phone", "no_usb", "libusb_missing"}:
            raise by_server from error
        raise


def _parse_tcp_address(transport: str) -> tuple[str, int]:
    match = re.fullmatch(r"tcp:(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:\[\]]+))(?::(\d{1,5}))?", transport, re.ASCII)
    port = int(match[3] or ADB_TCP_PORT) if match else 0
    if match is None or not 0 < port < 1 << 16:
        raise UsageError("errors.address_wrong", given=transport)
    return match[1] or match[2], port
