"""Build portable archives for computers without Python: ``dist/privaudit-VERSION-windows.zip`` and ``-linux.tar.gz``.

Each contains uv, every wheel that privaudit needs for the versions of Python below, and a starter. Downloads are pinned
with their hashes in ``locked.txt`` (``make lock`` updates it) and come through ``pip`` as it is configured here. The
same sources and the same pins give the same bytes.

    python tools/portable/build.py [windows] [linux] [--python 3.11]
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Versions that the starters look for; there are wheels for each."""
FROM_SOURCE = "adb-shell"
"""Published only as source; its wheel is built here, for any platform."""
BUILD_REQUIREMENT = "setuptools==84.2.1"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every file in an archive: the oldest that a zip can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A platform that an archive is built for."""

    name: str
    tags: tuple[str, ...]
    """Platform tags of the wheels that it can use."""
    markers: dict[str, str]
    """Values of its environment markers (PEP 508)."""
    uv: str
    """The program inside uv's wheel."""
    starters: tuple[str, ...]
    newline: str
    encodings: dict[str, str]
    """Encoding of the sentences of each language."""

    def environment(self, python: str) -> dict[str, str]:
        """Return the values of all environment markers for one version of Python."""
        return {
            **self.markers,
            "python_version": python,
            "python_full_version": f"{python}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "platform_machine": "x86_64",
            "extra": "",
        }


TARGETS = (
    Target(
        name="windows",
        tags=("win_amd64",),
        markers={"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
        uv="uv.exe",
        starters=("privaudit.cmd",),
        newline="\r\n",
        encodings={"en": "ascii", "zh": "gbk"},
    ),
    Target(
        name="linux",
        # glibc 2.28 (2018) is the oldest that all wheels support.
        tags=(
            *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
            *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
        ),
        markers={"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
        uv="uv",
        starters=("privaudit.sh", "privaudit.desktop"),
        newline="\n",
        encodings={"en": "ascii", "zh": "utf-8"},
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One pinned release."""

    name: str
    release: str
    """``name==version``."""
    marker: Marker | None
    hashes: str

    def is_needed(self, target: Target, python: str) -> bool:
        """Whether a target needs it for one version of Python."""
        return self.marker is None or self.marker.evaluate(target.environment(python))

    @property
    def requirement_line(self) -> str:
        """The line of a requirements file, without the marker: pip would evaluate it for its own platform."""
        return f"{self.release} {self.hashes}\n"


def read_pins(file: Path = HERE / "locked.txt") -> tuple[Pin, ...]:
    """Read the pinned releases."""
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    pins = []
    for line in text.splitlines():
        if row := re.match(r"(\S+==\S+)(?: ; (.*?))? +(--hash=.*)", line):
            release, marker, hashes = row.groups()
            name = canonicalize_name(release.partition("==")[0])
            pins.append(Pin(name=name, release=release, marker=Marker(marker) if marker else None, hashes=hashes))
    return tuple(pins)


def run_pip(*arguments: str, **variables: str) -> None:
    """Run the pip of this Python."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    quiet = {"PYTHONWARNINGS": "ignore", "SOURCE_DATE_EPOCH": "315532800"}
    done = subprocess.run(
        command, env={**os.environ, **quiet, **variables}, check=False, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)


def download_wheels(selected: Iterable[Pin], target: Target, python: str, folder: Path) -> None:
    """Download the wheels of the selected pins for one version of Python."""
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(pin.requirement_line for pin in selected), encoding="utf-8")
    platforms = [argument for tag in target.tags for argument in ("--platform", tag)]
    only = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python, *platforms]
    run_pip(
        "download", "--no-deps", "--require-hashes", "--dest", str(folder), "--requirement", str(requirements), *only
    )
    requirements.unlink()


def fits_all_pythons(wheel: Path) -> bool:
    """Whether a wheel is for all versions of Python, not only for the one that it was downloaded for."""
    tags: frozenset[Tag] = parse_wheel_filename(wheel.name)[3]
    return any(tag.abi in {"none", "abi3"} for tag in tags)


def download_all_wheels(target: Target, pythons: Sequence[str], folder: Path) -> None:
    """Download all wheels for `target`; one that fits all versions of Python only once."""
    pins = [pin for pin in read_pins() if pin.name not in {FROM_SOURCE, "uv"}]
    finished: set[str] = set()
    for python in pythons:
        selected = [pin for pin in pins if pin.release not in finished and pin.is_needed(target, python)]
        download_wheels(selected, target, python, folder)
        general = {(canonicalize_name(name), version) for name, version in wheel_versions(folder, fits_all_pythons)}
        finished |= {pin.release for pin in selected if (pin.name, pin.release.partition("==")[2]) in general}


def wheel_versions(folder: Path, is_selected: Callable[[Path], bool]) -> Iterator[tuple[str, str]]:
    """Yield name and version of the selected wheels in a folder."""
    for wheel in sorted(folder.glob("*.whl")):
        if is_selected(wheel):
            name, version, *_ = parse_wheel_filename(wheel.name)
            yield name, str(version)


def build_wheels(folder: Path) -> None:
    """Build our own wheel, and that of the library that is published only as source."""
    source = next(pin for pin in read_pins() if pin.name == FROM_SOURCE)
    with tempfile.TemporaryDirectory() as scratch:
        requirements, constraints = Path(scratch, "requirements.txt"), Path(scratch, "constraints.txt")
        requirements.write_text(source.requirement_line, encoding="utf-8")
        constraints.write_text(BUILD_REQUIREMENT, encoding="utf-8")
        options = ["--no-deps", "--no-binary", FROM_SOURCE, "--require-hashes", "--wheel-dir", str(folder)]
        variables = {"PIP_CONSTRAINT": str(constraints), "PIP_NO_CACHE_DIR": "1"}
        run_pip("wheel", *options, "--requirement", str(requirements), **variables)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def extract_uv(target: Target, folder: Path) -> None:
    """Extract the program uv from its wheel into a folder."""
    with tempfile.TemporaryDirectory() as scratch:
        download_wheels([pin for pin in read_pins() if pin.name == "uv"], target, PYTHONS[0], Path(scratch))
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (entry,) = (name for name in archive.namelist() if name.endswith(f"/scripts/{target.uv}"))
            (folder / target.uv).write_bytes(archive.read(entry))


def build_folder(target: Target, pythons: Sequence[str], wheels: Path, folder: Path, version: str) -> None:
    """Write the folder that users unpack."""
    files = folder / "files"
    shutil.copytree(wheels, files / "wheels")
    download_all_wheels(target, pythons, files / "wheels")
    extract_uv(target, files)
    for name in target.starters:
        text = (HERE / name).read_text(encoding="utf-8")
        (folder / name).write_bytes(text.replace("\n", target.newline).encode())
    words = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    for language, sentences in words.items():
        (files / "words" / language).mkdir(parents=True)
        for name, sentence in sentences.items():
            if name != "readme":
                text = sentence.format(version=version).replace("\n", target.newline)
                (files / "words" / language / f"{name}.txt").write_bytes(text.encode(target.encodings[language]))
    readme = "\n".join(sentences["readme"].format(version=version) for sentences in words.values())
    # The Notepad of old versions of Windows reads a file without a byte order mark in its own code page.
    (folder / "README.txt").write_bytes(readme.replace("\n", target.newline).encode("utf-8-sig"))
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE.txt")


def archive_entries(folder: Path) -> Iterator[tuple[str, bytes, bool]]:
    """Yield for each file its name in the archive, its content, and whether it is executable."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder.parent).as_posix()
            yield name, path.read_bytes(), path.suffix in {".sh", ".desktop"} or path.name == "uv"


def pack_zip(folder: Path, file: Path) -> None:
    """Write a zip that depends on the content alone. Wheels are zips already, so they are stored uncompressed."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content, _ in archive_entries(folder):
            entry = zipfile.ZipInfo(name, ZIP_EPOCH)
            entry.external_attr = 0o644 << 16
            method = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, method, 9)


def pack_tar(folder: Path, file: Path) -> None:
    """Write a compressed tar that depends on the content alone."""
    with (
        file.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content, is_executable in archive_entries(folder):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if is_executable else 0o644
            archive.addfile(entry, io.BytesIO(content))


def main() -> None:
    """Build the named targets, or all."""
    parser = argparse.ArgumentParser()
    names = [target.name for target in TARGETS]
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{' or '.join(names)}; default: all")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only this version, for a quick try")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(names):
        parser.error(f"no such target: {', '.join(unknown)}")
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheels = Path(scratch, "wheels")
        wheels.mkdir()
        build_wheels(wheels)
        (version,) = (version for name, version in wheel_versions(wheels, lambda _: True) if name == "privaudit")

        def build_archive(target: Target) -> Path:
            folder = Path(scratch, target.name, f"privaudit-{version}")
            folder.mkdir(parents=True)
            build_folder(target, arguments.python or PYTHONS, wheels, folder, version)
            file = dist / f"privaudit-{version}-{target.name}{'.zip' if target.name == 'windows' else '.tar.gz'}"
            (pack_zip if file.suffix == ".zip" else pack_tar)(folder, file)
            return file

        targets = [target for target in TARGETS if target.name in (arguments.targets or names)]
        with ThreadPoolExecutor() as executor:
            for file in executor.map(build_archive, targets):
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                print(f"{digest}  {file.relative_to(ROOT)}  {file.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
