"""Read scenarios: TOML files that say what is on a virtual phone.

A scenario says what a person would say: this app was allowed contacts and read them two days ago. What Android adds
(flags, uid modes, gids, paths, the state for other users) `privaudit.virtual_phone.scenario.build` derives. Types are
checked here; ``tests/virtual_phone/scenario_checks.py`` finds undefined names, duplicates and impossible grants.
"""

import tomllib
from dataclasses import replace
from importlib import resources

from pydantic import TypeAdapter

from privaudit.virtual_phone.scenario import build, schema
from privaudit.virtual_phone.scenario.virtual import VirtualPhone


def read_scenario(text: str, *, name: str) -> VirtualPhone:
    """Read the phone of a scenario, as `schema.ScenarioFile` describes it. Raises `ValueError` if it is malformed."""
    return build.build_phone(parse_scenario(text), name)


def parse_scenario(text: str) -> schema.ScenarioFile:
    """Parse a scenario, and add what every Android has if it asks for that. Raises `ValueError` if it is malformed."""
    scenario = TypeAdapter(schema.ScenarioFile).validate_python(tomllib.loads(text))
    if not scenario.base:
        return scenario
    base = tomllib.loads((resources.files(__package__) / "base.toml").read_text(encoding="utf-8"))
    apps = [*scenario.app, *TypeAdapter(list[schema.AppRow]).validate_python(base["app"])]
    shared_users = TypeAdapter(list[schema.SharedUserRow]).validate_python(base["shared_user"])
    return replace(scenario, app=apps, shared_user=[*scenario.shared_user, *shared_users])
