"""What authorities and app stores say a lender may ask a phone for: one TOML file a rule, in several languages.

The files are read and checked in `privaudit.knowledge.rules`; here is only what a sentence needs of them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

_RULE_ID: Final = re.compile(r"[A-Z][A-Z0-9-]{1,60}\Z")
"""A saved report may name any rule: nothing else becomes the name of a file."""


def rules_folder() -> Traversable:
    """Where the rules lie that came with privaudit."""
    return resources.files("privaudit") / "data" / "rules"


@cache
def rule_texts(rule_id: str) -> Mapping[str, Mapping[str, str]]:
    """The words of a rule by language; none where there is no such rule: a newer privaudit may have named it."""
    file = rules_folder() / f"{rule_id}.toml"
    if not _RULE_ID.match(rule_id) or not file.is_file():
        return {}
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))["words"]
    return found


def rule_text(rule_id: str, text_key: str, code: str) -> str | None:
    """One word of a rule in the language `code`, else in English; ``None`` where there is none."""
    known = rule_texts(rule_id)
    return known.get(code, {}).get(text_key) or known.get("en", {}).get(text_key)
