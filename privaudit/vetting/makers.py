"""Code of other makers in an app: by class names, libraries and components. A sign, never proof."""

from __future__ import annotations

from collections.abc import Iterator

from privaudit.knowledge.sdks import Sdk
from privaudit.vetting.document import DetectedSdk, SdkSign
from privaudit.vetting.reading import ApkContents


def find_sdks(contents: ApkContents, known_sdks: tuple[Sdk, ...]) -> Iterator[DetectedSdk]:
    """Each of `known_sdks` of which something is there."""
    for sdk in known_sdks:
        signs = tuple(_find_sdk_signs(contents, sdk))
        if signs:
            yield DetectedSdk(
                vendor=sdk.vendor,
                names=sdk.names,
                purpose=sdk.purpose,
                collects=sdk.collects,
                lending_specific=sdk.lending_specific,
                confidence=sdk.confidence,
                note=sdk.note,
                signs=signs,
            )


def _find_sdk_signs(contents: ApkContents, sdk: Sdk) -> Iterator[SdkSign]:
    for entry, named in contents.class_hits:
        if named.prefix in sdk.classes:
            yield SdkSign(kind="class", name=named.prefix, entry=entry, classes=named.defined_class_count)
    for name in sdk.libraries:
        if name in contents.libraries:
            yield SdkSign(kind="library", name=name, entry=contents.libraries[name], classes=None)
    for name in sdk.components:
        if name in contents.manifest.components:
            yield SdkSign(kind="component", name=name, entry=None, classes=None)
