"""Languages as Android compares them: codes that mean the same, likely scripts, and whose words stand in for whose.

AOSP: ``LocaleData.cpp`` and its tables, which come from CLDR; here only what tells apart the languages of more than one
script or region.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_LANGUAGE_ALIASES: Final[Mapping[str, str]] = {"in": "id", "iw": "he", "ji": "yi", "tl": "fil"}
"""Codes that Android still takes for today's (``Locale.adjustLanguageCode``, ``langsAreEquivalent``)."""
_LIKELY_SCRIPTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    # language: (its script, unless the region says otherwise); from CLDR's likely subtags
    "zh": ("Hans", {"TW": "Hant", "HK": "Hant", "MO": "Hant"}),
    "sr": ("Cyrl", {"ME": "Latn", "RO": "Latn", "RU": "Latn", "TR": "Latn"}),
    "pa": ("Guru", {"PK": "Arab"}),
    "uz": ("Latn", {"AF": "Arab", "CN": "Cyrl"}),
    "az": ("Latn", {"IR": "Arab", "IQ": "Arab", "RU": "Cyrl"}),
    "kk": ("Cyrl", {"CN": "Arab", "IR": "Arab", "AF": "Arab", "MN": "Arab"}),
    "ky": ("Cyrl", {"CN": "Arab", "TR": "Latn"}),
    "bs": ("Latn", {}),
    "ms": ("Latn", {"CC": "Arab"}),
    "sd": ("Arab", {"IN": "Deva"}),
    "ks": ("Arab", {}),
    "hi": ("Deva", {}),
    "en": ("Latn", {}),
}
_RTL_LANGUAGES: Final = frozenset({"ar", "fa", "he", "ur", "yi", "ps", "sd", "ug", "ckb", "dv", "ks"})
_EUROPEAN_SPANISH_REGIONS: Final = frozenset({"", "ES", "EA", "IC", "GQ", "PH"})
_US_ENGLISH_REGIONS: Final = frozenset({"", "US", "PR", "VI", "GU", "AS", "MP", "UM", "MH"})


@dataclass(frozen=True, slots=True)
class Locale:
    """Language, script and region; empty where not said."""

    language: str = ""
    script: str = ""
    region: str = ""

    @classmethod
    def parse(cls, tag: str) -> Locale:
        """A BCP 47 tag: ``zh-CN``, ``zh-Hant-TW``, ``es-419``."""
        language, *rest = tag.replace("_", "-").split("-")
        script = next((part.title() for part in rest if len(part) == 4 and part.isalpha()), "")  # noqa: PLR2004
        region = next((part.upper() for part in rest if len(part) == 2 or (len(part) == 3 and part.isdigit())), "")  # noqa: PLR2004
        language = language.lower()
        return cls(_LANGUAGE_ALIASES.get(language, language), script, region)

    @property
    def language_tag(self) -> str:
        """As BCP 47 writes it; empty where nothing is said."""
        return "-".join(part for part in (self.language, self.script, self.region) if part)

    @property
    def computed_script(self) -> str:
        """Its script, or the likely one; empty where the language has only one."""
        own, by_region = _LIKELY_SCRIPTS.get(self.language, ("", {}))
        return self.script or by_region.get(self.region, own)

    @property
    def is_right_to_left(self) -> bool:
        """Whether it is written from right to left."""
        return self.language in _RTL_LANGUAGES

    @property
    def parent_region(self) -> str:
        """Whose words come next, before those of the language without a region (CLDR's parent locales)."""
        if self.language == "es" and self.region not in _EUROPEAN_SPANISH_REGIONS:
            return "419"
        if self.language == "en" and self.region not in _US_ENGLISH_REGIONS:
            return "001"
        if self.language == "pt" and self.region not in {"", "BR"}:
            return "PT"
        return "HK" if self.language == "zh" and self.region == "MO" else ""


def canonical_language_code(language: str) -> str:
    """Today's code of a language."""
    return _LANGUAGE_ALIASES.get(language, language)
