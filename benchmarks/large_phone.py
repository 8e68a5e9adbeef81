"""A phone as large as real ones: 450 packages for two Android users, generated, the same in every run."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from apk_files import grown

from privaudit.virtual_phone import apks, load_scenario
from privaudit.virtual_phone.dump_writers import appops, package_dump, text
from privaudit.virtual_phone.dump_writers.android import FLAG_BITS, OP_NUMBERS, RUNTIME_PERMISSION_OPS
from privaudit.virtual_phone.programs import build_files
from privaudit.virtual_phone.scenario.virtual import (
    InstallPermission,
    VirtualApp,
    VirtualGrant,
    VirtualInstall,
    VirtualOp,
    VirtualOpEvent,
    VirtualPhone,
)

PACKAGES: Final = 450
USERS: Final = (0, 999)
SEED: Final = 20260110
NOW: Final = datetime(2026, 1, 10, 7, 42, tzinfo=UTC)
_INSTALL_PERMISSIONS: Final = 34
"""A whole dump of a real phone lists as many for an app, on average."""
_RUNTIME: Final = 18
_OPS: Final = 12
_APK: Final = {"table": 20_000, "files": 100, "size": 300_000}
"""Small, as those of a cheap phone's apps: what each costs beside its bytes counts most."""
_STATES: Final = ("top", "fg", "bg", "cch")
_SENSITIVE: Final = "USER_SENSITIVE_WHEN_GRANTED USER_SENSITIVE_WHEN_DENIED"
_STATES_OF_GRANTS: Final = tuple(
    (granted, sum(FLAG_BITS[name] for name in names.split()))
    for granted, names in (
        (True, "SYSTEM_FIXED GRANTED_BY_DEFAULT RESTRICTION_SYSTEM_EXEMPT RESTRICTION_UPGRADE_EXEMPT"),
        (True, f"SYSTEM_FIXED GRANTED_BY_DEFAULT {_SENSITIVE}"),
        (True, "GRANTED_BY_DEFAULT REVOKE_WHEN_REQUESTED RESTRICTION_SYSTEM_EXEMPT RESTRICTION_UPGRADE_EXEMPT"),
        (True, f"GRANTED_BY_DEFAULT {_SENSITIVE}"),
        (True, f"USER_SET {_SENSITIVE}"),
        (True, _SENSITIVE),
        (True, "USER_SENSITIVE_WHEN_GRANTED GRANTED_BY_ROLE"),
        (False, f"USER_SET {_SENSITIVE}"),
        (False, f"USER_SET USER_FIXED {_SENSITIVE}"),
        (False, f"USER_SET REVOKED_COMPAT GRANTED_BY_DEFAULT {_SENSITIVE}"),
        (False, f"USER_SET {_SENSITIVE} 524288"),
        (False, f"{_SENSITIVE} APPLY_RESTRICTION"),
        (False, _SENSITIVE),
        (False, "RESTRICTION_UPGRADE_EXEMPT"),
    )
)
"""What stands beside a permission on phones of Android 12 to 16. An app that sets flags of its own there is none."""


def phone(packages: int = PACKAGES) -> VirtualPhone:
    """The borrower's phone with `packages` invented apps in place of its own."""
    dice = random.Random(SEED)  # noqa: S311 - no secret
    story = load_scenario("borrower")
    shared = {app.package for app in story.apps if app.shared_user is not None}
    kept = tuple(app for app in story.apps if app.package in shared)
    made = tuple(_app(number, dice) for number in range(packages - len(kept)))
    return replace(story, apps=(*kept, *made))


def _app(number: int, dice: random.Random) -> VirtualApp:
    package = f"com.example.made{number:04}.{dice.choice(('app', 'fun', 'pay'))}"
    others = [f"android.permission.MADE_{row}" for row in range(_INSTALL_PERMISSIONS)]
    runtime = dice.sample(sorted(RUNTIME_PERMISSION_OPS), _RUNTIME)
    installs = {user: _install(user, runtime, dice) for user in USERS}
    system = number % 2 == 0
    like = model(package)
    return VirtualApp(
        package=package,
        app_id=10_300 + number,
        code_path=f"/system/app/Made{number}" if system else f"/data/app/~~{number:022}==/{package}-{number:022}==",
        version_code=int(like.removesuffix(".apk").rpartition("-")[2]),
        version_name=f"{number}.{dice.randrange(99)}",
        flags=("SYSTEM", "HAS_CODE") if system else ("HAS_CODE", "ALLOW_BACKUP"),
        updated=datetime(2025, 5, 1 + number % 28, 10, 0, 0),  # noqa: DTZ001 - the phone's own time
        installer=None if system else "com.android.vending",
        requested_permissions=(*others, *runtime),
        install_permissions=tuple(InstallPermission(name=name) for name in others),
        installs=installs,
    )


def _install(user: int, runtime: list[str], dice: random.Random) -> VirtualInstall:
    ops = dice.sample(sorted(OP_NUMBERS), _OPS)
    return VirtualInstall(
        user=user,
        first_installed=datetime(2025, 4, 1, 9, 0, 0),  # noqa: DTZ001 - the phone's own time
        grants=tuple(
            VirtualGrant(name=name, granted=granted, flags=flags)
            for name, (granted, flags) in zip(runtime, dice.choices(_STATES_OF_GRANTS, k=len(runtime)), strict=True)
        ),
        uid_modes=dict.fromkeys(dice.sample(sorted(OP_NUMBERS), 4), "ignore"),
        ops=tuple(VirtualOp(name=op, mode=dice.choice(("allow", "ignore")), events=_events(dice)) for op in ops),
    )


def _events(dice: random.Random) -> tuple[VirtualOpEvent, ...]:
    states = dice.sample(_STATES, dice.randrange(1, 4))
    return tuple(
        VirtualOpEvent(
            age=timedelta(seconds=dice.randrange(1, 30_000_000), milliseconds=dice.randrange(1000)), state=state
        )
        for state in states
    )


def model(package: str) -> str:
    """The demo's APK that a made app's is made from: one whose package is as long."""
    same = [
        name
        for name, content in sorted(apks.load_apks().items())
        if len(name.rpartition("-")[0]) == len(package) and b"resources.arsc" in content
    ]
    return same[zlib.crc32(package.encode()) % len(same)]


def files_of(made: VirtualPhone) -> Mapping[str, bytes]:
    """The phone's files; each of the owner's apps has an APK of its own that can be read."""
    found = dict(build_files(made))
    for app in made.apps:
        if not app.is_system and app.package.startswith("com.example.made"):
            like = model(app.package)
            called = like.rpartition("-")[0], app.package
            found[app.apk_path] = grown(apks.load_apks()[like], **_APK, called=called)
    return found


def whole_packages(made: VirtualPhone) -> str:
    """``dumpsys package``."""
    return package_dump.format_package_dump(made)


def app_ops(made: VirtualPhone) -> str:
    """``dumpsys appops``."""
    return appops.format_appops_dump(made, made.device_time(NOW))


def listed(made: VirtualPhone, user: int) -> str:
    """``pm list packages -f -i -U``."""
    rows = [(app, (user,)) for app in made.apps]
    return text.format_package_list(rows, path=True, version=False, installer=True, uid=True)
