"""What is said of mistakes in data files, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    "at_line": "row {row}",
    "at_object": "object no. {row}",
    "at_row": "[[{table}]] no. {row}",
    "at_table": "[{table}]",
    "certificate_shared": "{file}, {where}: the certificate {found} stands on rows of different developers too"
    " ({others}); a key that everybody has says nothing of who made an app",
    "certificate_test": "{file}, {where}: {found} is a published test or debug certificate ({name}); anybody can sign"
    " with it, so it says nothing of who made an app",
    "choice": "{file}, {where}: “{key}” is “{found}”, but must be one of {choices}",
    "country": "{file}, {where}: “{found}” is not a country code of two capital letters, such as PK",
    "date": "{file}, {where}: “{found}” is not a date; write 2024, 2024-05 or 2024-05-31",
    "date_ahead": "{file}, {where}: the date {found} has not come yet",
    "digest": "{file}, {where}: “{found}” is not a SHA-256 digest (64 digits 0-9 and a-f, in small letters)",
    "duplicate": "{file}, {where}: {package} stands in this file already; put both into one row",
    "digest_twice": "{file}, {where}: the digest {found} stands in this file already; put both into one row",
    "encoding": "{file}, line {line}: this is not UTF-8; save the file as UTF-8",
    "encoding_table": "{file}: in no code that privaudit knows; save it in Excel as “CSV UTF-8 (comma delimited)”",
    "example_found": "{file}, example {row}: {found} must not be on this list, and is",
    "example_missed": "{file}, example {row}: {found} must be on this list, and is not",
    "example_name": "{file}, example {row}: “{found}” is judged “{verdict}”, but must be {expected}",
    "head_twice": "{file}, column {column}: the head “{found}” stands twice",
    "kind_bool": "true or false, without quotes",
    "kind_list": "a list in square brackets",
    "kind_table": "a table",
    "kind_text": "text in quotes",
    "misplaced_key": "{file}, {where}: “{key}” does not belong here: "
    "lenders have a status, and lists of risky apps have a tier and an action",
    "missing_key": "{file}, {where}: “{key}” is missing",
    "names_nothing": "{file}, {where}: this row names no app; give a package, a name, a digest or a certificate",
    "nested": "{file}: brackets within brackets, too deep to read",
    "no_heads": "{file}: the first row must hold heads. There are: {heads}. At least one of package, names, sha256 and"
    " certificates is needed",
    "no_indicators": "{file}: there is no indicator of a package, an APK or a certificate"
    " ({passed} say something else and were passed over)",
    "no_lists": "{file}: there is no .toml file in this folder",
    "no_rows": "{file}: there is nothing below the heads",
    "no_rung": "{file}, {where}: needs a rung of the ladder, one of {choices}; without it nobody finds it",
    "not_shipped": "{file}: the lists that belong to privaudit are not there",
    "not_stix": "{file}: this is not STIX 2.1 ({reason})",
    "not_table": "{file}: this is not a table in CSV ({reason})",
    "not_there": "{file}: no such file or folder",
    "package": "{file}, {where}: “{found}” is not a package name, such as com.example.loan",
    "regex": "{file}, trap {row}: the pattern “{found}” cannot be read ({reason})",
    "rule_asked": "{file}, {where}: privaudit asks phones about {found}; move it from unread to permissions",
    "rule_condition": "{file}, {where}: “conditional” needs a condition, and nothing else has one; give the key of the"
    " words that tell it",
    "rule_date_ahead": "{file}: “{key}” is {found}, which has not come yet",
    "rule_empty": "{file}, {where}: this names no permission and no special access; name one, or take it out",
    "rule_ends_first": "{file}: in_force_until ({end}) is before in_force_from ({begin})",
    "rule_file": "{file}: its id is {found}, so the file must be called {found}.toml",
    "rule_half_checked": "{file}: checked_on and checked_by belong together; give both or none",
    "rule_needs": "{file}: a rule of the kind “{kind}” needs “{key}”",
    "rule_needs_not": "{file}: a rule of the kind “{kind}” has no “{key}”; take it out, or change the kind",
    "rule_never": "{file}, {where}: “{key}” says “{found}”, which accuses somebody or promises too much; a permission"
    " shows neither",
    "rule_no_end": "{file}: it was replaced by {found}, so say with in_force_until on which day it ended",
    "rule_no_source": "{file}: there is no [[source]]; say where the rule was read",
    "rule_not_asked": "{file}, {where}: no phone is asked about {found}, so it would never match; if the name is right,"
    " put it under unread{similar}",
    "rule_special": "{file}, {where}: “{found}” is no special access that privaudit knows{similar}",
    "rule_twice": "{file}, {where}: {found} stands in this rule already, with the same meaning",
    "rule_unknown": "{file}: there is no rule {found}{similar}",
    "term_twice": "{file}: the word “{found}” stands twice among the {table} words",
    "too_large": "{file}: larger than {megabytes} MB, so it was not read",
    "toml": "{file}, line {line}: this is not TOML ({reason})",
    "unknown_key": "{file}, {where}: “{key}” is not a key that privaudit knows; is it misspelt?{similar}",
    "similar": " Perhaps “{word}”.",
    "not_similar": "",
    "unreadable": "{file}: the file cannot be opened ({reason})",
    "too_many_rows": "{file}: more than {most} rows, so it was not read",
    "unchecked": "{file}, {where}: nobody has checked this: give checked_on and checked_by both, or leave both out and"
    " write verify = true, so that it is shown with “check before use”",
    "undisputed": "{file}, {where}: {package} is on a list of lenders too ({others}); two lists that disagree:"
    " write disputed = true here, and say in a note why",
    "unknown_head": "{file}, column {column}: “{found}” is not a head that privaudit knows{similar}",
    "unknown_harm": "{file}, {where}: “{found}” is not among the harms in vocabulary.toml; use one of them, or add it"
    " there with its meaning{similar}",
    "url": "{file}, {where}: “{found}” is not an address that begins with https:// or http://",
    "wrong_kind": "{file}, {where}: “{key}” must be {kind}",
    "wrong_value": "{file}, {where}: “{key}” cannot be “{found}”",
}
