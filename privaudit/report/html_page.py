"""A page in one file: it loads nothing, sends nothing, runs nothing. The one door to Jinja2.

Whatever fills a template is text; Jinja2 escapes it, and text that is not ours comes to stand in an element of its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from privaudit.i18n import ISOLATE, Language

_POLICY: Final = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy: nothing but our own style, known by its hash."""
_TAGS: Final = {"zh": "zh-Hans"}
"""BCP 47 tag of a language, where it is not its code."""


_TEMPLATES: Final = resources.files("privaudit") / "data" / "templates"


def render(template: str, language: Language, content: Mapping[str, object], *, style: str = "style") -> str:
    """The page that a template makes of `content`, whose text was worded with `Language.isolate`.

    Args:
        template: Its name in ``data/templates``; it extends ``base.html.jinja``.
        language: What the page words itself, and the language that it says it is in.
        content: What the template arranges.
        style: The name of the style sheet.
    """
    look = _read(f"{style}.css")
    digest = base64.b64encode(hashlib.sha256(look.encode()).digest()).decode()
    frame = {
        "language": _TAGS.get(language.code, language.code),
        "policy": _POLICY.format(digest),
        "style": Markup(look),  # noqa: S704 - our own file
        "text": language.text,
    }
    made = _environment().get_template(f"{template}.html.jinja").render(**frame, **content)
    # An app may be called by half a surrogate pair, which no UTF-8 can hold.
    return made.encode("utf-8", "replace").decode() + "\n"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_find),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_isolated,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _find(name: str) -> str | None:
    return _read(name) if (_TEMPLATES / name).is_file() else None


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _isolated(value: object) -> object:
    """Text with an element around each part that is not ours, so that its direction ends where it ends."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    begin, end = ISOLATE
    return Markup(str(escape(value)).replace(begin, "<bdi>").replace(end, "</bdi>"))  # noqa: S704 - escaped
