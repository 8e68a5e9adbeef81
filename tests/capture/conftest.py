"""Phones with APKs on them."""

from __future__ import annotations

import contextlib

import pytest

from privaudit.transport import connect
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.adbd.wire import MAX_PAYLOAD_V1, VERSION_CHECKSUM

OLD = {"features": (), "max_payload": MAX_PAYLOAD_V1, "version": VERSION_CHECKSUM, "crlf": True}
"""A phone as of Android 6."""


@pytest.fixture
def attach(tmp_path_factory):
    """Starts a phone with these files; gives the phone and a connection to it."""
    with contextlib.ExitStack() as stack:

        def start(files, **how):
            phone = stack.enter_context(
                AdbdServer(programs={}, files=files, key_policy=KeyPolicy(required=False), **how)
            )
            folder = tmp_path_factory.mktemp("key")
            connection = stack.enter_context(
                connect(transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=folder)
            )
            return phone, connection

        yield start
