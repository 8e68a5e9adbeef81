"""Add to a bill of materials (CycloneDX) what no Python package says: what npm and python.org give.

add_components.py BILL page          Pyodide, by its hash
add_components.py BILL installation  CPython, which is in the portable folders
"""

import base64
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

TOOLS = Path(__file__).parent.parent


def component(name: str, version: str, purl: str, algorithm: str, digest: str) -> dict[str, Any]:
    """Return a component with the hash (hexadecimal) of the file that it comes in."""
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "hashes": [{"alg": algorithm, "content": digest}],
    }


def npm_components() -> Iterator[dict[str, Any]]:
    """Yield what the page takes from npm."""
    for line in (TOOLS / "browser" / "npm.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            package, integrity = line.split()
            name, version = package.rsplit("@", 1)
            digest = base64.b64decode(integrity.removeprefix("sha512-")).hex()
            yield component(name, version, f"pkg:npm/{name}@{version}", "SHA-512", digest)


def python_components() -> Iterator[dict[str, Any]]:
    """Yield the CPython that a release puts into each portable folder."""
    for target in runpy.run_path(str(TOOLS / "portable" / "build.py"))["TARGETS"]:
        url, digest, version = target.python_url, target.python_sha256, target.python_version
        purl = f"pkg:generic/python@{version}?checksum=sha256:{digest}&download_url={quote(url, safe='')}"
        python = component("python", version, purl, "SHA-256", digest)
        # Databases of weaknesses know it by this name.
        yield {**python, "cpe": f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*"}


def main(bill: Path, kind: str) -> None:
    """Rewrite the bill with the components of its kind."""
    content = json.loads(bill.read_text(encoding="utf-8"))
    content["components"] += {"page": npm_components, "installation": python_components}[kind]()
    bill.write_text(f"{json.dumps(content, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
