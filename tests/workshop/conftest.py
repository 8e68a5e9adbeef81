"""A desk with phones that are only spoken of, and a session with demo phones that are really asked."""

from __future__ import annotations

import threading

import pytest

from privaudit.transport import adb_auth
from tests.fixtures.workshop import QueueHarness, WorkshopHarness


@pytest.fixture(scope="session")
def session_key():
    """Making one takes a moment; tests do not need many."""
    return adb_auth.generate()


@pytest.fixture
def harness():
    return QueueHarness()


@pytest.fixture
def workshop(tmp_path, session_key):
    made = WorkshopHarness(tmp_path / "ws", session_key)
    yield made
    made.close()
    assert [one.name for one in threading.enumerate() if one.name.startswith("workshop")] == []
