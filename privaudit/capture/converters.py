"""Convert answers of other sources to the format of our own commands, so that one parser reads both.

Also restore the blanks of copied text, and split files that hold several dumps. These are the only answers that are not
verbatim; `Answer.translated_from` records it, also in a saved capture.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from privaudit.android import PER_USER_RANGE
from privaudit.capture.answers import Answer, coverage_message
from privaudit.capture.questions import SETTINGS, is_package_name
from privaudit.model import AnswerState

SETTINGS_SOURCE: Final = "dumpsys settings"
PACKAGES_SOURCE: Final = "packages.json"
COPY_SOURCE: Final = "changed copy"
DUMPS_SOURCE: Final = "several dumps"

_SECURE_TITLE = re.compile(r"SECURE SETTINGS \(user (\d{1,5})\)", re.ASCII)
_SETTINGS_TITLE = re.compile(r"[A-Z]+ SETTINGS(?: \(user \d{1,5}\))?", re.ASCII)
_SETTING_LINE = re.compile(
    r"_id:\S* name:(?P<name>\w+)(?: pkg:\S*)? value:(?P<value>\S*)"
    r"(?: default:\S* defaultSystemSet:(?:true|false))?(?: tag:[^:/]*)?",
    re.ASCII,
)
_SETTING_NAME = re.compile(r"_id:\S* name:(?P<name>\w+)", re.ASCII)
_IGNORED_LINE = re.compile(r"version: -?\d+$|Historical operations|  \S", re.ASCII)
"""Lines before and after the settings of one namespace; the history only in test builds."""
_NOT_SET: Final = "null"
_MAX_UID: Final = PER_USER_RANGE * PER_USER_RANGE
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PATH = re.compile(r"/[^\s\0-\x1f]{1,1024}")


def secure_settings_lines(text: str) -> Mapping[int, str] | None:
    """Convert ``dumpsys settings`` to ``KEY=VALUE`` lines of the secure settings, by Android user.

    A setting without a value is written as ``settings get`` prints it. ``None``: a user's settings occur twice, so that
    one of the two is forged.

    Source: ``SettingsProvider.dumpForUserLocked``, ``dumpSettingsLocked`` (AOSP 6 to 14). A value may contain line
    feeds and blanks. Its further lines are written with the same key, so that parsers report it as not understood.
    """
    lines_by_user: dict[int, list[str]] = {}
    lines: list[str] | None = None
    current_key: str | None = None
    for line in text.split("\n"):
        if title := _SECURE_TITLE.fullmatch(line):
            if int(title[1]) in lines_by_user:
                return None
            lines, current_key = lines_by_user.setdefault(int(title[1]), []), None
        elif _SETTINGS_TITLE.fullmatch(line):
            lines = None
        elif lines is not None and (match := _SETTING_NAME.match(line)):
            name = match["name"]
            current_key = name if name in SETTINGS else None
            lines.extend(_setting_lines(name, line) if current_key else [f"{name}={line[match.end() :]}"])
        elif lines is not None and current_key is not None and line and not _IGNORED_LINE.match(line):
            lines.append(f"{current_key}={line}")  # the value continues
    for lines in lines_by_user.values():
        present = {line.partition("=")[0] for line in lines}
        lines.extend(f"{key}={_NOT_SET}" for key in SETTINGS if key not in present)
    return {user: "".join(f"{line}\n" for line in lines) for user, lines in lines_by_user.items()}


def _setting_lines(name: str, line: str) -> Iterator[str]:
    if match := _SETTING_LINE.fullmatch(line):
        yield f"{name}={_NOT_SET if match['value'] == '{null}' else match['value']}"
    else:
        value, _, remainder = line.partition(" value:")[2].partition(" ")
        yield f"{name}={value}"
        yield f"{name}={remainder}"


def package_list_lines(rows: Any) -> tuple[Mapping[int, str], Mapping[int, str]]:  # noqa: ANN401 - JSON
    """Convert AndroidQF's ``packages.json`` to the output of ``pm list packages`` and of its ``-3``, by Android user.

    Each row has ``name``, ``installer``, ``uid``, ``third_party`` and ``files`` (``pm path``); newer rows also have
    ``user_id`` and ``installed``. Older rows come from ``pm list packages -u``, which also lists uninstalled apps with
    remaining data; these have no file. There the uid of an app of several users is 0. Raises `ValueError` if the
    format is another.
    """
    if not isinstance(rows, list):
        raise ValueError("not a list")  # noqa: TRY004 - an invalid file, not an invalid call
    installed: dict[int, list[str]] = defaultdict(list)
    third_party: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        name = row.get("name") if isinstance(row, dict) else None
        if not isinstance(name, str) or not is_package_name(name):
            raise ValueError("a row without a package")
        if not _is_installed(row):
            continue
        uid, user = _int_below(row.get("uid"), _MAX_UID) or None, _int_below(row.get("user_id"), PER_USER_RANGE)
        if user is None:
            user = uid // PER_USER_RANGE if uid else 0
        installed[user].append(_package_line(name, base_apk(row), row.get("installer"), uid))
        if row.get("third_party") is True:
            third_party[user].append(f"package:{name}\n")
    return (
        {user: "".join(lines) for user, lines in installed.items()},
        {user: "".join(third_party[user]) for user in installed},
    )


def _package_line(name: str, apk: tuple[str, str | None] | None, installer: object, uid: int | None) -> str:
    path_field = f"{apk[0]}=" if apk else ""
    installer_field = ""
    if isinstance(installer, str) and installer:
        installer_field = f"  installer={installer if is_package_name(installer) else _NOT_SET}"
    uid_field = f" uid:{uid}" if uid else ""
    return f"package:{path_field}{name}{installer_field}{uid_field}\n"


def base_apk(row: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """Return path and SHA-256 of the base APK in a row of ``packages.json``: ``pm path`` prints it before its splits.

    A missing or invalid hash is ``None``; for a path with control characters the result is ``None``.
    """
    files = row.get("files")
    file = files[0] if isinstance(files, list) and files else None
    path = file.get("path") if isinstance(file, dict) else None
    if not isinstance(file, dict) or not isinstance(path, str) or not _PATH.fullmatch(path):
        return None
    sha256 = file.get("sha256")
    return path, sha256 if isinstance(sha256, str) and _SHA256.fullmatch(sha256) else None


def _is_installed(row: Mapping[str, Any]) -> bool:
    value = row.get("installed")
    return value if isinstance(value, bool) else bool(row.get("files")) or (value is None and "user_id" in row)


def _int_below(value: object, upper_bound: int) -> int | None:
    # Python parses JSON's true as a bool, which is an int.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < upper_bound else None


def incomplete_users(document: Any) -> Mapping[int, bool]:  # noqa: ANN401 - JSON
    """Return the users in AndroidQF's ``package_users.json`` with an incomplete list, and whether the phone refused it.

    A user has ``id``, ``inventory_status`` (collected, partial, failed) and ``error``. Names and errors are not stored:
    they may identify persons and apps.
    """
    users = document.get("users") if isinstance(document, dict) else None
    refused_by_user = {}
    for user in users if isinstance(users, list) else ():
        user_id = _int_below(user.get("id"), PER_USER_RANGE) if isinstance(user, dict) else None
        if user_id is not None and user.get("inventory_status") != "collected":
            error = user.get("error")
            refused_by_user[user_id] = isinstance(error, str) and (
                "SecurityException" in error or "permission" in error
            )
    return refused_by_user


_TAB_WIDTHS: Final = (8, 4, 2)
"""``unexpand``, ``col -b`` and most editors; others."""
_NO_BREAK_BLANKS: Final = dict.fromkeys((0xA0, 0x2007, 0x202F), " ")
_LINE_START_MARKS = re.compile("^[ \\t]*[\u200b\u2060\ufeff][ \\t\u200b\u2060\ufeff]*", re.MULTILINE)
_OTHER_LINE_ENDS = re.compile("\r|[\x85\u2028\u2029]")
_ZERO_WIDTH: Final = dict.fromkeys((0x200B, 0x2060, 0xFEFF))
_MAX_QUOTE_DEPTH: Final = 4
_PACKAGE_INDENTS: Final = {
    r"(?:Package|SharedUser) \[": (2,),
    r"User \d+: +(?:ceDataInode|installed)=|(?:appId|userId)=|(?:install|requested) permissions:": (4,),
    r"runtime permissions:": (6,),
    r"[\w.]+: granted=(?:true|false)": (6, 8),
}
_LINE_INDENTS: Final[Mapping[str, Mapping[str, tuple[int, ...]]]] = {
    "packages": _PACKAGE_INDENTS,
    "package": _PACKAGE_INDENTS,
    "appops": {
        r"Uid \w+:$": (2,),
        r"Package \S+:$|state=\w+": (4,),
        r"[A-Z][A-Z0-9_]+(?:\(\d+\))?(?: \(\w|: mode=)": (6,),
    },
    "device_policy": {r"Enabled Device Admins \(User": (2,), r"[\w.$]+/[\w.$]+:$": (4,)},
    "roles": {"user_states=": (2,), "user_id=": (4, 6)},
    "installed": {},
    "third_party": {},
}
"""Question → how a line begins → its indents. These answers contain no tabs and no no-break blanks of Android's own."""


def restore_copied_text(answer: Answer) -> Answer:
    """Undo what terminals, editors, mail and web pages do to the blanks of copied text, where that is unambiguous.

    That is: tabs for blanks (``col -b``, ``unexpand``), no-break blanks, zero-width characters or ``> `` before lines,
    and other characters for line ends.
    If no tab width puts each line where Android prints it, the answer becomes ``UNREADABLE``: what it says is kept,
    and what it lacks proves nothing.
    """
    text, is_restored = _restore_line_ends(answer.text), True
    if not text.isascii():
        if answer.question in _LINE_INDENTS:
            text = text.translate(_NO_BREAK_BLANKS)
        text = _LINE_START_MARKS.sub(lambda match: match[0].translate(_ZERO_WIDTH), text)
    text = _unquote(text)
    if "\t" in text and answer.question in _LINE_INDENTS:
        text, is_restored = _expand_tabs(text, _LINE_INDENTS[answer.question])
    if text == answer.text:
        return answer
    answer = replace(answer, text=text, translated_from=COPY_SOURCE)
    if is_restored or answer.state is not AnswerState.ANSWERED:
        return answer
    return replace(answer, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.changed_copy"))


def _restore_line_ends(text: str) -> str:
    if "\n" not in text.rstrip("\n"):
        return _OTHER_LINE_ENDS.sub("\n", text)  # of old Macs, and of programs that convert texts
    return text.replace("\n\r", "\n") if "\n\r" in text else text


def _unquote(text: str) -> str:
    for _ in range(_MAX_QUOTE_DEPTH):
        if not text.startswith(">") and "\n>" not in text:
            break
        is_blank_part_of_mark = re.search(r"^>[^\s>]", text, re.MULTILINE) is None
        text = re.sub(r"^>(?: |(?=>)|$)" if is_blank_part_of_mark else "^>", "", text, flags=re.MULTILINE)
    return text


def _expand_tabs(text: str, indents_by_start: Mapping[str, tuple[int, ...]]) -> tuple[str, bool]:
    """Return `text` with blanks for tabs, and whether each known line then has its indent."""
    text = re.sub(r" *\t[ \t]*(?=installer=)", "  ", text)  # the only column that follows two blanks
    tabbed = "\n".join(re.findall(r"^ *\t.*$", text, re.MULTILINE))
    misplaced = {}
    for width in _TAB_WIDTHS:
        lines = tabbed.expandtabs(width)
        misplaced[width] = sum(
            len(match[1]) not in indents
            for start, indents in indents_by_start.items()
            for match in re.finditer(rf"^( *)(?:{start})", lines, re.MULTILINE)
        )

    def rank(width: int) -> tuple[int, bool, int]:
        # Where blanks became tabs, fewer than a tab's are left; where a single line changed, 8 is the usual width.
        has_rest = re.search(rf"^\t* {{{width}}}", text, re.MULTILINE) is not None
        return misplaced[width], has_rest, -width if has_rest else width

    width = min(_TAB_WIDTHS, key=rank)
    return text.expandtabs(width), not misplaced[width]


_DUMP_START = re.compile(
    r"^(?:Database versions|Verifiers|Libraries|Features|(?:Activity|Receiver|Service|Provider) Resolver Table"
    r"|Permissions|Registered ContentProviders|ContentProvider Authorities|Key Set Manager|Packages):$",
    re.MULTILINE,
)
"""Titles of ``dumpsys package`` up to the packages."""
_PACKAGES_TITLE, _HIDDEN_TITLE, _SHARED_USERS_TITLE = "Packages:", "Hidden system packages:", "Shared users:"
_WHOLE_DUMP_TITLE = re.compile(r"^Database versions:$", re.MULTILINE)
_DUMP_END = re.compile(
    r"^(?:Package Changes|\w+ install sessions|Frozen packages|Dexopt state|Compiler stats):$", re.MULTILINE
)
_USER_OF_PACKAGE = re.compile(r"^    User \d+: .*installed=", re.MULTILINE)
"""The last part of a package: Android 6 prints no more sections after it."""
_PACKAGE_HEADER = re.compile(r"^  Package \[([^\]\n]*)\]", re.MULTILINE)
_SHARED_USER_BLOCK = re.compile(r"^  SharedUser \[([^\]\n]*)\].*\n(?:(?:    .*)?\n)*", re.MULTILINE)


def split_package_dumps(answer: Answer) -> Iterator[Answer]:
    """Split ``dumpsys package`` of several packages, one after another in one file; other answers stay as they are.

    Each becomes the package's own answer. A dump of all packages among them is kept, else one is joined from theirs.
    A text that merely contains a second ``Packages:`` is not split: an app may have written that.
    """
    dumps = _find_dumps(answer.text) if answer.question == "packages" else []
    wholes: list[str] = []
    own: dict[str, set[str]] = defaultdict(set)
    is_known = bool(dumps) and all(_DUMP_END.search(dump) or _USER_OF_PACKAGE.search(dump) for dump in dumps[:-1])
    for dump in dumps:
        names = _PACKAGE_HEADER.findall(_section(dump, _PACKAGES_TITLE))
        if _WHOLE_DUMP_TITLE.search(dump):
            wholes.append(dump)
        elif len(names) == 1 and is_package_name(names[0]):
            own[names[0]].add(dump)
        else:
            is_known = False
    if not is_known:
        yield answer
        return
    if len(wholes) > 1 or any(len(texts) > 1 for texts in own.values()):
        yield replace(answer, text="", state=AnswerState.UNREADABLE, detail=coverage_message("coverage.several_dumps"))
        return
    single = {name: dump for name, (dump,) in own.items()}
    yield replace(answer, text=wholes[0] if wholes else _join_dumps(single.values()), translated_from=DUMPS_SOURCE)
    for name, dump in single.items():
        yield replace(answer, key=f"package.{name}", text=dump, translated_from=DUMPS_SOURCE)


def _find_dumps(text: str) -> list[str]:
    if text.count(f"\n{_PACKAGES_TITLE}\n") + text.startswith(f"{_PACKAGES_TITLE}\n") < 2:  # noqa: PLR2004
        return []
    starts, has_packages = [0], False
    for match in _DUMP_START.finditer(text):
        if has_packages:
            starts.append(match.start())
            has_packages = False
        has_packages = has_packages or match[0] == _PACKAGES_TITLE
    return [text[start:end] for start, end in itertools.pairwise([*starts, len(text)])]


def _section(dump: str, title: str) -> str:
    match = re.search(rf"^{title}\n((?:(?: .*)?\n)*)", dump, re.MULTILINE)
    return match[1].rstrip("\n") + "\n" if match else ""


def _join_dumps(dumps: Collection[str]) -> str:
    parts = {title: "".join(_section(dump, title) for dump in dumps) for title in (_PACKAGES_TITLE, _HIDDEN_TITLE)}
    shared = {match[1]: match[0] for dump in dumps for match in _SHARED_USER_BLOCK.finditer(dump)}
    parts[_SHARED_USERS_TITLE] = "".join(shared.values())
    end = "Package Changes:\n" if all(map(_DUMP_END.search, dumps)) else ""
    return "".join(f"{title}\n{body.rstrip()}\n\n" for title, body in parts.items() if body) + end
