"""The APKs of the demo phones: real ones, made by Android's tools (``tools/build_demo_apks.py`` in the source tree)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from importlib import resources

from privaudit.virtual_phone.scenario.virtual import VirtualApp


def apk_entry_name(app: VirtualApp) -> str:
    """What the base APK of `app` is called in the bundle. A factory copy has another version than its update."""
    return f"{app.package}-{app.version_code}.apk"


@cache
def load_apks() -> Mapping[str, bytes]:
    """All of them, by `name`."""
    raw = (resources.files("privaudit.virtual_phone") / "apks.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}
