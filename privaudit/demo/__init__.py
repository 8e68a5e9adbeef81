"""A virtual phone on loopback: what it holds, how Android prints it, and the wire by which ADB reaches it.

A story (``stories/*.toml``) says what is on the phone. `open_story` reads one; `privaudit.demo.programs` answers for
it in Android's own formats; `privaudit.demo.adbd` puts it behind the ADB protocol. Everything in a story is invented.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privaudit.demo.story.virtual import VirtualPhone
    from privaudit.transport import Transport

_SUFFIX = ".toml"


def stories() -> tuple[str, ...]:
    """Names of the stories that come with privaudit, in alphabetical order."""
    names = (file.name for file in (resources.files(__name__) / "stories").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def open_story(name: str) -> VirtualPhone:
    """The phone of the story called `name`.

    Raises:
        KeyError: no story is called so.
        privaudit.demo.story.reader.StoryError: the file has mistakes.
    """
    from privaudit.demo.story.reader import read

    if name not in stories():
        raise KeyError(name)
    file = resources.files(__name__) / "stories" / f"{name}{_SUFFIX}"
    return read(file.read_text(encoding="utf-8"), name=file.name)


@contextlib.contextmanager
def connected(phone: VirtualPhone) -> Iterator[Transport]:
    """Start `phone` on a free port of this computer, connect to it as to any phone over the network, and stop it.

    The key is made for this once and kept nowhere: trying the demo leaves nothing behind.
    """
    from privaudit.demo.adbd.phone import DemoPhone
    from privaudit.demo.programs import files, programs
    from privaudit.transport import connect

    with (
        tempfile.TemporaryDirectory(prefix="privaudit-demo-") as folder,
        DemoPhone(programs=programs(phone), files=files(phone)) as daemon,
        connect(transport=f"tcp:{daemon.address}", on_waiting=lambda _: None, key_folder=Path(folder)) as connection,
    ):
        yield connection
