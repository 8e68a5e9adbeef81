"""Where APK files are vetted: one, one on a phone, or many; and where rows of lists are drafted from them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from privaudit import __version__
from privaudit.cli.console import Talk
from privaudit.cli.signatures import country_code
from privaudit.errors import EXIT_FOUND, EXIT_GAPS, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNREADABLE, SourceError, UsageError

if TYPE_CHECKING:
    from privaudit.report.txt import Line
    from privaudit.vetting import Known
    from privaudit.vetting.batch import Job
    from privaudit.vetting.document import Vetting
    from privaudit.vetting.results import Results
    from privaudit.vetting.tally import Tally

_LINES: Final = ".jsonl"


class Bench:
    """Vets, and delivers what comes of it."""

    def __init__(
        self, talk: Talk, output: list[str], country: str | None, signatures: list[Path], *, as_json: bool
    ) -> None:
        self.talk = talk
        self.json = as_json or "-" in output
        named = [Path(name) for name in output if name != "-"]
        self.documents = [path for path in named if path.suffix != _LINES]
        self.lines = [path for path in named if path.suffix == _LINES]
        self.country = country_code(country)
        self.signatures = signatures

    def check(self, files: list[Path], installed: str | None, scheduler: str | None) -> None:
        """Refuse what cannot be done, before anything is read.

        Raises:
            UsageError: nothing to vet, two places to look, a format that is not written, a folder that is not there.
        """
        from privaudit import report
        from privaudit.vetting.report import FORMATS

        if not files and installed is None:
            raise UsageError("errors.apk_nothing")
        if installed is not None and (files or scheduler is not None):
            raise UsageError("errors.apk_one_place")
        if len(files) == 1 and not files[0].exists():
            raise SourceError("errors.apk_missing", path=str(files[0]))
        for path in (*self.documents, *self.lines):
            report.check(path, (*FORMATS, _LINES))
        if self.documents and (scheduler is not None or len(files) > 1 or any(map(Path.is_dir, files))):
            raise UsageError("errors.apk_one_file")
        if len(self.lines) > 1 or (self.lines and installed is not None):
            raise UsageError("errors.apk_one_file")
        if scheduler is not None:
            from privaudit.vetting import dask_cluster

            dask_cluster.check(scheduler)

    def installed(self, package: str, transport: str, serial: str | None) -> int:
        """Vet an app on the phone."""
        self.talk.say("apkcli.starting_phone", version=__version__)
        with self.talk.phone(transport, serial) as connection:
            from privaudit.vetting.installed import vet_installed

            known = self._known()
            self.talk.say("apkcli.fetching")
            vetting = vet_installed(connection, package, known)
        return self._deliver(vetting)

    def files(self, files: list[Path], scheduler: str | None) -> int:
        """Vet files; one is told in full, several in a table."""
        if scheduler is not None:
            self.talk.say("apkcli.starting_cluster", version=__version__, address=scheduler)
        else:
            self.talk.say("apkcli.starting", version=__version__)
        from privaudit.vetting import vet

        known = self._known()
        if len(files) == 1 and not files[0].is_dir() and not self.lines and scheduler is None:
            return self._deliver(vet(files[0], known))
        return self._many(files, known, scheduler)

    def _known(self) -> Known:
        from privaudit import vetting as vet

        return vet.known(extra=self.signatures, country=self.country)

    def _deliver(self, vetting: Vetting) -> int:
        from privaudit.model import Verdict
        from privaudit.vetting import json, txt
        from privaudit.vetting import report as forms

        for path in self.documents:
            forms.write(vetting, path, self.talk.language)
        if self.json:
            self.talk.out(json.line(vetting))
        else:
            printed(self.talk, lambda width: txt.lines(vetting, self.talk.language, width))
        for path in self.documents:
            self.talk.say("cli.saved", path=str(path))
        if vetting.app is None:
            return EXIT_UNREADABLE
        if vetting.verdict is Verdict.FOUND:
            return EXIT_FOUND
        return EXIT_OK if vetting.complete else EXIT_GAPS

    # --- many ---

    def _many(self, files: list[Path], known: Known, scheduler: str | None) -> int:
        from privaudit.vetting import batch_table, results
        from privaudit.vetting.batch import jobs
        from privaudit.vetting.bundle import SUFFIXES
        from privaudit.vetting.tally import Tally

        tally = Tally()
        every = list(jobs(files))
        if not every:
            raise UsageError("errors.apk_files_none", known=SUFFIXES)
        kept = results.opened(self.lines[0], known) if self.lines else None
        todo = every if kept is None else [job for job in every if not kept.has(job)]
        if kept is not None and len(todo) < len(every):
            kept.count(tally, {job.path for job in every} - {job.path for job in todo})
            self.talk.say("vetted.done_before", n=len(every) - len(todo), path=str(kept.path))
        try:
            self._through(todo, known, scheduler, kept, tally)
        except KeyboardInterrupt as stopped:
            self.talk.say("apkcli.stopped" if kept else "stopped_lost", **({"path": str(kept.path)} if kept else {}))
            raise typer.Exit(EXIT_INTERRUPTED) from stopped
        finally:
            if kept is not None:
                kept.close()
        if not self.json:
            printed(self.talk, lambda width: batch_table.lines(tally, known.basis, self.talk.language, width))
        if kept is not None:
            self.talk.say("cli.saved", path=str(kept.path))
        return tally.exit_code

    def _through(
        self, todo: list[Job], known: Known, scheduler: str | None, kept: Results | None, tally: Tally
    ) -> None:
        from privaudit.capture.remote_apks import Reading

        with contextlib.closing(_lines(todo, known, scheduler)) as lines:
            for number, line in enumerate(lines, 1):
                if kept is not None:
                    kept.add(line)
                tally.add(line)
                if self.json:
                    self.talk.out(line)
                self.talk.counted(Reading(done=number, total=len(todo)), "apkcli.vetted")


def _lines(todo: list[Job], known: Known, scheduler: str | None) -> Generator[str, None, None]:
    if not todo:
        return
    if scheduler is not None:
        from privaudit.vetting import dask_cluster

        yield from dask_cluster.lines(todo, known, address=scheduler)
        return
    from privaudit.vetting import cores

    yield from cores.lines(todo, known, cores=min(cores.count(), len(todo)))


def printed(talk: Talk, lines: Callable[[int], Iterable[Line]]) -> None:
    """Lines on a terminal, in its width and with its colours where it has any."""
    from privaudit.report.txt import WIDTH

    if not talk.colours:
        talk.out("".join(f"{line.text}\n" for line in lines(WIDTH)))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in lines(min(max(console.width, 60), 100)):
        console.print(Text(line.text, style=line.style))


def drafted(talk: Talk, files: list[Path], output: Path | None) -> int:
    """Rows of a list, one for each file that can be read."""
    from privaudit import vetting as vet
    from privaudit.cli import draft
    from privaudit.knowledge import export

    known = vet.known()
    rows: list[str] = []
    for path in files:
        vetting = vet.vet(path, known)
        if vetting.app is None:
            why = talk.language.say(vetting.gaps[0].why)
            talk.say("apkcli.not_drafted", path=str(path), why=why)
        else:
            rows.append(draft.row(vetting.app, path.name, talk.language))
    if rows:
        text = "\n".join([draft.head(talk.language), *rows])
        if output is None:
            talk.out(text)
        else:
            export.write(output, text.encode())
            talk.say("cli.saved", path=str(output))
    return EXIT_OK if len(rows) == len(files) else EXIT_UNREADABLE
