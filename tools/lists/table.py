"""The table of all lists in ``docs/lists.md``, written from the lists themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from privaudit.knowledge.loader import Problems, list_toml_files, read_typed_toml
from privaudit.knowledge.schema import SignatureFile

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "lists.md"
_TABLE: Final = re.compile(
    r"(?<=<!-- table: python -m tools\.lists --table -->\n).*(?=<!-- end of table -->)", re.DOTALL
)


def write_table(text: str, signatures: Path) -> str:
    """Return the document `text` with the table of the lists in `signatures`."""
    return _TABLE.sub(lambda _: "\n".join(_table_lines(signatures)) + "\n", text)


def _table_lines(signatures: Path) -> Iterator[str]:
    yield "| file | made by | date | read in | packages | names alone | licence | refreshed |"
    yield "|---|---|---|---|---|---|---|---|"
    for file in (*list_toml_files(signatures / "risky"), *list_toml_files(signatures / "lenders")):
        name = str(Path(str(file)).relative_to(signatures).as_posix())
        content = read_typed_toml(SignatureFile, file, name, Problems())
        if content is None:
            continue  # `signatures check` reports it
        source, packages = content.source, sum(bool(row.match_keys) for row in content.app)
        cells = (
            f"[{name}](../signatures/{name})",
            source.publisher,
            source.date or "none",
            source.via or "the original",
            str(packages),
            str(len(content.app) - packages),
            source.licence or "unknown",
            source.refreshed or "",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
