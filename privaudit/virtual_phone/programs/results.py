"""What the programs of the phone share: results, exceptions as each Android prints them, vendor restrictions, users."""

from collections.abc import Sequence
from typing import Final

from privaudit.virtual_phone.release import RESTRICTION_SWITCHES, ReleaseLayout, Since
from privaudit.virtual_phone.scenario.virtual import VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult

EXIT_SERVICE_FAILED: Final = 255
"""Exit status of a service's shell command that returns -1."""


class ProgramExit(Exception):  # noqa: N818 - control flow
    """Ends a program early, with `result`."""

    def __init__(self, result: ProgramResult) -> None:
        super().__init__(result)
        self.result = result


def output_result(text: str, code: int = 0) -> ProgramResult:
    """Return `text` on standard output."""
    return ProgramResult(out=text.encode("utf-8", "surrogateescape"), code=code)


def error_result(text: str, code: int = EXIT_SERVICE_FAILED) -> ProgramResult:
    """Return `text` on standard error."""
    return ProgramResult(err=text.encode("utf-8", "surrogateescape"), code=code)


def exception_result(layout: ReleaseLayout, command: str, exception: str) -> ProgramResult:
    """Return what the shell command `command` prints about an exception, without the stack trace."""
    match layout.exception_style:
        case "error":
            return error_result(f"Error: {exception}\n", 1)
        case "security" if "SecurityException: " in exception:
            return error_result(f"Security exception: {exception.partition(': ')[2]}\n\n")
        case _:
            return error_result(f"\nException occurred while executing '{command}':\n{exception}\n")


def denial_result(phone: VirtualPhone, command: str, text: str, kind: str = "SecurityException") -> ProgramResult:
    """Return the exception that ended `command`, as this Android words it for commands that write."""
    if phone.sdk >= Since.EXECUTING_MESSAGE:
        return exception_result(phone.layout, command, f"java.lang.{kind}: {text}")
    if phone.sdk >= Since.SECURITY_MESSAGE:
        return error_result(f"Security exception: {text}\n\njava.lang.{kind}: {text}\n")
    return error_result(f"Operation not allowed: java.lang.{kind}: {text}\n", 1)


def is_blocked(phone: VirtualPhone) -> bool:
    """Whether the vendor keeps the shell from changing permissions, app-ops and secure settings."""
    values = phone.properties
    return any(rom in values and values.get(switch) != "1" for rom, switch in RESTRICTION_SWITCHES.items())


def resolve_users(phone: VirtualPhone, user_arg: str | None, command: str) -> tuple[int, ...]:
    """Return the Android users that `user_arg` names: a number, ``all``, ``current``, or ``None`` for the current one.

    Raises `ProgramExit` for other words and for a user that is denied to the shell; as on Android, not for the number
    of a user that does not exist.
    """
    match user_arg:
        case None | "current" | "cur":
            return (0,)
        case "all":
            return phone.user_ids
        case _ if user_arg.isascii() and user_arg.isdecimal():
            user = int(user_arg)
            if not any(row.denied_to_shell for row in phone.users if row.id == user):
                return (user,)
            exception = f"java.lang.SecurityException: Shell does not have permission to access user {user}"
        case _:
            exception = f"java.lang.IllegalArgumentException: Bad user number: {user_arg}"
    raise ProgramExit(exception_result(phone.layout, command, exception))


def split_user_option(phone: VirtualPhone, args: Sequence[str], command: str) -> tuple[str | None, list[str]]:
    """Split ``--user N`` off `args`. Raises `ProgramExit` if ``--user`` is the last word."""
    rest = list(args)
    if "--user" not in rest:
        return None, rest
    at = rest.index("--user")
    if at + 1 == len(rest):
        exception = 'java.lang.IllegalArgumentException: Argument expected after "--user"'
        raise ProgramExit(exception_result(phone.layout, command, exception))
    return rest[at + 1], rest[:at] + rest[at + 2 :]


def split_target_user(phone: VirtualPhone, args: Sequence[str], command: str) -> tuple[int, list[str]]:
    """Split ``--user N`` off `args` and resolve it; without it, the owner. Raises `ProgramExit` like the two above."""
    user_arg, rest = split_user_option(phone, args, command)
    return resolve_users(phone, user_arg, command)[0], rest
