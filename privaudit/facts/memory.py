"""What was read of a phone before, so that nothing is read twice while its capture grows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from privaudit.capture import Capture
from privaudit.capture.answers import Answer
from privaudit.facts import apps, names
from privaudit.facts.apk import ApkFacts
from privaudit.facts.apps import Places, Sources
from privaudit.model import App

_OWN = "package."
"""Keys of the answers that each tell of one app, and of no other."""


@dataclass(frozen=True, slots=True)
class _Built:
    """An app, where its facts stand, and what it was built from beside what all apps share."""

    own: Answer | None
    apk: ApkFacts | None
    app: App
    places: Places


class Memory:
    """Of one visit to one phone: the facts of a capture are gathered after each round of asking.

    An app is built anew where its own dump or its APK says something new, and all are where anything else does.
    """

    def __init__(self) -> None:
        self.reader = names.Reader()
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

    def apps(self, capture: Capture, sources: Sources, user: int, places: Places) -> Iterator[App]:
        """Apps installed for `user`, with their names. `places` is filled with where each fact stands."""
        for name in apps.installed(sources, user):
            own, apk = capture.answers.get(f"{_OWN}{name}"), sources.apks.get(name)
            built = self._built.get((name, user))
            if built is None or built.own is not own or built.apk is not apk:
                stands: Places = {}
                app = names.named(apps.build(sources, name, user, stands), apk, sources.sdk)
                built = self._built[name, user] = _Built(own, apk, app, stands)
            places.update(built.places)
            yield built.app
