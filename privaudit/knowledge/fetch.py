"""The one place that may use the network, for the one command that says so: `signatures update URL`."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import Final
from urllib.parse import urlsplit

from privaudit.errors import SignatureListError

TIMEOUT_S: Final = 30
"""Seconds without a byte."""
_URL_SCHEMES: Final = frozenset({"https", "http"})


def is_url(text: str) -> bool:
    """Whether `text` is an address rather than a file."""
    return urlsplit(text).scheme in _URL_SCHEMES


class _HttpOnlyRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to anything but the web."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        if urlsplit(newurl).scheme not in _URL_SCHEMES:
            raise urllib.error.HTTPError(newurl, code, "redirected to something else than the web", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, max_bytes: int) -> bytes:
    """What stands at `url`.

    Raises:
        ListsError: it cannot be had, or is larger than `max_bytes` bytes.
    """
    opener = urllib.request.build_opener(_HttpOnlyRedirects)
    request = urllib.request.Request(url, headers={"User-Agent": "privaudit"})  # noqa: S310 - see is_address
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            data: bytes = answer.read(max_bytes + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SignatureListError("errors.lists_not_fetched", path=url, reason=str(error)) from error
    if len(data) > max_bytes:
        raise SignatureListError("errors.lists_too_large", path=url, megabytes=max_bytes // 1024**2)
    return data
