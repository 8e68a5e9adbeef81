"""Evaluate an app by its APKs: what it may ask for, whether it is a lending app, which lists name it, its SDKs.

One module, because each step takes what the one before it returns: `read_app_bundle` reads the APKs, `evaluate_app`
turns their contents into the document's `VettedApp`, `evaluate_findings` states what to know before installing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from privaudit import findings, model
from privaudit.android import PACKAGE_VISIBILITY_SDK, RUNTIME_PERMISSIONS_SDK
from privaudit.apk import dex, info
from privaudit.apk.dex import DexPrefixHits
from privaudit.apk.info import ApkInfo
from privaudit.apk.manifest import ApkManifest
from privaudit.apk.parts import MANIFEST, ApkError, ApkParts
from privaudit.capture import apk_plan
from privaudit.facts.access import DATA_PERMISSIONS, OTHER_ROUTES, UNRESTRICTED_APP_LIST
from privaudit.facts.permissions import SPECIAL_PERMISSIONS
from privaudit.findings import legal_rules, lending, listed, severity
from privaudit.findings.data_access import DATA_CLASS_KEYS
from privaudit.i18n.sanitize import display_name
from privaudit.knowledge import Knowledge
from privaudit.knowledge.schema import Rule, Sdk
from privaudit.report.matrix import UNKNOWN_ACCESS
from privaudit.vetting import document
from privaudit.vetting.bundle import APP_FILE_SUFFIXES, AppBundle, BundleApk, decode_entry_name, run_to_end

MAX_DEX_BYTES: Final = 256 << 20
"""Bytes of one dex file, unpacked. 65,536 methods, the most that one can hold, make about ten million."""
MAX_TOTAL_DEX_BYTES: Final = 1 << 30
"""Bytes of all dex files of an app together."""
_DEX_ENTRY: Final = re.compile(rb"classes\d{0,4}\.dex\Z")
_LIBRARY_ENTRY: Final = re.compile(rb"lib/[^/]+/([^/]+\.so)\Z")
_SPECIAL_ACCESS_BY_BIND_PERMISSION: Final[Mapping[str, str]] = {
    "android.permission.BIND_ACCESSIBILITY_SERVICE": "accessibility",
    "android.permission.BIND_NOTIFICATION_LISTENER_SERVICE": "notification_listener",
    "android.permission.BIND_DEVICE_ADMIN": "device_admin",
    "android.permission.BIND_INPUT_METHOD": "input_method",
}
"""Permission that callers of a component must hold → kind of `privaudit.model.SpecialAccess` that it serves."""


@dataclass(slots=True)
class ApkContents:
    """What was read from the APKs of one app."""

    manifest: ApkManifest
    info: ApkInfo
    class_hits: list[tuple[str, DexPrefixHits]] = field(default_factory=list)
    """Dex entry, and a known class name prefix that its code names."""
    libraries: dict[str, str] = field(default_factory=dict)
    """Name of a native library → its first entry."""
    gaps: list[document.Gap] = field(default_factory=list)


def read_app_bundle(app_bundle: AppBundle, class_prefixes: Sequence[str]) -> ApkContents:
    """Read manifest, names, signers, libraries and hits of `class_prefixes`; raises `ApkError` if the base fails."""
    base = app_bundle.base
    plan = apk_plan.plan_contents(base.file, base.end_record, base.directory, with_certificates=True)
    parts, problems = run_to_end(plan)
    apk = ApkParts(
        package=base.manifest.package,
        path=base.name,
        state=model.AnswerState.ANSWERED,
        size=base.file.size,
        parts=parts,
        problems={name: problem for name, problem in problems.items() if name != MANIFEST},
    )
    contents = ApkContents(base.manifest, info.read_apk_file(apk, base.manifest), gaps=[*app_bundle.gaps])
    remaining_bytes = MAX_TOTAL_DEX_BYTES
    for bundle_apk in (base, *app_bundle.splits):
        remaining_bytes = _scan_code(bundle_apk, class_prefixes, contents, remaining_bytes)
    label_problem, signing_problem = contents.info.label_problem, contents.info.signing_problem
    if label_problem is not None and contents.info.label is None and label_problem.key != "apk.no_label":
        contents.gaps.append(document.Gap(part="label", why=label_problem))
    if signing_problem is not None:
        contents.gaps.append(document.Gap(part="signers", why=signing_problem))
    return contents


def reading(contents: ApkContents) -> Mapping[document.ReadingPart, frozenset[str] | None]:
    """Return what a second reader is compared with; ``None`` is a part that was not read."""
    manifest, signing = contents.manifest, contents.info.signing
    signers = None if signing is None else {signer.certificate_sha256 for signer in signing.active_signers(None)}
    return {
        "package": frozenset({manifest.package}),
        "permissions": frozenset(use.permission for use in manifest.uses_permissions if not use.implied),
        "components": manifest.components,
        "signers": None if signers is None else frozenset(signers),
    }


def _scan_code(
    bundle_apk: BundleApk, class_prefixes: Sequence[str], contents: ApkContents, remaining_bytes: int
) -> int:
    """Add the class names and libraries of one APK to `contents`; return how many bytes of dex may still be read."""
    for name in bundle_apk.directory.names():
        text = decode_entry_name(name)
        entry = f"{bundle_apk.name}!{text}" if bundle_apk.name else text
        if library := _LIBRARY_ENTRY.match(name):
            contents.libraries.setdefault(decode_entry_name(library[1]), entry)
        elif _DEX_ENTRY.match(name):
            try:
                data = _read_dex(bundle_apk, name, min(remaining_bytes, MAX_DEX_BYTES))
                remaining_bytes -= len(data)
                contents.class_hits += ((entry, hits) for hits in dex.find_class_prefixes(data, class_prefixes, text))
            except ApkError as error:
                contents.gaps.append(document.Gap(part=entry, why=error.message))
        elif name.lower().endswith(b".apk") or text.lower().endswith(APP_FILE_SUFFIXES):
            contents.gaps.append(document.Gap(part=entry, why=ApkError("apk.apk_inside").message))
    return remaining_bytes


def _read_dex(bundle_apk: BundleApk, name: bytes, max_bytes: int) -> bytes:
    entry = bundle_apk.directory.get(name)
    if entry is None:
        return b""
    if max(entry.size, entry.compressed_size) > max_bytes:
        raise ApkError("apk.dex_too_much", megabytes=max_bytes >> 20)
    return apk_plan.read_entry(bundle_apk.file, entry, bundle_apk.end_record)


def find_sdks(contents: ApkContents, known_sdks: Sequence[Sdk]) -> Iterator[document.DetectedSdk]:
    """Yield each of `known_sdks` that the app shows a sign of."""
    for sdk in known_sdks:
        if signs := tuple(_find_sdk_signs(contents, sdk)):
            yield document.DetectedSdk(
                vendor=sdk.vendor,
                names=sdk.names,
                purpose=sdk.purpose,
                collects=sdk.collects,
                lending_specific=sdk.lending_specific,
                confidence=sdk.confidence,
                note=sdk.note,
                signs=signs,
            )


def _find_sdk_signs(contents: ApkContents, sdk: Sdk) -> Iterator[document.SdkSign]:
    for entry, hits in contents.class_hits:
        if hits.prefix in sdk.classes:
            yield document.SdkSign(kind="class", name=hits.prefix, entry=entry, classes=hits.defined_class_count)
    for name in sdk.libraries:
        if name in contents.libraries:
            yield document.SdkSign(kind="library", name=name, entry=contents.libraries[name], classes=None)
    for name in sdk.components:
        if name in contents.manifest.components:
            yield document.SdkSign(kind="component", name=name, entry=None, classes=None)


def evaluate_app(
    contents: ApkContents,
    apk_sha256: str | None,
    knowledge: Knowledge,
    known_sdks: Sequence[Sdk],
    applicable_rules: Sequence[Rule],
) -> document.VettedApp:
    """Evaluate an app against lists and known SDKs; the rules are stated of lending and listed apps only."""
    facts, manifest = contents.info, contents.manifest
    special_access = tuple(dict.fromkeys(_special_access_kinds(manifest)))
    app = document.VettedApp(
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
        certificates_sha256=_certificates(facts),
        signing_problem=facts.signing_problem,
        asks={data_class: _data_request(data_class, contents, special_access) for data_class in document.DATA_CLASSES},
        at_install=(facts.target_sdk or 1) < RUNTIME_PERMISSIONS_SDK,
        permissions=tuple(
            document.RequestedPermission(name=use.permission, max_sdk=use.max_sdk)
            for use in manifest.uses_permissions
            if not use.implied
        ),
        services=special_access,
        lending=model.Lending(verdict=model.LendingVerdict.NO),
        listed=(),
        rules=(),
        sdks=tuple(find_sdks(contents, known_sdks)),
    )
    app = replace(app, listed=findings.find_signature_matches(_as_model_app(app), knowledge))
    app = replace(app, lending=lending.recognise_lending(_as_model_app(app), knowledge, installed=False))
    if not app.is_recognised:
        return app
    model_app = _as_model_app(app)
    matches = (match for rule in applicable_rules for match in legal_rules.match_rule(model_app, rule))
    return replace(app, rules=tuple(matches))


def evaluate_findings(app: document.VettedApp) -> Iterator[document.VettingFinding]:
    """Yield what to know before installing the app, the most severe first."""
    model_app = _as_model_app(app)
    graded = [(listed.severity_for(model_app, match), match) for match in app.listed]
    for grade, match in sorted(graded, key=lambda pair: pair[0].order):
        yield document.VettingFinding(rule="listed", severity=grade, message=listed.message_for(model_app, match))
    obtainable = obtainable_data(app)
    if not obtainable or not app.is_recognised:
        return
    if app.lending.verdict is model.LendingVerdict.EMBEDS:
        key = "vetting.embeds_given" if app.at_install else "vetting.embeds_asks"
    else:
        key = "vetting.lender_given" if app.at_install else "vetting.lender_asks"
    message = model.Message(key=key, values={"app": display_name(app.label, app.package), "data": obtainable})
    yield document.VettingFinding(rule="lender_asks", severity=severity.SEVERITY["lender_asks"], message=message)


def obtainable_data(app: document.VettedApp) -> tuple[model.Message, ...]:
    """Return the names of the data that can reach the app once it is installed."""
    return tuple(
        model.Message(key=key)
        for data_class, key in DATA_CLASS_KEYS.items()
        if app.asks[data_class].state is not document.DataRequestState.NOT_REQUESTED
    )


def _certificates(facts: ApkInfo) -> tuple[str, ...]:
    """Return the SHA-256 of each current signing certificate, followed by those that it was rotated from."""
    signers = facts.signing.active_signers(None) if facts.signing is not None else ()
    chains = ((signer.certificate_sha256, *signer.certificate_history) for signer in signers)
    return tuple(dict.fromkeys(digest for chain in chains for digest in chain))


def _special_access_kinds(manifest: ApkManifest) -> Iterator[str]:
    kinds = _SPECIAL_ACCESS_BY_BIND_PERMISSION
    yield from (kinds[permission] for permission in sorted(manifest.required_permissions) if permission in kinds)
    requested = (use.permission for use in manifest.uses_permissions)
    yield from (SPECIAL_PERMISSIONS[permission] for permission in requested if permission in SPECIAL_PERMISSIONS)


def _data_request(
    data_class: model.DataClass | model.OtherDataClass, contents: ApkContents, special_access: Sequence[str]
) -> document.DataRequest:
    routes = {permission.permission: permission.route for permission in DATA_PERMISSIONS[data_class]}
    uses = [use for use in contents.manifest.uses_permissions if use.permission in routes]
    ways = dict.fromkeys(routes[use.permission] for use in uses)
    if "permission" in ways:
        ways = {"permission": None}  # reads existing data and what arrives later, so it includes "incoming"
    state = document.DataRequestState.MAY_ASK if uses else document.DataRequestState.NOT_REQUESTED
    if data_class is model.OtherDataClass.APP_LIST and (contents.info.target_sdk or 1) < PACKAGE_VISIBILITY_SDK:
        state, ways = document.DataRequestState.NEEDS_NOBODY, {UNRESTRICTED_APP_LIST: None}
    ways |= {kind: None for kind, data in OTHER_ROUTES.items() if kind in special_access and data_class in data}
    if state is document.DataRequestState.NOT_REQUESTED and ways:
        state = document.DataRequestState.ANOTHER_WAY
    if uses and all(use.implied for use in uses):
        ways |= {"implied": None}
    limits = [use.max_sdk for use in uses]
    return document.DataRequest(
        state=state,
        permissions=tuple(dict.fromkeys(use.permission for use in uses)),
        ways=tuple(ways),
        until_sdk=max((limit for limit in limits if limit is not None), default=None) if None not in limits else None,
    )


def _as_model_app(app: document.VettedApp) -> model.App:
    """Return the app as the checks for phones expect it: it holds nothing, and requests some permissions."""
    requested = {permission.name for permission in app.permissions}
    requested.update(name for request in app.asks.values() for name in request.permissions)
    return model.App(
        package=app.package,
        user=0,
        label=app.label,
        label_state=model.LabelState.READ if app.label is not None else model.LabelState.UNREADABLE,
        labels=app.labels,
        launcher_labels=app.launcher_labels,
        version_name=app.version_name,
        version_code=app.version_code,
        target_sdk=app.target_sdk,
        installer=None,
        installer_known=False,
        installer_name=None,
        first_installed=None,
        last_updated=None,
        system=False,
        enabled=None,
        certificates_sha256=app.certificates_sha256,
        apk_sha256=app.apk_sha256,
        access={data_class: _access(app.asks[data_class]) for data_class in model.DataClass},
        permissions=tuple(map(_permission, sorted(requested))),
        special_access=(),
        lending=app.lending,
        listed=app.listed,
    )


def _access(request: document.DataRequest) -> model.Access:
    is_requested = request.state is not document.DataRequestState.NOT_REQUESTED
    state = model.AccessState.NOT_ALLOWED if is_requested else model.AccessState.NOT_REQUESTED
    return replace(UNKNOWN_ACCESS, state=state)


def _permission(name: str) -> model.Permission:
    return model.Permission(
        name=name,
        requested=model.RequestedState.YES,
        granted=None,
        flags=(),
        mode=None,
        effective=model.EffectiveState.UNKNOWN,
        last_access=None,
        last_reject=None,
    )
