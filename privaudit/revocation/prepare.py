"""Prepare a revocation: plan for the named apps, check that the phone is still the planned one, begin the ledger.

The command line and the browser share it. It asks nobody, prints nothing and changes nothing on the phone.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from privaudit import facts, findings
from privaudit.capture.collector import collect_answers
from privaudit.capture.model import Capture
from privaudit.errors import PhoneError, UsageError
from privaudit.knowledge import Knowledge
from privaudit.model import App, Facts
from privaudit.revocation import ledger, state
from privaudit.revocation.change import ChangeKind
from privaudit.revocation.ledger import CaptureReference, InstallFingerprint, Ledger
from privaudit.revocation.plan import RevocationPlan, build_plan
from privaudit.transport.base import Transport

AppsByUser: TypeAlias = Mapping[tuple[str, int], App]
"""The apps that the user named, by package and Android user."""


@dataclass(frozen=True, slots=True)
class PlannedRevocation:
    """What would be changed on the phone that a capture was taken of."""

    capture: Capture
    facts: Facts
    apps: AppsByUser
    plan: RevocationPlan


def read_own_dumps(transport: Transport, capture: Capture, packages: Iterable[str]) -> Capture:
    """Return `capture` with the own dumps of `packages`, which a plan needs. Raises ConnectionLost."""
    missing = [f"package.{name}" for name in packages if f"package.{name}" not in capture.answers]
    return capture.with_answers(collect_answers(transport, missing))


def plan_revocation(
    capture: Capture, knowledge: Knowledge, packages: Collection[str], *, uninstall: bool
) -> PlannedRevocation:
    """Plan how to revoke what `packages` hold. Raises UsageError ``app_missing``, and as `build_plan`."""
    phone_facts = facts.gather_facts(capture)
    apps = select_apps(phone_facts, knowledge, packages)
    installed = {package for package, _ in apps}
    for name in packages:
        if name not in installed:
            raise UsageError("errors.app_missing", app=name)
    plan = build_plan(state.read_state(capture, packages), apps.values(), phone_facts.users, uninstall=uninstall)
    return PlannedRevocation(capture, phone_facts, apps, plan)


def select_apps(phone_facts: Facts, knowledge: Knowledge, packages: Iterable[str]) -> AppsByUser:
    """Return the named apps, for each Android user that has them, in the order in which they were named."""
    recognised = findings.recognise_apps(phone_facts.apps, knowledge)
    return {
        (app.package, app.user): app for name in dict.fromkeys(packages) for app in recognised if app.package == name
    }


def begin_ledger(transport: Transport, planned: PlannedRevocation, reference: CaptureReference) -> Ledger:
    """Return a ledger of all planned changes; none is begun. `reference`: the capture, which was saved already.

    The apps are read again: between the plan and the answer the user may have changed a setting, or connected another
    phone. Raises PhoneError ``plan_changed`` or ConnectionLost.
    """
    plan = planned.plan
    current_state = state.refresh_state(transport, planned.capture, {package for package, _ in planned.apps})
    uninstall = any(change.kind is ChangeKind.UNINSTALL for change in plan.changes)
    require_same_plan(plan, build_plan(current_state, planned.apps.values(), planned.facts.users, uninstall=uninstall))
    fingerprint = ledger.compute_fingerprint(planned.facts)
    return ledger.create_ledger(plan.changes, fingerprint, reference, demo=planned.capture.demo)


def require_same_device(fingerprint: InstallFingerprint, phone_facts: Facts, packages: Collection[str] = ()) -> None:
    """Raise PhoneError unless this is the phone of `fingerprint`, with none of `packages` reinstalled since."""
    if not ledger.matches_fingerprint(fingerprint, phone_facts):
        raise PhoneError("errors.other_phone")
    reinstalled = ledger.find_reinstalled_package(fingerprint, phone_facts, packages)
    if reinstalled is not None:
        raise PhoneError("errors.installed_anew", app=reinstalled)


def require_same_plan(before: RevocationPlan, current: RevocationPlan) -> None:
    """Raise PhoneError unless the phone is still as it was planned for."""
    # Without force-stops: whether an app runs changes by itself.
    planned, needed = (
        {change for change in plan.changes if change.kind is not ChangeKind.FORCE_STOP} for plan in (before, current)
    )
    if planned != needed:
        change = next(iter(planned ^ needed))
        raise PhoneError("errors.plan_changed", app=change.package, what=change.what or change.kind.value)
