"""Connect to a phone over a cable or the network with adb-shell, pinned because we use parts that are not public."""

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command, Reply, SourceKind
from privaudit.transport.adb_auth import AdbKey, AuthorizationPrompt, load_or_create
from privaudit.transport.adb_messages import AdbSession
from privaudit.transport.base import (
    AUTH_TIMEOUT_S,
    IDLE_TIMEOUT_S,
    MAX_OUTPUT_BYTES,
    SCRIPT_TIMEOUT_S,
    OnKeyCreated,
    OnWaiting,
    Transport,
)
from privaudit.transport.device_selector import select_device
from privaudit.transport.shell_protocol import max_command_bytes, read_reply, select_shell
from privaudit.transport.stream import HANDSHAKE_TIMEOUT_S, DeviceStream, TcpStream

MAX_ATTEMPTS: Final = 3
"""How often a phone on a cable is searched for and opened; when measured, the second attempt was always enough."""
RETRY_DELAY_S: Final = 1.2
"""A phone that dropped off the bus is back after 1 to 1.5 s."""

_HANDSHAKE_REPLIES: Final = 3
"""Messages from a phone until it shows its owner the prompt: the network's reply, and two tokens."""
_RETRYABLE: Final = frozenset({"lost", "silent"})
_RETRYABLE_AFTER_FIRST: Final = frozenset({"no_phone", "serial_not_found", "debugging_off"})


class AdbConnection(Transport):
    """A phone over USB or TCP.

    Commands of several threads run one after another. adb-shell can interleave them, but loses the end of a stream
    when the thread of another stream reads it, and lets a slow command delay the others.
    """

    def __init__(self, session: AdbSession, stream: DeviceStream, kind: Literal["usb", "tcp"]) -> None:
        self.kind: SourceKind = kind
        self._session = session
        self._stream = stream
        self._command_lock = threading.Lock()
        self.command_limit = max_command_bytes(session.features, session.max_payload_bytes)

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = MAX_OUTPUT_BYTES) -> Reply:
        """See `Transport.run`.

        After ``too_much_output`` and ``refused`` the connection still works; after any other `ConnectionLost` each
        further call raises the same error at once.
        """
        shell = select_shell(command, self._session.features, self.command_limit)
        deadline = time.monotonic() + timeout_s
        if not self._command_lock.acquire(timeout=timeout_s):
            raise ConnectionLost("errors.too_slow", seconds=round(timeout_s))
        try:
            service = shell.encode_service(command.text)
            with (
                self._stream.deadline(deadline - time.monotonic()),
                contextlib.closing(self._session.read_service(service, IDLE_TIMEOUT_S)) as chunks,
            ):
                return read_reply(shell, chunks, limit)
        except PhoneError as error:
            if error.name not in {"too_much_output", "refused"} and self._stream.fatal_error is None:
                self._stream.fatal_error = error
            raise ConnectionLost(error.key, shell.reply().stdout, **error.values) from error
        finally:
            self._command_lock.release()

    def close(self) -> None:
        """See `Transport.close`."""
        self._stream.cancel()
        with self._command_lock:
            self._stream.close()


def connect_usb(
    *,
    serial: str | None = None,
    on_waiting: OnWaiting,
    auth_timeout_s: float = AUTH_TIMEOUT_S,
    key_folder: Path | None = None,
    usb_path: str | None = None,
    key: AdbKey | None = None,
    on_key_created: OnKeyCreated | None = None,
) -> AdbConnection:
    """Connect to a phone on a cable. It is searched for and opened up to `MAX_ATTEMPTS` times, see `connect_cable`.

    Arguments as `privaudit.transport.connect`. `usb_path`: bus and ports of the phone if they are known, because cheap
    phones share serial numbers; no other phone is opened. `key`: used instead of one in a folder.

    Raises PhoneError ``no_phone``, ``debugging_off``, ``other_system``, ``in_recovery``, ``several_phones``,
    ``serial_not_found``, ``no_permission`` and its variants, ``busy``, ``windows_driver``, ``libusb_missing``,
    ``no_usb``, ``not_allowed``, ``silent``, ``lost``, ``key_unreadable`` or ``key_folder_unwritable``.
    """
    from privaudit.transport import usb  # a connection over TCP does without libusb

    def find_phone() -> usb.UsbStream:
        devices = usb.scan_usb(only_path=usb_path)
        ready = [device for device in devices if device.adb_interface is not None]
        if not ready:
            raise (devices[0].obstacle if devices else None) or PhoneError("errors.no_phone")
        return usb.UsbStream(select_device(ready, serial))

    # A key is made only when there is a phone to show it to.
    return connect_cable(
        find_phone, lambda: key or load_or_create(key_folder, on_key_created), on_waiting, auth_timeout_s
    )


def connect_cable(
    find_phone: Callable[[], DeviceStream],
    load_key: Callable[[], AdbKey],
    on_waiting: OnWaiting,
    auth_timeout_s: float = AUTH_TIMEOUT_S,
) -> AdbConnection:
    """Connect to the phone that `find_phone` finds on a cable, whatever this program reaches cables with.

    A phone that does not answer properly is searched for again, up to `MAX_ATTEMPTS` times: an earlier program may have
    left it in the middle of a packet, or its owner has just chosen "File transfer" and it reappears as a new device.
    Raises PhoneError: what the first attempt failed with.
    """
    first_error: PhoneError | None = None
    for attempt in range(MAX_ATTEMPTS):
        if attempt:
            time.sleep(RETRY_DELAY_S)
        try:
            return _authenticate(find_phone(), "usb", load_key(), on_waiting, auth_timeout_s)
        except PhoneError as error:
            if error.name not in (_RETRYABLE if first_error is None else _RETRYABLE | _RETRYABLE_AFTER_FIRST):
                raise
            first_error = first_error or error
    assert first_error is not None  # noqa: S101 - the loop ran
    raise first_error


def connect_tcp(
    host: str,
    port: int,
    *,
    on_waiting: OnWaiting,
    auth_timeout_s: float = AUTH_TIMEOUT_S,
    key_folder: Path | None = None,
    key: AdbKey | None = None,
    on_key_created: OnKeyCreated | None = None,
) -> AdbConnection:
    """Connect to a phone over the network. Arguments as `connect_usb`.

    Raises PhoneError ``no_answer``, ``needs_pairing``, ``not_adb``, ``not_allowed``, ``silent``, ``lost``,
    ``key_unreadable`` or ``key_folder_unwritable``.
    """
    stream = TcpStream(host, port)
    key = key or load_or_create(key_folder, on_key_created)
    return _authenticate(stream, "tcp", key, on_waiting, auth_timeout_s)


def _authenticate(
    stream: DeviceStream, kind: Literal["usb", "tcp"], key: AdbKey, on_waiting: OnWaiting, auth_timeout_s: float
) -> AdbConnection:
    session = AdbSession(stream)
    prompt = AuthorizationPrompt(key.fingerprint, on_waiting, auth_timeout_s)

    def on_prompt(_: object) -> None:
        stream.on_idle = prompt
        prompt()

    try:
        # Besides the time-out of each message, one for the whole: a phone could send a little now and then for ever.
        with stream.deadline(_HANDSHAKE_REPLIES * HANDSHAKE_TIMEOUT_S + auth_timeout_s):
            session.handshake(
                rsa_keys=[key],
                transport_timeout_s=HANDSHAKE_TIMEOUT_S,
                auth_timeout_s=auth_timeout_s,
                read_timeout_s=max(HANDSHAKE_TIMEOUT_S, auth_timeout_s),
                auth_callback=on_prompt,
            )
    except BaseException as error:
        stream.close()
        if isinstance(error, PhoneError) and error.name in {"silent", "too_slow"} and prompt.is_shown:
            raise prompt.timeout_error from error
        if isinstance(error, PhoneError) and error.name == "garbled":
            raise PhoneError("errors.not_adb") from error
        raise
    stream.on_idle = None
    return AdbConnection(session, stream, kind)
