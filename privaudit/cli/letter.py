"""``privaudit letter`` and ``rights``: documents for a borrower, to send or to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from privaudit.cli import options
from privaudit.cli.audit import report_on_source
from privaudit.cli.console import CliConsole, open_console
from privaudit.cli.options import argument, option
from privaudit.errors import UsageError

if TYPE_CHECKING:
    from privaudit.documents import Document
    from privaudit.documents.letters import LetterKind
    from privaudit.knowledge.rights import Addressee


def letter(  # noqa: PLR0913 - one parameter per option
    source: Annotated[Path, argument("cli.letter_from", "CAPTURE|REPORT")],
    *,
    app: Annotated[str, option("cli.one_app", "--app", metavar="NAME")],
    kind: Annotated[str, option("cli.kind", "--kind", metavar="KIND")],
    addressee: Annotated[str | None, option("cli.letter_to", "--to", metavar="WHOM")] = None,
    country: Annotated[str | None, option("cli.letter_country", "--country", metavar="CC")] = None,
    letter_lang: Annotated[str | None, option("cli.letter_lang", "--letter-lang", metavar="LANG")] = None,
    output: options.DocumentOutputOption = None,
    yes: Annotated[bool, option("cli.yes_letter", "--yes")] = False,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Draft a letter from a saved check or report. A letter that is sent warns the lender: the user is asked first."""
    with open_console(lang, plain=plain) as console:
        from privaudit import audit
        from privaudit.documents import letters, render
        from privaudit.i18n import Translator
        from privaudit.knowledge import rights

        kinds = tuple(known.value for known in letters.LetterKind)
        if kind not in kinds:
            raise UsageError("errors.kind_unknown", given=kind, known=kinds)
        letter_kind = letters.LetterKind(kind)
        choices = letters.LetterOptions(
            addressee=_parse_addressee(addressee, letter_kind),
            letter_language=Translator(letter_lang).code if letter_lang else None,
            own_language=console.language.code,
        )
        for path in output or ():  # before anything is asked
            render.output_format(path)
        country = options.parse_country(country)
        report, _ = report_on_source(source, audit.ReportOptions(country=country))
        country = country or report.knowledge.rules.country
        if country is None:
            raise UsageError("errors.country_needed", known=rights.countries_with_rights())
        options.validate_app_names([app])
        (package,) = options.resolve_packages(console, [app], report.apps, keep_unknown=True)
        document = letters.draft_letter(report, package, letter_kind, rights.load_rights(country), choices)
        if letter_kind.is_sent and not yes:
            console.print_message("papers.notice")
            if not console.confirm("cli.ask_letter"):
                console.print_message("cli.nothing_written")
                return
        _write_document(console, document, output or [])


def _parse_addressee(value: str | None, kind: LetterKind) -> Addressee:
    """Return the addressee that ``--to`` names. Raises UsageError if it is unknown, or the letter is no demand."""
    from privaudit.documents import letters

    if value is None:
        return letters.ADDRESSEES[0]
    for known in letters.ADDRESSEES:
        if value == known and kind is letters.LetterKind.DELETION:
            return known
    raise UsageError("errors.addressee_unknown", given=value, known=letters.ADDRESSEES)


def show_rights(
    country: Annotated[str | None, argument("cli.rights_of", "[CC]")] = None,
    *,
    friends: Annotated[bool, option("cli.friends", "--friends")] = False,
    output: options.DocumentOutputOption = None,
    lang: options.LanguageOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Show what a borrower, or a contact whom collectors call, can do in a country."""
    with open_console(lang, plain=plain) as console:
        from privaudit.documents import render, rights_page
        from privaudit.knowledge import rights

        for path in output or ():  # before anything is asked
            render.output_format(path)
        borrower_rights = rights.load_rights(options.parse_country(country))
        if country is None:
            console.print_message("cli.rights_choose", known=", ".join(rights.countries_with_rights()))
        create_page = rights_page.page_for_contacts if friends else rights_page.full_rights_page
        _write_document(console, create_page(borrower_rights, console.language), output or [])


def _write_document(console: CliConsole, document: Document, output: list[Path]) -> None:
    """Write `document` to each file, or to standard output where there is none."""
    from privaudit import report
    from privaudit.documents import render

    for path in output:
        report.save_text(render.render_document(document, render.output_format(path)), path)
        console.print_message("cli.saved", path=str(path))
    if not output:
        console.write_stdout(render.render_document(document, "txt"))
