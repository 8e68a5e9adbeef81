"""What the page shows before Python runs in it: its sentences in all languages, and the choices of its lists.

The build writes it into the page. A sentence is needed where a file of the page names its key.
"""

from __future__ import annotations

import re
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final

from privaudit import __version__, roms
from privaudit.i18n import catalog
from privaudit.knowledge import rights
from privaudit.report.summary import ANDROID_VERSIONS

PAGE_FILES: Final = ("index.html", "page.css", "usb.js", "keep.js", "python.js", "page.js", "worker.js")
"""The files of the page; modules stand after those that they import."""
_KEY: Final = re.compile(r"[\"'`]([a-z]+\.[a-z_\d]+)[\"'`]")
_ERROR_PARTS: Final = ("what", "why", "next")


def page_folder() -> Traversable:
    """Return the folder of `PAGE_FILES`."""
    return resources.files(__package__) / "page"


def named_keys() -> tuple[str, ...]:
    """Return the keys of all sentences that the files of the page name, each of the three of an error."""
    texts = ((page_folder() / name).read_text(encoding="utf-8") for name in PAGE_FILES)
    areas = {key.partition(".")[0] for key in catalog.messages(catalog.ENGLISH)}
    keys = {key for text in texts for key in _KEY.findall(text) if key.partition(".")[0] in areas}
    errors = {key for key in keys if key.startswith("errors.")}
    return tuple(sorted((keys - errors) | {f"{key}.{part}" for key in errors for part in _ERROR_PARTS}))


def page_data() -> dict[str, Any]:
    """Return all that the first screen needs."""
    keys, codes = named_keys(), catalog.languages()
    return {
        "version": __version__,
        "languages": [[code, catalog.sentence("browser.language", code)] for code in codes],
        "unreviewed": [code for code in codes if not catalog.is_reviewed(code)],
        "countries": {code: dict(rights.load_rights(code).country.name) for code in rights.countries_with_rights()},
        "roms": [[rom, roms.rom_title(rom)] for rom in roms.list_rom_ids()],
        "androids": [[str(sdk), name] for sdk, name in ANDROID_VERSIONS.items()],
        "words": {
            code: {key: text for key in keys if (text := catalog.sentence(key, code)) is not None} for code in codes
        },
    }
