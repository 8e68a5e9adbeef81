"""Prints the oldest version of every library that pyproject.toml allows, as constraints for pip: ``make oldest``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

_BOUND = re.compile(r"([A-Za-z0-9._-]+)(?:\[[\w,]+\])?\s*(?:>=|==)\s*([0-9.]+)")


def main() -> None:
    """Print them, one a line."""
    project = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    for wanted in project["project"]["dependencies"]:
        bound = _BOUND.match(wanted)
        if bound is not None:
            print(f"{bound[1]}=={bound[2]}")
        elif "sys_platform" not in wanted:
            raise SystemExit(f"without a lower bound: {wanted}")


if __name__ == "__main__":
    main()
