"""What an APK says of itself: names in the phone's languages, permissions, an icon or none, and who signed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privaudit.capture.apk_parts import ARSC, MANIFEST, SIGNING_BLOCK, Apk
from privaudit.capture.apk_problems import ApkError, problem
from privaudit.facts import apk_certificates, apk_manifest
from privaudit.facts.apk_certificates import Signing
from privaudit.facts.apk_manifest import Manifest, Requests, Text
from privaudit.facts.arsc import Kind, Table
from privaudit.facts.arsc_config import Device, Locale, best
from privaudit.model import AnswerState, Message, Requested

DEFAULT: Final = "und"
"""The language tag of a name that is for no language in particular (BCP 47: undetermined)."""
_MOST_STEPS: Final = 20
"""References that Android follows (``AssetManager2::ResolveReference``)."""
_MOST_RESOURCES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkFacts:
    """What was read of one APK. What could not be read says why, and is never guessed."""

    package: str
    label: str | None
    """In the first of the phone's languages that the app speaks, else its default."""
    labels: Mapping[str, str]
    """By the phone's language tags; `DEFAULT` for all other languages."""
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


def thin(apk: Apk) -> Apk:
    """`apk` with only those pieces of its resource table that its names are found by, in all languages.

    A table has megabytes; this leaves some kilobytes. Parts that cannot be read are dropped, and say why.
    """
    if ARSC not in apk.parts or MANIFEST not in apk.parts:
        return apk
    try:
        manifest = apk_manifest.parse(apk.parts[MANIFEST].data())
        table = Table(apk.parts[ARSC].data())
        for text in _texts(manifest):
            _walk(table, text)
    except ApkError as error:
        rest = {name: part for name, part in apk.parts.items() if name != ARSC}
        return replace(apk, parts=rest, problems={**apk.problems, ARSC: error.message})
    return replace(apk, parts={**apk.parts, ARSC: apk.parts[ARSC].thin(table.touched)})


def read(apk: Apk, languages: Sequence[str], sdk: int | None, *, version_code: int | None = None) -> ApkFacts:
    """Read `apk`.

    Args:
        apk: its parts, whole or thin.
        languages: the phone's, the owner's first choice first.
        sdk: the phone's.
        version_code: what the phone says; where the file says otherwise, it is not the one that runs.
    """
    nothing = ApkFacts(
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
    if apk.state is not AnswerState.ANSWERED:
        return nothing
    try:
        manifest = _manifest(apk, version_code)
    except ApkError as error:
        return replace(nothing, problem=error.message, label_problem=error.message)
    signing, signing_problem = _signing(apk)
    names = _Names(apk, languages, sdk)
    labels, label_problem = names.of(manifest.label or next((one.label for one in manifest.launchers), None))
    label = names.shown(labels)
    icons = [names.shown(names.of(one.label)[0]) for one in manifest.launchers if one.enabled and one.label is not None]
    version = manifest.version_name
    return replace(
        nothing,
        label=label,
        labels=labels,
        label_problem=label_problem,
        launcher_labels=tuple(dict.fromkeys(name for name in icons if name is not None and name != label)),
        launcher_icon=any(one.enabled for one in manifest.launchers),
        requests=manifest.requests,
        version_code=manifest.version_code,
        version_name=names.shown(names.of(version)[0]) if version is not None else None,
        target_sdk=manifest.target_sdk,
        signing=signing,
        signing_problem=signing_problem,
        problem=None,
    )


def _manifest(apk: Apk, version_code: int | None) -> Manifest:
    if MANIFEST not in apk.parts:
        raise _reason(apk, MANIFEST)
    manifest = apk_manifest.parse(apk.parts[MANIFEST].data())
    if manifest.package != apk.package:
        raise ApkError("package_differs", said=manifest.package, known=apk.package)
    if version_code is not None and manifest.version_code not in {version_code, None}:
        raise ApkError("version_differs", said=str(manifest.version_code), known=str(version_code))
    return manifest


def _reason(apk: Apk, part: str) -> ApkError:
    error = ApkError("entry_missing", entry=part)
    error.message = apk.problems.get(part, error.message)
    return error


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


def _walk(table: Table, resource: int) -> None:
    """Look at every value that `resource` can lead to, in any configuration."""
    seen: set[int] = set()
    open_ones = [resource]
    while open_ones and len(seen) < _MOST_RESOURCES:
        number = open_ones.pop()
        if number in seen:
            continue
        seen.add(number)
        for value in table.values(number):
            if value.kind == Kind.STRING:
                table.text(value.data)
            elif value.kind in {Kind.REFERENCE, Kind.DYNAMIC_REFERENCE}:
                open_ones.append(value.data)


class _Names:
    """Finds the words of texts in one APK."""

    def __init__(self, apk: Apk, languages: Sequence[str], sdk: int | None) -> None:
        self._apk = apk
        self._languages = tuple(languages)
        self._device = Device(sdk=sdk) if sdk is not None else Device()
        self._table: Table | None = None
        self._speaks: dict[str, bool] = {}

    def of(self, text: Text | None) -> tuple[Mapping[str, str], Message | None]:
        """The words of `text` in the phone's languages and by default; or why there are none."""
        if text is None or (text.resource is None and not text.words):
            return {}, problem("no_label")
        if text.resource is None:
            return {DEFAULT: text.words or ""}, None
        found: dict[str, str] = {}
        why: Message | None = None
        for tag in (*self._languages, DEFAULT):
            try:
                words, own = self._lookup(text.resource, Locale() if tag == DEFAULT else Locale.parse(tag))
            except ApkError as error:
                why = why or error.message
                continue
            if words:
                found[tag] = words
                self._speaks[tag] = self._speaks.get(tag, False) or own
        return found, None if found else why or problem("no_label")

    def shown(self, labels: Mapping[str, str]) -> str | None:
        """The one that this phone shows: of the first language that the app speaks (``LocaleList.getFirstMatch``).

        An app's default counts as English.
        """
        for tag in self._languages:
            if tag in labels and (self._speaks.get(tag) or Locale.parse(tag).language == "en"):
                return labels[tag]
        return labels.get(DEFAULT) or next(iter(labels.values()), None)

    def _lookup(self, resource: int, locale: Locale) -> tuple[str, bool]:
        """The words, and whether they are of this language rather than the default."""
        if self._table is None:
            if ARSC not in self._apk.parts:
                raise _reason(self._apk, ARSC)
            self._table = Table(self._apk.parts[ARSC].data())
        device = replace(self._device, locale=locale)
        own = False
        for _ in range(_MOST_STEPS):
            if resource >> 24 == 0x01:
                raise ApkError("resources_elsewhere")
            chosen = best(((value.config, value) for value in self._table.values(resource)), device)
            if chosen is None:
                raise ApkError("no_such_text")
            config, value = chosen
            own = own or bool(config.locale.language)
            if value.kind not in {Kind.REFERENCE, Kind.DYNAMIC_REFERENCE}:
                return self._words(self._table, value.kind, value.data), own
            resource = value.data
        raise ApkError("resources_loop")

    def _words(self, table: Table, kind: int, data: int) -> str:
        if kind == Kind.STRING:
            return table.text(data)
        if kind == Kind.DECIMAL:  # as TypedValue.coerceToString
            return str(data - (data >> 31 << 32))
        raise ApkError("no_such_text")
