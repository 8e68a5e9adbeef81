"""A phone on loopback that speaks the real ADB protocol, for demonstration and tests. Only its programs change it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Final, Self

from privaudit.virtual_phone.adbd.auth import KeyPolicy, is_valid_signature, parse_adb_public_key
from privaudit.virtual_phone.adbd.connection import ConnectParameters, HostConnection
from privaudit.virtual_phone.adbd.faults import FaultInjector
from privaudit.virtual_phone.adbd.files import FileTree
from privaudit.virtual_phone.adbd.line import SimulatedLink
from privaudit.virtual_phone.adbd.services import AdbServices
from privaudit.virtual_phone.adbd.wire import MAX_PAYLOAD, VERSION_SKIP_CHECKSUM
from privaudit.virtual_phone.shell import Program

DEFAULT_FEATURES: Final = ("shell_v2", "cmd", "stat_v2", "ls_v2")
"""What the phone announces unless told otherwise; none for a phone below Android 7."""

_EMULATOR_PORTS: Final = range(5555, 5586)
"""An ADB server looks for emulators there and would connect by itself."""


class AdbdServer:
    """Listens from construction to `close`, or for the length of a ``with`` block.

    Args:
        programs: what the phone's shell can run, by name.
        files: content by absolute path on the phone; folders follow from the paths.
        product: ``ro.product.name``.
        model: ``ro.product.model``.
        device: ``ro.product.device``.
        keys: which computers may talk to it.
        features: what it announces.
        max_payload: bytes of one message; `wire.MAX_PAYLOAD_V1` for Android 6 and older.
        version: `wire.VERSION_CHECKSUM` for Android 8.1 and older.
        crlf: whether ``shell:`` turns LF into CRLF, as below Android 7.
        port: where to listen on 127.0.0.1; 0: where there is room.
        bytes_per_s: how much it sends at most; ``None``: as fast as it can.
        latency_s: how long each of its messages is under way.

    Raises:
        OSError: the port is taken.
    """

    def __init__(  # noqa: PLR0913 - a phone has many properties, each with a default
        self,
        *,
        programs: Mapping[str, Program],
        files: Mapping[str, bytes] | None = None,
        product: str = "demo",
        model: str = "Demo phone",
        device: str = "demo",
        key_policy: KeyPolicy = KeyPolicy(),  # noqa: B008 - frozen
        features: Iterable[str] = DEFAULT_FEATURES,
        max_payload: int = MAX_PAYLOAD,
        version: int = VERSION_SKIP_CHECKSUM,
        crlf: bool = False,
        port: int = 0,
        bytes_per_s: float | None = None,
        latency_s: float = 0.0,
    ) -> None:
        announced = tuple(features)
        banner = (
            f"device::ro.product.name={product};ro.product.model={model};ro.product.device={device};"
            f"features={','.join(announced)}"
        )
        self.link = SimulatedLink(bytes_per_s, latency_s)
        """By which it sends."""
        self.faults = FaultInjector()
        """What goes wrong on the way; nothing, unless it is told to."""
        self.key_policy = key_policy
        """May be replaced while the phone runs; holds for the next question."""
        self.commands: list[str] = []
        """Every shell command received, in order."""
        self._parameters = ConnectParameters(version=version, max_payload=max_payload, banner=banner.encode())
        self._services = AdbServices(
            programs=programs,
            files=FileTree(files),
            features=frozenset(announced),
            crlf=crlf,
            on_command=self.commands.append,
        )
        self._authorized_keys = {key for key in map(parse_adb_public_key, key_policy.known_keys) if key}
        self._lock = threading.Lock()
        self._closing = False
        self._connections: dict[HostConnection, threading.Thread] = {}
        self._listener = _open_listener(port)
        self.host, self.port = self._listener.getsockname()
        self._accept_thread = threading.Thread(target=self._accept, name="demo phone: door", daemon=True)
        self._accept_thread.start()

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT``."""
        return f"{self.host}:{self.port}"

    def close(self) -> None:
        """Stop: end every connection and wait until nothing of it is left. May be called twice."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            open_now = dict(self._connections)
        # Wakes the thread that waits for the next computer, on every system.
        with contextlib.suppress(OSError):
            socket.create_connection((self.host, self.port), timeout=5).close()
        # And where this computer has no loopback to come by.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accept_thread.join()
        self._listener.close()
        for connection, thread in open_now.items():
            connection.close()
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # --- what a connection asks ---

    def is_known_signature(self, token: bytes, signature: bytes) -> bool:
        """Whether a known computer made `signature` over `token`."""
        with self._lock:
            known = tuple(self._authorized_keys)
        return any(is_valid_signature(key, token, signature) for key in known)

    def authorize_key(self, key: bytes) -> None:
        """Know the computer with this public key from now on."""
        parsed = parse_adb_public_key(key)
        if parsed:
            with self._lock:
                self._authorized_keys.add(parsed)

    def revoke_authorizations(self) -> None:
        """The owner taps "Revoke USB debugging authorisations": nobody is known any more, and adbd hangs up."""
        with self._lock:
            self._authorized_keys.clear()
            open_now = tuple(self._connections)
        for connection in open_now:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                # The computer gave up before it was let in, or this one is short of sockets.
                time.sleep(0.05)
                if self._closing:
                    return
                continue
            with self._lock:
                if self._closing:
                    sock.close()
                    return
                connection = HostConnection(sock, self._parameters, self._services, self)
                thread = threading.Thread(target=self._serve, args=(connection,), name="demo phone", daemon=True)
                self._connections[connection] = thread
                thread.start()

    def _serve(self, connection: HostConnection) -> None:
        connection.serve()
        with self._lock:
            self._connections.pop(connection, None)


def _open_listener(port: int) -> socket.socket:
    passed_over = []
    try:
        while True:
            listener = socket.create_server(("127.0.0.1", port))
            if port or listener.getsockname()[1] not in _EMULATOR_PORTS:
                return listener
            passed_over.append(listener)
    finally:
        for listener in passed_over:
            listener.close()
