"""How far the ``dumpsys package`` answers can be trusted, joined into one source of permission lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from privaudit.capture import Capture
from privaudit.capture.answers import Answer, detail
from privaudit.facts import packages
from privaudit.facts.package_blocks import Block, Dump, Grant
from privaudit.model import AnswerState, Place


@dataclass(frozen=True, slots=True)
class Line:
    """A permission line and where it stands. `shared`: it belongs to the app's shared uid."""

    grant: Grant
    place: Place
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Package blocks of one phone."""

    answer: Answer
    """The answer about all apps, its state put right by what the text turned out to be."""
    dump: Dump
    details: Mapping[str, tuple[str, Dump]]
    """Package → key and dump of its own ``dumpsys package PKG``."""
    sound: bool
    """Whether a package or permission that is not in `dump` is really not there."""
    names_only: bool
    """The dump was filtered by permission names: a package without any of them has no block."""

    def block(self, package: str) -> tuple[Block, Place] | None:
        """The block of `package`; its own dump says most."""
        if package in self.details:
            key, dump = self.details[package]
            return dump.packages[package], Place(key, dump.packages[package].offset)
        block = self.dump.packages.get(package)
        return None if block is None else (block, Place("packages", block.offset))

    def lines(self, package: str, user: int) -> Iterator[tuple[str, Line]]:
        """Every permission line of `package` for `user`, those of its shared uid among them.

        Of a dump with forged lines only the grants: an app has no reason to forge those.
        """
        found = self.block(package)
        if found is None:
            return
        block, place = found
        dump = self.details[package][1] if package in self.details else self.dump
        if dump.forged is not None:
            yield from ((name, line) for name, line in self._lines(block, place, dump, user) if line.grant.granted)
        else:
            yield from self._lines(block, place, dump, user)

    @staticmethod
    def _lines(block: Block, place: Place, dump: Dump, user: int) -> Iterator[tuple[str, Line]]:
        yield from ((name, Line(grant, Place(place.answer, grant.offset), False)) for name, grant in _of(block, user))
        shared = dump.shared_users.get(block.shared_user or "")
        if shared is not None:
            yield from (
                (name, Line(grant, Place(place.answer, grant.offset), True)) for name, grant in _of(shared, user)
            )

    def denies(self, package: str) -> bool:
        """Whether a permission that has no line for `package` is known not to be granted."""
        if package in self.details:
            return self.details[package][1].forged is None
        return self.sound and (package in self.dump.packages or self.names_only)

    def users(self) -> frozenset[int]:
        """Users that appear in the blocks."""
        return frozenset(user for block in self.dump.packages.values() for user in block.users)


def _of(block: Block, user: int) -> Iterator[tuple[str, Grant]]:
    yield from block.install.items()
    yield from ((name, grant) for (name, whose), grant in block.install_for.items() if whose == user)
    state = block.users.get(user)
    if state is not None:
        yield from state.runtime.items()


def read(capture: Capture, known: frozenset[str] | None) -> Blocks:
    """Read all package dumps of `capture`. `known`: see `privaudit.facts.packages.parse`."""
    answer = capture.answer("packages")
    dump = packages.parse(answer.text, known) if answer.text else Dump()
    answer, dump = _judge(answer, dump)
    details = {}
    for one in capture.to("package"):
        name = one.about or ""
        own = packages.parse(one.text, frozenset({name}))
        if name in own.packages:
            details[name] = (one.key, own)
    return Blocks(
        answer=answer,
        dump=dump,
        details=details,
        sound=answer.state is AnswerState.ANSWERED,
        names_only="Database versions:" not in answer.text[:200],
    )


def _judge(answer: Answer, dump: Dump) -> tuple[Answer, Dump]:
    if dump.forged is not None:
        # Nothing in it proves anything: what one app forged may speak of another.
        problem = detail("forged", package=dump.forged)
        return replace(answer, state=AnswerState.UNREADABLE, detail=problem), Dump(unparsed=dump.unparsed)
    if answer.state is AnswerState.ANSWERED and not dump.packages:
        return replace(answer, state=AnswerState.UNREADABLE, detail=detail("not_this_dump")), dump
    if answer.state is AnswerState.ANSWERED and answer.exit_code is None and not dump.ends:
        # Saved by hand: nobody says that it is whole.
        return replace(answer, state=AnswerState.UNREADABLE, detail=detail("no_end")), dump
    return answer, dump
