"""An ADB daemon on loopback that speaks the real protocol: the listener, its connections, and the shell services.

One module, because a connection needs its server's keys, link and faults, and a service its connection's streams.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Self, TypeAlias

from privaudit.interruptible import WAIT_SLICE_S, join_thread
from privaudit.virtual_phone.adbd import wire
from privaudit.virtual_phone.adbd.auth import TOKEN_SIZE, AuthType, KeyPolicy, is_valid_signature, parse_adb_public_key
from privaudit.virtual_phone.shell import FileTree, InputStream, OutputSink, Program, Shell

DEFAULT_FEATURES: Final = ("shell_v2", "cmd")
"""Features that the phone announces by default; a phone below Android 7 has none."""

_AdbService: TypeAlias = Callable[[wire.AdbStream], None]

_EMULATOR_PORTS: Final = range(5555, 5586)
"""An ADB server looks for emulators on these ports and would connect by itself."""
_MAX_STREAMS: Final = 64
_ACCEPT_RETRY_S: Final = 0.05


class AdbdServer:
    """Listens from construction to `close`, or for the length of a ``with`` block. Only its programs change the phone.

    `files` are contents by absolute path; folders follow from the paths. Android 6 and older have `wire.MAX_PAYLOAD_V1`
    and `crlf`: ``shell:`` turns LF into CRLF. Android 8.1 and older have `wire.VERSION_CHECKSUM`. `port` 0 is any free
    one; a port that is taken raises `OSError`. `link` limits what the phone sends.
    """

    def __init__(  # noqa: PLR0913 - a phone has many properties, each with a default
        self,
        *,
        programs: Mapping[str, Program],
        files: Mapping[str, bytes] | None = None,
        model: str = "Demo phone",
        key_policy: KeyPolicy = KeyPolicy(),  # noqa: B008 - frozen
        features: Iterable[str] = DEFAULT_FEATURES,
        max_payload: int = wire.MAX_PAYLOAD,
        version: int = wire.VERSION_SKIP_CHECKSUM,
        crlf: bool = False,
        port: int = 0,
        link: wire.SimulatedLink | None = None,
    ) -> None:
        features = tuple(features)
        product = f"ro.product.name=demo;ro.product.model={model};ro.product.device=demo"
        self.banner = f"device::{product};features={','.join(features)}".encode()
        self.features = frozenset(features)
        self.programs = programs
        self.files = FileTree(files)
        self.max_payload = max_payload
        self.version = version
        self.crlf = crlf
        self.link = wire.SimulatedLink() if link is None else link
        """May be replaced at any time."""
        self.faults = wire.FaultInjector()
        """Errors on the wire; none by default."""
        self.key_policy = key_policy
        """May be replaced while the phone runs; holds for the next connection."""
        self.commands: list[str] = []
        """Every shell command received, in order."""
        self._authorized_keys = {key for key in map(parse_adb_public_key, key_policy.known_keys) if key}
        self._lock = threading.Lock()
        self._closing = False
        self._connections: dict[_HostConnection, threading.Thread] = {}
        self._listener = _open_listener(port)
        self.host, self.port = self._listener.getsockname()
        self._accept_thread = threading.Thread(target=self._accept, name="demo phone: listener", daemon=True)
        self._accept_thread.start()

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT``."""
        return f"{self.host}:{self.port}"

    def close(self) -> None:
        """End every connection and wait until its threads have ended. May be called twice."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            connections = dict(self._connections)
        # Wakes the accepting thread, on every system.
        with contextlib.suppress(OSError):
            socket.create_connection((self.host, self.port), timeout=5).close()
        # Wakes it on a computer whose loopback is down.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if sys.platform == "win32":  # where that ends no other thread's ``accept``
            self._listener.close()
        join_thread(self._accept_thread)
        self._listener.close()
        for connection, thread in connections.items():
            connection.close()
            join_thread(thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def is_known_signature(self, token: bytes, signature: bytes) -> bool:
        """Whether an authorised computer made `signature` over `token`."""
        with self._lock:
            keys = tuple(self._authorized_keys)
        return any(is_valid_signature(key, token, signature) for key in keys)

    def authorize_key(self, key: bytes) -> None:
        """Authorise the computer with this public key from now on."""
        parsed = parse_adb_public_key(key)
        if parsed:
            with self._lock:
                self._authorized_keys.add(parsed)

    def revoke_authorizations(self) -> None:
        """Do what the owner's tap on "Revoke USB debugging authorisations" does: forget all keys and disconnect."""
        with self._lock:
            self._authorized_keys.clear()
            connections = tuple(self._connections)
        for connection in connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                # The client gave up before it was accepted, or this computer is short of sockets.
                time.sleep(_ACCEPT_RETRY_S)
                if self._closing:
                    return
                continue
            with self._lock:
                if self._closing:
                    sock.close()
                    return
                connection = _HostConnection(sock, self)
                thread = threading.Thread(target=self._serve, args=(connection,), name="demo phone", daemon=True)
                self._connections[connection] = thread
                thread.start()

    def _serve(self, connection: _HostConnection) -> None:
        connection.serve()
        with self._lock:
            self._connections.pop(connection, None)


def _open_listener(port: int) -> socket.socket:
    rejected = []
    try:
        while True:
            listener = socket.create_server(("127.0.0.1", port))
            if port or listener.getsockname()[1] not in _EMULATOR_PORTS:
                return listener
            rejected.append(listener)
    finally:
        for listener in rejected:
            listener.close()


class _HostConnection:
    """Serves one socket until either side closes it."""

    def __init__(self, sock: socket.socket, server: AdbdServer) -> None:
        self._sock = sock
        self._readable = selectors.DefaultSelector()
        self._readable.register(sock, selectors.EVENT_READ)
        self._server = server
        self._send_lock = threading.Lock()
        self._closed = threading.Event()
        self._checksum = True
        self._max_payload = server.max_payload
        self._online = False
        self._prompted = False
        self._token = b""
        self._streams: dict[int, wire.AdbStream] = {}
        self._threads: list[threading.Thread] = []
        self._stream_ids = itertools.count(1)

    def serve(self) -> None:
        """Answer until the connection ends, then wait for its threads."""
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            limit = self._server.max_payload
            while message := wire.receive_message(self._receive, max_payload=limit, checksum=self._checksum):
                self._handle(message)
        except (OSError, wire.AdbProtocolError):
            pass  # The client vanished or does not speak ADB: there is nobody to report it to.
        finally:
            self.close()
            for stream in list(self._streams.values()):
                stream.on_close(answer=False)
            for thread in self._threads:
                join_thread(thread)
            self._readable.close()
            self._sock.close()

    def _receive(self, size: int) -> bytes:
        """Receive up to `size` bytes; none once this connection is closed.

        On Windows, ``shutdown`` does not end another thread's ``recv``: an idle client would keep it for ever.
        """
        while not self._closed.is_set():
            if self._readable.select(WAIT_SLICE_S):
                return self._sock.recv(size)
        return b""

    def close(self) -> None:
        """Make `serve` end. May be called from any thread, and more than once."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        if sys.platform == "win32":  # where that does not end another thread's ``send`` either
            self._sock.close()

    def _send(self, message: wire.AdbMessage) -> None:
        since = self._server.link.now()
        data = message.encode(checksum=self._checksum)
        with self._send_lock:
            self._server.link.wait_for_transfer(len(data), since)
            try:
                for piece in self._server.faults.apply_transform(data):
                    allowed = self._server.faults.limit_send(len(piece))
                    self._sock.sendall(piece[:allowed])
                    if allowed < len(piece):
                        raise ConnectionResetError("the cable was pulled")
            except OSError:
                self.close()  # Wakes the threads that wait for the client, such as a stream with more to send.
                raise

    def _handle(self, message: wire.AdbMessage) -> None:
        match message.command:
            case wire.AdbCommand.CNXN:
                self._handle_connect(message)
            case wire.AdbCommand.AUTH:
                self._handle_auth(message)
            case wire.AdbCommand.OPEN if self._online:
                self._open_stream(message)
            case wire.AdbCommand.OKAY | wire.AdbCommand.WRTE | wire.AdbCommand.CLSE if self._online:
                self._dispatch_to_stream(message)

    def _handle_connect(self, message: wire.AdbMessage) -> None:
        for stream in list(self._streams.values()):
            stream.on_close(answer=False)
        self._online = False
        self._max_payload = min(message.arg1, self._server.max_payload)
        agreed = min(message.arg0, self._server.version)
        if not self._max_payload or agreed < wire.VERSION_CHECKSUM:
            raise wire.AdbProtocolError("no common version or payload")
        self._checksum = agreed < wire.VERSION_SKIP_CHECKSUM
        if self._server.key_policy.required:
            self._send_auth_token()
        else:
            self._send_connect()

    def _send_auth_token(self) -> None:
        self._token = os.urandom(TOKEN_SIZE)
        self._send(wire.AdbMessage(wire.AdbCommand.AUTH, AuthType.TOKEN, 0, self._token))

    def _send_connect(self) -> None:
        self._online = True
        server = self._server
        self._send(wire.AdbMessage(wire.AdbCommand.CNXN, server.version, server.max_payload, server.banner))

    def _handle_auth(self, message: wire.AdbMessage) -> None:
        if self._online or not self._token:
            return
        if message.arg0 == AuthType.SIGNATURE:
            if self._server.is_known_signature(self._token, message.data):
                self._send_connect()
            else:
                self._send_auth_token()
        elif message.arg0 == AuthType.RSAPUBLICKEY and parse_adb_public_key(message.data) and not self._prompted:
            self._prompted = True
            self._start_thread(lambda: self._prompt_user(message.data), "demo phone: prompt")

    def _prompt_user(self, key: bytes) -> None:
        answer = self._server.key_policy.answer
        if answer in {"refuse", "ignore"}:
            return
        if not isinstance(answer, str) and self._closed.wait(answer):
            return
        if self._server.key_policy.always_allow:
            self._server.authorize_key(key)
        self._send_connect()

    def _open_stream(self, message: wire.AdbMessage) -> None:
        name = message.data.rstrip(b"\0").decode("utf-8", "surrogateescape")
        service = self._find_service(name) if len(self._streams) < _MAX_STREAMS else None
        if not message.arg0 or service is None:
            self._send(wire.AdbMessage(wire.AdbCommand.CLSE, 0, message.arg0))
            return
        local = next(self._stream_ids)
        stream = wire.AdbStream(self._send, local, message.arg0, self._max_payload)
        self._streams[local] = stream
        self._send(wire.AdbMessage(wire.AdbCommand.OKAY, local, message.arg0))
        self._start_thread(lambda: self._run_service(local, stream, service), f"demo phone: {name[:20]}")

    def _run_service(self, local: int, stream: wire.AdbStream, service: _AdbService) -> None:
        try:
            with contextlib.suppress(wire.StreamClosedError):  # The client has what it wanted.
                service(stream)
        finally:
            stream.finish()
            self._streams.pop(local, None)

    def _dispatch_to_stream(self, message: wire.AdbMessage) -> None:
        stream = self._streams.get(message.arg1)
        if stream is None:
            if message.command is wire.AdbCommand.OKAY:
                # As adbd does: the client confirms the last message of a stream that has ended since.
                self._send(wire.AdbMessage(wire.AdbCommand.CLSE, message.arg1, message.arg0))
        elif message.command is wire.AdbCommand.OKAY:
            stream.on_okay()
        elif message.command is wire.AdbCommand.WRTE:
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

    def _find_service(self, name: str) -> _AdbService | None:
        """Return the service called `name`; ``None``: this phone does not have it."""
        server = self._server
        kind, colon, command = name.partition(":")
        kind, *args = kind.split(",")
        if not colon or kind not in {"shell", "exec"} or (args and "shell_v2" not in server.features):
            return None
        terminal = "pty" in args or (kind == "shell" and not command and "raw" not in args)
        # Without a command, standard input is the script. At a terminal there is no prompt for it.
        command = _NO_PROMPT_SCRIPT if terminal and not command else command
        if "v2" in args:
            return lambda stream: self._run_shell_protocol(stream, command, terminal=terminal)
        crlf = kind == "shell" and (server.crlf or terminal)
        return lambda stream: self._run_raw(stream, command, crlf=crlf)

    def _run_raw(self, stream: wire.AdbStream, command: str, *, crlf: bool) -> None:
        """Run `command` with both outputs in one, and no exit status."""
        out = _with_crlf(stream.write) if crlf else stream.write
        self._run_command(stream, command, out, out, InputStream(wait=lambda: _read_until_closed(stream)))

    def _run_shell_protocol(self, stream: wire.AdbStream, command: str, *, terminal: bool) -> None:
        """Run `command` with the shell protocol: packets that name their stream, and the exit status at the end."""

        def sink(number: int) -> OutputSink:
            def write(data: bytes) -> None:
                for begin in range(0, len(data), _MAX_SHELL_PACKET_BYTES):
                    part = data[begin : begin + _MAX_SHELL_PACKET_BYTES]
                    stream.write(_SHELL_PACKET.pack(number, len(part)) + part)

            return write

        out = _with_crlf(sink(_STDOUT)) if terminal else sink(_STDOUT)
        err = out if terminal else sink(_STDERR)
        code = self._run_command(stream, command, out, err, InputStream(wait=lambda: _read_shell_stdin(stream)))
        sink(_EXIT)(bytes([code]))

    def _run_command(
        self, stream: wire.AdbStream, command: str, out: OutputSink, err: OutputSink, stdin: InputStream
    ) -> int:
        script = command or stdin.read_all().decode("utf-8", "surrogateescape")
        self._server.commands.append(script)
        shell = Shell(self._server.programs, self._server.files, sleep=stream.sleep)
        return shell.stream_script(script, out, err, stdin)


_SHELL_PACKET: Final = struct.Struct("<BI")
_MAX_SHELL_PACKET_BYTES: Final = wire.MAX_PAYLOAD
"""Size of the buffer in ``ShellProtocol`` (AOSP ``shell_protocol.h``)."""
_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
_MAX_STDIN_BYTES: Final = 16 * 1024 * 1024
_NO_PROMPT_SCRIPT: Final = "echo 'The demo phone has no prompt. Give it a command: adb shell COMMAND'; exit 1"


def _with_crlf(sink: OutputSink) -> OutputSink:
    return lambda data: sink(data.replace(b"\n", b"\r\n"))


def _read_until_closed(stream: wire.AdbStream) -> bytes:
    data = bytearray()
    with contextlib.suppress(wire.StreamClosedError):
        while len(data) <= _MAX_STDIN_BYTES:
            data += stream.read()
    return bytes(data)


def _read_shell_stdin(stream: wire.AdbStream) -> bytes:
    """Read standard input out of shell protocol packets, until the client closes it."""
    raw, data = bytearray(), bytearray()
    while len(data) + len(raw) <= _MAX_STDIN_BYTES:
        raw += stream.read()
        while len(raw) >= _SHELL_PACKET.size:
            number, length = _SHELL_PACKET.unpack_from(raw)
            if len(raw) < _SHELL_PACKET.size + length:
                break
            if number == _CLOSE_STDIN:
                return bytes(data)
            if number == _STDIN:
                data += raw[_SHELL_PACKET.size : _SHELL_PACKET.size + length]
            del raw[: _SHELL_PACKET.size + length]
    return bytes(data)
