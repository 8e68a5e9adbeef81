"""``privaudit signatures import|export|update``: lists in other formats, and newer ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit.cli import apk
from privaudit.cli.console import Talk
from privaudit.cli.options import Country, Lang, Lists, Plain
from privaudit.cli.signatures import InCountry, Lenders, Publisher, Words, app, country_code, found, told, worth
from privaudit.errors import KnowledgeError, UsageError

if TYPE_CHECKING:
    from privaudit.knowledge.imported import Imported

_MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a file to be imported."""


def register(top: typer.Typer) -> None:
    """Add the commands about lists to the command line: these, those of `signatures`, and `vetting.draft`."""
    app.command(help=apk.apk_text("apkcli.draft"))(apk.draft)
    top.add_typer(app)


@app.command("import", help=told("signatures.import"))
def import_(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help=told("signatures.file"))] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help=told("signatures.list_to"))
    ] = None,
    publisher: Annotated[
        str, typer.Option("--publisher", metavar="NAME", help=told("signatures.list_publisher"))
    ] = "own list",
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help=told("signatures.list_title"))] = None,
    template: Annotated[bool, typer.Option("--template", help=told("signatures.template"))] = False,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Make a list of another format."""
    from privaudit.knowledge import csv_format, stix
    from privaudit.knowledge import export as writing
    from privaudit.knowledge.loader import Mistakes

    talk = Talk(lang, plain=plain)
    with talk.errors():
        if template:
            talk.out(csv_format.template(chinese=talk.language.code == "zh"))
            return
        if file is None or output is None:
            raise UsageError("errors.import_nothing")
        mistakes = Mistakes()
        defaults = {"publisher": publisher, "title": title or file.stem}
        data, passed = writing.read(file, _MOST_BYTES), 0
        lists: tuple[Imported, ...]
        if file.suffix.lower() in {".stix2", ".json", ".stix"}:
            lists, passed = stix.read(data, file.name, mistakes, defaults)
        elif file.suffix.lower() in {".csv", ".txt", ".tsv"}:
            lists = csv_format.read(data, file.name, mistakes, defaults)
        else:
            raise UsageError("errors.import_unknown", given=file.name)
        if mistakes:
            raise KnowledgeError("errors.import_mistakes", tuple(mistakes), path=str(file))
        for path, one in writing.imported(lists, output, file):
            talk.say("signatures.imported", path=str(path), n=len(one.rows))
        talk.say("signatures.use", path=str(output))
        if passed:
            talk.say("signatures.passed", n=passed)


@app.command(help=told("signatures.export"))
def export(
    words: Words = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help=told("signatures.export_to"))],
    country: InCountry = None,
    publisher: Publisher = None,
    lenders: Lenders = False,
    signatures: Lists = None,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Write the lists in another format."""
    from privaudit.knowledge import csv_format, records, releases, stix
    from privaudit.knowledge import export as writing
    from privaudit.knowledge import update as bundle

    talk = Talk(lang, plain=plain)
    with talk.errors():
        suffix = output.suffix.lower()
        if suffix not in writing.FORMATS:
            raise UsageError("errors.export_unknown", given=output.name, known=writing.FORMATS)
        if suffix == ".zip":
            writing.write(output, bundle.pack(releases.in_force()))
            talk.say("signatures.packed", path=str(output))
            return
        known, apps = found(words, country, publisher, signatures, lenders=lenders)
        if suffix == ".csv":
            text = csv_format.render(apps)
        elif suffix == ".json":
            text = records.render(apps, known.stamp())
        else:
            apps = stix.writable(apps)
            text = stix.render(apps, releases.day())
        writing.write(output, text.encode())
        talk.say("signatures.exported", path=str(output), n=len(apps))
        talk.out("".join(f"{line}\n" for line in worth(talk, known)))


@app.command(help=told("signatures.update"))
def update(
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help=told("signatures.source"))],
    *,
    key: Annotated[list[str] | None, typer.Option("--key", metavar="KEY", help=told("signatures.key"))] = None,
    country: Country = None,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Take in newer lists."""
    from privaudit import knowledge
    from privaudit.knowledge import fetch
    from privaudit.knowledge import update as bundle

    talk = Talk(lang, plain=plain)
    with talk.errors():
        chosen = country_code(country)
        believed = bundle.keys(key or ())
        talk.say("signatures.network" if fetch.is_address(source) else "signatures.no_network", path=source)
        taken = bundle.update(source, believed)
        talk.say("signatures.updated", number=taken.number, released_on=taken.released, comment=taken.comment or "-")
        talk.out("".join(f"{line}\n" for line in worth(talk, knowledge.load(country=chosen))))
