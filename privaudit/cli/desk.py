"""Where captures become reports, and reports go where the user wants them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from privaudit.cli.console import Talk
from privaudit.errors import (
    EXIT_FOUND,
    EXIT_GAPS,
    EXIT_OK,
    EXIT_UNREADABLE,
    ConnectionLost,
    KnowledgeError,
    PrivauditError,
    UsageError,
)

if TYPE_CHECKING:
    from privaudit.audit import Reach, Wishes
    from privaudit.capture import Capture
    from privaudit.facts.cache import Memory
    from privaudit.knowledge import Knowledge
    from privaudit.model import Report
    from privaudit.transport import Transport

LIVE: Final = frozenset({"usb", "tcp", "server", "demo"})
"""Kinds of source that are a phone. What the demo phone gave is of kind "demo" when it is saved, too."""


class Desk:
    """Where captures become reports, and reports go where the user wants them."""

    def __init__(
        self,
        talk: Talk,
        output: list[str],
        country: str | None,
        *,
        all_apps: bool,
        unknown: bool,
        json: bool,
        lines: bool,
        share: bool = False,
    ) -> None:
        self.talk = talk
        self.files = [Path(name) for name in output if name != "-"]
        self.json = json or "-" in output
        self.lines = lines
        self.country = country.upper() if country else None
        self.all_apps = all_apps
        self.unknown = unknown
        self.share = share
        self._memory: Memory | None = None

    def check(self, sources: int) -> None:
        """Refuse what cannot be done, before a phone is asked anything.

        Raises:
            UsageError: a format that we do not write, a folder that is not there, outputs that exclude each other.
        """
        from privaudit import report

        for path in self.files:
            report.check(path, tuple(report.FORMATS))
        if self.country is not None and not re.fullmatch(r"[A-Z]{2}", self.country):
            raise UsageError("errors.country_unknown", given=self.country)
        if sources > 1 and (self.files or (self.json and not self.lines)):
            raise UsageError("errors.one_source")

    @property
    def wishes(self) -> Wishes:
        """What the report shall hold."""
        from privaudit.audit import Wishes

        return Wishes(all_apps=self.all_apps, name_suspects=self.unknown, country=self.country)

    def knowledge(self, signatures: list[Path], *, demo: bool = False) -> Knowledge:
        """The lists to judge by."""
        from privaudit import knowledge

        return knowledge.load(extra=signatures, demo=demo, country=self.country)

    def saved(self, sources: list[Path], signatures: list[Path]) -> int:
        """Report on each saved source; one that cannot be read hides no other."""
        codes = []
        for path in sources:
            if len(sources) > 1:
                self.talk.say("cli.now", path=str(path))
            try:
                codes.append(self._one(path, signatures))
            except PrivauditError as error:
                if len(sources) == 1 or isinstance(error, KnowledgeError):
                    raise
                self.talk.show(error)
                codes.append(error.exit_code)
        # What was found counts before what was not read, and that before gaps.
        return next(code for code in (EXIT_FOUND, EXIT_UNREADABLE, EXIT_GAPS, EXIT_OK) if code in codes)

    def _one(self, path: Path, signatures: list[Path]) -> int:
        from privaudit import capture
        from privaudit.report import json

        if json.recognises(path):
            return self.deliver(self._of_country(json.read(path)))
        taken = capture.read(path)
        return self.show(taken, self.knowledge(signatures, demo=taken.demo))

    def _of_country(self, document: Report) -> Report:
        """A saved report; where a country is chosen now, with its rules."""
        if self.country is None:
            return document
        from privaudit.findings import legal_rules

        return legal_rules.chosen(document, self.knowledge([], demo=document.demo), self.country)

    def live(self, phone: Transport, knowledge: Knowledge, reach: Reach, *, demo: bool = False) -> Capture:
        """Take a capture of a phone; `show` need not read again what was read for it."""
        from privaudit import audit as pipeline
        from privaudit.facts.cache import Memory

        self._memory = Memory()
        return pipeline.live(
            phone,
            knowledge,
            demo=demo,
            reach=reach,
            progress=self.talk.round,
            counted=self.talk.counted,
            memory=self._memory,
        )

    def show(self, taken: Capture, knowledge: Knowledge) -> int:
        """Judge a capture and deliver the report."""
        from privaudit import audit as pipeline
        from privaudit import resume

        code = self.deliver(pipeline.judged(taken, knowledge, self.wishes, self._memory))
        if taken.source.kind in LIVE and resume.interrupted(taken):
            self.talk.show(ConnectionLost("errors.cut_audit"))
        return code

    def deliver(self, document: Report) -> int:
        """Write the report where it was asked for; the exit code of DESIGN §4."""
        from privaudit import report
        from privaudit.model import Verdict
        from privaudit.report import json, share

        if self.share:
            document = share.coarsened(document)
        for path in self.files:
            report.write(document, path, self.talk.language)
        if self.lines:
            self.talk.out(json.line(document))
        elif self.json:
            self.talk.out(json.render(document))
        else:
            self._print(document)
        for path in self.files:
            self.talk.say("cli.saved", path=str(path))
        if document.verdict is Verdict.FOUND:
            return EXIT_FOUND
        if not document.counts.apps_seen:
            return EXIT_UNREADABLE  # no phone is without apps
        return EXIT_OK if document.complete else EXIT_GAPS

    def _print(self, document: Report) -> None:
        from privaudit.report import txt

        if not self.talk.colours:
            self.talk.out(txt.render(document, self.talk.language))
            return
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False, soft_wrap=True)
        for line in txt.lines(document, self.talk.language, min(max(console.width, 60), txt.WIDE)):
            console.print(Text(line.text, style=line.style))
