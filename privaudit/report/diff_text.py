"""A `privaudit.report.diff.Diff` for a terminal, as a page, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from privaudit.i18n import Translator
from privaudit.model import DataClass, Message, MessageValue
from privaudit.report import summary
from privaudit.report.diff import ChangeDirection, Diff, ReportChange
from privaudit.report.layout import hanging_indent, wrap

_LINE_COLUMNS: Final = 80
DIFF_SUFFIXES: Final = (".txt", ".html", ".json")
"""Suffixes of files that a comparison can be written to."""


def render_diff(diff: Diff, suffix: str, language: Translator) -> str:
    """The whole of it as `suffix` says, ending in a line feed."""
    if suffix == ".json":
        return diff_to_json(diff)
    return diff_to_html(diff, language) if suffix == ".html" else diff_to_text(diff, language)


def diff_to_text(diff: Diff, language: Translator) -> str:
    """For a terminal."""
    return "".join(f"{line}\n" for line in _text_lines(_DiffText.from_diff(diff, language)))


def diff_to_html(diff: Diff, language: Translator) -> str:
    """As a page."""
    from privaudit.report import html_page

    language = replace(language, isolate_bidi=True)
    said = _DiffText.from_diff(diff, language)
    groups = [{"direction": one, "title": title, "rows": rows} for one, title, rows in said.groups]
    content = {
        "notices": said.notices,
        "title": said.title,
        "remarks": said.remarks,
        "groups": groups,
        "end": said.closing,
    }
    return html_page.render_page("diff", language, content)


def diff_to_json(diff: Diff) -> str:
    """The document."""
    from pydantic import TypeAdapter

    from privaudit.report.json import escape_invisible

    return escape_invisible(TypeAdapter(Diff).dump_json(diff, indent=2).decode()) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _DiffText:
    """The comparison in sentences."""

    notices: tuple[str, ...]
    title: str
    remarks: tuple[str, ...]
    groups: tuple[tuple[ChangeDirection, str, tuple[str, ...]], ...]
    closing: str

    @classmethod
    def from_diff(cls, diff: Diff, language: Translator) -> _DiffText:
        language = replace(language, month_precision=diff.shared)
        times: dict[str, MessageValue] = {
            "before_at": diff.before_at.isoformat(),
            "after_at": diff.after_at.isoformat(),
        }
        remarks = (("diff.gaps", not diff.complete), ("diff.nothing", not diff.changes))
        rows = {one: [change for change in diff.changes if change.direction is one] for one in ChangeDirection}
        return cls(
            notices=tuple(summary.notices(language, demo=diff.demo)),
            title=language.t("diff.title", **times),
            remarks=tuple(language.t(key) for key, holds in remarks if holds),
            groups=tuple(
                (
                    one,
                    language.t(f"diff.{one}"),
                    tuple(language.translate(_change_message(change)) for change in changes),
                )
                for one, changes in rows.items()
                if changes
            ),
            closing=language.t("steps.no_recall"),
        )


def _text_lines(diff_text: _DiffText) -> Iterator[str]:
    for sentence in (*diff_text.notices, diff_text.title, *diff_text.remarks):
        yield from wrap(sentence, _LINE_COLUMNS)
    for _, title, rows in diff_text.groups:
        yield ""
        yield from wrap(title, _LINE_COLUMNS)
        for row in rows:
            yield from hanging_indent("  · ", row, _LINE_COLUMNS)
    yield ""
    yield from wrap(diff_text.closing, _LINE_COLUMNS)


def _change_message(change: ReportChange) -> Message:
    app: MessageValue = change.app_name
    if change.user != 0:
        app = Message(key="diff.of_user", values={"app": change.app_name, "user": change.user})
    area = "data_access" if change.what in set(DataClass) else "diff"
    what = Message(key=f"{area}.{change.what}")
    if change.before is None or change.after is None:
        return Message(key="diff.row", values={"app": app, "what": what})
    states: dict[str, MessageValue] = {
        "before": Message(key=f"diff.{change.before}"),
        "after": Message(key=f"diff.{change.after}"),
    }
    return Message(key="diff.row_states", values={"app": app, "what": what, **states})
