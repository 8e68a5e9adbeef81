"""What an ``AndroidManifest.xml`` says: who an app is, what it is called, what it asks for, and whether it has an icon.

AOSP: ``frameworks/base/core/res/res/values/public-final.xml`` (ids), ``ParsingPackageUtils.java`` (what counts).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from privaudit.apk.apk_problems import ApkError
from privaudit.apk.axml import Attributes, Tag, Text, tags

_LABEL, _NAME, _ENABLED, _TARGET_ACTIVITY = 0x01010001, 0x01010003, 0x0101000E, 0x01010202
_PERMISSION: Final = 0x01010006
_MAX_SDK, _MIN_SDK, _TARGET_SDK = 0x01010271, 0x0101020C, 0x01010270
_VERSION_CODE, _VERSION_NAME, _VERSION_CODE_MAJOR = 0x0101021B, 0x0101021C, 0x01010576
_ACTIVITIES: Final = frozenset({"activity", "activity-alias"})
_COMPONENTS: Final = frozenset({*_ACTIVITIES, "service", "receiver", "provider"})
_REQUESTS: Final = frozenset({"uses-permission", "uses-permission-sdk-23", "uses-permission-sdk-m"})
_ICON: Final = frozenset({"android.intent.action.MAIN", "android.intent.category.LAUNCHER"})
_DEEPEST: Final = 100
"""Elements within elements; a manifest has five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """One permission that the manifest asks for."""

    permission: str
    max_sdk: int | None
    """Not asked for above this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """A component with an icon in the launcher."""

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
    split: str | None = None
    """The name of this part of an app that is delivered in parts; ``None``: the base, which holds all that counts."""
    components: frozenset[str] = frozenset()
    """Full class names of activities, services, receivers and providers."""
    guards: frozenset[str] = frozenset()
    """Permissions that whoever calls its services and receivers must hold; ``BIND_…`` tell what these are for."""


def parse(data: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ApkError: it is none, damaged, or larger than any real one.
    """
    reader = _Reader()
    for tag in tags(data):
        if tag is not None:
            reader.begin(tag)
        else:
            reader.end()
    return reader.manifest()


@dataclass(slots=True)
class _Element:
    """An element that has begun and not ended."""

    tag: str
    attributes: Attributes
    says: set[str] = field(default_factory=set)
    """Actions and categories of an intent filter."""
    is_launcher: bool = False


class _Reader:
    def __init__(self) -> None:
        self._open: list[_Element] = []
        self._package: str | None = None
        self._head = Attributes()
        self._sdk = Attributes()
        self._application = Attributes()
        self._requests: list[Requests] = []
        self._launchers: list[Attributes] = []
        self._components: dict[str, None] = {}
        self._guards: set[str] = set()
        self._labels: dict[str | None, Text | None] = {}

    def begin(self, tag: Tag) -> None:
        attributes = tag.attributes
        self._open.append(_Element(tag.name, attributes))
        if len(self._open) > _DEEPEST:
            raise ApkError("apk.manifest_damaged")
        match [element.tag for element in self._open]:
            case ["manifest"] if self._package is None:
                self._package, self._head = attributes.words("package"), attributes
            case ["manifest", "uses-sdk"]:
                self._sdk = attributes
            case ["manifest", name] if name in _REQUESTS and (permission := attributes.words(_NAME)):
                self._requests.append(Requests(permission=permission, max_sdk=attributes.number(_MAX_SDK)))
            case ["manifest", "application"] if not self._application:
                self._application = attributes
            case ["manifest", "application", name] if name in _COMPONENTS:
                self._component(attributes)
            case ["manifest", "application", name, "intent-filter", "action" | "category"] if name in _ACTIVITIES:
                self._open[-2].says.add(attributes.words(_NAME) or "")

    def end(self) -> None:
        if not self._open:
            raise ApkError("apk.manifest_damaged")
        element = self._open.pop()
        above = [one.tag for one in self._open]
        if above == ["manifest", "application"] and element.tag in _ACTIVITIES:
            self._labels.setdefault(element.attributes.words(_NAME), element.attributes.text(_LABEL))
            if element.is_launcher:
                self._launchers.append(element.attributes)
        elif element.tag == "intent-filter" and above[-1:] and above[-1] in _ACTIVITIES:
            self._open[-1].is_launcher |= element.says >= _ICON

    def _component(self, attributes: Attributes) -> None:
        if name := attributes.words(_NAME):
            # A name may leave the package out (``ParsingUtils.buildClassName``).
            full = f"{self._package}{name}" if name.startswith(".") else name
            self._components[full if "." in full else f"{self._package}.{full}"] = None
        if guard := attributes.words(_PERMISSION):
            self._guards.add(guard)

    def manifest(self) -> Manifest:
        if not self._package or self._open:
            raise ApkError("apk.manifest_damaged")
        code = self._head.number(_VERSION_CODE)
        min_sdk = self._sdk.number(_MIN_SDK)
        return Manifest(
            package=self._package,
            version_code=None if code is None else (self._head.number(_VERSION_CODE_MAJOR) or 0) << 32 | code,
            version_name=self._head.text(_VERSION_NAME),
            min_sdk=min_sdk,
            target_sdk=self._sdk.number(_TARGET_SDK) or min_sdk,
            label=self._application.text(_LABEL),
            launchers=tuple(map(self._launcher, self._launchers)),
            requests=tuple(dict.fromkeys(self._requests)),
            split=self._head.words("split"),
            components=frozenset(self._components),
            guards=frozenset(self._guards),
        )

    def _launcher(self, attributes: Attributes) -> Launcher:
        # An alias without a name of its own is called as what it stands for is.
        label = attributes.text(_LABEL) or self._labels.get(attributes.words(_TARGET_ACTIVITY) or "")
        return Launcher(label=label, enabled=attributes.flag(_ENABLED) and self._application.flag(_ENABLED))
