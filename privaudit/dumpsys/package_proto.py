"""Parse ``dumpsys package --proto`` (Android 12 and later): users, install states and grants of each package.

Each string has its length before it, so no text of an app can end its own record or open another one, as it can in the
text dump. Source: ``core/proto/android/service/package.proto``, ``PackageSetting.dumpDebug`` and
``writePackageUserPermissionsProto`` (AOSP). ``ProtoOutputStream`` leaves out zeros: user 0 has no id, a default state
has no value.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from privaudit.android import MAX_PACKAGES
from privaudit.dumpsys import gc_paused
from privaudit.dumpsys.package_model import InstallState
from privaudit.dumpsys.permission_section import is_garbled

_PACKAGES: Final = 5
_PACKAGE_NAME, _PACKAGE_UID, _PACKAGE_USERS, _PACKAGE_PERMISSIONS = 1, 2, 9, 12
_USER_ID, _USER_INSTALL_TYPE, _USER_IS_HIDDEN, _USER_ENABLED_STATE = 1, 2, 3, 7
_PERMISSIONS_USER, _PERMISSIONS_GRANTED = 1, 2
_GRANTED_TAG: Final = _PERMISSIONS_GRANTED << 3 | 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES: Final = 10
_CONTINUED: Final = 0x80
"""Bit of a byte of a varint that more bytes follow."""
_FIRST_TAG: Final = 8
"""Field 1: there is no field 0."""
_INSTANT: Final = 2
"""``InstallType.INSTANT_APP_INSTALL``."""
_DISABLED_STATES: Final = frozenset({2, 3, 4})


class ProtoError(ValueError):
    """The bytes are not a message of this type."""


@dataclass(frozen=True, slots=True)
class ProtoPackage:
    """``PackageProto``: one package."""

    app_id: int
    users: Mapping[int, InstallState]
    granted: Mapping[int, frozenset[str]]
    """Android user → the kept permissions that are granted to the app id, at installation or later.

    Where no package has any user in it, the message says nothing of grants.
    """


@lru_cache(maxsize=8)
def parse_package_proto(data: bytes, kept_permissions: AbstractSet[str] | None = None) -> Mapping[str, ProtoPackage]:
    """Parse the whole message; return the packages by name.

    Grants of other permissions than `kept_permissions` are left out. Raises ProtoError if the bytes end inside a field
    or are another message, or if there are more packages than a phone can have.
    """
    packages: dict[str, ProtoPackage] = {}
    names = _PermissionNames(kept_permissions)
    with gc_paused():
        for number, value in _fields(data):
            if number != _PACKAGES or not isinstance(value, bytes):
                continue
            name, package = _parse_package(value, names)
            if name in packages or len(packages) >= MAX_PACKAGES:
                raise ProtoError("a package occurs twice, or too many packages")
            packages[name] = package
    return packages


class _PermissionNames(dict[bytes, str | None]):
    """Name in the message → the permission; ``None``: not kept. Names are added as they occur."""

    def __init__(self, kept_permissions: AbstractSet[str] | None) -> None:
        super().__init__({name.encode(): name for name in kept_permissions or ()})
        self._keeps_all = kept_permissions is None

    def __missing__(self, name: bytes) -> str | None:
        text = name.decode("utf-8", "replace")
        if is_garbled(text) and not self._keeps_all:
            raise ProtoError("a permission that no Android has")
        return self.setdefault(name, text if self._keeps_all else None)


def _parse_package(data: bytes, names: _PermissionNames) -> tuple[str, ProtoPackage]:
    name, app_id = b"", 0
    users: dict[int, InstallState] = {}
    granted: dict[int, frozenset[str]] = {}
    for number, value in _fields(data):
        is_repeated = False
        if number == _PACKAGE_PERMISSIONS:
            user, permissions = _parse_permissions(_expect_bytes(value), names)
            is_repeated = user in granted
            granted[user] = permissions
        elif number == _PACKAGE_USERS:
            user, state = _parse_user(_expect_bytes(value))
            is_repeated = user in users
            users[user] = state
        elif number == _PACKAGE_NAME:
            is_repeated = bool(name)
            name = _expect_bytes(value)
        elif number == _PACKAGE_UID and isinstance(value, int):
            app_id = value
        if is_repeated:
            raise ProtoError("a field of a package, or a user of it, occurs twice")
    try:
        return name.decode("ascii"), ProtoPackage(app_id, users, granted)
    except UnicodeDecodeError as error:
        raise ProtoError("not a package name") from error


@lru_cache(maxsize=256)
def _parse_user(data: bytes) -> tuple[int, InstallState]:
    """Parse ``UserInfoProto``, which is the same for most packages."""
    values = {number: value for number, value in _fields(data) if isinstance(value, int)}
    install_type = values.get(_USER_INSTALL_TYPE, 0)
    return values.get(_USER_ID, 0), InstallState(
        installed=install_type != 0,
        enabled=values.get(_USER_ENABLED_STATE, 0) not in _DISABLED_STATES,
        hidden=bool(values.get(_USER_IS_HIDDEN, 0)),
        instant=install_type == _INSTANT,
    )


def _parse_permissions(data: bytes, names: _PermissionNames) -> tuple[int, frozenset[str]]:
    """Parse ``UserPermissionsProto``: most of the whole message is in such names, so short ones are read here."""
    user, position, end = 0, 0, len(data)
    permissions: list[str] = []
    keep = permissions.append
    while position < end:
        if data[position] == _GRANTED_TAG and position + 1 < end and (size := data[position + 1]) < _CONTINUED:
            start = position + 2
            position = start + size
            name = data[start:position]
        else:
            number, value, position = _read_field(data, position)
            if number != _PERMISSIONS_GRANTED:
                user = value if number == _PERMISSIONS_USER and isinstance(value, int) else user
                continue
            name = _expect_bytes(value)
        permission = names[name]
        if permission is not None:
            keep(permission)
    if position > end:
        raise ProtoError("the bytes end inside a field")
    return user, frozenset(permissions)


def _expect_bytes(value: bytes | int) -> bytes:
    if not isinstance(value, bytes):
        raise ProtoError("a number where a text or a message belongs")
    return value


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and value of each field: proto2 wire format."""
    position = 0
    while position < len(data):
        number, value, position = _read_field(data, position)
        yield number, value


def _read_field(data: bytes, position: int) -> tuple[int, bytes | int, int]:
    """Return number and value of the field at `position`, and where it ends. The obsolete groups are an error."""
    tag, position = _read_varint(data, position)
    wire_type = tag & 7
    value: bytes | int
    if wire_type == _BYTES:
        length, position = _read_varint(data, position)
        stop = position + length
        value = data[position:stop]
    elif wire_type == _VARINT:
        value, stop = _read_varint(data, position)
    elif wire_type in {_FIXED64, _FIXED32}:
        stop = position + (8 if wire_type == _FIXED64 else 4)
        value = int.from_bytes(data[position:stop], "little")
    else:
        raise ProtoError(f"wire type {wire_type}")
    if stop > len(data) or tag < _FIRST_TAG:
        raise ProtoError("the bytes end inside a field")
    return tag >> 3, value, stop


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    if position < len(data) and data[position] < _CONTINUED:
        return data[position], position + 1
    value = 0
    for index, byte in enumerate(data[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < _CONTINUED:
            return value, position + index + 1
    raise ProtoError("a number without an end")
