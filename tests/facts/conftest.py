"""Captures to read: of the demo's story, live and saved by hand, whole and with one text replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, settings

from privaudit.capture.answers import classify_answer
from privaudit.capture.collector import collect_first_round
from privaudit.capture.model import Capture
from privaudit.capture.questions import QUESTIONS_BY_NAME
from privaudit.capture.redact import redact
from privaudit.model import Reply, Source
from privaudit.virtual_phone import load_scenario, scenario_names
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell import Shell

# The same examples in every run: a test that fails must fail for everybody.
settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("steady")

NOW = datetime(2026, 1, 10, 7, 42, tzinfo=UTC)


class Wire:
    """A transport without a wire: the demo's shell itself."""

    kind = "demo"
    command_limit = 1 << 16

    def __init__(self, phone):
        self._shell = Shell(build_programs(phone, now=NOW))

    def run(self, command, **_):
        result = self._shell.run_script(command.text)
        return Reply(stdout=result.out, stderr=result.err, exit_code=result.code)

    def close(self):
        pass


def _program(phone, script):
    result = Shell(build_programs(phone, now=NOW)).run_script(script)
    return (result.out + result.err).decode()


@pytest.fixture(scope="session", params=scenario_names())
def phone(request):
    """Each story's phone."""
    return load_scenario(request.param)


@pytest.fixture(scope="session")
def borrower():
    return load_scenario("borrower")


@pytest.fixture(scope="session")
def few(borrower):
    """The borrower's phone without what only fills it: each example of a property test reads it anew."""
    apps = [app for app in borrower.apps if not app.labels or app.installer is None or len(app.installs[0].ops) > 2]
    named = {"com.example.creditwing", "com.example.kuaiyihua", "com.example.happyloan", "com.example.bank"}
    kept = [*apps[:20], *(app for app in borrower.apps if app.package in named or app.shared_user is not None)]
    return replace(borrower, apps=tuple({app.package: app for app in kept}.values()))


@pytest.fixture(scope="session")
def run(borrower) -> Callable[[str], str]:
    """What the demo phone prints."""
    return lambda script: _program(borrower, script)


@pytest.fixture(scope="session")
def taken() -> Callable[..., Capture]:
    """A capture of a virtual phone, over the whole way of asking."""
    return lambda phone: replace(collect_first_round(Wire(phone)), taken_at=NOW)


@pytest.fixture(scope="session")
def live(taken, borrower) -> Capture:
    return taken(borrower)


def _by_hand(live, phone):
    whole = {"packages": _program(phone, "dumpsys package"), "properties": _program(phone, "getprop")}
    return capture_of({key: whole.get(key, answer.text) for key, answer in live.answers.items()})


@pytest.fixture(scope="session")
def by_hand(live, borrower) -> Capture:
    """What somebody saves by hand: whole dumps, without exit codes."""
    return _by_hand(live, borrower)


@pytest.fixture(scope="session")
def few_by_hand(taken, few) -> Capture:
    return _by_hand(taken(few), few)


def capture_of(texts: Mapping[str, str | bytes], *, exit_code: int | None = None, **codes: int) -> Capture:
    answers = {
        key: redact(
            classify_answer(
                key, text if isinstance(text, bytes) else text.encode(), exit_code=codes.get(key, exit_code)
            )
        )
        for key, text in texts.items()
    }
    assert {key.partition(".")[0] for key in answers} <= QUESTIONS_BY_NAME.keys()
    return Capture(
        answers=MappingProxyType(answers), taken_at=NOW, source=Source(kind="folder", sha256=None), demo=False
    )


@pytest.fixture(scope="session")
def made() -> Callable[..., Capture]:
    """A capture of texts by key."""
    return capture_of


@pytest.fixture(scope="session")
def changed() -> Callable[..., Capture]:
    """A capture with the texts of some answers replaced; exit codes stay."""

    def change(capture: Capture, texts: Mapping[str, str | bytes]) -> Capture:
        return capture.with_answers(
            redact(
                classify_answer(
                    key,
                    text if isinstance(text, bytes) else text.encode(),
                    exit_code=capture.answer(key).exit_code,
                )
            )
            for key, text in texts.items()
        )

    return change
