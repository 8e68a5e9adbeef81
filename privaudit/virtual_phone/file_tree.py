"""The files of a virtual phone, which adbd and the shell read."""

import posixpath
from collections.abc import Mapping, Sequence


class FileTree:
    """Files by absolute path."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._files = {_normalize_path(path): content for path, content in (files or {}).items()}
        self._folders: dict[str, set[str]] = {"/": set()}
        for path in self._files:
            while path != "/":
                path, name = posixpath.split(path)  # noqa: PLW2901 - climbs to the root
                self._folders.setdefault(path, set()).add(name)

    def read(self, path: str) -> bytes | None:
        """Return the content of the file at `path`; ``None`` if there is no such file."""
        return self._files.get(_normalize_path(path))

    def is_folder(self, path: str) -> bool:
        """Whether `path` is a folder with files."""
        return _normalize_path(path) in self._folders

    def exists(self, path: str) -> bool:
        """Whether `path` is a file or a folder."""
        return self.read(path) is not None or self.is_folder(path)

    def children(self, path: str) -> Sequence[str]:
        """Return the names in the folder at `path`, sorted; empty if it is not a folder."""
        return sorted(self._folders.get(_normalize_path(path), ()))


def _normalize_path(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))
