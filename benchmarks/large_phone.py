"""A virtual phone as large as real ones: 450 generated packages for two Android users, the same in every run."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.apk_files import enlarge_apk
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.dump_writers import appops
from privaudit.virtual_phone.dump_writers import package_dump as package_dump_writer
from privaudit.virtual_phone.programs import build_files, load_apks
from privaudit.virtual_phone.release import FLAG_BITS, OP_NUMBERS, RUNTIME_PERMISSION_OPS
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
"""As many as a dump of a real phone lists for an app, on average."""
_RUNTIME_PERMISSIONS: Final = 18
_OPS: Final = 12
_APK_SIZE: Final = {"table_bytes": 20_000, "files": 100, "total_bytes": 300_000}
"""Small, as those of a cheap phone's apps: what an APK costs apart from its bytes counts most."""
_PROCESS_STATES: Final = ("top", "fg", "bg", "cch")
_SENSITIVE: Final = "USER_SENSITIVE_WHEN_GRANTED USER_SENSITIVE_WHEN_DENIED"
_GRANT_STATES: Final = tuple(
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
"""Grant and flags of permissions, as seen on phones of Android 12 to 16."""


def build_phone(packages: int = PACKAGES) -> VirtualPhone:
    """Return the phone of the scenario "borrower" with generated apps instead of its own: `packages` in all."""
    rng = random.Random(SEED)  # noqa: S311 - no secret
    scenario = load_scenario("borrower")
    shared = tuple(app for app in scenario.apps if app.shared_user is not None)
    generated = tuple(_app(number, rng) for number in range(packages - len(shared)))
    return replace(scenario, apps=(*shared, *generated))


def _app(number: int, rng: random.Random) -> VirtualApp:
    package = f"com.example.made{number:04}.{rng.choice(('app', 'fun', 'pay'))}"
    install_permissions = [f"android.permission.MADE_{number}" for number in range(_INSTALL_PERMISSIONS)]
    runtime = rng.sample(sorted(RUNTIME_PERMISSION_OPS), _RUNTIME_PERMISSIONS)
    installs = {user: _install(user, runtime, rng) for user in USERS}
    is_system = number % 2 == 0
    template = template_apk(package)
    return VirtualApp(
        package=package,
        app_id=10_300 + number,
        code_path=f"/system/app/Made{number}" if is_system else f"/data/app/~~{number:022}==/{package}-{number:022}==",
        version_code=int(template.removesuffix(".apk").rpartition("-")[2]),
        version_name=f"{number}.{rng.randrange(99)}",
        flags=("SYSTEM", "HAS_CODE") if is_system else ("HAS_CODE", "ALLOW_BACKUP"),
        updated=datetime(2025, 5, 1 + number % 28, 10, 0, 0),  # noqa: DTZ001 - the phone's own time
        installer=None if is_system else "com.android.vending",
        requested_permissions=(*install_permissions, *runtime),
        install_permissions=tuple(InstallPermission(name=name) for name in install_permissions),
        installs=installs,
    )


def _install(user: int, runtime: list[str], rng: random.Random) -> VirtualInstall:
    ops = rng.sample(sorted(OP_NUMBERS), _OPS)
    return VirtualInstall(
        user=user,
        first_installed=datetime(2025, 4, 1, 9, 0, 0),  # noqa: DTZ001 - the phone's own time
        grants=tuple(
            VirtualGrant(name=name, granted=granted, flags=flags)
            for name, (granted, flags) in zip(runtime, rng.choices(_GRANT_STATES, k=len(runtime)), strict=True)
        ),
        uid_modes=dict.fromkeys(rng.sample(sorted(OP_NUMBERS), 4), "ignore"),
        ops=tuple(VirtualOp(name=op, mode=rng.choice(("allow", "ignore")), events=_events(rng)) for op in ops),
    )


def _events(rng: random.Random) -> tuple[VirtualOpEvent, ...]:
    states = rng.sample(_PROCESS_STATES, rng.randrange(1, 4))
    return tuple(
        VirtualOpEvent(
            age=timedelta(seconds=rng.randrange(1, 30_000_000), milliseconds=rng.randrange(1000)), state=state
        )
        for state in states
    )


def template_apk(package: str) -> str:
    """Return the demo APK that the APK of a generated app is made from: one with a package name of the same length."""
    names = [
        name
        for name, content in sorted(load_apks().items())
        if len(name.rpartition("-")[0]) == len(package) and b"resources.arsc" in content
    ]
    return names[zlib.crc32(package.encode()) % len(names)]


def phone_files(phone: VirtualPhone) -> Mapping[str, bytes]:
    """Return the phone's files: each of the owner's apps has a readable APK of its own."""
    files = dict(build_files(phone))
    for app in phone.apps:
        if not app.is_system and app.package.startswith("com.example.made"):
            template = template_apk(app.package)
            rename = template.rpartition("-")[0], app.package
            files[app.apk_path] = enlarge_apk(load_apks()[template], **_APK_SIZE, rename=rename)
    return files


def package_dump(phone: VirtualPhone) -> str:
    """Return ``dumpsys package``."""
    return package_dump_writer.format_package_dump(phone)


def appops_dump(phone: VirtualPhone) -> str:
    """Return ``dumpsys appops``."""
    return appops.format_appops_dump(phone, phone.device_time(NOW))
