"""Make Debian's adbd ask its owner, as a phone's does: ``ask_again.py ADBD CHANGED``.

Debian's patch sets ``auth_required`` to false in ``adbd_main``, right before it reads ``ADB_EXTERNAL_STORAGE``. In
machine code (amd64): load its address, store 0 there, load the name of the variable, call ``getenv``. 0 becomes 1.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

STORE = re.compile(rb"\x48\x8d\x05....\xc6\x00(\x00)\x48\x8d\x3d....\xe8", re.DOTALL)


def main() -> None:
    """Write the changed program; ends with 1 where the place is not found exactly once."""
    source, changed = map(Path, sys.argv[1:])
    code = bytearray(source.read_bytes())
    places = [match.start(1) for match in STORE.finditer(code)]
    if len(places) != 1:
        sys.exit(f"{source}: {len(places)} places look like auth_required = false; this needs a new pattern")
    code[places[0]] = 1
    changed.write_bytes(code)
    changed.chmod(0o755)


main()
