"""Fuzzes one target with atheris (libFuzzer), keeps what was found, and writes down what was done.

``python tests/fuzz/run.py TARGET... [--seconds N]``; without a target all of them, one after another. A find does not
end a run: its input goes to ``found/TARGET/``, one for each place where something went wrong, and fuzzing goes on.
``make fuzz`` is the same in an environment that has atheris.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOUND, CORPUS = HERE / "found", HERE / "corpus"
RESULTS = ROOT / "benchmarks" / "results"
KEPT, KEPT_SIZE = 24, 2048
"""How many inputs of each run the repository keeps, and their largest size."""
MEMORY_MB = 1500
SLOW_S = 20


def main() -> None:
    wishes = argparse.ArgumentParser(description=__doc__)
    wishes.add_argument("target", nargs="*")
    wishes.add_argument("--seconds", type=int, default=600, help="for each target")
    wishes.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    wishes.add_argument("--finds", type=Path, help=argparse.SUPPRESS)
    wishes.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    given = wishes.parse_args()
    sys.path.insert(0, str(ROOT))
    if given.inside:
        _fuzz(given.target[0], given.seconds, given.finds, given.corpus)
        return
    names = given.target or _targets()
    for name in names:
        _outside(name, given.seconds)


def _targets() -> list[str]:
    from tests.fuzz.targets import TARGETS

    return list(TARGETS)


# --- the fuzzing process ----------------------------------------------------------------------------------------------


def _fuzz(name: str, seconds: int, finds: Path, corpus: Path) -> None:
    import atheris

    with atheris.instrument_imports(include=["privaudit", "adb_shell"]):
        from tests.fuzz import targets

        target = targets.TARGETS[name]
        for seed in targets.SEEDS[name]():
            (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    seen: set[str] = set()

    def once(data: bytes) -> None:
        try:
            target(data)
        except targets.EXPECTED:
            pass
        except Exception as error:  # noqa: BLE001 - the find
            place = _place(error)
            if place not in seen:
                seen.add(place)
                stem = hashlib.sha256(place.encode()).hexdigest()[:12]
                (finds / stem).write_bytes(data)
                (finds / f"{stem}.txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")

    options = [f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY_MB}", f"-timeout={SLOW_S}", "-max_len=65536"]
    options += ["-print_final_stats=1", "-reload=0", "-verbosity=0", f"-artifact_prefix={finds}/"]
    atheris.Setup([sys.argv[0], str(corpus), *options], once)
    atheris.Fuzz()


def _place(error: BaseException) -> str:
    """Which error, raised where in our code: by this finds are told apart."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if "privaudit" in one.filename]
    frame = (frames or traceback.extract_tb(error.__traceback__))[-1]
    return f"{type(error).__name__} {Path(frame.filename).name}:{frame.lineno}"


# --- outside ----------------------------------------------------------------------------------------------------------


def _outside(name: str, seconds: int) -> None:
    """Run `name` for so long, starting again where a slow or greedy input ended the process."""
    executions = ended = peak = 0
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as scratch:
        corpus, finds = Path(scratch) / "corpus", Path(scratch) / "finds"
        corpus.mkdir()
        finds.mkdir()
        for kept in (*(CORPUS / name).glob("*"), *(FOUND / name).glob("*")):
            (corpus / kept.name).write_bytes(kept.read_bytes())
        while (left := seconds - int(time.monotonic() - began)) > 0:
            command = [sys.executable, __file__, name, "--inside", f"--seconds={left}"]
            done = subprocess.run(
                [*command, f"--finds={finds}", f"--corpus={corpus}"], cwd=scratch, capture_output=True, check=False
            )
            said = done.stderr.decode("utf-8", "replace")
            counted = re.findall(r"number_of_executed_units: +(\d+)", said)
            executions += int(counted[-1]) if counted else 0
            peak = max([peak, *map(int, re.findall(r"peak_rss_mb: +(\d+)", said))])
            if done.returncode == 0:
                break
            ended += 1
            if not counted:
                sys.stderr.write(said[-3000:])
                break
        took = time.monotonic() - began
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        new = _keep(name, finds)
        _keep_corpus(name, corpus)
    row = {"target": name, "seconds": round(took), "executions": executions, "finds": new, "ended": ended, "mb": peak}
    row["cpu"] = round(spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime)
    row["day"] = datetime.now(UTC).date().isoformat()
    _write_down(row)
    print(json.dumps(row), flush=True)


def _keep(name: str, finds: Path) -> int:
    folder = FOUND / name
    inputs = [one for one in finds.iterdir() if one.suffix != ".txt" and not one.name.startswith("slow-unit")]
    for one in inputs:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / one.name).write_bytes(one.read_bytes())
        why = one.with_name(f"{one.name}.txt")
        if why.exists():
            sys.stderr.write(f"{name}/{one.name}\n{why.read_text(encoding='utf-8')}\n")
    return len(inputs)


def _keep_corpus(name: str, corpus: Path) -> None:
    """The newest small inputs of the run that reached something: each came last because it went further."""
    small = [one for one in corpus.iterdir() if 0 < one.stat().st_size <= KEPT_SIZE]
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for one in sorted(small, key=lambda one: one.stat().st_mtime_ns)[-KEPT:]:
        data = one.read_bytes()
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def _write_down(row: dict[str, object]) -> None:
    """The last run of each target, as JSON to be read again and as a table for people."""
    folder = RESULTS / "fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    # A file for each, so that two runs side by side lose nothing.
    (folder / f"{row['target']}.json").write_text(json.dumps(row) + "\n", encoding="utf-8")
    rows = {file.stem: json.loads(file.read_text("utf-8")) for file in folder.glob("*.json")}
    kept = [rows[name] for name in _targets() if name in rows]
    lines = [
        "## Fuzzing",
        "",
        "Last run of each target by `make fuzz` (atheris on libFuzzer, seeded with sound inputs and the kept corpus).",
        f"A run ends early at an input that takes {SLOW_S} s or {MEMORY_MB} MB, and is begun again.",
        "Finds are inputs kept in `tests/fuzz/found/`, one for each place; the suite replays them.",
        "",
        "Seconds of the processor stand beside those of the clock: a busy machine gives a run few of them.",
        "",
        "| target | seconds | of the processor | executions | new finds | ended early | peak MB | day |",
        "|---|---|---|---|---|---|---|---|",
        *(
            "| {target} | {seconds} | {cpu} | {executions:,} | {finds} | {ended} | {mb} | {day} |".format(
                **{"cpu": "?"} | one
            )
            for one in kept
        ),
    ]
    (RESULTS / "fuzz.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
