"""What can be wrong with an APK, in words. Whoever made it may have wanted it unreadable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.model import Message

WORDS: Final[Mapping[str, str]] = {
    "path_unusual": "the path of its file is not one that may be put into a command",
    "cannot_open": "the phone did not let its file be read, or the file is gone",
    "cut": "the connection ended in the middle",
    "no_time": "the time for reading names was over",
    "not_zip": "its file is no APK (there is no end record)",
    "zip64": "its file uses the layout for archives over 4 GB, which no APK needs",
    "zip_damaged": "the table of contents of its file is damaged",
    "zip_duplicate": "its file holds two entries of the same name, which Android refuses",
    "zip_differs": "its file says different things about {entry} in two places",
    "entry_missing": "its file holds no {entry}",
    "entry_damaged": "{entry} in its file is damaged",
    "entry_too_large": "{entry} in its file is larger than any real one",
    "manifest_damaged": "its manifest is damaged, or made to be hard to read",
    "manifest_too_large": "its manifest is larger than any real one",
    "resources_damaged": "its resource table is damaged, or made to be hard to read",
    "resources_loop": "its name refers to itself",
    "resources_elsewhere": "its name stands outside of its own file",
    "no_such_text": "its resource table has no text for its name",
    "no_label": "its manifest gives no name",
    "no_certificate": "no signing certificate was found",
    "signing_damaged": "its signing block is damaged",
    "signature_damaged": "its signature file {entry} is damaged",
    "no_hash": "the phone did not compute it; phones can from Android 8 on",
    "package_differs": "its file says it is {said}, the phone says it is {known}",
    "version_differs": "its file says version {said}, the phone says version {known}",
}
"""Reasons; each finishes "… could not be read: "."""


class ApkError(Exception):
    """Something in an APK cannot be read. `message` says why."""

    def __init__(self, name: str, **values: str | int) -> None:
        super().__init__(name, values)
        self.message = problem(name, **values)


def problem(name: str, **values: str | int) -> Message:
    """A `Message` of this module."""
    if name not in WORDS:
        raise KeyError(name)
    return Message(key=f"apk.{name}", values=values)
