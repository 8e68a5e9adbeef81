"""``dumpsys package --proto``: ``PackageServiceDumpProto`` (AOSP ``core/proto/android/service/package.proto``).

Written as ``ProtoOutputStream`` writes it: fields in the order of the table, no zeros, no empty texts; but an empty
message keeps its tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualInstall, VirtualPhone

_MESSAGES: Final[Mapping[str, Mapping[str, tuple[int, str]]]] = {
    "PackageServiceDumpProto": {"packages": (5, "PackageProto"), "shared_users": (6, "SharedUserProto")},
    "SharedUserProto": {"uid": (1, "int32"), "name": (2, "string")},
    "PackageProto": {
        "name": (1, "string"),
        "uid": (2, "int32"),
        "version_code": (3, "int32"),
        "version_string": (4, "string"),
        "update_time_ms": (6, "int64"),
        "installer_name": (7, "string"),
        "splits": (8, "SplitProto"),
        "users": (9, "UserInfoProto"),
        "user_permissions": (12, "UserPermissionsProto"),
    },
    "SplitProto": {"name": (1, "string"), "revision_code": (2, "int32")},
    "UserInfoProto": {
        "id": (1, "int32"),
        "install_type": (2, "int32"),
        "is_hidden": (3, "bool"),
        "is_suspended": (4, "bool"),
        "is_stopped": (5, "bool"),
        "is_launched": (6, "bool"),
        "enabled_state": (7, "int32"),
        "last_disabled_app_caller": (8, "string"),
    },
    "UserPermissionsProto": {"id": (1, "int32"), "granted_permissions": (2, "string")},
}
"""Message → field → number and type; a type that is not a scalar is another message."""
_SCALARS: Final = frozenset({"int32", "int64", "bool", "string"})


def format_package_proto(phone: VirtualPhone) -> bytes:
    """Return the dump of every package and shared user."""
    shared_users = [{"uid": shared.app_id, "name": shared.name} for shared in phone.shared_users]
    packages = [_package_fields(phone, app) for app in phone.apps]
    return _encode_message("PackageServiceDumpProto", {"packages": packages, "shared_users": shared_users})


def _package_fields(phone: VirtualPhone, app: VirtualApp) -> dict[str, Any]:
    return {
        "name": app.package,
        "uid": app.app_id,
        "version_code": app.version_code,
        "version_string": app.version_name,
        "update_time_ms": _epoch_ms(phone, app.updated),
        "installer_name": app.installer,
        "splits": [{"name": name} for name in ("base", *app.splits)],
        "users": [_user_fields(app.installs[user]) for user in phone.user_ids],
        "user_permissions": [
            {"id": user, "granted_permissions": list(_granted_permissions(phone, app, user))} for user in phone.user_ids
        ],
    }


def _user_fields(install: VirtualInstall) -> dict[str, Any]:
    return {
        "id": install.user,
        "install_type": int(install.installed),
        "is_suspended": install.suspended,
        "is_stopped": install.stopped,
        "is_launched": not install.not_launched,
        "enabled_state": install.enabled,
        "last_disabled_app_caller": install.last_disabled_caller,
    }


def _granted_permissions(phone: VirtualPhone, app: VirtualApp, user: int) -> Iterator[str]:
    """Yield what the app id holds for `user`, at installation or later; the same for all apps of a shared user."""
    shared = phone.find_shared_user(app.shared_user) if app.shared_user is not None else None
    at_install = app.install_permissions if shared is None else shared.install_permissions
    states = {state.name: state.granted for state in at_install if state.user is None}
    states |= {state.name: state.granted for state in at_install if state.user == user}
    states |= {grant.name: grant.granted for grant in phone.runtime_grants(app, user)}
    return (name for name, granted in states.items() if granted)


def _epoch_ms(phone: VirtualPhone, moment: datetime) -> int:
    return round(moment.replace(tzinfo=phone.time_zone).timestamp() * 1000)


def _encode_message(message: str, values: Mapping[str, Any]) -> bytes:
    encoded = b""
    for name, (number, kind) in _MESSAGES[message].items():
        value = values.get(name)
        for one in value if isinstance(value, list) else [value]:
            if kind not in _SCALARS and one is not None:
                encoded += _encode_bytes(number, _encode_message(kind, one))
            elif kind == "string" and one:
                encoded += _encode_bytes(number, one.encode())
            elif kind in _SCALARS and one:
                encoded += _encode_varint(number << 3) + _encode_varint(int(one))
    return encoded


def _encode_bytes(number: int, value: bytes) -> bytes:
    return _encode_varint(number << 3 | 2) + _encode_varint(len(value)) + value


def _encode_varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # a negative number takes ten bytes
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*encoded, value))
