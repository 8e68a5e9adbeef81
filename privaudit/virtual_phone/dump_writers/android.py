"""What Android itself fixes: permissions, app-ops, flag bits.

Numbers and names are those of ``AppOpsManager``, ``PackageManager`` and the platform manifest of Android 14. How each
release prints stands in `privaudit.virtual_phone.dump_writers.layout`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

_PERMISSION_PREFIX: Final = "android.permission."


def _split_words(text: str) -> list[str]:
    return text.split()


def full_permission_name(permission: str) -> str:
    """Name of a permission as Android writes it; in stories, one without a dot is the platform's own."""
    return permission if "." in permission else _PERMISSION_PREFIX + permission


def java_hash(text: str) -> int:
    """``String.hashCode`` of Java, signed 32 bits."""
    value = 0
    for unit in memoryview(text.encode("utf-16-le")).cast("H"):
        value = (value * 31 + unit) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def array_map_order(names: Iterable[str]) -> list[str]:
    """The order in which an ``ArrayMap`` holds `names`, so the order of packages and permissions in a dump.

    Checked against the runtime permissions of real Android 14 dumps.
    """
    return sorted(names, key=java_hash)


FLAG_BITS: Final[Mapping[str, int]] = {
    name: 1 << bit
    for bit, name in {
        0: "USER_SET",
        1: "USER_FIXED",
        2: "POLICY_FIXED",
        3: "REVOKED_COMPAT",
        4: "SYSTEM_FIXED",
        5: "GRANTED_BY_DEFAULT",
        6: "REVIEW_REQUIRED",
        7: "REVOKE_WHEN_REQUESTED",
        8: "USER_SENSITIVE_WHEN_GRANTED",
        9: "USER_SENSITIVE_WHEN_DENIED",
        11: "RESTRICTION_INSTALLER_EXEMPT",
        12: "RESTRICTION_SYSTEM_EXEMPT",
        13: "RESTRICTION_UPGRADE_EXEMPT",
        14: "APPLY_RESTRICTION",
        15: "GRANTED_BY_ROLE",
        16: "ONE_TIME",
        17: "AUTO_REVOKED",
        # Nameless in the dumps of Android 12 to 16.
        19: "524288",
    }.items()
}
"""``PackageManager.FLAG_PERMISSION_*`` as dumps name them, since Android 11."""

_FLAG_FIRST_SDK: Final[Mapping[str, int]] = {
    "REVIEW_REQUIRED": 24,
    **dict.fromkeys(("REVOKE_WHEN_REQUESTED", "GRANTED_BY_ROLE", "APPLY_RESTRICTION"), 29),
    **dict.fromkeys(("USER_SENSITIVE_WHEN_GRANTED", "USER_SENSITIVE_WHEN_DENIED"), 29),
    **{f"RESTRICTION_{who}_EXEMPT": 29 for who in ("INSTALLER", "SYSTEM", "UPGRADE")},
    **dict.fromkeys(("ONE_TIME", "AUTO_REVOKED"), 30),
    "524288": 31,
}
_REVOKED_COMPAT_NAME_SDK: Final = 30


def known_flag_bits(sdk: int) -> int:
    """Bits that a release gives a meaning."""
    return sum(bit for name, bit in FLAG_BITS.items() if sdk >= _FLAG_FIRST_SDK.get(name, 23))


def flag_names_for_sdk(sdk: int) -> Mapping[int, str]:
    """Bit → name in the dumps of a release (``PackageManager.permissionFlagToString``)."""
    names = {bit: name for name, bit in FLAG_BITS.items() if bit & known_flag_bits(sdk)}
    return names if sdk >= _REVOKED_COMPAT_NAME_SDK else {**names, FLAG_BITS["REVOKED_COMPAT"]: "REVOKE_ON_UPGRADE"}


RUNTIME_PERMISSION_OPS: Final[Mapping[str, str | None]] = {
    full_permission_name(name): op
    for name, op in {
        "READ_CONTACTS": "READ_CONTACTS",
        "WRITE_CONTACTS": "WRITE_CONTACTS",
        "GET_ACCOUNTS": "GET_ACCOUNTS",
        "READ_CALL_LOG": "READ_CALL_LOG",
        "WRITE_CALL_LOG": "WRITE_CALL_LOG",
        "PROCESS_OUTGOING_CALLS": "PROCESS_OUTGOING_CALLS",
        "READ_SMS": "READ_SMS",
        "RECEIVE_SMS": "RECEIVE_SMS",
        "SEND_SMS": "SEND_SMS",
        "RECEIVE_MMS": "RECEIVE_MMS",
        "RECEIVE_WAP_PUSH": "RECEIVE_WAP_PUSH",
        "READ_PHONE_STATE": "READ_PHONE_STATE",
        "READ_PHONE_NUMBERS": "READ_PHONE_NUMBERS",
        "CALL_PHONE": "CALL_PHONE",
        "ANSWER_PHONE_CALLS": "ANSWER_PHONE_CALLS",
        "ACCESS_FINE_LOCATION": "FINE_LOCATION",
        "ACCESS_COARSE_LOCATION": "COARSE_LOCATION",
        "ACCESS_BACKGROUND_LOCATION": None,
        "READ_CALENDAR": "READ_CALENDAR",
        "WRITE_CALENDAR": "WRITE_CALENDAR",
        "CAMERA": "CAMERA",
        "RECORD_AUDIO": "RECORD_AUDIO",
        "BODY_SENSORS": "BODY_SENSORS",
        "ACTIVITY_RECOGNITION": "ACTIVITY_RECOGNITION",
        "READ_EXTERNAL_STORAGE": "READ_EXTERNAL_STORAGE",
        "WRITE_EXTERNAL_STORAGE": "WRITE_EXTERNAL_STORAGE",
        "READ_MEDIA_IMAGES": "READ_MEDIA_IMAGES",
        "READ_MEDIA_VIDEO": "READ_MEDIA_VIDEO",
        "READ_MEDIA_AUDIO": "READ_MEDIA_AUDIO",
        "READ_MEDIA_VISUAL_USER_SELECTED": None,
        "POST_NOTIFICATIONS": "POST_NOTIFICATION",
        "BLUETOOTH_CONNECT": None,
        "BLUETOOTH_SCAN": None,
    }.items()
}
"""Permissions granted at run time, each with the app-op that follows it (``None``: not told by app-ops here)."""

PERMISSION_FIRST_SDK: Final[Mapping[str, int]] = {
    full_permission_name(name): sdk
    for sdk, names in {
        26: "READ_PHONE_NUMBERS ANSWER_PHONE_CALLS REQUEST_INSTALL_PACKAGES",
        28: "FOREGROUND_SERVICE USE_BIOMETRIC",
        29: "ACCESS_BACKGROUND_LOCATION ACTIVITY_RECOGNITION",
        30: "QUERY_ALL_PACKAGES MANAGE_EXTERNAL_STORAGE",
        31: "BLUETOOTH_CONNECT BLUETOOTH_SCAN SCHEDULE_EXACT_ALARM",
        33: "READ_MEDIA_IMAGES READ_MEDIA_VIDEO READ_MEDIA_AUDIO POST_NOTIFICATIONS",
        34: "READ_MEDIA_VISUAL_USER_SELECTED",
    }.items()
    for name in _split_words(names)
}
"""Permissions that came after Android 6. An app may ask for them earlier: nobody knows them, nothing is stored."""

HARD_RESTRICTED: Final = frozenset(
    full_permission_name(name)
    for name in _split_words(
        "READ_SMS RECEIVE_SMS SEND_SMS RECEIVE_MMS RECEIVE_WAP_PUSH "
        "READ_CALL_LOG WRITE_CALL_LOG PROCESS_OUTGOING_CALLS ACCESS_BACKGROUND_LOCATION"
    )
)
"""Not grantable unless the installer, the system or an upgrade exempts the app (Android 10 and later)."""

SOFT_RESTRICTED: Final = frozenset(map(full_permission_name, ("READ_EXTERNAL_STORAGE", "WRITE_EXTERNAL_STORAGE")))
APP_OP_PERMISSIONS: Final = frozenset(
    full_permission_name(name)
    for name in _split_words(
        "SYSTEM_ALERT_WINDOW REQUEST_INSTALL_PACKAGES PACKAGE_USAGE_STATS "
        "MANAGE_EXTERNAL_STORAGE SCHEDULE_EXACT_ALARM WRITE_SETTINGS"
    )
)
"""Decided by an app-op on a settings page of its own; dumps say ``granted=false`` under the install permissions."""

PROTECTION_LEVELS: Final[Mapping[str, str]] = {
    **dict.fromkeys(RUNTIME_PERMISSION_OPS, "dangerous"),
    **{
        full_permission_name(name): "dangerous|instant"
        for name in _split_words("READ_PHONE_NUMBERS ACCESS_FINE_LOCATION ACCESS_COARSE_LOCATION CAMERA RECORD_AUDIO")
    },
    full_permission_name("ANSWER_PHONE_CALLS"): "dangerous|runtime",
    full_permission_name("INTERNET"): "normal|instant",
    full_permission_name("QUERY_ALL_PACKAGES"): "normal",
    full_permission_name("MANAGE_EXTERNAL_STORAGE"): "signature|appop|preinstalled",
    full_permission_name("SYSTEM_ALERT_WINDOW"): "signature|setup|appop|installer|pre23|development",
    full_permission_name("REQUEST_INSTALL_PACKAGES"): "signature|appop",
    full_permission_name("PACKAGE_USAGE_STATS"): "signature|privileged|development|appop|retailDemo",
}
"""Protection level as ``PermissionInfo.protectionToString`` words it, of the platform permissions that are dumped."""

PERMISSION_GIDS: Final[Mapping[str, int]] = {
    full_permission_name("BLUETOOTH_ADMIN"): 3001,
    full_permission_name("BLUETOOTH"): 3002,
    full_permission_name("INTERNET"): 3003,
}
"""Linux groups that come with a permission (``platform.xml``)."""

OP_NUMBERS: Final[Mapping[str, int]] = {
    name: number
    for number, name in enumerate(
        _split_words(
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
            "ACCESS_ACCESSIBILITY READ_DEVICE_IDENTIFIERS ACCESS_MEDIA_LOCATION QUERY_ALL_PACKAGES "
            "MANAGE_EXTERNAL_STORAGE"
        )
    )
}
"""App-op numbers; dumps list ops in this order. The name of 17 is Android's own misspelling."""

DEFAULT_OP_MODES: Final[Mapping[str, str]] = {
    "WRITE_SMS": "ignore",
    "WRITE_ICC_SMS": "ignore",
    "PROJECT_MEDIA": "ignore",
    "ACTIVATE_VPN": "ignore",
    **dict.fromkeys(
        _split_words(
            "WRITE_SETTINGS SYSTEM_ALERT_WINDOW GET_USAGE_STATS REQUEST_INSTALL_PACKAGES "
            "LEGACY_STORAGE MANAGE_EXTERNAL_STORAGE"
        ),
        "default",
    ),
}
"""``AppOpsManager.opToDefaultMode`` where it is not ``allow``."""

LOCATION_SWITCH_OPS: Final = dict.fromkeys(
    _split_words("GPS WIFI_SCAN NEIGHBORING_CELLS MONITOR_LOCATION MONITOR_HIGH_POWER_LOCATION"), "COARSE_LOCATION"
)
SMS_SWITCH_OPS: Final = {"READ_ICC_SMS": "READ_SMS", "WRITE_ICC_SMS": "WRITE_SMS"}
"""``AppOpsManager.sOpToSwitch``: ops whose mode another op decides."""

_VENDOR_OP: Final = re.compile(r"[A-Z]+\((\d{5})\)")
_AFTER_ALL_OPS: Final = 1 << 20


def op_number(name: str) -> int:
    """Place of an op in dumps: its number; for one that only a maker knows, the number in its name, or behind all."""
    maker = _VENDOR_OP.fullmatch(name)
    return OP_NUMBERS.get(name, int(maker[1]) if maker else _AFTER_ALL_OPS)
