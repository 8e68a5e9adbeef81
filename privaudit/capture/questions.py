"""The one list of what a phone is asked. Every row reads; none changes anything, and none reads a person's content.

All questions of one round travel as one shell script, so that a slow cable costs one round trip. Each answer stands
between marker lines that are random per run, so that nothing inside an answer can pass for the end of it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privaudit.model import Command

PERMISSIONS: Final = tuple(
    f"android.permission.{name}"
    for name in [
        "READ_CONTACTS",
        "WRITE_CONTACTS",
        "GET_ACCOUNTS",
        "READ_SMS",
        "RECEIVE_SMS",
        "SEND_SMS",
        "RECEIVE_MMS",
        "RECEIVE_WAP_PUSH",
        "READ_CALL_LOG",
        "WRITE_CALL_LOG",
        "PROCESS_OUTGOING_CALLS",
        "READ_PHONE_STATE",
        "READ_PHONE_NUMBERS",
        "CALL_PHONE",
        "ANSWER_PHONE_CALLS",
        "ACCESS_FINE_LOCATION",
        "ACCESS_COARSE_LOCATION",
        "ACCESS_BACKGROUND_LOCATION",
        "READ_EXTERNAL_STORAGE",
        "READ_MEDIA_IMAGES",
        "READ_MEDIA_VIDEO",
        "MANAGE_EXTERNAL_STORAGE",
        "QUERY_ALL_PACKAGES",
        "PACKAGE_USAGE_STATS",
        "SYSTEM_ALERT_WINDOW",
        "REQUEST_INSTALL_PACKAGES",
    ]
)
"""Named to ``dumpsys package permission``, which then says who requests and holds them."""

PROPERTIES: Final = (
    "ro.build.version.sdk",
    "ro.build.version.release",
    "ro.build.version.security_patch",
    "ro.product.manufacturer",
    "ro.product.brand",
    "ro.product.model",
    "ro.build.display.id",
    "persist.sys.locale",
    "ro.product.locale",
    "persist.sys.timezone",
    # How makers mark their own Android; the order of recognition is in privaudit/roms.
    "ro.mi.os.version.name",
    "ro.miui.ui.version.name",
    "hw_sc.build.platform.version",
    "ro.build.version.emui",
    "msc.config.magic.version",
    "ro.build.version.magic",
    "ro.build.version.oplusrom",
    "ro.build.version.opporom",
    "ro.build.version.realmeui",
    "ro.build.version.oxygen",
    "ro.oxygen.version",
    "ro.vivo.os.build.display.id",
    "ro.vivo.os.name",
    "ro.vivo.os.version",
    "ro.build.version.oneui",
    "ro.flyme.version.id",
    "ro.flyme.published",
    "ro.tranos.version",
    # Whether MIUI and HyperOS let changes in over the cable.
    "persist.security.adbinput",
)
"""Named one by one: a whole ``getprop`` holds the serial number."""

SETTINGS: Final = (
    "enabled_accessibility_services",
    "accessibility_enabled",
    "enabled_notification_listeners",
    "default_input_method",
    "sms_default_application",
    "dialer_default_application",
)
"""Keys of ``settings … secure``, named one by one: a whole list holds identifiers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing to ask."""

    name: str
    command: str
    """As it stands in the script.

    ``$t`` is ``-t 60`` where ``dumpsys`` has it, ``$l`` is ``-U`` where ``pm`` has it, ``$u`` an Android user,
    ``PKG`` a package name.
    """
    file_stem: str
    """Its name in a folder of text files, without ``.txt``; per-user and per-package answers add a suffix."""
    why: str
    scope: str = "phone"
    """``phone``, ``user`` or ``package``."""
    min_sdk: int = 23
    """First SDK that has it."""
    is_essential: bool = True
    """Whether its absence could hide a lending app or what one can read."""
    may_be_empty: bool = False
    """Whether nothing at all is an honest answer."""


def _short(permission: str) -> str:
    return permission.replace("android.permission.", "${p}")


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
        name="packages",
        command="dumpsys $t package permission "
        + " ".join(p.replace("android.permission.", "${p}") for p in PERMISSIONS),
        file_stem="dumpsys_package",
        why="who requests and holds the named permissions, for every user",
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
)


QUESTIONS_BY_NAME: Final[Mapping[str, Question]] = {question.name: question for question in QUESTIONS}

OLDEST_SDK: Final = 23
"""Android 6: the first with permissions that an owner can refuse."""

_PACKAGE_NAME = re.compile(r"(?=.{1,255}\Z)[A-Za-z]\w*(?:\.[A-Za-z]\w*)*\Z", re.ASCII)

_SCRIPT_HEAD = """\
set -f
m={marker}
a() {{ n=$1; shift; echo "$m begin $n"; "$@" 2>&1 </dev/null; r=$?; echo; echo "$m end $n $r"; }}
g() {{ for k in "$@"; do echo "[$k]: [$(getprop $k)]"; done; }}
s() {{ for k in {settings}; do echo "$k=$(settings --user $1 get secure $k)"; done; }}
v=$(getprop ro.build.version.sdk)
case $v in ''|*[!0-9]*) v=0;; esac
t=
if [ $v -ge 26 ]; then t='-t 60'; fi
l=
if [ $v -ge 29 ]; then l=-U; fi
p=android.permission.
"""
_USER_LOOP_HEAD = """\
for w in $(pm list users 2>/dev/null </dev/null); do
case $w in UserInfo{*:*)
u=${w#UserInfo?}
u=${u%%:*}
case $u in ''|*[!0-9]*) ;; *)
"""
_USER_LOOP_TAIL = """\
;; esac
;; esac
done
"""
_SCRIPT_TAIL = 'echo "$m done"\n'


def is_package_name(text: str) -> bool:
    """Whether Android would accept `text` as a package name (``FrameworkParsingPackageUtils.validateName``).

    Nothing else may enter a command. Android wants a dot in it, except for ``android`` itself and some system packages.
    """
    return _PACKAGE_NAME.match(text) is not None


def is_answer_key(text: str) -> bool:
    """Whether `text` names an answer that we would ask for: ``NAME``, ``NAME.USER`` or ``package.PACKAGE``."""
    name, dot, about = text.partition(".")
    question = QUESTIONS_BY_NAME.get(name)
    if question is None:
        return False
    if question.scope == "user":
        return re.fullmatch(r"0|[1-9][0-9]{0,4}", about) is not None
    return is_package_name(about) if question.scope == "package" else not dot


def new_marker() -> str:
    """A line start that no phone can know before it is asked."""
    return f"@@{secrets.token_hex(8)}"


def expected_keys(sdk: int | None, users: Iterable[int]) -> Iterator[str]:
    """Keys of the answers that a whole capture of a phone of `sdk` with `users` holds."""
    numbers = tuple(users)
    for question in QUESTIONS:
        if question.scope == "user":
            yield from (f"{question.name}.{user}" for user in numbers)
        elif question.scope == "phone" and (sdk is None or sdk >= question.min_sdk):
            yield question.name


def first_round(marker: str) -> Command:
    """Everything that can be asked before any app is known, for all users, in one script of less than 4 KB.

    4 KB is what an Android 6 ``adbd`` takes in one message.
    """
    script = [_SCRIPT_HEAD.format(marker=marker, settings=" ".join(SETTINGS))]
    for question in QUESTIONS:
        if question.scope == "phone":
            line = f"a {question.name} {question.command}\n"
            script.append(
                f"if [ $v -ge {question.min_sdk} ]; then\n{line}fi\n"
                if question.min_sdk > QUESTIONS[0].min_sdk
                else line
            )
    script.append(_USER_LOOP_HEAD)
    script.extend(f"a {q.name}.$u {q.command}\n" for q in QUESTIONS if q.scope == "user")
    script.append(_USER_LOOP_TAIL + _SCRIPT_TAIL)
    return Command(text="".join(script), why="first round: phone, users, packages, app-ops, settings")


def follow_up_rounds(marker: str, keys: Iterable[str], *, max_bytes: int) -> Iterator[Command]:
    """Scripts for the answers in `keys`, each no longer than `max_bytes` bytes.

    Args:
        marker: see `new_marker`.
        keys: answer keys: ``package.NAME``, ``installed.USER``, or a whole-phone question.
        max_bytes: most bytes of one script.

    Raises:
        ValueError: a key names no question, no Android user or no package name.
    """
    head = _format_script_head(marker)
    room = max_bytes - len(head) - len(_SCRIPT_TAIL)
    lines: list[str] = []
    for key in keys:
        line = f"a {key} {_command_for(key)}\n"
        if lines and sum(map(len, lines)) + len(line) > room:
            yield Command(text=head + "".join(lines) + _SCRIPT_TAIL, why="later round: suspects")
            lines = []
        lines.append(line)
    if lines:
        yield Command(text=head + "".join(lines) + _SCRIPT_TAIL, why="later round: suspects")


def _format_script_head(marker: str) -> str:
    return _SCRIPT_HEAD.format(marker=marker, settings=" ".join(SETTINGS))


def _command_for(key: str) -> str:
    name, _, about = key.partition(".")
    question = QUESTIONS_BY_NAME.get(name)
    if question is None:
        raise ValueError(f"no such question: {key!r}")
    if question.scope == "user":
        if not re.fullmatch(r"[0-9]{1,5}", about, re.ASCII):
            raise ValueError(f"not an Android user: {key!r}")
        return question.command.replace("$u", about)
    if question.scope == "package":
        if not is_package_name(about):
            raise ValueError(f"not a package name: {key!r}")
        return question.command.replace("PKG", about)
    if about:
        raise ValueError(f"asked of the whole phone: {key!r}")
    return question.command


# --- parts of files ---------------------------------------------------------------------------------------------------

BLOCK_BYTES: Final = 4096
"""Bytes that ``dd`` reads at a time; every range begins and ends at a multiple of it."""
MAX_BLOCK_INDEX: Final = 1 << 19
"""No block after this one is read: 2 GB, as far as ``dd`` counts on every phone and more than an APK may have."""

_APK_PATH = re.compile(r"/(?=.{1,1024}\Z)[A-Za-z0-9_.,@+=~/ -]*\.apk\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class BlockRange:
    """Adjacent blocks of one file on the phone."""

    path: str
    first_block: int
    block_count: int


def is_apk_path(text: str) -> bool:
    """Whether `text` may be put between single quotes in a command: absolute, no ``..``, nothing that a shell knows.

    Since Android 11 ``/data/app/~~BASE64==/PKG-BASE64==/base.apk`` (``PackageManagerServiceUtils.getNextCodePath``);
    system folders are named by makers, some with blanks, commas or plus signs in them.
    """
    return _APK_PATH.match(text) is not None and "/../" not in text


def file_size_scripts(marker: str, paths: Sequence[str], *, max_bytes: int) -> Iterator[Command]:
    """Scripts that tell the sizes of files that are there, each no longer than `max_bytes` bytes: ``SIZE PATH`` a line.

    ``stat`` is in toybox since Android 6, where ``ls -l`` still came in toolbox's own layout (AOSP:
    ``system/core/shell_and_utilities/README.md``). One process for all files of a script.

    Raises:
        ValueError: a path that must not be put into a command.
    """
    yield from _batch_scripts(
        marker,
        [f" {_quote_path(path)}" for path in paths],
        "stat -c '%s %n'",
        " 2>/dev/null\n",
        "sizes of APKs",
        max_bytes,
    )


def file_block_scripts(marker: str, block_ranges: Sequence[BlockRange], *, max_bytes: int) -> Iterator[Command]:
    """Scripts that read blocks of files, each no longer than `max_bytes` bytes.

    Before each range stands a line ``MARKER first count``, after it an empty one. The bytes between are the file's own,
    fewer where it ends or cannot be read. ``dd`` is BSD's from Android 6 to 9 and toybox's since; both know this much.

    Raises:
        ValueError: a path that must not be put into a command, or a range outside of every file.
    """
    lines = []
    for blocks in block_ranges:
        if not (0 <= blocks.first_block <= MAX_BLOCK_INDEX and 0 < blocks.block_count <= MAX_BLOCK_INDEX):
            raise ValueError(f"no range of a file: {blocks!r}")
        lines.append((f"p={_quote_path(blocks.path)}\n", f"b {blocks.first_block} {blocks.block_count}\n"))
    # Not called r: mksh has an alias of that name.
    head = f'm={marker}\nb() {{ echo "$m $1 $2"; dd if="$p" bs={BLOCK_BYTES} skip=$1 count=$2 2>/dev/null </dev/null; echo; }}\n'
    tail = 'echo "$m done"\n'
    script, path = "", ""
    for name, line in lines:
        text = line if name == path else name + line
        if script and len(head) + len(script) + len(text) + len(tail) > max_bytes:
            yield Command(text=head + script + tail, why="parts of APKs", binary=True)
            script, text = "", name + line  # a new script knows nothing of the one before
        script, path = script + text, name
    if script:
        yield Command(text=head + script + tail, why="parts of APKs", binary=True)


def file_hash_scripts(marker: str, paths: Sequence[str], *, max_bytes: int) -> Iterator[Command]:
    """Scripts that let the phone compute SHA-256: ``HEX  PATH`` a line, the unreadable left out.

    ``sha256sum`` is in toybox since Android 8; before, nothing comes.

    Raises:
        ValueError: a path that must not be put into a command.
    """
    yield from _batch_scripts(
        marker, [f" {_quote_path(path)}" for path in paths], "sha256sum", " 2>/dev/null\n", "SHA-256 of APKs", max_bytes
    )


def _batch_scripts(
    marker: str, arguments: Sequence[str], prefix: str, suffix: str, why: str, max_bytes: int
) -> Iterator[Command]:
    tail = f"{suffix}echo; echo '{marker} done'\n"
    room = max_bytes - len(prefix) - len(tail)
    line: list[str] = []
    size = 0
    for word in arguments:
        if line and size + len(word) > room:
            yield Command(text=prefix + "".join(line) + tail, why=why, binary=True)
            line, size = [], 0
        line.append(word)
        size += len(word)
    if line:
        yield Command(text=prefix + "".join(line) + tail, why=why, binary=True)


def _quote_path(path: str) -> str:
    if not is_apk_path(path):
        raise ValueError(f"no path of an APK: {path!r}")
    return f"'{path}'"


# --- the same phone again ---------------------------------------------------------------------------------------------


def device_fingerprint(salt: str) -> Command:
    """Lets the phone compute by what it is known again: a salted hash of its serial number and its ``android_id``.

    Neither number leaves the phone. Nothing comes of a phone that tells neither. ``sha256sum`` is in toybox since
    Android 8, ``sha1sum`` before.

    Raises:
        ValueError: `salt` is no word of hexadecimal digits.
    """
    if not re.fullmatch(r"[0-9a-f]{16,64}", salt):
        raise ValueError("no salt")
    script = f"""\
n="$(getprop ro.serialno 2>/dev/null </dev/null) $(settings get secure android_id 2>/dev/null </dev/null)"
case $n in ' '|' null'|'unknown '|'unknown null') ;; *)
echo "{salt} $n" | sha256sum 2>/dev/null || echo "{salt} $n" | sha1sum 2>/dev/null
;; esac
"""
    return Command(text=script, why="to know the phone again: a salted hash that it computes itself")


# --- before the phone leaves ------------------------------------------------------------------------------------------


def wireless_debugging_state() -> Command:
    """Whether wireless debugging is still on (AOSP ``Settings.Global.ADB_WIFI_ENABLED``, since Android 11)."""
    return Command(
        text="settings get global adb_wifi_enabled </dev/null",
        why="whether wireless debugging is off before the phone leaves",
    )
