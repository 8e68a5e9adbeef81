"""Android's text formats, written from a virtual phone: common elements, and the short dumps.

Written from AOSP sources and real captures, never from the parsers in `privaudit.dumpsys`: an error there must not be
repeated here. The modules ``package_dump`` and ``appops`` write the two long dumps.
"""

import tomllib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2s
from importlib import resources
from typing import Any, Final

from privaudit.virtual_phone.release import USER_FLAG_BITS, Since, array_map_order
from privaudit.virtual_phone.scenario.virtual import AndroidUser, Namespace, VirtualApp, VirtualPhone

FILLER: Final[Any] = tomllib.loads((resources.files(__package__) / "filler.toml").read_text(encoding="utf-8"))
"""Parts of dumps that say nothing about permissions."""
_SYSTEM_ID_LIMIT: Final = 10_000
_FIRST_VENDOR_USER: Final = 90
JAVA_BOOL: Final = {True: "true", False: "false"}
_DURATION_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def fake_identity_hash(*words: object) -> str:
    """Return a stable stand-in for ``Integer.toHexString(System.identityHashCode(x))`` of an object."""
    digest = blake2s("\0".join(map(str, words)).encode(), digest_size=4).digest()
    return f"{int.from_bytes(digest, 'big') & 0xFFFFFFF:x}"


def format_time(time: datetime) -> str:
    """Format as ``yyyy-MM-dd HH:mm:ss``, in the zone of `time`."""
    return time.strftime("%Y-%m-%d %H:%M:%S")


def format_time_ms(time: datetime) -> str:
    """Format as ``yyyy-MM-dd HH:mm:ss.SSS``."""
    return f"{format_time(time)}.{time.microsecond // 1000:03}"


def format_duration(length: timedelta) -> str:
    """``TimeUtils.formatDuration``: sign, then days to milliseconds without leading zero parts; ``0`` for zero."""
    millis = length // timedelta(milliseconds=1)
    if millis == 0:
        return "0"
    rest = abs(millis)
    parts: list[str] = []
    for unit, size in _DURATION_UNITS:
        count, rest = divmod(rest, size)
        if parts or count:
            parts.append(f"{count}{unit}")
    return ("-" if millis < 0 else "+") + "".join(parts)


def format_uid(user: int, app_id: int) -> str:
    """``UserHandle.formatUid``: ``u0a123`` for apps, ``1000`` for the system, ``u999s1000`` for it in another user."""
    if app_id >= _SYSTEM_ID_LIMIT:
        return f"u{user}a{app_id - _SYSTEM_ID_LIMIT}"
    return f"u{user}s{app_id}" if user else str(app_id)


def format_user_list(phone: VirtualPhone) -> str:
    """``pm list users`` (captures of Android 12 and 16)."""
    running = {True: " running", False: ""}
    rows = (f"\tUserInfo{{{user.id}:{user.name}:{user.flags:x}}}{running[user.running]}\n" for user in phone.users)
    return "Users:\n" + "".join(rows)


def format_user_types(phone: VirtualPhone) -> str:
    """``cmd user list -v`` (``UserManagerServiceShellCommand.runList``)."""
    rows = (
        f"{index}: id={user.id}, name={user.name}, type={user_type(user)}, "
        f"flags={'|'.join(name for name, bit in USER_FLAG_BITS.items() if user.flags & bit)}"
        f"{' (running)' if user.running else ''}{' (current)' if user.id == 0 else ''}\n"
        for index, user in enumerate(phone.users)
    )
    return f"{len(phone.users)} users:\n\n" + "".join(rows)


def user_type(user: AndroidUser) -> str:
    """Return the type without ``android.os.usertype.``."""
    if user.id == 0:
        return "full.SYSTEM"
    if user.flags & USER_FLAG_BITS["MANAGED_PROFILE"]:
        return "profile.MANAGED"
    if not user.flags & USER_FLAG_BITS["PROFILE"]:
        return "full.SECONDARY"
    # A scenario gives a private space a number of Android's, a clone one of its vendor's.
    return "profile.PRIVATE" if user.id < _FIRST_VENDOR_USER else "profile.CLONE"


def format_package_list(
    apps: Iterable[tuple[VirtualApp, Sequence[int]]], *, path: bool, version: bool, installer: bool, uid: bool
) -> str:
    """``pm list packages`` with ``-f``, ``--show-versioncode``, ``-i``, ``-U``; each app with the users of ``-U``."""
    return "".join(
        "package:"
        + (f"{app.apk_path}=" if path else "")
        + app.package
        + (f" versionCode:{app.version_code}" if version else "")
        + (f"  installer={app.installer or 'null'}" if installer else "")
        + (f" uid:{','.join(str(app.uid(user)) for user in users)}" if uid else "")
        + "\n"
        for app, users in apps
    )


def format_properties(phone: VirtualPhone) -> str:
    """``getprop`` without arguments."""
    return "".join(f"[{key}]: [{value}]\n" for key, value in sorted(phone.properties.items()))


def format_role_dump(phone: VirtualPhone) -> str:
    """``dumpsys role`` (``RoleUserState.dump`` through ``DualDumpOutputStream``; title of ``RoleService``)."""
    states = []
    for user in phone.user_ids:
        roles = phone.roles.get(user, {})
        rows = []
        for role in array_map_order(roles):
            holders = _repeated_field("holders", [[holder] for holder in roles[role]])
            rows.append(_object([f"name={role}", "fallback_enabled=true", *holders]))
        digest = blake2s(f"{phone.name}:{user}".encode()).hexdigest().upper()
        head = (f"user_id={user}", "version=4", f"packages_hash={digest}")
        states.append(_object([*head, *_repeated_field("roles", rows)]))
    title = "ROLE STATE" if phone.sdk >= Since.ROLE_SERVICE else "ROLE MANAGER STATE"
    return "\n".join((f"{title} (dumpsys role):", *_object(_repeated_field("user_states", states)), ""))


def _object(lines: Iterable[str]) -> list[str]:
    return ["{", *(f"  {line}" for line in lines), "}"]


def _repeated_field(name: str, values: Sequence[Sequence[str]]) -> list[str]:
    """Write a field: one value as ``name=value``, several as a list, none not at all. A value is a list of lines."""
    if len(values) == 1:
        return [f"{name}={values[0][0]}", *values[0][1:]]
    return [f"{name}=[", *(f"  {line}" for value in values for line in value), "]"] if values else []


def format_device_policy(phone: VirtualPhone) -> str:
    """``dumpsys device_policy``: a head, then each user's administrators (``DevicePolicyData.dump``)."""
    blocks = FILLER["device_policy"]
    text: str = blocks["head"]
    state = ", provisioningState: 0" if phone.sdk >= Since.PROVISIONING_STATE else ""
    for user in phone.user_ids:
        text += f"\n  Enabled Device Admins (User {user}{state}):\n"
        for component in phone.device_admins.get(user, ()):
            app = phone.find_app(component.split("/", 1)[0])
            text += blocks["admin"].format(component=component, uid=app.uid(user) if app is not None else -1)
        text += blocks["user_end"]
    return text


def format_setting(phone: VirtualPhone, user: int, namespace: Namespace, key: str) -> str:
    """``settings get``: the value, or ``null``. Global settings are those of user 0."""
    namespaces = phone.settings.get(0 if namespace == "global" else user, {})
    return namespaces.get(namespace, {}).get(key, "null") + "\n"
