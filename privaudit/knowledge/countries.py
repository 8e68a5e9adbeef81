"""Which countries a phone is set to, by its languages and its time zone. It says where to look, and judges nothing."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_TIME_ZONES_BY_COUNTRY: Final[Mapping[str, tuple[str, ...]]] = {
    "BD": ("Asia/Dhaka",),
    "CI": ("Africa/Abidjan",),
    "CL": ("America/Santiago", "America/Coyhaique", "America/Punta_Arenas", "Pacific/Easter"),
    "CN": ("Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "Asia/Urumqi"),
    "CO": ("America/Bogota",),
    "GH": ("Africa/Accra",),
    "ID": ("Asia/Jakarta", "Asia/Jayapura", "Asia/Makassar", "Asia/Pontianak"),
    "IN": ("Asia/Kolkata", "Asia/Calcutta"),
    "KE": ("Africa/Nairobi",),
    "MX": (
        *("America/Mexico_City", "America/Cancun", "America/Chihuahua", "America/Ciudad_Juarez", "America/Hermosillo"),
        *("America/Matamoros", "America/Mazatlan", "America/Merida", "America/Monterrey", "America/Ojinaga"),
        *("America/Bahia_Banderas", "America/Tijuana"),
    ),
    "NG": ("Africa/Lagos",),
    "PE": ("America/Lima",),
    "PH": ("Asia/Manila",),
    "PK": ("Asia/Karachi",),
    "TH": ("Asia/Bangkok",),
    "TZ": ("Africa/Dar_es_Salaam",),
    "UG": ("Africa/Kampala",),
    "VN": ("Asia/Ho_Chi_Minh", "Asia/Saigon"),
}
"""Time zones of the countries that have rules or lists. Source: IANA ``zone.tab``."""
COUNTRY_BY_TIME_ZONE: Final[Mapping[str, str]] = {
    zone: country for country, zones in _TIME_ZONES_BY_COUNTRY.items() for zone in zones
}
_REGION_SUBTAG_CHARS: Final = 2
"""Letters of a region in a BCP 47 language tag."""


def phone_countries(languages: Iterable[str], time_zone: str | None) -> tuple[str, ...]:
    """Return the ISO 3166 codes of every country that a phone is set to: of its languages (``zh-CN``), then its zone.

    Both, for an owner may have chosen English as it is spoken elsewhere, or live abroad.
    """
    return tuple(dict.fromkeys(_countries(languages, time_zone)))


def _countries(languages: Iterable[str], time_zone: str | None) -> Iterator[str]:
    for tag in languages:
        regions = (part.upper() for part in tag.split("-")[1:] if len(part) == _REGION_SUBTAG_CHARS and part.isalpha())
        yield from list(regions)[:1]
    if country := COUNTRY_BY_TIME_ZONE.get(time_zone or ""):
        yield country
