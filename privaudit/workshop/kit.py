"""What is printed before a workshop, without any phone: slips, cards, a poster, sheets to fill in, sheets by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
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
from privaudit.report import gaps, legal_rules, save_text
from privaudit.revocation import steps
from privaudit.workshop import controls, outputs
from privaudit.workshop.model import Retention

ALL_SHEETS: Final = "kit"
_EVIDENCE_LOG_ROWS: Final = 9
_POSTER_STEPS: Final = (
    *("safety", "talk", "evidence", "permissions", "read", "timeline", "close", "demand", "again", "complain"),
    *("uninstall", "leave"),
)
_EVIDENCE_LOG_COLUMNS: Final = ("date", "channel", "number", "who", "words", "file", "witness", "reported")
_CONTACTS_ADVICE: Final = ("why", "ask", "give", "stop", "keep")


def write_kit(folder: Path, language: Translator, country: str | None = None) -> tuple[Path, ...]:
    """Write the kit into `folder`, each kind of sheet as a file, and all of them as one print job.

    Raises:
        UsageError: ``no_folder``: the folder above is not there.
        SourceError: ``not_written``.
    """
    if not folder.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(folder.absolute().parent))
    made = build_sheets(language, country)
    every = [sheet for kind in made.values() for sheet in kind]
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SourceError("errors.not_written", path=str(folder), reason=error.strerror or str(error)) from error
    paths = []
    for name, kind in {ALL_SHEETS: tuple(every), **made}.items():
        path = folder / f"{name}.html"
        save_text(sheets_to_html(kind, title=language.t("kit.kit") if name == ALL_SHEETS else None), path)
        paths.append(path)
    return tuple(paths)


def build_sheets(language: Translator, country: str | None = None) -> Mapping[str, tuple[Document, ...]]:
    """Every sheet, by the name of its file. What a country's law says is not here: its own sheets are added."""

    def one(name: str, blocks: Iterable[DocumentBlock], form: DocumentLayout = "page") -> tuple[Document, ...]:
        return (titled_document(language.t(f"kit.{name}"), language.code, blocks, layout=form),)

    made = {
        "consent": one("consent", _consent_slip(language), "slip"),
        "usb": tuple(_usb_debugging_cards(language)),
        "poster": one("poster", [step_list(language.t(f"kit.step_{name}") for name in _POSTER_STEPS)], "poster"),
        "evidence": one("evidence", _evidence_log(language), "wide"),
        "closing": one("closing", _closing_sheet(language)),
        "friends": one("friends", _contacts_sheet(language), "half"),
        "iphone": one("iphone", _manual_check_sheet(language, "iphone", 7)),
        "harmony": one("harmony", _manual_check_sheet(language, "harmony", 6)),
    }
    if country is None:
        return made
    title = language.t("kit.country", country=legal_rules.country_label(country))
    blocks = _country_sheet(language, country)
    return {**made, "country": (titled_document(title, language.code, blocks, layout="page"),)}


def phone_for_rom(rom: str) -> Phone:
    """Any phone with this ROM, of today's Android."""
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
    say = language.t
    yield Heading(say("kit.talk"))
    yield bullet_list([*controls.consent_lines(Retention.HANDOUT, language)][2:])
    yield checkbox_list(say(f"kit.{name}") for name in ("own", "adult", "no_work", "urgent", "noticed"))
    yield Heading(say("kit.i_agree"))
    yield checkbox_list(say(f"kit.agree_{name}") for name in ("read", "page", "full", "counts"))
    yield notice(say("kit.no_name"))
    yield blank_fields(*(say(f"kit.{name}") for name in ("duty", "code", "date", "delete_by", "initials")))


def _usb_debugging_cards(language: Translator) -> Iterator[Document]:
    say = language.t
    for rom in roms.list_rom_ids():
        phone = phone_for_rom(rom)
        yield titled_document(
            say("kit.usb", rom=phone.rom.name),
            language.code,
            layout="card",
            blocks=(
                notice(say("report.taps_bank_first")),
                *paragraphs(say("kit.screenshots_first"), say("kit.cable"), say("kit.allow_once")),
                Heading(say("report.taps_usb_on")),
                step_list(map(language.translate, steps.enable_usb_debugging_steps(phone))),
                Heading(say("kit.closing")),
                step_list(map(language.translate, outputs.closing_steps(phone))),
            ),
        )


def _evidence_log(language: Translator) -> Iterator[DocumentBlock]:
    yield Paragraph(language.t("kit.log_keep"))
    yield blank_table([language.t(f"kit.log_{name}") for name in _EVIDENCE_LOG_COLUMNS], _EVIDENCE_LOG_ROWS)


def _closing_sheet(language: Translator) -> Iterator[DocumentBlock]:
    yield step_list(
        [*map(language.translate, outputs.closing_steps(phone_for_rom(roms.STOCK_ROM_ID))), language.t("kit.samsung")]
    )
    yield Paragraph(language.t("kit.other_maker"))


def _contacts_sheet(language: Translator) -> Iterator[DocumentBlock]:
    yield bullet_list(language.t(f"kit.friends_{name}") for name in _CONTACTS_ADVICE)
    yield Paragraph(language.t("kit.friends_help", helpline="____________"))


def _manual_check_sheet(language: Translator, name: str, count: int) -> Iterator[DocumentBlock]:
    yield Paragraph(language.t(f"kit.{name}_why"))
    yield step_list(language.t(f"kit.{name}_{number}") for number in range(1, count + 1))
    yield from paragraphs(language.t("kit.unverified"), language.t("steps.no_recall"), language.t("report.not_advice"))


def _country_sheet(language: Translator, country: str) -> Iterator[DocumentBlock]:
    yield Paragraph(language.t("kit.fill_in"))
    names = ("police", "helpline", "legal_aid", "regulator", "interpreter", "checked")
    yield blank_fields(*(language.t(f"kit.{name}") for name in names))
    stamp = knowledge.load_knowledge(country=country).describe_lists(country)
    yield from paragraphs(*gaps.list_coverage_sentences(language, stamp, country, _today()))


def _today() -> date:
    return datetime.now(UTC).date()
