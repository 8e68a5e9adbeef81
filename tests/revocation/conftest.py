"""A demo phone that obeys, connected, and what is needed to plan and act on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
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
from privaudit.transport import Transport, connect
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.dump_writers.android import FLAG_BITS
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.scenario.virtual import VirtualGrant, VirtualOp, VirtualPhone
from privaudit.virtual_phone.state import MutableDevice, with_app, with_setting

LOAN = "com.example.sudaibao"
CLONED = "com.example.kuaiyihua"


@cache
def _story() -> VirtualPhone:
    return load_scenario("borrower")


def told(sdk: int = 34, **properties: str) -> VirtualPhone:
    """The borrower's phone with another Android or another maker's properties."""
    story = _story()
    return replace(story, sdk=sdk, properties={**story.properties, "ro.build.version.sdk": str(sdk), **properties})


def changed(phone: VirtualPhone, package: str, **fields: object) -> VirtualPhone:
    """`phone` with other fields of one app."""
    app = phone.find_app(package)
    assert app is not None
    return with_app(phone, replace(app, **fields))


def with_flag(phone: VirtualPhone, package: str, permission: str, flag: str) -> VirtualPhone:
    """`phone` with one more flag of a permission of the owner's copy."""
    app = phone.find_app(package)
    assert app is not None
    install = app.installs[0]
    grants = tuple(
        VirtualGrant(name=one.name, granted=one.granted, flags=one.flags | FLAG_BITS[flag])
        if one.name.endswith(f".{permission}")
        else one
        for one in install.grants
    )
    return with_app(phone, replace(app, installs={**app.installs, 0: replace(install, grants=grants)}))


def armed(phone: VirtualPhone) -> VirtualPhone:
    """`phone` on which the loan app holds every right beside the permission list."""
    services = phone.settings[0]["secure"].get("enabled_accessibility_services", "")
    own = ":".join(filter(None, (services, f"{LOAN}/.Reader")))
    phone = with_setting(phone, 0, "enabled_accessibility_services", own)
    phone = with_setting(phone, 0, "accessibility_enabled", "1")
    phone = with_setting(phone, 0, "enabled_notification_listeners", f"com.example.watchlink/.L:{LOAN}/.Listener")
    phone = replace(phone, roles={**phone.roles, 0: {**phone.roles[0], "android.app.role.SMS": (LOAN,)}})
    app = phone.find_app(LOAN)
    assert app is not None
    install = app.installs[0]
    ops = (*install.ops, VirtualOp(name="SYSTEM_ALERT_WINDOW"), VirtualOp(name="GET_USAGE_STATS"))
    install = replace(install, ops=ops, uid_modes={**install.uid_modes, "MANAGE_EXTERNAL_STORAGE": "allow"})
    return with_app(phone, replace(app, installs={**app.installs, 0: install}))


@dataclass
class Cut:
    """A transport whose cable is pulled at its n-th command that changes something.

    `late`: the command took effect, and only its answer is lost.
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
class Bench:
    """One phone, connected."""

    living: MutableDevice
    daemon: AdbdServer
    connection: Transport
    folder: Path
    fates: list[str] = field(default_factory=list)

    def capture(self, *packages: str) -> Capture:
        taken = collect_first_round(self.connection)
        return taken.with_answers(collect_answers(self.connection, (f"package.{name}" for name in packages)))

    def plan(self, *packages: str, uninstall: bool = False) -> plan.RevocationPlan:
        taken = self.capture(*packages)
        gathered = facts.gather_facts(taken)
        named = [app for app in gathered.apps if app.package in packages]
        return plan.build_plan(state.read_state(taken, packages), named, gathered.users, uninstall=uninstall)

    def run(self, *packages: str, uninstall: bool = False, transport: Transport | None = None) -> apply.LedgerRun:
        """A run whose ledger is written, and nothing begun."""
        taken = self.capture(*packages)
        made = self.plan(*packages, uninstall=uninstall)
        sealed = ledger.CaptureReference(file="x.zip", sha256="0" * 64)
        book = ledger.create_ledger(
            made.changes, ledger.compute_fingerprint(facts.gather_facts(taken)), sealed, demo=False
        )
        path = self.folder / "made.ledger.json"
        ledger.write_ledger(book, path)
        return self.resumed(path, taken, transport)

    def resumed(self, path: Path, taken: Capture, transport: Transport | None = None) -> apply.LedgerRun:
        return apply.LedgerRun(
            transport=transport or self.connection,
            capture=taken,
            ledger_path=path,
            ledger=ledger.read_ledger(path),
            on_change=lambda _, entry: self.fates.append(f"{entry.change.kind}:{entry.outcome}"),
            sdk=self.living.phone.sdk,
        )

    def writes(self) -> list[str]:
        """Everything that was sent and could change something."""
        return [
            line for line in self.daemon.commands if line.startswith(("pm ", "cmd ", "am ", "appops ", "settings "))
        ]


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for one key: making one takes as long as ten tests."""
    return tmp_path_factory.mktemp("key")


@pytest.fixture
def bench(tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Bench]]:
    """Connect to a phone that obeys."""
    monkeypatch.setattr(apply, "READ_BACK_DELAYS_S", (0.0,))
    with ExitStack() as stack:

        def open_one(phone: VirtualPhone, **replaced: object) -> Bench:
            living = MutableDevice(phone)
            table: Mapping[str, object] = {**build_programs(living), **replaced}
            daemon = stack.enter_context(
                AdbdServer(programs=table, files=build_files(phone), key_policy=KeyPolicy(required=False))  # type: ignore[arg-type]
            )
            connection = stack.enter_context(
                connect(transport=f"tcp:{daemon.address}", on_waiting=lambda _: None, key_folder=key)
            )
            return Bench(living, daemon, connection, tmp_path)

        yield open_one


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """Phones, and ways to change them before anybody looks."""
    return SimpleNamespace(
        loan=LOAN, cloned=CLONED, told=told, changed=changed, with_flag=with_flag, armed=armed, cut=Cut
    )
