"""Convert answers of other sources to the format of our own commands, so that one parser reads both.

These are the only answers that are not verbatim; `Answer.translated_from` records it, also in a saved capture.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from privaudit.android import PER_USER_RANGE
from privaudit.capture.questions import SETTINGS, is_package_name

SETTINGS_SOURCE: Final = "dumpsys settings"
PACKAGES_SOURCE: Final = "packages.json"

_SECURE_TITLE = re.compile(r"SECURE SETTINGS \(user (\d{1,5})\)", re.ASCII)
_SETTINGS_TITLE = re.compile(r"[A-Z]+ SETTINGS(?: \(user \d{1,5}\))?", re.ASCII)
_SETTING_LINE = re.compile(
    r"_id:\S* name:(?P<name>\w+)(?: pkg:\S*)? value:(?P<value>\S*)"
    r"(?: default:\S* defaultSystemSet:(?:true|false))?(?: tag:[^:/]*)?",
    re.ASCII,
)
_SETTING_NAME = re.compile(r"_id:\S* name:(?P<name>\w+)", re.ASCII)
_IGNORED_LINE = re.compile(r"version: -?\d+$|Historical operations|  \S", re.ASCII)
"""Lines before and after the settings of one namespace; the history only in test builds."""
_NOT_SET: Final = "null"
_MAX_UID: Final = PER_USER_RANGE * PER_USER_RANGE
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PATH = re.compile(r"/[^\s\0-\x1f]{1,1024}")


def secure_settings_lines(text: str) -> Mapping[int, str] | None:
    """Convert ``dumpsys settings`` to ``KEY=VALUE`` lines of the secure settings, by Android user.

    A setting without a value is written as ``settings get`` prints it. ``None``: a user's settings occur twice, so that
    one of the two is forged.

    Source: ``SettingsProvider.dumpForUserLocked``, ``dumpSettingsLocked`` (AOSP 6 to 14). A value may contain line
    feeds and blanks. Its further lines are written with the same key, so that parsers report it as not understood.
    """
    lines_by_user: dict[int, list[str]] = {}
    lines: list[str] | None = None
    current_key: str | None = None
    for line in text.split("\n"):
        if title := _SECURE_TITLE.fullmatch(line):
            if int(title[1]) in lines_by_user:
                return None
            lines, current_key = lines_by_user.setdefault(int(title[1]), []), None
        elif _SETTINGS_TITLE.fullmatch(line):
            lines = None
        elif lines is not None and (match := _SETTING_NAME.match(line)):
            name = match["name"]
            current_key = name if name in SETTINGS else None
            lines.extend(_setting_lines(name, line) if current_key else [f"{name}={line[match.end() :]}"])
        elif lines is not None and current_key is not None and line and not _IGNORED_LINE.match(line):
            lines.append(f"{current_key}={line}")  # the value continues
    for lines in lines_by_user.values():
        present = {line.partition("=")[0] for line in lines}
        lines.extend(f"{key}={_NOT_SET}" for key in SETTINGS if key not in present)
    return {user: "".join(f"{line}\n" for line in lines) for user, lines in lines_by_user.items()}


def _setting_lines(name: str, line: str) -> Iterator[str]:
    if match := _SETTING_LINE.fullmatch(line):
        yield f"{name}={_NOT_SET if match['value'] == '{null}' else match['value']}"
    else:
        value, _, remainder = line.partition(" value:")[2].partition(" ")
        yield f"{name}={value}"
        yield f"{name}={remainder}"


def package_list_lines(rows: Any) -> tuple[Mapping[int, str], Mapping[int, str]]:  # noqa: ANN401 - JSON
    """Convert AndroidQF's ``packages.json`` to the output of ``pm list packages`` and of its ``-3``, by Android user.

    Each row has ``name``, ``installer``, ``uid``, ``third_party`` and ``files`` (``pm path``); newer rows also have
    ``user_id`` and ``installed``. Older rows come from ``pm list packages -u``, which also lists uninstalled apps with
    remaining data; these have no file. There the uid of an app of several users is 0.

    Raises:
        ValueError: another format.
    """
    if not isinstance(rows, list):
        raise ValueError("not a list")  # noqa: TRY004 - an invalid file, not an invalid call
    installed: dict[int, list[str]] = defaultdict(list)
    third_party: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or not is_package_name(name):
            raise ValueError("a row without a package")
        if not _is_installed(row):
            continue
        user, uid = _parse_user_and_uid(row)
        installed[user].append(_package_line(name, base_apk(row), row.get("installer"), uid))
        if row.get("third_party") is True:
            third_party[user].append(f"package:{name}\n")
    return (
        {user: "".join(lines) for user, lines in installed.items()},
        {user: "".join(third_party[user]) for user in installed},
    )


def _package_line(name: str, apk: tuple[str, str | None] | None, installer: object, uid: int | None) -> str:
    path_field = f"{apk[0]}=" if apk else ""
    installer_field = ""
    if isinstance(installer, str) and installer:
        installer_field = f"  installer={installer if is_package_name(installer) else _NOT_SET}"
    uid_field = f" uid:{uid}" if uid else ""
    return f"package:{path_field}{name}{installer_field}{uid_field}\n"


def base_apk(row: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """Return path and SHA-256 of the base APK in a row of ``packages.json``: ``pm path`` prints it before its splits.

    A missing or invalid hash is ``None``; for a path with control characters the result is ``None``.
    """
    files = row.get("files")
    file = files[0] if isinstance(files, list) and files else None
    path = file.get("path") if isinstance(file, dict) else None
    if not isinstance(file, dict) or not isinstance(path, str) or not _PATH.fullmatch(path):
        return None
    sha256 = file.get("sha256")
    return path, sha256 if isinstance(sha256, str) and _SHA256.fullmatch(sha256) else None


def _is_installed(row: Mapping[str, Any]) -> bool:
    value = row.get("installed")
    return value if isinstance(value, bool) else bool(row.get("files")) or (value is None and "user_id" in row)


def _parse_user_and_uid(row: Mapping[str, Any]) -> tuple[int, int | None]:
    uid, user = _int_below(row.get("uid"), _MAX_UID) or None, _int_below(row.get("user_id"), PER_USER_RANGE)
    if user is None:
        user = uid // PER_USER_RANGE if uid else 0
    return user, uid


def _int_below(value: object, upper_bound: int) -> int | None:
    # Python parses JSON's true as a bool, which is an int.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < upper_bound else None


def incomplete_users(document: Any) -> Mapping[int, bool]:  # noqa: ANN401 - JSON
    """Return the users in AndroidQF's ``package_users.json`` with an incomplete list, and whether the phone refused it.

    A user has ``id``, ``inventory_status`` (collected, partial, failed) and ``error``. Names and errors are not stored:
    they may identify persons and apps.
    """
    users = document.get("users") if isinstance(document, dict) else None
    refused_by_user = {}
    for user in users if isinstance(users, list) else ():
        user_id = _int_below(user.get("id"), PER_USER_RANGE) if isinstance(user, dict) else None
        if user_id is not None and user.get("inventory_status") != "collected":
            error = user.get("error")
            refused_by_user[user_id] = isinstance(error, str) and (
                "SecurityException" in error or "permission" in error
            )
    return refused_by_user
