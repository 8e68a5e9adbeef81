"""Hatchling's build hook: put compiled lists and rules into the wheel, beside their files.

See `privaudit.knowledge.loader`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileHook(BuildHookInterface[Any]):
    """Compiles lists and rules with the code that is put into the same wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into temporary files. An editable installation uses the files of the checkout."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from privaudit.knowledge import compile_lists
        from privaudit.knowledge.loader import COMPILED_FILE
        from privaudit.knowledge.rules import compile_rules

        self._folder = tempfile.TemporaryDirectory()
        root, rules = Path(self.root), "privaudit/data/rules"
        for folder, content in (
            ("privaudit/_signatures", compile_lists(root / "signatures")),
            (rules, compile_rules(root / rules)),
        ):
            file = Path(self._folder.name, folder.replace("/", "-"))
            file.write_bytes(content)
            build_data["force_include"][str(file)] = f"{folder}/{COMPILED_FILE}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - theirs
        """Remove the temporary files."""
        if version != "editable":
            self._folder.cleanup()
