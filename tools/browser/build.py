"""Build the page that checks a phone in a browser: ``dist/privaudit.html``, and ``dist/privaudit-page/`` for a host.

Both hold Pyodide, the libraries in ``locked.txt``, this package and its lists, compiled beforehand. Downloads are
pinned with their hashes and come through ``npm`` and ``pip`` as these are configured here; they stay in
``.browser-cache``. The same sources and pins give the same bytes.

    python tools/browser/build.py [--output FOLDER] [--offline]

It needs node with npm, and the libraries of the package itself.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from privaudit.browser import page_data  # noqa: E402 - of this folder, not an installed one
from privaudit.report import html_page  # noqa: E402

CACHE = ROOT / ".browser-cache"
MAX_BYTES = 16 * 1000 * 1000
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
FROM_SOURCE = {"adb-shell", "markupsafe"}
WHEEL_OPTIONS = (
    *("--only-binary", ":all:", "--implementation", "cp", "--python-version", "314", "--abi", "cp314", "--abi", "none"),
    *("--platform", "pyemscripten_2026_0_wasm32", "--platform", "any"),
)
PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")

LEFT_OUT = re.compile(
    r"pydantic/(?:v1/|_hypothesis|mypy)|.*/(?:sboms/|py\.typed$|RECORD$)|.*\.(?:pyi|c)$"
    # rich: only the widths of characters are used. adb-shell: only its packets.
    r"|rich/(?!__init__\.py|_extension\.py|cells\.py|_unicode_data/)"
    r"|adb_shell/(?:auth/|adb_device_async|transport/(?!__init__|base_transport\.py|tcp_transport\.py))"
    # privaudit: commands, vetting and workshops need a terminal, processes or several phones.
    r"|privaudit/(?:cli/|vetting/|__main__|browser/page/|transport/(?:adb_server|usb|diagnosis)\.py|virtual_phone/adbd/)"
    r"|privaudit/workshop/(?!__init__|model|statistics)|privaudit/browser/page_data\.py"
    # Lists are those of the build, and a report is saved as a page or JSON.
    r"|privaudit/knowledge/(?:csv_format|export|lint|minisign|stix|update)\.py"
    r"|privaudit/report/(?:csv|diff|share|terminal)\.py"
)
"""Files that the page does not need."""
STYLES = ("style", "paper")
"""Style sheets of the documents that the page shows in a frame, which inherits its policy."""


def fail(reason: str) -> None:
    """End with a reason."""
    sys.exit(f"tools/browser/build.py: {reason}")


# --- downloads --------------------------------------------------------------------------------------------------------


def read_pins(file: Path = HERE / "locked.txt") -> Mapping[str, str]:
    """Return for each ``name==version`` its SHA-256."""
    rows = re.findall(r"^(\S+==\S+) --hash=sha256:([0-9a-f]{64})$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(rows)


def read_npm_pin(file: Path = HERE / "npm.txt") -> tuple[str, str]:
    """Return ``name@version`` of Pyodide and its SHA-512 in hexadecimal digits."""
    release, integrity = file.read_text(encoding="utf-8").split()
    return release, base64.b64decode(integrity.removeprefix("sha512-")).hex()


def find_cached(digest: str, algorithm: str = "sha256") -> Path | None:
    """Return the file in the cache that has this hash."""
    for path in sorted(CACHE.glob("*")) if CACHE.is_dir() else ():
        if path.is_file() and hashlib.new(algorithm, path.read_bytes()).hexdigest() == digest:
            return path
    return None


def run(*command: str) -> None:
    """Run a program that downloads; end with what it says if it fails."""
    done = subprocess.run(command, cwd=CACHE, check=False, capture_output=True, text=True)
    if done.returncode:
        fail(f"{command[0]} could not download. Is there a network?\n{done.stderr.strip()}")


def download(*, offline: bool) -> tuple[Path, Mapping[str, Path]]:
    """Return Pyodide's package and the file of each pin, downloaded unless they are in the cache already."""
    CACHE.mkdir(exist_ok=True)
    pins, (npm_release, npm_digest) = read_pins(), read_npm_pin()
    missing = [release for release, digest in pins.items() if find_cached(digest) is None]
    needs_npm = find_cached(npm_digest, "sha512") is None
    if offline and (missing or needs_npm):
        fail(f"not in {CACHE.name}, and --offline: {', '.join([npm_release] * needs_npm + missing)}")
    if needs_npm:
        if shutil.which("npm") is None:
            fail("npm is missing: install node 20 or later")
        run("npm", "pack", "--silent", npm_release)
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "download",
        "--no-deps",
        "--dest",
        ".",
    )
    for release in missing:
        is_source = release.partition("==")[0] in FROM_SOURCE
        run(*pip, *(("--no-binary", ":all:") if is_source else WHEEL_OPTIONS), release)
    files = {release: find_cached(digest) for release, digest in pins.items()}
    pyodide = find_cached(npm_digest, "sha512")
    wrong = [name for name, path in {npm_release: pyodide, **files}.items() if path is None]
    if wrong or pyodide is None:
        fail(f"what was downloaded has another hash than the pinned one: {', '.join(wrong)}")
        raise AssertionError
    return pyodide, {release: path for release, path in files.items() if path is not None}


# --- contents ---------------------------------------------------------------------------------------------------------


def archive_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a wheel, or of the packages in a source archive."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            yield from ((name, wheel.read(name)) for name in wheel.namelist() if not name.endswith("/"))
        return
    with tarfile.open(path) as archive:
        for member in archive:
            if not member.isfile():
                continue
            _, *parts = PurePosixPath(member.name).parts
            if parts and parts[0] == "src":
                parts = parts[1:]
            content = archive.extractfile(member)
            is_package = len(parts) > 1 and parts[0] in {"adb_shell", "markupsafe"}
            if content is not None and (is_package or parts[-1].startswith("LICENSE")):
                name = "/".join(parts) if is_package else f"licenses/{path.name}.{parts[-1]}"
                yield name, content.read()


def package_files() -> Iterator[tuple[str, bytes]]:
    """Yield the files of this package, with its lists where an installed package has them."""
    for folder, prefix in ((ROOT / "privaudit", "privaudit"), (ROOT / "signatures", "privaudit/_signatures")):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes()
    yield "licenses/privaudit.LICENSE", (ROOT / "LICENSE").read_bytes()


def zip_files(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip that depends on its content alone. It stores: it is compressed as a whole, which is smaller."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), content)
    return packed.getvalue()


def compile_app(pyodide: Path, files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the zip of `files` with each Python file compiled by Pyodide."""
    if shutil.which("node") is None:
        fail("node is missing: install node 20 or later")
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in files:
            path = Path(scratch, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        command = ["node", str(HERE / "compile.mjs"), str(pyodide), scratch]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            fail(done.stderr)
        paths = [path for path in Path(scratch).rglob("*") if path.is_file()]
        return zip_files((path.relative_to(scratch).as_posix(), path.read_bytes()) for path in paths)


def build_parts(pyodide_package: Path, pinned: Iterable[Path]) -> Mapping[str, bytes]:
    """Return what the worker needs, by name, unpacked."""
    sources = dict(file for path in pinned for file in archive_files(path)) | dict(package_files())
    files = {name: content for name, content in sources.items() if not LEFT_OUT.match(name)}
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(pyodide_package) as archive:
            archive.extractall(scratch, filter="data")
        pyodide = Path(scratch, "package")
        with zipfile.ZipFile(pyodide / "python_stdlib.zip") as library:
            stdlib = zip_files((name, library.read(name)) for name in library.namelist() if not name.endswith("/"))
        info = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))["info"]
        return {
            **{name: (pyodide / name).read_bytes() for name in PYODIDE_FILES},
            "python_stdlib.zip": stdlib,
            "pyodide-lock.json": json.dumps({"info": info, "packages": {}}).encode(),
            "app.zip": compile_app(pyodide, files.items()),
        }


# --- the page ---------------------------------------------------------------------------------------------------------


def read_page_file(name: str) -> str:
    """Return a file of the page."""
    return (ROOT / "privaudit" / "browser" / "page" / name).read_text(encoding="utf-8")


def bundle_modules() -> str:
    """Return the modules of the page as one: a file opened from a disk cannot import another."""
    names = [name for name in page_data.PAGE_FILES if name.endswith(".js") and name != "worker.js"]
    text = "".join(read_page_file(name) for name in names)
    text = re.sub(r'^import \{[^}]*\} from "\./\w+\.js";\n', "", text, flags=re.MULTILINE)
    return re.sub(r"^export (?=(?:async )?(?:function|class|const) )", "", text, flags=re.MULTILINE)


def hash_source(text: str) -> str:
    """Return the source expression of a policy that allows exactly this script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def build_html(parts: Mapping[str, str], connect: str) -> str:
    """Return the page. `parts`: elements by name; `connect`: what it may fetch."""
    script, style = bundle_modules(), read_page_file("page.css")
    styles = " ".join(map(hash_source, (style, *(html_page.read_stylesheet(name) for name in STYLES))))
    policy = "; ".join(
        (
            "default-src 'none'",
            f"connect-src {connect}",
            # blob: is for the worker and for Pyodide, which this script makes from what the page holds.
            f"script-src {hash_source(script)} blob: 'wasm-unsafe-eval'",
            "worker-src blob:",
            f"style-src {styles}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    data = json.dumps(page_data.page_data(), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    worker = read_page_file("worker.js")
    elements = [
        f'<script type="application/json" id="page-data">{data}</script>',
        f'<script type="text/plain" id="worker-code">{worker}</script>',
        *parts.values(),
        f'<script type="module">{script}</script>',
    ]
    if any("</script" in text for text in (data, worker, script)):
        fail("a script holds the end of a script")
    return (
        read_page_file("index.html")
        .replace("POLICY", policy, 1)
        .replace("STYLE\n", f"<style>{style}</style>\n", 1)
        .replace("PARTS\n", "\n".join(elements) + "\n", 1)
    )


def build(output: Path, *, offline: bool) -> Path:
    """Write the file and the folder to `output`; return the file."""
    pyodide, pinned = download(offline=offline)
    parts = {
        name: gzip.compress(content, 9, mtime=0) for name, content in build_parts(pyodide, pinned.values()).items()
    }
    inside = {
        name: f'<script type="text/plain" data-part="{name}">{base64.b64encode(content).decode()}</script>'
        for name, content in parts.items()
    }
    beside = {
        name: f'<script type="text/plain" data-part="{name}" data-file="parts/{name}.gz"></script>' for name in parts
    }
    output.mkdir(parents=True, exist_ok=True)
    folder, file = output / "privaudit-page", output / "privaudit.html"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "parts").mkdir(parents=True)
    (folder / "index.html").write_text(build_html(beside, "'self'"), encoding="utf-8")
    for name, content in parts.items():
        (folder / "parts" / f"{name}.gz").write_bytes(content)
    file.write_text(build_html(inside, "'none'"), encoding="utf-8", newline="\n")
    size = file.stat().st_size
    if size > MAX_BYTES:
        fail(f"{file.name} has {size / 1e6:.1f} MB, and may have {MAX_BYTES / 1e6:.0f}")
    print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}  {size / 1e6:.1f} MB")
    print(", ".join(f"{name} {len(content) / 1e6:.2f}" for name, content in parts.items()))
    return file


def main() -> None:
    """Build as the command line says."""
    parser = argparse.ArgumentParser(description="Build dist/privaudit.html and dist/privaudit-page/.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder to write to")
    parser.add_argument("--offline", action="store_true", help="use the downloads of an earlier build")
    arguments = parser.parse_args()
    build(arguments.output, offline=arguments.offline)


if __name__ == "__main__":
    main()
