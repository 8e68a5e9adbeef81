"""ESET's indicators of SpyLoan: ``spyloan/samples.sha256`` of eset/malware-ioc, one SHA-256 of an APK a line."""

from __future__ import annotations

import re
from typing import Final

from privaudit.knowledge.schema import SignatureRow
from tools.lists.list_file import BrokenSourceError

_HARMS: Final = ("exfiltrates_device_data", "blackmail_extortion")
"""What ESET says of the whole family."""


def read_rows(data: bytes) -> tuple[list[SignatureRow], None]:
    """Return a row for each digest. The file has no date."""
    digests = data.decode("utf-8", errors="replace").lower().split()
    if not digests or not all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests):
        message = "not a list of SHA-256 digests"
        raise BrokenSourceError(message)
    return [SignatureRow(sha256=(digest,), harms=_HARMS) for digest in dict.fromkeys(digests)], None
