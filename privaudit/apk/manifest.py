"""Parse ``AndroidManifest.xml``: identity, label, requested permissions, components and launcher icons of an app.

AOSP: ``frameworks/base/core/res/res/values/public-final.xml`` (ids), ``ParsingPackageUtils.java`` (which elements
count).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
    elements = iter_elements(data)
    root = next(elements)
    package = split_name = None
    if root.name == "manifest":
        package = _read_name(root.attributes, "package")
        split_name = _read_name(root.attributes, "split") if root.attributes.raw_string("split") else None
    for _ in elements:
        pass  # until all elements are among the children of `root`
    if package is None:
        raise ApkError("apk.manifest_damaged")
    applications = [element for element in root.children if element.name == "application"]
    application = next((element.attributes for element in applications if element.attributes), Attributes())
    components = [child for element in applications for child in element.children if child.name in _COMPONENT_TAGS]
    launchers = tuple(_find_launchers(components, application))
    version_code = root.attributes.integer(_VERSION_CODE)
    if version_code is not None:
        version_code |= (root.attributes.integer(_VERSION_CODE_MAJOR) or 0) << 32
    uses_sdk = next((child.attributes for child in reversed(root.children) if child.name == "uses-sdk"), Attributes())
    min_sdk = uses_sdk.integer(_MIN_SDK)
    target_sdk = uses_sdk.integer(_TARGET_SDK) or min_sdk
    uses_permissions = dict.fromkeys(
        # 0 is no limit, and neither is a string: ``ParsingPackageUtils.parseUsesPermission``.
        UsesPermission(permission=permission, max_sdk=child.attributes.typed_integer(_MAX_SDK) or None)
        for child in root.children
        if child.name in _USES_PERMISSION_TAGS and (permission := child.attributes.string(_NAME))
    )
    names = filter(None, (component.attributes.string(_NAME) for component in components))
    required_permissions = (component.attributes.string(_PERMISSION) for component in components)
    return ApkManifest(
        package=package,
        version_code=version_code,
        version_name=root.attributes.string_or_reference(_VERSION_NAME),
        min_sdk=min_sdk,
        target_sdk=target_sdk,
        label=application.string_or_reference(_LABEL) or next((launcher.label for launcher in launchers), None),
        launchers=launchers,
        uses_permissions=(*uses_permissions, *_implied_permissions(uses_permissions, target_sdk or 1)),
        split_name=split_name,
        components=frozenset(_full_class_name(package, name) for name in names),
        required_permissions=frozenset(filter(None, required_permissions)),
    )


def _find_launchers(components: Iterable[XmlElement], application: Attributes) -> Iterator[Launcher]:
    """Yield the activities with an intent filter of launchers. An alias without a label has that of its target."""
    activities = [component for component in components if component.name in _ACTIVITY_TAGS]
    labels: dict[str | None, XmlValue | None] = {}
    for activity in activities:
        labels.setdefault(activity.attributes.string(_NAME), activity.attributes.string_or_reference(_LABEL))
    for activity in activities:
        attributes = activity.attributes
        if any(
            _intent_names(child) >= _LAUNCHER_INTENT for child in activity.children if child.name == "intent-filter"
        ):
            target_label = labels.get(attributes.string(_TARGET_ACTIVITY) or "")
            yield Launcher(
                label=attributes.string_or_reference(_LABEL) or target_label,
                enabled=attributes.boolean(_ENABLED) and application.boolean(_ENABLED),
            )


def _intent_names(intent_filter: XmlElement) -> set[str | None]:
    """Return the actions and categories of an intent filter."""
    tags = ("action", "category")
    return {child.attributes.string(_NAME) for child in intent_filter.children if child.name in tags}


def _full_class_name(package: str, name: str) -> str:
    """Return the name of a component, which may omit the package (``ParsingUtils.buildClassName``)."""
    full_name = f"{package}{name}" if name.startswith(".") else name
    return full_name if "." in full_name else f"{package}.{full_name}"


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
