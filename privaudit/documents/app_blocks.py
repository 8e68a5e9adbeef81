"""Blocks about one app that several documents share: its identity, the audit, its access, the evidence lines."""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from typing import Final

from privaudit.documents import DocumentBlock, DocumentTable, Paragraph
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Access, AccessState, App, DataClass, History, Message, RequestedState
from privaudit.report import matrix, summary
from privaudit.report.view import ReportView

_MAX_LINE_CHARS: Final = 400
"""Characters of a line that the phone printed, and of a package name (255 at most) after the name of an answer."""


def app_rows(view: ReportView, package: str) -> tuple[tuple[str, str | None], ...]:
    """Return the app's labels, package name and versions; a blank for what was not read."""
    installs = view.installs_of(package)
    labels = dict.fromkeys(sanitize_text(app.label) for app in installs if app.label)
    versions = dict.fromkeys(sanitize_text(app.version_name) for app in installs if app.version_name)
    return (
        (view.t("papers.app"), ", ".join(labels) or None),
        (view.t("papers.package"), sanitize_text(package, _MAX_LINE_CHARS)),
        (view.t("papers.version"), ", ".join(versions) or None),
    )


def fact_sentences(view: ReportView, package: str) -> Iterator[str]:
    """Yield what was measured about the app, as its owner can state it to others: no more, and without reservations."""
    yield view.t("papers.fact_installed", read_at=summary.audit_time(view.report).isoformat())
    facts: defaultdict[str, list[str]] = defaultdict(list)
    installs = view.installs_of(package)
    is_named = len(installs) > 1 or any(app.user for app in installs)
    for app in installs:
        for data in DataClass:
            for key, note in _facts_about(view, app, data):
                notes = [view.translate(view.user_label(app.user))] if is_named else []
                notes += [note] if note else []
                label = matrix.data_label(view, data)
                joined = view.t("papers.between").join(notes)
                facts[key].append(view.t("papers.fact_note", data=label, note=joined) if notes else label)
    yield from (view.t(key, data=tuple(facts[key])) for key in _FACT_KEYS if facts[key])


_FACT_KEYS: Final = ("papers.fact_allowed", "papers.fact_reached", "papers.fact_recorded", "papers.fact_requests")
"""What is stated of an app, in this order."""


def _facts_about(view: ReportView, app: App, data: DataClass) -> Iterator[tuple[str, str]]:
    """Yield the key of each statement about this kind of data, and a note to it or nothing."""
    access = app.access[data]
    is_asked = access.state is AccessState.ASKS_EACH_TIME
    if access.state.allows_reading and not is_asked:
        open_only = access.state is AccessState.ONLY_WHILE_OPEN
        key = "report.why_incoming" if access.is_incoming_only else "report.state_only_while_open"
        yield "papers.fact_allowed", view.t(key) if open_only or access.is_incoming_only else ""
    elif matrix.has_other_route(access):
        yield "papers.fact_reached", view.t("report.between_ways").join(map(view.special_access_label, access.ways))
    elif is_asked or any(
        permission.requested is RequestedState.YES for permission in matrix.permissions_for(app, data)
    ):
        yield "papers.fact_requests", ""
    if access.history is History.RECORDED:
        yield "papers.fact_recorded", _time_of_reading(view, access)


def _time_of_reading(view: ReportView, access: Access) -> str:
    if access.last_read is not None:
        return view.t("papers.fact_read", read_at=access.last_read.isoformat())
    ago = view.age_message(access.last_read_age_s or 0)
    return view.translate(Message(key="papers.fact_read_before", values={"ago": ago}))


def audit_rows(
    view: ReportView, header_keys: Container[str] = ("report.checked", "report.phone", "report.how", "report.scope")
) -> tuple[tuple[str, str], ...]:
    """Return the rows `header_keys` of the report's header, this computer's time, the tool and the lists."""
    report, lists = view.report, view.report.knowledge.signatures
    newest = view.language.format_date(lists.newest) if lists.newest else view.t("dates.unknown")
    return (
        *((view.t(key), value) for key, value in summary.header_rows(view) if key in header_keys),
        (view.t("papers.computer_time"), report.taken_at.isoformat(sep=" ", timespec="seconds")),
        (view.t("papers.tool"), sanitize_text(f"{report.tool.name} {report.tool.version}")),
        (
            view.t("papers.lists"),
            view.t("papers.between").join((newest, str(lists.packages), sanitize_text(lists.sha256))),
        ),
    )


def access_blocks(view: ReportView, package: str) -> Iterator[DocumentBlock]:
    """Yield a table of what the app can read and has read, one row for each Android user that has it."""
    yield Paragraph(view.t("papers.found", when=summary.audit_time_text(view)))
    columns = (view.t("papers.user"), *(matrix.data_label(view, data) for data in DataClass))
    rows = (
        (
            view.translate(view.user_label(app.user)),
            *(view.t("papers.between").join(matrix.cell_text(view, app, data)) for data in DataClass),
        )
        for app in view.installs_of(package)
    )
    yield DocumentTable(columns, tuple(rows))
    yield Paragraph(view.t("papers.found_limits"))


def evidence_table(view: ReportView, package: str, kept_files: Mapping[str, str] | None = None) -> DocumentTable:
    """Return each evidence line of the findings about the app, once; `kept_files`: answer key → its file, if kept."""
    rows: dict[tuple[str, ...], None] = {}
    for app in view.installs_of(package):
        user = view.translate(view.user_label(app.user))
        for finding in view.findings_of(app):
            for line in finding.evidence:
                source = sanitize_text((kept_files or {}).get(line.question, line.question), _MAX_LINE_CHARS)
                rows[user, source, str(line.line), sanitize_text(line.text, _MAX_LINE_CHARS)] = None
    columns = ("papers.line_user", "papers.line_question", "papers.line_number", "papers.line_text")
    return DocumentTable(tuple(map(view.t, columns)), tuple(rows))
