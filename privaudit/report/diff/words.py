"""A `privaudit.report.diff.Diff` for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.language import Language
from privaudit.model import DataClass, Message, Value
from privaudit.report.diff import Change, Diff, Direction
from privaudit.report.prose import head
from privaudit.report.prose.layout import hanging, wrap

_WIDTH: Final = 80


def text(diff: Diff, language: Language) -> str:
    """The whole of it, ending in a line feed."""
    return "".join(f"{line}\n" for line in _lines(diff, language))


def json(diff: Diff) -> str:
    """The document."""
    from pydantic import TypeAdapter

    return TypeAdapter(Diff).dump_json(diff, indent=2).decode() + "\n"


def _lines(diff: Diff, language: Language) -> Iterator[str]:
    for notice in head.notices(language, demo=diff.demo):
        yield from wrap(notice, _WIDTH)
    times: dict[str, Value] = {"before_at": diff.before_at.isoformat(), "after_at": diff.after_at.isoformat()}
    yield from wrap(language.text("diff.title", **times), _WIDTH)
    if not diff.complete:
        yield from wrap(language.text("diff.gaps"), _WIDTH)
    if not diff.changes:
        yield from wrap(language.text("diff.nothing"), _WIDTH)
    for direction in Direction:
        rows = [change for change in diff.changes if change.direction is direction]
        if rows:
            yield ""
            yield from wrap(language.text(f"diff.{direction}"), _WIDTH)
        for change in rows:
            yield from hanging("  · ", language.say(_row(change)), _WIDTH)
    yield ""
    yield from wrap(language.text("steps.no_recall"), _WIDTH)


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
