"""The format of a rule: who says so, since when, of which permissions, and how that is worded in each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import ConfigDict, Field

from privaudit.knowledge.schema import Country, Day, Package, Url, Words
from privaudit.model import RuleSays

_FORBID: Final = ConfigDict(extra="forbid")

UNDATED: Final = "undated"
Id: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,60}$")]
Dated: TypeAlias = Annotated[str, Field(pattern=rf"^({UNDATED}|\d{{4}}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?)$")]
"""A day, or ``undated``: that no date is known is said, never left out."""
Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
"""A permission of Android, without ``android.permission.``."""
Sentence: TypeAlias = Annotated[str, Field(pattern=r"^[^{}\n]*\S[^{}\n]*$", max_length=320)]
"""Printed as it stands, so without gaps to fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """What a rule says of some permissions."""

    says: RuleSays
    mapping: Literal["stated", "inferred"]
    """``stated``: the rule names this data itself; ``inferred``: we read it so, and every sentence says "likely"."""
    permissions: tuple[Name, ...] = ()
    special: tuple[Words, ...] = ()
    """Kinds of special access that come to the same."""
    unread: tuple[Name, ...] = ()
    """Permissions that the rule concerns too and that no phone is asked about."""
    condition: Words | None = None
    """Key of the words that tell the condition."""
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSource:
    """Where a rule was read."""

    what: Words
    where: Words
    read: bool = True
    """False: cited only; nobody opened it."""
    __pydantic_config__ = _FORBID


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of one authority or store."""

    id: Id
    """Also the name of its file."""
    kind: Literal["store", "country", "observation"]
    """A store's rule applies to what it installed, a country's when its country is chosen. An observation is nobody's
    rule: it applies to nothing, and can be looked up."""
    country: Country | None = None
    stores: tuple[Package, ...] = ()
    """Packages that Android notes as the installer where the store installed an app."""
    basis: Literal[
        "statute", "regulation", "circular", "guidance", "standard", "self_regulation", "alert", "store_policy", "none"
    ]
    citation: Words
    """Number and article, in the words of the source."""
    url: Url | None = None
    date: Dated
    """On which it was issued; where that is not known, from which it applies."""
    in_force_from: Day | None = None
    """``None``: not known; it is taken to be in force."""
    in_force_until: Day | None = None
    """Its last day. ``None``: still in force, as far as is known."""
    replaced_by: Id | None = None
    match: Literal["requested", "granted"] = "requested"
    """``requested``: it speaks of what an app asks for; ``granted``: only of what an app holds."""
    text_read: bool
    """Whether its own text was read. Else it is known from what others write of it."""
    known_until: Day
    """The newest source that was seen when this was written: what changed later is not in it."""
    checked_on: Day | None = None
    checked_by: Words | None = None
    """Who, knowing this country's law, has read this file. ``None``: nobody yet, and every report says so."""
    concern: tuple[Concern, ...] = ()
    """None: it gives rights or rules conduct, and no permission shows anything of it."""
    source: tuple[RuleSource, ...]
    note: Words | None = None
    words: Mapping[str, Mapping[str, Sentence]] = field(repr=False)
    """By language: ``authority``, ``title``, ``says``; ``verify``, where something of it is not verified yet, says
    what; and the conditions of its concerns."""
    __pydantic_config__ = _FORBID

    @property
    def verify(self) -> bool:
        """Whether something of it is not verified yet: it is never printed without a mark."""
        return "verify" in self.words.get("en", {})

    def in_force(self, day: str) -> bool:
        """Whether it is in force on `day` (``YYYY-MM-DD``). A vague date holds for the whole month or year."""
        begun = self.in_force_from is None or day[: len(self.in_force_from)] >= self.in_force_from
        ended = self.in_force_until is not None and day[: len(self.in_force_until)] > self.in_force_until
        return begun and not ended


KEYS: Final = tuple(dict.fromkeys(one.name for kind in (Rule, Concern, RuleSource) for one in fields(kind)))
"""Every key that may stand in a rule, for "perhaps you meant"."""
