"""Parse ``cmd appops get`` (Android 7 and later), asked for one op at a time: nothing in its lines is an app's text.

Source: ``AppOpsService.Shell`` (AOSP). Above each reply stands a line ``[OP]`` of our own script.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from privaudit.capture.questions import READING_OPS
from privaudit.dumpsys.appops import MODE_NAMES, AppOp, AppOpEvent, UidOps, parse_event_age

_MODE: Final = r"(?P<mode>allow|ignore|deny|default|foreground|ask)"
_UID_LINE = re.compile(rf"Uid mode: (?P<op>[A-Z_]+): {_MODE}$")
_PACKAGE_LINE = re.compile(
    rf"(?P<op>[A-Z_]+): {_MODE}(?:; time=(?P<time>\S+) ago)?(?:; rejectTime=(?P<reject>\S+) ago)?"
    r"(?: \(running\))?(?:; duration=\S+)?(?: \(running\))?$"
)
_DEFAULT_LINE = re.compile(rf"Default mode: {_MODE}$")
_NO_OPERATIONS: Final = "No operations."


@dataclass(frozen=True, slots=True)
class OpState:
    """What one reply says about one op of one package."""

    uid_mode: tuple[str, int] | None
    """Mode of the uid, and the offset of its line; ``None``: none is stored."""
    op: AppOp | None
    """Mode and times of the package; ``None``: none are stored."""


@lru_cache(maxsize=1024)
def parse_appops_get(text: str, key: str) -> Mapping[str, OpState]:
    """Return the state of each op whose reply was understood, every line of it; `key` is that of the answer."""
    states: dict[str, OpState | None] = {}
    op, offset = "", 0
    for line in text.split("\n"):
        if line.startswith("[") and line[1:-1] in READING_OPS and line.endswith("]"):
            op = line[1:-1]
            states[op] = None if op in states else OpState(None, None)
        elif line.strip() and op:
            known = states[op]
            states[op] = _add_line(known, op, line.rstrip(), offset, key) if known is not None else None
        offset += len(line) + 1
    # A reply without any line says nothing: Android prints at least that there are no operations.
    answered = re.findall(r"^\[([A-Z_]+)\]\n(?!\[|\s*\Z)", text, re.MULTILINE)
    return {name: state for name, state in states.items() if state is not None and name in answered}


def _add_line(state: OpState, op: str, line: str, offset: int, key: str) -> OpState | None:
    """Return `state` with what `line` says; ``None``: the line is unknown or says a thing twice."""
    if line == _NO_OPERATIONS or _DEFAULT_LINE.match(line):
        return state if state.op is None else None
    if match := _UID_LINE.match(line):
        is_first = state.uid_mode is None and state.op is None and match["op"] == op
        return OpState((MODE_NAMES[match["mode"]], offset), None) if is_first else None
    match = _PACKAGE_LINE.match(line)
    if match is None or match["op"] != op or state.op is not None:
        return None
    times = [parse_event_age(match[group]) if match[group] else None for group in ("time", "reject")]
    if any(age is None and match[group] for age, group in zip(times, ("time", "reject"), strict=True)):
        return None
    events = [AppOpEvent(age, None, offset, None, key) if age is not None else None for age in times]
    return OpState(state.uid_mode, AppOp(MODE_NAMES[match["mode"]], offset, None, *events))


def verify_uid_ops(dumped: UidOps, package: str, states: Mapping[str, OpState]) -> tuple[UidOps, bool]:
    """Return the ops of a uid as verified by `states`, and whether the dump says something else about one of them.

    Where it does, the dump is not believed about any op of the uid.
    """
    ops = dumped.packages.get(package, {})
    if not any(_differs(dumped, ops.get(op), op, state) for op, state in states.items()):
        return replace(dumped, verified_ops=frozenset(states)), False
    verified = UidOps(
        uid_modes={op: state.uid_mode for op, state in states.items() if state.uid_mode is not None},
        packages={package: {op: state.op for op, state in states.items() if state.op is not None}},
        is_doubtful=True,
        verified_ops=frozenset(states),
    )
    return verified, True


def _differs(dumped: UidOps, op_in_dump: AppOp | None, op: str, state: OpState) -> bool:
    if dumped.is_doubtful:
        return True
    mode_in_dump = dumped.uid_modes[op][0] if op in dumped.uid_modes else op_in_dump.mode if op_in_dump else None
    mode = state.uid_mode[0] if state.uid_mode is not None else state.op.mode if state.op else None
    in_force = {None if one in {"allow", "default"} else one for one in (mode_in_dump, mode)}
    records = {
        (one is not None and one.last_access is not None, one is not None and one.last_reject is not None)
        for one in (op_in_dump, state.op)
    }
    return len(in_force) > 1 or len(records) > 1
