"""What a check may look at besides the app: the facts, the lists, and the lines of the capture that it quotes."""

import itertools
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from privaudit.capture.model import Capture
from privaudit.knowledge import Knowledge
from privaudit.model import App, Evidence, Facts, Finding, Message, Severity

REDACTED_NAME: Final = "[removed]"
"""Replaces the names of other apps in evidence."""
MAX_EVIDENCE_CHARS: Final = 400
"""Characters of a line that is quoted as evidence. The line with the packages of a shared uid can be very long."""
_DOTTED_NAME = re.compile(r"[A-Za-z]\w*(?:\.\w+)+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What a check may look at besides the app itself."""

    capture: Capture
    facts: Facts
    knowledge: Knowledge
    include_unrecognised: bool
    """Whether the owner asked for the names of apps that can read data and that privaudit does not recognise."""
    all_packages: frozenset[str]
    """Every package on the phone. The evidence about an app must name none of the others."""
    line_starts: dict[str, Sequence[int]] = field(default_factory=dict)
    """Cache: answer key → offsets of its lines. One dump is quoted thousands of times."""

    def build_finding(self, app: App, rule: str, severity: Severity, message: Message, *facts: str) -> Finding:
        """Return a finding about `app`, with the lines that prove `facts` and that the app is installed.

        They are quoted on demand, because most facts are never reported.
        """
        locations = dict.fromkeys(
            location
            for fact in (*facts, "package")
            for location in self.facts.locations.get((app.package, app.user, fact), ())
        )
        return Finding(
            rule=rule,
            severity=severity,
            package=app.package,
            user=app.user,
            message=message,
            evidence=tuple(self._quote_line(app, location.answer_key, location.offset) for location in locations),
            steps=(),
        )

    def _quote_line(self, app: App, answer_key: str, offset: int) -> Evidence:
        answer = self.capture.answer(answer_key)
        if answer.data:  # no lines: what it says of the app is that it is there
            return Evidence(question=answer_key, line=1, text=app.package)
        text = answer.text
        end = text.find("\n", offset)
        line = text[offset : end if end >= 0 else len(text)]
        quoted = self._redact_other_apps(app, answer_key.partition(".")[0], line)[:MAX_EVIDENCE_CHARS]
        if answer_key not in self.line_starts:
            line_ends = itertools.accumulate(len(row) + 1 for row in text.split("\n"))
            self.line_starts[answer_key] = (0, *line_ends)
        number = bisect_right(self.line_starts[answer_key], offset)
        return Evidence(question=answer_key, line=number, text=quoted)

    def _redact_other_apps(self, app: App, question: str, line: str) -> str:
        """Remove the names of other apps: some lines name every app that has a right or that shares a uid."""
        if question == "settings":
            key, equals, value = line.partition("=")
            own = [part if part.partition("/")[0] == app.package else REDACTED_NAME for part in value.split(":")]
            return f"{key}{equals}{':'.join(own)}"
        kept_names = {app.package, app.installer}

        def redact_name(match: re.Match[str]) -> str:
            parts = match[0].split(".")
            packages = {".".join(parts[:end]) for end in range(2, len(parts) + 1)} & self.all_packages
            return REDACTED_NAME if packages - kept_names and app.package not in packages else match[0]

        return _DOTTED_NAME.sub(redact_name, line)
