"""The demo phone's shell: enough of mksh, Android's ``/system/bin/sh``, for our scripts and for a person's hands.

Everything a script does is bounded, and whatever it says, it ends in an exit status and never in an exception.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from privaudit.virtual_phone.adbd.files import FileTree
from privaudit.virtual_phone.shell.builtins import Break, Exit
from privaudit.virtual_phone.shell.expand import TooMuchError
from privaudit.virtual_phone.shell.grammar import Parser
from privaudit.virtual_phone.shell.io import IO, Budget, Input, Sink
from privaudit.virtual_phone.shell.lexer import ShellSyntaxError
from privaudit.virtual_phone.shell.toybox import Program, ProgramResult, tools
from privaudit.virtual_phone.shell.walk import Walker, World

__all__ = ["Program", "ProgramResult", "Shell", "Sink"]


class Shell:
    """Runs scripts over `programs`, the small tools of `privaudit.virtual_phone.shell.toybox` and `files`.

    Nothing outlives a script: no variable, no function. It may be used from several threads where `programs` may.
    """

    def __init__(
        self,
        programs: Mapping[str, Program],
        files: Mapping[str, bytes] | FileTree | None = None,
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        tree = files if isinstance(files, FileTree) else FileTree(files)
        self._world = World(programs, tools(tree), tree, sleep)

    def run(self, script: str, stdin: bytes = b"") -> ProgramResult:
        """Run `script` to its end. Standard output and error are kept apart; ``2>&1`` joins them in their order."""
        out, err = bytearray(), bytearray()
        code = self.run_to(script, out.extend, err.extend, Input(stdin))
        return ProgramResult(bytes(out), bytes(err), code)

    def run_to(self, script: str, out: Sink, err: Sink, stdin: Input) -> int:
        """Run `script`, giving its output to `out` and `err` as it comes; gives the exit status.

        Raises:
            Exception: only what `out`, `err`, `stdin` or `sleep` raise.
        """
        budget = Budget()
        walker = Walker(self._world, budget)
        parser = Parser(script)
        io = IO(stdin, budget.metered(out), budget.metered(err))
        try:
            while (line := parser.line()) is not None:
                walker.script(line, io)
        except Exit as leaving:
            return leaving.code
        except Break:
            return 0
        except ShellSyntaxError as error:
            err(f"/system/bin/sh: {error}\n".encode("utf-8", "surrogateescape"))
            return 1
        except (TooMuchError, RecursionError):
            err(b"/system/bin/sh: more than the demo phone can do\n")
            return 1
        return walker.status
