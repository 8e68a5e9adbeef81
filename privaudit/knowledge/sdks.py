"""Code of other makers inside apps that scores borrowers or takes contacts and messages. Never a sign by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from typing import Final, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter

from privaudit.knowledge.loader import Mistakes, read_toml, validate
from privaudit.knowledge.schema import Words

FILE: Final = "sdks.toml"
Purpose: TypeAlias = Literal[
    "alt_credit_score",
    "contact_sms_harvest",
    "credit_data_crawler",
    "device_fingerprint",
    "generic_antifraud",
    "identity_check",
]
_FORBID: Final = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdk:
    """One maker's code, and how it is recognised inside an APK."""

    vendor: Words
    names: tuple[Words, ...] = ()
    classes: tuple[Words, ...] = ()
    """Prefixes of class names, with dots."""
    libraries: tuple[Words, ...] = ()
    components: tuple[Words, ...] = ()
    """Classes that a manifest declares: the only part that a phone tells without its APK."""
    purpose: Purpose
    collects: tuple[Words, ...] = ()
    """What it was read to collect; empty: nothing was read about that."""
    lending_specific: bool
    """False where ordinary apps carry it too: then it says nothing of lending."""
    confidence: Literal["high", "medium", "low"]
    note: Words | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    sdk: tuple[Sdk, ...]
    __pydantic_config__ = _FORBID


def read(folder: Traversable, mistakes: Mistakes) -> tuple[Sdk, ...]:
    """What `folder` knows of them; what is wrong goes to `mistakes`."""
    data = read_toml(folder / FILE, FILE, mistakes)
    found = None if data is None else validate(_adapter(), data, FILE, mistakes)
    return found.sdk if found else ()


@cache
def _adapter() -> TypeAdapter[_File]:
    return TypeAdapter(_File)
