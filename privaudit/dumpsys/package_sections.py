"""Titles of the sections of ``dumpsys package``: those with blocks, between them and behind them.

Source: ``PackageManagerService.dump`` (AOSP 7, 11, 12, 16).
"""

from __future__ import annotations

from typing import Final

BLOCK_SECTIONS: Final = {"Packages:": "packages", "Hidden system packages:": "hidden", "Shared users:": "shared_users"}
SECTIONS_BETWEEN: Final = frozenset({"Renamed packages:", "Queries:"})
"""Titles of sections among those with blocks."""
SECTIONS_AFTER_PACKAGES: Final = frozenset(
    {
        "Package Changes:",
        "Active install sessions:",
        "Historical install sessions:",
        "Legacy install sessions:",
        "Frozen packages:",
        "Dexopt state:",
        "Compiler stats:",
        "Settings parse messages:",
        "Package warning messages:",
        "Package performance messages:",
        "APEX session state:",
        "Active APEX packages:",
    }
)
"""Titles of sections behind the last block. Anything else in column 0 is vendor noise (Samsung: install logs)."""
