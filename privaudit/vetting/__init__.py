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
from privaudit.apk.parts import ApkError
from privaudit.errors import KnowledgeError
from privaudit.knowledge import Knowledge, loader, releases
from privaudit.knowledge import sdks as sdk_list
from privaudit.knowledge.schema import Rule
from privaudit.knowledge.sdks import Sdk
from privaudit.model import Message, Severity, Tool, Verdict
from privaudit.vetting import bundle, evaluate
from privaudit.vetting.bundle import AppBundle
from privaudit.vetting.document import FileInfo, Gap, VettingKnowledgeInfo, VettingReport
from privaudit.vetting.local_file import open_local_file


@dataclass(frozen=True, slots=True, kw_only=True)
class VettingContext:
    """All that a file is held against. Read once; it is sent to every process that vets."""

    knowledge: Knowledge
    sdks: tuple[Sdk, ...]
    rules: tuple[Rule, ...]
    """Those of the chosen country and of every store that are in force."""
    knowledge_info: VettingKnowledgeInfo
    """What a document says of all this."""
    class_prefixes: tuple[str, ...] = field(repr=False)
    """Of class names of `sdks`."""


def load_vetting_context(
    *, extra: Sequence[Path] = (), country: str | None = None, valid_on: date | None = None
) -> VettingContext:
    """Read the lists in force, the user's own, the rules, and the code of other makers that is known.

    Args:
        extra: files or folders of the user.
        country: whose rules are told beside those of stores.
        valid_on: on which these must be in force; else today (UTC).

    Raises:
        KnowledgeError: they are not there, or hold mistakes.
    """
    lists = knowledge.load_knowledge(extra_lists=extra, country=country)
    mistakes = loader.Problems()
    sdks = sdk_list.read_sdks(releases.active_folder(), mistakes)
    if mistakes:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(mistakes))
    prefixes = dict.fromkeys(prefix for sdk in sdks for prefix in sdk.classes)
    valid_on = valid_on or datetime.now(UTC).date()
    basis = VettingKnowledgeInfo(
        signatures=lists.describe_lists(country), rules=lists.rules.describe_rules(country, valid_on), sdks=len(sdks)
    )
    rules = lists.rules.for_any_store(country, valid_on)
    return VettingContext(knowledge=lists, sdks=sdks, rules=rules, knowledge_info=basis, class_prefixes=tuple(prefixes))


def vet(path: Path, context: VettingContext, *, display_path: str | None = None) -> VettingReport:
    """The document on one file. Whatever is wrong with the file is said in it; nothing is raised.

    Args:
        path: an APK, or an XAPK, APKS or APKM bundle.
        context: what it is held against.
        display_path: the path as the document gives it; else `path`.
    """
    name = display_path if display_path is not None else str(path)
    stamp = FileInfo(path=name, kind="unknown", size=None, modified_ns=None, sha256=None)
    try:
        with open_local_file(path) as file:
            size, modified = file.contents.size, file.modified_ns
            stamp = FileInfo(path=name, kind="unknown", size=size, modified_ns=modified, sha256=None)
            sha256 = file.contents.sha256()
            stamp = FileInfo(path=name, kind="unknown", size=size, modified_ns=modified, sha256=sha256)
            with bundle.open_bundle(file.contents, path.name) as taken:
                own = sha256 if taken.base.file is file.contents else bundle.hash_apk(taken.base)
                vetting = vet_parts(taken, context, stamp, own)
            file.ensure_unchanged()
            return vetting
    except ApkError as error:
        return failed_document(stamp, context, error.message)


def vet_parts(
    app_bundle: AppBundle, context: VettingContext, file_info: FileInfo, apk_sha256: str | None
) -> VettingReport:
    """The document on the pieces of an app, wherever they come from.

    Raises:
        ApkError: its base cannot be read.
    """
    read = evaluate.read_app_bundle(app_bundle, context.class_prefixes)
    app = evaluate.evaluate_app(read, apk_sha256, context.knowledge, context.sdks, context.rules)
    found = tuple(evaluate.evaluate_findings(app))
    gaps = (*read.gaps, *evaluate.metadata_gaps(read))
    base = app_bundle.base.name or None
    return VettingReport(
        tool=Tool(name="privaudit", version=__version__),
        knowledge=context.knowledge_info,
        file=FileInfo(
            path=file_info.path,
            kind=app_bundle.kind,
            size=file_info.size,
            modified_ns=file_info.modified_ns,
            sha256=file_info.sha256,
            base=base,
            splits=len(app_bundle.splits),
        ),
        app=app,
        findings=found,
        gaps=gaps,
        others=tuple(app_bundle.other_packages),
        verdict=Verdict.FOUND if any(one.severity is not Severity.INFO for one in found) else Verdict.NOTHING_FOUND,
        complete=not gaps,
    )


def failed_document(file_info: FileInfo, context: VettingContext, reason: Message) -> VettingReport:
    """The document on a file of which nothing could be read."""
    return VettingReport(
        tool=Tool(name="privaudit", version=__version__),
        knowledge=context.knowledge_info,
        file=file_info,
        app=None,
        gaps=(Gap(part="file", why=reason),),
    )
