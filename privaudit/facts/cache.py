"""Cache the apps of a phone while its capture grows, so that no APK is parsed and no app is built twice."""

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
"""Keys of the answers that describe a single app."""


class _TrackedManifestLookup:
    """Looks up requested permissions in an app's manifest, and records whether anything was looked up."""

    def __init__(self, apk: ApkInfo | None, sdk: int | None) -> None:
        self._apk, self._sdk = apk, sdk
        self.was_used = False

    def request_state(self, permission: str) -> RequestedState:
        """Return whether the manifest requests `permission`; unknown without a manifest."""
        self.was_used = True
        return RequestedState.UNKNOWN if self._apk is None else self._apk.request_state(permission, self._sdk)


@dataclass(frozen=True, slots=True)
class _CachedApp:
    """An app, the locations of its facts, and the inputs that it does not share with other apps."""

    package_answer: Answer | None
    apk: ApkInfo | None
    depends_on_manifest: bool
    """Whether `app_without_apk` depends on the manifest in `apk`."""
    app_without_apk: App
    app: App
    locations: FactLocations


class AppCache:
    """Cached apps of one phone. The facts of its capture are gathered after each round of questions.

    An app is rebuilt if its own dump has changed, or if its APK has changed and the manifest was needed. If any other
    answer has changed, all apps are rebuilt.
    """

    def __init__(self) -> None:
        self.apk_reader = apk_facts.ApkInfoReader()
        self.recognition_cache: dict[tuple[str, int], tuple[App, App]] = {}
        """For `privaudit.findings.recognise_apps`."""
        self._taken_at: datetime | None = None
        self._shared_answers: Mapping[str, Answer] = {}
        self._cached_apps: dict[tuple[str, int], _CachedApp] = {}

    def invalidate(self, capture: Capture) -> None:
        """Drop the cached apps unless `capture` has the same answers that all apps share."""
        shared = {key: answer for key, answer in capture.answers.items() if not key.startswith(_PACKAGE_KEY_PREFIX)}
        same = shared.keys() == self._shared_answers.keys() and all(
            self._shared_answers[key] is answer for key, answer in shared.items()
        )
        if not same or capture.taken_at != self._taken_at:
            self._cached_apps = {}
        self._shared_answers, self._taken_at = shared, capture.taken_at

    def build_apps(
        self, capture: Capture, inputs: AppInputs, apks: Mapping[str, ApkInfo], user: int, locations: FactLocations
    ) -> Iterator[App]:
        """Yield the apps that `user` has installed, with their labels. `locations` is updated for each."""
        for name in apps.installed_packages(inputs, user):
            answer, apk = capture.answers.get(f"{_PACKAGE_KEY_PREFIX}{name}"), apks.get(name)
            cached = self._cached_apps.get((name, user))
            if (
                cached is None
                or cached.package_answer is not answer
                or (cached.depends_on_manifest and cached.apk is not apk)
            ):
                manifest, own_locations = _TrackedManifestLookup(apk, inputs.sdk), FactLocations()
                without_apk = apps.build_app(inputs, name, user, manifest.request_state, own_locations)
                app = apk_facts.apply_apk_info(without_apk, apk, inputs.sdk)
                cached = _CachedApp(answer, apk, manifest.was_used, without_apk, app, own_locations)
            elif cached.apk is not apk:
                app = apk_facts.apply_apk_info(cached.app_without_apk, apk, inputs.sdk)
                cached = replace(cached, apk=apk, app=app)
            self._cached_apps[name, user] = cached
            locations.update(cached.locations)
            yield cached.app
