"""Fixtures of the workshop tests."""

from __future__ import annotations

import threading

import pytest

from privaudit.transport import adb_auth
from tests.fixtures.workshop import QueueHarness, WorkshopHarness


@pytest.fixture(scope="session")
def session_key():
    """Return one ADB key for all tests: generating one takes a moment."""
    return adb_auth.generate()


@pytest.fixture
def harness():
    return QueueHarness()


@pytest.fixture
def workshop(tmp_path, session_key):
    created = WorkshopHarness(tmp_path / "ws", session_key)
    yield created
    created.close()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("workshop")] == []
