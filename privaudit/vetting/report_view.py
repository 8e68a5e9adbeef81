"""The sentences on an APK. Every form arranges these; none words them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from privaudit.i18n import Language, name_of
from privaudit.model import DataClass, LendingVerdict, Message, Value
from privaudit.report import legal_rules, lists
from privaudit.vetting.document import DATA, Ask, AskState, Kind, SdkFound, Sign, VettedApp, Vetting

_MEGA = 1e6
_NAMED = frozenset({"file", "label", "signers"})
"""Parts of `Gap` that are no entry of the file."""


def title(label: str | None, labels: Mapping[str, str], package: str, language: Language) -> str:
    """What to call an app: its name in the reader's language, else its default, else its package."""
    own = (words for tag, words in labels.items() if tag.partition("-")[0] == language.code)
    return name_of(next(own, label), package)


class Voice:
    """One document in one language."""

    def __init__(self, vetting: Vetting, language: Language) -> None:
        self.vetting = vetting
        self.language = language
        self.say = language.say

    def text(self, key: str, /, **values: Value) -> str:
        """A sentence of `english`."""
        return self.language.text(key, **values)

    def title(self, app: VettedApp) -> str:
        """What to call it: its name in the reader's language, else its default."""
        return title(app.label, app.labels, app.package, self.language)

    def head(self) -> Iterator[tuple[str, str]]:
        """Rows of name and value: which file, which app, who signed it."""
        file, app = self.vetting.file, self.vetting.app
        yield self.text("vetted.file"), self._file(file.kind)
        if app is None:
            return
        parts = [self.text("vetted.app_is", name=self.title(app))]
        if app.package != parts[0]:
            parts.append(self.text("vetted.package", package=app.package))
        if app.version_name is not None:
            parts.append(self.text("vetted.version", version=app.version_name))
        yield self.text("vetted.app"), "  ".join(parts)
        if app.certificates_sha256:
            yield self.text("vetted.signer"), self.text("vetted.signer_is", digest=app.certificates_sha256[0])
        elif app.signing_problem is not None:
            yield self.text("vetted.signer"), self.text("vetted.signer_unread", why=app.signing_problem)
        known = app.target_sdk is not None
        yield (
            self.text("vetted.made_for"),
            self.text("vetted.made_for_is" if known else "vetted.made_for_unknown", target=app.target_sdk),
        )

    def _file(self, kind: Kind) -> str:
        file = self.vetting.file
        if file.size is None:
            return self.text("vetted.file_unread", path=file.path)
        local = "vetted.file_is" if file.base is None else "vetted.file_base"
        size = f"{max(file.size / _MEGA, 0.1):.1f}"
        word = Message(key=f"vetted.kind_{kind}")
        return self.text(
            "vetted.file_installed" if kind == "installed" else local,
            path=file.path,
            kind=word,
            megabytes=size,
            entry=file.base,
            n=file.splits,
        )

    def asks(self, app: VettedApp) -> Iterator[tuple[str, AskState, str, str]]:
        """For each kind of data: its name, the state, its word, and what more is to be said."""
        for data in DATA:
            ask = app.asks[data]
            yield self.text(f"vetted.{data}"), ask.state, self.text(f"vetted.state_{ask.state}"), self._more(ask)

    def _more(self, ask: Ask) -> str:
        parts = []
        if "incoming" in ask.ways:
            parts.append(self.text("vetted.asks_incoming"))
        if ask.until_sdk is not None:
            parts.append(self.text("vetted.asks_until", sdk=ask.until_sdk))
        known = ("accessibility", "notification_listener", "all_files", "usage")
        parts += [self.text(f"vetted.way_{way}") for way in ask.ways if way in known]
        return self.language.text("dates.separator").join(parts)

    def beside(self, app: VettedApp) -> Iterator[str]:
        """What is to be said below the kinds of data."""
        if app.services:
            rights = tuple(Message(key=f"vetted.right_{kind}") for kind in app.services)
            yield self.text("vetted.also", rights=rights)
        if app.at_install:
            yield self.text("vetted.at_install")
        yield self.text("vetted.asked_is_not_taken")

    def known(self, app: VettedApp, today: date) -> Iterator[str]:
        """What lists and names say of it."""
        for finding in self.vetting.findings:
            values = {**finding.message.values, "app": self.title(app)}
            yield self.say(replace(finding.message, values=values))
        for listing in app.listed:
            yield from self._listing_more(listing.via, listing.action, disputed=listing.disputed)
        reasons = [reason for reason in app.lending.reasons if reason.key != "lending.listed"]
        yield from map(self.say, reasons)
        if not app.recognised:
            yield self.text("vetted.nothing_known")
        if app.launcher_labels:
            yield self.text("vetted.other_name", names=app.launcher_labels)
        if app.launcher_icon is False:
            yield self.text("vetted.no_icon")
        stamp = self.vetting.knowledge
        yield from lists.sentences(self.language, stamp.signatures, stamp.rules.country, today)

    def rules(self, app: VettedApp) -> Iterator[str]:
        """Which rules its permissions touch, and what these say."""
        stamp = self.vetting.knowledge.rules
        yield from legal_rules.cited(self.language, app.rules, installed=False)
        yield from legal_rules.explained(self.language, app.rules, stamp)
        if app.rules:
            yield self.text("vetted.rules_of_stores")
        else:
            yield self.text("vetted.rules_none" if app.recognised else "vetted.rules_for_lenders")
        yield from legal_rules.none_here(self.language, stamp)

    def _listing_more(self, via: str | None, action: str, *, disputed: bool) -> Iterator[str]:
        if via is not None:
            yield self.language.text("listed.via", via=via)
        if "spyloan" in action.casefold():
            yield self.language.text("listed.spyloan")
        if "reported" in action.casefold():
            yield self.language.text("listed.reported")
        if disputed:
            yield self.language.text("listed.disputed")

    def code(self, app: VettedApp) -> Iterator[str]:
        """Code of other makers, a sentence or more each."""
        for found in app.sdks:
            yield self._sdk(found)
        if app.sdks:
            yield self.text("vetted.code_sign")
        else:
            yield self.text("vetted.code_none", n=self.vetting.knowledge.sdks)

    def _sdk(self, found: SdkFound) -> str:
        names = " · ".join(dict.fromkeys((found.vendor, *found.names)))
        signs = tuple(map(_sign, found.signs))
        parts = [
            self.text(
                "vetted.code_is", names=names, purpose=Message(key=f"vetted.purpose_{found.purpose}"), signs=signs
            )
        ]
        if found.collects:
            parts.append(self.text("vetted.code_collects", collects=found.collects))
        parts.append(self.text("vetted.code_lending" if found.lending_specific else "vetted.code_ordinary"))
        return self.language.text("report.between_sentences").join(parts)

    def gaps(self) -> Iterator[str]:
        """What was not looked at: in this file, then in any."""
        yield from self.unread()
        for key in ("vetted.never_code", "vetted.never_later", "vetted.never_signature"):
            yield self.text(key)

    def unread(self) -> Iterator[str]:
        """What could not be read of this file."""
        for gap in self.vetting.gaps:
            part: Value = Message(key=f"vetted.part_{gap.part}") if gap.part in _NAMED else gap.part
            yield self.text("vetted.gap", part=part, why=gap.why)

    def advice(self) -> Iterator[str]:
        """What to do before it is handed data."""
        for key in ("vetted.advice_who", "vetted.advice_policy", "vetted.advice_contacts", "vetted.advice_store"):
            yield self.text(key)

    def result(self) -> Iterator[str]:
        """The answer in a few sentences."""
        app = self.vetting.app
        if app is None:
            yield self.text("vetted.result_unread", why=self.vetting.gaps[0].why)
            return
        asked = tuple(
            Message(key=f"data_access.{data}") for data in DataClass if app.asks[data].state != AskState.NOT_REQUESTED
        )
        embeds = app.lending.verdict is LendingVerdict.EMBEDS
        kind = "embeds" if embeds else "lender" if app.recognised else "other"
        yield self.text(f"vetted.result_{kind}{'' if asked else '_quiet'}", data=asked)
        published = [one for one in app.listed if one.tier in {"A", "B"}]
        if published:
            yield self.text("vetted.result_listed", n=len(published))
        if self.vetting.gaps:
            yield self.text("vetted.result_gaps", n=len(self.vetting.gaps))


def _sign(sign: Sign) -> Message:
    name = "spoken" if sign.kind == "class" and not sign.classes else sign.kind
    return Message(key=f"vetted.sign_{name}", values={"name": sign.name, "entry": sign.entry})
