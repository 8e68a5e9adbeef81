"""Papers are looked at in the Chromium that looks at the page."""

from __future__ import annotations

from tests.report.conftest import chromium, opened

__all__ = ["chromium", "opened"]
