"""A right beside the permission list lets this app read messages or the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.findings import Ground, severity
from privaudit.findings.suspect import is_named
from privaudit.language import name_of
from privaudit.model import App, Finding, Message

WORDS: Final[Mapping[str, str]] = {
    "accessibility": (
        "“{app}” has accessibility access."
        " That allows an app to read the screen, messages among it, and to tap for you."
    ),
    "notification_listener": (
        "“{app}” has notification access. That allows an app to read messages that appear as notifications."
    ),
    "default_sms": "“{app}” is the default SMS app. That allows it to read all SMS as long as it is.",
    "default_phone": "“{app}” is the default phone app. That allows it to read the call log as long as it is.",
    "input_method": "“{app}” is the keyboard: it sees what is typed.",
    "device_admin": "“{app}” is a device administrator: it must be deactivated before it can be uninstalled.",
    "device_owner": (
        "“{app}” manages this whole phone. That can be part of a purchase by instalments or of a job."
        " Do not remove it; ask a lawyer or legal aid first."
    ),
    "profile_owner": (
        "“{app}” manages a work profile on this phone. It may belong to a job. Ask there before you remove anything."
    ),
    "overlay": "“{app}” may draw over other apps: what you see and tap may be its own.",
    "usage": "“{app}” can see which apps you use, and when.",
    "all_files": "“{app}” can read all files in the shared storage: photos, downloads, backups.",
    "install_packages": "“{app}” may install other apps, when you say yes to the phone's question.",
}
_READS: Final = frozenset({"default_phone"})


def judge(app: App, ground: Ground) -> Iterator[Finding]:
    """One finding a right, of lending and listed apps, and of suspect ones that their owner asked to see."""
    if not app.recognised and not is_named(app, ground):
        return
    for held in app.special_access:
        grade = severity.TABLE[_ground(app, held.kind)]
        if held.kind in _READS:
            grade = severity.of_reading(app) if app.recognised else severity.TABLE["suspect"]
        yield Finding(
            rule="special_access",
            severity=grade,
            package=app.package,
            user=app.user,
            message=Message(key=f"special_access.{held.kind}", values={"app": name_of(app.label, app.package)}),
            evidence=ground.evidence(app, held.kind, "package"),
            steps=(),
        )


def _ground(app: App, kind: str) -> str:
    if kind not in severity.SIDE_DOORS:
        return "other"
    return "side_door" if app.recognised else "suspect"
