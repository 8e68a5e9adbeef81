"""Manual steps, a revocation plan and a ledger as text: what would be changed, why, what may fail, the outcome."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from privaudit import roms
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import display_name, sanitize_text
from privaudit.model import AccessState, App, DataClass, Message, MessageValue, Report, Step, UserKind
from privaudit.report import summary, taps
from privaudit.report.layout import hanging_indent, title_indent, wrap
from privaudit.report.txt import step_prefix
from privaudit.report.view import DATA_NAME_KEYS, ReportView
from privaudit.revocation import steps
from privaudit.revocation.apply import MAX_ERROR_CHARS, LedgerRun
from privaudit.revocation.change import Change, ChangeKind, Outcome
from privaudit.revocation.ledger import Ledger, LedgerEntry
from privaudit.revocation.plan import RevocationPlan
from privaudit.revocation.prepare import AppsByUser
from privaudit.revocation.state import DeviceState

_LINE_COLUMNS: Final = 80
_CHANGE_KEYS: Final[Mapping[ChangeKind, tuple[str, ...]]] = {
    ChangeKind.ROLE: ("remedy.role", "remedy.role_back"),
    ChangeKind.ACCESSIBILITY: ("remedy.accessibility", "remedy.accessibility_back"),
    ChangeKind.LISTENER: ("remedy.listener", "remedy.listener_back"),
    ChangeKind.SPECIAL_OP: ("remedy.special_op", "remedy.special_op_back"),
    ChangeKind.PERMISSION: ("remedy.permission", "remedy.permission_back"),
    ChangeKind.FORCE_STOP: ("remedy.force_stop",),
    ChangeKind.UNINSTALL: ("remedy.uninstall", "remedy.uninstall_back"),
}
"""What each change closes, and what undoing it gives back. A forced stop is not undone."""
_SPECIAL_ACCESS_KEYS: Final[Mapping[str, str]] = {
    "default_sms": "remedy.default_sms",
    "default_phone": "remedy.default_phone",
    "overlay": "remedy.overlay",
    "usage": "remedy.usage",
    "install_packages": "remedy.install_packages",
    "all_files": "remedy.all_files",
}
"""Roles, and special access that an app-op decides."""
_PERMISSION_KEYS: Final[Mapping[str, str]] = {
    "READ_CONTACTS": "remedy.may_read_contacts",
    "WRITE_CONTACTS": "remedy.may_write_contacts",
    "GET_ACCOUNTS": "remedy.may_get_accounts",
    "READ_SMS": "remedy.may_read_sms",
    "RECEIVE_SMS": "remedy.may_receive_sms",
    "SEND_SMS": "remedy.may_send_sms",
    "RECEIVE_MMS": "remedy.may_receive_mms",
    "RECEIVE_WAP_PUSH": "remedy.may_receive_wap_push",
    "READ_CALL_LOG": "remedy.may_read_call_log",
    "WRITE_CALL_LOG": "remedy.may_write_call_log",
    "PROCESS_OUTGOING_CALLS": "remedy.may_process_outgoing_calls",
    "READ_PHONE_STATE": "remedy.may_read_phone_state",
    "READ_PHONE_NUMBERS": "remedy.may_read_phone_numbers",
    "CALL_PHONE": "remedy.may_call_phone",
    "ANSWER_PHONE_CALLS": "remedy.may_answer_phone_calls",
}
"""What an app may do by each permission that may be revoked."""
_OUTCOME_KEYS: Final[Mapping[Outcome, str]] = {
    Outcome.DONE: "remedy.done",
    Outcome.REFUSED: "remedy.refused",
    Outcome.NOT_CHANGED: "remedy.not_changed",
    Outcome.UNDONE: "remedy.undone",
    Outcome.NOT_RESTORED: "remedy.stays",
}
"""Every other outcome is not known."""


def render_steps(report: Report, language: Translator, packages: frozenset[str]) -> str:
    """Return the steps for `packages`, or, if it is empty, for every app that the report is about."""
    return "".join(f"{line}\n" for line in _step_lines(ReportView(report, language), packages))


def usb_debugging_steps(rom_id: str, language: Translator) -> str:
    """Return how USB debugging is switched on and off on a phone with `rom_id` and a current Android."""
    phone = roms.phone_with_rom(rom_id)
    lines = (
        *summary.notices(language, demo=False),
        language.t("report.taps_of", rom=roms.rom_title(rom_id)),
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


def manual_step_lines(
    language: Translator, heading_key: str, steps_by_app: Mapping[tuple[str, int], Iterable[Step]], apps: AppsByUser
) -> Iterator[str]:
    """Yield the lines of what a person must do by hand, app by app, below the message `heading_key`."""
    yield ""
    yield language.t(heading_key)
    for key, app_steps in steps_by_app.items():
        yield from wrap(f"  {_app_heading(language, apps[key])}", _LINE_COLUMNS)
        yield from _checklist_lines(language, app_steps)


def _step_lines(view: ReportView, packages: frozenset[str]) -> Iterator[str]:
    language, phone = view.language, view.report.phone
    user_kinds = {user.id: user.kind for user in view.report.users}
    for notice in summary.notices(language, demo=view.report.demo):
        yield from wrap(notice, _LINE_COLUMNS)
    yield from title_indent(view.t("report.taps_for", rom=roms.rom_title(phone.rom.id)), _LINE_COLUMNS)
    yield ""
    yield from _bullet_lines(language, steps.SAFETY_NOTES)
    # Apps that only their owner may see are left out, unless named: here they would stand unmarked among lenders.
    apps = [app for app in view.ordered_apps() if (app.package in packages if packages else app.is_reported)]
    blocks = [
        (app, block)
        for app in apps
        for block in steps.blocks_for_app(app, phone, user_kinds.get(app.user, UserKind.OTHER))
    ]
    for tap_list in taps.group_taps(blocks):
        yield ""
        yield from title_indent(taps.list_title(view, tap_list), _LINE_COLUMNS)
        yield from _checklist_lines(language, tap_list.steps)
        if same := taps.same_for(view, tap_list):
            yield from hanging_indent("  ", same, _LINE_COLUMNS)
    for app in apps if packages else ():
        if app not in [with_steps for with_steps, _ in blocks]:
            yield ""
            yield from title_indent(view.app_title(app), _LINE_COLUMNS)
            yield from wrap(f"  {view.t('report.steps_none')}", _LINE_COLUMNS)
    yield ""
    yield from _bullet_lines(language, (steps.check_other_apps_step(phone),))
    for app in apps if packages else ():
        yield ""
        yield from title_indent(view.t("report.taps_uninstall", app=view.app_title(app)), _LINE_COLUMNS)
        yield from _checklist_lines(language, steps.uninstall_steps(app, phone))
    yield ""
    yield view.t("report.taps_usb_off")
    yield from _checklist_lines(language, steps.disable_usb_debugging_steps(phone))


def plan_lines(language: Translator, plan: RevocationPlan, apps: AppsByUser) -> Iterator[str]:
    """Yield the lines of the whole plan. The safety notes stand above the changes."""
    yield language.t("remedy.title")
    for notice in summary.notices(language, demo=False):
        yield from wrap(notice, _LINE_COLUMNS)
    phone = plan.phone
    yield language.t("remedy.phone", model=phone.model, rom=phone.rom.name, android=phone.android)
    yield ""
    yield from _bullet_lines(language, steps.SAFETY_NOTES)
    if plan.notes:
        yield ""
        yield language.t("remedy.notes")
        yield from _bullet_lines(language, plan.notes)
    yield ""
    if plan.planned_changes:
        yield from _change_lines(language, plan, apps)
        yield ""
    yield from wrap(language.t("remedy.order" if plan.planned_changes else "remedy.nothing"), _LINE_COLUMNS)
    if plan.manual_steps:
        yield from manual_step_lines(language, "remedy.by_hand", plan.manual_steps, apps)


def plan_parts(language: Translator, plan: RevocationPlan, apps: AppsByUser) -> dict[str, Any]:
    """Return the whole plan as sentences by part, for a page to lay out."""
    translate = language.translate
    changes_by_app: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for planned in plan.planned_changes:
        change = planned.change
        changes_by_app.setdefault((change.package, change.user), []).append(
            {
                "closes": translate(describe_change(change)),
                "why": translate(planned.why),
                "commands": [*_command_lines(language, change, plan.phone.sdk or 0)],
                "caveats": [*map(translate, planned.caveats)],
            }
        )
    return {
        "safety": [*map(translate, steps.SAFETY_NOTES)],
        "notes": [*map(translate, plan.notes)],
        "apps": [{"title": _app_heading(language, apps[key]), "changes": rows} for key, rows in changes_by_app.items()],
        "order": language.t("remedy.order" if plan.planned_changes else "remedy.nothing"),
        "by_hand": [
            {"title": _app_heading(language, apps[key]), "steps": [*map(translate, app_steps)]}
            for key, app_steps in plan.manual_steps.items()
        ],
    }


def _change_lines(language: Translator, plan: RevocationPlan, apps: AppsByUser) -> Iterator[str]:
    number = 0
    printed_caveats: list[Message] = []
    for key, app in apps.items():
        app_changes = [
            planned for planned in plan.planned_changes if (planned.change.package, planned.change.user) == key
        ]
        if app_changes:
            yield from title_indent(_app_heading(language, app), _LINE_COLUMNS)
        for planned in app_changes:
            number += 1
            closes = language.translate(describe_change(planned.change))
            yield from hanging_indent(f"  {number}. ", closes, _LINE_COLUMNS)
            yield from hanging_indent("     ", language.translate(planned.why), _LINE_COLUMNS)
            for command in _command_lines(language, planned.change, plan.phone.sdk or 0):
                yield from hanging_indent("     ", command, _LINE_COLUMNS)
            for caveat in planned.caveats:
                is_repeated = caveat in printed_caveats
                text = language.t("remedy.as_above") if is_repeated else language.translate(caveat)
                yield from hanging_indent("     ! ", text, _LINE_COLUMNS)
                printed_caveats.append(caveat)


def _command_lines(language: Translator, change: Change, sdk: int) -> Iterator[str]:
    if change.kind is ChangeKind.ACCESSIBILITY:
        # The command writes the whole list of services, which names other apps.
        yield language.t("remedy.list_without")
        return
    for command in change.revoke_commands(sdk, ()):
        yield f"$ {command.text}"  # not sanitized: each of its words was validated


def describe_change(change: Change, *, undo: bool = False) -> Message:
    """Return the message that says what a change closes; with `undo`, what undoing it gives back."""
    match change.kind:
        case ChangeKind.PERMISSION:
            name = change.what.rpartition(".")[2]
            values: dict[str, MessageValue] = {"what": name, "does": Message(key=_PERMISSION_KEYS[name])}
        case ChangeKind.ROLE | ChangeKind.SPECIAL_OP:
            values = {"what": Message(key=_SPECIAL_ACCESS_KEYS[change.what])}
        case ChangeKind.UNINSTALL if change.system and not undo:
            return Message(key="remedy.uninstall_system")
        case _:
            values = {"what": change.what}
    return Message(key=_CHANGE_KEYS[change.kind][1 if undo else 0], values=values)


def undo_plan(language: Translator, ledger: Ledger, before: DeviceState) -> Iterator[str]:
    """Yield the lines of what undoing would restore, the last change first; changes that never began are left out.

    `before` is the state in the capture that was written before the changes: what it does not show is not restored.
    """
    yield language.t("remedy.title_undo")
    yield from hanging_indent("  · ", language.t("remedy.undo_opens"), _LINE_COLUMNS)
    entries = [entry for entry in ledger.entries if entry.may_need_undo]
    if not entries:
        yield language.t("remedy.nothing_undo")
    for number, entry in enumerate(reversed(entries), 1):
        line = _labeled_change(language, entry.change, undo=True)
        if not before.shows_before(entry.change):
            line += f" → {language.t('remedy.not_shown')}"
        yield from hanging_indent(f"  {number}. ", line, _LINE_COLUMNS)
    for entry in ledger.entries:
        if entry.had_no_effect:
            line = f"{_labeled_change(language, entry.change)} → {language.t('remedy.nothing_to_take_back')}"
            yield from hanging_indent("  · ", line, _LINE_COLUMNS)


def outcome_lines(language: Translator, entry: LedgerEntry) -> Iterator[str]:
    """Yield the outcome of one change, or of undoing it."""
    yield from hanging_indent("  ", outcome_sentence(language, entry), _LINE_COLUMNS)


def outcome_sentence(language: Translator, entry: LedgerEntry) -> str:
    """Return the outcome of one change, or of undoing it. It has no label: one could claim another outcome."""
    outcome = language.t(_OUTCOME_KEYS.get(entry.outcome, "remedy.unread"))
    if entry.outcome is Outcome.REFUSED:
        outcome += f": {sanitize_text(entry.said or '', MAX_ERROR_CHARS)}"
    is_undo = entry.outcome in {Outcome.UNDONE, Outcome.NOT_RESTORED}
    return f"{_labeled_change(language, entry.change, undo=is_undo)} → {outcome}"


def result_lines(language: Translator, checked_at: datetime, run: LedgerRun, apps: AppsByUser) -> Iterator[str]:
    """Read the phone again; yield the lines of the state of `apps` now, and of what remains to be done by hand."""
    current = run.refresh_state()
    yield ""
    for key, app in apps.items():
        for sentence in final_state(language, checked_at, current.find_app(*key), app):
            yield from hanging_indent("  · ", sentence, _LINE_COLUMNS)
    remaining = remaining_steps(run.ledger, current, apps)
    if remaining:
        yield from manual_step_lines(language, "remedy.instead", remaining, apps)
    yield language.t("remedy.regrant")


def result_parts(language: Translator, checked_at: datetime, run: LedgerRun, apps: AppsByUser) -> dict[str, Any]:
    """Read the phone again; return the sentences of `result_lines` by part, for a page to lay out."""
    current = run.refresh_state()
    return {
        "states": [
            sentence
            for key, app in apps.items()
            for sentence in final_state(language, checked_at, current.find_app(*key), app)
        ],
        "by_hand": [
            {"title": _app_heading(language, apps[key]), "steps": [*map(language.translate, app_steps)]}
            for key, app_steps in remaining_steps(run.ledger, current, apps).items()
        ],
    }


def remaining_steps(
    ledger: Ledger, current: DeviceState, apps: AppsByUser
) -> Mapping[tuple[str, int], tuple[Step, ...]]:
    """Return for each app the steps for what its changes did not close."""
    manual_steps: dict[tuple[str, int], set[str]] = {}
    for entry in ledger.entries:
        step = entry.change.manual_step
        if entry.outcome is not Outcome.DONE and step is not None:
            manual_steps.setdefault((entry.change.package, entry.change.user), set()).add(step)
    kinds = {user.id: user.kind for user in current.facts.users}
    remaining: dict[tuple[str, int], tuple[Step, ...]] = {}
    for key, names in manual_steps.items():
        app = replace(current.find_app(*key) or apps[key], label=apps[key].label)
        blocks = steps.blocks_for_kinds(names, app, current.facts.phone, kinds.get(app.user, UserKind.OTHER))
        if app_steps := tuple(step for block in blocks for step in block.steps):
            remaining[key] = app_steps
    return remaining


def final_state(language: Translator, checked_at: datetime, app: App | None, requested_app: App) -> Iterator[str]:
    """Yield what the `requested_app` of a plan can read after all changes; `app` is ``None`` if it is gone."""
    heading = _app_heading(language, requested_app)
    for data in DataClass:
        access = app.access[data] if app is not None else None
        if access is None or access.state is AccessState.NOT_REQUESTED:
            continue
        if access.state is AccessState.UNKNOWN:
            key = "remedy.result_unknown"
        else:
            key = "remedy.result_open" if access.state.allows_reading else "remedy.result_closed"
        what = Message(key=DATA_NAME_KEYS[data])
        yield language.t(key, time=f"{checked_at:%H:%M}", app=heading, what=what)


def _labeled_change(language: Translator, change: Change, *, undo: bool = False) -> str:
    package = change.package
    if change.user != 0:
        package = language.t("remedy.of_user", app=change.package, user=change.user)
    return f"{package}: {language.translate(describe_change(change, undo=undo))}"


def _app_heading(language: Translator, app: App) -> str:
    name = display_name(app.label, app.package)
    package = app.package if app.user == 0 else language.t("remedy.of_user", app=app.package, user=app.user)
    return package if name == app.package else f"{language.quote_untrusted(name)}  {package}"


def _bullet_lines(language: Translator, messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        yield from hanging_indent("  · ", language.translate(message), _LINE_COLUMNS)


def _checklist_lines(language: Translator, messages: Iterable[Message]) -> Iterator[str]:
    for number, message in steps.number_steps(messages):
        yield from hanging_indent(step_prefix(number), language.translate(message), _LINE_COLUMNS)
