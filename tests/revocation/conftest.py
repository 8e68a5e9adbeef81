"""A connected virtual phone that carries out commands, and what is needed to plan and apply changes on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from privaudit import facts
from privaudit.capture.collector import collect_answers, collect_first_round
from privaudit.capture.model import Capture
from privaudit.errors import ConnectionLost
from privaudit.model import Command, Reply
from privaudit.revocation import apply, ledger, plan, state
from privaudit.transport import connect
from privaudit.transport.base import Transport
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.release import FLAG_BITS
from privaudit.virtual_phone.scenario.virtual import VirtualGrant, VirtualOp, VirtualPhone
from privaudit.virtual_phone.state import MutableDevice, with_app, with_setting

LOAN_APP = "com.example.sudaibao"
CLONED_APP = "com.example.kuaiyihua"


@cache
def _scenario() -> VirtualPhone:
    return load_scenario("borrower")


def borrower(sdk: int = 34, **properties: str) -> VirtualPhone:
    """Return the phone of the scenario "borrower" with another Android version or other properties."""
    scenario = _scenario()
    return replace(
        scenario, sdk=sdk, properties={**scenario.properties, "ro.build.version.sdk": str(sdk), **properties}
    )


def with_app_fields(phone: VirtualPhone, package: str, **fields: object) -> VirtualPhone:
    """Return `phone` with other fields of one app."""
    app = phone.find_app(package)
    assert app is not None
    return with_app(phone, replace(app, **fields))


def with_flag(phone: VirtualPhone, package: str, permission: str, flag: str) -> VirtualPhone:
    """Return `phone` with one more flag of a permission of the main user's app."""
    app = phone.find_app(package)
    assert app is not None
    install = app.installs[0]
    grants = tuple(
        VirtualGrant(name=grant.name, granted=grant.granted, flags=grant.flags | FLAG_BITS[flag])
        if grant.name.endswith(f".{permission}")
        else grant
        for grant in install.grants
    )
    return with_app(phone, replace(app, installs={**app.installs, 0: replace(install, grants=grants)}))


def with_special_access(phone: VirtualPhone) -> VirtualPhone:
    """Return `phone` with a loan app that holds every kind of special access."""
    services = phone.settings[0]["secure"].get("enabled_accessibility_services", "")
    own = ":".join(filter(None, (services, f"{LOAN_APP}/.Reader")))
    phone = with_setting(phone, 0, "enabled_accessibility_services", own)
    phone = with_setting(phone, 0, "accessibility_enabled", "1")
    phone = with_setting(phone, 0, "enabled_notification_listeners", f"com.example.watchlink/.L:{LOAN_APP}/.Listener")
    phone = replace(phone, roles={**phone.roles, 0: {**phone.roles[0], "android.app.role.SMS": (LOAN_APP,)}})
    app = phone.find_app(LOAN_APP)
    assert app is not None
    install = app.installs[0]
    ops = (*install.ops, VirtualOp(name="SYSTEM_ALERT_WINDOW"), VirtualOp(name="GET_USAGE_STATS"))
    install = replace(install, ops=ops, uid_modes={**install.uid_modes, "MANAGE_EXTERNAL_STORAGE": "allow"})
    return with_app(phone, replace(app, installs={**app.installs, 0: install}))


@dataclass
class InterruptedTransport:
    """A transport that fails at the n-th command that changes something.

    `late`: the command takes effect, and only its reply is lost.
    """

    inner: Transport
    at: int
    late: bool
    kind: str = "tcp"
    command_limit: int = 60_000
    count: int = 0

    def run(self, command: Command, **limits: float) -> Reply:
        writes = "undo" in command.why or not command.text.startswith(("set -f", "dumpsys"))
        if writes:
            self.count += 1
            if self.count == self.at:
                if self.late:
                    self.inner.run(command)
                raise ConnectionLost("errors.lost")
        return self.inner.run(command, **limits)  # type: ignore[arg-type]


@dataclass
class ConnectedPhone:
    """One connected virtual phone."""

    device: MutableDevice
    daemon: AdbdServer
    connection: Transport
    folder: Path
    before: state.DeviceState | None = None
    """State when the last ledger was written."""

    def capture(self, *packages: str) -> Capture:
        capture = collect_first_round(self.connection)
        return capture.with_answers(collect_answers(self.connection, (f"package.{name}" for name in packages)))

    def plan(self, *packages: str, uninstall: bool = False) -> plan.RevocationPlan:
        capture = self.capture(*packages)
        gathered = facts.gather_facts(capture)
        apps = [app for app in gathered.apps if app.package in packages]
        return plan.build_plan(state.read_state(capture, packages), apps, gathered.users, uninstall=uninstall)

    @property
    def ledger_path(self) -> Path:
        """The file of the ledger that `run` writes."""
        return self.folder / "made.ledger.json"

    def run(self, *packages: str, uninstall: bool = False, transport: Transport | None = None) -> apply.LedgerRun:
        """Return a run of which the ledger is written and no change is begun."""
        capture = self.capture(*packages)
        self.before = state.read_state(capture, packages)
        revocation_plan = self.plan(*packages, uninstall=uninstall)
        reference = ledger.CaptureReference(file="x.zip", sha256="0" * 64)
        new_ledger = ledger.create_ledger(
            revocation_plan.changes, ledger.compute_fingerprint(facts.gather_facts(capture)), reference, demo=False
        )
        ledger.write_ledger(new_ledger, self.ledger_path)
        return self.resumed(self.ledger_path, capture, transport)

    def undo(self, run: apply.LedgerRun) -> ledger.Ledger:
        """Undo what `run` did, as the capture before the last ledger shows it."""
        assert self.before is not None
        return run.undo(self.before)

    def resumed(self, path: Path, capture: Capture, transport: Transport | None = None) -> apply.LedgerRun:
        return apply.LedgerRun(
            transport=transport or self.connection,
            capture=capture,
            write_ledger=lambda written: ledger.write_ledger(written, path),
            ledger=ledger.read_ledger(path),
            on_change=lambda *_: None,
        )

    def writes(self) -> list[str]:
        """Return all commands that were sent and could change something."""
        return [
            line for line in self.daemon.commands if line.startswith(("pm ", "cmd ", "am ", "appops ", "settings "))
        ]


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for one ADB key: generating one takes as long as ten tests."""
    return tmp_path_factory.mktemp("key")


@pytest.fixture
def connect_phone(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ConnectedPhone]]:
    """Return a function that starts a virtual phone and connects to it."""
    monkeypatch.setattr(apply, "READ_BACK_DELAYS_S", (0.0,))
    with ExitStack() as stack:

        def connect_one(phone: VirtualPhone, **replaced: object) -> ConnectedPhone:
            device = MutableDevice(phone)
            table: Mapping[str, object] = {**build_programs(device), **replaced}
            daemon = stack.enter_context(
                AdbdServer(programs=table, files=build_files(phone), key_policy=KeyPolicy(required=False))  # type: ignore[arg-type]
            )
            connection = stack.enter_context(
                connect(transport=f"tcp:{daemon.address}", on_waiting=lambda _: None, key_folder=key)
            )
            return ConnectedPhone(device, daemon, connection, tmp_path)

        yield connect_one


@pytest.fixture(scope="session")
def phones() -> SimpleNamespace:
    """Return virtual phones, and functions that change them before they are connected."""
    return SimpleNamespace(
        loan_app=LOAN_APP,
        cloned_app=CLONED_APP,
        borrower=borrower,
        with_app_fields=with_app_fields,
        with_flag=with_flag,
        with_special_access=with_special_access,
        interrupted=InterruptedTransport,
    )
