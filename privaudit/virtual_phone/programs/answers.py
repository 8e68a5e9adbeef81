"""What the programs of the demo phone share: how they answer, how they fail, and how they read a user number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from privaudit.virtual_phone.dump_writers.layout import Layout
from privaudit.virtual_phone.scenario.virtual import VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult

FAILED: Final = 255
"""Exit status of a service's shell command that returns -1."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not a mistake of ours
    """A program that ends early, with `result`."""

    def __init__(self, result: ProgramResult) -> None:
        super().__init__(result)
        self.result = result


def said(text: str, code: int = 0) -> ProgramResult:
    """An answer on standard output."""
    return ProgramResult(out=text.encode("utf-8", "surrogateescape"), code=code)


def complained(text: str, code: int = FAILED) -> ProgramResult:
    """An answer on standard error."""
    return ProgramResult(err=text.encode("utf-8", "surrogateescape"), code=code)


def thrown(layout: Layout, command: str, exception: str) -> ProgramResult:
    """What the shell command `command` prints of an exception. The stack trace is left out."""
    match layout.exception:
        case "error":
            return complained(f"Error: {exception}\n", 1)
        case "security" if "SecurityException: " in exception:
            return complained(f"Security exception: {exception.partition(': ')[2]}\n\n")
        case _:
            return complained(f"\nException occurred while executing '{command}':\n{exception}\n")


def user_number(phone: VirtualPhone, word: str | None, command: str) -> tuple[int, ...]:
    """Android users that `word` names: a number, ``all``, ``current``; ``None`` says nothing and means the current one.

    Raises:
        Refusal: it names none, or one that the shell may not look into. A number that no user has is no mistake, as on
            Android.
    """
    match word:
        case None | "current" | "cur":
            return (0,)
        case "all":
            return phone.user_ids
        case _ if word.isascii() and word.isdecimal():
            user = int(word)
            if any(one.closed for one in phone.users if one.id == user):
                said = f"java.lang.SecurityException: Shell does not have permission to access user {user}"
                raise Refusal(thrown(phone.layout, command, said))
            return (user,)
        case _:
            raise Refusal(thrown(phone.layout, command, f"java.lang.IllegalArgumentException: Bad user number: {word}"))


def take_user(layout: Layout, words: Sequence[str], command: str) -> tuple[str | None, list[str]]:
    """Split ``--user N`` off `words`.

    Raises:
        Refusal: nothing comes after ``--user``.
    """
    rest = list(words)
    if "--user" not in rest:
        return None, rest
    at = rest.index("--user")
    if at + 1 == len(rest):
        said = 'java.lang.IllegalArgumentException: Argument expected after "--user"'
        raise Refusal(thrown(layout, command, said))
    user = rest[at + 1]
    return user, rest[:at] + rest[at + 2 :]
