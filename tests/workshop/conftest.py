"""A desk with phones that are only spoken of, and a session with demo phones that are really asked."""

from __future__ import annotations

import threading

import pytest

from privaudit.transport import adb_auth
from tests.fixtures.workshop import Bench, Table


@pytest.fixture(scope="session")
def day_key():
    """Making one takes a moment; tests do not need many."""
    return adb_auth.generate()


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def table(tmp_path, day_key):
    made = Table(tmp_path / "ws", day_key)
    yield made
    made.close()
    assert [one.name for one in threading.enumerate() if one.name.startswith("workshop")] == []
