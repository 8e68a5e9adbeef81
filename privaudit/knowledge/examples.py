"""Names with the verdict that the words must come to on each: tried by `signatures check`, never read otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from typing import Final, Literal

from pydantic import ConfigDict, TypeAdapter

from privaudit.knowledge.loader import Problems, read_toml, validate_data
from privaudit.knowledge.schema import NonEmptyText
from privaudit.knowledge.vocabulary import Vocabulary

NAME_EXAMPLES_FILE: Final = "examples.toml"
_FORBID: Final = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameExample:
    """One app's name, its package, or both."""

    label: NonEmptyText | None = None
    package: NonEmptyText | None = None
    expect: tuple[Literal["lending", "maybe", "weak", "trapped", "no"], ...]
    """Any of these will do."""
    origin: NonEmptyText
    """Real, or made up for a trap."""
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class _NameExampleFile:
    name: tuple[NameExample, ...]
    __pydantic_config__ = _FORBID


def read_name_examples(folder: Traversable, problems: Problems) -> tuple[NameExample, ...]:
    """The examples of `folder`; what is wrong goes to `problems`."""
    data = read_toml(folder / NAME_EXAMPLES_FILE, NAME_EXAMPLES_FILE, problems)
    found = None if data is None else validate_data(_name_examples_adapter(), data, NAME_EXAMPLES_FILE, problems)
    return found.name if found else ()


def check_name_examples(folder: Traversable, words: Vocabulary, problems: Problems) -> None:
    """Judge every example."""
    for number, example in enumerate(read_name_examples(folder, problems), 1):
        verdict = words.classify(example.label, example.package).verdict
        if verdict not in example.expect:
            problems.add(
                "knowledge.example_name",
                file=NAME_EXAMPLES_FILE,
                row=number,
                found=example.label or example.package,
                verdict=verdict,
                expected=" / ".join(example.expect),
            )


@cache
def _name_examples_adapter() -> TypeAdapter[_NameExampleFile]:
    return TypeAdapter(_NameExampleFile)
