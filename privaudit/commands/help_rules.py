"""What the commands about rules say of themselves, and print, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.language import Sentence

WORDS: Final[Mapping[str, Sentence]] = {
    "app": "Look at what countries and app stores say a lending app may ask for.",
    "list": "List the rules, one a line.",
    "show": "Show a rule: who says what, since when, of which permissions, and where it was read.",
    "check": "Look for mistakes in the rules, or in a file or folder of your own, and tell all of them at once.",
    "words": "Part of an id, a title or an authority, in any language; several narrow the search.",
    "in_country": "Only rules of this country (two letters, for instance CN).",
    "path": "A .toml rule, or a folder of them. Nothing: the rules that came with privaudit.",
    "json": "Write JSON to standard output.",
    # What is printed.
    "nothing": "No rule has that in its name.",
    "counted": {"one": "1 rule.", "other": "{n} rules."},
    "shown_some": "These are the first {shown} of {n}. Use “list”, or more words, to narrow it.",
    "mark_verify": "[not fully verified]",
    "mark_over": "[no longer in force]",
    "mark_ahead": "[not in force yet]",
    "undated": "undated",
    "by": "{authority}, {dated_on}",
    "citation": "Where it stands: {citation}",
    "basis": "What it is: {basis}",
    "basis_statute": "a law",
    "basis_regulation": "a regulation",
    "basis_circular": "a circular",
    "basis_guidance": "guidance",
    "basis_standard": "a standard",
    "basis_self_regulation": "a rule that an association gave itself",
    "basis_alert": "an advice to the public",
    "basis_store_policy": "the policy of an app store",
    "basis_none": "an observation; nobody made it a rule",
    "applies_store": "Applies to: apps that this store installed ({stores}).",
    "applies_country": "Applies to: lending apps, when --country {country} is given.",
    "applies_observation": "Applies to nothing: kept to be looked up.",
    "from": "In force from {begin_on}.",
    "from_unknown": "Since when it is in force is not known.",
    "from_until": "In force from {begin_on} to {end_on}.",
    "replaced": "Replaced by {id}.",
    "says_forbids": "Closes to lenders: {permissions}",
    "says_not_necessary": "Does not call necessary: {permissions}",
    "says_conditional": "Allows on a condition ({condition}): {permissions}",
    "says_advises": "Advises to refuse: {permissions}",
    "says_conduct": "Is about what people do with: {permissions}",
    "likely": "  (likely: it does not name them; we read it so)",
    "unread": "  (also, but no phone is asked about it: {permissions})",
    "no_concern": "It concerns no permission, so it stands beside no app.",
    "verify": "Not verified: {what}",
    "text_unread": "Its own text was not read: it is known from what others write of it.",
    "read": "Read: {what} ({where})",
    "cited": "Cited, not read: {what} ({where})",
    "url": "Address: {url}",
    "note": "Note: {note}",
    "checked_by": "Checked by {name}, {checked_on}.",
    "never_checked": "Nobody who knows the law has checked it.",
    "known_until": "Known up to {until_on}. A permission is a sign: it does not show that a rule was broken.",
    "checked": {"one": "1 rule: no mistakes.", "other": "{n} rules: no mistakes."},
}
