"""What happened, why, and what to do next. Each error knows its exit code.

The words stand in `WORDS` as ``NAME.what``, ``NAME.why`` and ``NAME.next``; locales translate them.
"""

from __future__ import annotations

from collections.abc import Mapping

from privaudit.model import Message, Value

EXIT_OK = 0
EXIT_USAGE = 2
EXIT_FOUND = 3
EXIT_UNREADABLE = 4
EXIT_GAPS = 5
EXIT_INTERRUPTED = 130


class PrivauditError(Exception):
    """An error to show to a person. `name` picks its three sentences."""

    exit_code = EXIT_UNREADABLE

    def __init__(self, name: str, **values: Value) -> None:
        super().__init__(name, values)
        self.name = name
        self.values = values

    @property
    def what(self) -> Message:
        """What happened."""
        return Message(key=f"errors.{self.name}.what", values=self.values)

    @property
    def why(self) -> Message:
        """Why, as far as it is known."""
        return Message(key=f"errors.{self.name}.why", values=self.values)

    @property
    def next(self) -> Message:
        """What to do next."""
        return Message(key=f"errors.{self.name}.next", values=self.values)


class UsageError(PrivauditError):
    """A wrong argument."""

    exit_code = EXIT_USAGE


class SourceError(PrivauditError):
    """A file or folder that cannot be read as a source."""


class KnowledgeError(PrivauditError):
    """A data file of ours, or of the user's, with mistakes. `mistakes` lists them all, to print one a line."""

    exit_code = EXIT_USAGE

    def __init__(self, name: str, mistakes: tuple[Message, ...], **values: Value) -> None:
        super().__init__(name, count=len(mistakes), **values)
        self.mistakes = mistakes


class PhoneError(PrivauditError):
    """The phone cannot be reached, or not any more."""


class ConnectionLost(PhoneError):  # noqa: N818 - what it says is what happened
    """The connection ended in the middle of an answer. `partial` is what had come until then."""

    def __init__(self, name: str, partial: bytes = b"", **values: Value) -> None:
        super().__init__(name, **values)
        self.partial = partial


WORDS: Mapping[str, str] = {}
