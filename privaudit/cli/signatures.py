"""``privaudit signatures``: the commands about lists. Nothing heavier than typer is imported before one needs it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit.cli.console import CliConsole
from privaudit.cli.options import (
    HELP_TRANSLATOR,
    CountryOption,
    LanguageOption,
    PlainOption,
    SignaturesOption,
    create_command_group,
)
from privaudit.errors import UsageError

if TYPE_CHECKING:
    from privaudit.knowledge import Knowledge
    from privaudit.knowledge.entries import SignatureEntry

_MAX_SHOWN_APPS: Final = 20
"""Apps that `show` prints in full."""


def signatures_help_text(key: str) -> str:
    """What the help says of these commands and their options."""
    return HELP_TRANSLATOR.t(key)


signatures_app = create_command_group("signatures", signatures_help_text("signatures.app"))

SearchWordsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[WORD]...", help=signatures_help_text("signatures.words"))
]
AppCountryOption = Annotated[
    str | None, typer.Option("--country", metavar="CC", help=signatures_help_text("signatures.in_country"))
]
PublisherOption = Annotated[
    str | None, typer.Option("--publisher", metavar="WORD", help=signatures_help_text("signatures.publisher"))
]
IncludeLendersOption = Annotated[bool, typer.Option("--lenders", help=signatures_help_text("signatures.kinds"))]
SignaturesJsonOption = Annotated[bool, typer.Option("--json", help=signatures_help_text("signatures.json"))]


@signatures_app.command("list", help=signatures_help_text("signatures.list"))
def list_signatures(
    words: SearchWordsArgument = None,
    *,
    country: AppCountryOption = None,
    publisher: PublisherOption = None,
    lenders: IncludeLendersOption = False,
    signatures: SignaturesOption = None,
    as_json: SignaturesJsonOption = False,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """List what the lists hold."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        known, apps = load_entries(words, country, publisher, signatures, include_lenders=lenders)
        if as_json:
            from privaudit.knowledge import records

            talk.write_stdout(records.entries_to_json(apps, known.describe_lists()))
            return
        from privaudit.cli import shelf

        lines = [shelf.format_entry_line(entry) for entry in apps] or [talk.language.t("signatures.nothing")]
        if apps:
            lines += ["", talk.language.t("signatures.counted", n=len(apps))]
        talk.write_stdout("".join(f"{line}\n" for line in [*lines, *coverage_notes(talk, known)]))


@signatures_app.command(help=signatures_help_text("signatures.show"))
def show(
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help=signatures_help_text("signatures.words"))],
    *,
    country: AppCountryOption = None,
    publisher: PublisherOption = None,
    signatures: SignaturesOption = None,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Show apps with all their sources."""
    from privaudit.cli import shelf
    from privaudit.knowledge import loader, releases, sdks

    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        known, apps = load_entries(words, country, publisher, signatures, include_lenders=True)
        exact = tuple(entry for entry in apps if len(words) == 1 and words[0] in {entry.package, *entry.hashes})
        apps = exact or apps
        code = () if exact else shelf.search_sdks(sdks.read_sdks(releases.active_folder(), loader.Problems()), words)
        lines: list[str] = []
        for entry in apps[:_MAX_SHOWN_APPS]:
            lines += [*shelf.format_entry(talk.language, known, entry), ""]
        for one in code:
            lines += [*shelf.format_sdk(talk.language, one), ""]
        if len(apps) > _MAX_SHOWN_APPS:
            lines.append(talk.language.t("signatures.shown_some", shown=_MAX_SHOWN_APPS, n=len(apps)))
        if not lines:
            lines = [talk.language.t("signatures.nothing"), ""]
        talk.write_stdout("".join(f"{line}\n" for line in [*lines, *coverage_notes(talk, known)]))


@signatures_app.command(help=signatures_help_text("signatures.check"))
def check(
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help=signatures_help_text("signatures.path"))] = None,
    *,
    country: CountryOption = None,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Look for mistakes."""
    from privaudit import knowledge
    from privaudit.knowledge import lint

    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        chosen = parse_country(country)
        checked = lint.lint_signatures(path)
        talk.exit_on_problems(checked.problems)
        files, rows = len(checked.lists), sum(len(part.rows) for part in checked.lists)
        lines = [talk.language.t("signatures.checked", files=files, rows=rows)]
        talk.write_stdout(
            "".join(f"{line}\n" for line in [*lines, *coverage_notes(talk, knowledge.load_knowledge(country=chosen))])
        )


def parse_country(value: str | None) -> str | None:
    """A country's two letters in capitals.

    Raises:
        UsageError: these are none.
    """
    code = value.upper() if value else None
    if code is not None and not (len(code) == 2 and code.isascii() and code.isalpha()):  # noqa: PLR2004 - ISO 3166
        raise UsageError("errors.country_unknown", given=code)
    return code


def load_entries(
    words: list[str] | None,
    country: str | None,
    publisher: str | None,
    signatures: list[Path] | None,
    *,
    include_lenders: bool,
) -> tuple[Knowledge, tuple[SignatureEntry, ...]]:
    """What is known, and the apps in it that were asked for."""
    from privaudit import knowledge
    from privaudit.knowledge.entries import group_entries, search_entries

    chosen = parse_country(country)
    known = knowledge.load_knowledge(extra_lists=signatures or (), country=chosen)
    kept = (part for part in known.lists if include_lenders or part.kind == "risky")
    return known, search_entries(group_entries(kept), words or (), country=chosen, publisher=publisher)


def coverage_notes(console: CliConsole, knowledge: Knowledge) -> list[str]:
    """How much the lists hold and how old they are: stands wherever they are mentioned."""
    from privaudit.report import lists

    return [
        *lists.list_coverage_sentences(
            console.language, knowledge.describe_lists(), knowledge.country, datetime.now(UTC).date()
        )
    ]
