"""The stream over WebUSB, with Pyodide and the page replaced by Python; tests/browser has the real ones."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command
from privaudit.transport import adb_auth, adb_device
from tests.fixtures.usb_bus import Device, Handle, timed_out


class JsException(Exception):  # noqa: N818 - Pyodide's name
    def __init__(self, name):
        super().__init__(name)
        self.name = name


class Bytes(bytes):
    def to_bytes(self):
        return bytes(self)


@pytest.fixture
def webusb(monkeypatch):
    ffi = ModuleType("pyodide.ffi")
    ffi.JsException, ffi.to_js, ffi.run_sync = JsException, Bytes, lambda promise: promise()
    monkeypatch.setitem(sys.modules, "pyodide", ModuleType("pyodide"))
    monkeypatch.setitem(sys.modules, "pyodide.ffi", ffi)
    monkeypatch.delitem(sys.modules, "privaudit.transport.webusb", raising=False)
    monkeypatch.setattr(adb_device, "RETRY_DELAY_S", 0)
    yield importlib.import_module("privaudit.transport.webusb")
    sys.modules.pop("privaudit.transport.webusb", None)


class Line:
    """The page's end of a cable, to a phone of the made-up bus; each method returns what `run_sync` calls."""

    def __init__(self, **phone):
        self.phone = Device(**phone)
        self.handle = None
        self.done = []
        self.open_errors = []
        self.receive_error = None
        self.takes_all = True

    def open(self):
        def promise():
            self.done.append("open")
            if self.open_errors and (error := self.open_errors.pop(0)):
                raise JsException(error)
            self.handle = Handle(self.phone)

        return promise

    def receive(self, size, timeout_ms):
        assert timeout_ms > 0

        def promise():
            if self.receive_error:
                raise JsException(self.receive_error)
            try:
                return Bytes(self.handle.bulkRead(0x82, size, timeout_ms))
            except type(timed_out()):
                return None

        return promise

    def send(self, data, timeout_ms):
        return lambda: bool(self.takes_all and self.handle.bulkWrite(0x01, data, timeout_ms)) or self.takes_all

    def close(self):
        return lambda: self.done.append("close")


KEY = adb_auth.generate()


def connect(webusb, line, on_waiting=lambda _: None, timeout_s=90):
    return adb_device.connect_cable(lambda: webusb.WebUsbStream(line), lambda: KEY, on_waiting, timeout_s)


def test_commands_are_answered_and_the_phone_is_released(webusb):
    line = Line()
    with connect(webusb, line) as phone:
        assert phone.kind == "usb"
        reply = phone.run(Command(text="echo out", why="test"))
        assert (reply.stdout, reply.exit_code) == (b"out", 0)
    assert line.done == ["open", "close"]
    phone.close()
    assert line.done == ["open", "close"]


@pytest.mark.parametrize(
    ("name", "error"),
    [("SecurityError", "browser_denied"), ("NetworkError", "browser_busy"), ("NotFoundError", "lost")],
)
def test_a_phone_that_cannot_be_opened(webusb, name, error):
    line = Line()
    line.open_errors = [name] * 9
    with pytest.raises(PhoneError) as caught:
        connect(webusb, line)
    assert caught.value.name == error
    assert line.done == ["open"] * (adb_device.MAX_ATTEMPTS if error == "lost" else 1)


def test_a_phone_that_dropped_off_the_bus_is_found_again(webusb):
    line = Line()
    line.open_errors = ["NotFoundError", None]
    with connect(webusb, line) as phone:
        assert phone.run(Command(text="true", why="test")).exit_code == 0


def test_a_cable_pulled_in_an_answer_ends_the_connection(webusb):
    line = Line()
    phone = connect(webusb, line)
    line.receive_error = "NetworkError"
    for _ in range(2):
        with pytest.raises(ConnectionLost) as caught:
            phone.run(Command(text="true", why="test"))
        assert caught.value.name == "lost"
    phone.close()
    assert line.done[-1] == "close"


def test_a_phone_that_takes_nothing_is_silent(webusb):
    line = Line()
    phone = connect(webusb, line)
    line.takes_all = False
    with pytest.raises(ConnectionLost) as caught:
        phone.run(Command(text="true", why="test"))
    assert caught.value.name == "silent"


def test_the_owner_who_does_not_tap_gets_the_fingerprint(webusb):
    line, waits = Line(knows_us=False), []
    with pytest.raises(PhoneError) as caught:
        connect(webusb, line, waits.append, 0.2)
    assert caught.value.values == {"fingerprint": KEY.fingerprint}
    assert {wait.fingerprint for wait in waits} == {KEY.fingerprint}


def test_nothing_is_read_from_a_closed_phone(webusb):
    stream = webusb.WebUsbStream(Line())
    stream.close()
    with pytest.raises(PhoneError):
        stream.bulk_read(1, 1)
