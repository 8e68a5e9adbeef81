"""Detect a phone's brand from its USB vendor id or its own name, and say how to enable its USB debugging.

USB vendor ids: usb.ids, and the udev rules of Debian's ``android-sdk-platform-tools-common``. Menu texts: AOSP and the
vendors' help pages; menus differ by version, so that each text leads to the closest one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from privaudit.model import Message


@dataclass(frozen=True, slots=True)
class UsbVendor:
    """The owner of a USB vendor id."""

    brand: str | None
    """The brand whose menus apply; ``None``: stock Android's, or unknown."""
    is_phone_only: bool = False
    """Whether every device with this id is a phone or tablet; other vendors also sell disks, modems and cameras."""


USB_VENDORS: Final[Mapping[int, UsbVendor]] = {
    0x2717: UsbVendor("xiaomi", is_phone_only=True),
    0x04E8: UsbVendor("samsung"),
    0x12D1: UsbVendor("huawei"),
    0x339B: UsbVendor("honor", is_phone_only=True),
    0x22D9: UsbVendor("oppo", is_phone_only=True),  # OPPO, realme, newer OnePlus
    0x2A70: UsbVendor("oppo", is_phone_only=True),  # OnePlus
    0x2D95: UsbVendor("vivo", is_phone_only=True),
    0x2A45: UsbVendor("meizu", is_phone_only=True),
    0x18D1: UsbVendor(None),  # Google; many makers use it in some modes
    0x0E8D: UsbVendor(None),  # MediaTek: TECNO, Infinix, itel and most cheap phones
    0x1782: UsbVendor(None),  # Unisoc (Spreadtrum): the cheapest ones
    0x05C6: UsbVendor(None),  # Qualcomm
    0x22B8: UsbVendor(None),  # Motorola
    0x2E04: UsbVendor(None, is_phone_only=True),  # HMD
    0x0421: UsbVendor(None),  # Nokia
    0x0FCE: UsbVendor(None, is_phone_only=True),  # Sony's phones
    0x1004: UsbVendor(None),  # LG
    0x0BB4: UsbVendor(None),  # HTC
    0x0B05: UsbVendor(None),  # ASUS
    0x17EF: UsbVendor(None),  # Lenovo
    0x19D2: UsbVendor(None),  # ZTE
    0x1BBB: UsbVendor(None),  # TCL, Alcatel
    0x109B: UsbVendor(None),  # Hisense
}

_BRAND_NAMES: Final = {
    "xiaomi": ("xiaomi", "redmi", "poco"),
    "samsung": ("samsung",),
    "huawei": ("huawei",),
    "honor": ("honor",),
    "oppo": ("oppo", "oneplus", "realme"),
    "vivo": ("vivo", "iqoo"),
    "meizu": ("meizu",),
    "transsion": ("tecno", "infinix", "itel", "transsion"),
}
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
_UNKNOWN_BRAND_KEYS: Final = ("makers.any", "makers.xiaomi", "makers.samsung", "makers.huawei")


def detect_brand(manufacturer: str | None) -> str | None:
    """Return the brand in a name that the phone reports: ``ro.product.manufacturer``, a USB string, or a model."""
    name = (manufacturer or "").casefold()
    if _SAMSUNG_MODEL.match(name):
        return "samsung"
    return next((brand for brand, words in _BRAND_NAMES.items() if any(word in name for word in words)), None)


def enable_debugging_steps(brand: str | None) -> tuple[Message, ...]:
    """Return how to enable USB debugging; for an unknown brand, also the peculiarities of the largest brands."""
    if brand is not None and brand in _DEBUGGING_STEP_KEYS:
        return (Message(key=_DEBUGGING_STEP_KEYS[brand], values={}),)
    return tuple(Message(key=key, values={}) for key in _UNKNOWN_BRAND_KEYS)
