"""What apps are built from (`privaudit.facts.filler_apps`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from privaudit.dumpsys import appops
from privaudit.dumpsys.clock import DumpClock
from privaudit.dumpsys.package_checks import InstalledPackage
from privaudit.dumpsys.special_access import SpecialAccessEntry
from privaudit.facts.package_dumps import PackageDumps
from privaudit.model import FactLocation, RequestedState


@dataclass(frozen=True, slots=True, kw_only=True)
class AppInputs:
    """What an app is built from."""

    package_dumps: PackageDumps
    appops: appops.AppOpsDump
    appops_complete: bool
    """Whether a mode or a record that is not in `appops` is not there."""
    op_switches: Mapping[str, str]
    """Ops whose mode another op decides, where the dump does not say so."""
    package_lists: Mapping[int, Mapping[str, InstalledPackage]]
    """By user; a user without an entry gave no list."""
    third_party_packages: Mapping[int, frozenset[str]]
    special_access: Mapping[tuple[str, int], tuple[SpecialAccessEntry, ...]]
    sdk: int | None
    clock: DumpClock


FactLocations = dict[tuple[str, int, str], tuple[FactLocation, ...]]
ManifestLookup = Callable[[str], RequestedState]
"""Whether the manifest of an app asks for a permission."""
