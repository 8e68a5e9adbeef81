"""Judges facts. One rule, one file: a module here with a ``judge(app, ground)`` is a rule."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final, TypeVar

from privaudit.capture.model import Capture
from privaudit.knowledge import Knowledge
from privaudit.model import App, AppSummary, Evidence, Facts, Finding, SignatureMatch

REDACTED_NAME: Final = "[removed]"
"""Stands in evidence for the name of an app that the report is not about."""
MAX_EVIDENCE_CHARS: Final = 400
"""Characters of a line that is quoted as evidence. A shared uid's line of packages can be very long."""


_DOTTED_NAME: Final = re.compile(r"[A-Za-z]\w*(?:\.\w+)+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What a rule may look at beside the app itself."""

    capture: Capture
    facts: Facts
    knowledge: Knowledge
    include_unrecognised: bool
    """The owner asked for the names of apps that can read and that we do not recognise."""

    all_packages: frozenset[str]
    """Every package on the phone: none but the app's own may stand in its evidence."""
    line_starts: dict[str, Sequence[int]] = field(default_factory=dict)
    """By answer: where its lines begin. A dump is quoted thousands of times, and its lines are counted once."""

    def evidence_for(self, app: App, *facts: str) -> tuple[Evidence, ...]:
        """The lines on which `facts` about `app` rest. Cut out only here: most facts never need theirs."""
        places = dict.fromkeys(
            place for fact in facts for place in self.facts.locations.get((app.package, app.user, fact), ())
        )
        return tuple(self._quote_line(app, place.answer_key, place.offset) for place in places)

    def _quote_line(self, app: App, answer: str, offset: int) -> Evidence:
        text = self.capture.answer(answer).text
        end = text.find("\n", offset)
        line = text[offset : end if end >= 0 else len(text)]
        shown = self._redact_other_apps(app, answer.partition(".")[0], line)[:MAX_EVIDENCE_CHARS]
        if answer not in self.line_starts:
            ends = itertools.accumulate(len(row) + 1 for row in text.split("\n"))
            self.line_starts[answer] = (0, *ends)
        return Evidence(question=answer, line=bisect_right(self.line_starts[answer], offset), text=shown)

    def _redact_other_apps(self, app: App, question: str, line: str) -> str:
        """`line` without the names of other apps: some lines name every app that has a right, or that shares a uid."""
        if question == "settings":
            key, equals, value = line.partition("=")
            own = [part if part.partition("/")[0] == app.package else REDACTED_NAME for part in value.split(":")]
            return f"{key}{equals}{':'.join(own)}"
        kept = {app.package, app.installer}

        def hide(match: re.Match[str]) -> str:
            words = match[0].split(".")
            named = {".".join(words[:end]) for end in range(2, len(words) + 1)} & self.all_packages
            return REDACTED_NAME if named - kept and app.package not in named else match[0]

        return _DOTTED_NAME.sub(hide, line)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResults:
    """What the rules say."""

    apps: tuple[App, ...]
    """Every app, recognised as lending or not, with its listings."""
    findings: tuple[Finding, ...]
    """In the order in which to act."""


AppT = TypeVar("AppT", App, AppSummary)


def recognise_apps(apps: Iterable[AppT], knowledge: Knowledge) -> tuple[AppT, ...]:
    """Return each app with its matches on published lists and the verdict whether it lends."""
    return tuple(_recognise_app(app, knowledge) for app in apps)


def run_checks(
    capture: Capture,
    facts: Facts,
    knowledge: Knowledge,
    *,
    include_unrecognised: bool = False,
    all_packages: frozenset[str] | None = None,
) -> CheckResults:
    """Recognise each app of `facts` and run every check on it.

    Args:
        capture: Where the evidence is cut from.
        facts: Of the apps that a report may name.
        knowledge: Lists, vocabulary and stores.
        include_unrecognised: Whether unrecognised apps that can read get a finding.
        all_packages: Every package on the phone; ``None``: `facts` has them all.
    """
    context = CheckContext(
        capture=capture,
        facts=facts,
        knowledge=knowledge,
        include_unrecognised=include_unrecognised,
        all_packages=frozenset(app.package for app in facts.apps) if all_packages is None else all_packages,
    )
    apps = recognise_apps(facts.apps, knowledge)
    checks = _checks()  # lists a folder: once for all apps
    findings = [finding for app in apps for check in checks for finding in check(app, context)]
    last_read = {(app.package, app.user): _last_read_age_s(app) for app in apps}
    findings.sort(key=lambda f: (f.severity.order, last_read[f.package, f.user], f.package, f.user, f.rule))
    return CheckResults(apps=apps, findings=tuple(findings))


Check = Callable[[App, CheckContext], Iterator[Finding]]


@cache
def _checks() -> tuple[Check, ...]:
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return tuple(module.check for module in modules if hasattr(module, "check"))


def _recognise_app(app: AppT, knowledge: Knowledge) -> AppT:
    from privaudit.findings.lending import recognise_lending

    matches = find_signature_matches(app, knowledge)
    if matches:
        app = replace(app, listed=matches)
    app = replace(app, lending=recognise_lending(app, knowledge))
    return replace(app, installer_name=knowledge.stores.get(app.installer or "")) if isinstance(app, App) else app


def find_signature_matches(app: App | AppSummary, knowledge: Knowledge) -> tuple[SignatureMatch, ...]:
    """Every listing of an app: by its package, its file and its signers."""
    found = knowledge.match_package(app.package)
    if app.apk_sha256 is not None:
        found += knowledge.match_apk(app.apk_sha256)
    for digest in app.certificates_sha256:
        found += knowledge.match_certificate(digest)
    return found


def _last_read_age_s(app: App) -> int:
    """Seconds since the last recorded read: a record orders within a grade and never changes it."""
    ages = [access.last_read_age_s for access in app.access.values() if access.last_read_age_s is not None]
    return min(ages, default=1 << 62)
