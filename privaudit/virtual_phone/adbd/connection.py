"""One computer's connection to the demo phone: greeting, authorisation, streams."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from privaudit.virtual_phone.adbd.auth import TOKEN_SIZE, AuthType, KeyPolicy, parse_adb_public_key
from privaudit.virtual_phone.adbd.faults import FaultInjector
from privaudit.virtual_phone.adbd.line import SimulatedLink
from privaudit.virtual_phone.adbd.services import AdbService, AdbServices
from privaudit.virtual_phone.adbd.streams import AdbStream, StreamClosedError
from privaudit.virtual_phone.adbd.wire import (
    VERSION_CHECKSUM,
    VERSION_SKIP_CHECKSUM,
    AdbCommand,
    AdbMessage,
    AdbProtocolError,
    receive_message,
)

_MAX_STREAMS: Final = 64


class ConnectionOwner(Protocol):
    """What a connection needs of its phone's owner."""

    key_policy: KeyPolicy
    link: SimulatedLink
    faults: FaultInjector

    def is_known_signature(self, token: bytes, signature: bytes) -> bool:
        """Whether a known computer made `signature` over `token`."""
        ...

    def authorize_key(self, key: bytes) -> None:
        """Know the computer with this public key from now on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectParameters:
    """What the phone says of itself."""

    version: int
    max_payload: int
    banner: bytes


class HostConnection:
    """Serves one socket until either end has enough."""

    def __init__(
        self, sock: socket.socket, greeting: ConnectParameters, services: AdbServices, owner: ConnectionOwner
    ) -> None:
        self._sock = sock
        self._parameters = greeting
        self._services = services
        self._owner = owner
        self._send_lock = threading.Lock()
        self._closed = threading.Event()
        self._checksum = True
        self._max_payload = greeting.max_payload
        self._online = False
        self._prompted = False
        self._token = b""
        self._streams: dict[int, AdbStream] = {}
        self._threads: list[threading.Thread] = []
        self._last_stream_id = 0

    def serve(self) -> None:
        """Answer until the connection ends; leaves no thread behind."""
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while message := receive_message(
                self._sock, max_payload=self._parameters.max_payload, checksum=self._checksum
            ):
                self._handle(message)
        except (OSError, AdbProtocolError):
            pass  # The computer vanished or talks nonsense: nobody is there to be told.
        finally:
            self.close()
            for stream in list(self._streams.values()):
                stream.on_close(answer=False)
            for thread in self._threads:
                thread.join()
            self._sock.close()

    def close(self) -> None:
        """Make `serve` end. May be called from any thread, and again."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _send(self, message: AdbMessage) -> None:
        since = self._owner.link.now()
        data = message.encode(checksum=self._checksum)
        with self._send_lock:
            self._owner.link.wait_for_transfer(len(data), since)
            try:
                for piece in self._owner.faults.apply_transform(data):
                    allowed, pulled = self._owner.faults.limit_send(len(piece), self._closed)
                    self._sock.sendall(piece[:allowed])
                    if pulled:
                        raise ConnectionResetError("the cable was pulled")
            except OSError:
                self.close()  # wakes whoever waits for the computer, a stream with more to send too
                raise

    def _handle(self, message: AdbMessage) -> None:
        match message.command:
            case AdbCommand.CNXN:
                self._handle_connect(message)
            case AdbCommand.AUTH:
                self._handle_auth(message)
            case AdbCommand.OPEN if self._online:
                self._open_stream(message)
            case AdbCommand.OKAY | AdbCommand.WRTE | AdbCommand.CLSE if self._online:
                self._dispatch_to_stream(message)

    # --- who is there ---

    def _handle_connect(self, message: AdbMessage) -> None:
        for stream in list(self._streams.values()):
            stream.on_close(answer=False)
        self._online = False
        self._max_payload = min(message.arg1, self._parameters.max_payload)
        agreed = min(message.arg0, self._parameters.version)
        if not self._max_payload or agreed < VERSION_CHECKSUM:
            raise AdbProtocolError("nothing that could be agreed")
        self._checksum = agreed < VERSION_SKIP_CHECKSUM
        if self._owner.key_policy.required:
            self._send_auth_token()
        else:
            self._send_connect()

    def _send_auth_token(self) -> None:
        self._token = os.urandom(TOKEN_SIZE)
        self._send(AdbMessage(AdbCommand.AUTH, AuthType.TOKEN, 0, self._token))

    def _send_connect(self) -> None:
        self._online = True
        self._send(
            AdbMessage(AdbCommand.CNXN, self._parameters.version, self._parameters.max_payload, self._parameters.banner)
        )

    def _handle_auth(self, message: AdbMessage) -> None:
        if self._online or not self._token:
            return
        if message.arg0 == AuthType.SIGNATURE:
            if self._owner.is_known_signature(self._token, message.data):
                self._send_connect()
            else:
                self._send_auth_token()
        elif message.arg0 == AuthType.RSAPUBLICKEY and parse_adb_public_key(message.data) and not self._prompted:
            self._prompted = True
            self._start_thread(lambda: self._prompt_user(message.data), "demo phone: person")

    def _prompt_user(self, key: bytes) -> None:
        answer = self._owner.key_policy.answer
        if answer in {"refuse", "ignore"}:
            return
        if not isinstance(answer, str) and self._closed.wait(answer):
            return
        if self._owner.key_policy.always_allow:
            self._owner.authorize_key(key)
        self._send_connect()

    # --- streams ---

    def _open_stream(self, message: AdbMessage) -> None:
        name = message.data.rstrip(b"\0").decode("utf-8", "surrogateescape")
        service = self._services.find(name) if len(self._streams) < _MAX_STREAMS else None
        if not message.arg0 or service is None:
            self._send(AdbMessage(AdbCommand.CLSE, 0, message.arg0))
            return
        self._last_stream_id += 1
        local = self._last_stream_id
        stream = AdbStream(self._send, local, message.arg0, self._max_payload)
        self._streams[local] = stream
        self._send(AdbMessage(AdbCommand.OKAY, local, message.arg0))
        self._start_thread(lambda: self._run_service(local, stream, service), f"demo phone: {name[:20]}")

    def _run_service(self, local: int, stream: AdbStream, service: AdbService) -> None:
        try:
            service(stream)
        except StreamClosedError:
            pass  # The computer has what it wanted.
        finally:
            stream.finish()
            self._streams.pop(local, None)

    def _dispatch_to_stream(self, message: AdbMessage) -> None:
        stream = self._streams.get(message.arg1)
        if stream is None:
            if message.command is AdbCommand.OKAY:
                # As adbd does: the computer confirms the last message of a stream that has ended since.
                self._send(AdbMessage(AdbCommand.CLSE, message.arg1, message.arg0))
        elif message.command is AdbCommand.OKAY:
            stream.on_okay()
        elif message.command is AdbCommand.WRTE:
            stream.on_data(message.data)
        else:
            stream.on_close(answer=True)

    def _start_thread(self, target: Callable[[], None], name: str) -> None:
        def guarded() -> None:
            try:
                target()
            except OSError:
                self.close()

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
