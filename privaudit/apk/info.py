"""What an APK says of itself: names in the phone's languages, permissions, an icon or none, and who signed it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from privaudit.apk import manifest as apk_manifest
from privaudit.apk import signing as apk_certificates
from privaudit.apk.axml import XmlValue
from privaudit.apk.labels import LabelResolver, missing_part_error, touch_references
from privaudit.apk.manifest import ApkManifest, UsesPermission
from privaudit.apk.parts import ARSC, MANIFEST, SIGNING_BLOCK, ApkError, ApkPart, ApkParts
from privaudit.apk.resource_table import ResourceTable
from privaudit.apk.signing import SigningInfo
from privaudit.model import AnswerState, Message, RequestedState


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkInfo:
    """What was read of one APK. What could not be read says why, and is never guessed."""

    package: str
    label: str | None
    """In the first of the phone's languages that the app speaks, else its default."""
    labels: Mapping[str, str]
    """By the phone's language tags; `apk_names.UNDETERMINED_LANGUAGE` for all other languages."""
    label_problem: Message | None
    """Why there is no `label`."""
    launcher_labels: tuple[str, ...]
    """What stands under its icons where that is not `label`: an app may call itself otherwise in the settings."""
    launcher_icon: bool | None
    """Whether the manifest gives it an icon; an app can take it away later. ``None``: not read."""
    uses_permissions: tuple[UsesPermission, ...] | None
    """Every permission that it asks for; ``None``: not read."""
    version_code: int | None
    version_name: str | None
    target_sdk: int | None
    signing: SigningInfo | None
    signing_problem: Message | None
    """Why `signing` is not known; ``None`` also where it was not wanted."""
    problem: Message | None
    """Why nothing could be read, or why what was read is not of this app."""
    sha256: str | None

    def request_state(self, permission: str, sdk: int | None) -> RequestedState:
        """Whether the manifest asks for `permission` on a phone of `sdk`."""
        if self.uses_permissions is None:
            return RequestedState.UNKNOWN
        asks = [
            one
            for one in self.uses_permissions
            if one.permission == permission and (one.max_sdk is None or sdk is None or sdk <= one.max_sdk)
        ]
        return RequestedState.YES if asks else RequestedState.NO


ManifestPartParser: TypeAlias = Callable[[ApkPart], ApkManifest]


def parse_manifest_part(part: ApkPart) -> ApkManifest:
    """What a manifest says.

    Raises:
        ApkError: it cannot be read.
    """
    return apk_manifest.parse_manifest(part.to_bytes())


def trim_resources(apk: ApkParts, manifest_parser: ManifestPartParser = parse_manifest_part) -> ApkParts:
    """`apk` with only those pieces of its resource table that its names are found by, in all languages.

    A table has megabytes; this leaves some kilobytes. Parts that cannot be read are dropped, and say why.
    """
    if ARSC not in apk.parts or MANIFEST not in apk.parts:
        return apk
    try:
        manifest = manifest_parser(apk.parts[MANIFEST])
        table = ResourceTable(apk.parts[ARSC].to_bytes())
        for text in _label_resource_ids(manifest):
            touch_references(table, text)
    except ApkError as error:
        rest = {name: part for name, part in apk.parts.items() if name != ARSC}
        return replace(apk, parts=rest, problems={**apk.problems, ARSC: error.message})
    return replace(apk, parts={**apk.parts, ARSC: apk.parts[ARSC].trimmed_to(table.touched_ranges)})


def read_installed_apk(
    apk: ApkParts,
    languages: Sequence[str],
    sdk: int | None,
    *,
    version_code: int | None = None,
    manifest_parser: ManifestPartParser = parse_manifest_part,
) -> ApkInfo:
    """Read `apk`.

    Args:
        apk: its parts, whole or thin.
        languages: the phone's, the owner's first choice first.
        sdk: the phone's.
        version_code: what the phone says; where the file says otherwise, it is not the one that runs.
        manifest_parser: reads its manifest; may remember what `trim_resources` was told.
    """
    nothing = _empty_info(apk)
    if apk.state is not AnswerState.ANSWERED:
        return nothing
    try:
        manifest = _parse_matching_manifest(apk, version_code, manifest_parser)
    except ApkError as error:
        return replace(nothing, problem=error.message, label_problem=error.message)
    names = LabelResolver(apk, languages, sdk)
    labels, label_problem = names.resolve_device_languages(_label_value(manifest))
    icons = [names.displayed_label(names.resolve_device_languages(one)[0]) for one in _launcher_label_values(manifest)]
    return _with_manifest(_with_labels(nothing, names, labels, label_problem, icons), apk, manifest, names)


def read_apk_file(apk: ApkParts, manifest: ApkManifest) -> ApkInfo:
    """Read an APK that is on no phone: its names in every language that it speaks.

    Args:
        apk: its parts, whole.
        manifest: read from them already.
    """
    names = LabelResolver(apk, (), None)
    labels, label_problem = names.resolve_all_languages(_label_value(manifest))
    icons = [
        name
        for one in _launcher_label_values(manifest)
        for name in names.resolve_all_languages(one)[0].values()
        if name not in labels.values()
    ]
    return _with_manifest(_with_labels(_empty_info(apk), names, labels, label_problem, icons), apk, manifest, names)


def _empty_info(apk: ApkParts) -> ApkInfo:
    return ApkInfo(
        package=apk.package,
        label=None,
        labels={},
        label_problem=apk.detail,
        launcher_labels=(),
        launcher_icon=None,
        uses_permissions=None,
        version_code=None,
        version_name=None,
        target_sdk=None,
        signing=None,
        signing_problem=None,
        problem=apk.detail,
        sha256=apk.sha256,
    )


def _label_value(manifest: ApkManifest) -> XmlValue | None:
    return manifest.label or next((one.label for one in manifest.launchers), None)


def _launcher_label_values(manifest: ApkManifest) -> Iterable[XmlValue]:
    """What stands under its icons, where that is said."""
    return (one.label for one in manifest.launchers if one.enabled and one.label is not None)


def _with_labels(
    empty: ApkInfo,
    resolver: LabelResolver,
    labels: Mapping[str, str],
    label_problem: Message | None,
    launcher_labels: Iterable[str | None],
) -> ApkInfo:
    label = resolver.displayed_label(labels)
    others = tuple(dict.fromkeys(name for name in launcher_labels if name is not None and name != label))
    return replace(empty, label=label, labels=labels, label_problem=label_problem, launcher_labels=others)


def _with_manifest(info: ApkInfo, apk: ApkParts, manifest: ApkManifest, resolver: LabelResolver) -> ApkInfo:
    signing, signing_problem = _read_signing_info(apk)
    version = manifest.version_name
    return replace(
        info,
        launcher_icon=any(one.enabled for one in manifest.launchers),
        uses_permissions=manifest.uses_permissions,
        version_code=manifest.version_code,
        version_name=resolver.displayed_label(resolver.resolve_device_languages(version)[0])
        if version is not None
        else None,
        target_sdk=manifest.target_sdk,
        signing=signing,
        signing_problem=signing_problem,
        problem=None,
    )


def _parse_matching_manifest(
    apk: ApkParts, version_code: int | None, manifest_parser: ManifestPartParser
) -> ApkManifest:
    if MANIFEST not in apk.parts:
        raise missing_part_error(apk, MANIFEST)
    manifest = manifest_parser(apk.parts[MANIFEST])
    if manifest.package != apk.package:
        raise ApkError("apk.package_differs", said=manifest.package, known=apk.package)
    if version_code is not None and manifest.version_code not in {version_code, None}:
        raise ApkError("apk.version_differs", said=str(manifest.version_code), known=str(version_code))
    return manifest


def _read_signing_info(apk: ApkParts) -> tuple[SigningInfo | None, Message | None]:
    wanted = SIGNING_BLOCK in apk.parts or any(name.upper().startswith("META-INF/") for name in apk.parts)
    if SIGNING_BLOCK in apk.problems:
        return None, apk.problems[SIGNING_BLOCK]
    if not wanted:
        return None, None
    try:
        return apk_certificates.parse_signing_info(apk.parts), None
    except ApkError as error:
        return None, error.message


def _label_resource_ids(manifest: ApkManifest) -> Iterable[int]:
    """Resources that a name, or the version, stands in."""
    for text in (manifest.label, manifest.version_name, *(launcher.label for launcher in manifest.launchers)):
        if text is not None and text.resource_id is not None:
            yield text.resource_id
