"""Judges facts. One rule, one file: a module here with a ``judge(app, ground)`` is a rule."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from privaudit.capture.model import Capture
from privaudit.knowledge import Knowledge
from privaudit.model import App, Evidence, Facts, Finding, SignatureMatch

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
    unrecognised_count: int
    """Packages that are suspect, named or not."""


RecognitionCache = dict[tuple[str, int], tuple[App, App]]
"""By package and user: an app as it was gathered, and as it was recognised."""


def recognise_apps(
    facts: Facts, knowledge: Knowledge, recognition_cache: RecognitionCache | None = None
) -> tuple[App, ...]:
    """Every app, recognised as lending or not, with its listings: what tells whom to ask about.

    Args:
        facts: of a phone.
        knowledge: to recognise by.
        recognition_cache: what `knowledge` said of these apps before. An app of which nothing new was gathered is not looked up
            again; what was looked up is put there.
    """
    recognition_cache = {} if recognition_cache is None else recognition_cache
    for app in facts.apps:
        before = recognition_cache.get((app.package, app.user))
        if before is None or before[0] is not app:
            recognition_cache[app.package, app.user] = app, _recognise_app(app, knowledge)
    return tuple(recognition_cache[app.package, app.user][1] for app in facts.apps)


def run_checks(
    capture: Capture,
    facts: Facts,
    knowledge: Knowledge,
    *,
    include_unrecognised: bool = False,
    recognition_cache: RecognitionCache | None = None,
) -> CheckResults:
    """Recognise each app and let every rule look at it. `recognition_cache`: see `recognise_apps`."""
    from privaudit.findings.unrecognised import is_unrecognised_reader

    ground = CheckContext(
        capture=capture,
        facts=facts,
        knowledge=knowledge,
        include_unrecognised=include_unrecognised,
        all_packages=frozenset(app.package for app in facts.apps),
    )
    apps = recognise_apps(facts, knowledge, recognition_cache)
    rules = _checks()  # a folder is looked through for them: once for all apps
    findings = [finding for app in apps for rule in rules for finding in rule(app, ground)]
    youngest = {(app.package, app.user): _last_read_age_s(app) for app in apps}
    findings.sort(key=lambda f: (f.severity.order, youngest[f.package, f.user], f.package, f.user, f.rule))
    suspects = {app.package for app in apps if is_unrecognised_reader(app, ground)}
    return CheckResults(apps=apps, findings=tuple(findings), unrecognised_count=len(suspects))


Check = Callable[[App, CheckContext], Iterator[Finding]]


@cache
def _checks() -> tuple[Check, ...]:
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return tuple(module.check for module in modules if hasattr(module, "check"))


def _recognise_app(app: App, knowledge: Knowledge) -> App:
    from privaudit.findings.lending import recognise_lending

    listed = find_signature_matches(app, knowledge)
    lending = recognise_lending(replace(app, listed=listed) if listed else app, knowledge)
    return replace(app, listed=listed, installer_name=knowledge.stores.get(app.installer or ""), lending=lending)


def find_signature_matches(app: App, knowledge: Knowledge) -> tuple[SignatureMatch, ...]:
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
