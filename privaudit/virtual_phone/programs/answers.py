"""What the programs of the demo phone share: how they answer, how they fail, and how they read a user number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from privaudit.virtual_phone.dump_writers.layout import ReleaseLayout
from privaudit.virtual_phone.scenario.virtual import VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult

EXIT_SERVICE_FAILED: Final = 255
"""Exit status of a service's shell command that returns -1."""


class ProgramExit(Exception):  # noqa: N818 - it is an answer, not a mistake of ours
    """A program that ends early, with `summary_sentences`."""

    def __init__(self, result: ProgramResult) -> None:
        super().__init__(result)
        self.result = result


def output_result(text: str, code: int = 0) -> ProgramResult:
    """An answer on standard output."""
    return ProgramResult(out=text.encode("utf-8", "surrogateescape"), code=code)


def error_result(text: str, code: int = EXIT_SERVICE_FAILED) -> ProgramResult:
    """An answer on standard error."""
    return ProgramResult(err=text.encode("utf-8", "surrogateescape"), code=code)


def exception_result(layout: ReleaseLayout, command: str, exception: str) -> ProgramResult:
    """What the shell command `command` prints of an exception. The stack trace is left out."""
    match layout.exception_style:
        case "error":
            return error_result(f"Error: {exception}\n", 1)
        case "security" if "SecurityException: " in exception:
            return error_result(f"Security exception: {exception.partition(': ')[2]}\n\n")
        case _:
            return error_result(f"\nException occurred while executing '{command}':\n{exception}\n")


def resolve_users(phone: VirtualPhone, user_arg: str | None, command: str) -> tuple[int, ...]:
    """Android users that `user_arg` names: a number, ``all``, ``current``; ``None`` says nothing and means the current one.

    Raises:
        Refusal: it names none, or one that the shell may not look into. A number that no user has is no mistake, as on
            Android.
    """
    match user_arg:
        case None | "current" | "cur":
            return (0,)
        case "all":
            return phone.user_ids
        case _ if user_arg.isascii() and user_arg.isdecimal():
            user = int(user_arg)
            if any(one.denied_to_shell for one in phone.users if one.id == user):
                said = f"java.lang.SecurityException: Shell does not have permission to access user {user}"
                raise ProgramExit(exception_result(phone.layout, command, said))
            return (user,)
        case _:
            raise ProgramExit(
                exception_result(
                    phone.layout, command, f"java.lang.IllegalArgumentException: Bad user number: {user_arg}"
                )
            )


def split_user_option(layout: ReleaseLayout, args: Sequence[str], command: str) -> tuple[str | None, list[str]]:
    """Split ``--user N`` off `args`.

    Raises:
        Refusal: nothing comes after ``--user``.
    """
    rest = list(args)
    if "--user" not in rest:
        return None, rest
    at = rest.index("--user")
    if at + 1 == len(rest):
        said = 'java.lang.IllegalArgumentException: Argument expected after "--user"'
        raise ProgramExit(exception_result(layout, command, said))
    user = rest[at + 1]
    return user, rest[:at] + rest[at + 2 :]
