"""Stories: TOML files that say what is on a virtual phone.

A story says what a person could tell: this app was allowed contacts and read them two days ago. What Android adds of
itself (flags, uid modes, gids, paths, the state in other users) `privaudit.virtual_phone.scenario.build` works out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import resources

from pydantic import TypeAdapter, ValidationError

from privaudit.virtual_phone.dump_writers.android import RUNTIME_PERMISSION_OPS, full_permission_name
from privaudit.virtual_phone.dump_writers.layout import layout_of
from privaudit.virtual_phone.scenario import build, derive, ordinary, schema
from privaudit.virtual_phone.scenario.virtual import VirtualPhone


class ScenarioError(ValueError):
    """A story file with mistakes."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
        """All of them, each as ``file: key.path: what is wrong``."""


def read_scenario(text: str, *, name: str) -> VirtualPhone:
    """The phone of one story.

    Args:
        text: TOML, as `schema.ScenarioFile` describes it.
        name: of the file, for messages.

    Raises:
        StoryError: with every mistake that could be seen.
    """
    try:
        row = TypeAdapter(schema.ScenarioFile).validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError((f"{name}: not TOML: {error}",)) from error
    except ValidationError as error:
        found = tuple(f"{name}: {_format_location(e['loc'])}: {e['msg']}" for e in error.errors(include_url=False))
        raise ScenarioError(found) from error
    if row.base:
        base = TypeAdapter(schema.BaseRow).validate_python(tomllib.loads(_base_toml()))
        row = replace(row, app=[*row.app, *base.app], shared_user=[*row.shared_user, *base.shared_user])
    if mistakes := tuple(f"{name}: {mistake}" for mistake in _find_problems(row)):
        raise ScenarioError(mistakes)
    return build.build_phone(row, name.removesuffix(".toml"))


def _op_modes(install: schema.InstallRow) -> Iterator[tuple[str, str]]:
    return ((f"ops[{number}].mode", op.mode) for number, op in enumerate(install.ops))


def _base_toml() -> str:
    return (resources.files("privaudit.virtual_phone.scenario") / "base.toml").read_text(encoding="utf-8")


def _format_location(location: Iterable[int | str]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return path.removeprefix(".")


def _find_problems(scenario: schema.ScenarioFile) -> Iterator[str]:
    """What types cannot see: names that nothing defines, names defined twice, grants of what was not requested."""
    users = [user.id for user in scenario.user]
    if 0 not in users:
        yield "user: there is always a user 0"
    yield from (f"user: {user} is there twice" for user in sorted({user for user in users if users.count(user) > 1}))
    packages: set[str] = set()
    for number, app in enumerate(scenario.app):
        if app.package in packages:
            yield f"app[{number}].package: {app.package} is there twice"
        packages.add(app.package)
        yield from (f"app[{number}].{mistake}" for mistake in _find_app_problems(app, scenario))
    if scenario.ordinary is not None and scenario.ordinary.count > ordinary.MAX_FILLER_APPS:
        yield f"ordinary.count: there are only {ordinary.MAX_FILLER_APPS} ordinary apps"
    for user, roles in scenario.roles.items():
        for role, holders in roles.items():
            yield from (f"roles.{user}.{role}: {name} is not on the phone" for name in holders if name not in packages)
    for key, ids in (("roles", scenario.roles), ("settings", scenario.settings), ("admins", scenario.admins)):
        yield from (f"{key}.{user}: no [[user]] has this id" for user in ids if user not in users)


def _find_app_problems(app: schema.AppRow, scenario: schema.ScenarioFile) -> Iterator[str]:
    if app.shared_user is not None and app.shared_user not in {shared.name for shared in scenario.shared_user}:
        yield f"shared_user: no [[shared_user]] is called {app.shared_user}"
    if app.system and app.path is None and app.factory is None:
        yield "path: a system app says where it lies"
    if app.factory is not None and not app.system:
        yield "factory: only a system app has a factory copy"
    grantable = {full_permission_name(name) for name in app.requests} & RUNTIME_PERMISSION_OPS.keys()
    grantable = {name for name in grantable if derive.is_known_permission(name, scenario.phone.sdk)}
    for at, install in enumerate(app.user):
        if install.id not in {user.id for user in scenario.user}:
            yield f"user[{at}].id: no [[user]] has id {install.id}"
        modes = (*((f"uid_modes.{op}", mode) for op, mode in install.uid_modes.items()), *_op_modes(install))
        known = layout_of(scenario.phone.sdk, scenario.phone.vendor).op_modes
        yield from (f"user[{at}].{key}: this Android has no mode {mode}" for key, mode in modes if mode not in known)
        for key, names in (("grants", install.grants), ("flags", install.flags)):
            for name in names:
                if full_permission_name(name) not in grantable:
                    yield f"user[{at}].{key}.{name}: not a runtime permission of this Android that the app requests"
                elif app.shared_user is not None:
                    yield f"user[{at}].{key}.{name}: belongs to [[shared_user]] {app.shared_user}"
