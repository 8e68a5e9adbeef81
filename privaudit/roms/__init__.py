"""The makers' own Androids: how each is recognised, and the words of its menus. One TOML file per ROM.

A ROM whose menus are not described falls back to ``aosp.toml``, stock Android.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from privaudit.model import Rom

STOCK: Final = "aosp"


@cache
def load(rom: str) -> Mapping[str, Any]:
    """The data of one ROM; ``aosp`` fills what it lacks."""
    folder = resources.files("privaudit.roms")
    data: dict[str, Any] = tomllib.loads((folder / f"{rom}.toml").read_text(encoding="utf-8"))
    return data if rom == STOCK else {**load(STOCK), **data}


@cache
def _in_order() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    names = (entry.name.removesuffix(".toml") for entry in resources.files("privaudit.roms").iterdir())
    known = [(name, load(name)) for name in names if (resources.files("privaudit.roms") / f"{name}.toml").is_file()]
    return tuple(sorted(known, key=lambda item: (item[1]["recognise"]["order"], item[0])))


def recognise(properties: Mapping[str, str]) -> Rom:
    """The ROM of a phone with these properties.

    HyperOS keeps MIUI's properties and HONOR Huawei's, so order matters: each file says its own.
    """
    for name, data in _in_order():
        version = _version(data["recognise"], properties)
        if version is not None:
            return Rom(id=name, name=data["name"], version=version or None)
    return Rom(id=STOCK, name=load(STOCK)["name"], version=None)


def _version(how: Mapping[str, Any], properties: Mapping[str, str]) -> str | None:
    """The version that this ROM gives itself (``""``: none), or ``None`` where the phone has another ROM."""
    makers = how.get("manufacturers")
    if makers and properties.get("ro.product.manufacturer", "").casefold() not in makers:
        return None
    for key, pattern in how.get("properties", {}).items():
        match = re.search(pattern, properties.get(key, ""))
        if match:
            return match[1] if match.groups() else ""
    return "" if makers and not how.get("properties") else None
