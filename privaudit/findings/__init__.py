"""Turn facts into findings. One check, one file: a module here with ``check(app, context)`` is a check."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from privaudit.capture.model import Capture
from privaudit.findings.context import CheckContext
from privaudit.findings.lending import recognise_lending
from privaudit.findings.unrecognised import is_unrecognised_reader
from privaudit.knowledge import Knowledge
from privaudit.model import App, Facts, Finding, SignatureMatch

_NEVER_READ_AGE_S: Final = 1 << 62
"""Sorts apps without a recorded read behind all others."""

Check = Callable[[App, CheckContext], Iterator[Finding]]
RecognitionCache = dict[tuple[str, int], tuple[App, App]]
"""Package and user → the app as gathered, and as recognised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResults:
    """What the checks found."""

    apps: tuple[App, ...]
    """Every app with its listings, recognised as lending or not."""
    findings: tuple[Finding, ...]
    """In the order in which to act on them."""
    unrecognised_count: int
    """Number of packages that can read data and are not recognised, reported by name or not."""


def run_checks(
    capture: Capture,
    facts: Facts,
    knowledge: Knowledge,
    *,
    include_unrecognised: bool = False,
    recognition_cache: RecognitionCache | None = None,
) -> CheckResults:
    """Recognise each app and run every check on it.

    Args:
        capture: what the evidence is quoted from.
        facts: gathered from `capture`.
        knowledge: lists, vocabulary and rules.
        include_unrecognised: whether to report apps that can read data and are not recognised.
        recognition_cache: see `recognise_apps`.
    """
    context = CheckContext(
        capture=capture,
        facts=facts,
        knowledge=knowledge,
        include_unrecognised=include_unrecognised,
        all_packages=frozenset(app.package for app in facts.apps),
    )
    apps = recognise_apps(facts, knowledge, recognition_cache)
    checks = _checks()
    findings = [finding for app in apps for check in checks for finding in check(app, context)]
    read_ages = {(app.package, app.user): _last_read_age_s(app) for app in apps}
    findings.sort(key=lambda f: (f.severity.order, read_ages[f.package, f.user], f.package, f.user, f.rule))
    unrecognised = {app.package for app in apps if is_unrecognised_reader(app, context)}
    return CheckResults(apps=apps, findings=tuple(findings), unrecognised_count=len(unrecognised))


def recognise_apps(
    facts: Facts, knowledge: Knowledge, recognition_cache: RecognitionCache | None = None
) -> tuple[App, ...]:
    """Return every app with its listings, recognised as lending or not.

    Args:
        facts: of a phone.
        knowledge: lists and vocabulary.
        recognition_cache: earlier results with the same `knowledge`; updated. An app is looked up again only if its
            facts have changed.
    """
    recognition_cache = {} if recognition_cache is None else recognition_cache
    for app in facts.apps:
        cached = recognition_cache.get((app.package, app.user))
        if cached is None or cached[0] is not app:
            recognition_cache[app.package, app.user] = app, _recognise_app(app, knowledge)
    return tuple(recognition_cache[app.package, app.user][1] for app in facts.apps)


def find_signature_matches(app: App, knowledge: Knowledge) -> tuple[SignatureMatch, ...]:
    """Return every listing of an app: by its package, its APK file and its signers."""
    matches = knowledge.match_package(app.package)
    if app.apk_sha256 is not None:
        matches += knowledge.match_apk(app.apk_sha256)
    for digest in app.certificates_sha256:
        matches += knowledge.match_certificate(digest)
    return matches


def _recognise_app(app: App, knowledge: Knowledge) -> App:
    listed = find_signature_matches(app, knowledge)
    lending = recognise_lending(replace(app, listed=listed) if listed else app, knowledge)
    return replace(app, listed=listed, installer_name=knowledge.stores.get(app.installer or ""), lending=lending)


@cache
def _checks() -> tuple[Check, ...]:
    """Find the checks by the file names of this folder."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return tuple(module.check for module in modules if hasattr(module, "check"))


def _last_read_age_s(app: App) -> int:
    """Return the seconds since the last recorded read. It orders findings of one severity and never changes it."""
    ages = [access.last_read_age_s for access in app.access.values() if access.last_read_age_s is not None]
    return min(ages, default=_NEVER_READ_AGE_S)
