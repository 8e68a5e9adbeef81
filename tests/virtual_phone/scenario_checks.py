"""Find errors in scenarios that their types cannot express."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import resources

from privaudit.virtual_phone.release import RUNTIME_PERMISSION_OPS, is_known_permission, layout_of
from privaudit.virtual_phone.scenario import schema


def count_filler_apps() -> int:
    """Return how many filler apps a scenario may ask for."""
    table = resources.files("privaudit.virtual_phone.scenario") / "filler_apps.toml"
    return len(tomllib.loads(table.read_text(encoding="utf-8"))["apps"])


def find_problems(scenario: schema.ScenarioFile) -> Iterator[str]:
    """Find errors that types cannot express: undefined names, duplicate names, grants of what was not requested."""
    users = [user.id for user in scenario.user]
    if 0 not in users:
        yield "user: there is always a user 0"
    yield from (f"user: {user} is there twice" for user in sorted({user for user in users if users.count(user) > 1}))
    packages: set[str] = set()
    for number, app in enumerate(scenario.app):
        if app.package in packages:
            yield f"app[{number}].package: {app.package} is there twice"
        packages.add(app.package)
        yield from (f"app[{number}].{problem}" for problem in _find_app_problems(app, scenario))
    filler_count = count_filler_apps()
    if scenario.ordinary is not None and scenario.ordinary.count > filler_count:
        yield f"ordinary.count: there are only {filler_count} ordinary apps"
    for user, roles in scenario.roles.items():
        for role, holders in roles.items():
            yield from (f"roles.{user}.{role}: {name} is not on the phone" for name in holders if name not in packages)
    for key, ids in (("roles", scenario.roles), ("settings", scenario.settings), ("admins", scenario.admins)):
        yield from (f"{key}.{user}: no [[user]] has this id" for user in ids if user not in users)


def _find_app_problems(app: schema.AppRow, scenario: schema.ScenarioFile) -> Iterator[str]:
    sdk = scenario.phone.sdk
    if app.shared_user is not None and app.shared_user not in {shared.name for shared in scenario.shared_user}:
        yield f"shared_user: no [[shared_user]] is called {app.shared_user}"
    if app.system and app.path is None and app.factory is None:
        yield "path: a system app needs one"
    if app.factory is not None and not app.system:
        yield "factory: only a system app has a factory copy"
    requested = set(app.requests) & RUNTIME_PERMISSION_OPS.keys()
    grantable = {name for name in requested if is_known_permission(name, sdk)}
    for at, install in enumerate(app.user):
        if install.id not in {user.id for user in scenario.user}:
            yield f"user[{at}].id: no [[user]] has id {install.id}"
        modes = [(f"uid_modes.{op}", mode) for op, mode in install.uid_modes.items()]
        modes += [(f"ops[{number}].mode", op.mode) for number, op in enumerate(install.ops)]
        known = layout_of(sdk, scenario.phone.vendor).op_modes
        yield from (f"user[{at}].{key}: this Android has no mode {mode}" for key, mode in modes if mode not in known)
        for key, names in (("grants", install.grants), ("flags", install.flags)):
            for permission in names:
                name = permission.removeprefix("android.permission.")  # as the scenario writes it
                if permission not in grantable:
                    yield f"user[{at}].{key}.{name}: not a runtime permission of this Android that the app requests"
                elif app.shared_user is not None:
                    yield f"user[{at}].{key}.{name}: belongs to [[shared_user]] {app.shared_user}"
