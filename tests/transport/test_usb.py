"""The cable: a made-up bus under the real code. A real one is measured in a laboratory, not in this suite."""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace

import libusb_package
import pytest
import usb1
from adb_shell.adb_message import AdbMessage
from adb_shell.constants import CLSE, CNXN, OKAY, WRTE

from privaudit.errors import WORDS, ConnectionLost, PhoneError
from privaudit.model import Command
from privaudit.transport import direct, usb

SERIAL = "A1B2C3D4"


def timed_out(received=b""):
    error = usb1.USBErrorTimeout()
    error.received = received
    return error


class Handle:
    """An opened phone: answers ADB at once, and notes what is done to it."""

    def __init__(self, phone):
        self.phone = phone
        self.done = []
        self.writes = []
        self._said = b""

    def kernelDriverActive(self, _):  # noqa: N802
        return self.phone.kernel_driver

    def detachKernelDriver(self, number):  # noqa: N802
        self.done.append(("detach", number))

    def claimInterface(self, number):  # noqa: N802
        self.done.append(("claim", number))
        if self.phone.claim_error:
            raise self.phone.claim_error

    def releaseInterface(self, number):  # noqa: N802
        self.done.append(("release", number))

    def close(self):
        self.done.append(("close",))

    def bulkWrite(self, endpoint, data, timeout):  # noqa: N802
        assert endpoint == 0x01
        assert timeout > 0
        taken = bytes(data)[: self.phone.takes]
        self.writes.append(taken)
        if self.phone.write_error:
            raise self.phone.write_error
        if len(taken) == 24:
            self._answer(taken)
        return len(taken)

    def bulkRead(self, endpoint, size, timeout):  # noqa: N802
        assert endpoint == 0x82
        assert timeout > 0
        self.done.append(("read", size))
        if self.phone.read_errors:
            raise self.phone.read_errors.pop(0)
        if not self._said:
            raise timed_out()
        data, self._said = self._said[:size], self._said[size:]
        return bytearray(data)

    def _answer(self, head):
        say = {
            b"CNXN": [AdbMessage(CNXN, 0x01000000, 1 << 20, b"device::features=shell_v2\0")],
            b"OPEN": [
                AdbMessage(OKAY, 9, head[4]),
                AdbMessage(WRTE, 9, head[4], b"\1\3\0\0\0out\3\1\0\0\0\0"),
                AdbMessage(CLSE, 9, head[4]),
            ],
            b"CLSE": [AdbMessage(CLSE, 9, head[4])],
        }
        for message in say.get(head[:4], []) if self.phone.speaks else []:
            self._said += message.pack() + message.data


class Device:
    """A phone on the bus."""

    def __init__(self, serial=SERIAL, product="Phone", **more):
        self.serial, self.product = serial, product
        self.handles = []
        self.open_error = self.claim_error = self.write_error = self.name_error = None
        self.kernel_driver = False
        self.read_errors = []
        self.takes = 1 << 30
        self.packet_size = 512
        self.speaks = True
        self.kind = (0xFF, 0x42, 0x01)
        vars(self).update(more)

    def iterSettings(self):  # noqa: N802
        for kind in ((0x06, 0x01, 0x01), self.kind):
            yield SimpleNamespace(
                getClass=lambda kind=kind: kind[0],
                getSubClass=lambda kind=kind: kind[1],
                getProtocol=lambda kind=kind: kind[2],
                getNumber=lambda kind=kind: 1 if kind == self.kind else 0,
                iterEndpoints=lambda: [
                    SimpleNamespace(getAddress=lambda: 0x01, getMaxPacketSize=lambda: self.packet_size),
                    SimpleNamespace(getAddress=lambda: 0x82, getMaxPacketSize=lambda: self.packet_size),
                ],
            )

    def getVendorID(self):  # noqa: N802
        return 0x18D1

    def getProductID(self):  # noqa: N802
        return 0x4EE7

    def getSerialNumber(self):  # noqa: N802
        if self.name_error:
            raise self.name_error
        return self.serial

    def getProduct(self):  # noqa: N802
        return self.product

    def open(self):
        if self.open_error:
            raise self.open_error
        self.handles.append(Handle(self))
        return self.handles[-1]


@pytest.fixture
def bus(monkeypatch, tmp_path):
    """What is plugged in, one list for each look at the bus; the last one stays."""
    looks = [[]]

    class Context:
        def open(self):
            return self

        def getDeviceIterator(self, skip_on_error):  # noqa: N802
            assert skip_on_error
            return iter(looks.pop(0) if len(looks) > 1 else looks[0])

    errors = {name: getattr(usb1, name) for name in dir(usb1) if name.startswith("USBError")}
    monkeypatch.setattr(usb, "libusb", lambda: SimpleNamespace(USBContext=Context, **errors))
    naps = []
    monkeypatch.setattr(direct.time, "sleep", naps.append)
    monkeypatch.setattr(direct, "HELLO_TIMEOUT_S", 0.05)
    looks_and_naps = SimpleNamespace(looks=looks, naps=naps)

    def dial(serial=None):
        return direct.over_usb(serial=serial, on_waiting=lambda _: None, key_folder=tmp_path)

    looks_and_naps.dial = dial
    looks_and_naps.error = lambda serial=None: _error(dial, serial)
    return looks_and_naps


def _error(dial, serial):
    with pytest.raises(PhoneError) as caught:
        dial(serial)
    return caught.value


def ask(text="x"):
    return Command(text=text, why="test")


class TestChoosing:
    def test_the_only_phone(self, bus):
        phone = Device()
        bus.looks[0] = [Device(kind=(0x08, 0x06, 0x50)), phone]
        with bus.dial() as transport:
            assert transport.kind == "usb"
            assert transport.run(ask()).stdout == b"out"
        assert phone.handles[0].done[0] == ("claim", 1)

    def test_no_phone(self, bus):
        bus.looks[0] = [Device(kind=(0x08, 0x06, 0x50))]
        assert bus.error().name == "no_phone"
        assert bus.naps == []

    def test_several_phones_are_told_apart_without_their_serials(self, bus):
        bus.looks[0] = [Device("11112222", "Redmi"), Device("33334444", None)]
        error = bus.error()
        assert error.name == "several_phones"
        assert error.values == {"phones": ("Redmi (…2222)", "USB 18d1:4ee7 (…4444)")}

    @pytest.mark.parametrize("given", ["33334444", "4444", "4"])
    def test_by_serial_or_its_end(self, bus, given):
        chosen = Device("33334444")
        bus.looks[0] = [Device("11112222"), chosen]
        bus.dial(given).close()
        assert len(chosen.handles) == 1

    def test_a_whole_serial_wins_over_an_end(self, bus):
        chosen = Device("2222")
        bus.looks[0] = [Device("11112222"), chosen]
        bus.dial("2222").close()
        assert len(chosen.handles) == 1

    def test_an_end_that_fits_two(self, bus):
        bus.looks[0] = [Device("11112222"), Device("33332222"), Device("5555")]
        error = bus.error("2222")
        assert error.name == "several_phones"
        assert len(error.values["phones"]) == 2

    def test_an_end_that_fits_none(self, bus):
        bus.looks[0] = [Device("11112222")]
        error = bus.error("9")
        assert (error.name, error.values) == ("serial_not_found", {"phones": ("Phone (…2222)",)})

    def test_one_locked_phone_hides_no_other(self, bus):
        chosen = Device("33334444")
        bus.looks[0] = [Device(name_error=usb1.USBErrorAccess(), open_error=usb1.USBErrorAccess()), chosen]
        bus.dial("4444").close()
        assert len(chosen.handles) == 1

    def test_the_named_phone_may_be_the_locked_one(self, bus, monkeypatch):
        monkeypatch.setattr(sys, "platform", "linux")
        bus.looks[0] = [Device(name_error=usb1.USBErrorAccess()), Device("11112222")]
        assert bus.error("9").name == "no_permission"


class TestObstacles:
    @pytest.mark.parametrize(
        ("platform", "name"),
        [("linux", "no_permission"), ("darwin", "no_permission_macos"), ("win32", "no_permission_windows")],
    )
    def test_no_permission(self, bus, monkeypatch, platform, name):
        monkeypatch.setattr(sys, "platform", platform)
        bus.looks[0] = [Device(open_error=usb1.USBErrorAccess())]
        assert bus.error().name == name
        assert bus.naps == []

    def test_busy(self, bus):
        bus.looks[0] = [Device(claim_error=usb1.USBErrorBusy())]
        assert bus.error().name == "busy"
        assert bus.naps == []

    def test_no_driver(self, bus):
        bus.looks[0] = [Device(open_error=usb1.USBErrorNotSupported())]
        assert bus.error().name == "windows_driver"

    def test_no_usb_at_all(self, bus, monkeypatch):
        def broken():
            raise usb1.USBErrorOther

        errors = {name: getattr(usb1, name) for name in dir(usb1) if name.startswith("USBError")}
        monkeypatch.setattr(usb, "libusb", lambda: SimpleNamespace(USBContext=broken, **errors))
        assert bus.error().name == "no_usb"

    @pytest.mark.parametrize("platform", ["linux", "darwin"])
    def test_a_kernel_driver_gives_way_on_linux_only(self, bus, monkeypatch, platform):
        monkeypatch.setattr(sys, "platform", platform)
        phone = Device(kernel_driver=True)
        bus.looks[0] = [phone]
        bus.dial().close()
        assert (("detach", 1) in phone.handles[0].done) is (platform == "linux")

    def test_words_exist_for_each_obstacle(self):
        names = {key.rpartition(".")[0] for key in WORDS}
        assert {"no_permission", "no_permission_macos", "no_permission_windows", "busy", "windows_driver"} <= names


class TestTrying:
    def test_a_stale_session_is_tried_again_with_a_fresh_look(self, bus):
        stale, fresh = Device(read_errors=[usb1.USBErrorIO()]), Device()
        bus.looks[:] = [[stale], [], [fresh]]
        with bus.dial() as transport:
            assert transport.run(ask()).exit_code == 0
        assert bus.naps == [1.2, 1.2]
        assert stale.handles[0].done[-1] == ("close",)

    def test_three_times_is_enough(self, bus):
        bus.looks[0] = [Device(write_error=usb1.USBErrorNoDevice())]
        assert bus.error().name == "lost"
        assert len(bus.naps) == 2

    def test_a_phone_that_says_nothing(self, bus):
        bus.looks[0] = [Device(speaks=False)]
        assert bus.error().name == "silent"
        assert len(bus.naps) == 2

    def test_what_happened_first_is_said(self, bus):
        bus.looks[:] = [[Device(write_error=usb1.USBErrorPipe())], []]
        assert bus.error().name == "lost"


class TestBytes:
    @pytest.fixture
    def phone(self, bus):
        bus.looks[0] = [Device()]
        return bus.looks[0][0]

    @pytest.mark.parametrize("packet_size", [64, 512, 1024])
    @pytest.mark.parametrize(("packets", "more", "empty"), [(1, 0, 1), (2, 0, 1), (2, 1, 0), (2, -1, 0)])
    def test_a_full_last_packet_is_followed_by_an_empty_one(self, bus, phone, packet_size, packets, more, empty):
        phone.packet_size = packet_size
        size = packets * packet_size + more
        with bus.dial() as transport:
            transport.run(ask("x" * (size - len("shell,v2,raw:\0"))))
        writes = phone.handles[0].writes
        at = next(number for number, data in enumerate(writes) if len(data) == size)
        assert writes[at + 1 : at + 2].count(b"") == empty
        assert writes.count(b"") == empty

    def test_short_writes_go_on(self, bus, phone):
        with bus.dial() as transport:
            phone.takes = 100
            text = "x" * 1000
            assert transport.run(ask(text)).exit_code == 0
        assert b"shell,v2,raw:" + text.encode() + b"\0" in b"".join(phone.handles[0].writes)

    def test_bytes_that_came_with_a_timeout_are_kept(self, bus, phone):
        with bus.dial() as transport:
            handle = phone.handles[0]
            whole = AdbMessage(OKAY, 9, 1).pack()
            phone.read_errors = [timed_out(), timed_out(whole[:10]), timed_out()]
            phone.speaks = False
            handle._said = whole[10:] + b"".join(
                message.pack() + message.data
                for message in (AdbMessage(WRTE, 9, 1, b"\1\2\0\0\0ok"), AdbMessage(CLSE, 9, 1))
            )
            assert transport.run(ask()).stdout == b"ok"

    def test_a_pulled_cable(self, bus, phone):
        with bus.dial() as transport:
            phone.read_errors = [usb1.USBErrorIO()]
            for _ in range(2):
                with pytest.raises(ConnectionLost) as caught:
                    transport.run(ask())
                assert caught.value.name == "lost"
        assert phone.handles[0].done[-2:] == [("release", 1), ("close",)]

    def test_what_is_still_said_is_read_before_the_end(self, bus, phone):
        transport = bus.dial()
        transport.run(ask())
        handle = phone.handles[0]
        handle._said = b"late"
        handle.done.clear()
        transport.close()
        transport.close()
        assert handle._said == b""
        assert [name for name, *_ in handle.done] == ["read", "read", "release", "close"]

    def test_a_phone_that_never_stops_is_left(self, bus, phone, monkeypatch):
        monkeypatch.setattr(usb, "DRAIN_LIMIT_S", 0.05)
        transport = bus.dial()
        phone.handles[0]._said = b"x" * (1 << 28)
        transport.close()
        assert phone.handles[0].done[-1] == ("close",)

    def test_libusb_never_waits_for_ever(self):
        assert usb._milliseconds(0) == usb._milliseconds(-1) == usb._milliseconds(0.0001) == 1


class TestLibusb:
    def test_ours_is_loaded(self):
        assert usb.libusb().getVersion().major == 1

    @pytest.mark.parametrize("trouble", ["absent", "unloadable"])
    def test_the_systems_is_the_second_choice(self, monkeypatch, tmp_path, trouble):
        loaded = []
        monkeypatch.setattr(usb1, "loadLibrary", lambda library=None: loaded.append(library))
        path = None if trouble == "absent" else tmp_path / "missing.so"
        monkeypatch.setattr(libusb_package, "get_library_path", lambda: path)
        usb.libusb()
        assert loaded == [None]

    def test_ours_comes_first(self, monkeypatch):
        loaded = []
        monkeypatch.setattr(usb1, "loadLibrary", lambda library=None: loaded.append(library))
        usb.libusb()
        assert isinstance(loaded[0], ctypes.CDLL)

    def test_none_at_all_is_said(self, monkeypatch):
        def none(_library=None):
            raise OSError(2, "cannot find a suitable libusb-1.0")

        monkeypatch.setattr(usb1, "loadLibrary", none)
        with pytest.raises(PhoneError) as caught:
            usb.libusb()
        assert caught.value.name == "libusb_missing"
