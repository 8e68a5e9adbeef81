"""What shell text comes to: the nodes of the tree that `shell_grammar` reads and `shell` walks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class LiteralText:
    """Characters that stand for themselves; unless `quoted`, ``* ? [`` among them make patterns."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class ParameterExpansion:
    """``$name`` or ``${name op arg}``; `op` is empty, ``length`` or one of ``# ## % %% - :- + :+``."""

    name: str
    quoted: bool
    op: str = ""
    arg: Word = ()


@dataclass(frozen=True, slots=True)
class CommandSubstitution:
    """``$(body)``."""

    body: Script
    quoted: bool


@dataclass(frozen=True, slots=True)
class RedirectedCommand:
    """A command with ``fd op target`` redirections, in their order."""

    command: Command
    redirects: tuple[tuple[int, str, Word], ...]


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """``name=value … word …``."""

    assigns: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """``[!] command | command …``."""

    commands: tuple[Command, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class AndOrList:
    """Pipelines, each with the ``&&`` or ``||`` before it; the first has none."""

    steps: tuple[tuple[str, Pipeline], ...]


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """``{ …; }``, or ``( … )`` where `subshell`."""

    body: Script
    subshell: bool


@dataclass(frozen=True, slots=True)
class ForLoop:
    """``for name in words; do body; done``; `rule_texts` is ``None`` without ``in``."""

    name: str
    words: tuple[Word, ...] | None
    body: Script


@dataclass(frozen=True, slots=True)
class WhileLoop:
    """``while condition; do body; done``; ``until`` where `negated`."""

    condition: Script
    body: Script
    negated: bool


@dataclass(frozen=True, slots=True)
class IfCommand:
    """``if condition; then body; elif …; else otherwise; fi``."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script


@dataclass(frozen=True, slots=True)
class CaseCommand:
    """``case word in pattern|pattern) body;; … esac``."""

    word: Word
    arms: tuple[tuple[tuple[Word, ...], Script], ...]


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
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
