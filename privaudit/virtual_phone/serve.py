"""A virtual phone to practise on by hand: reachable on loopback, obeying writes, until the person ends it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable

from privaudit.virtual_phone import start_adbd
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.scenario.virtual import VirtualPhone
from privaudit.virtual_phone.state import MutableDevice


def serve_phone(
    phone: VirtualPhone, *, on_ready: Callable[[str, str], object], on_page: Callable[[str], object]
) -> None:
    """Serve `phone` on 127.0.0.1 and keep its changes, until standard input ends or Ctrl-C is pressed.

    Args:
        phone: its state when it starts.
        on_ready: called with the transport (``tcp:127.0.0.1:PORT``) and the package of the scenario's first app.
        on_page: called with the action of each settings page that ``am start`` brings to the screen.
    """
    device = MutableDevice(phone, on_page=on_page)
    with start_adbd(phone, programs_by_name=build_programs(device)) as adbd:
        try:
            on_ready(f"tcp:{adbd.address}", phone.apps[0].package)
            _wait_for_end()
        except KeyboardInterrupt:
            pass  # The person ends it so; nothing failed.


def _wait_for_end() -> None:
    if hasattr(signal, "SIGTTIN"):
        # In the background of a terminal, reading must fail and not stop the process: the phone shall go on.
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    try:
        while sys.stdin.readline():
            pass
    except OSError:
        threading.Event().wait()  # Only Ctrl-C or a signal can end it now.
