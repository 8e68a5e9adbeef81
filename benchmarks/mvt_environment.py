"""An environment of its own for MVT, which we compare with: it is never imported and never shipped.

Its licence is not an open source one: it is run as its authors publish it, and nothing of it is copied.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path


def mvt_program() -> Path:
    """Return MVT's command, and install it from PyPI first if it is missing.

    Raises:
        subprocess.CalledProcessError: PyPI was not reached.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "privaudit-benchmarks" / "mvt"
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    program = scripts / "mvt-android"
    if not program.exists():
        print("installing MVT into an environment of its own …", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        command = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "mvt"]
        subprocess.run(command, check=True)
    return program
