"""What a whole audit of a saved phone costs, start-up included: beside MVT reading the same bug report.

    .venv/bin/python benchmarks/offline.py

MVT (https://pypi.org/project/mvt) is run as its users run it, in an environment of its own that is made at the first
run (`mvt.py`). It reads the packages of a bug report by one module and the app-ops by another; what it takes to start
is in both, so its `version` command is taken off once. We read both, judge, and write the report.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import large_phone
import mvt_environment
from measure import PRIVAUDIT, Ran, Row, ended, in_turn, run, tell

from privaudit.errors import EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_OK
from tests.fixtures import bugreport_builder

ROUNDS = 5
BUDGET = 0.5
PEAK_MIB = 90
MOST_GROWTH = 11.0


def report(folder: Path, packages: int) -> Path:
    """A bug report of the large phone."""
    file = folder / f"bugreport-{packages}.zip"
    file.write_bytes(bugreport_builder.zipped(bugreport_builder.text(large_phone.phone(packages), large_phone.NOW)))
    return file


def audit(file: Path) -> Ran:
    """Our whole audit."""
    return ended(run((*PRIVAUDIT, "audit", str(file))), EXIT_OK, EXIT_FINDINGS, EXIT_INCOMPLETE)


def main() -> int:
    """Measure and compare."""
    mvt = (str(mvt_environment.program()), "--disable-update-check", "--disable-indicator-update-check")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, larger = report(folder, large_phone.PACKAGES), report(folder, 10 * large_phone.PACKAGES)
        env = {"HOME": name}

        def module(which: str) -> float:
            return ended(run((*mvt, "check-bugreport", "-m", which, str(file)), env=env), 0).cpu_s

        took = in_turn(
            {
                "ours": lambda: audit(file).cpu_s,
                "packages": lambda: module("DumpsysPackages"),
                "appops": lambda: module("DumpsysAppops"),
                "version": lambda: ended(run((*mvt, "version"), env=env), 0).cpu_s,
                "help": lambda: ended(run((*PRIVAUDIT, "--help")), 0).cpu_s,
            },
            ROUNDS,
        )
        peak = min(audit(file).peak_mib for _ in range(2))
        grown = min(audit(larger).cpu_s for _ in range(2))
    theirs = took["packages"] + took["appops"] - took["version"]
    rows = [
        Row(
            what=f"audit of a bug report, {large_phone.PACKAGES} apps × {len(large_phone.USERS)} users",
            ours=took["ours"],
            unit="s",
            reference=theirs,
            beside="MVT's two modules",
            budget=BUDGET,
        ),
        Row(what="its peak memory", ours=peak, unit="MiB", reference=PEAK_MIB, beside="budget", budget=1.0),
        Row(
            what="ten times the apps",
            ours=grown,
            unit="s",
            reference=took["ours"],
            beside="one time",
            budget=MOST_GROWTH,
        ),
    ]
    return tell(
        rows,
        floor=f"to start and print the help costs {took['help']:.2f} s: the audit is"
        f" {took['ours'] / took['help']:.1f} × that. MVT's `version` alone takes {took['version']:.2f} s.",
    )


if __name__ == "__main__":
    sys.exit(main())
