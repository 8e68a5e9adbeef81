"""What can be wrong with an APK, in words. Whoever made it may have wanted it unreadable."""

from __future__ import annotations

from privaudit.model import Message, MessageValue


class ApkError(Exception):
    """Something in an APK cannot be read. `message` says why."""

    def __init__(self, key: str, **values: MessageValue) -> None:
        super().__init__(key, values)
        self.message = apk_message(key, **values)


def apk_message(key: str, **values: MessageValue) -> Message:
    """A `Message` that says why part of an APK cannot be read."""
    return Message(key=key, values=values)
