"""What is said of an app by what was read of its file: what it may ask for, whether it lends, who lists it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from privaudit import findings
from privaudit.facts.access import DOORS, FREE_APP_LIST, SIDE_DOORS
from privaudit.facts.permission_table import SPECIAL
from privaudit.findings import legal_rules, lending, listed, severity
from privaudit.i18n import name_of
from privaudit.knowledge import Knowledge
from privaudit.knowledge.rule_file import Rule
from privaudit.knowledge.sdks import Sdk
from privaudit.model import (
    Access,
    AccessState,
    App,
    DataClass,
    Effective,
    History,
    LabelState,
    LendingVerdict,
    Message,
    OtherData,
    Permission,
    Requested,
    Value,
)
from privaudit.vetting import makers
from privaudit.vetting.document import DATA, Ask, Asked, AskState, VetFinding, VettedApp
from privaudit.vetting.reading import Read

_SERVICES: Final[Mapping[str, str]] = {
    "android.permission.BIND_ACCESSIBILITY_SERVICE": "accessibility",
    "android.permission.BIND_NOTIFICATION_LISTENER_SERVICE": "notification_listener",
    "android.permission.BIND_DEVICE_ADMIN": "device_admin",
    "android.permission.BIND_INPUT_METHOD": "input_method",
}
"""What a component is for, by the permission that its callers must hold → kind of `privaudit.model.SpecialAccess`."""
_ASKED_WHILE_RUNNING_SDK: Final = 23
"""An app made for an older Android is given what it asks for when it is installed."""
_FILTERED_SDK: Final = 30
"""An app made for an older Android sees which apps are installed."""


def judged(
    read: Read, apk_sha256: str | None, knowledge: Knowledge, sdks: tuple[Sdk, ...], applying: tuple[Rule, ...]
) -> VettedApp:
    """Everything that is said of the app.

    Args:
        read: what was read of it.
        apk_sha256: of its base.
        knowledge: what it is held against.
        sdks: code of other makers to look for.
        applying: rules that may speak of it.
    """
    facts, manifest = read.facts, read.manifest
    special = tuple(dict.fromkeys(_special(read)))
    asks = {data: _ask(data, read, special) for data in DATA}
    signers = facts.signing.in_force(None) if facts.signing is not None else ()
    certificates = tuple(dict.fromkeys(one for signer in signers for one in (signer.certificate, *signer.history)))
    app = _as_app(read, asks, apk_sha256, certificates)
    app = replace(app, listed=findings.listings(app, knowledge))
    app = replace(app, lending=lending.recognise(app, knowledge, installed=False))
    return VettedApp(
        package=manifest.package,
        label=facts.label,
        labels=facts.labels,
        label_problem=facts.label_problem,
        launcher_labels=facts.launcher_labels,
        launcher_icon=facts.launcher_icon,
        version_name=facts.version_name,
        version_code=facts.version_code,
        min_sdk=manifest.min_sdk,
        target_sdk=facts.target_sdk,
        apk_sha256=apk_sha256,
        certificates_sha256=certificates,
        signing_problem=facts.signing_problem,
        asks=asks,
        at_install=(facts.target_sdk or 1) < _ASKED_WHILE_RUNNING_SDK,
        permissions=tuple(Asked(name=one.permission, max_sdk=one.max_sdk) for one in manifest.requests),
        services=special,
        lending=app.lending,
        listed=app.listed,
        rules=tuple(match for rule in applying for match in legal_rules.matches(app, rule)) if app.recognised else (),
        sdks=tuple(makers.found(read, sdks)),
    )


def found(app: VettedApp) -> Iterator[VetFinding]:
    """What to know before installing, the gravest first."""
    bare = _unread(app.package, app.label)
    graded = [(listed.of_listing(bare, one), one) for one in app.listed]
    for grade, one in sorted(graded, key=lambda pair: pair[0].order):
        yield VetFinding(rule="listed", severity=grade, message=listed.sentence(bare, one))
    asked = tuple(Message(key=f"data_access.{data}") for data in DataClass if reaches(app.asks[data]))
    if asked and app.recognised:
        kind = "embeds" if app.lending.verdict is LendingVerdict.EMBEDS else "lender"
        key = f"vetting.{kind}_{'given' if app.at_install else 'asks'}"
        values: dict[str, Value] = {"app": name_of(app.label, app.package), "data": asked}
        yield VetFinding(
            rule="lender_asks", severity=severity.TABLE["lender_asks"], message=Message(key=key, values=values)
        )


def reaches(ask: Ask) -> bool:
    """Whether the data can reach the app once it is installed."""
    return ask.state is not AskState.NOT_REQUESTED


def _special(read: Read) -> Iterator[str]:
    for guard in sorted(read.manifest.guards):
        if guard in _SERVICES:
            yield _SERVICES[guard]
    for one in read.manifest.requests:
        if one.permission in SPECIAL:
            yield SPECIAL[one.permission]


def _ask(data: DataClass | OtherData, read: Read, special: tuple[str, ...]) -> Ask:
    doors = {door.permission: door for door in DOORS[data]}
    asked = [one for one in read.manifest.requests if one.permission in doors]
    ways = dict.fromkeys(doors[one.permission].way for one in asked)
    if "permission" in ways:
        ways = {"permission": None}  # old and new: what arrives is among it
    state = AskState.MAY_ASK if asked else AskState.NOT_REQUESTED
    if data is OtherData.APP_LIST and (read.facts.target_sdk or 1) < _FILTERED_SDK:
        state, ways = AskState.NEEDS_NOBODY, {FREE_APP_LIST: None}
    ways |= dict.fromkeys(kind for kind, reached in SIDE_DOORS.items() if kind in special and data in reached)
    if state is AskState.NOT_REQUESTED and ways:
        state = AskState.ANOTHER_WAY
    limits = [one.max_sdk for one in asked]
    return Ask(
        state=state,
        permissions=tuple(dict.fromkeys(one.permission for one in asked)),
        ways=tuple(ways),
        until_sdk=max((one for one in limits if one is not None), default=None) if None not in limits else None,
    )


def _as_app(
    read: Read, asks: Mapping[DataClass | OtherData, Ask], apk_sha256: str | None, certificates: tuple[str, ...]
) -> App:
    """The app as the rules of phones see one: nothing is granted, and some is asked for."""
    facts = read.facts
    asked = {one.permission for one in read.manifest.requests}
    return replace(
        _unread(read.manifest.package, facts.label),
        labels=facts.labels,
        launcher_labels=facts.launcher_labels,
        target_sdk=facts.target_sdk,
        certificates_sha256=certificates,
        apk_sha256=apk_sha256,
        access={data: _access(asks[data]) for data in DataClass},
        permissions=tuple(
            Permission(
                name=name,
                requested=Requested.YES,
                granted=None,
                flags=(),
                mode=None,
                effective=Effective.UNKNOWN,
                last_access=None,
                last_reject=None,
            )
            for name in sorted(asked)
        ),
    )


def _unread(package: str, label: str | None) -> App:
    return App(
        package=package,
        user=0,
        label=label,
        label_state=LabelState.READ if label is not None else LabelState.UNREADABLE,
        labels={},
        version_name=None,
        version_code=None,
        target_sdk=None,
        installer=None,
        installer_known=False,
        installer_name=None,
        first_installed=None,
        last_updated=None,
        system=False,
        enabled=None,
        certificates_sha256=(),
        apk_sha256=None,
        access={data: _access(Ask(state=AskState.NOT_REQUESTED)) for data in DataClass},
        permissions=(),
        special_access=(),
    )


def _access(ask: Ask) -> Access:
    return Access(
        state=AccessState.NOT_ALLOWED if reaches(ask) else AccessState.NOT_REQUESTED,
        ways=(),
        last_read=None,
        last_read_age_s=None,
        history=History.UNKNOWN,
        history_since=None,
    )
