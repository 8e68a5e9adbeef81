"""The one place that may use the network, for the one command that says so: `signatures update URL`."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import Final
from urllib.parse import urlsplit

from privaudit.errors import ListsError

TIMEOUT: Final = 30
"""Seconds without a byte."""
_SCHEMES: Final = frozenset({"https", "http"})


def is_address(text: str) -> bool:
    """Whether `text` is an address rather than a file."""
    return urlsplit(text).scheme in _SCHEMES


class _Careful(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to anything but the web."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        if urlsplit(newurl).scheme not in _SCHEMES:
            raise urllib.error.HTTPError(newurl, code, "redirected to something else than the web", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def get(address: str, largest: int) -> bytes:
    """What stands at `address`.

    Raises:
        ListsError: it cannot be had, or is larger than `largest` bytes.
    """
    opener = urllib.request.build_opener(_Careful)
    request = urllib.request.Request(address, headers={"User-Agent": "privaudit"})  # noqa: S310 - see is_address
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            data: bytes = answer.read(largest + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ListsError("errors.lists_not_fetched", path=address, reason=str(error)) from error
    if len(data) > largest:
        raise ListsError("errors.lists_too_large", path=address, megabytes=largest // 1024**2)
    return data
