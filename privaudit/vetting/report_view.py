"""Word a vetting document: the sentences that the text and the HTML page arrange."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from privaudit.i18n import Translator
from privaudit.i18n.sanitize import display_name
from privaudit.knowledge.schema import SdkPurpose
from privaudit.model import DataClass, LendingVerdict, Message, MessageValue, OtherDataClass
from privaudit.report import gaps, legal_rules
from privaudit.report.app_details import list_match_sentences
from privaudit.vetting import document
from privaudit.vetting.evaluate import obtainable_data

DATA_NAME_KEYS: Final[Mapping[DataClass | OtherDataClass, str]] = {
    DataClass.CONTACTS: "vetted.contacts",
    DataClass.SMS: "vetted.sms",
    DataClass.CALL_LOG: "vetted.call_log",
    OtherDataClass.PHONE: "vetted.phone",
    OtherDataClass.LOCATION: "vetted.location",
    OtherDataClass.MEDIA: "vetted.media",
    OtherDataClass.APP_LIST: "vetted.app_list",
}
REQUEST_STATE_KEYS: Final[Mapping[document.DataRequestState, str]] = {
    document.DataRequestState.MAY_ASK: "vetted.state_may_ask",
    document.DataRequestState.ANOTHER_WAY: "vetted.state_another_way",
    document.DataRequestState.NEEDS_NOBODY: "vetted.state_needs_nobody",
    document.DataRequestState.NOT_REQUESTED: "vetted.state_not_requested",
}
_FILE_KIND_KEYS: Final[Mapping[document.FileKind, str]] = {
    "apk": "vetted.kind_apk",
    "xapk": "vetted.kind_xapk",
    "apks": "vetted.kind_apks",
    "apkm": "vetted.kind_apkm",
    "installed": "vetted.kind_installed",
    "unknown": "vetted.kind_unknown",
}
_WAY_KEYS: Final[Mapping[str, str]] = {
    "implied": "vetted.way_implied",
    "accessibility": "vetted.way_accessibility",
    "notification_listener": "vetted.way_notification_listener",
    "all_files": "vetted.way_all_files",
    "usage": "vetted.way_usage",
}
"""The ways to data that are named beside its state; `DataRequest.ways` has others too."""
_SPECIAL_ACCESS_KEYS: Final[Mapping[str, str]] = {
    "accessibility": "vetted.right_accessibility",
    "notification_listener": "vetted.right_notification_listener",
    "device_admin": "vetted.right_device_admin",
    "input_method": "vetted.right_input_method",
    "overlay": "vetted.right_overlay",
    "usage": "vetted.right_usage",
    "all_files": "vetted.right_all_files",
    "install_packages": "vetted.right_install_packages",
}
_SDK_PURPOSE_KEYS: Final[Mapping[SdkPurpose, str]] = {
    "alt_credit_score": "vetted.purpose_alt_credit_score",
    "contact_sms_harvest": "vetted.purpose_contact_sms_harvest",
    "credit_data_crawler": "vetted.purpose_credit_data_crawler",
    "device_fingerprint": "vetted.purpose_device_fingerprint",
    "generic_antifraud": "vetted.purpose_generic_antifraud",
    "identity_check": "vetted.purpose_identity_check",
}
_GAP_PART_KEYS: Final[Mapping[str, str]] = {
    "file": "vetted.part_file",
    "label": "vetted.part_label",
    "signers": "vetted.part_signers",
    "package": "vetted.part_package",
    "permissions": "vetted.part_permissions",
    "components": "vetted.part_components",
}
"""Values of `Gap.part` that are not an entry of the file."""
_SECOND_READING_KEYS: Final[Mapping[document.SecondReadingState, str]] = {
    document.SecondReadingState.FAILED: "vetted.second_failed",
    document.SecondReadingState.TOO_SLOW: "vetted.second_too_slow",
    document.SecondReadingState.TOO_LARGE: "vetted.second_too_large",
}
_BYTES_PER_MB: Final = 1e6


def localized_app_title(
    default_label: str | None, labels: Mapping[str, str], package: str, language: Translator
) -> str:
    """Return an app's name in the reader's language, else its default name, else its package."""
    localized = (label for tag, label in labels.items() if tag.partition("-")[0] == language.code)
    return display_name(next(localized, default_label), package)


class VettingView:
    """The sentences of one document in one language."""

    def __init__(self, vetting: document.VettingReport, language: Translator) -> None:
        self.vetting = vetting
        self.language = language
        self.t = language.t

    def app_title(self, app: document.VettedApp) -> str:
        """Return the app's name in the reader's language, else its default name, else its package."""
        return localized_app_title(app.label, app.labels, app.package, self.language)

    def header_rows(self) -> Iterator[tuple[str, str]]:
        """Yield label and value: the file, the app, its signer, the Android that it targets."""
        app = self.vetting.app
        yield self.t("vetted.file"), self._file_description()
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
        target_key = "vetted.made_for_is" if app.target_sdk is not None else "vetted.made_for_unknown"
        yield self.t("vetted.made_for"), self.t(target_key, target=app.target_sdk)

    def _file_description(self) -> str:
        file = self.vetting.file
        if file.size is None:
            return self.t("vetted.file_unread", path=file.path)
        if file.kind == "installed":
            key = "vetted.file_installed"
        else:
            key = "vetted.file_is" if file.base is None else "vetted.file_base"
        return self.t(
            key,
            path=file.path,
            kind=Message(key=_FILE_KIND_KEYS[file.kind]),
            megabytes=f"{max(file.size / _BYTES_PER_MB, 0.1):.1f}",
            entry=file.base,
            n=file.splits,
        )

    def data_request_rows(self, app: document.VettedApp) -> Iterator[tuple[str, document.DataRequestState, str, str]]:
        """Yield for each kind of data its name, the state, the state in words, and details."""
        for data_class in document.DATA_CLASSES:
            request = app.asks[data_class]
            yield (
                self.t(DATA_NAME_KEYS[data_class]),
                request.state,
                self.t(REQUEST_STATE_KEYS[request.state]),
                self._request_details(request),
            )

    def _request_details(self, request: document.DataRequest) -> str:
        parts = []
        if "incoming" in request.ways:
            parts.append(self.t("vetted.asks_incoming"))
        if request.until_sdk is not None:
            parts.append(self.t("vetted.asks_until", sdk=request.until_sdk))
        parts += [self.t(_WAY_KEYS[way]) for way in request.ways if way in _WAY_KEYS]
        return self.t("dates.separator").join(parts)

    def request_notes(self, app: document.VettedApp) -> Iterator[str]:
        """Yield the notes below the kinds of data."""
        if app.services:
            rights = tuple(Message(key=_SPECIAL_ACCESS_KEYS[kind]) for kind in app.services)
            yield self.t("vetted.also", rights=rights)
        if app.at_install:
            yield self.t("vetted.at_install")
        yield self.t("vetted.asked_is_not_taken")

    def recognition_sentences(self, app: document.VettedApp, today: date) -> Iterator[str]:
        """Yield what lists and names tell about the app, and how much the lists cover."""
        for finding in self.vetting.findings:
            values = {**finding.message.values, "app": self.app_title(app)}
            yield self.language.translate(replace(finding.message, values=values))
        for match in app.listed:
            yield from list_match_sentences(self.t, match, match.country, today)
        translate = self.language.translate
        yield from (translate(reason) for reason in app.lending.reasons if reason.key != "lending.listed")
        if not app.is_recognised:
            yield self.t("vetted.nothing_known")
        if app.launcher_labels:
            yield self.t("vetted.other_name", names=app.launcher_labels)
        if app.launcher_icon is False:
            yield self.t("vetted.no_icon")
        info = self.vetting.knowledge
        yield from gaps.list_coverage_sentences(self.language, info.signatures, info.rules.country, today)

    def legal_rule_sentences(self, app: document.VettedApp) -> Iterator[str]:
        """Yield the rules that the app's permissions touch, and what each rule says."""
        rule_set = self.vetting.knowledge.rules
        yield from legal_rules.cite_rules(self.language, app.rules, installed=False)
        yield from legal_rules.explain_rules(self.language, app.rules, rule_set)
        no_rules_key = "vetted.rules_none" if app.is_recognised else "vetted.rules_for_lenders"
        yield self.t("vetted.rules_of_stores" if app.rules else no_rules_key)
        yield from legal_rules.no_rules_notice(self.language, rule_set)

    def sdk_sentences(self, app: document.VettedApp) -> Iterator[str]:
        """Yield a paragraph on each detected SDK."""
        yield from map(self._sdk_paragraph, app.sdks)
        yield self.t("vetted.code_sign") if app.sdks else self.t("vetted.code_none", n=self.vetting.knowledge.sdks)

    def _sdk_paragraph(self, sdk: document.DetectedSdk) -> str:
        names = " · ".join(dict.fromkeys((sdk.vendor, *sdk.names)))
        purpose = Message(key=_SDK_PURPOSE_KEYS[sdk.purpose])
        parts = [self.t("vetted.code_is", names=names, purpose=purpose, signs=tuple(map(_sign_message, sdk.signs)))]
        if sdk.collects:
            parts.append(self.t("vetted.code_collects", collects=sdk.collects))
        parts.append(self.t("vetted.code_lending" if sdk.lending_specific else "vetted.code_ordinary"))
        return self.t("report.between_sentences").join(parts)

    def limit_sentences(self) -> Iterator[str]:
        """Yield what was not examined: in this file, then in any file."""
        for gap in self.vetting.gaps:
            part: MessageValue = Message(key=_GAP_PART_KEYS[gap.part]) if gap.part in _GAP_PART_KEYS else gap.part
            yield self.t("vetted.gap", part=part, why=gap.why)
        reading = self.vetting.second_reading
        if reading is not None and reading.state in _SECOND_READING_KEYS:
            yield self.t(_SECOND_READING_KEYS[reading.state], reader=reading.reader)
        yield from map(self.t, ("vetted.never_code", "vetted.never_later", "vetted.never_signature"))

    def advice_sentences(self) -> Iterator[str]:
        """Yield what to do before the app is given any data."""
        keys = ("vetted.advice_who", "vetted.advice_policy", "vetted.advice_contacts", "vetted.advice_store")
        yield from map(self.t, keys)

    def summary_sentences(self) -> Iterator[str]:
        """Yield the result: a verdict, then what else to know."""
        app = self.vetting.app
        if app is None:
            yield self.t("vetted.result_unread", why=self.vetting.gaps[0].why)
            return
        obtainable = obtainable_data(app)
        yield self.t(_result_key(app, may_obtain=bool(obtainable)), data=obtainable)
        if published := sum(match.tier in {"A", "B"} for match in app.listed):
            yield self.t("vetted.result_listed", n=published)
        if self.vetting.second_reading is not None and self.vetting.second_reading.differences:
            yield self.t("vetted.result_differs")
        if self.vetting.gaps:
            yield self.t("vetted.result_gaps", n=len(self.vetting.gaps))


def _result_key(app: document.VettedApp, *, may_obtain: bool) -> str:
    if app.lending.verdict is LendingVerdict.EMBEDS:
        return "vetted.result_embeds" if may_obtain else "vetted.result_embeds_quiet"
    if app.is_recognised:
        return "vetted.result_lender" if may_obtain else "vetted.result_lender_quiet"
    return "vetted.result_other" if may_obtain else "vetted.result_other_quiet"


def _sign_message(sign: document.SdkSign) -> Message:
    if sign.kind == "class":
        key = "vetted.sign_class" if sign.classes else "vetted.sign_spoken"
    else:
        key = "vetted.sign_library" if sign.kind == "library" else "vetted.sign_component"
    return Message(key=key, values={"name": sign.name, "entry": sign.entry})
