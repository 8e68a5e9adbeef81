"""A virtual Android phone on loopback, for the demo, the workshop rehearsal and tests; README.md describes it."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from privaudit.interruptible import wait_for_event

if TYPE_CHECKING:
    from privaudit.transport.base import Transport
    from privaudit.virtual_phone.adbd.auth import KeyPolicy
    from privaudit.virtual_phone.adbd.server import AdbdServer
    from privaudit.virtual_phone.scenario.virtual import VirtualPhone
    from privaudit.virtual_phone.shell import Program


def scenario_names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with privaudit, in alphabetical order."""
    files = (resources.files(__name__) / "scenarios").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def load_scenario(name: str) -> VirtualPhone:
    """Return the phone of the scenario `name`. Raises `KeyError` if there is no such scenario."""
    from privaudit.virtual_phone.scenario.build import read_scenario

    return read_scenario(_scenario_toml(name), name=name)


def scenario_title(name: str, language: str) -> str:
    """Return the subject of the scenario `name` in one line; in English if it has no title in `language`."""
    titles = tomllib.loads(_scenario_toml(name))["title"]
    return str(titles.get(language) or titles["en"])


def _scenario_toml(name: str) -> str:
    if name not in scenario_names():
        raise KeyError(name)
    return (resources.files(__name__) / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")


def start_adbd(
    phone: VirtualPhone, *, programs_by_name: Mapping[str, Program] | None = None, key_policy: KeyPolicy | None = None
) -> AdbdServer:
    """Start `phone` behind the ADB protocol, as the adbd of its release speaks it. It runs until it is closed.

    `programs_by_name` are by default those of `privaudit.virtual_phone.programs.build_programs`. By default, unknown
    computers are allowed when they ask.
    """
    from privaudit.virtual_phone.adbd import wire
    from privaudit.virtual_phone.adbd.auth import KeyPolicy
    from privaudit.virtual_phone.adbd.server import DEFAULT_FEATURES, AdbdServer
    from privaudit.virtual_phone.programs import build_files, build_programs
    from privaudit.virtual_phone.release import Since

    has_shell_v2 = phone.sdk >= Since.SHELL_V2
    return AdbdServer(
        programs=build_programs(phone) if programs_by_name is None else programs_by_name,
        files=build_files(phone),
        key_policy=KeyPolicy() if key_policy is None else key_policy,
        features=DEFAULT_FEATURES if has_shell_v2 else (),
        max_payload=wire.MAX_PAYLOAD if has_shell_v2 else wire.MAX_PAYLOAD_V1,
        version=wire.VERSION_CHECKSUM if phone.sdk < Since.NO_CHECKSUMS else wire.VERSION_SKIP_CHECKSUM,
        crlf=not has_shell_v2,
    )


@contextlib.contextmanager
def connect_phone(phone: VirtualPhone) -> Iterator[Transport]:
    """Start `phone` on a free port of this computer, connect to it as over the network, and stop it in the end.

    The key is made for this connection and deleted with it: the demo leaves nothing behind.
    """
    from privaudit.transport import connect

    with (
        tempfile.TemporaryDirectory(prefix="privaudit-demo-") as folder,
        start_adbd(phone) as adbd,
        connect(transport=f"tcp:{adbd.address}", on_waiting=lambda _: None, key_folder=Path(folder)) as connection,
    ):
        yield connection


def serve_phone(
    phone: VirtualPhone, *, on_ready: Callable[[str, str], object], on_page: Callable[[str], object]
) -> None:
    """Serve `phone` on 127.0.0.1 and keep its changes, until standard input ends or Ctrl-C is pressed.

    `on_ready` is called with the transport (``tcp:127.0.0.1:PORT``) and the package of the scenario's first app,
    `on_page` with the action of each settings page that ``am start`` brings to the screen.
    """
    from privaudit.virtual_phone.programs import build_programs
    from privaudit.virtual_phone.state import MutableDevice

    if hasattr(signal, "SIGTTIN"):
        # In the background of a terminal, reading must fail and not stop the process: the phone shall go on.
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    device = MutableDevice(phone, on_page=on_page)
    with (
        contextlib.suppress(KeyboardInterrupt),  # The person ends it so; nothing failed.
        start_adbd(phone, programs_by_name=build_programs(device)) as adbd,
    ):
        on_ready(f"tcp:{adbd.address}", phone.apps[0].package)
        try:
            while sys.stdin.readline():
                pass
        except OSError:
            wait_for_event(threading.Event())  # Only Ctrl-C or a signal can end it now.
