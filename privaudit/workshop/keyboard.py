"""The keyboard: single keys without Enter, on every system. The only door to the terminal's input."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

_POLL_INTERVAL_S: Final = 0.1
"""How often it is seen that nobody wants keys any more."""
_ESCAPE_SEQUENCES: Final = {"[A": "up", "[B": "down", "OA": "up", "OB": "down"}
_KEY_NAMES: Final = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\x1b": "escape"}

if sys.platform == "win32":
    import msvcrt
    import time

    _ARROW_KEYS: Final = {"H": "up", "P": "down"}

    class _KeySource:
        """The console. A special key comes as two characters, the first of them NUL or à."""

        def close(self) -> None:
            """Nothing was changed."""

        def next(self) -> str | None:
            """The next key, or ``None`` when none came for a moment."""
            if not msvcrt.kbhit():
                time.sleep(_POLL_INTERVAL_S)
                return None
            char = msvcrt.getwch()
            if char == "\x03":
                raise KeyboardInterrupt
            if char in {"\x00", "\xe0"}:
                return _ARROW_KEYS.get(msvcrt.getwch(), "")
            return _KEY_NAMES.get(char, char)
else:
    import codecs
    import select
    import termios
    import tty

    class _KeySource:
        """The terminal, told to give each key at once. Ctrl-C stays a signal."""

        def __init__(self) -> None:
            self._fd = sys.stdin.fileno()
            self._saved_attributes = termios.tcgetattr(self._fd)
            self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
            self._pending = ""
            tty.setcbreak(self._fd)

        def close(self) -> None:
            """Give the terminal back as it was."""
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved_attributes)

        def read_key(self) -> str | None:
            """The next key, or ``None`` when none came for a moment."""
            if not self._pending:
                if not select.select([self._fd], [], [], _POLL_INTERVAL_S)[0]:
                    return None
                read = os.read(self._fd, 1024)
                if not read:
                    raise EOFError
                self._pending = self._decode(read)
            # An arrow key is one read: what stands alone is the key Escape.
            for length in (3, 1):
                key = self._pending[:length]
                if length == 1 or (key.startswith("\x1b") and key[1:] in _ESCAPE_SEQUENCES):
                    self._pending = self._pending[length:]
                    return _ESCAPE_SEQUENCES.get(key[1:]) or _KEY_NAMES.get(key, key) if key else None
            return None


class Keyboard:
    """Tells each key from a thread of its own, inside a ``with`` block.

    Args:
        tell: told ``up``, ``down``, ``enter``, ``backspace``, ``escape``, or the character.
        ended: told once when no key will come any more.
    """

    def __init__(self, on_key: Callable[[str], object], on_end: Callable[[], object]) -> None:
        self._on_key = on_key
        self._on_end = on_end
        self._stopping = threading.Event()
        self._key_source = _KeySource()
        self._thread = threading.Thread(target=self._read_keys, name="workshop: keys", daemon=True)

    def _read_keys(self) -> None:
        try:
            while not self._stopping.is_set():
                key = self._key_source.read_key()
                if key:
                    self._on_key(key)
        except (EOFError, OSError, KeyboardInterrupt):
            self._on_end()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._key_source.close()
