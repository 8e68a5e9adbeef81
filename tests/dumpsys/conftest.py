"""Fixtures: captures of virtual phones."""

from __future__ import annotations

from tests.fixtures.captures import (
    borrower,
    capture_of,
    capture_of_phone,
    live_capture,
    phone,
    phone_output,
    saved_capture,
    small_phone,
    small_saved_capture,
    text_capture,
    with_texts,
)

__all__ = [
    "borrower",
    "capture_of",
    "capture_of_phone",
    "live_capture",
    "phone",
    "phone_output",
    "saved_capture",
    "small_phone",
    "small_saved_capture",
    "text_capture",
    "with_texts",
]
