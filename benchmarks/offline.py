"""What a whole audit of a saved phone costs, start-up included, compared with MVT on the same bug report.

    .venv/bin/python -m benchmarks.offline

MVT (https://pypi.org/project/mvt) is run as its users run it, in an environment of its own that the first run creates
(`benchmarks.mvt_environment`). It reads the packages of a bug report with one module and the app-ops with another. Both
include its start-up, so the time of its `version` command is subtracted once. Our figure covers both and the report.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import large_phone
from benchmarks.measure import PRIVAUDIT, Outcome, ProcessUsage, Row, compare, measure_in_turn, run
from benchmarks.mvt_environment import mvt_program
from benchmarks.results import publish
from privaudit.errors import EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_OK
from tests.fixtures import bugreport_builder

ROUNDS = 5
MAX_RATIO = 0.4
MAX_PEAK_MIB = 90
MAX_GROWTH = 11.0
GROWTH = 10


def write_bugreport(folder: Path, packages: int) -> Path:
    """Write a bug report of the large phone."""
    file = folder / f"bugreport-{packages}.zip"
    text = bugreport_builder.text(large_phone.build_phone(packages), large_phone.NOW)
    file.write_bytes(bugreport_builder.zipped(text))
    return file


def audit(file: Path) -> ProcessUsage:
    """Run our whole audit."""
    return run((*PRIVAUDIT, "audit", str(file))).expect(EXIT_OK, EXIT_FINDINGS, EXIT_INCOMPLETE)


def measure() -> Outcome:
    """Measure and compare."""
    mvt = (str(mvt_program()), "--disable-update-check", "--disable-indicator-update-check")
    with tempfile.TemporaryDirectory() as home:
        file = write_bugreport(Path(home), large_phone.PACKAGES)
        larger_file = write_bugreport(Path(home), GROWTH * large_phone.PACKAGES)

        def mvt_seconds(*arguments: str) -> float:
            return run((*mvt, *arguments), env={"HOME": home}).expect(0).cpu_s

        seconds = measure_in_turn(
            {
                "ours": lambda: audit(file).cpu_s,
                "mvt packages": lambda: mvt_seconds("check-bugreport", "-m", "DumpsysPackages", str(file)),
                "mvt appops": lambda: mvt_seconds("check-bugreport", "-m", "DumpsysAppops", str(file)),
                "mvt version": lambda: mvt_seconds("version"),
                "help": lambda: run((*PRIVAUDIT, "--help")).expect(0).cpu_s,
            },
            ROUNDS,
        )
        peak_mib = min(audit(file).peak_mib for _ in range(2))
        larger_seconds = min(audit(larger_file).cpu_s for _ in range(2))
    rows = [
        Row(
            what=f"audit of a bug report, {large_phone.PACKAGES} apps × {len(large_phone.USERS)} users",
            ours=seconds["ours"],
            unit="s",
            reference=seconds["mvt packages"] + seconds["mvt appops"] - seconds["mvt version"],
            reference_name="MVT's two modules",
            budget=MAX_RATIO,
        ),
        Row(
            what="its peak memory",
            ours=peak_mib,
            unit="MiB",
            reference=MAX_PEAK_MIB,
            reference_name="budget",
            budget=1.0,
        ),
        Row(
            what="ten times the apps",
            ours=larger_seconds,
            unit="s",
            reference=seconds["ours"],
            reference_name="one time",
            budget=MAX_GROWTH,
        ),
    ]
    ratio = seconds["ours"] / seconds["help"]
    note = (
        f"Floor: to start and print the help costs {seconds['help']:.2f} s: the audit is {ratio:.1f} × that. MVT's"
        f" `version` alone takes {seconds['mvt version']:.2f} s."
    )
    return compare(rows, note=note)


if __name__ == "__main__":
    sys.exit(publish("offline", measure))
