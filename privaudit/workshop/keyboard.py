"""The keyboard: single keys without Enter, on every system. The only door to the terminal's input."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

_LOOK_S: Final = 0.1
"""How often it is seen that nobody wants keys any more."""
_ESCAPES: Final = {"[A": "up", "[B": "down", "OA": "up", "OB": "down"}
_NAMES: Final = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\x1b": "escape"}

if sys.platform == "win32":
    import msvcrt
    import time

    _ARROWS: Final = {"H": "up", "P": "down"}

    class _Source:
        """The console. A special key comes as two characters, the first of them NUL or à."""

        def close(self) -> None:
            """Nothing was changed."""

        def next(self) -> str | None:
            """The next key, or ``None`` when none came for a moment."""
            if not msvcrt.kbhit():
                time.sleep(_LOOK_S)
                return None
            char = msvcrt.getwch()
            if char == "\x03":
                raise KeyboardInterrupt
            if char in {"\x00", "\xe0"}:
                return _ARROWS.get(msvcrt.getwch(), "")
            return _NAMES.get(char, char)
else:
    import codecs
    import select
    import termios
    import tty

    class _Source:
        """The terminal, told to give each key at once. Ctrl-C stays a signal."""

        def __init__(self) -> None:
            self._file = sys.stdin.fileno()
            self._before = termios.tcgetattr(self._file)
            self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
            self._waiting = ""
            tty.setcbreak(self._file)

        def close(self) -> None:
            """Give the terminal back as it was."""
            termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)

        def next(self) -> str | None:
            """The next key, or ``None`` when none came for a moment."""
            if not self._waiting:
                if not select.select([self._file], [], [], _LOOK_S)[0]:
                    return None
                read = os.read(self._file, 1024)
                if not read:
                    raise EOFError
                self._waiting = self._decode(read)
            # An arrow key is one read: what stands alone is the key Escape.
            for length in (3, 1):
                key = self._waiting[:length]
                if length == 1 or (key.startswith("\x1b") and key[1:] in _ESCAPES):
                    self._waiting = self._waiting[length:]
                    return _ESCAPES.get(key[1:]) or _NAMES.get(key, key) if key else None
            return None


class Keyboard:
    """Tells each key from a thread of its own, inside a ``with`` block.

    Args:
        tell: told ``up``, ``down``, ``enter``, ``backspace``, ``escape``, or the character.
        ended: told once when no key will come any more.
    """

    def __init__(self, tell: Callable[[str], object], ended: Callable[[], object]) -> None:
        self._tell = tell
        self._ended = ended
        self._stopping = threading.Event()
        self._source = _Source()
        self._thread = threading.Thread(target=self._run, name="workshop: keys", daemon=True)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                key = self._source.next()
                if key:
                    self._tell(key)
        except (EOFError, OSError, KeyboardInterrupt):
            self._ended()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._source.close()
