"""Join the ``dumpsys package`` answers into one source of permission lines, and decide how far to trust each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from privaudit.capture.answers import Answer, coverage_message
from privaudit.capture.model import Capture
from privaudit.capture.questions import PERMISSIONS
from privaudit.dumpsys.package_checks import check_consistency, parse_and_check_dump
from privaudit.dumpsys.package_list import InstalledPackage
from privaudit.dumpsys.package_model import GrantTable, PackageBlock, PackageDump, PermissionGrant
from privaudit.dumpsys.package_parser import parse_package_dump
from privaudit.model import AnswerState, FactLocation, Message

CACHED_DUMPS: Final = 8
"""Number of long dumps to cache while their phones are read: as many as a workshop reads at a time."""
_KEPT_PERMISSIONS: Final = frozenset(PERMISSIONS)
_HEADER_CHARS: Final = 200
"""A dump that is not filtered by permission names begins with ``Database versions:`` within this many characters."""


@dataclass(frozen=True, slots=True)
class PermissionLine:
    """A permission line and its location."""

    grant: PermissionGrant
    location: FactLocation


@dataclass(frozen=True, slots=True)
class ParsedDump:
    """One dump and its answer. The state of `answer` reflects whether the text is a whole dump."""

    answer: Answer
    dump: PackageDump

    @property
    def is_complete(self) -> bool:
        """Whether a permission without a line in a whole block is not granted."""
        return self.answer.state is AnswerState.ANSWERED

    @property
    def problem(self) -> Message | None:
        """What is wrong with some of its blocks; the others are as printed."""
        if self.dump.doubtful:
            return coverage_message("coverage.doubtful", n=len(self.dump.doubtful))
        if self.dump.unparsed_lines or self.dump.stray_grants:
            return coverage_message("coverage.lost_grants", n=self.dump.unparsed_lines or self.dump.stray_grants)
        return coverage_message("coverage.outdated", n=len(self.dump.outdated)) if self.dump.outdated else None

    def describes(self, package: str) -> bool:
        """Return whether the dump is complete and the block of `package` whole: what it lacks is not granted."""
        block = self.dump.find_block(package)
        return self.is_complete and block is not None and not self.dump.stray_grants and self.dump.is_whole(block)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageDumps:
    """The package dumps of one phone."""

    full: ParsedDump
    """The dump of all packages."""
    by_package: Mapping[str, ParsedDump]
    """Package → its own ``dumpsys package PACKAGE``."""
    filtered_by_permission: bool
    """Whether `full` was filtered by permission names: a package without any of them then has no block."""

    def find_block(self, package: str) -> tuple[PackageBlock, FactLocation] | None:
        """Return the block of `package`, from a dump in which it is not doubtful; its own dump says most."""
        for parsed in self._dumps_of(package):
            block = parsed.dump.find_block(package)
            if block is not None:
                return block, FactLocation(parsed.answer.key, block.offset)
        return None

    def permission_lines(self, package: str, user: int) -> Iterator[tuple[str, PermissionLine]]:
        """Yield every permission line of `package` for `user`, including those of its shared uid.

        A package's own dump that is cut or doubtful yields only grants: an app has no reason to forge those. The dump
        of all packages yields nothing of a doubtful block: another app may have forged it.
        """
        for parsed, trusted in self._readable_dumps_of(package):
            for name, line in _permission_lines(parsed, package, user):
                if trusted or line.grant.granted:
                    yield name, line

    def grants_by_permission(
        self, package: str, user: int, permissions: Iterable[str]
    ) -> Mapping[str, list[PermissionGrant]]:
        """The grants of `permissions` that `permission_lines` would yield, found without reading every line."""
        grants: dict[str, list[PermissionGrant]] = {}
        for source, trusted in self._readable_dumps_of(package):
            block = source.dump.packages.get(package)
            if block is None:
                continue
            shared = _shared_user_block(source.dump, block)
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
        """Return whether a permission without a line for `package` and `user` is certainly not granted."""
        for parsed in self._dumps_of(package):
            if parsed.describes(package):
                return user in parsed.dump.packages[package].users
            if (
                parsed is self.full
                and parsed.is_complete
                and package not in parsed.dump.packages
                and self.filtered_by_permission
                and parsed.dump.names_every_holder
            ):
                return user in self.user_ids()
        return False

    def version_codes(self) -> Mapping[str, int]:
        """Return the version code of each package that has a block with one."""
        names = dict.fromkeys((*self.full.dump.packages, *self.by_package))
        matches = ((name, match[0].version_code) for name in names if (match := self.find_block(name)) is not None)
        return {name: version for name, version in matches if version is not None}

    def user_ids(self) -> frozenset[int]:
        """Return the Android users that occur in the dump of all packages."""
        dump = self.full.dump
        blocks = (block for name, block in dump.packages.items() if name not in dump.doubtful)
        return frozenset(user for block in blocks for user in block.users)

    def _dumps_of(self, package: str) -> Iterator[ParsedDump]:
        """Yield the dumps that describe `package`, the best first. A whole dump of its own suffices."""
        own_dump = self.by_package.get(package)
        if own_dump is None or not own_dump.describes(package):
            yield self.full
        if own_dump is not None:
            yield own_dump

    def _readable_dumps_of(self, package: str) -> Iterator[tuple[ParsedDump, bool]]:
        """Yield the dumps with permission lines of `package`, and whether a line that denies something is believed."""
        for parsed in self._dumps_of(package):
            is_doubtful = parsed.dump.find_block(package) is None
            if parsed is not self.full:
                yield parsed, parsed.is_complete and not is_doubtful
            elif not is_doubtful:
                yield parsed, True


def read_package_dumps(capture: Capture, package_lists: Mapping[int, Mapping[str, InstalledPackage]]) -> PackageDumps:
    """Parse and check all package dumps of `capture`.

    Args:
        capture: of one phone.
        package_lists: output of ``pm list packages`` by Android user; users without a known list are left out.
    """
    answer = capture.answer("packages")
    dump = check_consistency(_parse_full_dump(answer.text), package_lists) if answer.text else PackageDump()
    full = _assess_dump(answer, dump)
    by_package = {}
    all_users = {user for block in full.dump.packages.values() for user in block.users} if full.is_complete else set()
    for own_answer in capture.answers_to("package"):
        name = own_answer.subject or ""
        own_dump = parse_and_check_dump(own_answer.text, requested_package=name, kept_permissions=_KEPT_PERMISSIONS)
        if name in own_dump.packages:
            if own_dump.reached_end and all_users and own_dump.packages[name].users.keys() != all_users:
                own_dump.doubtful.add(name)  # each block lists every Android user
            by_package[name] = _assess_dump(own_answer, own_dump)
    is_filtered = "Database versions:" not in answer.text[:_HEADER_CHARS]
    return PackageDumps(
        full=full,
        by_package=by_package,
        # A dump saved by hand may be that of one package. Only a command of our own is known to cover all packages.
        filtered_by_permission=answer.exit_code is not None and is_filtered,
    )


@lru_cache(maxsize=CACHED_DUMPS)
def _parse_full_dump(text: str) -> PackageDump:
    # Facts are gathered after each round of questions, and the long dump is the same in all of them.
    return parse_package_dump(text, _KEPT_PERMISSIONS)


def _permission_lines(parsed: ParsedDump, package: str, user: int) -> Iterator[tuple[str, PermissionLine]]:
    block = parsed.dump.packages.get(package)
    if block is None:
        return
    for source in (block, _shared_user_block(parsed.dump, block)):
        if source is not None:
            for name, grant, offset in _grants_for_user(source, user):
                yield name, PermissionLine(grant, FactLocation(parsed.answer.key, offset))


def _shared_user_block(dump: PackageDump, block: PackageBlock) -> PackageBlock | None:
    """Return the shared user of `block`, unless it has none or its block is doubtful."""
    name = block.shared_user
    return None if name is None or name in dump.doubtful else dump.shared_users.get(name)


def _grants_for_user(block: PackageBlock, user: int) -> Iterator[tuple[str, PermissionGrant, int]]:
    # A line for one user overrides the line for all users.
    for_user, state = block.install_permissions_by_user.get(user, GrantTable()), block.users.get(user)
    for name, grant in block.install_permissions.items():
        if name not in for_user:
            yield name, grant, block.install_permissions.offsets[name]
    for grants in (for_user, state.runtime_permissions if state is not None else GrantTable()):
        for name, grant in grants.items():
            yield name, grant, grants.offsets[name]


def _assess_dump(answer: Answer, dump: PackageDump) -> ParsedDump:
    problem = None
    if answer.state is AnswerState.ANSWERED and not dump.packages:
        problem = coverage_message("coverage.not_this_dump")
    elif answer.state is AnswerState.ANSWERED and answer.exit_code is None and not dump.reached_end:
        # Without an exit code only the end of the text proves that a dump saved by hand is complete.
        problem = coverage_message("coverage.no_end")
    if problem is not None:
        answer = replace(answer, state=AnswerState.UNREADABLE, detail=problem)
    return ParsedDump(answer, dump)
