"""``privaudit signatures import|export|update``: lists in other formats, and newer ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit.apk.signing import WELL_KNOWN_TEST_CERTIFICATES
from privaudit.cli import apk
from privaudit.cli.console import CliConsole
from privaudit.cli.options import CountryOption, LanguageOption, PlainOption, SignaturesOption, parse_country
from privaudit.cli.signatures import (
    AppCountryOption,
    IncludeLendersOption,
    PublisherOption,
    SearchWordsArgument,
    coverage_notes,
    load_entries,
    signatures_app,
    signatures_help_text,
)
from privaudit.errors import KnowledgeError, UsageError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.knowledge import export as toml_text
from privaudit.knowledge.schema import SignatureRow
from privaudit.vetting.document import VettedApp

if TYPE_CHECKING:
    from privaudit.knowledge.export import ImportedList


_PACKAGE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+\Z", re.ASCII)
_MAX_NAMES: Final = 20


def draft_header(language: Translator) -> str:
    """What to do with the rows, as comments."""
    return "".join(f"# {language.t(f'apkcli.{name}')}\n" for name in ("draft_head", "draft_head_2"))


def draft_row(app: VettedApp, source_path: str, language: Translator) -> str:
    """The row of one app. It says what the file says; whether that is worth a row, a source must say."""
    names = (app.label, *app.labels.values(), *app.launcher_labels)
    certificates = tuple(one for one in app.certificates_sha256 if one not in WELL_KNOWN_TEST_CERTIFICATES)
    comments = [language.t("apkcli.draft_from", path=source_path, version=app.version_name or "?")]
    if len(certificates) < len(app.certificates_sha256):
        comments.append(language.t("apkcli.draft_key"))
    made = SignatureRow(
        package=app.package if _PACKAGE_NAME.match(app.package) else None,
        names=tuple(dict.fromkeys(tamed for name in names if name and (tamed := sanitize_text(name))))[:_MAX_NAMES],
        sha256=(app.apk_sha256,) if app.apk_sha256 is not None else (),
        certificates=certificates,
    )
    return "".join(f"# {comment}\n" for comment in comments) + toml_text.row_to_toml(made)


_MAX_IMPORT_BYTES: Final = 64 * 1024 * 1024
"""Of a file to be imported."""


def register(root_app: typer.Typer) -> None:
    """Add the commands about lists to the command line: these, those of `signatures`, and `vetting.draft`."""
    signatures_app.command(help=apk.apk_help_text("apkcli.draft"))(apk.draft)
    root_app.add_typer(signatures_app)


@signatures_app.command("import", help=signatures_help_text("signatures.import"))
def import_signatures(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help=signatures_help_text("signatures.file"))] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help=signatures_help_text("signatures.list_to"))
    ] = None,
    publisher: Annotated[
        str, typer.Option("--publisher", metavar="NAME", help=signatures_help_text("signatures.list_publisher"))
    ] = "own list",
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help=signatures_help_text("signatures.list_title"))
    ] = None,
    template: Annotated[bool, typer.Option("--template", help=signatures_help_text("signatures.template"))] = False,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Make a list of another format."""
    from privaudit.knowledge import csv_format, stix
    from privaudit.knowledge import export as writing
    from privaudit.knowledge.loader import Problems, read_limited

    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        if template:
            talk.write_stdout(csv_format.csv_template(chinese=talk.language.code == "zh"))
            return
        if file is None or output is None:
            raise UsageError("errors.import_nothing")
        mistakes = Problems()
        defaults = {"publisher": publisher, "title": title or file.stem}
        data, passed = read_limited(file, _MAX_IMPORT_BYTES), 0
        lists: tuple[ImportedList, ...]
        if file.suffix.lower() in {".stix2", ".json", ".stix"}:
            lists, passed = stix.parse_stix(data, file.name, mistakes, defaults)
        elif file.suffix.lower() in {".csv", ".txt", ".tsv"}:
            lists = csv_format.parse_csv(data, file.name, mistakes, defaults)
        else:
            raise UsageError("errors.import_unknown", given=file.name)
        if mistakes:
            raise KnowledgeError("errors.import_mistakes", tuple(mistakes), path=str(file))
        for path, one in writing.write_imported_lists(lists, output, file):
            talk.print_message("signatures.imported", path=str(path), n=len(one.rows))
        talk.print_message("signatures.use", path=str(output))
        if passed:
            talk.print_message("signatures.passed", n=passed)


@signatures_app.command(help=signatures_help_text("signatures.export"))
def export(
    words: SearchWordsArgument = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help=signatures_help_text("signatures.export_to"))
    ],
    country: AppCountryOption = None,
    publisher: PublisherOption = None,
    lenders: IncludeLendersOption = False,
    signatures: SignaturesOption = None,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Write the lists in another format."""
    from privaudit.knowledge import csv_format, releases, stix
    from privaudit.knowledge import export as records
    from privaudit.knowledge import export as writing
    from privaudit.knowledge import update as bundle

    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        suffix = output.suffix.lower()
        if suffix not in writing.EXPORT_SUFFIXES:
            raise UsageError("errors.export_unknown", given=output.name, known=writing.EXPORT_SUFFIXES)
        if suffix == ".zip":
            writing.write_file(output, bundle.pack_release(releases.active_folder()))
            talk.print_message("signatures.packed", path=str(output))
            return
        known, apps = load_entries(words, country, publisher, signatures, include_lenders=lenders)
        if suffix == ".csv":
            text = csv_format.entries_to_csv(apps)
        elif suffix == ".json":
            text = records.entries_to_json(apps, known.describe_lists())
        else:
            apps = stix.exportable_entries(apps)
            text = stix.entries_to_stix(apps, releases.active_release_date())
        writing.write_file(output, text.encode())
        talk.print_message("signatures.exported", path=str(output), n=len(apps))
        talk.write_stdout("".join(f"{line}\n" for line in coverage_notes(talk, known)))


@signatures_app.command(help=signatures_help_text("signatures.update"))
def update(
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help=signatures_help_text("signatures.source"))],
    *,
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="KEY", help=signatures_help_text("signatures.key"))
    ] = None,
    country: CountryOption = None,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Take in newer lists."""
    from privaudit import knowledge
    from privaudit.knowledge import update as signature_update

    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        chosen = parse_country(country)
        believed = signature_update.load_public_keys(key or ())
        talk.print_message(
            "signatures.network" if signature_update.is_url(source) else "signatures.no_network", path=source
        )
        taken = signature_update.install_update(source, believed)
        talk.print_message(
            "signatures.updated", number=taken.number, released_on=taken.released, comment=taken.comment or "-"
        )
        talk.write_stdout(
            "".join(f"{line}\n" for line in coverage_notes(talk, knowledge.load_knowledge(country=chosen)))
        )
