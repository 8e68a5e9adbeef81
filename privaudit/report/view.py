"""What a report says, sentence by sentence. Every renderer arranges these; none words them.

One file for each part of the report; `Voice` is what they share.
"""

from __future__ import annotations

from dataclasses import replace

from privaudit.i18n import Language, name_of
from privaudit.model import App, Finding, Message, Report, Severity, Step, User, UserKind
from privaudit.revocation.steps import in_order


class Voice:
    """One report in one language: its words, and its apps in the order in which to act."""

    def __init__(self, report: Report, language: Language) -> None:
        self.report = report
        self.language = replace(language, months=report.shared)
        self.text = self.language.text
        self.say = self.language.say
        self._apps: dict[str, list[App]] = {}
        for app in report.apps:
            self._apps.setdefault(app.package, []).append(app)
        self._findings: dict[tuple[str, int], list[Finding]] = {}
        for finding in report.findings:
            self._findings.setdefault((finding.package, finding.user), []).append(finding)
        self._users = {user.id: user for user in report.users}

    def packages(self) -> tuple[str, ...]:
        """Packages in the order in which to act; those without a finding last."""
        order = dict.fromkeys(finding.package for finding in self.report.findings)
        place = {package: number for number, package in enumerate(order)}
        return tuple(sorted(self._apps, key=lambda package: (place.get(package, len(place)), package)))

    def copies(self, package: str) -> tuple[App, ...]:
        """The app for each user that has it."""
        return tuple(sorted(self._apps[package], key=lambda app: app.user))

    def findings(self, app: App) -> tuple[Finding, ...]:
        """What was found about this app of this user; the gravest first."""
        return tuple(self._findings.get((app.package, app.user), ()))

    def severity(self, app: App) -> Severity | None:
        """The highest of its findings."""
        return min((one.severity for one in self.findings(app)), key=lambda severity: severity.order, default=None)

    def steps(self, app: App) -> tuple[Step, ...]:
        """What to tap for this app and user."""
        return in_order(self.findings(app))

    def title(self, app: App) -> str:
        """Its name, and whose copy it is."""
        name = name_of(app.label, app.package)
        if app.user == 0:
            return self.text("report.name", name=name)
        return self.text("report.copy_of", app=name, user=self.user(app.user))

    def user(self, number: int) -> Message:
        """An Android user, as its owner would call it."""
        user = self._users.get(number) or User(id=number, kind=UserKind.OTHER, checked=True, why_not=None)
        return Message(key=f"report.user_{user.kind}", values={"user": user.id})

    def gap(self, question: str) -> bool:
        """Whether the answer to `question` is missing or not whole, so that a finding could hide behind it."""
        return any(row.question == question and row.could_hide for row in self.report.coverage)

    def ago(self, seconds: int) -> Message:
        """A length of time, in the largest unit that fits."""
        for unit, length in (("days", 86400), ("hours", 3600)):
            if seconds >= length:
                return Message(key=f"report.{unit}", values={"n": seconds // length})
        return Message(key="report.minutes", values={"n": seconds // 60})
