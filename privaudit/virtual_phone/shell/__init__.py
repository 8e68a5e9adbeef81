"""The virtual phone's shell: enough of mksh, Android's ``/system/bin/sh``, for our scripts and for typed commands.

Every script is limited in steps, depth and output, and ends with an exit status. Only exceptions of its input, output
and `sleep` leave it.
"""

import time
from collections.abc import Callable, Mapping

from privaudit.virtual_phone.shell import interpreter
from privaudit.virtual_phone.shell.expand import LimitExceededError
from privaudit.virtual_phone.shell.interpreter import InputStream, OutputSink
from privaudit.virtual_phone.shell.parser import ShellParser, ShellSyntaxError
from privaudit.virtual_phone.shell.toybox import FileTree, Program, ProgramResult

__all__ = ["FileTree", "InputStream", "OutputSink", "Program", "ProgramResult", "Shell"]


class Shell:
    """Runs scripts with `programs`, the tools of `Toybox` and `files`.

    Variables and functions end with their script. Usable from several threads if `programs` are.
    """

    def __init__(
        self,
        programs: Mapping[str, Program],
        files: Mapping[str, bytes] | FileTree | None = None,
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._programs = programs
        self._files = files if isinstance(files, FileTree) else FileTree(files)
        self._sleep = sleep

    def run_script(self, script: str, stdin: bytes = b"") -> ProgramResult:
        """Run `script` to its end. Standard output and error are separate; ``2>&1`` joins them in order."""
        out, err = bytearray(), bytearray()
        code = self.stream_script(script, out.extend, err.extend, InputStream(stdin))
        return ProgramResult(bytes(out), bytes(err), code)

    def stream_script(self, script: str, out: OutputSink, err: OutputSink, stdin: InputStream) -> int:
        """Run `script`, pass its output to `out` and `err` as it comes, and return the exit status."""
        context = interpreter.ScriptContext(self._programs, self._files, self._sleep)
        process = interpreter.ShellInterpreter(context)
        parser = ShellParser(script)
        io = interpreter.ShellIO(stdin, context.count_output(out), context.count_output(err))
        try:
            while (line := parser.parse_line()) is not None:
                process.run_script(line, io)
        except interpreter.Exit as leaving:
            return leaving.code
        except interpreter.Break:
            return 0
        except ShellSyntaxError as error:
            err(f"/system/bin/sh: {error}\n".encode("utf-8", "surrogateescape"))
            return 1
        except (LimitExceededError, RecursionError):
            err(b"/system/bin/sh: more than the demo phone can do\n")
            return 1
        return process.status
