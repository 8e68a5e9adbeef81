"""Write the report document and its schema as JSON, and read saved documents."""

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from privaudit.errors import PrivauditError, SourceError
from privaudit.i18n import Translator
from privaudit.model import REPORT_SCHEMA, Report, SourceFailure

T = TypeVar("T")

_INVISIBLE_CHARS: Final = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Control and direction characters that JSON need not escape (those below U+0020 it must)."""
MAX_REPORT_BYTES: Final = 64 * 1024 * 1024
"""Bytes of a saved report. A phone with 2,000 apps, all of them in the report, gives about 4 MB."""
_PUBLISHED_NAMES: Final = {
    "DataRequest": "Ask",
    "DataRequestState": "AskState",
    "DetectedSdk": "SdkFound",
    "EffectiveState": "Effective",
    "FileInfo": "FileStamp",
    "KnowledgeInfo": "KnowledgeStamp",
    "OtherDataClass": "OtherData",
    "RequestedPermission": "Asked",
    "RequestedState": "Requested",
    "RuleSetInfo": "RulesStamp",
    "SdkSign": "Sign",
    "SignatureListInfo": "ListStamp",
    "SignatureMatch": "Listing",
    "VettingFinding": "VetFinding",
    "VettingKnowledgeInfo": "VetStamp",
}
"""Class name → its name in the published schemas, which does not change when a class is renamed."""


@cache
def _report_adapter() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def render(report: Report, _language: Translator | None = None) -> str:
    """Return the document, which is the same in every language: its text is message keys and values."""
    return dump_json(_report_adapter(), report, indent=2)


def to_json_line(report: Report, path: str | None = None) -> str:
    """Return the document on one line, for JSON Lines; `path` names its source."""
    return dump_json(_report_adapter(), replace(report, source=replace(report.source, path=path)), indent=None)


def failure_to_json_line(error: PrivauditError, path: str) -> str:
    """Return the line for a source that could not be read, `path`."""
    text = Translator("en").translate(error.what)
    failure = SourceFailure(source={"path": path}, exit_code=error.exit_code, error=error.what, text=text)
    return dump_json(TypeAdapter(SourceFailure), failure, indent=None)


def escape_invisible(document: str) -> str:
    """Escape what would control a terminal or turn the direction of text in JSON; its values stay the same."""
    return _INVISIBLE_CHARS.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def dump_json(adapter: TypeAdapter[T], value: T, indent: int | None) -> str:
    """Return a document as JSON ending in a line feed; on one line if `indent` is ``None``."""
    try:
        text = adapter.dump_json(value, indent=indent).decode()
    except PydanticSerializationError:
        # The label of an app may hold half a surrogate pair, which UTF-8 cannot encode.
        text = json.dumps(adapter.dump_python(value, mode="json"), indent=indent, ensure_ascii=False)
        text = text.encode("utf-8", "replace").decode()
    return escape_invisible(text) + "\n"


def is_report_file(path: Path) -> bool:
    """Return whether `path` is a JSON file."""
    return path.suffix == ".json" and path.is_file()


def read_report(path: Path) -> Report:
    """Read a saved report, ignoring later keys; raises `SourceError` if it is unreadable, too large or no report."""
    try:
        if path.stat().st_size > MAX_REPORT_BYTES:
            raise SourceError("errors.report_too_large", path=str(path))
        return _report_adapter().validate_json(path.read_bytes())
    except OSError as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=error.strerror or str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise SourceError("errors.report_torn", path=str(path)) from error
        where, problem = ".".join(map(str, first["loc"])), first["msg"]
        details = {"path": str(path), "schema": REPORT_SCHEMA, "where": where, "problem": problem}
        raise SourceError("errors.not_a_report", **details) from error


def report_schema() -> str:
    """Return the JSON Schema of the document."""
    return format_json_schema(_report_adapter(), REPORT_SCHEMA)


def format_json_schema(adapter: TypeAdapter[T], title: str) -> str:
    """Return the JSON Schema of a document as text. Its definitions keep the names of the first published schema."""
    header = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    schema = _with_published_names(adapter.json_schema(mode="serialization"))
    schema["$defs"] = dict(sorted(schema["$defs"].items()))
    return json.dumps({**header, **schema, "title": title}, indent=2) + "\n"


def _with_published_names(node: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(node, list):
        return [_with_published_names(item) for item in node]
    if isinstance(node, dict):
        return {_PUBLISHED_NAMES.get(key, key): _with_published_names(value) for key, value in node.items()}
    if isinstance(node, str):
        prefix, slash, name = node.rpartition("/")
        return f"{prefix}{slash}{_PUBLISHED_NAMES.get(name, name)}" if prefix in {"", "#/$defs"} else node
    return node
