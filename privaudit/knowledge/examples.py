"""Names with the verdict that the words must come to on each: tried by `signatures check`, never read otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from typing import Final, Literal

from pydantic import ConfigDict, TypeAdapter

from privaudit.knowledge.loader import Mistakes, read_toml, validate
from privaudit.knowledge.schema import Words
from privaudit.knowledge.vocabulary import Vocabulary

FILE: Final = "examples.toml"
_FORBID: Final = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One app's name, its package, or both."""

    label: Words | None = None
    package: Words | None = None
    expect: tuple[Literal["lending", "maybe", "weak", "trapped", "no"], ...]
    """Any of these will do."""
    origin: Words
    """Real, or made up for a trap."""
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    name: tuple[Example, ...]
    __pydantic_config__ = _FORBID


def read(folder: Traversable, mistakes: Mistakes) -> tuple[Example, ...]:
    """The examples of `folder`; what is wrong goes to `mistakes`."""
    data = read_toml(folder / FILE, FILE, mistakes)
    found = None if data is None else validate(_adapter(), data, FILE, mistakes)
    return found.name if found else ()


def check_names(folder: Traversable, words: Vocabulary, mistakes: Mistakes) -> None:
    """Judge every example."""
    for number, example in enumerate(read(folder, mistakes), 1):
        verdict = words.judge(example.label, example.package).verdict
        if verdict not in example.expect:
            mistakes.add(
                "knowledge.example_name",
                file=FILE,
                row=number,
                found=example.label or example.package,
                verdict=verdict,
                expected=" / ".join(example.expect),
            )


@cache
def _adapter() -> TypeAdapter[_File]:
    return TypeAdapter(_File)
