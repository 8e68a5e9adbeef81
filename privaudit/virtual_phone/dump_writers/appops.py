"""``dumpsys appops`` and ``cmd appops get`` (``AppOpsService``), in the four layouts of Android 6 to 16.

A (6 to 8): modes as numbers, one time each. B (9): names, one line per process state. C (10): the state and its flags
in brackets. D (11 on): the same, one block per attribution tag (usually ``null``). In C and D ``Reject:`` has no
blank after its bracket.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from privaudit.virtual_phone.dump_writers.text import fake_identity_hash, format_duration, format_time_ms, format_uid
from privaudit.virtual_phone.release.android import DEFAULT_OP_MODES, array_map_order, op_number
from privaudit.virtual_phone.release.layout import ReleaseLayout
from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualInstall, VirtualOp, VirtualOpEvent, VirtualPhone

_PROCESS_STATES: Final = ("pers", "top", "fgsvcl", "fgsvc", "fg", "bg", "cch")
_WATCHED_OPS: Final = ("COARSE_LOCATION", "READ_CONTACTS", "READ_CALL_LOG", "READ_SMS", "CAMERA", "RECORD_AUDIO")
_ANDROID_9_STATE_WIDTH: Final = 5
_MODE_NUMBERS: Final = {"allow": "0", "ignore": "1", "deny": "2", "default": "3", "ask": "4"}
"""Up to Android 8; ``ask`` is MIUI's own."""
_SETTLE_TIME_LINES: Final = (
    "  Settings:",
    "    top_state_settle_time=+5s0ms",
    "    fg_service_state_settle_time=+5s0ms",
    "    bg_state_settle_time=+1s0ms",
    "",
)
_ACTIVE_WATCHED_OPS: Final = (
    "COARSE_LOCATION, FINE_LOCATION, SYSTEM_ALERT_WINDOW, CAMERA, RECORD_AUDIO, PHONE_CALL_MICROPHONE"
)
_CALLBACK_A: Final = "com.android.server.AppOpsService$Callback@"


def format_appops_dump(phone: VirtualPhone, now: datetime, app: VirtualApp | None = None) -> str:
    """``dumpsys appops``.

    Args:
        phone: the phone.
        now: the phone's time, in its own zone.
        app: ``--package``; ``None``: all apps.
    """
    layout = phone.layout
    lines = [
        "Current AppOps Service state:",
        *(_SETTLE_TIME_LINES if layout.op_layout in "CD" else ()),
        *_watcher_lines(layout),
    ]
    if layout.op_layout != "A":
        lines.append("")
    for uid, apps in _by_uid(phone):
        if app is not None and uid[1] != app.app_id:
            continue
        lines += uid_lines(layout, uid, apps, now)
    # Up to Android 8 nothing follows the last uid.
    return "\n".join(lines) + ("\n" if layout.op_layout == "A" else "\n\n\n")


def _watcher_lines(layout: ReleaseLayout) -> Iterator[str]:
    old = layout.op_layout == "A"
    yield "  Op mode watchers:"
    for op in _WATCHED_OPS:
        yield f"    Op {_op_name(layout, op)}:"
        for number, (owner, pid) in enumerate((("1000", 1738), ("u0a33", 2604))):
            callback = fake_identity_hash("watcher", op, number)
            watcher = f"watchinguid=-1 flags=0x1 op={op} from uid={owner} pid={pid}"
            yield f"      #{number}: " + (_CALLBACK_A + callback if old else f"ModeCallback{{{callback} {watcher}}}")
    yield "  Package mode watchers:"
    yield "    Pkg com.android.mms.service:"
    mms = fake_identity_hash("watcher", "mms")
    if old:
        yield f"      #0: {_CALLBACK_A}{mms}"
        yield "  All mode watchers:"
        yield f"    android.os.BinderProxy@{fake_identity_hash('b')} -> {_CALLBACK_A}{fake_identity_hash('c')}"
        return
    yield f"      #0: ModeCallback{{{mms} watchinguid=-1 flags=0x0 op=PLAY_AUDIO from uid=1041 pid=1381}}"
    for kind in ("active", "started", "noted") if layout.op_layout == "D" else ("active",):
        yield f"  All op {kind} watchers:"
        yield f"    {fake_identity_hash('watcher', kind)} ->"
        yield f"        [{_ACTIVE_WATCHED_OPS}]"
        callback = f"{kind.capitalize()}Callback{{{fake_identity_hash('callback', kind)}"
        yield f"        {callback} watchinguid=-1 from uid=1000 pid=1738}}"


def _by_uid(phone: VirtualPhone) -> Iterator[tuple[tuple[int, int], Sequence[tuple[VirtualApp, VirtualInstall]]]]:
    """Group the apps with app-op state by (user, app id), in ascending order of the uid."""
    by_uid: dict[tuple[int, int], list[tuple[VirtualApp, VirtualInstall]]] = {}
    for app in phone.apps:
        for user, install in app.installs.items():
            if install.ops or install.uid_modes:
                by_uid.setdefault((user, app.app_id), []).append((app, install))
    yield from sorted(by_uid.items())


def uid_lines(
    layout: ReleaseLayout, uid: tuple[int, int], apps: Sequence[tuple[VirtualApp, VirtualInstall]], now: datetime
) -> Iterator[str]:
    """Write one uid (user and app id): its state, its modes, then the ops of each of its packages."""
    modes: dict[str, str] = {}
    for _, install in apps:
        modes |= install.uid_modes
    yield f"  Uid {format_uid(*uid)}:"
    yield from _state_lines(layout, apps[0][1].process_state, modes)
    # Uid modes take precedence over the modes of the packages.
    yield from (f"      {_op_name(layout, op)}: mode={_format_mode(layout, modes[op])}" for op in _in_op_order(modes))
    packages = {app.package: install for app, install in apps if install.ops}
    for package in array_map_order(packages):
        if layout.broken_package_headers:
            yield from (f"    Package {package} isPrivileged: ", "false needSyncPriv:", "false :")
        else:
            yield f"    Package {package}:"
        yield from _op_lines(layout, packages[package].ops, now)


def _state_lines(layout: ReleaseLayout, state: str, modes: Mapping[str, str]) -> Iterator[str]:
    """Write the state of the uid's processes, since Android 9."""
    if layout.op_layout == "A":
        return
    yield f"    state={state:{_ANDROID_9_STATE_WIDTH}}" if layout.op_layout == "B" else f"    state={state}"
    if layout.capability_letters:
        yield f"    capability={'-' * layout.capability_letters}"
        yield "    appWidgetVisible=false"
    foreground = [op for op in _in_op_order(modes) if modes[op] == "foreground"]
    if foreground:
        # Not modes, although they look like modes: which foreground-only ops are watched.
        yield "    foregroundOps:"
        yield from (f"      {op}: SILENT" for op in foreground)
        yield "    hasForegroundWatchers=false"


def _op_name(layout: ReleaseLayout, op: str) -> str:
    return layout.op_names.get(op, op)


def _format_mode(layout: ReleaseLayout, mode: str) -> str:
    return _MODE_NUMBERS[mode] if layout.op_layout == "A" else mode


def _op_lines(layout: ReleaseLayout, ops: Iterable[VirtualOp], now: datetime) -> Iterator[str]:
    """Write one package's ops, in the order of their numbers."""
    by_name = {op.name: op for op in ops}
    for name in _in_op_order(by_name):
        op = by_name[name]
        if layout.op_layout == "A":
            yield f"      {_op_name(layout, name)}: mode={_MODE_NUMBERS[op.mode]}{_format_times(op)}"
            continue
        switch = layout.switches.get(name)
        if switch is None:
            yield f"      {_op_name(layout, name)} ({op.mode}): "
        else:
            other = by_name[switch].mode if switch in by_name else DEFAULT_OP_MODES.get(switch, "allow")
            yield f"      {_op_name(layout, name)} ({op.mode} / switch {switch}={other}): "
        if layout.op_layout == "B":
            yield from _android_9_event_lines(op, now)
        elif layout.op_layout == "C":
            yield from (_event_line(event, now) for event in sorted(op.events, key=_event_order))
        else:
            for tag in dict.fromkeys(event.tag for event in op.events):
                yield f"        {tag or 'null'}=["
                of_tag = (event for event in op.events if event.tag == tag)
                yield from (_event_line(event, now) for event in sorted(of_tag, key=_event_order))
                yield "        ]"


def _format_times(op: VirtualOp) -> str:
    """Format the newest access, the newest rejection and the duration: one of each."""
    accesses = [event for event in op.events if not event.rejected]
    text = f"; time={format_duration(min(event.age for event in accesses))} ago" if accesses else ""
    if len(accesses) < len(op.events):
        text += f"; rejectTime={format_duration(min(event.age for event in op.events if event.rejected))} ago"
    if any(event.running for event in accesses):
        return f"{text} (running)"
    lengths = [event.duration for event in accesses if event.duration is not None]
    return text + (f"; duration={format_duration(max(lengths, default=timedelta()))}" if lengths else "")


def _android_9_event_lines(op: VirtualOp, now: datetime) -> Iterator[str]:
    """Write events of Android 9, without flags and proxies: the newest of each process state, then the duration."""
    for rejected, title in ((False, "Access: "), (True, "Reject: ")):
        newest: dict[str, timedelta] = {}
        for event in op.events:
            if event.rejected == rejected:
                state = "fgsvc" if event.state == "fgsvcl" else event.state
                newest[state] = min(event.age, newest.get(state, event.age))
        for number, state in enumerate(sorted(newest, key=_PROCESS_STATES.index)):
            age = newest[state]
            lead = " " * 10 + (" " * 8 if number else title)
            yield f"{lead}{state:{_ANDROID_9_STATE_WIDTH}} = {format_time_ms(now - age)} ({format_duration(-age)})"
    running = next((event for event in op.events if event.running), None)
    lengths = [event.duration for event in op.events if event.duration is not None and not event.rejected]
    if running is not None:
        yield f"          Running start at: {format_duration(running.age)}"
        yield "          startNesting=1"
    elif lengths:
        yield f"          duration={format_duration(max(lengths))}"


def _event_line(event: VirtualOpEvent, now: datetime) -> str:
    """Format one access or rejection: process state, flags, absolute time, age."""
    when = f"[{event.state}-{event.flags}]{'' if event.rejected else ' '}{format_time_ms(now - event.age)}"
    line = f"          {'Reject' if event.rejected else 'Access'}: {when} ({format_duration(-event.age)})"
    if event.duration is not None and not event.rejected:
        line += f" duration={format_duration(event.duration)}"
    return line + (f" proxy[{event.proxy}]" if event.proxy is not None else "")


def _event_order(event: VirtualOpEvent) -> tuple[int, str, bool]:
    return _PROCESS_STATES.index(event.state), event.flags, event.rejected


def _in_op_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=op_number)


def format_appops_get(layout: ReleaseLayout, app: VirtualApp, user: int, op: str | None = None) -> str:
    """``appops get [--user user] app [op]``: uid modes first, after one prefix for all, then the package's ops."""
    install = app.installs[user]
    uid_modes = install.uid_modes if layout.get_shows_uid_modes else {}
    modes = {name: mode for name, mode in uid_modes.items() if op in {None, name}}
    ops = {row.name: row for row in install.ops if op in {None, row.name}}
    if not modes and not ops:
        default = f"Default mode: {DEFAULT_OP_MODES.get(op, 'allow')}\n" if op and layout.get_shows_uid_modes else ""
        return f"No operations.\n{default}"
    lines = [f"{_op_name(layout, name)}: {modes[name]}" for name in _in_op_order(modes)]
    if lines:
        lines[0] = f"Uid mode: {lines[0]}"
    lines += [f"{_op_name(layout, name)}: {ops[name].mode}{_format_times(ops[name])}" for name in _in_op_order(ops)]
    return "\n".join(lines) + "\n"
