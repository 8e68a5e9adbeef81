"""Reads just as much of a phone as a change needs: the apps that were named, and what decides about them.

The same parsers as an audit's: what is read back is judged as it was before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from privaudit import facts
from privaudit.capture import Capture
from privaudit.capture.answers import Answer, missing
from privaudit.capture.collector import ask_more
from privaudit.dumpsys import appops, device, package_checks
from privaudit.dumpsys.package_model import Block
from privaudit.errors import PhoneError, UsageError
from privaudit.i18n import tame
from privaudit.model import AnswerState, App, Effective, Facts, Permission, Phone
from privaudit.revocation import commands
from privaudit.revocation.change import FIXED, Change, Kind, State
from privaudit.transport import Transport

_PER_USER: Final = 100000
_KEPT: Final = frozenset(
    {"properties", "clock", "users", "installed", "third_party", "settings", "roles", "device_policy"}
)
"""Questions whose answers a reading takes over from the capture before it."""
_ROLES_SDK: Final = 29
_SERVICES = re.compile(r"^enabled_accessibility_services=(.*)$", re.MULTILINE)
_TOLD: Final = frozenset({*commands.FLAGS, *FIXED, "GRANTED_BY_ROLE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the named apps stand."""

    facts: Facts
    capture: Capture
    ops: appops.Dump | None
    """``None``: app-ops could not be read."""
    blocks: dict[str, Block]
    """Of the apps whose own dump is whole and sound."""

    def app(self, package: str, user: int) -> App | None:
        """The app for one user."""
        return next((app for app in self.facts.apps if (app.package, app.user) == (package, user)), None)

    def state(self, change: Change) -> State | None:
        """How the thing that `change` closes stands now; ``None``: that could not be read."""
        app = self.app(change.package, change.user)
        if change.kind is Kind.UNINSTALL:
            listed = self.capture.answer(f"installed.{change.user}")
            return State(held=app is not None) if listed.state is AnswerState.ANSWERED else None
        return self._of_app(change, app) if app is not None else None

    def _of_app(self, change: Change, app: App) -> State | None:
        match change.kind:
            case Kind.PERMISSION:
                return self.permission(app, change.what)
            case Kind.SPECIAL_OP:
                return self.special_op(app, change.what)
            case Kind.FORCE_STOP:
                return self.running(app)
            case Kind.ROLE:
                return self._right(app, "roles", kind=change.what)
        return self._right(app, f"settings.{app.user}", component=change.what)

    def _right(self, app: App, answer: str, *, kind: str | None = None, component: str | None = None) -> State | None:
        """A right that stands in `answer`."""
        if self.capture.answer(answer).state is not AnswerState.ANSWERED:
            return None
        return State(
            held=any(
                (kind or one.kind) == one.kind and component in {None, one.component} for one in app.special_access
            )
        )

    def permission(self, app: App, name: str) -> State | None:
        """How one permission of `app` stands."""
        if app.package not in self.blocks:
            return None
        found = next((one for one in app.permissions if one.name == name), None) or _denied(name)
        if found.granted is None:
            return None
        uid_mode, mode = self._modes(app, name.rpartition(".")[2])
        flags = tuple(flag for flag in found.flags if flag in _TOLD)
        return State(held=found.granted, flags=flags, uid_mode=uid_mode, mode=mode)

    def special_op(self, app: App, kind: str) -> State | None:
        """How the app-op of a right beside the permission list stands."""
        if self.ops is None or app.package not in self.blocks:
            return None
        uid_mode, mode = self._modes(app, commands.SPECIAL_OPS[kind])
        return State(held=(uid_mode or mode) == "allow", uid_mode=uid_mode, mode=mode)

    def running(self, app: App) -> State | None:
        """Whether `app` may run: one that was stopped does not until somebody opens it."""
        text = self.capture.answer(f"package.{app.package}").text
        match = re.search(rf"^    User {app.user}: [^\n]* stopped=(true|false)\b", text, re.MULTILINE)
        return State(held=match[1] == "false") if match and app.package in self.blocks else None

    def services(self, user: int) -> tuple[str, ...] | None:
        """Every enabled accessibility service of `user`, of whatever app; ``None`` where the list cannot be told.

        The setting is written as a whole: of a list that was not read, or that holds what is no component, nothing may
        be lost.
        """
        answer = self.capture.answer(f"settings.{user}")
        match = _SERVICES.search(answer.text)
        if answer.state is not AnswerState.ANSWERED or match is None:
            return None
        found = tuple(one for one in match[1].split(":") if one) if match[1] != "null" else ()
        return found if all(map(commands.is_component, found)) else None

    def _modes(self, app: App, op: str) -> tuple[str | None, str | None]:
        app_id = self.blocks[app.package].app_id
        uid = self.ops.uids.get(app.user * _PER_USER + app_id) if self.ops is not None and app_id is not None else None
        if uid is None:
            return None, None
        own = uid.packages.get(app.package, {}).get(op)
        uid_mode = uid.modes.get(op)
        return uid_mode[0] if uid_mode else None, own.mode if own is not None and own.switch is None else None


def _denied(name: str) -> Permission:
    """A permission that a sound dump does not mention."""
    from privaudit.model import Requested

    return Permission(
        name=name,
        requested=Requested.NO,
        granted=False,
        flags=(),
        mode=None,
        effective=Effective.DENIED,
        last_access=None,
        last_reject=None,
    )


def of(capture: Capture, named: Iterable[str], *, fresh: bool = False) -> Reading:
    """The reading that `capture` holds.

    Args:
        capture: live or saved.
        named: packages.
        fresh: only what was asked of each app by name counts, because the dump about all apps is older. Else that one
            stands in where nobody asked by name.
    """
    wanted = frozenset(named)
    blocks = {}
    for package in wanted:
        key = f"package.{package}"
        by_name = fresh or key in capture.answers
        answer = capture.answer(key if by_name else "packages")
        dump = package_checks.parse(answer.text, only=package if by_name else None)
        if answer.state is AnswerState.ANSWERED and dump.forged is None and package in dump.packages:
            blocks[package] = dump.packages[package]
    stands_in = not fresh and not all(f"package.{package}" in capture.answers for package in wanted)
    questions = _KEPT | {"appops"} | ({"packages"} if stands_in else set())
    kept = {
        key: answer
        for key, answer in capture.answers.items()
        if answer.question in questions or (answer.question == "package" and answer.about in wanted)
    }
    small = replace(capture, answers=MappingProxyType(kept), apks=MappingProxyType({}))
    gathered = facts.gather(small)
    sound = any(row.question == "appops" and row.state is AnswerState.ANSWERED for row in gathered.coverage)
    ops = appops.parse(capture.answer("appops").text) if sound else None
    return Reading(facts=gathered, capture=small, ops=ops, blocks=blocks)


def again(transport: Transport, before: Capture, named: Iterable[str]) -> Reading:
    """Read the named apps anew.

    Raises:
        ConnectionLost: the connection ended before it was answered.
    """
    wanted = tuple(named)
    keys = (*(f"package.{package}" for package in wanted), "appops", *_decisive(before))
    answers = {answer.key: answer for answer in ask_more(transport, keys)}
    # What did not come this time is not known: an older answer would pass for a new one.
    return of(before.having(answers.get(key) or missing(key) for key in keys), wanted, fresh=True)


def _decisive(capture: Capture) -> Iterator[str]:
    sdk = device.phone(device.properties(capture.answer("properties").text), None).sdk
    if sdk is None or sdk >= _ROLES_SDK:
        yield "roles"
    yield "device_policy"
    for answer in capture.to("installed"):
        yield answer.key
        yield f"settings.{answer.user}"


def phone_with(transport: Transport, package: str, user: int) -> Phone:
    """The phone's version and ROM, when `package` is there for `user`.

    Raises:
        UsageError: it is not.
        PhoneError: the list of the user's apps could not be read.
        ConnectionLost: the connection ended.
    """
    keys = ("properties", f"installed.{user}")
    answers = {answer.key: answer for answer in ask_more(transport, keys)}
    properties, installed = (answers.get(key) or missing(key) for key in keys)
    if installed.state is not AnswerState.ANSWERED:
        raise PhoneError("errors.user_missing", user=user, said=_said(installed))
    if package not in package_checks.parse_list(installed.text)[0]:
        raise UsageError("errors.app_missing", app=package)
    return device.phone(device.properties(properties.text), None)


def _said(answer: Answer) -> str:
    return tame(answer.text.strip()) or answer.state.value
