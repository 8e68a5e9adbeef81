"""What a report says, sentence by sentence. Every renderer arranges these; none words them.

One file for each part of the report; `Voice` is what they share.
"""

from __future__ import annotations

from dataclasses import replace

from privaudit.i18n import Translator
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, Finding, Message, Report, Severity, Step, User, UserKind
from privaudit.revocation.steps import ordered_steps


class ReportView:
    """One report in one language: its words, and its apps in the order in which to act."""

    def __init__(self, report: Report, language: Translator) -> None:
        self.report = report
        self.language = replace(language, month_precision=report.shared)
        self.t = self.language.t
        self.translate = self.language.translate
        self._apps_by_package: dict[str, list[App]] = {}
        for app in report.apps:
            self._apps_by_package.setdefault(app.package, []).append(app)
        self._findings_by_app: dict[tuple[str, int], list[Finding]] = {}
        for finding in report.findings:
            self._findings_by_app.setdefault((finding.package, finding.user), []).append(finding)
        self._users_by_id = {user.id: user for user in report.users}

    def ordered_packages(self) -> tuple[str, ...]:
        """Packages in the order in which to act; those without a finding last."""
        order = dict.fromkeys(finding.package for finding in self.report.findings)
        place = {package: number for number, package in enumerate(order)}
        return tuple(sorted(self._apps_by_package, key=lambda package: (place.get(package, len(place)), package)))

    def installs_of(self, package: str) -> tuple[App, ...]:
        """The app for each user that has it."""
        return tuple(sorted(self._apps_by_package[package], key=lambda app: app.user))

    def findings_of(self, app: App) -> tuple[Finding, ...]:
        """What was found about this app of this user; the gravest first."""
        return tuple(self._findings_by_app.get((app.package, app.user), ()))

    def max_severity(self, app: App) -> Severity | None:
        """The highest of its findings."""
        return min((one.severity for one in self.findings_of(app)), key=lambda severity: severity.order, default=None)

    def steps_for(self, app: App) -> tuple[Step, ...]:
        """What to tap for this app and user."""
        return ordered_steps(self.findings_of(app))

    def app_title(self, app: App) -> str:
        """Its name, and whose copy it is."""
        name = display_name(app.label, app.package)
        if app.user == 0:
            return self.t("report.name", name=name)
        return self.t("report.copy_of", app=name, user=self.user_label(app.user))

    def user_label(self, user_id: int) -> Message:
        """An Android user, as its owner would call it."""
        user = self._users_by_id.get(user_id) or User(id=user_id, kind=UserKind.OTHER, checked=True, why_not=None)
        return Message(key=f"report.user_{user.kind}", values={"user": user.id})

    def has_gap(self, question: str) -> bool:
        """Whether the answer to `question` is missing or not whole, so that a finding could hide behind it."""
        return any(row.question == question and row.could_hide for row in self.report.coverage)

    def age_message(self, seconds: int) -> Message:
        """A length of time, in the largest unit that fits."""
        for unit, length in (("days", 86400), ("hours", 3600)):
            if seconds >= length:
                return Message(key=f"report.{unit}", values={"n": seconds // length})
        return Message(key="report.minutes", values={"n": seconds // 60})
