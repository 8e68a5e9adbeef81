"""Who made a phone, as far as the bus or the phone itself says; and how its USB debugging is switched on, in words.

USB vendor numbers: usb.ids, and the udev rules that come with Debian's ``android-sdk-platform-tools-common``. Menu
words: AOSP and the makers' own help pages; menus differ by version, so each sentence leads to the nearest one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from privaudit.model import Message


@dataclass(frozen=True, slots=True)
class UsbVendor:
    """Who stands behind a USB vendor number."""

    brand: str | None
    """Whose menu words fit; ``None``: stock Android's, or nobody knows."""
    is_phone_only: bool = False
    """Whether whatever bears this number is a phone or tablet; other makers also sell disks, modems and cameras."""


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
"""Models that do not name their maker: ``SM-A125F``."""


def detect_brand(manufacturer: str | None) -> str | None:
    """The maker that a phone names as its own (``ro.product.manufacturer``, or what stands on the bus)."""
    name = (manufacturer or "").casefold()
    if _SAMSUNG_MODEL.match(name):
        return "samsung"
    return next((maker for maker, words in _BRAND_NAMES.items() if any(word in name for word in words)), None)


_WORDED: Final[Mapping[str, str]] = {
    "honor": "makers.honor",
    "huawei": "makers.huawei",
    "meizu": "makers.meizu",
    "oppo": "makers.oppo",
    "samsung": "makers.samsung",
    "transsion": "makers.transsion",
    "vivo": "makers.vivo",
    "xiaomi": "makers.xiaomi",
}
_UNKNOWN_MAKER: Final = ("makers.any", "makers.xiaomi", "makers.samsung", "makers.huawei")


def enable_debugging_steps(brand: str | None) -> tuple[Message, ...]:
    """How USB debugging is switched on; for a phone of an unknown maker, also what is special elsewhere."""
    if brand is not None and brand in _WORDED:
        return (Message(key=_WORDED[brand], values={}),)
    return tuple(Message(key=key, values={}) for key in _UNKNOWN_MAKER)
