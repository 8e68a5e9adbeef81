"""Detect a phone's brand from its USB vendor id or its own name, and say how to enable its USB debugging.

Vendor ids and names of brands are in ``data/phone_brands.toml``. Menu texts: AOSP and the vendors' help pages; menus
differ by version, so that each text leads to the closest one.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from privaudit.model import Message


@dataclass(frozen=True, slots=True)
class UsbVendor:
    """The owner of a USB vendor id."""

    brand: str | None = None
    """The brand whose menus apply; ``None``: stock Android's, or unknown."""
    is_phone_only: bool = False
    """Whether every device with this id is a phone or tablet; other vendors also sell disks, modems and cameras."""


_TABLES: Final[Any] = tomllib.loads(
    (resources.files("privaudit") / "data" / "phone_brands.toml").read_text(encoding="utf-8")
)
USB_VENDORS: Final = {int(code, 16): UsbVendor(**row) for code, row in _TABLES["usb_vendors"].items()}
_BRAND_NAMES: Final[Mapping[str, Sequence[str]]] = _TABLES["names"]
_SAMSUNG_MODEL: Final = re.compile(r"(?:sm|gt)[-_ ][a-z]\d")
"""Model names without the brand: ``SM-A125F``."""

_DEBUGGING_STEP_KEYS: Final[Mapping[str, str]] = {
    "honor": "makers.honor",
    "huawei": "makers.huawei",
    "meizu": "makers.meizu",
    "oppo": "makers.oppo",
    "samsung": "makers.samsung",
    "transsion": "makers.transsion",
    "vivo": "makers.vivo",
    "xiaomi": "makers.xiaomi",
}


def detect_brand(manufacturer: str | None) -> str | None:
    """Return the brand in a name that the phone reports: ``ro.product.manufacturer``, a USB string, or a model."""
    name = (manufacturer or "").casefold()
    if _SAMSUNG_MODEL.match(name):
        return "samsung"
    return next((brand for brand, words in _BRAND_NAMES.items() if any(word in name for word in words)), None)


def enable_debugging_steps(brand: str | None, country: str | None = None) -> tuple[Message, ...]:
    """Return how to enable USB debugging on a brand; if it is unknown, on the largest ones of `country`.

    The last message says how to see any other brand.
    """
    if brand is not None and brand in _DEBUGGING_STEP_KEYS:
        return (Message(key=_DEBUGGING_STEP_KEYS[brand], values={}),)
    brands: Sequence[str] = _TABLES["countries"].get(country, ())
    keys = [_DEBUGGING_STEP_KEYS[name] for name in brands] or ["makers.any"]
    every_brand = (name.casefold() for names in _TABLES["roms"].values() for name in names)
    others = Message(key="makers.others", values={"brands": tuple(dict.fromkeys(every_brand))})
    return (*(Message(key=key, values={}) for key in keys), others)


def country_of_language(language_code: str) -> str | None:
    """Return the country that a language suggests, if it does."""
    country: str | None = _TABLES["languages"].get(language_code)
    return country
