"""``RESULTS.md``, the one file of results: a section for each program, replaced when that program runs."""

from __future__ import annotations

import fcntl
import os
import platform
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.measure import Outcome

RESULTS_FILE: Final = Path(__file__).resolve().with_name("RESULTS.md")
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
    "browser": "The page in a browser",
    "fuzzing": "Fuzzing",
}
"""Program → title of its section, in the order of the sections."""
EXIT_MISSED: Final = 3
"""Exit code of a program that missed a budget; 1 is Python's own for an exception."""
_HEAD: Final = """\
# What the benchmarks measured

Written by `make bench`, by each program of this folder and by `make fuzz`; do not edit. A section holds our figures,
references measured in the same run, the ratios, and the budgets. Only ratios carry over to another computer.
"""
_HEADING: Final = re.compile(r"^## (.*)\n", re.MULTILINE)


def publish(name: str, measure: Callable[[], Outcome], *, is_complete: bool = True) -> int:
    """Measure, print the section of a program and write it to `RESULTS_FILE`.

    Args:
        name: The program, a key of `TITLES`.
        measure: Takes the measurements.
        is_complete: False if options changed what is measured: then the section is only printed.

    Returns:
        The program's exit code.
    """
    outcome = measure()
    verdict = "All budgets were kept." if outcome.within_budgets else "A budget was missed."
    body = f"{_stamp(name)} {verdict}\n\n{outcome.markdown}\n"
    print(f"## {TITLES[name]}\n\n{body}", flush=True)
    if is_complete:
        update_section(name, lambda _: body)
    return 0 if outcome.within_budgets else EXIT_MISSED


def publish_failure(name: str, reason: str) -> None:
    """Write to `RESULTS_FILE` that a program failed."""
    body = f"{_stamp(name)} **It failed:** {reason}\n"
    print(f"## {TITLES[name]}\n\n{body}", flush=True)
    update_section(name, lambda _: body)


def update_section(name: str, change: Callable[[str], str]) -> None:
    """Replace one section by what `change` makes of it. Programs may run side by side: the file is locked meanwhile."""
    with RESULTS_FILE.open("r+" if RESULTS_FILE.exists() else "w+", encoding="utf-8", newline="\n") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        _, *pieces = _HEADING.split(stream.read())
        sections = dict(zip(pieces[::2], (body.strip("\n") for body in pieces[1::2]), strict=True))
        sections[TITLES[name]] = change(sections.get(TITLES[name], "")).strip("\n")
        ordered = [title for title in (*TITLES.values(), *sections) if title in sections]
        stream.seek(0)
        stream.truncate()
        stream.write("\n".join([_HEAD, *(f"## {title}\n\n{sections[title]}\n" for title in dict.fromkeys(ordered))]))


def _stamp(name: str) -> str:
    return f"`benchmarks/{name}.py`, {datetime.now(UTC):%Y-%m-%d}, {_machine()}."


def _machine() -> str:
    """Describe the computer by its hardware and software alone; nothing identifies its owner."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line.partition(":") for line in cpuinfo.read_text(encoding="utf-8").splitlines())
        model = next((value.strip() for name, _, value in lines if name.strip() == "model name"), model)
    return (
        f"{model}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {memory:.0f} GiB;"
        f" {platform.system()} {platform.machine()}; {platform.python_implementation()} {platform.python_version()}"
    )
