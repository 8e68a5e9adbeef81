"""Pages that need no phone: a country's rights, while a collector calls, for contacts who were called, and the taps.

The first three begin with the same lines to say. A mark stands for "check before use"; its meaning stands once, at the
top.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from privaudit import documents, roms
from privaudit.i18n import Translator
from privaudit.knowledge.rights import ComplaintStage, CountryRights, OfficeRole, RightsItem, in_language
from privaudit.report import summary
from privaudit.report.rights import item_line, item_title
from privaudit.revocation import settings_page, steps

_REVIEWER_KEYS: Final = {"research": "papers.by_research", "maintainer": "papers.by_maintainer"}
"""Reviewers that the project names by their role; any other reviewer is printed as the data file names them."""
_SOURCE_KEYS: Final = {"general knowledge": "papers.from_memory", "research notes of this project": "papers.from_notes"}
"""Sources that are no publication; all others are printed as the data file names them."""
_PART_KEYS: Final[Mapping[ComplaintStage, str]] = {
    "danger": "papers.part_safety",
    "keep": "papers.part_evidence",
    "close": "papers.part_close",
    "demand": "papers.part_demand",
    "desk": "papers.part_complaint",
    "court": "papers.part_court",
    "police": "papers.part_report",
    "uninstall": "papers.part_delete",
}
"""The heading above each stage. A stage without one continues the part before it."""
_MISSING_KEYS: Final[Mapping[ComplaintStage, Mapping[OfficeRole, str]]] = {
    "danger": {"emergency": "papers.missing_emergency", "crisis": "papers.missing_crisis"},
    "regulator": {"lenders": "papers.missing_lenders", "data": "papers.missing_data"},
    "police": {"police": "papers.missing_police"},
}
"""Where the page says that it has no source for a role."""


def full_rights_page(country_rights: CountryRights, language: Translator) -> documents.Document:
    """Return everything that is known for a country, each line with the number of its source."""
    title = language.t("papers.page_title", country=in_language(country_rights.country.name, language.code))
    return documents.titled_document(title, language.code, _RightsPage(country_rights, language).full_blocks())


def page_for_contacts(country_rights: CountryRights, language: Translator) -> documents.Document:
    """Return the handout for contacts who were called: it names no debt and no person."""
    blocks = _RightsPage(country_rights, language).contacts_blocks()
    return documents.titled_document(language.t("papers.friends_title"), language.code, blocks)


def call_page(country_rights: CountryRights, language: Translator) -> documents.Document:
    """Return what to say and what not to say while a collector calls."""
    blocks = _RightsPage(country_rights, language).call_blocks()
    return documents.titled_document(language.t("papers.call_title"), language.code, blocks)


def taps_page(rom_id: str, sdk: int | None, language: Translator) -> documents.Document:
    """Return how to close an app's access by hand on a phone with this ROM; `sdk` ``None``: a current Android."""
    phone = replace(roms.phone_with_rom(rom_id), sdk=sdk, android=summary.ANDROID_VERSIONS.get(sdk or 0))
    t, translate = language.t, language.translate
    hints = settings_page.search_hint(phone, "permissions", "permission_manager")
    blocks: tuple[documents.DocumentBlock, ...] = (
        *documents.paragraphs(*summary.notices(language, demo=False)),
        # Without the one about USB debugging: no cable is needed.
        documents.notice(*(translate(note) for note in steps.SAFETY_NOTES if note.key != "steps.bank_apps")),
        documents.Heading(t("papers.taps_app")),
        *documents.paragraphs(*map(translate, hints)),
        documents.step_list(map(translate, steps.any_app_steps(phone))),
        *documents.paragraphs(translate(steps.check_other_apps_step(phone)), t("papers.taps_again")),
    )
    return documents.titled_document(t("papers.taps_title", rom=phone.rom.name), language.code, blocks)


class _RightsPage:
    """Builds the blocks of all pages, numbering the sources as they are cited."""

    def __init__(self, country_rights: CountryRights, language: Translator) -> None:
        self._rights = country_rights
        self._contacts_say = [item for item in country_rights.friends if item.name is None]
        """What contacts say and do."""
        self._contacts_law = [item for item in country_rights.friends if item.name is not None]
        self._language = language
        self._source_numbers: dict[str, int] = {}
        self._shows_sources = False

    def full_blocks(self) -> Iterator[documents.DocumentBlock]:
        t, rights = self._language.t, self._rights
        self._shows_sources = True
        yield from self._notice_blocks()
        yield documents.Heading(t("papers.call_title"))
        yield from self._say_blocks()
        yield documents.Paragraph(t("rights.debt"), strong=True)
        yield from self._stage_blocks()
        if law := (*rights.law, *self._contacts_law):
            yield from self._section("papers.part_law", law)
        elif rights.country.code is not None:
            yield documents.Heading(t("papers.part_law"))
            yield documents.Paragraph(t("papers.no_law"))
        yield from self._section("papers.part_licence", rights.licence)
        yield from self._question_blocks()
        yield documents.PageBreak()
        yield documents.Heading(t("papers.part_sources"))
        yield documents.Paragraph(t("papers.sources_intro"))
        yield documents.numbered_list(self._source_numbers)

    def contacts_blocks(self) -> Iterator[documents.DocumentBlock]:
        """Yield half a page; its sources stand on the full page."""
        yield from self._notice_blocks()
        yield documents.numbered_list(map(self._line, self._contacts_say))
        if self._contacts_law:
            yield documents.bullet_list(map(self._line, self._contacts_law))
        if offices := [item for item in self._rights.office if item.letter]:
            yield documents.Paragraph(self._language.t("papers.friends_where"), strong=True)
            yield documents.bullet_list(self._mark(item_title(item, self._language), item) for item in offices)
        yield documents.Paragraph(self._language.t("papers.friends_not_advice"))

    def call_blocks(self) -> Iterator[documents.DocumentBlock]:
        """Yield a page without sources, to be read while the phone rings."""
        yield from self._notice_blocks()
        yield from self._say_blocks()
        yield documents.Paragraph(self._language.t("rights.debt"), strong=True)
        yield documents.Heading(self._language.t("papers.part_police"))
        yield from self._safety_blocks()
        yield from self._section("papers.part_save", self._rights.save)

    def _notice_blocks(self) -> Iterator[documents.DocumentBlock]:
        """Yield once, at the top, that no lawyer checked the page, and what the mark means."""
        t = self._language.t
        notice = t("papers.page_notice", mark=t("papers.check_mark").strip())
        yield documents.Paragraph(notice + (t("papers.page_sources") if self._shows_sources else ""))
        yield from map(documents.Paragraph, summary.notices(self._language, demo=False))

    def _say_blocks(self) -> Iterator[documents.DocumentBlock]:
        for key, items in (("papers.call_borrower", self._rights.caller), ("papers.call_friend", self._contacts_say)):
            yield documents.Paragraph(self._language.t(key), strong=True)
            yield documents.numbered_list(map(self._line, items))

    def _stage_blocks(self) -> Iterator[documents.DocumentBlock]:
        number = 0
        for step, offices in self._rights.stages():
            if step.rung is None:
                continue
            if (key := _PART_KEYS.get(step.rung)) is not None:
                number += 1
                yield documents.Heading(f"{number}. {self._language.t(key)}")
            yield documents.Paragraph(self._line(step))
            if step.rung == "danger":
                yield from self._safety_blocks()
                continue
            items = self._rights.save if step.rung == "keep" else offices
            if lines := [*map(self._line, items), *self._missing(step.rung)]:
                yield documents.bullet_list(lines)

    def _safety_blocks(self) -> Iterator[documents.DocumentBlock]:
        """Yield whom to call at once: the police, when to call them, then crisis help."""
        items = self._rights.police
        numbers = [item for item in items if item.name is not None and "crisis" not in item.roles]
        sentences = [item for item in items if item.name is None]
        lines = map(self._line, (*numbers, *sentences, *self._rights.with_role("crisis")))
        yield documents.bullet_list((*lines, *self._missing("danger")))

    def _missing(self, stage: ComplaintStage) -> Iterator[str]:
        missing = self._rights.missing_roles()
        for role, key in _MISSING_KEYS.get(stage, {}).items():
            if role in missing:
                yield self._language.t("papers.missing", what=self._language.t(key))

    def _question_blocks(self) -> Iterator[documents.DocumentBlock]:
        code = self._language.code
        yield documents.Heading(self._language.t("papers.part_question"))
        for item in self._rights.question:
            yield documents.Paragraph(in_language(item.name, code) if item.name is not None else "", strong=True)
            yield documents.Paragraph(self._mark(in_language(item.text, code), item))

    def _section(self, heading_key: str, items: Iterable[RightsItem]) -> Iterator[documents.DocumentBlock]:
        yield documents.Heading(self._language.t(heading_key))
        yield documents.bullet_list(map(self._line, items))

    def _line(self, item: RightsItem) -> str:
        """Return an item as one line; a sentence that sends to the police ends with the country's number."""
        line = item_line(item, self._language)
        if item.name is None and "emergency" in item.roles:
            for emergency in self._rights.with_role("emergency")[:1]:
                line += self._language.t("papers.call_number", number=emergency.reach[0])
                return self._mark(line, item, emergency)
        return self._mark(line, item)

    def _mark(self, line: str, *items: RightsItem) -> str:
        """Return a line with the mark, if one of the items it says has it, and with the sources of all."""
        mark = self._language.t("papers.check_mark") if any(item.verify for item in items) else ""
        return line + mark + ("".join(map(self._source_reference, items)) if self._shows_sources else "")

    def _source_reference(self, item: RightsItem) -> str:
        """Return the number of the item's source in brackets; equal sources share a number."""
        t = self._language.t
        checked = t("papers.unchecked")
        if item.checked_on is not None and item.checked_by is not None:
            reviewer_key = _REVIEWER_KEYS.get(item.checked_by)
            reviewer = t(reviewer_key) if reviewer_key else item.checked_by
            checked = t("papers.checked", day_on=item.checked_on, who=reviewer)
        source_key = _SOURCE_KEYS.get(item.source)
        address = f" {item.url}" if item.url else ""
        source = f"{t(source_key) if source_key else f'{item.source}.'}{address} {checked}"
        return f" [{self._source_numbers.setdefault(source, len(self._source_numbers) + 1)}]"
