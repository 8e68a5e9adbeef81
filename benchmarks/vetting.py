"""Vetting APKs file after file: compared with androguard's command line and library, on two cores, and in memory.

    .venv/bin/python -m benchmarks.vetting [--quick]

It makes its own files: the demo's apps (manifest, names and signing block as Android's tools made them), enlarged to
the size of real ones, with dex files that hold thousands of class names. Times are processor time, so that a busy
computer changes little; where two cores are compared with one, the reference is what two cores gain for idle loops at
that moment.

Compared are package, version, names, permissions, components, signers, SHA-256 of the file, and the class names of
known SDKs in its dex files. Our time has the second reader in it: androguard's library for manifest and signers.
androguard's command line reports less (package, signers, manifest). Its library does not search for class names: the
reference searches the bytes of each dex, which is the fastest way to do it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import resources
from pathlib import Path

import jsonschema

from benchmarks.apk_files import build_apk, deflate, pad_table, signing_block_of
from benchmarks.measure import ROOT, Outcome, Row, compare, run
from benchmarks.results import publish
from privaudit import vetting
from privaudit.errors import EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_OK
from privaudit.vetting import VettingContext, batch, report, second_reader
from privaudit.vetting.batch import VetJob
from privaudit.virtual_phone.programs import load_apks
from tests.fixtures.apk_builder import rows_of
from tests.fixtures.dex_builder import dex

SEED = 20261124
MIN_COMMAND_RATIO, MIN_LIBRARY_RATIO, MIN_TWO_CORES_RATIO = 3.0, 0.8, 0.9
MAX_MEMORY_RATIO = 1.1
TABLE_BYTES = 700_000
CLASSES_PER_DEX = 12_000
DEX_BYTES = 3_000_000
FILES_PER_APK = 400
MANY_FILES = 2_000
SDK_CLASS = "com.bqs.risk.df.android.BqsDF"


# --- Files ------------------------------------------------------------------------------------------------------------


def build_dex_files(count: int, rng: random.Random, *, classes: int, dex_bytes: int) -> list[tuple[bytes, bytes]]:
    """Return dex files and the same deflated; every third names a class of a known SDK."""
    built = []
    for number in range(count):
        names = {f"com.maker{rng.randrange(40)}.part{rng.randrange(90)}.Class{n}" for n in range(classes)}
        content = dex(names | {SDK_CLASS} if number % 3 == 0 else names)
        # Code deflates to about two thirds of its size; so does this.
        content += rng.randbytes(max(0, dex_bytes - len(content))).translate(bytes(byte % 40 for byte in range(256)))
        compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
        built.append((content, compressor.compress(content) + compressor.flush()))
    return built


def build_large_apk(
    apk: bytes, dex_files: Sequence[tuple[bytes, bytes]], rng: random.Random, *, table_bytes: int, files: int
) -> bytes:
    """Return a demo APK with dex files, further files and a larger resource table; its signing block stays."""
    parts = {row.name: row.content for row in rows_of(apk)}
    manifest, table = parts["AndroidManifest.xml"], parts["resources.arsc"]
    table = pad_table(table, table_bytes, rng) if table_bytes else table
    pictures = (rng.randbytes(1500) for _ in range(files))
    rows = [("AndroidManifest.xml", manifest, deflate(manifest))]
    rows += [(f"classes{number if number > 1 else ''}.dex", *code) for number, code in enumerate(dex_files, 1)]
    rows += [(f"res/drawable/picture_{number:05}.png", data, data) for number, data in enumerate(pictures)]
    rows += [("resources.arsc", table, table)]
    return build_apk(rows, signing_block_of(apk))


def write_apks(folder: Path, count: int, *, classes: int, dex_bytes: int, table_bytes: int, files: int) -> list[Path]:
    """Write so many apps to a folder, each a different file."""
    rng = random.Random(SEED)  # noqa: S311 - the same in every run
    dex_files = build_dex_files(6, rng, classes=classes, dex_bytes=dex_bytes)
    names = [name for name, content in sorted(load_apks().items()) if b"resources.arsc" in content]
    paths = []
    for number in range(count):
        name = names[number % len(names)]
        chosen = dex_files[number % 6 : number % 6 + 1 + number % 2]
        apk = build_large_apk(load_apks()[name], chosen, rng, table_bytes=table_bytes, files=files)
        paths.append(folder / f"{number:05}-{name}")
        paths[-1].write_bytes(apk)
    return paths


# --- androguard -------------------------------------------------------------------------------------------------------


def read_with_androguard(path: Path, needles: Sequence[bytes]) -> dict[str, object]:
    """Return the same facts by ``androguard.core.apk.APK``."""
    from androguard.core.apk import APK

    content = path.read_bytes()
    apk = APK(content, raw=True)
    signers = {*apk.get_certificates_der_v3(), *apk.get_certificates_der_v2()}
    table = apk.get_android_resources()
    sdk_prefixes: set[bytes] = set()
    for code in apk.get_all_dex():
        sdk_prefixes |= {needle for needle in needles if needle in code}
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "package": apk.get_package(),
        "version": (apk.get_androidversion_code(), apk.get_androidversion_name()),
        "sdk": apk.get_target_sdk_version(),
        "name": apk.get_app_name(),
        "locales": table.get_locales(apk.get_package()) if table else (),
        "permissions": apk.get_permissions(),
        "components": [*apk.get_activities(), *apk.get_services(), *apk.get_receivers(), *apk.get_providers()],
        "signers": {hashlib.sha256(certificate).hexdigest() for certificate in signers},
        "sdk_prefixes": sdk_prefixes,
    }


def run_androguard(*arguments: str | Path) -> None:
    """Run androguard's command line and discard its output."""
    program = Path(sys.executable).with_name("androguard")
    command = [str(program), *map(str, arguments)]
    run(command, cwd=Path(tempfile.gettempdir())).expect(0)  # it writes a log into the current folder


def check_agreement(paths: Sequence[Path], context: VettingContext, needles: Sequence[bytes]) -> None:
    """Check that both return the same facts: otherwise their times cannot be compared."""
    for path in paths:
        ours, theirs = vetting.vet(path, context), read_with_androguard(path, needles)
        app = ours.app
        assert app is not None, ours.gaps
        assert ours.complete, ours.gaps
        assert (app.package, app.apk_sha256, app.version_name) == (
            theirs["package"],
            theirs["sha256"],
            theirs["version"][1],  # type: ignore[index]
        )
        assert {permission.name for permission in app.permissions} == set(theirs["permissions"])  # type: ignore[call-overload]
        assert set(app.certificates_sha256) == theirs["signers"]
        assert bool(app.sdks) == bool(theirs["sdk_prefixes"]), path


# --- Measuring --------------------------------------------------------------------------------------------------------


def fastest_cpu_seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the least processor time of several rounds, of this process and of those that it started."""
    seconds = []
    for _ in range(rounds):
        start = used_cpu_seconds()
        work()
        seconds.append(used_cpu_seconds() - start)
    return min(seconds)


def used_cpu_seconds() -> float:
    """Return the processor time so far, of this process and of finished children."""
    usages = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def wall_seconds(work: Callable[[], object]) -> float:
    """Return the elapsed time of `work`."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure_speed(folder: Path, count: int, rounds: int) -> Iterator[Row]:
    """Compare the files per second of one core with androguard's library and command line."""
    paths = write_apks(
        folder, count, classes=CLASSES_PER_DEX, dex_bytes=DEX_BYTES, table_bytes=TABLE_BYTES, files=FILES_PER_APK
    )
    megabytes = sum(path.stat().st_size for path in paths) / count / 1e6
    context = vetting.load_vetting_context()
    needles = [f"L{prefix.replace('.', '/')}/".encode() for prefix in context.class_prefixes]
    check_agreement(paths, context, needles)
    jobs = [VetJob(str(path)) for path in paths]
    check_lines(jobs, context)

    def vet_all() -> None:
        for job in jobs:
            batch.vet_to_json(job, context)
        second_reader.stop_process()  # its time counts once it has ended

    def read_all_with_androguard() -> None:
        for path in paths:
            read_with_androguard(path, needles)

    def run_androguard_on_all() -> None:
        run_androguard("sign", "--hash", "sha256", *paths)
        for path in paths:
            run_androguard("axml", "-i", path, "-o", os.devnull)

    row = partial(Row, unit="files/s", is_minimum=True)
    yield row(
        what=f"function, {count} files of {megabytes:.1f} MB",
        ours=count / fastest_cpu_seconds(vet_all, rounds),
        reference=count / fastest_cpu_seconds(read_all_with_androguard, rounds),
        reference_name="`androguard.core.apk.APK`",
        budget=MIN_LIBRARY_RATIO,
    )
    command = [sys.executable, "-m", "privaudit", "apk", str(folder), "--json"]
    exit_codes = (EXIT_OK, EXIT_FINDINGS, EXIT_INCOMPLETE)
    command_speed = count / fastest_cpu_seconds(lambda: run(command).expect(*exit_codes), rounds)
    yield row(
        what="command, the same files",
        ours=command_speed,
        reference=count / fastest_cpu_seconds(run_androguard_on_all, 1),
        reference_name="`androguard sign` and `androguard axml`",
        budget=MIN_COMMAND_RATIO,
    )
    yield row(
        what="command, the same files",
        ours=command_speed,
        reference=count / fastest_cpu_seconds(partial(run_androguard, "sign", "--hash", "sha256", *paths), 1),
        reference_name="`androguard sign` alone, one process for all",
        budget=None,
    )
    yield measure_two_cores(jobs * 2, context)


def check_lines(jobs: Sequence[VetJob], context: VettingContext) -> None:
    """Check every line against the published schema."""
    schema = (resources.files("privaudit") / "data" / "schemas" / "privaudit-apk-1.json").read_text("utf-8")
    assert schema == report.vetting_schema()
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    for job in jobs:
        validator.validate(json.loads(batch.vet_to_json(job, context)))


def measure_two_cores(jobs: list[VetJob], context: VettingContext) -> Row:
    """Compare the gain of a second core with its gain for idle loops at the same moment."""
    gains = []
    for _ in range(3):
        one, two = (
            wall_seconds(lambda cores=cores: sum(1 for _ in batch.vet_on_cores(jobs, context, cores=cores)))
            for cores in (1, 2)
        )
        loop_gain = wall_seconds(lambda: run_idle_loops(1)) * 2 / wall_seconds(lambda: run_idle_loops(2))
        gains.append((one / two, loop_gain))
    gain, loop_gain = max(gains, key=lambda pair: pair[0] / pair[1])
    return Row(
        what="speed on 2 cores",
        ours=gain,
        unit="× of 1 core",
        reference=loop_gain,
        reference_name="idle loops",
        budget=MIN_TWO_CORES_RATIO,
        is_minimum=True,
    )


def run_idle_loops(count: int) -> None:
    """Run so many processes side by side, each of which counts for about a second."""
    processes = [multiprocessing.Process(target=count_to_20_million) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def count_to_20_million() -> None:
    """Count to 20 million."""
    for _ in range(20_000_000):
        pass


def measure_memory(folder: Path) -> Row:
    """Compare the peak memory of the command, of the largest of its processes, over many files and over a tenth."""
    paths = write_apks(folder, MANY_FILES, classes=300, dex_bytes=60_000, table_bytes=0, files=2)
    tenth = folder / "tenth"
    tenth.mkdir()
    for path in paths[: MANY_FILES // 10]:
        (tenth / path.name).hardlink_to(path)
    peaks_mib = []
    for scanned in (tenth, folder):
        results_file = folder / f"{scanned.name}.jsonl"
        command = ["privaudit", "apk", str(scanned), "-o", str(results_file), "--plain"]
        peaks_mib.append(largest_process_mib(command))
        assert len(results_file.read_text("utf-8").splitlines()) == len(list(scanned.rglob("*.apk")))
    return Row(
        what=f"peak memory, {MANY_FILES} small files",
        ours=peaks_mib[1],
        unit="MiB",
        reference=peaks_mib[0],
        reference_name=f"{MANY_FILES // 10} files",
        budget=MAX_MEMORY_RATIO,
    )


def largest_process_mib(module: Sequence[str]) -> float:
    """Run a Python module; return the peak memory of its largest process.

    A small process starts it, because Linux counts the memory of the parent into that of the child.
    """
    script = (
        "import resource, subprocess, sys; quiet = subprocess.DEVNULL;"
        "subprocess.run([sys.executable, '-m', *sys.argv[1:]], stdout=quiet, stderr=quiet);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", script, *module], cwd=ROOT, check=True, capture_output=True)
    return int(done.stdout) / 1024


def measure(*, quick: bool) -> Outcome:
    """Measure and compare."""
    from loguru import logger

    logger.disable("androguard")
    with tempfile.TemporaryDirectory() as folder:
        rows = list(measure_speed(Path(folder), 8 if quick else 24, 1 if quick else 3))
    with tempfile.TemporaryDirectory() as folder:
        rows.append(measure_memory(Path(folder)))
    return compare(rows, note="Speeds are files per second of processor time. Every line was valid against the schema.")


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer files, each once; only prints the result")
    quick = parser.parse_args().quick
    return publish("vetting", lambda: measure(quick=quick), is_complete=not quick)


if __name__ == "__main__":
    sys.exit(main())
