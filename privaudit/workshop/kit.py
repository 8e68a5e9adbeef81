"""What is printed before a workshop, without any phone: slips, cards, a poster, sheets to fill in, sheets by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from privaudit import knowledge, roms
from privaudit.documents.sheet import Block, Form, Sheet, box, bullets, grid, heading, render, taps, text, ticks, write
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Language
from privaudit.model import Phone, Rom
from privaudit.report import lists, save
from privaudit.revocation import card
from privaudit.workshop import handout, telling
from privaudit.workshop.model import Keep

ALL: Final = "kit"
_LOG_ROWS: Final = 9
_POSTER: Final = (
    *("safety", "talk", "evidence", "permissions", "read", "timeline", "close", "demand", "again", "complain"),
    *("uninstall", "leave"),
)
_LOG: Final = ("date", "channel", "number", "who", "words", "file", "witness", "reported")
_FRIENDS: Final = ("why", "ask", "give", "stop", "keep")


def write_kit(folder: Path, language: Language, country: str | None = None) -> tuple[Path, ...]:
    """Write the kit into `folder`, each kind of sheet as a file, and all of them as one print job.

    Raises:
        UsageError: ``no_folder``: the folder above is not there.
        SourceError: ``not_written``.
    """
    if not folder.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(folder.absolute().parent))
    made = sheets(language, country)
    every = [sheet for kind in made.values() for sheet in kind]
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SourceError("errors.not_written", path=str(folder), reason=error.strerror or str(error)) from error
    paths = []
    for name, kind in {ALL: tuple(every), **made}.items():
        path = folder / f"{name}.html"
        save(render(kind, language, title=language.text("kit.kit") if name == ALL else None), path)
        paths.append(path)
    return tuple(paths)


def sheets(language: Language, country: str | None = None) -> Mapping[str, tuple[Sheet, ...]]:
    """Every sheet, by the name of its file. What a country's law says is not here: its own sheets are added."""

    def one(name: str, blocks: Iterable[Block], form: Form = "page") -> tuple[Sheet, ...]:
        return (Sheet(title=language.text(f"kit.{name}"), blocks=tuple(blocks), form=form),)

    made = {
        "consent": one("consent", _consent(language), "slip"),
        "usb": tuple(_usb(language)),
        "poster": one("poster", [taps(language.text(f"kit.step_{name}") for name in _POSTER)], "poster"),
        "evidence": one("evidence", _log(language), "wide"),
        "closing": one("closing", _closing(language)),
        "friends": one("friends", _friends(language), "half"),
        "iphone": one("iphone", _by_hand(language, "iphone", 7)),
        "harmony": one("harmony", _by_hand(language, "harmony", 6)),
    }
    if country is None:
        return made
    title = language.text("kit.country", country=country)
    return {**made, "country": (Sheet(title=title, blocks=tuple(_country(language, country))),)}


def phone_with(rom: str) -> Phone:
    """Any phone with this ROM, of today's Android."""
    return Phone(
        manufacturer=None,
        model=None,
        android=None,
        sdk=None,
        sdk_inferred=False,
        security_patch=None,
        rom=Rom(id=rom, name=roms.load(rom)["name"], version=None),
        languages=(),
    )


def _consent(language: Language) -> Iterator[Block]:
    say = language.text
    yield heading(say("kit.talk"))
    yield bullets([*telling.consent(Keep.HANDOUT, language)][2:])
    yield ticks(say(f"kit.{name}") for name in ("own", "adult", "no_work", "urgent", "noticed"))
    yield heading(say("kit.i_agree"))
    yield ticks(say(f"kit.agree_{name}") for name in ("read", "page", "full", "counts"))
    yield box(say("kit.no_name"))
    yield write(*(say(f"kit.{name}") for name in ("duty", "code", "date", "delete_by", "initials")))


def _usb(language: Language) -> Iterator[Sheet]:
    say = language.text
    for rom in roms.names():
        phone = phone_with(rom)
        yield Sheet(
            title=say("kit.usb", rom=phone.rom.name),
            form="card",
            blocks=(
                box(say("report.taps_bank_first")),
                text(say("kit.screenshots_first"), say("kit.cable"), say("kit.allow_once")),
                heading(say("report.taps_usb_on")),
                taps(map(language.say, card.usb_on(phone))),
                heading(say("kit.closing")),
                taps(map(language.say, handout.closing(phone))),
            ),
        )


def _log(language: Language) -> Iterator[Block]:
    yield text(language.text("kit.log_keep"))
    yield grid([language.text(f"kit.log_{name}") for name in _LOG], _LOG_ROWS)


def _closing(language: Language) -> Iterator[Block]:
    yield taps([*map(language.say, handout.closing(phone_with(roms.STOCK))), language.text("kit.samsung")])
    yield text(language.text("kit.other_maker"))


def _friends(language: Language) -> Iterator[Block]:
    yield bullets(language.text(f"kit.friends_{name}") for name in _FRIENDS)
    yield text(language.text("kit.friends_help", helpline="____________"))


def _by_hand(language: Language, name: str, count: int) -> Iterator[Block]:
    yield text(language.text(f"kit.{name}_why"))
    yield taps(language.text(f"kit.{name}_{number}") for number in range(1, count + 1))
    yield text(language.text("kit.unverified"), language.text("steps.no_recall"), language.text("report.not_advice"))


def _country(language: Language, country: str) -> Iterator[Block]:
    yield text(language.text("kit.fill_in"))
    names = ("police", "helpline", "legal_aid", "regulator", "interpreter", "checked")
    yield write(*(language.text(f"kit.{name}") for name in names))
    stamp = knowledge.load(country=country).stamp(country)
    yield text(*lists.sentences(language, stamp, country, _today()))


def _today() -> date:
    return datetime.now(UTC).date()
