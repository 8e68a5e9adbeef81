"""The APKs of the virtual phones, built with Android's own tools (``tools/build_demo_apks.py`` in the sources)."""

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from importlib import resources

from privaudit.virtual_phone.scenario.virtual import VirtualApp


def apk_entry_name(app: VirtualApp) -> str:
    """Return the name of the app's base APK in ``apks.zip``. A factory copy has another version than its update."""
    return f"{app.package}-{app.version_code}.apk"


@cache
def load_apks() -> Mapping[str, bytes]:
    """Return all APKs by their entry names."""
    raw = (resources.files(__package__) / "apks.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}
