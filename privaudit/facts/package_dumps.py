"""Join the ``dumpsys package`` answers into one source of grants, and decide how far to trust each.

One module, because the three forms of the answer (of all packages, of one, and as bytes) correct each other.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, TypeAlias

from privaudit.android import MAX_PACKAGES
from privaudit.capture.answers import Answer, coverage_message
from privaudit.capture.model import Capture
from privaudit.capture.questions import PERMISSIONS
from privaudit.dumpsys.package_checks import check_consistency
from privaudit.dumpsys.package_list import InstalledPackage
from privaudit.dumpsys.package_model import InstallState, PackageBlock, PackageDump, PermissionGrant
from privaudit.dumpsys.package_parser import parse_package_dump
from privaudit.dumpsys.package_proto import ProtoError, ProtoPackage, parse_package_proto
from privaudit.model import AnswerState, FactLocation, Message

PackageLists: TypeAlias = Mapping[int, Mapping[str, InstalledPackage]]
"""Android user → package → its entry in ``pm list packages``; users without a known list are missing."""
CACHED_DUMPS: Final = 8
"""Number of long dumps to cache while their phones are read: as many as a workshop reads at a time."""
_CACHED_OWN_DUMPS: Final = 1024
_KEPT_PERMISSIONS: Final = frozenset(PERMISSIONS)
_UNTRUSTED_GRANT: Final = PermissionGrant(granted=True, flags=None)
_HEADER_CHARS: Final = 200
"""A dump that is not filtered by permission names begins with ``Database versions:`` within this many characters."""


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
        if len(self.dump.packages) >= MAX_PACKAGES:
            return coverage_message("coverage.too_many", n=MAX_PACKAGES)
        if self.dump.doubtful:
            return coverage_message("coverage.doubtful", n=len(self.dump.doubtful))
        if self.dump.unparsed_lines:
            return coverage_message("coverage.lost_grants", n=self.dump.unparsed_lines)
        if self.dump.outdated:
            return coverage_message("coverage.outdated", n=len(self.dump.outdated))
        shared_users = {block.shared_user for block in self.dump.packages.values()} - {None}
        return None if shared_users <= self.dump.shared_users.keys() else coverage_message("coverage.no_end")

    def describes(self, package: str) -> bool:
        """Return whether the dump is complete and the block of `package` whole: what it lacks is not granted."""
        block = self.dump.find_block(package)
        return self.is_complete and block is not None and not self.dump.stray_lines and self.dump.is_whole(block)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageDumps:
    """The package dumps of one phone."""

    full: ParsedDump
    """The dump of all packages."""
    by_package: Mapping[str, ParsedDump]
    """Package → its own ``dumpsys package PACKAGE``."""
    filtered_by_permission: bool
    """Whether `full` was filtered by permission names: a package without any of them then has no block."""
    missing_blocks: int
    """Packages of a list that a dump of all packages lacks. Their lines may stand in the block of another."""
    failed_own_dumps: frozenset[str]
    """Packages that the phone was asked about by name, on a live phone, without a whole answer."""
    absent: frozenset[str]
    """Packages that the phone does not have, as it said when it was asked about them by name."""
    proto: Mapping[str, ProtoPackage]
    """Every package, from the answer in which no app's text can pose as Android's; empty: it has no whole one."""
    proto_answer: Answer
    """Its state reflects whether it is whole and holds grants."""

    def proto_granted(self, package: str, user: int) -> AbstractSet[str] | None:
        """Return the permissions that are granted according to `proto`; ``None``: that does not say."""
        return self.proto[package].granted.get(user) if package in self.proto else None

    def user_state(self, package: str, user: int) -> InstallState | None:
        """Return the state of `package` for `user`, if an answer says it."""
        if package in self.proto and user in self.proto[package].users:
            return self.proto[package].users[user]
        match = self.find_block(package)
        return match[0].users.get(user) if match is not None else None

    def hidden_packages(self, user: int) -> Iterator[str]:
        """Yield the packages that `user` has installed although the list lacks them.

        ``pm list packages`` leaves out hidden packages, whose permissions come back when they are shown again, and
        others that have no permissions.
        """
        for name in self.proto or self.full.dump.packages:
            state = self.user_state(name, user)
            is_unlisted = state is not None and state.installed and (state.hidden or state.instant)
            if is_unlisted and name not in self.absent:
                yield name
        if self.full.answer.exit_code is None:
            # Of texts that were saved by hand either may be cut, or older. Live, only an app can have written it.
            yield from (name for name, one in self.full.dump.unlisted if one == user)

    def differing_packages(self, permissions: AbstractSet[str]) -> tuple[str, ...]:
        """Return the packages whose text says another thing about a grant of `permissions` than `proto` does."""
        return tuple(name for name in self.proto if self._differs_from_proto(name, permissions))

    def _differs_from_proto(self, package: str, permissions: AbstractSet[str]) -> bool:
        for user, granted in self.proto[package].granted.items():
            grants = self.grants_by_permission(package, user, permissions)
            in_text = {name for name, lines in grants.items() if any(line.granted for line in lines)}
            if in_text - granted or (in_text != granted & permissions and self._is_denied_by_text(package, user)):
                return True
        return False

    def find_block(self, package: str) -> tuple[PackageBlock, FactLocation] | None:
        """Return the block of `package`, from a dump in which it is not doubtful; its own dump says most."""
        for parsed in self._dumps_of(package):
            block = parsed.dump.find_block(package)
            if block is not None:
                return block, FactLocation(parsed.answer.key, block.offset)
        return None

    def permission_lines(
        self, package: str, user: int, names: Collection[str] | None = None
    ) -> Iterator[tuple[str, PermissionGrant, FactLocation]]:
        """Yield every permission line of `package` for `user` with its place, including those of its shared uid.

        A package's own dump that is cut or doubtful yields only grants, without their flags: an app has no reason to
        forge those. The dump of all packages yields nothing of a doubtful block: another app may have forged it.

        `names`: the only permissions to look for; ``None``: all.
        """
        for parsed, trusted in self._readable_dumps_of(package):
            for name, grant, offset in _grants_for_user(parsed.dump, package, user, names):
                if trusted or grant.granted:
                    yield name, grant if trusted else _UNTRUSTED_GRANT, FactLocation(parsed.answer.key, offset)

    def grants_by_permission(
        self, package: str, user: int, names: Collection[str]
    ) -> Mapping[str, Sequence[PermissionGrant]]:
        """Return the grants in the `permission_lines` of the permissions `names`."""
        grants: defaultdict[str, list[PermissionGrant]] = defaultdict(list)
        for name, grant, _ in self.permission_lines(package, user, names):
            grants[name].append(grant)
        return grants

    def is_known_denied(self, package: str, user: int) -> bool:
        """Return whether a permission without a line for `package` and `user` is certainly not granted."""
        if self.proto_granted(package, user) is not None:
            return True
        return package not in self.failed_own_dumps and self._is_denied_by_text(package, user)

    def has_own_dump(self, package: str) -> bool:
        """Return whether the package's own dump says everything about it."""
        return package in self.by_package and self.by_package[package].describes(package)

    def _is_denied_by_text(self, package: str, user: int) -> bool:
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

    def assess_own_answer(self, answer: Answer) -> Answer:
        """Return an answer to the question about one package; unreadable if its text does not say all about it."""
        own_dump = self.by_package.get(answer.subject or "")
        if own_dump is None:
            return with_problem(answer, coverage_message("coverage.not_this_dump"))
        return with_problem(own_dump.answer, own_dump.problem)

    @property
    def names_every_package(self) -> bool:
        """Whether the dump of all packages has a block for each package, not only for those with some permissions."""
        return self.full.is_complete and not self.filtered_by_permission

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
                yield parsed, package not in self.failed_own_dumps


def read_package_dumps(capture: Capture, package_lists: PackageLists) -> PackageDumps:
    """Parse and check all package dumps of `capture`, which is of one phone."""
    answer = capture.answer("packages")
    dump = check_consistency(_parse_full_dump(answer.text), package_lists) if answer.text else PackageDump()
    if "android" in dump.packages and not any(_held_permissions(dump)):
        # Android itself holds most permissions: where no package holds any, a copy has left those lines out.
        dump = replace(dump, stray_lines=dump.stray_lines + 1, unparsed_lines=dump.unparsed_lines + 1)
    full = _parsed_dump(answer, dump)
    by_package, failed, absent = {}, set(), set()
    all_users = {user for block in full.dump.packages.values() for user in block.users} if full.is_complete else set()
    for own_answer in capture.answers_to("package"):
        name = own_answer.subject or ""
        own_dump = check_consistency(_parse_own_dump(own_answer.text), requested_package=name)
        if name in own_dump.packages:
            if own_dump.reached_end and all_users and own_dump.packages[name].users.keys() != all_users:
                own_dump.doubtful.add(name)  # each block lists every Android user
            if own_dump.is_whole(own_dump.packages[name]) and _lacks_grants(own_dump, full.dump, name):
                own_dump.doubtful.add(name)  # more of an app's text stands in its own dump than in the filtered one
            by_package[name] = _parsed_dump(own_answer, own_dump)
        elif f"Unable to find package: {name}" in map(str.strip, own_answer.text.split("\n")):
            absent.add(name)
        if answer.exit_code is not None and not (name in by_package and by_package[name].describes(name)):
            failed.add(name)
    proto, proto_answer = _read_proto(capture.answer("packages_proto"), package_lists, full.dump)
    # A dump saved by hand may be that of one package. Only a command of our own is known to cover all packages.
    is_filtered = answer.exit_code is not None and "Database versions:" not in answer.text[:_HEADER_CHARS]
    listed = {name for packages in package_lists.values() for name in packages}
    named = dump.packages.keys() | {block.compatible_name for block in dump.packages.values()}
    return PackageDumps(
        full=full,
        by_package=by_package,
        filtered_by_permission=is_filtered,
        missing_blocks=0 if is_filtered or not dump.packages else len(listed - named),
        failed_own_dumps=frozenset(failed),
        absent=frozenset(absent),
        proto=proto,
        proto_answer=proto_answer,
    )


def _held_permissions(dump: PackageDump) -> Iterator[str]:
    for block in (*dump.packages.values(), *dump.shared_users.values()):
        for table in (block.install_permissions, *(state.runtime_permissions for state in block.users.values())):
            yield from (name for name, grant in table.items() if grant.granted)


def _read_proto(
    answer: Answer, package_lists: PackageLists, text_dump: PackageDump
) -> tuple[Mapping[str, ProtoPackage], Answer]:
    """Return the packages in ``dumpsys package --proto`` and the answer; none unless it is whole and holds grants."""
    if answer.state is not AnswerState.ANSWERED:
        return {}, answer
    try:
        proto = parse_package_proto(answer.data, _KEPT_PERMISSIONS)
    except ProtoError:
        return {}, with_problem(answer, coverage_message("coverage.not_this_dump"))
    if not any(package.granted for package in proto.values()):
        return {}, replace(answer, state=AnswerState.NOT_SUPPORTED)
    # A renamed system app has its real name here, and its current one in the list.
    renamed = {block.compatible_name for block in text_dump.packages.values() if "SYSTEM" in block.flags}
    if not all(packages.keys() <= proto.keys() | renamed for packages in package_lists.values()):
        # A stream that was cut between two packages is a valid one.
        return {}, with_problem(answer, coverage_message("coverage.no_end"))
    return proto, answer


@lru_cache(maxsize=_CACHED_OWN_DUMPS)
def _parse_own_dump(text: str) -> PackageDump:
    return parse_package_dump(text, _KEPT_PERMISSIONS)


@lru_cache(maxsize=CACHED_DUMPS)
def _parse_full_dump(text: str) -> PackageDump:
    # Facts are gathered after each round of questions, and the long dump is the same in all of them.
    return parse_package_dump(text, _KEPT_PERMISSIONS)


def _lacks_grants(own_dump: PackageDump, full_dump: PackageDump, package: str) -> bool:
    """Return whether `full_dump` has a grant of `package` that `own_dump` lacks, or has with other flags."""
    block = full_dump.find_block(package)
    return block is not None and any(
        not _granted(full_dump, package, user).items() <= _granted(own_dump, package, user).items()
        for user in block.users
    )


def _granted(dump: PackageDump, package: str, user: int) -> Mapping[str, PermissionGrant]:
    return {name: grant for name, grant, _ in _grants_for_user(dump, package, user) if grant.granted}


def _grants_for_user(
    dump: PackageDump, package: str, user: int, names: Collection[str] | None = None
) -> Iterator[tuple[str, PermissionGrant, int]]:
    """Yield each permission that lines of `dump` name for the package, its grant, and the offset of the line."""
    for holder in _holders(dump, package):
        for_user, state = holder.install_permissions_by_user.get(user), holder.users.get(user)
        for table in (holder.install_permissions, for_user, state.runtime_permissions if state is not None else None):
            if not table:
                continue
            for name in table if names is None else table.keys() & names:
                # A line for one user overrides the line for all users.
                if table is not holder.install_permissions or for_user is None or name not in for_user:
                    yield name, table[name], table.offsets[name]


def _holders(dump: PackageDump, package: str) -> tuple[PackageBlock, ...]:
    """Return the block of `package` and that of its shared user, unless it has none or that is doubtful."""
    block = dump.packages.get(package)
    if block is None:
        return ()
    name = block.shared_user
    shared = None if name is None or name in dump.doubtful else dump.shared_users.get(name)
    return (block,) if shared is None else (block, shared)


def _parsed_dump(answer: Answer, dump: PackageDump) -> ParsedDump:
    return ParsedDump(assess_answer(answer, is_this_dump=bool(dump.packages), reached_end=dump.reached_end), dump)


def assess_answer(answer: Answer, *, is_this_dump: bool, reached_end: bool) -> Answer:
    """Return `answer`, unreadable where its text is not the dump that was asked for, or not all of it."""
    if not is_this_dump:
        return with_problem(answer, coverage_message("coverage.not_this_dump"))
    # Without an exit code only the end of the text proves that a dump saved by hand is complete.
    is_cut = answer.exit_code is None and not reached_end
    return with_problem(answer, coverage_message("coverage.no_end")) if is_cut else answer


def with_problem(answer: Answer, problem: Message | None) -> Answer:
    """Return `answer`, unreadable because of `problem` where there is one and the phone answered."""
    if problem is None or answer.state is not AnswerState.ANSWERED:
        return answer
    return replace(answer, state=AnswerState.UNREADABLE, detail=problem)
