"""What was read of a phone before, so that nothing is read twice while its capture grows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from privaudit.apk.info import ApkInfo
from privaudit.capture.answers import Answer
from privaudit.capture.model import Capture
from privaudit.facts import apk_facts, apps
from privaudit.facts.apps import AppInputs, FactLocations
from privaudit.model import App, RequestedState

_PACKAGE_KEY_PREFIX = "package."
"""Keys of the answers that each tell of one app, and of no other."""


class _TrackedManifestLookup:
    """What the file of an app says that it asks for, and whether that was wanted."""

    def __init__(self, apk: ApkInfo | None, sdk: int | None) -> None:
        self._apk, self._sdk = apk, sdk
        self.was_used = False

    def request_state(self, permission: str) -> RequestedState:
        self.was_used = True
        return RequestedState.UNKNOWN if self._apk is None else self._apk.request_state(permission, self._sdk)


@dataclass(frozen=True, slots=True)
class _CachedApp:
    """An app, where its facts stand, and what it was built from beside what all apps share."""

    package_answer: Answer | None
    apk: ApkInfo | None
    depends_on_manifest: bool
    """Whether anything about `unnamed` rests on `apk`."""
    app_without_apk: App
    app: App
    locations: FactLocations


class AppCache:
    """Of one visit to one phone: the facts of a capture are gathered after each round of asking.

    An app is built anew where its own dump says something new, or its APK what the phone does not say; all are where
    anything else does.
    """

    def __init__(self) -> None:
        self.apk_reader = apk_facts.ApkInfoReader()
        self.recognition_cache: dict[tuple[str, int], tuple[App, App]] = {}
        """For `privaudit.findings`: each app, and what it came to."""
        self._taken_at: datetime | None = None
        self._shared_answers: Mapping[str, Answer] = {}
        self._cached_apps: dict[tuple[str, int], _CachedApp] = {}

    def invalidate(self, capture: Capture) -> None:
        """Forget what rests on answers that `capture` does not hold."""
        shared = {key: answer for key, answer in capture.answers.items() if not key.startswith(_PACKAGE_KEY_PREFIX)}
        same = shared.keys() == self._shared_answers.keys() and all(
            self._shared_answers[key] is one for key, one in shared.items()
        )
        if not same or capture.taken_at != self._taken_at:
            self._cached_apps = {}
        self._shared_answers, self._taken_at = shared, capture.taken_at

    def build_apps(
        self, capture: Capture, inputs: AppInputs, apks: Mapping[str, ApkInfo], user: int, locations: FactLocations
    ) -> Iterator[App]:
        """Apps installed for `user`, with their names. `locations` is filled with where each fact stands."""
        for name in apps.installed_packages(inputs, user):
            own, apk = capture.answers.get(f"{_PACKAGE_KEY_PREFIX}{name}"), apks.get(name)
            built = self._cached_apps.get((name, user))
            if built is None or built.package_answer is not own or (built.depends_on_manifest and built.apk is not apk):
                manifest, stands = _TrackedManifestLookup(apk, inputs.sdk), FactLocations()
                unnamed = apps.build_app(inputs, name, user, manifest.request_state, stands)
                app = apk_facts.apply_apk_info(unnamed, apk, inputs.sdk)
                built = self._cached_apps[name, user] = _CachedApp(own, apk, manifest.was_used, unnamed, app, stands)
            elif built.apk is not apk:
                app = apk_facts.apply_apk_info(built.app_without_apk, apk, inputs.sdk)
                built = self._cached_apps[name, user] = replace(built, apk=apk, app=app)
            locations.update(built.locations)
            yield built.app
