"""A `privaudit.report.diff.Diff` for a terminal, as a page, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from privaudit.i18n import Language
from privaudit.model import DataClass, Message, Value
from privaudit.report import head
from privaudit.report.diff import Change, Diff, Direction
from privaudit.report.layout import hanging, wrap

_WIDTH: Final = 80
FORMATS: Final = (".txt", ".html", ".json")
"""Suffixes of files that a comparison can be written to."""


def render(diff: Diff, suffix: str, language: Language) -> str:
    """The whole of it as `suffix` says, ending in a line feed."""
    if suffix == ".json":
        return json(diff)
    return html(diff, language) if suffix == ".html" else text(diff, language)


def text(diff: Diff, language: Language) -> str:
    """For a terminal."""
    return "".join(f"{line}\n" for line in _lines(_Said.of(diff, language)))


def html(diff: Diff, language: Language) -> str:
    """As a page."""
    from privaudit.report import html_page

    language = replace(language, isolate=True)
    said = _Said.of(diff, language)
    groups = [{"direction": one, "title": title, "rows": rows} for one, title, rows in said.groups]
    content = {"notices": said.notices, "title": said.title, "remarks": said.remarks, "groups": groups, "end": said.end}
    return html_page.render("diff", language, content)


def json(diff: Diff) -> str:
    """The document."""
    from pydantic import TypeAdapter

    from privaudit.report.json import visible

    return visible(TypeAdapter(Diff).dump_json(diff, indent=2).decode()) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """The comparison in sentences."""

    notices: tuple[str, ...]
    title: str
    remarks: tuple[str, ...]
    groups: tuple[tuple[Direction, str, tuple[str, ...]], ...]
    end: str

    @classmethod
    def of(cls, diff: Diff, language: Language) -> _Said:
        language = replace(language, months=diff.shared)
        times: dict[str, Value] = {"before_at": diff.before_at.isoformat(), "after_at": diff.after_at.isoformat()}
        remarks = (("diff.gaps", not diff.complete), ("diff.nothing", not diff.changes))
        rows = {one: [change for change in diff.changes if change.direction is one] for one in Direction}
        return cls(
            notices=tuple(head.notices(language, demo=diff.demo)),
            title=language.text("diff.title", **times),
            remarks=tuple(language.text(key) for key, holds in remarks if holds),
            groups=tuple(
                (one, language.text(f"diff.{one}"), tuple(language.say(_row(change)) for change in changes))
                for one, changes in rows.items()
                if changes
            ),
            end=language.text("steps.no_recall"),
        )


def _lines(said: _Said) -> Iterator[str]:
    for sentence in (*said.notices, said.title, *said.remarks):
        yield from wrap(sentence, _WIDTH)
    for _, title, rows in said.groups:
        yield ""
        yield from wrap(title, _WIDTH)
        for row in rows:
            yield from hanging("  · ", row, _WIDTH)
    yield ""
    yield from wrap(said.end, _WIDTH)


def _row(change: Change) -> Message:
    app: Value = change.name
    if change.user != 0:
        app = Message(key="diff.of_user", values={"app": change.name, "user": change.user})
    area = "data_access" if change.what in set(DataClass) else "diff"
    what = Message(key=f"{area}.{change.what}")
    if change.before is None or change.after is None:
        return Message(key="diff.row", values={"app": app, "what": what})
    states: dict[str, Value] = {
        "before": Message(key=f"diff.{change.before}"),
        "after": Message(key=f"diff.{change.after}"),
    }
    return Message(key="diff.row_states", values={"app": app, "what": what, **states})
