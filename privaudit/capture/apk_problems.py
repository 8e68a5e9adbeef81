"""What can be wrong with an APK, in words. Whoever made it may have wanted it unreadable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.model import Message, Value

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
    "entry_encrypted": "{entry} in its file is encrypted, or marked so and damaged",
    "dex_new": "{entry} is code of a newer kind ({version}) than this tool knows",
    "dex_too_much": "its code is larger than is looked at ({megabytes} MB)",
    "apk_inside": "it is an app inside the app, which was not looked at",
    "apkm_encrypted": "it is an encrypted APKM, which only its maker's own installer opens; its site also offers APKs",
    "bundle_encrypted": "{entry} in the bundle is protected by a password",
    "bundle_inside": "it is a bundle inside the bundle, which was not looked at",
    "bundle_nested": "it holds only another bundle; take that out first",
    "bundle_no_base": "none of the APKs in the bundle is the app itself; all are parts of one",
    "bundle_several": "it is another app in the same bundle, which was not looked at",
    "bundle_too_large": "{entry} in the bundle is larger than is unpacked",
    "bundle_too_many": "the bundle holds more than {n} APKs; the rest was not looked at",
    "bundle_unread": "the app itself could not be read; of {entry}: {why}",
    "file_changed": "the file changed while it was read",
    "file_missing": "there is no such file",
    "file_none": "it is no file (a folder, a pipe or a device)",
    "folder_closed": "it is a folder into which this computer does not let you look",
    "file_too_large": "it has more than {gigabytes} GB",
    "file_unreadable": "this computer says: {reason}",
    "no_app": "it is neither an APK nor a bundle of APKs",
    "reader_failed": "a mistake in privaudit ({kind}); please report it, with the file if it is no secret",
    "reader_died": "reading it ended the program that read it; it may have been made for that",
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

    def __init__(self, name: str, **values: Value) -> None:
        super().__init__(name, values)
        self.message = problem(name, **values)


def problem(name: str, **values: Value) -> Message:
    """A `Message` of this module."""
    if name not in WORDS:
        raise KeyError(name)
    return Message(key=f"apk.{name}", values=values)
