"""Print the oldest version of each library that pyproject.toml allows, as constraints for pip (``make oldest``)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

_LOWER_BOUND = re.compile(r"([A-Za-z0-9._-]+)(?:\[[\w,]+\])?\s*(?:>=|==)\s*([0-9.]+)")


def main() -> None:
    """Print one constraint a line."""
    project = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    for requirement in project["project"]["dependencies"]:
        bound = _LOWER_BOUND.match(requirement)
        if bound is not None:
            print(f"{bound[1]}=={bound[2]}")
        elif "sys_platform" not in requirement:
            raise SystemExit(f"no lower bound: {requirement}")


if __name__ == "__main__":
    main()
