"""What an APK declares: labels in the phone's languages, permissions, a launcher icon, and its signers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from privaudit.apk.axml import XmlValue
from privaudit.apk.labels import LabelResolver, missing_part_error, touch_references
from privaudit.apk.manifest import ApkManifest, UsesPermission, parse_manifest
from privaudit.apk.parts import ARSC, MANIFEST, SIGNING_BLOCK, ApkError, ApkParts
from privaudit.apk.resource_table import ResourceTable
from privaudit.apk.signing import SigningInfo, parse_signing_info
from privaudit.model import AnswerState, Message, RequestedState

_MAX_OTHER_LABELS: Final = 200
"""No app has a tenth of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkInfo:
    """What was read from one APK. Each missing value has its reason, and is never guessed."""

    package: str
    label: str | None = None
    """In the first of the phone's languages that the app supports, else its default."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """By the phone's language tags; `privaudit.apk.labels.UNDETERMINED_LANGUAGE` for all other languages."""
    label_problem: Message | None
    """Why there is no `label`."""
    launcher_labels: tuple[str, ...] = ()
    """Other names that a phone may show: of its launcher icons, and for another SIM card, screen or time of day."""
    launcher_icon: bool | None = None
    """Whether the manifest declares a launcher icon; an app can remove it later. ``None``: not read."""
    uses_permissions: tuple[UsesPermission, ...] | None = None
    """Every requested permission; ``None``: not read."""
    version_code: int | None = None
    version_name: str | None = None
    target_sdk: int | None = None
    signing: SigningInfo | None = None
    signing_problem: Message | None = None
    """Why `signing` is unknown or lacks a signer; ``None`` also if it was not requested."""
    problem: Message | None
    """Why nothing could be read, or why the file is not of this app."""
    sha256: str | None

    def request_state(self, permission: str, sdk: int | None) -> RequestedState:
        """Return whether the manifest requests `permission` on a phone of `sdk`."""
        if self.uses_permissions is None:
            return RequestedState.UNKNOWN
        is_requested = any(
            request.permission == permission and (request.max_sdk is None or sdk is None or sdk <= request.max_sdk)
            for request in self.uses_permissions
        )
        return RequestedState.YES if is_requested else RequestedState.NO


def read_installed_apk(
    apk: ApkParts, languages: Sequence[str], sdk: int | None, *, version_code: int | None = None
) -> ApkInfo:
    """Read the kept parts of an installed APK, whole or trimmed.

    `languages`: the phone's, the owner's first choice first. `version_code`: what the phone gives; a file with another
    one is not the file that runs.
    """
    return _read_parsed_apk(apk, _parse_manifest(apk), LabelResolver(apk, languages, sdk), version_code)


def trim_and_read_apk(
    apk: ApkParts, languages: Sequence[str], sdk: int | None, *, version_code: int | None = None
) -> tuple[ApkParts, ApkInfo]:
    """Trim the resource table of an APK to what its labels need, in all languages, and read the APK as well.

    A table of megabytes becomes one of kilobytes. A table that cannot be read is dropped, with the reason. Each part
    is parsed once. Arguments as `read_installed_apk`.
    """
    manifest, table = _parse_manifest(apk), None
    if ARSC in apk.parts and MANIFEST in apk.parts:
        try:
            if isinstance(manifest, ApkError):
                raise manifest
            table = ResourceTable(apk.parts[ARSC].to_bytes())
            for value in (manifest.label, manifest.version_name, *_launcher_label_values(manifest)):
                if value is not None and value.resource_id is not None:
                    touch_references(table, value.resource_id)
            apk = replace(apk, parts={**apk.parts, ARSC: apk.parts[ARSC].trimmed_to(table.touched_ranges)})
        except ApkError as error:
            table = None
            rest = {name: part for name, part in apk.parts.items() if name != ARSC}
            apk = replace(apk, parts=rest, problems={**apk.problems, ARSC: error.message})
    return apk, _read_parsed_apk(apk, manifest, LabelResolver(apk, languages, sdk, table), version_code)


def _parse_manifest(apk: ApkParts) -> ApkManifest | ApkError:
    """Return the manifest, or the reason why it cannot be read."""
    if MANIFEST not in apk.parts:
        return missing_part_error(apk, MANIFEST)
    try:
        return parse_manifest(apk.parts[MANIFEST].to_bytes())
    except ApkError as error:
        return error


def _read_parsed_apk(
    apk: ApkParts, manifest: ApkManifest | ApkError, resolver: LabelResolver, version_code: int | None
) -> ApkInfo:
    empty = ApkInfo(package=apk.package, label_problem=apk.detail, problem=apk.detail, sha256=apk.sha256)
    if apk.state is not AnswerState.ANSWERED:
        return empty
    if not isinstance(manifest, ApkError):
        if manifest.package != apk.package:
            manifest = ApkError("apk.package_differs", said=manifest.package, known=apk.package)
        elif version_code is not None and manifest.version_code not in {version_code, None}:
            manifest = ApkError("apk.version_differs", said=str(manifest.version_code), known=str(version_code))
    if isinstance(manifest, ApkError):
        return replace(empty, problem=manifest.message, label_problem=manifest.message)
    return _build_info(apk, manifest, resolver, all_languages=False)


def read_apk_file(apk: ApkParts, manifest: ApkManifest) -> ApkInfo:
    """Read a complete APK outside of a phone, with its labels in every language that it supports."""
    return _build_info(apk, manifest, LabelResolver(apk, (), None), all_languages=True)


def _launcher_label_values(manifest: ApkManifest) -> Iterable[XmlValue]:
    """Return the declared labels of launcher icons. The app can switch on an icon that is off in the manifest."""
    return (launcher.label for launcher in manifest.launchers if launcher.label is not None)


def _find_other_labels(manifest: ApkManifest, resolver: LabelResolver) -> Iterable[str]:
    """Return the names that are for some phones only; raises ApkError if there are more than any real app has."""
    values = (manifest.label, *_launcher_label_values(manifest))
    names = dict.fromkeys(name for value in values for name in resolver.find_other_labels(value) if name)
    if len(names) > _MAX_OTHER_LABELS:
        raise ApkError("apk.resources_damaged")
    return names


def _build_info(apk: ApkParts, manifest: ApkManifest, resolver: LabelResolver, *, all_languages: bool) -> ApkInfo:
    resolve = resolver.resolve_all_languages if all_languages else resolver.resolve_device_languages
    labels, label_problem = resolve(manifest.label)
    launcher_labels: list[str | None] = []
    for value in _launcher_label_values(manifest):
        found, _ = resolve(value)
        if all_languages:
            launcher_labels += (label for label in found.values() if label not in labels.values())
        else:
            launcher_labels.append(resolver.displayed_label(found))
    other_labels: Iterable[str] = ()
    try:
        other_labels = _find_other_labels(manifest, resolver)
    except ApkError as error:
        labels, label_problem = {}, error.message
    label = resolver.displayed_label(labels)
    names = (*launcher_labels, *(name for name in other_labels if name not in labels.values()))
    signing, signing_problem = _read_signing_info(apk)
    version_name = None
    if manifest.version_name is not None:
        version_name = resolver.displayed_label(resolver.resolve_device_languages(manifest.version_name)[0])
    return ApkInfo(
        package=apk.package,
        label=label,
        labels=labels,
        label_problem=label_problem,
        launcher_labels=tuple(dict.fromkeys(name for name in names if name is not None and name != label)),
        launcher_icon=any(launcher.enabled for launcher in manifest.launchers),
        uses_permissions=manifest.uses_permissions,
        version_code=manifest.version_code,
        version_name=version_name,
        target_sdk=manifest.target_sdk,
        signing=signing,
        signing_problem=signing_problem,
        problem=None,
        sha256=apk.sha256,
    )


def _read_signing_info(apk: ApkParts) -> tuple[SigningInfo | None, Message | None]:
    if SIGNING_BLOCK in apk.problems:
        return None, apk.problems[SIGNING_BLOCK]
    if not apk.has_signatures:
        return None, apk.signature_problem
    try:
        signing = parse_signing_info(apk.parts)
    except ApkError as error:
        return None, error.message
    return signing, signing.problem or apk.signature_problem
