"""The exceptions of privaudit, and the exit codes of its commands.

Each error is worded in three sentences: what happened, why, and what to do next. They stand in the message catalog as
``errors.NAME.what``, ``errors.NAME.why`` and ``errors.NAME.next``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privaudit.model import Message, MessageValue, PhoneState  # importing it takes longer than printing the help

EXIT_OK = 0
EXIT_INTERNAL_ERROR = 1
EXIT_USAGE = 2
EXIT_FINDINGS = 3
EXIT_UNREADABLE = 4
EXIT_INCOMPLETE = 5
EXIT_INTERRUPTED = 130


class PrivauditError(Exception):
    """An error to show to the user. `key` is ``errors.NAME``, and `values` fill the three sentences."""

    exit_code = EXIT_UNREADABLE

    def __init__(self, key: str, **values: MessageValue) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    @property
    def name(self) -> str:
        """`key` without its area, for comparisons in code."""
        return self.key.removeprefix("errors.")

    @property
    def what(self) -> Message:
        """The sentence that says what happened."""
        return self._message("what")

    @property
    def why(self) -> Message:
        """The sentence that says why, as far as it is known."""
        return self._message("why")

    @property
    def next(self) -> Message:
        """The sentence that says what to do next."""
        return self._message("next")

    def _message(self, part: str) -> Message:
        from privaudit.model import Message

        return Message(key=f"{self.key}.{part}", values=self.values)


class UsageError(PrivauditError):
    """A wrong argument or option."""

    exit_code = EXIT_USAGE


class SourceError(PrivauditError):
    """A file or folder that cannot be read as a source, or written."""


class KnowledgeError(PrivauditError):
    """Data files, privaudit's or the user's, with errors. `problems` lists all of them, one line each."""

    exit_code = EXIT_USAGE

    def __init__(self, key: str, problems: tuple[Message, ...], **values: MessageValue) -> None:
        super().__init__(key, count=len(problems), **values)
        self.problems = problems


class SignatureListError(PrivauditError):
    """Lists that cannot be installed, imported or exported. The active lists stay active."""


class ClusterError(PrivauditError):
    """The Dask cluster cannot be used."""


class PhoneError(PrivauditError):
    """The phone cannot be reached, or the connection to it ended."""

    @property
    def state(self) -> PhoneState:
        """The state of the phone that this error implies."""
        from privaudit.model import PhoneState

        name = self.name.removesuffix("_macos").removesuffix("_windows")
        return PhoneState(_PHONE_STATE_BY_ERROR.get(name, "absent"))


class ConnectionLost(PhoneError):  # noqa: N818 - names the event, as ConnectionResetError does
    """The connection ended in the middle of an answer. `partial` is the part that had arrived."""

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
"""Name of an error → `PhoneState`. Every other error means that no phone is connected any more (``absent``)."""
