"""The demo phone's shell: enough of mksh, Android's ``/system/bin/sh``, for our scripts and for a person's hands.

Everything a script does is bounded, and whatever it says, it ends in an exit status and never in an exception.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from privaudit.virtual_phone.adbd.sync import FileTree
from privaudit.virtual_phone.shell.builtins import Break, Exit
from privaudit.virtual_phone.shell.expand import LimitExceededError
from privaudit.virtual_phone.shell.grammar import ShellParser
from privaudit.virtual_phone.shell.io import InputStream, OutputSink, ScriptBudget, ShellIO
from privaudit.virtual_phone.shell.lexer import ShellSyntaxError
from privaudit.virtual_phone.shell.toybox import Program, ProgramResult, build_tools
from privaudit.virtual_phone.shell.walk import ShellEnvironment, ShellInterpreter

__all__ = ["OutputSink", "Program", "ProgramResult", "Shell"]


class Shell:
    """Runs scripts over `build_programs`, the small tools of `privaudit.virtual_phone.shell.toybox` and `build_files`.

    Nothing outlives a script: no variable, no function. It may be used from several threads where `build_programs` may.
    """

    def __init__(
        self,
        programs: Mapping[str, Program],
        files: Mapping[str, bytes] | FileTree | None = None,
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        tree = files if isinstance(files, FileTree) else FileTree(files)
        self._environment = ShellEnvironment(programs, build_tools(tree), tree, sleep)

    def run_script(self, script: str, stdin: bytes = b"") -> ProgramResult:
        """Run `script` to its end. Standard output and error are kept apart; ``2>&1`` joins them in their order."""
        out, err = bytearray(), bytearray()
        code = self.stream_script(script, out.extend, err.extend, InputStream(stdin))
        return ProgramResult(bytes(out), bytes(err), code)

    def stream_script(self, script: str, out: OutputSink, err: OutputSink, stdin: InputStream) -> int:
        """Run `script`, giving its output to `out` and `err` as it comes; gives the exit status.

        Raises:
            Exception: only what `out`, `err`, `stdin` or `sleep` raise.
        """
        budget = ScriptBudget()
        walker = ShellInterpreter(self._environment, budget)
        parser = ShellParser(script)
        io = ShellIO(stdin, budget.count_output(out), budget.count_output(err))
        try:
            while (line := parser.parse_line()) is not None:
                walker.run_script(line, io)
        except Exit as leaving:
            return leaving.code
        except Break:
            return 0
        except ShellSyntaxError as error:
            err(f"/system/bin/sh: {error}\n".encode("utf-8", "surrogateescape"))
            return 1
        except (LimitExceededError, RecursionError):
            err(b"/system/bin/sh: more than the demo phone can do\n")
            return 1
        return walker.status
