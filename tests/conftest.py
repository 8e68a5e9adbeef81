"""What several test folders use."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings

from privaudit import audit, knowledge
from privaudit.capture.answers import classify_answer
from privaudit.capture.model import Capture
from privaudit.findings.context import CheckContext
from privaudit.model import (
    Access,
    AccessState,
    App,
    Counts,
    DataClass,
    EffectiveState,
    Evidence,
    FactLocation,
    Facts,
    Finding,
    History,
    KnowledgeInfo,
    LabelState,
    Message,
    Permission,
    Phone,
    PhoneClock,
    Report,
    RequestedState,
    Rom,
    RuleSetInfo,
    Severity,
    SignatureListInfo,
    SignatureMatch,
    Source,
    SpecialAccess,
    Tool,
    User,
    UserKind,
    Verdict,
)
from privaudit.transport import connect
from privaudit.virtual_phone import load_scenario, start_adbd
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_programs
from tests.fixtures.adb import Adb, server
from tests.fixtures.chromium import chromium, opened  # noqa: F401 - fixtures

settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("steady")

# Real device output that may be read but not redistributed, so it lies beside the repository where it lies at all.
_SAMPLES = Path(__file__).resolve().parent.parent.parent / "shared" / "samples"

# The command line chooses its language when it is imported: English, whatever this computer speaks.
os.environ["LC_ALL"] = "C.UTF-8"
# Lists that whoever runs the tests took in with `signatures update` must change no test.
for _name in ("XDG_DATA_HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):
    os.environ[_name] = str(Path(tempfile.gettempdir()) / "privaudit-tests-no-such-folder")

NOW = datetime(2026, 1, 10, 7, 41, 57, tzinfo=UTC)
"""What the clock shows where a report must be the same each time."""


def pytest_addoption(parser: pytest.ShellParser) -> None:
    parser.addoption(
        "--refresh-golden",
        action="store_true",
        help="write tests/golden and tests/contract/help.en.txt anew from what is said now; then read the difference",
    )
    parser.addoption("--refresh-screenshots", action="store_true", help="draw the pictures in docs/ anew")
    # With “=”: before it has read this file, pytest takes a value that stands alone for the tests to run.
    parser.addoption("--skip-passed", metavar="FILE", help="leave out the tests that FILE names; add those that pass")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if sys.platform == "win32" and item.get_closest_marker("unix"):
            item.add_marker(pytest.mark.skip(reason="needs what only Unix has"))
    file = config.getoption("--skip-passed")
    if file and Path(file).exists():
        passed = set(Path(file).read_text(encoding="utf-8").splitlines())
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in passed])
        items[:] = [item for item in items if item.nodeid not in passed]


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--skip-passed")
    if file and not hasattr(config, "workerinput"):  # the workers' results all reach the process that started them
        config.pluginmanager.register(PassedTests(Path(file)))


class PassedTests:
    """Adds the names of the tests that passed to a file, at the end."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.names: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self.names[report.nodeid] = report.passed and self.names.get(report.nodeid, True)

    def pytest_sessionfinish(self) -> None:
        with self.file.open("a", encoding="utf-8") as lines:
            lines.writelines(f"{name}\n" for name, passed in self.names.items() if passed)


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of captured device output; skips the test where it is not."""
    if not _SAMPLES.is_dir():
        pytest.skip(f"real device output is not redistributed and not at {_SAMPLES}")
    return _SAMPLES


# --- the command line -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def adb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adb]:
    with server(tmp_path_factory.mktemp("adb")) as adb:
        yield adb


@pytest.fixture
def adb(adb_server: Adb) -> Adb:
    """Debian's adb, with a server of its own that knows no phone yet."""
    adb_server("disconnect")
    return adb_server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder of its own, so that no test finds or makes keys in the real one."""
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """Variables for a fresh process: English, no colours asked for or refused, no phone chosen."""
    names = {"PATH", "PYTHONPATH", "PYTHON_CPU_COUNT", "SYSTEMROOT", "TMPDIR"}
    kept = {key: value for key, value in os.environ.items() if key in names}
    # Port 1: the ADB server that somebody has running here is not ours to ask.
    person = {"HOME": str(home), "USERPROFILE": str(home), "ANDROID_ADB_SERVER_PORT": "1"}
    # On Windows, whatever the code page of the console: text that is redirected is read as UTF-8 here.
    return {**kept, **person, "LC_ALL": "C.UTF-8", **({"PYTHONUTF8": "1"} if os.name == "nt" else {})}


@pytest.fixture
def run(environment: dict[str, str]) -> Callable[..., SimpleNamespace]:
    """Run ``privaudit`` as a person would: a process of its own. Gives code, out, err (text) and raw (bytes)."""

    def run(*arguments: object, cwd: Path | None = None, **variables: str) -> SimpleNamespace:
        done = subprocess.run(
            [sys.executable, "-m", "privaudit", *map(str, arguments)],
            env={**environment, **variables},
            cwd=cwd,
            capture_output=True,
            check=False,
        )
        # Windows ends a line of text with CR LF.
        out, err = (stream.decode().replace(os.linesep, "\n") for stream in (done.stdout, done.stderr))
        assert "Traceback" not in err, err
        return SimpleNamespace(code=done.returncode, out=out, err=err, raw=done.stdout)

    return run


# --- the demo phone -------------------------------------------------------------------------------------------------


@contextmanager
def _phone(story: str = "borrower", *, now: datetime | None = None, **changed: object) -> Iterator[AdbdServer]:
    told = load_scenario(story)
    with start_adbd(
        told, programs_by_name={**build_programs(told, now=now), **changed}, key_policy=KeyPolicy(required=False)
    ) as phone:
        yield phone


@pytest.fixture
def demo_phone() -> Callable[..., object]:
    """Context manager: a demo phone that lets everybody in. Keywords replace programs."""
    return _phone


@pytest.fixture(scope="session")
def capture_of_story(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Capture]:
    """A story, asked over the wire once, at a fixed time."""

    @cache
    def ask(story: str) -> Capture:
        with (
            _phone(story, now=NOW) as phone,
            connect(
                transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=tmp_path_factory.mktemp("key")
            ) as connection,
        ):
            taken, _ = audit.collect(connection, knowledge.load_knowledge(demo=True), demo=True)
        return replace(taken, taken_at=NOW)

    return ask


@pytest.fixture(scope="session")
def report_of(capture_of_story: Callable[[str], Capture]) -> Callable[[str], Report]:
    """The report on a story."""
    return lambda story: audit.build_report(
        capture_of_story(story), knowledge.load_knowledge(demo=True), audit.ReportOptions()
    )


@pytest.fixture(scope="session")
def demo_capture(capture_of_story: Callable[[str], Capture]) -> Capture:
    """The story of the borrower."""
    return capture_of_story("borrower")


@pytest.fixture(scope="session")
def demo_report(report_of: Callable[[str], Report]) -> Report:
    """The report on it."""
    return report_of("borrower")


# --- things made by hand --------------------------------------------------------------------------------------------

_TEXT = "first line\nthe line that proves it\n"


def access(state: str = "not_requested", *, read: datetime | None = None, **changed: object) -> Access:
    history = History.RECORDED if read else History.NO_RECORD
    given = {"state": AccessState(state), "ways": ("permission",) if AccessState(state).allows_reading else ()}
    given |= {"last_read": read, "last_read_age_s": 3600 if read else None, "history": history, "history_since": None}
    return Access(**{**given, **changed})


def permission(name: str, effective: str = "allowed", **changed: object) -> Permission:
    given = {"name": f"android.permission.{name}", "requested": RequestedState.YES, "granted": effective != "denied"}
    given |= {
        "flags": (),
        "mode": None,
        "effective": EffectiveState(effective),
        "last_access": None,
        "last_reject": None,
    }
    return Permission(**{**given, **changed})


def app(package: str = "com.example.made", **changed: object) -> App:
    data = {kind: changed.pop(kind.value, None) or access() for kind in DataClass}
    held = tuple(SpecialAccess(kind=kind, component=None) for kind in changed.pop("holds", ()))
    given = {"user": 0, "label": None, "label_state": LabelState.NOT_ASKED, "labels": {}, "version_name": "1.0"}
    given |= {"version_code": 1, "target_sdk": 34, "installer": None, "installer_known": True, "installer_name": None}
    given |= {"first_installed": None, "last_updated": None, "system": False, "enabled": True, "apk_sha256": None}
    given |= {"certificates_sha256": (), "access": data, "permissions": (), "special_access": held}
    return App(package=package, **{**given, **changed})


def listing(tier: str = "A", **changed: object) -> SignatureMatch:
    given = {"signature": "list#1", "action": "SpyLoan", "publisher": "Example Security", "via": None, "country": None}
    given |= {"title": "A list", "date": "2023-12-05", "url": None, "match": "package", "disputed": False}
    return SignatureMatch(tier=tier, **{**given, **changed})


def finding(one: App, severity: str = "high", rule: str = "data_access", **changed: object) -> Finding:
    message = Message(key="data_access.can_read", values={"app": one.label or one.package, "data": ("x",)})
    given = {"message": message, "evidence": (Evidence(question="packages", line=2, text="proof"),), "steps": ()}
    identity = {"rule": rule, "severity": Severity(severity), "package": one.package, "user": one.user}
    return Finding(**{**identity, **given, **changed})


def phone(sdk: int | None = 34, rom: str = "aosp", **changed: object) -> Phone:
    given = {"manufacturer": "Example", "model": "Demo", "android": "14", "sdk_inferred": False}
    given |= {"security_patch": None, "rom": Rom(id=rom, name=rom, version=None), "languages": ()}
    return Phone(sdk=sdk, **{**given, **changed})


def report(*apps: App, findings: Sequence[Finding] | None = None, **changed: object) -> Report:
    counted = [one for one in apps if one.is_recognised]
    given: dict[str, object] = {
        "demo": False,
        "tool": Tool(name="privaudit", version="0"),
        "knowledge": KnowledgeInfo(
            signatures=SignatureListInfo(packages=32, packages_for_country=None, newest="2024-11-25", sha256="0" * 64),
            rules=RuleSetInfo(country=None, sha256=None),
        ),
        "taken_at": NOW,
        "phone_clock": PhoneClock(zone="Asia/Shanghai", offset_s=3),
        "consent": None,
        "source": Source(kind="usb", sha256=None),
        "phone": phone(),
        "users": tuple(
            User(id=number, kind=UserKind.CLONE if number else UserKind.OWNER, checked=True, why_not=None)
            for number in sorted({0, *(one.user for one in apps)})
        ),
        "coverage": (),
        "counts": Counts(
            apps_seen=100,
            lending=len({one.package for one in counted}),
            listed=sum(bool(one.listed) for one in counted),
            suspect=0,
            lending_can_read={
                data: sum(one.access[data].state.allows_reading for one in counted) for data in DataClass
            },
        ),
        "apps": apps,
        "findings": tuple(findings if findings is not None else map(finding, apps)),
        "verdict": Verdict.FOUND if apps else Verdict.NOTHING_FOUND,
        "complete": True,
    }
    return Report(**{**given, **changed})


def capture(answers: Mapping[str, str | bytes], **changed: object) -> Capture:
    raw = {key: text.encode() if isinstance(text, str) else text for key, text in answers.items()}
    received = {key: classify_answer(key, text, exit_code=0) for key, text in raw.items()}
    given = {"taken_at": NOW, "source": Source(kind="usb", sha256=None), "demo": False}
    return Capture(answers=MappingProxyType(received), **{**given, **changed})


class _Everywhere(dict):
    """Every fact about every app stands on the second line of the package dump."""

    def get(self, _key: object, _default: object = None) -> tuple[FactLocation, ...]:
        return (FactLocation("packages", _TEXT.index("the line")),)


def ground(*apps: App, include_unrecognised: bool = False, **changed: object) -> CheckContext:
    facts = Facts(
        phone=phone(),
        clock=PhoneClock(zone=None, offset_s=None),
        users=(),
        apps=apps,
        coverage=(),
        locations=_Everywhere(),
    )
    given = {"capture": capture({"packages": _TEXT}), "facts": facts, "knowledge": knowledge.load_knowledge(demo=True)}
    names = frozenset(one.package for one in apps)
    return CheckContext(**{**given, "include_unrecognised": include_unrecognised, "all_packages": names, **changed})


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """Builders: each makes a thing with ordinary values; name the ones that matter."""
    return SimpleNamespace(
        access=access,
        permission=permission,
        app=app,
        listing=listing,
        finding=finding,
        phone=phone,
        report=report,
        capture=capture,
        ground=ground,
        now=NOW,
    )
