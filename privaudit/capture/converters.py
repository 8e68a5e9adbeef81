"""Answers that another source gives in another form, put into the form in which a phone would have answered us.

So that one parser reads all. These are the only answers that are not verbatim; `Answer.translated_from` says so, and a
saved check keeps that mark.
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
"""What stands above and behind the settings of a kind; the history only in test builds."""
_NOT_SET: Final = "null"
_MAX_UID: Final = PER_USER_RANGE * PER_USER_RANGE
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PATH = re.compile(r"/[^\s\0-\x1f]{1,1024}")


def secure_settings_lines(text: str) -> Mapping[int, str] | None:
    """``dumpsys settings`` as ``KEY=VALUE`` lines of the secure settings, by Android user.

    What is not set is written as ``settings get`` prints it. ``None``: a user's settings come twice, so that one of
    them is nobody's.

    Source: ``SettingsProvider.dumpForUserLocked``, ``dumpSettingsLocked`` (AOSP 6 to 14). A value may hold line breaks
    and blanks; of one of ours that does, the rest stands in lines that name the setting again, so that it counts as not
    understood.
    """
    found: dict[int, list[str]] = {}
    rows: list[str] | None = None
    ours: str | None = None
    for line in text.split("\n"):
        if title := _SECURE_TITLE.fullmatch(line):
            if int(title[1]) in found:
                return None
            rows, ours = found.setdefault(int(title[1]), []), None
        elif _SETTINGS_TITLE.fullmatch(line):
            rows = None
        elif rows is not None and (named := _SETTING_NAME.match(line)):
            ours = named["name"] if named["name"] in SETTINGS else None
            rows.extend(_setting_lines(ours, line) if ours else [f"{named['name']}={line[named.end() :]}"])
        elif rows is not None and ours is not None and line and not _IGNORED_LINE.match(line):
            rows.append(f"{ours}={line}")  # its value goes on here
    for rows in found.values():
        set_ = {row.partition("=")[0] for row in rows}
        rows.extend(f"{key}={_NOT_SET}" for key in SETTINGS if key not in set_)
    return {user: "".join(f"{row}\n" for row in rows) for user, rows in found.items()}


def _setting_lines(name: str, line: str) -> Iterator[str]:
    if match := _SETTING_LINE.fullmatch(line):
        yield f"{name}={_NOT_SET if match['value'] == '{null}' else match['value']}"
    else:
        value, _, rest = line.partition(" value:")[2].partition(" ")
        yield f"{name}={value}"
        yield f"{name}={rest}"


def package_list_lines(rows: Any) -> tuple[Mapping[int, str], Mapping[int, str]]:  # noqa: ANN401 - JSON
    """AndroidQF's ``packages.json`` as two lists of ``pm list packages``, all and ``-3``, by Android user.

    Each row has ``name``, ``installer``, ``uid``, ``third_party`` and ``files`` (``pm path``); newer ones also
    ``user_id`` and ``installed``. Older ones come from ``pm list packages -u``: they name also what was uninstalled and
    left its data behind, which has no file. A uid of several users at once is 0 there.

    Raises:
        ValueError: this is something else.
    """
    if not isinstance(rows, list):
        raise ValueError("not a list")  # noqa: TRY004 - what is wrong is a file, not a call
    every: dict[int, list[str]] = defaultdict(list)
    own: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or not is_package_name(name):
            raise ValueError("a row without a package")
        if not _is_installed(row):
            continue
        user, uid = _parse_user_and_uid(row)
        file, installer = base_apk(row), row.get("installer")
        every[user].append(
            "package:"
            + (f"{file[0]}=" if file else "")
            + name
            + (
                f"  installer={installer if is_package_name(installer) else _NOT_SET}"
                if _is_nonempty_string(installer)
                else ""
            )
            + (f" uid:{uid}" if uid else "")
        )
        if row.get("third_party") is True:
            own[user].append(f"package:{name}")
    texts = {user: "".join(f"{line}\n" for line in lines) for user, lines in every.items()}
    return texts, {user: "".join(f"{line}\n" for line in own[user]) for user in texts}


def base_apk(row: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """Path and SHA-256 of the base APK that a row of ``packages.json`` names: ``pm path`` prints it before its splits.

    A hash that is not there or is none is ``None``; so is a path that must not stand in a line.
    """
    files = row.get("files")
    first = files[0] if isinstance(files, list) and files else None
    path = first.get("path") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(path, str) or not _PATH.fullmatch(path):
        return None
    sha256 = first.get("sha256")
    return path, sha256 if isinstance(sha256, str) and _SHA256.fullmatch(sha256) else None


def _is_installed(row: Mapping[str, Any]) -> bool:
    said = row.get("installed")
    return said if isinstance(said, bool) else bool(row.get("files")) or (said is None and "user_id" in row)


def _is_nonempty_string(installer: object) -> bool:
    return isinstance(installer, str) and installer != ""


def _parse_user_and_uid(row: Mapping[str, Any]) -> tuple[int, int | None]:
    uid, user = _int_below(row.get("uid"), _MAX_UID) or None, _int_below(row.get("user_id"), PER_USER_RANGE)
    if user is None:
        user = uid // PER_USER_RANGE if uid else 0
    return user, uid


def _int_below(value: object, upper_bound: int) -> int | None:
    # JSON's true is an int to Python.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < upper_bound else None


def incomplete_users(document: Any) -> Mapping[int, bool]:  # noqa: ANN401 - JSON
    """Of AndroidQF's ``package_users.json``: users whose list did not come whole, and whether the phone refused it.

    A user has ``id``, ``inventory_status`` (collected, partial, failed) and ``error``. Neither names nor errors are
    kept: they may tell of persons and of apps.
    """
    users = document.get("users") if isinstance(document, dict) else None
    found = {}
    for user in users if isinstance(users, list) else ():
        number = _int_below(user.get("id"), PER_USER_RANGE) if isinstance(user, dict) else None
        if number is not None and user.get("inventory_status") != "collected":
            said = user.get("error")
            found[number] = isinstance(said, str) and ("SecurityException" in said or "permission" in said)
    return found
