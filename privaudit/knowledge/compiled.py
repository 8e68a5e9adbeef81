"""Read and write ``compiled.txt``: valid data files as JSON, which is read more than ten times as fast as TOML.

It stands in the folder of the lists or rules that it was made from. It is made when a wheel is built, and when
`signatures update` installs lists; nobody edits it, and nothing needs it. A line holds the SHA-256 of a TOML file and
the content of that file, so a file that was changed or added since is parsed from TOML.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from typing import Final, Literal, NamedTuple, TypeAlias

from privaudit import __version__

COMPILED_FILE: Final = "compiled.txt"
MAX_COMPILED_BYTES: Final = 32 * 1024 * 1024
"""Bytes of ``compiled.txt``. Ten thousand apps have about one million."""
_FIRST_LINE: Final = f"privaudit {__version__} compiled "
"""Followed by the SHA-256 of all other lines. What another version found to be valid may not be valid in this one."""
FileKind: TypeAlias = Literal["vocabulary", "risky", "lenders", "rule"]
"""What a file was validated as."""


class CompiledFile(NamedTuple):
    """A valid file: a line of ``compiled.txt``."""

    kind: FileKind
    toml: bytes
    """The file itself."""
    canonical_json: bytes
    """Its content, in one line."""


@dataclass(frozen=True, slots=True)
class CompiledFiles:
    """The content of ``compiled.txt``."""

    json_by_file: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    """By kind and SHA-256 of the TOML file."""

    def find(self, kind: FileKind, toml: bytes) -> bytes | None:
        """Return the content of a TOML file as canonical JSON; ``None``: exactly this file was not compiled."""
        return self.json_by_file.get(_file_key(kind, toml)) if self.json_by_file else None


NOT_COMPILED: Final = CompiledFiles()


def read_compiled(folder: Traversable) -> CompiledFiles:
    """Read ``compiled.txt`` in `folder`; empty where it is missing, damaged, too large or of another version."""
    try:
        with (folder / COMPILED_FILE).open("rb") as stream:
            data = stream.read(MAX_COMPILED_BYTES + 1)
    except OSError:
        return NOT_COMPILED
    first_line, newline, body = data.partition(b"\n")
    if len(data) > MAX_COMPILED_BYTES or first_line + newline != _first_line(body):
        return NOT_COMPILED
    lines = (line.partition(b"\t") for line in body.split(b"\n"))
    return CompiledFiles({file_key: content for file_key, _, content in lines})


def encode_compiled(files: Iterable[CompiledFile]) -> bytes:
    """Return the content of ``compiled.txt``."""
    body = b"".join(b"%b\t%b\n" % (_file_key(file.kind, file.toml), file.canonical_json) for file in files)
    return _first_line(body) + body


def _file_key(kind: FileKind, toml: bytes) -> bytes:
    return f"{kind} {hashlib.sha256(toml).hexdigest()}".encode()


def _first_line(body: bytes) -> bytes:
    return f"{_FIRST_LINE}{hashlib.sha256(body).hexdigest()}\n".encode()
