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
from privaudit.android import PER_USER_RANGE, ROLES_SDK
from privaudit.capture.answers import Answer, missing_answer
from privaudit.capture.collector import collect_answers
from privaudit.capture.model import Capture
from privaudit.dumpsys import appops, device
from privaudit.dumpsys.appops_model import AppOpsDump
from privaudit.dumpsys.package_checks import parse_and_check_dump
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.dumpsys.package_model import PackageBlock
from privaudit.errors import PhoneError, UsageError
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import AnswerState, App, EffectiveState, Facts, Permission, Phone
from privaudit.revocation import commands
from privaudit.revocation.change import FIXED_FLAGS, Change, ChangeKind, TargetState
from privaudit.transport.base import Transport

_REUSED_QUESTIONS: Final = frozenset(
    {"properties", "clock", "users", "installed", "third_party", "settings", "roles", "device_policy"}
)
"""Questions whose answers a reading takes over from the capture before it."""
_ACCESSIBILITY_SETTING = re.compile(r"^enabled_accessibility_services=(.*)$", re.MULTILINE)
_RECORDED_FLAGS: Final = frozenset({*commands.FLAGS, *FIXED_FLAGS, "GRANTED_BY_ROLE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """How the named apps stand."""

    facts: Facts
    capture: Capture
    app_ops: AppOpsDump | None
    """``None``: app-ops could not be read."""
    package_blocks: dict[str, PackageBlock]
    """Of the apps whose own dump is whole and sound."""

    def find_app(self, package: str, user: int) -> App | None:
        """The app for one user."""
        return next((app for app in self.facts.apps if (app.package, app.user) == (package, user)), None)

    def target_state(self, change: Change) -> TargetState | None:
        """How the thing that `change` closes stands now; ``None``: that could not be read."""
        app = self.find_app(change.package, change.user)
        if change.kind is ChangeKind.UNINSTALL:
            listed = self.capture.answer(f"installed.{change.user}")
            return TargetState(held=app is not None) if listed.state is AnswerState.ANSWERED else None
        return self._app_target_state(change, app) if app is not None else None

    def _app_target_state(self, change: Change, app: App) -> TargetState | None:
        match change.kind:
            case ChangeKind.PERMISSION:
                return self.permission_state(app, change.what)
            case ChangeKind.SPECIAL_OP:
                return self.special_op_state(app, change.what)
            case ChangeKind.FORCE_STOP:
                return self.running_state(app)
            case ChangeKind.ROLE:
                return self._special_access_state(app, "roles", kind=change.what)
        return self._special_access_state(app, f"settings.{app.user}", component=change.what)

    def _special_access_state(
        self, app: App, answer_key: str, *, kind: str | None = None, component: str | None = None
    ) -> TargetState | None:
        """A right that stands in `answer_key`."""
        if self.capture.answer(answer_key).state is not AnswerState.ANSWERED:
            return None
        return TargetState(
            held=any(
                (kind or one.kind) == one.kind and component in {None, one.component} for one in app.special_access
            )
        )

    def permission_state(self, app: App, name: str) -> TargetState | None:
        """How one permission of `app` stands."""
        if app.package not in self.package_blocks:
            return None
        found = next((one for one in app.permissions if one.name == name), None) or _denied_permission(name)
        if found.granted is None:
            return None
        uid_mode, mode = self._app_op_modes(app, name.rpartition(".")[2])
        flags = tuple(flag for flag in found.flags if flag in _RECORDED_FLAGS)
        return TargetState(held=found.granted, flags=flags, uid_mode=uid_mode, mode=mode)

    def special_op_state(self, app: App, kind: str) -> TargetState | None:
        """How the app-op of a right beside the permission list stands."""
        if self.app_ops is None or app.package not in self.package_blocks:
            return None
        uid_mode, mode = self._app_op_modes(app, commands.SPECIAL_OPS[kind])
        return TargetState(held=(uid_mode or mode) == "allow", uid_mode=uid_mode, mode=mode)

    def running_state(self, app: App) -> TargetState | None:
        """Whether `app` may run: one that was stopped does not until somebody opens it."""
        text = self.capture.answer(f"package.{app.package}").text
        match = re.search(rf"^    User {app.user}: [^\n]* stopped=(true|false)\b", text, re.MULTILINE)
        return TargetState(held=match[1] == "false") if match and app.package in self.package_blocks else None

    def accessibility_services(self, user: int) -> tuple[str, ...] | None:
        """Every enabled accessibility service of `user`, of whatever app; ``None`` where the list cannot be told.

        The setting is written as a whole: of a list that was not read, or that holds what is no component, nothing may
        be lost.
        """
        answer = self.capture.answer(f"settings.{user}")
        match = _ACCESSIBILITY_SETTING.search(answer.text)
        if answer.state is not AnswerState.ANSWERED or match is None:
            return None
        found = tuple(one for one in match[1].split(":") if one) if match[1] != "null" else ()
        return found if all(map(commands.is_component, found)) else None

    def _app_op_modes(self, app: App, op: str) -> tuple[str | None, str | None]:
        app_id = self.package_blocks[app.package].app_id
        uid = (
            self.app_ops.uids.get(app.user * PER_USER_RANGE + app_id)
            if self.app_ops is not None and app_id is not None
            else None
        )
        if uid is None:
            return None, None
        own = uid.packages.get(app.package, {}).get(op)
        uid_mode = uid.uid_modes.get(op)
        return uid_mode[0] if uid_mode else None, own.mode if own is not None and own.switch_op is None else None


def _denied_permission(name: str) -> Permission:
    """A permission that a sound dump does not mention."""
    from privaudit.model import RequestedState

    return Permission(
        name=name,
        requested=RequestedState.NO,
        granted=False,
        flags=(),
        mode=None,
        effective=EffectiveState.DENIED,
        last_access=None,
        last_reject=None,
    )


def read_state(capture: Capture, package_names: Iterable[str], *, own_dumps_only: bool = False) -> DeviceState:
    """The reading that `capture` holds.

    Args:
        capture: live or saved.
        package_names: packages.
        own_dumps_only: only what was asked of each app by name counts, because the dump about all apps is older. Else that one
            stands in where nobody asked by name.
    """
    wanted = frozenset(package_names)
    blocks = {}
    for package in wanted:
        key = f"package.{package}"
        by_name = own_dumps_only or key in capture.answers
        answer = capture.answer(key if by_name else "packages")
        dump = parse_and_check_dump(answer.text, requested_package=package if by_name else None)
        if answer.state is AnswerState.ANSWERED and dump.forged_name is None and package in dump.packages:
            blocks[package] = dump.packages[package]
    stands_in = not own_dumps_only and not all(f"package.{package}" in capture.answers for package in wanted)
    questions = _REUSED_QUESTIONS | {"appops"} | ({"packages"} if stands_in else set())
    kept = {
        key: answer
        for key, answer in capture.answers.items()
        if answer.question in questions or (answer.question == "package" and answer.subject in wanted)
    }
    small = replace(capture, answers=MappingProxyType(kept), apks=MappingProxyType({}))
    gathered = facts.gather_facts(small)
    sound = any(row.question == "appops" and row.state is AnswerState.ANSWERED for row in gathered.coverage)
    ops = appops.parse_appops(capture.answer("appops").text) if sound else None
    return DeviceState(facts=gathered, capture=small, app_ops=ops, package_blocks=blocks)


def refresh_state(transport: Transport, previous: Capture, package_names: Iterable[str]) -> DeviceState:
    """Read the named apps anew.

    Raises:
        ConnectionLost: the connection ended before it was answered.
    """
    wanted = tuple(package_names)
    keys = (*(f"package.{package}" for package in wanted), "appops", *_state_question_keys(previous))
    answers = {answer.key: answer for answer in collect_answers(transport, keys)}
    # What did not come this time is not known: an older answer would pass for a new one.
    return read_state(
        previous.with_answers(answers.get(key) or missing_answer(key) for key in keys), wanted, own_dumps_only=True
    )


def _state_question_keys(capture: Capture) -> Iterator[str]:
    sdk = device.phone_from_properties(device.parse_properties(capture.answer("properties").text), None).sdk
    if sdk is None or sdk >= ROLES_SDK:
        yield "roles"
    yield "device_policy"
    for answer in capture.answers_to("installed"):
        yield answer.key
        yield f"settings.{answer.user}"


def phone_for_app(transport: Transport, package: str, user: int) -> Phone:
    """The phone's version and ROM, when `package` is there for `user`.

    Raises:
        UsageError: it is not.
        PhoneError: the list of the user's apps could not be read.
        ConnectionLost: the connection ended.
    """
    keys = ("properties", f"installed.{user}")
    answers = {answer.key: answer for answer in collect_answers(transport, keys)}
    properties, installed = (answers.get(key) or missing_answer(key) for key in keys)
    if installed.state is not AnswerState.ANSWERED:
        raise PhoneError("errors.user_missing", user=user, said=_answer_text(installed))
    if package not in parse_package_list(installed.text)[0]:
        raise UsageError("errors.app_missing", app=package)
    return device.phone_from_properties(device.parse_properties(properties.text), None)


def _answer_text(answer: Answer) -> str:
    return sanitize_text(answer.text.strip()) or answer.state.value
