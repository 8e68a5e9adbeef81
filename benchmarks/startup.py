"""What ``privaudit --help`` costs, compared with a typer program of two commands with the same settings.

Run it with ``.venv/bin/python -m benchmarks.startup``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import PRIVAUDIT, Outcome, Row, compare, measure_in_turn, run
from benchmarks.results import publish

ROUNDS = 15
MAX_RATIO = 1.2
MINIMAL_APP = '''"""Two commands."""

import typer

app = typer.Typer(
    name="minimal",
    help="Two commands.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def one(name: str = "x") -> None:
    """The first."""
    typer.echo(name)


@app.command()
def two(*, loud: bool = False) -> None:
    """The second."""
    typer.echo(loud)
'''


def measure() -> Outcome:
    """Measure and compare."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "minimal"
        package.mkdir()
        (package / "app.py").write_text(MINIMAL_APP, encoding="utf-8")
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text("from minimal.app import app\n\napp()\n", encoding="utf-8")

        def milliseconds(*command: str) -> float:
            return run(command, env={"PYTHONPATH": folder}).expect(0).cpu_s * 1000

        best = measure_in_turn(
            {
                "ours": lambda: milliseconds(*PRIVAUDIT, "--help"),
                "minimal": lambda: milliseconds(sys.executable, "-m", "minimal", "--help"),
                "typer": lambda: milliseconds(sys.executable, "-c", "import typer"),
                "python": lambda: milliseconds(sys.executable, "-c", ""),
            },
            ROUNDS,
        )
    row = Row(
        what="`privaudit --help`",
        ours=best["ours"],
        unit="ms",
        reference=best["minimal"],
        reference_name="typer with two commands",
        budget=MAX_RATIO,
    )
    note = (
        f"Floor: starting Python, {best['python']:.0f} ms, and importing typer, together {best['typer']:.0f} ms: we are"
        f" at {best['ours'] / best['typer']:.2f} ×."
    )
    return compare([row], note=note)


if __name__ == "__main__":
    sys.exit(publish("startup", measure))
