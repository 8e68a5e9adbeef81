"""Render a template as an HTML page in one file: it loads nothing, sends nothing, runs no script.

The only module that writes HTML. Everything that fills a template is text, which Jinja2 escapes; text that is not
ours is put into an element of its own.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from privaudit.i18n import BIDI_ISOLATE, Translator

_TEMPLATES: Final = resources.files("privaudit") / "data" / "templates"
_CONTENT_SECURITY_POLICY: Final = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
"""Allows nothing but our own style sheet, by its hash."""
_LANGUAGE_TAGS: Final = {"zh": "zh-Hans"}
"""Language code → BCP 47 tag, where they differ."""


def render_page(
    template_name: str, language: Translator, context: Mapping[str, object], *, stylesheet: str = "style"
) -> str:
    """Render a page, ending in a line feed; template and style sheet stand in ``data/templates``, without suffixes.

    The template extends ``base.html.jinja``; its values in `context` are worded by a `Translator` with `isolate_bidi`.
    """
    style = read_stylesheet(stylesheet)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page_context = {
        "language": language_tag(language.code),
        "policy": _CONTENT_SECURITY_POLICY.format(digest),
        "style": Markup(style),  # noqa: S704 - our own file
        "text": language.t,
    }
    page = _jinja_environment().get_template(f"{template_name}.html.jinja").render(**page_context, **context)
    # The label of an app may hold half a surrogate pair, which UTF-8 cannot encode.
    return page.encode("utf-8", "replace").decode() + "\n"


def language_tag(code: str) -> str:
    """Return the BCP 47 tag of a language, for a `lang` attribute."""
    return _LANGUAGE_TAGS.get(code, code)


@cache
def _jinja_environment() -> Environment:
    return Environment(
        loader=FunctionLoader(lambda name: _read_resource(name) if (_TEMPLATES / name).is_file() else None),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_isolate_bidi,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def read_stylesheet(name: str) -> str:
    """Return a style sheet of ``data/templates``, as it stands in a page."""
    return _read_resource(f"{name}.css")


def _read_resource(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _isolate_bidi(value: object) -> object:
    """Return text escaped, with an element around each part that is not ours, so that its direction ends with it."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    start, end = BIDI_ISOLATE
    return Markup(str(escape(value)).replace(start, "<bdi>").replace(end, "</bdi>"))  # noqa: S704 - escaped
