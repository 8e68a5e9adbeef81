"""Sections of ``dumpsys package`` that say nothing about permissions: whatever reads a dump has to get past them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from privaudit.virtual_phone.dump_writers.text import fake_identity_hash, format_time
from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualPhone


def header_sections(phone: VirtualPhone) -> Iterator[tuple[str, Iterable[str]]]:
    """Everything before the resolver tables: versions, verifiers, libraries, features."""
    layout = phone.layout
    key = "buildFingerprint" if layout.domain_verifier else "fingerprint"
    version = (
        f"    sdkVersion={phone.sdk} databaseVersion=3 ",
        f"    {key}={phone.properties.get('ro.build.fingerprint', 'unknown')} ",
    )
    yield "Database versions:", ("  Internal:", *version, "  External:", *version)
    if layout.domain_verifier:
        yield (
            "Known Packages:",
            (
                "  System:",
                "    android",
                "  Installer:",
                "    com.android.packageinstaller",
                "  Wellbeing:",
                "    none",
            ),
        )
    verifier = phone.find_app("com.android.vending")
    yield "Verifiers:", (f"  Required: com.android.vending (uid={-1 if verifier is None else verifier.app_id})",)
    yield (
        "Domain Verifier:" if layout.domain_verifier else "Intent Filter Verifier:",
        (f"  Using: com.android.vending (uid={-1 if verifier is None else verifier.app_id})",),
    )
    yield (
        "Libraries:",
        (
            "  android.test.base ->  (jar) /system/framework/android.test.base.jar",
            "  org.apache.http.legacy ->  (jar) /system/framework/org.apache.http.legacy.jar",
        ),
    )
    yield (
        "Features:",
        (
            "  android.hardware.camera",
            "  android.hardware.telephony",
            "  android.software.vulkan.deqp.level version=132645633",
        ),
    )


def launcher_lines(apps: Iterable[VirtualApp]) -> Iterator[str]:
    """A resolver table: what stands on the home screen."""
    lines = [
        f"        {fake_identity_hash('activity', app.package)} {app.package}/.MainActivity"
        for app in apps
        if app.labels and not app.is_system
    ]
    if lines:
        yield from ("  Non-Data Actions:", "      android.intent.action.MAIN:", *lines)


def install_log_lines(apps: Iterable[VirtualApp]) -> Iterator[str]:
    """What Samsung logs of its installer, without indent and without a title (seen in captures; wording invented)."""
    for app in apps:
        if not app.is_system:
            yield f"{format_time(app.updated)}: START INSTALL PACKAGE: observer{{{fake_identity_hash('observer', app.package)}}}"
            yield f"          pkg{{{app.package}}}"
            yield f"{format_time(app.updated)}: result of install: 1{{{app.app_id}}}"


def key_set_lines(apps: Iterable[VirtualApp]) -> Iterator[str]:
    """Who signs with which keys."""
    for number, app in enumerate(apps, 1):
        yield f"  [{app.package}]"
        yield f"      Signing KeySets: {number}"


def query_lines(apps: Iterable[VirtualApp]) -> Iterator[str]:
    """Who may see whom (Android 11)."""
    yield "  system apps queryable: false"
    yield "  queries via package name:"
    for app in apps:
        if app.queries:
            yield f"    {app.package}:"
            yield from (f"      {package}" for package in app.queries)
    yield "  queries via intent:"
    yield "  queryable via interaction:"


def package_change_lines(phone: VirtualPhone, apps: Iterable[VirtualApp]) -> Iterator[str]:
    """What came or went lately."""
    newest = [app.package for app in apps if not app.is_system][:3]
    yield f"  Sequence number={len(newest)}"
    for user in phone.user_ids[:1]:
        yield f"  User {user}:"
        yield from (f"    seq={number}, package={package}" for number, package in enumerate(newest))


def dexopt_lines(apps: Iterable[VirtualApp]) -> Iterator[str]:
    """How far the code is compiled."""
    for app in apps:
        yield f"  [{app.package}]"
        yield f"    path: {app.apk_path}"
        yield "      arm64: [status=speed-profile] [reason=install] [primary-abi]"


def compiler_stats_lines(apps: Iterable[VirtualApp]) -> Iterator[str]:
    """What that took."""
    for app in apps:
        yield f"  [{app.package}]"
        yield "     (No recorded stats)"
