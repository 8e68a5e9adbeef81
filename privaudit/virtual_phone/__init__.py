"""A virtual phone on loopback: what it holds, how Android prints it, and the wire by which ADB reaches it.

A story (``stories/*.toml``) says what is on the phone. `load_scenario` reads one; `privaudit.virtual_phone.build_programs` answers for
it in Android's own formats; `privaudit.virtual_phone.adbd` puts it behind the ADB protocol. Everything in a story is invented.
"""

from __future__ import annotations

import contextlib
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privaudit.transport.base import Transport
    from privaudit.virtual_phone.adbd.auth import KeyPolicy
    from privaudit.virtual_phone.adbd.server import AdbdServer
    from privaudit.virtual_phone.scenario.virtual import VirtualPhone
    from privaudit.virtual_phone.shell import Program

_SUFFIX = ".toml"


def scenario_names() -> tuple[str, ...]:
    """Names of the stories that come with privaudit, in alphabetical order."""
    names = (file.name for file in (resources.files(__name__) / "scenarios").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def load_scenario(name: str) -> VirtualPhone:
    """The phone of the story called `name`.

    Raises:
        KeyError: no story is called so.
        privaudit.virtual_phone.scenario.reader.StoryError: the file has mistakes.
    """
    from privaudit.virtual_phone.scenario.reader import read_scenario

    return read_scenario(_scenario_toml(name), name=f"{name}{_SUFFIX}")


def _scenario_toml(name: str) -> str:
    if name not in scenario_names():
        raise KeyError(name)
    return (resources.files(__name__) / "scenarios" / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def scenario_title(name: str, language: str) -> str:
    """What the story called `name` is about, in one line; in English where it has no title in `language`.

    Raises:
        KeyError: no story is called so.
    """
    titles = tomllib.loads(_scenario_toml(name))["title"]
    return str(titles.get(language) or titles["en"])


def start_adbd(
    phone: VirtualPhone, *, programs_by_name: Mapping[str, Program] | None = None, key_policy: KeyPolicy | None = None
) -> AdbdServer:
    """`phone` behind the ADB protocol, as the adbd of its release speaks it. Runs until it is closed.

    Args:
        phone: whose.
        programs_by_name: its programs; ``None``: `privaudit.virtual_phone.programs.build_programs` by the computer's clock.
        key_policy: which computers may talk to it; ``None``: those that it has never seen are let in when they ask.
    """
    from privaudit.virtual_phone.adbd.auth import KeyPolicy
    from privaudit.virtual_phone.adbd.server import DEFAULT_FEATURES, AdbdServer
    from privaudit.virtual_phone.adbd.wire import MAX_PAYLOAD, MAX_PAYLOAD_V1, VERSION_CHECKSUM, VERSION_SKIP_CHECKSUM
    from privaudit.virtual_phone.programs import build_files, build_programs

    layout = phone.layout
    return AdbdServer(
        programs=build_programs(phone) if programs_by_name is None else programs_by_name,
        files=build_files(phone),
        key_policy=KeyPolicy() if key_policy is None else key_policy,
        features=DEFAULT_FEATURES if layout.shell_v2 else (),
        max_payload=MAX_PAYLOAD if layout.shell_v2 else MAX_PAYLOAD_V1,
        version=VERSION_CHECKSUM if layout.requires_checksums else VERSION_SKIP_CHECKSUM,
        crlf=not layout.shell_v2,
    )


@contextlib.contextmanager
def connect_phone(phone: VirtualPhone) -> Iterator[Transport]:
    """Start `phone` on a free port of this computer, connect to it as to any phone over the network, and stop it.

    The key is made for this once and kept nowhere: trying the demo leaves nothing behind.
    """
    from privaudit.transport import connect

    with (
        tempfile.TemporaryDirectory(prefix="privaudit-demo-") as folder,
        start_adbd(phone) as running,
        connect(transport=f"tcp:{running.address}", on_waiting=lambda _: None, key_folder=Path(folder)) as connection,
    ):
        yield connection
