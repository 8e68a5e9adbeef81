"""Fixtures: captures of virtual phones."""

from __future__ import annotations

from tests.fixtures.captures import borrower, by_hand, changed, few, few_by_hand, live, made, phone, run, taken

__all__ = ["borrower", "by_hand", "changed", "few", "few_by_hand", "live", "made", "phone", "run", "taken"]
