"""Run the syntax tree of a script: commands, functions, loops, pipelines, redirections and built-ins, within limits.

One module, because a built-in such as ``read`` or ``return`` acts on the interpreter's own state and on its input and
output.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from privaudit.virtual_phone.shell import expand, parser
from privaudit.virtual_phone.shell.expand import LimitExceededError
from privaudit.virtual_phone.shell.parser import Command, Script
from privaudit.virtual_phone.shell.toybox import CommandError, FileTree, Program, Toybox

OutputSink: TypeAlias = Callable[[bytes], object]
"""Receives output as it comes. Its exceptions end the script."""

_MAX_COMMANDS: Final = 100_000
"""Limit for one script, including loop iterations."""
_MAX_OUTPUT_BYTES: Final = 512 * 1024 * 1024
"""Limit for one script; bytes that pass through pipes and substitutions count again."""
_MAX_CALL_DEPTH: Final = 20
"""Deepest nesting of calls and substitutions; each costs about a dozen Python frames."""
_MAX_POSITION_DIGITS: Final = 4
_MAX_SLEEP_S: Final = 600.0
_BUILTIN_ALIASES: Final = {":": "true", "continue": "break", "return": "exit"}
"""Built-ins that share a method with another one; `ShellInterpreter._builtin_NAME` implements NAME."""
_BIN_FOLDERS: Final = frozenset({"/system/bin", "/bin", "/vendor/bin", "/system/xbin"})


def discard_output(_data: bytes) -> None:
    """``/dev/null``."""


class InputStream:
    """Standard input: bytes at hand, or a function that waits for them at the first read."""

    def __init__(self, data: bytes = b"", wait: Callable[[], bytes] | None = None) -> None:
        self._data = data
        self._wait = wait

    def peek_available(self) -> bytes:
        """Return what is available without waiting, without consuming it."""
        return self._data

    def read_all(self) -> bytes:
        """Read to the end."""
        self._wait_for_data()
        data, self._data = self._data, b""
        return data

    def read_line(self) -> tuple[bytes, bool]:
        """Read a line; return it without its newline, and whether it had one."""
        self._wait_for_data()
        line, newline, self._data = self._data.partition(b"\n")
        return line, bool(newline)

    def _wait_for_data(self) -> None:
        if self._wait:
            self._data += self._wait()
            self._wait = None


@dataclass(frozen=True, slots=True)
class ShellIO:
    """File descriptors 0, 1 and 2."""

    stdin: InputStream
    out: OutputSink
    err: OutputSink

    def with_redirect(self, fd: int, operator: str, name: str, files: FileTree) -> ShellIO:
        """Return a copy after ``fd operator name``. Raises `CommandError` for a missing file or one to write."""
        end: InputStream | OutputSink | None
        if operator in {">&", "<&"}:
            ends: dict[str, InputStream | OutputSink] = {"0": self.stdin, "1": self.out, "2": self.err}
            end = discard_output if name == "-" else ends.get(name)
            if end is None:
                raise CommandError(f"{name}: bad file descriptor")
        elif operator == "<":
            content = b"" if name == "/dev/null" else files.read(name)
            if content is None:
                raise CommandError(f"can't open {name}: No such file or directory")
            end = InputStream(content)
        elif name == "/dev/null":
            end = discard_output
        else:
            raise CommandError(f"can't create {name}: Read-only file system")
        # An end of the wrong direction counts as closed.
        if fd == 0:
            return replace(self, stdin=end if isinstance(end, InputStream) else InputStream())
        sink = discard_output if isinstance(end, InputStream) else end
        return replace(self, out=sink) if fd == 1 else replace(self, err=sink) if fd == 2 else self  # noqa: PLR2004


class ScriptContext:
    """What all processes of one script share: what they can use, and the steps and bytes that remain."""

    def __init__(self, programs: Mapping[str, Program], files: FileTree, sleep: Callable[[float], object]) -> None:
        self.programs = programs
        self.files = files
        self.toybox = Toybox(files)
        self.sleep = sleep
        """Waits for seconds. Its exceptions end the script."""
        self._steps = _MAX_COMMANDS
        self._bytes = _MAX_OUTPUT_BYTES

    def count_command(self) -> None:
        """Count one command. Raises `LimitExceededError` if no steps are left."""
        self._steps -= 1
        if self._steps < 0:
            raise LimitExceededError

    def count_output(self, sink: OutputSink) -> OutputSink:
        """Return a sink that counts the bytes it passes on to `sink`."""

        def write(data: bytes) -> None:
            self._bytes -= len(data)
            if self._bytes < 0:
                raise LimitExceededError
            sink(data)

        return write


class Exit(Exception):  # noqa: N818 - control flow
    """``exit``: ends the process with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Return(Exit):
    """``return``: ends the function with `code`."""


class Break(Exception):  # noqa: N818 - control flow
    """``break``, or ``continue`` if `is_continue`, out of so many `levels` of loops."""

    def __init__(self, levels: int, *, is_continue: bool) -> None:
        super().__init__(levels)
        self.levels = levels
        self.is_continue = is_continue


class ShellInterpreter:
    """One shell process: the first, or a subshell."""

    def __init__(self, context: ScriptContext) -> None:
        self.variables: dict[str, str] = {}
        self.functions: dict[str, Command] = {}
        self.positional_args: Sequence[str] = ()
        self.status = 0
        self.loop_depth = 0
        self._context = context
        self._call_depth = 0
        self._io = ShellIO(InputStream(), discard_output, discard_output)
        self._substitution_status = 0

    def run_script(self, script: Script, io: ShellIO) -> int:
        """Run `script` and return its exit status. It may raise `Exit`, `Return`, `Break` and `LimitExceededError`."""
        for steps in script:
            for operator, pipeline in steps:
                if operator != ("||" if self.status == 0 else "&&"):
                    self.status = self._run_pipeline(pipeline, io)
        return self.status if script else 0

    def _run_in_subshell(self, action: Callable[[ShellInterpreter], int]) -> int:
        """Run `action` in a copy of this process, which cannot change this one."""
        child = ShellInterpreter(self._context)
        child.positional_args, child.status, child._call_depth = self.positional_args, self.status, self._next_depth()
        child.variables, child.functions = dict(self.variables), dict(self.functions)
        try:
            return action(child)
        except Exit as leaving:
            return leaving.code
        except Break:
            return 0

    def _next_depth(self) -> int:
        if self._call_depth >= _MAX_CALL_DEPTH:
            raise LimitExceededError
        return self._call_depth + 1

    def parameter(self, name: str) -> str | None:
        """Return the parameter `name`; ``None`` if unset."""
        match name:
            case "?":
                return str(self.status)
            case "#":
                return str(len(self.positional_args))
            case "$":
                return "1000"
            case "0":
                return "/system/bin/sh"
            case _ if name.isdecimal():
                is_set = len(name) <= _MAX_POSITION_DIGITS and int(name) <= len(self.positional_args)
                return self.positional_args[int(name) - 1] if is_set else None
            case _:
                return self.variables.get(name)

    def substitute(self, body: Script) -> str:
        """Run `body` and return its standard output without trailing newlines."""
        out = bytearray()
        io = replace(self._io, out=self._context.count_output(out.extend))
        self._substitution_status = self._run_in_subshell(lambda child: child.run_script(body, io))
        return out.replace(b"\0", b"").decode("utf-8", "surrogateescape").rstrip("\n")

    def _run_pipeline(self, node: parser.Pipeline, io: ShellIO) -> int:
        *feeders, last = node.commands
        stdin = io.stdin
        for command in feeders:
            out = bytearray()
            step = ShellIO(stdin, self._context.count_output(out.extend), io.err)
            self._run_in_subshell(lambda child, command=command, step=step: child.run_command(command, step))  # type: ignore[misc]
            stdin = InputStream(bytes(out))
        if feeders:
            piped = replace(io, stdin=stdin)
            status = self._run_in_subshell(lambda child: child.run_command(last, piped))
        else:
            status = self.run_command(last, io)
        return int(status == 0) if node.negated else status

    def run_command(self, node: Command, io: ShellIO) -> int:
        """Run one command and return its exit status."""
        self._context.count_command()
        try:
            return self._dispatch_command(node, io)
        except CommandError as error:
            io.err(f"/system/bin/sh: {error}\n".encode("utf-8", "surrogateescape"))
            if error.fatal:
                raise Exit(error.code) from None
            return error.code

    def _dispatch_command(self, node: Command, io: ShellIO) -> int:  # noqa: PLR0911 - one answer per kind
        self._io = io
        match node:
            case parser.SimpleCommand():
                return self._run_simple_command(node, io)
            case parser.RedirectedCommand():
                for fd, operator, word in node.redirects:
                    io = io.with_redirect(fd, operator, expand.expand_text(word, self), self._context.files)
                return self.run_command(node.command, io)
            case parser.CommandGroup(subshell=True):
                return self._run_in_subshell(lambda child: child.run_script(node.body, io))
            case parser.CommandGroup():
                return self.run_script(node.body, io)
            case parser.ForLoop() | parser.WhileLoop():
                return self._run_loop(node, io)
            case parser.IfCommand():
                body = next((body for condition, body in node.branches if self.run_script(condition, io) == 0), None)
                return self.run_script(node.otherwise if body is None else body, io)
            case parser.CaseCommand():
                subject = expand.expand_text(node.word, self)
                arms = ((pattern, body) for patterns, body in node.arms for pattern in patterns)
                matching = (body for pattern, body in arms if expand.matches_pattern(pattern, subject, self))
                return self.run_script(next(matching, ()), io)
            case parser.FunctionDefinition():
                self.functions[node.name] = node.body
                return 0

    def _run_loop(self, node: parser.ForLoop | parser.WhileLoop, io: ShellIO) -> int:
        status = 0
        self.loop_depth += 1
        try:
            for _ in self._loop_iterations(node, io):
                self._context.count_command()
                try:
                    status = self.run_script(node.body, io)
                except Break as leaving:
                    if leaving.levels > 1 and self.loop_depth > 1:
                        raise Break(leaving.levels - 1, is_continue=leaving.is_continue) from None
                    status = 0
                    if not leaving.is_continue or leaving.levels > 1:
                        break
        finally:
            self.loop_depth -= 1
        return status

    def _loop_iterations(self, node: parser.ForLoop | parser.WhileLoop, io: ShellIO) -> Iterator[None]:
        if isinstance(node, parser.ForLoop):
            for value in self.positional_args if node.words is None else expand.expand_fields(node.words, self):
                self.variables[node.name] = value
                yield
        else:
            while (self.run_script(node.condition, io) == 0) is not node.negated:
                yield

    def _run_simple_command(self, node: parser.SimpleCommand, io: ShellIO) -> int:
        self._substitution_status = 0
        argv = expand.expand_fields(node.words, self)
        values = {}
        for name, word in node.assigns:
            values[name] = expand.expand_text(word, self)
            self.variables |= {} if argv else values
        if not argv:
            return self._substitution_status
        before = dict(self.variables)
        self.variables |= values
        try:
            return self._execute(argv, io)
        finally:
            for name in values:
                self.variables.pop(name, None)
                self.variables |= {name: before[name]} if name in before else {}

    def _execute(self, argv: Sequence[str], io: ShellIO) -> int:
        folder, _, base = argv[0].rpartition("/")
        name = base if folder in _BIN_FOLDERS else argv[0]
        if argv[0] in self.functions:
            return self._call_function(self.functions[argv[0]], argv[1:], io)
        if builtin := getattr(self, f"_builtin_{_BUILTIN_ALIASES.get(argv[0], argv[0])}", None):
            return int(builtin(argv, io))
        if name in self._context.programs:
            result = self._context.programs[name](argv, io.stdin.peek_available())
        elif name in Toybox.NAMES:
            result = self._context.toybox.run([name, *argv[1:]], io.stdin.read_all)
        elif "/" in argv[0] and self._context.files.exists(argv[0]):
            why = "Is a directory" if self._context.files.is_folder(argv[0]) else "Permission denied"
            raise CommandError(f"{argv[0]}: can't execute: {why}", 126)
        else:
            raise CommandError(f"{argv[0]}: inaccessible or not found", 127)
        if result.out:
            io.out(result.out)
        if result.err:
            io.err(result.err)
        return result.code & 0xFF

    def _call_function(self, body: Command, args: Sequence[str], io: ShellIO) -> int:
        before = self.positional_args, self._call_depth
        self.positional_args, self._call_depth = args, self._next_depth()
        try:
            return self.run_command(body, io)
        except Return as leaving:
            return leaving.code
        finally:
            self.positional_args, self._call_depth = before

    def _builtin_break(self, argv: Sequence[str], _io: ShellIO) -> int:
        if not self.loop_depth:
            raise CommandError(f"{argv[0]}: can't {argv[0]}", 0)
        raise Break(_numeric_arg(argv, 1), is_continue=argv[0] == "continue")

    def _builtin_exit(self, argv: Sequence[str], _io: ShellIO) -> int:
        raise (Return if argv[0] == "return" else Exit)(_numeric_arg(argv, self.status) & 0xFF)

    def _builtin_export(self, argv: Sequence[str], _io: ShellIO) -> int:
        """``export``: only assigns, because programs here do not see variables."""
        for word in argv[1:]:
            name, equals, value = word.partition("=")
            if equals:
                self.variables[name] = value
        return 0

    def _builtin_read(self, argv: Sequence[str], io: ShellIO) -> int:
        names = [word for word in argv[1:] if word != "-r"] or ["REPLY"]
        raw, complete = io.stdin.read_line()
        line = raw.replace(b"\0", b"").decode("utf-8", "surrogateescape")
        if "-r" not in argv:
            line = re.sub(r"\\(.)", r"\1", line)
        separators = self.variables.get("IFS", " \t\n")
        blank = "".join(char for char in separators if char in " \t\n")
        line = line.strip(blank) if blank else line
        gap = re.compile(f"[{re.escape(separators)}]+") if separators else re.compile("(?!)")
        values = gap.split(line, maxsplit=len(names) - 1) if len(names) > 1 else [line]
        for index, name in enumerate(names):
            self.variables[name] = values[index] if index < len(values) else ""
        return 0 if complete else 1

    def _builtin_set(self, argv: Sequence[str], _io: ShellIO) -> int:
        words = list(argv[1:])
        # -f is always on: file names are never generated from patterns.
        while words and words[0] in {"-f", "+f"}:
            words.pop(0)
        if words and words[0] == "--":
            self.positional_args = words[1:]
        elif words and words[0][:1] in {"-", "+"}:
            raise CommandError(f"set: {words[0]}: unknown option", fatal=True)
        elif words:
            self.positional_args = words
        return 0

    def _builtin_shift(self, argv: Sequence[str], _io: ShellIO) -> int:
        count = _numeric_arg(argv, 1)
        if not 0 <= count <= len(self.positional_args):
            raise CommandError("shift: nothing to shift", fatal=True)
        self.positional_args = self.positional_args[count:]
        return 0

    def _builtin_sleep(self, argv: Sequence[str], _io: ShellIO) -> int:
        if len(argv) != 2 or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", argv[1], re.ASCII):  # noqa: PLR2004
            raise CommandError("sleep: needs a number of seconds")
        self._context.sleep(min(float(argv[1]), _MAX_SLEEP_S))
        return 0

    def _builtin_true(self, _argv: Sequence[str], _io: ShellIO) -> int:
        return 0

    def _builtin_false(self, _argv: Sequence[str], _io: ShellIO) -> int:
        return 1

    def _builtin_unset(self, argv: Sequence[str], _io: ShellIO) -> int:
        for name in argv[1:]:
            self.variables.pop(name, None)
        return 0


def _numeric_arg(argv: Sequence[str], default: int) -> int:
    if len(argv) == 1:
        return default
    if not re.fullmatch(r"-?[0-9]{1,9}", argv[1], re.ASCII):
        raise CommandError(f"{argv[0]}: bad number: {argv[1]}", fatal=True)
    return int(argv[1])
