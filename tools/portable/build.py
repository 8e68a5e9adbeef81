"""Build portable archives for computers without Python: ``dist/privaudit-VERSION-windows.zip`` and ``-linux.tar.gz``.

Each contains a CPython that runs from any folder, the packages laid out beside it, and a starter: nothing is installed,
unpacked or fetched. CPython is python.org's embeddable zip for Windows and, because python.org has none for Linux, that
of the project python-build-standalone. Libraries are pinned with their hashes in ``locked.txt`` (``make lock`` updates
it) and come through ``pip`` as it is configured here. The same sources and the same pins give the same bytes.

    python tools/portable/build.py [windows] [linux] [--windows-python FILE] [--linux-python FILE] [--sha256 HEX]
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
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name, parse_wheel_filename

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FROM_SOURCE = "adb-shell"
"""Published only as source; its wheel is built here, for any platform."""
PRUNED = frozenset((HERE / "pruned.txt").read_text(encoding="utf-8").split())
"""What androguard needs only for its own command line and analyses, never to read a manifest and its signers."""
BUILD_REQUIREMENT = "setuptools==84.2.1"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every file in an archive: the oldest that a zip can hold."""
UNUSED_STDLIB = re.compile(
    r"config-|ensurepip/|idlelib/|lib2to3/|pydoc_data/|site-packages/|test/|tkinter/|turtledemo/|lib-dynload/_(tkinter|test)"
)
"""What nothing imports, in the standard library of the Linux CPython; the embeddable zip lacks most of it, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A platform that an archive is built for."""

    name: str
    python_version: str
    python_url: str
    python_sha256: str
    tags: tuple[str, ...]
    """Platform tags of the wheels that it can use."""
    markers: dict[str, str]
    """Values of its environment markers (PEP 508)."""
    starters: tuple[str, ...]
    newline: str
    line: str
    """How a line of a sentence is written in its starter."""
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
        python_version="3.13.15",
        python_url="https://www.python.org/ftp/python/3.13.15/python-3.13.15-embed-amd64.zip",
        # Agreed by several public repositories that pin this file, one of which checked its signature (read on
        # 2026-11-30); python.org itself was not reached that day.
        python_sha256="d1f04d990aee1253d8569e8e5104e30fa9f5fa830899f14843448872d936a2cf",
        tags=("win_amd64",),
        markers={"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
        starters=("privaudit.cmd",),
        newline="\r\n",
        line="echo {}",
        encodings={"en": "ascii", "zh": "gbk"},
        sentences=("unpack", "blocked"),
    ),
    Target(
        name="linux",
        python_version="3.13.18",
        python_url=(
            "https://github.com/astral-sh/python-build-standalone/releases/download/20261110/"
            "cpython-3.13.18%2B20261110-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"
        ),
        # What uv 0.13.9, which has the same publisher, expects of this file: it refused another, which a mirror served,
        # and named this (2026-11-30). The file itself was not reached that day.
        python_sha256="f2d2199eb25880e07863b391cf7124e7ffa1338b0d65600dfcec117c4223a7fb",
        tags=(
            *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
            *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
        ),
        markers={"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
        starters=("privaudit.sh", "privaudit.desktop"),
        newline="\n",
        line="{}",
        encodings={"en": "ascii", "zh": "utf-8"},
        sentences=("blocked_linux", "close"),
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


def wheel_versions(folder: Path) -> dict[str, str]:
    """Return the versions of the wheels in a folder by their names."""
    wheels = (parse_wheel_filename(wheel.name) for wheel in sorted(folder.glob("*.whl")))
    return {name: str(version) for name, version, *_ in wheels}


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


def read_python(target: Target, file: Path | None, sha256: str) -> bytes:
    """Read the CPython of a target from a file, or download it. Exits if it cannot, or if its SHA-256 is another."""
    try:
        if file is None:
            with urllib.request.urlopen(target.python_url, timeout=60) as answer:  # noqa: S310 - https
                content: bytes = answer.read()
        else:
            content = file.read_bytes()
    except OSError as error:
        advice = "" if file else f"\nDownload it with a browser, and say where it is: --{target.name}-python FILE"
        sys.exit(f"{file or target.python_url}: {error}{advice}")
    if (actual := hashlib.sha256(content).hexdigest()) != sha256.lower():
        sys.exit(f"{file or target.python_url}: its SHA-256 is {actual}, not {sha256}")
    return content


def unpack_windows_python(content: bytes, folder: Path) -> str:
    """Unpack CPython's embeddable zip, have it find ``files/packages`` alone, and return its version, such as 3.13."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)  # noqa: S202 - its SHA-256 is known
    (paths,) = folder.glob("python*._pth")
    # With this file Python reads no registry, no variables and no folder of the user's.
    paths.write_bytes(f"{paths.stem}.zip\r\n.\r\n..\\packages\r\n".encode())
    return f"3.{paths.stem.removeprefix('python3')}"


def is_wanted(name: str, library: str) -> bool:
    """Whether a file belongs to the part of the standard library that something may import."""
    return (
        name.startswith(library) and "__pycache__" not in name and not UNUSED_STDLIB.match(name.removeprefix(library))
    )


def unpack_linux_python(content: bytes, folder: Path) -> str:
    """Unpack a relocatable CPython's program and library, have it find ``files/packages``, and return its version."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        files = {entry.name.removeprefix("python/"): entry for entry in archive if entry.isfile()}
        (program,) = (name for name in files if re.fullmatch(r"bin/python3\.\d+", name))
        version = program.removeprefix("bin/python")
        library = f"lib/python{version}/"
        wanted = [entry for name, entry in files.items() if name == program or is_wanted(name, library)]
        archive.extractall(folder.parent, wanted, filter="data")
    (folder / program).rename(folder / "bin" / "python3")
    (folder / library / "site-packages").mkdir()
    (folder / library / "site-packages" / "privaudit.pth").write_bytes(b"../../../../packages\n")
    shutil.copy(HERE / "linux-python-licences.txt", folder / "LICENCES.txt")
    return version


def lay_out_packages(target: Target, python: str, wheels: Path, folder: Path) -> None:
    """Lay out privaudit and what it needs, as an installation would, in a folder for one version of Python."""
    left_out = PRUNED | {FROM_SOURCE}
    pins = [pin for pin in read_pins() if pin.name not in left_out and pin.is_needed(target, python)]
    with tempfile.TemporaryDirectory() as scratch:
        download_wheels(pins, target, python, Path(scratch))
        shutil.copytree(wheels, scratch, dirs_exist_ok=True)
        releases = [f"{name}=={version}" for name, version in wheel_versions(Path(scratch)).items()]
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
            lines = target.newline.join(target.line.format(line) for line in sentences[sentence].splitlines())
            content = content.replace(f"@{sentence}.{language}@".encode(), lines.encode(target.encodings[language]))
    (folder / name).write_bytes(content)


def build_folder(target: Target, python: bytes, wheels: Path, folder: Path) -> None:
    """Write the folder that users unpack."""
    words = read_words(wheel_versions(wheels)["privaudit"])
    unpack = {"windows": unpack_windows_python, "linux": unpack_linux_python}[target.name]
    version = unpack(python, folder / "files" / "python")
    lay_out_packages(target, version, wheels, folder / "files" / "packages")
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
            yield name, path.read_bytes(), path.suffix in {".sh", ".desktop"} or path.parent.name == "bin"


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
    for target in TARGETS:
        parser.add_argument(f"--{target.name}-python", type=Path, metavar="FILE", help=f"default: {target.python_url}")
    parser.add_argument("--sha256", metavar="HEX", help="of such a file; default: that of what is downloaded")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", metavar="FOLDER", help="where to; default: dist")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(names):
        parser.error(f"no such target: {', '.join(unknown)}")
    targets = [target for target in TARGETS if target.name in (arguments.targets or names)]
    if arguments.sha256 and len(targets) > 1:
        parser.error("--sha256 is for one target at a time")
    pythons = {
        target.name: read_python(
            target, getattr(arguments, f"{target.name}_python"), arguments.sha256 or target.python_sha256
        )
        for target in targets
    }
    dist: Path = arguments.dist
    dist.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheels = Path(scratch, "wheels")
        wheels.mkdir()
        build_wheels(wheels)
        version = wheel_versions(wheels)["privaudit"]

        def build_archive(target: Target) -> Path:
            folder = Path(scratch, target.name, f"privaudit-{version}")
            folder.mkdir(parents=True)
            build_folder(target, pythons[target.name], wheels, folder)
            file = dist / f"privaudit-{version}-{target.name}{'.zip' if target.name == 'windows' else '.tar.gz'}"
            (pack_zip if file.suffix == ".zip" else pack_tar)(folder, file)
            return file

        with ThreadPoolExecutor() as executor:
            for file in executor.map(build_archive, targets):
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                print(f"{digest}  {file}  {file.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
