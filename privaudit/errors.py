"""What happened, why, and what to do next. Each error knows its exit code.

The sentences stand in the message catalog as ``errors.NAME.what``, ``errors.NAME.why`` and ``errors.NAME.next``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privaudit.model import (  # to make all nouns takes longer than to print the help
        Message,
        MessageValue,
        PhoneState,
    )

EXIT_OK = 0
EXIT_INTERNAL_ERROR = 1
EXIT_USAGE = 2
EXIT_FINDINGS = 3
EXIT_UNREADABLE = 4
EXIT_INCOMPLETE = 5
EXIT_INTERRUPTED = 130


class PrivauditError(Exception):
    """An error to show to a person: `key` with ``.what``, ``.why`` and ``.next`` behind it are its three sentences."""

    exit_code = EXIT_UNREADABLE

    def __init__(self, key: str, **values: MessageValue) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    @property
    def name(self) -> str:
        """`key` without its area: what code compares."""
        return self.key.removeprefix("errors.")

    @property
    def what(self) -> Message:
        """What happened."""
        return self._message("what")

    @property
    def why(self) -> Message:
        """Why, as far as it is known."""
        return self._message("why")

    @property
    def next(self) -> Message:
        """What to do next."""
        return self._message("next")

    def _message(self, part: str) -> Message:
        from privaudit.model import Message

        return Message(key=f"{self.key}.{part}", values=self.values)


class UsageError(PrivauditError):
    """A wrong argument."""

    exit_code = EXIT_USAGE


class SourceError(PrivauditError):
    """A file or folder that cannot be read as a source."""


class KnowledgeError(PrivauditError):
    """A data file of ours, or of the user's, with mistakes. `mistakes` lists them all, to print one a line."""

    exit_code = EXIT_USAGE

    def __init__(self, key: str, problems: tuple[Message, ...], **values: MessageValue) -> None:
        super().__init__(key, count=len(problems), **values)
        self.problems = problems


class SignatureListError(PrivauditError):
    """Lists that cannot be taken in, or written. Those in force stay in force."""


class ClusterError(PrivauditError):
    """The computers that were to do the work cannot be used."""


class PhoneError(PrivauditError):
    """The phone cannot be reached, or not any more."""

    @property
    def state(self) -> PhoneState:
        """How the phone is, as far as this error tells."""
        from privaudit.model import PhoneState

        name = self.name.removesuffix("_macos").removesuffix("_windows")
        return PhoneState(_PHONE_STATE_BY_ERROR.get(name, "absent"))


class ConnectionLost(PhoneError):  # noqa: N818 - what it says is what happened
    """The connection ended in the middle of an answer. `partial` is what had come until then."""

    def __init__(self, key: str, partial: bytes = b"", **values: MessageValue) -> None:
        super().__init__(key, **values)
        self.partial = partial


_PHONE_STATE_BY_ERROR: Mapping[str, str] = {
    "another_phone": "ready",
    "busy": "busy",
    "debugging_off": "debugging_off",
    "garbled": "offline",
    "in_recovery": "recovery",
    "no_permission": "no_permission",
    "not_allowed": "unauthorised",
    "not_allowed_unseen": "unauthorised",
    "offline": "offline",
    "other_system": "other_system",
    "refused": "recovery",
    "silent": "offline",
    "too_much_output": "ready",
    "too_slow": "offline",
    "unauthorised": "unauthorised",
    "waiting": "waiting",
    "windows_driver": "no_driver",
}
"""Name of an error → `PhoneState`. What is not here says that no phone is to be seen, or not any more."""
