"""Whatever can go wrong on the way to a phone is worded, in plain words."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from privaudit import errors, transport
from privaudit.errors import ConnectionLost, PhoneError, UsageError
from privaudit.model import PhoneState
from tests.fixtures.sentences import ENGLISH

SOURCES = sorted(Path(transport.__file__).parent.glob("*.py"))
RAISED = sorted({name for path in SOURCES for name in re.findall(r'"errors\.(\w+)"', path.read_text("utf-8"))})
VALUES = {
    "fingerprint": "AB:CD",
    "given": "tcp:",
    "host": "phone.local",
    "megabytes": 1,
    "path": "adbkey",
    "phones": "Redmi (…1234)",
    "port": 5555,
    "said": "closed",
    "seconds": 1,
}

WORDS = {key.removeprefix("errors."): text for key, text in ENGLISH.items() if key.startswith("errors.")}


@pytest.mark.parametrize("name", RAISED)
@pytest.mark.parametrize("part", ["what", "why", "next"])
def test_each_error_says_what_why_and_next(name, part):
    sentence = WORDS[f"{name}.{part}"].format_map(VALUES)
    assert sentence[-1] in ".?"
    assert "{" not in sentence


def test_errors_lead_to_their_messages():
    for kind in (PhoneError, UsageError, ConnectionLost):
        error = kind("errors.busy")
        assert error.what.key == "errors.busy.what"
        assert error.next.key in ENGLISH


def test_the_risk_to_bank_apps_precedes_enabling_debugging():
    sentence = WORDS["no_phone.next"]
    warning, switch = sentence.index("bank, payment and loan apps"), sentence.rindex("switch on “USB debugging”")
    assert warning < switch


REMEDIES = {
    # what only these errors may tell people to do
    "kill-server": {"busy"},
    "plugdev": {"no_permission"},
    "“Allow”": {"not_allowed", "not_allowed_unseen", "unauthorised", "waiting"},
}


def test_busy_permission_and_allow_have_separate_remedies():
    for remedy, owners in REMEDIES.items():
        waits = {key.rpartition(".")[0] for key, text in WORDS.items() if remedy in text}
        assert waits == owners, remedy


def test_busy_permission_and_allow_are_different_states():
    states = {name: {PhoneError(f"errors.{error}").state for error in REMEDIES[name]} for name in REMEDIES}
    assert states == {
        "kill-server": {PhoneState.BUSY},
        "plugdev": {PhoneState.NO_PERMISSION},
        "“Allow”": {PhoneState.UNAUTHORISED, PhoneState.WAITING},
    }


def test_each_error_with_a_state_has_a_message():
    assert {f"{name}.what" for name in errors._PHONE_STATE_BY_ERROR} <= WORDS.keys()


def _chinese():
    for entry in (resources.files("privaudit") / "data" / "locales").iterdir():
        if entry.name.startswith("zh") and entry.name.endswith(".toml"):
            yield from tomllib.loads(entry.read_text(encoding="utf-8")).get("errors", {}).items()


@pytest.mark.parametrize("name", RAISED)
def test_chinese_has_the_same_placeholders(name):
    chinese = dict(_chinese())
    for part in ("what", "why", "next"):
        key = f"{name}.{part}"
        assert set(re.findall(r"{(\w+)}", chinese[key])) == set(re.findall(r"{(\w+)}", WORDS[key]))
