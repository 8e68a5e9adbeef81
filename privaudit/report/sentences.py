"""What a report says, sentence by sentence. Every renderer arranges these; none words them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from privaudit.language import Language
from privaudit.model import (
    Access,
    AccessState,
    AnswerState,
    App,
    Coverage,
    DataClass,
    Finding,
    History,
    LendingVerdict,
    Listing,
    Message,
    Report,
    Requested,
    Severity,
    Step,
    User,
    UserKind,
    Value,
)

_DOORS: Final = {
    DataClass.CONTACTS: ("READ_CONTACTS",),
    DataClass.SMS: ("READ_SMS", "RECEIVE_SMS", "RECEIVE_MMS", "RECEIVE_WAP_PUSH"),
    DataClass.CALL_LOG: ("READ_CALL_LOG",),
}
_CLOSED: Final = frozenset({AccessState.NOT_ALLOWED, AccessState.NOT_REQUESTED})


class Sentences:
    """All sentences about one report, in one language."""

    def __init__(self, report: Report, language: Language) -> None:
        self.report = report
        self.text = language.text
        self.language = language
        self._apps: dict[str, list[App]] = {}
        for app in report.apps:
            self._apps.setdefault(app.package, []).append(app)
        self._findings: dict[tuple[str, int], list[Finding]] = {}
        for finding in report.findings:
            self._findings.setdefault((finding.package, finding.user), []).append(finding)

    # --- order ---

    def packages(self) -> tuple[str, ...]:
        """Packages in the order in which to act; those without a finding last."""
        order: dict[str, float] = {}
        for place, finding in enumerate(self.report.findings):
            order.setdefault(finding.package, place)
        return tuple(sorted(self._apps, key=lambda package: (order.get(package, len(order) + 1e9), package)))

    def copies(self, package: str) -> tuple[App, ...]:
        """The app for each user that has it."""
        return tuple(sorted(self._apps[package], key=lambda app: app.user))

    def severity(self, app: App) -> Severity | None:
        """The highest of its findings."""
        found = self._findings.get((app.package, app.user), ())
        return min((finding.severity for finding in found), key=lambda severity: severity.order, default=None)

    # --- head ---

    def head(self) -> Iterator[tuple[str, str]]:
        """Rows above the report: name of the row, and what it says."""
        report, clock = self.report, self.report.phone_clock
        if clock.offset_s is None:
            name = "when_file" if report.source.kind == "folder" else "when_computer"
            yield "checked", self.text(f"report.{name}", at_at=report.taken_at.isoformat())
        else:
            moment = report.taken_at + timedelta(seconds=clock.offset_s)
            moment = moment.astimezone(_zone(clock.zone)) if clock.zone else moment
            zone, offset = clock.zone or "UTC", abs(clock.offset_s)
            yield "checked", self.text("report.when_phone", at_at=moment.isoformat(), zone=zone, offset=offset)
        phone = report.phone
        rom = f"{phone.rom.name} {phone.rom.version}" if phone.rom.version else phone.rom.name
        if phone.sdk_inferred or (phone.manufacturer is None and phone.model is None):
            yield "phone", self.text("report.sdk_inferred", sdk=phone.sdk)
        else:
            names = {"maker": phone.manufacturer, "model": phone.model, "android": phone.android}
            yield "phone", self.text("report.phone_is", rom=rom, **names)
        yield "how", self.text(f"report.how_{report.source.kind}")
        yield "scope", self._scope()

    def _scope(self) -> str:
        checked = tuple(self.user(user) for user in self.report.users if user.checked)
        missed = tuple(self.user(user) for user in self.report.users if not user.checked)
        sentences = [self.text("report.scope_is", users=checked)] if checked else [self.text("report.scope_unknown")]
        if missed:
            sentences.append(self.text("report.scope_not", users=missed))
        return " ".join(sentences)

    @staticmethod
    def user(user: User) -> Message:
        """An Android user, as its owner would call it."""
        return Message(key=f"report.user_{user.kind}", values={"user": user.id})

    def _user_of(self, app: App) -> Message:
        kinds = {user.id: user for user in self.report.users}
        return self.user(kinds.get(app.user) or User(id=app.user, kind=UserKind.OTHER, checked=True, why_not=None))

    # --- the matrix ---

    def matrix_title(self) -> str:
        """Above the matrix."""
        shown_all = any(not app.recognised for app in self.report.apps) and len(self._apps) > self.report.counts.lending
        name = "report.matrix_all" if shown_all else "report.matrix"
        return self.text(name, n=self.report.counts.lending, seen=self.report.counts.apps_seen)

    def name(self, app: App) -> str:
        """What the app is called here: its label where it was read, else its package."""
        return self.text("report.name", name=app.label or app.package)

    def name_in_matrix(self, app: App) -> str:
        """Its name, and whose copy it is."""
        if app.user == 0:
            return self.name(app)
        return self.text("report.copy_of", app=app.label or app.package, user=self._user_of(app))

    def note(self, app: App) -> str:
        """Why it is here, in a few words."""
        tiers = {listing.tier for listing in app.listed}
        registered = any(reason.key.startswith("lending.registered") for reason in app.lending.reasons)
        reasons = (
            ("listed", tiers & {"A", "B"}),
            ("own", "own" in tiers),
            ("notified", "N" in tiers),
            ("embeds", app.lending.verdict is LendingVerdict.EMBEDS),
            ("registered", registered),
            ("lender", app.lending.verdict is LendingVerdict.YES),
            ("name", app.lending.verdict is LendingVerdict.LIKELY),
        )
        return next((self.text(f"report.note_{name}") for name, holds in reasons if holds), "")

    def cell(self, app: App, data: DataClass) -> tuple[str, str]:
        """Two short lines: can it read, and has it."""
        access = app.access[data]
        return self.text(f"report.state_{access.state}"), self._below(app, data, access)

    def _below(self, app: App, data: DataClass, access: Access) -> str:
        if access.history is History.RECORDED:
            if access.last_read is not None:
                return self.text("report.history_recorded", day_short=access.last_read.date().isoformat())
            return self.text("report.history_recorded_ago", ago=self._ago(access))
        if access.state.reads:
            return self.text(f"report.history_{access.history}")
        if access.state is AccessState.NOT_ALLOWED and self._asked(app, data) is not Requested.YES:
            return self.text("report.why_not_granted")
        return self.text(f"report.why_{access.state}")

    @staticmethod
    def _asked(app: App, data: DataClass) -> Requested:
        names = {permission.name.rpartition(".")[2]: permission for permission in app.permissions}
        asked = [names[door].requested for door in _DOORS[data] if door in names]
        return Requested.YES if Requested.YES in asked else Requested.UNKNOWN

    def _ago(self, access: Access) -> Message:
        seconds = access.last_read_age_s or 0
        for unit, length in (("days", 86400), ("hours", 3600)):
            if seconds >= length:
                return Message(key=f"report.{unit}", values={"n": seconds // length})
        return Message(key="report.minutes", values={"n": seconds // 60})

    def legend(self) -> Iterator[tuple[str, str]]:
        """Each word of the matrix that needs one, and its meaning."""
        states = {access.state for app in self.report.apps for access in app.access.values()}
        histories = {access.history for app in self.report.apps for access in app.access.values() if access.state.reads}
        recorded = any(a.history is History.RECORDED for app in self.report.apps for a in app.access.values())
        if AccessState.CAN_READ in states:
            yield self.text("report.state_can_read"), self.text("report.legend_can_read")
        if recorded:
            yield self.text("report.legend_word_recorded"), self.text("report.legend_recorded")
        if History.NO_RECORD in histories:
            yield self.text("report.history_no_record"), self.text("report.legend_no_record")
        if AccessState.UNKNOWN in states:
            yield self.text("report.state_unknown"), self.text("report.legend_unknown")
        if AccessState.BLOCKED in states:
            yield self.text("report.why_blocked"), self.text("report.legend_blocked")

    # --- one app ---

    def about(self, app: App) -> Iterator[str]:
        """Everything to say of one app for one user."""
        found = self._findings.get((app.package, app.user), [])
        for finding in sorted(found, key=lambda one: one.rule == "listed"):
            yield self.language.say(finding.message)
            if finding.rule == "data_access":
                yield from self._access(app)
        for listing in app.listed:
            yield from self._listing(listing)
        for reason in app.lending.reasons:
            if reason.key != "lending.listed":
                yield self.language.say(reason)
        if app.user != 0:
            yield self.text("report.in_user", user=self._user_of(app))
        if app.installer is not None:
            yield self.text("report.installed_by", installer=app.installer_name or app.installer)
        elif app.installer_known and not app.system:
            yield self.text("report.no_installer")

    def _access(self, app: App) -> Iterator[str]:
        for data, access in app.access.items():
            values = {"data": Message(key=f"data_access.{data}")}
            if access.history is History.RECORDED:
                if access.last_read is not None:
                    yield self.text("report.last_read", at_at=access.last_read.isoformat(), **values)
                else:
                    yield self.text("report.last_read_ago", ago=self._ago(access), **values)
            elif access.state.reads:
                yield self.text(
                    "report.no_record" if access.history is History.NO_RECORD else "report.history_not_read", **values
                )
            if access.ways == ("incoming",):
                yield self.text("report.only_incoming")
            if access.state is AccessState.BLOCKED:
                yield self.text("report.blocked", **values)
            if access.state is AccessState.UNKNOWN:
                yield self.text("report.not_read", **values)

    def _listing(self, listing: Listing) -> Iterator[str]:
        if listing.via is not None:
            yield self.text("listed.via", via=listing.via)
        if "spyloan" in listing.action.casefold():
            yield self.text("listed.spyloan")
        if "reported" in listing.action.casefold():
            yield self.text("listed.reported")
        chosen = self.report.knowledge.rules.country
        if listing.country is not None and listing.country != chosen:
            yield self.text("listed.elsewhere", country=listing.country)
        if listing.disputed:
            yield self.text("listed.disputed")

    def ground(self, app: App) -> str:
        """Where it is written: lines of the phone's answers, rows of lists."""
        places = dict.fromkeys(
            (one.question.removesuffix(f".{app.package}"), one.line)
            for finding in self._findings.get((app.package, app.user), ())
            for one in finding.evidence
        )
        parts = [self.text("report.ground_line", question=question, line=line) for question, line in places]
        parts += [self.text("report.ground_list", signature=listing.signature) for listing in app.listed]
        return self.text("report.ground_separator").join(parts)

    def steps(self, app: App) -> tuple[Step, ...]:
        """What to tap for this app and user."""
        return tuple(step for finding in self._findings.get((app.package, app.user), ()) for step in finding.steps)

    # --- what is not known ---

    def gaps(self) -> Iterator[str]:
        """What could not be read, and why. A whole phone's worth of gaps is said once a kind."""
        rows = dict.fromkeys(self._gap(row) for row in self.report.coverage if row.could_hide)
        yield from rows
        for user in self.report.users:
            if not user.checked:
                why = "refused" if user.why_not is AnswerState.REFUSED else "other"
                reason = Message(key=f"report.why_user_{why}")
                yield self.text("report.gap_user", user=self.user(user), why=reason)
        if any(row.question == "appops" and row.could_hide for row in self.report.coverage):
            yield self.text("report.gap_appops")

    def _gap(self, row: Coverage) -> str:
        what = Message(key=f"question.{row.question}")
        if row.state is AnswerState.ANSWERED:
            why = Message(key="coverage.unparsed", values={"n": row.unparsed_lines})
            return self.text("report.gap_answered", what=what, why=why)
        if row.state is AnswerState.UNREADABLE and row.detail is not None:
            return self.text("report.gap_unreadable_why", what=what, why=row.detail)
        live = self.report.source.kind not in {"folder", "bugreport", "androidqf"}
        state = "lost" if row.state is AnswerState.NOT_ASKED and live else row.state.value
        return self.text(f"report.gap_{state}", what=what)

    def gap_count(self) -> int:
        """How many things could not be checked."""
        rows = {self._gap(row) for row in self.report.coverage if row.could_hide}
        return len(rows) + sum(not user.checked for user in self.report.users)

    def never(self) -> Iterator[str]:
        """What no check of this kind can see, and what the lists are worth here."""
        for name in ("uninstalled", "mini", "sent", "elsewhere", "names"):
            yield self.text(f"report.never_{name}")
        stamp, country = self.report.knowledge.signatures, self.report.knowledge.rules.country
        values: dict[str, Value] = {
            "packages": stamp.packages,
            "newest_on": stamp.newest or "",
            "here": stamp.packages_for_country,
        }
        if country is None:
            yield self.text("report.list_is", **values)
            yield self.text("report.list_choose")
        else:
            name = "report.list_country" if stamp.packages_for_country else "report.list_country_none"
            yield self.text(name, country=country, **values)
        if self.report.counts.suspect:
            yield self.text("report.suspects", n=self.report.counts.suspect)
            yield self.text("report.suspects_how")

    # --- the end ---

    def summary(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The result, what to remember, what to do next."""
        yield "summary", tuple(self.result())
        yield (
            "remember",
            (
                self.text("steps.no_recall"),
                self.text("report.remember_debt"),
                self.text("report.not_advice"),
            ),
        )
        yield "next", (self.text("report.next_connect" if self.report.demo else "report.next_save"),)
        yield "leaving", (self.text("report.leaving_steps"),)

    def result(self) -> Iterator[str]:
        """The verdict in a few sentences. Never "clean"."""
        counts, gaps = self.report.counts, self.gap_count()
        if counts.lending:
            yield self.text("report.found", n=counts.lending, contacts=counts.lending_can_read[DataClass.CONTACTS])
            if counts.listed:
                yield self.text("report.found_listed", n=counts.listed)
            if not self.report.complete:
                yield self.text("report.found_gaps", n=gaps)
        elif self.report.complete:
            yield self.text("report.nothing_complete")
        else:
            yield self.text("report.nothing_gaps", n=gaps)


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
