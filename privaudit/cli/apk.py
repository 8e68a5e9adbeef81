"""``privaudit apk``: vet APK files, or an app on the phone, before they are trusted."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit import __version__, errors
from privaudit.cli import options
from privaudit.cli.console import CliConsole, open_console
from privaudit.cli.options import argument, option
from privaudit.errors import SourceError, UsageError

if TYPE_CHECKING:
    from privaudit.vetting import VettingContext
    from privaudit.vetting.batch import ResultsFile, VetJob
    from privaudit.vetting.batch_table import BatchSummary
    from privaudit.vetting.document import VettingReport

_JSON_LINES_SUFFIX: Final = ".jsonl"


def apk(  # noqa: PLR0913 - one parameter per option
    files: Annotated[list[Path] | None, argument("apkcli.files", "FILE")] = None,
    *,
    installed: Annotated[str | None, option("apkcli.installed", "--installed", metavar="PKG")] = None,
    output: Annotated[list[str] | None, option("apkcli.output", "--output", "-o", metavar="FILE")] = None,
    as_json: Annotated[bool, option("apkcli.json", "--json")] = False,
    scheduler: Annotated[str | None, option("apkcli.scheduler", "--scheduler", metavar="ADDRESS")] = None,
    lang: options.LanguageOption = None,
    country: options.CountryOption = None,
    serial: options.SerialOption = None,
    transport: options.TransportOption = "auto",
    signatures: options.SignaturesOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Vet APKs."""
    paths, as_json_to_stdout = options.parse_output(output, as_json=as_json)
    with open_console(lang, plain=plain) as console:
        command = VetCommand(
            console=console,
            files=tuple(files or ()),
            installed=installed,
            scheduler=scheduler,
            document_files=tuple(path for path in paths if path.suffix != _JSON_LINES_SUFFIX),
            json_lines_files=tuple(path for path in paths if path.suffix == _JSON_LINES_SUFFIX),
            as_json=as_json_to_stdout,
            country=options.parse_country(country),
            signatures=tuple(signatures or ()),
        )
        command.validate_options()
        raise typer.Exit(command.vet_files() if installed is None else command.vet_installed_app(transport, serial))


@dataclass(frozen=True, slots=True, kw_only=True)
class VetCommand:
    """One run of `apk`: what it vets, and where it writes the result."""

    console: CliConsole
    files: tuple[Path, ...]
    """Files and folders."""
    installed: str | None
    """The package name of an app on the phone, in place of files."""
    scheduler: str | None
    """The address of a Dask cluster that does the work."""
    document_files: tuple[Path, ...]
    json_lines_files: tuple[Path, ...]
    as_json: bool
    country: str | None
    signatures: tuple[Path, ...]

    def validate_options(self) -> None:
        """Refuse options that cannot be carried out, before anything is read."""
        from privaudit import report
        from privaudit.vetting.report import DOCUMENT_SUFFIXES

        files, installed, scheduler = self.files, self.installed, self.scheduler
        if not files and installed is None:
            raise UsageError("errors.apk_nothing")
        if installed is not None and (files or scheduler is not None):
            raise UsageError("errors.apk_one_place")
        if len(files) == 1 and not files[0].exists():
            raise SourceError("errors.apk_missing", path=str(files[0]))
        for path in (*self.document_files, *self.json_lines_files):
            report.validate_output(path, (*DOCUMENT_SUFFIXES, _JSON_LINES_SUFFIX))
        if self.document_files and (scheduler is not None or len(files) > 1 or any(map(Path.is_dir, files))):
            raise UsageError("errors.apk_one_file")
        if len(self.json_lines_files) > 1 or (self.json_lines_files and installed is not None):
            raise UsageError("errors.apk_one_file")
        if scheduler is not None:
            from privaudit.vetting import dask_cluster

            dask_cluster.require_cluster(scheduler)

    def vet_installed_app(self, transport: str, serial: str | None) -> int:
        """Vet the app on the phone and return the exit code."""
        self.console.print_message("apkcli.starting_phone", version=__version__)
        with self.console.connect(transport, serial) as connection:
            from privaudit.vetting.installed import vet_installed

            context = self._load_context()
            self.console.print_message("apkcli.fetching")
            vetting = vet_installed(connection, self.installed or "", context)
        return self._write_outputs(vetting)

    def vet_files(self) -> int:
        """Vet the files, one in detail or several in a table, and return the exit code."""
        if self.scheduler is not None:
            self.console.print_message("apkcli.starting_cluster", version=__version__, address=self.scheduler)
        else:
            self.console.print_message("apkcli.starting", version=__version__)
        from privaudit.vetting import vet

        context = self._load_context()
        is_single = len(self.files) == 1 and not self.files[0].is_dir()
        if is_single and not self.json_lines_files and self.scheduler is None:
            return self._write_outputs(vet(self.files[0], context))
        return self._vet_batch(context)

    def _load_context(self) -> VettingContext:
        from privaudit.vetting import load_vetting_context

        return load_vetting_context(extra=self.signatures, country=self.country)

    def _write_outputs(self, vetting: VettingReport) -> int:
        from privaudit.model import Verdict
        from privaudit.vetting import report

        for path in self.document_files:
            report.save_vetting_report(vetting, path, self.console.language)
        if self.as_json:
            self.console.write_json(report.vetting_to_json_line(vetting))
        else:
            self.console.write_styled(lambda width: report.document_lines(vetting, self.console.language, width))
        for path in self.document_files:
            self.console.print_message("cli.saved", path=str(path))
        if vetting.app is None:
            return errors.EXIT_UNREADABLE
        if vetting.verdict is Verdict.FOUND:
            return errors.EXIT_FINDINGS
        return errors.EXIT_OK if vetting.complete else errors.EXIT_INCOMPLETE

    def _vet_batch(self, context: VettingContext) -> int:
        """Vet many files, skipping those that the results file holds already."""
        from privaudit.vetting import batch, batch_table
        from privaudit.vetting.bundle import APP_FILE_SUFFIXES

        summary = batch_table.BatchSummary()
        jobs = list(batch.find_vet_jobs(list(self.files)))
        if not jobs:
            raise UsageError("errors.apk_files_none", known=APP_FILE_SUFFIXES)
        results = batch.open_results_file(self.json_lines_files[0], context) if self.json_lines_files else None
        pending = jobs if results is None else [job for job in jobs if not results.is_current(job)]
        if results is not None and len(pending) < len(jobs):
            results.count_into(summary, {job.path for job in jobs} - {job.path for job in pending})
            self.console.print_message("vetted.done_before", n=len(jobs) - len(pending), path=str(results.path))
        try:
            self._run_jobs(pending, context, results, summary)
        except KeyboardInterrupt as interrupt:
            if results is not None:
                self.console.print_message("apkcli.stopped", path=str(results.path))
            else:
                self.console.print_message("apkcli.stopped_lost")
            raise typer.Exit(errors.EXIT_INTERRUPTED) from interrupt
        finally:
            if results is not None:
                results.close()
        if not self.as_json:
            language, lists = self.console.language, context.knowledge_info
            self.console.write_styled(lambda width: batch_table.batch_table_lines(summary, lists, language, width))
        if results is not None:
            self.console.print_message("cli.saved", path=str(results.path))
        return summary.exit_code

    def _run_jobs(
        self, jobs: list[VetJob], context: VettingContext, results: ResultsFile | None, summary: BatchSummary
    ) -> None:
        from privaudit.capture.remote_apks import ReadProgress

        with contextlib.closing(_iter_results(jobs, context, self.scheduler)) as lines:
            for number, line in enumerate(lines, 1):
                if results is not None:
                    results.append_line(line)
                summary.add_line(line)
                if self.as_json:
                    self.console.write_json(line)
                self.console.update_progress_bar(ReadProgress(done=number, total=len(jobs)), "apkcli.vetted")


def _iter_results(jobs: list[VetJob], context: VettingContext, scheduler: str | None) -> Generator[str, None, None]:
    """Vet files on all cores, or on a cluster; yield a line of JSON for each as it is finished."""
    if not jobs:
        return
    if scheduler is not None:
        from privaudit.vetting import dask_cluster

        yield from dask_cluster.vet_on_cluster(jobs, context, address=scheduler)
        return
    from privaudit.vetting import batch

    yield from batch.vet_on_cores(jobs, context, cores=min(batch.available_cores(), len(jobs)))
