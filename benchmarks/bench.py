"""Runs every benchmark and writes what they say into ``benchmarks/RESULTS.md``: ``make bench``.

    .venv/bin/python benchmarks/bench.py [NAME]...

Each benchmark leaves a section in ``benchmarks/results/NAME.md``, and RESULTS.md is put together from all that are
there; what else measures (``make fuzz``) puts its own beside them and calls `assemble`. A benchmark that fails says so
in its section and does not keep the others from running. Ends with 1 where one failed or missed a budget.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
SECTIONS: Final = HERE / "results"
RESULTS: Final = HERE / "RESULTS.md"
TITLES: Final = {
    "startup": "Start-up",
    "parsing": "Reading the long dumps",
    "offline": "A whole audit of a saved phone",
    "live": "A live audit",
    "names": "Names of apps",
    "transport": "A visit to a phone",
    "knowledge": "Reading the lists",
    "recognition": "Recognising lending apps",
    "workshop": "Workshops",
    "vetting": "Vetting APK files",
}
"""Programs in this folder, in the order of the sections."""
LIMIT_S: Final = 900
_HEAD: Final = """\
# What the benchmarks measured

Written by `make bench`; do not edit. Each section is what one program of this folder printed: our figure, a reference
measured in the same run, the ratio, and the budget. Only ratios carry over to another computer.
"""


def machine() -> str:
    """What this was measured on, without anything that tells whose it is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30) if hasattr(os, "sysconf") else 0
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line.partition(":") for line in cpuinfo.read_text(encoding="utf-8").splitlines())
        model = next((value.strip() for name, _, value in lines if name.strip() == "model name"), model)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{model}, {os.cpu_count()} processors{load}, {memory:.0f} GiB; {platform.system()} {platform.machine()};"
        f" {platform.python_implementation()} {platform.python_version()}"
    )


def section(name: str) -> bool:
    """Run one benchmark and write its section; whether it kept its budgets."""
    began = f"{datetime.now(UTC):%Y-%m-%d}, {machine()}"
    try:
        done = subprocess.run(
            [sys.executable, str(HERE / f"{name}.py")],
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
            encoding="utf-8",
        )
        told, code = done.stdout.strip(), done.returncode
        fault = done.stderr.strip().rpartition("\n")[2] if code else ""
    except subprocess.TimeoutExpired:
        told, code, fault = "", -1, f"not done after {LIMIT_S} s"
    # A traceback ends in one line that says what it was; a program that measured says nothing there.
    broken = code != 0 and bool(fault)
    verdict = f"**It failed:** {fault}" if broken else "A budget was missed." if code else "Every budget was kept."
    text = told if told.startswith("|") else f"```text\n{told}\n```"
    body = f"## {TITLES[name]}\n\n`benchmarks/{name}.py`, {began}. {verdict}\n" + (f"\n{text}\n" if told else "")
    SECTIONS.mkdir(exist_ok=True)
    (SECTIONS / f"{name}.md").write_text(body, encoding="utf-8", newline="\n")
    print(body, flush=True)
    return code == 0


def assemble() -> None:
    """Write RESULTS.md from the sections: those of `TITLES` first, then others by their names."""
    there = {file.stem: file for file in sorted(SECTIONS.glob("*.md"))}
    ordered = [there.pop(name) for name in TITLES if name in there] + list(there.values())
    parts = [_HEAD, *(file.read_text(encoding="utf-8") for file in ordered)]
    RESULTS.write_text("\n".join(parts), encoding="utf-8", newline="\n")


def main() -> int:
    """Run those that are named, or all."""
    names = sys.argv[1:] or list(TITLES)
    unknown = [name for name in names if name not in TITLES]
    if unknown:
        print(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(TITLES)}", file=sys.stderr)
        return 2
    kept = [section(name) for name in names]
    assemble()
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
