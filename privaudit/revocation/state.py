"""Reads the current state of selected apps: only what a change needs, with the same parsers as an audit.

So a state that is read back is evaluated in the same way as the one before.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from privaudit import facts
from privaudit.android import PER_USER_RANGE, ROLES_SDK
from privaudit.capture import remote_apks
from privaudit.capture.answers import missing_answer
from privaudit.capture.collector import collect_answers
from privaudit.capture.model import Capture
from privaudit.capture.questions import SETTINGS
from privaudit.dumpsys import appops, device, package_checks
from privaudit.dumpsys.appops import AppOpsDump
from privaudit.dumpsys.package_model import PackageBlock
from privaudit.errors import PhoneError
from privaudit.facts import apk_facts
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import AnswerState, App, AppSummary, Facts, Phone, Source
from privaudit.revocation import commands
from privaudit.revocation.change import FIXED_FLAGS, Change, ChangeKind, TargetState
from privaudit.transport.base import Transport

_REUSED_QUESTIONS: Final = frozenset(
    {"properties", "clock", "users", "installed", "third_party", "settings", "roles", "device_policy"}
)
"""Questions that are not asked again if the earlier capture has their answers."""
_RECORDED_FLAGS: Final = frozenset({*commands.FLAGS, *FIXED_FLAGS, "GRANTED_BY_ROLE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """State of selected apps on the phone."""

    facts: Facts
    capture: Capture
    app_ops: AppOpsDump | None
    """``None``: app-ops could not be read."""
    package_blocks: dict[str, PackageBlock]
    """Package → its dump, for the apps whose dump is complete and not forged."""

    def find_app(self, package: str, user: int) -> App | None:
        """Return the app for one user; ``None``: the user does not have it."""
        return next((app for app in self.facts.apps if (app.package, app.user) == (package, user)), None)

    def target_state(self, change: Change) -> TargetState | None:
        """Return the state of the target of `change`; ``None``: it could not be read."""
        app = self.find_app(change.package, change.user)
        if change.kind is ChangeKind.UNINSTALL:
            installed = self.capture.answer(f"installed.{change.user}")
            return TargetState(held=app is not None) if installed.state is AnswerState.ANSWERED else None
        return self._app_target_state(change, app) if app is not None else None

    def shows_before(self, change: Change) -> bool:
        """Whether the target of `change` was held here, in the state that `change` says it had before."""
        app, state = self.find_app(change.package, change.user), self.target_state(change)
        if app is None or state is None or not state.held or not change.is_restored(state):
            return False
        return Change.of_app(app, change.kind, change.what, change.before) == change

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
        """Return the state of a role or component; ``None``: the answer that lists it is missing."""
        if self.capture.answer(answer_key).state is not AnswerState.ANSWERED:
            return None
        is_held = any(
            kind in {None, access.kind} and component in {None, access.component} for access in app.special_access
        )
        return TargetState(held=is_held)

    def permission_state(self, app: App, name: str) -> TargetState | None:
        """Return the state of one permission of `app`; ``None``: it could not be read."""
        if app.package not in self.package_blocks:
            return None
        permission = next((permission for permission in app.permissions if permission.name == name), None)
        granted, flags = (permission.granted, permission.flags) if permission is not None else (False, ())
        if granted is None:
            return None
        uid_mode, mode = self._app_op_modes(app, name.rpartition(".")[2])
        recorded_flags = tuple(flag for flag in flags if flag in _RECORDED_FLAGS)
        return TargetState(held=granted, flags=recorded_flags, uid_mode=uid_mode, mode=mode)

    def special_op_state(self, app: App, kind: str) -> TargetState | None:
        """Return the state of the app-op of a special access; ``None``: it could not be read."""
        if self.app_ops is None or app.package not in self.package_blocks:
            return None
        uid_mode, mode = self._app_op_modes(app, commands.SPECIAL_OPS[kind])
        return TargetState(held=(uid_mode or mode) == "allow", uid_mode=uid_mode, mode=mode)

    def running_state(self, app: App) -> TargetState | None:
        """Return whether `app` may run: a stopped app does not run until its owner opens it."""
        text = self.capture.answer(f"package.{app.package}").text
        match = re.search(rf"^    User {app.user}: [^\n]* stopped=(true|false)\b", text, re.MULTILINE)
        return TargetState(held=match[1] == "false") if match and app.package in self.package_blocks else None

    def accessibility_services(self, user: int) -> tuple[str, ...] | None:
        """Return the enabled accessibility services of `user`, of all apps; ``None``: the list was not read whole."""
        value = accessibility_setting(self.capture, user)
        return commands.parse_accessibility_services(value) if value is not None else None

    def _app_op_modes(self, app: App, op: str) -> tuple[str | None, str | None]:
        """Return the modes of the uid and of the package; ``None``: none is stored, or it was not read."""
        app_id = self.package_blocks[app.package].app_id
        if self.app_ops is None or app_id is None:
            return None, None
        uid_ops = self.app_ops.uids.get(app.user * PER_USER_RANGE + app_id)
        if uid_ops is None:
            return None, None
        uid_mode = uid_ops.uid_modes.get(op)
        package_op = uid_ops.packages.get(app.package, {}).get(op)
        package_mode = package_op.mode if package_op is not None and package_op.switch_op is None else None
        return uid_mode[0] if uid_mode else None, package_mode


def accessibility_setting(capture: Capture, user: int) -> str | None:
    """Return the list of enabled accessibility services as the phone printed it; ``None``: it was not read whole.

    A class name in it may hold line breaks, and lines that look like other settings. So each line must name a setting,
    and each setting must have one line.
    """
    answer = capture.answer(f"settings.{user}")
    rows = [line.partition("=") for line in answer.text.split("\n") if line]
    values = {key: value for key, equals, value in rows if equals}
    is_whole = len(values) == len(rows) and (answer.exit_code is None or values.keys() <= set(SETTINGS))
    return values.get(SETTINGS[0]) if is_whole and answer.state is AnswerState.ANSWERED else None


def read_state(capture: Capture, package_names: Iterable[str], *, own_dumps_only: bool = False) -> DeviceState:
    """Extract the state of some apps from a live or saved capture.

    An app without a dump of its own is read from the dump of all apps, unless that is older (`own_dumps_only`).
    """
    packages = frozenset(package_names)
    blocks = {}
    for package in packages:
        key = f"package.{package}"
        has_own_dump = own_dumps_only or key in capture.answers
        answer = capture.answer(key if has_own_dump else "packages")
        dump = package_checks.parse_and_check_dump(answer.text, requested_package=package if has_own_dump else None)
        block = dump.find_block(package)
        if answer.state is AnswerState.ANSWERED and block is not None:
            blocks[package] = block
    needs_common_dump = not own_dumps_only and not all(f"package.{package}" in capture.answers for package in packages)
    questions = _REUSED_QUESTIONS | {"appops"} | ({"packages"} if needs_common_dump else set())
    answers = {
        key: answer
        for key, answer in capture.answers.items()
        if answer.question in questions or (answer.question == "package" and answer.subject in packages)
    }
    partial_capture = replace(capture, answers=MappingProxyType(answers), apks=MappingProxyType({}))
    gathered = facts.gather_facts(partial_capture)
    has_app_ops = any(row.question == "appops" and row.state is AnswerState.ANSWERED for row in gathered.coverage)
    app_ops = appops.parse_appops(capture.answer("appops").text) if has_app_ops else None
    return DeviceState(facts=gathered, capture=partial_capture, app_ops=app_ops, package_blocks=blocks)


def refresh_state(transport: Transport, previous: Capture, package_names: Iterable[str]) -> DeviceState:
    """Read the state of some apps from the phone again. `previous`: the capture before. Raises ConnectionLost."""
    packages = tuple(package_names)
    keys = [*(f"package.{package}" for package in packages), "appops"]
    sdk = device.phone_from_properties(device.parse_properties(previous.answer("properties").text), None).sdk
    if sdk is None or sdk >= ROLES_SDK:
        keys.append("roles")
    keys.append("device_policy")
    for answer in previous.answers_to("installed"):
        keys += [answer.key, f"settings.{answer.user}"]
    answers = {answer.key: answer for answer in collect_answers(transport, keys)}
    # An answer that did not arrive this time is missing: the earlier one would pass for a current one.
    capture = previous.with_answers(answers.get(key) or missing_answer(key) for key in keys)
    return read_state(capture, packages, own_dumps_only=True)


def read_phone(transport: Transport) -> Phone:
    """Read the phone's version and ROM. Raises ConnectionLost."""
    answers = collect_answers(transport, ("properties",))
    text = next((answer.text for answer in answers if answer.key == "properties"), "")
    return device.phone_from_properties(device.parse_properties(text), None)


def read_installed_apps(transport: Transport, user: int, name: str) -> tuple[AppSummary, ...]:
    """Read which apps `user` has, with the label of the package `name`; of all the user's own apps if there is none.

    Raises PhoneError if the list of apps could not be read, or ConnectionLost.
    """
    keys = ("properties", f"installed.{user}", f"third_party.{user}")
    answers = {key: missing_answer(key) for key in keys}
    answers |= {answer.key: answer for answer in collect_answers(transport, keys)}
    installed = answers[f"installed.{user}"]
    if installed.state is not AnswerState.ANSWERED:
        said = sanitize_text(installed.text.strip()) or installed.state.value
        raise PhoneError("errors.user_missing", user=user, said=said)
    capture = Capture(
        answers=MappingProxyType(answers), taken_at=datetime.now(UTC), source=Source(kind=transport.kind, sha256=None)
    )
    phone_facts = facts.summarise_phone(capture)
    paths = apk_facts.base_apk_paths(capture)
    own = [app.package for app in phone_facts.summaries if not app.system]
    packages = [package for package in ([name] if name in paths else own) if package in paths]
    requests = tuple(remote_apks.ApkRequest(package=package, path=paths[package]) for package in packages)
    phone_facts = facts.add_apks(phone_facts, remote_apks.read_apks(transport, requests))
    return tuple(app for app in phone_facts.summaries if app.user == user)
