"""The table of reads: every question that a phone is asked. None changes anything, none reads a person's content.

`privaudit.capture.scripts` turns the rows into shell scripts. One module because a security reviewer reads it as a
whole.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

PERMISSIONS: Final = tuple(
    f"android.permission.{name}"
    for name in (
        *("READ_CONTACTS", "WRITE_CONTACTS", "GET_ACCOUNTS"),
        *("READ_SMS", "RECEIVE_SMS", "SEND_SMS", "RECEIVE_MMS", "RECEIVE_WAP_PUSH"),
        *("READ_CALL_LOG", "WRITE_CALL_LOG", "PROCESS_OUTGOING_CALLS"),
        *("READ_PHONE_STATE", "READ_PHONE_NUMBERS", "CALL_PHONE", "ANSWER_PHONE_CALLS"),
        *("ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION", "ACCESS_BACKGROUND_LOCATION"),
        *("READ_EXTERNAL_STORAGE", "READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO", "MANAGE_EXTERNAL_STORAGE"),
        *("QUERY_ALL_PACKAGES", "PACKAGE_USAGE_STATS", "SYSTEM_ALERT_WINDOW", "REQUEST_INSTALL_PACKAGES"),
    )
)
"""Arguments of ``dumpsys package permission``, which lists the apps that request and hold them."""

READING_OPS: Final = ("READ_CONTACTS", "READ_SMS", "RECEIVE_SMS", "RECEIVE_MMS", "RECEIVE_WAP_PUSH", "READ_CALL_LOG")
"""Arguments of ``cmd appops get``, one at a time: its prefix ``Uid mode:`` stands before the first line alone."""

PROPERTIES: Final = (
    *("ro.build.version.sdk", "ro.build.version.release", "ro.build.version.security_patch"),
    *("ro.product.manufacturer", "ro.product.brand", "ro.product.model", "ro.build.display.id"),
    *("persist.sys.locale", "ro.product.locale", "persist.sys.timezone"),
    # How vendors mark their own Android; the order of recognition is in privaudit/roms.py.
    *("ro.mi.os.version.name", "ro.miui.ui.version.name"),
    *("hw_sc.build.platform.version", "ro.build.version.emui", "msc.config.magic.version", "ro.build.version.magic"),
    *("ro.build.version.oplusrom", "ro.build.version.opporom", "ro.build.version.realmeui"),
    *("ro.build.version.oxygen", "ro.oxygen.version"),
    *("ro.vivo.os.build.display.id", "ro.vivo.os.name", "ro.vivo.os.version"),
    *("ro.build.version.oneui", "ro.flyme.version.id", "ro.flyme.published", "ro.tranos.version"),
    "persist.security.adbinput",  # whether MIUI and HyperOS allow changes over USB
)
"""Requested one by one: a complete ``getprop`` contains the serial number."""

SETTINGS: Final = (
    "enabled_accessibility_services",
    "accessibility_enabled",
    "enabled_notification_listeners",
    "default_input_method",
    "sms_default_application",
    "dialer_default_application",
)
"""Keys of ``settings … secure``, requested one by one: a complete list contains identifiers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A row of the table."""

    name: str
    command: str
    """The command in the script.

    ``$t`` is ``-t 60`` if ``dumpsys`` supports it, ``$l`` is ``-U`` if ``pm`` supports it, ``$u`` an Android user,
    ``PKG`` a package name.
    """
    file_stem: str
    """File name in a folder of text files, without ``.txt``; per-user and per-package answers add a suffix."""
    why: str
    scope: str = "phone"
    """``phone``, ``user``, ``package``, or ``user_package``: one package of one user."""
    min_sdk: int = 23
    """First SDK that has the command."""
    is_essential: bool = True
    """Whether a missing answer could hide a lending app or what one can read."""
    may_be_empty: bool = False
    """Whether an empty answer is valid."""
    is_binary: bool = False
    """Whether the answer is no text."""


QUESTIONS: Final = (
    Question(
        name="clock",
        command="date +%s",
        file_stem="date",
        # First: its time is compared with the computer's when the script is sent.
        why="app-ops tell ages; the phone's clock makes them times",
        is_essential=False,
    ),
    Question(
        name="properties",
        command="g " + " ".join(PROPERTIES),
        file_stem="getprop",
        why="Android version, maker, language and time zone decide how all else is read",
    ),
    Question(
        name="users",
        command="pm list users",
        file_stem="pm_list_users",
        why="clones, work profiles and private spaces hold their own permissions",
    ),
    Question(
        name="user_types",
        # `pm list users` drops the option.
        command="cmd user list -v",
        file_stem="cmd_user_list",
        why="a user's type tells clones, private spaces and work profiles apart; number and flags do not",
        min_sdk=30,
        is_essential=False,
    ),
    Question(
        name="packages",
        command="dumpsys $t package permission "
        + " ".join(p.replace("android.permission.", "${p}") for p in PERMISSIONS),
        file_stem="dumpsys_package",
        why="who requests and holds the named permissions, for every user",
    ),
    Question(
        name="packages_proto",
        command="dumpsys $t package --proto",
        file_stem="dumpsys_package_proto",
        why="users, install states and grants in a form in which no app's text can pose as Android's",
        min_sdk=31,  # before Android 12 it holds no grants
        is_essential=False,
        is_binary=True,
    ),
    Question(
        name="appops",
        command="dumpsys $t appops",
        file_stem="dumpsys_appops",
        why="what is blocked in effect, and the last time each app read",
    ),
    Question(
        name="roles",
        command="dumpsys $t role",
        file_stem="dumpsys_role",
        why="the default SMS and phone app read by role",
        min_sdk=29,
    ),
    Question(
        name="device_policy",
        command="dumpsys $t device_policy",
        file_stem="dumpsys_device_policy",
        why="device administrators and owners",
    ),
    Question(
        name="installed",
        command="pm list packages -f -i $l --user $u",
        file_stem="pm_list_packages",
        why="which apps this user has, who installed them, and their uids, which no app can know to forge",
        scope="user",
    ),
    Question(
        name="third_party",
        command="pm list packages -3 --user $u",
        file_stem="pm_list_packages_3",
        why="which of them are not part of the system image",
        scope="user",
        is_essential=False,
        may_be_empty=True,
    ),
    Question(
        name="settings",
        command="s $u",
        file_stem="settings_secure",
        why="accessibility services, notification listeners, keyboard and default SMS app",
        scope="user",
    ),
    Question(
        name="package",
        command="dumpsys $t package PKG",
        file_stem="dumpsys_package",
        why="everything a suspect app requests",
        scope="package",
        is_essential=False,
    ),
    Question(
        name="appops_get",
        command="o $u PKG",
        file_stem="appops_get",
        why="modes and times of the ops that read, in lines without any text of an app",
        scope="user_package",
        # Before Android 11 no app's text stands in the dump either, and before 10 this prints no uid modes.
        min_sdk=30,
        is_essential=False,
    ),
)


QUESTIONS_BY_NAME: Final[Mapping[str, Question]] = {question.name: question for question in QUESTIONS}

_USER_ID: Final = re.compile(r"0|[1-9][0-9]{0,4}")
_PACKAGE_NAME: Final = re.compile(r"(?=.{1,255}\Z)[A-Za-z]\w*(?:\.[A-Za-z]\w*)*\Z", re.ASCII)


def is_package_name(text: str) -> bool:
    """Return whether Android accepts `text` as a package name (``FrameworkParsingPackageUtils.validateName``).

    Nothing else may enter a command. Android requires a dot, except in ``android`` and some system packages.
    """
    return _PACKAGE_NAME.match(text) is not None


def is_answer_key(text: str) -> bool:
    """Return whether `text` is the key of a possible answer.

    ``NAME``, ``NAME.USER``, ``package.PACKAGE`` or ``NAME.USER.PACKAGE``, by the scope of the question.
    """
    name, dot, subject = text.partition(".")
    question = QUESTIONS_BY_NAME.get(name)
    user, _, package = subject.partition(".")
    match question.scope if question is not None else None:
        case "user":
            return _USER_ID.fullmatch(subject) is not None
        case "package":
            return is_package_name(subject)
        case "user_package":
            return _USER_ID.fullmatch(user) is not None and is_package_name(package)
        case "phone":
            return not dot
    return False


def expected_keys(sdk: int | None, users: Iterable[int]) -> Iterator[str]:
    """Yield the keys of the answers in a complete capture of a phone of `sdk` with `users`."""
    user_ids = tuple(users)
    for question in QUESTIONS:
        if question.scope == "user":
            yield from (f"{question.name}.{user}" for user in user_ids)
        elif question.scope == "phone" and (sdk is None or sdk >= question.min_sdk):
            yield question.name
