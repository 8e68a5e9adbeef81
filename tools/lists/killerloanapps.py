"""The tracker killerloanapps of CashlessConsumer: ``data/scores.json``, store listings with automated scores.

Only what the tracker takes for lending is read, and of that the package, the title and the country. A score is no
finding: no score is kept.
"""

from __future__ import annotations

import json
import re
from typing import Final

from privaudit.knowledge.schema import SignatureRow
from tools.lists.list_file import PACKAGE_NAME, BrokenSourceError, merge_names

_COUNTRY: Final = re.compile(r"([A-Z]{2})(?:_|$)")
"""The beginning of a collection's name, such as ``IN_2020_2022``."""


def read_rows(data: bytes) -> tuple[list[SignatureRow], str | None]:
    """Return a row for each lending app, and the day of the newest score."""
    try:
        listings = [listing for listing in json.loads(data)["scores"] if listing["scope"] == "lending"]
        rows: dict[str, SignatureRow] = {}
        for listing in listings:
            package, old = str(listing["app_id"]), rows.get(str(listing["app_id"]))
            title, country = (listing["title"] or "").strip(), _COUNTRY.match(listing["jurisdiction"])
            countries = dict.fromkeys((*(old.countries if old else ()), *((country[1],) if country else ())))
            if PACKAGE_NAME.fullmatch(package):
                names = merge_names(old.names if old else (), [title] if title else [])
                rows[package] = SignatureRow(package=package, names=names, countries=tuple(countries))
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenSourceError(repr(error)) from error
    return list(rows.values()), max((str(listing["scored_on"])[:10] for listing in listings), default=None)
