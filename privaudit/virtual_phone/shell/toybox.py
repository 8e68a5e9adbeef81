"""The small tools that every phone has (toybox; ``echo`` and ``test`` of mksh), their files, and what a program is.

``dd`` is BSD's from Android 6 to 9 and toybox's since; what is here is common to both. One module, because a tool is
too short for one of its own and all share how they read files and options.
"""

import hashlib
import operator
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """The outcome of a program or a whole script."""

    out: bytes = b""
    err: bytes = b""
    code: int = 0
    """Exit status, 0 to 255."""


Program: TypeAlias = Callable[[Sequence[str], bytes], ProgramResult]
"""A program on the phone: receives its arguments, its own name first, and its standard input.

Arguments hold undecodable bytes as surrogate escapes. A program must not block and must not raise.
"""
_ReadInput: TypeAlias = Callable[[], bytes]
"""Reads standard input on demand: the input may have to wait for a person."""

_ESCAPES: Final = {"a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPE: Final = re.compile(rb"\\(?:0([0-7]{0,3})|x([0-9A-Fa-f]{1,2})|([abefnrtv\\])|(c))")
_TOOL_ALIASES: Final = {"[": "test", "tail": "head"}
_INTEGER: Final = re.compile(r"\s*([-+]?[0-9]{1,30})\s*")
_INTEGER_COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    f"-{name}": getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")
}
_SIZE: Final = re.compile(r"([0-9]{1,12})([cwbkKmMG]?)", re.ASCII)
_SIZE_SUFFIXES: Final = {"": 1, "c": 1, "w": 2, "b": 512, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_DD_OPERANDS: Final = frozenset({"if", "bs", "skip", "count", "status"})
_DD_BLOCK_BYTES: Final = 512


class FileTree:
    """Files by absolute path."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._files = {_normalize_path(path): content for path, content in (files or {}).items()}
        self._folders: dict[str, set[str]] = {"/": set()}
        for path in self._files:
            while path != "/":
                path, name = posixpath.split(path)  # noqa: PLW2901 - climbs to the root
                self._folders.setdefault(path, set()).add(name)

    def read(self, path: str) -> bytes | None:
        """Return the content of the file at `path`; ``None`` if there is no such file."""
        return self._files.get(_normalize_path(path))

    def is_folder(self, path: str) -> bool:
        """Whether `path` is a folder with files."""
        return _normalize_path(path) in self._folders

    def exists(self, path: str) -> bool:
        """Whether `path` is a file or a folder."""
        return self.read(path) is not None or self.is_folder(path)

    def children(self, path: str) -> Sequence[str]:
        """Return the names in the folder at `path`, sorted; empty if it is not a folder."""
        return sorted(self._folders.get(_normalize_path(path), ()))


class CommandError(Exception):
    """A tool or built-in failed; if `fatal`, it ends the process, as POSIX requires for special built-ins."""

    def __init__(self, message: str, code: int = 1, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.fatal = fatal


class Toybox:
    """The tools of a phone that holds `files`; ``_NAME`` implements NAME."""

    NAMES: Final = frozenset(
        ["[", "cat", "dd", "echo", "grep", "head", "ls", "sha256sum", "stat", "tail", "test", "wc"]
    )

    def __init__(self, files: FileTree) -> None:
        self._files = files

    def run(self, argv: Sequence[str], read_stdin: _ReadInput) -> ProgramResult:
        """Run the tool `argv`, whose name is one of `NAMES`."""
        tool = getattr(self, f"_{_TOOL_ALIASES.get(argv[0], argv[0])}")
        try:
            return tool(argv, read_stdin)  # type: ignore[no-any-return]
        except CommandError as error:
            return ProgramResult(err=_encode(f"{argv[0]}: {error}\n"), code=error.code)

    def _read_file(self, name: str) -> bytes:
        content = self._files.read(name)
        if content is None:
            problem = "Is a directory" if self._files.is_folder(name) else "No such file or directory"
            raise CommandError(f"{name}: {problem}")
        return content

    def _read_inputs(self, names: Sequence[str], read_stdin: _ReadInput) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of each input; standard input without names."""
        for name in names or ["-"]:
            yield name, read_stdin() if name == "-" else self._read_file(name)

    def _cat(self, argv: Sequence[str], read_stdin: _ReadInput) -> ProgramResult:
        _, names = _parse_options(argv, "u")
        return ProgramResult(b"".join(content for _, content in self._read_inputs(names, read_stdin)))

    @staticmethod
    def _echo(argv: Sequence[str], _read_stdin: _ReadInput) -> ProgramResult:
        """``echo`` of mksh: interprets backslashes unless ``-E``."""
        words = list(argv[1:])
        newline, escapes = b"\n", True
        while words and re.fullmatch("-[neE]+", words[0]):
            flags = words.pop(0)
            newline = b"" if "n" in flags else newline
            escapes = "E" not in flags
        out = _encode(" ".join(words))
        if escapes:
            newline = b"" if any(match[4] for match in _ESCAPE.finditer(out)) else newline
            out = _ESCAPE.sub(_unescape, out)
        return ProgramResult(out + newline)

    def _grep(self, argv: Sequence[str], read_stdin: _ReadInput) -> ProgramResult:
        options, words = _parse_options(argv, "ivcqEFo", "e")
        pattern = options["e"] if "e" in options else words.pop(0) if words else None
        if pattern is None:
            raise CommandError("no REGEX", 2)
        if "E" not in options:
            # In a basic expression these are operators only after a backslash.
            pattern = re.sub(r"(\\?)([+?{}()|])", lambda m: m[2] if m[1] else "\\" + m[2], pattern)
        try:
            flags = re.IGNORECASE if "i" in options else 0
            regex = re.compile(re.escape(pattern) if "F" in options else pattern, flags)
        except re.error:
            raise CommandError("bad REGEX", 2) from None
        out: list[str] = []
        for _, content in self._read_inputs(words, read_stdin):
            lines = content.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n") if content else []
            out += [line for line in lines if (regex.search(line) is None) is ("v" in options)]
        text = f"{len(out)}\n" if "c" in options else "".join(f"{line}\n" for line in out)
        return ProgramResult(b"" if "q" in options else _encode(text), code=0 if out else 1)

    def _head(self, argv: Sequence[str], read_stdin: _ReadInput) -> ProgramResult:
        """``head`` and ``tail``: ``-n N`` or ``-c N``; for ``tail``, ``+N`` means from the Nth on."""
        options, names = _parse_options(argv, "q", "nc")
        count = options.get("c") or options.get("n") or "10"
        out = b""
        for _, content in self._read_inputs(names, read_stdin):
            if not re.fullmatch(r"[-+]?[0-9]{1,15}", count):
                raise CommandError(f"bad number '{count}'")
            lines = content.splitlines(keepends=True)
            size, number = len(content if "c" in options else lines), abs(int(count))
            start = max(number - 1 if count.startswith("+") else size - number, 0)
            part = slice(int(count)) if argv[0] == "head" else slice(start, None)
            out += content[part] if "c" in options else b"".join(lines[part])
        return ProgramResult(out)

    def _wc(self, argv: Sequence[str], read_stdin: _ReadInput) -> ProgramResult:
        options, names = _parse_options(argv, "lwc")
        out = ""
        for name, content in self._read_inputs(names, read_stdin):
            counts = {"l": content.count(b"\n"), "w": len(content.split()), "c": len(content)}
            columns = [str(counts[letter]) for letter in "lwc" if not options or letter in options]
            out += " ".join([*columns, *([name] if names else [])]) + "\n"
        return ProgramResult(_encode(out))

    def _ls(self, argv: Sequence[str], _read_stdin: _ReadInput) -> ProgramResult:
        options, names = _parse_options(argv, "1lad")
        out = ""
        for name in names or ["/"]:
            if not self._files.exists(name):
                raise CommandError(f"{name}: No such file or directory")
            is_listed = self._files.is_folder(name) and "d" not in options
            out += "".join(f"{entry}\n" for entry in (self._files.children(name) if is_listed else [name]))
        return ProgramResult(_encode(out))

    def _dd(self, argv: Sequence[str], read_stdin: _ReadInput) -> ProgramResult:
        """``dd if=FILE bs=N skip=N count=N``: blocks of a file to standard output, their count to standard error."""
        operands: dict[str, str] = {}
        for word in argv[1:]:
            name, equals, value = word.partition("=")
            if not equals or name not in _DD_OPERANDS:
                raise CommandError(f"unknown operand {word}")
            operands[name] = value
        size = _parse_size(operands.get("bs", str(_DD_BLOCK_BYTES)))
        skip = _parse_size(operands.get("skip", "0"))
        end = (skip + _parse_size(operands["count"])) * size if "count" in operands else None
        if not size:
            raise CommandError("bs must not be 0")
        out = (self._read_file(operands["if"]) if "if" in operands else read_stdin())[skip * size : end]
        full, rest = divmod(len(out), size)
        blocks = f"{full}+{int(rest > 0)} records"
        quiet = operands.get("status") in {"none", "noxfer"}
        return ProgramResult(out, b"" if quiet else _encode(f"{blocks} in\n{blocks} out\n{len(out)} bytes copied\n"))

    def _stat(self, argv: Sequence[str], _read_stdin: _ReadInput) -> ProgramResult:
        """``stat -c FORMAT FILE...`` with ``%s``, ``%n`` and ``%F``."""
        if len(argv) < 4 or argv[1] != "-c":  # noqa: PLR2004 - itself, -c, a format, a file
            raise CommandError("the demo phone answers only stat -c FORMAT FILE...")
        out, err = "", ""
        for name in argv[3:]:
            content = self._files.read(name)
            if content is None and not self._files.is_folder(name):
                err += f"stat: '{name}': No such file or directory\n"
                continue
            kind = "directory" if content is None else "regular file" if content else "regular empty file"
            values = {"s": str(4096 if content is None else len(content)), "n": name, "F": kind, "%": "%"}
            out += re.sub("%(.)", lambda match, values=values: values.get(match[1], "?"), argv[2]) + "\n"  # type: ignore[misc]
        return ProgramResult(_encode(out), _encode(err), int(bool(err)))

    def _sha256sum(self, argv: Sequence[str], read_stdin: _ReadInput) -> ProgramResult:
        out, err = "", ""
        for name in argv[1:] or ["-"]:
            try:
                content = read_stdin() if name == "-" else self._read_file(name)
                out += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
            except CommandError as error:
                err += f"sha256sum: {error}\n"
        return ProgramResult(_encode(out), _encode(err), int(bool(err)))

    def _test(self, argv: Sequence[str], _read_stdin: _ReadInput) -> ProgramResult:
        words = list(argv[1:])
        if argv[0] == "[" and (not words or words.pop() != "]"):
            raise CommandError("missing ]", 2)
        return ProgramResult(code=0 if self._evaluate_test(words) else 1)

    def _evaluate_test(self, words: Sequence[str]) -> bool:  # noqa: PLR0911 - one answer per form
        """Evaluate ``[ words ]`` as mksh does."""
        match words:
            case []:
                return False
            case [word]:
                return word != ""
            case ["!", *rest] if len(words) != 3 or words[1] not in {*_INTEGER_COMPARISONS, "=", "==", "!="}:  # noqa: PLR2004
                return not self._evaluate_test(rest)
            case [op, word] if op in {"-n", "-z", "-e", "-f", "-d"}:
                is_file, is_folder = self._files.read(word) is not None, self._files.is_folder(word)
                return {"-n": word != "", "-z": word == "", "-e": self._files.exists(word), "-f": is_file}.get(
                    op, is_folder
                )
            case [left, "=" | "==" | "!=" as op, right]:
                return (left == right) is (op != "!=")
            case [left, op, right] if op in _INTEGER_COMPARISONS:
                return _INTEGER_COMPARISONS[op](_parse_integer(left), _parse_integer(right))
            case _:
                return self._evaluate_connective(words)

    def _evaluate_connective(self, words: Sequence[str]) -> bool:
        for op, join in (("-o", any), ("-a", all)):
            if op in words[1:-1]:
                at = words.index(op, 1)
                return join(self._evaluate_test(side) for side in (words[:at], words[at + 1 :]))
        if words[-1] in _INTEGER_COMPARISONS:
            raise CommandError(f"{words[-1]}: missing second argument", 2)
        raise CommandError(f"{words[1]}: unexpected operator/operand", 2)


def _normalize_path(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _unescape(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, letter, _ = match.groups()
    if octal is not None:
        return bytes([int(octal or b"0", 8) & 0xFF])
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    return _ESCAPES[letter.decode()].encode() if letter else b""


def _parse_options(argv: Sequence[str], flags: str, valued: str = "") -> tuple[dict[str, str], list[str]]:
    """Split `argv` into options (``-n 3``, ``-n3``, ``-iv``) and the other words."""
    options: dict[str, str] = {}
    words = list(argv[1:])
    while words and words[0].startswith("-") and len(words[0]) > 1:
        word = words.pop(0)[1:]
        if word == "-":
            break
        if word.isdigit() and "n" in valued:
            word = f"n{word}"
        for index, letter in enumerate(word):
            if letter in valued:
                options[letter] = word[index + 1 :] or (words.pop(0) if words else "")
                break
            if letter not in flags:
                raise CommandError(f"Unknown option '{letter}'")
            options[letter] = ""
    return options, words


def _parse_size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise CommandError(f"bad number {text}")
    return int(match[1]) * _SIZE_SUFFIXES[match[2].lower()]


def _parse_integer(word: str) -> int:
    """Read a number as mksh does: an empty word, or the name of an unset variable, is 0."""
    if not word.strip() or word.isidentifier():
        return 0
    match = _INTEGER.fullmatch(word)
    if match is None:
        raise CommandError(f"{word}: bad number", 2)
    return int(match[1])
