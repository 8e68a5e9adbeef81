"""What an APK says of itself: names in the phone's languages, permissions, an icon or none, and who signed it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from privaudit.apk import manifest as apk_manifest
from privaudit.apk import signing as apk_certificates
from privaudit.apk.apk_problems import ApkError
from privaudit.apk.axml import Text
from privaudit.apk.labels import Names, missing, walk
from privaudit.apk.manifest import Manifest, Requests
from privaudit.apk.parts import ARSC, MANIFEST, SIGNING_BLOCK, Apk, Part
from privaudit.apk.resource_table import Table
from privaudit.apk.signing import Signing
from privaudit.model import AnswerState, Message, Requested


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkFacts:
    """What was read of one APK. What could not be read says why, and is never guessed."""

    package: str
    label: str | None
    """In the first of the phone's languages that the app speaks, else its default."""
    labels: Mapping[str, str]
    """By the phone's language tags; `apk_names.DEFAULT` for all other languages."""
    label_problem: Message | None
    """Why there is no `label`."""
    launcher_labels: tuple[str, ...]
    """What stands under its icons where that is not `label`: an app may call itself otherwise in the settings."""
    launcher_icon: bool | None
    """Whether the manifest gives it an icon; an app can take it away later. ``None``: not read."""
    requests: tuple[Requests, ...] | None
    """Every permission that it asks for; ``None``: not read."""
    version_code: int | None
    version_name: str | None
    target_sdk: int | None
    signing: Signing | None
    signing_problem: Message | None
    """Why `signing` is not known; ``None`` also where it was not wanted."""
    problem: Message | None
    """Why nothing could be read, or why what was read is not of this app."""
    sha256: str | None

    def requested(self, permission: str, sdk: int | None) -> Requested:
        """Whether the manifest asks for `permission` on a phone of `sdk`."""
        if self.requests is None:
            return Requested.UNKNOWN
        asks = [
            one
            for one in self.requests
            if one.permission == permission and (one.max_sdk is None or sdk is None or sdk <= one.max_sdk)
        ]
        return Requested.YES if asks else Requested.NO


Parse: TypeAlias = Callable[[Part], Manifest]


def parsed(manifest: Part) -> Manifest:
    """What a manifest says.

    Raises:
        ApkError: it cannot be read.
    """
    return apk_manifest.parse(manifest.data())


def thin(apk: Apk, parse: Parse = parsed) -> Apk:
    """`apk` with only those pieces of its resource table that its names are found by, in all languages.

    A table has megabytes; this leaves some kilobytes. Parts that cannot be read are dropped, and say why.
    """
    if ARSC not in apk.parts or MANIFEST not in apk.parts:
        return apk
    try:
        manifest = parse(apk.parts[MANIFEST])
        table = Table(apk.parts[ARSC].data())
        for text in _texts(manifest):
            walk(table, text)
    except ApkError as error:
        rest = {name: part for name, part in apk.parts.items() if name != ARSC}
        return replace(apk, parts=rest, problems={**apk.problems, ARSC: error.message})
    return replace(apk, parts={**apk.parts, ARSC: apk.parts[ARSC].thin(table.touched)})


def read(
    apk: Apk, languages: Sequence[str], sdk: int | None, *, version_code: int | None = None, parse: Parse = parsed
) -> ApkFacts:
    """Read `apk`.

    Args:
        apk: its parts, whole or thin.
        languages: the phone's, the owner's first choice first.
        sdk: the phone's.
        version_code: what the phone says; where the file says otherwise, it is not the one that runs.
        parse: reads its manifest; may remember what `thin` was told.
    """
    nothing = _nothing(apk)
    if apk.state is not AnswerState.ANSWERED:
        return nothing
    try:
        manifest = _manifest(apk, version_code, parse)
    except ApkError as error:
        return replace(nothing, problem=error.message, label_problem=error.message)
    names = Names(apk, languages, sdk)
    labels, label_problem = names.of(_label(manifest))
    icons = [names.shown(names.of(one)[0]) for one in _icons(manifest)]
    return _read(_named(nothing, names, labels, label_problem, icons), apk, manifest, names)


def of_file(apk: Apk, manifest: Manifest) -> ApkFacts:
    """Read an APK that is on no phone: its names in every language that it speaks.

    Args:
        apk: its parts, whole.
        manifest: read from them already.
    """
    names = Names(apk, (), None)
    labels, label_problem = names.every(_label(manifest))
    icons = [name for one in _icons(manifest) for name in names.every(one)[0].values() if name not in labels.values()]
    return _read(_named(_nothing(apk), names, labels, label_problem, icons), apk, manifest, names)


def _nothing(apk: Apk) -> ApkFacts:
    return ApkFacts(
        package=apk.package,
        label=None,
        labels={},
        label_problem=apk.detail,
        launcher_labels=(),
        launcher_icon=None,
        requests=None,
        version_code=None,
        version_name=None,
        target_sdk=None,
        signing=None,
        signing_problem=None,
        problem=apk.detail,
        sha256=apk.sha256,
    )


def _label(manifest: Manifest) -> Text | None:
    return manifest.label or next((one.label for one in manifest.launchers), None)


def _icons(manifest: Manifest) -> Iterable[Text]:
    """What stands under its icons, where that is said."""
    return (one.label for one in manifest.launchers if one.enabled and one.label is not None)


def _named(
    nothing: ApkFacts,
    names: Names,
    labels: Mapping[str, str],
    label_problem: Message | None,
    icons: Iterable[str | None],
) -> ApkFacts:
    label = names.shown(labels)
    others = tuple(dict.fromkeys(name for name in icons if name is not None and name != label))
    return replace(nothing, label=label, labels=labels, label_problem=label_problem, launcher_labels=others)


def _read(named: ApkFacts, apk: Apk, manifest: Manifest, names: Names) -> ApkFacts:
    signing, signing_problem = _signing(apk)
    version = manifest.version_name
    return replace(
        named,
        launcher_icon=any(one.enabled for one in manifest.launchers),
        requests=manifest.requests,
        version_code=manifest.version_code,
        version_name=names.shown(names.of(version)[0]) if version is not None else None,
        target_sdk=manifest.target_sdk,
        signing=signing,
        signing_problem=signing_problem,
        problem=None,
    )


def _manifest(apk: Apk, version_code: int | None, parse: Parse) -> Manifest:
    if MANIFEST not in apk.parts:
        raise missing(apk, MANIFEST)
    manifest = parse(apk.parts[MANIFEST])
    if manifest.package != apk.package:
        raise ApkError("apk.package_differs", said=manifest.package, known=apk.package)
    if version_code is not None and manifest.version_code not in {version_code, None}:
        raise ApkError("apk.version_differs", said=str(manifest.version_code), known=str(version_code))
    return manifest


def _signing(apk: Apk) -> tuple[Signing | None, Message | None]:
    wanted = SIGNING_BLOCK in apk.parts or any(name.upper().startswith("META-INF/") for name in apk.parts)
    if SIGNING_BLOCK in apk.problems:
        return None, apk.problems[SIGNING_BLOCK]
    if not wanted:
        return None, None
    try:
        return apk_certificates.parse(apk.parts), None
    except ApkError as error:
        return None, error.message


def _texts(manifest: Manifest) -> Iterable[int]:
    """Resources that a name, or the version, stands in."""
    for text in (manifest.label, manifest.version_name, *(launcher.label for launcher in manifest.launchers)):
        if text is not None and text.resource is not None:
            yield text.resource
