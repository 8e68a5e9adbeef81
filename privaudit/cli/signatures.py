"""``privaudit signatures``: the commands about lists. Nothing heavier than typer is imported before one needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from privaudit.cli.console import CliConsole
from privaudit.cli.options import (
    HELP_TRANSLATOR,
    CountryOption,
    LanguageOption,
    PlainOption,
    SignaturesOption,
    create_command_group,
    parse_country,
)
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.knowledge import Knowledge
from privaudit.knowledge.sdks import Sdk
from privaudit.knowledge.signatures import RowRef, SignatureEntry
from privaudit.model import Message

_MAX_TEXT_CHARS = 200
"""Characters of a name, a title or a note in one line. Lists are written by strangers too."""


def format_entry_line(entry: SignatureEntry) -> str:
    """An app on one line: what it is called, where it is offered, who names it."""
    lists = " ".join(dict.fromkeys(part.id for part, _ in entry.row_refs))
    names = [sanitize_text(name, 60) for name in entry.names if name != entry.title]
    parts = (sanitize_text(entry.title, _MAX_TEXT_CHARS), ", ".join(names), " ".join(entry.countries), f"[{lists}]")
    return "  ".join(part for part in parts if part)


def format_entry(language: Translator, knowledge: Knowledge, entry: SignatureEntry) -> Iterator[str]:
    """An app with everything that each list says of it."""

    def say(key: str, /, **values: str | int | Message | tuple[str, ...]) -> str:
        return language.t(key, **values)

    yield sanitize_text(entry.title, _MAX_TEXT_CHARS)
    if entry.names:
        yield "  " + say("signatures.names", names=entry.names)
    if not any(row.match_keys for row in entry.rows):
        yield "  " + say("signatures.name_only")
    if entry.countries:
        yield "  " + say("signatures.countries", countries=entry.countries)
    if entry.hashes:
        yield "  " + say("signatures.digests", digests=entry.hashes)
    for place in entry.row_refs:
        yield ""
        lines = [*_format_source(language, knowledge, place)]
        yield f"  · {lines[0]}"
        yield from (f"    {one}" for one in lines[1:])


def _format_source(language: Translator, knowledge: Knowledge, row_ref: RowRef) -> Iterator[str]:
    part, number = row_ref
    row, source = part.rows[number - 1], part.source

    def say(key: str, /, **values: str | Message | tuple[str, ...]) -> str:
        return language.t(key, **values)

    head: dict[str, str | Message | tuple[str, ...]] = {
        "publisher": source.publisher,
        "title": source.title,
        "dated_on": source.date or Message(key="signatures.undated"),
    }
    if part.kind == "lenders":
        status = Message(key=f"signatures.status_{row.status or source.status or 'market_lender'}")
        yield say("signatures.by_lender", **head, status=status)
        yield say("signatures.tier_lender")
    else:
        yield say("signatures.by_list", **head, action=source.action or "listed")
        yield say(f"signatures.tier_{'own' if part.is_user_list else (source.tier or 'own').lower()}")
    if row.confidence or source.confidence:
        yield say("signatures.low")
    if row.disputed:
        yield say("signatures.disputed")
    if row.developer:
        yield say("signatures.developer", name=row.developer)
    if row.harms:
        meanings = knowledge.vocabulary.harm
        known = (meanings.get(harm, {}) for harm in row.harms)
        worded = tuple(one.get(language.code) or one.get("en", "") for one in known)
        yield say("signatures.harms", harms=tuple(word or harm for word, harm in zip(worded, row.harms, strict=True)))
    for name, value in (("via", source.via), ("url", source.url), ("licence", source.licence), ("note", row.note)):
        if value:
            yield f"{say(name, **{name: ''})}{sanitize_text(value, _MAX_TEXT_CHARS * 2)}"
    yield say("signatures.row", signature=f"{part.id}#{number}")


def format_sdk(language: Translator, sdk: Sdk) -> Iterator[str]:
    """Code of another maker, and what it is known for."""
    name = " · ".join(dict.fromkeys((sdk.vendor, *sdk.names)))
    yield language.t("signatures.sdk", name=name)
    for key, values in (
        ("sdk_classes", (*sdk.classes, *sdk.libraries, *sdk.components)),
        ("sdk_collects", sdk.collects),
    ):
        if values:
            yield "  " + language.t(f"signatures.{key}", names=values)
    yield "  " + language.t(f"signatures.sdk_{'lending' if sdk.lending_specific else 'ordinary'}")
    if sdk.note:
        yield "  " + language.t("signatures.note", note=sdk.note)


def search_sdks(sdks: Iterable[Sdk], words: Iterable[str]) -> tuple[Sdk, ...]:
    """The ones that have all `words` in a name or a class."""
    wanted = [word.casefold() for word in words]
    return tuple(
        one
        for one in sdks
        if all(
            any(word in text.casefold() for text in (one.vendor, *one.names, *one.classes, *one.libraries))
            for word in wanted
        )
    )


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
            from privaudit.knowledge import export

            talk.write_stdout(export.entries_to_json(apps, known.describe_lists()))
            return

        lines = [format_entry_line(entry) for entry in apps] or [talk.language.t("signatures.nothing")]
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
    from privaudit.knowledge import loader, releases, sdks

    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        known, apps = load_entries(words, country, publisher, signatures, include_lenders=True)
        exact = tuple(entry for entry in apps if len(words) == 1 and words[0] in {entry.package, *entry.hashes})
        apps = exact or apps
        code = () if exact else search_sdks(sdks.read_sdks(releases.active_folder(), loader.Problems()), words)
        lines: list[str] = []
        for entry in apps[:_MAX_SHOWN_APPS]:
            lines += [*format_entry(talk.language, known, entry), ""]
        for one in code:
            lines += [*format_sdk(talk.language, one), ""]
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
    from privaudit.knowledge.signatures import group_entries, search_entries

    chosen = parse_country(country)
    known = knowledge.load_knowledge(extra_lists=signatures or (), country=chosen)
    kept = (part for part in known.lists if include_lenders or part.kind == "risky")
    return known, search_entries(group_entries(kept), words or (), country=chosen, publisher=publisher)


def coverage_notes(console: CliConsole, knowledge: Knowledge) -> list[str]:
    """How much the lists hold and how old they are: stands wherever they are mentioned."""
    from privaudit.report import gaps

    return [
        *gaps.list_coverage_sentences(
            console.language, knowledge.describe_lists(), knowledge.country, datetime.now(UTC).date()
        )
    ]
