"""Indonesia's list of illegal lenders: ``data/illegals.json`` of Namchee/ojk-invest-api, scraped from OJK's portal.

An entry is ``{"name", "address": [...], "web": [...], "entity_type", "input_date": "DD/MM/YYYY", ...}``. Packages stand
in links to Google Play (``id=``) and to sites that offer APKs. The scraper damages links, and nothing of that is
repaired by guessing:

- It loses a digit, or more, and a dot, and begins a new piece there: a link whose next piece is no link is cut.
- It cuts links to Google Play at ``/sto``, and leaves blanks in others: a part of a link with a blank is no package.

E-mail addresses, telephone numbers and offers on social media are left out: they may name private persons.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from privaudit.knowledge.schema import SignatureRow
from tools.lists.list_file import NEVER, PACKAGE_NAME, BrokenSourceError, fold_name, merge_names

_LENDING: Final = "Fintech Ilegal"
_LINK: Final = re.compile(r"\s*h?t?tps?:/+([^/]*)(/.*)?", re.DOTALL | re.IGNORECASE)
_IS_LINK: Final = re.compile(r"\s*(h?t?tps?:|www)", re.IGNORECASE)
_REST_OF_CUT_LINK: Final = re.compile(r"[\w.-]+(/\S*)?")
"""A piece of an address that is neither a link nor, as a postal address has, several words."""
_SOCIAL_MEDIA: Final = re.compile(
    r"facebook|instagram|twitter|tiktok|youtu\.?be|linkedin|whatsapp|telegram|\bt\.?me\b|\bwa\.?me\b|apple",
    re.IGNORECASE,
)
"""In the host of a link, from which the scraper may have lost a dot."""
_FILE_NAME: Final = re.compile(r"\.(?:html?|ht|php|apk|aab|aspx?|txt|xml)$", re.IGNORECASE)
_NO_NAME: Final = re.compile(
    r"@|https?:|\?\?|^(?:url|link|akun|pencatutan)\b|^\W*$|^\S+\.(?:com|id|net|co|me|xyz)$", re.IGNORECASE
)
"""Accounts, links, websites that copy a lender's, and what the scraper could not read stand where a name should be."""


def read_rows(data: bytes) -> tuple[list[SignatureRow], str]:
    """Return the rows of the list, packages and then names alone, and the date of its newest entry.

    A name that is new is marked as unsafe until a person has looked at it.
    """
    try:
        entries = [entry for entry in json.loads(data)["data"] if entry["entity_type"] == _LENDING]
        dates = ["-".join(reversed(str(entry["input_date"]).split("/"))) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenSourceError(repr(error)) from error
    names_by_package: dict[str, tuple[str, ...]] = {}
    names_alone: dict[str, str] = {}
    for entry in entries:
        packages, names = list(_find_packages(entry)), _find_names(entry)
        if not NEVER.isdisjoint(packages):
            continue  # a mistake of the list, its name too
        for package in packages:
            names_by_package[package] = merge_names(names_by_package.get(package, ()), names)
        if not packages and not _is_social_media(entry):
            names_alone |= {fold_name(name): name for name in names if fold_name(name) not in names_alone}
    with_package = {fold_name(name) for names in names_by_package.values() for name in names}
    rows = [
        SignatureRow(package=package, names=names, name_match="unsafe" if names else None)
        for package, names in names_by_package.items()
    ]
    rows += [
        SignatureRow(names=(name,), name_match="unsafe")
        for folded, name in names_alone.items()
        if folded not in with_package
    ]
    return rows, max(dates, default="")


def _find_names(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return the name of an entry. Where a link stands in its place, the name stands among the addresses."""
    name = " ".join(str(entry["name"]).split())
    if _IS_LINK.match(name):
        name = next((text for text in entry["address"] if not _IS_LINK.match(text)), "")
    return () if not name or _NO_NAME.search(name) else (name,)


def _is_social_media(entry: dict[str, Any]) -> bool:
    links = (_LINK.match(text) for text in (*entry["address"], *entry["web"]))
    return any(link and _SOCIAL_MEDIA.search(link[1]) for link in links)


def _find_packages(entry: dict[str, Any]) -> Iterator[str]:
    for pieces in (entry["address"], entry["web"], [entry["name"]]):
        yield from _packages_in_links(pieces)


def _packages_in_links(pieces: Sequence[str]) -> Iterator[str]:
    for piece, following in itertools.zip_longest(pieces, pieces[1:], fillvalue=""):
        is_cut = bool(_REST_OF_CUT_LINK.fullmatch(following.strip())) and not _IS_LINK.match(following)
        for link in re.split(r"(?=https?:/)", piece.replace("%20", " ")):  # two links may stand in one piece
            match = _LINK.match(link)
            if match is None or _SOCIAL_MEDIA.search(match[1]):
                continue
            path = match[2] or ""
            play_id = re.search(r"[?&]id=([^&#]*)", path)
            parts = ([play_id[1]] if play_id else []) if "google" in match[1] else re.split(r"[/?&#=]", path)
            for part in parts:
                if is_cut and path.endswith(part):
                    continue
                package = re.sub(r"\.html?$", "", part.strip()) if part.count(".") > 1 else part.strip()
                if PACKAGE_NAME.fullmatch(package) and not _FILE_NAME.search(package):
                    yield package
