"""adb-shell's ADB protocol, extended by what it discards: the phone's features, and the reply "no such service"."""

import contextlib
import re
import sys
from collections.abc import Callable, Collection, Generator, Iterator
from typing import Any, Final

from adb_shell.adb_message import AdbMessage, checksum, unpack
from adb_shell.constants import CLSE, CNXN, ID_TO_WIRE, MAX_ADB_DATA, MESSAGE_SIZE, OKAY, OPEN, WIRE_TO_ID
from adb_shell.exceptions import AdbTimeoutError, InvalidChecksumError, InvalidCommandError, InvalidResponseError
from adb_shell.hidden_helpers import _AdbTransactionInfo

from privaudit.errors import PhoneError
from privaudit.transport.stream import DeviceStream

_VERSION_SKIP_CHECKSUM: Final = 0x01000001
"""AOSP ``adb.h``, ``A_VERSION_SKIP_CHECKSUM``."""
_MAGIC_MASK: Final = 0xFFFFFFFF
_MIN_PAYLOAD_BYTES: Final = 4096
"""Payload that every adbd accepts (AOSP ``adb.h``, ``MAX_PAYLOAD_V1``)."""
MAX_STRAY_PACKETS: Final = 64
"""Packets in a row that belong to no open stream; a phone sends two after a stream that was closed before its end."""
_USB_TRANSPORT_MODULE: Final = "adb_shell.transport.usb_transport"
_not_imported = _USB_TRANSPORT_MODULE not in sys.modules
if _not_imported:
    # Importing it loads the system's libusb, before ours and even for the network; if that fails, nothing of adb-shell
    # can be imported. adb-shell works without this module.
    sys.modules[_USB_TRANSPORT_MODULE] = None  # type: ignore[assignment]
try:
    from adb_shell.adb_device import AdbDevice, _AdbIOManager
finally:
    if _not_imported:
        del sys.modules[_USB_TRANSPORT_MODULE]


class _AdbIO(_AdbIOManager):  # type: ignore[misc]  # adb-shell has no types
    """Keeps the banner, which adb-shell discards, and omits checksums if the phone allows it.

    A checksum over all bytes costs more than everything else together, and USB and TCP have better ones of their own.
    Phones since Android 9 omit it for a computer that announces the newer protocol version.

    Our streams run one after another, so packets of no stream or of another one are dropped; adb-shell would store them
    without limit.
    """

    banner = b""

    def _send(self, msg: AdbMessage, adb_info: _AdbTransactionInfo) -> None:
        if msg.command == ID_TO_WIRE[CNXN]:
            msg.arg0 = _VERSION_SKIP_CHECKSUM
        super()._send(msg, adb_info)

    def read(
        self,
        expected_cmds: Collection[bytes],
        adb_info: _AdbTransactionInfo,
        allow_zeros: bool = False,  # noqa: FBT001, FBT002 - as adb-shell calls it
    ) -> tuple[bytes, int, int, bytes]:
        return self._read_matching_packet(
            expected_cmds, adb_info, lambda arg0, arg1: adb_info.args_match(arg0, arg1, allow_zeros)
        )

    def _read_expected_packet_from_device(
        self, expected_cmds: Collection[bytes], adb_info: _AdbTransactionInfo
    ) -> tuple[bytes, int, int, bytes]:
        return self._read_matching_packet(expected_cmds, adb_info, lambda _arg0, _arg1: True)

    def _read_matching_packet(
        self, commands: Collection[bytes], adb_info: _AdbTransactionInfo, is_match: Callable[[int, int], bool]
    ) -> tuple[bytes, int, int, bytes]:
        for _ in range(MAX_STRAY_PACKETS + 1):
            packet = self._read_packet_from_device(adb_info)
            if packet[0] in commands and is_match(packet[1], packet[2]):
                return packet
        raise PhoneError("errors.garbled")

    def _read_packet_from_device(self, adb_info: _AdbTransactionInfo) -> tuple[bytes, int, int, bytes]:
        header = self._read_bytes_from_device(MESSAGE_SIZE, adb_info)
        command_code, arg0, arg1, size, expected_checksum = unpack(header)
        command = WIRE_TO_ID.get(command_code)
        magic = int.from_bytes(header[20:24], "little")
        if command_code ^ magic != _MAGIC_MASK:  # AOSP ``transport.cpp``, ``check_header``
            raise PhoneError("errors.garbled")
        if command is None:
            raise InvalidCommandError(f"Unknown command: {header[:4]!r}")
        data: bytes = self._read_bytes_from_device(size, adb_info) if size else b""
        if expected_checksum and expected_checksum != checksum(data):  # 0: the phone omits checksums
            raise InvalidChecksumError
        if command == CNXN:
            self.banner = data
        return command, arg0, arg1, data


class AdbSession(AdbDevice):  # type: ignore[misc]
    """An ADB session over a `DeviceStream`."""

    def __init__(self, stream: DeviceStream) -> None:
        super().__init__(stream, banner=b"privaudit")  # adb-shell would send this computer's host name
        self._io_manager = _AdbIO(stream)
        self._last_stream_id = 0

    @property
    def features(self) -> frozenset[str]:
        """The features in the phone's banner ``device::ro.product.name=…;features=shell_v2,cmd,…``."""
        match = re.search(rb"[:;]features=([^;\0]*)", self._io_manager.banner)
        return frozenset(match[1].decode("utf-8", "replace").split(",")) if match else frozenset()

    @property
    def max_payload_bytes(self) -> int:
        """Largest payload that the phone accepts: 4096 bytes before Android 7, then 256 KB, 1 MB from Android 9."""
        limit: int = min(self._maxdata, MAX_ADB_DATA)
        return limit

    def handshake(self, **options: Any) -> None:  # noqa: ANN401 - passed on to adb-shell
        """Open the stream and authenticate; `options` as `AdbDevice.connect`. Raises PhoneError."""
        with translate_errors():
            self.connect(**options)
        if self.max_payload_bytes < _MIN_PAYLOAD_BYTES:
            raise PhoneError("errors.garbled")

    def read_service(self, service: bytes, idle_timeout_s: float) -> Generator[bytes, None, None]:
        """Open `service` and yield its output in chunks. Closing the generator early ends the service on the phone.

        Raises PhoneError as `DeviceStream`, with ``silent`` after `idle_timeout_s`; ``garbled``; ``refused``.
        """
        with translate_errors():
            self._last_stream_id = self._last_stream_id % 0xFFFFFFFF + 1
            info = _AdbTransactionInfo(self._last_stream_id, None, idle_timeout_s, idle_timeout_s)
            self._io_manager.send(AdbMessage(OPEN, info.local_id, 0, service + b"\0"), info)
            # adb-shell waits only for OKAY, so that a phone without this service would make it run into its time-out.
            reply, info.remote_id, _, _ = self._io_manager.read([OKAY, CLSE], info)
            if reply == CLSE:
                raise PhoneError("errors.refused")
            try:
                yield from self._read_until_close(info)
            except GeneratorExit:
                with contextlib.suppress(PhoneError):
                    self._io_manager.send(AdbMessage(CLSE, info.local_id, info.remote_id), info)
                raise


@contextlib.contextmanager
def translate_errors() -> Iterator[None]:
    """Turn adb-shell's errors into ours."""
    try:
        yield
    except AdbTimeoutError as error:
        raise PhoneError("errors.silent") from error
    except InvalidCommandError as error:
        # The wireless debugging of Android 11 replies STLS: it requires TLS and pairing, which adb-shell lacks.
        raise PhoneError("errors.needs_pairing" if "STLS" in str(error) else "errors.garbled") from error
    except (InvalidChecksumError, InvalidResponseError) as error:
        raise PhoneError("errors.garbled") from error
