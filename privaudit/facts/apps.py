"""Builds each app of each user from the blocks, the package list and app-ops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from privaudit.dumpsys import appops
from privaudit.dumpsys.clock import Clock, local_time
from privaudit.dumpsys.package_checks import Listed
from privaudit.dumpsys.package_model import Block
from privaudit.dumpsys.special_access import Right
from privaudit.facts.access import DOORS, Door, Held, access
from privaudit.facts.app_sources import Declared, Places, Sources
from privaudit.facts.effective_permission import SWITCHES, effective, mode_in_force
from privaudit.facts.package_dumps import Line
from privaudit.facts.permission_table import SPECIAL, TRAITS
from privaudit.model import (
    App,
    DataClass,
    Effective,
    LabelState,
    OtherData,
    Permission,
    Place,
    Requested,
    SpecialAccess,
)

_DOORS: Final[Mapping[str, Door]] = {door.permission: door for doors in DOORS.values() for door in doors}
OPS: Final = frozenset(
    {
        *(trait.op for trait in TRAITS.values()),
        *(door.blank_op for door in _DOORS.values() if door.blank_op is not None),
        *SWITCHES.values(),
    }
)
"""App-ops that decide something, or record a reading of what is told."""
_PER_USER: Final = 100000
_FACTORY_UNTIL: Final = datetime(2009, 1, 3)  # noqa: DTZ001 - the phone's own time
"""System images carry install times of 1970, 2008-12-31 or 2009-01-01: no install at all."""


def installed(sources: Sources, user: int) -> list[str]:
    """Names of the packages that `user` has."""
    listed = sources.listed.get(user)
    if listed is not None:
        return sorted(listed)
    blocks = sources.blocks.whole.dump.packages
    return sorted(name for name, block in blocks.items() if _installed(block, user))


def _installed(block: Block, user: int) -> bool:
    state = block.users.get(user)
    return state is not None and state.installed and block.has_package


def build(sources: Sources, name: str, user: int, declared: Declared, places: Places) -> App:
    """An app of `user`. Nothing that is said of other apps counts.

    Args:
        sources: what the phone said.
        name: its package.
        user: whose copy of it.
        declared: asked where the phone does not say what the app asks for.
        places: filled with where each fact stands.
    """
    found = sources.blocks.block(name)
    block = found[0] if found is not None else Block(name=name, offset=0)
    listed = sources.listed.get(user, {}).get(name)
    if found is not None:
        places[name, user, "package"] = (found[1],)
    elif listed is not None:
        places[name, user, "package"] = (Place(f"installed.{user}", listed.offset),)
    state = block.users.get(user)
    uid = _uid(sources, name, user, block, listed)
    ops = uid.packages.get(name, {})
    permissions = {one.name: one for one in _permissions(sources, block, user, uid.modes, ops, declared, places)}
    for door in _DOORS.values():
        for event in (ops[door.op].access, ops[door.op].reject) if door.op in ops else ():
            if event is not None:
                _add(places, (name, user, f"op:{door.op}"), Place("appops", event.offset))
    special = tuple(_special(sources.special.get((name, user), ()), permissions, (name, user), places))
    began = _time(state.first_installed if state else None, sources.clock)
    began = began or _time(block.first_installed, sources.clock)
    held = Held(
        permissions=permissions,
        ops=ops,
        special={one.kind for one in special},
        ops_whole=sources.appops_whole,
        since=_since(began, sources),
        sdk=sources.sdk,
        target_sdk=block.target_sdk,
    )
    return App(
        package=name,
        user=user,
        label=None,
        label_state=LabelState.NOT_ASKED,
        labels={},
        version_name=block.version_name,
        version_code=block.version_code,
        target_sdk=block.target_sdk,
        installer=block.installer if block.says_installer or listed is None else listed.installer,
        installer_known=block.says_installer or (listed is not None and listed.says_installer),
        installer_name=None,
        first_installed=began,
        last_updated=_time(block.last_updated, sources.clock),
        system=_is_system(sources, block, user, listed),
        enabled=state.enabled if state is not None else None,
        certificates_sha256=(),
        apk_sha256=None,
        access={data: access(data, held, sources.clock) for data in DataClass},
        other_access={data: access(data, held, sources.clock) for data in OtherData},
        permissions=tuple(one for one in permissions.values() if _worth_telling(one)),
        special_access=special,
    )


def _special(
    rights: Iterable[Right], permissions: Mapping[str, Permission], of: tuple[str, int], places: Places
) -> Iterator[SpecialAccess]:
    for right in rights:
        _add(places, (*of, right.access.kind), right.place)
        yield right.access
    for name, kind in SPECIAL.items():
        permission = permissions.get(name)
        if permission is not None and permission.effective in {Effective.ALLOWED, Effective.FOREGROUND}:
            for fact in (f"op:{TRAITS[name].op}", name):
                places[(*of, kind)] = (*places.get((*of, kind), ()), *places.get((*of, fact), ()))
            yield SpecialAccess(kind=kind, component=None)


def _since(installed: datetime | None, sources: Sources) -> datetime | None:
    """How far back records of an app can go; ``None`` where the phone has not a single record."""
    oldest = sources.clock.moment(sources.appops.oldest)
    if oldest is None or installed is None or (oldest.tzinfo is None) != (installed.tzinfo is None):
        return oldest
    return max(oldest, installed)


def _uid(sources: Sources, name: str, user: int, block: Block, listed: Listed | None) -> appops.Uid:
    app_id = block.app_id if block.app_id is not None or listed is None else listed.app_id
    if app_id is not None:
        return sources.appops.uids.get(user * _PER_USER + app_id) or appops.Uid()
    # No block and no uid in the list: app-ops name each package below its uid.
    for number, uid in sources.appops.uids.items():
        if number // _PER_USER == user and name in uid.packages:
            return uid
    return appops.Uid()


def _is_system(sources: Sources, block: Block, user: int, listed: Listed | None) -> bool:
    if block.flags:
        return "SYSTEM" in block.flags
    if user in sources.third_party:
        return block.name not in sources.third_party[user]
    return listed is not None and listed.path is not None and not listed.path.startswith(("/data/", "/mnt/"))


def _permissions(
    sources: Sources,
    block: Block,
    user: int,
    modes: Mapping[str, tuple[str, int]],
    ops: Mapping[str, appops.Op],
    declared: Declared,
    places: Places,
) -> Iterator[Permission]:
    lines: dict[str, list[Line]] = {}
    for name, line in sources.blocks.lines(block.name, user):
        if name in TRAITS:
            lines.setdefault(name, []).append(line)
            _add(places, (block.name, user, name), line.place)
    denies = sources.blocks.denies(block.name, user)
    by_op = [name for name in SPECIAL if TRAITS[name].op in modes or TRAITS[name].op in ops]
    for name in dict.fromkeys((*lines, *_DOORS, *by_op, *(block.requested or ()))):
        trait = TRAITS.get(name)
        if trait is None:
            continue
        own = lines.get(name, [])
        granted = any(line.grant.granted for line in own) if own else (False if denies else None)
        flags = next((line.grant.flags for line in own if line.grant.granted == granted), ())
        op, door = trait.op, _DOORS.get(name)
        mode, place = mode_in_force(op, modes, ops, sources.switches) or (None, 0)
        if op in modes or mode not in {None, "default", *(() if trait.by_op else ("allow",))}:
            _add(places, (block.name, user, f"op:{op}"), Place("appops", place))
        blank = mode_in_force(door.blank_op, modes, ops, {}) if door is not None and door.blank_op else None
        record = ops.get(op)
        yield Permission(
            name=name,
            requested=_requested(block, name, own, declared, granted=granted),
            granted=granted,
            flags=flags,
            mode=mode,
            effective=effective(
                trait,
                granted=granted,
                flags=flags,
                mode=mode,
                blank=blank[0] if blank else None,
                target_sdk=block.target_sdk,
            ),
            last_access=sources.clock.moment(record.access if record else None),
            last_reject=sources.clock.moment(record.reject if record else None),
        )


def _requested(block: Block, name: str, own: list[Line], declared: Declared, *, granted: bool | None) -> Requested:
    """Whether the app asks for it: says the phone, and where it does not, the manifest."""
    if block.requested is not None and name in block.requested:
        return Requested.YES
    if block.shared_user is None and own:
        return Requested.YES  # Android keeps the state of a permission only while its app requests it
    if block.requested is None or granted is None:
        return declared(name)
    return Requested.NO


def _worth_telling(permission: Permission) -> bool:
    return permission.requested is Requested.YES or permission.effective is not Effective.DENIED


def _add(places: Places, key: tuple[str, int, str], place: Place) -> None:
    places[key] = (*places.get(key, ()), place)


def _time(printed: str | None, clock: Clock) -> datetime | None:
    moment = local_time(printed, clock.zone)
    return None if moment is None or moment.replace(tzinfo=None) < _FACTORY_UNTIL else moment
