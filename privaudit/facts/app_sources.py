"""What apps are built from (`privaudit.facts.apps`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from privaudit.dumpsys import appops
from privaudit.dumpsys.clock import Clock
from privaudit.dumpsys.package_checks import Listed
from privaudit.dumpsys.special_access import Right
from privaudit.facts.package_dumps import Blocks
from privaudit.model import Place, Requested


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What an app is built from."""

    blocks: Blocks
    appops: appops.Dump
    appops_whole: bool
    """Whether a mode or a record that is not in `appops` is not there."""
    switches: Mapping[str, str]
    """Ops whose mode another op decides, where the dump does not say so."""
    listed: Mapping[int, Mapping[str, Listed]]
    """By user; a user without an entry gave no list."""
    third_party: Mapping[int, frozenset[str]]
    special: Mapping[tuple[str, int], tuple[Right, ...]]
    sdk: int | None
    clock: Clock


Places = dict[tuple[str, int, str], tuple[Place, ...]]
Declared = Callable[[str], Requested]
"""Whether the manifest of an app asks for a permission."""
