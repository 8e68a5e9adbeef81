"""Vet an app before it is installed: from the path of a file to the document ``privaudit-apk/1``.

`vet` is a pure function of the file and a `VettingContext`: no clock, no network, no state but the process of the
second reader. That is why `privaudit.vetting.batch` can run it on every core, or on several computers, with the same
result.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from privaudit import __version__, knowledge
from privaudit.apk.parts import ApkError
from privaudit.errors import KnowledgeError
from privaudit.knowledge import Knowledge, loader, releases
from privaudit.knowledge.schema import Rule, Sdk
from privaudit.model import Message, Severity, Tool, Verdict
from privaudit.vetting import bundle, evaluate, second_reader
from privaudit.vetting.bundle import AppBundle, FileRange
from privaudit.vetting.document import FileInfo, Gap, VettingKnowledgeInfo, VettingReport


@dataclass(frozen=True, slots=True, kw_only=True)
class VettingContext:
    """Everything that a file is checked against. Loaded once, and sent to every process that vets."""

    knowledge: Knowledge
    sdks: tuple[Sdk, ...]
    rules: tuple[Rule, ...]
    """Rules of the chosen country and of all app stores that are in force."""
    knowledge_info: VettingKnowledgeInfo
    """What a document states about the lists, the rules and the SDKs above."""
    class_prefixes: tuple[str, ...] = field(repr=False)
    """Prefixes of the class names of `sdks`."""


def load_vetting_context(
    *, extra: Sequence[Path] = (), country: str | None = None, valid_on: date | None = None
) -> VettingContext:
    """Load the current lists, the user's own in `extra`, the known SDKs, and the rules of app stores and `country`.

    The rules must be in force on `valid_on`: today (UTC) if ``None``. Raises `KnowledgeError` if the lists are missing
    or contain errors.
    """
    lists = knowledge.load_knowledge(extra_lists=extra, country=country)
    problems = loader.Problems()
    sdks = knowledge.read_sdks(releases.active_folder(), problems)
    if problems:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(problems))
    valid_on = valid_on or datetime.now(UTC).date()
    return VettingContext(
        knowledge=lists,
        sdks=sdks,
        rules=lists.rules.for_any_store(country, valid_on),
        knowledge_info=VettingKnowledgeInfo(
            signatures=lists.describe_lists(country),
            rules=lists.rules.describe_rules(country, valid_on),
            sdks=len(sdks),
        ),
        class_prefixes=tuple(dict.fromkeys(prefix for sdk in sdks for prefix in sdk.classes)),
    )


def vet(path: Path, context: VettingContext) -> VettingReport:
    """Vet an APK, or an XAPK, APKS or APKM bundle. Never raises: whatever is wrong with it stands in the document."""
    file_info = FileInfo(path=str(path), kind="unknown", size=None, modified_ns=None, sha256=None)
    try:
        with bundle.open_local_file(path) as file:
            file_info = replace(file_info, size=file.contents.size, modified_ns=file.modified_ns)
            file_info = replace(file_info, sha256=file.contents.sha256())
            with bundle.open_bundle(file.contents, path.name) as app_bundle:
                base, apk_sha256 = app_bundle.base.file, file_info.sha256
                if isinstance(base, FileRange) and base is not file.contents:
                    apk_sha256 = base.sha256()
                vetting = vet_bundle(app_bundle, context, file_info, apk_sha256, read_again=True)
            file.ensure_unchanged()
            return vetting
    except ApkError as error:
        return failed_document(file_info, context, error.message)


def vet_bundle(
    app_bundle: AppBundle,
    context: VettingContext,
    file_info: FileInfo,
    apk_sha256: str | None,
    *,
    read_again: bool = False,
) -> VettingReport:
    """Vet the APKs of an app, from a file or a phone; raises `ApkError` if the base APK cannot be read.

    `read_again`: read the base APK, all of it, with a second reader too.
    """
    contents = evaluate.read_app_bundle(app_bundle, context.class_prefixes)
    reading = second_reader.read_again(app_bundle.base.file, evaluate.reading(contents)) if read_again else None
    gaps = (*contents.gaps, *map(second_reader.describe_difference, reading.differences if reading else ()))
    app = evaluate.evaluate_app(contents, apk_sha256, context.knowledge, context.sdks, context.rules)
    findings = tuple(evaluate.evaluate_findings(app))
    is_found = any(finding.severity is not Severity.INFO for finding in findings)
    return VettingReport(
        tool=Tool(name="privaudit", version=__version__),
        knowledge=context.knowledge_info,
        file=replace(file_info, kind=app_bundle.kind, base=app_bundle.base.name or None, splits=len(app_bundle.splits)),
        app=app,
        findings=findings,
        gaps=gaps,
        others=tuple(app_bundle.other_packages),
        verdict=Verdict.FOUND if is_found else Verdict.NOTHING_FOUND,
        complete=not gaps,
        second_reading=reading,
    )


def failed_document(file_info: FileInfo, context: VettingContext, reason: Message) -> VettingReport:
    """Return the document for a file that could not be read at all."""
    return VettingReport(
        tool=Tool(name="privaudit", version=__version__),
        knowledge=context.knowledge_info,
        file=file_info,
        app=None,
        gaps=(Gap(part="file", why=reason),),
    )
