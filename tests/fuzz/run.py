"""Fuzz targets with atheris (libFuzzer), keep what they reached and found, and record the run in ``RESULTS.md``.

``python -m tests.fuzz.run [TARGET]... [--seconds N]`` fuzzes the targets one after another; all of them if none is
named. A find does not end a run: its input goes to ``found/TARGET/``, one for each place where an unexpected error was
raised, and fuzzing continues. Give the file a name that says what it showed once that is known. ``make fuzz`` runs this
in an environment that has atheris.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.results import update_section
from tests.fuzz import inputs

ROOT = Path(__file__).resolve().parents[2]
MAX_CORPUS_INPUTS, MAX_INPUT_BYTES = 24, 2048
"""How many inputs of each target the repository keeps, and the largest size of one."""
MAX_MEMORY_MB = 1500
MAX_INPUT_S = 20
TRACEBACK_SUFFIX = ".txt"


def main() -> None:
    """Fuzz the named targets, or run as the fuzzing process of one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="*")
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--finds-folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--corpus-folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.corpus_folder:
        fuzz(arguments.target[0], arguments.seconds, arguments.finds_folder, arguments.corpus_folder)
        return
    for target in arguments.target or target_names():
        run_target(target, arguments.seconds)


def target_names() -> list[str]:
    """Return the names of all targets."""
    from tests.fuzz.targets import TARGETS

    return list(TARGETS)


# --- The fuzzing process ----------------------------------------------------------------------------------------------


def fuzz(target_name: str, seconds: int, finds_folder: Path, corpus_folder: Path) -> None:
    """Fuzz one target in this process. Never returns: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["privaudit", "adb_shell"]):
        from tests.fuzz.seeds import SEEDS
        from tests.fuzz.targets import EXPECTED_ERRORS, TARGETS

        target = TARGETS[target_name]
        for seed in SEEDS[target_name]():
            (corpus_folder / inputs.input_name(seed)).write_bytes(seed)
    places: set[str] = set()

    def run_input(data: bytes) -> None:
        try:
            target(data)
        except EXPECTED_ERRORS:
            pass
        except Exception as error:  # noqa: BLE001 - the find
            place = error_place(error)
            if place not in places:
                places.add(place)
                (finds_folder / place).write_bytes(data)
                text = "".join(traceback.format_exception(error))
                (finds_folder / f"{place}{TRACEBACK_SUFFIX}").write_text(text, encoding="utf-8")

    options = [
        f"-max_total_time={seconds}",
        f"-rss_limit_mb={MAX_MEMORY_MB}",
        f"-timeout={MAX_INPUT_S}",
        "-max_len=65536",
        "-print_final_stats=1",
        "-reload=0",
        "-verbosity=0",
        f"-artifact_prefix={finds_folder}/",
    ]
    atheris.Setup([sys.argv[0], str(corpus_folder), *options], run_input)
    atheris.Fuzz()


def error_place(error: BaseException) -> str:
    """Return the type of an error and the line of our code that raised it, as a file name: it identifies a find."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = ([frame for frame in frames if "privaudit" in frame.filename] or frames)[-1]
    return f"{type(error).__name__}-{Path(frame.filename).stem}-{frame.lineno}"


# --- The parent process -----------------------------------------------------------------------------------------------


def run_target(target_name: str, seconds: int) -> None:
    """Fuzz one target for so long, and start again whenever an input that is too slow or too large ends the process."""
    executions = ended_early = peak_mb = 0
    start, usage_before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as scratch:
        corpus_folder, finds_folder = Path(scratch) / "corpus", Path(scratch) / "finds"
        corpus_folder.mkdir()
        finds_folder.mkdir()
        for name, data in (inputs.read_corpus(target_name) | inputs.read_finds(target_name)).items():
            (corpus_folder / name).write_bytes(data)
        while (remaining := seconds - int(time.monotonic() - start)) > 0:
            command = [sys.executable, "-m", "tests.fuzz.run", target_name, f"--seconds={remaining}"]
            folders = [f"--finds-folder={finds_folder}", f"--corpus-folder={corpus_folder}"]
            done = subprocess.run([*command, *folders], cwd=ROOT, capture_output=True, check=False)
            log = done.stderr.decode("utf-8", "replace")
            executed = re.findall(r"number_of_executed_units: +(\d+)", log)
            executions += int(executed[-1]) if executed else 0
            peak_mb = max([peak_mb, *map(int, re.findall(r"peak_rss_mb: +(\d+)", log))])
            if done.returncode == 0:
                break
            ended_early += 1
            if not executed:
                sys.stderr.write(log[-3000:])
                break
        elapsed_s = time.monotonic() - start
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        find_count = keep_finds(target_name, finds_folder)
        keep_corpus(target_name, corpus_folder)
    cpu_s = usage.ru_utime + usage.ru_stime - usage_before.ru_utime - usage_before.ru_stime
    day = datetime.now(UTC).date().isoformat()
    row = (
        f"| {target_name} | {elapsed_s:.0f} | {cpu_s:.0f} | {executions:,} | {find_count} | {ended_early} | {peak_mb}"
        f" | {day} |"
    )
    update_section("fuzzing", lambda section: results_table(section, target_name, row))
    print(row, flush=True)


def keep_finds(target_name: str, finds_folder: Path) -> int:
    """Copy the finds of a run into the repository, print their tracebacks, and return their number."""
    finds = [
        path
        for path in sorted(finds_folder.iterdir())
        if path.suffix != TRACEBACK_SUFFIX and not path.name.startswith("slow-unit")
    ]
    for path in finds:
        kept = inputs.FINDS_FOLDER / target_name / path.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(path.read_bytes())
        traceback_file = path.with_name(f"{path.name}{TRACEBACK_SUFFIX}")
        if traceback_file.exists():
            sys.stderr.write(f"{kept}\n{traceback_file.read_text(encoding='utf-8')}\n")
    return len(finds)


def keep_corpus(target_name: str, corpus_folder: Path) -> None:
    """Pack the newest small inputs of a run: libFuzzer adds an input only if it reaches code that no other did."""
    small = [path for path in corpus_folder.iterdir() if 0 < path.stat().st_size <= MAX_INPUT_BYTES]
    newest = sorted(small, key=lambda path: path.stat().st_mtime_ns)[-MAX_CORPUS_INPUTS:]
    inputs.write_corpus(target_name, [path.read_bytes() for path in newest])


def results_table(section: str, target_name: str, row: str) -> str:
    """Return the section of the results with the row of one target replaced."""
    names = target_names()
    rows = {name: line for line in section.splitlines() if (name := line[2:].partition(" ")[0]) in names}
    rows[target_name] = row
    lines = [
        "Last run of each target by `make fuzz` (atheris on libFuzzer, seeded with valid inputs and the kept corpus).",
        f"A run ends early at an input that takes {MAX_INPUT_S} s or {MAX_MEMORY_MB} MB, and is started again.",
        "Finds are inputs kept in `tests/fuzz/found/`, one for each place; the test suite replays them.",
        "",
        "Processor seconds are given beside elapsed ones: a busy machine leaves a run only a few.",
        "",
        "| target | seconds | processor seconds | executions | new finds | ended early | peak MB | day |",
        "|---|---|---|---|---|---|---|---|",
        *(rows[name] for name in names if name in rows),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
