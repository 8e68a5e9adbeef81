"""What may not work on this ROM and version, known before anything is tried.

``pm revoke`` and ``cmd appops set`` end well in many cases in which they do nothing (AOSP:
``PermissionManagerService``, ``PermissionService``, ``AppOpService``); makers add switches (``privaudit/data/roms``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit import roms
from privaudit.model import Message, Phone
from privaudit.revocation import settings_page
from privaudit.revocation.change import FIXED_FLAGS, Change, ChangeKind

_OPS_FOLLOW_PERMISSION_SDK: Final = 35
_RESTRICTION_KINDS: Final = {
    ChangeKind.PERMISSION: "permissions",
    ChangeKind.SPECIAL_OP: "app_ops",
    ChangeKind.ACCESSIBILITY: "permissions",
}


def caveats_for(change: Change, phone: Phone, properties: Mapping[str, str]) -> Iterator[Message]:
    """Doubts about one change; none where it should simply work."""
    for gate in roms.list_restrictions(phone.rom.id):
        if _RESTRICTION_KINDS.get(change.kind) not in gate.blocks:
            continue
        said = properties.get(gate.property_name) if gate.property_name is not None else None
        if gate.open_value is None or said != gate.open_value:
            shut = gate.property_name is not None and said is not None
            key = "remedy.gate_shut" if shut else "remedy.gate_may"
            yield Message(key=key, values={"word": settings_page.menu_term(phone, gate.menu_key)})
    if change.kind in {ChangeKind.ROLE, ChangeKind.LISTENER, ChangeKind.ACCESSIBILITY}:
        yield Message(key="remedy.unverified")
    if change.kind is ChangeKind.PERMISSION:
        yield from _permission_caveats(change, phone)


def _permission_caveats(change: Change, phone: Phone) -> Iterator[Message]:
    for flag in sorted(FIXED_FLAGS.intersection(change.before.flags)):
        yield Message(key=f"remedy.{'fixed_system' if flag == 'SYSTEM_FIXED' else 'fixed_policy'}")
    if change.old_app:
        yield Message(key="remedy.old_app")
    if (
        phone.sdk is not None
        and phone.sdk >= _OPS_FOLLOW_PERMISSION_SDK
        and (change.old_app or FIXED_FLAGS.intersection(change.before.flags))
    ):
        yield Message(key="remedy.op_ignored")
