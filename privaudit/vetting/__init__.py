"""Should I install this? Vets a file: from its path to a document, and nothing else goes in but what is known.

`vet` is a pure function of the file and `Known`: no clock, no network, no state. That is what lets `privaudit.vetting.batch` run
it on every core, or on many computers, with the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from privaudit import __version__, knowledge
from privaudit.apk.apk_problems import ApkError
from privaudit.errors import KnowledgeError
from privaudit.knowledge import Knowledge, loader, releases
from privaudit.knowledge import sdks as sdk_list
from privaudit.knowledge.rule_file import Rule
from privaudit.knowledge.sdks import Sdk
from privaudit.model import Message, Severity, Tool, Verdict
from privaudit.vetting import bundle, evaluate, reading
from privaudit.vetting.bundle import Pieces
from privaudit.vetting.document import FileStamp, Gap, VetStamp, Vetting
from privaudit.vetting.local_file import opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that a file is held against. Read once; it is sent to every process that vets."""

    knowledge: Knowledge
    sdks: tuple[Sdk, ...]
    rules: tuple[Rule, ...]
    """Those of the chosen country and of every store that are in force."""
    basis: VetStamp
    """What a document says of all this."""
    prefixes: tuple[str, ...] = field(repr=False)
    """Of class names of `sdks`."""


def known(*, extra: Sequence[Path] = (), country: str | None = None, day: date | None = None) -> Known:
    """Read the lists in force, the user's own, the rules, and the code of other makers that is known.

    Args:
        extra: files or folders of the user.
        country: whose rules are told beside those of stores.
        day: on which these must be in force; else today (UTC).

    Raises:
        KnowledgeError: they are not there, or hold mistakes.
    """
    lists = knowledge.load(extra=extra, country=country)
    mistakes = loader.Mistakes()
    sdks = sdk_list.read(releases.in_force(), mistakes)
    if mistakes:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(mistakes))
    prefixes = dict.fromkeys(prefix for sdk in sdks for prefix in sdk.classes)
    day = day or datetime.now(UTC).date()
    basis = VetStamp(signatures=lists.stamp(country), rules=lists.rules.stamp(country, day), sdks=len(sdks))
    rules = lists.rules.of_any_store(country, day)
    return Known(knowledge=lists, sdks=sdks, rules=rules, basis=basis, prefixes=tuple(prefixes))


def vet(path: Path, known: Known, *, shown: str | None = None) -> Vetting:
    """The document on one file. Whatever is wrong with the file is said in it; nothing is raised.

    Args:
        path: an APK, or an XAPK, APKS or APKM bundle.
        known: what it is held against.
        shown: the path as the document gives it; else `path`.
    """
    name = shown if shown is not None else str(path)
    stamp = FileStamp(path=name, kind="unknown", size=None, modified_ns=None, sha256=None)
    try:
        with opened(path) as file:
            size, modified = file.window.size, file.modified_ns
            stamp = FileStamp(path=name, kind="unknown", size=size, modified_ns=modified, sha256=None)
            sha256 = file.window.sha256()
            stamp = FileStamp(path=name, kind="unknown", size=size, modified_ns=modified, sha256=sha256)
            with bundle.taken_apart(file.window, path.name) as taken:
                own = sha256 if taken.base.file is file.window else bundle.sha256(taken.base)
                vetting = told(taken, known, stamp, own)
            file.check()
            return vetting
    except ApkError as error:
        return unread(stamp, known, error.message)


def told(taken: Pieces, known: Known, stamp: FileStamp, apk_sha256: str | None) -> Vetting:
    """The document on the pieces of an app, wherever they come from.

    Raises:
        ApkError: its base cannot be read.
    """
    read = reading.read(taken, known.prefixes)
    app = evaluate.judged(read, apk_sha256, known.knowledge, known.sdks, known.rules)
    found = tuple(evaluate.found(app))
    gaps = (*read.gaps, *reading.unread(read))
    base = taken.base.name or None
    return Vetting(
        tool=Tool(name="privaudit", version=__version__),
        knowledge=known.basis,
        file=FileStamp(
            path=stamp.path,
            kind=taken.kind,
            size=stamp.size,
            modified_ns=stamp.modified_ns,
            sha256=stamp.sha256,
            base=base,
            splits=len(taken.splits),
        ),
        app=app,
        findings=found,
        gaps=gaps,
        others=tuple(taken.others),
        verdict=Verdict.FOUND if any(one.severity is not Severity.INFO for one in found) else Verdict.NOTHING_FOUND,
        complete=not gaps,
    )


def unread(stamp: FileStamp, known: Known, why: Message) -> Vetting:
    """The document on a file of which nothing could be read."""
    return Vetting(
        tool=Tool(name="privaudit", version=__version__),
        knowledge=known.basis,
        file=stamp,
        app=None,
        gaps=(Gap(part="file", why=why),),
    )
