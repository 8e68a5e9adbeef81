"""The printed kit: what is handed out or filled in before a workshop, without any phone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from privaudit import knowledge, roms
from privaudit.documents import (
    Document,
    DocumentBlock,
    DocumentLayout,
    Heading,
    Paragraph,
    blank_fields,
    blank_table,
    bullet_list,
    checkbox_list,
    notice,
    paragraphs,
    step_list,
    titled_document,
)
from privaudit.documents.render import sheets_to_html
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.model import Phone, Rom
from privaudit.report import gaps, save_text
from privaudit.revocation import steps
from privaudit.workshop import controls, outputs
from privaudit.workshop.model import Retention

_ALL_SHEETS_NAME: Final = "kit"
"""Name of the file with all sheets."""
_EVIDENCE_LOG_ROWS: Final = 9
_EVIDENCE_LOG_COLUMNS: Final = (
    "kit.log_date",
    "kit.log_channel",
    "kit.log_number",
    "kit.log_who",
    "kit.log_words",
    "kit.log_file",
    "kit.log_witness",
    "kit.log_reported",
)
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
_HELPLINE_BLANK: Final = "____________"


def write_kit(folder: Path, language: Translator, country: str | None = None) -> tuple[Path, ...]:
    """Write each kind of sheet to a file in `folder`, and all of them to one print job.

    Raises:
        UsageError: ``no_folder``: the parent folder does not exist.
        SourceError: ``not_written``.
    """
    if not folder.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(folder.absolute().parent))
    sheets_by_name = build_sheets(language, country)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SourceError("errors.not_written", path=str(folder), reason=error.strerror or str(error)) from error
    print_job = [sheet for sheets in sheets_by_name.values() for sheet in sheets]
    html_by_name = {_ALL_SHEETS_NAME: sheets_to_html(print_job, title=language.t("kit.kit"))}
    html_by_name |= {name: sheets_to_html(sheets) for name, sheets in sheets_by_name.items()}
    for name, html in html_by_name.items():
        save_text(html, folder / f"{name}.html")
    return tuple(folder / f"{name}.html" for name in html_by_name)


def build_sheets(language: Translator, country: str | None = None) -> Mapping[str, tuple[Document, ...]]:
    """Build all sheets, by the name of their file.

    What a country's law says is not part of the kit: whoever prints it adds their own sheets.
    """

    def sheet(title_key: str, blocks: Iterable[DocumentBlock], layout: DocumentLayout = "page") -> tuple[Document, ...]:
        return (titled_document(language.t(title_key), language.code, blocks, layout=layout),)

    sheets = {
        "consent": sheet("kit.consent", _consent_slip(language), "slip"),
        "usb": tuple(_usb_debugging_cards(language)),
        "poster": sheet("kit.poster", [step_list(map(language.t, _POSTER_STEPS))], "poster"),
        "evidence": sheet("kit.evidence", _evidence_log(language), "wide"),
        "closing": sheet("kit.closing", _closing_sheet(language)),
        "friends": sheet("kit.friends", _contacts_sheet(language), "half"),
        "iphone": sheet("kit.iphone", _manual_check_sheet(language, "kit.iphone_why", _IPHONE_STEPS)),
        "harmony": sheet("kit.harmony", _manual_check_sheet(language, "kit.harmony_why", _HARMONY_STEPS)),
    }
    if country is not None:
        title = language.t("kit.country", country=country)
        sheets["country"] = (titled_document(title, language.code, _country_sheet(language, country), layout="page"),)
    return sheets


def phone_for_rom(rom: str) -> Phone:
    """Return a phone with this ROM and a current version of Android."""
    return Phone(
        manufacturer=None,
        model=None,
        android=None,
        sdk=None,
        sdk_inferred=False,
        security_patch=None,
        rom=Rom(id=rom, name=roms.load_rom(rom)["name"], version=None),
        languages=(),
    )


def _consent_slip(language: Translator) -> Iterator[DocumentBlock]:
    t = language.t
    yield Heading(t("kit.talk"))
    # Without the title and the questions, which the sheet asks in its own way.
    yield bullet_list([*controls.consent_lines(Retention.HANDOUT, language)][2:])
    yield checkbox_list(map(t, ("kit.own", "kit.adult", "kit.no_work", "kit.urgent", "kit.noticed")))
    yield Heading(t("kit.i_agree"))
    yield checkbox_list(map(t, ("kit.agree_read", "kit.agree_page", "kit.agree_full", "kit.agree_counts")))
    yield notice(t("kit.no_name"))
    yield blank_fields(*map(t, ("kit.duty", "kit.code", "kit.date", "kit.delete_by", "kit.initials")))


def _usb_debugging_cards(language: Translator) -> Iterator[Document]:
    t = language.t
    for rom in roms.list_rom_ids():
        phone = phone_for_rom(rom)
        yield titled_document(
            t("kit.usb", rom=phone.rom.name),
            language.code,
            layout="card",
            blocks=(
                notice(t("report.taps_bank_first")),
                *paragraphs(t("kit.screenshots_first"), t("kit.cable"), t("kit.allow_once")),
                Heading(t("report.taps_usb_on")),
                step_list(map(language.translate, steps.enable_usb_debugging_steps(phone))),
                Heading(t("kit.closing")),
                step_list(map(language.translate, outputs.closing_steps(phone))),
            ),
        )


def _evidence_log(language: Translator) -> Iterator[DocumentBlock]:
    yield Paragraph(language.t("kit.log_keep"))
    yield blank_table([*map(language.t, _EVIDENCE_LOG_COLUMNS)], _EVIDENCE_LOG_ROWS)


def _closing_sheet(language: Translator) -> Iterator[DocumentBlock]:
    stock_steps = outputs.closing_steps(phone_for_rom(roms.STOCK_ROM_ID))
    yield step_list([*map(language.translate, stock_steps), language.t("kit.samsung")])
    yield Paragraph(language.t("kit.other_maker"))


def _contacts_sheet(language: Translator) -> Iterator[DocumentBlock]:
    advice = ("kit.friends_why", "kit.friends_ask", "kit.friends_give", "kit.friends_stop", "kit.friends_keep")
    yield bullet_list(map(language.t, advice))
    yield Paragraph(language.t("kit.friends_help", helpline=_HELPLINE_BLANK))


def _manual_check_sheet(language: Translator, reason_key: str, step_keys: Sequence[str]) -> Iterator[DocumentBlock]:
    t = language.t
    yield Paragraph(t(reason_key))
    yield step_list(map(t, step_keys))
    yield from paragraphs(t("kit.unverified"), t("steps.no_recall"), t("report.not_advice"))


def _country_sheet(language: Translator, country: str) -> Iterator[DocumentBlock]:
    t = language.t
    yield Paragraph(t("kit.fill_in"))
    contacts = ("kit.police", "kit.helpline", "kit.legal_aid", "kit.regulator", "kit.interpreter", "kit.checked")
    yield blank_fields(*map(t, contacts))
    lists = knowledge.load_knowledge(country=country).describe_lists(country)
    today = datetime.now(UTC).date()
    yield from paragraphs(*gaps.list_coverage_sentences(language, lists, country, today))
