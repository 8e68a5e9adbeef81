"""Check: special access lets this app read messages or the screen."""

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.findings import severity
from privaudit.findings.context import CheckContext
from privaudit.findings.unrecognised import is_reported_reader
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, Finding, Message, Severity

_KEYS: Final[Mapping[str, str]] = {
    "accessibility": "special_access.accessibility",
    "notification_listener": "special_access.notification_listener",
    "default_sms": "special_access.default_sms",
    "default_phone": "special_access.default_phone",
    "input_method": "special_access.input_method",
    "device_admin": "special_access.device_admin",
    "device_owner": "special_access.device_owner",
    "profile_owner": "special_access.profile_owner",
    "overlay": "special_access.overlay",
    "usage": "special_access.usage",
    "all_files": "special_access.all_files",
    "install_packages": "special_access.install_packages",
}
"""Kind of `privaudit.model.SpecialAccess` → sentence."""
_READING_KINDS: Final = frozenset({"default_phone"})
"""Kinds that open data like a permission does, and have the severity of one."""


def check(app: App, context: CheckContext) -> Iterator[Finding]:
    """Yield a finding for each special access of lending, listed, named and reported unrecognised apps."""
    if not app.is_reported and not is_reported_reader(app, context):
        return
    for access in app.special_access:
        message = Message(key=_KEYS[access.kind], values={"app": display_name(app.label, app.package)})
        yield context.build_finding(app, "special_access", _severity_for(app, access.kind), message, access.kind)


def _severity_for(app: App, kind: str) -> Severity:
    if kind in _READING_KINDS:
        return severity.for_readable(app) if app.is_reported else severity.SEVERITY["suspect"]
    if kind in severity.HIGH_RISK_ROUTES:
        return severity.SEVERITY["side_door" if app.is_reported else "suspect"]
    return severity.SEVERITY["other"]
