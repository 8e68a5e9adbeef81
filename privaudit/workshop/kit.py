"""What is printed before a workshop, without any phone: slips, cards, a poster, sheets to fill in, sheets by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from privaudit import knowledge, roms
from privaudit.documents.sheet import (
    PrintSheet,
    SheetBlock,
    SheetLayout,
    bullet_block,
    checkbox_block,
    fill_in_block,
    grid_block,
    heading_block,
    notice_block,
    paragraph_block,
    render_sheets,
    step_block,
)
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.model import Phone, Rom
from privaudit.report import gaps, save_text
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
        save_text(render_sheets(kind, language, title=language.t("kit.kit") if name == ALL_SHEETS else None), path)
        paths.append(path)
    return tuple(paths)


def build_sheets(language: Translator, country: str | None = None) -> Mapping[str, tuple[PrintSheet, ...]]:
    """Every sheet, by the name of its file. What a country's law says is not here: its own sheets are added."""

    def one(name: str, blocks: Iterable[SheetBlock], form: SheetLayout = "page") -> tuple[PrintSheet, ...]:
        return (PrintSheet(title=language.t(f"kit.{name}"), blocks=tuple(blocks), layout=form),)

    made = {
        "consent": one("consent", _consent_slip(language), "slip"),
        "usb": tuple(_usb_debugging_cards(language)),
        "poster": one("poster", [step_block(language.t(f"kit.step_{name}") for name in _POSTER_STEPS)], "poster"),
        "evidence": one("evidence", _evidence_log(language), "wide"),
        "closing": one("closing", _closing_sheet(language)),
        "friends": one("friends", _contacts_sheet(language), "half"),
        "iphone": one("iphone", _manual_check_sheet(language, "iphone", 7)),
        "harmony": one("harmony", _manual_check_sheet(language, "harmony", 6)),
    }
    if country is None:
        return made
    title = language.t("kit.country", country=country)
    return {**made, "country": (PrintSheet(title=title, blocks=tuple(_country_sheet(language, country))),)}


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


def _consent_slip(language: Translator) -> Iterator[SheetBlock]:
    say = language.t
    yield heading_block(say("kit.talk"))
    yield bullet_block([*controls.consent_lines(Retention.HANDOUT, language)][2:])
    yield checkbox_block(say(f"kit.{name}") for name in ("own", "adult", "no_work", "urgent", "noticed"))
    yield heading_block(say("kit.i_agree"))
    yield checkbox_block(say(f"kit.agree_{name}") for name in ("read", "page", "full", "counts"))
    yield notice_block(say("kit.no_name"))
    yield fill_in_block(*(say(f"kit.{name}") for name in ("duty", "code", "date", "delete_by", "initials")))


def _usb_debugging_cards(language: Translator) -> Iterator[PrintSheet]:
    say = language.t
    for rom in roms.list_rom_ids():
        phone = phone_for_rom(rom)
        yield PrintSheet(
            title=say("kit.usb", rom=phone.rom.name),
            layout="card",
            blocks=(
                notice_block(say("report.taps_bank_first")),
                paragraph_block(say("kit.screenshots_first"), say("kit.cable"), say("kit.allow_once")),
                heading_block(say("report.taps_usb_on")),
                step_block(map(language.translate, steps.enable_usb_debugging_steps(phone))),
                heading_block(say("kit.closing")),
                step_block(map(language.translate, outputs.closing_steps(phone))),
            ),
        )


def _evidence_log(language: Translator) -> Iterator[SheetBlock]:
    yield paragraph_block(language.t("kit.log_keep"))
    yield grid_block([language.t(f"kit.log_{name}") for name in _EVIDENCE_LOG_COLUMNS], _EVIDENCE_LOG_ROWS)


def _closing_sheet(language: Translator) -> Iterator[SheetBlock]:
    yield step_block(
        [*map(language.translate, outputs.closing_steps(phone_for_rom(roms.STOCK_ROM_ID))), language.t("kit.samsung")]
    )
    yield paragraph_block(language.t("kit.other_maker"))


def _contacts_sheet(language: Translator) -> Iterator[SheetBlock]:
    yield bullet_block(language.t(f"kit.friends_{name}") for name in _CONTACTS_ADVICE)
    yield paragraph_block(language.t("kit.friends_help", helpline="____________"))


def _manual_check_sheet(language: Translator, name: str, count: int) -> Iterator[SheetBlock]:
    yield paragraph_block(language.t(f"kit.{name}_why"))
    yield step_block(language.t(f"kit.{name}_{number}") for number in range(1, count + 1))
    yield paragraph_block(language.t("kit.unverified"), language.t("steps.no_recall"), language.t("report.not_advice"))


def _country_sheet(language: Translator, country: str) -> Iterator[SheetBlock]:
    yield paragraph_block(language.t("kit.fill_in"))
    names = ("police", "helpline", "legal_aid", "regulator", "interpreter", "checked")
    yield fill_in_block(*(language.t(f"kit.{name}") for name in names))
    stamp = knowledge.load_knowledge(country=country).describe_lists(country)
    yield paragraph_block(*gaps.list_coverage_sentences(language, stamp, country, _today()))


def _today() -> date:
    return datetime.now(UTC).date()
