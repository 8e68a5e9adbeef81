"""What the owner of a phone agrees to before it is read: on the board, on paper, and on the browser's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.i18n import Translator
from privaudit.workshop.model import Retention

_RETENTION_KEYS: Final[Mapping[Retention, str]] = {
    Retention.NOTHING: "workshop.consent_nothing",
    Retention.HANDOUT: "workshop.consent_handout",
    Retention.CAPTURE: "workshop.consent_capture",
}


def consent_lines(retention: Retention, language: Translator) -> Iterator[str]:
    """Yield what a participant consents to; `language` is the participant's."""
    yield language.t("workshop.consent_title")
    yield language.t("workshop.consent_questions")
    yield language.t("workshop.consent_bank")
    yield language.t("workshop.consent_read")
    yield language.t("workshop.consent_not_read")
    yield language.t(_RETENTION_KEYS[retention])
    yield language.t("workshop.consent_stop")
    yield language.t("workshop.consent_advice")
