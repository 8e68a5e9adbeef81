"""How far the ``dumpsys package`` answers can be trusted, joined into one source of permission lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from privaudit.capture import Capture
from privaudit.capture.answers import Answer, detail
from privaudit.capture.questions import PERMISSIONS
from privaudit.facts import packages
from privaudit.facts.package_blocks import Block, Dump, Grant, Grants
from privaudit.facts.packages import Listed
from privaudit.model import AnswerState, Place

_WANTED = frozenset(PERMISSIONS)
AT_ONCE = 8
"""Phones whose long dumps are remembered while they are asked: as many as a workshop reads at a time."""


@dataclass(frozen=True, slots=True)
class Line:
    """A permission line and where it stands. `shared`: it belongs to the app's shared uid."""

    grant: Grant
    place: Place
    shared: bool


@dataclass(frozen=True, slots=True)
class Source:
    """One dump, and the answer that holds it, its state put right by what the text turned out to be."""

    answer: Answer
    dump: Dump

    @property
    def sound(self) -> bool:
        """Whether a permission line that is not there is really not there."""
        return self.answer.state is AnswerState.ANSWERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Package blocks of one phone."""

    whole: Source
    """The dump about all apps."""
    details: Mapping[str, Source]
    """Package → its own ``dumpsys package PKG``."""
    names_only: bool
    """The dump was filtered by permission names: a package without any of them has no block."""

    def block(self, package: str) -> tuple[Block, Place] | None:
        """The block of `package`; its own dump says most. What stands beside forged lines is not believed."""
        for source in self._sources(package):
            block = source.dump.packages.get(package)
            if block is not None and source.dump.forged is None:
                return block, Place(source.answer.key, block.offset)
        return None

    def lines(self, package: str, user: int) -> Iterator[tuple[str, Line]]:
        """Every permission line of `package` for `user`, those of its shared uid among them.

        Of an own dump that is cut or has forged lines only the grants: an app has no reason to forge those.
        """
        for source in self._sources(package):
            for name, line in _lines(source, package, user):
                if source.sound or source is self.whole or line.grant.granted:
                    yield name, line

    def denies(self, package: str, user: int) -> bool:
        """Whether a permission that has no line for `package` and `user` is known not to be granted."""
        for source in self._sources(package):
            if not source.sound:
                continue
            block = source.dump.packages.get(package)
            if block is not None:
                return user in block.users and (
                    block.shared_user is None or block.shared_user in source.dump.shared_users
                )
            return self.names_only and user in self.users()
        return False

    def versions(self) -> Mapping[str, int]:
        """The version code of each package that has a block."""
        named = dict.fromkeys((*self.whole.dump.packages, *self.details))
        found = ((name, block[0].version_code) for name in named if (block := self.block(name)) is not None)
        return {name: version for name, version in found if version is not None}

    def users(self) -> frozenset[int]:
        """Users that appear in the blocks."""
        return frozenset(user for block in self.whole.dump.packages.values() for user in block.users)

    def _sources(self, package: str) -> Iterator[Source]:
        """Where `package` is told of, the best first. A sound dump of its own needs nothing beside it."""
        own = self.details.get(package)
        if own is None or not own.sound:
            yield self.whole
        if own is not None:
            yield own


def _lines(source: Source, package: str, user: int) -> Iterator[tuple[str, Line]]:
    block = source.dump.packages.get(package)
    if block is None:
        return
    shared = source.dump.shared_users.get(block.shared_user or "")
    for one, is_shared in ((block, False), (shared, True)):
        if one is not None:
            for name, grant, offset in _of(one, user):
                yield name, Line(grant, Place(source.answer.key, offset), is_shared)


def _of(block: Block, user: int) -> Iterator[tuple[str, Grant, int]]:
    # A line that names a user stands in for the line that speaks of all.
    own, state = block.install_for.get(user, Grants()), block.users.get(user)
    for name, grant in block.install.items():
        if name not in own:
            yield name, grant, block.install.offsets[name]
    for grants in (own, state.runtime if state is not None else Grants()):
        for name, grant in grants.items():
            yield name, grant, grants.offsets[name]


def read(capture: Capture, listed: Mapping[int, Mapping[str, Listed]]) -> Blocks:
    """Read all package dumps of `capture`. `listed`: see `privaudit.facts.packages.parse`."""
    answer = capture.answer("packages")
    whole = _judge(answer, packages.checked(_whole(answer.text), listed) if answer.text else Dump())
    if whole.dump.forged is not None:
        # Nothing in it proves anything: what one app forged may speak of another.
        whole = replace(whole, dump=Dump(unparsed=whole.dump.unparsed, forged=whole.dump.forged))
    details = {}
    people = {user for block in whole.dump.packages.values() for user in block.users} if whole.sound else set()
    for one in capture.to("package"):
        name = one.about or ""
        own = packages.parse(one.text, only=name, wanted=_WANTED)
        if name in own.packages:
            if own.ends and people and own.packages[name].users.keys() != people:
                own.forged = own.forged or name  # each block tells of every Android user
            details[name] = _judge(one, own)
    return Blocks(
        whole=whole,
        details=details,
        # A file that somebody saved may be of one package; only what we asked for ourselves is known to be of all.
        names_only=answer.exit_code is not None and "Database versions:" not in answer.text[:200],
    )


@lru_cache(maxsize=AT_ONCE)
def _whole(text: str) -> Dump:
    # While a phone is asked, facts are gathered after each round; the long dump is the same in all of them.
    return packages.read(text, _WANTED)


def _judge(answer: Answer, dump: Dump) -> Source:
    problem = None
    if dump.forged is not None:
        problem = detail("coverage.forged", package=dump.forged)
    elif answer.state is AnswerState.ANSWERED and not dump.packages:
        problem = detail("coverage.not_this_dump")
    elif answer.state is AnswerState.ANSWERED and dump.lost:
        problem = detail("coverage.lost_grants", n=dump.lost)
    elif answer.state is AnswerState.ANSWERED and not _is_whole(answer, dump):
        problem = detail("coverage.no_end")
    if problem is not None:
        answer = replace(answer, state=AnswerState.UNREADABLE, detail=problem)
    return Source(answer, dump)


def _is_whole(answer: Answer, dump: Dump) -> bool:
    # Of a text saved by hand nobody says that it is whole, so its end must be in it.
    if answer.exit_code is None and not dump.ends:
        return False
    return all(block.shared_user is None or block.shared_user in dump.shared_users for block in dump.packages.values())
