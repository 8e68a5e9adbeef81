"""Build the shell scripts that are sent to a phone: rows of `privaudit.capture.questions`, and ranges of APK files.

All questions of one round form one script, so that a slow cable costs one round trip. Marker lines enclose each answer.
They are random per run, so that nothing inside an answer can imitate its end.

Together with the table of reads this is all that a capture can execute on a phone; both are reviewed together.
"""

import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from privaudit.capture.questions import QUESTIONS, QUESTIONS_BY_NAME, READING_OPS, SETTINGS, Question, is_answer_key
from privaudit.model import Command

_SCRIPT_HEAD: Final = """\
set -f
m={marker}
a() {{ n=$1; shift; echo "$m begin $n"; "$@" 2>&1 </dev/null; r=$?; echo; echo "$m end $n $r"; }}
b() {{ n=$1; shift; echo "$m begin $n"; "$@" 2>/dev/null </dev/null; r=$?; echo; echo "$m end $n $r"; }}
g() {{ for k in "$@"; do echo "[$k]: [$(getprop $k)]"; done; }}
s() {{ for k in {settings}; do echo "$k=$(settings --user $1 get secure $k)"; done; }}
o() {{ for k in {ops}; do echo "[$k]"; cmd appops get --user $1 $2 $k; done; }}
v=$(getprop ro.build.version.sdk)
case $v in ''|*[!0-9]*) v=0;; esac
t=
if [ $v -ge 26 ]; then t='-t 60'; fi
l=
if [ $v -ge 29 ]; then l=-U; fi
p=android.permission.
"""
_USER_LOOP_HEAD: Final = """\
for w in $(pm list users 2>/dev/null </dev/null); do
case $w in UserInfo{*:*)
u=${w#UserInfo?}
u=${u%%:*}
case $u in ''|*[!0-9]*) ;; *)
"""
_USER_LOOP_TAIL: Final = """\
;; esac
;; esac
done
"""
_SCRIPT_TAIL: Final = 'echo "$m done"\n'


def new_marker() -> str:
    """Return the start of a marker line, which a phone cannot know in advance."""
    return f"@@{secrets.token_hex(8)}"


def first_round(marker: str, skipped: Collection[str] = ()) -> Command:
    """Return one script with all questions about phone and users, but for those whose names are in `skipped`.

    It is shorter than 4 KB: ``adbd`` of Android 6 accepts no more.
    """
    script = [_format_script_head(marker)]
    asked = [question for question in QUESTIONS if question.name not in skipped]
    for question in asked:
        if question.scope == "phone":
            line = _ask(question, question.name, question.command)
            is_newer = question.min_sdk > QUESTIONS[0].min_sdk
            script.append(f"if [ $v -ge {question.min_sdk} ]; then\n{line}fi\n" if is_newer else line)
    script.append(_USER_LOOP_HEAD)
    script += (_ask(one, f"{one.name}.$u", one.command) for one in asked if one.scope == "user")
    script.append(_USER_LOOP_TAIL + _SCRIPT_TAIL)
    return Command(text="".join(script), why="first round: phone, users, packages, app-ops, settings")


def follow_up_rounds(marker: str, keys: Iterable[str], *, max_bytes: int) -> Iterator[Command]:
    """Yield scripts for the answers `keys`. Raises `ValueError` if a key is not one (`is_answer_key`)."""
    head = _format_script_head(marker)
    for script in _fill_scripts(head, map(_ask_for_key, keys), _SCRIPT_TAIL, max_bytes):
        yield Command(text=script, why="later round: suspects")


def _format_script_head(marker: str) -> str:
    return _SCRIPT_HEAD.format(marker=marker, settings=" ".join(SETTINGS), ops=" ".join(READING_OPS))


def _ask_for_key(key: str) -> str:
    if not is_answer_key(key):
        raise ValueError(f"not the key of an answer: {key!r}")
    name, _, subject = key.partition(".")
    question = QUESTIONS_BY_NAME[name]
    user, _, package = subject.partition(".")
    if question.scope == "package":
        user, package = "", subject
    return _ask(question, key, question.command.replace("$u", user).replace("PKG", package))


def _ask(question: Question, key: str, command: str) -> str:
    return f"{'b' if question.is_binary else 'a'} {key} {command}\n"


def _fill_scripts(head: str, parts: Iterable[str], tail: str, max_bytes: int) -> Iterator[str]:
    """Yield scripts with as many of `parts` as fit into `max_bytes` between `head` and `tail`, at least one."""
    script = ""
    for part in parts:
        if script and len(head) + len(script) + len(part) + len(tail) > max_bytes:
            yield head + script + tail
            script = ""
        script += part
    if script:
        yield head + script + tail


BLOCK_BYTES: Final = 4096
"""Block size of ``dd``; every range begins and ends at a multiple of it."""
MAX_BLOCK_INDEX: Final = 1 << 19
"""No later block is read: 2 GB, the limit of ``dd`` on some phones and more than an APK may have."""

_APK_PATH: Final = re.compile(r"/(?=.{1,1024}\Z)[A-Za-z0-9_.,@+=~/ -]*\.apk\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class BlockRange:
    """Consecutive blocks of one file on the phone."""

    path: str
    first_block: int
    block_count: int


def is_apk_path(text: str) -> bool:
    """Return whether `text` is safe between single quotes in a command: absolute, no ``..``, no shell syntax.

    Since Android 11 paths are ``/data/app/~~BASE64==/PKG-BASE64==/base.apk``
    (``PackageManagerServiceUtils.getNextCodePath``); system folders may have blanks, commas or plus signs.
    """
    return _APK_PATH.match(text) is not None and "/../" not in text


def file_size_scripts(marker: str, paths: Sequence[str], *, max_bytes: int) -> Iterator[Command]:
    """Yield scripts that print ``SIZE PATH`` for each existing file, each no longer than `max_bytes`.

    ``stat`` is in toybox since Android 6, in which ``ls -l`` still had toolbox's own format (AOSP:
    ``system/core/shell_and_utilities/README.md``). One process for all files of a script. Raises `ValueError` if a
    path must not enter a command.
    """
    yield from _batch_scripts(marker, "stat -c '%s %n'", paths, why="sizes of APKs", max_bytes=max_bytes)


def file_block_scripts(marker: str, block_ranges: Sequence[BlockRange], *, max_bytes: int) -> Iterator[Command]:
    """Yield scripts that print blocks of files, each no longer than `max_bytes`.

    A line ``MARKER first count`` precedes each range, and a line feed follows it. Between them are the file's bytes:
    fewer if the file ends earlier or cannot be read. ``dd`` is BSD's from Android 6 to 9 and toybox's since; both have
    these options. Raises `ValueError` if a path must not enter a command, or a range is outside of every file.
    """
    lines = []
    for blocks in block_ranges:
        if not (0 <= blocks.first_block <= MAX_BLOCK_INDEX and 0 < blocks.block_count <= MAX_BLOCK_INDEX):
            raise ValueError(f"not a range of a file: {blocks!r}")
        lines.append((f"p={_quote_path(blocks.path)}\n", f"b {blocks.first_block} {blocks.block_count}\n"))
    # Not called r: mksh has an alias of that name.
    function = (
        f'b() {{ echo "$m $1 $2"; dd if="$p" bs={BLOCK_BYTES} skip=$1 count=$2 2>/dev/null </dev/null; echo; }}\n'
    )
    head = f"m={marker}\n{function}"
    script, current_path = "", ""
    for set_path, read in lines:
        text = read if set_path == current_path else set_path + read
        if script and len(head) + len(script) + len(text) + len(_SCRIPT_TAIL) > max_bytes:
            yield Command(text=head + script + _SCRIPT_TAIL, why="parts of APKs", binary=True)
            script, text = "", set_path + read  # variables do not survive between scripts
        script, current_path = script + text, set_path
    if script:
        yield Command(text=head + script + _SCRIPT_TAIL, why="parts of APKs", binary=True)


def file_hash_scripts(marker: str, paths: Sequence[str], *, max_bytes: int) -> Iterator[Command]:
    """Yield scripts that make the phone compute SHA-256: a line ``HEX  PATH`` for each readable file.

    ``sha256sum`` is in toybox since Android 8; earlier phones print nothing. Raises `ValueError` if a path must not
    enter a command.
    """
    yield from _batch_scripts(marker, "sha256sum", paths, why="SHA-256 of APKs", max_bytes=max_bytes)


def _batch_scripts(marker: str, program: str, paths: Sequence[str], *, why: str, max_bytes: int) -> Iterator[Command]:
    """Yield scripts that run `program` once, with as many of `paths` as fit."""
    tail = f" 2>/dev/null\necho; echo '{marker} done'\n"
    for script in _fill_scripts(program, (f" {_quote_path(path)}" for path in paths), tail, max_bytes):
        yield Command(text=script, why=why, binary=True)


def _quote_path(path: str) -> str:
    if not is_apk_path(path):
        raise ValueError(f"not a path of an APK: {path!r}")
    return f"'{path}'"


def device_fingerprint(salt: str) -> Command:
    """Return a script that makes the phone print a salted hash of its serial number and its ``android_id``.

    The hash identifies the phone later; neither number leaves the phone. A phone that has neither prints nothing.
    ``sha256sum`` is in toybox since Android 8, ``sha1sum`` before. Raises `ValueError` if `salt` is not hexadecimal.
    """
    if not re.fullmatch(r"[0-9a-f]{16,64}", salt):
        raise ValueError("not a salt")
    script = f"""\
n="$(getprop ro.serialno 2>/dev/null </dev/null) $(settings get secure android_id 2>/dev/null </dev/null)"
case $n in ' '|' null'|'unknown '|'unknown null') ;; *)
echo "{salt} $n" | sha256sum 2>/dev/null || echo "{salt} $n" | sha1sum 2>/dev/null
;; esac
"""
    return Command(text=script, why="to know the phone again: a salted hash that it computes itself")


def wireless_debugging_state() -> Command:
    """Return a script that prints whether wireless debugging (``Settings.Global.ADB_WIFI_ENABLED``) is on."""
    return Command(
        text="settings get global adb_wifi_enabled </dev/null",
        why="whether wireless debugging is off before the phone leaves",
    )
