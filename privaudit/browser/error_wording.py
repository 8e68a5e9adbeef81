"""What the page says to do next where the sentence of the command line names a command, an option or a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.model import Message

PAGE_KEYS: Final[Mapping[str, str]] = {
    "errors.androidqf_encrypted.next": "browser.next_decrypt",
    "errors.another_phone.next": "browser.next_same_phone",
    "errors.app_missing.next": "browser.next_apps",
    "errors.app_not_in_report.next": "browser.next_without_report",
    "errors.app_unread.next": "browser.next_by_hand",
    "errors.country_without_rights.next": "browser.next_country",
    "errors.folder_without_answers.next": "browser.next_file",
    "errors.installed_anew.next": "browser.next_plan",
    "errors.needs_pairing.next": "browser.next_cable",
    "errors.not_a_report.next": "browser.next_file",
    "errors.not_adb.next": "browser.next_cable",
    "errors.nothing_to_write_about.next": "browser.next_without_report",
    "errors.phone_unmarked.next": "browser.next_same_phone",
    "errors.report_torn.next": "browser.next_anew",
    "errors.sdk_unread.next": "browser.next_by_hand",
    "errors.services_changed.next": "browser.next_plan",
    "errors.source_unknown.next": "browser.next_file",
    "errors.user_missing.next": "browser.next_apps",
}
"""Key of a sentence → key of the page's own, which takes no values."""


def word_for_page(message: Message) -> Message:
    """Return the message with which the page says this."""
    key = PAGE_KEYS.get(message.key)
    return message if key is None else Message(key=key)
