"""The taps that close access, each list once, with the apps that it is for."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privaudit.model import App, Message, Step
from privaudit.report.view import ReportView
from privaudit.revocation.steps import NOTES, REVOCATION_ORDER, StepBlock, number_steps

_NAVIGATION: Final = frozenset({"steps.open", "steps.tap", "steps.tap_app"})
_SHORT_REFUSALS: Final[Mapping[str, str]] = {
    "steps.refuse": "report.taps_refuse",
    "steps.refuse_old": "report.taps_refuse_old",
}
"""Steps that differ by the permission groups of an app, and their words for several groups."""
_SEARCH: Final = "steps.search"
_LAST_LOOKS: Final = frozenset({"steps.look", "steps.special_look", "steps.role_look", "steps.screenshot"})
"""Steps that end every list: said once below all of them."""
_APP_VALUES: Final = frozenset({"app", "groups"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TapList:
    """One list of steps, and the apps that it is for."""

    kind: str
    """One of `REVOCATION_ORDER`."""
    steps: tuple[Step, ...]
    """In the words for the first app."""
    apps: tuple[App, ...]
    groups: tuple[tuple[Message, ...], ...]
    """For each of `apps`, the menu words of the permissions to refuse; empty if the list is of special access."""


def tap_lists(view: ReportView) -> tuple[TapList, ...]:
    """Return the lists of the report's steps."""
    return group_taps((app, block) for app in view.ordered_apps() for block in view.step_blocks(app))


def group_taps(blocks: Iterable[tuple[App, StepBlock]]) -> tuple[TapList, ...]:
    """Return each list once: roles and special access first, which would give permissions back."""
    lists: list[list[tuple[App, StepBlock]]] = []
    for app, block in blocks:
        common = _common_steps(block.steps)
        members = next((members for members in lists if _common_steps(members[0][1].steps) == common), None)
        if members is None:
            lists.append(members := [])
        members.append((app, block))
    lists.sort(key=lambda members: REVOCATION_ORDER.index(members[0][1].kind))
    return tuple(
        TapList(
            kind=members[0][1].kind,
            steps=members[0][1].steps,
            apps=tuple(app for app, _ in members),
            groups=tuple(_refused_groups(block.steps) for _, block in members),
        )
        for members in lists
    )


def _common_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return what lists for different apps have in common if they are the same taps."""
    return tuple(
        replace(step, values={name: value for name, value in step.values.items() if name not in _APP_VALUES})
        for step in steps
        if step.key not in _SHORT_REFUSALS
    )


def _refused_groups(steps: Sequence[Step]) -> tuple[Message, ...]:
    groups = (step.values.get("group") for step in steps if step.key in _SHORT_REFUSALS)
    return tuple(group for group in groups if isinstance(group, Message))


def list_title(view: ReportView, taps: TapList, numbers: Mapping[str, int] = {}) -> str:
    """Return the app that a list of taps is worded for, with its number, and what it closes there."""
    is_permissions = taps.kind == "permissions"
    kind = view.t("report.block_permissions") if is_permissions else view.special_access_label(taps.kind)
    what = taps.groups[0] or (Message(key="report.name", values={"name": kind}),)
    return _app_and_groups(view, taps.apps[0], what, numbers)


def same_for(view: ReportView, taps: TapList, numbers: Mapping[str, int] = {}) -> str | None:
    """Return for which other apps the same taps are; ``None``: for none."""
    others = [
        _app_and_groups(view, app, groups, numbers) for app, groups in zip(taps.apps[1:], taps.groups[1:], strict=True)
    ]
    return view.t("report.taps_same") + view.t("report.taps_separator").join(others) if others else None


def _app_and_groups(view: ReportView, app: App, groups: tuple[Message, ...], numbers: Mapping[str, int]) -> str:
    number = f"{numbers[app.package]} " if app.package in numbers else ""
    title = f"{number}{view.app_title(app)}"
    return title + view.t("report.taps_groups", groups=groups) if groups else title


def search_hint(view: ReportView, taps: TapList) -> str:
    """Return what to search Settings for where menus differ, to stand after the title; empty for a confirmed path."""
    words = (step.values["word"] for step in taps.steps if step.key == _SEARCH)
    return next((view.t("report.taps_search", word=word) for word in words), "")


def short_steps(view: ReportView, taps: TapList) -> Iterator[tuple[int | None, str]]:
    """Yield numbers and steps in few lines: menus after each other as a path, permissions with one choice together.

    Notes have no number. What ends every list is left out: `report.taps_after` says it once; and so is the advice to
    search Settings, which `search_hint` has.
    """
    steps = [step for _, step in number_steps(taps.steps) if step.key not in _LAST_LOOKS and step.key != _SEARCH]
    number, single_tap = 0, ""
    for key, group in itertools.groupby(steps, key=_line_key):
        members = tuple(group)
        if key == "note":
            yield from ((None, view.translate(step)) for step in members)
            continue
        if key == "path" and len(members) == 1:
            single_tap = view.translate(members[0])  # stands in one line with what to do on the page that it opens
            continue
        for line in _step_lines(view, key, members):
            number += 1
            yield number, view.t("report.between_sentences").join(filter(None, (single_tap, line)))
            single_tap = ""
    if single_tap:
        yield number + 1, single_tap


def _step_lines(view: ReportView, key: str, members: Sequence[Step]) -> Iterator[str]:
    if key == "path":
        yield view.t("report.taps_path").join(_menu_word(view, step) for step in members)
    elif key in _SHORT_REFUSALS:  # with the same choice: it is the phone's word
        groups, choice = _refused_groups(members), members[0].values["choice"]
        yield view.t(_SHORT_REFUSALS[key], groups=groups, choice=choice)
    else:
        yield from map(view.translate, members)


def _menu_word(view: ReportView, step: Step) -> str:
    """Return a menu entry of a path; the name of an app in quotation marks, for it may hold any character."""
    if step.key == "steps.tap_app":
        return view.t("report.taps_menu", word=step.values["app"])
    return view.t("report.name", name=step.values["word"])


def _line_key(step: Step) -> str:
    return "note" if step.key in NOTES else "path" if step.key in _NAVIGATION else step.key
