"""How each Android release prints its dumps, and what its programs accept: every difference that the phone imitates.

Written from AOSP sources (6, 9, 10, 11, 14, 16) and from captures of real devices. A release without either has what
its neighbours have. Each field says what changed, and with which release; ``layouts.toml`` has the values.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, TypeAlias

from privaudit.virtual_phone.release.android import SWITCH_OPS, flag_names_for_sdk

Vendor: TypeAlias = Literal["aosp", "emui", "miui", "samsung"]
"""Vendors with dump layouts of their own; ``aosp`` for all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLayout:
    """One release of one vendor. The defaults are those of Android 14."""

    sdk: int
    vendor: Vendor = "aosp"

    domain_verifier: bool = True
    """``Known Packages:``, ``Domain Verifier:``, ``buildFingerprint=`` (Android 12), no ``Intent Filter Verifier:``."""
    package_queries: bool = True
    """``forceQueryable=``, ``queriesPackages=`` and a section ``Queries:`` (Android 11)."""
    empty_queries: bool = False
    """``queriesPackages=[]`` for apps without queries (Android 11 and 12)."""
    sessions_last: bool = True
    """Install sessions at the very end (from Android 9), not after the shared users."""
    permission_class: str = "PermissionInfo"
    """``Permission`` up to Android 11, with ``gids=null`` where there are none."""
    requested_in_full_dump: bool = False
    """Samsung's Android 10: ``requested permissions:`` in a full dump, too."""
    install_log: bool = False
    """Samsung: lines of its install log in column 0, before ``Packages:``."""

    proto_grants: bool = True
    """``--proto`` with the granted permissions (Android 12)."""
    app_id_key: str = "appId"
    """``userId`` up to Android 13."""
    min_sdk: bool = True
    """``minSdk=`` and ``apkSigningVersion=`` (Android 7)."""
    extension_versions: bool = True
    """``minExtensionVersions=``, ``usesNonSdkApi=``, ``extractNativeLibs=``, ``cpuAbiOverride=`` (Android 12)."""
    application_info: str = ""
    """Class in the line ``applicationInfo=``, up to Android 12."""
    private_flags: tuple[tuple[str, ...], tuple[str, ...]] = (
        ("PRIVATE_FLAG_ACTIVITIES_RESIZE_MODE_RESIZEABLE_VIA_SDK_VERSION", "ALLOW_AUDIO_PLAYBACK_CAPTURE"),
        ("PRIVATE_FLAG_ALLOW_NATIVE_HEAP_POINTER_TAGGING",),
    )
    """Flags that every package has, before and after its own. Up to Android 8 an empty line is left out."""
    install_source: bool = True
    """Installer lines always there, ``null`` where unset, with uid, initiator and originator (Android 14)."""
    package_source: bool = True
    """``packageSource=`` (Android 13)."""
    metadata_source: bool = False
    """``appMetadataSource=`` (Android 16)."""
    private_package_flags: bool = True
    """``privatePkgFlags=`` and ``apexModuleName=`` (Android 14)."""
    signature_versions: bool = True
    """``version:3, signatures:[…]`` (Android 9); the older form ends in ``installStatus=1``."""
    factory_copy_data_dir: bool = True
    """A data folder below ``Hidden system packages:``; ``dataDir=null`` up to Android 7."""
    restricted_suffix: bool = False
    """``: restricted=true`` after a requested permission (Android 10 and 11)."""
    install_per_user: bool = True
    """``, userId=10`` on an install permission whose state differs for that user (Android 12)."""
    shared_packages: bool = True
    """A shared user lists its packages (Android 10)."""

    user_line_keys: tuple[str, ...] = (
        *("ceDataInode", "installed", "hidden", "suspended", "distractionFlags"),
        *("stopped", "notLaunched", "enabled", "instant", "virtual"),
    )
    """Keys of the user's line, in order. Android 6 has a second blank where the inode came later."""
    first_install_per_user: bool = True
    """First installation in the user's block, with the reasons (Android 13)."""
    user_data_dir: bool = False
    """``dataDir=`` of each user (Android 15)."""
    overlays: Literal["none", "at_user", "in_user"] = "in_user"
    """``overlay paths:`` came in Android 8 at the indent of the user's own line, and moved inwards in 12."""
    suspend_params: bool = True
    """``Suspend params:`` (Android 10), at the indent of the overlays."""

    flag_separator: str = "|"
    """Up to Android 9 a blank, and one more after the last."""

    op_layout: Literal["A", "B", "C", "D"] = "D"
    """A: modes as numbers, one time each. B: a line per process state. C: with flags. D: per attribution tag."""
    capability_letters: int = 6
    """Length of ``capability=`` in the app-ops dump; 0: no such line (before Android 11)."""
    extra_switches: Mapping[str, str] = field(default_factory=dict)
    """Ops whose mode another op decided up to Android 11."""
    op_names: Mapping[str, str] = field(default_factory=dict)
    """Op → its name in this release, where that differs."""
    get_shows_uid_modes: bool = True
    """``appops get`` prints uid modes (Android 10)."""
    broken_package_headers: bool = False
    """EMUI 5 breaks ``Package X`` of the app-ops dump over three lines."""

    provisioning_state: bool = True
    """In the title of the device administrators (seen in practice: Android 9)."""

    has_cmd: bool = True
    """``cmd``, and ``pm`` inside the system server (Android 7). Before, errors go to standard error."""
    list_options: tuple[str, ...] = ("-f", "-d", "-e", "-s", "-3", "-i", "-u", "-U", "--show-versioncode", "-a")
    lists_all_users: bool = True
    """``pm list packages`` without ``--user`` lists the apps of every user (Android 14)."""
    dumpsys_timeout: bool = True
    """``dumpsys -t`` (Android 8)."""
    appops_options: bool = True
    """``dumpsys appops --package`` (Android 9)."""
    has_roles: bool = True
    """``dumpsys role`` (Android 10)."""
    has_get_role_holders: bool = True
    """``cmd role get-role-holders`` (seen in practice: Android 12)."""
    exception_style: Literal["error", "security", "executing"] = "executing"
    """How a program prints an exception: ``error`` up to Android 9, ``security`` in 10, ``executing`` from 11."""
    shell_v2: bool = True
    """adbd sends exit codes and does not turn LF into CRLF (Android 7)."""
    requires_checksums: bool = False
    """adbd requires checksums, up to Android 8.1; its messages are small up to 6."""

    @property
    def op_modes(self) -> frozenset[str]:
        """App-op modes of the release: ``foreground`` came with Android 10, ``ask`` is MIUI's own."""
        extra = [*(["foreground"] if self.op_layout in "CD" else []), *(["ask"] if self.vendor == "miui" else [])]
        return frozenset({"allow", "ignore", "deny", "default", *extra})

    @property
    def switches(self) -> Mapping[str, str]:
        """Ops whose mode another op decides."""
        return {**SWITCH_OPS, **self.extra_switches}

    @property
    def flag_names_by_bit(self) -> Mapping[int, str]:
        """Names of permission flags; a bit without a name in the release prints as its number."""
        return flag_names_for_sdk(self.sdk)

    def format_flags(self, flags: int) -> str:
        """Return ``, flags=[ A|B]`` or ``, flags=[ A B ]``; nothing without flags."""
        bits = (1 << bit for bit in range(flags.bit_length()) if flags >> bit & 1)
        names = self.flag_separator.join(self.flag_names_by_bit.get(bit, str(bit)) for bit in bits)
        return f", flags=[ {names}{self.flag_separator.strip('|')}]" if names else ""


def _read_layouts() -> dict[int, ReleaseLayout]:
    layouts = {34: ReleaseLayout(sdk=34)}
    toml = (resources.files(__package__) / "layouts.toml").read_text(encoding="utf-8")
    for sdk, changes in tomllib.loads(toml).items():
        fields = {name: _as_tuple(value) for name, value in changes.items() if name != "base"}
        layouts[int(sdk)] = replace(layouts[changes["base"]], sdk=int(sdk), **fields)
    return layouts


def _as_tuple(value: Any) -> Any:  # noqa: ANN401 - a value of TOML
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


_LAYOUT_BY_SDK: Final[Mapping[int, ReleaseLayout]] = dict(sorted(_read_layouts().items()))
SUPPORTED_SDKS: Final = tuple(_LAYOUT_BY_SDK)
"""Every release that can be rendered, the oldest first."""


@cache
def layout_of(sdk: int, vendor: Vendor = "aosp") -> ReleaseLayout:
    """Return the layout of `vendor`'s Android of `sdk`, which is one of `SUPPORTED_SDKS`."""
    layout = _LAYOUT_BY_SDK[sdk]
    return replace(
        layout,
        vendor=vendor,
        broken_package_headers=vendor == "emui" and layout.op_layout == "A",
        install_log=vendor == "samsung",
        requested_in_full_dump=vendor == "samsung" and layout.op_layout == "C",
    )
