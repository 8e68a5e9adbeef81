"""``dumpsys package --proto``: ``PackageServiceDumpProto`` (AOSP ``core/proto/android/service/package.proto``).

Written as ``ProtoOutputStream`` writes it: fields in the order of their numbers, no zeros, no empty texts; but an empty
message keeps its tag.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualInstall, VirtualPhone

_Scalar: TypeAlias = "int | str | Mapping[int, _Value] | None"
_Value: TypeAlias = "_Scalar | list[_Scalar]"
"""A number, a text, a message, or several of them for a repeated field; ``None``: not set."""


def format_package_proto(phone: VirtualPhone) -> bytes:
    """Return the dump of every package and shared user."""
    return _encode_message(
        {
            5: [_package_fields(phone, app) for app in phone.apps],
            6: [{1: shared.app_id, 2: shared.name} for shared in phone.shared_users],
        }
    )


def _package_fields(phone: VirtualPhone, app: VirtualApp) -> dict[int, _Value]:
    """``PackageProto``."""
    return {
        1: app.package,
        2: app.app_id,
        3: app.version_code,
        4: app.version_name,
        6: round(app.updated.replace(tzinfo=phone.time_zone).timestamp() * 1000),
        7: app.installer,
        8: [{1: name} for name in ("base", *app.splits)],
        9: [_user_fields(app.installs[user]) for user in phone.user_ids],
        12: [{1: user, 2: [*_granted_permissions(phone, app, user)]} for user in phone.user_ids],
    }


def _user_fields(install: VirtualInstall) -> dict[int, _Value]:
    """``UserInfoProto``."""
    return {
        1: install.user,
        2: int(install.installed),
        4: install.suspended,
        5: install.stopped,
        6: not install.not_launched,
        7: install.enabled,
        8: install.last_disabled_caller,
    }


def _granted_permissions(phone: VirtualPhone, app: VirtualApp, user: int) -> Iterator[str]:
    """Yield what the app id holds for `user`, at installation or later; the same for all apps of a shared user."""
    at_install = sorted(phone.install_permissions(app), key=lambda state: state.user is not None)
    states = {state.name: state.granted for state in at_install if state.user in {None, user}}
    states |= {grant.name: grant.granted for grant in phone.runtime_grants(app, user)}
    return (name for name, granted in states.items() if granted)


def _encode_message(fields: Mapping[int, _Value]) -> bytes:
    encoded = b""
    for number, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, int):
                encoded += _encode_varint(number << 3) + _encode_varint(one) if one else b""
            elif one or isinstance(one, Mapping):
                data = one.encode() if isinstance(one, str) else _encode_message(one)
                encoded += _encode_varint(number << 3 | 2) + _encode_varint(len(data)) + data
    return encoded


def _encode_varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # a negative number takes ten bytes
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*encoded, value))
