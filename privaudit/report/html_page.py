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

from privaudit.i18n import BIDI_ISOLATE, Translator

_CONTENT_SECURITY_POLICY: Final = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy: nothing but our own style, known by its hash."""
_LANGUAGE_TAGS: Final = {"zh": "zh-Hans"}
"""BCP 47 tag of a language, where it is not its code."""


_TEMPLATES: Final = resources.files("privaudit") / "data" / "templates"


def render_page(
    template_name: str, language: Translator, context: Mapping[str, object], *, stylesheet: str = "style"
) -> str:
    """The page that a template makes of `context`, whose text was worded with `Translator.isolate`.

    Args:
        template_name: Its name in ``data/templates``; it extends ``base.html.jinja``.
        language: What the page words itself, and the language that it says it is in.
        context: What the template arranges.
        stylesheet: The name of the style sheet.
    """
    look = _read_resource(f"{stylesheet}.css")
    digest = base64.b64encode(hashlib.sha256(look.encode()).digest()).decode()
    frame = {
        "language": _LANGUAGE_TAGS.get(language.code, language.code),
        "policy": _CONTENT_SECURITY_POLICY.format(digest),
        "style": Markup(look),  # noqa: S704 - our own file
        "text": language.t,
    }
    made = _jinja_environment().get_template(f"{template_name}.html.jinja").render(**frame, **context)
    # An app may be called by half a surrogate pair, which no UTF-8 can hold.
    return made.encode("utf-8", "replace").decode() + "\n"


@cache
def _jinja_environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_load_template),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_isolate_bidi,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _load_template(name: str) -> str | None:
    return _read_resource(name) if (_TEMPLATES / name).is_file() else None


def _read_resource(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _isolate_bidi(value: object) -> object:
    """Text with an element around each part that is not ours, so that its direction ends where it ends."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    begin, end = BIDI_ISOLATE
    return Markup(str(escape(value)).replace(begin, "<bdi>").replace(end, "</bdi>"))  # noqa: S704 - escaped
