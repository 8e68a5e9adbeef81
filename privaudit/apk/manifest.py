"""What an ``AndroidManifest.xml`` says: who an app is, what it is called, what it asks for, and whether it has an icon.

AOSP: ``frameworks/base/core/res/res/values/public-final.xml`` (ids), ``ParsingPackageUtils.java`` (what counts).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from privaudit.apk.axml import Attributes, XmlElement, XmlValue, iter_elements
from privaudit.apk.parts import ApkError

_LABEL, _NAME, _ENABLED, _TARGET_ACTIVITY = 0x01010001, 0x01010003, 0x0101000E, 0x01010202
_PERMISSION: Final = 0x01010006
_MAX_SDK, _MIN_SDK, _TARGET_SDK = 0x01010271, 0x0101020C, 0x01010270
_VERSION_CODE, _VERSION_NAME, _VERSION_CODE_MAJOR = 0x0101021B, 0x0101021C, 0x01010576
_ACTIVITY_TAGS: Final = frozenset({"activity", "activity-alias"})
_COMPONENT_TAGS: Final = frozenset({*_ACTIVITY_TAGS, "service", "receiver", "provider"})
_USES_PERMISSION_TAGS: Final = frozenset({"uses-permission", "uses-permission-sdk-23", "uses-permission-sdk-m"})
_LAUNCHER_INTENT: Final = frozenset({"android.intent.action.MAIN", "android.intent.category.LAUNCHER"})
_MAX_ELEMENT_DEPTH: Final = 100
"""Elements within elements; a manifest has five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsesPermission:
    """One permission that the manifest asks for."""

    permission: str
    max_sdk: int | None
    """Not asked for above this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """A component with an icon in the launcher."""

    label: XmlValue | None
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkManifest:
    """What a manifest says."""

    package: str
    version_code: int | None
    version_name: XmlValue | None
    min_sdk: int | None
    target_sdk: int | None
    label: XmlValue | None
    """Of the application."""
    launchers: tuple[Launcher, ...]
    uses_permissions: tuple[UsesPermission, ...]
    split_name: str | None = None
    """The name of this part of an app that is delivered in parts; ``None``: the base, which holds all that counts."""
    components: frozenset[str] = frozenset()
    """Full class names of activities, services, receivers and providers."""
    required_permissions: frozenset[str] = frozenset()
    """Permissions that whoever calls its services and receivers must hold; ``BIND_…`` tell what these are for."""


def parse_manifest(data: bytes) -> ApkManifest:
    """Read a manifest.

    Raises:
        ApkError: it is none, damaged, or larger than any real one.
    """
    reader = _ManifestBuilder()
    for tag in iter_elements(data):
        if tag is not None:
            reader.start_element(tag)
        else:
            reader.end_element()
    return reader.build()


@dataclass(slots=True)
class _OpenElement:
    """An element that has begun and not ended."""

    tag: str
    attributes: Attributes
    intent_names: set[str] = field(default_factory=set)
    """Actions and categories of an intent filter."""
    is_launcher: bool = False


class _ManifestBuilder:
    def __init__(self) -> None:
        self._open_elements: list[_OpenElement] = []
        self._package: str | None = None
        self._manifest_attributes = Attributes()
        self._uses_sdk = Attributes()
        self._application = Attributes()
        self._uses_permissions: list[UsesPermission] = []
        self._launchers: list[Attributes] = []
        self._components: dict[str, None] = {}
        self._required_permissions: set[str] = set()
        self._activity_labels: dict[str | None, XmlValue | None] = {}

    def start_element(self, tag: XmlElement) -> None:
        attributes = tag.attributes
        self._open_elements.append(_OpenElement(tag.name, attributes))
        if len(self._open_elements) > _MAX_ELEMENT_DEPTH:
            raise ApkError("apk.manifest_damaged")
        match [element.tag for element in self._open_elements]:
            case ["manifest"] if self._package is None:
                self._package, self._manifest_attributes = attributes.string("package"), attributes
            case ["manifest", "uses-sdk"]:
                self._uses_sdk = attributes
            case ["manifest", name] if name in _USES_PERMISSION_TAGS and (permission := attributes.string(_NAME)):
                self._uses_permissions.append(
                    UsesPermission(permission=permission, max_sdk=attributes.integer(_MAX_SDK))
                )
            case ["manifest", "application"] if not self._application:
                self._application = attributes
            case ["manifest", "application", name] if name in _COMPONENT_TAGS:
                self._add_component(attributes)
            case ["manifest", "application", name, "intent-filter", "action" | "category"] if name in _ACTIVITY_TAGS:
                self._open_elements[-2].intent_names.add(attributes.string(_NAME) or "")

    def end_element(self) -> None:
        if not self._open_elements:
            raise ApkError("apk.manifest_damaged")
        element = self._open_elements.pop()
        above = [one.tag for one in self._open_elements]
        if above == ["manifest", "application"] and element.tag in _ACTIVITY_TAGS:
            self._activity_labels.setdefault(
                element.attributes.string(_NAME), element.attributes.string_or_reference(_LABEL)
            )
            if element.is_launcher:
                self._launchers.append(element.attributes)
        elif element.tag == "intent-filter" and above[-1:] and above[-1] in _ACTIVITY_TAGS:
            self._open_elements[-1].is_launcher |= element.intent_names >= _LAUNCHER_INTENT

    def _add_component(self, attributes: Attributes) -> None:
        if name := attributes.string(_NAME):
            # A name may leave the package out (``ParsingUtils.buildClassName``).
            full = f"{self._package}{name}" if name.startswith(".") else name
            self._components[full if "." in full else f"{self._package}.{full}"] = None
        if guard := attributes.string(_PERMISSION):
            self._required_permissions.add(guard)

    def build(self) -> ApkManifest:
        if not self._package or self._open_elements:
            raise ApkError("apk.manifest_damaged")
        code = self._manifest_attributes.integer(_VERSION_CODE)
        min_sdk = self._uses_sdk.integer(_MIN_SDK)
        return ApkManifest(
            package=self._package,
            version_code=None
            if code is None
            else (self._manifest_attributes.integer(_VERSION_CODE_MAJOR) or 0) << 32 | code,
            version_name=self._manifest_attributes.string_or_reference(_VERSION_NAME),
            min_sdk=min_sdk,
            target_sdk=self._uses_sdk.integer(_TARGET_SDK) or min_sdk,
            label=self._application.string_or_reference(_LABEL),
            launchers=tuple(map(self._build_launcher, self._launchers)),
            uses_permissions=tuple(dict.fromkeys(self._uses_permissions)),
            split_name=self._manifest_attributes.string("split"),
            components=frozenset(self._components),
            required_permissions=frozenset(self._required_permissions),
        )

    def _build_launcher(self, attributes: Attributes) -> Launcher:
        # An alias without a name of its own is called as what it stands for is.
        label = attributes.string_or_reference(_LABEL) or self._activity_labels.get(
            attributes.string(_TARGET_ACTIVITY) or ""
        )
        return Launcher(label=label, enabled=attributes.boolean(_ENABLED) and self._application.boolean(_ENABLED))
