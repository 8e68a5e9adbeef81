"""The package name of this app equals one on a published list. It need not be the same app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.findings import Ground, severity
from privaudit.language import name_of
from privaudit.model import App, Finding, Listing, Message, Severity

WORDS: Final[Mapping[str, str]] = {
    "A": (
        "The package name of “{app}” (its name inside the phone) equals one that {publisher} listed as {action}"
        " ({dated_on}): {title}. The list may be out of date, and an equal name need not be the same app."
    ),
    "B": (
        "The package name of “{app}” (its name inside the phone) equals one on the list of {publisher} ({dated_on}):"
        " {title}. The list calls it “{action}”."
        " The list may be out of date, and an equal name need not be the same app."
    ),
    "N": (
        "An app with the package name of “{app}” (its name inside the phone), as far as is known, was named in a notice"
        " of {publisher} ({dated_on}): {title}. Whether it was mended since is not known."
    ),
    "A_apk_sha256": (
        "The file of “{app}” is, byte for byte, one that {publisher} listed as {action} ({dated_on}): {title}."
    ),
    "B_apk_sha256": (
        "The file of “{app}” is, byte for byte, one on the list of {publisher} ({dated_on}): {title}."
        " The list calls it “{action}”."
    ),
    "N_apk_sha256": (
        "The file of “{app}” is, byte for byte, one named in a notice of {publisher} ({dated_on}): {title}."
        " Whether it was mended since is not known."
    ),
    "A_certificate": (
        "“{app}” carries a signing certificate that {publisher} listed with {action} ({dated_on}): {title}."
        " Other apps of the same maker carry it too; the list may be out of date."
    ),
    "B_certificate": (
        "“{app}” carries a signing certificate on the list of {publisher} ({dated_on}): {title}."
        " The list calls it “{action}”. Other apps of the same maker carry it too; the list may be out of date."
    ),
    "N_certificate": (
        "“{app}” carries a signing certificate named in a notice of {publisher} ({dated_on}): {title}."
        " Whether it was mended since is not known."
    ),
    "own": "“{app}” is on a list that you added yourself. It has no published source.",
    "via": "This tool has seen a reprint: {via}.",
    "undated": "the list has no date",
    "reported": "Reported means reported. It does not mean that anybody has judged it.",
    "of_country": "The list is of one country (code {country}).",
    "elsewhere": "The list is of another country than yours (code {country}).",
    "disputed": "Another source speaks for this app: the listing is disputed.",
    "spyloan": "SpyLoan is a word of researchers for apps that collect a phone's data in the name of a loan.",
}


def judge(app: App, ground: Ground) -> Iterator[Finding]:
    """One finding a listing."""
    for listing in app.listed:
        yield Finding(
            rule="listed",
            severity=of_listing(app, listing),
            package=app.package,
            user=app.user,
            message=sentence(app, listing),
            evidence=ground.evidence(app, "package"),
            steps=(),
        )


def sentence(app: App, listing: Listing) -> Message:
    """What may be said of an app on a list."""
    by = "" if listing.match == "package" or listing.tier == "own" else f"_{listing.match}"
    return Message(
        key=f"listed.{listing.tier}{by}",
        values={
            "app": name_of(app.label, app.package),
            "publisher": listing.publisher,
            "action": listing.action,
            "title": listing.title,
            "dated_on": listing.date or Message(key="listed.undated"),
        },
    )


def of_listing(app: App, listing: Listing) -> Severity:
    """The grade of a listing, by what the app can read now."""
    if listing.tier == "N":
        return severity.TABLE["notified"]
    if listing.tier == "own":
        return severity.of_access(app)
    grade = severity.TABLE["listed_reads" if severity.reads(app) else "listed_closed"]
    return severity.lowered(grade) if listing.disputed else grade
