"""A plan and a ledger in words: what would be changed, why, what may not work, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from privaudit import roms
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import display_name, sanitize_text
from privaudit.model import AccessState, App, DataClass, Message, MessageValue, Phone, Report, Rom, UserKind
from privaudit.report import summary
from privaudit.report.layout import hanging_indent, title_indent, wrap
from privaudit.report.view import ReportView
from privaudit.revocation import commands, steps
from privaudit.revocation.apply import MAX_ERROR_CHARS
from privaudit.revocation.change import Change, ChangeKind, Outcome
from privaudit.revocation.ledger import Ledger, LedgerEntry
from privaudit.revocation.plan import RevocationPlan

_LINE_COLUMNS: Final = 80


def render_steps(report: Report, language: Translator, packages: frozenset[str]) -> str:
    """The steps for `packages`, or for every app of the report; ends in a line feed."""
    voice = ReportView(report, language)
    return "".join(f"{line}\n" for line in _step_lines(voice, packages))


def usb_debugging_steps(rom_id: str, language: Translator) -> str:
    """How USB debugging is switched on and off on any phone with `rom_id`, of today's Android."""
    named = Rom(id=rom_id, name=roms.load_rom(rom_id)["name"], version=None)
    phone = Phone(
        manufacturer=None,
        model=None,
        android=None,
        sdk=None,
        sdk_inferred=False,
        security_patch=None,
        rom=named,
        languages=(),
    )
    lines = (
        *summary.notices(language, demo=False),
        language.t("report.taps_for", rom=phone.rom.name),
        "",
        *_bullet_lines(language, (Message(key="report.taps_bank_first"),)),
        "",
        language.t("report.taps_usb_on"),
        *_checklist_lines(language, steps.enable_usb_debugging_steps(phone)),
        "",
        language.t("report.taps_usb_off"),
        *_checklist_lines(language, steps.disable_usb_debugging_steps(phone)),
    )
    return "".join(f"{line}\n" for line in lines)


def _step_lines(view: ReportView, packages: frozenset[str]) -> Iterator[str]:
    language, phone = view.language, view.report.phone
    kinds = {user.id: user.kind for user in view.report.users}
    for notice in summary.notices(language, demo=view.report.demo):
        yield from wrap(notice, _LINE_COLUMNS)
    yield from title_indent(view.t("report.taps_for", rom=phone.rom.name), _LINE_COLUMNS)
    yield ""
    yield from _bullet_lines(language, steps.SAFETY_NOTES)
    shown = [
        app for name in view.ordered_packages() if not packages or name in packages for app in view.installs_of(name)
    ]
    for app in shown:
        taps = steps.steps_for_app(app, phone, kinds.get(app.user, UserKind.OTHER))
        if taps or packages:
            yield ""
            yield from title_indent(view.app_title(app), _LINE_COLUMNS)
            yield from (
                _checklist_lines(language, taps) if taps else wrap(f"  {view.t('report.steps_none')}", _LINE_COLUMNS)
            )
    yield ""
    yield from _bullet_lines(language, (steps.check_other_apps_step(phone),))
    if packages:
        yield from _uninstall_lines(view, shown)
    yield ""
    yield view.t("report.taps_usb_off")
    yield from _checklist_lines(language, steps.disable_usb_debugging_steps(phone))


def _uninstall_lines(view: ReportView, apps: Iterable[App]) -> Iterator[str]:
    for app in apps:
        yield ""
        yield from title_indent(view.t("report.taps_uninstall", app=view.app_title(app)), _LINE_COLUMNS)
        yield from _checklist_lines(view.language, steps.uninstall_steps(app, view.report.phone))


def _bullet_lines(language: Translator, messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        yield from hanging_indent("  · ", language.translate(message), _LINE_COLUMNS)


def _checklist_lines(language: Translator, messages: Iterable[Message]) -> Iterator[str]:
    for place, message in enumerate(messages, 1):
        yield from hanging_indent(f"  [ ] {place}. ", language.translate(message), _LINE_COLUMNS)


AppsByUser = Mapping[tuple[str, int], App]
"""The apps that were named, by package and user."""


def format_plan(language: Translator, revocation_plan: RevocationPlan, apps: AppsByUser) -> str:
    """The whole plan. What happens if they notice stands above it."""
    return "".join(f"{line}\n" for line in _plan_lines(language, revocation_plan, apps))


def _plan_lines(language: Translator, revocation_plan: RevocationPlan, apps: AppsByUser) -> Iterator[str]:
    yield language.t("remedy.title")
    for notice in summary.notices(language, demo=False):
        yield from wrap(notice, _LINE_COLUMNS)
    phone = revocation_plan.phone
    yield language.t("remedy.phone", model=phone.model, rom=phone.rom.name, android=phone.android)
    yield ""
    for message in steps.SAFETY_NOTES:
        yield from hanging_indent("  · ", language.translate(message), _LINE_COLUMNS)
    if revocation_plan.notes:
        yield ""
        yield language.t("remedy.notes")
        for note in revocation_plan.notes:
            yield from hanging_indent("  · ", language.translate(note), _LINE_COLUMNS)
    yield ""
    if not revocation_plan.planned_changes:
        yield from wrap(language.t("remedy.nothing"), _LINE_COLUMNS)
    yield from _change_lines(language, revocation_plan, apps)
    if revocation_plan.planned_changes:
        yield ""
        yield from wrap(language.t("remedy.order"), _LINE_COLUMNS)
    if revocation_plan.manual_steps:
        yield from manual_step_lines(
            language, "by_hand", {(one.package, one.user): one.steps for one in revocation_plan.manual_steps}, apps
        )


def _change_lines(language: Translator, revocation_plan: RevocationPlan, apps: AppsByUser) -> Iterator[str]:
    number = 0
    told: list[Message] = []
    again = language.t("remedy.as_above")
    for key, app in apps.items():
        own = [one for one in revocation_plan.planned_changes if (one.change.package, one.change.user) == key]
        if own:
            yield from title_indent(_app_heading(language, app), _LINE_COLUMNS)
        for one in own:
            number += 1
            yield from hanging_indent(f"  {number}. ", language.translate(describe_change(one.change)), _LINE_COLUMNS)
            yield from hanging_indent("     ", language.translate(one.why), _LINE_COLUMNS)
            for command in _command_lines(language, one.change, revocation_plan.phone.sdk or 0):
                yield from hanging_indent("     ", command, _LINE_COLUMNS)
            for doubt in one.caveats:
                yield from hanging_indent(
                    "     ! ", language.translate(doubt) if doubt not in told else again, _LINE_COLUMNS
                )
                told.append(doubt)


def _command_lines(language: Translator, change: Change, sdk: int) -> Iterator[str]:
    if change.kind is ChangeKind.ACCESSIBILITY:
        # The whole list is written, and it names other apps.
        yield language.t("remedy.list_without")
        return
    for command in change.revoke_commands(sdk, ()):
        yield f"$ {command.text}"  # whole: every word of it was validated


def manual_step_lines(
    language: Translator, heading_key: str, steps_by_app: Mapping[tuple[str, int], Iterable[Message]], apps: AppsByUser
) -> Iterator[str]:
    """What a person must do, app by app."""
    yield ""
    yield language.t(f"remedy.{heading_key}")
    for key, own in steps_by_app.items():
        yield from wrap(f"  {_app_heading(language, apps[key])}", _LINE_COLUMNS)
        for place, step in enumerate(own, 1):
            yield from hanging_indent(f"  [ ] {place}. ", language.translate(step), _LINE_COLUMNS)


def undo_plan(language: Translator, ledger: Ledger) -> Iterator[str]:
    """What undoing would take back, the last change first; what was never begun is left out."""
    yield language.t("remedy.title_undo")
    yield from hanging_indent("  · ", language.t("remedy.undo_opens"), _LINE_COLUMNS)
    touched = [entry for entry in ledger.entries if entry.may_need_undo]
    if not touched:
        yield language.t("remedy.nothing_undo")
    for place, entry in enumerate(reversed(touched), 1):
        what = language.translate(describe_change(entry.change))
        yield from hanging_indent(f"  {place}. ", f"{_package_label(language, entry.change)}: {what}", _LINE_COLUMNS)


def outcome_lines(language: Translator, entry: LedgerEntry) -> Iterator[str]:
    """What became of one change."""
    name = {Outcome.BEGUN: "unread", Outcome.PLANNED: "unread", Outcome.UNDOING: "unread"}.get(
        entry.outcome, entry.outcome.value
    )
    outcome = language.t(f"remedy.{name}")
    if entry.outcome is Outcome.REFUSED:
        outcome += f": {sanitize_text(entry.said or '', MAX_ERROR_CHARS)}"
    yield from hanging_indent(
        "  ",
        f"{_package_label(language, entry.change)}: {language.translate(describe_change(entry.change))} → {outcome}",
        _LINE_COLUMNS,
    )


def final_state(language: Translator, checked_at: datetime, app: App | None, requested_app: App) -> Iterator[str]:
    """How an app stands when all is done."""
    time = f"{checked_at:%H:%M}"
    for data in DataClass:
        access = app.access[data] if app is not None else None
        if access is None or access.state is AccessState.NOT_REQUESTED:
            continue
        state = (
            "unknown" if access.state is AccessState.UNKNOWN else "open" if access.state.allows_reading else "closed"
        )
        what = Message(key=f"data_access.{data}")
        values: dict[str, MessageValue] = {"time": time, "app": _app_heading(language, requested_app), "what": what}
        yield from hanging_indent("  · ", language.t(f"remedy.result_{state}", **values), _LINE_COLUMNS)


def describe_change(change: Change) -> Message:
    """What a change closes, in a few words."""
    match change.kind:
        case ChangeKind.PERMISSION:
            group = next(name for name, of in commands.GROUPS.items() if change.what.rpartition(".")[2] in of)
            named = Message(key=f"remedy.{'phone_group' if group == 'phone' else group}")
            values: dict[str, MessageValue] = {"what": change.what.rpartition(".")[2], "group": named}
        case ChangeKind.ROLE | ChangeKind.SPECIAL_OP:
            values = {"what": Message(key=f"remedy.{change.what}")}
        case ChangeKind.UNINSTALL if change.system:
            return Message(key="remedy.uninstall_system")
        case _:
            values = {"what": change.what}
    return Message(key=f"remedy.{change.kind}", values=values)


def _package_label(language: Translator, change: Change) -> str:
    """Whose change it is."""
    if change.user == 0:
        return change.package
    return language.t("remedy.of_user", app=change.package, user=change.user)


def _app_heading(language: Translator, app: App) -> str:
    name = display_name(app.label, app.package)
    whole = name if name == app.package else f"{language.quote_untrusted(name)}  {app.package}"
    return whole if app.user == 0 else language.t("remedy.of_user", app=whole, user=app.user)
