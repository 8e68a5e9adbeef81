"""``privaudit signatures``: show and check the lists, convert other formats, install newer lists, draft new rows.

Longer than most: each command is another view of the same rows, or another way to get or give them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit.apk.signing import WELL_KNOWN_TEST_CERTIFICATES
from privaudit.cli import options
from privaudit.cli.console import CliConsole, open_console
from privaudit.cli.options import argument, help_text, option
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, KnowledgeError, UsageError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Message, MessageValue

if TYPE_CHECKING:
    from privaudit.knowledge import Knowledge
    from privaudit.knowledge.export import ImportedList, ListSummaryRow
    from privaudit.knowledge.schema import Sdk
    from privaudit.knowledge.signatures import RowRef, SignatureEntry
    from privaudit.vetting.document import VettedApp

_MAX_NAME_CHARS: Final = 60
_MAX_TEXT_CHARS: Final = 200
"""Characters of a title or a note on one line. Lists of unknown origin are hostile text, too."""
_MAX_SOURCE_CHARS: Final = 400
"""Characters of an address or a note of a source."""
_MAX_SHOWN_APPS: Final = 20
_MAX_IMPORT_BYTES: Final = 64 * 1024 * 1024
_PACKAGE_NAME_RE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+\Z", re.ASCII)
_MAX_DRAFTED_NAMES: Final = 20
"""Names in a drafted row: a bundle may have a label for each of a hundred languages."""
_SUMMARY_HEADING_KEYS: Final = (
    "signatures.summary_country",
    "signatures.summary_tier",
    "signatures.summary_packages",
    "signatures.summary_names",
    "signatures.summary_newest",
    "signatures.summary_publisher",
)
"""The columns of ``privaudit signatures list --summary``."""

_STATUS_KEYS: Final[Mapping[str, str]] = {
    "licensed": "signatures.status_licensed",
    "registered": "signatures.status_registered",
    "paired": "signatures.status_paired",
    "market_lender": "signatures.status_market_lender",
    "embeds_lending": "signatures.status_embeds_lending",
}
"""By the status of a row in a list of lenders."""
_TIER_KEYS: Final[Mapping[str, str]] = {
    "A": "signatures.tier_a",
    "B": "signatures.tier_b",
    "N": "signatures.tier_n",
    "own": "signatures.tier_own",
}
"""By the tier of a list; the user's own lists are of tier "own", whatever they say."""

signatures_app = options.create_command_group("signatures", help_text("signatures.app"))

SearchWordsArgument = Annotated[list[str] | None, argument("signatures.words", "[WORD]...")]
AppCountryOption = Annotated[str | None, option("signatures.in_country", "--country", metavar="CC")]
PublisherOption = Annotated[str | None, option("signatures.publisher", "--publisher", metavar="WORD")]
IncludeLendersOption = Annotated[bool, option("signatures.kinds", "--lenders")]


@signatures_app.command("list", help=help_text("signatures.list"))
def list_signatures(  # noqa: PLR0913 - one parameter per option
    words: SearchWordsArgument = None,
    *,
    country: AppCountryOption = None,
    publisher: PublisherOption = None,
    lenders: IncludeLendersOption = False,
    summary: Annotated[bool, option("signatures.summary", "--summary")] = False,
    signatures: options.SignaturesOption = None,
    as_json: Annotated[bool, option("signatures.json", "--json")] = False,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """List the apps of the lists."""
    with open_console(lang, plain=plain) as console:
        knowledge, entries = load_entries(words, country, publisher, signatures, include_lenders=lenders)
        if summary:
            _print_summary(console, knowledge, entries, words=words or (), publisher=publisher, as_json=as_json)
            return
        if as_json:
            from privaudit.knowledge import export

            console.write_json(export.entries_to_json(entries, knowledge.describe_lists()))
            return
        if entries:
            lines = [*map(format_entry_line, entries), "", console.language.t("signatures.counted", n=len(entries))]
        else:
            lines = [console.language.t("signatures.nothing")]
        console.write_lines([*lines, *coverage_notes(console, knowledge)])


@signatures_app.command(help=help_text("signatures.show"))
def show(
    words: Annotated[list[str], argument("signatures.words", "WORD...")],
    *,
    country: AppCountryOption = None,
    publisher: PublisherOption = None,
    signatures: options.SignaturesOption = None,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Show apps with all their sources, and SDKs."""
    from privaudit.knowledge import loader, read_sdks, releases

    with open_console(lang, plain=plain) as console:
        language = console.language
        knowledge, entries = load_entries(words, country, publisher, signatures, include_lenders=True)
        exact = tuple(entry for entry in entries if len(words) == 1 and words[0] in {entry.package, *entry.hashes})
        entries = exact or entries
        matching_sdks = () if exact else search_sdks(read_sdks(releases.active_folder(), loader.Problems()), words)
        lines: list[str] = []
        for entry in entries[:_MAX_SHOWN_APPS]:
            lines += [*format_entry(language, knowledge, entry), ""]
        for sdk in matching_sdks:
            lines += [*format_sdk(language, sdk), ""]
        if len(entries) > _MAX_SHOWN_APPS:
            lines.append(language.t("signatures.shown_some", shown=_MAX_SHOWN_APPS, n=len(entries)))
        if not lines:
            lines = [language.t("signatures.nothing"), ""]
        console.write_lines([*lines, *coverage_notes(console, knowledge)])


@signatures_app.command(help=help_text("signatures.check"))
def check(
    path: Annotated[Path | None, argument("signatures.path", "[PATH]")] = None,
    *,
    country: options.CountryOption = None,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Check lists for errors."""
    from privaudit import knowledge
    from privaudit.knowledge import lint

    with open_console(lang, plain=plain) as console:
        country = options.parse_country(country)
        result = lint.lint_signatures(path)
        console.exit_on_problems(result.problems)
        row_count = sum(len(signature_list.rows) for signature_list in result.lists)
        summary = console.language.t("signatures.checked", files=len(result.lists), rows=row_count)
        console.write_lines([summary, *coverage_notes(console, knowledge.load_knowledge(country=country))])


@signatures_app.command("import", help=help_text("signatures.import"))
def import_signatures(
    file: Annotated[Path | None, argument("signatures.file", "FILE")] = None,
    *,
    output: Annotated[Path | None, option("signatures.list_to", "--output", "-o", metavar="PATH")] = None,
    publisher: Annotated[str, option("signatures.list_publisher", "--publisher", metavar="NAME")] = "own list",
    title: Annotated[str | None, option("signatures.list_title", "--title", metavar="TEXT")] = None,
    template: Annotated[bool, option("signatures.template", "--template")] = False,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Convert a list of another format."""
    from privaudit.knowledge import csv_format, export, stix
    from privaudit.knowledge.loader import Problems, read_limited

    with open_console(lang, plain=plain) as console:
        if template:
            console.write_stdout(csv_format.csv_template(chinese=console.language.code == "zh"))
            return
        if file is None or output is None:
            raise UsageError("errors.import_nothing")
        problems = Problems()
        defaults = {"publisher": publisher, "title": title or file.stem}
        data, skipped_count = read_limited(file, _MAX_IMPORT_BYTES), 0
        lists: tuple[ImportedList, ...]
        if file.suffix.lower() in {".stix2", ".json", ".stix"}:
            lists, skipped_count = stix.parse_stix(data, file.name, problems, defaults)
        elif file.suffix.lower() in {".csv", ".txt", ".tsv"}:
            lists = csv_format.parse_csv(data, file.name, problems, defaults)
        else:
            raise UsageError("errors.import_unknown", given=file.name)
        if problems:
            raise KnowledgeError("errors.import_mistakes", tuple(problems), path=str(file))
        for path, imported in export.write_imported_lists(lists, output, file):
            console.print_message("signatures.imported", path=str(path), n=len(imported.rows))
        console.print_message("signatures.use", path=options.command_line(str(output)))
        if skipped_count:
            console.print_message("signatures.passed", n=skipped_count)


@signatures_app.command("export", help=help_text("signatures.export"))
def export_signatures(
    words: SearchWordsArgument = None,
    *,
    output: Annotated[Path, option("signatures.export_to", "--output", "-o", metavar="FILE")],
    country: AppCountryOption = None,
    publisher: PublisherOption = None,
    lenders: IncludeLendersOption = False,
    signatures: options.SignaturesOption = None,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Write the lists in another format."""
    from privaudit.knowledge import csv_format, export, releases, stix, update

    with open_console(lang, plain=plain) as console:
        suffix = output.suffix.lower()
        if suffix not in export.EXPORT_SUFFIXES:
            raise UsageError("errors.export_unknown", given=output.name, known=export.EXPORT_SUFFIXES)
        if suffix == ".zip":
            export.write_file(output, update.pack_release(releases.active_folder()))
            console.print_message("signatures.packed", path=str(output))
            return
        knowledge, entries = load_entries(words, country, publisher, signatures, include_lenders=lenders)
        if suffix == ".csv":
            text = csv_format.entries_to_csv(entries)
        elif suffix == ".json":
            text = export.entries_to_json(entries, knowledge.describe_lists())
        else:
            entries = stix.exportable_entries(entries)
            text = stix.entries_to_stix(entries, releases.active_release_date())
        export.write_file(output, text.encode())
        console.print_message("signatures.exported", path=str(output), n=len(entries))
        console.write_lines(coverage_notes(console, knowledge))


@signatures_app.command("update", help=help_text("signatures.update"))
def update_signatures(
    source: Annotated[str, argument("signatures.source", "FILE|URL")],
    *,
    key: Annotated[list[str] | None, option("signatures.key", "--key", metavar="KEY")] = None,
    country: options.CountryOption = None,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Install a newer release of the lists."""
    from privaudit.knowledge import load_knowledge, update

    with open_console(lang, plain=plain) as console:
        country = options.parse_country(country)
        public_keys = update.load_public_keys(key or ())
        console.print_message("signatures.network" if update.is_url(source) else "signatures.no_network", path=source)
        release = update.install_update(source, public_keys)
        console.print_message(
            "signatures.updated", number=release.number, released_on=release.released, comment=release.comment or "-"
        )
        console.write_lines(coverage_notes(console, load_knowledge(country=country)))


@signatures_app.command(help=help_text("apkcli.draft"))
def draft(
    files: Annotated[list[Path], argument("apkcli.draft_files", "FILE")],
    *,
    output: Annotated[Path | None, option("apkcli.draft_output", "--output", "-o", metavar="FILE")] = None,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Draft rows of a list from APK files."""
    with open_console(lang, plain=plain) as console:
        from privaudit.knowledge import export
        from privaudit.vetting import load_vetting_context, vet

        context = load_vetting_context()
        rows: list[str] = []
        for path in files:
            vetting = vet(path, context)
            if vetting.app is None:
                reason = console.language.translate(vetting.gaps[0].why)
                console.print_message("apkcli.not_drafted", path=str(path), why=reason)
            else:
                rows.append(draft_row(vetting.app, path.name, console.language))
        if rows:
            how_to_complete = (console.language.t("apkcli.draft_head"), console.language.t("apkcli.draft_head_2"))
            text = "\n".join(["".join(f"# {line}\n" for line in how_to_complete), *rows])
            if output is None:
                console.write_stdout(text)
            else:
                export.write_file(output, text.encode())
                console.print_message("cli.saved", path=str(output))
        raise typer.Exit(EXIT_OK if len(rows) == len(files) else EXIT_UNREADABLE)


def load_entries(
    words: list[str] | None,
    country: str | None,
    publisher: str | None,
    signatures: list[Path] | None,
    *,
    include_lenders: bool,
) -> tuple[Knowledge, tuple[SignatureEntry, ...]]:
    """Load the lists with the user's own (`signatures`), and search them for apps.

    An app must have all of `words` (parts of a name, a package name or a hash); `publisher` is part of a publisher's
    name.
    """
    from privaudit.knowledge import load_knowledge
    from privaudit.knowledge.signatures import group_entries, search_entries

    country = options.parse_country(country)
    knowledge = load_knowledge(extra_lists=signatures or (), country=country)
    lists = (signature_list for signature_list in knowledge.lists if include_lenders or signature_list.kind == "risky")
    return knowledge, search_entries(group_entries(lists), words or (), country=country, publisher=publisher)


def search_sdks(sdks: Iterable[Sdk], words: Iterable[str]) -> tuple[Sdk, ...]:
    """Return the SDKs that have every word in the name of their vendor, in a name or in a class."""
    terms = [word.casefold() for word in words]

    def matches(sdk: Sdk) -> bool:
        texts = [text.casefold() for text in (sdk.vendor, *sdk.names, *sdk.classes, *sdk.libraries)]
        return all(any(term in text for text in texts) for term in terms)

    return tuple(filter(matches, sdks))


def _print_summary(
    console: CliConsole,
    knowledge: Knowledge,
    entries: Iterable[SignatureEntry],
    *,
    words: Sequence[str],
    publisher: str | None,
    as_json: bool,
) -> None:
    """Print how much of `entries` the lists hold, by country and publisher. Without a search, zeros are printed too."""
    from privaudit.knowledge import export, rights
    from privaudit.knowledge.signatures import SignatureEntry, search_entries

    country = knowledge.country
    one_row_each = (SignatureEntry(row_refs=(ref,)) for entry in entries for ref in entry.row_refs)
    matching = search_entries(one_row_each, (), country=country, publisher=publisher)
    told = (country,) if country else () if words or publisher else rights.countries_with_rights()
    all_rows = export.summarise_rows((ref for entry in matching for ref in entry.row_refs), told)
    rows = [row for row in all_rows if country in {None, row.country}]
    if as_json:
        console.write_json(export.summary_to_json(rows, knowledge.describe_lists()))
        return
    console.write_lines([*_summary_table(console.language, rows), "", *coverage_notes(console, knowledge)])


def _summary_table(language: Translator, rows: Iterable[ListSummaryRow]) -> Iterator[str]:
    """Yield the lines of the table, its headings first."""
    from rich.cells import cell_len

    from privaudit.report.layout import pad

    headings = tuple(map(language.t, _SUMMARY_HEADING_KEYS))
    table = [headings, *(_summary_cells(language, row) for row in rows)]
    widths = [max(cell_len(cells[column]) for cells in table) for column in range(len(headings) - 1)]
    for cells in table:
        yield "  ".join((*map(pad, cells, widths), cells[-1]))


def _summary_cells(language: Translator, row: ListSummaryRow) -> tuple[str, ...]:
    if row.publisher is None:
        publisher = language.t("signatures.summary_all" if row.packages or row.names else "signatures.summary_none")
    else:
        publisher = sanitize_text(row.publisher, _MAX_TEXT_CHARS)
    tier = "A+B" if row.publisher is None else row.tier or "-"
    return (row.country or "-", tier, str(row.packages), str(row.names), row.newest or "-", publisher)


def coverage_notes(console: CliConsole, knowledge: Knowledge) -> list[str]:
    """Return how much the lists hold and how old they are. Every output about lists ends with it."""
    from privaudit.report import gaps

    today = datetime.now(UTC).date()
    return [*gaps.list_coverage_sentences(console.language, knowledge.describe_lists(), knowledge.country, today)]


def format_entry_line(entry: SignatureEntry) -> str:
    """Return an app on one line: its title, its names, its countries, and the lists that name it."""
    lists = " ".join(dict.fromkeys(signature_list.id for signature_list, _ in entry.row_refs))
    names = [sanitize_text(name, _MAX_NAME_CHARS) for name in entry.names if name != entry.title]
    parts = (sanitize_text(entry.title, _MAX_TEXT_CHARS), ", ".join(names), " ".join(entry.countries), f"[{lists}]")
    return "  ".join(filter(None, parts))


def format_entry(language: Translator, knowledge: Knowledge, entry: SignatureEntry) -> Iterator[str]:
    """Return an app with everything that each list holds about it."""
    yield sanitize_text(entry.title, _MAX_TEXT_CHARS)
    if entry.names:
        yield "  " + language.t("signatures.names", names=entry.names)
    if not any(row.match_keys for row in entry.rows):
        yield "  " + language.t("signatures.name_only")
    if entry.countries:
        yield "  " + language.t("signatures.countries", countries=entry.countries)
    if entry.hashes:
        yield "  " + language.t("signatures.digests", digests=entry.hashes)
    for row_ref in entry.row_refs:
        yield ""
        first, *rest = _format_row(language, knowledge, row_ref)
        yield f"  · {first}"
        yield from (f"    {line}" for line in rest)


def _format_row(language: Translator, knowledge: Knowledge, row_ref: RowRef) -> Iterator[str]:
    """Return what one row of a list says, beginning with the source of the list."""
    from privaudit.report.app_details import MEANS_UNLICENSED

    signature_list, number = row_ref
    row, source = signature_list.rows[number - 1], signature_list.source
    values: dict[str, MessageValue] = {
        "publisher": source.publisher,
        "title": source.title,
        "dated_on": source.date or Message(key="signatures.undated"),
    }
    if signature_list.kind == "lenders":
        status = Message(key=_STATUS_KEYS[row.status or source.status or "market_lender"])
        yield language.t("signatures.by_lender", **values, status=status)
        yield language.t("signatures.tier_lender")
    else:
        yield language.t("signatures.by_list", **values, action=source.action or "listed")
        yield language.t(_TIER_KEYS["own" if signature_list.is_user_list else source.tier or "own"])
        if source.action and source.action.casefold() in MEANS_UNLICENSED:
            yield language.t("listed.no_licence", action=source.action)
    if row.confidence or source.confidence:
        yield language.t("signatures.low")
    if row.disputed:
        yield language.t("signatures.disputed")
    if row.developer:
        yield language.t("signatures.developer", name=row.developer)
    if row.harms:
        meanings = (knowledge.vocabulary.harm.get(harm, {}) for harm in row.harms)
        sentences = (meaning.get(language.code) or meaning.get("en", "") for meaning in meanings)
        harms = tuple(sentence or harm for sentence, harm in zip(sentences, row.harms, strict=True))
        yield language.t("signatures.harms", harms=harms)
    for label, text in (
        (language.t("signatures.via", via=""), source.via),
        (language.t("signatures.url", url=""), source.url),
        (language.t("signatures.licence", licence=""), source.licence),
        (language.t("signatures.note", note=""), row.note),
    ):
        if text:
            yield label + sanitize_text(text, _MAX_SOURCE_CHARS)
    yield language.t("signatures.row", signature=f"{signature_list.id}#{number}")


def format_sdk(language: Translator, sdk: Sdk) -> Iterator[str]:
    """Return an SDK: code of another maker inside apps, and what it is known for."""
    name = " · ".join(dict.fromkeys((sdk.vendor, *sdk.names)))
    yield language.t("signatures.sdk", name=name)
    classes = (*sdk.classes, *sdk.libraries, *sdk.components)
    if classes:
        yield "  " + language.t("signatures.sdk_classes", names=classes)
    if sdk.collects:
        yield "  " + language.t("signatures.sdk_collects", names=sdk.collects)
    yield "  " + language.t("signatures.sdk_lending" if sdk.lending_specific else "signatures.sdk_ordinary")
    if sdk.note:
        yield "  " + language.t("signatures.note", note=sdk.note)


def draft_row(app: VettedApp, file_name: str, language: Translator) -> str:
    """Return the row of one app in TOML. It holds what the file holds; only a source can say why the app is listed."""
    from privaudit.knowledge.export import row_to_toml
    from privaudit.knowledge.schema import SignatureRow

    names = (app.label, *app.labels.values(), *app.launcher_labels)
    sanitized_names = [sanitized for name in names if name and (sanitized := sanitize_text(name))]
    certificates = tuple(sha256 for sha256 in app.certificates_sha256 if sha256 not in WELL_KNOWN_TEST_CERTIFICATES)
    comments = [language.t("apkcli.draft_from", path=file_name, version=app.version_name or "?")]
    if len(certificates) < len(app.certificates_sha256):
        comments.append(language.t("apkcli.draft_key"))
    row = SignatureRow(
        package=app.package if _PACKAGE_NAME_RE.match(app.package) else None,
        names=tuple(dict.fromkeys(sanitized_names))[:_MAX_DRAFTED_NAMES],
        sha256=(app.apk_sha256,) if app.apk_sha256 is not None else (),
        certificates=certificates,
    )
    return "".join(f"# {comment}\n" for comment in comments) + row_to_toml(row)
