"""Code of other makers in an app: by class names, libraries and components. A sign, never proof."""

from __future__ import annotations

from collections.abc import Iterator

from privaudit.knowledge.sdks import Sdk
from privaudit.vetting.document import SdkFound, Sign
from privaudit.vetting.reading import Read


def found(read: Read, known: tuple[Sdk, ...]) -> Iterator[SdkFound]:
    """Each of `known` of which something is there."""
    for sdk in known:
        signs = tuple(_signs(read, sdk))
        if signs:
            yield SdkFound(
                vendor=sdk.vendor,
                names=sdk.names,
                purpose=sdk.purpose,
                collects=sdk.collects,
                lending_specific=sdk.lending_specific,
                confidence=sdk.confidence,
                note=sdk.note,
                signs=signs,
            )


def _signs(read: Read, sdk: Sdk) -> Iterator[Sign]:
    for entry, named in read.classes:
        if named.prefix in sdk.classes:
            yield Sign(kind="class", name=named.prefix, entry=entry, classes=named.classes)
    for name in sdk.libraries:
        if name in read.libraries:
            yield Sign(kind="library", name=name, entry=read.libraries[name], classes=None)
    for name in sdk.components:
        if name in read.manifest.components:
            yield Sign(kind="component", name=name, entry=None, classes=None)
