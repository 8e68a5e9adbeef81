"""What is said of an app by what was read of its file: what it may ask for, whether it lends, who lists it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from privaudit import findings
from privaudit.android import PACKAGE_VISIBILITY_SDK, RUNTIME_PERMISSIONS_SDK
from privaudit.apk import dex, info
from privaudit.apk.dex import DexPrefixHits
from privaudit.apk.info import ApkInfo
from privaudit.apk.manifest import ApkManifest
from privaudit.apk.parts import MANIFEST, ApkError, ApkParts
from privaudit.capture import apk_plan
from privaudit.facts.access import DATA_PERMISSIONS, OTHER_ROUTES, UNRESTRICTED_APP_LIST
from privaudit.facts.permission_table import SPECIAL_PERMISSIONS
from privaudit.findings import legal_rules, lending, listed, severity
from privaudit.i18n.sanitize import display_name
from privaudit.knowledge import Knowledge
from privaudit.knowledge.schema import Rule
from privaudit.knowledge.sdks import Sdk
from privaudit.model import (
    Access,
    AccessState,
    AnswerState,
    App,
    DataClass,
    EffectiveState,
    History,
    LabelState,
    LendingVerdict,
    Message,
    MessageValue,
    OtherDataClass,
    Permission,
    RequestedState,
)
from privaudit.vetting.bundle import APP_FILE_SUFFIXES, AppBundle, BundleApk, run_to_end
from privaudit.vetting.document import (
    DATA_CLASSES,
    DataRequest,
    DataRequestState,
    DetectedSdk,
    Gap,
    RequestedPermission,
    SdkSign,
    VettedApp,
    VettingFinding,
)

_DEX_ENTRY: Final = re.compile(rb"classes\d{0,4}\.dex\Z")
_LIBRARY_ENTRY: Final = re.compile(rb"lib/[^/]+/([^/]+\.so)\Z")
MAX_DEX_BYTES: Final = 256 << 20
"""Bytes of one dex, unpacked; 65,536 methods, which is all that one can hold, make about ten million."""
MAX_TOTAL_DEX_BYTES: Final = 1 << 30
"""Bytes of all of them together."""


@dataclass(slots=True)
class ApkContents:
    """What was read of one app."""

    manifest: ApkManifest
    info: ApkInfo
    class_hits: list[tuple[str, DexPrefixHits]] = field(default_factory=list)
    """Entry, and what its code names."""
    libraries: dict[str, str] = field(default_factory=dict)
    """Name → entry."""
    gaps: list[Gap] = field(default_factory=list)


def read_app_bundle(app_bundle: AppBundle, prefixes: Sequence[str]) -> ApkContents:
    """Read an app.

    Args:
        app_bundle: its base and splits.
        prefixes: of class names, to be looked for in its code.

    Raises:
        ApkError: its base cannot be read.
    """
    base = app_bundle.base
    parts, problems = run_to_end(
        apk_plan.plan_contents(base.file, base.end_record, base.directory, with_certificates=True)
    )
    whole = ApkParts(
        package=base.manifest.package,
        path=base.name,
        state=AnswerState.ANSWERED,
        size=base.file.size,
        parts=parts,
        problems={name: why for name, why in problems.items() if name != MANIFEST},
    )
    found = ApkContents(base.manifest, info.read_apk_file(whole, base.manifest), gaps=[*app_bundle.gaps])
    room = MAX_TOTAL_DEX_BYTES
    for piece in (base, *app_bundle.splits):
        room = _scan_code(piece, prefixes, found, room)
    return found


def _scan_code(bundle_apk: BundleApk, prefixes: Sequence[str], contents: ApkContents, remaining_bytes: int) -> int:
    """Look through the code and the libraries of one piece; gives the bytes of code that may still be read."""
    for raw in bundle_apk.directory.names():
        entry = f"{bundle_apk.name}!{_decode_name(raw)}" if bundle_apk.name else _decode_name(raw)
        if library := _LIBRARY_ENTRY.match(raw):
            contents.libraries.setdefault(_decode_name(library[1]), entry)
        elif _DEX_ENTRY.match(raw):
            try:
                data = _read_dex(bundle_apk, raw, min(remaining_bytes, MAX_DEX_BYTES))
                remaining_bytes -= len(data)
                contents.class_hits += (
                    (entry, named) for named in dex.find_class_prefixes(data, prefixes, _decode_name(raw))
                )
            except ApkError as error:
                contents.gaps.append(Gap(part=entry, why=error.message))
        elif raw.lower().endswith(b".apk") or _decode_name(raw).lower().endswith(APP_FILE_SUFFIXES):
            contents.gaps.append(Gap(part=entry, why=ApkError("apk.apk_inside").message))
    return remaining_bytes


def _read_dex(bundle_apk: BundleApk, entry_name: bytes, max_bytes: int) -> bytes:
    entry = bundle_apk.directory.get(entry_name)
    if entry is None:
        return b""
    if max(entry.size, entry.compressed_size) > max_bytes:
        raise ApkError("apk.dex_too_much", megabytes=max_bytes >> 20)
    return apk_plan.read_entry(bundle_apk.file, entry, bundle_apk.end_record)


def _decode_name(entry_name: bytes) -> str:
    return entry_name.decode("utf-8", "replace")


def metadata_gaps(contents: ApkContents) -> Iterator[Gap]:
    """What could not be read of the names and signers."""
    facts = contents.info
    if facts.label_problem is not None and facts.label is None and facts.label_problem.key != "apk.no_label":
        yield Gap(part="label", why=facts.label_problem)
    if facts.signing_problem is not None:
        yield Gap(part="signers", why=facts.signing_problem)


def find_sdks(contents: ApkContents, known_sdks: tuple[Sdk, ...]) -> Iterator[DetectedSdk]:
    """Each of `known_sdks` of which something is there."""
    for sdk in known_sdks:
        signs = tuple(_find_sdk_signs(contents, sdk))
        if signs:
            yield DetectedSdk(
                vendor=sdk.vendor,
                names=sdk.names,
                purpose=sdk.purpose,
                collects=sdk.collects,
                lending_specific=sdk.lending_specific,
                confidence=sdk.confidence,
                note=sdk.note,
                signs=signs,
            )


def _find_sdk_signs(contents: ApkContents, sdk: Sdk) -> Iterator[SdkSign]:
    for entry, named in contents.class_hits:
        if named.prefix in sdk.classes:
            yield SdkSign(kind="class", name=named.prefix, entry=entry, classes=named.defined_class_count)
    for name in sdk.libraries:
        if name in contents.libraries:
            yield SdkSign(kind="library", name=name, entry=contents.libraries[name], classes=None)
    for name in sdk.components:
        if name in contents.manifest.components:
            yield SdkSign(kind="component", name=name, entry=None, classes=None)


_SPECIAL_ACCESS_BY_BIND_PERMISSION: Final[Mapping[str, str]] = {
    "android.permission.BIND_ACCESSIBILITY_SERVICE": "accessibility",
    "android.permission.BIND_NOTIFICATION_LISTENER_SERVICE": "notification_listener",
    "android.permission.BIND_DEVICE_ADMIN": "device_admin",
    "android.permission.BIND_INPUT_METHOD": "input_method",
}
"""What a component is for, by the permission that its callers must hold → kind of `privaudit.model.SpecialAccess`."""


def evaluate_app(
    contents: ApkContents,
    apk_sha256: str | None,
    knowledge: Knowledge,
    known_sdks: tuple[Sdk, ...],
    applicable_rules: tuple[Rule, ...],
) -> VettedApp:
    """Everything that is said of the app.

    Args:
        contents: what was read of it.
        apk_sha256: of its base.
        knowledge: what it is held against.
        known_sdks: code of other makers to look for.
        applicable_rules: rules that may speak of it.
    """
    facts, manifest = contents.info, contents.manifest
    special = tuple(dict.fromkeys(_special_access_kinds(contents)))
    asks = {data: _data_request(data, contents, special) for data in DATA_CLASSES}
    signers = facts.signing.active_signers(None) if facts.signing is not None else ()
    certificates = tuple(
        dict.fromkeys(one for signer in signers for one in (signer.certificate_sha256, *signer.certificate_history))
    )
    app = _as_model_app(contents, asks, apk_sha256, certificates)
    app = replace(app, listed=findings.find_signature_matches(app, knowledge))
    app = replace(app, lending=lending.recognise_lending(app, knowledge, installed=False))
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
        at_install=(facts.target_sdk or 1) < RUNTIME_PERMISSIONS_SDK,
        permissions=tuple(
            RequestedPermission(name=one.permission, max_sdk=one.max_sdk) for one in manifest.uses_permissions
        ),
        services=special,
        lending=app.lending,
        listed=app.listed,
        rules=tuple(match for rule in applicable_rules for match in legal_rules.match_rule(app, rule))
        if app.is_recognised
        else (),
        sdks=tuple(find_sdks(contents, known_sdks)),
    )


def evaluate_findings(app: VettedApp) -> Iterator[VettingFinding]:
    """What to know before installing, the gravest first."""
    bare = _empty_app(app.package, app.label)
    graded = [(listed.severity_for(bare, one), one) for one in app.listed]
    for grade, one in sorted(graded, key=lambda pair: pair[0].order):
        yield VettingFinding(rule="listed", severity=grade, message=listed.message_for(bare, one))
    asked = tuple(Message(key=f"data_access.{data}") for data in DataClass if may_obtain_data(app.asks[data]))
    if asked and app.is_recognised:
        kind = "embeds" if app.lending.verdict is LendingVerdict.EMBEDS else "lender"
        key = f"vetting.{kind}_{'given' if app.at_install else 'asks'}"
        values: dict[str, MessageValue] = {"app": display_name(app.label, app.package), "data": asked}
        yield VettingFinding(
            rule="lender_asks", severity=severity.SEVERITY["lender_asks"], message=Message(key=key, values=values)
        )


def may_obtain_data(request: DataRequest) -> bool:
    """Whether the data can reach the app once it is installed."""
    return request.state is not DataRequestState.NOT_REQUESTED


def _special_access_kinds(contents: ApkContents) -> Iterator[str]:
    for guard in sorted(contents.manifest.required_permissions):
        if guard in _SPECIAL_ACCESS_BY_BIND_PERMISSION:
            yield _SPECIAL_ACCESS_BY_BIND_PERMISSION[guard]
    for one in contents.manifest.uses_permissions:
        if one.permission in SPECIAL_PERMISSIONS:
            yield SPECIAL_PERMISSIONS[one.permission]


def _data_request(
    data: DataClass | OtherDataClass, contents: ApkContents, special_access: tuple[str, ...]
) -> DataRequest:
    doors = {door.permission: door for door in DATA_PERMISSIONS[data]}
    asked = [one for one in contents.manifest.uses_permissions if one.permission in doors]
    ways = dict.fromkeys(doors[one.permission].route for one in asked)
    if "permission" in ways:
        ways = {"permission": None}  # old and new: what arrives is among it
    state = DataRequestState.MAY_ASK if asked else DataRequestState.NOT_REQUESTED
    if data is OtherDataClass.APP_LIST and (contents.info.target_sdk or 1) < PACKAGE_VISIBILITY_SDK:
        state, ways = DataRequestState.NEEDS_NOBODY, {UNRESTRICTED_APP_LIST: None}
    ways |= dict.fromkeys(kind for kind, reached in OTHER_ROUTES.items() if kind in special_access and data in reached)
    if state is DataRequestState.NOT_REQUESTED and ways:
        state = DataRequestState.ANOTHER_WAY
    limits = [one.max_sdk for one in asked]
    return DataRequest(
        state=state,
        permissions=tuple(dict.fromkeys(one.permission for one in asked)),
        ways=tuple(ways),
        until_sdk=max((one for one in limits if one is not None), default=None) if None not in limits else None,
    )


def _as_model_app(
    contents: ApkContents,
    data_requests: Mapping[DataClass | OtherDataClass, DataRequest],
    apk_sha256: str | None,
    certificates: tuple[str, ...],
) -> App:
    """The app as the rules of phones see one: nothing is granted, and some is asked for."""
    facts = contents.info
    asked = {one.permission for one in contents.manifest.uses_permissions}
    return replace(
        _empty_app(contents.manifest.package, facts.label),
        labels=facts.labels,
        launcher_labels=facts.launcher_labels,
        target_sdk=facts.target_sdk,
        certificates_sha256=certificates,
        apk_sha256=apk_sha256,
        access={data: _requested_access(data_requests[data]) for data in DataClass},
        permissions=tuple(
            Permission(
                name=name,
                requested=RequestedState.YES,
                granted=None,
                flags=(),
                mode=None,
                effective=EffectiveState.UNKNOWN,
                last_access=None,
                last_reject=None,
            )
            for name in sorted(asked)
        ),
    )


def _empty_app(package: str, label: str | None) -> App:
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
        access={data: _requested_access(DataRequest(state=DataRequestState.NOT_REQUESTED)) for data in DataClass},
        permissions=(),
        special_access=(),
    )


def _requested_access(request: DataRequest) -> Access:
    return Access(
        state=AccessState.NOT_ALLOWED if may_obtain_data(request) else AccessState.NOT_REQUESTED,
        ways=(),
        last_read=None,
        last_read_age_s=None,
        history=History.UNKNOWN,
        history_since=None,
    )
