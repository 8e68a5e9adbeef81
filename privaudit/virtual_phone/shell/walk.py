"""Walks the tree of a script and does what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privaudit.virtual_phone.adbd.files import FileTree
from privaudit.virtual_phone.shell import expand
from privaudit.virtual_phone.shell.builtins import BUILTINS, Break, Exit, Return, State
from privaudit.virtual_phone.shell.io import IO, Budget, Input, Refused, discard
from privaudit.virtual_phone.shell.toybox import Program, ProgramResult, Tool
from privaudit.virtual_phone.shell.tree import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Pipeline,
    Redirected,
    Script,
    Simple,
    While,
)

_MAX_CALLS: Final = 20
"""Deepest nesting of calls and substitutions; each costs about a dozen Python frames."""
_BIN: Final = frozenset({"/system/bin", "/bin", "/vendor/bin", "/system/xbin"})


@dataclass(frozen=True, slots=True)
class World:
    """What a script can reach."""

    programs: Mapping[str, Program]
    tools: Mapping[str, Tool]
    files: FileTree
    sleep: Callable[[float], object]
    """Waits so many seconds. What it raises ends the script."""


class Walker(State):
    """One shell process: the first, or a subshell."""

    def __init__(self, world: World, budget: Budget) -> None:
        super().__init__(sleep=world.sleep)
        self._world = world
        self._budget = budget
        self._calls = 0
        self._io = IO(Input(), discard, discard)
        self._substituted = 0

    def script(self, script: Script, io: IO) -> int:
        """Run `script`; gives its exit status.

        Raises:
            Exit, Return, Break: it leaves what is around it.
            TooMuchError: it is over its bounds.
        """
        for command in script:
            self.status = self._and_or(command, io)
        return self.status if script else 0

    def subshell(self, run: Callable[[Walker], int]) -> int:
        """Exit status of `run` in a copy of this process, which cannot change this one."""
        child = Walker(self._world, self._budget)
        child.args, child.status, child._calls = self.args, self.status, self._deeper()
        child.variables, child.functions = dict(self.variables), dict(self.functions)
        try:
            return run(child)
        except (Exit, Return) as leaving:
            return leaving.code
        except Break:
            return 0

    # --- what words are expanded against ---

    def substitute(self, body: Script) -> str:
        """See `expand.Environment`."""
        out = bytearray()
        io = replace(self._io, out=self._budget.metered(out.extend))
        self._substituted = self.subshell(lambda child: child.script(body, io))
        return out.replace(b"\0", b"").decode("utf-8", "surrogateescape").rstrip("\n")

    def _deeper(self) -> int:
        if self._calls >= _MAX_CALLS:
            raise expand.TooMuchError
        return self._calls + 1

    # --- commands ---

    def _and_or(self, node: AndOr, io: IO) -> int:
        for operator, pipeline in node.steps:
            if operator == ("||" if self.status == 0 else "&&"):
                continue
            self.status = self._pipeline(pipeline, io)
        return self.status

    def _pipeline(self, node: Pipeline, io: IO) -> int:
        *feeders, last = node.commands
        stdin = io.stdin
        for command in feeders:
            out = bytearray()
            step = IO(stdin, self._budget.metered(out.extend), io.err)
            self.subshell(lambda child, command=command, step=step: child.command(command, step))  # type: ignore[misc]
            stdin = Input(bytes(out))
        piped = replace(io, stdin=stdin)
        status = self.subshell(lambda child: child.command(last, piped)) if feeders else self.command(last, io)
        return int(status == 0) if node.negated else status

    def command(self, node: Command, io: IO) -> int:
        """Run one command; gives its exit status."""
        self._budget.step()
        try:
            return self._command(node, io)
        except Refused as refusal:
            io.err(f"/system/bin/sh: {refusal}\n".encode("utf-8", "surrogateescape"))
            if refusal.fatal:
                raise Exit(refusal.code) from None
            return refusal.code

    def _command(self, node: Command, io: IO) -> int:  # noqa: PLR0911 - one answer per kind
        self._io = io
        match node:
            case Simple():
                return self._simple(node, io)
            case Redirected():
                for fd, operator, word in node.redirects:
                    io = io.redirected(fd, operator, expand.text(word, self), self._world.files)
                return self.command(node.command, io)
            case Group(subshell=True):
                return self.subshell(lambda child: child.script(node.body, io))
            case Group():
                return self.script(node.body, io)
            case For() | While():
                return self._loop(node, io)
            case If():
                body = next((body for condition, body in node.branches if self.script(condition, io) == 0), None)
                return self.script(node.otherwise if body is None else body, io)
            case Case():
                return self._case(node, io)
            case Function():
                self.functions[node.name] = node.body
                return 0

    def _loop(self, node: For | While, io: IO) -> int:
        status = 0
        self.loops += 1
        try:
            for _ in self._turns(node, io):
                self._budget.step()
                try:
                    status = self.script(node.body, io)
                except Break as leaving:
                    if leaving.levels > 1 and self.loops > 1:
                        raise Break(leaving.levels - 1, again=leaving.again) from None
                    status = 0
                    if not leaving.again or leaving.levels > 1:
                        break
        finally:
            self.loops -= 1
        return status

    def _turns(self, node: For | While, io: IO) -> Iterator[None]:
        if isinstance(node, For):
            for value in self.args if node.words is None else expand.fields(node.words, self):
                self.variables[node.name] = value
                yield
        else:
            while (self.script(node.condition, io) == 0) is not node.negated:
                yield

    def _case(self, node: Case, io: IO) -> int:
        subject = expand.text(node.word, self)
        for patterns, body in node.arms:
            if any(expand.matches(expand.pattern(pattern, self), subject) for pattern in patterns):
                return self.script(body, io)
        return 0

    def _simple(self, node: Simple, io: IO) -> int:
        self._substituted = 0
        argv = expand.fields(node.words, self)
        values = {}
        for name, word in node.assigns:
            values[name] = expand.text(word, self)
            if not argv:
                self.variables |= values
        if not argv:
            return self._substituted
        before = dict(self.variables)
        self.variables |= values
        try:
            return self._run(argv, io)
        finally:
            for name in values:
                self.variables.pop(name, None)
                self.variables |= {name: before[name]} if name in before else {}

    def _run(self, argv: Sequence[str], io: IO) -> int:
        folder, _, base = argv[0].rpartition("/")
        name = base if folder in _BIN else argv[0]
        if argv[0] in self.functions:
            return self._call(self.functions[argv[0]], argv[1:], io)
        if argv[0] in BUILTINS:
            return BUILTINS[argv[0]](self, argv, io)
        if name in self._world.programs:
            result = self._world.programs[name](argv, io.stdin.at_hand())
        elif name in self._world.tools:
            result = self._world.tools[name]([name, *argv[1:]], io.stdin.take)
        else:
            result = self._missing(argv[0])
        if result.out:
            io.out(result.out)
        if result.err:
            io.err(result.err)
        return result.code & 0xFF

    def _call(self, body: Command, args: Sequence[str], io: IO) -> int:
        before = self.args, self._calls
        self.args, self._calls = args, self._deeper()
        try:
            return self.command(body, io)
        except Return as leaving:
            return leaving.code
        finally:
            self.args, self._calls = before

    def _missing(self, name: str) -> ProgramResult:
        if "/" in name and self._world.files.exists(name):
            why = "Is a directory" if self._world.files.is_folder(name) else "Permission denied"
            raise Refused(f"{name}: can't execute: {why}", 126)
        raise Refused(f"{name}: inaccessible or not found", 127)
