"""``privaudit apk`` and ``privaudit signatures draft``. `bench` does what they say."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit import __version__
from privaudit.cli.console import CliConsole
from privaudit.cli.options import (
    HELP_TRANSLATOR,
    CountryOption,
    LanguageOption,
    PlainOption,
    SerialOption,
    SignaturesOption,
    TransportOption,
    parse_country,
)
from privaudit.errors import (
    EXIT_FINDINGS,
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_UNREADABLE,
    SourceError,
    UsageError,
)

if TYPE_CHECKING:
    from privaudit.report.txt import StyledLine
    from privaudit.vetting import VettingContext
    from privaudit.vetting.batch import ResultsFile, VetJob
    from privaudit.vetting.batch_table import BatchSummary
    from privaudit.vetting.document import VettingReport


_JSON_LINES_SUFFIX: Final = ".jsonl"


class VetCommand:
    """Vets, and delivers what comes of it."""

    def __init__(
        self, console: CliConsole, output: list[str], country: str | None, signatures: list[Path], *, as_json: bool
    ) -> None:
        self.console = console
        self.as_json = as_json or "-" in output
        named = [Path(name) for name in output if name != "-"]
        self.document_files = [path for path in named if path.suffix != _JSON_LINES_SUFFIX]
        self.json_lines_files = [path for path in named if path.suffix == _JSON_LINES_SUFFIX]
        self.country = parse_country(country)
        self.signatures = signatures

    def validate_options(self, files: list[Path], installed: str | None, scheduler: str | None) -> None:
        """Refuse what cannot be done, before anything is read.

        Raises:
            UsageError: nothing to vet, two places to look, a format that is not written, a folder that is not there.
        """
        from privaudit import report
        from privaudit.vetting.report import DOCUMENT_SUFFIXES

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

    def vet_installed_app(self, package: str, transport: str, serial: str | None) -> int:
        """Vet an app on the phone."""
        self.console.print_message("apkcli.starting_phone", version=__version__)
        with self.console.connect(transport, serial) as connection:
            from privaudit.vetting.installed import vet_installed

            known = self._load_context()
            self.console.print_message("apkcli.fetching")
            vetting = vet_installed(connection, package, known)
        return self._write_outputs(vetting)

    def vet_files(self, files: list[Path], scheduler: str | None) -> int:
        """Vet files; one is told in full, several in a table."""
        if scheduler is not None:
            self.console.print_message("apkcli.starting_cluster", version=__version__, address=scheduler)
        else:
            self.console.print_message("apkcli.starting", version=__version__)
        from privaudit.vetting import vet

        known = self._load_context()
        if len(files) == 1 and not files[0].is_dir() and not self.json_lines_files and scheduler is None:
            return self._write_outputs(vet(files[0], known))
        return self._vet_batch(files, known, scheduler)

    def _load_context(self) -> VettingContext:
        from privaudit import vetting as vet

        return vet.load_vetting_context(extra=self.signatures, country=self.country)

    def _write_outputs(self, vetting: VettingReport) -> int:
        from privaudit.model import Verdict
        from privaudit.vetting import report as forms
        from privaudit.vetting import report as json
        from privaudit.vetting import report as txt

        for path in self.document_files:
            forms.save_vetting_report(vetting, path, self.console.language)
        if self.as_json:
            self.console.write_stdout(json.vetting_to_json_line(vetting))
        else:
            print_lines(self.console, lambda width: txt.document_lines(vetting, self.console.language, width))
        for path in self.document_files:
            self.console.print_message("cli.saved", path=str(path))
        if vetting.app is None:
            return EXIT_UNREADABLE
        if vetting.verdict is Verdict.FOUND:
            return EXIT_FINDINGS
        return EXIT_OK if vetting.complete else EXIT_INCOMPLETE

    # --- many ---

    def _vet_batch(self, files: list[Path], context: VettingContext, scheduler: str | None) -> int:
        from privaudit.vetting import batch, batch_table
        from privaudit.vetting.batch import find_vet_jobs
        from privaudit.vetting.batch_table import BatchSummary
        from privaudit.vetting.bundle import APP_FILE_SUFFIXES

        tally = BatchSummary()
        every = list(find_vet_jobs(files))
        if not every:
            raise UsageError("errors.apk_files_none", known=APP_FILE_SUFFIXES)
        kept = batch.open_results_file(self.json_lines_files[0], context) if self.json_lines_files else None
        todo = every if kept is None else [job for job in every if not kept.is_current(job)]
        if kept is not None and len(todo) < len(every):
            kept.count_into(tally, {job.path for job in every} - {job.path for job in todo})
            self.console.print_message("vetted.done_before", n=len(every) - len(todo), path=str(kept.path))
        try:
            self._run_jobs(todo, context, scheduler, kept, tally)
        except KeyboardInterrupt as stopped:
            self.console.print_message(
                "apkcli.stopped" if kept else "stopped_lost", **({"path": str(kept.path)} if kept else {})
            )
            raise typer.Exit(EXIT_INTERRUPTED) from stopped
        finally:
            if kept is not None:
                kept.close()
        if not self.as_json:
            print_lines(
                self.console,
                lambda width: batch_table.batch_table_lines(
                    tally, context.knowledge_info, self.console.language, width
                ),
            )
        if kept is not None:
            self.console.print_message("cli.saved", path=str(kept.path))
        return tally.exit_code

    def _run_jobs(
        self,
        jobs: list[VetJob],
        context: VettingContext,
        scheduler: str | None,
        results_file: ResultsFile | None,
        summary: BatchSummary,
    ) -> None:
        from privaudit.capture.remote_apks import ReadProgress

        with contextlib.closing(_iter_result_lines(jobs, context, scheduler)) as lines:
            for number, line in enumerate(lines, 1):
                if results_file is not None:
                    results_file.append_line(line)
                summary.add_line(line)
                if self.as_json:
                    self.console.write_stdout(line)
                self.console.update_progress_bar(ReadProgress(done=number, total=len(jobs)), "apkcli.vetted")


def _iter_result_lines(
    jobs: list[VetJob], context: VettingContext, scheduler: str | None
) -> Generator[str, None, None]:
    if not jobs:
        return
    if scheduler is not None:
        from privaudit.vetting import dask_cluster

        yield from dask_cluster.vet_on_cluster(jobs, context, address=scheduler)
        return
    from privaudit.vetting import batch

    yield from batch.vet_on_cores(jobs, context, cores=min(batch.available_cores(), len(jobs)))


def print_lines(cli_console: CliConsole, render_lines: Callable[[int], Iterable[StyledLine]]) -> None:
    """Lines on a terminal, in its width and with its colours where it has any."""
    from privaudit.report.txt import DEFAULT_WIDTH

    if not cli_console.color_enabled:
        cli_console.write_stdout("".join(f"{line.text}\n" for line in render_lines(DEFAULT_WIDTH)))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in render_lines(min(max(console.width, 60), 100)):
        console.print(Text(line.text, style=line.style))


def draft_rows(console: CliConsole, files: list[Path], output: Path | None) -> int:
    """Rows of a list, one for each file that can be read."""
    from privaudit import vetting as vet
    from privaudit.cli import signatures_exchange
    from privaudit.knowledge import export

    known = vet.load_vetting_context()
    rows: list[str] = []
    for path in files:
        vetting = vet.vet(path, known)
        if vetting.app is None:
            why = console.language.translate(vetting.gaps[0].why)
            console.print_message("apkcli.not_drafted", path=str(path), why=why)
        else:
            rows.append(signatures_exchange.draft_row(vetting.app, path.name, console.language))
    if rows:
        text = "\n".join([signatures_exchange.draft_header(console.language), *rows])
        if output is None:
            console.write_stdout(text)
        else:
            export.write_file(output, text.encode())
            console.print_message("cli.saved", path=str(output))
    return EXIT_OK if len(rows) == len(files) else EXIT_UNREADABLE


def apk_help_text(key: str) -> str:
    """What the help says of these commands and their options."""
    return HELP_TRANSLATOR.t(key)


ApkFilesArgument = Annotated[list[Path] | None, typer.Argument(metavar="FILE", help=apk_help_text("apkcli.files"))]


def register(app: typer.Typer) -> None:
    """Add ``apk`` to the command line; ``draft`` stands among the commands about lists."""
    app.command(help=apk_help_text("apkcli.apk"))(apk)


def apk(  # noqa: PLR0913 - the options of DESIGN
    files: ApkFilesArgument = None,
    *,
    installed: Annotated[
        str | None, typer.Option("--installed", metavar="PKG", help=apk_help_text("apkcli.installed"))
    ] = None,
    output: Annotated[
        list[str] | None, typer.Option("--output", "-o", metavar="FILE", help=apk_help_text("apkcli.output"))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=apk_help_text("apkcli.json"))] = False,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help=apk_help_text("apkcli.scheduler"))
    ] = None,
    lang: LanguageOption = None,
    country: CountryOption = None,
    serial: SerialOption = None,
    transport: TransportOption = "auto",
    signatures: SignaturesOption = None,
    plain: PlainOption = False,
) -> None:
    """Vet APKs."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        bench = VetCommand(talk, output or [], country, signatures or [], as_json=as_json)
        bench.validate_options(files or [], installed, scheduler)
        if installed is not None:
            raise typer.Exit(bench.vet_installed_app(installed, transport, serial))
        raise typer.Exit(bench.vet_files(files or [], scheduler))


def draft(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help=apk_help_text("apkcli.draft_files"))],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help=apk_help_text("apkcli.draft_output"))
    ] = None,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Draft rows of a list."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        raise typer.Exit(draft_rows(talk, files, output))
