"""The online lending platforms that the SEC of the Philippines records: a CSV copy of the table on its page.

The columns ``name`` (the company) and ``extra`` (its platforms) are read. In ``extra`` the platforms of the whole table
are numbered through, without a blank before the next number: ``3. BilisCash4. PesoKey5. SurePeso``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from privaudit.knowledge.schema import SignatureRow
from tools.lists.list_file import BrokenSourceError, fold_name

_NO_APP: Final = re.compile(r"https?:|^www\.|website|facebook|\bportal\b", re.IGNORECASE)
_TRADE_NAMES: Final = re.compile(
    r"[\s(]*(?:formerly|doing business|operating under|under the (?:business )?(?:name|style)).*", re.IGNORECASE
)
_NO_LENDER: Final = frozenset({"tiktok"})
"""Names on the register that belong to an app of another kind."""


def read_rows(data: bytes) -> tuple[list[SignatureRow], None]:
    """Return a row for each platform that is an app. The table's date stands on its page, not in the copy."""
    table = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig", errors="replace"))))
    if not table or not {"name", "extra"} <= table[0].keys():
        message = "no table with the columns “name” and “extra”"
        raise BrokenSourceError(message)
    rows: dict[str, SignatureRow] = {}
    number = 1
    for line in table:
        company = _TRADE_NAMES.sub("", line["name"]).strip(" “”")
        for name in _split_platforms(line["extra"] or "", number):
            number += 1
            app_name = re.sub(r"\s*\(.*", "", name).strip()
            if app_name and not _NO_APP.search(name) and app_name.casefold() not in _NO_LENDER:
                rows.setdefault(fold_name(app_name), SignatureRow(names=(app_name,), developer=company))
    return list(rows.values()), None


def _split_platforms(text: str, number: int) -> Iterator[str]:
    """Yield the platforms in `text`, of which the first has `number`. Other digits and dots belong to names."""
    start = text.find(f"{number}. ")
    while start >= 0:
        number += 1
        begin = start + len(f"{number - 1}. ")
        start = text.find(f"{number}. ", begin)
        yield (text[begin:] if start < 0 else text[begin:start]).strip()
