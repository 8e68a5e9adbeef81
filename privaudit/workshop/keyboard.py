"""Single keys without Enter, on POSIX terminals and the Windows console. No other module reads the terminal's input."""

import os
import sys
import threading
from collections.abc import Callable
from typing import Final, Self

from privaudit.interruptible import join_thread

_POLL_INTERVAL_S: Final = 0.1
"""How often the reading thread checks whether it should stop."""
_ESCAPE_SEQUENCES: Final = {"[A": "up", "[B": "down", "OA": "up", "OB": "down"}
_KEY_NAMES: Final = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\x1b": "escape"}

if sys.platform == "win32":
    import msvcrt
    import time

    _ARROW_KEYS: Final = {"H": "up", "P": "down"}

    class _KeySource:
        """The Windows console. A special key arrives as two characters, the first being NUL or ``à``."""

        def close(self) -> None:
            """Do nothing: the console's mode was not changed."""

        def read_key(self) -> str | None:
            """Return the next key; ``None``: none arrived within `_POLL_INTERVAL_S`."""
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
        """A POSIX terminal in cbreak mode: each key arrives at once, Ctrl-C is still a signal."""

        def __init__(self) -> None:
            self._fd = sys.stdin.fileno()
            self._saved_attributes = termios.tcgetattr(self._fd)
            self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
            self._pending = ""
            tty.setcbreak(self._fd)

        def close(self) -> None:
            """Restore the terminal's attributes."""
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved_attributes)

        def read_key(self) -> str | None:
            """Return the next key; ``None``: none arrived within `_POLL_INTERVAL_S`."""
            if not self._pending:
                if not select.select([self._fd], [], [], _POLL_INTERVAL_S)[0]:
                    return None
                data = os.read(self._fd, 1024)
                if not data:
                    raise EOFError
                self._pending = self._decode(data)
            # An arrow key arrives in one read, so a lone escape character is the key Escape.
            is_arrow = self._pending.startswith("\x1b") and self._pending[1:3] in _ESCAPE_SEQUENCES
            length = 3 if is_arrow else 1
            key, self._pending = self._pending[:length], self._pending[length:]
            return _ESCAPE_SEQUENCES.get(key[1:]) or _KEY_NAMES.get(key, key) if key else None


class Keyboard:
    """Reports keys from a thread of its own, inside a ``with`` block.

    `on_key` is called with ``up``, ``down``, ``enter``, ``backspace``, ``escape``, or the character; `on_end` once when
    the input has ended.
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
                if key := self._key_source.read_key():
                    self._on_key(key)
        except (EOFError, OSError, KeyboardInterrupt):
            self._on_end()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._stopping.set()
        join_thread(self._thread)
        self._key_source.close()
