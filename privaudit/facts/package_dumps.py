"""How far the ``dumpsys package`` answers can be trusted, joined into one source of permission lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from privaudit.capture.answers import Answer, coverage_message
from privaudit.capture.model import Capture
from privaudit.capture.questions import PERMISSIONS
from privaudit.dumpsys.package_checks import check_consistency, parse_and_check_dump
from privaudit.dumpsys.package_list import InstalledPackage
from privaudit.dumpsys.package_model import GrantTable, PackageBlock, PackageDump, PermissionGrant
from privaudit.dumpsys.package_parser import parse_package_dump
from privaudit.model import AnswerState, FactLocation

_KEPT_PERMISSIONS = frozenset(PERMISSIONS)
CACHED_DUMPS = 8
"""Phones whose long dumps are remembered while they are asked: as many as a workshop reads at a time."""


@dataclass(frozen=True, slots=True)
class PermissionLine:
    """A permission line and where it stands. `shared`: it belongs to the app's shared uid."""

    grant: PermissionGrant
    location: FactLocation
    from_shared_uid: bool


@dataclass(frozen=True, slots=True)
class ParsedDump:
    """One dump, and the answer that holds it, its state put right by what the text turned out to be."""

    answer: Answer
    dump: PackageDump

    @property
    def is_complete(self) -> bool:
        """Whether a permission line that is not there is really not there."""
        return self.answer.state is AnswerState.ANSWERED


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageDumps:
    """Package blocks of one phone."""

    full: ParsedDump
    """The dump about all apps."""
    by_package: Mapping[str, ParsedDump]
    """Package → its own ``dumpsys package PKG``."""
    filtered_by_permission: bool
    """The dump was filtered by permission names: a package without any of them has no block."""

    def find_block(self, package: str) -> tuple[PackageBlock, FactLocation] | None:
        """The block of `package`; its own dump says most. What stands beside forged lines is not believed."""
        for source in self._dumps_of(package):
            block = source.dump.packages.get(package)
            if block is not None and source.dump.forged_name is None:
                return block, FactLocation(source.answer.key, block.offset)
        return None

    def permission_lines(self, package: str, user: int) -> Iterator[tuple[str, PermissionLine]]:
        """Every permission line of `package` for `user`, those of its shared uid among them.

        Of an own dump that is cut or has forged lines only the grants: an app has no reason to forge those.
        """
        for source in self._dumps_of(package):
            for name, line in _permission_lines(source, package, user):
                if source.is_complete or source is self.full or line.grant.granted:
                    yield name, line

    def grants_by_permission(
        self, package: str, user: int, permissions: Iterable[str]
    ) -> Mapping[str, list[PermissionGrant]]:
        """The grants of `permissions` that `permission_lines` would yield, found without reading every line."""
        grants: dict[str, list[PermissionGrant]] = {}
        for source in self._dumps_of(package):
            block = source.dump.packages.get(package)
            if block is None:
                continue
            trusted = source.is_complete or source is self.full
            shared = source.dump.shared_users.get(block.shared_user) if block.shared_user is not None else None
            for holder in (block,) if shared is None else (block, shared):
                own, state = holder.install_permissions_by_user.get(user), holder.users.get(user)
                tables = [holder.install_permissions] if own is None else [own]
                if state is not None and state.runtime_permissions:
                    tables.append(state.runtime_permissions)
                for name in permissions:
                    for table in tables:
                        grant = table.get(name)
                        if grant is None and table is own:
                            grant = holder.install_permissions.get(name)
                        if grant is not None and (trusted or grant.granted):
                            grants.setdefault(name, []).append(grant)
        return grants

    def is_known_denied(self, package: str, user: int) -> bool:
        """Whether a permission that has no line for `package` and `user` is known not to be granted."""
        for source in self._dumps_of(package):
            if not source.is_complete:
                continue
            block = source.dump.packages.get(package)
            if block is not None:
                return user in block.users and (
                    block.shared_user is None or block.shared_user in source.dump.shared_users
                )
            return self.filtered_by_permission and user in self.user_ids()
        return False

    def version_codes(self) -> Mapping[str, int]:
        """The version code of each package that has a block."""
        named = dict.fromkeys((*self.full.dump.packages, *self.by_package))
        found = ((name, block[0].version_code) for name in named if (block := self.find_block(name)) is not None)
        return {name: version for name, version in found if version is not None}

    def user_ids(self) -> frozenset[int]:
        """Users that appear in the blocks."""
        return frozenset(user for block in self.full.dump.packages.values() for user in block.users)

    def _dumps_of(self, package: str) -> Iterator[ParsedDump]:
        """Where `package` is told of, the best first. A sound dump of its own needs nothing beside it."""
        own = self.by_package.get(package)
        if own is None or not own.is_complete:
            yield self.full
        if own is not None:
            yield own


def _permission_lines(parsed: ParsedDump, package: str, user: int) -> Iterator[tuple[str, PermissionLine]]:
    block = parsed.dump.packages.get(package)
    if block is None:
        return
    shared = parsed.dump.shared_users.get(block.shared_user or "")
    for one, is_shared in ((block, False), (shared, True)):
        if one is not None:
            for name, grant, offset in _grants_for_user(one, user):
                yield name, PermissionLine(grant, FactLocation(parsed.answer.key, offset), is_shared)


def _grants_for_user(block: PackageBlock, user: int) -> Iterator[tuple[str, PermissionGrant, int]]:
    # A line that names a user stands in for the line that speaks of all.
    own, state = block.install_permissions_by_user.get(user, GrantTable()), block.users.get(user)
    for name, grant in block.install_permissions.items():
        if name not in own:
            yield name, grant, block.install_permissions.offsets[name]
    for grants in (own, state.runtime_permissions if state is not None else GrantTable()):
        for name, grant in grants.items():
            yield name, grant, grants.offsets[name]


def read_package_dumps(capture: Capture, package_lists: Mapping[int, Mapping[str, InstalledPackage]]) -> PackageDumps:
    """Read all package dumps of `capture`. `package_lists`: see `privaudit.dumpsys.package_checks.parse`."""
    answer = capture.answer("packages")
    whole = _assess_dump(
        answer,
        check_consistency(_parse_full_dump(answer.text), package_lists) if answer.text else PackageDump(),
    )
    if whole.dump.forged_name is not None:
        # Nothing in it proves anything: what one app forged may speak of another.
        whole = replace(
            whole, dump=PackageDump(unparsed_lines=whole.dump.unparsed_lines, forged_name=whole.dump.forged_name)
        )
    details = {}
    people = {user for block in whole.dump.packages.values() for user in block.users} if whole.is_complete else set()
    for one in capture.answers_to("package"):
        name = one.subject or ""
        own = parse_and_check_dump(one.text, requested_package=name, kept_permissions=_KEPT_PERMISSIONS)
        if name in own.packages:
            if own.reached_end and people and own.packages[name].users.keys() != people:
                own.forged_name = own.forged_name or name  # each block tells of every Android user
            details[name] = _assess_dump(one, own)
    return PackageDumps(
        full=whole,
        by_package=details,
        # A file that somebody saved may be of one package; only what we asked for ourselves is known to be of all.
        filtered_by_permission=answer.exit_code is not None and "Database versions:" not in answer.text[:200],
    )


@lru_cache(maxsize=CACHED_DUMPS)
def _parse_full_dump(text: str) -> PackageDump:
    # While a phone is asked, facts are gathered after each round; the long dump is the same in all of them.
    return parse_package_dump(text, _KEPT_PERMISSIONS)


def _assess_dump(answer: Answer, dump: PackageDump) -> ParsedDump:
    problem = None
    if dump.forged_name is not None:
        problem = coverage_message("coverage.forged", package=dump.forged_name)
    elif answer.state is AnswerState.ANSWERED and not dump.packages:
        problem = coverage_message("coverage.not_this_dump")
    elif answer.state is AnswerState.ANSWERED and dump.unread_grants:
        problem = coverage_message("coverage.lost_grants", n=dump.unread_grants)
    elif answer.state is AnswerState.ANSWERED and not _is_complete_dump(answer, dump):
        problem = coverage_message("coverage.no_end")
    if problem is not None:
        answer = replace(answer, state=AnswerState.UNREADABLE, detail=problem)
    return ParsedDump(answer, dump)


def _is_complete_dump(answer: Answer, dump: PackageDump) -> bool:
    # Of a text saved by hand nobody says that it is whole, so its end must be in it.
    if answer.exit_code is None and not dump.reached_end:
        return False
    return all(block.shared_user is None or block.shared_user in dump.shared_users for block in dump.packages.values())
