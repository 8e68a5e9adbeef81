"""Reads a binary ``AndroidManifest.xml``: who an app is, what it is called, what it asks for, and whether it has an icon.

Attributes are known by their resource id, as Android knows them, so that a manifest with renamed attributes reads the same.
AOSP: ``frameworks/base/core/res/res/values/public-final.xml`` (ids), ``ParsingPackageUtils.java`` (what counts).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from privaudit.capture.apk_problems import ApkError

_MOST_EVENTS: Final = 200_000
_MOST_ATTRIBUTES: Final = 200_000
_FIELDS: Final = 5
_SIZE_OF_ATTRIBUTE: Final = 20
_NO_INDEX: Final = 0xFFFFFFFF

_LABEL, _NAME, _ENABLED, _TARGET_ACTIVITY = 0x01010001, 0x01010003, 0x0101000E, 0x01010202
_MAX_SDK, _MIN_SDK, _TARGET_SDK = 0x01010271, 0x0101020C, 0x01010270
_VERSION_CODE, _VERSION_NAME, _VERSION_CODE_MAJOR = 0x0101021B, 0x0101021C, 0x01010576
_REFERENCE, _STRING, _DECIMAL, _HEXADECIMAL, _BOOLEAN = 0x01, 0x03, 0x10, 0x11, 0x12
_DYNAMIC_REFERENCE: Final = 0x07
_ANDROID: Final = "http://schemas.android.com/apk/res/android"
_KNOWN: Final[Mapping[str, int]] = {
    "label": _LABEL,
    "name": _NAME,
    "enabled": _ENABLED,
    "targetActivity": _TARGET_ACTIVITY,
    "maxSdkVersion": _MAX_SDK,
    "minSdkVersion": _MIN_SDK,
    "targetSdkVersion": _TARGET_SDK,
    "versionCode": _VERSION_CODE,
    "versionName": _VERSION_NAME,
    "versionCodeMajor": _VERSION_CODE_MAJOR,
}
_ACTIVITIES: Final = frozenset({"activity", "activity-alias"})
_REQUESTS: Final = frozenset({"uses-permission", "uses-permission-sdk-23", "uses-permission-sdk-m"})
_MAIN: Final = "android.intent.action.MAIN"
_LAUNCHER: Final = "android.intent.category.LAUNCHER"


@dataclass(frozen=True, slots=True)
class Text:
    """A name as the manifest gives it: words, or the number of a resource."""

    words: str | None
    resource: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """One permission that the manifest asks for."""

    permission: str
    max_sdk: int | None
    """Not asked for above this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """A component with an icon in the launcher."""

    name: str
    label: Text | None
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a manifest says."""

    package: str
    version_code: int | None
    version_name: Text | None
    min_sdk: int | None
    target_sdk: int | None
    label: Text | None
    """Of the application."""
    launchers: tuple[Launcher, ...]
    requests: tuple[Requests, ...]


@dataclass(slots=True)
class _Element:
    tag: str
    attributes: Mapping[int | str, tuple[int, int, str | None]]
    actions: set[str]
    categories: set[str]
    is_launcher: bool = False


def parse(data: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ApkError: it is none, damaged, or longer than any real one.
    """
    from loguru import logger

    logger.disable("androguard")
    from androguard.core.axml import AXMLParser, ResParserError

    try:
        return _Reader().read(_events(AXMLParser(data)))
    except ApkError:
        raise
    except (ResParserError, ValueError, IndexError, KeyError, TypeError, AssertionError, OverflowError) as error:
        raise ApkError("manifest_damaged") from error
    except Exception as error:
        # struct.error, UnicodeError and whatever else a made-up table leads androguard to: all one to us.
        raise ApkError("manifest_damaged") from error


def _events(parser: Any) -> Iterator[tuple[bool, _Element | None]]:  # noqa: ANN401 - androguard has no types
    """(begins, element) for each tag. What Android would not accept ends it."""
    from androguard.core.axml import END_DOCUMENT, END_TAG, START_TAG

    attributes = 0
    for _ in range(_MOST_EVENTS):
        event = next(parser)
        if not parser.is_valid():
            raise ApkError("manifest_damaged")
        if event == START_TAG:
            attributes += parser.m_attribute_count
            if attributes > _MOST_ATTRIBUTES:
                raise ApkError("manifest_too_large")
            if parser.m_attribute_count and (parser.at_start, parser.at_size) != (20, _SIZE_OF_ATTRIBUTE):
                raise ApkError("manifest_damaged")
            yield True, _Element(parser.name, _attributes(parser), set(), set())
        elif event == END_TAG:
            yield False, None
        elif event == END_DOCUMENT:
            return
    raise ApkError("manifest_too_large")


def _attributes(parser: Any) -> Mapping[int | str, tuple[int, int, str | None]]:  # noqa: ANN401
    """Attributes by resource id, or by name where they have none: kind, data, raw text. The first of equals counts."""
    found: dict[int | str, tuple[int, int, str | None]] = {}
    raw = parser.m_attributes
    for at in range(0, len(raw), _FIELDS):
        space, name, text, kind, data = raw[at : at + _FIELDS]
        key: int | str
        if name < len(parser.m_resourceIDs) and parser.m_resourceIDs[name]:
            key = parser.m_resourceIDs[name]
        elif space != _NO_INDEX and parser.sb[space] == _ANDROID:
            key = _KNOWN.get(parser.sb[name], parser.sb[name])
        else:
            key = parser.sb[name]
        if kind == _STRING:
            found.setdefault(key, (kind, data, parser.sb[data]))
        else:
            found.setdefault(key, (kind, data, parser.sb[text] if text != _NO_INDEX else None))
    return found


class _Reader:
    def __init__(self) -> None:
        self.open: list[_Element] = []
        self.package: str | None = None
        self.head: Mapping[int | str, tuple[int, int, str | None]] = {}
        self.sdk: Mapping[int | str, tuple[int, int, str | None]] = {}
        self.application: Mapping[int | str, tuple[int, int, str | None]] = {}
        self.requests: list[Requests] = []
        self.launchers: list[_Element] = []
        self.enabled: dict[str, bool] = {}

    def read(self, events: Iterator[tuple[bool, _Element | None]]) -> Manifest:
        for begins, element in events:
            if begins and element is not None:
                self.open.append(element)
                if len(self.open) > _DEEPEST:
                    raise ApkError("manifest_damaged")
                self._begin(element, [one.tag for one in self.open[:-1]])
            elif self.open:
                self._end(self.open.pop())
        if not self.package or self.open:
            raise ApkError("manifest_damaged")
        major = _number(self.head, _VERSION_CODE_MAJOR) or 0
        code = _number(self.head, _VERSION_CODE)
        min_sdk = _number(self.sdk, _MIN_SDK)
        return Manifest(
            package=self.package,
            version_code=None if code is None else major << 32 | code,
            version_name=_text(self.head, _VERSION_NAME),
            min_sdk=min_sdk,
            target_sdk=_number(self.sdk, _TARGET_SDK) or min_sdk,
            label=_text(self.application, _LABEL),
            launchers=tuple(self._launcher(element) for element in self.launchers),
            requests=tuple(dict.fromkeys(self.requests)),
        )

    def _begin(self, element: _Element, above: Sequence[str]) -> None:
        attributes = element.attributes
        match [*above, element.tag]:
            case ["manifest"] if self.package is None:
                self.package = _words(attributes, "package")
                self.head = attributes
            case ["manifest", "uses-sdk"]:
                self.sdk = attributes
            case ["manifest", tag] if tag in _REQUESTS:
                if name := _words(attributes, _NAME):
                    self.requests.append(Requests(permission=name, max_sdk=_number(attributes, _MAX_SDK)))
            case ["manifest", "application"] if not self.application:
                self.application = attributes
            case ["manifest", "application", tag, "intent-filter", "action"] if tag in _ACTIVITIES:
                self.open[-2].actions.add(_words(attributes, _NAME) or "")
            case ["manifest", "application", tag, "intent-filter", "category"] if tag in _ACTIVITIES:
                self.open[-2].categories.add(_words(attributes, _NAME) or "")

    def _end(self, element: _Element) -> None:
        if element.tag == "intent-filter" and self.open and self.open[-1].tag in _ACTIVITIES:
            if _MAIN in element.actions and _LAUNCHER in element.categories:
                self.open[-1].is_launcher = True
        elif element.tag in _ACTIVITIES and len(self.open) == 2:  # noqa: PLR2004 - manifest, application
            self.enabled[_words(element.attributes, _NAME) or ""] = _is_enabled(element.attributes)
            if element.is_launcher:
                self.launchers.append(element)

    def _launcher(self, element: _Element) -> Launcher:
        attributes = element.attributes
        return Launcher(
            name=self._class(_words(attributes, _NAME) or ""),
            label=_text(attributes, _LABEL) or self._target_label(attributes),
            enabled=_is_enabled(attributes) and _is_enabled(self.application),
        )

    def _target_label(self, attributes: Mapping[int | str, tuple[int, int, str | None]]) -> Text | None:
        """An alias without a name of its own is called as what it stands for is."""
        target = _words(attributes, _TARGET_ACTIVITY)
        for other in self.launchers:
            if target and _words(other.attributes, _NAME) == target:
                return _text(other.attributes, _LABEL)
        return None

    def _class(self, name: str) -> str:
        if name.startswith("."):
            return f"{self.package}{name}"
        return name if "." in name else f"{self.package}.{name}"


_DEEPEST: Final = 100


def _text(attributes: Mapping[int | str, tuple[int, int, str | None]], key: int) -> Text | None:
    found = attributes.get(key)
    if found is None:
        return None
    kind, data, raw = found
    if kind in {_REFERENCE, _DYNAMIC_REFERENCE}:
        return Text(None, data) if data else None
    if kind == _STRING:
        return Text(raw or "", None)
    if kind in {_DECIMAL, _HEXADECIMAL}:
        return Text(raw if raw is not None else str(data), None)
    return Text(raw, None) if raw is not None else None


def _words(attributes: Mapping[int | str, tuple[int, int, str | None]], key: int | str) -> str | None:
    found = attributes.get(key)
    return found[2] if found is not None and found[0] == _STRING else None


def _number(attributes: Mapping[int | str, tuple[int, int, str | None]], key: int) -> int | None:
    found = attributes.get(key)
    if found is None:
        return None
    kind, data, raw = found
    if kind in {_DECIMAL, _HEXADECIMAL}:
        return data
    return int(raw) if raw is not None and raw.isascii() and raw.isdecimal() and len(raw) < _DEEPEST else None


def _is_enabled(attributes: Mapping[int | str, tuple[int, int, str | None]]) -> bool:
    """``android:enabled``; a reference to a resource counts as yes: what it says changes with the phone."""
    kind, data, raw = attributes.get(_ENABLED, (_BOOLEAN, 1, None))
    return bool(data) if kind == _BOOLEAN else raw != "false"
