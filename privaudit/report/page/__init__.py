"""A page in one file: it loads nothing, sends nothing, runs nothing.

Whatever fills a template is text; Jinja2 escapes it, and text that is not ours comes to stand in an element of its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from privaudit.language import ISOLATE, Language

_POLICY: Final = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy: nothing but our own style, known by its hash."""
_TAGS: Final = {"zh": "zh-Hans"}
"""BCP 47 tag of a language, where it is not its code."""


def render(template: str, language: Language, content: Mapping[str, object]) -> str:
    """The page that the template called `template` makes of `content`, worded with `Language.isolate`."""
    style = _read("style.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    frame = {
        "language": _TAGS.get(language.code, language.code),
        "policy": _POLICY.format(digest),
        "style": Markup(style),  # noqa: S704 - our own file
        "text": language.text,
    }
    made = _environment().get_template(f"{template}.html.jinja").render(**frame, **content)
    # An app may be called by half a surrogate pair, which no UTF-8 can hold.
    return made.encode("utf-8", "replace").decode() + "\n"


def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_isolated,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _read(name: str) -> str:
    return (resources.files(__name__) / name).read_text(encoding="utf-8")


def _isolated(value: object) -> object:
    """Text with an element around each part that is not ours, so that its direction ends where it ends."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    begin, end = ISOLATE
    return Markup(str(escape(value)).replace(begin, "<bdi>").replace(end, "</bdi>"))  # noqa: S704 - escaped
