"""What it costs until the help stands there: beside a typer program of two commands with the same settings.

    .venv/bin/python benchmarks/startup.py

Ends with 1 where the ratio is over its budget.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from measure import PRIVAUDIT, Row, ended, in_turn, run, tell

ROUNDS = 15
BUDGET = 1.2
BARE = '''"""Two commands."""

import typer

app = typer.Typer(
    name="bare",
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


def main() -> int:
    """Measure and compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "bare"
        folder.mkdir()
        (folder / "app.py").write_text(BARE, encoding="utf-8")
        (folder / "__init__.py").touch()
        (folder / "__main__.py").write_text("from bare.app import app\n\napp()\n", encoding="utf-8")
        commands = {
            "ours": (*PRIVAUDIT, "--help"),
            "bare": (sys.executable, "-m", "bare", "--help"),
            "typer": (sys.executable, "-c", "import typer"),
            "python": (sys.executable, "-c", ""),
        }
        env = {"PYTHONPATH": f"{name}"}
        took = in_turn(
            {
                name: lambda command=command: ended(run(command, env=env), 0).cpu_s * 1000  # type: ignore[misc]
                for name, command in commands.items()
            },
            ROUNDS,
        )
    row = Row(
        what="`privaudit --help`",
        ours=took["ours"],
        unit="ms",
        reference=took["bare"],
        beside="typer with two commands",
        budget=BUDGET,
    )
    return tell(
        [row],
        floor=f"Python's own start, {took['python']:.0f} ms, and importing typer, together {took['typer']:.0f} ms:"
        f" we are at {took['ours'] / took['typer']:.2f} ×.",
    )


if __name__ == "__main__":
    sys.exit(main())
