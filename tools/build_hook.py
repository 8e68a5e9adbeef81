"""Hatchling's build hook: put the compiled lists into the wheel, beside the lists (`privaudit.knowledge.compiled`)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileListsHook(BuildHookInterface[Any]):
    """Compiles the lists with the code that is put into the same wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the lists into a temporary file. An editable installation uses the lists of the checkout."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from privaudit.knowledge import compile_lists
        from privaudit.knowledge.compiled import COMPILED_FILE

        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name, COMPILED_FILE)
        file.write_bytes(compile_lists(Path(self.root, "signatures")))
        build_data["force_include"][str(file)] = f"privaudit/_signatures/{COMPILED_FILE}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - theirs
        """Remove the temporary file."""
        if version != "editable":
            self._folder.cleanup()
