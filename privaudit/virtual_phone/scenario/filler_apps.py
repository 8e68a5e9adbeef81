"""Filler apps, out of ``filler_apps.toml``: a scenario asks for the first ``count`` of them with ``[ordinary]``.

Its ``seed`` decides what the owner allowed each of them and when it was installed, the same in every run.
"""

import tomllib
from datetime import datetime, timedelta
from functools import cache
from hashlib import blake2s
from importlib import resources
from typing import Any, Final

from privaudit.virtual_phone.release.android import PERMISSION_FIRST_SDK, full_permission_name
from privaudit.virtual_phone.scenario.schema import AppRow, FillerAppsRow, GrantWord, InstallRow, OpRow

_BASE_PERMISSIONS: Final = ("INTERNET", "ACCESS_NETWORK_STATE", "WAKE_LOCK", "POST_NOTIFICATIONS")
_FIRST_INSTALL: Final = datetime.fromisoformat("2023-02-01T09:30:12")
_INSTALL_SPAN_DAYS: Final = 700
_ALLOWED_OF_SIX: Final = {"people": 2}
"""How often, out of six, a permission of that kind is allowed; three for other kinds."""
_DENIED_BELOW: Final = 5
"""Below this the permission is denied; otherwise it was never asked for."""


@cache
def _read_table() -> Any:  # noqa: ANN401 - TOML, which a test reads whole
    return tomllib.loads((resources.files(__package__) / "filler_apps.toml").read_text(encoding="utf-8"))


def build_filler_rows(row: FillerAppsRow | None, sdk: int) -> tuple[AppRow, ...]:
    """Return the apps that `row` asks for on a phone of `sdk`; none without ``[ordinary]``."""
    if row is None:
        return ()
    apps = list(_read_table()["apps"].items())[: row.count]
    return tuple(_build_row(word, label, kind, row, sdk) for word, (label, kind) in apps)


def _build_row(word: str, label: str, kind: str, row: FillerAppsRow, sdk: int) -> AppRow:
    b = blake2s(f"{row.seed}:{word}".encode()).digest()
    permissions = _read_table()["permissions"][kind]
    first = _FIRST_INSTALL + timedelta(days=(b[0] * 256 + b[1]) % _INSTALL_SPAN_DAYS)
    grants: dict[str, GrantWord] = {}
    for number, name in enumerate(("POST_NOTIFICATIONS", *permissions)):
        if sdk < PERMISSION_FIRST_SDK.get(full_permission_name(name), 0):
            continue  # The release ignores the request.
        die = b[2 + number] % 6
        if die < _ALLOWED_OF_SIX.get(kind, 3):
            grants[name] = "allowed"
        elif die < _DENIED_BELOW:
            grants[name] = "denied"
    ages = dict.fromkeys(("COARSE_LOCATION", "CAMERA"), timedelta(days=b[8] % 20, hours=b[9] % 24, milliseconds=417))
    ages["READ_CONTACTS"] = timedelta(days=b[10] % 30, minutes=b[11], seconds=7)
    allowed = {name.removeprefix("ACCESS_") for name, grant in grants.items() if grant == "allowed"}
    ops = [OpRow(op=op, access=age) for op, age in ages.items() if op in allowed]
    ops.append(OpRow(op="WAKE_LOCK", access=timedelta(hours=b[12] % 48, seconds=b[13]), state="bg"))
    return AppRow(
        package=f"com.example.{word}",
        label={"zh-CN": label, "en": word.capitalize()},
        version=f"{b[14] % 9 + 1}.{b[15] % 20}.{b[16] % 10}",
        version_code=1000 + b[17],
        target_sdk=31 + b[18] % 4,
        splits=["config.arm64_v8a", "config.xxhdpi", "config.zh"] if b[19] % 2 else [],
        first_installed=first,
        updated=first + timedelta(days=b[20] % 60, seconds=b[21]),
        installer=row.installer,
        source=2,
        requests=[*_BASE_PERMISSIONS, *permissions],
        user=[InstallRow(id=0, grants=grants, ops=ops)],
    )
