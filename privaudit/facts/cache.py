"""What was read of a phone before, so that nothing is read twice while its capture grows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from privaudit.apk.info import ApkFacts
from privaudit.capture import Capture
from privaudit.capture.answers import Answer
from privaudit.facts import apk_facts, apps
from privaudit.facts.app_sources import Places, Sources
from privaudit.model import App, Requested

_OWN = "package."
"""Keys of the answers that each tell of one app, and of no other."""


class _Manifest:
    """What the file of an app says that it asks for, and whether that was wanted."""

    def __init__(self, apk: ApkFacts | None, sdk: int | None) -> None:
        self._apk, self._sdk = apk, sdk
        self.wanted = False

    def requested(self, permission: str) -> Requested:
        self.wanted = True
        return Requested.UNKNOWN if self._apk is None else self._apk.requested(permission, self._sdk)


@dataclass(frozen=True, slots=True)
class _Built:
    """An app, where its facts stand, and what it was built from beside what all apps share."""

    own: Answer | None
    apk: ApkFacts | None
    by_manifest: bool
    """Whether anything about `unnamed` rests on `apk`."""
    unnamed: App
    app: App
    places: Places


class Memory:
    """Of one visit to one phone: the facts of a capture are gathered after each round of asking.

    An app is built anew where its own dump says something new, or its APK what the phone does not say; all are where
    anything else does.
    """

    def __init__(self) -> None:
        self.reader = apk_facts.Reader()
        self.recognised: dict[tuple[str, int], tuple[App, App]] = {}
        """For `privaudit.findings`: each app, and what it came to."""
        self._taken_at: datetime | None = None
        self._shared: Mapping[str, Answer] = {}
        self._built: dict[tuple[str, int], _Built] = {}

    def begin(self, capture: Capture) -> None:
        """Forget what rests on answers that `capture` does not hold."""
        shared = {key: answer for key, answer in capture.answers.items() if not key.startswith(_OWN)}
        same = shared.keys() == self._shared.keys() and all(self._shared[key] is one for key, one in shared.items())
        if not same or capture.taken_at != self._taken_at:
            self._built = {}
        self._shared, self._taken_at = shared, capture.taken_at

    def apps(
        self, capture: Capture, sources: Sources, apks: Mapping[str, ApkFacts], user: int, places: Places
    ) -> Iterator[App]:
        """Apps installed for `user`, with their names. `places` is filled with where each fact stands."""
        for name in apps.installed(sources, user):
            own, apk = capture.answers.get(f"{_OWN}{name}"), apks.get(name)
            built = self._built.get((name, user))
            if built is None or built.own is not own or (built.by_manifest and built.apk is not apk):
                manifest, stands = _Manifest(apk, sources.sdk), Places()
                unnamed = apps.build(sources, name, user, manifest.requested, stands)
                app = apk_facts.named(unnamed, apk, sources.sdk)
                built = self._built[name, user] = _Built(own, apk, manifest.wanted, unnamed, app, stands)
            elif built.apk is not apk:
                app = apk_facts.named(built.unnamed, apk, sources.sdk)
                built = self._built[name, user] = replace(built, apk=apk, app=app)
            places.update(built.places)
            yield built.app
