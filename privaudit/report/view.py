"""One report in one language: what every renderer and every part of the report shares.

Each part of the report has a module (`summary`, `matrix`, `app_details`, `gaps` …) with functions that take a view and
return sentences. The renderers arrange these sentences; none of them writes its own.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from privaudit.i18n import Translator
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, DataClass, Finding, Message, Report, Severity, UserKind
from privaudit.revocation.steps import StepBlock, step_blocks

DATA_NAME_KEYS: Final[Mapping[DataClass, str]] = {
    DataClass.CONTACTS: "data_access.contacts",
    DataClass.SMS: "data_access.sms",
    DataClass.CALL_LOG: "data_access.call_log",
}
"""Kind of data → its name in a sentence."""
SPECIAL_ACCESS_KEYS: Final[Mapping[str, str]] = {
    "accessibility": "diff.accessibility",
    "notification_listener": "diff.notification_listener",
    "device_admin": "diff.device_admin",
    "device_owner": "diff.device_owner",
    "profile_owner": "diff.profile_owner",
    "default_sms": "diff.default_sms",
    "default_phone": "diff.default_phone",
    "overlay": "diff.overlay",
    "usage": "diff.usage",
    "all_files": "diff.all_files",
    "install_packages": "diff.install_packages",
    "input_method": "diff.input_method",
}
"""Kind of special access → its name."""
SPECIAL_ACCESS_QUESTIONS: Final = frozenset({"settings", "roles", "device_policy", "appops", "packages"})
"""Questions whose answers show special access. If one is missing, a kind that is not seen may be held all the same."""
_SEVERITY_KEYS: Final[Mapping[Severity, str]] = {
    Severity.HIGH: "report.high",
    Severity.MEDIUM: "report.medium",
    Severity.LOW: "report.low",
    Severity.INFO: "report.info",
}
_USER_KEYS: Final[Mapping[UserKind, str]] = {
    UserKind.OWNER: "report.user_owner",
    UserKind.WORK_PROFILE: "report.user_work_profile",
    UserKind.CLONE: "report.user_clone",
    UserKind.PRIVATE_SPACE: "report.user_private_space",
    UserKind.SECURE_FOLDER: "report.user_secure_folder",
    UserKind.OTHER: "report.user_other",
}
_TIME_UNITS: Final = (("report.days", 86400), ("report.hours", 3600), ("report.minutes", 60))
"""Message key and seconds of each unit, the largest first."""


class ReportView:
    """A report, a language, and the apps in the order in which to act."""

    def __init__(self, report: Report, language: Translator, *, is_page: bool = False, is_brief: bool = False) -> None:
        self.report = report
        self.is_page = is_page
        """Whether it is for a borrower's page, which says nothing of commands."""
        self.is_brief = is_brief or is_page
        """Whether it is for one screen or page: without clocks that hardly differ and blank lines between sections."""
        self.language = replace(language, month_precision=report.shared)
        self.t = self.language.t
        self.translate = self.language.translate
        self._apps_by_package: dict[str, list[App]] = {}
        for app in report.apps:
            self._apps_by_package.setdefault(app.package, []).append(app)
        self._findings_by_app: dict[tuple[str, int], list[Finding]] = {}
        for finding in report.findings:
            self._findings_by_app.setdefault((finding.package, finding.user), []).append(finding)
        self._user_kinds = {user.id: user.kind for user in report.users}
        self.app_numbers = {package: number for number, package in enumerate(self.ordered_packages(), 1)}
        """The number of each package, by which the parts of a report refer to it."""

    def ordered_packages(self) -> tuple[str, ...]:
        """Return the packages in the order in which to act; packages without a finding last."""
        with_findings = dict.fromkeys(finding.package for finding in self.report.findings)
        rank = {package: index for index, package in enumerate(with_findings)}
        return tuple(sorted(self._apps_by_package, key=lambda package: (rank.get(package, len(rank)), package)))

    def ordered_apps(self) -> tuple[App, ...]:
        """Return the app of each user, in the order of `ordered_packages`."""
        return tuple(app for package in self.ordered_packages() for app in self.installs_of(package))

    def installs_of(self, package: str) -> tuple[App, ...]:
        """Return the app for each user that has it."""
        return tuple(sorted(self._apps_by_package[package], key=lambda app: app.user))

    def findings_of(self, app: App) -> tuple[Finding, ...]:
        """Return the findings about this app of this user, the most severe first."""
        return tuple(self._findings_by_app.get((app.package, app.user), ()))

    def max_severity(self, app: App) -> Severity | None:
        """Return the highest severity of the app's findings."""
        severities = (finding.severity for finding in self.findings_of(app))
        return min(severities, key=lambda severity: severity.order, default=None)

    def severity_label(self, severity: Severity) -> str:
        """Return what a severity asks of the reader: "act first"."""
        return self.t(_SEVERITY_KEYS[severity])

    def step_blocks(self, app: App) -> tuple[StepBlock, ...]:
        """Return the taps that close what was found about this app of this user, a block for each kind of access."""
        return step_blocks(self.findings_of(app))

    def app_title(self, app: App) -> str:
        """Return the name of an app, with the user if it is not the owner's."""
        name = display_name(app.label, app.package)
        if app.user == 0:
            return self.t("report.name", name=name)
        return self.t("report.copy_of", app=name, user=self.user_label(app.user))

    def user_label(self, user_id: int) -> Message:
        """Return the message that names an Android user as its owner would."""
        return Message(key=_USER_KEYS[self._user_kinds.get(user_id, UserKind.OTHER)], values={"user": user_id})

    def special_access_label(self, kind: str) -> str:
        """Return the name of a kind of special access; of a kind that a later version added, its key."""
        return self.t(SPECIAL_ACCESS_KEYS.get(kind, "diff." + kind))

    def has_gap(self, question: str) -> bool:
        """Return whether the answer to `question` is missing or incomplete, so that it could hide a finding."""
        return any(row.question == question and row.could_hide for row in self.report.coverage)

    def age_message(self, seconds: int) -> Message:
        """Return a length of time in days, hours or minutes, the largest unit that fits."""
        key, unit_s = next((unit for unit in _TIME_UNITS if seconds >= unit[1]), _TIME_UNITS[-1])
        return Message(key=key, values={"n": seconds // unit_s})
