"""``privaudit signatures import``, ``export``, ``update``, ``draft``: other formats, newer lists, new rows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit.apk.signing import WELL_KNOWN_TEST_CERTIFICATES
from privaudit.cli import options
from privaudit.cli.console import open_console
from privaudit.cli.options import argument, help_text, option
from privaudit.cli.signatures import (
    AppCountryOption,
    IncludeLendersOption,
    PublisherOption,
    SearchWordsArgument,
    coverage_notes,
    load_entries,
    signatures_app,
)
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, KnowledgeError, UsageError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text

if TYPE_CHECKING:
    from privaudit.knowledge.export import ImportedList
    from privaudit.vetting.document import VettedApp

_MAX_IMPORT_BYTES: Final = 64 * 1024 * 1024
_PACKAGE_NAME_RE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+\Z", re.ASCII)
_MAX_NAMES: Final = 20
"""Names in a drafted row: a bundle may have a label for each of a hundred languages."""


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
        console.print_message("signatures.use", path=str(output))
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
        names=tuple(dict.fromkeys(sanitized_names))[:_MAX_NAMES],
        sha256=(app.apk_sha256,) if app.apk_sha256 is not None else (),
        certificates=certificates,
    )
    return "".join(f"# {comment}\n" for comment in comments) + row_to_toml(row)
