"""Render a `privaudit.report.diff.Diff` as text for a terminal, as an HTML page, and as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from privaudit.i18n import Translator
from privaudit.model import Message, MessageValue
from privaudit.report import summary
from privaudit.report.diff import ChangeDirection, Diff, ReportChange
from privaudit.report.layout import hanging_indent, wrap
from privaudit.report.view import DATA_NAME_KEYS, SPECIAL_ACCESS_KEYS

DIFF_SUFFIXES: Final = (".txt", ".html", ".json")
"""Suffixes of the files that a comparison can be written to."""
_LINE_COLUMNS: Final = 80
_DIRECTION_KEYS: Final[Mapping[ChangeDirection, str]] = {
    ChangeDirection.OPENED: "diff.opened",
    ChangeDirection.STILL_OPEN: "diff.still_open",
    ChangeDirection.UNKNOWN: "diff.unknown",
    ChangeDirection.APPEARED: "diff.appeared",
    ChangeDirection.CHANGED: "diff.changed",
    ChangeDirection.CLOSED: "diff.closed",
    ChangeDirection.GONE: "diff.gone",
    ChangeDirection.UNCHANGED: "diff.unchanged",
}
_SUBJECT_KEYS: Final[Mapping[str, str]] = {
    "app": "diff.app",
    **{data.value: key for data, key in DATA_NAME_KEYS.items()},
    **SPECIAL_ACCESS_KEYS,
}
_STATE_KEYS: Final[Mapping[str, str]] = {
    "held": "diff.held",
    "not_held": "diff.not_held",
    "can_read": "diff.can_read",
    "only_while_open": "diff.only_while_open",
    "asks_each_time": "diff.asks_each_time",
    "blocked": "diff.blocked",
    "not_allowed": "diff.not_allowed",
    "not_requested": "diff.not_requested",
    "not_known": "diff.not_known",
}


def render_diff(diff: Diff, suffix: str, language: Translator) -> str:
    """Return the comparison in the format of `suffix`, one of `DIFF_SUFFIXES`; ends in a line feed."""
    if suffix == ".json":
        return diff_to_json(diff)
    return diff_to_html(diff, language) if suffix == ".html" else diff_to_text(diff, language)


def diff_to_text(diff: Diff, language: Translator) -> str:
    """Return the comparison as text for a terminal."""
    return "".join(f"{line}\n" for line in _text_lines(_DiffText(diff, language)))


def diff_to_html(diff: Diff, language: Translator) -> str:
    """Return the comparison as an HTML page."""
    from privaudit.report import html_page  # loads Jinja2

    language = replace(language, isolate_bidi=True)
    return html_page.render_page("diff", language, vars(_DiffText(diff, language)))


def diff_to_json(diff: Diff) -> str:
    """Return the document that ``privaudit diff --json`` writes."""
    from pydantic import TypeAdapter  # slow to import

    from privaudit.report.json import dump_json

    return dump_json(TypeAdapter(Diff), diff, indent=2)


def diff_schema() -> str:
    """Return the JSON Schema of the document."""
    from pydantic import TypeAdapter

    from privaudit.report.json import format_json_schema

    return format_json_schema(TypeAdapter(Diff), "privaudit-diff/1")


class _DiffText:
    """The comparison in sentences: the values of the template ``diff.html.jinja``."""

    def __init__(self, diff: Diff, language: Translator) -> None:
        language = replace(language, month_precision=diff.shared)
        remarks = (("diff.gaps", not diff.complete), ("diff.nothing", not diff.changes))
        self.notices = tuple(summary.notices(language, demo=diff.demo))
        self.title = language.t("diff.title", before_at=diff.before_at.isoformat(), after_at=diff.after_at.isoformat())
        self.remarks = tuple(language.t(key) for key, applies in remarks if applies)
        self.groups = tuple(_change_groups(diff, language))
        self.closing = language.t("steps.no_recall")


def _change_groups(diff: Diff, language: Translator) -> Iterator[tuple[ChangeDirection, str, tuple[str, ...]]]:
    """Yield each direction in which something changed, its title, and its changes in sentences."""
    for direction, key in _DIRECTION_KEYS.items():
        changes = [change for change in (*diff.changes, *diff.unchanged) if change.direction is direction]
        if changes:
            yield direction, language.t(key), tuple(language.translate(_change_message(change)) for change in changes)


def _text_lines(text: _DiffText) -> Iterator[str]:
    for sentence in (*text.notices, text.title, *text.remarks):
        yield from wrap(sentence, _LINE_COLUMNS)
    for _, title, sentences in text.groups:
        yield ""
        yield from wrap(title, _LINE_COLUMNS)
        for sentence in sentences:
            yield from hanging_indent("  · ", sentence, _LINE_COLUMNS)
    yield ""
    yield from wrap(text.closing, _LINE_COLUMNS)


def _change_message(change: ReportChange) -> Message:
    app: MessageValue = change.app_name
    if change.user != 0:
        app = Message(key="diff.of_user", values={"app": change.app_name, "user": change.user})
    # A kind of special access that a later version added is not in the table: shown as its key.
    what = Message(key=_SUBJECT_KEYS.get(change.what, "diff." + change.what))
    if change.before is None or change.after is None:
        return Message(key="diff.row", values={"app": app, "what": what})
    if change.what == "app":
        return Message(key="diff.row_nothing", values={"app": app})
    if change.before == change.after:
        state = Message(key=_STATE_KEYS[change.after])
        return Message(key="diff.row_same", values={"app": app, "what": what, "state": state})
    before, after = Message(key=_STATE_KEYS[change.before]), Message(key=_STATE_KEYS[change.after])
    return Message(key="diff.row_states", values={"app": app, "what": what, "before": before, "after": after})
