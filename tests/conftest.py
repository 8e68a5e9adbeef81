"""What several test folders use."""

from __future__ import annotations

from pathlib import Path

import pytest

# Real device output that may be read but not redistributed, so it lies beside the repository where it lies at all.
_SAMPLES = Path(__file__).resolve().parent.parent.parent / "shared" / "samples"


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of captured device output; skips the test where it is not."""
    if not _SAMPLES.is_dir():
        pytest.skip(f"real device output is not redistributed and not at {_SAMPLES}")
    return _SAMPLES
