"""``dumpsys appops`` and ``cmd appops get`` (``AppOpsService``), in the four layouts of Android 6 to 16.

A (6 to 8): modes as numbers, one time each. B (9): names, one line per process state. C (10): the state and its flags
in brackets. D (11 on): the same, one block per attribution tag (usually ``null``). In C and D ``Reject:`` has no
blank after its bracket.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from privaudit.virtual_phone.dump_writers.text import FILLER, format_duration, format_time_ms, format_uid
from privaudit.virtual_phone.release import DEFAULT_OP_MODES, ReleaseLayout, Since, array_map_order, op_number
from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualInstall, VirtualOp, VirtualOpEvent, VirtualPhone

_PROCESS_STATES: Final = ("pers", "top", "fgsvcl", "fgsvc", "fg", "bg", "cch")
_ANDROID_9_STATE_WIDTH: Final = 5
_MODE_NUMBERS: Final = {"allow": "0", "ignore": "1", "deny": "2", "default": "3", "ask": "4"}
"""Up to Android 8; ``ask`` is MIUI's own."""


def format_appops_dump(phone: VirtualPhone, now: datetime, app: VirtualApp | None = None) -> str:
    """``dumpsys appops`` at `now`, in the phone's zone; `app`: of ``--package``, ``None`` for all apps."""
    writer = AppOpsWriter(phone.layout, now)
    layout = phone.layout.op_layout
    settings = FILLER["appops"]["settings"] if layout in "CD" else ""
    watchers = FILLER["appops"]["watchers_B" if layout == "C" else f"watchers_{layout}"]
    # Up to Android 8 no blank lines surround the uids.
    blank, end = ("", "") if layout == "A" else ("\n", "\n\n")
    head = f"Current AppOps Service state:\n{settings}{watchers}{blank}"
    by_uid: dict[tuple[int, int], list[tuple[VirtualApp, VirtualInstall]]] = {}
    for candidate in phone.apps:
        for user, install in candidate.installs.items():
            if (install.ops or install.uid_modes) and (app is None or candidate.app_id == app.app_id):
                by_uid.setdefault((user, candidate.app_id), []).append((candidate, install))
    lines = (line for uid, apps in sorted(by_uid.items()) for line in writer.uid_lines(uid, apps))
    return head + "".join(f"{line}\n" for line in lines) + end


def format_appops_get(layout: ReleaseLayout, app: VirtualApp, user: int, op: str | None = None) -> str:
    """``appops get [--user user] app [op]``: uid modes first, after one prefix for all, then the package's ops."""
    install = app.installs[user]
    shows_uid_modes = layout.sdk >= Since.GET_SHOWS_UID_MODES
    uid_modes = install.uid_modes if shows_uid_modes else {}
    modes = {name: mode for name, mode in uid_modes.items() if op in {None, name}}
    ops = {row.name: row for row in install.ops if op in {None, row.name}}
    if not modes and not ops:
        default = f"Default mode: {DEFAULT_OP_MODES.get(op, 'allow')}\n" if op and shows_uid_modes else ""
        return f"No operations.\n{default}"
    names = layout.op_names
    lines = [f"{names.get(name, name)}: {modes[name]}" for name in _in_op_order(modes)]
    if lines:
        lines[0] = f"Uid mode: {lines[0]}"
    lines += [f"{names.get(name, name)}: {ops[name].mode}{_format_times(ops[name])}" for name in _in_op_order(ops)]
    return "\n".join(lines) + "\n"


class AppOpsWriter:
    """Writes the parts of ``dumpsys appops`` as a release prints them at `now`."""

    def __init__(self, layout: ReleaseLayout, now: datetime) -> None:
        self._layout = layout
        self._now = now

    def uid_lines(self, uid: tuple[int, int], apps: Sequence[tuple[VirtualApp, VirtualInstall]]) -> Iterator[str]:
        """Write one uid (user and app id): its state, its modes, then the ops of each of its packages."""
        modes: dict[str, str] = {}
        for _, install in apps:
            modes |= install.uid_modes
        yield f"  Uid {format_uid(*uid)}:"
        yield from self._state_lines(apps[0][1].process_state, modes)
        # Uid modes take precedence over the modes of the packages.
        yield from (f"      {self._op_name(op)}: mode={self._format_mode(modes[op])}" for op in _in_op_order(modes))
        packages = {app.package: install for app, install in apps if install.ops}
        for package in array_map_order(packages):
            if self._layout.broken_package_headers:
                yield from (f"    Package {package} isPrivileged: ", "false needSyncPriv:", "false :")
            else:
                yield f"    Package {package}:"
            yield from self._op_lines(packages[package].ops)

    def _state_lines(self, state: str, modes: Mapping[str, str]) -> Iterator[str]:
        layout = self._layout
        if layout.op_layout == "A":
            return
        yield f"    state={state:{_ANDROID_9_STATE_WIDTH}}" if layout.op_layout == "B" else f"    state={state}"
        if layout.capability_letters:
            yield from (f"    capability={'-' * layout.capability_letters}", "    appWidgetVisible=false")
        if foreground := [op for op in _in_op_order(modes) if modes[op] == "foreground"]:
            # Not modes, although they look like modes: which foreground-only ops are watched.
            ops = (f"      {op}: SILENT" for op in foreground)
            yield from ("    foregroundOps:", *ops, "    hasForegroundWatchers=false")

    def _op_lines(self, ops: Iterable[VirtualOp]) -> Iterator[str]:
        layout = self._layout
        by_name = {op.name: op for op in ops}
        for name in _in_op_order(by_name):
            op = by_name[name]
            if layout.op_layout == "A":
                yield f"      {self._op_name(name)}: mode={self._format_mode(op.mode)}{_format_times(op)}"
                continue
            mode, switch = op.mode, layout.switches.get(name)
            if switch is not None:
                other = by_name[switch].mode if switch in by_name else DEFAULT_OP_MODES.get(switch, "allow")
                mode = f"{mode} / switch {switch}={other}"
            yield f"      {self._op_name(name)} ({mode}): "
            if layout.op_layout == "B":
                yield from self._android_9_event_lines(op)
            elif layout.op_layout == "C":
                yield from self._event_lines(op.events)
            else:
                for tag in dict.fromkeys(event.tag for event in op.events):
                    events = self._event_lines(event for event in op.events if event.tag == tag)
                    yield from (f"        {tag or 'null'}=[", *events, "        ]")

    def _android_9_event_lines(self, op: VirtualOp) -> Iterator[str]:
        """Write events of Android 9, without flags and proxies: the newest of each process state, then the duration."""
        for rejected, title in ((False, "Access: "), (True, "Reject: ")):
            newest: dict[str, timedelta] = {}
            for event in op.events:
                if event.rejected == rejected:
                    state = "fgsvc" if event.state == "fgsvcl" else event.state
                    newest[state] = min(event.age, newest.get(state, event.age))
            for number, state in enumerate(sorted(newest, key=_PROCESS_STATES.index)):
                age, lead = newest[state], " " * len(title) if number else title
                when = f"{format_time_ms(self._now - age)} ({format_duration(-age)})"
                yield f"          {lead}{state:{_ANDROID_9_STATE_WIDTH}} = {when}"
        running = next((event for event in op.events if event.running), None)
        lengths = [event.duration for event in op.events if event.duration is not None and not event.rejected]
        if running is not None:
            yield from (f"          Running start at: {format_duration(running.age)}", "          startNesting=1")
        elif lengths:
            yield f"          duration={format_duration(max(lengths))}"

    def _event_lines(self, events: Iterable[VirtualOpEvent]) -> Iterator[str]:
        """Write accesses and rejections: process state, flags, absolute time, age."""
        for event in sorted(events, key=lambda it: (_PROCESS_STATES.index(it.state), it.flags, it.rejected)):
            kind, blank = ("Reject", "") if event.rejected else ("Access", " ")
            duration = event.duration if not event.rejected else None
            yield (
                f"          {kind}: [{event.state}-{event.flags}]{blank}{format_time_ms(self._now - event.age)}"
                f" ({format_duration(-event.age)})"
                + (f" duration={format_duration(duration)}" if duration is not None else "")
                + (f" proxy[{event.proxy}]" if event.proxy is not None else "")
            )

    def _op_name(self, op: str) -> str:
        return self._layout.op_names.get(op, op)

    def _format_mode(self, mode: str) -> str:
        return _MODE_NUMBERS[mode] if self._layout.op_layout == "A" else mode


def _format_times(op: VirtualOp) -> str:
    """Format the newest access, the newest rejection and the duration: one of each."""
    accesses = [event for event in op.events if not event.rejected]
    rejections = [event for event in op.events if event.rejected]
    text = f"; time={format_duration(min(event.age for event in accesses))} ago" if accesses else ""
    text += f"; rejectTime={format_duration(min(event.age for event in rejections))} ago" if rejections else ""
    if any(event.running for event in accesses):
        return f"{text} (running)"
    lengths = [event.duration for event in accesses if event.duration is not None]
    return text + (f"; duration={format_duration(max(lengths))}" if lengths else "")


def _in_op_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=op_number)
