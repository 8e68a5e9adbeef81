"""One open connection to a phone, spoken by adb-shell over a cable or the network.

adb-shell is pinned to 0.4.4, because what it leaves out (the phone's features, a refused service, the question on the
screen) is added here through parts that it does not promise to keep.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command, Reply
from privaudit.transport import (
    ALLOW_TIMEOUT_S,
    OUTPUT_LIMIT,
    QUIET_TIMEOUT_S,
    SCRIPT_TIMEOUT_S,
    OnWaiting,
    WaitingForAllow,
)
from privaudit.transport.key import Key, load
from privaudit.transport.packets import Device
from privaudit.transport.shell import ARGUMENT_LIMIT, OldShell, ShellV2
from privaudit.transport.wire import CONNECT_TIMEOUT_S, TcpWire, Wire

ATTEMPTS: Final = 3
"""How often a phone on a cable is looked for and opened; one more try has always been enough."""
REST_S: Final = 1.2
"""A phone that dropped off the bus is back after 1 to 1.5 s."""


class Connection:
    """A phone that let us in. A `privaudit.transport.Transport`."""

    def __init__(self, device: Device, wire: Wire, kind: Literal["usb", "tcp"]) -> None:
        self.kind: Literal["usb", "tcp"] = kind
        self._device = device
        self._wire = wire
        self._shell: type[ShellV2 | OldShell] = ShellV2 if "shell_v2" in device.features else OldShell
        self.command_limit = min(device.payload_limit - 1, ARGUMENT_LIMIT) - self._shell.overhead
