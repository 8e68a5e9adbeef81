"""The syntax tree of shell text, which `ShellParser` builds and `ShellInterpreter` runs."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class LiteralText(NamedTuple):
    """Literal characters. Unless `quoted`, ``* ? [`` among them form patterns."""

    text: str
    quoted: bool


class ParameterExpansion(NamedTuple):
    """``$name`` or ``${name op arg}``; `op` is empty, ``length`` or one of ``# ## % %% - :- + :+``."""

    name: str
    quoted: bool
    op: str = ""
    arg: Word = ()


class CommandSubstitution(NamedTuple):
    """``$(body)``."""

    body: Script
    quoted: bool


class RedirectedCommand(NamedTuple):
    """A command with ``fd op target`` redirections, in their order."""

    command: Command
    redirects: tuple[tuple[int, str, Word], ...]


class SimpleCommand(NamedTuple):
    """``name=value … word …``."""

    assigns: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]


class Pipeline(NamedTuple):
    """``[!] command | command …``."""

    commands: tuple[Command, ...]
    negated: bool


class AndOrList(NamedTuple):
    """Pipelines, each with the ``&&`` or ``||`` before it; empty before the first."""

    steps: tuple[tuple[str, Pipeline], ...]


class CommandGroup(NamedTuple):
    """``{ …; }``, or ``( … )`` if `subshell`."""

    body: Script
    subshell: bool


class ForLoop(NamedTuple):
    """``for name in words; do body; done``; `words` is ``None`` without ``in``."""

    name: str
    words: tuple[Word, ...] | None
    body: Script


class WhileLoop(NamedTuple):
    """``while condition; do body; done``, or ``until`` if `negated`."""

    condition: Script
    body: Script
    negated: bool


class IfCommand(NamedTuple):
    """``if condition; then body; elif …; else otherwise; fi``."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script


class CaseCommand(NamedTuple):
    """``case word in pattern|pattern) body;; … esac``."""

    word: Word
    arms: tuple[tuple[tuple[Word, ...], Script], ...]


class FunctionDefinition(NamedTuple):
    """``name() body``."""

    name: str
    body: Command


WordPart: TypeAlias = LiteralText | ParameterExpansion | CommandSubstitution
Word: TypeAlias = tuple[WordPart, ...]
Command: TypeAlias = (
    SimpleCommand
    | RedirectedCommand
    | CommandGroup
    | ForLoop
    | WhileLoop
    | IfCommand
    | CaseCommand
    | FunctionDefinition
)
Script: TypeAlias = tuple[AndOrList, ...]
