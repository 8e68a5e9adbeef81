"""Walks the tree of a script and does what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privaudit.virtual_phone.adbd.sync import FileTree
from privaudit.virtual_phone.shell import expand
from privaudit.virtual_phone.shell.builtins import BUILTINS, Break, Exit, Return, ShellState
from privaudit.virtual_phone.shell.io import CommandError, InputStream, ScriptBudget, ShellIO, discard_output
from privaudit.virtual_phone.shell.toybox import Program, ProgramResult, Tool
from privaudit.virtual_phone.shell.tree import (
    AndOrList,
    CaseCommand,
    Command,
    CommandGroup,
    ForLoop,
    FunctionDefinition,
    IfCommand,
    Pipeline,
    RedirectedCommand,
    Script,
    SimpleCommand,
    WhileLoop,
)

_MAX_CALL_DEPTH: Final = 20
"""Deepest nesting of calls and substitutions; each costs about a dozen Python frames."""
_BIN_FOLDERS: Final = frozenset({"/system/bin", "/bin", "/vendor/bin", "/system/xbin"})


@dataclass(frozen=True, slots=True)
class ShellEnvironment:
    """What a script can reach."""

    programs: Mapping[str, Program]
    tools: Mapping[str, Tool]
    files: FileTree
    sleep: Callable[[float], object]
    """Waits so many seconds. What it raises ends the script."""


class ShellInterpreter(ShellState):
    """One shell process: the first, or a subshell."""

    def __init__(self, world: ShellEnvironment, budget: ScriptBudget) -> None:
        super().__init__(sleep=world.sleep)
        self._environment = world
        self._budget = budget
        self._call_depth = 0
        self._io = ShellIO(InputStream(), discard_output, discard_output)
        self._substitution_status = 0

    def run_script(self, script: Script, io: ShellIO) -> int:
        """Run `script`; gives its exit status.

        Raises:
            Exit, Return, Break: it leaves what is around it.
            TooMuchError: it is over its bounds.
        """
        for command in script:
            self.status = self._run_and_or(command, io)
        return self.status if script else 0

    def run_in_subshell(self, action: Callable[[ShellInterpreter], int]) -> int:
        """Exit status of `action` in a copy of this process, which cannot change this one."""
        child = ShellInterpreter(self._environment, self._budget)
        child.positional_args, child.status, child._call_depth = self.positional_args, self.status, self._next_depth()
        child.variables, child.functions = dict(self.variables), dict(self.functions)
        try:
            return action(child)
        except (Exit, Return) as leaving:
            return leaving.code
        except Break:
            return 0

    # --- what words are expanded against ---

    def substitute(self, body: Script) -> str:
        """See `expand.ExpansionContext`."""
        out = bytearray()
        io = replace(self._io, out=self._budget.count_output(out.extend))
        self._substitution_status = self.run_in_subshell(lambda child: child.run_script(body, io))
        return out.replace(b"\0", b"").decode("utf-8", "surrogateescape").rstrip("\n")

    def _next_depth(self) -> int:
        if self._call_depth >= _MAX_CALL_DEPTH:
            raise expand.LimitExceededError
        return self._call_depth + 1

    # --- commands ---

    def _run_and_or(self, node: AndOrList, io: ShellIO) -> int:
        for operator, pipeline in node.steps:
            if operator == ("||" if self.status == 0 else "&&"):
                continue
            self.status = self._run_pipeline(pipeline, io)
        return self.status

    def _run_pipeline(self, node: Pipeline, io: ShellIO) -> int:
        *feeders, last = node.commands
        stdin = io.stdin
        for command in feeders:
            out = bytearray()
            step = ShellIO(stdin, self._budget.count_output(out.extend), io.err)
            self.run_in_subshell(lambda child, command=command, step=step: child.run_command(command, step))  # type: ignore[misc]
            stdin = InputStream(bytes(out))
        piped = replace(io, stdin=stdin)
        status = (
            self.run_in_subshell(lambda child: child.run_command(last, piped))
            if feeders
            else self.run_command(last, io)
        )
        return int(status == 0) if node.negated else status

    def run_command(self, node: Command, io: ShellIO) -> int:
        """Run one command; gives its exit status."""
        self._budget.count_command()
        try:
            return self._dispatch_command(node, io)
        except CommandError as refusal:
            io.err(f"/system/bin/sh: {refusal}\n".encode("utf-8", "surrogateescape"))
            if refusal.fatal:
                raise Exit(refusal.code) from None
            return refusal.code

    def _dispatch_command(self, node: Command, io: ShellIO) -> int:  # noqa: PLR0911 - one answer per kind
        self._io = io
        match node:
            case SimpleCommand():
                return self._run_simple_command(node, io)
            case RedirectedCommand():
                for fd, operator, word in node.redirects:
                    io = io.with_redirect(fd, operator, expand.expand_text(word, self), self._environment.files)
                return self.run_command(node.command, io)
            case CommandGroup(subshell=True):
                return self.run_in_subshell(lambda child: child.run_script(node.body, io))
            case CommandGroup():
                return self.run_script(node.body, io)
            case ForLoop() | WhileLoop():
                return self._run_loop(node, io)
            case IfCommand():
                body = next((body for condition, body in node.branches if self.run_script(condition, io) == 0), None)
                return self.run_script(node.otherwise if body is None else body, io)
            case CaseCommand():
                return self._run_case(node, io)
            case FunctionDefinition():
                self.functions[node.name] = node.body
                return 0

    def _run_loop(self, node: ForLoop | WhileLoop, io: ShellIO) -> int:
        status = 0
        self.loop_depth += 1
        try:
            for _ in self._loop_iterations(node, io):
                self._budget.count_command()
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

    def _loop_iterations(self, node: ForLoop | WhileLoop, io: ShellIO) -> Iterator[None]:
        if isinstance(node, ForLoop):
            for value in self.positional_args if node.words is None else expand.expand_fields(node.words, self):
                self.variables[node.name] = value
                yield
        else:
            while (self.run_script(node.condition, io) == 0) is not node.negated:
                yield

    def _run_case(self, node: CaseCommand, io: ShellIO) -> int:
        subject = expand.expand_text(node.word, self)
        for patterns, body in node.arms:
            if any(expand.matches_pattern(expand.expand_pattern(pattern, self), subject) for pattern in patterns):
                return self.run_script(body, io)
        return 0

    def _run_simple_command(self, node: SimpleCommand, io: ShellIO) -> int:
        self._substitution_status = 0
        argv = expand.expand_fields(node.words, self)
        values = {}
        for name, word in node.assigns:
            values[name] = expand.expand_text(word, self)
            if not argv:
                self.variables |= values
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
        if argv[0] in BUILTINS:
            return BUILTINS[argv[0]](self, argv, io)
        if name in self._environment.programs:
            result = self._environment.programs[name](argv, io.stdin.peek_available())
        elif name in self._environment.tools:
            result = self._environment.tools[name]([name, *argv[1:]], io.stdin.read_all)
        else:
            result = self._raise_not_found(argv[0])
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

    def _raise_not_found(self, name: str) -> ProgramResult:
        if "/" in name and self._environment.files.exists(name):
            why = "Is a directory" if self._environment.files.is_folder(name) else "Permission denied"
            raise CommandError(f"{name}: can't execute: {why}", 126)
        raise CommandError(f"{name}: inaccessible or not found", 127)
