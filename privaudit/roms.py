"""The makers' own Androids: how each is recognised, its menus and pages, and what it puts in the way of changes.

One TOML file per ROM. What a file lacks comes from the one it names in ``like``, and then from ``aosp.toml``, stock
Android.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from privaudit.model import Rom

STOCK: Final = "aosp"
_LEAST_PARTS: Final = 2
"""Of a version: 6.0, never 6."""
_NEWEST_SDK: Final = 99
"""For a phone whose version was not read: the menus of today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """How to reach a page by hand."""

    path: tuple[str, ...]
    """Keys of menu words, in the order in which they are tapped. ``APP`` stands for the app itself."""
    checked: bool
    """Whether a source confirms this path for this very ROM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What shows a page on the phone."""

    action: str | None
    component: str | None
    """Where no action is public; never beside one."""
    package: str | None
    """How the app is named: ``data`` for ``package:NAME``, else the name of a text extra; ``None``: not at all."""
    extras: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A maker's switch without which some changes over the cable are refused."""

    word: str
    """Key of its menu word."""
    stops: tuple[str, ...]
    """``permissions``, ``app_ops``."""
    property: str | None
    """The property that tells how it stands; ``None``: nothing tells."""
    open: str | None
    """The property's value when the way is free."""


def load(rom: str) -> Mapping[str, Any]:
    """The data of one ROM, its gaps filled. One that a report names and that is not known here counts as stock."""
    return _load(rom if rom in _known() else STOCK)


@cache
def _known() -> frozenset[str]:
    files = (file.name for file in (resources.files("privaudit") / "data" / "roms").iterdir())
    return frozenset(name.removesuffix(".toml") for name in files if name.endswith(".toml"))


@cache
def _load(rom: str) -> Mapping[str, Any]:
    folder = resources.files("privaudit") / "data" / "roms"
    data: dict[str, Any] = tomllib.loads((folder / f"{rom}.toml").read_text(encoding="utf-8"))
    return data if rom == STOCK else _filled(data, _load(data.get("like", STOCK)))


def _filled(data: Mapping[str, Any], base: Mapping[str, Any]) -> Mapping[str, Any]:
    """`data`, then `base`. A path that is only borrowed counts as unchecked: nobody looked on this ROM."""
    pages = {
        name: (*data.get("pages", {}).get(name, ()), *({**row, "checked": False} for row in rows))
        for name, rows in {**dict.fromkeys(data.get("pages", {}), ()), **base["pages"]}.items()
    }
    intents = {
        name: (*data.get("intents", {}).get(name, ()), *base["intents"].get(name, ()))
        for name in {**base["intents"], **data.get("intents", {})}
    }
    own = data.get("words", {})
    words = {code: {**_borrowed(code, own, base["words"]), **own.get(code, {})} for code in {**base["words"], **own}}
    return {**base, **data, "pages": pages, "intents": intents, "words": words}


def _borrowed(
    code: str, own: Mapping[str, Mapping[str, str]], base: Mapping[str, Mapping[str, str]]
) -> Mapping[str, str]:
    """The base's words in one language; but of what is called otherwise here in English, no word of the base's."""
    english, renamed = base["en"], own.get("en", {})
    return {
        word: said
        for word, said in base.get(code, {}).items()
        if renamed.get(word, english.get(word)) == english.get(word)
    }


def names() -> tuple[str, ...]:
    """Every ROM, in the order in which a phone is asked whether it has it; stock Android last."""
    return tuple(name for name, _ in _in_order())


@cache
def _in_order() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    known = [(name, load(name)) for name in _known()]
    return tuple(sorted(known, key=lambda item: (item[1]["recognise"]["order"], item[0])))


def recognise(properties: Mapping[str, str]) -> Rom:
    """The ROM of a phone with these properties.

    HyperOS keeps MIUI's properties and HONOR Huawei's, so order matters: each file says its own.
    """
    for name, data in _in_order():
        version = _version(data["recognise"], properties)
        if version is not None:
            return Rom(id=name, name=data["name"], version=version or None)
    return Rom(id=STOCK, name=load(STOCK)["name"], version=None)


def _version(how: Mapping[str, Any], properties: Mapping[str, str]) -> str | None:
    """The version that this ROM gives itself (``""``: none), or ``None`` where the phone has another ROM."""
    for key, pattern in how.get("properties", {}).items():
        match = re.search(pattern, properties.get(key, ""))
        if match:
            # Samsung counts 60101 for 6.1.1: each part of such a version is a group of its own.
            parts = [part.lstrip("0") or "0" for part in match.groups() if part]
            while len(parts) > _LEAST_PARTS and parts[-1] == "0":
                parts.pop()
            return ".".join(parts) if len(match.groups()) > 1 else (match[1] if match.groups() else "")
    return "" if properties.get("ro.product.manufacturer", "").casefold() in how.get("manufacturers", ()) else None


def page(rom: str, name: str, sdk: int | None) -> Page | None:
    """How to reach the page `name`; ``None`` where nobody described one."""
    row = next(_rows(rom, "pages", name, sdk), None)
    if row is None:
        return None
    return Page(path=tuple(row["path"]), checked=row["checked"] and sdk is not None)


def intents(rom: str, name: str, sdk: int | None) -> tuple[Intent, ...]:
    """What may show the page `name`, the likeliest first."""
    return tuple(
        Intent(
            action=row.get("action"),
            component=row.get("component"),
            package=row.get("package"),
            extras=tuple(row.get("extras", {}).items()),
        )
        for row in _rows(rom, "intents", name, sdk)
    )


def _rows(rom: str, table: str, name: str, sdk: int | None) -> Iterator[Mapping[str, Any]]:
    at = _NEWEST_SDK if sdk is None else sdk
    return (row for row in load(rom)[table].get(name, ()) if row["sdk"][0] <= at <= row["sdk"][1])


def openable() -> tuple[str, ...]:
    """Pages that can be shown on a phone."""
    return tuple(sorted(load(STOCK)["intents"]))


def gates(rom: str) -> tuple[Gate, ...]:
    """What this ROM puts in the way of changes over the cable."""
    return tuple(
        Gate(word=row["word"], stops=tuple(row["stops"]), property=row.get("property"), open=row.get("open"))
        for row in load(rom).get("gates", ())
    )


@cache
def users(kind: str) -> frozenset[int]:
    """Android users that any ROM makes for copies of apps: `kind` is ``clone`` or ``secure_folder``."""
    return frozenset(number for name in names() for number in load(name)["users"].get(kind, ()))
