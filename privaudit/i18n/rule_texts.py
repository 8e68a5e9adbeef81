"""The texts of the rules (``privaudit/data/rules``): what each rule is called and says, by language.

`privaudit.knowledge.rules` reads and checks the whole files; this module reads only what a sentence needs of them.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

_RULE_ID: Final = re.compile(r"[A-Z][A-Z0-9-]{1,60}\Z")
"""A saved report may name any rule, so an id is checked before it becomes a file name."""


def rules_folder() -> Traversable:
    """Return the folder of the rules that are part of privaudit."""
    return resources.files("privaudit") / "data" / "rules"


@cache
def rule_texts(rule_id: str) -> Mapping[str, Mapping[str, str]]:
    """Return the texts of a rule by language; empty for an unknown rule, which a newer privaudit may have named."""
    file = rules_folder() / f"{rule_id}.toml"
    if not _RULE_ID.match(rule_id) or not file.is_file():
        return {}
    texts: Mapping[str, Mapping[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))["words"]
    return texts


def rule_text(rule_id: str, text_key: str, code: str) -> str | None:
    """Return one text of a rule in the language `code`, else in English; ``None`` where the rule has no such text."""
    texts = rule_texts(rule_id)
    return texts.get(code, {}).get(text_key) or texts.get("en", {}).get(text_key)


def has_texts(rule_id: str, code: str) -> bool:
    """Return whether the texts of a rule are there in the language `code`; true for a rule that has none at all."""
    texts = rule_texts(rule_id)
    return code in texts or not texts
