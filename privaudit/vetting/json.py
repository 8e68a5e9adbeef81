"""The document on an APK as JSON: whole, or on one line; its schema; and back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import TypeAdapter

from privaudit.i18n import Translator
from privaudit.report.json import dump_json, format_json_schema
from privaudit.vetting.document import SCHEMA, VettingReport


@cache
def _document_adapter() -> TypeAdapter[VettingReport]:
    return TypeAdapter(VettingReport)


def vetting_to_json(vetting: VettingReport, _language: Translator | None = None) -> str:
    """The document; its text is keys and values, so it is the same in every language."""
    return dump_json(_document_adapter(), vetting, indent=2)


def vetting_to_json_line(vetting: VettingReport) -> str:
    """The document on one line."""
    return dump_json(_document_adapter(), vetting, indent=None)


def parse_document(document: Mapping[str, object]) -> VettingReport:
    """The document that a line holds, as it was parsed.

    Raises:
        ValueError: it is none.
    """
    return _document_adapter().validate_python(document)


def vetting_schema() -> str:
    """The JSON Schema of the document."""
    return format_json_schema(_document_adapter(), SCHEMA)
