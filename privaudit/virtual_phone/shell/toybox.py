"""What a program on the phone is, and the small ones that every phone has (toybox, and mksh's own)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from privaudit.virtual_phone.adbd.sync import FileTree
from privaudit.virtual_phone.shell import blocks
from privaudit.virtual_phone.shell.condition import TestSyntaxError, evaluate_test


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What a program, or a whole script, left behind."""

    out: bytes = b""
    """Standard output."""
    err: bytes = b""
    """Standard error."""
    code: int = 0
    """Exit status, 0 to 255."""


Program: TypeAlias = Callable[[Sequence[str], bytes], ProgramResult]
"""A program on the phone: its arguments, its own name first, and its standard input.

Arguments hold undecodable bytes as surrogate escapes. A program must not wait and must not raise.
"""
Tool: TypeAlias = Callable[[Sequence[str], Callable[[], bytes]], ProgramResult]
"""A program that asks for its standard input only when it wants it: it may have to wait for a person."""

_ESCAPES: Final = {"a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPE: Final = re.compile(rb"\\(?:0([0-7]{0,3})|x([0-9A-Fa-f]{1,2})|([abefnrtv\\])|(c))")


class _ToolError(Exception):
    """What a tool says when its arguments make no sense."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def build_tools(files: FileTree) -> Mapping[str, Tool]:
    """The tools of a phone that holds `files`, by name."""
    table: Mapping[str, Callable[[Sequence[str], Callable[[], bytes], FileTree], ProgramResult]] = {
        "[": _test,
        "cat": _cat,
        "dd": _as_tool(blocks.dd),
        "echo": _echo,
        "grep": _grep,
        "head": _head,
        "ls": _ls,
        "sha256sum": _as_tool(blocks.sha256sum),
        "stat": _as_tool(blocks.stat),
        "tail": _tail,
        "test": _test,
        "wc": _wc,
    }

    def guarded(name: str) -> Tool:
        def tool(argv: Sequence[str], read: Callable[[], bytes]) -> ProgramResult:
            try:
                return table[name](argv, read, files)
            except _ToolError as error:
                return ProgramResult(err=_encode(f"{name}: {error}\n"), code=error.code)

        return tool

    return {name: guarded(name) for name in table}


def _as_tool(
    tool: Callable[[Sequence[str], Callable[[], bytes], FileTree], blocks.ToolOutput],
) -> Callable[[Sequence[str], Callable[[], bytes], FileTree], ProgramResult]:
    def run(argv: Sequence[str], read: Callable[[], bytes], files: FileTree) -> ProgramResult:
        out, said, code = tool(argv, read, files)
        return ProgramResult(out, _encode(said), code)

    return run


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _echo(argv: Sequence[str], _read_stdin: Callable[[], bytes], _files: FileTree) -> ProgramResult:
    """As mksh has it: backslashes speak unless ``-E``."""
    words = list(argv[1:])
    newline, escapes = b"\n", True
    while words and re.fullmatch("-[neE]+", words[0]):
        flags = words.pop(0)
        newline = b"" if "n" in flags else newline
        escapes = "E" not in flags
    shown = _encode(" ".join(words))
    if escapes:
        newline = b"" if any(match[4] for match in _ESCAPE.finditer(shown)) else newline
        shown = _ESCAPE.sub(_unescape, shown)
    return ProgramResult(shown + newline)


def _unescape(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, letter, _ = match.groups()
    if octal is not None:
        return bytes([int(octal or b"0", 8) & 0xFF])
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    return _ESCAPES[letter.decode()].encode() if letter else b""


def _test(argv: Sequence[str], _read_stdin: Callable[[], bytes], files: FileTree) -> ProgramResult:
    words = list(argv[1:])
    if argv[0] == "[" and (not words or words.pop() != "]"):
        raise _ToolError("missing ]", 2)
    try:
        return ProgramResult(code=0 if evaluate_test(words, files) else 1)
    except TestSyntaxError as error:
        raise _ToolError(str(error), 2) from None


def _read_inputs(names: Sequence[str], read_stdin: Callable[[], bytes], files: FileTree) -> Iterator[tuple[str, bytes]]:
    """Name and content of each input; standard input where none is named."""
    for name in names or ["-"]:
        content = read_stdin() if name == "-" else files.read(name)
        if content is None:
            raise _ToolError(f"{name}: {'Is a directory' if files.is_folder(name) else 'No such file or directory'}")
        yield name, content


def _parse_options(argv: Sequence[str], flags: str, valued: str = "") -> tuple[dict[str, str], list[str]]:
    """Options (``-n 3``, ``-n3``, ``-iv``) and what is left."""
    found: dict[str, str] = {}
    words = list(argv[1:])
    while words and words[0].startswith("-") and len(words[0]) > 1:
        word = words.pop(0)[1:]
        if word == "-":
            break
        if word.isdigit() and "n" in valued:
            word = f"n{word}"
        for index, letter in enumerate(word):
            if letter in valued:
                found[letter] = word[index + 1 :] or (words.pop(0) if words else "")
                break
            if letter not in flags:
                raise _ToolError(f"Unknown option '{letter}'")
            found[letter] = ""
    return found, words


def _cat(argv: Sequence[str], read_stdin: Callable[[], bytes], files: FileTree) -> ProgramResult:
    _, names = _parse_options(argv, "u")
    return ProgramResult(b"".join(content for _, content in _read_inputs(names, read_stdin, files)))


def _grep(argv: Sequence[str], read_stdin: Callable[[], bytes], files: FileTree) -> ProgramResult:
    options, words = _parse_options(argv, "ivcqEFo", "e")
    wanted = options["e"] if "e" in options else words.pop(0) if words else None
    if wanted is None:
        raise _ToolError("no REGEX", 2)
    if "E" not in options:
        # In a basic expression these speak only behind a backslash.
        wanted = re.sub(r"(\\?)([+?{}()|])", lambda m: m[2] if m[1] else "\\" + m[2], wanted)
    try:
        regex = re.compile(re.escape(wanted) if "F" in options else wanted, re.IGNORECASE if "i" in options else 0)
    except re.error:
        raise _ToolError("bad REGEX", 2) from None
    out: list[str] = []
    for _, content in _read_inputs(words, read_stdin, files):
        lines = content.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n") if content else []
        out += [line for line in lines if (regex.search(line) is None) is ("v" in options)]
    shown = f"{len(out)}\n" if "c" in options else "".join(f"{line}\n" for line in out)
    return ProgramResult(b"" if "q" in options else _encode(shown), code=0 if out else 1)


def _head(argv: Sequence[str], read_stdin: Callable[[], bytes], files: FileTree) -> ProgramResult:
    return _select_part(argv, read_stdin, files, lambda pieces, count: pieces[: int(count)])


def _tail(argv: Sequence[str], read_stdin: Callable[[], bytes], files: FileTree) -> ProgramResult:
    """``-n N`` or ``-c N`` the last ones; ``+N`` from the Nth on."""

    def keep(pieces: Sequence[bytes] | bytes, count: str) -> Sequence[bytes] | bytes:
        number = abs(int(count))
        return pieces[max(number - 1, 0) :] if count.startswith("+") else pieces[max(len(pieces) - number, 0) :]

    return _select_part(argv, read_stdin, files, keep)


def _select_part(
    argv: Sequence[str],
    read_stdin: Callable[[], bytes],
    files: FileTree,
    select: Callable[[Sequence[bytes] | bytes, str], Sequence[bytes] | bytes],
) -> ProgramResult:
    options, names = _parse_options(argv, "q", "nc")
    out = b""
    for _, content in _read_inputs(names, read_stdin, files):
        pieces = content if "c" in options else content.splitlines(keepends=True)
        count = options.get("c") or options.get("n") or "10"
        if not re.fullmatch(r"[-+]?[0-9]{1,15}", count):
            raise _ToolError(f"bad number '{count}'")
        kept = select(pieces, count)
        out += kept if isinstance(kept, bytes) else b"".join(kept)
    return ProgramResult(out)


def _wc(argv: Sequence[str], read_stdin: Callable[[], bytes], files: FileTree) -> ProgramResult:
    options, names = _parse_options(argv, "lwc")
    out = ""
    for name, content in _read_inputs(names, read_stdin, files):
        counts = {"l": content.count(b"\n"), "w": len(content.split()), "c": len(content)}
        wanted = [counts[letter] for letter in "lwc" if not options or letter in options]
        out += " ".join([*map(str, wanted), *([name] if names else [])]) + "\n"
    return ProgramResult(_encode(out))


def _ls(argv: Sequence[str], _read_stdin: Callable[[], bytes], files: FileTree) -> ProgramResult:
    options, names = _parse_options(argv, "1lad")
    out = ""
    for name in names or ["/"]:
        if not files.exists(name):
            raise _ToolError(f"{name}: No such file or directory")
        for entry in [name] if "d" in options or not files.is_folder(name) else files.children(name):
            out += f"{entry}\n"
    return ProgramResult(_encode(out))
