"""Parse ``AndroidManifest.xml``: identity, label, requested permissions, components and launcher icons of an app.

AOSP: ``frameworks/base/core/res/res/values/public-final.xml`` (ids), ``ParsingPackageUtils.java`` (which elements
count).
"""

import re
from collections.abc import Iterable, Iterator
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
"""Nested elements; a real manifest has five levels."""
_VALID_NAME: Final = re.compile(r"\.*(?:[A-Za-z]\w*(?:\.+|\Z))+\Z", re.ASCII)
"""``FrameworkParsingPackageUtils.validateName``."""
_MAX_NAME_CHARS: Final = 255
_PACKAGE_WITHOUT_DOT: Final = "android"
_ADDED_BEFORE_SDK_4: Final = ("android.permission.WRITE_EXTERNAL_STORAGE", "android.permission.READ_PHONE_STATE")
"""``CompatibilityPermissionInfo.COMPAT_PERMS``: added to apps whose target SDK is below 4."""
_SPLIT_PERMISSIONS: Final = (
    ("android.permission.WRITE_EXTERNAL_STORAGE", "android.permission.READ_EXTERNAL_STORAGE", 10_000),
    ("android.permission.READ_CONTACTS", "android.permission.READ_CALL_LOG", 16),
    ("android.permission.WRITE_CONTACTS", "android.permission.WRITE_CALL_LOG", 16),
)
"""The ``split-permission`` elements of ``data/etc/platform.xml`` that reach another kind of data: who requests the
first requests the second too, where the target SDK is below the third."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsesPermission:
    """A ``uses-permission`` element."""

    permission: str
    max_sdk: int | None
    """The last SDK on which the permission is requested."""
    implied: bool = False
    """Whether Android adds it, without an element, because of the target SDK or of another permission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """An activity with an icon in the launcher."""

    label: XmlValue | None
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkManifest:
    """The content of a manifest."""

    package: str
    version_code: int | None
    version_name: XmlValue | None
    min_sdk: int | None
    target_sdk: int | None
    label: XmlValue | None
    """Of the application, else of its first launcher icon."""
    launchers: tuple[Launcher, ...]
    uses_permissions: tuple[UsesPermission, ...]
    split_name: str | None = None
    """The name of a split APK; ``None``: the base APK, which has everything that counts."""
    components: frozenset[str] = frozenset()
    """Full class names of activities, services, receivers and providers."""
    required_permissions: frozenset[str] = frozenset()
    """Permissions that callers of its components need; ``BIND_…`` permissions show the purpose of a service."""


def parse_manifest(data: bytes) -> ApkManifest:
    """Parse a manifest in binary XML. Raises ApkError if it is not a manifest, damaged, or larger than any real one."""
    builder = _ManifestBuilder()
    for element in iter_elements(data):
        if element is not None:
            builder.start_element(element)
        else:
            builder.end_element()
    return builder.build()


@dataclass(slots=True)
class _OpenElement:
    """An element whose end was not reached yet."""

    tag: str
    attributes: Attributes
    intent_names: set[str] = field(default_factory=set)
    """Actions and categories of an intent filter."""
    is_launcher: bool = False


class _ManifestBuilder:
    """Collects the content of a manifest from its elements."""

    def __init__(self) -> None:
        self._open_elements: list[_OpenElement] = []
        self._package: str | None = None
        self._split_name: str | None = None
        self._manifest_attributes = Attributes()
        self._uses_sdk = Attributes()
        self._application = Attributes()
        self._uses_permissions: list[UsesPermission] = []
        self._launchers: list[Attributes] = []
        self._components: set[str] = set()
        self._required_permissions: set[str] = set()
        self._activity_labels: dict[str | None, XmlValue | None] = {}

    def start_element(self, element: XmlElement) -> None:
        attributes = element.attributes
        self._open_elements.append(_OpenElement(element.name, attributes))
        if len(self._open_elements) > _MAX_ELEMENT_DEPTH:
            raise ApkError("apk.manifest_damaged")
        match [open_element.tag for open_element in self._open_elements]:
            case ["manifest"] if self._package is None:
                self._package = _read_name(attributes, "package")
                self._split_name = _read_name(attributes, "split") if attributes.raw_string("split") else None
                self._manifest_attributes = attributes
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
        ancestors = [ancestor.tag for ancestor in self._open_elements]
        if ancestors == ["manifest", "application"] and element.tag in _ACTIVITY_TAGS:
            self._activity_labels.setdefault(
                element.attributes.string(_NAME), element.attributes.string_or_reference(_LABEL)
            )
            if element.is_launcher:
                self._launchers.append(element.attributes)
        elif element.tag == "intent-filter" and ancestors and ancestors[-1] in _ACTIVITY_TAGS:
            self._open_elements[-1].is_launcher |= element.intent_names >= _LAUNCHER_INTENT

    def _add_component(self, attributes: Attributes) -> None:
        if name := attributes.string(_NAME):
            # A name may omit the package (``ParsingUtils.buildClassName``).
            full_name = f"{self._package}{name}" if name.startswith(".") else name
            self._components.add(full_name if "." in full_name else f"{self._package}.{full_name}")
        if permission := attributes.string(_PERMISSION):
            self._required_permissions.add(permission)

    def build(self) -> ApkManifest:
        if not self._package or self._open_elements:
            raise ApkError("apk.manifest_damaged")
        version_code = self._manifest_attributes.integer(_VERSION_CODE)
        if version_code is not None:
            version_code |= (self._manifest_attributes.integer(_VERSION_CODE_MAJOR) or 0) << 32
        min_sdk = self._uses_sdk.integer(_MIN_SDK)
        target_sdk = self._uses_sdk.integer(_TARGET_SDK) or min_sdk
        uses_permissions = tuple(dict.fromkeys(self._uses_permissions))
        launchers = tuple(map(self._build_launcher, self._launchers))
        label = self._application.string_or_reference(_LABEL)
        return ApkManifest(
            package=self._package,
            version_code=version_code,
            version_name=self._manifest_attributes.string_or_reference(_VERSION_NAME),
            min_sdk=min_sdk,
            target_sdk=target_sdk,
            label=label or next((launcher.label for launcher in launchers), None),
            launchers=launchers,
            uses_permissions=(*uses_permissions, *_implied_permissions(uses_permissions, target_sdk or 1)),
            split_name=self._split_name,
            components=frozenset(self._components),
            required_permissions=frozenset(self._required_permissions),
        )

    def _build_launcher(self, attributes: Attributes) -> Launcher:
        # An alias without a label has the label of its target activity.
        label = attributes.string_or_reference(_LABEL) or self._activity_labels.get(
            attributes.string(_TARGET_ACTIVITY) or ""
        )
        return Launcher(label=label, enabled=attributes.boolean(_ENABLED) and self._application.boolean(_ENABLED))


def _read_name(attributes: Attributes, attribute: str) -> str:
    """Return the name of a package or split; raises ApkError if Android would not install an app of this name."""
    name = attributes.raw_string(attribute) or ""
    is_complete = attribute != "package" or "." in name or name == _PACKAGE_WITHOUT_DOT
    if not _VALID_NAME.match(name) or len(name) > _MAX_NAME_CHARS or not is_complete:
        raise ApkError("apk.manifest_invalid", attribute=attribute)
    return name


def _implied_permissions(requested: Iterable[UsesPermission], target_sdk: int) -> Iterator[UsesPermission]:
    """Yield the permissions that Android adds to `requested` (``ParsingPackageUtils.convertCompatPermissions``)."""
    uses = list(requested)

    def add(permission: str, max_sdk: int | None) -> Iterator[UsesPermission]:
        limits = [use.max_sdk for use in uses if use.permission == permission]
        if None in limits or (max_sdk is not None and any(limit is not None and limit >= max_sdk for limit in limits)):
            return
        uses.append(UsesPermission(permission=permission, max_sdk=max_sdk, implied=True))
        yield uses[-1]

    for permission in _ADDED_BEFORE_SDK_4 if target_sdk < 4 else ():  # noqa: PLR2004
        yield from add(permission, None)
    for source, permission, before_sdk in _SPLIT_PERMISSIONS:
        for use in [use for use in uses if use.permission == source and target_sdk < before_sdk]:
            yield from add(permission, use.max_sdk)
