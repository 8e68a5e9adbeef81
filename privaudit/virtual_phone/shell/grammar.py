"""Reads shell text into a tree: the part of mksh's grammar that the demo phone's shell knows.

Not known, and refused as a syntax error: ``&``, here-documents, arithmetic and ``[[``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from privaudit.virtual_phone.shell.lexer import Lexer
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
    Word,
)

_CLOSERS: Final = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
_ASSIGN: Final = re.compile(r"([A-Za-z_]\w*)=", re.ASCII)
_FUNCTION: Final = re.compile(r"([A-Za-z_][\w.-]*)[ \t]*\([ \t]*\)", re.ASCII)
_REDIRECT: Final = re.compile(r"([0-9]?)(>>|>&|<&|>|<)(?![<>(])")


class Parser(Lexer):
    """Reads `text` a line at a time, as a shell does: what stands before a mistake still runs."""

    def line(self) -> Script | None:
        """The next complete line of commands, which may span several lines of text; ``None`` at the end.

        Raises:
            ShellSyntaxError: it is not shell.
        """
        self._newlines()
        if self._pos >= len(self._text):
            return None
        commands = [self._and_or()]
        while self._take(";"):
            self._blank()
            if self._peek() in {"", "\n"}:
                break
            commands.append(self._and_or())
        if self._peek() not in {"", "\n"}:
            self._unexpected()
        return tuple(commands)

    def _script(self, *, empty: bool = True) -> Script:
        """Commands up to a closing word, ``)`` or ``;;``, which is not taken."""
        commands: list[AndOr] = []
        self._newlines()
        while self._peek() not in {"", ")"} and not self._text.startswith(";;", self._pos):
            if self._reserved() in _CLOSERS:
                break
            commands.append(self._and_or())
            if not self._take(";") and self._peek() != "\n":
                break
            self._newlines()
        if not commands and not empty:
            self._unexpected()
        return tuple(commands)

    def _and_or(self) -> AndOr:
        steps = [("", self._pipeline())]
        while operator := next((o for o in ("&&", "||") if self._take(o)), ""):
            self._newlines()
            steps.append((operator, self._pipeline()))
        return AndOr(tuple(steps))

    def _pipeline(self) -> Pipeline:
        negated = self._reserved() == "!"
        self._pos += negated
        commands = [self._command()]
        while self._take("|"):
            self._newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated=negated)

    def _command(self) -> Command:
        with self._deeper():
            word = self._reserved()
            compound: dict[str, Callable[[], Command]] = {
                "{": self._group,
                "for": self._for,
                "while": self._while,
                "until": self._while,
                "if": self._if,
                "case": self._case,
            }
            if word in _CLOSERS:
                self._unexpected()
            function = _FUNCTION.match(self._text, self._pos)
            if self._peek() == "(":
                return self._redirected(self._subshell())
            if word in compound:
                return self._redirected(compound[word]())
            if function:
                self._pos = function.end()
                self._newlines()
                return Function(function[1], self._command())
            return self._simple()

    def _subshell(self) -> Group:
        self._pos += 1
        body = self._script()
        if not self._take(")"):
            self._unexpected()
        return Group(body, subshell=True)

    def _group(self) -> Group:
        self._keyword("{")
        body = self._script()
        self._keyword("}")
        return Group(body, subshell=False)

    def _for(self) -> For:
        self._keyword("for")
        name = self._name()
        self._newlines()
        words: list[Word] | None = None
        if self._reserved() == "in":
            self._keyword("in")
            words = []
            while word := self._word():
                words.append(word)
        self._take(";")
        self._keyword("do")
        body = self._script()
        self._keyword("done")
        return For(name, None if words is None else tuple(words), body)

    def _while(self) -> While:
        negated = self._keyword("while", "until") == "until"
        condition = self._script(empty=False)
        self._keyword("do")
        body = self._script()
        self._keyword("done")
        return While(condition, body, negated=negated)

    def _if(self) -> If:
        branches = []
        otherwise: Script = ()
        while (word := self._keyword("if", "elif", "else", "fi")) in {"if", "elif"}:
            condition = self._script(empty=False)
            self._keyword("then")
            branches.append((condition, self._script(empty=False)))
        if word == "else":
            otherwise = self._script(empty=False)
            self._keyword("fi")
        return If(tuple(branches), otherwise)

    def _case(self) -> Case:
        self._keyword("case")
        word = self._word() or self._unexpected()
        self._keyword("in")
        arms = []
        self._newlines()
        while self._reserved() != "esac":
            self._take("(")
            patterns = [self._word() or self._unexpected()]
            while self._take("|"):
                patterns.append(self._word() or self._unexpected())
            if not self._take(")"):
                self._unexpected()
            arms.append((tuple(patterns), self._script()))
            if not self._take(";;"):
                break
            self._newlines()
        self._keyword("esac")
        return Case(word, tuple(arms))

    def _simple(self) -> Command:
        assigns: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects = self._redirects()
        while True:
            assign = None if words else _ASSIGN.match(self._text, self._pos)
            if assign:
                self._pos = assign.end()
                assigns.append((assign[1], self._word_here()))
            elif word := self._word():
                words.append(word)
            else:
                break
            redirects += self._redirects()
        if not (assigns or words or redirects) or self._peek() == "(":
            self._unexpected()
        simple = Simple(tuple(assigns), tuple(words))
        return Redirected(simple, tuple(redirects)) if redirects else simple

    def _redirected(self, command: Command) -> Command:
        redirects = self._redirects()
        return Redirected(command, tuple(redirects)) if redirects else command

    def _redirects(self) -> list[tuple[int, str, Word]]:
        found: list[tuple[int, str, Word]] = []
        self._blank()
        while match := _REDIRECT.match(self._text, self._pos):
            self._pos = match.end()
            default = 0 if match[2].startswith("<") else 1
            found.append((int(match[1] or default), match[2], self._word() or self._unexpected()))
            self._blank()
        return found
