"""The printed kit: what is handed out or filled in before a workshop, without any phone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from privaudit import documents, knowledge, roms
from privaudit.documents.letters import incident_log_table
from privaudit.documents.render import sheets_to_html
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.knowledge import rights
from privaudit.report import gaps, legal_rules, save_text
from privaudit.report.rights import format_item, item_title
from privaudit.revocation import steps
from privaudit.workshop.model import Retention, consent_lines
from privaudit.workshop.outputs import step_blocks

_EVIDENCE_LOG_ROWS: Final = 9
_POSTER_STEPS: Final = (
    "kit.step_safety",
    "kit.step_talk",
    "kit.step_evidence",
    "kit.step_permissions",
    "kit.step_read",
    "kit.step_timeline",
    "kit.step_close",
    "kit.step_demand",
    "kit.step_again",
    "kit.step_complain",
    "kit.step_uninstall",
    "kit.step_leave",
)
_PAGE_STEPS: Final = (
    "kit.page_copy",
    "kit.page_helper",
    "kit.page_consent",
    "kit.page_connect",
    "kit.page_read",
    "kit.page_close",
    "kit.page_next",
    "kit.page_end",
)
_IPHONE_STEPS: Final = (
    "kit.iphone_1",
    "kit.iphone_2",
    "kit.iphone_3",
    "kit.iphone_4",
    "kit.iphone_5",
    "kit.iphone_6",
    "kit.iphone_7",
)
_HARMONY_STEPS: Final = (
    "kit.harmony_1",
    "kit.harmony_2",
    "kit.harmony_3",
    "kit.harmony_4",
    "kit.harmony_5",
    "kit.harmony_6",
)
_ROLES_OF_BLANKS: Final[Mapping[str, rights.OfficeRole]] = {
    "kit.police": "emergency",
    "kit.helpline": "crisis",
    "kit.regulator": "lenders",
}
"""Which blanks of the country's page its data can fill."""
_HELPLINE_BLANK: Final = "____________"

_Blocks: TypeAlias = Iterable[documents.DocumentBlock]


def write_kit(folder: Path, language: Translator, country: str | None = None) -> tuple[Path, ...]:
    """Write each kind of sheet to a file in `folder`, and all of them to one print job.

    Raises UsageError ``no_folder`` if there is no parent folder, SourceError ``not_written``.
    """
    if not folder.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(folder.absolute().parent))
    sheets_by_name = build_sheets(language, country)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SourceError("errors.not_written", path=str(folder), reason=error.strerror or str(error)) from error
    print_job = [sheet for sheets in sheets_by_name.values() for sheet in sheets]
    pages = {folder / "kit.html": sheets_to_html(print_job, title=language.t("kit.kit"))}
    pages |= {folder / f"{name}.html": sheets_to_html(sheets) for name, sheets in sheets_by_name.items()}
    for path, html in pages.items():
        save_text(html, path)
    return tuple(pages)


def build_sheets(language: Translator, country: str | None = None) -> Mapping[str, tuple[documents.Document, ...]]:
    """Build all sheets, by the name of their file. Of a country they name the offices, as the rights data do."""
    t = language.t

    def sheet(title: str, blocks: _Blocks, layout: documents.DocumentLayout = "page") -> tuple[documents.Document, ...]:
        return (documents.titled_document(title, language.code, blocks, layout=layout),)

    evidence_log = (documents.Paragraph(t("kit.log_keep")), incident_log_table(language, _EVIDENCE_LOG_ROWS))
    stock_steps = map(language.translate, steps.closing_steps(roms.phone_with_rom(roms.STOCK_ROM_ID)))
    closing = (documents.step_list([*stock_steps, t("kit.samsung")]), documents.Paragraph(t("kit.other_maker")))
    advice = ("kit.friends_why", "kit.friends_ask", "kit.friends_give", "kit.friends_stop", "kit.friends_keep")
    helpline = documents.Paragraph(t("kit.friends_help", helpline=_HELPLINE_BLANK))
    contacts = (documents.bullet_list(map(t, advice)), helpline)
    sheets = {
        "consent": sheet(t("kit.consent"), _consent_slip(language), "slip"),
        "usb": tuple(_usb_debugging_cards(language)),
        "poster": sheet(t("kit.poster"), [documents.step_list(map(language.t, _POSTER_STEPS))], "poster"),
        "evidence": sheet(t("kit.evidence"), evidence_log, "wide"),
        "closing": sheet(t("kit.closing"), closing),
        "friends": sheet(t("kit.friends"), contacts, "half"),
        "page": sheet(t("kit.page"), _page_card(language), "slip"),
        "iphone": sheet(t("kit.iphone"), _manual_check_sheet(language, "kit.iphone_why", _IPHONE_STEPS)),
        "harmony": sheet(t("kit.harmony"), _manual_check_sheet(language, "kit.harmony_why", _HARMONY_STEPS)),
    }
    if country is not None:
        sheets["country"] = sheet(
            t("kit.country", country=legal_rules.country_label(country)), _country_sheet(language, country)
        )
    return sheets


def _consent_slip(language: Translator) -> _Blocks:
    t = language.t
    yield documents.Heading(t("kit.talk"))
    # Without the title and the questions, which the sheet asks in its own way.
    yield documents.bullet_list([*consent_lines(Retention.HANDOUT, language)][2:])
    yield documents.checkbox_list(map(t, ("kit.own", "kit.adult", "kit.no_work", "kit.urgent", "kit.noticed")))
    yield documents.Heading(t("kit.i_agree"))
    yield documents.checkbox_list(map(t, ("kit.agree_read", "kit.agree_page", "kit.agree_full", "kit.agree_counts")))
    yield documents.notice(t("kit.no_name"))
    yield documents.blank_fields(*map(t, ("kit.duty", "kit.code", "kit.date", "kit.delete_by", "kit.initials")))


def _usb_debugging_cards(language: Translator) -> Iterator[documents.Document]:
    t = language.t
    for rom in roms.list_rom_ids():
        phone = roms.phone_with_rom(rom)
        yield documents.titled_document(
            t("kit.usb_other") if rom == roms.STOCK_ROM_ID else t("kit.usb", rom=roms.rom_title(rom)),
            language.code,
            layout="card",
            blocks=(
                documents.notice(t("report.taps_bank_first")),
                *documents.paragraphs(t("kit.screenshots_first"), t("kit.cable"), t("kit.allow_once")),
                documents.Heading(t("report.taps_usb_on")),
                *step_blocks(language, steps.enable_usb_debugging_steps(phone)),
                documents.Heading(t("kit.closing")),
                documents.step_list(map(language.translate, steps.closing_steps(phone))),
            ),
        )


def _page_card(language: Translator) -> _Blocks:
    """Yield how a helper checks phones with ``privaudit.html``, with its buttons as they are called there."""
    t = language.t
    buttons = {"connect": t("browser.connect"), "next_phone": t("browser.next_phone"), "done": t("browser.done")}
    yield documents.step_list(t(key, **buttons) for key in _PAGE_STEPS)
    yield documents.Paragraph(t("kit.page_differs"))


def _manual_check_sheet(language: Translator, reason_key: str, step_keys: Sequence[str]) -> _Blocks:
    t = language.t
    yield documents.Paragraph(t(reason_key))
    yield documents.step_list(map(t, step_keys))
    yield from documents.paragraphs(t("kit.unverified"), t("steps.no_recall"), t("report.not_advice"))


def _country_sheet(language: Translator, country: str) -> _Blocks:
    """Yield the offices and numbers of the country, each with its mark if it must be verified, then what is to fill in.

    Of a country without rights data everything is to be filled in.
    """
    t = language.t
    blanks = ["kit.police", "kit.helpline", "kit.legal_aid", "kit.regulator", "kit.interpreter", "kit.checked"]
    if country in rights.countries_with_rights():
        country_rights = rights.load_rights(country)
        missing_roles = country_rights.missing_roles()
        blanks = [key for key in blanks if _ROLES_OF_BLANKS.get(key) in {None, *missing_roles}]
        for step, offices in country_rights.stages():
            if offices:
                # One page has room for names and numbers; what each office does stands on the rights page.
                marks = (t("papers.check_mark") if office.verify else "" for office in offices)
                titles = (item_title(office, language) + mark for office, mark in zip(offices, marks, strict=True))
                yield documents.Paragraph(f"{format_item(step, language)} {t('dates.separator').join(titles)}")
    yield documents.Paragraph(t("kit.fill_in"))
    yield documents.blank_fields(*map(t, blanks))
    lists = knowledge.load_knowledge(country=country).describe_lists(country)
    today = datetime.now(UTC).date()
    coverage, *_ages = gaps.list_coverage_sentences(language, lists, country, today)
    yield documents.Paragraph(coverage)
