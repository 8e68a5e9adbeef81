"""One computer's connection to the demo phone: greeting, authorisation, streams."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from privaudit.virtual_phone.adbd.auth import TOKEN_SIZE, AuthType, KeyPolicy, parse_key
from privaudit.virtual_phone.adbd.faults import Faults
from privaudit.virtual_phone.adbd.line import Line
from privaudit.virtual_phone.adbd.services import Service, Services
from privaudit.virtual_phone.adbd.streams import Stream, StreamClosedError
from privaudit.virtual_phone.adbd.wire import VERSION_CHECKSUM, VERSION_SKIP_CHECKSUM, Kind, Message, WireError, receive

_MAX_STREAMS: Final = 64


class Owner(Protocol):
    """What a connection needs of its phone's owner."""

    policy: KeyPolicy
    line: Line
    faults: Faults

    def knows(self, token: bytes, signature: bytes) -> bool:
        """Whether a known computer made `signature` over `token`."""
        ...

    def remember(self, key: bytes) -> None:
        """Know the computer with this public key from now on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What the phone says of itself."""

    version: int
    max_payload: int
    banner: bytes


class Connection:
    """Serves one socket until either end has enough."""

    def __init__(self, sock: socket.socket, greeting: Greeting, services: Services, owner: Owner) -> None:
        self._sock = sock
        self._greeting = greeting
        self._services = services
        self._owner = owner
        self._sending = threading.Lock()
        self._gone = threading.Event()
        self._checksum = True
        self._max_payload = greeting.max_payload
        self._online = False
        self._asked = False
        self._token = b""
        self._streams: dict[int, Stream] = {}
        self._threads: list[threading.Thread] = []
        self._opened = 0

    def serve(self) -> None:
        """Answer until the connection ends; leaves no thread behind."""
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while message := receive(self._sock, limit=self._greeting.max_payload, checksum=self._checksum):
                self._handle(message)
        except (OSError, WireError):
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
        self._gone.set()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _send(self, message: Message) -> None:
        since = self._owner.line.now()
        data = message.encode(checksum=self._checksum)
        with self._sending:
            self._owner.line.pass_through(len(data), since)
            try:
                for piece in self._owner.faults.instead(data):
                    allowed, pulled = self._owner.faults.allow(len(piece), self._gone)
                    self._sock.sendall(piece[:allowed])
                    if pulled:
                        raise ConnectionResetError("the cable was pulled")
            except OSError:
                self.close()  # wakes whoever waits for the computer, a stream with more to send too
                raise

    def _handle(self, message: Message) -> None:
        match message.kind:
            case Kind.CNXN:
                self._greet(message)
            case Kind.AUTH:
                self._authorise(message)
            case Kind.OPEN if self._online:
                self._open(message)
            case Kind.OKAY | Kind.WRTE | Kind.CLSE if self._online:
                self._to_stream(message)

    # --- who is there ---

    def _greet(self, message: Message) -> None:
        for stream in list(self._streams.values()):
            stream.on_close(answer=False)
        self._online = False
        self._max_payload = min(message.arg1, self._greeting.max_payload)
        agreed = min(message.arg0, self._greeting.version)
        if not self._max_payload or agreed < VERSION_CHECKSUM:
            raise WireError("nothing that could be agreed")
        self._checksum = agreed < VERSION_SKIP_CHECKSUM
        if self._owner.policy.required:
            self._challenge()
        else:
            self._welcome()

    def _challenge(self) -> None:
        self._token = os.urandom(TOKEN_SIZE)
        self._send(Message(Kind.AUTH, AuthType.TOKEN, 0, self._token))

    def _welcome(self) -> None:
        self._online = True
        self._send(Message(Kind.CNXN, self._greeting.version, self._greeting.max_payload, self._greeting.banner))

    def _authorise(self, message: Message) -> None:
        if self._online or not self._token:
            return
        if message.arg0 == AuthType.SIGNATURE:
            if self._owner.knows(self._token, message.data):
                self._welcome()
            else:
                self._challenge()
        elif message.arg0 == AuthType.RSAPUBLICKEY and parse_key(message.data) and not self._asked:
            self._asked = True
            self._start(lambda: self._ask(message.data), "demo phone: person")

    def _ask(self, key: bytes) -> None:
        answer = self._owner.policy.answer
        if answer in {"refuse", "ignore"}:
            return
        if not isinstance(answer, str) and self._gone.wait(answer):
            return
        if self._owner.policy.always:
            self._owner.remember(key)
        self._welcome()

    # --- streams ---

    def _open(self, message: Message) -> None:
        name = message.data.rstrip(b"\0").decode("utf-8", "surrogateescape")
        service = self._services.find(name) if len(self._streams) < _MAX_STREAMS else None
        if not message.arg0 or service is None:
            self._send(Message(Kind.CLSE, 0, message.arg0))
            return
        self._opened += 1
        local = self._opened
        stream = Stream(self._send, local, message.arg0, self._max_payload)
        self._streams[local] = stream
        self._send(Message(Kind.OKAY, local, message.arg0))
        self._start(lambda: self._serve(local, stream, service), f"demo phone: {name[:20]}")

    def _serve(self, local: int, stream: Stream, service: Service) -> None:
        try:
            service(stream)
        except StreamClosedError:
            pass  # The computer has what it wanted.
        finally:
            stream.finish()
            self._streams.pop(local, None)

    def _to_stream(self, message: Message) -> None:
        stream = self._streams.get(message.arg1)
        if stream is None:
            if message.kind is Kind.OKAY:
                # As adbd does: the computer confirms the last message of a stream that has ended since.
                self._send(Message(Kind.CLSE, message.arg1, message.arg0))
        elif message.kind is Kind.OKAY:
            stream.on_okay()
        elif message.kind is Kind.WRTE:
            stream.on_data(message.data)
        else:
            stream.on_close(answer=True)

    def _start(self, run: Callable[[], None], name: str) -> None:
        def guarded() -> None:
            try:
                run()
            except OSError:
                self.close()

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
