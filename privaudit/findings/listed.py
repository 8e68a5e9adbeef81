"""Check: a published list has the package name, the file or the certificate of this app. It may be another app."""

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.findings import severity
from privaudit.findings.context import CheckContext
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, Finding, Message, Severity, SignatureMatch

_KEYS: Final[Mapping[tuple[str, str], str]] = {
    ("A", "package"): "listed.A",
    ("B", "package"): "listed.B",
    ("N", "package"): "listed.N",
    ("A", "apk_sha256"): "listed.A_apk_sha256",
    ("B", "apk_sha256"): "listed.B_apk_sha256",
    ("N", "apk_sha256"): "listed.N_apk_sha256",
    ("A", "certificate"): "listed.A_certificate",
    ("B", "certificate"): "listed.B_certificate",
    ("N", "certificate"): "listed.N_certificate",
}
"""Tier of the list and what matched → sentence."""


def check(app: App, context: CheckContext) -> Iterator[Finding]:
    """Yield a finding for each listing."""
    for match in app.listed:
        yield context.build_finding(app, "listed", severity_for(app, match), message_for(app, match))


def message_for(app: App, match: SignatureMatch) -> Message:
    """Return the sentence about a listing of an app."""
    return Message(
        key="listed.own" if match.tier == "own" else _KEYS[match.tier, match.match],
        values={
            "app": display_name(app.label, app.package),
            "publisher": match.publisher,
            "action": match.action,
            "title": match.title,
            "dated_on": match.date or Message(key="listed.undated"),
        },
    )


def severity_for(app: App, match: SignatureMatch) -> Severity:
    """Return the severity of a listing, which depends on what the app can read now."""
    if match.tier == "N":
        return severity.SEVERITY["notified"]
    if match.tier == "own":
        return severity.for_access(app)
    grade = severity.SEVERITY["listed_reads" if severity.readable_data(app) else "listed_closed"]
    return severity.one_lower(grade) if match.disputed else grade
