"""The taps for a phone that is not connected, by its maker and version of Android."""

from collections.abc import Iterator
from dataclasses import replace

from privaudit import documents, roms
from privaudit.i18n import Translator
from privaudit.model import Phone
from privaudit.report import summary
from privaudit.revocation import steps


def taps_page(rom_id: str, sdk: int | None, language: Translator) -> documents.Document:
    """Return how to close an app's access by hand on a phone with this ROM; `sdk` ``None``: a current Android."""
    phone = replace(roms.phone_with_rom(rom_id), sdk=sdk, android=summary.ANDROID_VERSIONS.get(sdk or 0))
    title = language.t("papers.taps_title", rom=phone.rom.name)
    return documents.titled_document(title, language.code, _taps_blocks(phone, language))


def _taps_blocks(phone: Phone, language: Translator) -> Iterator[documents.DocumentBlock]:
    t, translate = language.t, language.translate
    yield from map(documents.Paragraph, summary.notices(language, demo=False))
    # Without the one about USB debugging: no cable is needed.
    yield documents.notice(*(translate(note) for note in steps.SAFETY_NOTES if note.key != "steps.bank_apps"))
    yield documents.Heading(t("papers.taps_app"))
    yield from (documents.Paragraph(translate(hint)) for hint in steps.search_hints(phone))
    yield documents.step_list(map(translate, steps.any_app_steps(phone)))
    yield documents.Paragraph(translate(steps.check_other_apps_step(phone)))
    yield documents.Paragraph(t("papers.taps_again"))
