"""The document on an APK as JSON: whole, or on one line; its schema; and back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import TypeAdapter

from privaudit.i18n import Language
from privaudit.report.json import dump, schema_of
from privaudit.vetting.document import SCHEMA, Vetting


@cache
def _adapter() -> TypeAdapter[Vetting]:
    return TypeAdapter(Vetting)


def render(vetting: Vetting, _language: Language | None = None) -> str:
    """The document; its text is keys and values, so it is the same in every language."""
    return dump(_adapter(), vetting, indent=2)


def line(vetting: Vetting) -> str:
    """The document on one line."""
    return dump(_adapter(), vetting, indent=None)


def checked(document: Mapping[str, object]) -> Vetting:
    """The document that a line holds, as it was parsed.

    Raises:
        ValueError: it is none.
    """
    return _adapter().validate_python(document)


def schema() -> str:
    """The JSON Schema of the document."""
    return schema_of(_adapter(), SCHEMA)
