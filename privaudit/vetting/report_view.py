"""The sentences on an APK. Every form arranges these; none words them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from privaudit.i18n import Translator
from privaudit.i18n.sanitize import display_name
from privaudit.model import DataClass, LendingVerdict, Message, MessageValue
from privaudit.report import gaps, legal_rules
from privaudit.vetting.document import (
    DATA_CLASSES,
    DataRequest,
    DataRequestState,
    DetectedSdk,
    FileKind,
    SdkSign,
    VettedApp,
    VettingReport,
)

_BYTES_PER_MB = 1e6
_TRANSLATED_PARTS = frozenset({"file", "label", "signers"})
"""Parts of `Gap` that are no entry of the file."""


def localized_app_title(
    default_label: str | None, labels: Mapping[str, str], package: str, language: Translator
) -> str:
    """What to call an app: its name in the reader's language, else its default, else its package."""
    own = (words for tag, words in labels.items() if tag.partition("-")[0] == language.code)
    return display_name(next(own, default_label), package)


class VettingView:
    """One document in one language."""

    def __init__(self, vetting: VettingReport, language: Translator) -> None:
        self.vetting = vetting
        self.language = language
        self.translate = language.translate

    def t(self, key: str, /, **values: MessageValue) -> str:
        """A sentence of `english`."""
        return self.language.t(key, **values)

    def app_title(self, app: VettedApp) -> str:
        """What to call it: its name in the reader's language, else its default."""
        return localized_app_title(app.label, app.labels, app.package, self.language)

    def header_rows(self) -> Iterator[tuple[str, str]]:
        """Rows of name and value: which file, which app, who signed it."""
        file, app = self.vetting.file, self.vetting.app
        yield self.t("vetted.file"), self._file_description(file.kind)
        if app is None:
            return
        parts = [self.t("vetted.app_is", name=self.app_title(app))]
        if app.package != parts[0]:
            parts.append(self.t("vetted.package", package=app.package))
        if app.version_name is not None:
            parts.append(self.t("vetted.version", version=app.version_name))
        yield self.t("vetted.app"), "  ".join(parts)
        if app.certificates_sha256:
            yield self.t("vetted.signer"), self.t("vetted.signer_is", digest=app.certificates_sha256[0])
        elif app.signing_problem is not None:
            yield self.t("vetted.signer"), self.t("vetted.signer_unread", why=app.signing_problem)
        known = app.target_sdk is not None
        yield (
            self.t("vetted.made_for"),
            self.t("vetted.made_for_is" if known else "vetted.made_for_unknown", target=app.target_sdk),
        )

    def _file_description(self, kind: FileKind) -> str:
        file = self.vetting.file
        if file.size is None:
            return self.t("vetted.file_unread", path=file.path)
        local = "vetted.file_is" if file.base is None else "vetted.file_base"
        size = f"{max(file.size / _BYTES_PER_MB, 0.1):.1f}"
        word = Message(key=f"vetted.kind_{kind}")
        return self.t(
            "vetted.file_installed" if kind == "installed" else local,
            path=file.path,
            kind=word,
            megabytes=size,
            entry=file.base,
            n=file.splits,
        )

    def data_request_rows(self, app: VettedApp) -> Iterator[tuple[str, DataRequestState, str, str]]:
        """For each kind of data: its name, the state, its word, and what more is to be said."""
        for data in DATA_CLASSES:
            ask = app.asks[data]
            yield self.t(f"vetted.{data}"), ask.state, self.t(f"vetted.state_{ask.state}"), self._request_details(ask)

    def _request_details(self, ask: DataRequest) -> str:
        parts = []
        if "incoming" in ask.ways:
            parts.append(self.t("vetted.asks_incoming"))
        if ask.until_sdk is not None:
            parts.append(self.t("vetted.asks_until", sdk=ask.until_sdk))
        known = ("accessibility", "notification_listener", "all_files", "usage")
        parts += [self.t(f"vetted.way_{way}") for way in ask.ways if way in known]
        return self.language.t("dates.separator").join(parts)

    def request_notes(self, app: VettedApp) -> Iterator[str]:
        """What is to be said below the kinds of data."""
        if app.services:
            rights = tuple(Message(key=f"vetted.right_{kind}") for kind in app.services)
            yield self.t("vetted.also", rights=rights)
        if app.at_install:
            yield self.t("vetted.at_install")
        yield self.t("vetted.asked_is_not_taken")

    def recognition_sentences(self, app: VettedApp, today: date) -> Iterator[str]:
        """What lists and names say of it."""
        for finding in self.vetting.findings:
            values = {**finding.message.values, "app": self.app_title(app)}
            yield self.translate(replace(finding.message, values=values))
        for listing in app.listed:
            yield from self._listing_notes(listing.via, listing.action, disputed=listing.disputed)
        reasons = [reason for reason in app.lending.reasons if reason.key != "lending.listed"]
        yield from map(self.translate, reasons)
        if not app.is_recognised:
            yield self.t("vetted.nothing_known")
        if app.launcher_labels:
            yield self.t("vetted.other_name", names=app.launcher_labels)
        if app.launcher_icon is False:
            yield self.t("vetted.no_icon")
        stamp = self.vetting.knowledge
        yield from gaps.list_coverage_sentences(self.language, stamp.signatures, stamp.rules.country, today)

    def legal_rule_sentences(self, app: VettedApp) -> Iterator[str]:
        """Which rules its permissions touch, and what these say."""
        stamp = self.vetting.knowledge.rules
        yield from legal_rules.cite_rules(self.language, app.rules, installed=False)
        yield from legal_rules.explain_rules(self.language, app.rules, stamp)
        if app.rules:
            yield self.t("vetted.rules_of_stores")
        else:
            yield self.t("vetted.rules_none" if app.is_recognised else "vetted.rules_for_lenders")
        yield from legal_rules.no_rules_notice(self.language, stamp)

    def _listing_notes(self, via: str | None, action: str, *, disputed: bool) -> Iterator[str]:
        if via is not None:
            yield self.language.t("listed.via", via=via)
        if "spyloan" in action.casefold():
            yield self.language.t("listed.spyloan")
        if "reported" in action.casefold():
            yield self.language.t("listed.reported")
        if disputed:
            yield self.language.t("listed.disputed")

    def sdk_sentences(self, app: VettedApp) -> Iterator[str]:
        """Code of other makers, a sentence or more each."""
        for found in app.sdks:
            yield self._sdk_sentence(found)
        if app.sdks:
            yield self.t("vetted.code_sign")
        else:
            yield self.t("vetted.code_none", n=self.vetting.knowledge.sdks)

    def _sdk_sentence(self, sdk: DetectedSdk) -> str:
        names = " · ".join(dict.fromkeys((sdk.vendor, *sdk.names)))
        signs = tuple(map(_sign_message, sdk.signs))
        parts = [
            self.t("vetted.code_is", names=names, purpose=Message(key=f"vetted.purpose_{sdk.purpose}"), signs=signs)
        ]
        if sdk.collects:
            parts.append(self.t("vetted.code_collects", collects=sdk.collects))
        parts.append(self.t("vetted.code_lending" if sdk.lending_specific else "vetted.code_ordinary"))
        return self.language.t("report.between_sentences").join(parts)

    def limit_sentences(self) -> Iterator[str]:
        """What was not looked at: in this file, then in any."""
        yield from self.gap_sentences()
        for key in ("vetted.never_code", "vetted.never_later", "vetted.never_signature"):
            yield self.t(key)

    def gap_sentences(self) -> Iterator[str]:
        """What could not be read of this file."""
        for gap in self.vetting.gaps:
            part: MessageValue = Message(key=f"vetted.part_{gap.part}") if gap.part in _TRANSLATED_PARTS else gap.part
            yield self.t("vetted.gap", part=part, why=gap.why)

    def advice_sentences(self) -> Iterator[str]:
        """What to do before it is handed data."""
        for key in ("vetted.advice_who", "vetted.advice_policy", "vetted.advice_contacts", "vetted.advice_store"):
            yield self.t(key)

    def summary_sentences(self) -> Iterator[str]:
        """The answer in a few sentences."""
        app = self.vetting.app
        if app is None:
            yield self.t("vetted.result_unread", why=self.vetting.gaps[0].why)
            return
        asked = tuple(
            Message(key=f"data_access.{data}")
            for data in DataClass
            if app.asks[data].state != DataRequestState.NOT_REQUESTED
        )
        embeds = app.lending.verdict is LendingVerdict.EMBEDS
        kind = "embeds" if embeds else "lender" if app.is_recognised else "other"
        yield self.t(f"vetted.result_{kind}{'' if asked else '_quiet'}", data=asked)
        published = [one for one in app.listed if one.tier in {"A", "B"}]
        if published:
            yield self.t("vetted.result_listed", n=len(published))
        if self.vetting.gaps:
            yield self.t("vetted.result_gaps", n=len(self.vetting.gaps))


def _sign_message(sign: SdkSign) -> Message:
    name = "spoken" if sign.kind == "class" and not sign.classes else sign.kind
    return Message(key=f"vetted.sign_{name}", values={"name": sign.name, "entry": sign.entry})
