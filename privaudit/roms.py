"""The makers' own Androids: how each is recognised, its menus and pages, and what it puts in the way of changes.

One TOML file per ROM. What a file lacks comes from the one it names in ``like``, and then from ``aosp.toml``, stock
Android.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from privaudit.model import Rom

STOCK_ROM_ID: Final = "aosp"
_MIN_VERSION_PARTS: Final = 2
"""Of a version: 6.0, never 6."""
_UNKNOWN_SDK: Final = 99
"""For a phone whose version was not read: the menus of today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPage:
    """How to reach a page by hand."""

    menu_keys: tuple[str, ...]
    """Keys of menu words, in the order in which they are tapped. ``APP`` stands for the app itself."""
    is_confirmed: bool
    """Whether a source confirms this path for this very ROM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsIntent:
    """What shows a page on the phone."""

    action: str | None
    component: str | None
    """Where no action is public; never beside one."""
    package_extra: str | None
    """How the app is named: ``data`` for ``package:NAME``, else the name of a text extra; ``None``: not at all."""
    extras: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorRestriction:
    """A maker's switch without which some changes over the cable are refused."""

    menu_key: str
    """Key of its menu word."""
    blocks: tuple[str, ...]
    """``permissions``, ``app_ops``."""
    property_name: str | None
    """The property that tells how it stands; ``None``: nothing tells."""
    open_value: str | None
    """The property's value when the way is free."""


def load_rom(rom_id: str) -> Mapping[str, Any]:
    """The data of one ROM, its gaps filled. One that a report names and that is not known here counts as stock."""
    return _load_inherited(rom_id if rom_id in _rom_ids() else STOCK_ROM_ID)


@cache
def _rom_ids() -> frozenset[str]:
    files = (file.name for file in (resources.files("privaudit") / "data" / "roms").iterdir())
    return frozenset(name.removesuffix(".toml") for name in files if name.endswith(".toml"))


@cache
def _load_inherited(rom_id: str) -> Mapping[str, Any]:
    folder = resources.files("privaudit") / "data" / "roms"
    data: dict[str, Any] = tomllib.loads((folder / f"{rom_id}.toml").read_text(encoding="utf-8"))
    return data if rom_id == STOCK_ROM_ID else _with_inherited(data, _load_inherited(data.get("like", STOCK_ROM_ID)))


def _with_inherited(data: Mapping[str, Any], base: Mapping[str, Any]) -> Mapping[str, Any]:
    """`data`, then `base`. A path that is only borrowed counts as unchecked: nobody looked on this ROM."""
    pages = {
        name: (*data.get("pages", {}).get(name, ()), *({**row, "checked": False} for row in rows))
        for name, rows in {**dict.fromkeys(data.get("pages", {}), ()), **base["pages"]}.items()
    }
    intents = {
        name: (*data.get("intents", {}).get(name, ()), *base["intents"].get(name, ()))
        for name in {**base["intents"], **data.get("intents", {})}
    }
    own = data.get("words", {})
    words = {
        code: {**_inherited_terms(code, own, base["words"]), **own.get(code, {})} for code in {**base["words"], **own}
    }
    return {**base, **data, "pages": pages, "intents": intents, "words": words}


def _inherited_terms(
    code: str, own: Mapping[str, Mapping[str, str]], base: Mapping[str, Mapping[str, str]]
) -> Mapping[str, str]:
    """The base's words in one language; but of what is called otherwise here in English, no word of the base's."""
    english, renamed = base["en"], own.get("en", {})
    return {
        word: said
        for word, said in base.get(code, {}).items()
        if renamed.get(word, english.get(word)) == english.get(word)
    }


def list_rom_ids() -> tuple[str, ...]:
    """Every ROM, in the order in which a phone is asked whether it has it; stock Android last."""
    return tuple(name for name, _ in _roms_in_detection_order())


@cache
def _roms_in_detection_order() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    known = [(name, load_rom(name)) for name in _rom_ids()]
    return tuple(sorted(known, key=lambda item: (item[1]["recognise"]["order"], item[0])))


def detect_rom(properties: Mapping[str, str]) -> Rom:
    """The ROM of a phone with these properties.

    HyperOS keeps MIUI's properties and HONOR Huawei's, so order matters: each file says its own.
    """
    for name, data in _roms_in_detection_order():
        version = _match_version(data["recognise"], properties)
        if version is not None:
            return Rom(id=name, name=data["name"], version=version or None)
    return Rom(id=STOCK_ROM_ID, name=load_rom(STOCK_ROM_ID)["name"], version=None)


def _match_version(detection: Mapping[str, Any], properties: Mapping[str, str]) -> str | None:
    """The version that this ROM gives itself (``""``: none), or ``None`` where the phone has another ROM."""
    for key, pattern in detection.get("properties", {}).items():
        match = re.search(pattern, properties.get(key, ""))
        if match:
            # Samsung counts 60101 for 6.1.1: each part of such a version is a group of its own.
            parts = [part.lstrip("0") or "0" for part in match.groups() if part]
            while len(parts) > _MIN_VERSION_PARTS and parts[-1] == "0":
                parts.pop()
            return ".".join(parts) if len(match.groups()) > 1 else (match[1] if match.groups() else "")
    return (
        "" if properties.get("ro.product.manufacturer", "").casefold() in detection.get("manufacturers", ()) else None
    )


def find_settings_page(rom_id: str, page_name: str, sdk: int | None) -> SettingsPage | None:
    """How to reach the page `page_name`; ``None`` where nobody described one."""
    row = next(_rows_for_sdk(rom_id, "pages", page_name, sdk), None)
    if row is None:
        return None
    return SettingsPage(menu_keys=tuple(row["path"]), is_confirmed=row["checked"] and sdk is not None)


def find_intents(rom_id: str, page_name: str, sdk: int | None) -> tuple[SettingsIntent, ...]:
    """What may show the page `page_name`, the likeliest first."""
    return tuple(
        SettingsIntent(
            action=row.get("action"),
            component=row.get("component"),
            package_extra=row.get("package"),
            extras=tuple(row.get("extras", {}).items()),
        )
        for row in _rows_for_sdk(rom_id, "intents", page_name, sdk)
    )


def _rows_for_sdk(rom_id: str, table: str, page_name: str, sdk: int | None) -> Iterator[Mapping[str, Any]]:
    at = _UNKNOWN_SDK if sdk is None else sdk
    return (row for row in load_rom(rom_id)[table].get(page_name, ()) if row["sdk"][0] <= at <= row["sdk"][1])


def list_openable_pages() -> tuple[str, ...]:
    """Pages that can be shown on a phone."""
    return tuple(sorted(load_rom(STOCK_ROM_ID)["intents"]))


def list_restrictions(rom_id: str) -> tuple[VendorRestriction, ...]:
    """What this ROM puts in the way of changes over the cable."""
    return tuple(
        VendorRestriction(
            menu_key=row["word"],
            blocks=tuple(row["stops"]),
            property_name=row.get("property"),
            open_value=row.get("open"),
        )
        for row in load_rom(rom_id).get("gates", ())
    )


@cache
def vendor_user_ids(user_kind: str) -> frozenset[int]:
    """Android users that any ROM makes for copies of apps: `user_kind` is ``clone`` or ``secure_folder``."""
    return frozenset(number for name in list_rom_ids() for number in load_rom(name)["users"].get(user_kind, ()))
