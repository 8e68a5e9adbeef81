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
    file: str
    """Its name in a folder of text files, without ``.txt``; per-user and per-package answers add a suffix."""
    why: str
    per: str = "phone"
    """``phone``, ``user`` or ``package``."""
    since: int = 23
    """First SDK that has it."""
    essential: bool = True
    """Whether its absence could hide a lending app or what one can read."""
    may_be_empty: bool = False
    """Whether nothing at all is an honest answer."""


def _short(permission: str) -> str:
    return permission.replace("android.permission.", "${p}")


QUESTIONS: Final = (
    Question(
        name="clock",
        command="date +%s",
        file="date",
        # First: its time is compared with the computer's when the script is sent.
        why="app-ops tell ages; the phone's clock makes them times",
        essential=False,
    ),
    Question(
        name="properties",
        command="g " + " ".join(PROPERTIES),
        file="getprop",
        why="Android version, maker, language and time zone decide how all else is read",
    ),
    Question(
        name="users",
        command="pm list users",
        file="pm_list_users",
        why="clones, work profiles and private spaces hold their own permissions",
    ),
    Question(
        name="packages",
        command="dumpsys $t package permission "
        + " ".join(p.replace("android.permission.", "${p}") for p in PERMISSIONS),
        file="dumpsys_package",
        why="who requests and holds the named permissions, for every user",
    ),
    Question(
        name="appops",
        command="dumpsys $t appops",
        file="dumpsys_appops",
        why="what is blocked in effect, and the last time each app read",
    ),
    Question(
        name="roles",
        command="dumpsys $t role",
        file="dumpsys_role",
        why="the default SMS and phone app read by role",
        since=29,
    ),
    Question(
        name="device_policy",
        command="dumpsys $t device_policy",
        file="dumpsys_device_policy",
        why="device administrators and owners",
    ),
    Question(
        name="installed",
        command="pm list packages -f -i $l --user $u",
        file="pm_list_packages",
        why="which apps this user has, who installed them, and their uids, which no app can know to forge",
        per="user",
    ),
    Question(
        name="third_party",
        command="pm list packages -3 --user $u",
        file="pm_list_packages_3",
        why="which of them are not part of the system image",
        per="user",
        essential=False,
        may_be_empty=True,
    ),
    Question(
        name="settings",
        command="s $u",
        file="settings_secure",
        why="accessibility services, notification listeners, keyboard and default SMS app",
        per="user",
    ),
    Question(
        name="package",
        command="dumpsys $t package PKG",
        file="dumpsys_package",
        why="everything a suspect app requests",
        per="package",
        essential=False,
    ),
)


BY_NAME: Final[Mapping[str, Question]] = {question.name: question for question in QUESTIONS}

OLDEST_SDK: Final = 23
"""Android 6: the first with permissions that an owner can refuse."""

_PACKAGE = re.compile(r"(?=.{1,255}\Z)[A-Za-z]\w*(?:\.[A-Za-z]\w*)*\Z", re.ASCII)

_HEAD = """\
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
_USERS_HEAD = """\
for w in $(pm list users 2>/dev/null </dev/null); do
case $w in UserInfo{*:*)
u=${w#UserInfo?}
u=${u%%:*}
case $u in ''|*[!0-9]*) ;; *)
"""
_USERS_TAIL = """\
;; esac
;; esac
done
"""
_TAIL = 'echo "$m done"\n'


def is_package_name(text: str) -> bool:
    """Whether Android would accept `text` as a package name (``FrameworkParsingPackageUtils.validateName``).

    Nothing else may enter a command. Android wants a dot in it, except for ``android`` itself and some system packages.
    """
    return _PACKAGE.match(text) is not None


def is_key(text: str) -> bool:
    """Whether `text` names an answer that we would ask for: ``NAME``, ``NAME.USER`` or ``package.PACKAGE``."""
    name, dot, about = text.partition(".")
    question = BY_NAME.get(name)
    if question is None:
        return False
    if question.per == "user":
        return re.fullmatch(r"0|[1-9][0-9]{0,4}", about) is not None
    return is_package_name(about) if question.per == "package" else not dot


def new_marker() -> str:
    """A line start that no phone can know before it is asked."""
    return f"@@{secrets.token_hex(8)}"


def expected(sdk: int | None, users: Iterable[int]) -> Iterator[str]:
    """Keys of the answers that a whole capture of a phone of `sdk` with `users` holds."""
    numbers = tuple(users)
    for question in QUESTIONS:
        if question.per == "user":
            yield from (f"{question.name}.{user}" for user in numbers)
        elif question.per == "phone" and (sdk is None or sdk >= question.since):
            yield question.name


def first_round(marker: str) -> Command:
    """Everything that can be asked before any app is known, for all users, in one script of less than 4 KB.

    4 KB is what an Android 6 ``adbd`` takes in one message.
    """
    script = [_HEAD.format(marker=marker, settings=" ".join(SETTINGS))]
    for question in QUESTIONS:
        if question.per == "phone":
            line = f"a {question.name} {question.command}\n"
            script.append(
                f"if [ $v -ge {question.since} ]; then\n{line}fi\n" if question.since > QUESTIONS[0].since else line
            )
    script.append(_USERS_HEAD)
    script.extend(f"a {q.name}.$u {q.command}\n" for q in QUESTIONS if q.per == "user")
    script.append(_USERS_TAIL + _TAIL)
    return Command(text="".join(script), why="first round: phone, users, packages, app-ops, settings")


def later_rounds(marker: str, wanted: Iterable[str], *, limit: int) -> Iterator[Command]:
    """Scripts for the answers in `wanted`, each no longer than `limit` bytes.

    Args:
        marker: see `new_marker`.
        wanted: answer keys: ``package.NAME``, ``installed.USER``, or a whole-phone question.
        limit: most bytes of one script.

    Raises:
        ValueError: a key names no question, no Android user or no package name.
    """
    head = _head(marker)
    room = limit - len(head) - len(_TAIL)
    lines: list[str] = []
    for key in wanted:
        line = f"a {key} {_command_for(key)}\n"
        if lines and sum(map(len, lines)) + len(line) > room:
            yield Command(text=head + "".join(lines) + _TAIL, why="later round: suspects")
            lines = []
        lines.append(line)
    if lines:
        yield Command(text=head + "".join(lines) + _TAIL, why="later round: suspects")


def _head(marker: str) -> str:
    return _HEAD.format(marker=marker, settings=" ".join(SETTINGS))


def _command_for(key: str) -> str:
    name, _, about = key.partition(".")
    question = BY_NAME.get(name)
    if question is None:
        raise ValueError(f"no such question: {key!r}")
    if question.per == "user":
        if not re.fullmatch(r"[0-9]{1,5}", about, re.ASCII):
            raise ValueError(f"not an Android user: {key!r}")
        return question.command.replace("$u", about)
    if question.per == "package":
        if not is_package_name(about):
            raise ValueError(f"not a package name: {key!r}")
        return question.command.replace("PKG", about)
    if about:
        raise ValueError(f"asked of the whole phone: {key!r}")
    return question.command


# --- parts of files ---------------------------------------------------------------------------------------------------

BLOCK: Final = 4096
"""Bytes that ``dd`` reads at a time; every range begins and ends at a multiple of it."""
LAST_BLOCK: Final = 1 << 19
"""No block after this one is read: 2 GB, as far as ``dd`` counts on every phone and more than an APK may have."""

_APK_PATH = re.compile(r"/(?=.{1,1024}\Z)[A-Za-z0-9_.,@+=~/ -]*\.apk\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Adjacent blocks of one file on the phone."""

    path: str
    first: int
    count: int


def is_apk_path(text: str) -> bool:
    """Whether `text` may be put between single quotes in a command: absolute, no ``..``, nothing that a shell knows.

    Since Android 11 ``/data/app/~~BASE64==/PKG-BASE64==/base.apk`` (``PackageManagerServiceUtils.getNextCodePath``);
    system folders are named by makers, some with blanks, commas or plus signs in them.
    """
    return _APK_PATH.match(text) is not None and "/../" not in text


def file_sizes(marker: str, paths: Sequence[str], *, limit: int) -> Iterator[Command]:
    """Scripts that tell the sizes of files that are there, each no longer than `limit` bytes: ``SIZE PATH`` a line.

    ``stat`` is in toybox since Android 6, where ``ls -l`` still came in toolbox's own layout (AOSP:
    ``system/core/shell_and_utilities/README.md``). One process for all files of a script.

    Raises:
        ValueError: a path that must not be put into a command.
    """
    yield from _scripts(
        marker, [f" {_quoted(path)}" for path in paths], "stat -c '%s %n'", " 2>/dev/null\n", "sizes of APKs", limit
    )


def file_blocks(marker: str, wanted: Sequence[Blocks], *, limit: int) -> Iterator[Command]:
    """Scripts that read blocks of files, each no longer than `limit` bytes.

    Before each range stands a line ``MARKER first count``, after it an empty one. The bytes between are the file's own,
    fewer where it ends or cannot be read. ``dd`` is BSD's from Android 6 to 9 and toybox's since; both know this much.

    Raises:
        ValueError: a path that must not be put into a command, or a range outside of every file.
    """
    lines = []
    for blocks in wanted:
        if not (0 <= blocks.first <= LAST_BLOCK and 0 < blocks.count <= LAST_BLOCK):
            raise ValueError(f"no range of a file: {blocks!r}")
        lines.append((f"p={_quoted(blocks.path)}\n", f"b {blocks.first} {blocks.count}\n"))
    # Not called r: mksh has an alias of that name.
    head = (
        f'm={marker}\nb() {{ echo "$m $1 $2"; dd if="$p" bs={BLOCK} skip=$1 count=$2 2>/dev/null </dev/null; echo; }}\n'
    )
    tail = 'echo "$m done"\n'
    script, path = "", ""
    for name, line in lines:
        text = line if name == path else name + line
        if script and len(head) + len(script) + len(text) + len(tail) > limit:
            yield Command(text=head + script + tail, why="parts of APKs", binary=True)
            script, text = "", name + line  # a new script knows nothing of the one before
        script, path = script + text, name
    if script:
        yield Command(text=head + script + tail, why="parts of APKs", binary=True)


def file_hashes(marker: str, paths: Sequence[str], *, limit: int) -> Iterator[Command]:
    """Scripts that let the phone compute SHA-256: ``HEX  PATH`` a line, the unreadable left out.

    ``sha256sum`` is in toybox since Android 8; before, nothing comes.

    Raises:
        ValueError: a path that must not be put into a command.
    """
    yield from _scripts(
        marker, [f" {_quoted(path)}" for path in paths], "sha256sum", " 2>/dev/null\n", "SHA-256 of APKs", limit
    )


def _scripts(marker: str, words: Sequence[str], begin: str, end: str, why: str, limit: int) -> Iterator[Command]:
    tail = f"{end}echo; echo '{marker} done'\n"
    room = limit - len(begin) - len(tail)
    line: list[str] = []
    size = 0
    for word in words:
        if line and size + len(word) > room:
            yield Command(text=begin + "".join(line) + tail, why=why, binary=True)
            line, size = [], 0
        line.append(word)
        size += len(word)
    if line:
        yield Command(text=begin + "".join(line) + tail, why=why, binary=True)


def _quoted(path: str) -> str:
    if not is_apk_path(path):
        raise ValueError(f"no path of an APK: {path!r}")
    return f"'{path}'"


# --- the same phone again ---------------------------------------------------------------------------------------------


def identity(salt: str) -> Command:
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


def leaving() -> Command:
    """Whether wireless debugging is still on (AOSP ``Settings.Global.ADB_WIFI_ENABLED``, since Android 11)."""
    return Command(
        text="settings get global adb_wifi_enabled </dev/null",
        why="whether wireless debugging is off before the phone leaves",
    )
