"""The command log."""

from __future__ import annotations

import pytest

from privaudit.capture import command_log
from privaudit.capture.command_log import LoggingTransport
from privaudit.errors import ConnectionLost
from privaudit.model import Command, Reply


class Phone:
    kind = "usb"
    command_limit = 4096
    closed = False

    def run(self, command, **_):
        if command.text == "pull":
            raise ConnectionLost("errors.lost", b"half")
        return Reply(stdout=b"x", stderr=b"", exit_code=7)

    def close(self):
        self.closed = True


def test_every_command_is_logged_even_if_it_fails():
    phone = Phone()
    with LoggingTransport(phone) as recorder:
        assert (recorder.kind, recorder.command_limit) == ("usb", 4096)
        assert recorder.run(Command(text="id", why="who")).stdout == b"x"
        with pytest.raises(ConnectionLost) as lost:
            recorder.run(Command(text="pull", why="what for"))
    assert lost.value.partial == b"half"
    assert [(one.command, one.why, one.exit_code, one.lost) for one in recorder.log] == [
        ("id", "who", 7, False),
        ("pull", "what for", None, True),
    ]
    assert command_log.load_command_log(command_log.dump_command_log(recorder.log)) == recorder.log
    assert phone.closed


@pytest.mark.parametrize("data", [b"{", b"[]\n", b"null", b"\xff\n", b'{"command": 1}'])
def test_load_rejects_other_content(data):
    with pytest.raises(ValueError, match="not a command log"):
        command_log.load_command_log(data)
