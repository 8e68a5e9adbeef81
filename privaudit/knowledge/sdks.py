"""Code of other makers inside apps that scores borrowers or takes contacts and messages. Never a sign by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from typing import Final, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter

from privaudit.knowledge.loader import Problems, read_toml, validate_data
from privaudit.knowledge.schema import NonEmptyText

SDKS_FILE: Final = "sdks.toml"
SdkPurpose: TypeAlias = Literal[
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

    vendor: NonEmptyText
    names: tuple[NonEmptyText, ...] = ()
    classes: tuple[NonEmptyText, ...] = ()
    """Prefixes of class names, with dots."""
    libraries: tuple[NonEmptyText, ...] = ()
    components: tuple[NonEmptyText, ...] = ()
    """Classes that a manifest declares: the only part that a phone tells without its APK."""
    purpose: SdkPurpose
    collects: tuple[NonEmptyText, ...] = ()
    """What it was read to collect; empty: nothing was read about that."""
    lending_specific: bool
    """False where ordinary apps carry it too: then it says nothing of lending."""
    confidence: Literal["high", "medium", "low"]
    note: NonEmptyText | None = None
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class _SdkFile:
    sdk: tuple[Sdk, ...]
    __pydantic_config__ = _FORBID


def read_sdks(folder: Traversable, problems: Problems) -> tuple[Sdk, ...]:
    """What `folder` knows of them; what is wrong goes to `problems`."""
    data = read_toml(folder / SDKS_FILE, SDKS_FILE, problems)
    found = None if data is None else validate_data(_sdk_file_adapter(), data, SDKS_FILE, problems)
    return found.sdk if found else ()


@cache
def _sdk_file_adapter() -> TypeAdapter[_SdkFile]:
    return TypeAdapter(_SdkFile)
