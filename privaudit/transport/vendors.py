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
class Vendor:
    """Who stands behind a USB vendor number."""

    maker: str | None
    """Whose menu words fit; ``None``: stock Android's, or nobody knows."""
    only_phones: bool = False
    """Whether whatever bears this number is a phone or tablet; other makers also sell disks, modems and cameras."""


VENDORS: Final[Mapping[int, Vendor]] = {
    0x2717: Vendor("xiaomi", only_phones=True),
    0x04E8: Vendor("samsung"),
    0x12D1: Vendor("huawei"),
    0x339B: Vendor("honor", only_phones=True),
    0x22D9: Vendor("oppo", only_phones=True),  # OPPO, realme, newer OnePlus
    0x2A70: Vendor("oppo", only_phones=True),  # OnePlus
    0x2D95: Vendor("vivo", only_phones=True),
    0x2A45: Vendor("meizu", only_phones=True),
    0x18D1: Vendor(None),  # Google; many makers use it in some modes
    0x0E8D: Vendor(None),  # MediaTek: TECNO, Infinix, itel and most cheap phones
    0x1782: Vendor(None),  # Unisoc (Spreadtrum): the cheapest ones
    0x05C6: Vendor(None),  # Qualcomm
    0x22B8: Vendor(None),  # Motorola
    0x2E04: Vendor(None, only_phones=True),  # HMD
    0x0421: Vendor(None),  # Nokia
    0x0FCE: Vendor(None, only_phones=True),  # Sony's phones
    0x1004: Vendor(None),  # LG
    0x0BB4: Vendor(None),  # HTC
    0x0B05: Vendor(None),  # ASUS
    0x17EF: Vendor(None),  # Lenovo
    0x19D2: Vendor(None),  # ZTE
    0x1BBB: Vendor(None),  # TCL, Alcatel
    0x109B: Vendor(None),  # Hisense
}

_NAMES: Final = {
    "xiaomi": ("xiaomi", "redmi", "poco"),
    "samsung": ("samsung",),
    "huawei": ("huawei",),
    "honor": ("honor",),
    "oppo": ("oppo", "oneplus", "realme"),
    "vivo": ("vivo", "iqoo"),
    "meizu": ("meizu",),
    "transsion": ("tecno", "infinix", "itel", "transsion"),
}
_SAMSUNGS: Final = re.compile(r"(?:sm|gt)[-_ ][a-z]\d")
"""Models that do not name their maker: ``SM-A125F``."""


def of_name(said: str | None) -> str | None:
    """The maker that a phone names as its own (``ro.product.manufacturer``, or what stands on the bus)."""
    name = (said or "").casefold()
    if _SAMSUNGS.match(name):
        return "samsung"
    return next((maker for maker, words in _NAMES.items() if any(word in name for word in words)), None)


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


def switching_on(maker: str | None) -> tuple[Message, ...]:
    """How USB debugging is switched on; for a phone of an unknown maker, also what is special elsewhere."""
    if maker is not None and maker in _WORDED:
        return (Message(key=_WORDED[maker], values={}),)
    return tuple(Message(key=key, values={}) for key in _UNKNOWN_MAKER)
