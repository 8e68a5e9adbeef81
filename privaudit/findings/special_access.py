"""A right beside the permission list lets this app read messages or the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.findings import Ground, severity
from privaudit.model import App, Finding, Message

WORDS: Final[Mapping[str, str]] = {
    "accessibility": "“{app}” has accessibility access: it can read the screen, messages among it, and tap for you.",
    "notification_listener": "“{app}” has notification access: it can read every message that appears as a notification.",
    "default_sms": "“{app}” is the default SMS app: it can read every SMS, whatever the permission page shows.",
    "default_phone": "“{app}” is the default phone app: it can read the call log, whatever the permission page shows.",
    "input_method": "“{app}” is the keyboard: it sees what is typed.",
    "device_admin": "“{app}” is a device administrator: it must be deactivated before it can be uninstalled.",
    "device_owner": (
        "“{app}” manages this whole phone. That can be part of a purchase by instalments or of a job."
        " Do not remove it; ask a lawyer or legal aid first."
    ),
}
_SIDE_DOORS: Final = frozenset({"accessibility", "notification_listener", "default_sms"})
_READS: Final = frozenset({"default_phone"})


def judge(app: App, ground: Ground) -> Iterator[Finding]:
    """One finding a right, of lending and listed apps alone."""
    if not app.recognised:
        return
    for held in app.special_access:
        name = "side_door" if held.kind in _SIDE_DOORS else "reads" if held.kind in _READS else "other"
        yield Finding(
            rule="special_access",
            severity=severity.TABLE[name],
            package=app.package,
            user=app.user,
            message=Message(key=f"special_access.{held.kind}", values={"app": app.label or app.package}),
            evidence=ground.evidence(app, held.kind, "package"),
            steps=(),
        )
