"""Build portable archives for computers without Python: ``dist/privaudit-VERSION-windows.zip`` and ``-linux.tar.gz``.

The Windows one contains CPython's embeddable zip as python.org publishes it, the packages laid out beside it, and a
starter: it unpacks and fetches nothing. python.org has no such CPython for Linux, so the Linux one contains uv, every
wheel for the versions of Python below, and a starter that makes an environment at its first start. Libraries are pinned
with their hashes in ``locked.txt`` (``make lock`` updates it) and come through ``pip`` as it is configured here. The
same sources and the same pins give the same bytes.

    python tools/portable/build.py [windows] [linux] [--python 3.11] [--windows-python FILE --sha256 HEX]
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
import urllib.request
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
"""Versions that the Linux starter looks for; there are wheels for each."""
WINDOWS_PYTHON_URL = "https://www.python.org/ftp/python/3.13.15/python-3.13.15-embed-amd64.zip"
WINDOWS_PYTHON_SHA256 = "d1f04d990aee1253d8569e8e5104e30fa9f5fa830899f14843448872d936a2cf"
"""Agreed by several public repositories that pin this file, one of which checked its signature (read on 2026-11-30);
python.org itself was not reached that day."""
FROM_SOURCE = "adb-shell"
"""Published only as source; its wheel is built here, for any platform."""
PRUNED = frozenset((HERE / "pruned.txt").read_text(encoding="utf-8").split())
"""What androguard needs only for its own command line and analyses, never to read a manifest and its signers."""
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
    starters: tuple[str, ...]
    newline: str
    encodings: dict[str, str]
    """Encoding of the sentences of each language."""
    sentences: tuple[str, ...]
    """Those of ``words.toml`` that its starter prints."""

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
        starters=("privaudit.cmd",),
        newline="\r\n",
        encodings={"en": "ascii", "zh": "gbk"},
        sentences=("unpack", "blocked"),
    ),
    Target(
        name="linux",
        # glibc 2.28 (2018) is the oldest that all wheels support.
        tags=(
            *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
            *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
        ),
        markers={"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
        starters=("privaudit.sh", "privaudit.desktop"),
        newline="\n",
        encodings={"en": "ascii", "zh": "utf-8"},
        sentences=("first", "fetch", "failed", "place", "close"),
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
            (entry,) = (name for name in archive.namelist() if name.endswith("/scripts/uv"))
            (folder / "uv").write_bytes(archive.read(entry))


def read_windows_python(file: Path | None, sha256: str) -> bytes:
    """Read CPython's embeddable zip, or download it from python.org. Exits if its SHA-256 is another."""
    if file is None:
        with urllib.request.urlopen(WINDOWS_PYTHON_URL, timeout=60) as answer:
            content: bytes = answer.read()
    else:
        content = file.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != sha256.lower():
        sys.exit(f"{file or WINDOWS_PYTHON_URL}: its SHA-256 is {found}, not {sha256}")
    return content


def unpack_windows_python(content: bytes, folder: Path) -> str:
    """Unpack CPython's embeddable zip, have it find ``files/packages`` alone, and return its version, such as 3.13."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)  # noqa: S202 - its SHA-256 is known
    (paths,) = folder.glob("python*._pth")
    # With this file Python reads no registry, no variables and no folder of the user's.
    paths.write_bytes(f"{paths.stem}.zip\r\n.\r\n..\\packages\r\n".encode())
    return f"3.{paths.stem.removeprefix('python3')}"


def lay_out_packages(target: Target, python: str, wheels: Path, folder: Path) -> None:
    """Lay out privaudit and what it needs, as an installation would, in a folder for one version of Python."""
    left_out = PRUNED | {FROM_SOURCE, "uv"}
    pins = [pin for pin in read_pins() if pin.name not in left_out and pin.is_needed(target, python)]
    with tempfile.TemporaryDirectory() as scratch:
        download_wheels(pins, target, python, Path(scratch))
        shutil.copytree(wheels, scratch, dirs_exist_ok=True)
        releases = [f"{name}=={version}" for name, version in wheel_versions(Path(scratch), lambda _: True)]
        platform = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python]
        platform += [argument for tag in target.tags for argument in ("--platform", tag)]
        quiet = ["--no-deps", "--no-compile", "--no-index", "--find-links", scratch]
        run_pip("install", "--target", str(folder), *quiet, *platform, *releases)
    # Starters for the Python that runs here, and records that list them.
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for name in ("RECORD", "INSTALLER", "REQUESTED"):
        for record in folder.glob(f"*.dist-info/{name}"):
            record.unlink()


def read_words(version: str) -> dict[str, dict[str, str]]:
    """Read the sentences of the starters and the ``readme`` of each language."""
    words = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    return {
        language: {name: sentence.format(version=version) for name, sentence in sentences.items()}
        for language, sentences in words.items()
    }


def write_starter(name: str, target: Target, words: dict[str, dict[str, str]], folder: Path) -> None:
    """Write a starter. ``@NAME.LANGUAGE@`` on a line of its own becomes commands that print that sentence."""
    text = (HERE / name).read_text(encoding="utf-8")
    content = text.replace("\n", target.newline).encode()
    for language, sentences in words.items():
        for sentence in target.sentences:
            lines = target.newline.join(f"echo {line}" for line in sentences[sentence].splitlines())
            content = content.replace(f"@{sentence}.{language}@".encode(), lines.encode(target.encodings[language]))
    (folder / name).write_bytes(content)


def build_folder(target: Target, pythons: Sequence[str], windows_python: bytes, wheels: Path, folder: Path) -> None:
    """Write the folder that users unpack."""
    files = folder / "files"
    (version,) = (version for name, version in wheel_versions(wheels, lambda _: True) if name == "privaudit")
    words = read_words(version)
    if target.name == "windows":
        python = unpack_windows_python(windows_python, files / "python")
        lay_out_packages(target, python, wheels, files / "packages")
    else:
        shutil.copytree(wheels, files / "wheels")
        download_all_wheels(target, pythons, files / "wheels")
        extract_uv(target, files)
        for language, sentences in words.items():
            (files / "words" / language).mkdir(parents=True)
            for name in target.sentences:
                text = sentences[name].encode(target.encodings[language])
                (files / "words" / language / f"{name}.txt").write_bytes(text)
    for name in target.starters:
        write_starter(name, target, words, folder)
    readme = "\n".join(
        f"{sentences['about']}\n{sentences[target.name]}\n{sentences['licences']}" for sentences in words.values()
    )
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
    """Write a zip that depends on the content alone."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content, _ in archive_entries(folder):
            entry = zipfile.ZipInfo(name, ZIP_EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)


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
    parser.add_argument("--python", action="append", choices=PYTHONS, help="Linux: only this version, for a quick try")
    parser.add_argument("--windows-python", type=Path, metavar="FILE", help=f"default: {WINDOWS_PYTHON_URL}")
    parser.add_argument("--sha256", default=WINDOWS_PYTHON_SHA256, help="of that file; default: %(default)s")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", metavar="FOLDER", help="where to; default: dist")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(names):
        parser.error(f"no such target: {', '.join(unknown)}")
    targets = [target for target in TARGETS if target.name in (arguments.targets or names)]
    windows_python = b""
    if any(target.name == "windows" for target in targets):
        windows_python = read_windows_python(arguments.windows_python, arguments.sha256)
    dist: Path = arguments.dist
    dist.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheels = Path(scratch, "wheels")
        wheels.mkdir()
        build_wheels(wheels)
        (version,) = (version for name, version in wheel_versions(wheels, lambda _: True) if name == "privaudit")

        def build_archive(target: Target) -> Path:
            folder = Path(scratch, target.name, f"privaudit-{version}")
            folder.mkdir(parents=True)
            build_folder(target, arguments.python or PYTHONS, windows_python, wheels, folder)
            file = dist / f"privaudit-{version}-{target.name}{'.zip' if target.name == 'windows' else '.tar.gz'}"
            (pack_zip if file.suffix == ".zip" else pack_tar)(folder, file)
            return file

        with ThreadPoolExecutor() as executor:
            for file in executor.map(build_archive, targets):
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                print(f"{digest}  {file}  {file.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
