"""What the page says names no command and no option: whoever reads it has no command line."""

from __future__ import annotations

import html
import re

import pytest

from privaudit.browser.error_wording import PAGE_KEYS, word_for_page
from privaudit.cli.app import COMMANDS
from privaudit.i18n import catalog
from privaudit.model import Message
from tests.browser.test_build import build  # noqa: F401 - a fixture
from tests.browser.test_session import APP, Visit

SIGNS = (
    rf"privaudit (?:{'|'.join(COMMANDS)})\b",
    r"(?<![\w-])--[a-z]",
    r"[\s“]-[a-zA-Z]\b",
    r"`",
    r"“(?:adb|age) ",
    r"\b(?:ADB|ANDROID)_[A-Z_]+",
)
COMMAND = re.compile("|".join(SIGNS))
PARTS = ("what", "why", "next")
NOT_RAISED = {
    # Which phone: the browser's list asks.
    "errors.address_wrong",
    "errors.no_answer",
    "errors.several_phones",
    "errors.serial_not_found",
    "errors.transport_unknown",
    # A ledger is written here and read by the commands.
    "errors.ledger_capture",
    "errors.ledger_changed",
    "errors.ledger_damaged",
    # The key of the page is in memory; of an evidence folder, none is read.
    "errors.key_folder_unwritable",
    "errors.key_unreadable",
    "errors.kept_list_damaged",
    "errors.not_kept",
    # Files have the names that the page gives them.
    "errors.format_unknown",
    "errors.no_folder",
    "errors.paper_exists",
}
"""Errors of modules in the page that only commands raise."""


@pytest.fixture
def raised(build):  # noqa: F811
    """The errors that the modules in the page name."""
    known = {key.rpartition(".")[0] for key in catalog.messages(catalog.ENGLISH) if key.startswith("errors.")}
    code = "\n".join(
        content.decode()
        for name, content in build.package_files()
        if name.endswith((".py", ".js", ".html"))
        and (not build.LEFT_OUT.match(name) or name.startswith("privaudit/browser/page/"))
    )
    return known & set(re.findall(r"errors\.\w+", code))


def test_every_error_is_in_words_of_the_page_in_every_language(raised):
    assert len(raised) > 50
    assert raised >= NOT_RAISED
    found = []
    for error in sorted(raised - NOT_RAISED):
        for part in PARTS:
            key = word_for_page(Message(key=f"{error}.{part}")).key
            for code in catalog.languages():
                sentence = catalog.sentence(key, code)
                if not isinstance(sentence, str) or COMMAND.search(sentence):
                    found.append(f"{code} {key}: {sentence}")
    assert not found, "\n".join(found)


def test_each_wording_replaces_a_sentence_that_the_page_can_show(raised):
    assert {key.rpartition(".")[0] for key in PAGE_KEYS} <= raised - NOT_RAISED
    for key in PAGE_KEYS.values():
        for code in catalog.languages():
            assert "{" not in catalog.sentence(key, code)


@pytest.mark.parametrize("code", catalog.languages())
def test_what_is_shown_names_no_command(code):
    visit = Visit()
    visit.ask("set_language", code=code)
    visit.ask("connect_virtual")
    visit.ask("audit", country="CN")
    shown = visit.ask("show")
    plan = visit.ask("plan", packages=[APP])
    for app in plan["apps"]:
        for change in app["changes"]:
            change.pop("commands")  # those that the phone runs, behind a button of that name
    kinds = ("call", "rights", "friends", "taps", "deletion", "complaint", "evidence-list")
    pages = [visit.ask("document", kind=kind, country="CN")["text"] for kind in kinds]
    more = [shown.pop("html"), *visit.ask("usb_steps", rom="miui").values(), visit.ask("consent"), visit.ask("closing")]
    text = html.unescape(re.sub(r"<style.*?</style>|<[^>]*>|Package \[\S+", "", f"{shown} {plan} {pages} {more}"))
    assert [text[max(0, match.start() - 60) : match.end() + 60] for match in COMMAND.finditer(text)] == []
