"""The cable: a made-up bus under the real code. A real one is measured in a laboratory, not in this suite."""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace

import libusb_package
import pytest
import usb1
from adb_shell.adb_message import AdbMessage
from adb_shell.constants import CLSE, OKAY, WRTE

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command
from privaudit.transport import adb_device, usb
from tests.fixtures.sentences import ENGLISH
from tests.fixtures.usb_bus import FASTBOOT, HDC, PICTURES, STORAGE, Device, library, timed_out


@pytest.fixture
def bus(monkeypatch, tmp_path):
    """What is plugged in, one list for each look at the bus; the last one stays."""
    module = library([])
    looks = module.looks
    monkeypatch.setattr(usb, "load_libusb", lambda: module)
    naps = []
    monkeypatch.setattr(adb_device.time, "sleep", naps.append)
    monkeypatch.setattr(adb_device, "HANDSHAKE_TIMEOUT_S", 0.05)
    looks_and_naps = SimpleNamespace(looks=looks, naps=naps)

    def dial(serial=None):
        return adb_device.connect_usb(serial=serial, on_waiting=lambda _: None, key_folder=tmp_path)

    looks_and_naps.dial = dial
    looks_and_naps.error = lambda serial=None: _error(dial, serial)
    return looks_and_naps


def _error(dial, serial):
    with pytest.raises(PhoneError) as caught:
        dial(serial)
    return caught.value


def command(text="x"):
    return Command(text=text, why="test")


class TestChoosing:
    def test_the_only_phone(self, bus):
        phone = Device()
        bus.looks[0] = [Device(kind=STORAGE), phone]
        with bus.dial() as transport:
            assert transport.kind == "usb"
            assert transport.run(command()).stdout == b"out"
        assert phone.handles[0].done[0] == ("claim", 1)

    def test_no_phone(self, bus):
        bus.looks[0] = [Device(kind=STORAGE, beside=(0x03, 0x01, 0x01))]
        assert bus.error().name == "no_phone"
        assert bus.naps == []

    @pytest.mark.parametrize(
        ("device", "name", "maker"),
        [
            (Device(kind=STORAGE, vendor=0x2717, beside=(0xFF, 0xFF, 0)), "debugging_off", "xiaomi"),
            (Device(kind=PICTURES, vendor=0x04E8), "debugging_off", "samsung"),
            (Device(kind=PICTURES, vendor=0x0E8D, maker="TECNO MOBILE LIMITED"), "debugging_off", "transsion"),
            (Device(kind=PICTURES, vendor=0x0E8D), "debugging_off", None),
            (Device(kind=FASTBOOT, vendor=0x18D1), "in_recovery", None),
            (Device(kind=HDC, vendor=0x12D1), "other_system", "huawei"),
        ],
    )
    def test_an_unusable_phone_is_not_reported_as_no_phone(self, bus, device, name, maker):
        bus.looks[0] = [device]
        error = bus.error()
        assert (error.name, error.values) == (name, {"phones": ("Phone",), "maker": maker})

    @pytest.mark.parametrize(
        "device",
        [
            Device(kind=STORAGE, vendor=0x04E8, beside=STORAGE),  # a disk of a maker of phones
            Device(kind=PICTURES, vendor=0x04A9),  # a camera
        ],
    )
    def test_other_usb_devices_are_ignored(self, bus, device):
        bus.looks[0] = [device]
        assert bus.error().name == "no_phone"

    def test_a_usable_phone_is_preferred(self, bus):
        chosen = Device("33334444")
        bus.looks[0] = [Device(kind=STORAGE, vendor=0x2717), chosen]
        bus.dial().close()
        assert len(chosen.handles) == 1

    def test_several_phones_are_listed_by_serial_suffix(self, bus):
        bus.looks[0] = [Device("11112222", "Redmi"), Device("33334444", None)]
        error = bus.error()
        assert error.name == "several_phones"
        assert error.values == {"phones": ("Redmi (…2222)", "USB 18d1:4ee7 (…4444)")}

    @pytest.mark.parametrize("given", ["33334444", "4444", "4"])
    def test_select_by_serial_or_suffix(self, bus, given):
        chosen = Device("33334444")
        bus.looks[0] = [Device("11112222"), chosen]
        bus.dial(given).close()
        assert len(chosen.handles) == 1

    def test_an_exact_serial_is_preferred_to_a_suffix(self, bus):
        chosen = Device("2222")
        bus.looks[0] = [Device("11112222"), chosen]
        bus.dial("2222").close()
        assert len(chosen.handles) == 1

    def test_an_ambiguous_suffix(self, bus):
        bus.looks[0] = [Device("11112222"), Device("33332222"), Device("5555")]
        error = bus.error("2222")
        assert error.name == "several_phones"
        assert len(error.values["phones"]) == 2

    def test_an_unknown_suffix(self, bus):
        bus.looks[0] = [Device("11112222")]
        error = bus.error("9")
        assert (error.name, error.values) == ("serial_not_found", {"phones": ("Phone (…2222)",)})

    def test_an_inaccessible_phone_does_not_hide_another(self, bus):
        chosen = Device("33334444")
        bus.looks[0] = [Device(name_error=usb1.USBErrorAccess(), open_error=usb1.USBErrorAccess()), chosen]
        bus.dial("4444").close()
        assert len(chosen.handles) == 1

    def test_the_requested_phone_may_be_the_inaccessible_one(self, bus, monkeypatch):
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
        error = bus.error()
        assert (error.name, error.values) == (name, {"vendor": "18d1"})
        assert bus.naps == []

    def test_busy(self, bus):
        bus.looks[0] = [Device(claim_error=usb1.USBErrorBusy())]
        assert bus.error().name == "busy"
        assert bus.naps == []

    def test_no_driver(self, bus):
        bus.looks[0] = [Device(open_error=usb1.USBErrorNotSupported())]
        assert bus.error().name == "windows_driver"

    @pytest.mark.parametrize(
        "phone",
        [
            Device(open_error=usb1.USBErrorNotFound()),
            Device(name_error=usb1.USBErrorNotFound(), open_error=usb1.USBErrorNotFound()),
            Device(claim_error=usb1.USBErrorNotFound()),
        ],
        ids=["open", "name", "claim"],
    )
    def test_mtp_and_adb_without_a_driver_on_windows(self, bus, monkeypatch, phone):
        """libusb finds no interface with WinUSB (libusb issue 1083): no lost connection, and no second attempt."""
        monkeypatch.setattr(sys, "platform", "win32")
        bus.looks[0] = [phone]
        assert bus.error().name == "windows_driver"
        assert bus.naps == []

    def test_an_open_phone_that_is_not_found_has_gone(self, bus, monkeypatch):
        monkeypatch.setattr(sys, "platform", "win32")
        bus.looks[0] = [Device(write_error=usb1.USBErrorNotFound())]
        assert bus.error().name == "lost"

    def test_no_usb_at_all(self, bus, monkeypatch):
        def broken():
            raise usb1.USBErrorOther

        errors = {name: getattr(usb1, name) for name in dir(usb1) if name.startswith("USBError")}
        monkeypatch.setattr(usb, "load_libusb", lambda: SimpleNamespace(USBContext=broken, **errors))
        assert bus.error().name == "no_usb"

    @pytest.mark.parametrize("platform", ["linux", "darwin"])
    def test_kernel_driver_is_detached_on_linux_only(self, bus, monkeypatch, platform):
        monkeypatch.setattr(sys, "platform", platform)
        phone = Device(kernel_driver=True)
        bus.looks[0] = [phone]
        bus.dial().close()
        assert (("detach", 1) in phone.handles[0].done) is (platform == "linux")

    def test_each_obstacle_has_a_sentence(self):
        names = {key.removeprefix("errors.").rpartition(".")[0] for key in ENGLISH if key.startswith("errors.")}
        assert {"no_permission", "no_permission_macos", "no_permission_windows", "busy", "windows_driver"} <= names


class TestTrying:
    def test_a_stale_session_is_retried_after_a_new_scan(self, bus):
        stale, fresh = Device(read_errors=[usb1.USBErrorIO()]), Device()
        bus.looks[:] = [[stale], [], [fresh]]
        with bus.dial() as transport:
            assert transport.run(command()).exit_code == 0
        assert bus.naps == [1.2, 1.2]
        assert stale.handles[0].done[-1] == ("close",)

    def test_attempts_are_limited(self, bus):
        bus.looks[0] = [Device(write_error=usb1.USBErrorNoDevice())]
        assert bus.error().name == "lost"
        assert len(bus.naps) == 2

    def test_a_silent_phone(self, bus):
        bus.looks[0] = [Device(speaks=False)]
        assert bus.error().name == "silent"
        assert len(bus.naps) == 2

    def test_the_first_error_is_reported(self, bus):
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
            transport.run(command("x" * (size - len("shell,v2,raw:\0"))))
        writes = phone.handles[0].writes
        at = next(number for number, data in enumerate(writes) if len(data) == size)
        assert writes[at + 1 : at + 2].count(b"") == empty
        assert writes.count(b"") == empty

    def test_short_writes_continue(self, bus, phone):
        with bus.dial() as transport:
            phone.takes = 100
            text = "x" * 1000
            assert transport.run(command(text)).exit_code == 0
        assert b"shell,v2,raw:" + text.encode() + b"\0" in b"".join(phone.handles[0].writes)

    def test_bytes_received_with_a_timeout_are_returned(self, bus, phone):
        with bus.dial() as transport:
            handle = phone.handles[0]
            whole = AdbMessage(OKAY, 9, 1).pack()
            phone.read_errors = [timed_out(), timed_out(whole[:10]), timed_out()]
            phone.speaks = False
            handle._said = whole[10:] + b"".join(
                message.pack() + message.data
                for message in (AdbMessage(WRTE, 9, 1, b"\1\2\0\0\0ok"), AdbMessage(CLSE, 9, 1))
            )
            assert transport.run(command()).stdout == b"ok"

    def test_a_pulled_cable(self, bus, phone):
        with bus.dial() as transport:
            phone.read_errors = [usb1.USBErrorIO()]
            for _ in range(2):
                with pytest.raises(ConnectionLost) as caught:
                    transport.run(command())
                assert caught.value.name == "lost"
        assert phone.handles[0].done[-2:] == [("release", 1), ("close",)]

    def test_close_drains_the_endpoint(self, bus, phone):
        transport = bus.dial()
        transport.run(command())
        handle = phone.handles[0]
        handle._said = b"late"
        handle.done.clear()
        transport.close()
        transport.close()
        assert handle._said == b""
        assert [name for name, *_ in handle.done] == ["read", "read", "release", "close"]

    def test_close_drains_for_a_limited_time(self, bus, phone, monkeypatch):
        monkeypatch.setattr(usb, "DRAIN_LIMIT_S", 0.05)
        transport = bus.dial()
        phone.handles[0]._said = b"x" * (1 << 28)
        transport.close()
        assert phone.handles[0].done[-1] == ("close",)

    def test_timeouts_for_libusb_are_never_zero(self):
        assert usb._to_milliseconds(0) == usb._to_milliseconds(-1) == usb._to_milliseconds(0.0001) == 1


class TestLibusb:
    def test_bundled_libusb_is_loaded(self):
        assert usb.load_libusb().getVersion().major == 1

    @pytest.mark.parametrize("trouble", ["absent", "unloadable"])
    def test_system_libusb_is_the_fallback(self, monkeypatch, tmp_path, trouble):
        loaded = []
        monkeypatch.setattr(usb1, "loadLibrary", lambda library=None: loaded.append(library))
        path = None if trouble == "absent" else tmp_path / "missing.so"
        monkeypatch.setattr(libusb_package, "get_library_path", lambda: path)
        usb.load_libusb()
        assert loaded == [None]

    def test_bundled_libusb_is_preferred(self, monkeypatch):
        loaded = []
        monkeypatch.setattr(usb1, "loadLibrary", lambda library=None: loaded.append(library))
        usb.load_libusb()
        assert isinstance(loaded[0], ctypes.CDLL)

    def test_missing_libusb_is_reported(self, monkeypatch):
        def none(_library=None):
            raise OSError(2, "cannot find a suitable libusb-1.0")

        monkeypatch.setattr(usb1, "loadLibrary", none)
        with pytest.raises(PhoneError) as caught:
            usb.load_libusb()
        assert caught.value.name == "libusb_missing"
