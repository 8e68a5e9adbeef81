"""Turn facts into findings. One check, one file: a module here with ``check(app, context)`` is a check."""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, TypeVar

from privaudit.capture.model import Capture
from privaudit.findings.context import CheckContext
from privaudit.findings.lending import recognise_lending
from privaudit.knowledge import Knowledge
from privaudit.model import App, AppSummary, Facts, Finding, SignatureMatch

_NEVER_READ_AGE_S: Final = 1 << 62
"""Sorts apps without a recorded read behind all others."""

Check = Callable[[App, CheckContext], Iterator[Finding]]
AppT = TypeVar("AppT", App, AppSummary)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResults:
    """What the checks found."""

    apps: tuple[App, ...]
    """Every app with its listings, recognised as lending or not."""
    findings: tuple[Finding, ...]
    """In the order in which to act on them."""


def run_checks(
    capture: Capture,
    facts: Facts,
    knowledge: Knowledge,
    *,
    include_unrecognised: bool = False,
    all_packages: frozenset[str] | None = None,
    named_packages: Collection[str] = (),
) -> CheckResults:
    """Recognise each app of `facts` and run every check on it; evidence is quoted from `capture`.

    `facts` holds the apps that a report may name; `all_packages` is every package on the phone, ``None``: the same;
    `named_packages` are those that the user asked for.
    """
    context = CheckContext(
        capture=capture,
        facts=facts,
        knowledge=knowledge,
        include_unrecognised=include_unrecognised,
        all_packages=frozenset(app.package for app in facts.apps) if all_packages is None else all_packages,
    )
    apps = recognise_apps(facts.apps, knowledge, named_packages)
    checks = _checks()
    findings = [finding for app in apps for check in checks for finding in check(app, context)]
    read_ages = {(app.package, app.user): _last_read_age_s(app) for app in apps}
    findings.sort(key=lambda f: (f.severity.order, read_ages[f.package, f.user], f.package, f.user, f.rule))
    return CheckResults(apps=apps, findings=tuple(findings))


def recognise_apps(
    apps: Iterable[AppT], knowledge: Knowledge, named_packages: Collection[str] = ()
) -> tuple[AppT, ...]:
    """Return each app with its listings, the verdict whether it is a lending app, and whether the user named it."""
    return tuple(
        replace(app, named_by_user=True) if app.package in named_packages else app
        for app in (_recognise_app(app, knowledge) for app in apps)
    )


def find_signature_matches(app: App | AppSummary, knowledge: Knowledge) -> tuple[SignatureMatch, ...]:
    """Return every listing of an app: by its package, its APK file and its signers."""
    matches = knowledge.find_matches("package", app.package)
    if app.apk_sha256 is not None:
        matches += knowledge.find_matches("apk_sha256", app.apk_sha256)
    for digest in app.certificates_sha256:
        matches += knowledge.find_matches("certificate", digest)
    return matches


def _recognise_app(app: AppT, knowledge: Knowledge) -> AppT:
    listed = find_signature_matches(app, knowledge)
    if listed != app.listed:
        app = replace(app, listed=listed)
    lending = recognise_lending(app, knowledge)
    if isinstance(app, App):
        return replace(app, lending=lending, installer_name=knowledge.stores.get(app.installer or ""))
    return app if lending == app.lending else replace(app, lending=lending)


@cache
def _checks() -> tuple[Check, ...]:
    """Find the checks by the file names of this folder."""
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return tuple(module.check for module in modules if hasattr(module, "check"))


def _last_read_age_s(app: App) -> int:
    """Return the seconds since the last recorded read. It orders findings of one severity and never changes it."""
    ages = [access.last_read_age_s for access in app.access.values() if access.last_read_age_s is not None]
    return min(ages, default=_NEVER_READ_AGE_S)
