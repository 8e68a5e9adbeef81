"""Constants of Android 14: permissions, app-ops, flag bits (``AppOpsManager``, ``PackageManager``, platform manifest).

How each release prints them is in `privaudit.virtual_phone.dump_writers.layout`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

_PERMISSION_PREFIX: Final = "android.permission."


def full_permission_name(permission: str) -> str:
    """Return a permission's name as Android writes it. In scenarios, a name without a dot is a platform permission."""
    return permission if "." in permission else _PERMISSION_PREFIX + permission


def _platform_permissions(names: str) -> tuple[str, ...]:
    return tuple(map(full_permission_name, names.split()))


def java_hash(text: str) -> int:
    """Return Java's ``String.hashCode``, signed 32 bits."""
    value = 0
    for unit in memoryview(text.encode("utf-16-le")).cast("H"):
        value = (value * 31 + unit) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def array_map_order(names: Iterable[str]) -> list[str]:
    """Sort `names` as an ``ArrayMap`` holds them: the order of packages and permissions in a dump.

    Checked against the runtime permissions of real Android 14 dumps.
    """
    return sorted(names, key=java_hash)


# --- permission flags ---

_FLAG_NAMES: Final = (
    "USER_SET USER_FIXED POLICY_FIXED REVOKED_COMPAT SYSTEM_FIXED GRANTED_BY_DEFAULT REVIEW_REQUIRED "
    "REVOKE_WHEN_REQUESTED USER_SENSITIVE_WHEN_GRANTED USER_SENSITIVE_WHEN_DENIED - RESTRICTION_INSTALLER_EXEMPT "
    "RESTRICTION_SYSTEM_EXEMPT RESTRICTION_UPGRADE_EXEMPT APPLY_RESTRICTION GRANTED_BY_ROLE ONE_TIME AUTO_REVOKED "
    "- 524288"  # The last has no name in the dumps of Android 12 to 16.
)
FLAG_BITS: Final[Mapping[str, int]] = {name: 1 << bit for bit, name in enumerate(_FLAG_NAMES.split()) if name != "-"}
"""``PackageManager.FLAG_PERMISSION_*`` as dumps name them since Android 11."""

_FLAG_FIRST_SDK: Final[Mapping[str, int]] = {
    name: sdk
    for sdk, names in {
        24: "REVIEW_REQUIRED",
        29: "REVOKE_WHEN_REQUESTED GRANTED_BY_ROLE APPLY_RESTRICTION USER_SENSITIVE_WHEN_GRANTED "
        "USER_SENSITIVE_WHEN_DENIED RESTRICTION_INSTALLER_EXEMPT RESTRICTION_SYSTEM_EXEMPT RESTRICTION_UPGRADE_EXEMPT",
        30: "ONE_TIME AUTO_REVOKED",
        31: "524288",
    }.items()
    for name in names.split()
}
_REVOKED_COMPAT_NAME_SDK: Final = 30


def known_flag_bits(sdk: int) -> int:
    """Return the flag bits that the release uses."""
    return sum(bit for name, bit in FLAG_BITS.items() if sdk >= _FLAG_FIRST_SDK.get(name, 23))


def flag_names_for_sdk(sdk: int) -> Mapping[int, str]:
    """Map each flag bit to its name in the dumps of a release (``PackageManager.permissionFlagToString``)."""
    names = {bit: name for name, bit in FLAG_BITS.items() if bit & known_flag_bits(sdk)}
    return names if sdk >= _REVOKED_COMPAT_NAME_SDK else {**names, FLAG_BITS["REVOKED_COMPAT"]: "REVOKE_ON_UPGRADE"}


# --- permissions ---

_OPS_WITH_OTHER_NAMES: Final[Mapping[str, str | None]] = {
    "ACCESS_FINE_LOCATION": "FINE_LOCATION",
    "ACCESS_COARSE_LOCATION": "COARSE_LOCATION",
    "POST_NOTIFICATIONS": "POST_NOTIFICATION",
    **dict.fromkeys(
        ("ACCESS_BACKGROUND_LOCATION", "READ_MEDIA_VISUAL_USER_SELECTED", "BLUETOOTH_CONNECT", "BLUETOOTH_SCAN")
    ),
}
_RUNTIME_PERMISSIONS: Final = (
    "READ_CONTACTS WRITE_CONTACTS GET_ACCOUNTS READ_CALL_LOG WRITE_CALL_LOG PROCESS_OUTGOING_CALLS READ_SMS "
    "RECEIVE_SMS SEND_SMS RECEIVE_MMS RECEIVE_WAP_PUSH READ_PHONE_STATE READ_PHONE_NUMBERS CALL_PHONE "
    "ANSWER_PHONE_CALLS ACCESS_FINE_LOCATION ACCESS_COARSE_LOCATION ACCESS_BACKGROUND_LOCATION READ_CALENDAR "
    "WRITE_CALENDAR CAMERA RECORD_AUDIO BODY_SENSORS ACTIVITY_RECOGNITION READ_EXTERNAL_STORAGE "
    "WRITE_EXTERNAL_STORAGE READ_MEDIA_IMAGES READ_MEDIA_VIDEO READ_MEDIA_AUDIO READ_MEDIA_VISUAL_USER_SELECTED "
    "POST_NOTIFICATIONS BLUETOOTH_CONNECT BLUETOOTH_SCAN"
)
RUNTIME_PERMISSION_OPS: Final[Mapping[str, str | None]] = {
    full_permission_name(name): _OPS_WITH_OTHER_NAMES.get(name, name) for name in _RUNTIME_PERMISSIONS.split()
}
"""Permissions granted at run time, each with the app-op that follows it; ``None`` where the phone models no app-op."""

PERMISSION_FIRST_SDK: Final[Mapping[str, int]] = {
    name: sdk
    for sdk, names in {
        26: "READ_PHONE_NUMBERS ANSWER_PHONE_CALLS REQUEST_INSTALL_PACKAGES",
        28: "FOREGROUND_SERVICE USE_BIOMETRIC",
        29: "ACCESS_BACKGROUND_LOCATION ACTIVITY_RECOGNITION",
        30: "QUERY_ALL_PACKAGES MANAGE_EXTERNAL_STORAGE",
        31: "BLUETOOTH_CONNECT BLUETOOTH_SCAN SCHEDULE_EXACT_ALARM",
        33: "READ_MEDIA_IMAGES READ_MEDIA_VIDEO READ_MEDIA_AUDIO POST_NOTIFICATIONS",
        34: "READ_MEDIA_VISUAL_USER_SELECTED",
    }.items()
    for name in _platform_permissions(names)
}
"""Permissions newer than Android 6. An older release ignores a request for one and stores no state."""

HARD_RESTRICTED: Final = frozenset(
    _platform_permissions(
        "READ_SMS RECEIVE_SMS SEND_SMS RECEIVE_MMS RECEIVE_WAP_PUSH READ_CALL_LOG WRITE_CALL_LOG "
        "PROCESS_OUTGOING_CALLS ACCESS_BACKGROUND_LOCATION"
    )
)
"""Not grantable unless the installer, the system or an upgrade exempts the app (Android 10 and later)."""
SOFT_RESTRICTED: Final = frozenset(_platform_permissions("READ_EXTERNAL_STORAGE WRITE_EXTERNAL_STORAGE"))
APP_OP_PERMISSIONS: Final = frozenset(
    _platform_permissions(
        "SYSTEM_ALERT_WINDOW REQUEST_INSTALL_PACKAGES PACKAGE_USAGE_STATS MANAGE_EXTERNAL_STORAGE "
        "SCHEDULE_EXACT_ALARM WRITE_SETTINGS"
    )
)
"""Decided by an app-op on a settings page of its own; dumps say ``granted=false`` under the install permissions."""

PROTECTION_LEVELS: Final[Mapping[str, str]] = {
    **dict.fromkeys(RUNTIME_PERMISSION_OPS, "dangerous"),
    **dict.fromkeys(
        _platform_permissions("READ_PHONE_NUMBERS ACCESS_FINE_LOCATION ACCESS_COARSE_LOCATION CAMERA RECORD_AUDIO"),
        "dangerous|instant",
    ),
    full_permission_name("ANSWER_PHONE_CALLS"): "dangerous|runtime",
    full_permission_name("INTERNET"): "normal|instant",
    full_permission_name("QUERY_ALL_PACKAGES"): "normal",
    full_permission_name("MANAGE_EXTERNAL_STORAGE"): "signature|appop|preinstalled",
    full_permission_name("SYSTEM_ALERT_WINDOW"): "signature|setup|appop|installer|pre23|development",
    full_permission_name("REQUEST_INSTALL_PACKAGES"): "signature|appop",
    full_permission_name("PACKAGE_USAGE_STATS"): "signature|privileged|development|appop|retailDemo",
}
"""Protection level as ``PermissionInfo.protectionToString`` words it, for the platform permissions in the dump."""

PERMISSION_GIDS: Final[Mapping[str, int]] = dict(
    zip(_platform_permissions("BLUETOOTH_ADMIN BLUETOOTH INTERNET"), (3001, 3002, 3003), strict=True)
)
"""Linux groups that come with a permission (``platform.xml``)."""

# --- app-ops ---

_OP_NAMES: Final = (
    "COARSE_LOCATION FINE_LOCATION GPS VIBRATE READ_CONTACTS WRITE_CONTACTS READ_CALL_LOG WRITE_CALL_LOG "
    "READ_CALENDAR WRITE_CALENDAR WIFI_SCAN POST_NOTIFICATION NEIGHBORING_CELLS CALL_PHONE READ_SMS WRITE_SMS "
    "RECEIVE_SMS RECEIVE_EMERGECY_SMS RECEIVE_MMS RECEIVE_WAP_PUSH SEND_SMS READ_ICC_SMS WRITE_ICC_SMS "
    "WRITE_SETTINGS SYSTEM_ALERT_WINDOW ACCESS_NOTIFICATIONS CAMERA RECORD_AUDIO PLAY_AUDIO READ_CLIPBOARD "
    "WRITE_CLIPBOARD TAKE_MEDIA_BUTTONS TAKE_AUDIO_FOCUS AUDIO_MASTER_VOLUME AUDIO_VOICE_VOLUME "
    "AUDIO_RING_VOLUME AUDIO_MEDIA_VOLUME AUDIO_ALARM_VOLUME AUDIO_NOTIFICATION_VOLUME AUDIO_BLUETOOTH_VOLUME "
    "WAKE_LOCK MONITOR_LOCATION MONITOR_HIGH_POWER_LOCATION GET_USAGE_STATS MUTE_MICROPHONE TOAST_WINDOW "
    "PROJECT_MEDIA ACTIVATE_VPN WRITE_WALLPAPER ASSIST_STRUCTURE ASSIST_SCREENSHOT READ_PHONE_STATE "
    "ADD_VOICEMAIL USE_SIP PROCESS_OUTGOING_CALLS USE_FINGERPRINT BODY_SENSORS READ_CELL_BROADCASTS "
    "MOCK_LOCATION READ_EXTERNAL_STORAGE WRITE_EXTERNAL_STORAGE TURN_SCREEN_ON GET_ACCOUNTS RUN_IN_BACKGROUND "
    "AUDIO_ACCESSIBILITY_VOLUME READ_PHONE_NUMBERS REQUEST_INSTALL_PACKAGES PICTURE_IN_PICTURE "
    "INSTANT_APP_START_FOREGROUND ANSWER_PHONE_CALLS RUN_ANY_IN_BACKGROUND CHANGE_WIFI_STATE "
    "REQUEST_DELETE_PACKAGES BIND_ACCESSIBILITY_SERVICE ACCEPT_HANDOVER MANAGE_IPSEC_TUNNELS START_FOREGROUND "
    "BLUETOOTH_SCAN USE_BIOMETRIC ACTIVITY_RECOGNITION SMS_FINANCIAL_TRANSACTIONS READ_MEDIA_AUDIO "
    "WRITE_MEDIA_AUDIO READ_MEDIA_VIDEO WRITE_MEDIA_VIDEO READ_MEDIA_IMAGES WRITE_MEDIA_IMAGES LEGACY_STORAGE "
    "ACCESS_ACCESSIBILITY READ_DEVICE_IDENTIFIERS ACCESS_MEDIA_LOCATION QUERY_ALL_PACKAGES MANAGE_EXTERNAL_STORAGE"
)
OP_NUMBERS: Final[Mapping[str, int]] = {name: number for number, name in enumerate(_OP_NAMES.split())}
"""App-op numbers; dumps list ops in this order. Android itself misspells number 17."""

DEFAULT_OP_MODES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("WRITE_SMS", "WRITE_ICC_SMS", "PROJECT_MEDIA", "ACTIVATE_VPN"), "ignore"),
    **dict.fromkeys(("WRITE_SETTINGS", "SYSTEM_ALERT_WINDOW", "GET_USAGE_STATS"), "default"),
    **dict.fromkeys(("REQUEST_INSTALL_PACKAGES", "LEGACY_STORAGE", "MANAGE_EXTERNAL_STORAGE"), "default"),
}
"""``AppOpsManager.opToDefaultMode`` where it is not ``allow``."""

LOCATION_SWITCH_OPS: Final = dict.fromkeys(
    ("GPS", "WIFI_SCAN", "NEIGHBORING_CELLS", "MONITOR_LOCATION", "MONITOR_HIGH_POWER_LOCATION"), "COARSE_LOCATION"
)
SMS_SWITCH_OPS: Final = {"READ_ICC_SMS": "READ_SMS", "WRITE_ICC_SMS": "WRITE_SMS"}
"""``AppOpsManager.sOpToSwitch``: ops whose mode another op decides."""

_VENDOR_OP: Final = re.compile(r"[A-Z]+\((\d{5})\)")
_UNKNOWN_OP_NUMBER: Final = 1 << 20


def op_number(name: str) -> int:
    """Return an op's position in dumps: its number, the number in a vendor op's name, or a number after all others."""
    vendor_op = _VENDOR_OP.fullmatch(name)
    return OP_NUMBERS.get(name, int(vendor_op[1]) if vendor_op else _UNKNOWN_OP_NUMBER)
