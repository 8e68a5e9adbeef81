"""``dumpsys appops`` and ``cmd appops get`` (``AppOpsService``), as Android 11 and later print them.

Layout: each op names its mode, then one block per attribution tag (``null`` the usual one) with the last access and the
last refusal in each process state. ``Reject:`` has no blank after its bracket.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from privaudit.demo.render.android import DEFAULT_MODES, OPS, Layout, map_order
from privaudit.demo.render.text import duration, identity, moment_ms, uid_word
from privaudit.demo.story.virtual import App, Event, Install, Op, VirtualPhone

_STATES: Final = ("pers", "top", "fgsvcl", "fgsvc", "fg", "bg", "cch")
_WATCHED: Final = ("COARSE_LOCATION", "READ_CONTACTS", "READ_CALL_LOG", "READ_SMS", "CAMERA", "RECORD_AUDIO")
_ACTIVE: Final = "COARSE_LOCATION, FINE_LOCATION, SYSTEM_ALERT_WINDOW, CAMERA, RECORD_AUDIO, PHONE_CALL_MICROPHONE"


def dump(phone: VirtualPhone, now: datetime, app: App | None = None) -> str:
    """``dumpsys appops``.

    Args:
        phone: the phone.
        now: what its clock shows, in its own zone.
        app: ``--package``; ``None``: the whole phone.
    """
    lines = [
        "Current AppOps Service state:",
        "  Settings:",
        "    top_state_settle_time=+5s0ms",
        "    fg_service_state_settle_time=+5s0ms",
        "    bg_state_settle_time=+1s0ms",
        "",
        *_watchers(),
        "",
    ]
    for uid, apps in _by_uid(phone):
        if app is not None and uid[1] != app.app_id:
            continue
        lines += uid_block(phone.layout, uid, apps, now)
    return "\n".join(lines) + "\n\n\n"


def _watchers() -> Iterator[str]:
    yield "  Op mode watchers:"
    for op in _WATCHED:
        yield f"    Op {op}:"
        for number, (owner, pid) in enumerate((("1000", 1738), ("u0a33", 2604))):
            yield (
                f"      #{number}: ModeCallback{{{identity('watcher', op, number)} watchinguid=-1 flags=0x1"
                f" op={op} from uid={owner} pid={pid}}}"
            )
    yield "  Package mode watchers:"
    yield "    Pkg com.android.mms.service:"
    yield (
        f"      #0: ModeCallback{{{identity('watcher', 'mms')} watchinguid=-1 flags=0x0"
        " op=PLAY_AUDIO from uid=1041 pid=1381}"
    )
    for kind in ("active", "started", "noted"):
        yield f"  All op {kind} watchers:"
        yield f"    {identity('watcher', kind)} ->"
        yield f"        [{_ACTIVE}]"
        callback = f"{kind.capitalize()}Callback{{{identity('callback', kind)}"
        yield f"        {callback} watchinguid=-1 from uid=1000 pid=1738}}"


def _by_uid(phone: VirtualPhone) -> Iterator[tuple[tuple[int, int], Sequence[tuple[App, Install]]]]:
    """Apps that have any app-op state, by (user, app id) in ascending order of the uid."""
    found: dict[tuple[int, int], list[tuple[App, Install]]] = {}
    for app in phone.apps:
        for user, install in app.installs.items():
            if install.ops or install.uid_modes:
                found.setdefault((user, app.app_id), []).append((app, install))
    yield from sorted(found.items())


def uid_block(
    layout: Layout, uid: tuple[int, int], apps: Sequence[tuple[App, Install]], now: datetime
) -> Iterator[str]:
    """Lines of one uid: its state, its modes, then the ops of each of its packages.

    Args:
        layout: of the Android release.
        uid: user and app id.
        apps: packages of the uid.
        now: what the phone's clock shows.
    """
    modes: dict[str, str] = {}
    for _, install in apps:
        modes |= install.uid_modes
    yield f"  Uid {uid_word(*uid)}:"
    yield f"    state={apps[0][1].process_state}"
    yield f"    capability={'-' * layout.capability_letters}"
    yield "    appWidgetVisible=false"
    foreground = [op for op in _in_order(modes) if modes[op] == "foreground"]
    if foreground:
        # Looks like a mode, and is none: which foreground-only ops somebody watches.
        yield "    foregroundOps:"
        yield from (f"      {op}: SILENT" for op in foreground)
        yield "    hasForegroundWatchers=false"
    yield from uid_mode_lines(modes)
    packages = {app.package: install for app, install in apps if install.ops}
    for package in map_order(packages):
        yield f"    Package {package}:"
        yield from op_lines(layout, packages[package].ops, now)


def uid_mode_lines(modes: Mapping[str, str]) -> Iterator[str]:
    """App-op modes of a uid. They beat the modes of its packages."""
    yield from (f"      {op}: mode={modes[op]}" for op in _in_order(modes))


def op_lines(layout: Layout, ops: Iterable[Op], now: datetime) -> Iterator[str]:
    """Lines of one package's ops, in the order of their numbers."""
    by_name = {op.name: op for op in ops}
    for name in _in_order(by_name):
        op = by_name[name]
        switch = layout.switches.get(name)
        if switch is None:
            yield f"      {name} ({op.mode}): "
        else:
            other = by_name[switch].mode if switch in by_name else DEFAULT_MODES.get(switch, "allow")
            yield f"      {name} ({op.mode} / switch {switch}={other}): "
        for tag in dict.fromkeys(event.tag for event in op.events):
            yield f"        {tag or 'null'}=["
            of_tag = (event for event in op.events if event.tag == tag)
            yield from (event_line(event, now) for event in sorted(of_tag, key=_event_order))
            yield "        ]"


def event_line(event: Event, now: datetime) -> str:
    """One access or refusal: process state, flags, absolute time, age."""
    when = f"[{event.state}-{event.flags}]{'' if event.rejected else ' '}{moment_ms(now - event.age)}"
    line = f"          {'Reject' if event.rejected else 'Access'}: {when} ({duration(-event.age)})"
    if event.duration is not None and not event.rejected:
        line += f" duration={duration(event.duration)}"
    return line + (f" proxy[{event.proxy}]" if event.proxy is not None else "")


def _event_order(event: Event) -> tuple[int, str, bool]:
    return _STATES.index(event.state), event.flags, event.rejected


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=OPS.__getitem__)


def get(app: App, user: int, op: str | None = None) -> str:
    """``cmd appops get [--user user] app [op]``: uid modes first, behind one prefix for all, then the package's ops."""
    install = app.installs[user]
    modes = {name: mode for name, mode in install.uid_modes.items() if op in {None, name}}
    ops = {row.name: row for row in install.ops if op in {None, row.name}}
    if not modes and not ops:
        default = f"Default mode: {DEFAULT_MODES.get(op, 'allow')}\n" if op is not None else ""
        return f"No operations.\n{default}"
    lines = [f"{name}: {modes[name]}" for name in _in_order(modes)]
    if lines:
        lines[0] = f"Uid mode: {lines[0]}"
    lines += [_op_summary(ops[name]) for name in _in_order(ops)]
    return "\n".join(lines) + "\n"


def _op_summary(op: Op) -> str:
    line = f"{op.name}: {op.mode}"
    accesses = [event for event in op.events if not event.rejected]
    if accesses:
        line += f"; time={duration(min(event.age for event in accesses))} ago"
    if len(accesses) < len(op.events):
        line += f"; rejectTime={duration(min(event.age for event in op.events if event.rejected))} ago"
    lengths = [event.duration for event in accesses if event.duration is not None]
    return line + (f"; duration={duration(max(lengths, default=timedelta()))}" if lengths else "")
