"""Vetting APKs, file after file: against androguard's command line and library, over two cores, and in memory.

    .venv/bin/python benchmarks/vetting.py [--quick]

Makes its own files: the demo's apps (manifest, names, signing block as Android's tools made them) grown to what real
ones are like, with dex files that hold thousands of class names. Prints figure, reference and ratio; ends with 1 where
a ratio is over its budget. Times are processor time, so that a busy computer changes little; where two cores are
compared with one, what two do for idle loops at that moment is the reference.

What is compared: package, version, names, permissions, components, signers, SHA-256 of the file, and which of the known
makers' class names stand in its dex files. androguard's command line tells less (package, signers, manifest), and its
library reads no class names of its own: the loop searches the bytes of each dex, the quickest that can be written.
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
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.apk_files import assembled, packed, pad, signing_block
from privaudit import vetting
from privaudit.vetting import batch
from privaudit.vetting import report as form
from privaudit.vetting.batch import VetJob
from privaudit.virtual_phone import apks
from tests.fixtures.apk_builder import rows_of
from tests.fixtures.dex_builder import dex

SEED = 20261124
LEAST = {"command line": 3.0, "library": 0.8, "two cores": 0.9, "memory": 1.1}
TABLE = 700_000
"""Bytes of the resource table."""
CLASSES = 12_000
CODE = 3_000_000
"""Bytes of a dex."""
FILES = 400
MANY = 2_000
WATCHED = (
    "import resource, subprocess, sys; quiet = subprocess.DEVNULL;"
    "subprocess.run([sys.executable, '-m', *sys.argv[1:]], stdout=quiet, stderr=quiet);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
"""A small process in between: Linux counts the memory of whoever starts a program as that program's own."""


def dexes(number: int, dice: random.Random, *, classes: int, size: int) -> list[tuple[bytes, bytes]]:
    """So many dex files of `size` bytes, and the same packed; every third has code of a maker that is known."""
    made = []
    for place in range(number):
        names = {f"com.maker{dice.randrange(40)}.part{dice.randrange(90)}.Class{count}" for count in range(classes)}
        content = dex(names | {"com.bqs.risk.df.android.BqsDF"} if place % 3 == 0 else names)
        # Code packs to about two thirds; so does this.
        content += dice.randbytes(max(0, size - len(content))).translate(bytes(byte % 40 for byte in range(256)))
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        made.append((content, deflate.compress(content) + deflate.flush()))
    return made


def apk(content: bytes, codes: Sequence[tuple[bytes, bytes]], dice: random.Random, *, table: int, files: int) -> bytes:
    """A demo APK with code, further files and a resource table of such a size; its signing block stays."""
    parts = {row.name: row.content for row in rows_of(content)}
    arsc = pad(parts["resources.arsc"], table, dice) if table else parts["resources.arsc"]
    pictures = (dice.randbytes(1500) for _ in range(files))
    manifest = parts["AndroidManifest.xml"]
    rows = [("AndroidManifest.xml", manifest, packed(manifest))]
    rows += [(f"classes{place if place > 1 else ''}.dex", *code) for place, code in enumerate(codes, 1)]
    rows += [(f"res/drawable/picture_{place:05}.png", data, data) for place, data in enumerate(pictures)]
    rows += [("resources.arsc", arsc, arsc)]
    return assembled(rows, signing_block(content))


def crawl(folder: Path, number: int, *, classes: int, size: int, table: int, files: int) -> list[Path]:
    """A folder of so many apps, each another file."""
    dice = random.Random(SEED)  # noqa: S311 - the same in every run
    codes = dexes(6, dice, classes=classes, size=size)
    named = [name for name, content in sorted(apks.load_apks().items()) if b"resources.arsc" in content]
    paths = []
    for place in range(number):
        name = named[place % len(named)]
        mine = codes[place % 6 : place % 6 + 1 + place % 2]
        paths.append(folder / f"{place:05}-{name}")
        paths[-1].write_bytes(apk(apks.load_apks()[name], mine, dice, table=table, files=files))
    return paths


# --- what is compared -------------------------------------------------------------------------------------------------


def by_androguard(path: Path, needles: Sequence[bytes]) -> dict[str, object]:
    """The same facts by ``androguard.core.apk.APK``."""
    from androguard.core.apk import APK

    raw = path.read_bytes()
    read = APK(raw, raw=True)
    signers = {*read.get_certificates_der_v3(), *read.get_certificates_der_v2()}
    table = read.get_android_resources()
    found = set()
    for code in read.get_all_dex():
        found |= {needle for needle in needles if needle in code}
    return {
        "sha256": hashlib.sha256(raw).hexdigest(),
        "package": read.get_package(),
        "version": (read.get_androidversion_code(), read.get_androidversion_name()),
        "sdk": read.get_target_sdk_version(),
        "name": read.get_app_name(),
        "locales": table.get_locales(read.get_package()) if table else (),
        "permissions": read.get_permissions(),
        "components": [*read.get_activities(), *read.get_services(), *read.get_receivers(), *read.get_providers()],
        "signers": {hashlib.sha256(one).hexdigest() for one in signers},
        "makers": found,
    }


def agree(paths: Sequence[Path], known: vetting.VettingContext, needles: Sequence[bytes]) -> None:
    """Both say the same: else their times say nothing."""
    for path in paths:
        ours, theirs = vetting.vet(path, known), by_androguard(path, needles)
        app = ours.app
        assert app is not None, ours.gaps
        assert ours.complete, ours.gaps
        assert (app.package, app.apk_sha256, app.version_name) == (
            theirs["package"],
            theirs["sha256"],
            theirs["version"][1],  # type: ignore[index]
        )
        assert {one.name for one in app.permissions} == set(theirs["permissions"])  # type: ignore[call-overload]
        assert set(app.certificates_sha256) == theirs["signers"]
        assert bool(app.sdks) == bool(theirs["makers"]), path


def cpu(work: Callable[[], object], runs: int) -> float:
    """Seconds of processor time of the quickest of several runs, of this process and those that it started."""
    took = []
    for _ in range(runs):
        begin = spent()
        work()
        took.append(spent() - begin)
    return min(took)


def spent() -> float:
    """Processor time so far."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def command(*arguments: str | Path) -> None:
    """Run a program of this environment; what it prints goes nowhere."""
    program = [sys.executable, "-m", *map(str, arguments)]
    subprocess.run(program, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def androguard(*arguments: str | Path) -> None:
    """Run androguard's command line, quiet."""
    subprocess.run(
        [Path(sys.executable).with_name("androguard"), *map(str, arguments)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def speed(folder: Path, number: int, runs: int, kept: list[bool]) -> None:
    """Files a second and core."""
    paths = crawl(folder, number, classes=CLASSES, size=CODE, table=TABLE, files=FILES)
    mean = sum(path.stat().st_size for path in paths) / number
    print(f"{number} files of {mean / 1e6:.1f} MB")
    known = vetting.load_vetting_context()
    needles = [f"L{prefix.replace('.', '/')}/".encode() for prefix in known.class_prefixes]
    agree(paths, known, needles)
    jobs = [VetJob(str(path)) for path in paths]

    def loop() -> None:
        for path in paths:
            by_androguard(path, needles)

    ours = number / cpu(lambda: [batch.vet_to_json(job, known) for job in jobs], runs)
    theirs = number / cpu(loop, runs)
    told("files a second, function", ours, "androguard.core.apk.APK", theirs, ours / theirs, "library", kept)

    def line() -> None:
        androguard("sign", "--hash", "sha256", *paths)
        for path in paths:
            androguard("axml", "-i", path, "-o", os.devnull)

    ours = number / cpu(lambda: command("privaudit", "apk", folder, "--json"), runs)
    theirs = number / cpu(line, 1)
    told("files a second, command", ours, "androguard sign + axml", theirs, ours / theirs, "command line", kept)
    theirs = number / cpu(lambda: androguard("sign", "--hash", "sha256", *paths), 1)
    print(f"{'':>26}  (androguard sign alone, all in one go: {theirs:.2f}; ratio {ours / theirs:.2f}, no budget)")
    two_cores(jobs * 2, known, kept)
    valid(jobs, known)


def two_cores(jobs: list[VetJob], known: vetting.VettingContext, kept: list[bool]) -> None:
    """How much quicker two cores are than one, against what two cores do for idle loops at that moment."""
    ratios = []
    for _ in range(3):
        one, two = (wall(lambda n=n: sum(1 for _ in batch.vet_on_cores(jobs, known, cores=n))) for n in (1, 2))
        loops = wall(lambda: spinning(1)) * 2 / wall(lambda: spinning(2))
        ratios.append((one / two, loops))
    gain, loops = max(ratios, key=lambda pair: pair[0] / pair[1])
    told("times as quick on 2 cores", gain, "idle loops on 2 cores", loops, gain / loops, "two cores", kept)


def spinning(number: int) -> None:
    """So many processes, each doing the same amount of nothing."""
    workers = [multiprocessing.Process(target=spin) for _ in range(number)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def spin() -> None:
    """Nothing, for about a second."""
    for _ in range(20_000_000):
        pass


def wall(work: Callable[[], object]) -> float:
    """Seconds by the clock."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def valid(jobs: Sequence[VetJob], known: vetting.VettingContext) -> None:
    """Every line is valid against the published schema."""
    from importlib import resources

    import jsonschema

    schema = (resources.files("privaudit.report") / "schemas" / "privaudit-apk-1.json").read_text("utf-8")
    assert schema == form.vetting_schema()
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    for job in jobs:
        validator.validate(json.loads(batch.vet_to_json(job, known)))
    print(f"{'lines valid':>26}: {len(jobs)} of {len(jobs)}")


def memory(folder: Path, kept: list[bool]) -> None:
    """Peak memory of the command, of the largest of its processes: over many files as over a few."""
    paths = crawl(folder, MANY, classes=300, size=60_000, table=0, files=2)
    few, peaks = folder / "few", []
    few.mkdir()
    for path in paths[: MANY // 10]:
        (few / path.name).hardlink_to(path)
    for place in (few, folder):
        lines = folder / f"{place.name}.jsonl"
        scanned = [sys.executable, "-c", WATCHED, "privaudit", "apk", place, "-o", lines, "--plain"]
        peaks.append(int(subprocess.run(list(map(str, scanned)), check=True, capture_output=True).stdout) / 1024)
        assert len(lines.read_text("utf-8").splitlines()) == len(list(place.rglob("*.apk")))
    share = peaks[1] / peaks[0]
    ok = share <= LEAST["memory"]
    kept.append(ok)
    names = f"MB at {MANY} files", f"MB at {MANY // 10}"
    print(f"{names[0]:>26}: {peaks[1]:8.1f}  {names[1]}: {peaks[0]:.1f}  ratio {share:.2f} (at most 1.1) {_word(ok)}")


def told(name: str, ours: float, other: str, theirs: float, ratio: float, budget: str, kept: list[bool]) -> None:
    """Print a row."""
    ok = ratio >= LEAST[budget]
    kept.append(ok)
    print(f"{name:>26}: {ours:8.2f}  {other}: {theirs:.2f}  ratio {ratio:.2f} (at least {LEAST[budget]}) {_word(ok)}")


def _word(ok: bool) -> str:  # noqa: FBT001 - says what it is
    return "kept" if ok else "BROKEN"


def main() -> int:
    """Measure; the exit code."""
    from loguru import logger

    logger.disable("androguard")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer files, and each once")
    quick = parser.parse_args().quick
    kept: list[bool] = []
    with tempfile.TemporaryDirectory() as name:
        speed(Path(name), 8 if quick else 24, 1 if quick else 3, kept)
    with tempfile.TemporaryDirectory() as name:
        memory(Path(name), kept)
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
