"""What a check of a phone showed of one app, as blocks that several papers hold."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from privaudit.documents import Block, Paragraph, Table
from privaudit.i18n import tame
from privaudit.model import DataClass
from privaudit.report import head, matrix
from privaudit.report.view import Voice

_LONGEST_LINE = 400
"""Characters of a line of the phone, and of a package name (255) with what stands before it."""


def app(voice: Voice, package: str) -> tuple[tuple[str, str | None], ...]:
    """What the app is called; a blank where that was not read."""
    copies = voice.copies(package)
    labels = dict.fromkeys(tame(copy.label) for copy in copies if copy.label)
    versions = dict.fromkeys(tame(copy.version_name) for copy in copies if copy.version_name)
    return (
        (voice.text("papers.app"), ", ".join(labels) or None),
        (voice.text("papers.package"), tame(package, _LONGEST_LINE)),
        (voice.text("papers.version"), ", ".join(versions) or None),
    )


def checked(
    voice: Voice, of_phone: Container[str] = ("checked", "phone", "how", "scope")
) -> tuple[tuple[str, str], ...]:
    """When and how the phone was read, both clocks, by which tool, against which lists."""
    report, stamp = voice.report, voice.report.knowledge.signatures
    newest = voice.language.date(stamp.newest) if stamp.newest else voice.text("dates.unknown")
    return (
        *((voice.text(f"report.{name}"), value) for name, value in head.rows(voice) if name in of_phone),
        (voice.text("papers.computer_time"), f"{report.taken_at.isoformat(sep=' ', timespec='seconds')}"),
        (voice.text("papers.tool"), tame(f"{report.tool.name} {report.tool.version}")),
        (voice.text("papers.lists"), f"{newest}; {stamp.packages}; {tame(stamp.sha256)}"),
    )


def access(voice: Voice, package: str) -> Iterator[Block]:
    """Whether it can read, and whether it has, for every Android user that has it."""
    yield Paragraph(voice.text("papers.found", when=dict(head.rows(voice))["checked"]))
    rows = []
    for copy in voice.copies(package):
        cells = (matrix.cell(voice, copy, data) for data in DataClass)
        rows.append((voice.say(voice.user(copy.user)), *(voice.text("papers.between").join(cell) for cell in cells)))
    columns = (voice.text("papers.user"), *(voice.text(f"report.{data}") for data in DataClass))
    yield Table(columns, tuple(rows))
    yield Paragraph(voice.text("papers.found_limits"))


def lines(voice: Voice, package: str, places: Mapping[str, str] | None = None) -> Table:
    """Every line on which a finding about it rests, once.

    Args:
        voice: the report and the language.
        package: the app.
        places: for each answer the file in which it is kept, where it is kept.
    """
    found: dict[tuple[str, ...], None] = {}
    for copy in voice.copies(package):
        user = voice.say(voice.user(copy.user))
        for finding in voice.findings(copy):
            for one in finding.evidence:
                place = tame((places or {}).get(one.question, one.question), _LONGEST_LINE)
                found[user, place, str(one.line), tame(one.text, _LONGEST_LINE)] = None
    columns = tuple(voice.text(f"papers.line_{name}") for name in ("user", "question", "number", "text"))
    return Table(columns, tuple(found))
