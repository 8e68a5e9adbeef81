"""Third-party SDKs in apps that score borrowers or collect contacts and messages. No finding rests on one alone."""

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Final, Literal, TypeAlias

from privaudit.knowledge.loader import Problems, read_typed_toml
from privaudit.knowledge.schema import DataTable, NonEmptyText

SDKS_FILE: Final = "sdks.toml"
SdkPurpose: TypeAlias = Literal[
    "alt_credit_score",
    "contact_sms_harvest",
    "credit_data_crawler",
    "device_fingerprint",
    "generic_antifraud",
    "identity_check",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdk(DataTable):
    """One SDK, and how it is recognised inside an APK."""

    vendor: NonEmptyText
    names: tuple[NonEmptyText, ...] = ()
    classes: tuple[NonEmptyText, ...] = ()
    """Prefixes of class names, with dots."""
    libraries: tuple[NonEmptyText, ...] = ()
    """File names of native libraries."""
    components: tuple[NonEmptyText, ...] = ()
    """Classes that the manifest declares: all that a phone lists without the APK."""
    purpose: SdkPurpose
    collects: tuple[NonEmptyText, ...] = ()
    """What its documentation or an analysis says that it collects; empty: no source says."""
    lending_specific: bool
    """False where ordinary apps contain it too: then it does not suggest lending."""
    confidence: Literal["high", "medium", "low"]
    note: NonEmptyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _SdkFile(DataTable):
    sdk: tuple[Sdk, ...]


def read_sdks(folder: Traversable, problems: Problems) -> tuple[Sdk, ...]:
    """Return the SDKs that `folder` lists; what is wrong goes to `problems`."""
    file = read_typed_toml(_SdkFile, folder / SDKS_FILE, SDKS_FILE, problems)
    return file.sdk if file else ()
