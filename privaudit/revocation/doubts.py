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
from privaudit.revocation.change import FIXED, Change, Kind

_MAPPED_SDK: Final = 35
_STOPS: Final = {Kind.PERMISSION: "permissions", Kind.SPECIAL_OP: "app_ops", Kind.ACCESSIBILITY: "permissions"}


def about(change: Change, phone: Phone, properties: Mapping[str, str]) -> Iterator[Message]:
    """Doubts about one change; none where it should simply work."""
    for gate in roms.gates(phone.rom.id):
        if _STOPS.get(change.kind) not in gate.stops:
            continue
        said = properties.get(gate.property) if gate.property is not None else None
        if gate.open is None or said != gate.open:
            shut = gate.property is not None and said is not None
            key = "remedy.gate_shut" if shut else "remedy.gate_may"
            yield Message(key=key, values={"word": settings_page.word(phone, gate.word)})
    if change.kind in {Kind.ROLE, Kind.LISTENER, Kind.ACCESSIBILITY}:
        yield Message(key="remedy.unverified")
    if change.kind is Kind.PERMISSION:
        yield from _about_permission(change, phone)


def _about_permission(change: Change, phone: Phone) -> Iterator[Message]:
    for flag in sorted(FIXED.intersection(change.before.flags)):
        yield Message(key=f"remedy.{'fixed_system' if flag == 'SYSTEM_FIXED' else 'fixed_policy'}")
    if change.old_app:
        yield Message(key="remedy.old_app")
    if (
        phone.sdk is not None
        and phone.sdk >= _MAPPED_SDK
        and (change.old_app or FIXED.intersection(change.before.flags))
    ):
        yield Message(key="remedy.op_ignored")
