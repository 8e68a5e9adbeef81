"""Vendor ROMs: detection by system properties, settings pages and menu words, and restrictions on changes over ADB.

Each ROM is one TOML file in ``privaudit/data/roms``; its README explains the keys. Missing entries are inherited from
the file that ``like`` names, and then from ``aosp.toml``, stock Android.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from privaudit.model import Phone, Rom

_DATA: Final = resources.files("privaudit") / "data"
STOCK_ROM_ID: Final = "aosp"
_MIN_VERSION_PARTS: Final = 2
"""A version has at least two numbers: 6.0, never 6."""
_UNKNOWN_SDK: Final = 99
"""Stands for an SDK level that was not read: the newest menus apply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPage:
    """The menu path to a page of Settings."""

    menu_keys: tuple[str, ...]
    """Keys of menu words in the order of the taps. ``APP`` stands for the app itself."""
    is_confirmed: bool
    """Whether a source confirms this path for this ROM; false for inherited paths and an unknown SDK level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsIntent:
    """An intent that opens a page of Settings on the phone."""

    action: str | None
    component: str | None
    """The activity, where no action is public; never set together with `action`."""
    package_extra: str | None
    """How the intent names the app: ``data`` for ``package:NAME``, else the name of a string extra; ``None``: it does
    not."""
    extras: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorRestriction:
    """A vendor's developer option that must be on, or some changes over ADB are refused."""

    menu_key: str
    """Key of the option's menu word."""
    blocks: tuple[str, ...]
    """Kinds of change that it blocks: ``permissions``, ``app_ops``."""
    property_name: str | None
    """System property with the option's state; ``None``: the state cannot be read."""
    open_value: str | None
    """Value of that property when changes are allowed."""


def load_rom(rom_id: str) -> Mapping[str, Any]:
    """Return the data of a ROM with inherited entries. An unknown id, which a saved report may name, means stock."""
    return _load_inherited(rom_id if rom_id in _rom_ids() else STOCK_ROM_ID)


@cache
def _rom_ids() -> frozenset[str]:
    names = (file.name for file in (_DATA / "roms").iterdir())
    return frozenset(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@cache
def _load_inherited(rom_id: str) -> Mapping[str, Any]:
    data: dict[str, Any] = tomllib.loads((_DATA / "roms" / f"{rom_id}.toml").read_text(encoding="utf-8"))
    return data if rom_id == STOCK_ROM_ID else _with_inherited(data, _load_inherited(data.get("like", STOCK_ROM_ID)))


def _with_inherited(data: Mapping[str, Any], base: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put the entries of `base` behind those of `data`. An inherited path is unconfirmed: no source is of this ROM."""
    pages = {
        name: (*data.get("pages", {}).get(name, ()), *({**row, "checked": False} for row in rows))
        for name, rows in {**dict.fromkeys(data.get("pages", {}), ()), **base["pages"]}.items()
    }
    intents = {
        name: (*data.get("intents", {}).get(name, ()), *base["intents"].get(name, ()))
        for name in {**base["intents"], **data.get("intents", {})}
    }
    own_terms = data.get("words", {})
    terms = {
        code: {**_inherited_terms(code, own_terms, base["words"]), **own_terms.get(code, {})}
        for code in {**base["words"], **own_terms}
    }
    return {**base, **data, "pages": pages, "intents": intents, "words": terms}


def _inherited_terms(
    code: str, own_terms: Mapping[str, Mapping[str, str]], base_terms: Mapping[str, Mapping[str, str]]
) -> Mapping[str, str]:
    """Return the base's menu words in one language, without those that this ROM renames in English.

    The base's translation of a renamed word would name a menu entry that this ROM does not have.
    """
    base_english, own_english = base_terms["en"], own_terms.get("en", {})
    return {
        key: term
        for key, term in base_terms.get(code, {}).items()
        if own_english.get(key, base_english.get(key)) == base_english.get(key)
    }


@cache
def list_rom_ids() -> tuple[str, ...]:
    """Return the ids of all ROMs in detection order; stock Android is last."""
    return tuple(sorted(_rom_ids(), key=lambda rom_id: (load_rom(rom_id)["recognise"]["order"], rom_id)))


@cache
def _phone_brands() -> Mapping[str, Any]:
    return tomllib.loads((_DATA / "phone_brands.toml").read_text(encoding="utf-8"))


def list_brands() -> Mapping[str, str]:
    """Return each brand as its maker writes it, with the ROM of its newest phones."""
    brands: dict[str, str] = {}
    for rom_id, names in _phone_brands()["roms"].items():
        for name in names:
            brands.setdefault(name, rom_id)
    return brands


def find_rom_id(name: str) -> str | None:
    """Return the ROM that a user means by `name`: its id, or a brand in any letter case; ``None``: unknown."""
    folded = _phone_brands()["also_called"].get(name, name).casefold()
    brands = {brand.casefold(): rom_id for brand, rom_id in list_brands().items()}
    return folded if folded in _rom_ids() else brands.get(folded)


def rom_title(rom_id: str) -> str:
    """Return the brands that have a ROM, which people know, and its name; of stock Android its name alone."""
    brands = ", ".join(_phone_brands()["roms"].get(rom_id, ()))
    name: str = load_rom(rom_id)["name"]
    return name if rom_id == STOCK_ROM_ID or brands in {"", name} else f"{brands} ({name})"


def detect_rom(properties: Mapping[str, str]) -> Rom:
    """Detect the ROM of a phone from its system properties.

    The order matters, and each file states its own: HyperOS keeps the properties of MIUI, and MagicOS those of EMUI.
    """
    for rom_id in list_rom_ids():
        data = load_rom(rom_id)
        version = _match_version(data["recognise"], properties)
        if version is not None:
            return Rom(id=rom_id, name=data["name"], version=version or None)
    return Rom(id=STOCK_ROM_ID, name=load_rom(STOCK_ROM_ID)["name"], version=None)


def _match_version(detection: Mapping[str, Any], properties: Mapping[str, str]) -> str | None:
    """Return the ROM's version, ``""`` where it states none, or ``None`` where the properties are of another ROM."""
    for key, pattern in detection.get("properties", {}).items():
        match = re.search(pattern, properties.get(key, ""))
        if match:
            # Samsung writes 60101 for 6.1.1: the pattern has one group for each number of such a version.
            parts = [part.lstrip("0") or "0" for part in match.groups() if part]
            while len(parts) > _MIN_VERSION_PARTS and parts[-1] == "0":
                parts.pop()
            return ".".join(parts) if len(match.groups()) > 1 else (match[1] if match.groups() else "")
    if properties.get("ro.product.manufacturer", "").casefold() not in detection.get("manufacturers", ()):
        return None
    sdk = properties.get("ro.build.version.sdk", "")
    is_older = sdk.isascii() and sdk.isdecimal() and int(sdk[:3]) < detection.get("since", 0)
    return None if is_older else ""


def find_settings_page(rom_id: str, page_name: str, sdk: int | None) -> SettingsPage | None:
    """Return the menu path to `page_name`; ``None`` where no file describes one for this SDK level."""
    row = next(_rows_for_sdk(rom_id, "pages", page_name, sdk), None)
    if row is None:
        return None
    return SettingsPage(menu_keys=tuple(row["path"]), is_confirmed=row["checked"] and sdk is not None)


def find_intents(rom_id: str, page_name: str, sdk: int | None) -> tuple[SettingsIntent, ...]:
    """Return the intents that may open `page_name`, the most likely first."""
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
    level = _UNKNOWN_SDK if sdk is None else sdk
    return (row for row in load_rom(rom_id)[table].get(page_name, ()) if row["sdk"][0] <= level <= row["sdk"][1])


def list_openable_pages() -> tuple[str, ...]:
    """Return the names of the pages that `find_intents` can open."""
    return tuple(sorted(load_rom(STOCK_ROM_ID)["intents"]))


def page_needs_app(page_name: str) -> bool:
    """Return whether a page is that of one app on every phone, so that it cannot be opened without naming the app."""
    return all("package" in row for row in load_rom(STOCK_ROM_ID)["intents"][page_name])


def list_restrictions(rom_id: str) -> tuple[VendorRestriction, ...]:
    """Return what this ROM requires before it allows changes over ADB."""
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
    """Return the ids of Android users that ROMs create for copies of apps: ``clone`` or ``secure_folder``."""
    return frozenset(user for rom_id in list_rom_ids() for user in load_rom(rom_id)["users"].get(user_kind, ()))


def phone_with_rom(rom_id: str) -> Phone:
    """Return a phone with this ROM and a current version of Android."""
    return Phone(
        manufacturer=None,
        model=None,
        android=None,
        sdk=None,
        sdk_inferred=False,
        security_patch=None,
        rom=Rom(id=rom_id, name=load_rom(rom_id)["name"], version=None),
        languages=(),
    )
