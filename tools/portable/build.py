"""Write what runs on a computer without Python: ``dist/privaudit-VERSION-windows.zip`` and ``-linux.tar.gz``.

Each holds uv, every wheel that privaudit needs for the Pythons below, and a starter. What is fetched is pinned, with
its hashes, in ``locked.txt`` (``make lock`` writes it anew), and comes through ``pip`` as this computer has it set up.
The same sources and the same pins give the same bytes.

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
"""Pythons that the starters look for; the wheels are for each."""
FROM_SOURCE = "adb-shell"
"""Published as source only; its wheel is built here, for any platform."""
BUILT_WITH = "setuptools==84.2.1"
BORN = (1980, 1, 1, 0, 0, 0)
"""The date of every file: the oldest that a zip can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A kind of computer."""

    name: str
    tags: tuple[str, ...]
    """Platforms of wheels that it takes, as pip calls them."""
    marks: dict[str, str]
    """What requirements ask of it (PEP 508)."""
    uv: str
    """The program inside uv's wheel."""
    starters: tuple[str, ...]
    newline: str
    encodings: dict[str, str]
    """How each language's sentences are written."""

    def asks(self, python: str) -> dict[str, str]:
        """The answers to every question that a requirement may ask."""
        return {
            **self.marks,
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
        marks={"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
        uv="uv.exe",
        starters=("privaudit.cmd",),
        newline="\r\n",
        encodings={"en": "ascii", "zh": "gbk"},
    ),
    Target(
        name="linux",
        # The oldest that all of them support: glibc 2.28, of 2018.
        tags=(
            *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
            *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
        ),
        marks={"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
        uv="uv",
        starters=("privaudit.sh", "privaudit.desktop"),
        newline="\n",
        encodings={"en": "ascii", "zh": "utf-8"},
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One release, pinned."""

    name: str
    release: str
    """``name==version``."""
    marker: Marker | None
    hashes: str

    def wanted(self, target: Target, python: str) -> bool:
        """Whether this kind of computer needs it."""
        return self.marker is None or self.marker.evaluate(target.asks(python))

    @property
    def line(self) -> str:
        """As pip reads it, asked for whatever pip itself runs on."""
        return f"{self.release} {self.hashes}\n"


def pins(file: Path = HERE / "locked.txt") -> tuple[Pin, ...]:
    """What is pinned."""
    joined = file.read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in joined.splitlines():
        if row := re.match(r"(\S+==\S+)(?: ; (.*?))? +(--hash=.*)", line):
            release, marker, hashes = row.groups()
            name = canonicalize_name(release.partition("==")[0])
            found.append(Pin(name=name, release=release, marker=Marker(marker) if marker else None, hashes=hashes))
    return tuple(found)


def pip(*words: str, **variables: str) -> None:
    """Run pip of this Python."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    quiet = {"PYTHONWARNINGS": "ignore", "SOURCE_DATE_EPOCH": "315532800"}
    done = subprocess.run(
        command, env={**os.environ, **quiet, **variables}, check=False, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)


def download(wanted: Iterable[Pin], target: Target, python: str, folder: Path) -> None:
    """Fetch the wheels of `is_interactive` for one Python."""
    listed = folder / "wanted.txt"
    listed.write_text("".join(pin.line for pin in wanted), encoding="utf-8")
    platforms = [word for tag in target.tags for word in ("--platform", tag)]
    only = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python, *platforms]
    pip("download", "--no-deps", "--require-hashes", "--dest", str(folder), "--requirement", str(listed), *only)
    listed.unlink()


def serves_any(wheel: Path) -> bool:
    """Whether a wheel is for every Python of ours, not only for the one that it was fetched for."""
    tags: frozenset[Tag] = parse_wheel_filename(wheel.name)[3]
    return any(tag.abi in {"none", "abi3"} for tag in tags)


def fetch(target: Target, pythons: Sequence[str], folder: Path) -> None:
    """Fetch all wheels for `target`. What serves every Python is asked for once."""
    every = [pin for pin in pins() if pin.name not in {FROM_SOURCE, "uv"}]
    have: set[str] = set()
    for python in pythons:
        asked = [pin for pin in every if pin.release not in have and pin.wanted(target, python)]
        download(asked, target, python, folder)
        general = {(canonicalize_name(name), str(version)) for name, version in named(folder, only=serves_any)}
        have |= {pin.release for pin in asked if (pin.name, pin.release.partition("==")[2]) in general}


def named(folder: Path, *, only: Callable[[Path], bool]) -> Iterator[tuple[str, str]]:
    """Name and version of the wheels in a folder."""
    for wheel in sorted(folder.glob("*.whl")):
        if only(wheel):
            name, version, *_ = parse_wheel_filename(wheel.name)
            yield name, str(version)


def build_wheels(folder: Path) -> None:
    """Our own wheel, and that of what is published as source only."""
    source = next(pin for pin in pins() if pin.name == FROM_SOURCE)
    with tempfile.TemporaryDirectory() as scratch:
        wanted, with_ = Path(scratch, "wanted.txt"), Path(scratch, "constraint.txt")
        wanted.write_text(source.line, encoding="utf-8")
        with_.write_text(BUILT_WITH, encoding="utf-8")
        words = ["--no-deps", "--no-binary", FROM_SOURCE, "--require-hashes", "--wheel-dir", str(folder)]
        pip("wheel", *words, "--requirement", str(wanted), PIP_CONSTRAINT=str(with_), PIP_NO_CACHE_DIR="1")
    ours = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(ours, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def take_uv(target: Target, folder: Path) -> Path:
    """The program uv, out of its wheel."""
    with tempfile.TemporaryDirectory() as scratch:
        download([pin for pin in pins() if pin.name == "uv"], target, PYTHONS[0], Path(scratch))
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (entry,) = (name for name in archive.namelist() if name.endswith(f"/scripts/{target.uv}"))
            (folder / target.uv).write_bytes(archive.read(entry))
    return folder / target.uv


def lay(target: Target, pythons: Sequence[str], wheels: Path, folder: Path, version: str) -> None:
    """Lay out what somebody unpacks."""
    files = folder / "files"
    shutil.copytree(wheels, files / "wheels")
    fetch(target, pythons, files / "wheels")
    take_uv(target, files)
    for name in target.starters:
        text = (HERE / name).read_text(encoding="utf-8")
        (folder / name).write_bytes(text.replace("\n", target.newline).encode())
    words = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    for language, sentences in words.items():
        (files / "words" / language).mkdir(parents=True)
        for name, sentence in sentences.items():
            if name != "readme":
                told = sentence.format(version=version).replace("\n", target.newline)
                (files / "words" / language / f"{name}.txt").write_bytes(told.encode(target.encodings[language]))
    readme = "\n".join(sentences["readme"].format(version=version) for sentences in words.values())
    # Notepad of an old Windows takes a file without a mark for its own code page.
    (folder / "README.txt").write_bytes(readme.replace("\n", target.newline).encode("utf-8-sig"))
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE.txt")


def entries(folder: Path) -> Iterator[tuple[str, bytes, bool]]:
    """Every file: its name in the archive, its content, and whether it is a program."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder.parent).as_posix()
            yield name, path.read_bytes(), path.suffix in {".sh", ".desktop"} or path.name == "uv"


def pack_zip(folder: Path, file: Path) -> None:
    """Write a zip whose bytes depend on the content alone. Wheels are zips already: they are stored."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content, _ in entries(folder):
            entry = zipfile.ZipInfo(name, BORN)
            entry.external_attr = 0o644 << 16
            stored = name.endswith(".whl")
            archive.writestr(entry, content, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED, 9)


def pack_tar(folder: Path, file: Path) -> None:
    """Write a tar whose bytes depend on the content alone."""
    with (
        file.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content, program in entries(folder):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if program else 0o644
            archive.addfile(entry, io.BytesIO(content))


def main() -> None:
    """Build the named ones, or both."""
    parser = argparse.ArgumentParser()
    kinds = [target.name for target in TARGETS]
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{' or '.join(kinds)}; both without")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only this one, for a quick try")
    wanted = parser.parse_args()
    if unknown := set(wanted.targets) - set(kinds):
        parser.error(f"no such target: {', '.join(unknown)}")
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheels = Path(scratch, "wheels")
        wheels.mkdir()
        build_wheels(wheels)
        (version,) = (version for name, version in named(wheels, only=lambda _: True) if name == "privaudit")

        def make(target: Target) -> Path:
            folder = Path(scratch, target.name, f"privaudit-{version}")
            folder.mkdir(parents=True)
            lay(target, wanted.python or PYTHONS, wheels, folder, version)
            file = dist / f"privaudit-{version}-{target.name}{'.zip' if target.name == 'windows' else '.tar.gz'}"
            (pack_zip if file.suffix == ".zip" else pack_tar)(folder, file)
            return file

        with ThreadPoolExecutor() as several:
            for file in several.map(make, [target for target in TARGETS if target.name in (wanted.targets or kinds)]):
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                print(f"{digest}  {file.relative_to(ROOT)}  {file.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
